"""
From the value of a client header to the client.

In:  values, and what a policy says about hops.
Out: findings: the client, who was confirmed, what remains of the header, and why.
"""

from __future__ import annotations

from typing import Any

import pytest

from trustedproxy import Form, Reason, memo
from trustedproxy.client import FINDERS, Finding, Step, Trust, find_in_list
from trustedproxy.memo import Memo
from trustedproxy.networks import TrustedNetworks
from trustedproxy.parsing.addresses import Hop
from trustedproxy.parsing.lists import MAX_CHARACTERS

OURS = TrustedNetworks(["10.0.0.0/8"])
WALK = Trust(OURS.contains, None, None)
COUNT = Trust(OURS.contains, 2)
ANYBODY = Trust(None, None)


def find(
    value: str, trust: Trust = WALK, form: Form = Form.ADDRESS_LIST, **more: Any
) -> Finding | None:
    """Find the client in *value*, and again with the steps taken down."""
    finding = FINDERS[form](value, trust, None)
    steps: list[Step] = []

    assert FINDERS[form](value, trust, steps) == finding, "the steps change the end"
    return finding


def tell(finding: Finding | None) -> dict[str, Any] | None:
    """Tell a finding in words."""
    if finding is None:
        return None
    client, vouched = finding.client, finding.vouched
    told = {
        "client": client and (client.address, client.port),
        "vouched": vouched and vouched.address,
        "text": finding.text,
        "position": finding.position,
        "reason": finding.reason,
        "problem": finding.problem,
    }
    return {key: value for key, value in told.items() if value is not None}


def found(address: str, text: str, position: int | None, reason: Reason) -> Any:
    """Say what is told of a client that was found."""
    told = {
        "client": (address, None),
        "vouched": address,
        "text": text,
        "reason": reason,
    }
    return told if position is None else {**told, "position": position}


def lost(position: int | None, reason: Reason, **more: Any) -> Any:
    """Say what is told where there is no client."""
    told = {"reason": reason, **more}
    return told if position is None else {**told, "position": position}


FIRST = Reason.FIRST_UNTRUSTED_HOP
ALL = Reason.ALL_HOPS_TRUSTED
NOBODY = Reason.UNIDENTIFIED_HOP
BAD = {"problem": "malformed"}

WALKS: list[tuple[str, Any]] = [
    ("", None),
    (" , ", None),
    ("203.0.113.7", found("203.0.113.7", "203.0.113.7", 1, FIRST)),
    (" 203.0.113.7 ", found("203.0.113.7", "203.0.113.7", 1, FIRST)),
    ("6.6.6.6, 203.0.113.7", found("203.0.113.7", "203.0.113.7", 1, FIRST)),
    (
        "6.6.6.6,203.0.113.7,,10.0.0.8",
        found("203.0.113.7", "203.0.113.7, 10.0.0.8", 2, FIRST),
    ),
    ("10.0.0.9, 10.0.0.8", found("10.0.0.9", "10.0.0.9, 10.0.0.8", 2, ALL)),
    ("10.0.0.8", found("10.0.0.8", "10.0.0.8", 1, ALL)),
    ("unknown", lost(1, NOBODY)),
    ("garbage", lost(1, NOBODY, **BAD)),
    (
        "203.0.113.7, unknown, 10.0.0.8",
        lost(2, NOBODY, vouched="10.0.0.8", text="10.0.0.8"),
    ),
    (
        "203.0.113.7, garbage, 10.0.0.9, 10.0.0.8",
        lost(3, NOBODY, vouched="10.0.0.9", text="10.0.0.9, 10.0.0.8", **BAD),
    ),
    ("garbage, 203.0.113.7", found("203.0.113.7", "203.0.113.7", 1, FIRST)),
    ("x" * (MAX_CHARACTERS + 1), lost(1, NOBODY, problem="too-long")),
]


@pytest.mark.parametrize(("value", "told"), WALKS, ids=lambda v: ascii(v)[:50])
def test_list_is_walked_from_the_right_over_our_proxies(value: str, told: Any) -> None:
    """The first hop that is not ours is the client (R6); nobody ends it (R11)."""
    assert tell(find(value)) == told


