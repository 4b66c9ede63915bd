"""
The request for a backend: where it goes, what it says, what is refused.

In:  heads of requests, as plain records.
Out: no socket is opened here; `tests.mount` does that.
"""

from __future__ import annotations

from typing import Any

import pytest

from trustedproxy import ProxyHeader, ProxyPolicy
from trustedproxy.headers import KNOWN_HEADERS, Category, Form
from trustedproxy.mount_points.heads import Body, ClientSide
from trustedproxy.mount_points.request_plan import name_own_headers
from trustedproxy.responses import Answer

from .planning import BACKEND, CLIENT, make_client, plan, refuse, send

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
        {"headers": [("Content-Length", "7"), ("Content-Length", "7")]},
        {"headers": [("Transfer-Encoding", "gzip, chunked")]},
        {"headers": [("Transfer-Encoding", "chunked")] * 2},
        {"headers": [("Transfer-Encoding", "")]},
        {"headers": [("Host", "a.example")] * 2},
        {"headers": [("X A", "b")]},
        {"headers": [("X-A ", "b")]},
        {"headers": [("X:y", "b")]},
        {"headers": [("", "b")]},
        {"headers": [("X-\xe9", "b")]},
    ],
)
def test_smuggling_is_refused(options: dict[str, Any]) -> None:
    """What two parsers may read differently never reaches a backend."""
    assert refuse(**options) == 400


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([("Content-Length", "1"), ("Transfer-Encoding", "chunked")], 400),
        ([("Content-Length", "1"), ("Content-Length", "1")], 400),
        ([("Content-Length", "+1")], 400),
        ([("Transfer-Encoding", "gzip, chunked")], 400),
        ([("Transfer-Encoding", "gzip")], 501),
        ([("X A", "b")], 400),
    ],
)
def test_refusal_ends_the_connection(
    headers: list[tuple[str, str]], status: int
) -> None:
    """Nobody knows where such a request ends, so that nothing may follow it."""
    closing = plan("/blog/x", headers=headers)
    silent = plan("/blog/x", headers=headers, may_say_close=False)

    assert isinstance(closing, Answer)
    assert isinstance(silent, Answer)
    assert closing.status == silent.status == status
    assert dict(closing.headers)["Connection"] == "close"
    assert "Connection" not in dict(silent.headers)


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"method": "TRACE"}, 501),
        ({"method": "Connect"}, 501),
        ({"headers": [("Transfer-Encoding", "identity")]}, 501),
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
    location = dict(planned.headers)["Location"]
    assert location == "https://app.example:8443/blog/?x=1&y=%20"


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
    variants = [(name.replace("-", "_"), "forged") for name, _ in sent]
    lower = [(name.lower(), "forged") for name, _ in sent]

    headers = send(headers=[*sent, *variants, *lower, ("X-Kept", "yes")]).headers

    assert ("X-Kept", "yes") in headers
    assert "forged" not in [value for _, value in headers]


@pytest.mark.parametrize(
    "name",
    [
        "X_Forwarded_For",
        "Content_Length",
        "X.Forwarded.For",
        "X~y",
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
        secrets=["a-secret-of-the-edge"],
    )

    assert {"X-Edge-Client", "X-Edge-Secret"} <= set(name_own_headers(policy))
    assert "X-Edge-Secret" not in name_own_headers(ProxyPolicy())


def test_several_lines_of_cookies_are_one() -> None:
    """As HTTP/1 has it, however the client's protocol cuts them (RFC 9113; H-22)."""
    several = [("cookie", "a=1"), ("Accept", "*/*"), ("Cookie", ""), ("cookie", "b=2")]

    headers = send(headers=several).headers

    assert [pair for pair in headers if pair[0].lower() == "cookie"] == [
        ("Cookie", "a=1; b=2")
    ]
    assert ("Accept", "*/*") in headers
    assert ("cookie", "a=1") in send(headers=several[:2]).headers
