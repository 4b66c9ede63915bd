"""
Both middlewares in this process, in front of a backend on real sockets.

In:  requests as servers hand them over.
Out: what the backend saw, and what came back.
"""

from __future__ import annotations

import asyncio
import gc
import io
import json
import logging
import os
import ssl
import threading
import time
import zlib
from typing import Any

import pytest
import trustme

from trustedproxy import ConfigurationError, ProxyPolicy, TrustedProxyMiddleware

from ..servers.processes import find_free_port
from .backend import PATIENCE, Backend, Handler, be_slow, run_backend
from .fronts import OWN, PEER, run_front

# What passes.


def test_request_and_response_pass(front: Any, backend: Backend) -> None:
    """Method, path, query, headers and body arrive; the answer comes back."""
    reply = front.ask(
        "/blog/a%2Fb%c3%a9;p?q=%20&r",
        method="POST",
        headers=[("Content-Type", "text/x"), ("X-Kept", "\xe9"), ("TE", "trailers")],
        body=b"hello",
    )

    seen = json.loads(reply.body)
    assert reply.status == 200
    assert (seen["method"], seen["target"]) == ("POST", "/a%2Fb%c3%a9;p?q=%20&r")
    assert (seen["framing"], seen["body"]) == ("length", "hello")
    assert {name.lower(): value for name, value in seen["headers"]} == {
        "host": backend.url.removeprefix("http://"),
        "content-type": "text/x",
        "content-length": "5",
        "x-kept": "\xe9",
        "x-forwarded-for": PEER,
        "x-forwarded-host": "app.example",
        "x-forwarded-proto": "http",
        "x-forwarded-port": "80",
        "x-forwarded-server": "front.example",
        "x-forwarded-prefix": "/blog",
        "x-forwarded-script-name": "/blog",
    }


def test_policy_is_applied_here(front: Any, backend: Backend) -> None:
    """Trusted headers are trusted, and all others are gone, without another layer."""
    front.ask(
        "/blog/x",
        headers=[
            ("X-Forwarded-For", "6.6.6.6, 203.0.113.7"),
            ("X-Forwarded-Scheme", "https"),
            ("X-Real-IP", "6.6.6.6"),
        ],
    )

    seen = backend.last.named
    assert seen["x-forwarded-for"] == f"203.0.113.7, {PEER}"
    assert seen["x-forwarded-proto"] == "http"
    assert not {"x-forwarded-scheme", "x-real-ip"} & set(seen)


def test_policy_that_was_applied_is_kept(front: Any, backend: Backend) -> None:
    """A decision that is there already is the one that counts."""
    policy = ProxyPolicy(headers=["X-Forwarded-Host"], proxies=["10.0.0.0/8"])
    key = "trustedproxy.decision"
    if front.kind == "wsgi":
        environ = {"REMOTE_ADDR": PEER, "HTTP_X_FORWARDED_HOST": "client.example"}
        policy.apply(environ)
        front.ask("/blog/x", environ=environ)
    else:
        scope = {
            "type": "http",
            "path": "/blog/x",
            "headers": [(b"x-forwarded-host", b"client.example")],
            "client": (PEER, 1),
            "server": ("front.example", 80),
        }
        decision, after = policy.apply_scope(scope)
        front.ask("/blog/x", scope={"headers": after["headers"], key: decision})

    assert backend.last.named["x-forwarded-host"] == "client.example"
    assert backend.last.named["x-forwarded-for"] == PEER


def test_policy_that_only_reports_confirms_nobody(kind: str, backend: Backend) -> None:
    """In report-only mode nothing is decided, so the peer stands alone."""
    policy = ProxyPolicy(
        headers=["X-Forwarded-For"],
        proxies=["10.0.0.0/8"],
        malformed="reject",
        report_only=True,
    )
    with run_front(kind, {"/blog": backend.url}, policy) as front:
        front.ask("/blog/x", headers=[("X-Forwarded-For", "203.0.113.7")])

    assert backend.last.named["x-forwarded-for"] == PEER


def test_policy_that_refuses_answers(kind: str, backend: Backend) -> None:
    """A request that the policy refuses reaches neither backend nor application."""
    policy = ProxyPolicy(
        headers=["X-Forwarded-Host"], proxies=["10.0.0.0/8"], malformed="reject"
    )
    with run_front(kind, {"/blog": backend.url}, policy) as front:
        replies = [
            front.ask(path, headers=[("X-Forwarded-Host", "a/b")])
            for path in ("/blog/x", "/x")
        ]

    assert [reply.status for reply in replies] == [400, 400]
    assert (backend.requests, front.passed) == ([], [])


