"""
The planner of proxy mount points: what is sent, what comes back, what is refused.

In:  heads of requests and of responses, as plain records.
Out: no socket is opened here; `tests.mount` does that.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import pytest

import trustedproxy.mount as mount
from trustedproxy import ConfigurationError, Connection, ProxyHeader, ProxyPolicy
from trustedproxy.headers import KNOWN_HEADERS, Category, Form
from trustedproxy.mount.planner import (
    Answer,
    BackendError,
    BackendRequest,
    Body,
    ClientSide,
    MountPoint,
    RequestHead,
    answer_error,
    compile_allowed_hosts,
    compile_mount_points,
    describe_client_side,
    find_mount_point,
    find_raw_path,
    map_cookie,
    map_url,
    name_own_headers,
    plan_handshake,
    plan_request,
    plan_response,
)

PEER = "10.0.0.9"
BACKEND = "http://127.0.0.1:8001/"
CLIENT = ClientSide(
    forwarded_for="203.0.113.7, 10.0.0.9",
    scheme="https",
    host="app.example:8443",
    server="front.example",
    port="8443",
    mount_point="",
)


def make_client(**changed: Any) -> ClientSide:
    """Make a client's side that differs from `CLIENT` in some fields."""
    fields = {name: getattr(CLIENT, name) for name in ClientSide.__slots__}
    return ClientSide(**{**fields, **changed})


def plan(
    path: str,
    *,
    mapping: Mapping[str, str] | None = None,
    client: ClientSide = CLIENT,
    own_headers: Sequence[str] = (),
    allowed_hosts: Sequence[str] | None = None,
    method: str = "GET",
    **head: Any,
) -> BackendRequest | Answer | None:
    """Plan one request."""
    return plan_request(
        compile_mount_points({"/blog/": BACKEND} if mapping is None else mapping),
        RequestHead(method=method, path=path, **head),
        client,
        own_headers,
        allowed_hosts,
    )


def send(path: str = "/blog/x", **options: Any) -> BackendRequest:
    """Plan one request that reaches a backend."""
    planned = plan(path, **options)
    assert isinstance(planned, BackendRequest)
    return planned


def refuse(path: str = "/blog/x", **options: Any) -> int:
    """Plan one request that is answered here, and return the status."""
    planned = plan(path, **options)
    assert isinstance(planned, Answer)
    return planned.status


def respond(
    status: int = 200,
    headers: Sequence[tuple[str, str]] = (),
    *,
    request: BackendRequest | None = None,
    reason: str = "",
) -> tuple[int, str, dict[str, str], bool, int | None]:
    """Plan one response, its headers as a mapping."""
    head = plan_response(request or send(), status, reason, headers)
    return head.status, head.reason, dict(head.headers), head.has_body, head.length


# Configuration.


def test_mount_points_are_compiled() -> None:
    """The longest path comes first, and final slashes change nothing."""
    compiled = compile_mount_points(
        {
            "/": "https://Root.Example",
            "/blog/": "http://127.0.0.1:8001",
            "/blog/shop": "http://[2001:DB8::1]:80/base/",
            "/sock/": "unix:/run/my blog.sock|http://blog/",
        }
    )

    assert compiled == (
        MountPoint(
            "/blog/shop",
            ("blog", "shop"),
            "http://[2001:DB8::1]:80/base/",
            "http",
            "[2001:db8::1]",
            80,
            "/base",
            None,
        ),
        MountPoint(
            "/blog",
            ("blog",),
            "http://127.0.0.1:8001",
            "http",
            "127.0.0.1",
            8001,
            "",
            None,
        ),
        MountPoint(
            "/sock",
            ("sock",),
            "unix:/run/my blog.sock|http://blog/",
            "http",
            "blog",
            80,
            "",
            "/run/my blog.sock",
        ),
        MountPoint(
            "", (), "https://Root.Example", "https", "root.example", 443, "", None
        ),
    )
    assert [row.authority for row in compiled] == [
        "[2001:db8::1]",
        "127.0.0.1:8001",
        "blog",
        "root.example",
    ]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "blog/",
        "//blog/",
        "/blog//",
        "/../blog/",
        "/a/./b/",
        "/bl og/",
        "/bl%6Fg/",
        "/blog;x/",
        "/blog?x",
        "/caf\xe9/",
        "/blog/\n",
        7,
        None,
    ],
)
def test_mount_points_reject_a_path(path: Any) -> None:
    """A path that could not be sent as X-Forwarded-Prefix stops the application."""
    with pytest.raises(ConfigurationError) as caught:
        compile_mount_points({path: BACKEND})

    assert caught.value.option == "TRUSTED_PROXY_MOUNT_POINTS"
    assert caught.value.value == path


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:8001",
        "ftp://127.0.0.1/",
        "http://",
        "http:///x",
        "http://user@127.0.0.1/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:65536/",
        "http://127.0.0.1:/",
        "http://a b/",
        "http://127.0.0.1/?x",
        "http://127.0.0.1/#x",
        "http://127.0.0.1/a/../b",
        "http://127.0.0.1/a/%2e%2e/b",
        "http://127.0.0.1/a//b",
        "http://127.0.0.1/a b",
        "http://127.0.0.1/%zz",
        "http://127.0.0.1/\n",
        "unix:relative.sock|http://host/",
        "unix:/run/blog.sock",
        "unix:/run/blog.sock|https://host/",
        None,
        8001,
    ],
)
def test_mount_points_reject_a_url(url: Any) -> None:
    """A URL that cannot be meant stops the application, and the row is named."""
    with pytest.raises(ConfigurationError) as caught:
        compile_mount_points({"/x": url})

    assert caught.value.option == 'TRUSTED_PROXY_MOUNT_POINTS["/x"]'
    assert caught.value.value == url
    assert "http://127.0.0.1:8001/" in str(caught.value)


