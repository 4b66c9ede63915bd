"""HTTPS only, decided once, and the two bare shells: ATTACKS S-57 to S-66, and more."""

from __future__ import annotations

import logging
import string
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from trustedproxy import (
    ConfigurationError,
    HSTSPolicy,
    HTTPSOnlyASGIMiddleware,
    HTTPSOnlyMiddleware,
    ProxyPolicy,
    log,
    read_settings,
)
from trustedproxy.https_only import (
    BAD_HOST,
    BAD_TARGET,
    FORBIDDEN,
    HTTPSOnly,
    RequestFacts,
    build_target,
    https_exempt,
    is_https_exempt,
    read_environ,
    read_scope,
)

from ..attacks_https import (
    PROXY,
    ROWS,
    STRANGER,
    WSGI_ROWS,
    Got,
    Row,
    ask_asgi,
    ask_wsgi,
    make_environ,
    make_scope,
    run_asgi,
)

PLAIN = RequestFacts("http", host="www.example.com", peer="192.0.2.1")
SECURE = replace(PLAIN, scheme="https")
PLAIN_GOT = Got(301, "https://www.example.com/")


@pytest.fixture(autouse=True)
def _told_nothing() -> None:
    log.forget()


def locate(rules: HTTPSOnly, facts: RequestFacts) -> str:
    """The target of the redirect that *rules* answer with."""
    answer = rules.answer(facts)
    assert answer is not None
    return dict(answer.headers)["Location"]


# The attacks.


@pytest.mark.parametrize("row", WSGI_ROWS, ids=str)
def test_wsgi_attack(row: Row) -> None:
    """Each attack is answered as wanted by the bare WSGI middleware."""
    assert ask_wsgi(row) == row.wanted


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_asgi_attack(row: Row) -> None:
    """Each attack is answered as wanted by the bare ASGI middleware."""
    assert ask_asgi(row) == row.wanted


def test_attacks_complete() -> None:
    """Every row of ATTACKS section 7 is there; S-64 is in test_hsts."""
    wanted = {f"S-{number}" for number in range(57, 67)} - {"S-64"}

    assert {row.id for row in ROWS} == wanted
    assert len({str(row) for row in ROWS}) == len(ROWS)


# What is asked, and of which host.


def test_secure_request_passes() -> None:
    """A secure request passes, whatever its host and target are."""
    rules = HTTPSOnly(allowed_hosts=["www.example.com"])

    assert rules.answer(replace(SECURE, host="evil.example")) is None
    assert rules.answer(replace(SECURE, scheme="WSS", path=b"*")) is None


@pytest.mark.parametrize("scheme", ["http", "ws", "", "gopher", "https,http", "httpss"])
def test_request_not_secure_redirected(scheme: str) -> None:
    """Whatever is not https or wss is plain."""
    assert HTTPSOnly().answer(replace(PLAIN, scheme=scheme)) is not None


@pytest.mark.parametrize(
    ("host", "request_host", "authority"),
    [
        (None, "www.example.com", "www.example.com"),
        (None, "WWW.example.com.", "WWW.example.com."),
        (None, "www.example.com:8080", "www.example.com"),
        (None, "[2001:db8::1]:8080", "[2001:db8::1]"),
        ("a.example", "www.example.com:8080", "a.example"),
        ("a.example:443", "www.example.com", "a.example"),
        ("a.example:8443", "www.example.com", "a.example:8443"),
        ("[2001:db8::1]:8443", "www.example.com", "[2001:db8::1]:8443"),
        (":8443", "www.example.com:8080", "www.example.com:8443"),
        (":8443", "[2001:db8::1]:80", "[2001:db8::1]:8443"),
        (":443", "www.example.com:8080", "www.example.com"),
        ("a.example", None, "a.example"),
        ("a.example", "", "a.example"),
    ],
)
def test_redirect_host(
    host: str | None, request_host: str | None, authority: str
) -> None:
    """The redirect goes to the configured host and port, else to the request's host."""
    facts = replace(PLAIN, host=request_host)

    assert locate(HTTPSOnly(host=host), facts) == f"https://{authority}/"


@pytest.mark.parametrize("host", [None, ":8443"])
@pytest.mark.parametrize(
    "request_host",
    [
        None,
        "",
        "a b",
        "a/b",
        "a@b",
        "a..b",
        ".a",
        "a:",
        "a:0",
        "a:70000",
        "::1",
        "[::1",
    ],
)
def test_redirect_without_host_refused(
    host: str | None, request_host: str | None
) -> None:
    """A host that is missing or none is refused, and nobody keeps the refusal."""
    answer = HTTPSOnly(host=host).answer(replace(PLAIN, host=request_host))

    assert answer == BAD_HOST
    assert BAD_HOST.status == 400
    assert ("Cache-Control", "no-store") in BAD_HOST.headers