def test_secret_does_not_reach_the_backend(kind: str, backend: Backend) -> None:
    """The proxy's secret is taken off, even where the policy only reports."""
    policy = ProxyPolicy(
        secret_header="X-Edge-Secret",
        secrets=["a-secret-of-the-edge"],
        report_only=True,
    )
    with run_front(kind, {"/blog": backend.url}, policy) as front:
        front.ask("/blog/x", headers=[("X-Edge-Secret", "a-secret-of-the-edge")])

    assert "x-edge-secret" not in backend.last.named


def test_application_answers_the_rest(front: Any, backend: Backend) -> None:
    """What is below no mount point is the application's."""
    assert front.ask("/blogger").body == OWN
    assert front.ask("/").body == OWN
    assert backend.requests == []


def test_bare_mount_point_is_redirected(front: Any) -> None:
    """The redirect is made here, absolute, with the query."""
    reply = front.ask("/blog?x=%20")

    assert reply.status == 301
    assert reply.named["location"] == "http://app.example/blog/?x=%20"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_refusal_is_answered_here(method: str, front: Any, backend: Backend) -> None:
    """A path that leaves the mount point is refused; HEAD gets no body."""
    reply = front.ask("/blog/..%2fx", method=method)

    assert reply.status == 400
    assert bool(reply.body) == (method == "GET")
    assert int(reply.named["content-length"]) > 0
    assert backend.requests == []


def test_application_below_a_mount_point(front: Any, backend: Backend) -> None:
    """The application's own mount point goes into the prefix, not into the target."""
    front.ask(
        "/outer/blog/a%2Fb",
        environ={"SCRIPT_NAME": "/outer", "PATH_INFO": "/blog/a/b"},
        scope={"root_path": "/outer"},
    )

    assert backend.last.target == "/a%2Fb"
    assert backend.last.named["x-forwarded-prefix"] == "/outer/blog"


def test_mount_point_is_one_value(kind: str, backend: Backend) -> None:
    """What R10 does not allow is quoted: a client's own comma makes no list."""
    with run_front(kind, {"/blog": backend.url}) as front:
        front.ask(
            "/evil,y;&'()/blog/x",
            environ={"SCRIPT_NAME": "/evil,y;&'()", "PATH_INFO": "/blog/x"},
            scope={"root_path": "/evil,y;&'()"},
        )

    for name in ("x-forwarded-prefix", "x-forwarded-script-name"):
        assert backend.last.named[name] == "/evil%2Cy%3B%26%27%28%29/blog"


def test_mount_point_of_any_characters_is_kept(kind: str, backend: Backend) -> None:
    """What R10 allows in a mount point goes both ways as it is, cookies included."""
    mount_point = "/@me+x:=!$*~"

    def answer(handler: Handler) -> None:
        handler.send_response(302)
        handler.send_header("Location", f"{mount_point}/blog/login")
        handler.send_header("Set-Cookie", f"a=1; Path={mount_point}/blog")
        handler.send_header("Set-Cookie", "b=1; Path=/")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    backend.routes["/x"] = answer
    policy = ProxyPolicy(headers=["X-Forwarded-Prefix"], proxies=["10.0.0.0/8"])
    with run_front(kind, {"/blog": backend.url}, policy) as front:
        reply = front.ask("/blog/x", headers=[("X-Forwarded-Prefix", mount_point)])

    cookies = [value for name, value in reply.headers if name.lower() == "set-cookie"]
    assert backend.last.named["x-forwarded-prefix"] == f"{mount_point}/blog"
    assert reply.named["location"] == f"{mount_point}/blog/login"
    assert cookies == [
        f"a=1; Path={mount_point}/blog",
        f"b=1; Path={mount_point}/blog/",
    ]


def test_server_without_raw_path(front: Any, backend: Backend) -> None:
    """Where the server keeps no raw path, the path is quoted again."""
    front.ask("/blog/a%20b", environ={"RAW_URI": None}, scope={"raw_path": None})

    assert backend.last.target == "/a%20b"


def test_server_with_another_raw_path(front: Any, backend: Backend) -> None:
    """A raw path that is not that of the path below the mount point is not used."""
    front.ask(
        "/blog/a%20b", environ={"RAW_URI": "/other"}, scope={"raw_path": b"/other"}
    )

    assert backend.last.target == "/a%20b"


