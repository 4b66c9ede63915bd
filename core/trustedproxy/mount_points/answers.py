"""
The responses that are made here, because no backend was asked or none answered.

In:  a status and a sentence, an error of a backend, or where to go instead.
Out: an `Answer`: a short page that gives nothing of the backend away, or a redirect.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from .heads import Answer

if TYPE_CHECKING:
    from .heads import BackendError, ClientSide, RequestHead


def refuse(status: HTTPStatus, sentence: str) -> Answer:
    """Make the short page that refuses a request."""
    body = f"{status.phrase}. {sentence}\n".encode("ascii")
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
    ]
    return Answer(status.value, status.phrase, headers, body)


def answer_error(error: BackendError) -> Answer:
    """Make the short page for a backend that is down or slow; it gives nothing away."""
    if error.status is HTTPStatus.GATEWAY_TIMEOUT:
        return refuse(error.status, "What is behind this path took too long.")
    return refuse(error.status, "What is behind this path does not answer.")


def redirect(head: RequestHead, client: ClientSide, target: str) -> Answer:
    """Lead the client to *target*, a path with its query, on the host it asked for."""
    keeps_method = head.method not in ("GET", "HEAD")
    status = (
        HTTPStatus.PERMANENT_REDIRECT if keeps_method else HTTPStatus.MOVED_PERMANENTLY
    )
    location = f"{client.scheme}://{client.host}{target}"
    headers = [("Location", location), ("Content-Length", "0")]
    return Answer(status.value, status.phrase, headers, b"")
