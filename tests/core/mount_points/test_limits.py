"""How backends are treated: what may be said about it, and what may not."""

from __future__ import annotations

import ssl
from dataclasses import fields
from typing import Any

import pytest

from trustedproxy import (
    ConfigurationError,
    ProxyMountPointsASGIMiddleware,
    ProxyMountPointsMiddleware,
    ProxyPolicy,
)
from trustedproxy.mount_points import limits as module
from trustedproxy.mount_points.limits import Limits

FIELDS = [field.name for field in fields(Limits)]
SECONDS = "a number above 0, and at most 86400"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"connect_timeout": 0.5, "timeout": 1},
        {"connect_timeout": 86_400, "timeout": 86_400.0},
        {"ssl_context": ssl.create_default_context()},
        {"idle_connections": 0, "max_connections": 1, "max_message": 1},
    ],
)
def test_limits_are_taken(options: dict[str, Any]) -> None:
    """What is said holds, and the rest is as usual."""
    usual = Limits()
    limits = Limits(**options)

    for option in FIELDS:
        assert getattr(limits, option) == options.get(option, getattr(usual, option))


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("connect_timeout", 0, SECONDS),
        ("timeout", -1.5, SECONDS),
        ("timeout", "60", SECONDS),
        ("timeout", None, SECONDS),
        ("timeout", float("nan"), SECONDS),
        ("timeout", float("inf"), SECONDS),
        ("connect_timeout", 86_401, SECONDS),
        ("max_connections", 0, "a whole number above 0"),
        ("max_connections", 1.5, "a whole number above 0"),
        ("max_connections", True, "a whole number above 0"),
        ("max_message", -1, "a whole number above 0"),
        ("idle_connections", -1, "a whole number, 0 or above"),
        ("ssl_context", "nonsense", "an ssl.SSLContext, or None"),
    ],
)
def test_limit_that_cannot_be_used(option: str, value: Any, expected: str) -> None:
    """The error names the option, and what it may be."""
    with pytest.raises(ConfigurationError) as caught:
        Limits(**{option: value})

    assert str(caught.value) == f"{option}: {value!r} is not {expected}."


@pytest.mark.parametrize(
    "make", [ProxyMountPointsMiddleware, ProxyMountPointsASGIMiddleware]
)
@pytest.mark.parametrize(
    ("urls", "expected"),
    [(["http://127.0.0.1:1"], 0), (["https://a.example", "https://b.example"], 1)],
)
def test_systems_certificates_are_read_once_and_before_any_request(
    make: Any, urls: list[str], expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes long, and only those wait for it who have a backend over TLS."""
    made: list[None] = []
    monkeypatch.setattr(ssl, "create_default_context", lambda: made.append(None))
    module._trust_system.cache_clear()
    policy = ProxyPolicy(proxies=[])

    for _ in range(2):
        make(None, {f"/{i}": url for i, url in enumerate(urls)}, policy)

    assert len(made) == expected
    module._trust_system.cache_clear()
