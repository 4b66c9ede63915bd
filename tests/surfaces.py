"""
Every way into the policy, so that one row can be asked through all of them.

In:  a `Case`, made into an environ, a scope or a connection as a server would.
Out: an `Answer`: the decision, and what the application saw.

A surface is a row of `SURFACES`; the frameworks' are there where the framework is
installed.  ``SURFACES`` names the group of an environment of tox
(``core``, ``django``, ``flask``); without it every surface is asked that can be.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from io import BytesIO, StringIO
from typing import Any, Final, TypeAlias

from trustedproxy import (
    Connection,
    Decision,
    ProxyPolicy,
    TrustedProxyASGIMiddleware,
    TrustedProxyMiddleware,
)
from trustedproxy.decision import DECISION_KEY, REPORT_KEY

from .cases.case import CATEGORIES, SECRET_HEADER, Case, Way

#: Field → its value, of what an application sees.
Seen: TypeAlias = dict[str, Any]

FIELDS: Final = (
    "address",
    "scheme",
    "host",
    "server",
    "port",
    "mount_point",
    "path",
)


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What one surface made of a row.

    Attributes:
        status: 200, or what a middleware answered instead of the application.

        seen: Field → value as the application saw it; empty where it saw nothing.

        headers: The known headers, and the secret, that it saw, by lower-case name.

        decision: The decision, where it is to be had.

        report: What would have been decided, in report-only mode.

        before: The fields as the server gave them.

        variables: The whole environ, where there is one.

        answer_headers: The headers of the middleware's answer, names in lower case.
    """

    status: int
    seen: Seen
    headers: dict[str, str]
    decision: Decision | None
    before: Seen
    report: Decision | None = None
    variables: Mapping[str, Any] | None = None
    answer_headers: Mapping[str, str] | None = None


Ask: TypeAlias = Callable[[Case], Answer]


# -- what a server hands over ----------------------------------------------------------


def make_environ(case: Case) -> dict[str, Any]:
    """Make the environ of *case*, repeated lines joined as servers do."""
    given = case.given
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": given.mount_point,
        "PATH_INFO": given.path,
        "QUERY_STRING": "",
        "SERVER_NAME": given.server,
        "SERVER_PORT": given.port,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_PORT": given.peer_port,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": given.scheme,
        "wsgi.input": BytesIO(),
        "wsgi.errors": StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if case.peer is None:
        # A server that says nothing of the peer shows the socket that it listens on.
        environ["SERVER_NAME"] = "/run/app.sock"
    else:
        environ["REMOTE_ADDR"] = case.peer
    if given.host is not None:
        environ["HTTP_HOST"] = given.host
    for name, value in case.headers:
        key = environ_key(name)
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    for key, value in given.environ.items():
        environ[key] = value
        if value is None:
            del environ[key]
    return environ


def environ_key(name: str) -> str:
    """Spell the header *name* as servers do in an environ."""
    return "HTTP_" + name.upper().replace("-", "_")


def make_scope(case: Case, kind: str = "http") -> dict[str, Any]:
    """Make the scope of *case*, one header line each."""
    given = case.given
    scheme = given.scheme
    if kind == "websocket":
        scheme = {"http": "ws", "https": "wss"}[scheme]
    lines = [] if given.host is None else [("host", given.host)]
    lines += [
        (name if given.names_as_written else name.lower(), value)
        for name, value in case.headers
    ]
    path = given.mount_point + given.path
    server: tuple[str, int | None] = (given.server, int(given.port))
    scope: dict[str, Any] = {
        "type": kind,
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": scheme,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": given.mount_point,
        "headers": [(k.encode("latin-1"), v.encode("latin-1")) for k, v in lines],
        "client": (case.peer, int(given.peer_port)),
        "server": server,
    }
    if kind == "websocket":
        del scope["method"]
    if case.peer is None:
        scope |= {"client": None, "server": ("/run/app.sock", None)}
    scope |= given.scope
    return {key: value for key, value in scope.items() if key != "scheme" or value}


# -- what an application sees ----------------------------------------------------------


def read_environ(environ: Mapping[str, Any]) -> Seen:
    """Read the fields of an environ."""
    return {
        "address": environ.get("REMOTE_ADDR"),
        "scheme": environ.get("wsgi.url_scheme"),
        "host": environ.get("HTTP_HOST"),
        "server": environ.get("SERVER_NAME"),
        "port": environ.get("SERVER_PORT"),
        "mount_point": environ.get("SCRIPT_NAME"),
        "path": environ.get("PATH_INFO"),
        "client_port": environ.get("REMOTE_PORT"),
    }


