"""
What servers and other middlewares say in an environ, besides forwarding headers.

In:  the keys that came.
Out: `ServerKeys`: what there is to look at.

Every server says something of its connection.  Some show its socket, or say a thing
twice, and whoever corrected a request before leaves a trace.
"""

from __future__ import annotations

from dataclasses import dataclass

from .decision import DECISION_KEY, REPORT_KEY

#: Where gunicorn and Werkzeug show the socket of the connection.
GUNICORN_SOCKET = "gunicorn.socket"
WERKZEUG_SOCKET = "werkzeug.socket"
#: What uWSGI alone has.
UWSGI = "uwsgi.version"
#: What says the same as the scheme.
HTTPS = "HTTPS"
REQUEST_SCHEME = "REQUEST_SCHEME"
#: Where Werkzeug's ProxyFix keeps what it replaced.
PROXY_FIX_KEY = "werkzeug.proxy_fix.orig"

#: What an environ says of its connection, in the order of the fields of `Connection`.
OWN_KEYS = (
    "REMOTE_ADDR",
    "wsgi.url_scheme",
    "HTTP_HOST",
    "SERVER_NAME",
    "SERVER_PORT",
    "SCRIPT_NAME",
    "PATH_INFO",
)
_OWN = frozenset(OWN_KEYS)
_DECIDED = frozenset({DECISION_KEY, REPORT_KEY})
_SHOWING = frozenset({GUNICORN_SOCKET, WERKZEUG_SOCKET, UWSGI})
_OF_THE_PEER = frozenset({"REMOTE_HOST", "REMOTE_PORT"})
#: All keys that are looked at.
SERVER_KEYS: frozenset[str] = (
    _DECIDED
    | _SHOWING
    | _OF_THE_PEER
    | {HTTPS, REQUEST_SCHEME, PROXY_FIX_KEY, *OWN_KEYS}
)


@dataclass(frozen=True, slots=True)
class ServerKeys:
    """
    Which of these keys came.

    Attributes:
        are_usual: Whether `OWN_KEYS` came, and none that shows the connection better.

        lack_own: Whether one of `OWN_KEYS` did not come.

        of_the_peer: Those that say something of the peer besides its address.

        repeat_scheme: Whether ``HTTPS`` or ``REQUEST_SCHEME`` came.

        have_decision: Whether a policy was applied before, be it to report (rule R16).

        have_proxy_fix: Whether ProxyFix was there before.
    """

    are_usual: bool
    lack_own: bool
    of_the_peer: tuple[str, ...]
    repeat_scheme: bool
    have_decision: bool
    have_proxy_fix: bool


def find_server_keys(came: frozenset[str]) -> ServerKeys:
    """Say which of these keys are among *came*."""
    lack_own = not came >= _OWN
    return ServerKeys(
        are_usual=not lack_own and came.isdisjoint(_SHOWING),
        lack_own=lack_own,
        of_the_peer=tuple(sorted(came & _OF_THE_PEER)),
        repeat_scheme=HTTPS in came or REQUEST_SCHEME in came,
        have_decision=not came.isdisjoint(_DECIDED),
        have_proxy_fix=PROXY_FIX_KEY in came,
    )
