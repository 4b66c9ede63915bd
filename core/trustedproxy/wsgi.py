"""
Read a connection and headers from a WSGI environ, write a decision back (PEP 3333).

In:  an environ as any server made it.
Out: what `rules` decides by; the environ rewritten in place.

No opinion about trust lives here, only what the servers of docs/servers.md do: where
the scheme and the kind of socket can be seen when the usual keys do not show them.
"""

from __future__ import annotations

import _socket
import socket as _sockets
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from .decision import Connection
from .headers import Category
from .parsing.values import strip_mount_point

if TYPE_CHECKING:
    from ._types import Environ
    from .decision import Decision
    from .rules import Rules

#: Where gunicorn and Werkzeug show the socket of the connection.
GUNICORN_SOCKET = "gunicorn.socket"
WERKZEUG_SOCKET = "werkzeug.socket"
#: What uWSGI alone has.
UWSGI = "uwsgi.version"
#: Where Werkzeug's ProxyFix keeps what it replaced.
PROXY_FIX_KEY = "werkzeug.proxy_fix.orig"

_OF_THE_PEER = ("REMOTE_HOST", "REMOTE_PORT")

# Not every system has unix sockets.
_AF_UNIX = getattr(_sockets, "AF_UNIX", None)
# `socket.family` makes an enum member at every look; this is the number below it.
_family_of = _socket.socket.family.__get__

_get_usual_keys = itemgetter(
    "REMOTE_ADDR",
    "wsgi.url_scheme",
    "HTTP_HOST",
    "SERVER_NAME",
    "SERVER_PORT",
    "SCRIPT_NAME",
    "PATH_INFO",
)
#: Field of `Connection` → its key in an environ.
KEY_OF = {
    "scheme": "wsgi.url_scheme",
    "host": "HTTP_HOST",
    "server": "SERVER_NAME",
    "port": "SERVER_PORT",
    "mount_point": "SCRIPT_NAME",
}


class EnvironSurface:
    """
    Environs, for one policy.

    Args:
        rules: The policy, compiled for `environ_key`.

        strip_path: Whether the mount point is taken off the front of ``PATH_INFO``.
    """

    def __init__(self, rules: Rules, *, strip_path: bool) -> None:
        self._key_of = rules.key_of
        self._secret_key = rules.secret_key
        self._scheme_opted_in = Category.SCHEME in rules.opted_in
        self._strip_path = strip_path

    def read(self, environ: Environ) -> Connection:
        """
        Read what the server says by itself.

        Where the policy says the scheme (rule R19), it is what the connection says, and
        not what uWSGI or gunicorn took from a header that the policy may not know.
        """
        try:
            connection = Connection(*_get_usual_keys(environ))
        except KeyError:
            connection = _read_incomplete(environ)
        if (
            GUNICORN_SOCKET in environ
            or UWSGI in environ
            or WERKZEUG_SOCKET in environ
            or connection.peer is None
        ):
            self._look_at_socket(environ, connection)
        return connection

    def _look_at_socket(self, environ: Environ, connection: Connection) -> None:
        """Correct the usual keys by what the server shows besides (R3, R19)."""
        connection.peer_is_unix = shows_unix(environ)
        if self._scheme_opted_in:
            if UWSGI in environ:
                secure = is_https(environ.get("HTTPS"))
                connection.scheme = "https" if secure else "http"
            elif (gunicorn := environ.get(GUNICORN_SOCKET)) is not None:
                connection.scheme = "https" if has_tls(gunicorn) else "http"

    def write(self, environ: Environ, decision: Decision) -> dict[str, Any]:
        """
        Write *decision* into *environ*.

        Returns:
            Variable → its value before, for what was replaced or removed.
        """
        original: dict[str, Any] = {}
        for key in decision.gone:
            original[key] = environ.pop(key)
        if self._secret_key is not None:
            environ.pop(self._secret_key, None)
        finding, parts = decision.finding, decision.url_parts
        if parts.rewritten or finding.text != finding.value:
            for name, text in decision.rewritten.items():
                _replace(environ, original, self._key_of[name], text)
        hop = finding.confirmed
        if hop is not None:
            if environ.get("REMOTE_ADDR") != hop.address:
                original["REMOTE_ADDR"] = environ.get("REMOTE_ADDR")
                environ["REMOTE_ADDR"] = hop.address
                # What the server said of the peer goes (rule R10).
                for key in _OF_THE_PEER:
                    if key in environ:
                        original[key] = environ.pop(key)
            if hop.port is not None:
                _replace(environ, original, "REMOTE_PORT", str(hop.port))
        for part, value in parts.said:
            key = KEY_OF[part]
            if environ.get(key) != value:
                original[key] = environ.get(key)
                environ[key] = value
            if part == "mount_point" and self._strip_path:
                path = environ.get("PATH_INFO")
                if path is not None:
                    path = strip_mount_point(path, value)
                _replace(environ, original, "PATH_INFO", path)
        if self._scheme_opted_in:
            # The connection's own, where nothing says another (rule R19).
            own = decision.connection.scheme
            if not parts.says_scheme and environ.get("wsgi.url_scheme") != own:
                _replace(environ, original, "wsgi.url_scheme", own)
            if "HTTPS" in environ or "REQUEST_SCHEME" in environ:
                _write_doubles(environ, original, decision)
        return original

    def remove_secret(self, environ: Environ) -> None:
        """Remove the secret, which nobody is to see."""
        if self._secret_key is not None:
            environ.pop(self._secret_key, None)


