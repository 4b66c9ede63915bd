"""
Servers and their middlewares that rewrite the scope before the policy sees it.

That is logged once with what to switch off, and nothing is trusted.
"""

from __future__ import annotations

from typing import Any

import pytest

from .asking import ask, talk
from .running import GUNICORN, POLICY, SERVERS, Starter

CLIENT = "203.0.113.7"
BEHIND = "showing:behind_policy"
FORWARDED = {"X-Forwarded-For": CLIENT, "X-Forwarded-Proto": "https"}

#: What rewrites → server, application, options, and the words that say what to change.
REWRITERS: dict[str, tuple[str, str, tuple[str, ...], str]] = {
    "uvicorn-httptools": ("uvicorn-httptools", BEHIND, (), "--no-proxy-headers"),
    "uvicorn-h11": ("uvicorn-h11", BEHIND, (), "--no-proxy-headers"),
    "gunicorn-uvicorn": (
        "gunicorn-uvicorn",
        BEHIND,
        (),
        "gunicorn's uvicorn worker --forwarded-allow-ips ''",
    ),
    "hypercorn-legacy": (
        "hypercorn",
        "behind_hypercorn:legacy",
        (),
        "ProxyFixMiddleware",
    ),
    "hypercorn-modern": (
        "hypercorn",
        "behind_hypercorn:modern",
        (),
        "ProxyFixMiddleware",
    ),
    "daphne": ("daphne", BEHIND, ("--proxy-headers",), "--proxy-headers"),
    "granian": (
        "granian",
        "behind_granian:application",
        (),
        "wrap_asgi_with_proxy_headers",
    ),
}
each_way = pytest.mark.parametrize("by", [ask, talk], ids=["http", "websocket"])


def count_notices(log: str) -> int:
    """Count the lines about a scope that was rewritten already."""
    return log.count("has already rewritten the client")


@pytest.mark.parametrize("name", REWRITERS)
def test_server_that_has_rewritten_is_logged_once_with_its_switch(
    start: Starter, name: str
) -> None:
    """The log says it once, however many requests come, and names what to change."""
    server, application, options, switch = REWRITERS[name]
    running = start(server, application, *options, as_it_comes=True)

    for by in (ask, talk, ask):
        by(running.address, "/page", FORWARDED)

    log = running.read_log()
    assert count_notices(log) == 1
    assert switch in log


@pytest.mark.parametrize("name", REWRITERS)
@each_way
def test_client_that_the_server_made_up_is_not_trusted(
    start: Starter, name: str, by: Any
) -> None:
    """The peer is lost: the request counts as a direct one of whom the server named."""
    server, application, options, _ = REWRITERS[name]
    running = start(server, application, *options, as_it_comes=True)

    seen = by(running.address, "/page", FORWARDED)

    assert seen["decision"]["peer"] == CLIENT
    assert seen["decision"]["peer_trusted"] is False
    assert "x-forwarded-for" not in dict(seen["headers"])


def test_client_that_came_with_its_port_is_logged_too(start: Starter) -> None:
    """uvicorn takes a port from the header as well; it then is no longer 0."""
    running = start(
        "uvicorn-h11",
        BEHIND,
        settings={**POLICY, "TRUSTED_PROXY_STRIP": "all"},
        as_it_comes=True,
    )

    seen = ask(running.address, "/page", {"X-Forwarded-For": f"{CLIENT}:4711"})

    assert seen["client"] == [CLIENT, 4711]
    assert seen["decision"]["peer_trusted"] is False
    assert count_notices(running.read_log()) == 1


@pytest.mark.parametrize("server", [*SERVERS, *GUNICORN])
def test_server_with_its_switch_off_leaves_the_work_to_the_policy(
    start: Starter, server: str
) -> None:
    """Without the server's own reading the policy knows the peer, and logs nothing."""
    running = start(server, BEHIND)

    by_http = ask(running.address, "/page", FORWARDED)
    by_websocket = talk(running.address, "/talk", FORWARDED)

    assert by_http["decision"]["peer"] == by_websocket["decision"]["peer"]
    assert by_http["decision"]["peer"] == "127.0.0.1"
    assert by_http["client"][0] == by_websocket["client"][0] == CLIENT
    assert (by_http["scheme"], by_websocket["scheme"]) == ("https", "wss")
    assert count_notices(running.read_log()) == 0


def test_django_middleware_logs_what_uvicorn_has_rewritten(start: Starter) -> None:
    """Django's middleware under uvicorn as it comes logs it, and trusts nobody."""
    running = start(
        "uvicorn-h11", "django_asgi_app:application", settings={}, as_it_comes=True
    )
    lines = {**FORWARDED, "X-Forwarded-Host": "shop.example"}

    seen = [ask(running.address, "/page", lines) for _ in range(2)]

    log = running.read_log()
    assert count_notices(log) == 1
    assert "--no-proxy-headers" in log
    assert seen[0] == seen[1]
    assert seen[0]["link"].endswith("://app.internal/page")