def test_redirect_with_broken_host_refused() -> None:
    """A broken host is refused even where the redirect would not go there."""
    rules = HTTPSOnly(host="a.example")

    assert rules.answer(replace(PLAIN, host="a@b")) == BAD_HOST


def test_redirect_with_host_refused_by_framework() -> None:
    """What the framework refuses is refused, wherever the redirect would go."""
    facts = replace(PLAIN, host=None, host_refused=True)

    assert HTTPSOnly(host="a.example").answer(facts) == BAD_HOST


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PROPFIND", "get", ""])
def test_redirect_status(status: int, method: str) -> None:
    """GET and HEAD get the status that is set; all others keep method and body."""
    answer = HTTPSOnly(status=status).answer(replace(PLAIN, method=method))

    kept = {301: 308, 302: 307, 307: 307, 308: 308}[status]
    assert answer is not None
    assert answer.status == (status if method in ("GET", "HEAD") else kept)
    assert (answer.body_for(method) == b"") == (method == "HEAD")


# Where to: mount point, path and query.


@pytest.mark.parametrize(
    ("mount_point", "path", "raw_path", "query", "target"),
    [
        (b"", b"/a b", b"/a%20b", None, "/a%20b"),
        (b"", b"/a/b", b"/a%2Fb", b"x=%2F&y=/?", "/a%2Fb?x=%2F&y=/?"),
        (b"", b"/a", b"/a", b"", "/a?"),
        (b"", b"//evil.example/x", b"//evil.example/x", None, "//evil.example/x"),
        (b"", b"/", b"/\xc3\xa9 x", b"\xe9", "/%C3%A9%20x?%E9"),
        (b"", b'/"<>^`{|}\\', b'/"<>^`{|}\\', b"'\"", '/"<>^`{|}\\?\'"'),
        # Below a mount point that the proxy took off, or left in.
        (b"/app", b"/x", b"/x", None, "/app/x"),
        (b"/app", b"/x", b"/app/x", None, "/app/x"),
        (b"/app", b"", b"/app", None, "/app"),
        (b"/app", b"/", b"/", None, "/app/"),
        (b"/app/", b"/x", b"/x", None, "/app/x"),
        (b"/app", b"/application", b"/application", None, "/app/application"),
        (b"/a/b", b"/x", b"/a/b/x", None, "/a/b/x"),
        (b"/a/b", b"/x", b"/a/x", None, "/a/b/a/x"),
        (b"/m", b"/a/b", b"/%6d/a%2Fb", None, "/%6d/a%2Fb"),
        (b"/m", b"/a", b"//m/a", None, "//m/a"),
        (b"/caf\xc3\xa9", b"/x", b"/caf%c3%a9/x", None, "/caf%c3%a9/x"),
        (b"/caf\xc3\xa9", b"/x", b"/x", None, "/caf%C3%A9/x"),
        # Quoted again, where the server gives no raw path.
        (
            b"",
            b"/a b;p=1,2/\xe2\x82\xac",
            None,
            b"q=%2F",
            "/a%20b;p=1,2/%E2%82%AC?q=%2F",
        ),
        (b"", b"/100%/?#", None, None, "/100%25/%3F%23"),
        (b"", b"/a\r\nb\x00", None, None, "/a%0D%0Ab%00"),
        (b"/app", b"/x", None, None, "/app/x"),
        (b"/app", b"", None, None, "/app"),
        (b"", b"", None, None, "/"),
        # No path: never pasted behind a host.
        (b"", b"*", None, None, None),
        (b"", b"*", b"*", None, None),
        (b"", b"/*", b"*", None, None),
        (b"", b"a/b", None, None, None),
        (b"/app", b"x/a", b"/appx/a", None, None),
        (b"", b"/a", b"http://evil.example/a", None, None),
        (b"", b"http://evil.example/a", None, None, None),
        (b"", b"www.example.com:443", None, None, None),
        (b"evil", b"/x", None, None, None),
        (b"@evil", b"", None, None, None),
        (b"evil", b"/x", b"/x", None, None),
        # Never sent: control characters, a fragment.
        (b"", b"/", b"/a\r\nSet-Cookie: x", None, None),
        (b"", b"/", b"/a\x7f", None, None),
        (b"", b"/a", b"/a#b", None, None),
        (b"", b"/a", b"/a", b"x\ny", None),
        (b"", b"/a", None, b"x#y", None),
    ],
)
def test_target(
    mount_point: bytes,
    path: bytes,
    raw_path: bytes | None,
    query: bytes | None,
    target: str | None,
) -> None:
    """The target is what was sent, with the mount point in front, or there is none."""
    assert build_target(mount_point, path, raw_path, query) == target


