"""
Mount points: heads of requests and answers, paths, URLs and cookies that are mapped.

In:  heads as they are on the wire, or lines of text.
Out: an assertion that fails where two readers of what is passed on would differ.
"""

from __future__ import annotations

from collections.abc import Iterable
from http.client import HTTPMessage, parse_headers
from io import BytesIO
from typing import Final
from urllib.parse import unquote_to_bytes

import h11

from trustedproxy.headers import KNOWN_HEADERS
from trustedproxy.https_only import HTTPSOnly
from trustedproxy.https_only.facts import RequestFacts
from trustedproxy.mount_points.header_lines import HOP_BY_HOP, NOT_IN_VALUE
from trustedproxy.mount_points.heads import (
    BackendError,
    BackendRequest,
    Body,
    RequestHead,
)
from trustedproxy.mount_points.points import compile_mount_points
from trustedproxy.mount_points.request_plan import plan_request
from trustedproxy.mount_points.response_plan import plan_response
from trustedproxy.mount_points.wire import AnswerReader

from ...core.mount_points.leading import (
    CLIENT,
    REQUESTS,
    keeps_for_others,
    leads_elsewhere,
)
from ...core.mount_points.planning import plan, send
from ...reading.paths import READERS, follow

#: URL path → backend URL, several of them.
MAPPINGS: Final = (
    {"/blog/": "http://backend.example:8001/base/"},
    {"/": "http://backend.example:8001/base/"},
    {"/blog/": "https://app.example/"},
    {"/a/": "http://backend.example/", "/a/b/": "http://backend.example/a/"},
)
_SENT_BY_US: Final = {
    *("x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port"),
    *("x-forwarded-server", "x-forwarded-prefix", "x-forwarded-script-name"),
}
_FORBIDDEN: Final = (
    {header.name.lower() for header in KNOWN_HEADERS} - _SENT_BY_US
) | (HOP_BY_HOP | {"proxy", "expect"})


def read_head(data: bytes) -> RequestHead:
    """Read a request head leniently, as no server should: what is odd stays odd."""
    first, *lines = data.decode("latin-1").split("\n")
    method, _, target = first.rstrip("\r").partition(" ")
    path, _, query = target.partition("?")
    pairs = [line.removesuffix("\r").partition(":") for line in lines if line]
    return RequestHead(
        method,
        path,
        query,
        headers=[(name, value) for name, _, value in pairs],
        websocket="websocket" in first,
    )


