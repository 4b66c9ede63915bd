"""
The tools that conversions come from, each asked for one request.

In:  the tool's own options, a request.
Out: what an application sees behind it, as field → value; ``status`` alone where the
     tool answers by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

import flask
from django.conf import settings as django_settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.security import SecurityMiddleware
from django.test import override_settings
from hypercorn.middleware import ProxyFixMiddleware
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Request as WerkzeugRequest

from trustedproxy.convert import Conversion

from .honest import Request


def load(name: str) -> Any:
    """Load what has no types: a function or class by its full name."""
    module, _, member = name.rpartition(".")
    return getattr(import_module(module), member)


Config = load("gunicorn.config.Config")
GunicornRequest = load("gunicorn.http.message.Request")
IterUnreader = load("gunicorn.http.unreader.IterUnreader")
ParseException = load("gunicorn.http.errors.ParseException")
Talisman = load("flask_talisman.Talisman")
XForwardedForMiddleware = load("xff.middleware.XForwardedForMiddleware")
get_client_ip = load("ipware.get_client_ip")
proxy_headers_middleware = load("waitress.proxy_headers.proxy_headers_middleware")

if not django_settings.configured:
    django_settings.configure(ALLOWED_HOSTS=["*"])

Seen = dict[str, Any]

REJECTED: Seen = {"status": 400}


# -- WSGI ------------------------------------------------------------------------------


def see_environ(environ: Mapping[str, Any]) -> Seen:
    """What Werkzeug, and with it Flask, makes of an environ."""
    request = WerkzeugRequest(dict(environ))
    return {
        "status": 200,
        "client": request.remote_addr,
        "scheme": request.scheme,
        "host": request.host,
        "server": environ["SERVER_NAME"],
        "port": environ["SERVER_PORT"],
        "mount_point": request.root_path,
    }


def ask_wsgi(make: Callable[[Any], Any], request: Request) -> Seen:
    """Ask a WSGI middleware."""
    seen: list[Seen] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append(see_environ(environ))
        return []

    make(application)(request.environ(), lambda status, headers, error=None: None)
    return seen[0] if seen else REJECTED


def ask_proxy_fix(counts: Mapping[str, int], request: Request) -> Seen:
    """Ask Werkzeug's ProxyFix."""
    return ask_wsgi(lambda app: ProxyFix(app, **counts), request)


def ask_waitress(
    proxy: str, count: int, headers: Sequence[str], request: Request
) -> Seen:
    """Ask waitress's middleware."""
    return ask_wsgi(
        lambda app: proxy_headers_middleware(
            app,
            trusted_proxy=proxy,
            trusted_proxy_count=count,
            trusted_proxy_headers={name.lower() for name in headers},
        ),
        request,
    )


def ask_us(conversion: Conversion, request: Request) -> Seen:
    """Ask this project, with the settings that were converted."""
    environ = request.environ()
    policy = conversion.read().policy
    decision = policy.apply(environ)
    return REJECTED if policy.rejects(decision) else see_environ(environ)


# -- ASGI ------------------------------------------------------------------------------


def see_scope(scope: Mapping[str, Any]) -> Seen:
    """What a scope says."""
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    return {
        "client": scope["client"][0],
        "scheme": scope["scheme"],
        "host": hosts[-1].decode(),
    }


def ask_asgi(make: Callable[[Any], Any], request: Request, kind: str) -> Seen:
    """Ask an ASGI middleware."""
    seen: list[Seen] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        seen.append(see_scope(scope))

    async def nothing(*args: Any) -> Any:
        return None

    asyncio.run(make(application)(request.scope(kind), nothing, nothing))
    return seen[0]


def ask_uvicorn(trusted: str, request: Request, kind: str) -> Seen:
    """Ask uvicorn's middleware."""
    return ask_asgi(lambda app: ProxyHeadersMiddleware(app, trusted), request, kind)


def ask_hypercorn(mode: Any, hops: int, request: Request, kind: str) -> Seen:
    """Ask Hypercorn's middleware."""
    return ask_asgi(lambda app: ProxyFixMiddleware(app, mode, hops), request, kind)