def test_mount_points_reject_the_same_path_twice() -> None:
    """With and without the final slash it is one path."""
    with pytest.raises(ConfigurationError, match="twice"):
        compile_mount_points({"/blog": BACKEND, "/blog/": BACKEND})


def test_mount_points_reject_what_is_no_mapping() -> None:
    """A list says what is wrong, not an AttributeError."""
    value: Any = ["/blog/"]

    with pytest.raises(ConfigurationError, match="a mapping of URL paths to URLs"):
        compile_mount_points(value)


@pytest.mark.parametrize(
    ("allowed", "compiled"),
    [
        (None, None),
        ((), ()),
        (["WWW.Example.com.", ".example.ORG"], ("www.example.com", ".example.org")),
        ("*, [2001:DB8::1] a:80", ("*", "[2001:db8::1]", "a")),
    ],
)
def test_allowed_hosts_are_compiled(allowed: Any, compiled: Any) -> None:
    """Case, ports and final dots change nothing; a text is a list."""
    assert compile_allowed_hosts(allowed) == compiled


@pytest.mark.parametrize("entry", ["a/b", "", "https://a", 7, "a b"])
def test_allowed_hosts_reject_what_is_no_host(entry: Any) -> None:
    """An entry that can match nothing stops the application."""
    with pytest.raises(ConfigurationError) as caught:
        compile_allowed_hosts(["a", entry])

    assert caught.value.option == "allowed_hosts[1]"


@pytest.mark.parametrize(
    ("allowed", "passes"),
    [
        (["app.example"], True),
        (["other.example", ".example"], True),
        ([".app.example"], True),
        ("*", True),
        ([], False),
        (["example"], False),
        ([".pp.example"], False),
        (["app.example.evil"], False),
    ],
)
def test_other_hosts_are_refused(allowed: Any, passes: bool) -> None:
    """A host that is not on the list gets neither a redirect nor a backend."""
    hosts = compile_allowed_hosts(allowed)

    planned = [plan(path, allowed_hosts=hosts) for path in ("/blog", "/blog/x")]

    assert [isinstance(one, Answer) and one.status == 400 for one in planned] == [
        not passes,
        not passes,
    ]
    assert plan("/x", allowed_hosts=hosts) is None


# Where a request goes.

NESTED = {
    "/blog/": "http://blog/",
    "/blog/shop/": "http://shop/base",
    "/a.b/": "http://dot/",
}


@pytest.mark.parametrize(
    ("path", "authority", "target"),
    [
        pytest.param("/blog/", "blog", "/", id="the mount point itself"),
        pytest.param("/blog/x", "blog", "/x", id="below"),
        pytest.param("/blog/x/", "blog", "/x/", id="a final slash stays"),
        pytest.param("/blog//x", "blog", "//x", id="empty segments stay"),
        pytest.param("/blog/shop/", "shop", "/base/", id="the longest wins"),
        pytest.param("/blog/shop/x", "shop", "/base/x", id="a base goes in front"),
        pytest.param("/blog/shopper", "blog", "/shopper", id="at a boundary only"),
        pytest.param("/%62log/x", "blog", "/x", id="a letter encoded"),
        pytest.param(
            "/blog/a%2Fb%20%e2%82%ac;p=1,2&c=@:",
            "blog",
            "/a%2Fb%20%e2%82%ac;p=1,2&c=@:",
            id="percent-encoding as it came",
        ),
        pytest.param("/blog/%zz%", "blog", "/%zz%", id="no percent-encoding either"),
        pytest.param("/blog/\xe9#?", "blog", "/%E9%23%3F", id="what no path may hold"),
        pytest.param("/blog/a/../b/./", "blog", "/a/../b/./", id="dots that stay in"),
        pytest.param("/blog/..x/...", "blog", "/..x/...", id="dots of a name"),
        pytest.param("/a.b/x", "dot", "/x", id="no regular expression"),
    ],
)
def test_request_goes_to_the_longest_match(
    path: str, authority: str, target: str
) -> None:
    """The longest mount point wins, at a segment boundary, and the rest is kept."""
    request = send(path, mapping=NESTED)

    assert (request.headers[0], request.target) == (("Host", authority), target)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "",
        "/blogger",
        "/BLOG/x",
        "/x/blog/",
        "//blog/x",
        "/./blog/x",
        "/x/../blog/y",
        "/aXb/",
        "*",
        "blog/x",
        "http://host/blog/x",
        "/%2562log/x",
    ],
)
def test_request_below_no_mount_point_is_the_applications(path: str) -> None:
    """What is below no mount point passes, whatever it looks like."""
    assert plan(path, mapping=NESTED, client=make_client(host="")) is None


def test_request_for_the_whole_site() -> None:
    """The mount point "/" takes every path, and says nothing about a prefix."""
    request = send("/x", mapping={"/": BACKEND})

    assert request.target == "/x"
    assert "X-Forwarded-Prefix" not in dict(request.headers)
    assert "X-Forwarded-Script-Name" not in dict(request.headers)