# Bodies.


@pytest.mark.parametrize("size", [0, 1, 65536, 1_000_000])
def test_body_of_known_length_arrives(size: int, front: Any, backend: Backend) -> None:
    """A body with a length arrives whole, and its length with it."""
    body = os.urandom(size)

    front.ask("/blog/x", method="PUT", body=body)

    seen = backend.last
    assert (seen.framing, seen.length, seen.crc) == ("length", size, zlib.crc32(body))


def test_body_in_chunks_arrives(front: Any, backend: Backend) -> None:
    """A chunked body is chunked again."""
    front.ask("/blog/x", method="POST", body=[b"a" * 70000, b"", b"b"])

    seen = backend.last
    assert (seen.framing, seen.length) == ("chunked", 70001)
    assert seen.complete


def test_post_without_a_body(front: Any, backend: Backend) -> None:
    """Nothing is nothing."""
    front.ask("/blog/x", method="POST")

    assert backend.last.length == 0


@pytest.mark.parametrize(("blocks", "framing"), [([b"x", b"y"], "chunked"), ([], None)])
def test_body_that_no_header_announces(
    blocks: list[bytes], framing: str | None, front: Any, backend: Backend
) -> None:
    """In HTTP/2 a body may come without a word; it is sent in chunks, or not at all."""
    messages = [
        {"type": "http.request", "body": block, "more_body": True} for block in blocks
    ]
    messages.append({"type": "http.request", "body": b"", "more_body": False})
    front.ask(
        "/blog/x",
        environ={
            "SERVER_PROTOCOL": "HTTP/2.0",
            "wsgi.input": io.BytesIO(b"".join(blocks)),
        },
        scope={"http_version": "2"},
        messages=messages,
    )

    seen = backend.last
    assert (seen.framing, seen.body) == (framing, b"".join(blocks))


def test_body_that_ends_too_early(front: Any, backend: Backend) -> None:
    """A body shorter than its length is never completed for the backend."""
    reply = front.ask(
        "/blog/x",
        method="POST",
        environ={"CONTENT_LENGTH": "9", "wsgi.input": io.BytesIO(b"abc")},
        scope={"headers": [(b"host", b"a.example"), (b"content-length", b"9")]},
        messages=[{"type": "http.request", "body": b"abc", "more_body": False}],
    )

    assert reply.status == 400
    wait_until(lambda: bool(backend.requests))
    assert not backend.last.complete
    # The broken connection is not used again.
    assert front.ask("/blog/x").status == 200


def wait_until(ready: Any, seconds: float = PATIENCE) -> None:
    """Wait until something is true, in another thread."""
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.005)


# Responses.


def test_head_has_no_body(front: Any, backend: Backend) -> None:
    """HEAD gets the length and no body; a body that comes late would be another's."""
    reply = front.ask("/blog/x", method="HEAD")
    front.ask("/blog/x")

    assert (reply.status, reply.body) == (200, b"")
    assert int(reply.named["content-length"]) > 0
    assert backend.connections == 2


@pytest.mark.parametrize("status", [204, 304])
def test_status_without_a_body(status: int, front: Any, backend: Backend) -> None:
    """204 and 304 have neither body nor length."""
    backend.routes["/x"] = lambda handler: handler.respond(
        status, [("ETag", '"1"')], None
    )

    reply = front.ask("/blog/x")
    front.ask("/blog/y")

    assert (reply.status, reply.body) == (status, b"")
    assert reply.named == {"etag": '"1"'}
    assert backend.connections == 1


def test_range_passes(front: Any, backend: Backend) -> None:
    """A part of a document stays a part."""
    backend.routes["/x"] = lambda handler: handler.respond(
        206, [("Content-Range", "bytes 2-3/9")], b"cd"
    )

    reply = front.ask("/blog/x", headers=[("Range", "bytes=2-3")])

    assert backend.last.named["range"] == "bytes=2-3"
    assert (reply.status, reply.body) == (206, b"cd")
    assert reply.named["content-range"] == "bytes 2-3/9"


