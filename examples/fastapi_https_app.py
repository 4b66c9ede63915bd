"""
A FastAPI application that is reached over HTTPS only, with a lifespan.

Run it with ``uvicorn --app-dir examples --no-proxy-headers
fastapi_https_app:application``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request

from trustedproxy import read_settings


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, str]]:
    """Open what the requests share, and close it at the end."""
    yield {"greeting": "hello"}


app = FastAPI(lifespan=lifespan)


@app.get("/page")
async def what_i_see(request: Request) -> dict[str, str | None]:
    """Answer with the client's address and the application's own, as it sees them."""
    return {
        "client": request.client.host if request.client else None,
        "link": str(request.url_for("what_i_see")),
        "greeting": request.state.greeting,
    }


@app.get("/healthz")
async def healthz() -> str:
    """Answer the load balancer, which asks over plain HTTP."""
    return "well"


settings = read_settings(
    {
        "TRUSTED_PROXY_HEADERS": ["X-Forwarded-For", "X-Forwarded-Proto"],
        "TRUSTED_PROXIES": ["loopback"],
        "TRUSTED_PROXY_STRIP": "all",
        "TRUSTED_PROXY_HTTPS_ONLY": True,
        "TRUSTED_PROXY_HTTPS_EXEMPT": ["/healthz"],
        "TRUSTED_PROXY_HSTS_POLICY": "max-age=3600",
    }
)
# The server gets this one; in the place of a dictionary, os.environ can be read:
# read_settings(read_environment(os.environ)), both from trustedproxy.settings.
application = settings.wrap_asgi(app, allowed_hosts=["shop.example", "app.internal"])
