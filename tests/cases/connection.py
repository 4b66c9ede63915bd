"""
Rows of rules R15 to R19: port and mount point, what is kept, report_only, ASGI, the scheme.

In:  nothing.
Out: `ROWS`.
"""

from __future__ import annotations

import ssl
from typing import Any, Final

from trustedproxy import Reason

from .case import (
    ASGI_ONLY,
    FOR,
    HOST,
    PORT,
    PROTO,
    REAL,
    SCRIPT,
    SERVER,
    SSL,
    WSGI_ONLY,
    Case,
    Given,
    ours,
    sent,
)
from .trust import INET_SOCKET, STRANGER

#: A server's TLS socket that is connected to nothing.
TLS_SOCKET: Final = ssl.SSLSocket.__new__(ssl.SSLSocket)


def _port(what: str, outcome: str, *lines: tuple[str, str], **more: Any) -> Case:
    return Case(
        what,
        ours(PROTO, HOST, PORT, port_in_host=True),
        lines,
        given=Given(**more.pop("given", {})),
        host=outcome,
        scheme="https" if (PROTO, "https") in lines else "http",
        **more,
    )


#: R15: the port in the host.
PORT_IN_HOST: Final = (
    _port(
        "writes a port that is not the scheme's into the host",
        "app.example:8443",
        (PROTO, "https"),
        (HOST, "app.example"),
        (PORT, "8443"),
        port="8443",
    ),
    _port(
        "does not write the port of https into the host",
        "app.example",
        (PROTO, "https"),
        (HOST, "app.example"),
        (PORT, "443"),
        port="443",
    ),
    _port(
        "does not write the port of http into the host",
        "app.example",
        (HOST, "app.example"),
        (PORT, "80"),
        port="80",
    ),
    _port(
        "writes the port of https into the host of a plain request",
        "app.example:443",
        (HOST, "app.example"),
        (PORT, "443"),
        port="443",
    ),
    _port(
        "keeps the port that the host names",
        "app.example:8443",
        (PROTO, "https"),
        (HOST, "app.example:8443"),
        (PORT, "443"),
        port="443",
    ),
    _port(
        "drops the port of https from the host",
        "app.example",
        (PROTO, "https"),
        (HOST, "app.example:443"),
        (PORT, "443"),
        port="443",
    ),
    _port(
        "drops the port of http from the host",
        "app.example",
        (HOST, "app.example:80"),
        (PORT, "80"),
        port="80",
    ),
    _port(
        "writes the port into an IPv6 host",
        "[2001:db8::80]:8443",
        (PROTO, "https"),
        (HOST, "[2001:db8::80]"),
        (PORT, "8443"),
        port="8443",
    ),
    _port(
        "writes the port into the connection's own host",
        "app.example:8443",
        (PROTO, "https"),
        (PORT, "8443"),
        given={"host": "app.example"},
        port="8443",
    ),
    _port(
        "does not write the server's own port into the host",
        "app.example",
        (PROTO, "https"),
        (HOST, "app.example"),
    ),
    _port(
        "does not write a malformed port into the host",
        "app.example",
        (HOST, "app.example"),
        (PORT, "0"),
        problems=("malformed",),
        remaining={HOST: "app.example"},
    ),
    Case(
        "keeps port and host apart where nothing else is asked for",
        ours(PROTO, HOST, PORT),
        ((PROTO, "https"), (HOST, "app.example"), (PORT, "8443")),
        scheme="https",
        host="app.example",
        port="8443",
    ),
    Case(
        "keeps the scheme's port in the host where nothing else is asked for",
        ours(PROTO, HOST),
        ((PROTO, "https"), (HOST, "app.example:443")),
        scheme="https",
        host="app.example:443",
    ),
    Case(
        "leaves the host of a direct request as it is, port and all",
        ours(PROTO, HOST, PORT, port_in_host=True),
        ((PORT, "8443"),),
        peer=STRANGER,
        given=Given(host="app.example:80"),
        reason=Reason.PEER_NOT_TRUSTED,
        remaining={},
    ),
    Case(
        "leaves a host alone that is none",
        ours(PORT, port_in_host=True),
        ((PORT, "8443"),),
        given=Given(host="a/b"),
        port="8443",
    ),
    Case(
        "makes no host where the request had none",
        ours(PORT, port_in_host=True),
        ((PORT, "8443"),),
        given=Given(host=None),
        port="8443",
    ),
)