def ask_us_asgi(conversion: Conversion, request: Request, kind: str) -> Seen:
    """Ask this project, with the settings that were converted."""
    decision, scope = conversion.read().policy.apply_scope(request.scope(kind))
    assert decision.rejected is None
    return see_scope(scope)


# -- gunicorn --------------------------------------------------------------------------


def ask_gunicorn(options: Mapping[str, Any], request: Request) -> Seen:
    """Let gunicorn's own parser read the request, and say its scheme."""
    config = Config()
    for name, value in options.items():
        config.set(name, value)
    lines = [f"{name}: {value}" for name, value in request.headers.items()]
    raw = "\r\n".join(["GET /x HTTP/1.1", "Host: backend.internal", *lines, "", ""])
    peer: Any = (request.peer, 50000) if request.peer else b""
    try:
        parsed = GunicornRequest(config, IterUnreader(iter([raw.encode()])), peer)
    except ParseException:
        return REJECTED
    return {"status": 200, "scheme": parsed.scheme}


# -- Django ----------------------------------------------------------------------------


def make_django_request(environ: dict[str, Any]) -> HttpRequest:
    """Make Django's request of an environ."""
    from django.core.handlers.wsgi import WSGIRequest

    return WSGIRequest(environ)


def see_django(request: HttpRequest) -> Seen:
    """What Django derives."""
    return {
        "status": 200,
        "client": request.META["REMOTE_ADDR"],
        "scheme": request.scheme,
        "host": request.get_host(),
        "port": request.get_port(),
        "path": request.path,
    }


def ask_django(settings: Mapping[str, Any], request: Request) -> Seen:
    """Ask Django with settings of its own."""
    with override_settings(ALLOWED_HOSTS=["*"], **settings):
        return see_django(make_django_request(request.environ()))


def ask_us_django(conversion: Conversion, request: Request) -> Seen:
    """Ask Django behind this project."""
    environ = request.environ()
    conversion.read().policy.apply(environ)
    with override_settings(ALLOWED_HOSTS=["*"]):
        return see_django(make_django_request(environ))


def ask_ipware(options: Mapping[str, Any], request: Request) -> Seen:
    """Ask django-ipware for the client's address."""
    client, _ = get_client_ip(make_django_request(request.environ()), **options)
    return {"client": client}


def ask_xff(settings: Mapping[str, Any], request: Request) -> Seen:
    """Ask django-xff."""
    seen: list[Seen] = []

    def respond(request: HttpRequest) -> HttpResponse:
        seen.append({"status": 200, "client": request.META["REMOTE_ADDR"]})
        return HttpResponse()

    with override_settings(**settings):
        middleware = XForwardedForMiddleware(respond)
        middleware(make_django_request(request.environ()))
    return seen[0] if seen else REJECTED


def ask_django_security(
    settings: Mapping[str, Any], method: str, request: Request
) -> Seen:
    """Ask Django's SecurityMiddleware."""
    environ = {**request.environ(), "REQUEST_METHOD": method}
    with override_settings(ALLOWED_HOSTS=["*"], **settings):
        middleware = SecurityMiddleware(lambda request: HttpResponse())
        response = middleware(make_django_request(environ))
    assert isinstance(response, HttpResponseBase)
    return see_answer(response.status_code, response.headers)


# -- Flask -----------------------------------------------------------------------------


def make_flask() -> flask.Flask:
    """Make an application of one page."""
    application = flask.Flask("pages")
    application.add_url_rule("/x", view_func=lambda: "page", methods=["GET", "POST"])
    return application


def make_talisman(options: Mapping[str, Any]) -> flask.Flask:
    """Put Talisman around an application, and leave its other headers out."""
    application = make_flask()
    Talisman(application, content_security_policy=None, **options)
    return application


def see_answer(status: int, headers: Mapping[str, str]) -> Seen:
    """What a browser is told about HTTPS."""
    return {
        "status": status,
        "location": headers.get("Location"),
        "hsts": headers.get("Strict-Transport-Security"),
    }


def open_wsgi(application: Any, request: Request, method: str) -> Seen:
    """Ask a whole WSGI application for its page."""
    environ = {**request.environ(), "REQUEST_METHOD": method}
    _, status, headers = run_wsgi_app(application, environ)
    return see_answer(int(status.partition(" ")[0]), dict(headers))
