"""
Each variable of the application, before and after.

In:  a `Case`.
Out: `Variable` records, computed by what writes the environ of a real request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .records import Variable

if TYPE_CHECKING:
    from .case import Case

#: Name → key of the environ, place in a scope; those that are always shown.
_ALWAYS: tuple[tuple[str, str, str | None], ...] = (
    ("client address", "REMOTE_ADDR", "client[0]"),
    ("scheme", "wsgi.url_scheme", "scheme"),
    ("host", "HTTP_HOST", "headers: host"),
    ("server name", "SERVER_NAME", "server[0]"),
    ("port", "SERVER_PORT", "server[1]"),
    ("mount point", "SCRIPT_NAME", "root_path"),
    ("path", "PATH_INFO", "path"),
)
#: The same for those that are shown where there is something to show.
_WHERE_THERE: tuple[tuple[str, str, str | None], ...] = (
    ("client port", "REMOTE_PORT", "client[1]"),
    ("client name", "REMOTE_HOST", None),
    ("HTTPS flag", "HTTPS", None),
    ("request scheme", "REQUEST_SCHEME", None),
)


def list_variables(case: Case) -> tuple[Variable, ...]:
    """List the variables, by what the policy writes into a copy of the environ."""
    before, after = case.before, case.after
    rows = [*_ALWAYS]
    rows += [row for row in _WHERE_THERE if row[1] in before or row[1] in after]
    return tuple(
        Variable(
            name=name,
            wsgi=wsgi,
            asgi=asgi,
            before=_show(before.get(wsgi)),
            after=_show(after.get(wsgi)),
        )
        for name, wsgi, asgi in rows
    )


def _show(value: object) -> str | None:
    return None if value is None else str(value)