def _strip(what: str, path: str, outcome: str, **more: Any) -> Case:
    given = more.pop("given", {})
    return Case(
        what,
        ours(SCRIPT, **more.pop("policy", {"strip_mount_point": True})),
        sent(SCRIPT, more.pop("header", "/app")),
        given=Given(path=path, **given),
        path=outcome,
        **{"mount_point": "/app", **more},
    )


#: R15: the mount point and the path.
MOUNT_POINT: Final = (
    _strip("takes the mount point off the path", "/app/page", "/page"),
    _strip("takes a mount point that is the whole path off it", "/app", ""),
    _strip("leaves the slash behind the mount point", "/app/", "/"),
    _strip("cuts at the boundary of a segment only", "/application", "/application"),
    _strip("leaves a path without the mount point as it is", "/page", "/page"),
    _strip("takes the mount point off once", "/app/app/page", "/app/page"),
    _strip(
        "takes several segments off the path",
        "/a/b/page",
        "/page",
        header="/a/b/",
        mount_point="/a/b",
    ),
    _strip("cuts at the front of the path only", "/x/app/page", "/x/app/page"),
    _strip(
        "leaves the path as it is where nothing else is asked for",
        "/app/page",
        "/app/page",
        policy={},
    ),
    _strip(
        "leaves the path as it is for the root",
        "/page",
        "/page",
        header="/",
        mount_point="",
    ),
    _strip(
        "puts the new mount point in the place of the server's",
        "/page",
        "/page",
        policy={},
        given={"mount_point": "/outer"},
    ),
    _strip(
        "takes the new mount point off below the server's",
        "/app/page",
        "/page",
        given={"mount_point": "/outer"},
    ),
    Case(
        "leaves the path of a direct request as it is",
        ours(SCRIPT, strip_mount_point=True),
        sent(SCRIPT, "/app"),
        peer=STRANGER,
        given=Given(path="/app/page"),
        reason=Reason.PEER_NOT_TRUSTED,
        remaining={},
    ),
    Case(
        "leaves the path as it is for a malformed mount point",
        ours(SCRIPT, strip_mount_point=True),
        sent(SCRIPT, "/app/../x"),
        given=Given(path="/app/page"),
        problems=("malformed",),
        remaining={},
    ),
    Case(
        "takes the server's root path off the path and puts the new one before it",
        ours(SCRIPT),
        sent(SCRIPT, "/app"),
        given=Given(
            mount_point="/outer",
            scope={"path": "/outer/page", "raw_path": b"/outer/page"},
        ),
        mount_point="/app",
        ways=ASGI_ONLY,
    ),
    Case(
        "puts the new root path before a path that lacks the server's",
        ours(SCRIPT),
        sent(SCRIPT, "/app"),
        given=Given(
            mount_point="/outer", scope={"path": "/page", "raw_path": b"/page"}
        ),
        mount_point="/app",
        path="/page",
        ways=ASGI_ONLY,
    ),
    Case(
        "leaves the path alone where no mount point header came",
        ours(SCRIPT),
        given=Given(
            mount_point="/outer", scope={"path": "/page", "raw_path": b"/page"}
        ),
        path="/page",
        ways=ASGI_ONLY,
    ),
    Case(
        "does not cut a root path off the middle of a segment",
        ours(SCRIPT),
        sent(SCRIPT, "/app"),
        given=Given(
            mount_point="/outer",
            scope={"path": "/outermost", "raw_path": b"/outermost"},
        ),
        mount_point="/app",
        path="/outermost",
        ways=ASGI_ONLY,
    ),
)

