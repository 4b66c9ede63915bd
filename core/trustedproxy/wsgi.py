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

from .decision import DECISION_KEY, REPORT_KEY
from .headers import Category
from .parsing.values import strip_mount_point

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._types import Environ
    from .decision import Decision, Own
    from .rules import Rules

#: Where gunicorn and Werkzeug show the socket of the connection.
GUNICORN_SOCKET = "gunicorn.socket"
WERKZEUG_SOCKET = "werkzeug.socket"
#: What uWSGI alone has.
UWSGI = "uwsgi.version"
#: Where Werkzeug's ProxyFix keeps what it replaced.
PROXY_FIX_KEY = "werkzeug.proxy_fix.orig"

_OF_THE_PEER = ("REMOTE_HOST", "REMOTE_PORT")
_SECURE = "HTTPS"
_SCHEME = "REQUEST_SCHEME"
#: What is looked at besides headers: what some servers set, and others left behind.
SURFACE = frozenset(
    {
        GUNICORN_SOCKET,
        WERKZEUG_SOCKET,
        UWSGI,
        PROXY_FIX_KEY,
        DECISION_KEY,
        REPORT_KEY,
        _SECURE,
        _SCHEME,
        *_OF_THE_PEER,
    }
)

# Not every system has unix sockets.
_AF_UNIX = getattr(_sockets, "AF_UNIX", None)
# `socket.family` makes an enum member at every look; this is the number below it.
_family_of = _socket.socket.family.__get__

# The fields of `Connection`, in their order, of an environ that has them all.
_get_own: Callable[[Environ], Own] = itemgetter(
    "REMOTE_ADDR",
    "wsgi.url_scheme",
    "HTTP_HOST",
    "SERVER_NAME",
    "SERVER_PORT",
    "SCRIPT_NAME",
    "PATH_INFO",
)


class EnvironSurface:
    """
    Environs, for one policy.

    Args:
        rules: The compiled policy.

        strip_path: Whether the mount point is taken off the front of ``PATH_INFO``.
    """

    def __init__(self, rules: Rules, *, strip_path: bool) -> None:
        self._key_of = rules.key_of
        self._secret_key = rules.secret_key
        self._scheme_opted_in = Category.SCHEME in rules.opted_in
        self._strip_path = strip_path

    def read(
        self, environ: Environ, surface: frozenset[str]
    ) -> tuple[Own, bool | None]:
        """
        Read what the server says by itself.

        Args:
            environ: The environ.

            surface: Which of the keys of `SURFACE` are there.

        Returns:
            The fields of `Connection`.
        """
        try:
            own = _get_own(environ)
        except KeyError:
            own = _read_incomplete(environ)
        # A server may show more than the usual keys do, or not even the peer.
        if surface or environ.get("REMOTE_ADDR") is None:
            return self._look_closer(environ, own)
        return own, None

    def _look_closer(self, environ: Environ, own: Own) -> tuple[Own, bool | None]:
        """
        Look at what only some servers show: sockets, and uWSGI's own variables.

        Where the policy says the scheme (rule R19), it is what the connection says, and
        not what uWSGI or gunicorn took from a header that the policy may not know.
        """
        peer, scheme, host, server, port, mount_point, path = own
        socket = environ.get(GUNICORN_SOCKET)
        shown = scheme
        if self._scheme_opted_in:
            if UWSGI in environ:
                shown = "https" if is_https(environ.get("HTTPS")) else "http"
            elif socket is not None:
                # TLS, as the sockets of `ssl` and gevent show it.
                shown = "https" if hasattr(socket, "getpeercert") else "http"
        if shown != scheme:
            own = (peer, shown, host, server, port, mount_point, path)
        return own, shows_unix(environ)

    def write(
        self, environ: Environ, surface: frozenset[str], decision: Decision
    ) -> None:
        """
        Write *decision* into *environ*, and what was there before into the decision.

        Args:
            environ: The environ.

            surface: Which of the keys of `SURFACE` are there.

            decision: What was decided; its ``original`` is filled.
        """
        original, parts = decision.original, decision.url_parts
        for key in parts.gone:
            original[key] = environ.pop(key)
        if self._secret_key is not None:
            environ.pop(self._secret_key, None)
        if decision.text is not None:
            key = self._key_of[decision.verdict.header]
            _replace(environ, original, key, decision.text)
        was = environ.get("REMOTE_ADDR")
        if was != decision.address:
            original["REMOTE_ADDR"] = was
            environ["REMOTE_ADDR"] = decision.address
            # What the server said of the peer goes (rule R10).
            for key in _OF_THE_PEER:
                if key in surface:
                    original[key] = environ.pop(key)
        if decision.client_port is not None:
            _replace(environ, original, "REMOTE_PORT", str(decision.client_port))
        for key, value in parts.variables:
            was = environ.get(key)
            if was != value:
                original[key] = was
                environ[key] = value
        if self._strip_path:
            mount_point, path = parts.get("mount_point"), environ.get("PATH_INFO")
            if mount_point is not None and path is not None:
                path = strip_mount_point(path, mount_point)
                _replace(environ, original, "PATH_INFO", path)
        if self._scheme_opted_in:
            if not parts.says_scheme:
                # The connection's own, where nothing says another (rule R19).
                _, scheme, _, _, _, _, _ = decision.own
                if environ.get("wsgi.url_scheme") != scheme:
                    _replace(environ, original, "wsgi.url_scheme", scheme)
            if _SECURE in surface or _SCHEME in surface:
                _write_doubles(environ, decision)

    def remove_secret(self, environ: Environ) -> None:
        """Remove the secret, which nobody is to see."""
        if self._secret_key is not None:
            environ.pop(self._secret_key, None)


def _read_incomplete(environ: Environ) -> Own:
    """Read an environ without some of the usual keys."""
    get = environ.get
    return (
        get("REMOTE_ADDR"),
        get("wsgi.url_scheme", "http"),
        get("HTTP_HOST"),
        get("SERVER_NAME"),
        get("SERVER_PORT"),
        get("SCRIPT_NAME", ""),
        get("PATH_INFO", ""),
    )


def _write_doubles(environ: Environ, decision: Decision) -> None:
    """Write what says the same as the scheme, where the server set it (R16)."""
    original = decision.original
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
        try:
            family = _family_of(socket)
        except TypeError:
            family = getattr(socket, "family", None)
        return _AF_UNIX is not None and bool(family == _AF_UNIX)
    if environ.get("REMOTE_ADDR") is None:
        return "/" in (environ.get("SERVER_NAME") or "")
    return None


def is_https(value: object) -> bool:
    """Read the CGI variable ``HTTPS``."""
    return str(value).lower() in ("on", "1", "true", "yes")
