"""
Requests that come honestly through the proxies of somebody's configuration.

In:  how many elements the proxies write into each header, or their networks.
Out: strategies of `Request`; what a client may have sent in front of what the proxies
     append is in them, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO, StringIO
from typing import Any, Final

from hypothesis import strategies as st

FOR: Final = "X-Forwarded-For"
PROTO: Final = "X-Forwarded-Proto"
HOST: Final = "X-Forwarded-Host"
PORT: Final = "X-Forwarded-Port"
PREFIX: Final = "X-Forwarded-Prefix"

#: Who connects where nobody asks for anybody.
PEER: Final = "10.0.0.1"

#: Addresses of clients, in canonical spelling, public ones of both families.
CLIENTS: Final = (
    "8.8.8.8",
    "93.184.216.34",
    "2606:4700:4700::1111",
    "2001:4860:4860::8888",
)
#: What a client in the operator's own networks has.
PRIVATE_CLIENTS: Final = ("192.168.7.7", "10.200.0.9", "fd00::7")
#: The same as some load balancers write them.
ODD_CLIENTS: Final = ("8.8.8.8:4711", "[2606:4700::1]:443", "::ffff:8.8.8.8")

HOSTS: Final = ("shop.example", "shop.example:8443", "[2606:4700::1]", "a.example:443")
VALUES: Final[Mapping[str, Sequence[str]]] = {
    FOR: (*CLIENTS, *PRIVATE_CLIENTS, *ODD_CLIENTS),
    PROTO: ("http", "https"),
    HOST: HOSTS,
    PORT: ("80", "443", "8443"),
    PREFIX: ("/app", "/a/b"),
}


@dataclass(frozen=True, slots=True)
class Request:
    """
    One request.

    Attributes:
        peer: Who connected; "" for a unix socket.

        headers: Name → value, lines joined.

        elements: Header → how many elements it has.

        secure: Whether the connection itself is TLS.
    """

    peer: str
    headers: Mapping[str, str]
    elements: Mapping[str, int]
    secure: bool = False

    def environ(self) -> dict[str, Any]:
        """Make the environ that a server would."""
        scheme = "https" if self.secure else "http"
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "GET",
            "SCRIPT_NAME": "",
            "PATH_INFO": "/x",
            "QUERY_STRING": "",
            "SERVER_NAME": "backend.internal",
            "SERVER_PORT": "8000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": self.peer,
            "HTTP_HOST": "backend.internal:8000",
            "wsgi.url_scheme": scheme,
            "wsgi.input": BytesIO(),
            "wsgi.errors": StringIO(),
            "wsgi.version": (1, 0),
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.headers.items():
            environ["HTTP_" + name.upper().replace("-", "_")] = value
        return environ

    def scope(self, kind: str = "http") -> dict[str, Any]:
        """Make the scope that a server would."""
        scheme = "https" if self.secure else "http"
        lines = [("host", "backend.internal:8000"), *self.headers.items()]
        return {
            "type": kind,
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "scheme": scheme.replace("http", "ws") if kind == "websocket" else scheme,
            "path": "/x",
            "raw_path": b"/x",
            "query_string": b"",
            "root_path": "",
            "headers": [
                (name.lower().encode(), value.encode()) for name, value in lines
            ],
            "client": (self.peer, 50000),
            "server": ("backend.internal", 8000),
        }


def make_request(
    lists: Mapping[str, Sequence[str]], *, peer: str = PEER, secure: bool = False
) -> Request:
    """Make a request of elements by header; an empty list is no header."""
    there = {name: elements for name, elements in lists.items() if elements}
    return Request(
        peer,
        {name: ", ".join(elements) for name, elements in there.items()},
        {name: len(elements) for name, elements in there.items()},
        secure,
    )


@st.composite
def counted(
    draw: st.DrawFn, counts: Mapping[str, int], *, always: Sequence[str] = ()
) -> Request:
    """
    Draw a request into whose headers the proxies wrote *counts* elements.

    In front of them stands what the client sent, where the outermost proxy appends to
    that. A header that nobody counts is not there, and one that is not in *always* may
    be missing, since not every proxy sends every header.
    """
    lists: dict[str, list[str]] = {}
    for name, count in counts.items():
        if not count or (name not in always and draw(st.integers(0, 4)) == 0):
            continue
        values = st.sampled_from(VALUES[name])
        forged = draw(st.lists(values, max_size=2))
        written = draw(st.lists(values, min_size=count, max_size=count))
        lists[name] = [*forged, *written]
    return make_request(lists, secure=draw(st.booleans()))


@st.composite
def walked(
    draw: st.DrawFn,
    proxies: Sequence[str],
    *,
    header: str = FOR,
    clients: Sequence[str] = VALUES[FOR],
    strangers: Sequence[str] = ("198.51.100.99",),
    scheme: bool = True,
) -> Request:
    """
    Draw a request that went through some of the *proxies*, or that passed them by.

    Every proxy appends the address of its own peer, and the last of them is the peer
    here; the scheme is overwritten by the outermost.  A stranger who connects directly
    may send what he likes.
    """
    forged = draw(st.lists(st.sampled_from(clients), max_size=2))
    client = draw(st.sampled_from(clients))
    passed = draw(st.lists(st.sampled_from(proxies), max_size=3))
    peer = draw(st.sampled_from([*proxies, *proxies, *strangers]))
    lists = {header: [*forged, client, *passed]}
    if scheme and draw(st.booleans()):
        lists[PROTO] = [draw(st.sampled_from(VALUES[PROTO]))]
    return make_request(lists, peer=peer, secure=draw(st.booleans()))