#: R16: what is kept in step, and the originals.
ORIGINALS: Final = (
    Case(
        "keeps HTTPS in step where the server set it",
        ours(PROTO),
        sent(PROTO, "https"),
        given=Given(environ={"HTTPS": "off"}),
        scheme="https",
        ways=WSGI_ONLY,
        after={"HTTPS": "on"},
        original={"wsgi.url_scheme": "http", "HTTPS": "off"},
    ),
    Case(
        "takes HTTPS back where the client came over http",
        ours(PROTO),
        sent(PROTO, "http"),
        given=Given(scheme="https", environ={"HTTPS": "on"}),
        scheme="http",
        ways=WSGI_ONLY,
        after={"HTTPS": "off"},
        original={"wsgi.url_scheme": "https", "HTTPS": "on"},
    ),
    Case(
        "keeps REQUEST_SCHEME in step where the server set it",
        ours(PROTO),
        sent(PROTO, "https"),
        given=Given(environ={"REQUEST_SCHEME": "http"}),
        scheme="https",
        ways=WSGI_ONLY,
        after={"REQUEST_SCHEME": "https"},
        original={"wsgi.url_scheme": "http", "REQUEST_SCHEME": "http"},
    ),
    Case(
        "adds neither HTTPS nor REQUEST_SCHEME where the server set none",
        ours(PROTO),
        sent(PROTO, "https"),
        scheme="https",
        after={"HTTPS": None, "REQUEST_SCHEME": None},
        original={"wsgi.url_scheme": "http"},
    ),
    Case(
        "keeps the server's own spelling of HTTPS where it says the same",
        ours(PROTO),
        sent(PROTO, "https"),
        given=Given(scheme="https", environ={"HTTPS": "1"}),
        scheme="https",
        ways=WSGI_ONLY,
        after={"HTTPS": "1"},
        original={},
    ),
    Case(
        "keeps HTTPS of a direct request as the server set it",
        ours(PROTO),
        peer=STRANGER,
        given=Given(scheme="https", environ={"HTTPS": "off"}),
        reason=Reason.PEER_NOT_TRUSTED,
        ways=WSGI_ONLY,
        after={"HTTPS": "off"},
        original={},
    ),
    Case(
        "keeps what it replaced and what it removed, and nothing else",
        ours(FOR, PROTO, HOST, SERVER, PORT, SCRIPT),
        (
            *sent(FOR, "1.1.1.1, 203.0.113.7:4711, 10.0.0.8"),
            *sent(PROTO, "https"),
            *sent(HOST, "app.example"),
            *sent(SERVER, "edge.example"),
            *sent(PORT, "443"),
            *sent(SCRIPT, "/app"),
            *sent(REAL, "198.51.100.66"),
        ),
        client="203.0.113.7",
        client_port=4711,
        scheme="https",
        host="app.example",
        server="edge.example",
        port="443",
        mount_point="/app",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        remaining={
            FOR: "203.0.113.7:4711, 10.0.0.8",
            PROTO: "https",
            HOST: "app.example",
            SERVER: "edge.example",
            PORT: "443",
            SCRIPT: "/app",
        },
        mapped=False,
        split=False,
        original={
            "REMOTE_ADDR": "10.0.0.1",
            "REMOTE_PORT": "50000",
            "HTTP_X_FORWARDED_FOR": "1.1.1.1, 203.0.113.7:4711, 10.0.0.8",
            "wsgi.url_scheme": "http",
            "HTTP_HOST": "backend.internal:8000",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8000",
            "SCRIPT_NAME": "",
            "HTTP_X_REAL_IP": "198.51.100.66",
        },
    ),
    Case(
        "keeps the path that it shortened",
        ours(SCRIPT, strip_mount_point=True),
        sent(SCRIPT, "/app"),
        given=Given(path="/app/page"),
        mount_point="/app",
        path="/page",
        original={"SCRIPT_NAME": "", "PATH_INFO": "/app/page"},
    ),
    Case(
        "keeps what it removed from a direct request",
        ours(FOR),
        (*sent(FOR, "203.0.113.7"), *sent(REAL, "203.0.113.8")),
        peer=STRANGER,
        reason=Reason.PEER_NOT_TRUSTED,
        remaining={},
        original={
            "HTTP_X_FORWARDED_FOR": "203.0.113.7",
            "HTTP_X_REAL_IP": "203.0.113.8",
        },
    ),
    Case(
        "says that a variable was not there",
        ours(HOST),
        sent(HOST, "app.example"),
        given=Given(host=None),
        host="app.example",
        original={"HTTP_HOST": None},
    ),
    Case(
        "keeps nothing where nothing changed",
        ours(FOR),
        sent(HOST, "other.example"),
        peer=STRANGER,
        reason=Reason.PEER_NOT_TRUSTED,
        original={},
    ),
)

#: R17: trying a policy.
SHADOW: Final = (
    Case(
        "changes nothing in report_only, though it decides",
        ours(FOR, PROTO, HOST, SCRIPT, report_only=True),
        (
            *sent(FOR, "1.1.1.1, 203.0.113.7"),
            *sent(PROTO, "https"),
            *sent(HOST, "app.example"),
            *sent(SCRIPT, "/app"),
            *sent(REAL, "198.51.100.66"),
        ),
        client="203.0.113.7",
        scheme="https",
        host="app.example",
        mount_point="/app",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        remaining={
            FOR: "203.0.113.7",
            PROTO: "https",
            HOST: "app.example",
            SCRIPT: "/app",
        },
    ),
    Case(
        "removes nothing from a direct request in report_only",
        ours(FOR, report_only=True, strip="all"),
        (*sent(FOR, "203.0.113.7"), *sent(HOST, "forged.example")),
        peer=STRANGER,
        reason=Reason.PEER_NOT_TRUSTED,
        remaining={},
    ),
    Case(
        "refuses nothing in report_only, though it would",
        ours(FOR, report_only=True, malformed="reject", missing="reject"),
        sent(FOR, "garbage"),
        reason=Reason.UNIDENTIFIED_HOP,
        problems=("malformed",),
        rejected="malformed",
        remaining={},
    ),
)