def test_request_without_a_path_for_the_whole_site() -> None:
    """A URL without a path is one with "/", and is not redirected to itself."""
    assert send("", mapping={"/": BACKEND}).target == "/"


@pytest.mark.parametrize("path", ["/blog%2Fx", "/blog%2fshop/x", "/blog/shop%2Fx"])
def test_request_for_two_things_is_refused(path: str) -> None:
    """A slash that only one reader sees must not choose another backend."""
    assert refuse(path, mapping=NESTED) == 400


@pytest.mark.parametrize(
    "rest",
    [
        "..",
        "../x",
        "a/../../x",
        "a//../../x",
        "%2e%2e/x",
        ".%2E/x",
        "%252e%252e/x",
        "%25252e./x",
        "..%2fx",
        "a%2F..%2f..%2fx",
        "..\\x",
        "..%5cx",
        "..;a=b/x",
        "a/..;/..;/x",
    ],
)
def test_request_that_leaves_its_mount_point_is_refused(rest: str) -> None:
    """Dot segments must not reach what the backend did not mount, in no spelling."""
    assert refuse(f"/blog/{rest}", mapping={"/blog": BACKEND + "base/"}) == 400


@pytest.mark.parametrize(
    ("query", "target"),
    [
        ("", "/x"),
        ("a=%20&b=/?", "/x?a=%20&b=/?"),
        ("\xe9#[]", "/x?%E9%23[]"),
    ],
)
def test_query_is_kept(query: str, target: str) -> None:
    """The query is sent as it came, and what none may hold is encoded."""
    assert send(query=query).target == target


@pytest.mark.parametrize(
    "options",
    [
        {"query": "a b"},
        {"query": "a\r\nX: y"},
        {"query": "\u20ac"},
        {"path": "/blog/a b"},
        {"path": "/blog/\x00"},
        {"path": "/blog/\u20ac"},
        {"method": "GET /x"},
        {"method": "G\r\nET"},
        {"method": ""},
        {"headers": [("X-A", "b\r\nc: d")]},
        {"headers": [("X-A", "b\x00")]},
        {"headers": [("X-A", "\x7f")]},
        {"headers": [("X-A", "\u20ac")]},
        {"headers": [("Host", "a.example"), ("host", "b.example")]},
        {"client": make_client(host="")},
        {"headers": [("Content-Length", "1"), ("Transfer-Encoding", "chunked")]},
        {"headers": [("Content-Length", "1"), ("Content-Length", "2")]},
        {"headers": [("Content-Length", "1, 1")]},
        {"headers": [("Content-Length", "+1")]},
        {"headers": [("Content-Length", "-1")]},
        {"headers": [("Content-Length", "0x10")]},
        {"headers": [("Content-Length", "1_0")]},
        {"headers": [("Content-Length", "\xb2")]},
        {"headers": [("Content-Length", "9" * 19)]},
        {"headers": [("Content-Length", "")]},
    ],
)
def test_smuggling_is_refused(options: dict[str, Any]) -> None:
    """What two parsers may read differently never reaches a backend."""
    assert refuse(**options) == 400


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"method": "TRACE"}, 501),
        ({"method": "Connect"}, 501),
        ({"headers": [("Transfer-Encoding", "gzip, chunked")]}, 501),
        ({"headers": [("Transfer-Encoding", "identity")]}, 501),
        ({"headers": [("Transfer-Encoding", "chunked")] * 2}, 501),
        ({"headers": [("Transfer-Encoding", "xchunked")]}, 501),
        (
            {"headers": [("Transfer-Encoding", "chunked")], "ends_chunked": False},
            411,
        ),
    ],
)
def test_unsupported_requests_are_refused(options: dict[str, Any], status: int) -> None:
    """What cannot be proxied is said, and nothing is guessed."""
    assert refuse(**options) == status


@pytest.mark.parametrize(
    ("options", "body", "length"),
    [
        ({}, Body.NONE, 0),
        ({"method": "POST"}, Body.NONE, 0),
        ({"headers": [("Content-Length", "0")]}, Body.LENGTH, 0),
        ({"headers": [("content-length", " 12\t")]}, Body.LENGTH, 12),
        (
            {"headers": [("Content-Length", "7"), ("Content-Length", "7")]},
            Body.LENGTH,
            7,
        ),
        ({"headers": [("Transfer-Encoding", " Chunked ")]}, Body.CHUNKED, 0),
        ({"undeclared": True}, Body.UNDECLARED, 0),
        ({"undeclared": True, "headers": [("Content-Length", "3")]}, Body.LENGTH, 3),
        ({"websocket": True, "headers": [("Content-Length", "3")]}, Body.NONE, 0),
    ],
)
def test_body_is_framed(options: dict[str, Any], body: Body, length: int) -> None:
    """The body's framing is read once, and said anew."""
    request = send(**options)

    assert (request.body, request.length) == (body, length)
    said = [value for name, value in request.headers if name == "Content-Length"]
    assert said == ([str(length)] if body is Body.LENGTH else [])
    assert "transfer-encoding" not in {name.lower() for name, _ in request.headers}


# The redirect to the final slash.