def _read_incomplete(environ: Environ) -> Connection:
    """Read an environ without some of the usual keys."""
    get = environ.get
    return Connection(
        get("REMOTE_ADDR"),
        get("wsgi.url_scheme", "http"),
        get("HTTP_HOST"),
        get("SERVER_NAME"),
        get("SERVER_PORT"),
        get("SCRIPT_NAME", ""),
        get("PATH_INFO", ""),
    )


def _write_doubles(
    environ: Environ, original: dict[str, Any], decision: Decision
) -> None:
    """Write what says the same as the scheme, where the server set it (R16)."""
    is_decided = decision.peer_trusted and decision.rejected is None
    # Where nothing was decided, what the server says by itself stays as it is.
    if is_decided or "wsgi.url_scheme" in original:
        scheme = environ["wsgi.url_scheme"]
        if "HTTPS" in environ and is_https(environ["HTTPS"]) != (scheme == "https"):
            secure = "on" if scheme == "https" else "off"
            _replace(environ, original, "HTTPS", secure)
        if "REQUEST_SCHEME" in environ:
            _replace(environ, original, "REQUEST_SCHEME", scheme)


def _replace(
    environ: Environ, original: dict[str, Any], key: str, value: object
) -> None:
    """Write *value* at *key*, and keep what was there before all changes."""
    was = environ.get(key)
    if was != value:
        original.setdefault(key, was)
        environ[key] = value


def shows_unix(environ: Environ) -> bool | None:
    """
    Say whether the peer came over a unix socket, where the server shows it.

    Returns:
        ``None`` where only the peer's text can show it.
    """
    socket = environ.get(GUNICORN_SOCKET) or environ.get(WERKZEUG_SOCKET)
    if socket is not None:
        # A client of a unix socket can bind its own end to a path that reads like an
        # address.
        return has_unix_family(socket)
    if environ.get("REMOTE_ADDR") is None:
        return "/" in (environ.get("SERVER_NAME") or "")
    return None


def has_unix_family(socket: Any) -> bool:
    """Say whether a server's *socket* is a unix one."""
    try:
        family = _family_of(socket)
    except TypeError:
        family = getattr(socket, "family", None)
    return _AF_UNIX is not None and bool(family == _AF_UNIX)


def has_tls(socket: Any) -> bool:
    """Say whether a server's *socket* speaks TLS, as `ssl` and gevent show it."""
    return hasattr(socket, "getpeercert")


def is_https(value: object) -> bool:
    """Read the CGI variable ``HTTPS``."""
    return str(value).lower() in ("on", "1", "true", "yes")