#: R18: what only ASGI shows.
ASGI: Final = (
    Case(
        "removes the twin with underscores of a trusted header",
        ours(FOR),
        (
            *sent("x_forwarded_for", "198.51.100.66"),
            *sent("x-forwarded-for", "203.0.113.7"),
            *sent("x-forwarded_for", "198.51.100.67"),
        ),
        given=Given(names_as_written=True),
        client="203.0.113.7",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        remaining={FOR: "203.0.113.7"},
        ways=ASGI_ONLY,
    ),
    Case(
        "refuses to take the twin with underscores for the header",
        ours(FOR),
        sent("x_forwarded_for", "198.51.100.66"),
        given=Given(names_as_written=True),
        reason=Reason.HEADER_MISSING,
        problems=("missing",),
        remaining={},
        ways=ASGI_ONLY,
    ),
    Case(
        "removes the twin with underscores of a synonym",
        ours(FOR),
        (*sent("x-forwarded-for", "203.0.113.7"), *sent("x_real_ip", "198.51.100.66")),
        given=Given(names_as_written=True),
        client="203.0.113.7",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        remaining={FOR: "203.0.113.7"},
        ways=ASGI_ONLY,
    ),
    Case(
        "removes the twin with underscores from a direct request",
        ours(PROTO),
        sent("x_forwarded_proto", "https"),
        peer=STRANGER,
        given=Given(names_as_written=True),
        reason=Reason.PEER_NOT_TRUSTED,
        remaining={},
        ways=ASGI_ONLY,
    ),
    Case(
        "leaves the twin with underscores of another category",
        ours(FOR),
        (
            *sent("x-forwarded-for", "203.0.113.7"),
            *sent("x_forwarded_host", "b.example"),
        ),
        given=Given(names_as_written=True),
        client="203.0.113.7",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        winners={"client": FOR},
        remaining={FOR: "203.0.113.7", "x_forwarded_host": "b.example"},
        ways=ASGI_ONLY,
    ),
    Case(
        "removes every twin with underscores where all are to go",
        ours(FOR, strip="all"),
        (
            *sent("x-forwarded-for", "203.0.113.7"),
            *sent("x_forwarded_host", "b.example"),
        ),
        given=Given(names_as_written=True),
        client="203.0.113.7",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        remaining={FOR: "203.0.113.7"},
        ways=ASGI_ONLY,
    ),
    Case(
        "compares header names without case",
        ours(FOR),
        (
            *sent("X-Forwarded-For", "1.1.1.1, 203.0.113.7"),
            *sent("X-FORWARDED-FOR", "10.0.0.8"),
            *sent("X-Real-Ip", "198.51.100.66"),
        ),
        given=Given(names_as_written=True),
        client="203.0.113.7",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        remaining={FOR: "203.0.113.7, 10.0.0.8"},
        ways=ASGI_ONLY,
    ),
    Case(
        "removes a known name with an odd byte at its end",
        ours(FOR),
        (
            *sent("x-forwarded-for", "203.0.113.7"),
            *sent("x-forwarded-for\x85", "198.51.100.66"),
            *sent("x-real-ip\xa0", "198.51.100.66"),
            *sent("x-client-ip ", "198.51.100.66"),
        ),
        given=Given(names_as_written=True),
        client="203.0.113.7",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        remaining={FOR: "203.0.113.7"},
        ways=ASGI_ONLY,
    ),
    Case(
        "sets the server's name where the scope has no server",
        ours(SERVER, PORT),
        (*sent(SERVER, "edge.example"), *sent(PORT, "443")),
        given=Given(scope={"server": None}),
        server="edge.example",
        port="443",
        ways=ASGI_ONLY,
    ),
    Case(
        "sets the port beside the host's name where the scope has no server",
        ours(PORT),
        sent(PORT, "443"),
        given=Given(scope={"server": None}),
        server="backend.internal",
        port="443",
        ways=ASGI_ONLY,
    ),
    Case(
        "adds no scheme to a scope without one where none is opted in",
        ours(REAL),
        sent(REAL, "203.0.113.7"),
        given=Given(scope={"scheme": None}),
        client="203.0.113.7",
        reason=Reason.SINGLE_VALUE,
        ways=ASGI_ONLY,
    ),
    Case(
        "takes the scheme's default for a scope without one",
        ours(PROTO),
        sent(PROTO, "https"),
        given=Given(scope={"scheme": None}),
        scheme="https",
        ways=ASGI_ONLY,
    ),
)

