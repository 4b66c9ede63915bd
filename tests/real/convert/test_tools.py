"""
What a conversion makes of a request is what the tool made of it, or a note says not.

In:  requests that come honestly through the proxies of a configuration.
Out: no field differs that the ledger does not explain.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trustedproxy.convert import Conversion, convert_text

from . import tools
from .honest import (
    CLIENTS,
    FOR,
    HOST,
    PORT,
    PREFIX,
    PROTO,
    Request,
    counted,
    make_request,
    walked,
)
from .ledger import Seen, unexplained

bounded = settings(
    max_examples=150,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)

COUNTS = st.integers(0, 3)
KINDS = st.sampled_from(["http", "websocket"])


def compare(conversion: Conversion, request: Request, theirs: Seen, ours: Seen) -> None:
    """Fail where a field differs that no note explains."""
    fields = theirs.keys() & ours.keys()
    left = unexplained(
        conversion,
        request,
        {name: theirs[name] for name in fields},
        {name: ours[name] for name in fields},
    )

    assert left == {}, (conversion.settings, request)


# -- counts ----------------------------------------------------------------------------

ARGUMENTS = {
    "x_for": FOR,
    "x_proto": PROTO,
    "x_host": HOST,
    "x_port": PORT,
    "x_prefix": PREFIX,
}


@given(data=st.data())
@bounded
def test_proxy_fix_is_what_it_was(data: st.DataObject) -> None:
    """Whatever ProxyFix counted, the same elements are found."""
    counts = {argument: data.draw(COUNTS, argument) for argument in ARGUMENTS}
    by_header = {ARGUMENTS[argument]: n for argument, n in counts.items()}
    request = data.draw(counted(by_header, always=[FOR]))
    written = ", ".join(f"{argument}={n}" for argument, n in counts.items())

    conversion = convert_text(f"ProxyFix(app, {written})")

    theirs = tools.ask_proxy_fix(counts, request)
    compare(conversion, request, theirs, tools.ask_us(conversion, request))


@given(count=st.integers(1, 3), data=st.data())
@bounded
def test_proxy_fix_with_one_count_differs_in_spelling_alone(
    count: int, data: st.DataObject
) -> None:
    """With equal counts no note but the address's spelling is needed."""
    arguments = ("x_for", "x_proto", "x_host", "x_prefix")
    by_header = {ARGUMENTS[argument]: count for argument in arguments}
    request = data.draw(counted(by_header, always=[FOR]))
    written = ", ".join(f"{argument}={count}" for argument in arguments)
    conversion = convert_text(written, "proxyfix")
    spelling = [note for note in conversion.notes if note.code == "bare-address"]
    conversion = replace(conversion, notes=tuple(spelling))

    theirs = tools.ask_proxy_fix(dict.fromkeys(arguments, count), request)

    ours = tools.ask_us(conversion, request)
    seen = ("client", "scheme", "host", "mount_point")
    compare(conversion, request, {n: theirs[n] for n in seen}, ours)


@given(hops=st.integers(1, 3), kind=KINDS, data=st.data())
@bounded
def test_hypercorn_legacy_is_what_it_was(
    hops: int, kind: str, data: st.DataObject
) -> None:
    """The three headers are counted by one number."""
    schemes = data.draw(st.sampled_from([1, hops]))
    request = data.draw(counted({FOR: hops, PROTO: schemes, HOST: hops}, always=[FOR]))
    conversion = convert_text(f"ProxyFixMiddleware(app, trusted_hops={hops})")

    theirs = tools.ask_hypercorn("legacy", hops, request, kind)

    compare(conversion, request, theirs, tools.ask_us_asgi(conversion, request, kind))


ELEMENTS = st.sampled_from(
    [
        "for=8.8.8.8;proto=https;host=shop.example",
        "for=93.184.216.34;proto=http",
        "proto=https;for=8.8.4.4",
        'for=192.168.7.7;host="shop.example:8443"',
    ]
)


