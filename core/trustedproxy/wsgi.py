"""
Read a connection from a WSGI environ, write a decision back (PEP 3333).

In:  an environ as any server made it, and the compiled rules.
Out: the decision; the environ rewritten as a whole, or left as it is.

No opinion about trust lives here, only what the servers of docs/servers.md do: where
the scheme and the kind of socket can be seen when the usual keys do not tell them.
"""

from __future__ import annotations

import _socket
from socket import AF_UNIX
from typing import TYPE_CHECKING, Any

from .headers import Category
from .values import strip_mount_point

if TYPE_CHECKING:
    from ._types import Environ
    from .decision import Decision
    from .rules import Rules

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


def read_connection(
    environ: Environ, *, scheme_opted_in: bool
) -> tuple[str | None, str, str | None, str | None, str | None, str, str]:
    """
    Read what the server says by itself: the seven values of a `Connection`.

    Args:
        environ: The environ.

        scheme_opted_in:
            Whether the policy lists a scheme header.  Then the scheme is what the
            connection says (rule R19), and not what uWSGI or gunicorn took from a
            header that the policy may not know.
    """
    get = environ.get
    peer = get("REMOTE_ADDR")
    scheme = get("wsgi.url_scheme", "http")
    if "gunicorn.socket" in environ or "werkzeug.socket" in environ:
        socket = get("gunicorn.socket") or get("werkzeug.socket")
        if socket is not None:
            # A client of a unix socket can bind its own end to a path that reads
            # like an address.
            if peer and has_unix_family(socket):
                peer = f"unix:{peer}"
            if scheme_opted_in and "gunicorn.socket" in environ:
                scheme = "https" if has_tls(socket) else "http"
    if scheme_opted_in and "uwsgi.version" in environ:
        scheme = "https" if is_https(get("HTTPS")) else "http"
    return (
        peer,
        scheme,
        get("HTTP_HOST"),
        get("SERVER_NAME"),
        get("SERVER_PORT"),
        get("SCRIPT_NAME", ""),
        get("PATH_INFO", ""),
    )


def write(
    environ: Environ, decision: Decision, rules: Rules, *, strip_path: bool
) -> None:
    """
    Write *decision* into *environ*, and complete its `original`.

    Args:
        environ: The environ that the decision was made for.

        decision: What was decided.

        rules: The rules that decided it.

        strip_path: Whether the mount point is taken off the front of ``PATH_INFO``.
    """
    original = decision.original
    for key in original:
        del environ[key]
    for name, text in decision.rewritten.items():
        environ[rules.key_of[name]] = text
    if rules.secret_key is not None:
        environ.pop(rules.secret_key, None)
    (
        peer,
        _,
        _,
        address,
        client_port,
        scheme,
        host,
        server,
        port,
        mount_point,
        *_,
    ) = decision
    get = environ.get
    if address != peer:
        _replace(environ, original, "REMOTE_ADDR", address)
        # What the server said of the peer's host name is not the client's.
        for key in ("REMOTE_HOST", "REMOTE_PORT"):
            if key in environ:
                original[key] = environ.pop(key)
    if client_port is not None:
        _replace(environ, original, "REMOTE_PORT", str(client_port))
    if scheme != get("wsgi.url_scheme"):
        _replace(environ, original, "wsgi.url_scheme", scheme)
    if rules.scheme_opted_in:
        if "HTTPS" in environ:
            secure = scheme == "https"
            if secure != is_https(environ["HTTPS"]):
                _replace(environ, original, "HTTPS", "on" if secure else "off")
        if environ.get("REQUEST_SCHEME", scheme) != scheme:
            _replace(environ, original, "REQUEST_SCHEME", scheme)
    if host != get("HTTP_HOST"):
        _replace(environ, original, "HTTP_HOST", host)
    if server != get("SERVER_NAME"):
        _replace(environ, original, "SERVER_NAME", server)
    if port != get("SERVER_PORT"):
        _replace(environ, original, "SERVER_PORT", port)
    if mount_point != get("SCRIPT_NAME", ""):
        _replace(environ, original, "SCRIPT_NAME", mount_point)
    if strip_path and Category.MOUNT_POINT in decision.winners:
        path = get("PATH_INFO", "")
        stripped = strip_mount_point(path, mount_point)
        if stripped != path:
            _replace(environ, original, "PATH_INFO", stripped)
    environ[DECISION_KEY] = decision


def _replace(
    environ: Environ, original: dict[str, Any], key: str, value: object
) -> None:
    original[key] = environ.get(key)
    environ[key] = value
