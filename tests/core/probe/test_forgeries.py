"""
Forged lines: one for each known header, each with a text of its own.
"""

from __future__ import annotations

from random import Random

import pytest

from trustedproxy.headers import KNOWN_HEADERS, Category, Form, ProxyHeader
from trustedproxy.parsing.values import PARSERS
from trustedproxy.probe.forgeries import Forger

NEVER = [h.name for h in KNOWN_HEADERS if h.form is Form.NEVER]


@pytest.mark.parametrize("header", KNOWN_HEADERS, ids=lambda header: header.name)
def test_value_is_one_that_a_policy_would_take(header: ProxyHeader) -> None:
    """A value that no parser accepts would never show a hole."""
    forgery = Forger("https", Random(1)).forge(header.name)

    assert forgery.line == (header.name, forgery.value)
    if header.form in PARSERS:
        assert PARSERS[header.form](forgery.value) is not None
    for mark in forgery.marks.values():
        assert header.form in (Form.FLAG, Form.NEVER) or mark in forgery.value


def test_marks_of_a_run_are_all_different() -> None:
    """What is found in an answer leads back to one line."""
    forger = Forger("https", Random(1))

    marks = [
        mark
        for header in KNOWN_HEADERS
        for category, mark in forger.forge(header.name).marks.items()
        if category is not Category.SCHEME and header.name != "X-Forwarded-Method"
    ]

    assert len(set(marks)) == len(marks)


def test_marks_belong_to_nobody() -> None:
    """Addresses and names are those that are reserved for documentation."""
    forger = Forger("https", Random(1))
    assert forger.make_host().endswith(".example")
    assert forger.make_address().startswith(("192.0.2.", "198.51.100.", "203.0.113."))


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_scheme_is_forged_in_every_form(scheme: str) -> None:
    """Words, flags, JSON, and the elements of Forwarded say the same."""
    forger = Forger(scheme, Random(1))
    flag = "on" if scheme == "https" else "off"

    assert forger.forge("X-Forwarded-Proto").value == scheme
    assert forger.forge("X-Forwarded-SSL").value == flag
    assert forger.forge("CF-Visitor").value == f'{{"scheme":"{scheme}"}}'
    assert f"proto={scheme}" in forger.forge("Forwarded").value


@pytest.mark.parametrize("category", [c for c in Category if c is not Category.OTHER])
def test_custom_header_is_forged_by_its_category(category: Category) -> None:
    """A header that only the application's policy knows."""
    forgery = Forger("https", Random(1)).forge("X-Own", "X_Own", category)

    assert forgery.name == "X_Own"
    assert [*forgery.marks] == [category]


@pytest.mark.parametrize("name", NEVER)
def test_header_that_is_never_read_is_forged_too(name: str) -> None:
    """Others may read it."""
    assert Forger("https", Random(1)).forge(name).value
