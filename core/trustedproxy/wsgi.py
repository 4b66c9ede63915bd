"""
Read a connection from a WSGI environ, write a decision back (PEP 3333).

In:  an environ as any server made it, and the compiled rules.
Out: the decision; the environ rewritten as a whole, or left as it is.

No opinion about trust lives here, only what the servers of docs/servers.md do: where
the scheme and the kind of socket can be seen when the usual keys do not tell them.
"""

from __future__ import annotations

import _socket
from operator import itemgetter
from socket import AF_UNIX
from typing import TYPE_CHECKING, Any

from .headers import Category
from .values import strip_mount_point

if TYPE_CHECKING:
    from ._types import Environ
    from .decision import Decision
    from .rules import ConnectionValues, Rules

#: Where the decision is kept, in environs and in scopes.
DECISION_KEY = "trustedproxy.decision"

# `socket.family` of the standard library makes an enum member at every look; this is
# the number below it.
_family_of = _socket.socket.family.__get__

# Classes of sockets → whether they speak TLS: `getpeercert` is what `ssl` and gevent
# have in common.
_speaks_tls: dict[type, bool] = {}


def has_unix_family(socket: Any) -> bool:
    """Say whether a server's *socket* is a unix one."""
    try:
        family = _family_of(socket)
    except TypeError:
        family = getattr(socket, "family", None)
    return bool(family == AF_UNIX)


def has_tls(socket: Any) -> bool:
    """Say whether a server's *socket* speaks TLS."""
    kind = type(socket)
    verdict = _speaks_tls.get(kind)
    if verdict is None:
        verdict = _speaks_tls[kind] = hasattr(socket, "getpeercert")
    return verdict


def is_https(value: object) -> bool:
    """Read the CGI variable ``HTTPS``."""
    return str(value).lower() in ("on", "1", "true", "yes")


#: The keys of a `Connection` but its path, in its order.
_read_all = itemgetter(
    "REMOTE_ADDR",
    "wsgi.url_scheme",
    "HTTP_HOST",
    "SERVER_NAME",
    "SERVER_PORT",
    "SCRIPT_NAME",
)


def read_connection(environ: Environ, scheme_opted_in: bool) -> ConnectionValues:
    """
    Read what the server says by itself: the values of a `Connection` but its path.

    Args:
        environ: The environ.

        scheme_opted_in:
            Whether the policy lists a scheme header.  Then the scheme is what the
            connection says (rule R19), and not what uWSGI or gunicorn took from a
            header that the policy may not know.
    """
    try:
        values: ConnectionValues = _read_all(environ)
    except KeyError:
        get = environ.get
        values = (
            get("REMOTE_ADDR"),
            get("wsgi.url_scheme", "http"),
            get("HTTP_HOST"),
            get("SERVER_NAME"),
            get("SERVER_PORT"),
            get("SCRIPT_NAME", ""),
        )
    socket = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
    if socket is None and "uwsgi.version" not in environ:
        return values
    peer, scheme, *rest = values
    if peer and has_unix_family(socket):
        # A client of a unix socket can bind its own end to a path that reads like an
        # address.
        peer = f"unix:{peer}"
    if scheme_opted_in:
        if "uwsgi.version" in environ:
            scheme = "https" if is_https(environ.get("HTTPS")) else "http"
        elif "gunicorn.socket" in environ:
            scheme = "https" if has_tls(socket) else "http"
    return values if scheme == values[1] and peer == values[0] else (peer, scheme, *rest)


def write(
    environ: Environ,
    connection: ConnectionValues,
    decision: Decision,
    rules: Rules,
    strip_path: bool,
) -> None:
    """
    Write *decision* into *environ*, and complete its `original`.

    Args:
        environ: The environ that the decision was made for.

        connection: What `read_connection` read there.

        decision: What was decided.

        rules: The rules that decided it.

        strip_path: Whether the mount point is taken off the front of ``PATH_INFO``.
    """
    original = decision[-1]
    for key in original:
        del environ[key]
    if decision.rewritten:
        for name, text in decision.rewritten.items():
            environ[rules.key_of[name]] = text
    if rules.secret_key is not None:
        environ.pop(rules.secret_key, None)
    peer, _, _, address, client_port, scheme, host, server, port, mount_point, *_ = (
        decision
    )
    if address != peer:
        original["REMOTE_ADDR"] = environ.get("REMOTE_ADDR")
        environ["REMOTE_ADDR"] = address
        # What the server said of the peer's host name and port is not the client's.
        if "REMOTE_HOST" in environ:
            original["REMOTE_HOST"] = environ.pop("REMOTE_HOST")
        if "REMOTE_PORT" in environ:
            original["REMOTE_PORT"] = environ.pop("REMOTE_PORT")
    if client_port is not None:
        original.setdefault("REMOTE_PORT", environ.get("REMOTE_PORT"))
        environ["REMOTE_PORT"] = str(client_port)
    if rules.scheme_opted_in:
        _write_scheme(environ, original, scheme)
    if host != connection[2]:
        _replace(environ, original, "HTTP_HOST", host)
    if server != connection[3]:
        _replace(environ, original, "SERVER_NAME", server)
    if port != connection[4]:
        _replace(environ, original, "SERVER_PORT", port)
    if mount_point != connection[5]:
        _replace(environ, original, "SCRIPT_NAME", mount_point)
    if strip_path and Category.MOUNT_POINT in decision.winners:
        path = environ.get("PATH_INFO", "")
        stripped = strip_mount_point(path, mount_point)
        if stripped != path:
            _replace(environ, original, "PATH_INFO", stripped)
    environ[DECISION_KEY] = decision


def _write_scheme(environ: Environ, original: dict[str, Any], scheme: str) -> None:
    """Write the scheme, and keep what says the same in step (R16)."""
    if environ.get("wsgi.url_scheme") != scheme:
        _replace(environ, original, "wsgi.url_scheme", scheme)
    if "HTTPS" in environ and is_https(environ["HTTPS"]) != (scheme == "https"):
        _replace(environ, original, "HTTPS", "on" if scheme == "https" else "off")
    if "REQUEST_SCHEME" in environ and environ["REQUEST_SCHEME"] != scheme:
        _replace(environ, original, "REQUEST_SCHEME", scheme)


def _replace(
    environ: Environ, original: dict[str, Any], key: str, value: object
) -> None:
    # What was removed a moment ago is the value before.
    original.setdefault(key, environ.get(key))
    environ[key] = value
