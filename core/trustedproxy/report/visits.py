"""
A request for the page: what of it opens the page, and which request it shows.

In:  an environ or a scope, as the server made it or as a policy has rewritten it.
Out: `Visit`; and whether a request has anything at all that may open the page.

What a request says of itself is read as it came: the page has to open where nothing
else does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias
from urllib.parse import parse_qsl

from ..explain.requests import read_environ, read_scope
from ..headers import environ_key
from .restoring import restore_environ, restore_scope

if TYPE_CHECKING:
    from .._types import Environ, Scope
    from ..explain import Request
    from ..policy import ProxyPolicy
    from ..responses import Answer
    from ..settings import Settings

#: The header that holds a token, and the cookie that one was exchanged for.
TOKEN_HEADER = "Trusted-Proxy-Token"
COOKIE = "trustedproxy_page"
#: The query that asks for the form in which a token is entered.
TOKEN_QUERY = "token"
#: Bytes of a form at the most.
MOST_BYTES = 65_536
#: Fields of a form at the most; the page's own has fewer.
MOST_FIELDS = 32

_TOKEN_KEY = environ_key(TOKEN_HEADER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """
    A request for the page.

    Attributes:
        method: Its method.

        query: Its query as it came.

        token: The token in its header, or ``None``.

        cookies: What its ``Cookie`` header says, or nothing.

        accept: What its ``Accept`` header says, or nothing.

        origin: What its ``Origin`` header says, or nothing.

        secure: Whether the application takes it for secure.

        fields: The fields of the form that it sent.

        read: Reads the request that the page explains, as it came.
    """

    method: str = "GET"
    query: str = ""
    token: str | None = None
    cookies: str = ""
    accept: str = ""
    origin: str = ""
    secure: bool = False
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)
    read: Callable[[], Request] = field(repr=False)

    @property
    def session(self) -> str:
        """What the page's cookie holds, or nothing."""
        # Read here, in proportion to its length: ours is never in quotes, so that no
        # reader of quoted cookies is needed.
        pairs = [pair.partition("=") for pair in self.cookies.split(";")]
        found = [value for name, _, value in pairs if name.strip() == COOKIE]
        return found[-1].strip() if found else ""

    @property
    def wants_json(self) -> bool:
        """Whether it asks for JSON rather than for a page."""
        return self.accept.partition(",")[0].strip().startswith("application/json")

    @property
    def asks_for_form(self) -> bool:
        """Whether it asks for the form in which a token is entered."""
        return self.query == TOKEN_QUERY


class AnswersVisits(Protocol):
    """What the ways to the page ask of a `Page`."""

    @property
    def settings(self) -> Settings:
        """What is in force."""
        ...

    def answer(self, visit: Visit, *, admitted: str | None = None) -> Answer:
        """Answer a request for the page."""
        ...

    def answer_early(self, visit: Visit) -> Answer | None:
        """Answer it before anything else does, or leave it alone."""
        ...


#: Makes a page; called once it is clear that somebody asks for it.
MakesPage: TypeAlias = "Callable[[], AnswersVisits]"


def may_open_environ(environ: Environ) -> bool:
    """Say whether a request has anything that the page opens with."""
    return (
        environ.get("QUERY_STRING") == TOKEN_QUERY
        or _TOKEN_KEY in environ
        or f"{COOKIE}=" in environ.get("HTTP_COOKIE", "")
    )


def may_open_scope(scope: Scope) -> bool:
    """Say the same of an ASGI scope."""
    headers = _list_headers(scope)
    return (
        scope.get("query_string") == TOKEN_QUERY.encode()
        or TOKEN_HEADER.lower() in headers
        or f"{COOKIE}=" in headers.get("cookie", "")
    )


def read_visit_of_environ(
    policy: ProxyPolicy, environ: Environ, fields: Mapping[str, str] | None = None
) -> Visit:
    """
    Read a request for the page of an *environ*.

    Args:
        policy: The policy that is in force, for what it has rewritten.

        environ: It is not changed; its body is not read.

        fields: The fields of its form, as far as somebody has read it.
    """
    return Visit(
        method=str(environ.get("REQUEST_METHOD", "GET")),
        query=environ.get("QUERY_STRING", ""),
        token=environ.get(_TOKEN_KEY),
        cookies=environ.get("HTTP_COOKIE", ""),
        accept=environ.get("HTTP_ACCEPT", ""),
        origin=environ.get("HTTP_ORIGIN", ""),
        secure=environ.get("wsgi.url_scheme") == "https",
        fields=fields or {},
        read=lambda: read_environ(policy, restore_environ(policy, environ)),
    )


def read_visit_of_scope(
    policy: ProxyPolicy, scope: Scope, fields: Mapping[str, str] | None = None
) -> Visit:
    """Read a request for the page of an http *scope*; as `read_visit_of_environ`."""
    headers = _list_headers(scope)
    return Visit(
        method=str(scope.get("method", "GET")),
        query=(scope.get("query_string") or b"").decode("latin-1"),
        token=headers.get(TOKEN_HEADER.lower()),
        cookies=headers.get("cookie", ""),
        accept=headers.get("accept", ""),
        origin=headers.get("origin", ""),
        secure=scope.get("scheme") == "https",
        fields=fields or {},
        read=lambda: read_scope(policy, restore_scope(policy, scope)),
    )


def read_length(text: str | None) -> int:
    """Read the length of a form's body; 0 where it is none, or longer than ours."""
    # A number of many digits is refused by `int` itself.
    if text is None or not (text.isascii() and text.isdecimal() and len(text) < 10):
        return 0
    length = int(text)
    return length if length <= MOST_BYTES else 0


def read_fields(body: bytes) -> dict[str, str]:
    """Read the fields of a form; nothing where it cannot be one of ours."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            max_num_fields=MOST_FIELDS,
            errors="replace",
        )
    except ValueError:
        return {}
    return dict(pairs)


def _list_headers(scope: Scope) -> dict[str, str]:
    """List the headers: name in lower case → value, lines of cookies joined."""
    headers: dict[str, str] = {}
    for wire, value in scope.get("headers") or ():
        name, text = wire.decode("latin-1").lower(), value.decode("latin-1")
        # HTTP/2 may send cookies in several lines (RFC 9113 section 8.2.3).
        headers[name] = f"{headers[name]}; {text}" if name in headers else text
    return headers