def test_headers_of_the_response_are_mapped(front: Any, backend: Backend) -> None:
    """Several cookies stay several, and what belongs to the backend is mapped."""
    backend.routes["/x"] = lambda handler: handler.respond(
        302,
        [
            ("Location", f"{backend.url}/y"),
            ("Set-Cookie", "a=1; Path=/"),
            ("Set-Cookie", "b=2"),
            ("Connection", "X-Hop"),
            ("X-Hop", "1"),
            ("Date", "yesterday"),
        ],
    )

    reply = front.ask("/blog/x")

    assert [(name.lower(), value) for name, value in reply.headers] == [
        ("location", "http://app.example/blog/y"),
        ("set-cookie", "a=1; Path=/blog/"),
        ("set-cookie", "b=2"),
        ("content-length", "0"),
    ]


def test_compressed_body_stays_compressed(front: Any, backend: Backend) -> None:
    """What the backend encoded for the client is not touched."""
    packed = zlib.compress(b"x" * 1000)
    backend.routes["/x"] = lambda handler: handler.respond(
        200, [("Content-Encoding", "deflate")], packed
    )

    reply = front.ask("/blog/x", headers=[("Accept-Encoding", "deflate")])

    assert reply.body == packed
    assert reply.named["content-encoding"] == "deflate"


def send_chunks(handler: Handler) -> None:
    """Answer in chunks, with a trailer behind them."""
    handler.respond(200, [("Transfer-Encoding", "chunked"), ("Trailer", "X-T")], None)
    for text in (b"5\r\nhello\r\n", b"6\r\n world\r\n"):
        handler.send_raw(text)
    handler.send_raw(b"0\r\nX-T: forged\r\n\r\n")


def test_chunks_pass_and_trailers_are_dropped(front: Any, backend: Backend) -> None:
    """The body comes without its chunking; trailers are for one connection."""
    backend.routes["/x"] = send_chunks

    reply = front.ask("/blog/x")
    front.ask("/blog/x")

    assert (reply.body, reply.broken) == (b"hello world", None)
    assert reply.headers == []
    assert backend.connections == 1


def test_body_until_the_end_of_the_connection(front: Any, backend: Backend) -> None:
    """A backend of HTTP/1.0 ends its body by closing."""

    def answer(handler: Handler) -> None:
        handler.close_connection = True
        handler.send_raw(b"HTTP/1.0 200 OK\r\n\r\nall of it")

    backend.routes["/x"] = answer

    reply = front.ask("/blog/x")

    assert (reply.body, reply.broken) == (b"all of it", None)


def test_stream_passes_as_it_comes(front: Any, backend: Backend) -> None:
    """A block is passed on before the next one is made."""

    def answer(handler: Handler) -> None:
        handler.respond(
            200,
            [("Content-Type", "text/event-stream"), ("Transfer-Encoding", "chunked")],
            None,
        )
        handler.send_raw(b"9\r\ndata: 1\n\n\r\n")
        assert front.flowing.wait(PATIENCE)
        handler.send_raw(b"9\r\ndata: 2\n\n\r\n0\r\n\r\n")

    backend.routes["/x"] = answer
    reply = front.ask("/blog/x")

    events = [block for block in reply.blocks if block]
    assert events == [b"data: 1\n\n", b"data: 2\n\n"]


# Backends that fail.


