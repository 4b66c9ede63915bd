"""
Read a connection from a WSGI environ, write a decision back (PEP 3333).

In:  an environ as any server made it, and the compiled rules.
Out: the decision; the environ rewritten as a whole, or left as it is.

No opinion about trust lives here, only what the servers of docs/servers.md do: where
the scheme and the kind of socket can be seen when the usual keys do not tell them.
"""

from __future__ import annotations

import _socket
import socket as _sockets
from operator import itemgetter
from typing import TYPE_CHECKING, Any, cast

from .parsing.values import strip_mount_point

if TYPE_CHECKING:
    from ._types import Environ
    from .decision import Decision
    from .parsing.addresses import Hop
    from .rules import ConnectionValues, Rules

#: Where the decision is kept, in environs and in scopes.
DECISION_KEY = "trustedproxy.decision"
#: Where gunicorn shows its socket.
SOCKET_KEY = "gunicorn.socket"
#: Where Werkzeug's ProxyFix keeps what it replaced.
PROXY_FIX_KEY = "werkzeug.proxy_fix.orig"

# Not every system has unix sockets.
_AF_UNIX = getattr(_sockets, "AF_UNIX", None)

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
    return _AF_UNIX is not None and bool(family == _AF_UNIX)


def has_tls(socket: Any) -> bool:
    """Say whether a server's *socket* speaks TLS."""
    kind = type(socket)
    verdict = _speaks_tls.get(kind)
    if verdict is None:
        verdict = _speaks_tls[kind] = hasattr(socket, "getpeercert")
    return verdict


def is_plain(socket: Any, environ: Environ) -> bool:
    """Say whether a TCP *socket* without TLS agrees with the scheme in *environ*."""
    return (
        environ.get("wsgi.url_scheme") == "http"
        and not has_unix_family(socket)
        and not has_tls(socket)
    )


def is_https(value: object) -> bool:
    """Read the CGI variable ``HTTPS``."""
    return str(value).lower() in ("on", "1", "true", "yes")


#: The keys of a `Connection` but its path, in its order.
CONNECTION_KEYS = (
    "REMOTE_ADDR",
    "wsgi.url_scheme",
    "HTTP_HOST",
    "SERVER_NAME",
    "SERVER_PORT",
    "SCRIPT_NAME",
)
_read_all = itemgetter(*CONNECTION_KEYS)


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
    if not (
        SOCKET_KEY in environ
        or "uwsgi.version" in environ
        or "werkzeug.socket" in environ
    ):
        return values
    socket = environ.get(SOCKET_KEY) or environ.get("werkzeug.socket")
    peer, scheme = values[:2]
    if peer and socket is not None and has_unix_family(socket):
        # A client of a unix socket can bind its own end to a path that reads like an
        # address.
        peer = f"unix:{peer}"
    if scheme_opted_in:
        if "uwsgi.version" in environ:
            scheme = "https" if is_https(environ.get("HTTPS")) else "http"
        elif socket is not None and SOCKET_KEY in environ:
            scheme = "https" if has_tls(socket) else "http"
    if scheme == values[1] and peer == values[0]:
        return values
    return peer, scheme, *values[2:]


def write(
    environ: Environ,
    connection: ConnectionValues,
    decision: Decision,
    rules: Rules,
    strip_path: bool,
) -> None:
    """
    Write *decision* into *environ*, and complete what it has kept.

    Args:
        environ: The environ that the decision was made for.

        connection: What `read_connection` read there.

        decision: What was decided.

        rules: The rules that decided it.

        strip_path: Whether the mount point is taken off the front of ``PATH_INFO``.
    """
    _, finding, (_, beside, rewritten, _, _, keys, _), kept = decision
    original = cast("dict[str, Any]", kept)
    for key in original:
        del environ[key]
    if rewritten:
        for name, text in rewritten.items():
            environ[keys[name]] = text
    if rules.secret_key is not None:
        environ.pop(rules.secret_key, None)
    scheme = connection[1]
    if beside is not None:
        if finding is not None and (hop := finding[1]) is not None:
            write_address(environ, original, hop, connection[0])
        said, host, server, port, mount_point = beside[:5]
        if said is not None:
            scheme = said
        if host is not None and host != connection[2]:
            _replace(environ, original, "HTTP_HOST", host)
        if server is not None and server != connection[3]:
            _replace(environ, original, "SERVER_NAME", server)
        if port is not None and port != connection[4]:
            _replace(environ, original, "SERVER_PORT", port)
        if mount_point is not None:
            if mount_point != connection[5]:
                _replace(environ, original, "SCRIPT_NAME", mount_point)
            if strip_path:
                path = environ.get("PATH_INFO", "")
                stripped = strip_mount_point(path, mount_point)
                if stripped != path:
                    _replace(environ, original, "PATH_INFO", stripped)
    if rules.scheme_opted_in:
        replaced = environ.get("wsgi.url_scheme") != scheme
        if replaced:
            _replace(environ, original, "wsgi.url_scheme", scheme)
        # Where nothing was trusted, what the server says stays as it is.
        if (replaced or beside is not None) and (
            "HTTPS" in environ or "REQUEST_SCHEME" in environ
        ):
            _keep_in_step(environ, original, scheme)
    environ[DECISION_KEY] = decision


def write_address(
    environ: Environ, original: dict[str, Any], hop: Hop, peer: str | None
) -> None:
    """Write the address of *hop*; what the server said of *peer* goes."""
    address, port, _ = hop
    if address != peer:
        original["REMOTE_ADDR"] = environ.get("REMOTE_ADDR")
        environ["REMOTE_ADDR"] = address
        if "REMOTE_HOST" in environ:
            original["REMOTE_HOST"] = environ.pop("REMOTE_HOST")
        if "REMOTE_PORT" in environ:
            original["REMOTE_PORT"] = environ.pop("REMOTE_PORT")
    if port is not None:
        original.setdefault("REMOTE_PORT", environ.get("REMOTE_PORT"))
        environ["REMOTE_PORT"] = str(port)


def _keep_in_step(environ: Environ, original: dict[str, Any], scheme: str) -> None:
    """Write what says the same as the scheme, where the server set it (R16)."""
    secure = scheme == "https"
    if "HTTPS" in environ and is_https(environ["HTTPS"]) != secure:
        _replace(environ, original, "HTTPS", "on" if secure else "off")
    if environ.get("REQUEST_SCHEME", scheme) != scheme:
        _replace(environ, original, "REQUEST_SCHEME", scheme)


def _replace(
    environ: Environ, original: dict[str, Any], key: str, value: object
) -> None:
    # What was removed a moment ago is the value before.
    original.setdefault(key, environ.get(key))
    environ[key] = value
