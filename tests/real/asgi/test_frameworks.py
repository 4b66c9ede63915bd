"""
Starlette, FastAPI, Quart, Django and Channels, each as its example has it.

Every example runs on a real server and is asked by its proxy, 127.0.0.1, and by a
stranger, 127.0.0.2, who forges what the proxy would send.
"""

from __future__ import annotations

from typing import Any

import pytest

from .asking import INSIDE, STRANGER, ask, find_refusal, send, talk
from .running import Running, Starter

CLIENT = "203.0.113.7"
ORIGIN = "https://shop.example"
"""What a browser says of the page that opens a websocket; Channels wants to know."""

FORWARDED = {
    "X-Forwarded-For": CLIENT,
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "shop.example",
    "X-Forwarded-Prefix": "/app",
}

#: Example → the server that it is tried on, and its application.
EXAMPLES = {
    "asgi": ("granian", "asgi_app:application"),
    "starlette": ("uvicorn-httptools", "starlette_app:app"),
    "fastapi": ("hypercorn", "fastapi_app:app"),
    "fastapi-https": ("uvicorn-h11", "fastapi_https_app:application"),
    "falcon": ("uvicorn-httptools", "falcon_asgi_app:application"),
    "quart": ("hypercorn", "quart_app:app"),
    "quart-on-uvicorn": ("uvicorn-h11", "quart_app:app"),
    "django": ("uvicorn-h11", "django_asgi_app:application"),
    "channels": ("daphne", "channels_app:application"),
    "channels-on-uvicorn": ("uvicorn-httptools", "channels_app:application"),
}

THROUGH_THE_PROXY: dict[str, dict[str, Any]] = {
    "asgi": {"client": CLIENT, "scheme": "https"},
    "starlette": {
        "client": CLIENT,
        "base_url": "https://shop.example/app/",
        "link": "https://shop.example/app/page",
    },
    "fastapi": {
        "client": CLIENT,
        "link": "https://shop.example/app/page",
        "reason": "FIRST_UNTRUSTED_HOP",
    },
    "fastapi-https": {
        "client": CLIENT,
        "link": "https://app.internal/page",
        "greeting": "hello",
    },
    "falcon": {"client": CLIENT, "link": "https://shop.example/app/page"},
    "quart": {
        "client": CLIENT,
        "scheme": "https",
        "host": "shop.example",
        "mount_point": "/app",
        "link": "https://shop.example/app/page",
    },
    "django": {"client": CLIENT, "link": "https://shop.example/app/page"},
    "channels": {"client": CLIENT, "link": "https://shop.example/app/page"},
}
AROUND_THE_PROXY: dict[str, dict[str, Any]] = {
    "asgi": {"client": STRANGER, "scheme": "http"},
    "starlette": {
        "client": STRANGER,
        "base_url": "http://app.internal/",
        "link": "http://app.internal/page",
    },
    "fastapi": {
        "client": STRANGER,
        "link": "http://app.internal/page",
        "reason": "PEER_NOT_TRUSTED",
    },
    "falcon": {"client": STRANGER, "link": "http://app.internal/page"},
    "quart": {
        "client": STRANGER,
        "scheme": "http",
        "host": INSIDE,
        "mount_point": "",
        "link": "http://app.internal/page",
    },
    "django": {"client": STRANGER, "link": "http://app.internal/page"},
    "channels": {"client": STRANGER, "link": "http://app.internal/page"},
}

ON_A_WEBSOCKET_THROUGH_THE_PROXY: dict[str, dict[str, Any]] = {
    "starlette": {"client": CLIENT, "url": "wss://shop.example/app/talk"},
    "fastapi": {
        "client": CLIENT,
        "url": "wss://shop.example/app/talk",
        "reason": "FIRST_UNTRUSTED_HOP",
    },
    "quart": {
        "client": CLIENT,
        "scheme": "wss",
        "host": "shop.example",
        "mount_point": "/app",
    },
    "channels": {"client": CLIENT, "scheme": "wss", "host": "shop.example"},
}
ON_A_WEBSOCKET_AROUND_THE_PROXY: dict[str, dict[str, Any]] = {
    "starlette": {"client": STRANGER, "url": "ws://app.internal/talk"},
    "fastapi": {
        "client": STRANGER,
        "url": "ws://app.internal/talk",
        "reason": "PEER_NOT_TRUSTED",
    },
    "quart": {
        "client": STRANGER,
        "scheme": "ws",
        "host": INSIDE,
        "mount_point": "",
    },
    "channels": {"client": STRANGER, "scheme": "ws", "host": INSIDE},
}