def test_redirect_without_path_refused() -> None:
    """A target that is no path is refused, and nobody keeps the refusal."""
    assert HTTPSOnly().answer(replace(PLAIN, path=b"*")) == BAD_TARGET
    assert BAD_TARGET.status == 400
    assert ("Cache-Control", "no-store") in BAD_TARGET.headers


SENT = "".join(sorted(set(string.printable) - set(string.whitespace) - set("#?%")))
ENCODED = st.integers(0, 255).flatmap(
    lambda number: st.sampled_from([f"%{number:02x}", f"%{number:02X}"])
)
PIECES = st.lists(st.sampled_from(SENT) | ENCODED, max_size=30).map("".join)
PATHS = PIECES.map("/".__add__)
QUERIES = st.none() | st.lists(st.sampled_from(SENT + "?") | ENCODED, max_size=30).map(
    "".join
)


ANYWHERE = HTTPSOnly()


@given(path=PATHS, query=QUERIES)
def test_wsgi_location_is_what_was_sent(path: str, query: str | None) -> None:
    """Under WSGI with a raw target, any path and query come back byte for byte."""
    target = path if query is None else f"{path}?{query}"
    environ = make_environ(Row("S-59", "any", PLAIN_GOT, target=target))

    location = locate(ANYWHERE, read_environ(environ))

    assert location == f"https://www.example.com{target}"


@given(path=PATHS, query=QUERIES)
def test_asgi_location_is_what_was_sent(path: str, query: str | None) -> None:
    """Under ASGI too, but for an empty query, which no server shows."""
    target = f"{path}?{query}" if query else path
    scope = make_scope(Row("S-59", "any", PLAIN_GOT, target=target))

    location = locate(ANYWHERE, read_scope(scope))

    assert location == f"https://www.example.com{target}"


@given(path=PATHS, mount=st.sampled_from(["/app", "/a/b", "/a"]))
def test_location_below_mount_point(path: str, mount: str) -> None:
    """A mount point that the proxy left in is not doubled, one it took off is added."""
    decoded = unquote_to_bytes(path)
    assume(not decoded.lstrip(b"/").startswith(mount[1:].encode()))

    left_in = build_target(mount.encode(), decoded, (mount + path).encode(), None)
    taken_off = build_target(mount.encode(), decoded, path.encode(), None)

    assert left_in == mount + path
    assert taken_off == mount + path


@given(st.binary(max_size=40), st.binary(max_size=20))
def test_location_is_one_line_on_the_host(path: bytes, query: bytes) -> None:
    """Whatever a server hands over, the target is ASCII from a slash on, or none."""
    for raw in (None, path):
        target = build_target(b"", path, raw, query)

        if target is not None:
            assert target.startswith("/")
            assert all(0x20 < ord(character) < 0x7F for character in target)


@given(PATHS)
def test_location_quoted_again_names_the_same_path(path: str) -> None:
    """Without a raw path, the redirect asks for what the application would see."""
    decoded = unquote_to_bytes(path)

    target = build_target(b"", decoded, None, None)

    assert target is not None
    assert unquote_to_bytes(target) == decoded


# What stays reachable.


@pytest.mark.parametrize(
    ("pattern", "path", "wanted"),
    [
        ("/healthz", b"/healthz", True),
        ("/healthz", b"/healthz/", False),
        ("/healthz", b"/healthzx", False),
        ("/healthz", b"/x/healthz", False),
        ("/healthz", b"/Healthz", False),
        ("/.well-known/acme-challenge/*", b"/.well-known/acme-challenge/abc", True),
        ("/.well-known/acme-challenge/*", b"/.well-known/acme-challenge/", True),
        ("/.well-known/acme-challenge/*", b"/.well-known/acme-challenge", False),
        ("/.well-known/acme-challenge/*", b"/Xwell-known/acme-challenge/abc", False),
        ("/open/*", b"/open/a/b", True),
        ("/open/*", b"/open/../private", False),
        ("/open/*", b"/open/./a", False),
        ("/open/*", b"/open/..", False),
        ("/open/*", b"/open/..a", True),
        ("/*/ping", b"/a/b/ping", True),
        ("/*/ping", b"/a/ping/b", False),
        ("/a*b*c", b"/abbc", True),
        ("/a*b*c", b"/acb", False),
        ("/a*b*b", b"/ab", False),
        ("/a*\n*", b"/a\nb", True),
        ("/caf%C3%A9", b"/caf\xc3\xa9", True),
        ("/caf\xe9", b"/caf\xc3\xa9", True),
        ("/a%2Ab", b"/a*b", True),
        ("/a%2Ab", b"/axb", False),
        ("/", b"/", True),
        ("/", b"/a", False),
        ("/*", b"/anything", True),
    ],
)
def test_exempt_path(pattern: str, path: bytes, wanted: bool) -> None:
    """A pattern is compared to the whole path; only a star is special."""
    assert HTTPSOnly(exempt=[pattern]).exempts(replace(PLAIN, path=path)) == wanted


