"""
What requests with the same headers have in common is worked out once.

In:  requests that differ in their headers, and in the values alone.
Out: layouts, and what is remembered, within bounds.  That nothing of it is ever seen in
     another request is in tests/test_properties.py.
"""

from __future__ import annotations

from itertools import combinations
from typing import Final

import pytest

from trustedproxy import ProxyPolicy
from trustedproxy.headers import environ_key

from .making import make_environ

POLICY: Final = ProxyPolicy(
    headers="X-Forwarded-For X-Forwarded-Host", proxies=["10.0.0.0/8"]
)


def test_layout_is_the_same_for_the_same_headers() -> None:
    """Whatever their values are, and in which order they come."""
    rules = ProxyPolicy(headers="X-Forwarded-For", proxies=["10.0.0.0/8"]).rules
    one = make_environ({"X-Forwarded-For": "203.0.113.7", "X-Real-IP": "x"})
    other = make_environ({"X-Real-IP": "", "X-Forwarded-For": "198.51.100.1"})
    third = make_environ({"X-Forwarded-For": "203.0.113.7"})

    layout = rules.layouts[rules.list_keys(one)]

    assert rules.layouts[rules.list_keys(other)] is layout
    assert rules.layouts[rules.list_keys(third)] is not layout
    assert [key for key, _ in layout.client] == ["HTTP_X_FORWARDED_FOR"]


def test_layouts_are_bounded() -> None:
    """Whoever sends every combination of headers fills no memory."""
    policy = ProxyPolicy(headers="X-Forwarded-For", proxies=["10.0.0.0/8"])
    names = [environ_key(header.name) for header in policy.known_headers]
    count = 0
    for three in combinations(names[:25], 3):
        policy.apply({**make_environ(), **dict.fromkeys(three, "203.0.113.7")})
        count += 1

    assert count > 2 * 1024
    assert len(policy.rules.layouts) <= 1024
    assert len(policy.rules._remembered) <= 1024


@pytest.mark.parametrize(
    ("host", "is_remembered"),
    [("a.example", True), ("a" * 600, False), ("a b", False), ("a b" * 300, False)],
    ids=["usual", "long", "malformed", "both"],
)
def test_only_what_proxies_send_is_remembered(host: str, is_remembered: bool) -> None:
    """Long and malformed values are whoever sends them's to choose."""
    policy = ProxyPolicy(headers="X-Forwarded-Host", proxies=["10.0.0.0/8"])

    for _ in range(2):
        policy.apply(make_environ({"X-Forwarded-Host": host}))

    assert bool(policy.rules._remembered) is is_remembered


@pytest.mark.parametrize("name", ["X-Forwarded-For", "X-Forwarded-Host", "Connection"])
def test_header_without_a_value_is_none(name: str) -> None:
    """A wrapper may leave ``None`` where a server leaves nothing."""
    environ = {**make_environ(), environ_key(name): None}

    decision = POLICY.apply(environ)

    assert decision.client is None
    assert {problem.code for problem in decision.problems} == {"missing"}
