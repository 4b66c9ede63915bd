"""
From the value of a client header to the client.

In:  values, and what a policy says about hops.
Out: findings: the client, who was confirmed, what remains of the header, and why; and
     the steps that lead there.  The table of cases has the rules themselves.
"""

from __future__ import annotations

from typing import Any

import pytest

from trustedproxy import Category, Form, ProxyHeader, Reason
from trustedproxy.client import Finding, Step, Trust, compile_finder
from trustedproxy.networks import TrustedNetworks
from trustedproxy.parsing.lists import MAX_CHARACTERS, MAX_ELEMENTS

OURS = TrustedNetworks(["10.0.0.0/8"])
WALK = Trust(OURS.contains)
COUNT = Trust(OURS.contains, 2)
ANYBODY = Trust(None)
WAYS = ["walk", "count", "first"]

FIRST = Reason.FIRST_UNTRUSTED_HOP
ALL = Reason.ALL_HOPS_TRUSTED
NOBODY = Reason.UNIDENTIFIED_HOP
COUNTED = Reason.HOP_COUNT
FEW = Reason.TOO_FEW_ELEMENTS
TAKEN = Reason.FIRST_ELEMENT
LONG = "x" * (MAX_CHARACTERS + 1)


def find(
    value: str, trust: Trust = WALK, form: Form = Form.ADDRESS_LIST
) -> tuple[Finding | None, list[Step]]:
    """Find the client in *value* of a header of *form*, and what was looked at."""
    finder = compile_finder(ProxyHeader("X-Edge", Category.CLIENT, form), trust)
    steps: list[Step] = []
    finding = finder(value, steps)

    assert finder(value, None) == finding, "taking the steps changes the end"
    if finding is not None:
        verdict, _, _, text, _ = finding
        assert verdict.header == "X-Edge"
        assert text is None or (verdict.remains and text != value)
    return finding, steps


def describe(finding: Finding | None, value: str) -> dict[str, Any] | None:
    """Describe what a finding says of *value*, without what it does not say."""
    if finding is None:
        return None
    verdict, address, _, text, _ = finding
    remains = value if text is None else text
    said = {
        "client": address if verdict.identifies else None,
        "confirmed": address,
        "text": remains if verdict.remains else None,
        "position": verdict.position,
        "reason": verdict.reason,
        "problem": verdict.problem,
    }
    assert verdict.remains is (address is not None)
    return {key: value for key, value in said.items() if value is not None}


def found(address: str, text: str, position: int | None, reason: Reason) -> Any:
    """Describe a client that was found."""
    said = {"client": address, "confirmed": address, "text": text, "reason": reason}
    return said if position is None else {**said, "position": position}


def lost(
    position: int | None,
    reason: Reason = NOBODY,
    problem: str | None = None,
    **confirmed: str,
) -> Any:
    """Describe that there is no client."""
    said = {"position": position, "reason": reason, "problem": problem, **confirmed}
    return {key: value for key, value in said.items() if value is not None}


