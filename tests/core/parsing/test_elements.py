"""
The elements of a client header, whatever its form.

In:  forms and values.
Out: elements nearest first, and the addresses that they name.
"""

from __future__ import annotations

import pytest

from trustedproxy.headers import Form
from trustedproxy.parsing.elements import read_element, split_elements


@pytest.mark.parametrize(
    ("form", "value", "elements", "addresses"),
    [
        (
            Form.ADDRESS_LIST,
            "a, 203.0.113.7:47 ,,10.0.0.6",
            ["10.0.0.6", "203.0.113.7:47", "a"],
            ["10.0.0.6", "203.0.113.7", None],
        ),
        (
            Form.FORWARDED,
            'for="[2001:db8::7]:47", proto=https, for="a,b", for=10.0.0.6, x',
            [
                "x",
                "for=10.0.0.6",
                'for="a,b"',
                "proto=https",
                'for="[2001:db8::7]:47"',
            ],
            [None, "10.0.0.6", None, None, "2001:db8::7"],
        ),
        (Form.ADDRESS, " 203.0.113.7 ", ["203.0.113.7"], ["203.0.113.7"]),
        (Form.ADDRESS, "a, b", ["a, b"], [None]),
        (Form.ADDRESS, " ", [], []),
        (
            Form.ADDRESS_COLON_PORT,
            "2001:db8::7:47",
            ["2001:db8::7:47"],
            ["2001:db8::7"],
        ),
    ],
)
def test_elements_and_their_addresses(
    form: Form, value: str, elements: list[str], addresses: list[str | None]
) -> None:
    """Nearest first, blanks trimmed, empty ones skipped; what names nobody is None."""
    found = split_elements(form, value)
    hops = [read_element(form, element) for element in found]

    assert found == elements
    assert [None if hop is None else hop.address for hop in hops] == addresses


def test_element_that_is_not_read_names_nobody() -> None:
    """What is beyond the bound is one `None` (R13)."""
    found = split_elements(Form.ADDRESS_LIST, "1.1.1.1," * 70)

    assert len(found) == 65
    assert found[-1] is None
    assert read_element(Form.ADDRESS_LIST, None) is None
