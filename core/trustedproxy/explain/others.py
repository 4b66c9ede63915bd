"""
What other projects would have made of the same request, computed by themselves.

In:  settings and a request.
Out: `OtherResult` records: ProxyFix, uvicorn, waitress, Django's own settings; where
     one is not installed, that.

Each is configured as people do it for the same proxies and headers.  They are imported
by their names, and only by those who ask: the core knows none of them.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from ..framework import NO_FRAMEWORK
from ..wsgi_text import spell_path
from .environs import make_environ
from .explaining import explain_request
from .masks import Masks
from .records import OtherResult

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..framework import Framework
    from ..policy import ProxyPolicy
    from ..settings import Settings
    from .records import Explanation, Request

#: What is compared: the names of `Variable`, and the keys in an environ.
_COMPARED = {
    "client address": "REMOTE_ADDR",
    "scheme": "wsgi.url_scheme",
    "host": "HTTP_HOST",
    "mount point": "SCRIPT_NAME",
    "path": "PATH_INFO",
}
#: Seconds that another interpreter may take.
_PATIENCE = 30

_Sees = dict[str, "str | None"]


class _NoAnswer(Exception):
    """The other one gave no answer that can be compared; its text says why."""


def explain_with_others(
    settings: Settings, request: Request, framework: Framework = NO_FRAMEWORK
) -> Explanation:
    """Explain a request as `explain_request`, with what others make of it."""
    explanation = explain_request(settings, request, framework)
    ours = {v.name: v.after for v in explanation.variables}
    case = _Case(settings.policy, request, framework, trusted=explanation.peer.trusted)
    others = tuple(
        _ask(case, name, distribution, ask, ours) for name, distribution, ask in OTHERS
    )
    return replace(explanation, others=others)


class _Case:
    """The request, and what people would have configured for it."""

    def __init__(
        self,
        policy: ProxyPolicy,
        request: Request,
        framework: Framework,
        *,
        trusted: bool,
    ) -> None:
        self.policy = policy
        self.request = request
        self.framework = framework
        self.trusted = trusted
        self.listed = {header.name.lower() for header in policy.headers}

    @property
    def count(self) -> int:
        """How many elements the proxies write."""
        return self.policy.hops or 1

    def lists(self, name: str) -> bool:
        """Say whether the header *name* is listed; the usual two are, if none is."""
        listed = self.listed or {"x-forwarded-for", "x-forwarded-proto"}
        return name in listed


def _ask(
    case: _Case,
    name: str,
    distribution: str,
    ask: Callable[[_Case], tuple[str, _Sees]],
    ours: Mapping[str, str | None],
) -> OtherResult:
    try:
        found = version(distribution)
    except PackageNotFoundError:
        error = "is not installed here"
        return OtherResult(name=name, version=None, settings="", error=error)
    try:
        settings, sees = ask(case)
    except _NoAnswer as answer:
        text, reason = answer.args
        return OtherResult(name=name, version=found, settings=text, error=reason)
    masks = Masks(case.policy)
    sees = {k: None if v is None else masks.mask(v) for k, v in sees.items()}
    return OtherResult(
        name=name,
        version=found,
        settings=settings,
        sees=sees,
        differs=tuple(each for each, value in sees.items() if value != ours.get(each)),
    )


def _read(environ: Mapping[str, Any]) -> _Sees:
    """Read what an application sees, as text."""
    return {name: _show(environ.get(key)) for name, key in _COMPARED.items()}


def _show(value: object) -> str | None:
    return None if value is None else str(value)


def _call_wsgi(middleware: Any, case: _Case, settings: str) -> _Sees:
    """Call a WSGI middleware, and see what comes through."""
    seen: list[dict[str, Any]] = []
    statuses: list[str] = []

    def start_response(status: str, *_: object) -> Callable[[bytes], None]:
        statuses.append(status)
        return lambda _: None

    def app(environ: dict[str, Any], start: Any) -> list[bytes]:
        seen.append(dict(environ))
        start("200 OK", [])
        return []

    try:
        list(middleware(app)(make_environ(case.request), start_response))
    except Exception as error:
        kind = type(error).__name__
        raise _NoAnswer(settings, f"raises {kind}: {error}") from error
    if not seen:
        raise _NoAnswer(settings, f"answers {statuses[0]} by itself")
    return _read(seen[0])


# -- one function each: how it is configured, and what it sees -------------------------


def _ask_proxy_fix(case: _Case) -> tuple[str, _Sees]:
    arguments = {
        argument: case.count
        for argument, name in (
            ("x_for", "x-forwarded-for"),
            ("x_proto", "x-forwarded-proto"),
            ("x_host", "x-forwarded-host"),
            ("x_port", "x-forwarded-port"),
            ("x_prefix", "x-forwarded-prefix"),
        )
        if case.lists(name)
    }
    given = {"x_for": 0, "x_proto": 0, **arguments}
    settings = f"ProxyFix(app, {', '.join(f'{k}={v}' for k, v in given.items())})"
    proxy_fix = import_module("werkzeug.middleware.proxy_fix").ProxyFix
    return settings, _call_wsgi(lambda app: proxy_fix(app, **given), case, settings)


def _ask_waitress(case: _Case) -> tuple[str, _Sees]:
    names = ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded")
    headers = {name for name in (*names, "x-forwarded-port") if case.lists(name)}
    # It takes the address of one proxy.
    peer = case.request.connection.peer if case.trusted else None
    settings = (
        f"trusted_proxy={peer!r}, trusted_proxy_count={case.count}, "
        f"trusted_proxy_headers={' '.join(sorted(headers))!r}"
    )
    make = import_module("waitress.proxy_headers").proxy_headers_middleware
    return settings, _call_wsgi(
        lambda app: make(
            app,
            trusted_proxy=peer,
            trusted_proxy_count=case.count,
            trusted_proxy_headers=headers,
            logger=_Silent(),
        ),
        case,
        settings,
    )


class _Silent:
    """A logger that says nothing."""

    def warning(self, *_: object) -> None:
        """Say nothing."""


def _ask_uvicorn(case: _Case) -> tuple[str, _Sees]:
    networks = case.policy.networks
    trusted: list[str] | str = "*"
    if networks is not None:
        trusted = [str(network) for network in networks.networks]
    shown = trusted if isinstance(trusted, str) else ",".join(trusted)
    settings = f"--proxy-headers --forwarded-allow-ips={shown!r}"
    seen: list[dict[str, Any]] = []

    async def app(scope: dict[str, Any], receive: object, send: object) -> None:
        seen.append(scope)

    module = import_module("uvicorn.middleware.proxy_headers")
    middleware = module.ProxyHeadersMiddleware(app, trusted_hosts=trusted)
    try:
        asyncio.run(middleware(_make_scope(case.request), None, None))
    except Exception as error:
        kind = type(error).__name__
        raise _NoAnswer(settings, f"raises {kind}: {error}") from error
    scope = seen[0]
    client = scope["client"]
    return settings, {
        "client address": None if client is None else client[0],
        "scheme": scope["scheme"],
        "host": case.request.connection.host,
        "mount point": scope["root_path"],
        "path": case.request.connection.path,
    }


def _make_scope(request: Request) -> dict[str, Any]:
    """Make a scope of the parts that uvicorn's middleware looks at."""
    connection = request.connection
    return {
        "type": "websocket" if request.websocket else "http",
        "scheme": connection.scheme,
        "client": None if connection.peer is None else (connection.peer, 50000),
        "root_path": connection.mount_point,
        "path": connection.path,
        "headers": [
            (
                name.lower().encode("latin-1", "replace"),
                value.encode("latin-1", "replace"),
            )
            for name, value in request.headers.items()
        ],
    }