def test_backend_that_is_down(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody listens: 502, a short page, and one record a minute."""
    url = f"http://127.0.0.1:{find_free_port()}"
    with run_front(kind, {"/blog": url}) as front:
        replies = [front.ask("/blog/x", method=m) for m in ("GET", "POST", "HEAD")]

    assert [reply.status for reply in replies] == [502, 502, 502]
    assert b"does not answer" in replies[0].body
    assert replies[0].named["cache-control"] == "no-store"
    assert replies[2].body == b""
    logged = [record for record in caplog.records if url in record.getMessage()]
    assert [(record.name, record.levelno) for record in logged] == [
        ("trustedproxy", logging.WARNING)
    ]


def test_backend_that_is_slow(hasty_front: Any, backend: Backend) -> None:
    """No head in time: 504, and the connection is not used again."""
    backend.routes["/x"] = be_slow

    reply = hasty_front.ask("/blog/x")

    assert reply.status == 504
    assert b"too long" in reply.body
    assert hasty_front.ask("/blog/y").status == 200
    assert backend.connections == 2


def test_backend_that_does_not_read(hasty_front: Any, backend: Backend) -> None:
    """A body that nobody takes is given up after the time for sending."""
    backend.routes["/x"] = be_slow
    backend.unread.add(be_slow)
    blocks = [b"x" * 1_000_000] * 20

    reply = hasty_front.ask("/blog/x", method="POST", body=blocks)

    assert reply.status == 504


@pytest.mark.parametrize("reset", [False, True])
def test_backend_that_closes_instead_of_answering(
    reset: bool, front: Any, backend: Backend
) -> None:
    """A request that does harm when repeated is not; others are asked once more."""
    backend.routes["/x"] = lambda handler: handler.abort(reset=reset)

    replies = [front.ask("/blog/x", method=method) for method in ("POST", "GET")]

    assert [reply.status for reply in replies] == [502, 502]
    assert [seen.method for seen in backend.requests] == ["POST", "GET", "GET"]


def test_backend_that_closed_a_connection_is_asked_again(
    front: Any, backend: Backend
) -> None:
    """A kept connection that just died is no failure for a GET."""
    answers = iter([False, True])

    def answer(handler: Handler) -> None:
        if next(answers):
            handler.respond(200, [], b"now")
        else:
            handler.abort(reset=False)

    backend.routes["/x"] = answer

    assert front.ask("/blog/x").body == b"now"


BROKEN = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it",
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhalf \r\n",
    "in-chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhalf",
}


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("way", sorted(BROKEN))
def test_body_that_breaks_off_raises(
    way: str, reset: bool, front: Any, backend: Backend
) -> None:
    """Half an answer never looks whole: the server is made to close the connection."""

    def answer(handler: Handler) -> None:
        handler.send_raw(BROKEN[way])
        # A reset overtakes what has not been read yet.
        assert front.begun.wait(PATIENCE)
        handler.abort(reset=reset)

    backend.routes["/x"] = answer

    reply = front.ask("/blog/x")

    assert reply.status == 200
    assert reply.broken is not None
    assert front.ask("/blog/y").status == 200


def test_body_that_falls_silent_raises(hasty_front: Any, backend: Backend) -> None:
    """Silence in the middle of a body is a failure too."""

    def answer(handler: Handler) -> None:
        handler.send_raw(BROKEN["length"])
        be_slow(handler)

    backend.routes["/x"] = answer

    reply = hasty_front.ask("/blog/x")

    assert (reply.body, reply.status) == (b"half of it", 200)
    assert reply.broken is not None


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nX-A: b\x00c\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhalf",
        b"HTTP/1.1 101 Switch\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
        b"HTTP/1.1 999 Nothing\r\nContent-Length: 0\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)
def test_head_that_is_malformed(head: bytes, front: Any, backend: Backend) -> None:
    """A head that cannot be passed on is 502, and its connection is closed."""

    def answer(handler: Handler) -> None:
        handler.send_raw(head)

    backend.routes["/x"] = answer

    assert front.ask("/blog/x", method="POST").status == 502
    assert front.ask("/blog/y").status == 200
    assert backend.connections == 2


# Connections.


def test_connections_are_reused(front: Any, backend: Backend) -> None:
    """A hundred requests one after the other need one connection."""
    for _ in range(100):
        assert front.ask("/blog/x", method="POST", body=b"x").status == 200

    assert (len(backend.requests), backend.connections) == (100, 1)


def test_connection_that_the_backend_closed_is_not_used(
    front: Any, backend: Backend
) -> None:
    """A kept connection is looked at before a request that cannot be repeated."""

    def answer(handler: Handler) -> None:
        handler.close_connection = True
        handler.respond(200)

    backend.routes["/x"] = answer
    for _ in range(3):
        assert front.ask("/blog/x", method="POST", body=b"x").status == 200
        # So that the end of the connection has arrived.
        wait_until(lambda: backend.closed == backend.connections)

    assert backend.connections == 3


def test_unix_socket(kind: str, unix_backend: Backend) -> None:
    """A backend behind a unix socket is asked by the name in its URL."""
    with run_front(kind, {"/blog": unix_backend.url}) as front:
        replies = [front.ask("/blog/x", method="POST", body=b"hello") for _ in range(9)]

    assert [json.loads(reply.body)["body"] for reply in replies] == ["hello"] * 9
    assert unix_backend.last.named["host"] == "backend"
    assert unix_backend.connections == 1


def test_unix_socket_that_is_not_there(kind: str, tmp_path: Any) -> None:
    """A socket that nobody made is a backend that is down."""
    with run_front(kind, {"/b": f"unix:{tmp_path}/no|http://b/"}) as front:
        assert front.ask("/b/x").status == 502


#: Name of the certificate, what the context is like, and the status for a client.
CERTIFICATES = [
    ("127.0.0.1", "knows it", 200),
    ("127.0.0.1", "knows it by any name", 200),
    ("other.example", "knows it by any name", 200),
    ("other.example", "knows it", 502),
    ("127.0.0.1", "knows another authority", 502),
    ("127.0.0.1", None, 502),
]


def make_contexts(
    name: str, context: str | None
) -> tuple[ssl.SSLContext, ssl.SSLContext | None]:
    """Make a server's context, and one for the middleware."""
    authority, other = trustme.CA(), trustme.CA()
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(serving)
    if context is None:
        return serving, None
    trusting = ssl.create_default_context()
    trusting.check_hostname = "any name" not in context
    (other if "another" in context else authority).configure_trust(trusting)
    return serving, trusting


@pytest.mark.parametrize(("name", "context", "status"), CERTIFICATES)
def test_ssl_context_means_the_same(
    name: str, context: str | None, status: int, kind: str
) -> None:
    """A context is obeyed by both; without one, the system's certificates count."""
    serving, trusting = make_contexts(name, context)
    with (
        run_backend(tls=serving) as backend,
        run_front(kind, {"/blog": backend.url}, ssl_context=trusting) as front,
    ):
        reply = front.ask("/blog/a%2fb", method="POST", body=b"x")

    assert reply.status == status
    assert [seen.target for seen in backend.requests] == ["/a%2fb"] * (status == 200)


def test_ssl_context_is_for_https_alone(kind: str, backend: Backend) -> None:
    """A backend without TLS beside one with it is spoken to in plain HTTP."""
    with run_front(
        kind,
        {"/blog": backend.url, "/safe": "https://127.0.0.1:9/"},
        ssl_context=ssl.create_default_context(),
    ) as front:
        assert front.ask("/blog/x").status == 200
        assert front.ask("/safe/x").status == 502


def test_wrong_mount_points_stop_the_application(kind: str) -> None:
    """The constructor raises, and no request ever does."""
    with (
        pytest.raises(ConfigurationError, match=r'TRUSTED_PROXY_MOUNT_POINTS\["/b"\]'),
        run_front(kind, {"/b": "nowhere"}),
    ):
        pass


def test_other_hosts_are_refused(kind: str, backend: Backend) -> None:
    """Only requests for the hosts on the list are proxied or redirected."""
    with run_front(
        kind, {"/blog": backend.url}, allowed_hosts=["www.example"]
    ) as front:
        assert [front.ask(path).status for path in ("/blog", "/blog/x")] == [400, 400]
        assert front.ask("/").body == OWN

    assert backend.requests == []


# WSGI alone.


def test_wsgi_passes_the_servers_own_exception(backend: Backend) -> None:
    """What the server raises while its body is read is the server's to answer."""

    class Input:
        def read(self, size: int) -> bytes:
            raise EOFError("the client left")

    with run_front("wsgi", {"/blog": backend.url}) as front:
        with pytest.raises(EOFError, match="the client left"):
            front.ask(
                "/blog/x",
                method="POST",
                environ={"CONTENT_LENGTH": "5", "wsgi.input": Input()},
            )
        assert front.ask("/blog/y").status == 200


def test_wsgi_ignores_an_underscore_variant_of_the_length(backend: Backend) -> None:
    """A header that came as Content_Length is not the length."""
    with run_front("wsgi", {"/blog": backend.url}) as front:
        front.ask(
            "/blog/x", method="POST", body=b"abc", headers=[("Content-Length", "9")]
        )

    assert (backend.last.length, backend.last.named["content-length"]) == (3, "3")


def test_wsgi_without_an_end_of_chunks(backend: Backend) -> None:
    """A server that hands over raw chunks gets 411."""
    with run_front("wsgi", {"/blog": backend.url}) as front:
        reply = front.ask(
            "/blog/x",
            method="POST",
            body=[b"x"],
            environ={"wsgi.input_terminated": False},
        )

    assert reply.status == 411


def test_wsgi_closes_a_body_that_is_not_wanted(backend: Backend) -> None:
    """When the client leaves, the backend's connection is closed, and then another."""
    backend.routes["/x"] = lambda handler: handler.respond(200, [], b"x" * 10_000_000)
    with run_front("wsgi", {"/blog": backend.url}) as front:
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": "/blog/x",
            "HTTP_HOST": "a.example",
            "REMOTE_ADDR": PEER,
            "wsgi.url_scheme": "http",
        }
        body: Any = front.middleware(environ, lambda status, headers: None)
        assert next(iter(body))
        body.close()
        body.close()
        assert front.ask("/blog/y").status == 200

    assert backend.connections == 2


