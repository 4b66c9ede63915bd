"""How backends are treated: what may be said about it, and what may not."""

from __future__ import annotations

from typing import Any

import pytest

from trustedproxy import ConfigurationError
from trustedproxy.mount_points.limits import Limits


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"connect_timeout": 0.5, "timeout": 1},
        {"idle_connections": 0, "max_connections": 1, "max_message": 1},
    ],
)
def test_limits_are_taken(options: dict[str, Any]) -> None:
    """What is said holds, and the rest is as usual."""
    usual = Limits()
    limits = Limits(**options)

    for option in ("connect_timeout", "timeout", "idle_connections", "max_message"):
        assert getattr(limits, option) == options.get(option, getattr(usual, option))


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("connect_timeout", 0, "a number above 0"),
        ("timeout", -1.5, "a number above 0"),
        ("timeout", "60", "a number above 0"),
        ("timeout", None, "a number above 0"),
        ("timeout", float("nan"), "a number above 0"),
        ("max_connections", 0, "a whole number above 0"),
        ("max_connections", 1.5, "a whole number above 0"),
        ("max_connections", True, "a whole number above 0"),
        ("max_message", -1, "a whole number above 0"),
        ("idle_connections", -1, "a whole number, 0 or above"),
    ],
)
def test_limit_that_cannot_be_used(option: str, value: Any, expected: str) -> None:
    """The error names the option, and what it may be."""
    with pytest.raises(ConfigurationError) as caught:
        Limits(**{option: value})

    assert str(caught.value) == f"{option}: {value!r} is not {expected}."