LISTS: list[tuple[Trust, str, Any]] = [
    # The walk from the right over our proxies (R6, R11).
    (WALK, " , ", None),
    (WALK, " 203.0.113.7 ", found("203.0.113.7", "203.0.113.7", 1, FIRST)),
    (
        WALK,
        "6.6.6.6,203.0.113.7,,10.0.0.8",
        found("203.0.113.7", "203.0.113.7, 10.0.0.8", 2, FIRST),
    ),
    (WALK, "10.0.0.9, 10.0.0.8", found("10.0.0.9", "10.0.0.9, 10.0.0.8", 2, ALL)),
    (WALK, "203.0.113.7, unknown", lost(1)),
    (
        WALK,
        "6.6.6.6, garbage, 10.0.0.9, 10.0.0.8",
        lost(3, problem="malformed", confirmed="10.0.0.9", text="10.0.0.9, 10.0.0.8"),
    ),
    (
        WALK,
        LONG + ",10.0.0.8",
        lost(2, problem="too-long", confirmed="10.0.0.8", text="10.0.0.8"),
    ),
    # Counted; what stands right of the count is only counted (R8).
    (COUNT, "", None),
    (COUNT, "203.0.113.7", lost(2, FEW, "too-few-elements")),
    (
        COUNT,
        "6.6.6.6, 203.0.113.7, garbage",
        found("203.0.113.7", "203.0.113.7, garbage", 2, COUNTED),
    ),
    (
        COUNT,
        "6.6.6.6, unknown, 10.0.0.8",
        lost(2, confirmed="10.0.0.8", text="10.0.0.8"),
    ),
    (COUNT, "6.6.6.6, garbage, unknown", lost(2, problem="malformed")),
    (COUNT, LONG + ",", lost(2, problem="too-long")),
    # The first element, after which the header stays as it is (R7).
    (ANYBODY, ",", None),
    (
        ANYBODY,
        ", 203.0.113.7, garbage",
        found("203.0.113.7", ", 203.0.113.7, garbage", None, TAKEN),
    ),
    (ANYBODY, "unknown, 203.0.113.7", lost(None)),
    (ANYBODY, LONG, lost(None, problem="too-long")),
]
FORWARDEDS: list[tuple[Trust, str, Any]] = [
    (WALK, ",", None),
    (
        WALK,
        "for=6.6.6.6, for=203.0.113.7;proto=https",
        found("203.0.113.7", "for=203.0.113.7;proto=https", 1, FIRST),
    ),
    (WALK, "for=10.0.0.8", found("10.0.0.8", "for=10.0.0.8", 1, ALL)),
    (WALK, "for=203.0.113.7, proto=https", lost(1)),
    (WALK, "203.0.113.7", lost(1, problem="malformed")),
    (
        COUNT,
        "for=6.6.6.6, for=203.0.113.7, for=garbage",
        found("203.0.113.7", "for=203.0.113.7, for=garbage", 2, COUNTED),
    ),
    (COUNT, 'for=203.0.113.7, for="', lost(2, problem="malformed")),
    (COUNT, "for=10.0.0.8", lost(2, FEW, "too-few-elements")),
    (ANYBODY, "", None),
    (
        ANYBODY,
        "for=203.0.113.7, for=unknown",
        found("203.0.113.7", "for=203.0.113.7, for=unknown", None, TAKEN),
    ),
    (ANYBODY, "for=203.0.113.7, broken", lost(None, problem="malformed")),
    (ANYBODY, f"for=203.0.113.7, x={LONG}", lost(None, problem="too-long")),
]