@pytest.mark.parametrize(
    ("pattern", "wanted"), [("/healthz", True), ("/app/healthz", True), ("/app", False)]
)
def test_exempt_path_below_mount_point(pattern: str, wanted: bool) -> None:
    """A pattern may be written below the mount point, or with it."""
    facts = replace(PLAIN, mount_point=b"/app", path=b"/healthz")

    assert HTTPSOnly(exempt=[pattern]).exempts(facts) == wanted


def test_exempt_path_with_many_stars_is_quick() -> None:
    """A pattern of many stars costs no more than the path is long."""
    rules = HTTPSOnly(exempt=["/" + "*a" * 25 + "*b"])

    assert not rules.exempts(replace(PLAIN, path=b"/" + b"a" * 8000))


@pytest.mark.parametrize(
    ("exempt", "peer", "wanted"),
    [
        (["127.0.0.0/8"], "127.0.0.1", True),
        (["127.0.0.0/8"], "::ffff:127.0.0.1", True),
        (["127.0.0.0/8"], "192.0.2.1", False),
        (["loopback"], "::1", True),
        (["unix"], "", True),
        (["unix"], None, True),
        (["/healthz", "192.0.2.1"], "192.0.2.1", True),
        ("/healthz 192.0.2.1", "192.0.2.1", True),
        (["/healthz"], "192.0.2.1", False),
        ([], "192.0.2.1", False),
        ("", "192.0.2.1", False),
    ],
)
def test_exempt_network(
    exempt: list[str] | str, peer: str | None, wanted: bool
) -> None:
    """A network stands for the peers in it."""
    assert HTTPSOnly(exempt=exempt).exempts(replace(PLAIN, peer=peer)) == wanted


def test_exempt_network_does_not_reach_through_a_proxy() -> None:
    """A trusted header means that somebody behind the peer asks: no exemption."""
    rules = HTTPSOnly(exempt=["10.0.0.0/8"])
    facts = replace(PLAIN, peer=PROXY, decided=True, peer_trusted=True)

    assert rules.answer(facts) is None
    assert rules.answer(replace(facts, forwarded=True)) is not None


def test_exempt_network_is_of_the_original_peer() -> None:
    """A client that the proxy names is no peer: its address opens nothing."""
    environ = make_environ(
        Row("S-62", "forwarded", PLAIN_GOT, headers={"X-Forwarded-For": "127.0.0.1"})
    )
    policy = ProxyPolicy(headers=["X-Forwarded-For"], proxies=["10.0.0.0/8"])

    policy.apply(environ)

    assert environ["REMOTE_ADDR"] == "127.0.0.1"
    assert not HTTPSOnly(exempt=["loopback"]).exempts(read_environ(environ))


def test_exempt_websocket_passes() -> None:
    """An exempt path is open to plain websockets too, every other is closed to them."""
    rules = HTTPSOnly(exempt=["/live"])
    facts = replace(PLAIN, scheme="ws", websocket=True, path=b"/live")

    assert rules.answer(facts) is None
    assert rules.answer(replace(facts, path=b"/x")) == FORBIDDEN


def test_exempt_view() -> None:
    """A view that is marked is known as such, and stays the same function."""

    def view() -> None: ...

    assert not is_https_exempt(view)
    assert https_exempt(view) is view
    assert is_https_exempt(view)


# The policy of the answers to secure requests.

YEAR = "max-age=31536000"


@pytest.mark.parametrize(
    ("host", "wanted"),
    [
        ("www.example.com", True),
        ("www.example.com:8443", True),
        ("localhost", True),
        ("1.example", True),
        ("203.0.113.1", False),
        ("203.0.113.1:443", False),
        ("203.0.113.1.", False),
        ("[2001:db8::1]", False),
        ("[2001:db8::1]:443", False),
        # Browsers read these as IPv4 addresses (WHATWG URL, "ends in a number").
        ("127.1", False),
        ("2130706433", False),
        ("0x7f.0x1", False),
        ("example.0X7F", False),
        ("a@b", False),
        ("", False),
        (None, False),
    ],
)
def test_hsts_host(host: str | None, wanted: bool) -> None:
    """The policy goes to names, never to addresses or to no host at all."""
    value = HTTPSOnly(hsts=YEAR).hsts_value(host, True)

    assert value == (YEAR if wanted else None)