COUNTED = Reason.HOP_COUNT
COUNTS: list[tuple[str, Any]] = [
    ("", None),
    (
        "203.0.113.7",
        lost(2, Reason.TOO_FEW_ELEMENTS, problem="too-few-elements"),
    ),
    (
        "203.0.113.7, 10.0.0.8",
        found("203.0.113.7", "203.0.113.7, 10.0.0.8", 2, COUNTED),
    ),
    (
        "6.6.6.6, 203.0.113.7, garbage",
        found("203.0.113.7", "203.0.113.7, garbage", 2, COUNTED),
    ),
    (
        "6.6.6.6, unknown, 10.0.0.8",
        lost(2, NOBODY, vouched="10.0.0.8", text="10.0.0.8"),
    ),
    ("6.6.6.6, garbage, unknown", lost(2, NOBODY, **BAD)),
    ("x" * MAX_CHARACTERS + ",", lost(2, NOBODY, problem="too-long")),
]


@pytest.mark.parametrize(("value", "told"), COUNTS, ids=lambda v: ascii(v)[:50])
def test_list_is_counted_from_the_right(value: str, told: Any) -> None:
    """What stands right of the count is only counted (R8)."""
    assert tell(find(value, COUNT)) == told


TAKEN = Reason.FIRST_ELEMENT
TAKES: list[tuple[str, Any]] = [
    ("", None),
    ("203.0.113.7", found("203.0.113.7", "203.0.113.7", None, TAKEN)),
    (
        ", 203.0.113.7, garbage",
        found("203.0.113.7", ", 203.0.113.7, garbage", None, TAKEN),
    ),
    ("unknown, 203.0.113.7", lost(None, NOBODY)),
    ("garbage, 203.0.113.7", lost(None, NOBODY, **BAD)),
    ("x" * (MAX_CHARACTERS + 1), lost(None, NOBODY, problem="too-long")),
]


@pytest.mark.parametrize(("value", "told"), TAKES, ids=lambda v: ascii(v)[:50])
def test_list_gives_its_first_element_where_everybody_is_believed(
    value: str, told: Any
) -> None:
    """Then the header stays as it is (R7)."""
    assert tell(find(value, ANYBODY)) == told


FORWARDEDS: list[tuple[str, Trust, Any]] = [
    ("", WALK, None),
    (
        "for=6.6.6.6, for=203.0.113.7;proto=https",
        WALK,
        found("203.0.113.7", "for=203.0.113.7;proto=https", 1, FIRST),
    ),
    ("for=10.0.0.8", WALK, found("10.0.0.8", "for=10.0.0.8", 1, ALL)),
    ("for=203.0.113.7, for=_x", WALK, lost(1, NOBODY)),
    ("for=203.0.113.7, proto=https", WALK, lost(1, NOBODY)),
    (
        "for=garbage, for=10.0.0.8",
        WALK,
        lost(2, NOBODY, vouched="10.0.0.8", text="for=10.0.0.8", **BAD),
    ),
    ("203.0.113.7", WALK, lost(1, NOBODY, **BAD)),
    ("", COUNT, None),
    (
        "for=6.6.6.6, for=203.0.113.7, for=garbage",
        COUNT,
        found("203.0.113.7", "for=203.0.113.7, for=garbage", 2, COUNTED),
    ),
    ('for=203.0.113.7, for="', COUNT, lost(2, NOBODY, **BAD)),
    (
        "for=10.0.0.8",
        COUNT,
        lost(2, Reason.TOO_FEW_ELEMENTS, problem="too-few-elements"),
    ),
    ("", ANYBODY, None),
    (
        "for=203.0.113.7, for=unknown",
        ANYBODY,
        found("203.0.113.7", "for=203.0.113.7, for=unknown", None, TAKEN),
    ),
    ("for=203.0.113.7, broken", ANYBODY, lost(None, NOBODY, **BAD)),
    (
        "for=203.0.113.7, x=" + "y" * MAX_CHARACTERS,
        ANYBODY,
        lost(None, NOBODY, problem="too-long"),
    ),
]


@pytest.mark.parametrize(
    ("value", "trust", "told"), FORWARDEDS, ids=lambda v: ascii(v)[:50]
)
def test_forwarded_is_read_as_lists_are(value: str, trust: Trust, told: Any) -> None:
    """The same three ways, with the grammar of RFC 7239 (R12)."""
    assert tell(find(value, trust, Form.FORWARDED)) == told


