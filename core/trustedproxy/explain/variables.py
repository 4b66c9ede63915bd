"""
Each variable of the application, before and after.

In:  a `Case`.
Out: `Variable` records, computed by what writes the environ of a real request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..headers import environ_key
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
    before = make_environ(case)
    after = dict(before)
    case.policy.rewrite(after, case.decision)
    rows = [*_ALWAYS]
    rows += [row for row in _WHERE_THERE if row[1] in before or row[1] in after]
    return tuple(
        Variable(
            name=name,
            wsgi=wsgi,
            asgi=asgi,
            before=_show(case, before.get(wsgi)),
            after=_show(case, after.get(wsgi)),
        )
        for name, wsgi, asgi in rows
    )


def make_environ(case: Case) -> dict[str, Any]:
    """Make the environ of the request: its own, or one that a server would make."""
    request = case.request
    if request.environ is not None:
        return dict(request.environ)
    connection = request.connection
    environ = {
        environ_key(name): value
        for name, value in request.headers.items()
        # A server would have joined them, or have dropped one.
        if "_" not in name
    }
    said = {
        "REMOTE_ADDR": connection.peer,
        "wsgi.url_scheme": connection.scheme,
        "HTTP_HOST": connection.host,
        "SERVER_NAME": connection.server,
        "SERVER_PORT": None if connection.port is None else str(connection.port),
        "SCRIPT_NAME": connection.mount_point,
        "PATH_INFO": connection.path,
    }
    environ |= {key: value for key, value in said.items() if value is not None}
    return environ


def _show(case: Case, value: object) -> str | None:
    return None if value is None else case.masks.mask(str(value))