def test_hsts_only_when_secure_and_set() -> None:
    """No policy without HTTPS, and none without a policy."""
    assert HTTPSOnly(hsts=YEAR).hsts_value("a.example", False) is None
    assert HTTPSOnly().hsts_value("a.example", True) is None
    assert HTTPSOnly(hsts=HSTSPolicy(0)).hsts_value("a.example", True) == "max-age=0"


# The settings.


@pytest.mark.parametrize(
    ("arguments", "option", "text"),
    [
        ({"host": ""}, "TRUSTED_PROXY_HTTPS_HOST", "a host, host:port or :port"),
        ({"host": ":0"}, "TRUSTED_PROXY_HTTPS_HOST", "a host, host:port or :port"),
        ({"host": ":x"}, "TRUSTED_PROXY_HTTPS_HOST", "a host, host:port or :port"),
        ({"host": "a b"}, "TRUSTED_PROXY_HTTPS_HOST", "a host, host:port or :port"),
        ({"host": "a:99999"}, "TRUSTED_PROXY_HTTPS_HOST", "a host, host:port"),
        ({"host": 443}, "TRUSTED_PROXY_HTTPS_HOST", "a host, host:port or :port"),
        ({"host": "//[x"}, "TRUSTED_PROXY_HTTPS_HOST", "a host, host:port or :port"),
        (
            {"host": "https://a.example:8443/x"},
            "TRUSTED_PROXY_HTTPS_HOST",
            "(the nearest is 'a.example:8443')",
        ),
        ({"status": 300}, "TRUSTED_PROXY_HTTPS_STATUS", "301, 302, 307 or 308"),
        ({"status": "301"}, "TRUSTED_PROXY_HTTPS_STATUS", "301, 302, 307 or 308"),
        ({"status": True}, "TRUSTED_PROXY_HTTPS_STATUS", "301, 302, 307 or 308"),
        ({"status": None}, "TRUSTED_PROXY_HTTPS_STATUS", "301, 302, 307 or 308"),
        (
            {"exempt": ["/a", "healthz"]},
            "TRUSTED_PROXY_HTTPS_EXEMPT[1]",
            "a path or an IP network",
        ),
        (
            {"exempt": ["/a", "10.0.0.1/8"]},
            "TRUSTED_PROXY_HTTPS_EXEMPT[1]",
            "(the nearest is '10.0.0.0/8')",
        ),
        (
            {"exempt": ["10.0.0.1", "/a?b"]},
            "TRUSTED_PROXY_HTTPS_EXEMPT[1]",
            "without query and fragment",
        ),
        ({"exempt": ["/a#b"]}, "TRUSTED_PROXY_HTTPS_EXEMPT[0]", "without query"),
        ({"hsts": "preload"}, "TRUSTED_PROXY_HSTS_POLICY", "max-age is missing"),
        ({"allowed_hosts": ["a", "b c"]}, "allowed_hosts[1]", "a host such as"),
    ],
)
def test_configuration_refused(
    arguments: dict[str, Any], option: str, text: str
) -> None:
    """A setting that cannot be meant is an error that names it."""
    with pytest.raises(ConfigurationError) as caught:
        HTTPSOnly(**arguments)

    assert caught.value.option == option
    assert text in str(caught.value)


def test_configuration_kept() -> None:
    """What was set can be looked at, for checks and pages."""
    rules = HTTPSOnly(
        "a.example", 302, "/a 10.0.0.0/8", "max-age=1", "a.example", report_only=True
    )

    assert rules.host == "a.example"
    assert rules.status == 302
    assert rules.exempt == ("/a", "10.0.0.0/8")
    assert rules.hsts == HSTSPolicy(1)
    assert rules.allowed_hosts == ("a.example",)
    assert rules.report_only


# Reading the two surfaces.