@pytest.mark.parametrize(
    ("form", "trust", "value", "expected"),
    [
        *((Form.ADDRESS_LIST, *row) for row in LISTS),
        *((Form.FORWARDED, *row) for row in FORWARDEDS),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_list_is_read_to_the_client(
    form: Form, trust: Trust, value: str, expected: Any
) -> None:
    """The client, the last that was confirmed, what remains, and the position."""
    finding, _ = find(value, trust, form)

    assert describe(finding, value) == expected
    assert finding is None or finding[0].counted


@pytest.mark.parametrize(
    ("trust", "position"), [(WALK, 1), (COUNT, 2), (ANYBODY, None)], ids=WAYS
)
@pytest.mark.parametrize(
    ("form", "text"),
    [(Form.ADDRESS, "203.0.113.7"), (Form.ADDRESS_COLON_PORT, "203.0.113.7:4711")],
)
def test_single_value_is_the_client(
    form: Form, text: str, trust: Trust, position: int | None
) -> None:
    """Other lists are read by the peer's own element, which is a guess (R9)."""
    value = f"\t{text} "
    finding, steps = find(value, trust, form)

    assert describe(finding, value) == found(
        "203.0.113.7", text, position, Reason.SINGLE_VALUE
    )
    assert finding is not None and finding[0].counted is (trust is COUNT)
    assert [(step.element, step.trusted) for step in steps] == [(text, False)]
    assert find(" \t", trust, form) == (None, [])
    assert describe(find("unknown", trust, form)[0], "") == lost(position)
    assert describe(find("203.0.113.7, 10.0.0.8", trust, form)[0], "") == lost(
        position, Reason.MALFORMED, "malformed"
    )


@pytest.mark.parametrize("trust", [WALK, COUNT, ANYBODY], ids=WAYS)
@pytest.mark.parametrize("node", ["203.0.113.7", "_hidden"])
def test_clients_own_element_of_forwarded_is_found_with_it(
    trust: Trust, node: str
) -> None:
    """What the element says besides is there, also where it names nobody (R12)."""
    value = f"for={node};proto=https;host=a.example"
    value += ", for=10.0.0.8" if trust is COUNT else ""

    finding, _ = find(value, trust, Form.FORWARDED)

    assert finding is not None
    verdict, _, _, _, said = finding
    assert verdict.identifies is (node != "_hidden")
    assert said == ("https", "a.example")


# -- the steps -------------------------------------------------------------------------

HOPS = ", ".join(["10.0.0.8"] * (MAX_ELEMENTS + 1))


@pytest.mark.parametrize("blanks", ["", ",", " ,", ", ,", "\t,, "])
@pytest.mark.parametrize("form", [Form.ADDRESS_LIST, Form.FORWARDED])
def test_as_many_elements_as_are_read_are_all(form: Form, blanks: str) -> None:
    """Nothing more stands there, whatever blanks and commas do; one more does."""
    element = {Form.FORWARDED: "for=10.0.0.2"}.get(form, "10.0.0.2")
    all_of_them = ",".join([element] * MAX_ELEMENTS)

    found, _ = find(blanks + all_of_them, WALK, form)
    more, _ = find(f"{element},{blanks}{all_of_them}", WALK, form)

    assert found is not None and more is not None
    verdict, _, _, _, _ = found
    assert (verdict.reason, verdict.problem) == (ALL, None)
    verdict, _, _, _, _ = more
    assert (verdict.reason, verdict.problem) == (NOBODY, "too-long")


@pytest.mark.parametrize(
    ("trust", "value", "expected"),
    [
        (
            WALK,
            "6.6.6.6, 203.0.113.7, 10.0.0.8",
            [("10.0.0.8", True), ("203.0.113.7", False)],
        ),
        (WALK, "6.6.6.6, garbage", [("garbage", False)]),
        (WALK, HOPS, [("10.0.0.8", True)] * MAX_ELEMENTS + [(None, False)]),
        (WALK, LONG, [(None, False)]),
        # Those right of the count are passed over, the counted one is the last.
        (
            COUNT,
            "6.6.6.6, 203.0.113.7, garbage",
            [("garbage", True), ("203.0.113.7", False)],
        ),
        (COUNT, "203.0.113.7", [("203.0.113.7", True)]),
        (COUNT, LONG, [(None, False)]),
        (ANYBODY, "203.0.113.7, 6.6.6.6", [("203.0.113.7", False)]),
        (ANYBODY, LONG, [(None, False)]),
    ],
    ids=lambda value: ascii(value)[:40],
)
@pytest.mark.parametrize("form", [Form.ADDRESS_LIST, Form.FORWARDED])
def test_steps_are_what_was_looked_at_nearest_first(
    trust: Trust, value: str, expected: list[tuple[str | None, bool]], form: Form
) -> None:
    """Each element and its verdict, and none further left; ``None`` for the unread."""
    if form is Form.FORWARDED:
        value = ", ".join(f"for={text}" for text in value.split(", "))
        expected = [(text and f"for={text}", trusted) for text, trusted in expected]

    _, steps = find(value, trust, form)

    assert [(step.element, step.trusted) for step in steps] == expected
