"""
What is open, and how: the configurations that people have, front end by front end.

In:  nothing.
Out: `HOLES`; `test_probe` opens each, and looks for what the card says of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trustedproxy.probe.records import Trick

EVERYBODY: Mapping[str, Any] = {"proxies": "*"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """
    A front end that leaves something open.

    Attributes:
        title: What is open.

        front: The front end.

        changes: Regular expression → what stands in its place in what is printed.

        code, trick, headers: What the card has to say.

        line: A line that the best remedy has; empty where it has none.

        secure: Whether it is open over TLS.

        answers_show: Whether the answers alone show it.

        policy: What of the application's policy is other.
    """

    title: str
    front: str
    changes: Mapping[str, str]
    code: str
    trick: Trick = Trick.HEADER
    headers: tuple[str, ...] = ()
    line: str = ""
    secure: bool = False
    answers_show: bool = True
    policy: Mapping[str, Any] = field(default_factory=dict)


FOR, PROTO = ("X-Forwarded-For",), ("X-Forwarded-Proto",)

HOLES = (
    Hole(
        title="hands X-Forwarded-For on",
        front="nginx",
        changes={
            r"X-Forwarded-For +\$remote_addr": "X-Forwarded-For $http_x_forwarded_for"
        },
        code="client-forged",
        headers=FOR,
        line="proxy_set_header X-Forwarded-For $remote_addr;",
    ),
    Hole(
        title="adds to X-Forwarded-For, and every peer is trusted",
        front="nginx",
        changes={
            r"X-Forwarded-For +\$remote_addr": "X-Forwarded-For "
            "$proxy_add_x_forwarded_for"
        },
        code="client-forged",
        headers=FOR,
        line="proxy_set_header X-Forwarded-For $remote_addr;",
        policy=EVERYBODY,
    ),
    Hole(
        title="hands X-Forwarded-Proto on",
        front="nginx",
        changes={
            r"X-Forwarded-Proto +\$scheme": "X-Forwarded-Proto $http_x_forwarded_proto"
        },
        code="scheme-forged",
        headers=PROTO,
        line="proxy_set_header X-Forwarded-Proto $scheme;",
        secure=True,
    ),
    Hole(
        title="underscores_in_headers on",
        front="nginx",
        changes={r"(?=    absolute_redirect )": "    underscores_in_headers on;\n"},
        code="client-forged",
        trick=Trick.VARIANT,
        headers=FOR,
        line="underscores_in_headers off;",
    ),
    Hole(
        title="hands any Upgrade on",
        front="nginx",
        changes={
            r'Upgrade +"";': "Upgrade $http_upgrade;",
            r"Connection +close;": "Connection upgrade;",
        },
        code="upgrade-handed-on",
        trick=Trick.UPGRADE,
        line='proxy_set_header Upgrade "";',
        answers_show=False,
    ),
    Hole(
        title="hands X-Forwarded-Host on, which the policy leaves",
        front="nginx",
        changes={r' *proxy_set_header X-Forwarded-Host "";\n': ""},
        code="header-in-application",
        headers=("X-Forwarded-Host",),
        line='proxy_set_header X-Forwarded-Host "";',
        answers_show=False,
        policy={"strip": "listed"},
    ),
    Hole(
        title="ProxyAddHeaders, and every peer is trusted",
        front="apache",
        changes={
            r" *ProxyAddHeaders Off\n": "",
            r" *RequestHeader set X-Forwarded-For .*\n": "",
        },
        code="client-forged",
        headers=FOR,
        line='RequestHeader set X-Forwarded-For "expr=%{REMOTE_ADDR}"',
        policy=EVERYBODY,
    ),
    Hole(
        title="without RequestHeader unset of the variants",
        front="apache",
        changes={r" *RequestHeader unset \S*_\S*\n": ""},
        code="client-forged",
        trick=Trick.VARIANT,
        headers=FOR,
        line="RequestHeader unset X_Forwarded_For",
    ),
    Hole(
        title="without its own Connection",
        front="apache",
        changes={r" *RequestHeader set Connection .*\n": ""},
        code="value-lost",
        trick=Trick.CONNECTION,
        headers=("X-Forwarded-For", "X-Forwarded-Proto"),
        line="RequestHeader set Connection close",
        secure=True,
    ),
    Hole(
        title="option forwardfor without deleting, and every peer is trusted",
        front="haproxy",
        changes={r"http-request set-header X-Forwarded-For .*": "option forwardfor"},
        code="client-forged",
        headers=FOR,
        line="http-request set-header X-Forwarded-For %[src]",
        policy=EVERYBODY,
    ),
    Hole(
        title="X-Forwarded-Proto for TLS alone",
        front="haproxy",
        changes={r" *http-request set-header X-Forwarded-Proto http unless .*\n": ""},
        code="scheme-forged",
        headers=PROTO,
        line="http-request set-header X-Forwarded-Proto http unless { ssl_fc }",
    ),
    Hole(
        title="without http-restrict-req-hdr-names",
        front="haproxy",
        changes={r" *option http-restrict-req-hdr-names delete\n": ""},
        code="client-forged",
        trick=Trick.VARIANT,
        headers=FOR,
        line="option http-restrict-req-hdr-names delete",
        policy=EVERYBODY,
    ),
    Hole(
        title="hands Connection on",
        front="haproxy",
        changes={r" *http-request del-header Connection\n": ""},
        code="connection-handed-on",
        trick=Trick.CONNECTION,
        headers=("X-Forwarded-For",),
        line="http-request del-header Connection",
        answers_show=False,
    ),
    Hole(
        title="trusted_proxies 0.0.0.0/0",
        front="caddy",
        changes={
            r"auto_https disable_redirects": "auto_https disable_redirects\n"
            "\tservers {\n\t\ttrusted_proxies static 0.0.0.0/0 ::/0\n\t}"
        },
        code="scheme-forged",
        headers=PROTO,
        secure=True,
    ),
    Hole(
        title="forwardedHeaders.insecure",
        front="traefik",
        changes={
            r'"aliasHeadersStrategy": "delete"\}': '"aliasHeadersStrategy": "delete"}, '
            '"forwardedHeaders": {"insecure": true}',
            r'"X-Forwarded-Proto": "http"': '"X-Nothing": ""',
        },
        code="scheme-forged",
        headers=PROTO,
        line='"X-Forwarded-Proto": "http"',
    ),
    Hole(
        title="without aliasHeadersStrategy",
        front="traefik",
        changes={r'"aliasHeadersStrategy": "delete"': '"encodeQuerySemicolons": false'},
        code="header-in-application",
        trick=Trick.VARIANT,
        headers=("X-Script-Name",),
        line='"aliasHeadersStrategy": "delete"',
        answers_show=False,
        policy={"strip": "listed"},
    ),
    Hole(
        title="use_remote_address false",
        front="envoy",
        changes={
            r"use_remote_address: true": "use_remote_address: false",
            r'key: "x-forwarded-for"\n +value: .*': 'key: "x-nothing"\n'
            + 24 * " "
            + 'value: "-"',
        },
        code="client-forged",
        headers=FOR,
        line="use_remote_address: true",
    ),
    Hole(
        title="without headers_with_underscores_action",
        front="envoy",
        changes={
            r"\n +common_http_protocol_options: .*headers_with_underscores_action.*": ""
        },
        code="client-forged",
        trick=Trick.VARIANT,
        headers=FOR,
        line='"headers_with_underscores_action": "DROP_HEADER"',
        policy=EVERYBODY,
    ),
    Hole(
        title="adds to X-Forwarded-For, and every peer is trusted",
        front="varnish",
        changes={r" *set req\.http\.X-Forwarded-For = client\.ip;\n": ""},
        code="client-forged",
        headers=FOR,
        line="set req.http.X-Forwarded-For = client.ip;",
        policy=EVERYBODY,
    ),
    Hole(
        title="without unset of the variants",
        front="varnish",
        changes={r" *unset req\.http\.\S*_\S*;\n": ""},
        code="client-forged",
        trick=Trick.VARIANT,
        headers=FOR,
        line="unset req.http.X_Forwarded_For;",
        policy=EVERYBODY,
    ),
    Hole(
        title="without the empty X-Forwarded-For, and every peer is trusted",
        front="lighttpd",
        changes={r' *"X-Forwarded-For" => "",\n': ""},
        code="client-forged",
        headers=FOR,
        line='"X-Forwarded-For" => "",',
        policy=EVERYBODY,
    ),
    Hole(
        title="without the empty values of the variants",
        front="lighttpd",
        changes={r' *"\S*_\S*" => "",\n': ""},
        code="client-forged",
        trick=Trick.VARIANT,
        headers=FOR,
        line='"X_Forwarded_For" => "",',
        policy=EVERYBODY,
    ),
)
