"""
The WSGI applications, chosen request by request: ``raw``, ``echo``, ``django``,
``flask``. Each is complete; the choice touches nothing of the environ.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterable, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any

from trustedproxy import ProxyPolicy, TrustedProxyMiddleware

from .answers import (
    describe_decision,
    describe_environ,
    describe_everything,
    list_headers,
    read_policy_settings,
    write_json,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def _answer(body: bytes, start_response: StartResponse) -> Iterable[bytes]:
    start_response(
        "200 OK",
        [("Content-Type", "application/json"), ("Content-Length", str(len(body)))],
    )
    return [body]


def raw(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer with what the server handed over, without any policy."""
    answer = describe_environ(environ)
    answer["environ"] = describe_everything(environ)
    return _answer(write_json(answer), start_response)


def _echo(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    if "uwsgi.version" in environ:
        # What docs/servers.md recommends for uWSGI's log.
        uwsgi: Any = importlib.import_module("uwsgi")
        uwsgi.set_logvar("client", environ["REMOTE_ADDR"])
    return _answer(write_json(describe_environ(environ)), start_response)


def make_echo() -> WSGIApplication:
    """Make the bare echo with the policy around it."""
    return TrustedProxyMiddleware(_echo, ProxyPolicy.from_env())


def make_django() -> WSGIApplication:
    """Make the Django project of `settings`."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "provingground.settings")
    from django.core.wsgi import get_wsgi_application

    return get_wsgi_application()


def make_flask() -> WSGIApplication:
    """Make a Flask application with the extension."""
    from flask import Flask, Response, request, url_for

    from flask_trustedproxy import TrustedProxy, current_decision

    app = Flask(__name__)
    app.config.update(read_policy_settings())
    TrustedProxy(app)

    @app.route("/", defaults={"path": ""})
    @app.route("/<path:path>")
    def show(path: str) -> Response:
        answer = {
            "address": request.remote_addr,
            "scheme": request.scheme,
            "host": request.host,
            "server": request.environ["SERVER_NAME"],
            "port": str(request.environ["SERVER_PORT"]),
            "mount_point": request.root_path,
            "path": request.path,
            "url": url_for("show", path=path, _external=True),
            "headers": list_headers(request.environ),
            "decision": describe_decision(current_decision),
        }
        return Response(write_json(answer), mimetype="application/json")

    return app


MAKERS: Mapping[str, Callable[[], WSGIApplication]] = {
    "echo": make_echo,
    "django": make_django,
    "flask": make_flask,
}
_made: dict[str, WSGIApplication] = {"raw": raw}
_lock = Lock()


def application(
    environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    """Hand the request to the application that it names."""
    name: Any = environ.get("HTTP_PROVING_APPLICATION", "raw")
    with _lock:
        if name not in _made:
            _made[name] = MAKERS[name]()
    return _made[name](environ, start_response)