@given(hops=st.integers(1, 3), kind=KINDS, data=st.data())
@bounded
def test_hypercorn_modern_is_what_it_was(
    hops: int, kind: str, data: st.DataObject
) -> None:
    """The same element of Forwarded is found."""
    forged = data.draw(st.lists(ELEMENTS, max_size=2))
    written = data.draw(st.lists(ELEMENTS, min_size=hops, max_size=hops))
    request = make_request({"Forwarded": [*forged, *written]})
    conversion = convert_text(
        f"ProxyFixMiddleware(app, mode='modern', trusted_hops={hops})"
    )

    theirs = tools.ask_hypercorn("modern", hops, request, kind)

    compare(conversion, request, theirs, tools.ask_us_asgi(conversion, request, kind))


WAITRESS = st.lists(st.sampled_from([FOR, PROTO, HOST, PORT]), min_size=1, unique=True)


@given(count=st.integers(1, 3), names=WAITRESS, data=st.data())
@bounded
def test_waitress_is_what_it_was(
    count: int, names: list[str], data: st.DataObject
) -> None:
    """The client's element, one scheme and one port, and the host that they make."""
    counts = {name: count if name in (FOR, HOST) else 1 for name in names}
    peer = data.draw(st.sampled_from(["10.0.0.1", "10.0.0.2"]))
    drawn = data.draw(counted(counts))
    request = Request(peer, drawn.headers, drawn.elements, drawn.secure)
    headers = " ".join(names).lower()
    conversion = convert_text(
        "waitress-serve --trusted-proxy=10.0.0.1 "
        f"--trusted-proxy-count={count} --trusted-proxy-headers='{headers}' app:app"
    )

    theirs = tools.ask_waitress("10.0.0.1", count, names, request)

    compare(conversion, request, theirs, tools.ask_us(conversion, request))


@given(count=st.integers(1, 3), data=st.data())
@bounded
def test_waitress_forwarded_is_what_it_was(count: int, data: st.DataObject) -> None:
    """The client's own element says everything, where it does."""
    whole = st.just("for=8.8.8.8;proto=https;host=shop.example")
    forged = data.draw(st.lists(ELEMENTS, max_size=2))
    written = data.draw(st.lists(ELEMENTS, min_size=count - 1, max_size=count - 1))
    elements = [*forged, data.draw(whole), *written]
    request = make_request({"Forwarded": elements})
    conversion = convert_text(
        f"waitress.serve(app, trusted_proxy='*', trusted_proxy_count={count}, "
        "trusted_proxy_headers='forwarded')"
    )

    theirs = tools.ask_waitress("*", count, ["forwarded"], request)

    compare(conversion, request, theirs, tools.ask_us(conversion, request))


@given(depth=st.integers(1, 3), strict=st.booleans(), data=st.data())
@bounded
def test_xff_is_what_it_was(depth: int, strict: bool, data: st.DataObject) -> None:
    """The client's element is found, and too few are refused where they were."""
    count = data.draw(st.integers(1, depth))
    request = data.draw(counted({FOR: count}))
    values = {"XFF_TRUSTED_PROXY_DEPTH": depth, "XFF_ALWAYS_PROXY": strict}
    conversion = convert_text("".join(f"{k} = {v}\n" for k, v in values.items()))

    theirs = tools.ask_xff(values, request)

    compare(conversion, request, theirs, tools.ask_us(conversion, request))


@given(data=st.data())
@bounded
def test_xff_without_a_depth_is_what_it_was(data: st.DataObject) -> None:
    """Without a depth the leftmost element is the client, as it was."""
    request = data.draw(counted({FOR: 1}, always=[FOR]))
    conversion = convert_text("MIDDLEWARE = ['xff.middleware.XForwardedForMiddleware']")

    theirs = tools.ask_xff({}, request)

    compare(conversion, request, theirs, tools.ask_us(conversion, request))


@given(count=st.integers(0, 2), strict=st.booleans(), data=st.data())
@bounded
def test_ipware_with_a_count_is_what_it_was(
    count: int, strict: bool, data: st.DataObject
) -> None:
    """The proxies are counted without the peer, so that it is one element more."""
    forged = [] if strict else data.draw(st.lists(st.sampled_from(CLIENTS), max_size=2))
    written = data.draw(
        st.lists(st.sampled_from(CLIENTS), min_size=count + 1, max_size=count + 1)
    )
    request = make_request({FOR: [*forged, *written]})
    conversion = convert_text(
        f"get_client_ip(request, proxy_count={count}, strict={strict})"
    )

    theirs = tools.ask_ipware({"proxy_count": count, "strict": strict}, request)

    compare(conversion, request, theirs, tools.ask_us(conversion, request))


