"""
The short responses that are made here instead of the application's.

In:  a status and a sentence, or where to go instead.
Out: an `Answer`; `send_wsgi` and `send_asgi` send it to a request, or to the handshake
     of a websocket, which is refused by it.

When to refuse or to redirect is decided elsewhere (`middleware`, `https_only`,
`mount_points`); what such a response looks like, here alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

from ._types import Environ, Receive, Scope, Send, StartResponse

#: Status of a redirect for GET and HEAD → its status for all other methods, whose
#: method and body are kept (RFC 9110 sections 15.4.8 and 15.4.9).
REDIRECT_STATUSES = {301: 308, 302: 307, 307: 307, 308: 308}

# A shared cache must not keep a refusal for others (ATTACKS S-42).
_NO_STORE = ("Cache-Control", "no-store")
#: The close code of a refused websocket: policy violation (RFC 6455 section 7.4.1).
_POLICY_VIOLATION = 1008
#: The ASGI extension by which a server lets a whole response refuse a websocket.
_DENIAL_EXTENSION = "websocket.http.response"


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What is answered instead of the application.

    Attributes:
        status: The status code.

        headers: Names and values.

        body: The body; `body_for` gives what is sent of it.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    @property
    def reason(self) -> str:
        """The reason phrase."""
        return HTTPStatus(self.status).phrase

    @property
    def status_line(self) -> str:
        """Status code and phrase, as WSGI wants them."""
        return f"{self.status} {self.reason}"

    @property
    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        """The headers as ASGI wants them."""
        return [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in self.headers
        ]

    def body_for(self, method: object) -> bytes:
        """
        Give the body for a request of *method*.

        An answer to HEAD has none; its ``Content-Length`` is that of the answer to GET
        (RFC 9110 sections 9.3.2 and 8.6).
        """
        return b"" if method == "HEAD" else self.body


def refuse(status: int, sentence: str = "", *headers: tuple[str, str]) -> Answer:
    """
    Make the short page that refuses a request; no cache may keep it.

    Args:
        status: The status code, 400 to 599.

        sentence: Why, in ASCII, for whoever sees the page; nothing of it is secret.

        headers: Further headers.
    """
    phrase = HTTPStatus(status).phrase
    text = f"{phrase}. {sentence}\n" if sentence else f"{phrase}\n"
    return _make(status, text, (*headers, _NO_STORE))


def bad_request() -> Answer:
    """Make the 400 that says no more than that."""
    return refuse(HTTPStatus.BAD_REQUEST)


def redirect(
    method: str,
    location: str,
    status: int = 301,
    sentence: str = "This page has another address.",
) -> Answer:
    """
    Make a redirect.

    Args:
        method: The method of the request; GET and HEAD get *status*.

        location: The URL to go to, in ASCII.

        status:
            301, 302, 307 or 308. Other methods get the one of these that keeps method
            and body (`REDIRECT_STATUSES`).

        sentence: What to say to whoever sees the page.
    """
    if method not in ("GET", "HEAD"):
        status = REDIRECT_STATUSES[status]
    return _make(status, f"{sentence}\n", (("Location", location),))


def _make(status: int, text: str, headers: tuple[tuple[str, str], ...]) -> Answer:
    body = text.encode("ascii")
    return Answer(
        int(status),
        (
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(body))),
            *headers,
        ),
        body,
    )


def send_wsgi(
    answer: Answer, environ: Environ, start_response: StartResponse
) -> Iterable[bytes]:
    """Send *answer* to a WSGI request: what the application would return."""
    # A server or a middleware outside may add to the list that it is given.
    start_response(answer.status_line, list(answer.headers))
    return [answer.body_for(environ.get("REQUEST_METHOD"))]


async def send_asgi(answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
    """Send *answer* to an http request, or to the handshake of a websocket."""
    if scope["type"] == "websocket":
        await receive()  # websocket.connect
        await refuse_websocket(answer, scope, send)
    else:
        await _send_as("http", answer, send, answer.body_for(scope.get("method")))


async def refuse_websocket(answer: Answer, scope: Scope, send: Send) -> None:
    """
    Send *answer* instead of accepting a websocket whose connect event was received.

    A server without the extension ``websocket.http.response`` answers 403 by itself
    when a handshake is closed before it was accepted.
    """
    if _DENIAL_EXTENSION in (scope.get("extensions") or {}):
        await _send_as("websocket.http", answer, send, answer.body)
    else:
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION})


async def _send_as(kind: str, answer: Answer, send: Send, body: bytes) -> None:
    await send(
        {
            "type": f"{kind}.response.start",
            "status": answer.status,
            "headers": answer.raw_headers,
        }
    )
    await send({"type": f"{kind}.response.body", "body": body})
