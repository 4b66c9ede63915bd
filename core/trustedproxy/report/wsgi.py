"""
The page in the way of WSGI: to mount, or around a whole application.

In:  environs.
Out: the page's answers; and the application's own, for every other request.

What goes wrong here is logged, and the application answers as if there were no page.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from ..log import is_due, logger
from ..responses import send_wsgi
from ..wsgi_text import list_spellings
from .visits import may_open_environ, read_fields, read_length, read_visit_of_environ

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .._types import Environ, StartResponse, WSGIApp
    from ..responses import Answer
    from .visits import AnswersVisits, MakesPage

_CODE = "page-failed"


class PageApplication:
    """
    The page alone, as an application to mount.

    Args:
        page: The page.
    """

    def __init__(self, page: AnswersVisits) -> None:
        self._page = page

    def __call__(
        self, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        policy = self._page.settings.policy
        fields = read_fields(read_body(environ))
        visit = read_visit_of_environ(policy, environ, fields)
        return send_wsgi(self._page.answer(visit), environ, start_response)


class PageEntrance:
    """
    Answers for the page before anything else does; other requests cost a comparison.

    Args:
        app: The whole application.

        page: The page.

        path:
            What the path of a request for the page ends with: a mount point that is
            there too often does not keep the page from being found.
    """

    def __init__(self, app: WSGIApp, page: AnswersVisits, path: str) -> None:
        self.app: WSGIApp = app
        self._page = page
        self._ends = list_spellings(path)

    def __call__(
        self, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        if environ.get("PATH_INFO", "").endswith(self._ends):
            answer = answer_early(lambda: self._page, environ)
            if answer is not None:
                return send_wsgi(answer, environ, start_response)
        return self.app(environ, start_response)


def answer_early(make_page: MakesPage, environ: Environ) -> Answer | None:
    """
    Answer for the page, if the request has what opens it; else leave it alone.

    Whatever fails, the request goes on as it came, its body too.
    """
    try:
        if not may_open_environ(environ):
            return None
        page = make_page()
        body = read_body(environ)
        if body:
            environ["wsgi.input"] = BytesIO(body)
        fields = read_fields(body)
        visit = read_visit_of_environ(page.settings.policy, environ, fields)
        return page.answer_early(visit)
    except Exception as error:
        log_failure(error)
        return None


def log_failure(error: Exception) -> None:
    """Log a mistake in the page and where it is, at most once a minute: see `log`."""
    if is_due(_CODE, None):
        extra = {"code": _CODE, "header": None, "peer": None}
        logger.exception("trustedproxy: the page failed: %s", error, extra=extra)


def read_body(environ: Environ) -> bytes:
    """Read the body of a form; nothing of one that is longer than the page's own."""
    if environ.get("REQUEST_METHOD") != "POST":
        return b""
    length = read_length(environ.get("CONTENT_LENGTH"))
    if not length:
        return b""
    body: bytes = environ["wsgi.input"].read(length)
    return body
