"""
Elements of a list header, from either end and within bounds.

In:  values as they come, short and huge.
Out: elements nearest first, the first of all; ``None`` for what is not read.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustedproxy.parsing.lists import (
    MAX_CHARACTERS,
    MAX_ELEMENTS,
    choose_element,
    find_first,
    split_from_right,
)

bounded = settings(max_examples=100, deadline=None, database=None)


@pytest.mark.parametrize(
    ("value", "nearest_first"),
    [
        ("", []),
        (" \t", []),
        (",", []),
        (" , \t,, ", []),
        ("a", ["a"]),
        ("\ta ", ["a"]),
        ("a,b", ["b", "a"]),
        ("a ,\tb, c", ["c", "b", "a"]),
        ("a,,b,", ["b", "a"]),
        ('"a,b"', ['b"', '"a']),
        ("a b,c", ["c", "a b"]),
        ("a\x0b,b\xa0", ["b\xa0", "a\x0b"]),
    ],
)
def test_list_is_split_at_bare_commas(value: str, nearest_first: list[str]) -> None:
    """Quotes mean nothing, blanks and tabs around elements are no part of them."""
    assert split_from_right(value) == nearest_first
    assert find_first(value) == (nearest_first[-1] if nearest_first else "")


@bounded
@given(st.lists(st.text(max_size=8), max_size=10))
def test_list_is_the_same_from_both_ends(parts: list[str]) -> None:
    """Within the bounds, the first element is the farthest one."""
    value = ",".join(parts)
    expected = [stripped for x in value.split(",") if (stripped := x.strip(" \t"))]

    assert split_from_right(value) == expected[::-1]
    assert find_first(value) == (expected[0] if expected else "")


@bounded
@given(
    st.text(max_size=40),
    st.lists(st.text("abc.1:", min_size=1), min_size=1, max_size=9),
)
def test_left_of_a_list_changes_nothing_on_the_right(
    left: str, appended: list[str]
) -> None:
    """What is appended is read as if nothing stood in front of it."""
    right = split_from_right(",".join(appended))

    assert split_from_right(f"{left},{','.join(appended)}")[: len(right)] == right


def test_elements_are_bounded_and_empty_ones_do_not_count() -> None:
    """After the most elements that are read there is only the word that more is."""
    most = [f"e{n}" for n in range(MAX_ELEMENTS)]
    backwards = most[::-1]

    assert split_from_right(",".join(most)) == backwards
    assert split_from_right(", ,".join(most)) == backwards
    assert split_from_right("x," + ",".join(most)) == [*backwards, None]
    assert split_from_right("," * 200 + ",".join(most) + "," * 200) == backwards
    assert find_first("," * 200 + "x," + ",".join(most)) == "x"


def test_element_that_is_cut_is_never_read_as_a_shorter_one() -> None:
    """Where the window ends within an element, that element is not read."""
    address = "203.0.113.77"
    fill = "," * (MAX_CHARACTERS - len(address))

    assert split_from_right(address + fill) == [address]
    assert split_from_right("x" + address + fill) == [None]
    assert split_from_right("1" + address + fill) == [None]
    assert find_first(fill + address) == address
    assert find_first(fill + address + "7") is None
    assert find_first(fill + address + ",7") is None
    assert find_first(fill[1:] + address + ",7") == address
    assert split_from_right("1" * (MAX_CHARACTERS + 1)) == [None]
    assert split_from_right("1" * MAX_CHARACTERS) == ["1" * MAX_CHARACTERS]
    assert split_from_right("left," + "1" * MAX_CHARACTERS) == [None]


@pytest.mark.parametrize(
    ("value", "position", "chosen"),
    [
        ("", 1, (False, None)),
        (" , ", 1, (False, None)),
        ("", None, (False, None)),
        ("a", 1, (True, "a")),
        ("a", 3, (True, "a")),
        ("a, b, c", 1, (True, "c")),
        ("a, b, c", 2, (True, "b")),
        ("a, b, c", 3, (True, "a")),
        ("a, b, c", 4, (True, "a")),
        ("a, b, c", None, (True, "a")),
        (", ,a,", None, (True, "a")),
        ("x" * (MAX_CHARACTERS + 1), 1, (True, None)),
        ("x" * (MAX_CHARACTERS + 1), None, (True, None)),
        ("," * MAX_CHARACTERS + "a", 2, (True, None)),
    ],
)
def test_element_beside_the_clients_is_chosen(
    value: str, position: int | None, chosen: tuple[bool, str | None]
) -> None:
    """The k-th from the right, or the leftmost where there are fewer (R9)."""
    there, element = choose_element(value, position)

    assert (there, element or None) == chosen


def test_bounds_are_those_of_the_rules() -> None:
    """64 elements and 4,096 characters, as the documentation says (R13)."""
    assert (MAX_ELEMENTS, MAX_CHARACTERS) == (64, 4096)


def test_elements_before_the_cut_are_read() -> None:
    """Only the element that is cut is not."""
    long = "x" * MAX_CHARACTERS

    assert find_first(f"a,b,c,{long}") == "a"
    assert split_from_right(f"{long},c,b,a") == ["a", "b", "c", None]