@pytest.mark.parametrize(
    ("environ", "facts"),
    [
        ({}, RequestFacts("http", path=b"")),
        (
            {"RAW_URI": "/a%2Fb?", "PATH_INFO": "/a/b", "QUERY_STRING": ""},
            RequestFacts("http", path=b"/a/b", raw_path=b"/a%2Fb", query=b""),
        ),
        (
            {"REQUEST_URI": "/a", "PATH_INFO": "/a", "QUERY_STRING": "b"},
            RequestFacts("http", path=b"/a", raw_path=b"/a", query=b"b"),
        ),
        (
            {"RAW_URI": "", "REQUEST_URI": "/a?b", "QUERY_STRING": "b"},
            RequestFacts("http", path=b"", raw_path=b"/a", query=b"b"),
        ),
        (
            {"PATH_INFO": "/\u20ac", "SCRIPT_NAME": "/\xc3\xa9"},
            RequestFacts("http", path=b"/\xe2\x82\xac", mount_point=b"/\xc3\xa9"),
        ),
        (
            {"REMOTE_ADDR": "192.0.2.1", "HTTP_HOST": "a", "REQUEST_METHOD": "PUT"},
            RequestFacts("http", "PUT", "a", "192.0.2.1", path=b""),
        ),
        (
            {"wsgi.url_scheme": "https", "HTTP_X_FORWARDED_SSL": "on"},
            RequestFacts("https", path=b"", ignored_header="X-Forwarded-SSL"),
        ),
    ],
)
def test_environ_read(environ: dict[str, Any], facts: RequestFacts) -> None:
    """An environ's facts are read as the servers write them."""
    read = read_environ(environ)

    # The spelling of a header's name is the table's business.
    assert str(read.ignored_header).lower() == str(facts.ignored_header).lower()
    assert replace(read, ignored_header=None) == replace(facts, ignored_header=None)


@pytest.mark.parametrize(
    ("scope", "facts"),
    [
        ({"type": "http"}, RequestFacts("http")),
        (
            {"type": "websocket", "path": "/x"},
            RequestFacts("ws", path=b"/x", websocket=True),
        ),
        (
            {
                "type": "http",
                "root_path": "/app",
                "path": "/app/\xe9",
                "raw_path": b"/app/%C3%A9?q",
                "query_string": b"q",
                "method": "PUT",
                "client": ("192.0.2.1", 1),
                "headers": [(b"Host", b"a.example")],
            },
            RequestFacts(
                "http",
                "PUT",
                "a.example",
                "192.0.2.1",
                b"/app",
                b"/\xc3\xa9",
                b"/app/%C3%A9",
                b"q",
            ),
        ),
        (
            {"type": "http", "root_path": "/app/", "path": "/app", "query_string": b""},
            RequestFacts("http", mount_point=b"/app", path=b""),
        ),
        (
            {"type": "http", "root_path": "/app", "path": "/application"},
            RequestFacts("http", mount_point=b"/app", path=b"/application"),
        ),
        (
            {"type": "http", "headers": [(b"host", b"a"), (b"host", b"b")]},
            RequestFacts("http", host="a,b"),
        ),
        (
            {"type": "http", "path": "/\udce9", "raw_path": None, "client": None},
            RequestFacts("http", path=b"/\xed\xb3\xa9"),
        ),
    ],
)
def test_scope_read(scope: dict[str, Any], facts: RequestFacts) -> None:
    """A scope's facts are read as the servers write them."""
    assert read_scope(scope) == facts


def test_decision_read() -> None:
    """Of a decision, the facts keep whom it trusted, and which header said what."""
    row = Row("S-62", "read", PLAIN_GOT, scheme="https")
    policy = ProxyPolicy(headers=["X-Forwarded-Proto"], proxies=["10.0.0.0/8"])

    environ = make_environ(row)
    policy.apply(environ)
    stranger = make_environ(replace(row, peer=STRANGER))
    policy.apply(stranger)
    _, scope = policy.apply_scope(make_scope(row))

    assert read_scope(scope).scheme_header == "X-Forwarded-Proto"
    facts = read_environ(environ)
    assert (facts.secure, facts.decided, facts.peer_trusted) == (True, True, True)
    assert (facts.forwarded, facts.scheme_header) == (True, "X-Forwarded-Proto")
    facts = read_environ(stranger)
    assert (facts.secure, facts.decided, facts.peer_trusted) == (False, True, False)
    assert (facts.forwarded, facts.scheme_header) == (False, None)
    assert (facts.peer, facts.ignored_header) == (STRANGER, "X-Forwarded-Proto")


# What is told.

BELIEVED = replace(PLAIN, peer=PROXY, decided=True, peer_trusted=True)