#: What people set for the headers that are listed.
_USUAL_SETTINGS = {
    "x-forwarded-proto": (
        "SECURE_PROXY_SSL_HEADER",
        ("HTTP_X_FORWARDED_PROTO", "https"),
    ),
    "x-forwarded-host": ("USE_X_FORWARDED_HOST", True),
    "x-forwarded-port": ("USE_X_FORWARDED_PORT", True),
}


def _ask_django(case: _Case) -> tuple[str, _Sees]:
    own = dict(case.framework.own_settings) or {
        setting: value
        for name, (setting, value) in _USUAL_SETTINGS.items()
        if case.lists(name)
    }
    settings = ", ".join(f"{name} = {value!r}" for name, value in own.items())
    environ = {k: v for k, v in make_environ(case.request).items() if type(v) is str}
    # In another interpreter: Django's settings are a process's own.
    answer = subprocess.run(
        [sys.executable, "-m", "django_trustedproxy.plain_request"],
        input=json.dumps({"settings": own, "environ": environ}),
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        check=False,
    )
    if answer.returncode != 0:
        last = answer.stderr.strip().rpartition("\n")[2] or "no answer"
        raise _NoAnswer(settings or "none", f"fails: {last}")
    said = json.loads(answer.stdout)
    # Django has decoded both, from UTF-8.
    said |= {name: spell_path(said[name]) for name in ("mount point", "path")}
    return settings or "none", {name: _show(said[name]) for name in _COMPARED}


#: Who is asked: the name, what is installed, and how.
OTHERS: tuple[tuple[str, str, Callable[[_Case], tuple[str, _Sees]]], ...] = (
    ("Werkzeug's ProxyFix", "werkzeug", _ask_proxy_fix),
    ("uvicorn", "uvicorn", _ask_uvicorn),
    ("waitress", "waitress", _ask_waitress),
    ("Django's own settings", "django", _ask_django),
)