UWSGI: Final = {"uwsgi.version": b"2.0.31"}


def _own(
    what: str, scheme: str, outcome: str, environ: dict[str, Any], **more: Any
) -> Case:
    return Case(
        what,
        more.pop("policy", ours(PROTO)),
        more.pop("headers", ()),
        given=Given(scheme=scheme, environ=environ),
        scheme=outcome,
        ways=WSGI_ONLY,
        **more,
    )


#: R19: the scheme that the connection has by itself.
OWN_SCHEME: Final = (
    _own(
        "refuses the scheme that uWSGI took from a stranger's header",
        "https",
        "http",
        UWSGI,
        headers=sent(PROTO, "https"),
        peer=STRANGER,
        reason=Reason.PEER_NOT_TRUSTED,
        remaining={},
    ),
    _own(
        "refuses the scheme that uWSGI took from a header that is not listed",
        "https",
        "http",
        UWSGI,
        policy=ours(SSL),
        headers=sent(PROTO, "https"),
        remaining={},
    ),
    _own(
        "refuses any text that uWSGI took for a scheme",
        "gopher",
        "http",
        UWSGI,
        headers=sent(PROTO, "gopher"),
        problems=("malformed",),
        remaining={},
    ),
    _own(
        "keeps the scheme of a TLS connection to uWSGI",
        "http",
        "https",
        {**UWSGI, "HTTPS": "on"},
        headers=sent(PROTO, "http"),
        peer=STRANGER,
        reason=Reason.PEER_NOT_TRUSTED,
        remaining={},
    ),
    _own(
        "lets a trusted scheme header decide on uWSGI too",
        "https",
        "http",
        {**UWSGI, "HTTPS": "on"},
        headers=sent(PROTO, "http"),
        after={"HTTPS": "off"},
    ),
    _own(
        "leaves uWSGI's scheme alone where the scheme is not opted in",
        "https",
        "https",
        UWSGI,
        policy=ours(REAL),
        headers=sent(PROTO, "https"),
        reason=Reason.HEADER_MISSING,
        problems=("missing",),
    ),
    _own(
        "refuses the scheme that gunicorn took from a stranger's header",
        "https",
        "http",
        {"gunicorn.socket": INET_SOCKET},
        headers=sent(SSL, "on"),
        peer=STRANGER,
        reason=Reason.PEER_NOT_TRUSTED,
        remaining={},
    ),
    _own(
        "refuses the scheme that gunicorn took from a header that is not listed",
        "https",
        "http",
        {"gunicorn.socket": INET_SOCKET},
        headers=sent(SSL, "on"),
        remaining={},
    ),
    _own(
        "keeps the scheme of a TLS connection to gunicorn",
        "https",
        "https",
        {"gunicorn.socket": TLS_SOCKET},
        peer=STRANGER,
        reason=Reason.PEER_NOT_TRUSTED,
    ),
    _own(
        "lets a trusted scheme header decide on a TLS connection too",
        "https",
        "http",
        {"gunicorn.socket": TLS_SOCKET},
        headers=sent(PROTO, "http"),
    ),
    _own(
        "keeps the scheme beside Werkzeug's socket, which it takes from nobody",
        "https",
        "https",
        {"werkzeug.socket": INET_SOCKET},
        peer=STRANGER,
        reason=Reason.PEER_NOT_TRUSTED,
    ),
    _own(
        "keeps the scheme of any other server where no header won",
        "https",
        "https",
        {},
        peer=STRANGER,
        reason=Reason.PEER_NOT_TRUSTED,
    ),
    Case(
        "lets a trusted header take https back",
        ours(PROTO),
        sent(PROTO, "http"),
        given=Given(scheme="https"),
        scheme="http",
    ),
    Case(
        "keeps the scheme of a direct request to a TLS server",
        ours(PROTO),
        sent(PROTO, "http"),
        peer=STRANGER,
        given=Given(scheme="https"),
        scheme="https",
        reason=Reason.PEER_NOT_TRUSTED,
        remaining={},
    ),
)

ROWS: Final = (
    *PORT_IN_HOST,
    *MOUNT_POINT,
    *ORIGINALS,
    *SHADOW,
    *ASGI,
    *OWN_SCHEME,
)