def test_loop_told_once_a_minute(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trusted peer without a scheme header is told, with the setting to change."""
    rules = HTTPSOnly()
    now = 1000.0
    monkeypatch.setattr(log, "monotonic", lambda: now)

    for peer in (PROXY, PROXY, "10.0.0.8"):
        rules.answer(replace(BELIEVED, peer=peer))
    (record,) = caplog.records
    now += 61
    rules.answer(BELIEVED)

    assert len(caplog.records) == 2
    assert record.name == "trustedproxy"
    assert record.levelno == logging.WARNING
    assert "'10.0.0.9'" in record.getMessage()
    assert "TRUSTED_PROXY_HEADERS" in record.getMessage()


@pytest.mark.parametrize(
    ("facts", "setting"),
    [
        (BELIEVED, "TRUSTED_PROXY_HEADERS"),
        (replace(BELIEVED, ignored_header="X-Scheme"), "TRUSTED_PROXY_HEADERS"),
        (
            replace(BELIEVED, peer_trusted=False, ignored_header="X-Scheme"),
            "TRUSTED_PROXIES",
        ),
        (replace(PLAIN, ignored_header="X-Scheme"), "trusted proxy middleware"),
    ],
)
def test_loop_told_with_its_cause(
    facts: RequestFacts, setting: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Each way into a loop is told with what ends it."""
    HTTPSOnly().answer(facts)

    (record,) = caplog.records
    assert setting in record.getMessage()


@pytest.mark.parametrize(
    "facts",
    [
        PLAIN,
        replace(BELIEVED, scheme_header="X-Forwarded-Proto"),
        replace(
            BELIEVED,
            scheme_header="X-Forwarded-Proto",
            ignored_header="X-Forwarded-Ssl",
        ),
        replace(BELIEVED, peer_trusted=False),
        replace(BELIEVED, scheme="https"),
        replace(BELIEVED, path=b"/healthz"),
    ],
)
def test_loop_not_told_where_none_is(
    facts: RequestFacts, caplog: pytest.LogCaptureFixture
) -> None:
    """A plain client, a proxy that says http and an exempt path are no loops."""
    HTTPSOnly(exempt=["/healthz"]).answer(facts)

    assert caplog.records == []


@pytest.mark.parametrize(
    "facts",
    [
        replace(PLAIN, host="evil.example"),
        replace(PLAIN, host="evil.example", host_refused=True),
    ],
    ids=["by the list", "by the framework"],
)
def test_refused_host_told_once_a_minute(
    facts: RequestFacts, caplog: pytest.LogCaptureFixture
) -> None:
    """A 400 for a host is told, with the host and where the site's hosts are listed."""
    rules = HTTPSOnly(allowed_hosts=["www.example.com"])
    for _ in range(2):
        assert rules.answer(facts) == BAD_HOST

    (record,) = caplog.records
    for word in ("'evil.example'", "ALLOWED_HOSTS", "TRUSTED_HOSTS", "allowed_hosts="):
        assert word in record.getMessage()


def test_shadow_only_logs(caplog: pytest.LogCaptureFixture) -> None:
    """In report-only mode everything passes, nothing is sent, and the log says what."""
    rules = HTTPSOnly(hsts=YEAR, report_only=True)

    assert rules.answer(PLAIN) is None
    assert rules.answer(replace(PLAIN, peer="192.0.2.2", websocket=True)) is None
    assert rules.hsts_value("www.example.com", True) is None
    first, second = (record.getMessage() for record in caplog.records)
    assert "would answer 301 to a plain request from peer '192.0.2.1'" in first
    assert "would answer 403 to a plain websocket from peer '192.0.2.2'" in second


SHADOW = {
    "TRUSTED_PROXY_HEADERS": ["X-Forwarded-Proto"],
    "TRUSTED_PROXIES": ["10.0.0.0/8"],
    "TRUSTED_PROXY_HTTPS_ONLY": True,
    "TRUSTED_PROXY_REPORT_ONLY": True,
}


@pytest.mark.parametrize(
    ("peer", "scheme", "told"),
    [(PROXY, "https", 0), (PROXY, "http", 1), (STRANGER, "https", 1)],
)
@pytest.mark.parametrize("surface", ["wsgi", "asgi"])
def test_shadow_goes_by_what_the_policy_would_say(
    surface: str, peer: str, scheme: str, told: int, caplog: pytest.LogCaptureFixture
) -> None:
    """In report-only mode nothing is corrected, and still the client's scheme decides."""
    rules = read_settings(SHADOW).https_only
    assert rules is not None
    assert rules.report_only
    row = Row("S-62", "report_only", PLAIN_GOT, peer=peer, scheme=scheme)
    environ = make_environ(row)
    facts = read_environ(environ) if surface == "wsgi" else read_scope(make_scope(row))

    assert rules.answer(facts) is None

    messages = [record.getMessage() for record in caplog.records]
    assert sum("HTTPS only would answer 301" in text for text in messages) == told
    assert environ == make_environ(row)


# The shells.


def answer_wsgi(
    environ: dict[str, Any], start_response: Callable[..., object]
) -> Iterable[bytes]:
    """An application that starts twice where it fails, as PEP 3333 lets it."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/fails":
        try:
            raise LookupError
        except LookupError as error:
            exc_info = (type(error), error, error.__traceback__)
        start_response("500 Oops", [("Content-Type", "text/plain")], exc_info)
    return [b"hello"]


@pytest.mark.parametrize("middleware", [HTTPSOnlyMiddleware, HTTPSOnlyASGIMiddleware])
def test_shells_say_that_any_host_will_do(
    middleware: Callable[..., object], caplog: pytest.LogCaptureFixture
) -> None:
    """Without a host and allowed hosts, the log says once that nothing limits them."""
    middleware(None, allowed_hosts=["*"])
    middleware(None, host="a.example")
    assert caplog.records == []

    middleware(None)
    middleware(None, host=":8443")

    (record,) = caplog.records
    assert "TRUSTED_PROXY_HTTPS_HOST" in record.getMessage()


@pytest.mark.parametrize("middleware", [HTTPSOnlyMiddleware, HTTPSOnlyASGIMiddleware])
def test_shells_validate_at_once(middleware: Callable[..., object]) -> None:
    """A wrong argument is an error when the application is wrapped."""
    with pytest.raises(ConfigurationError, match="TRUSTED_PROXY_HTTPS_STATUS"):
        middleware(None, status=200)


@pytest.mark.parametrize("path", ["/", "/fails", "/open"])
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_wsgi_shell_keeps_the_protocol(path: str, scheme: str, method: str) -> None:
    """The WSGI shell does what PEP 3333 asks of servers and applications."""
    app = validator(
        HTTPSOnlyMiddleware(
            validator(answer_wsgi),
            hsts=YEAR,
            exempt=["/open"],
            allowed_hosts="www.example.com",
        )
    )
    environ: dict[str, Any] = {
        "HTTP_HOST": "www.example.com",
        "PATH_INFO": path,
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "wsgi.url_scheme": scheme,
    }
    setup_testing_defaults(environ)
    answers: list[tuple[str, dict[str, str]]] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], exc_info: object = None
    ) -> Callable[[bytes], object]:
        answers.append((status, dict(headers)))
        return lambda body: None

    result = app(environ, start_response)
    body = b"".join(result)
    result.close()  # type: ignore[attr-defined]

    for status, headers in answers:
        secure = scheme == "https"
        assert headers.get("Strict-Transport-Security") == (YEAR if secure else None)
        assert ("Location" in headers) == status.startswith("30")
    passes = scheme == "https" or path == "/open"
    assert (body == b"hello") == passes
    assert len(answers) == (2 if passes and path == "/fails" else 1)


def test_asgi_shell_lets_lifespan_through() -> None:
    """Scopes other than http and websocket reach the application as they are."""
    seen: list[object] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)
        await send({"type": "lifespan.startup.complete"})

    app = HTTPSOnlyASGIMiddleware(application, allowed_hosts="*")
    scope = {"type": "lifespan", "state": {}}
    with pytest.raises(KeyError):
        run_asgi(app, scope)  # it is no answer

    assert seen[0] is scope


@pytest.mark.parametrize("extensions", [None, {}, {"tls": {}}])
def test_asgi_websocket_denied_without_extension(
    extensions: dict[str, object] | None,
) -> None:
    """A server without the extension is told to close, which it answers with 403."""
    row = Row("S-65", "denied", Got(403), websocket=True)
    app = HTTPSOnlyASGIMiddleware(fail, allowed_hosts="*")

    assert run_asgi(app, make_scope(row, extensions=extensions)) == Got(403)


async def fail(scope: Any, receive: Any, send: Any) -> None:
    """An application that may not be reached."""
    raise AssertionError("reached")


def test_asgi_shell_sends_messages_on() -> None:
    """Only an answer's head gets the policy; the headers given stay as they are."""
    own: list[tuple[bytes, bytes]] = [(b"x-own", b"1")]

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": own})
        await send({"type": "http.response.body"})

    app = HTTPSOnlyASGIMiddleware(application, hsts=YEAR, allowed_hosts="*")
    scope = make_scope(Row("S-62", "secure", PLAIN_GOT))
    scope["scheme"] = "https"

    assert run_asgi(app, scope) == Got(204, hsts=(YEAR,))
    assert own == [(b"x-own", b"1")]


@pytest.mark.parametrize("value", [None, 5, b"/healthz", {"/healthz": 1}])
def test_exempt_that_is_no_list_is_told(value: Any) -> None:
    """What is neither a list nor one string is an error with the setting's name."""
    with pytest.raises(ConfigurationError) as caught:
        read_settings({"TRUSTED_PROXY_HTTPS_EXEMPT": value})

    assert caught.value.option == "TRUSTED_PROXY_HTTPS_EXEMPT"
    assert caught.value.value == value