@pytest.mark.parametrize(
    ("method", "status"), [("GET", 301), ("HEAD", 301), ("POST", 308), ("DELETE", 308)]
)
def test_bare_mount_point_is_redirected(method: str, status: int) -> None:
    """The redirect keeps the query, and what must not become a GET stays what it is."""
    planned = plan("/blog", method=method, query="x=1&y=%20")

    assert isinstance(planned, Answer)
    assert planned.status == status
    assert planned.body == b""
    assert dict(planned.headers) == {
        "Location": "https://app.example:8443/blog/?x=1&y=%20",
        "Content-Length": "0",
    }


@pytest.mark.parametrize(
    ("path", "client", "location"),
    [
        ("/blog", make_client(scheme="http"), "http://app.example:8443/blog/"),
        ("/%62log", CLIENT, "https://app.example:8443/blog/"),
        (
            "/blog",
            make_client(mount_point="/outer%20x"),
            "https://app.example:8443/outer%20x/blog/",
        ),
        ("/blog/shop", CLIENT, "https://app.example:8443/blog/shop/"),
    ],
)
def test_redirect_is_the_clients_own(
    path: str, client: ClientSide, location: str
) -> None:
    """Scheme, host and the application's own mount point are the client's."""
    planned = plan(path, client=client, mapping=NESTED)

    assert isinstance(planned, Answer)
    assert dict(planned.headers)["Location"] == location


def test_redirect_to_a_malformed_host_is_refused() -> None:
    """A host that is none never gets into a Location."""
    assert refuse("/blog", client=make_client(host="")) == 400


# Headers for the backend.


