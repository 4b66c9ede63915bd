"""
The holes that a front end leaves open without a line of the recommended configuration.

In:  nothing.
Out: `HOLES`, each with the line, the attack, and what it gains; `test_holes` tries
them, and docs/matrix.md lists them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .behaviour import FORGED
from .client import Line
from .farm import CLIENT


@dataclass(frozen=True, slots=True)
class Hole:
    """
    What is open when lines are left out of a recommended configuration.

    Attributes:
        pattern: What is taken out of it, a regular expression.

        instead: What stands there instead.

        attack: The header lines that use it.

        mount_point: Where the application is asked.

        gain: What the application then sees, by the answer's key.

        application: Who is asked: the policy's echo, or the one without any.

        closed_by: The line of the recommended configuration, for docs/matrix.md.

        means: What a client gains, in words.
    """

    title: str
    front: str
    pattern: str
    attack: Sequence[Line]
    gain: Mapping[str, str]
    instead: str = ""
    mount_point: str = "/uwsgi"
    tls: bool = False
    application: str = "echo"
    closed_by: str = ""
    means: str = ""


VARIANT = [("X-Forwarded-For", "x"), ("X_Forwarded_For", FORGED)]
BOTH = {"headers": f"{FORGED}, {CLIENT}"}
SEES_FORGED = {"address": FORGED}

HOLES = (
    Hole(
        "nginx with underscores_in_headers",
        "nginx",
        r"(?=    absolute_redirect )",
        VARIANT,
        SEES_FORGED,
        instead="    underscores_in_headers on;\n",
        closed_by="leave `underscores_in_headers` off, as it is",
        means="an underscore variant comes last and is the client",
    ),
    Hole(
        "Apache without RequestHeader unset of the variants",
        "apache",
        r"    RequestHeader unset \S*_\S*\n",
        VARIANT,
        SEES_FORGED,
        closed_by="`RequestHeader unset X_Forwarded_For` and the other spellings",
        means="an underscore variant comes last and is the client",
    ),
    Hole(
        "Apache without its own Connection",
        "apache",
        r"    RequestHeader set Connection .*\n",
        [("Connection", "close, X-Forwarded-Proto")],
        {"scheme": "http"},
        tls=True,
        closed_by="`RequestHeader set Connection …`",
        means="`Connection: X-Forwarded-Proto` takes the scheme away",
    ),
    Hole(
        "HAProxy without http-restrict-req-hdr-names",
        "haproxy",
        r"    option http-restrict-req-hdr-names delete\n",
        VARIANT,
        BOTH,
        application="raw",
        closed_by="`option http-restrict-req-hdr-names delete`",
        means="an underscore variant is joined to the header",
    ),
    Hole(
        "HAProxy with X-Forwarded-Proto for TLS only",
        "haproxy",
        r"    http-request set-header X-Forwarded-Proto http unless .*\n",
        [("X-Forwarded-Proto", "https")],
        {"scheme": "https"},
        closed_by="`http-request set-header X-Forwarded-Proto http unless { ssl_fc }`",
        means="the client's own scheme counts on plain HTTP",
    ),
    Hole(
        "HAProxy without its own Connection, before Varnish",
        "haproxy",
        r"    http-request (del|set)-header Connection .*\n",
        [("Connection", "close, X-Forwarded-Proto")],
        {"scheme": "http"},
        tls=True,
        mount_point="/behind-varnish/uwsgi",
        closed_by="`http-request del-header Connection …`",
        means="a second proxy obeys the client's list, and the scheme is lost",
    ),
    Hole(
        "Envoy without headers_with_underscores_action",
        "envoy",
        r" +common_http_protocol_options: .*headers_with_underscores_action.*\n",
        VARIANT,
        BOTH,
        application="raw",
        closed_by="`headers_with_underscores_action: DROP_HEADER`",
        means="an underscore variant is joined to the header",
    ),
    Hole(
        "Varnish without unset of the variants",
        "varnish",
        r" +unset req\.http\.\S*_\S*;\n",
        VARIANT,
        BOTH,
        application="raw",
        closed_by="`unset req.http.X_Forwarded_For` and the other spellings",
        means="an underscore variant is joined to the header",
    ),
    Hole(
        "lighttpd without the empty values of the variants",
        "lighttpd",
        r' +"X\S*_\S*" => "",\n',
        VARIANT,
        SEES_FORGED,
        closed_by='`"X_Forwarded_For" => ""` and the other spellings',
        means="an underscore variant comes last and is the client",
    ),
    Hole(
        "lighttpd without the empty X-Forwarded-For",
        "lighttpd",
        r' +"X-Forwarded-For" => "",\n',
        [("X-Forwarded-For", FORGED)],
        BOTH,
        application="raw",
        closed_by='`"X-Forwarded-For" => ""`',
        means="the client's own elements stand left of its address",
    ),
    Hole(
        "Apache with one URL for several unix sockets",
        "apache",
        r"\|http://[a-z0-9-]+-unix/",
        [],
        {"answered_by": "uwsgi-unix"},
        instead="|http://localhost/",
        mount_point="/waitress-unix",
        closed_by="a host name of its own behind each `unix:…|http://`",
        means="one server gets what is for another",
    ),
)
