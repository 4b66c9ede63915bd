"""
Other frameworks below a mount point: their routes, and the links that they make.

In:  the smallest application of each, wrapped by the policy, asked in its own process.
Out: the page, the client, and a link that a browser can follow; the proxy takes the
     mount point off the path, or leaves it there.
"""

from __future__ import annotations

import asyncio
import json
import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest

from trustedproxy import (
    ProxyPolicy,
    TrustedProxyASGIMiddleware,
    TrustedProxyMiddleware,
)

from ..on_django.handlers import call_asgi, call_wsgi, make_environ, make_scope

CLIENT = "203.0.113.7"
FROM_PROXY = {
    "X-Forwarded-For": CLIENT,
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Prefix": "/app",
}
RIGHT = {"client": CLIENT, "link": "https://shop.example/app/page"}


def make_policy(*, strip: bool) -> ProxyPolicy:
    """Make the docs' example policy, and the header of the mount point."""
    return ProxyPolicy(
        headers=["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Prefix"],
        proxies=["loopback"],
        strip_mount_point=strip,
    )


# -- WSGI


def make_bottle() -> Any:
    """Make a Bottle application."""
    bottle: Any = import_module("bottle")

    app = bottle.Bottle()

    @app.get("/page")  # type: ignore[untyped-decorator]  # the package has no types
    def page() -> dict[str, str]:
        return {
            "client": bottle.request.environ["REMOTE_ADDR"],
            "link": bottle.request.url,
        }

    return app


def make_falcon() -> Any:
    """Make a Falcon application."""
    falcon: Any = import_module("falcon")

    class Page:
        def on_get(self, request: Any, response: Any) -> None:
            response.media = {"client": request.remote_addr, "link": request.uri}

    app = falcon.App()
    app.add_route("/page", Page())
    return app


def make_pyramid() -> Any:
    """Make a Pyramid application."""
    with warnings.catch_warnings():
        # Its own dependencies use what is deprecated.
        warnings.simplefilter("ignore")
        pyramid: Any = import_module("pyramid.config")
        with pyramid.Configurator() as config:
            config.add_route("page", "/page")
            config.add_view(
                lambda request: {
                    "client": request.remote_addr,
                    "link": request.route_url("page"),
                },
                route_name="page",
                renderer="json",
            )
            return config.make_wsgi_app()


WSGI = {"bottle": make_bottle, "falcon": make_falcon, "pyramid": make_pyramid}

each_path = pytest.mark.parametrize(
    ("path", "strip"),
    [("/page", False), ("/page", True), ("/app/page", True)],
    ids=["taken off", "taken off, and would be", "left in the path"],
)


@each_path
@pytest.mark.parametrize("name", WSGI)
def test_wsgi_framework_below_a_mount_point(name: str, path: str, strip: bool) -> None:
    """Routes are found and links are right, in every WSGI framework."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        app = TrustedProxyMiddleware(WSGI[name](), make_policy(strip=strip))
    environ = make_environ(
        path, peer="127.0.0.1", host="shop.example", headers=FROM_PROXY
    )

    answer = call_wsgi(app, environ)

    assert (answer.status, json.loads(answer.body)) == (200, RIGHT)


# -- ASGI


def make_starlette() -> Any:
    """Make a Starlette application."""
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def page(request: Request) -> JSONResponse:
        assert request.client is not None
        link = str(request.url_for("page"))
        return JSONResponse({"client": request.client.host, "link": link})

    return Starlette(routes=[Route("/page", page, name="page")])


def make_fastapi() -> Any:
    """Make a FastAPI application."""
    import fastapi

    app = fastapi.FastAPI()

    async def page(request: Any) -> dict[str, str]:
        return {"client": request.client.host, "link": str(request.url_for("page"))}

    # With annotations as text, FastAPI would look for the class in this module.
    page.__annotations__ = {"request": fastapi.Request}
    app.get("/page", response_model=None)(page)
    return app


def make_quart() -> Any:
    """Make a Quart application."""
    import quart

    app = quart.Quart("application")

    @app.get("/page")
    async def page() -> dict[str, str | None]:
        return {
            "client": quart.request.remote_addr,
            "link": quart.url_for("page", _external=True),
        }

    return app


def make_litestar() -> Any:
    """Make a Litestar application."""
    litestar: Any = import_module("litestar")

    async def page(request: Any) -> dict[str, str]:
        link = str(request.base_url).rstrip("/") + "/page"
        return {"client": request.client.host, "link": link}

    page.__annotations__ = {"request": litestar.Request, "return": dict[str, str]}
    handler = litestar.get("/page")(page)
    return litestar.Litestar([handler])


def make_blacksheep() -> Any:
    """Make a BlackSheep application."""
    blacksheep: Any = import_module("blacksheep")

    app = blacksheep.Application()

    async def page(request: Any) -> Any:
        link = f"{request.scheme}://{request.host}{request.base_path}/page"
        return blacksheep.json({"client": request.original_client_ip, "link": link})

    page.__annotations__ = {"request": blacksheep.Request}
    app.router.add_get("/page", page)
    return app


def make_falcon_asgi() -> Any:
    """Make a Falcon application for ASGI, behind what it needs below a mount point."""
    falcon_asgi: Any = import_module("falcon.asgi")

    class Page:
        async def on_get(self, request: Any, response: Any) -> None:
            link = f"{request.prefix}/page"
            response.media = {"client": request.remote_addr, "link": link}

    app = falcon_asgi.App()
    app.add_route("/page", Page())
    return app


def take_off_root_path(app: Any) -> Any:
    """Give the path without the mount point to what compares the whole of it."""

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        root_path = scope.get("root_path", "")
        if root_path and scope["path"].startswith(root_path):
            scope = {**scope, "path": scope["path"].removeprefix(root_path) or "/"}
        await app(scope, receive, send)

    return serve


ASGI: dict[str, Callable[[], Any]] = {
    "starlette": make_starlette,
    "fastapi": make_fastapi,
    "quart": make_quart,
    "litestar": make_litestar,
    "blacksheep": make_blacksheep,
    "falcon": lambda: take_off_root_path(make_falcon_asgi()),
}


def ask_asgi(app: Any, path: str, *, strip: bool) -> Any:
    """Start an ASGI application, and ask it as the proxy does."""

    async def ask() -> Any:
        start = getattr(app, "start", None)
        if start is not None:
            await start()
        wrapped = TrustedProxyASGIMiddleware(app, make_policy(strip=strip))
        scope = make_scope(
            path, peer="127.0.0.1", host="shop.example", headers=FROM_PROXY
        )
        return await call_asgi(wrapped, scope)

    return asyncio.run(ask())


@each_path
@pytest.mark.parametrize("name", ASGI)
def test_asgi_framework_below_a_mount_point(name: str, path: str, strip: bool) -> None:
    """Routes are found and links are right, in every ASGI framework."""
    answer = ask_asgi(ASGI[name](), path, strip=strip)

    assert (answer.status, json.loads(answer.body)) == (200, RIGHT)


def test_falcon_compares_the_whole_path() -> None:
    """Without what the docs give for it, Falcon's ASGI application answers 404."""
    assert ask_asgi(make_falcon_asgi(), "/page", strip=False).status == 404
