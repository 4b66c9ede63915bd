"""
The page in the way of ASGI: to mount, or around a whole application.

In:  http scopes; others pass.
Out: as of `wsgi`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

from ..responses import Answer, refuse, send_asgi
from ..wsgi_text import list_spellings
from .visits import MOST_BYTES, may_open_scope, read_fields, read_visit_of_scope
from .wsgi import log_failure

if TYPE_CHECKING:
    from .._types import ASGIApp, Message, Receive, Scope, Send
    from .visits import AnswersVisits, MakesPage, Visit

#: How a visit is answered: in place, or in a thread of a framework's choice.
Run: TypeAlias = (
    "Callable[[Callable[[Visit], Answer | None], Visit], Awaitable[Answer | None]]"
)

_NO_WEBSOCKET = refuse(404, "There is no websocket here.")


async def run_in_place(
    answer: Callable[[Visit], Answer | None], visit: Visit
) -> Answer | None:
    """Answer here and now, which takes milliseconds."""
    return answer(visit)


class PageASGIApplication:
    """
    The page alone, as an application to mount: websockets are refused.

    Args:
        page: The page.
    """

    def __init__(self, page: AnswersVisits) -> None:
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send_asgi(_NO_WEBSOCKET, scope, receive, send)
        if scope["type"] != "http":
            return
        policy = self._page.settings.policy
        body, _ = await read_body(scope, receive)
        visit = read_visit_of_scope(policy, scope, read_fields(body))
        await send_asgi(self._page.answer(visit), scope, receive, send)


class PageASGIEntrance:
    """
    Answers for the page before anything else does; other requests cost a comparison.

    Args:
        app: The whole application.

        page: The page.

        path: As of `wsgi.PageEntrance`.
    """

    def __init__(self, app: ASGIApp, page: AnswersVisits, path: str) -> None:
        self.app: ASGIApp = app
        self._page = page
        self._ends = list_spellings(path)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path", "").endswith(self._ends) and scope["type"] == "http":
            answer, receive = await answer_early(lambda: self._page, scope, receive)
            if answer is not None:
                await send_asgi(answer, scope, receive, send)
                return
        await self.app(scope, receive, send)


async def answer_early(
    make_page: MakesPage, scope: Scope, receive: Receive, run: Run = run_in_place
) -> tuple[Answer | None, Receive]:
    """
    Answer for the page, if the request has what opens it; else leave it alone.

    Returns:
        The answer or ``None``; and what the application receives the body with.
    """
    try:
        if not may_open_scope(scope):
            return None, receive
        page = make_page()
        body, receive = await read_body(scope, receive)
        fields = read_fields(body)
        visit = read_visit_of_scope(page.settings.policy, scope, fields)
        return await run(page.answer_early, visit), receive
    except Exception as error:
        log_failure(error)
        return None, receive


async def read_body(scope: Scope, receive: Receive) -> tuple[bytes, Receive]:
    """
    Read the body of a form, as far as the page's own could be long.

    Returns:
        The body, nothing where it is too long; and what gives the same events again.
    """
    if scope.get("method") != "POST":
        return b"", receive
    seen: list[Message] = []
    parts: list[bytes] = []
    length, more = 0, True
    while more and length <= MOST_BYTES:
        message = await receive()
        seen.append(message)
        parts.append(message.get("body", b""))
        length += len(parts[-1])
        more = message.get("more_body", False)

    async def receive_again() -> Message:
        return seen.pop(0) if seen else await receive()

    return (b"".join(parts) if length <= MOST_BYTES else b""), receive_again
