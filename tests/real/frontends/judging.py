"""
What a policy makes of what arrived, on the most gullible server there is.

In:  the lines that the recorder was sent.
Out: a decision, and what is left over that nobody should have sent.

The server folds names with underscores into the others and joins their values, as some
real ones do, so that a variant which a front end lets through is seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trustedproxy import Decision, ProxyPolicy

Lines = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came of a request."""

    decision: Decision
    environ: Mapping[str, Any]
    lines: Lines

    @property
    def seen(self) -> dict[str, str]:
        """What the application sees."""
        environ = self.environ
        return {
            "client": environ["REMOTE_ADDR"],
            "scheme": environ["wsgi.url_scheme"],
            "host": environ.get("HTTP_HOST", ""),
            "mount_point": environ["SCRIPT_NAME"],
            "path": environ["PATH_INFO"],
        }


def judge(policy: ProxyPolicy, answer: Mapping[str, Any], *, unix: bool) -> Judgement:
    """Let *policy* decide about what the recorder answered."""
    _, target, _ = answer["line"].split(" ")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET",
        "REMOTE_ADDR": "" if unix else "127.0.0.1",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8000",
        "SCRIPT_NAME": "",
        "PATH_INFO": target.partition("?")[0],
        "wsgi.url_scheme": "http",
    }
    for name, value in answer["lines"]:
        key = "HTTP_" + name.upper().replace("-", "_")
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    decision = policy.apply(environ)
    return Judgement(decision, environ, answer["lines"])


def list_left_over(policy: ProxyPolicy, lines: Lines) -> list[str]:
    """List the lines of known headers that the policy does not trust, and variants."""
    trusted = {header.name.lower() for header in policy.headers}
    known = {header.name.lower() for header in policy.known_headers}
    return [
        name
        for name, _ in lines
        if name.lower().replace("_", "-") in known and name.lower() not in trusted
    ]