@given(data=st.data())
@bounded
def test_ipware_with_a_list_is_what_it_was(data: st.DataObject) -> None:
    """A list of proxies is as many elements, and the client's."""
    client = data.draw(st.sampled_from(CLIENTS))
    proxies = ["198.51.100.0/24", "10.1."]
    request = make_request({FOR: [client, "198.51.100.7", "10.1.2.3"]})
    conversion = convert_text(f"get_client_ip(request, proxy_trusted_ips={proxies})")

    theirs = tools.ask_ipware({"proxy_trusted_ips": proxies}, request)

    compare(conversion, request, theirs, tools.ask_us(conversion, request))


# -- lists of proxies ------------------------------------------------------------------

LISTS = {
    "127.0.0.1,::1": ["127.0.0.1", "::1"],
    "10.0.0.0/8,2001:db8:1::/48": ["10.0.0.1", "10.1.2.3", "2001:db8:1::5"],
    "10.0.0.1": ["10.0.0.1"],
    "*": ["10.0.0.1", "8.8.4.4"],
}


@given(trusted=st.sampled_from(sorted(LISTS)), kind=KINDS, data=st.data())
@bounded
def test_uvicorn_is_what_it_was(trusted: str, kind: str, data: st.DataObject) -> None:
    """The same peers are trusted, the same walk is made, the leftmost with '*'."""
    request = data.draw(walked(LISTS[trusted]))
    conversion = convert_text(f"uvicorn app:app --forwarded-allow-ips '{trusted}'")

    theirs = tools.ask_uvicorn(trusted, request, kind)

    compare(conversion, request, theirs, tools.ask_us_asgi(conversion, request, kind))


SCHEME_HEADERS = [
    None,
    {"X-FORWARDED-PROTO": "https"},
    {"X-FORWARDED-SSL": "on"},
    {"X-EDGE-TLS": "1"},
]


@given(
    trusted=st.sampled_from(sorted(LISTS)),
    headers=st.sampled_from(SCHEME_HEADERS),
    data=st.data(),
)
@bounded
def test_gunicorn_is_what_it_was(
    trusted: str, headers: dict[str, str] | None, data: st.DataObject
) -> None:
    """The same peers say the scheme, in the same header."""
    values = [("X-FORWARDED-PROTO", "https")] if headers is None else headers.items()
    [(name, secure)] = values
    plain = {"https": "http", "on": "off", "1": "0"}[secure]
    peer = data.draw(st.sampled_from([*LISTS[trusted], "203.0.113.50"]))
    value = data.draw(st.sampled_from([secure, plain]))
    request = make_request({name: [value]}, peer=peer)
    written = f"forwarded_allow_ips = {trusted!r}\n"
    options: dict[str, Any] = {"forwarded_allow_ips": trusted}
    if headers is not None:
        written += f"secure_scheme_headers = {headers!r}\n"
        options["secure_scheme_headers"] = headers
    conversion = convert_text(written, name="gunicorn.conf.py")

    theirs = tools.ask_gunicorn(options, request)

    compare(conversion, request, theirs, tools.ask_us(conversion, request))


@pytest.mark.parametrize("value", ["https", "http"])
def test_gunicorn_on_a_unix_socket_is_what_it_was(value: str) -> None:
    """Whatever the list says, a unix socket is trusted."""
    request = make_request({PROTO: [value]}, peer="")
    conversion = convert_text("gunicorn -b unix:/run/app.sock app:app")

    theirs = tools.ask_gunicorn({}, request)

    ours = request.environ()
    ours["SERVER_NAME"] = "/run/app.sock"
    conversion.read().policy.apply(ours)
    assert ours["wsgi.url_scheme"] == theirs["scheme"]


# -- settings of Django and Flask ------------------------------------------------------