def test_forwarded_headers_are_sent() -> None:
    """The backend is told what the client asked for, and its own name as the host."""
    request = send(client=make_client(mount_point="/outer"))

    assert request.headers == [
        ("Host", "127.0.0.1:8001"),
        ("X-Forwarded-For", "203.0.113.7, 10.0.0.9"),
        ("X-Forwarded-Host", "app.example:8443"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Port", "8443"),
        ("X-Forwarded-Server", "front.example"),
        ("X-Forwarded-Prefix", "/outer/blog"),
        ("X-Forwarded-Script-Name", "/outer/blog"),
    ]


def test_forwarded_server_that_is_no_host_is_not_sent() -> None:
    """A unix socket's path is no server's name."""
    headers = dict(send(client=make_client(server=None)).headers)

    assert "X-Forwarded-Server" not in headers


def test_known_headers_are_removed() -> None:
    """No header of the table reaches the backend as the client sent it."""
    sent = [(header.name, "forged") for header in KNOWN_HEADERS]
    twins = [(name.replace("-", "_"), "forged") for name, _ in sent]
    lower = [(name.lower(), "forged") for name, _ in sent]

    headers = send(headers=[*sent, *twins, *lower, ("X-Kept", "yes")]).headers

    assert ("X-Kept", "yes") in headers
    assert "forged" not in [value for _, value in headers]


@pytest.mark.parametrize(
    "name",
    [
        "X_Forwarded_For",
        "Content_Length",
        "X.Forwarded.For",
        "X-Forwarded-For ",
        "X:y",
        "",
        "X-\xe9",
        "Host",
        "Expect",
        "Proxy",
        "Keep-Alive",
        "Proxy-Authorization",
        "Proxy-Connection",
        "TE",
        "Trailer",
        "Upgrade",
        "HTTP2-Settings",
        "X-Edge-Secret",
    ],
)
def test_header_stays_here(name: str) -> None:
    """Odd names, hop-by-hop headers and the policy's own never reach the backend."""
    headers = send(
        headers=[(name, "app.example"), ("X-Kept", "1")],
        own_headers=["X-Edge-Secret"],
    ).headers

    kept = [pair for pair in headers if not pair[0].startswith("X-Forwarded-")]
    assert kept == [("Host", "127.0.0.1:8001"), ("X-Kept", "1")]


def test_headers_named_in_connection_are_dropped() -> None:
    """What Connection names is for one connection, but what is made here is not."""
    request = send(
        headers=[
            ("Connection", "close, X-One ,x-forwarded-for"),
            ("connection", "Content-Length, Host"),
            ("X-One", "1"),
            ("X-Two", "  2\t"),
            ("Content-Length", "3"),
        ]
    )

    headers = dict(request.headers)
    assert "X-One" not in headers
    assert headers["X-Two"] == "2"
    assert headers["Content-Length"] == "3"
    assert headers["X-Forwarded-For"] == "203.0.113.7, 10.0.0.9"


def test_websocket_handshake_is_made_anew() -> None:
    """Keys and extensions are between one client and one server."""
    sent = [
        ("Sec-WebSocket-Key", "x"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Extensions", "permessage-deflate"),
        ("Sec-WebSocket-Protocol", "chat"),
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Origin", "https://app.example"),
    ]

    names = [name for name, _ in send(headers=sent, websocket=True).headers]

    assert names[:2] == ["Host", "Origin"]
    assert not {name for name, _ in sent[:-1]} & set(names)


def test_own_headers_of_a_policy_are_named() -> None:
    """Headers of one's own and the secret's header belong to the policy."""
    policy = ProxyPolicy(
        headers=[ProxyHeader("X-Edge-Client", Category.CLIENT, Form.ADDRESS)],
        secret_header="X-Edge-Secret",
        secrets=["s3cret"],
    )

    assert {"X-Edge-Client", "X-Edge-Secret"} <= set(name_own_headers(policy))
    assert "X-Edge-Secret" not in name_own_headers(ProxyPolicy())


# What the client asked for.


def describe(
    headers: Mapping[str, str] | None = None,
    *,
    trusted: Sequence[str] = ("X-Forwarded-For",),
    proxies: Sequence[str] | None = ("10.0.0.0/8",),
    hops: int | None = None,
    **connection: Any,
) -> ClientSide:
    """Describe the client's side as a policy on it would leave it."""
    policy = ProxyPolicy(headers=list(trusted), proxies=proxies, hops=hops)
    before = Connection(**{"peer": PEER, "host": "app.example", **connection})
    decision = policy.decide(before, headers or {})
    after = before._replace(
        scheme=decision.scheme,
        host=decision.host,
        server=decision.server,
        port=decision.port,
        mount_point=decision.mount_point,
    )
    left = {
        name: text
        for name, text in (headers or {}).items()
        if name not in decision.removed
    }
    left.update(decision.rewritten)
    return describe_client_side(decision, after, left.get("X-Forwarded-For"))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({}, "10.0.0.9", id="nothing vouched for: the peer"),
        pytest.param(
            {"headers": {"X-Forwarded-For": "203.0.113.7"}},
            "203.0.113.7, 10.0.0.9",
            id="appended to the client",
        ),
        pytest.param(
            {"headers": {"X-Forwarded-For": "6.6.6.6, 203.0.113.7, 10.0.0.8"}},
            "203.0.113.7, 10.0.0.8, 10.0.0.9",
            id="what nobody vouches for is gone",
        ),
        pytest.param(
            {
                "headers": {
                    "X-Forwarded-For": "203.0.113.7:4711,[2001:db8::1]:80, 10.0.0.8"
                },
                "proxies": ["10.0.0.0/8", "2001:db8::/32"],
            },
            "203.0.113.7, 2001:db8::1, 10.0.0.8, 10.0.0.9",
            id="ports and brackets are taken off",
        ),
        pytest.param(
            {"headers": {"X-Forwarded-For": ", 203.0.113.7, what"}, "proxies": None},
            "203.0.113.7, what, 10.0.0.9",
            id="every peer believed: the list as it is",
        ),
        pytest.param(
            {"headers": {"X-Forwarded-For": "203.0.113.7"}, "peer": "198.51.100.1"},
            "198.51.100.1",
            id="a direct request: the peer alone",
        ),
        pytest.param(
            {"headers": {"X-Forwarded-For": "garbage"}},
            "10.0.0.9",
            id="an unknown client: the peer alone",
        ),
        pytest.param(
            {"headers": {"X-Real-IP": "203.0.113.7"}, "trusted": ["X-Real-IP"]},
            "203.0.113.7, 10.0.0.9",
            id="another header names the client",
        ),
        pytest.param(
            {"headers": {"X-Real-IP": "10.0.0.9"}, "trusted": ["X-Real-IP"]},
            "10.0.0.9",
            id="the peer is the client",
        ),
        pytest.param(
            {"headers": {"Forwarded": "for=203.0.113.7"}, "trusted": ["Forwarded"]},
            "203.0.113.7, 10.0.0.9",
            id="RFC 7239 names the client",
        ),
        pytest.param(
            {
                "headers": {"X-Forwarded-For": "203.0.113.7"},
                "trusted": ["X-Forwarded-Host"],
            },
            "10.0.0.9",
            id="the list is not trusted",
        ),
        pytest.param(
            {
                "peer": "",
                "proxies": ["unix"],
                "headers": {"X-Forwarded-For": "203.0.113.7"},
            },
            "203.0.113.7",
            id="a peer without an address is not appended",
        ),
        pytest.param({"peer": ""}, "unknown", id="nobody is known"),
        pytest.param({"peer": None}, "unknown", id="no peer is reported"),
        pytest.param({"peer": "fe80::1%eth0"}, "fe80::1", id="a zone is left out"),
        pytest.param({"peer": "::ffff:10.0.0.9"}, "10.0.0.9", id="a mapped peer"),
    ],
)
def test_forwarded_for_is_what_is_vouched_for(
    options: dict[str, Any], expected: str
) -> None:
    """The peer is appended to what the policy vouches for, and else stands alone."""
    assert describe(**options).forwarded_for == expected


