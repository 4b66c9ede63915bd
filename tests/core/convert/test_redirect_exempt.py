"""
Regular expressions of paths as patterns: they match the same paths.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustedproxy import HTTPSOnlyMiddleware
from trustedproxy.convert.kinds.redirect_exempt import convert_pattern

from ..making import make_environ

CONVERTED = {
    r"^healthz$": ["/healthz"],
    r"^healthz/?$": ["/healthz", "/healthz/"],
    r"^healthz": ["/healthz*"],
    r"healthz$": ["/*healthz"],
    r"healthz": ["/*healthz*"],
    r"^\.well-known/acme-challenge/": ["/.well-known/acme-challenge/*"],
    r"^api/.*$": ["/api/*"],
    r"^api/.*": ["/api/*"],
    r".*/ping$": ["/*/ping"],
    r"^v1\-x/~me$": ["/v1-x/~me"],
    r"^v1.0/$": ["/v1.0/"],
    r"^": ["/*"],
    r"^$": ["/"],
    r"^a\$": ["/a$*"],
}
REFUSED = [
    r"^(a|b)$",
    r"^a+$",
    r"^a?b$",
    r"^a*$",
    r"^[ab]$",
    r"^\d$",
    r"^a\*$",
    r"^a{2}$",
    r"(?i)^a$",
    r"\Aa$",
]
PATHS = [
    "/",
    "/healthz",
    "/healthz/",
    "/x/healthz",
    "/healthz/x",
    "/.well-known/acme-challenge/x/y",
    "/api/",
    "/api/v1/x",
    "/api",
    "/x/ping",
    "/ping",
    "/v1-x/~me",
    "/v1.0/",
    "/a$b",
]


def redirects(patterns: list[str], path: str) -> bool:
    """Say whether HTTPS only redirects a path, with these patterns exempt."""
    seen: list[Any] = []
    middleware = HTTPSOnlyMiddleware(lambda environ, start: [], exempt=patterns)
    environ = make_environ(PATH_INFO=path, HTTP_HOST="shop.example")

    def start_response(status: str, headers: Any, error: Any = None) -> Any:
        seen.append(status)

    list(middleware(environ, start_response))
    return bool(seen)


@pytest.mark.parametrize("expression", CONVERTED)
def test_expression_becomes_these_patterns(expression: str) -> None:
    """Each is one pattern, or two where a character may be missing."""
    assert convert_pattern(expression) == CONVERTED[expression]


@pytest.mark.parametrize("expression", REFUSED)
def test_expression_without_an_equivalent_has_no_pattern(expression: str) -> None:
    """Nothing is exempt that the expression did not exempt."""
    assert convert_pattern(expression) == []


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("expression", CONVERTED)
def test_pattern_exempts_the_paths_of_the_expression(
    expression: str, path: str
) -> None:
    """As Django searches: in the path without its first slash."""
    # A dot that stands alone is read as one; the expression means any character.
    exempt = re.search(expression, path.lstrip("/")) is not None

    assert redirects(CONVERTED[expression], path) is not exempt


LETTERS = st.sampled_from(["a", "b", "/", r"\.", "-", ".*"])


@given(
    expression=st.builds(
        lambda before, parts, after: f"{before}{''.join(parts)}{after}",
        st.sampled_from(["", "^"]),
        st.lists(LETTERS, max_size=5),
        st.sampled_from(["", "$", "?$"]),
    ),
    path=st.text("ab./-", max_size=6),
)
@settings(max_examples=300, deadline=None, database=None)
def test_pattern_never_exempts_more_than_the_expression(
    expression: str, path: str
) -> None:
    """Whatever is drawn: a path that is exempt here was exempt before."""
    try:
        compiled = re.compile(expression)
    except re.error:
        assert convert_pattern(expression) == []
        return
    wanted = f"/{path.lstrip('/')}"

    patterns = convert_pattern(expression)

    if patterns and not redirects(patterns, wanted):
        assert compiled.search(wanted.lstrip("/")) is not None