WATCHED: Final = {environ_key(name): name for name in (*CATEGORIES, SECRET_HEADER)}


#: RFC 9110 section 5.6.2.
TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def read_headers(environ: Mapping[str, Any]) -> dict[str, str]:
    """Read the known headers of an environ, and the secret."""
    return {
        name.lower(): environ[key] for key, name in WATCHED.items() if key in environ
    }


def read_scope(scope: Mapping[str, Any]) -> Seen:
    """Read the fields of a scope; the path is the one below the mount point."""
    address, client_port = scope.get("client") or (None, None)
    server, port = scope.get("server") or (None, None)
    host = dict(scope["headers"]).get(b"host")
    mount_point, path = scope.get("root_path", ""), scope["path"]
    if mount_point and path.startswith((f"{mount_point}/", mount_point)):
        path = path[len(mount_point) :]
    return {
        "address": address,
        "scheme": scope.get("scheme"),
        "host": None if host is None else host.decode("latin-1"),
        "server": server,
        "port": None if port is None else str(port),
        "mount_point": mount_point,
        "path": path,
        "client_port": str(client_port) if client_port else None,
    }


def read_lines(scope: Mapping[str, Any]) -> dict[str, str]:
    """Read the header lines of a scope whose name is odd, or looks like a known one."""
    joined: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name = raw_name.decode("latin-1").lower()
        value = raw_value.decode("latin-1")
        if environ_key(name) in WATCHED or not TOKEN.fullmatch(name):
            joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


#: Identity of a row's policy → it, and what was compiled from it.  The variants of a
#: row share it, as the requests to one server do.
_COMPILED: dict[int, tuple[Mapping[str, Any], ProxyPolicy]] = {}


def policy_of(case: Case) -> ProxyPolicy:
    """Compile the policy of *case*, once."""
    key = id(case.policy)
    if key not in _COMPILED:
        _COMPILED[key] = case.policy, ProxyPolicy(**case.policy)
    return _COMPILED[key][1]


# -- the core's surfaces ---------------------------------------------------------------


def ask_decide(case: Case) -> Answer:
    """Ask the pure decision."""
    given = case.given
    headers: dict[str, str] = {}
    for name, value in case.headers:
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    before = dict(headers)
    connection = Connection(
        peer=case.peer,
        scheme=given.scheme,
        host=given.host,
        server=given.server,
        port=given.port,
        mount_point=given.mount_point,
        path=given.path,
    )
    policy = policy_of(case)

    decision = policy.decide(connection, headers)

    assert headers == before, "the pure decision changed what it was given"
    assert policy.decide(connection, headers) == decision, "deciding twice differs"
    gone = {name.lower() for name in decision.removed} | {SECRET_HEADER.lower()}
    left = {
        name.lower(): value
        for name, value in {**headers, **decision.rewritten}.items()
        if name.lower() in CATEGORIES and name.lower() not in gone
    }
    return Answer(
        status=400 if decision.rejected else 200,
        seen={field: getattr(decision, field) for field in FIELDS if field != "path"},
        headers=left,
        decision=decision,
        before={
            "address": case.peer,
            **{
                field: getattr(connection, field)
                for field in FIELDS
                if field not in ("address", "path")
            },
        },
    )