@pytest.mark.parametrize(
    ("connection", "expected"),
    [
        pytest.param({}, ("http", "app.example", "80"), id="the scheme's usual port"),
        pytest.param(
            {"scheme": "https", "port": "8000"},
            ("https", "app.example", "443"),
            id="not the port that is listened on",
        ),
        pytest.param(
            {"host": "app.example:81"},
            ("http", "app.example:81", "81"),
            id="the host's",
        ),
        pytest.param({"scheme": "wss"}, ("https", "app.example", "443"), id="wss"),
        pytest.param({"scheme": "junk"}, ("http", "app.example", "80"), id="no scheme"),
        pytest.param({"host": "a/b"}, ("http", "", "80"), id="no host"),
        pytest.param({"host": "a, b"}, ("http", "", "80"), id="two hosts"),
        pytest.param({"host": ""}, ("http", "", "80"), id="nothing at all"),
        pytest.param(
            {"host": None, "server": "s.example", "port": "80"},
            ("http", "s.example", "80"),
            id="HTTP/1.0 without a host",
        ),
        pytest.param(
            {"host": None, "server": "s.example", "port": "8000"},
            ("http", "s.example:8000", "8000"),
            id="HTTP/1.0 on another port",
        ),
        pytest.param(
            {"host": None, "server": "s.example"},
            ("http", "s.example", "80"),
            id="a server without a port",
        ),
    ],
)
def test_client_side_is_what_the_client_asked_for(
    connection: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    """Scheme, host and port are the client's, as far as anybody can tell."""
    client = describe(**connection)

    assert (client.scheme, client.host, client.port) == expected


def test_client_side_has_the_trusted_port() -> None:
    """A port that a trusted header names comes first."""
    client = describe(
        {"X-Forwarded-Port": "444"}, trusted=["X-Forwarded-Port"], host="app.example:81"
    )

    assert client.port == "444"


@pytest.mark.parametrize(
    ("server", "expected"),
    [("s.example", "s.example"), ("/run/x.sock", None), (None, None)],
)
def test_client_side_has_a_server_that_is_a_host(
    server: str | None, expected: str | None
) -> None:
    """The path of a socket is no server."""
    assert describe(server=server).server == expected


def test_client_side_without_a_decision() -> None:
    """Where a policy only watches, nobody is vouched for."""
    client = describe_client_side(
        None, Connection(peer=PEER, host="a.example", mount_point="/outer/"), "1.1.1.1"
    )

    assert client == ClientSide("10.0.0.9", "http", "a.example", None, "80", "/outer")


@pytest.mark.parametrize(
    ("raw", "path", "expected"),
    [
        ("/blog/a%2Fb", "/blog/a/b", "/blog/a%2Fb"),
        ("/blog/%e2%82%ac?q=/blog", "/blog/\u20ac", "/blog/%e2%82%ac"),
        ("/outer/blog/a%2fb%20", "/blog/a%2Fb ", "/blog/a%2fb%20"),
        ("/blog/a%252Fb", "/blog/a%2Fb", "/blog/a%252Fb"),
        ("/outer/blog/x", "/blog/x", "/blog/x"),
        ("http://a.example/blog/x", "/blog/x", "/blog/x"),
        ("/outer", "", ""),
        ("/b/c", "/a/b/c", None),
        ("/x/../b", "/b", "/b"),
        ("/b/./c", "/b/c", None),
        ("", "/blog", None),
    ],
)
def test_raw_path_is_found(raw: str, path: str, expected: str | None) -> None:
    """The path as it was sent is used only where it says the same."""
    assert find_raw_path(raw, path, "utf-8") == expected


def test_raw_path_in_bytes_of_wsgi() -> None:
    """PEP 3333 hands bytes over as latin-1."""
    assert find_raw_path("/%C3%A9", "/\xc3\xa9", "latin-1") == "/%C3%A9"


# The response.


def test_response_passes() -> None:
    """Status, reason and what is meant for the client pass."""
    head = plan_response(
        send(),
        206,
        "Partial Content",
        [
            ("Content-Range", "bytes 0-1/9"),
            ("content-length", " 2"),
            ("Set-Cookie", "a=1"),
            ("Set-Cookie", "b=2"),
        ],
    )

    assert (head.status, head.reason, head.has_body, head.length) == (
        206,
        "Partial Content",
        True,
        2,
    )
    assert head.headers == [
        ("Content-Range", "bytes 0-1/9"),
        ("Set-Cookie", "a=1"),
        ("Set-Cookie", "b=2"),
        ("Content-Length", "2"),
    ]


def test_response_headers_of_one_connection_are_dropped() -> None:
    """Hop-by-hop headers, those that Connection names, and the server's own go."""
    _, _, headers, _, length = respond(
        headers=[
            ("Connection", "keep-alive, X-Hop"),
            ("X-Hop", "1"),
            ("Keep-Alive", "timeout=5"),
            ("Trailer", "X-Sum"),
            ("Transfer-Encoding", "chunked"),
            ("Content-Length", "7"),
            ("Upgrade", "h2c"),
            ("Date", "today"),
            ("Server", "backend"),
            ("X-Kept", "1"),
        ]
    )

    assert (headers, length) == ({"X-Kept": "1"}, None)


@pytest.mark.parametrize(
    ("method", "status", "has_body", "said"),
    [
        ("GET", 200, True, "7"),
        ("HEAD", 200, False, "7"),
        ("GET", 204, False, None),
        ("GET", 304, False, None),
        ("GET", 404, True, "7"),
    ],
)
def test_response_body_is_expected(
    method: str, status: int, has_body: bool, said: str | None
) -> None:
    """HEAD, 204 and 304 have no body, and the last two no length."""
    request = send(method=method)

    planned = respond(status, [("Content-Length", "7")], request=request)

    assert (planned[3], planned[2].get("Content-Length")) == (has_body, said)


@pytest.mark.parametrize(
    ("status", "reason", "expected"),
    [
        (200, "Fine", "Fine"),
        (404, "", "Not Found"),
        (404, "Not\nFound", "Not Found"),
        (299, "", "Unknown"),
    ],
)
def test_response_has_a_reason(status: int, reason: str, expected: str) -> None:
    """WSGI wants a reason phrase, and it must not break the line."""
    assert respond(status, reason=reason)[1] == expected


def test_response_header_that_is_folded() -> None:
    """An old folded line becomes one line."""
    assert respond(headers=[("X-Long", "a\r\n  b\n\tc")])[2] == {"X-Long": "a b c"}


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (101, []),
        (103, []),
        (600, []),
        (200, [("X-A", "b\r\nSet-Cookie: c")]),
        (200, [("X-A", "\x00")]),
        (200, [("X A", "b")]),
        (200, [("", "b")]),
        (200, [("Transfer-Encoding", "gzip, chunked")]),
        (200, [("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")]),
        (200, [("Content-Length", "1"), ("Content-Length", "2")]),
        (200, [("Content-Length", "1, 1")]),
        (200, [("Content-Length", "-1")]),
    ],
)
def test_response_that_is_malformed_is_bad_gateway(
    status: int, headers: list[tuple[str, str]]
) -> None:
    """A head that may be read in two ways is not passed on."""
    with pytest.raises(BackendError) as caught:
        respond(status, headers)

    assert caught.value.status == 502
    assert str(caught.value) == caught.value.why