@pytest.mark.parametrize("trust", [WALK, COUNT, ANYBODY])
def test_clients_element_of_forwarded_is_kept(trust: Trust) -> None:
    """What the element says besides is found with it, also where it names nobody."""
    value = "for=203.0.113.7;proto=https;host=a.example"
    value += ", for=10.0.0.8" if trust is COUNT else ""

    finding = find(value, trust, Form.FORWARDED)
    nameless = find(value.replace("203.0.113.7", "_x"), trust, Form.FORWARDED)

    assert finding is not None and nameless is not None
    assert finding.element == ("203.0.113.7", "https", "a.example")
    assert (nameless.client, nameless.element) == (None, ("_x", "https", "a.example"))


@pytest.mark.parametrize(
    ("trust", "position"), [(WALK, 1), (COUNT, 2), (ANYBODY, None)], ids=str
)
def test_single_value_is_the_client(trust: Trust, position: int | None) -> None:
    """No list won the client category: the others are read by the peer's element."""
    single = Reason.SINGLE_VALUE

    for form, text in [
        (Form.ADDRESS, "203.0.113.7"),
        (Form.ADDRESS_COLON_PORT, "203.0.113.7:4711"),
    ]:
        finding = find(f"\t{text} ", trust, form)
        assert finding is not None and finding.client is not None
        assert finding.client.address == "203.0.113.7"
        assert finding[2:5] == (text, position, single)
        assert find(" \t", trust, form) is None
        assert tell(find("unknown", trust, form)) == lost(position, NOBODY)
        assert tell(find("203.0.113.7, 10.0.0.8", trust, form)) == lost(
            position, Reason.MALFORMED, **BAD
        )


def test_steps_are_taken_down_nearest_first() -> None:
    """Each element that was looked at is a step, and none further left."""
    steps: list[Step] = []

    find_in_list("6.6.6.6, 203.0.113.7, 10.0.0.8", WALK, steps)

    assert [(step.element, step.trusted) for step in steps] == [
        ("10.0.0.8", True),
        ("203.0.113.7", False),
    ]


def test_proxies_in_lists_are_remembered_and_clients_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Proxies are few and come again; the memo is emptied when it is full."""
    monkeypatch.setattr(memo, "_MOST", 3)
    known: Memo[str, Hop] = Memo()
    sizes: set[int] = set()
    trust = Trust(OURS.contains, None, known)

    for number in range(10):
        for _ in range(2):
            finding = find_in_list(f"203.0.113.7, 10.0.0.{number}", trust, None)
            assert finding is not None and finding.client is not None
            assert finding.client.address == "203.0.113.7"
        sizes.add(len(known))
        assert f"10.0.0.{number}" in known and "203.0.113.7" not in known
    assert sizes == {1, 2, 3}


@pytest.mark.parametrize(
    ("form", "text", "is_read"),
    [
        (Form.ADDRESS, "203.0.113.7", True),
        (Form.ADDRESS, "garbage", False),
        (Form.ADDRESS_COLON_PORT, "203.0.113.7:4711", True),
    ],
)
def test_step_of_a_single_value_is_taken_down(
    form: Form, text: str, is_read: bool
) -> None:
    """There is one, and it is no proxy."""
    steps: list[Step] = []

    FINDERS[form](f" {text}", WALK, steps)

    [step] = steps
    assert (step.element, step.hop is not None, step.trusted) == (text, is_read, False)


@pytest.mark.parametrize("form", [Form.ADDRESS_LIST, Form.FORWARDED])
def test_steps_of_a_count_are_taken_down(form: Form) -> None:
    """Those right of the count are passed over, the counted one is the last."""
    steps: list[Step] = []
    prefix = "for=" if form is Form.FORWARDED else ""
    value = ", ".join(f"{prefix}203.0.113.{n}" for n in (9, 8, 7))

    FINDERS[form](value, COUNT, steps)

    assert [(step.element, step.trusted) for step in steps] == [
        (f"{prefix}203.0.113.7", True),
        (f"{prefix}203.0.113.8", False),
    ]