def call_wsgi(app: Any, environ: dict[str, Any]) -> tuple[int, dict[str, str]]:
    """Call a WSGI application to its end, and return status and headers."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
        started.append((status, headers))
        return lambda data: None

    iterable: Iterable[bytes] = app(environ, start_response)
    try:
        list(iterable)
    finally:
        close = getattr(iterable, "close", None)
        if close is not None:
            close()
    status, headers = started[-1]
    return int(status[:3]), {name.lower(): value for name, value in headers}


def answer_environ(
    seen: list[dict[str, Any]],
    environ: dict[str, Any],
    before: Seen,
    status: int,
    answer_headers: dict[str, str],
) -> Answer:
    """Make the answer of a WSGI surface; of a rejection the environ is what is left."""
    reached = seen[-1] if seen else environ
    return Answer(
        status=status,
        seen=read_environ(reached),
        headers=read_headers(reached),
        decision=reached.get(DECISION_KEY),
        before=before,
        report=reached.get(REPORT_KEY),
        variables=reached,
        answer_headers=answer_headers,
    )


def ask_wsgi(case: Case) -> Answer:
    """Ask the WSGI middleware around an application that keeps its environ."""
    environ = make_environ(case)
    before = read_environ(environ)
    seen: list[dict[str, Any]] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append(dict(environ))
        start_response("200 OK", [])
        return []

    middleware = TrustedProxyMiddleware(app, policy_of(case))
    status, headers = call_wsgi(middleware, environ)
    return answer_environ(seen, environ, before, status, headers)


#: One loop for all that is asynchronous: a new one for each row would take longer than
#: the row.
_RUNNER: Final = asyncio.Runner(debug=False)


def close_loop() -> None:
    """Close the loop, at the end of all tests."""
    _RUNNER.close()


def call_asgi(app: Any, scope: dict[str, Any]) -> tuple[int, dict[str, str]]:
    """Call an ASGI application to its end, and return status and headers."""
    sent: list[dict[str, Any]] = []

    async def call() -> None:
        websocket = scope["type"] == "websocket"
        waiting = [{"type": "websocket.connect" if websocket else "http.request"}]
        gone = asyncio.Event()

        async def receive() -> dict[str, Any]:
            if waiting:
                return waiting.pop()
            await gone.wait()
            raise AssertionError("nobody sets it")

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await app(scope, receive, send)

    _RUNNER.run(call())
    start = sent[0]
    if start["type"] == "websocket.accept":
        return 200, {}
    if start["type"] == "websocket.close":
        return 403, {}
    return start["status"], {
        name.decode().lower(): value.decode("latin-1")
        for name, value in start["headers"]
    }


def _ask_asgi(case: Case, kind: str) -> Answer:
    scope = make_scope(case, kind)
    lines = list(scope["headers"])
    copy = dict(scope)
    before = read_scope(scope)
    seen: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
        else:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body"})

    middleware = TrustedProxyASGIMiddleware(app, policy_of(case))
    status, headers = call_asgi(middleware, scope)

    assert scope == copy, "the scope that was given changed"
    assert scope["headers"] == lines, "the header lines that were given changed"
    if not seen:
        return Answer(status, {}, {}, None, before, answer_headers=headers)
    [reached] = seen
    if not case.report_only:
        assert reached["headers"] is not scope["headers"], "the list is the server's"
    if reached["path"] == reached.get("root_path", "") + read_scope(reached)["path"]:
        assert reached["raw_path"] == reached["path"].encode(), "the raw path differs"
    return Answer(
        status=status,
        seen=read_scope(reached),
        headers=read_lines(reached),
        decision=reached.get(DECISION_KEY),
        before=before,
        report=reached.get(REPORT_KEY),
    )


def ask_asgi(case: Case) -> Answer:
    """Ask the ASGI middleware with an http scope."""
    return _ask_asgi(case, "http")


def ask_websocket(case: Case) -> Answer:
    """Ask the ASGI middleware with a websocket scope."""
    return _ask_asgi(case, "websocket")


# -- the frameworks' surfaces ----------------------------------------------------------


def settings_of(policy: Mapping[str, Any]) -> dict[str, Any]:
    """Spell a policy's keyword arguments as settings."""
    return {
        "TRUSTED_PROXIES"
        if name == "proxies"
        else f"TRUSTED_PROXY_{name.upper()}": value
        for name, value in policy.items()
    }


def _django_settings(case: Case, urls: Any) -> Any:
    from django.conf import settings
    from django.test import override_settings

    overridden = settings_of({"headers": [], "proxies": None, **case.policy})
    assert overridden.keys() >= {
        name for name in dir(settings) if name.startswith("TRUSTED_PROX")
    }, "a setting of the project would leak into the row"
    return override_settings(
        MIDDLEWARE=["django_trustedproxy.middleware.TrustedProxyMiddleware"],
        ROOT_URLCONF=urls,
        **overridden,
    )


def ask_django_wsgi(case: Case) -> Answer:
    """Ask Django's WSGI handler with the middleware in ``MIDDLEWARE``."""
    from django.core.handlers.wsgi import WSGIHandler

    from .django_urls import SEEN, SYNC

    environ = make_environ(case)
    before = read_environ(environ)
    SEEN.clear()
    with _django_settings(case, SYNC):
        status, headers = call_wsgi(WSGIHandler(), environ)
    seen = [dict(request.META) for request in SEEN]
    answer = answer_environ(seen, environ, before, status, headers)
    return _with_request(answer, SEEN)