def test_wsgi_closes_what_the_server_refuses(backend: Backend) -> None:
    """A server that does not like the head raises, and nothing leaks."""

    def start_response(status: str, headers: Any) -> Any:
        raise ValueError("not that header")

    with run_front("wsgi", {"/blog": backend.url}) as front:
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": "/blog/x",
            "HTTP_HOST": "a.example",
            "REMOTE_ADDR": PEER,
        }
        with pytest.raises(ValueError, match="not that header"):
            front.middleware(environ, start_response)
        assert front.ask("/blog/y").status == 200

    assert backend.connections == 2


def test_wsgi_child_of_a_fork_has_its_own_connections(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A forked child does not speak on its parent's connections."""
    with run_front("wsgi", {"/blog": backend.url}) as front:
        front.ask("/blog/x")
        monkeypatch.setattr(os, "getpid", lambda: -1)
        front.ask("/blog/x")

    assert backend.connections == 2


def test_wsgi_below_the_policys_own_middleware(backend: Backend) -> None:
    """Around it, the policy is applied once, and decides here too."""
    policy = ProxyPolicy(headers=["X-Forwarded-For"], proxies=["10.0.0.0/8"])
    with run_front("wsgi", {"/blog": backend.url}, policy) as front:
        front.middleware = TrustedProxyMiddleware(front.middleware, policy)
        front.ask("/blog/x", headers=[("X-Forwarded-For", "203.0.113.7")])
        front.middleware = front.middleware.app

    assert backend.last.named["x-forwarded-for"] == f"203.0.113.7, {PEER}"


def test_policy_that_reports_is_applied_once(
    backend: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    """Around it, and here: nobody is told to remove one of the two."""
    policy = ProxyPolicy(
        headers=["X-Forwarded-For"], proxies=["10.0.0.0/8"], report_only=True
    )
    with run_front("wsgi", {"/blog": backend.url}, policy) as front:
        front.middleware = TrustedProxyMiddleware(front.middleware, policy)
        front.ask("/blog/x", headers=[("X-Forwarded-For", "203.0.113.7")])
        front.middleware = front.middleware.app

    assert "decided-twice" not in [getattr(each, "code", "") for each in caplog.records]
    assert backend.last.named["x-forwarded-for"] == PEER


def test_policy_decides_below_one_that_reports(kind: str, backend: Backend) -> None:
    """What another policy only reports does not keep this one from deciding."""
    with run_front(kind, {"/blog": backend.url}) as front:
        plain = front.middleware.was_applied({"trustedproxy.report": None})
        decided = front.middleware.was_applied({"trustedproxy.decision": None})

    assert (plain, decided) == (False, True)


# ASGI alone.


@pytest.mark.parametrize(
    ("root_path", "path"),
    [("/app/", "/app/blog/x"), (None, "/blog/x"), ("/", "/blog/x")],
)
def test_asgi_reads_every_spelling_of_the_root_path(
    root_path: str | None, path: str, backend: Backend
) -> None:
    """Servers keep a final slash of their option, or have nothing at all."""
    with run_front("asgi", {"/blog": backend.url}) as front:
        reply = front.ask(path, scope={"root_path": root_path})

    prefix = (root_path or "").rstrip("/") + "/blog"
    assert (reply.status, backend.last.target) == (200, "/x")
    assert backend.last.named["x-forwarded-prefix"] == prefix


@pytest.mark.parametrize("server", [("/run/app.sock", None), ("front.example", 80)])
def test_peer_on_a_unix_socket_where_a_policy_only_reports(
    server: tuple[str, int | None], backend: Backend
) -> None:
    """Whatever such a peer calls itself, it has no address to name."""
    policy = ProxyPolicy(
        headers=["X-Forwarded-For"], proxies=["unix"], report_only=True
    )
    with run_front("asgi", {"/blog": backend.url}, policy) as front:
        front.ask("/blog/x", scope={"server": server})

    expected = PEER if server[1] else "unknown"
    assert backend.last.named["x-forwarded-for"] == expected


def test_asgi_passes_other_scopes(backend: Backend) -> None:
    """A scope of another kind is the application's."""
    seen: list[str] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    with run_front("asgi", {"/blog": backend.url}) as front:
        front.middleware.app = application
        front.runner.run(front.middleware({"type": "other"}, None, None))

    assert seen == ["other"]


# asyncio warns of what a loop leaves open that is closed without a lifespan.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_asgi_lets_go_of_event_loops_that_are_closed(backend: Backend) -> None:
    """Whoever runs one loop after another keeps none, and none of its sockets."""
    with run_front("asgi", {"/blog": backend.url}) as front:
        for _ in range(5):
            front.runner.close()
            front.runner = asyncio.Runner()
            assert front.ask("/blog/x").status == 200
        gc.collect()
        kept = len(front.middleware._backends)
        wait_until(lambda: backend.closed == 4)

    assert (backend.connections, kept) == (5, 1)


def test_asgi_keeps_the_connections_of_every_event_loop_that_runs(
    backend: Backend,
) -> None:
    """Another loop beside it costs a loop nothing."""
    with (
        run_front("asgi", {"/blog": backend.url}) as front,
        asyncio.Runner() as other,
    ):
        for _ in range(2):
            front.ask("/blog/x")
            other.run(front.ask_async("/blog/x"))
        other.run(front.middleware.close())

    assert backend.connections == 2


def test_asgi_closes_its_connections_with_the_application(backend: Backend) -> None:
    """When the application has shut down, no connection is left open."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        for kind in ("startup", "shutdown"):
            await send({"type": f"lifespan.{kind}.complete"})

    sent: list[str] = []

    async def send(message: Any) -> None:
        sent.append(message["type"])

    with run_front("asgi", {"/blog": backend.url}) as front:
        front.ask("/blog/x")
        front.middleware.app = application
        front.runner.run(front.middleware({"type": "lifespan"}, None, send))
        front.ask("/blog/x")

    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert backend.connections == 2


def test_asgi_gives_up_when_the_client_leaves(backend: Backend) -> None:
    """A client that left does not keep the backend busy."""
    started, broken = threading.Event(), threading.Event()

    def answer(handler: Handler) -> None:
        handler.respond(200, [("Transfer-Encoding", "chunked")], None)
        started.set()
        try:
            while True:
                handler.send_raw(b"1\r\nx\r\n")
                time.sleep(0.01)
        except OSError:
            broken.set()

    backend.routes["/x"] = answer
    with run_front("asgi", {"/blog": backend.url}) as front:
        reply = front.ask(
            "/blog/x",
            messages=[
                {"type": "http.request", "body": b"", "more_body": False},
                {"type": "http.disconnect", "after": started},
            ],
        )

        assert reply.broken is None
        assert broken.wait(PATIENCE)


def test_asgi_gives_up_when_the_client_leaves_in_its_body(backend: Backend) -> None:
    """A body that breaks off is never completed for the backend."""
    with run_front("asgi", {"/blog": backend.url}) as front:
        reply = front.ask(
            "/blog/x",
            method="POST",
            scope={"headers": [(b"host", b"a"), (b"content-length", b"9")]},
            messages=[
                {"type": "http.request", "body": b"abc", "more_body": True},
                {"type": "http.disconnect"},
            ],
        )

    assert (reply.status, reply.broken) == (0, None)
    wait_until(lambda: bool(backend.requests))
    assert not backend.last.complete


def test_asgi_body_that_is_too_long(backend: Backend) -> None:
    """More than was announced is not sent."""
    with run_front("asgi", {"/blog": backend.url}) as front:
        reply = front.ask(
            "/blog/x",
            method="POST",
            scope={"headers": [(b"host", b"a"), (b"content-length", b"2")]},
            messages=[{"type": "http.request", "body": b"abc", "more_body": False}],
        )

    assert reply.status == 400


def test_asgi_repeated_lines_are_read_in_order(backend: Backend) -> None:
    """Several lines of a list are one list; two hosts are refused."""
    with run_front("asgi", {"/blog": backend.url}) as front:
        front.ask(
            "/blog/x",
            headers=[
                ("X-Forwarded-For", "203.0.113.7"),
                ("X-Forwarded-For", "10.0.0.1"),
            ],
        )
        refused = front.ask("/blog/x", headers=[("Host", "b.example")])

    assert backend.last.named["x-forwarded-for"] == f"203.0.113.7, 10.0.0.1, {PEER}"
    assert refused.status == 400


def test_asgi_without_a_host(backend: Backend) -> None:
    """HTTP/1.0 may come without a host; then the server's own name is told."""
    with run_front("asgi", {"/blog": backend.url}) as front:
        front.ask("/blog/x", scope={"headers": []})

    assert backend.last.named["x-forwarded-host"] == "front.example"