def framework_of(name: str) -> str:
    """Name the framework of an example that is tried on several servers."""
    return name.partition("-on-")[0]


def test_https_only_under_fastapi(start: Starter) -> None:
    """A stranger that forges the scheme is redirected; the health check is not."""
    address = run(start, "fastapi-https").address

    forged = send(address, "/page", FORWARDED, source=STRANGER)
    exempt = send(address, "/healthz", {}, source=STRANGER)
    secure = send(address, "/page", FORWARDED)

    assert forged.status_code == 301
    assert forged.headers["Location"] == "https://app.internal/page"
    assert exempt.json() == "well"
    assert secure.headers["Strict-Transport-Security"] == "max-age=3600"


WITH_WEBSOCKETS = [
    name for name in EXAMPLES if framework_of(name) in ON_A_WEBSOCKET_AROUND_THE_PROXY
]


def run(start: Starter, name: str) -> Running:
    """Run an example with its own settings alone."""
    return start(*EXAMPLES[name], settings={})


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_sees_the_client_behind_its_proxy(start: Starter, name: str) -> None:
    """From 127.0.0.1 the headers are the truth: client, scheme, host, mount point."""
    actual = ask(run(start, name).address, "/page", FORWARDED)

    assert actual == THROUGH_THE_PROXY[framework_of(name)]


@pytest.mark.parametrize(
    "name", [name for name in EXAMPLES if framework_of(name) in AROUND_THE_PROXY]
)
def test_example_trusts_no_stranger(start: Starter, name: str) -> None:
    """From 127.0.0.2 the same headers are nothing."""
    actual = ask(run(start, name).address, "/page", FORWARDED, source=STRANGER)

    assert actual == AROUND_THE_PROXY[framework_of(name)]


@pytest.mark.parametrize("name", WITH_WEBSOCKETS)
def test_websocket_sees_the_client_behind_its_proxy(start: Starter, name: str) -> None:
    """A websocket says the same as a request, with the schemes of websockets."""
    actual = talk(run(start, name).address, "/talk", FORWARDED, origin=ORIGIN)

    assert actual == ON_A_WEBSOCKET_THROUGH_THE_PROXY[framework_of(name)]


@pytest.mark.parametrize("name", WITH_WEBSOCKETS)
def test_websocket_trusts_no_stranger(start: Starter, name: str) -> None:
    """From 127.0.0.2 the same headers are nothing on a websocket either."""
    actual = talk(
        run(start, name).address, "/talk", FORWARDED, source=STRANGER, origin=ORIGIN
    )

    assert actual == ON_A_WEBSOCKET_AROUND_THE_PROXY[framework_of(name)]


@pytest.mark.parametrize("name", ["starlette", "quart", "django", "channels"])
def test_mount_point_ends_with_its_request(start: Starter, name: str) -> None:
    """A request below a mount point leaves nothing behind for the next one."""
    address = run(start, name).address
    below = ask(address, "/page", FORWARDED)["link"]
    plain = {k: v for k, v in FORWARDED.items() if k != "X-Forwarded-Prefix"}

    actual = ask(address, "/page", plain)["link"]

    assert below == "https://shop.example/app/page"
    assert actual == "https://shop.example/page"


@pytest.mark.parametrize("name", ["django", "channels"])
def test_django_checks_the_host_that_the_proxy_names(start: Starter, name: str) -> None:
    """ALLOWED_HOSTS is asked about the forwarded host, of which strangers name none."""
    address = run(start, name).address
    evil = {**FORWARDED, "X-Forwarded-Host": "evil.example"}

    assert send(address, "/page", evil).status_code == 400
    assert send(address, "/page", evil, source=STRANGER).status_code == 200


ORIGINS = {
    "https://shop.example": 0,
    "https://evil.example": 403,
    "null": 403,
}


@pytest.mark.parametrize("name", ["channels", "channels-on-uvicorn"])
@pytest.mark.parametrize("origin", ORIGINS)
def test_channels_checks_the_origin_behind_the_end_of_tls(
    start: Starter, name: str, origin: str
) -> None:
    """AllowedHostsOriginValidator accepts the site's own https origin and no other."""
    address = run(start, name).address

    assert find_refusal(address, "/talk", FORWARDED, origin=origin) == ORIGINS[origin]