def ask_django_asgi(case: Case) -> Answer:
    """Ask Django's ASGI handler with the middleware in ``MIDDLEWARE``."""
    from django.core.handlers.asgi import ASGIHandler

    from .django_urls import ASYNC, SEEN

    scope = make_scope(case)
    before = read_scope(scope)
    SEEN.clear()
    with _django_settings(case, ASYNC):
        status, headers = call_asgi(ASGIHandler(), scope)
    if not SEEN:
        return Answer(status, {}, {}, None, before, answer_headers=headers)
    [request] = SEEN
    meta = request.META
    seen = read_environ(meta) | {"scheme": request.scope.get("scheme")}
    seen["client_port"] = str(meta["REMOTE_PORT"]) if meta.get("REMOTE_PORT") else None
    if seen["port"] == "None":
        seen["port"] = None
    answer = Answer(
        status,
        seen,
        read_headers(meta),
        None,
        before,
        request.scope.get(REPORT_KEY),
        answer_headers=headers,
    )
    return _with_request(answer, SEEN)


def _with_request(answer: Answer, requests: list[Any]) -> Answer:
    """Hold the request's own accessors against what the application saw."""
    if not requests:
        return answer
    from django_trustedproxy import get_decision

    [request] = requests
    seen = answer.seen
    assert request.META.get("REMOTE_ADDR") == seen["address"]
    assert request.scheme == seen["scheme"]
    assert request.path_info == seen["path"]
    assert request.path == seen["mount_point"].rstrip("/") + seen["path"]
    return replace(answer, decision=get_decision(request))


def ask_flask(case: Case) -> Answer:
    """Ask a Flask application with the extension."""
    import flask

    from flask_trustedproxy import TrustedProxy

    environ = make_environ(case)
    before = read_environ(environ)
    seen: list[dict[str, Any]] = []
    app = flask.Flask("application", static_folder=None)
    app.config.update(settings_of(case.policy))

    # Before the routing, so that any path is an answer.
    def keep() -> str:
        request = flask.request
        environ = request.environ
        assert request.remote_addr == environ.get("REMOTE_ADDR")
        assert request.scheme == environ["wsgi.url_scheme"]
        assert request.script_root == environ["SCRIPT_NAME"].rstrip("/")
        seen.append(dict(environ))
        return ""

    app.before_request(keep)
    TrustedProxy(app)
    status, headers = call_wsgi(app, environ)
    return answer_environ(seen, environ, before, status, headers)


@dataclass(frozen=True, slots=True)
class Surface:
    """
    One way in.

    Attributes:
        group: The environments of tox in which it is asked.

        needs: The package that has to be installed.

        ways: The families of ways that it belongs to.
    """

    ask: Ask
    group: str
    needs: str
    ways: frozenset[Way]

    def admits(self, case: Case) -> bool:
        """Say whether *case* can be asked here."""
        return bool(self.ways & case.ways)


SURFACES: Final[dict[str, Surface]] = {
    "decide": Surface(ask_decide, "core", "trustedproxy", frozenset({Way.DECIDE})),
    "wsgi": Surface(ask_wsgi, "core", "trustedproxy", frozenset({Way.WSGI})),
    "asgi": Surface(ask_asgi, "core", "trustedproxy", frozenset({Way.ASGI})),
    "websocket": Surface(ask_websocket, "core", "trustedproxy", frozenset({Way.ASGI})),
    "django-wsgi": Surface(ask_django_wsgi, "django", "django", frozenset({Way.WSGI})),
    "django-asgi": Surface(
        ask_django_asgi, "django", "django", frozenset({Way.DJANGO_ASGI})
    ),
    "flask": Surface(ask_flask, "flask", "flask", frozenset({Way.WSGI})),
}

#: The group that this environment of tox is for; without one, all that can be asked.
GROUP: Final = os.environ.get("SURFACES")


def present() -> list[str]:
    """Name the surfaces that are asked here."""
    return [
        name
        for name, surface in SURFACES.items()
        if (surface.group == GROUP if GROUP else find_spec(surface.needs) is not None)
    ]