@given(
    scheme=st.sampled_from(
        [
            ("HTTP_X_FORWARDED_PROTO", "https"),
            ("HTTP_X_FORWARDED_SSL", "on"),
            ("HTTP_X_EDGE_TLS", "1"),
            None,
        ]
    ),
    host=st.booleans(),
    port=st.booleans(),
    script_name=st.sampled_from([None, "/app", "/a/b/"]),
    data=st.data(),
)
@bounded
def test_django_is_what_it_was(
    scheme: tuple[str, str] | None,
    host: bool,
    port: bool,
    script_name: str | None,
    data: st.DataObject,
) -> None:
    """Scheme, host, port and path from what the settings name."""
    lists: dict[str, list[str]] = {}
    if scheme is not None:
        name, secure = scheme
        plain = {"https": "http", "on": "off", "1": "0"}[secure]
        wire = name.removeprefix("HTTP_").replace("_", "-")
        lists[wire] = [data.draw(st.sampled_from([secure, plain]))]
    if host:
        lists[HOST] = [data.draw(st.sampled_from(["shop.example", "shop.example:81"]))]
    if port:
        lists[PORT] = [data.draw(st.sampled_from(["443", "8443"]))]
    request = make_request(lists, secure=data.draw(st.booleans()))
    values = {
        "SECURE_PROXY_SSL_HEADER": scheme,
        "USE_X_FORWARDED_HOST": host,
        "USE_X_FORWARDED_PORT": port,
        "FORCE_SCRIPT_NAME": script_name,
    }
    conversion = convert_text("".join(f"{k} = {v!r}\n" for k, v in values.items()))

    theirs = tools.ask_django(values, request)

    compare(conversion, request, theirs, tools.ask_us_django(conversion, request))


# -- HTTPS only ------------------------------------------------------------------------


def ask_redirect(conversion: Conversion, method: str, request: Request) -> Seen:
    """Ask Flask's page behind this project's policy and HTTPS only."""
    wrapped = conversion.read().wrap_wsgi(tools.make_flask().wsgi_app)
    return tools.open_wsgi(wrapped, request, method)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"force_https_permanent": True},
        {"strict_transport_security": False},
        {"strict_transport_security_max_age": 60},
        {"strict_transport_security_preload": True},
        {"strict_transport_security_include_subdomains": False},
        {
            "strict_transport_security_preload": True,
            "strict_transport_security_include_subdomains": False,
        },
    ],
)
def test_talisman_redirects_and_sends_hsts_as_it_did(
    scheme: str, method: str, options: dict[str, bool]
) -> None:
    """The same redirect, but for its method's status, and the same policy."""
    request = Request("10.0.0.1", {PROTO: scheme, "Host": "shop.example"}, {PROTO: 1})
    written = "".join(f", {name}={value}" for name, value in options.items())
    conversion = convert_text(f"Talisman(app{written})")

    theirs = tools.open_wsgi(tools.make_talisman(options), request, method)

    ours = ask_redirect(conversion, method, request)
    codes = {note.code for note in conversion.notes}
    if method == "POST" and theirs["status"] != 200:
        assert "redirect-status" in codes
        theirs["status"] += {301: 7, 302: 5}[theirs["status"]]
    if theirs["hsts"] and "no-preload" in codes:
        theirs["hsts"] = theirs["hsts"].replace("; preload", "")
    assert ours == theirs


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("host", [None, "secure.example"])
@pytest.mark.parametrize("seconds", [0, 60, 31_536_000])
@pytest.mark.parametrize("preload", [False, True])
def test_django_redirects_and_sends_hsts_as_it_did(
    scheme: str, method: str, host: str | None, seconds: int, preload: bool
) -> None:
    """The same redirect, but for its method's status, and the same policy."""
    request = Request("10.0.0.1", {PROTO: scheme, "Host": "shop.example"}, {PROTO: 1})
    values = {
        "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"),
        "SECURE_SSL_REDIRECT": True,
        "SECURE_SSL_HOST": host,
        "SECURE_HSTS_SECONDS": seconds,
        "SECURE_HSTS_INCLUDE_SUBDOMAINS": True,
        "SECURE_HSTS_PRELOAD": preload,
    }
    conversion = convert_text("".join(f"{k} = {v!r}\n" for k, v in values.items()))

    theirs = tools.ask_django_security(values, method, request)

    ours = ask_redirect(conversion, method, request)
    codes = {note.code for note in conversion.notes}
    if method == "POST" and theirs["status"] == 301:
        assert "redirect-status" in codes
        theirs["status"] = 308
    if theirs["hsts"] and "no-preload" in codes:
        theirs["hsts"] = theirs["hsts"].replace("; preload", "")
    assert ours == theirs
