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

from .headers import Category
from .parsing.values import strip_mount_point
from .server_keys import (
    GUNICORN_SOCKET,
    HTTPS,
    OWN_KEYS,
    REQUEST_SCHEME,
    UWSGI,
    WERKZEUG_SOCKET,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._types import Environ
    from .decision import Decision, Own
    from .rules import Rules
    from .server_keys import ServerKeys

# Not every system has unix sockets.
_AF_UNIX = int(getattr(_sockets, "AF_UNIX", -1))
# `socket.family` makes an enum member at every look; this is the number below it.
_family_of = _socket.socket.family.__get__

# The fields of `Connection`, in their order, of an environ that has them all.
_read_own: Callable[[Environ], Own] = itemgetter(*OWN_KEYS)


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

    def read(self, environ: Environ, keys: ServerKeys) -> tuple[Own, bool | None]:
        """
        Read what the server says by itself, and what only some servers show.

        Where the scheme is opted in (rule R19), it is what the connection says, and not
        what uWSGI or gunicorn took from a header that the policy may not know.

        Args:
            environ: The environ.

            keys: What the server set there.

        Returns:
            The fields of `Connection`, and whether the peer came over a unix socket.
        """
        if keys.are_usual and environ["REMOTE_ADDR"] is not None:
            return _read_own(environ), None
        own = _read_incomplete(environ) if keys.lack_own else _read_own(environ)
        if self._scheme_opted_in:
            said: str = environ.get("wsgi.url_scheme", "http")
            shown = said
            socket = environ.get(GUNICORN_SOCKET)
            if UWSGI in environ:
                is_tls = HTTPS in environ and is_https(environ[HTTPS])
                shown = "https" if is_tls else "http"
            elif socket is not None:
                # TLS, as the sockets of `ssl` and gevent show it.
                shown = "https" if hasattr(socket, "getpeercert") else "http"
            if shown != said:
                peer, _, host, server, port, mount_point, path = own
                own = peer, shown, host, server, port, mount_point, path
        return own, shows_unix(environ)

    def write(self, environ: Environ, keys: ServerKeys, decision: Decision) -> None:
        """
        Write *decision* into *environ*, and what was there before into the decision.

        Args:
            environ: The environ.

            keys: What the server set there.

            decision: What was decided; its ``original`` is filled.
        """
        original, parts = decision.original, decision.url_parts
        for key in parts.gone:
            original[key] = environ.pop(key)
        if self._secret_key is not None:
            environ.pop(self._secret_key, None)
        if decision.verdict.peer_trusted and decision.rejected is None:
            if decision.text is not None:
                key = self._key_of[decision.verdict.header]
                _replace(environ, original, key, decision.text)
            was = environ.get("REMOTE_ADDR")
            if was != decision.address:
                original["REMOTE_ADDR"] = was
                environ["REMOTE_ADDR"] = decision.address
                # What the server said of the peer goes (rule R10).
                for key in keys.of_the_peer:
                    original[key] = environ.pop(key)
            if decision.client_port is not None:
                _replace(environ, original, "REMOTE_PORT", str(decision.client_port))
            for key, value in parts.variables:
                was = environ.get(key)
                if was != value:
                    original[key] = was
                    environ[key] = value
            if self._strip_path:
                self._strip_mount_point(environ, decision)
            if keys.repeat_scheme and self._scheme_opted_in:
                _write_doubles(environ, original)
        elif self._scheme_opted_in and not keys.are_usual:
            # What the server says by itself stays, unless its socket, or uWSGI's
            # HTTPS, shows another scheme.
            _write_own_scheme(environ, keys, decision)

    def _strip_mount_point(self, environ: Environ, decision: Decision) -> None:
        """Take the mount point off the path, where it is in front (rule R15)."""
        mount_point = decision.url_parts.get("mount_point")
        path = environ.get("PATH_INFO")
        if mount_point is not None and path is not None:
            path = strip_mount_point(path, mount_point)
            _replace(environ, decision.original, "PATH_INFO", path)

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


def _write_own_scheme(environ: Environ, keys: ServerKeys, decision: Decision) -> None:
    """Write the connection's own scheme, where the server says another (R19)."""
    original = decision.original
    _, scheme, _, _, _, _, _ = decision.own
    if environ.get("wsgi.url_scheme") != scheme:
        _replace(environ, original, "wsgi.url_scheme", scheme)
        if keys.repeat_scheme:
            _write_doubles(environ, original)


def _write_doubles(environ: Environ, original: dict[str, Any]) -> None:
    """Write what says the same as the scheme, where the server set it (R16)."""
    scheme = environ["wsgi.url_scheme"]
    if HTTPS in environ and is_https(environ[HTTPS]) != (scheme == "https"):
        _replace(environ, original, HTTPS, "on" if scheme == "https" else "off")
    if REQUEST_SCHEME in environ:
        _replace(environ, original, REQUEST_SCHEME, scheme)


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
        is_unix: bool = family == _AF_UNIX
        return is_unix
    if environ.get("REMOTE_ADDR") is None:
        return "/" in (environ.get("SERVER_NAME") or "")
    return None


def is_https(value: object) -> bool:
    """Read the CGI variable ``HTTPS``."""
    return str(value).lower() in ("on", "1", "true", "yes")
