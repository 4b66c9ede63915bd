"""
Rows of rule R21: what no header says, and the operator states.

In:  nothing.
Out: `ROWS`.
"""

from __future__ import annotations

from typing import Any, Final

from trustedproxy import Reason

from .case import (
    FOR,
    FORWARDED,
    HOST,
    PORT,
    PROTO,
    REAL,
    SCRIPT,
    SECRET,
    SECRET_HEADER,
    SSL,
    WSGI_ONLY,
    Case,
    Given,
    anybody,
    ours,
    sent,
    stating,
)
from .connection import UWSGI
from .trust import STRANGER

#: Everything that can be stated.
FACTS: Final[dict[str, Any]] = {
    "scheme": "https",
    "host": "app.example",
    "port": 8443,
    "mount_point": "/dev",
}
#: What a row of it expects.
STATED: Final[dict[str, Any]] = {**FACTS, "port": "8443"}

ROWS: Final = (
    Case(
        "states scheme, host, port and mount point of a trusted peer's request",
        stating(FOR, **FACTS),
        sent(FOR, "203.0.113.7"),
        client="203.0.113.7",
        reason=Reason.FIRST_UNTRUSTED_HOP,
        mapped=False,
        original={
            "REMOTE_ADDR": "10.0.0.1",
            "REMOTE_PORT": "50000",
            "wsgi.url_scheme": "http",
            "HTTP_HOST": "backend.internal:8000",
            "SERVER_PORT": "8000",
            "SCRIPT_NAME": "",
        },
        **STATED,
    ),
    Case(
        "states what it may though no header is listed",
        stating(**FACTS),
        **STATED,
    ),
    Case(
        "states nothing for a direct request",
        stating(FOR, **FACTS),
        sent(FOR, "203.0.113.7"),
        peer=STRANGER,
        reason=Reason.PEER_NOT_TRUSTED,
        remaining={},
    ),
    Case(
        "removes the headers of what is stated from a trusted peer's request",
        stating(**FACTS),
        (
            *sent(PROTO, "http"),
            *sent(SSL, "off"),
            *sent(HOST, "forged.example"),
            *sent(PORT, "1"),
            *sent(SCRIPT, "/forged"),
            *sent(FORWARDED, "for=198.51.100.66;proto=http"),
            *sent(REAL, "198.51.100.66"),
        ),
        remaining={REAL: "198.51.100.66"},
        **STATED,
    ),
    Case(
        "removes the headers of what is stated from a direct request",
        stating(scheme="https"),
        (*sent(PROTO, "https"), *sent(SSL, "on"), *sent(HOST, "other.example")),
        peer=STRANGER,
        reason=Reason.PEER_NOT_TRUSTED,
        remaining={HOST: "other.example"},
    ),
    Case(
        "removes every known header and states what it may where all are to go",
        stating(scheme="https") | {"strip": "all"},
        (*sent(FOR, "198.51.100.66"), *sent("X-Original-URL", "/admin")),
        scheme="https",
        remaining={},
    ),
    Case(
        "takes no missing header for a stated fact of another category",
        stating(FOR, PROTO, port=443),
        sent(FOR, "203.0.113.7"),
        client="203.0.113.7",
        port="443",
        reason=Reason.FIRST_UNTRUSTED_HOP,
    ),
    Case(
        "states http where the connection is secure",
        stating(scheme="http"),
        given=Given(scheme="https"),
        scheme="http",
    ),
    Case(
        "states a host where the request had none",
        stating(host="app.example:8443"),
        given=Given(host=None),
        host="app.example:8443",
    ),
    Case(
        "states that the application is mounted nowhere",
        stating(mount_point="/"),
        given=Given(mount_point="/outer"),
        mount_point="",
    ),
    Case(
        "writes the stated port into the stated host",
        stating(**FACTS) | {"port_in_host": True},
        **{**STATED, "host": "app.example:8443"},
    ),
    Case(
        "writes the stated port into the host that a header says",
        stating(HOST, port=8443) | {"port_in_host": True},
        sent(HOST, "app.example"),
        host="app.example:8443",
        port="8443",
    ),
    Case(
        "writes the stated port into the connection's own host",
        stating(port="8443") | {"port_in_host": True},
        given=Given(host="app.example"),
        host="app.example:8443",
        port="8443",
    ),
    Case(
        "drops the stated scheme's own port from the host",
        stating(scheme="https") | {"port_in_host": True},
        given=Given(host="app.example:443"),
        scheme="https",
        host="app.example",
    ),
    Case(
        "takes the stated mount point off the path",
        stating(mount_point="/dev") | {"strip_mount_point": True},
        given=Given(path="/dev/page"),
        mount_point="/dev",
        path="/page",
    ),
    Case(
        "takes the stated mount point off the path at a segment's boundary only",
        stating(mount_point="/dev") | {"strip_mount_point": True},
        given=Given(path="/device"),
        mount_point="/dev",
        path="/device",
    ),
    Case(
        "states nothing for a peer without the secret",
        stating(scheme="https")
        | {"secret_header": SECRET_HEADER, "secrets": [SECRET], "proxies": None},
        sent(SECRET_HEADER, "a-guess-of-sixteen-characters"),
        reason=Reason.SECRET_MISSING,
    ),
    Case(
        "states what it may for a peer with the secret",
        stating(scheme="https")
        | {"secret_header": SECRET_HEADER, "secrets": [SECRET], "proxies": None},
        sent(SECRET_HEADER, SECRET),
        peer=STRANGER,
        scheme="https",
    ),
    Case(
        "states what it may for every peer where every peer is trusted",
        anybody(fixed_scheme="https"),
        peer=STRANGER,
        scheme="https",
    ),
    Case(
        "states what it may where elements are counted",
        anybody(FOR, hops=1, proxies=None, fixed_scheme="https"),
        sent(FOR, "1.1.1.1, 203.0.113.7"),
        client="203.0.113.7",
        scheme="https",
        reason=Reason.HOP_COUNT,
        remaining={FOR: "203.0.113.7"},
    ),
    Case(
        "states what it may for a unix peer",
        ours(proxies=["unix"], fixed_scheme="https"),
        peer=None,
        scheme="https",
    ),
    Case(
        "rejects a request and states nothing for it",
        stating(FOR, **FACTS) | {"missing": "reject"},
        reason=Reason.HEADER_MISSING,
        problems=("missing",),
        rejected="missing",
    ),
    Case(
        "states nothing to the application in report-only mode",
        stating(**FACTS) | {"report_only": True},
        sent(PROTO, "http"),
        remaining={},
        **STATED,
    ),
    Case(
        "keeps HTTPS and REQUEST_SCHEME in step with the stated scheme",
        stating(scheme="https"),
        given=Given(environ={"HTTPS": "off", "REQUEST_SCHEME": "http"}),
        scheme="https",
        ways=WSGI_ONLY,
        after={"HTTPS": "on", "REQUEST_SCHEME": "https"},
        original={
            "wsgi.url_scheme": "http",
            "HTTPS": "off",
            "REQUEST_SCHEME": "http",
        },
    ),
    Case(
        "states the scheme whatever uWSGI took from a header",
        stating(scheme="https"),
        sent(PROTO, "http"),
        given=Given(environ=UWSGI),
        scheme="https",
        remaining={},
        ways=WSGI_ONLY,
    ),
    Case(
        "takes the scheme of a direct request to uWSGI from the connection",
        stating(scheme="https"),
        sent(PROTO, "https"),
        peer=STRANGER,
        given=Given(scheme="https", environ=UWSGI),
        scheme="http",
        reason=Reason.PEER_NOT_TRUSTED,
        remaining={},
        ways=WSGI_ONLY,
    ),
)