@pytest.mark.parametrize(("status", "word"), [(502, "Bad"), (504, "Timeout")])
def test_error_pages_are_short(status: int, word: str) -> None:
    """The page of a failure names neither the backend nor the reason."""
    answer = answer_error(BackendError(HTTPStatus(status), "10.1.2.3 refused"))

    assert answer.status == status
    assert word in answer.reason
    assert b"10.1.2.3" not in answer.body
    assert dict(answer.headers) == {
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Length": str(len(answer.body)),
        "Cache-Control": "no-store",
    }


def test_handshake_keeps_what_is_the_backends() -> None:
    """Cookies pass when a websocket is accepted; what each side makes does not."""
    headers = plan_handshake(
        send(websocket=True),
        [
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Accept", "x"),
            ("Sec-WebSocket-Protocol", "chat"),
            ("Content-Length", "0"),
            ("Set-Cookie", "a=1; Path=/"),
        ],
    )

    assert headers == [("Set-Cookie", "a=1; Path=/blog/")]


# Mapping back.

BASED = {"/blog": "http://backend.example:8001/base/"}
SAME = {"/blog": "http://backend.example/blog"}
DEEP = {"/app": "http://backend.example/app/x"}
TLS = {"/blog": "https://backend.example"}


@pytest.mark.parametrize(
    ("mapping", "url", "expected"),
    [
        pytest.param(None, "/y?q#f", "/blog/y?q#f", id="a path"),
        pytest.param(None, "/", "/blog/", id="the root"),
        pytest.param(None, "/blog/y", "/blog/y", id="the backend knows its prefix"),
        pytest.param(None, "/blog", "/blog", id="the prefix itself"),
        pytest.param(None, "/blogger", "/blog/blogger", id="only nearly the prefix"),
        pytest.param(None, "y", "y", id="relative"),
        pytest.param(None, "?q", "?q", id="a query alone"),
        pytest.param(None, "", "", id="nothing"),
        pytest.param(None, "../y", "../y", id="relative, upwards"),
        pytest.param(
            None,
            "http://127.0.0.1:8001/y?q",
            "https://app.example:8443/blog/y?q",
            id="the backend's host",
        ),
        pytest.param(
            None,
            "http://127.0.0.1:8001?q",
            "https://app.example:8443/blog/?q",
            id="the backend's host without a path",
        ),
        pytest.param(
            None,
            "HTTP://127.0.0.1:8001/blog/y",
            "https://app.example:8443/blog/y",
            id="the backend's host and the prefix",
        ),
        pytest.param(
            None,
            "//127.0.0.1:8001/y",
            "https://app.example:8443/blog/y",
            id="no scheme",
        ),
        pytest.param(
            None,
            "https://app.example:8443/blog/y",
            "https://app.example:8443/blog/y",
            id="the client's host",
        ),
        pytest.param(None, "https://127.0.0.1:8001/", None, id="another scheme"),
        pytest.param(None, "http://127.0.0.1/", None, id="another port"),
        pytest.param(None, "http://localhost:8001/", None, id="another name"),
        pytest.param(None, "http://u@127.0.0.1:8001/", None, id="a user"),
        pytest.param(None, "http://127.0.0.1:8001\\@x/", None, id="a backslash"),
        pytest.param(None, "//evil.example/y", None, id="another site"),
        pytest.param(None, "mailto:x@example.org", None, id="another kind"),
        pytest.param(
            None, "/\\evil.example", "/blog/\\evil.example", id="odd, but ours"
        ),
        pytest.param(BASED, "/base/y", "/blog/y", id="below the base"),
        pytest.param(BASED, "/base", "/blog/", id="the base"),
        pytest.param(BASED, "/y", None, id="beside the base"),
        pytest.param(BASED, "/basement", None, id="only nearly the base"),
        pytest.param(
            BASED, "http://Backend.example:8001/y", None, id="beside the base, in full"
        ),
        pytest.param(SAME, "/blog/y", "/blog/y", id="base and prefix agree"),
        pytest.param(DEEP, "/app/x/y", "/app/y", id="the base says more"),
        pytest.param(DEEP, "/app/z", None, id="only the prefix fits"),
        pytest.param(
            TLS,
            "https://backend.example:443/y",
            "https://app.example:8443/blog/y",
            id="the usual port said",
        ),
        pytest.param({"/": BACKEND}, "/y", "/y", id="the whole site"),
    ],
)
def test_url_is_mapped_back(
    mapping: dict[str, str] | None, url: str, expected: str | None
) -> None:
    """The backend's own URLs become the client's, and all others stay."""
    path = "/app/z" if mapping is DEEP else "/blog/z"

    mapped = map_url(send(path, mapping=mapping), url)

    assert mapped == (url if expected is None else expected)