def write_head(request: BackendRequest) -> bytes:
    """Write a request's head as it goes to a backend."""
    lines = [f"{request.method} {request.target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in request.headers]
    if request.body in (Body.CHUNKED, Body.UNDECLARED):
        lines.append("Transfer-Encoding: chunked")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def check_request_head(data: bytes) -> None:
    """What goes to a backend has one meaning, to three readers, and no forged name."""
    head = read_head(data)
    mapping = MAPPINGS[len(data) % len(MAPPINGS)]
    request = plan_request(compile_mount_points(mapping), head, CLIENT)
    if not isinstance(request, BackendRequest):
        assert request is None or 300 <= request.status < 600
        return

    wire = write_head(request)
    server = h11.Connection(h11.SERVER)
    server.receive_data(wire)
    event = server.next_event()
    assert isinstance(event, h11.Request), wire
    sent = [(name.lower(), value) for name, value in request.headers]
    if request.body in (Body.CHUNKED, Body.UNDECLARED):
        sent.append(("transfer-encoding", "chunked"))
    assert event.method.decode() == request.method
    assert event.target.decode("latin-1") == request.target
    assert [
        (n.decode("latin-1"), v.decode("latin-1")) for n, v in event.headers
    ] == sent
    stream = BytesIO(wire.partition(b"\r\n")[2])
    message: HTTPMessage = parse_headers(stream)
    assert not message.defects
    assert [(n.lower(), v) for n, v in message.items()] == sent, wire
    assert stream.read() == b""

    names = [name for name, _ in sent]
    assert names.count("host") == 1 and names.count("cookie") <= 1
    assert names.count("content-length") + names.count("transfer-encoding") <= 1
    assert not _FORBIDDEN & {*names} - {"transfer-encoding"}, names
    assert all(names.count(name) <= 1 for name in _SENT_BY_US)
    assert not any("_" in name for name in names)


def check_path(data: bytes) -> None:
    """Whoever reads it, a path that is passed on, or exempt, lies below."""
    text = data.decode("latin-1")
    some = READERS[len(data) * 7 % 31 :: 31]
    planned = plan("/blog/" + text, mapping=MAPPINGS[0])
    if isinstance(planned, BackendRequest):
        target = planned.target.partition("?")[0]
        assert follow(target, [some[0], some[-1], some[5]])[:1] == ["base"], target
        for reader in some:
            assert reader.read(target)[:1] == ["base"], (target, reader.name)
    raw = "/public/" + text
    if "?" in text or "#" in text:
        return
    facts = RequestFacts(
        "http",
        path=unquote_to_bytes(raw.encode("latin-1")),
        raw_path=raw.encode("latin-1"),
    )
    if _EXEMPT.exempts(facts):
        for reader in some:
            assert reader.read(raw)[:1] == ["public"], (raw, reader.name)


_EXEMPT: Final = HTTPSOnly(exempt=["/public/*"])


def check_url(data: bytes) -> None:
    """A browser is led where the backend's own value leads, or stays on this site."""
    value = data.decode("latin-1").strip(" \t")
    for request in REQUESTS:
        for name in ("location", "refresh"):
            assert leads_elsewhere(request, name, value) is None, value


def check_cookie(data: bytes) -> None:
    """A cookie is kept for nobody but those for whom the backend meant it."""
    value = data.decode("latin-1").strip(" \t")
    for request in REQUESTS:
        assert keeps_for_others(request, value) is None, value


def take(method: str, data: bytes, cuts: int) -> tuple[AnswerReader, bytes, str]:
    """Let an answer be judged, in pieces by *cuts*; what passes, and why no more."""
    reader = AnswerReader(method)
    passed = b""
    step = cuts % 251 + 1 if cuts else len(data) + 1
    try:
        for at in range(0, len(data), step):
            passed += reader.take(data[at : at + step])
    except BackendError as error:
        return reader, passed, str(error)
    return reader, passed, ""


def check_response_head(data: bytes) -> None:
    """What passes of an answer has one meaning, to every reader and in any pieces."""
    method = ("GET", "HEAD", "POST")[len(data) % 3]
    reader, passed, why = take(method, data, 0)
    for cuts in (1, 2, len(data)):
        other, other_passed, other_why = take(method, data, cuts)
        if why or other_why:
            # An error comes sooner or later, but it comes.
            assert why and other_why, (data, cuts)
        else:
            assert (other_passed, other.head) == (passed, reader.head), cuts
            assert other.ended_cleanly == reader.ended_cleanly
    assert data.startswith(passed)
    if why or reader.head is None:
        return

    head = reader.head
    try:
        event, body, is_over = read_with_h11(method, passed)
    except h11.RemoteProtocolError:
        # The other reader refuses half of a line that ours refuses when it is whole.
        assert take(method, data + b"\r\n", 0)[2], data
        return
    assert isinstance(event, h11.Response)
    assert event.status_code == head.status
    assert _lower(event.headers) == _lower(head.headers)
    if reader.ended_cleanly:
        assert is_over and passed == data
        assert head.length is None or not head.has_body or len(body) == head.length
    planned = plan_response(_REQUEST, head)
    names = [name.lower() for name, _ in planned.headers]
    assert not HOP_BY_HOP & {*names}
    assert names.count("content-length") <= 1
    for name, value in planned.headers:
        assert not NOT_IN_VALUE.search(value) and ":" not in name and name.isascii()
    assert planned.reason and not NOT_IN_VALUE.search(planned.reason)


def _lower(headers: Iterable[tuple[object, object]]) -> list[tuple[str, str]]:
    """Spell headers alike, names and the one value that has no case in lower case."""
    pairs = []
    for pair in headers:
        name, value = (
            each.decode("latin-1") if isinstance(each, bytes) else str(each)
            for each in pair
        )
        is_coding = name.lower() == "transfer-encoding"
        pairs.append((name.lower(), value.lower() if is_coding else value))
    return pairs


_REQUEST: Final = send(
    "/blog/dir/page",
    mapping={"/blog/": "http://backend.example:8001/base/"},
    client=CLIENT,
)


def read_with_h11(method: str, data: bytes) -> tuple[object, bytes, bool]:
    """Read an answer with another reader: its head, its body, whether it is over."""
    client = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
    client.send(h11.Request(method=method, target="/", headers=[("Host", "a")]))
    client.send(h11.EndOfMessage())
    client.receive_data(data)
    body, head, is_over = b"", None, False
    while True:
        event = client.next_event()
        if isinstance(event, h11.Response):
            head = event
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            is_over = True
        elif not isinstance(event, h11.InformationalResponse):
            return head, body, is_over
