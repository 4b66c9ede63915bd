"""
A deployment without sockets: a front end that is a function, an application behind it.

In:  what the front end does with header lines, a policy, an application.
Out: `Deployment`, which a probe asks as it asks a real one.

The server between them folds names with underscores into the others and joins lines,
as the most gullible ones do.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from trustedproxy import ProxyPolicy, Settings, TrustedProxyMiddleware
from trustedproxy.explain import explain_request
from trustedproxy.explain.requests import read_environ
from trustedproxy.framework import Framework
from trustedproxy.headers import KNOWN_HEADERS
from trustedproxy.probe import Card, Limits, Pace, Wanted, parse_direct, parse_target
from trustedproxy.probe import run_probe as run
from trustedproxy.probe.records import Answer, Line, Trial

CLIENT: Final = "192.168.7.7"
URL: Final = "http://www.example.com/trustedproxy/"
LIMITS: Final = Limits(a_second=1e6)
POLICY: Final = ProxyPolicy(
    headers="X-Forwarded-For X-Forwarded-Proto", proxies="loopback", strip="all"
)
EVERYBODY: Final = ProxyPolicy(
    headers="X-Forwarded-For X-Forwarded-Proto", proxies="*", strip="all"
)

#: What the front end keeps to itself.
REMOVED: Final = {h.name.lower() for h in KNOWN_HEADERS} | {"connection", "upgrade"}

#: What a front end makes of the lines of a request; ``None``: it refuses it.
Front = Callable[[list[Line]], "list[Line] | None"]
App = Callable[[dict[str, Any], Any], Iterable[bytes]]


def overwrite(
    lines: list[Line], *, scheme: str = "http", client: str = CLIENT
) -> list[Line]:
    """Do what a front end has to do: overwrite, remove, drop, keep to itself."""
    kept = [
        (name, value)
        for name, value in lines
        if "_" not in name and name.lower() not in REMOVED
    ]
    hosts = {value for name, value in kept if name == "Host"}
    if len(hosts) > 1:
        return []
    return [
        *kept,
        ("X-Forwarded-For", client),
        ("X-Forwarded-Proto", scheme),
        ("Connection", "close"),
    ]


def append(lines: list[Line]) -> list[Line]:
    """Add the client to ``X-Forwarded-For``, and hand everything on."""
    return [*lines, ("X-Forwarded-For", CLIENT), ("X-Forwarded-Proto", "http")]


def hand_on(lines: list[Line]) -> list[Line]:
    """Hand everything on."""
    return lines


def show(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer as an application does that knows where it is."""
    scheme, host = environ["wsgi.url_scheme"], environ.get("HTTP_HOST", "")
    if host not in ("www.example.com", "www.example.com:80"):
        start_response("400 Bad Request", [])
        return [b""]
    mount_point = environ["SCRIPT_NAME"]
    secure = "; Secure" if scheme == "https" else ""
    start_response(
        "200 OK", [("Set-Cookie", f"session=1; Path={mount_point or '/'}{secure}")]
    )
    link = f'<a href="{scheme}://{host}{mount_point}/there">there</a>'
    return [f"{link} You are {environ['REMOTE_ADDR']}.".encode()]


@dataclass
class Deployment:
    """A front end and an application; what a probe asks in place of a client."""

    policy: ProxyPolicy = POLICY
    front: Front = overwrite
    app: App = show
    framework: Framework = field(default_factory=Framework)
    peer: str = "127.0.0.1"
    local: bool = False
    server_headers: tuple[Line, ...] = ()
    asked: list[tuple[Trial, str]] = field(default_factory=list)

    def ask(self, trial: Trial, target: str) -> Answer:
        """Send one request through the front end."""
        self.asked.append((trial, target))
        hosts = ("www.example.com",) if trial.hosts is None else trial.hosts
        if trial.origin:
            # What nginx takes for the host, whatever the line says.
            hosts = (trial.origin.partition("//")[2],)
        lines = [
            *(("Host", host) for host in hosts),
            *trial.lines,
            *(f.line for f in trial.forgeries if f.name != "Host"),
        ]
        handed_on = self.front(lines)
        if not handed_on:
            return Answer(status=400)
        return self.serve(handed_on, target, has_token=trial.has_token)

    def serve(self, lines: list[Line], target: str, *, has_token: bool) -> Answer:
        """Answer as the server behind the front end."""
        environ = make_environ(lines, target, self.peer)
        if has_token and environ["PATH_INFO"].endswith("/trustedproxy/"):
            return self.show_page(environ)
        started: list[Any] = []

        def start_response(status: str, headers: list[Line]) -> Callable[..., object]:
            started.append((status, headers))
            return print

        application = TrustedProxyMiddleware(self.app, self.policy)
        body = b"".join(application(environ, start_response))
        status, headers = started[-1]
        return Answer(
            status=int(status.split()[0]),
            headers=(*self.server_headers, *headers),
            body=body,
        )

    def show_page(self, environ: dict[str, Any]) -> Answer:
        """Answer as the page of `trustedproxy.report` does."""
        explanation = explain_request(
            Settings(self.policy), read_environ(self.policy, environ), self.framework
        )
        body = json.dumps({"explanation": explanation.as_dict()}).encode()
        return Answer(status=200, headers=self.server_headers, body=body)

    def is_local(self) -> bool:
        """Say whether it is on this machine."""
        return self.local


def make_environ(lines: list[Line], target: str, peer: str) -> dict[str, Any]:
    """Make an environ as a gullible server does."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET",
        "REMOTE_ADDR": peer,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8000",
        "SCRIPT_NAME": "",
        "PATH_INFO": target.partition("?")[0],
        "QUERY_STRING": target.partition("?")[2],
        "wsgi.url_scheme": "http",
    }
    for name, value in lines:
        key = "HTTP_" + name.upper().replace("-", "_")
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    return environ


def probe(
    deployment: Any,
    *,
    url: str = URL,
    by_page: bool = True,
    direct: Any = None,
    limits: Limits = LIMITS,
    pace: Pace | None = None,
    frontend: str = "",
) -> Card:
    """Probe a deployment that has no sockets."""
    target = parse_target(url)
    return run(
        Wanted(
            target=target,
            client=deployment,
            by_page=by_page,
            direct=None if direct is None else parse_direct("10.0.0.5:8000", target),
            direct_client=direct,
            frontend=frontend,
            limits=limits,
        ),
        pace=pace,
        random=Random(1),
    )


def list_codes(card: Card, *, notes: bool = False) -> list[str]:
    """List the codes of what got through."""
    return [one.code for one in card.findings if one.severity > 0 or notes]


def judge(card: Card) -> Mapping[str, str]:
    """Give the verdict of each subject."""
    return {subject.name: str(subject.verdict) for subject in card.subjects}
