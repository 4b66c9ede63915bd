"""
Say as JSON what an application sees of a request.

In:  an environ or a scope, and what a framework derives from it.
Out: one shape for all of them, so that a test asks each application the same way:
``address``, ``scheme``, ``host``, ``server``, ``port``, ``mount_point``, ``path``,
``url``, ``headers`` (pairs, names lower-case with hyphens in WSGI and as they came
in ASGI), ``decision``, ``answered_by`` (which process it was) and, for ``raw``,
everything that is text or a number.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any
from wsgiref.util import request_uri

from trustedproxy import Decision

DECISION_KEY = "trustedproxy.decision"
Answer = dict[str, Any]


def read_policy_settings() -> dict[str, Any]:
    """Read the settings of the policy from the environment, as a settings module."""
    settings: dict[str, Any] = {}
    for name, text in os.environ.items():
        if name == "TRUSTED_PROXIES" or name.startswith("TRUSTED_PROXY_"):
            truth = {"true": True, "false": False}.get(text.lower())
            number = int(text) if text.isdigit() else text
            settings[name] = number if truth is None else truth
    return settings


def describe_decision(decision: Decision | None) -> Answer | None:
    """Describe a decision, or say that there is none."""
    if decision is None:
        return None
    return {
        "peer": decision.peer,
        "peer_trusted": decision.peer_trusted,
        "client": decision.client,
        "client_known": decision.client_known,
        "reason": decision.reason.name,
        "winners": {c.name: header for c, header in decision.winners.items()},
        "removed": sorted(decision.removed),
        "problems": [[p.code, p.header] for p in decision.problems],
    }


def plain(value: object) -> object:
    """Make *value* something that JSON has, or name its type."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return f"<{type(value).__name__}>"


def list_headers(environ: Mapping[str, Any]) -> list[list[str]]:
    """List the request headers of an environ or of Django's ``META``."""
    return sorted(
        [key[5:].lower().replace("_", "-"), str(value)]
        for key, value in environ.items()
        if key.startswith("HTTP_")
    )


def describe_environ(environ: Mapping[str, Any]) -> Answer:
    """Describe what a bare WSGI application sees."""
    return {
        "address": environ.get("REMOTE_ADDR"),
        "remote_host": environ.get("REMOTE_HOST"),
        "remote_port": plain(environ.get("REMOTE_PORT")),
        "scheme": environ.get("wsgi.url_scheme"),
        "host": environ.get("HTTP_HOST"),
        "server": environ.get("SERVER_NAME"),
        "port": str(environ.get("SERVER_PORT")),
        "mount_point": environ.get("SCRIPT_NAME", ""),
        "path": environ.get("PATH_INFO", ""),
        "url": request_uri(dict(environ)),
        "headers": list_headers(environ),
        "decision": describe_decision(environ.get(DECISION_KEY)),
    }


def describe_scope(scope: Mapping[str, Any]) -> Answer:
    """Describe what a bare ASGI application sees."""
    client = scope.get("client") or [None, None]
    server = scope.get("server") or [None, None]
    headers = [[plain(name), plain(value)] for name, value in scope["headers"]]
    root_path = scope.get("root_path", "")
    return {
        "address": client[0],
        "client": plain(scope.get("client")),
        "scheme": scope.get("scheme"),
        "host": next((v for n, v in headers if n == "host"), None),
        "server": server[0],
        "port": str(server[1]),
        "mount_point": root_path,
        "path": scope["path"].removeprefix(root_path) if root_path else scope["path"],
        "url": None,
        "headers": headers,
        "decision": describe_decision(scope.get(DECISION_KEY)),
    }


def describe_everything(source: Mapping[str, Any]) -> Answer:
    """Describe every entry of an environ or a scope that is text or a number."""
    return {str(key): plain(value) for key, value in source.items()}


def write_json(answer: Answer) -> bytes:
    """Write an answer as the body of a response, with the name of who answers."""
    signed = {**answer, "answered_by": os.environ["PROVING_NAME"]}
    return json.dumps(signed).encode("ascii")


def find_application(names: Iterable[tuple[bytes, bytes]]) -> str:
    """Find the application that the header lines of a scope ask for."""
    wanted = (v.decode() for n, v in names if n.lower() == b"proving-application")
    return next(wanted, "raw")