def test_url_is_mapped_below_the_applications_mount_point() -> None:
    """The application's own mount point is in front of the prefix."""
    request = send(client=make_client(mount_point="/outer"))

    assert map_url(request, "/y") == "/outer/blog/y"
    assert map_url(request, "/outer/blog/y") == "/outer/blog/y"
    assert map_url(request, "/blog/y") == "/outer/blog/blog/y"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("Location", "/y", "/blog/y"),
        ("content-location", "/y", "/blog/y"),
        ("URI", "/y", "/blog/y"),
        ("Link", "</y>; rel=next", "</y>; rel=next"),
        ("Refresh", "5", "5"),
        ("Refresh", "5;", "5;"),
        ("Refresh", "5; url=/y", "5; url=/blog/y"),
        ("Refresh", "0;URL='/y'", "0;URL='/blog/y'"),
        ("Refresh", '1.5, "/y" ', '1.5, "/blog/y"'),
        ("Refresh", "5;/y", "5;/blog/y"),
        ("Refresh", "5; url=http://other.example/", "5; url=http://other.example/"),
        ("Refresh", "soon; url=/y", "soon; url=/y"),
    ],
)
def test_response_header_is_mapped_back(name: str, value: str, expected: str) -> None:
    """Every header that holds a URL of the backend is mapped, and no other."""
    assert respond(headers=[(name, value)])[2] == {name: expected}


@pytest.mark.parametrize(
    ("mapping", "cookie", "expected"),
    [
        pytest.param(None, "a=1", None, id="no attributes"),
        pytest.param(None, "a=1; Path=/", "a=1; Path=/blog/", id="the whole backend"),
        pytest.param(
            None, "a=1; path=/x ;Secure", "a=1; path=/blog/x;Secure", id="below"
        ),
        pytest.param(None, "a=1; Path=/blog", None, id="the prefix already"),
        pytest.param(None, "a=Path=/; Path", None, id="no path at all"),
        pytest.param(None, "a=1; Path=x", None, id="a path that is none"),
        pytest.param(None, "__Host-a=1; Path=/; Secure", None, id="fixed by its name"),
        pytest.param(None, "a=1; Domain=127.0.0.1", "a=1", id="the backend's host"),
        pytest.param(BASED, "a=1; Domain=.example", None, id="a domain of both"),
        pytest.param(BASED, "a=1; Domain=backend.example", "a=1", id="its own name"),
        pytest.param(BASED, "a=1; Domain=end.example", None, id="nobody's domain"),
        pytest.param(
            BASED, "a=1; Path=/base/x", "a=1; Path=/blog/x", id="below the base"
        ),
        pytest.param(BASED, "a=1; Path=/", "a=1; Path=/blog/", id="above the base"),
        pytest.param(BASED, "a=1; Path=/bas", None, id="beside the base"),
        pytest.param(DEEP, "a=1; Path=/app/", None, id="above base, and the prefix"),
    ],
)
def test_cookie_is_mapped_back(
    mapping: dict[str, str] | None, cookie: str, expected: str | None
) -> None:
    """A cookie comes back to its backend, and to no other part of the site."""
    path = "/app/z" if mapping is DEEP else "/blog/z"

    mapped = map_cookie(send(path, mapping=mapping), cookie)

    assert mapped == (cookie if expected is None else expected)


def test_cookie_with_a_domain_while_the_client_has_an_unusable_host() -> None:
    """Where the client has no host, the backend's domain goes all the same."""
    request = BackendRequest(
        mount_point=compile_mount_points(BASED)[0],
        client=make_client(host=""),
        prefix="/blog",
        method="GET",
        target="/",
        headers=[],
        body=Body.NONE,
    )

    assert map_cookie(request, "a=1; Domain=example") == "a=1"


def test_find_mount_point_of_nothing() -> None:
    """Without mount points nothing is found."""
    assert find_mount_point((), "/blog/") is None


# The extra.


@pytest.mark.parametrize(
    ("make", "module", "library"),
    [
        (mount.ProxyMountPointsMiddleware, "urllib3_client", "urllib3"),
        (mount.ProxyMountPointsASGIMiddleware, "httpcore_client", "httpcore"),
        (mount.ProxyMountPointsASGIMiddleware, "tunnel", "websockets"),
    ],
)
def test_missing_extra_is_named(
    make: Any, module: str, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the extra the constructor says what to install."""
    for name in ("urllib3_client", "httpcore_client", "tunnel"):
        monkeypatch.delitem(sys.modules, f"trustedproxy.mount.{name}", raising=False)
        monkeypatch.delattr(mount, name, raising=False)
    for name in [name for name in sys.modules if name.split(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)

    with pytest.raises(ImportError, match=r'pip install "trustedproxy\[mount\]"'):
        make(None, {}, ProxyPolicy(proxies=[]))


def test_import_loads_no_client() -> None:
    """Importing the package imports none of the libraries of the extra."""
    script = (
        "import sys, trustedproxy, trustedproxy.mount; "
        "print({'urllib3', 'httpcore', 'httpx', 'websockets'} & set(sys.modules))"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout == "set()\n"
