"""
Elements of Forwarded (RFC 7239), cut off from the right.

In:  values as proxies write them, and as forgers would.
Out: elements nearest first, and what each says.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustedproxy.parsing import lists
from trustedproxy.parsing.forwarded import parse_element, partition_from_right
from trustedproxy.parsing.lists import MAX_CHARACTERS, MAX_ELEMENTS

bounded = settings(max_examples=100, deadline=None, database=None)


def split_from_right(value: str) -> list[str | None]:
    """List the elements of *value* nearest first."""
    return lists.split_from_right(value, partition_from_right)


@pytest.mark.parametrize(
    ("value", "nearest_first"),
    [
        ("", []),
        (" , ,\t", []),
        ("for=a", ["for=a"]),
        ("for=a, for=b", ["for=b", "for=a"]),
        ("for=a;proto=http , for=b", ["for=b", "for=a;proto=http"]),
        ('for="a,b", for=c', ["for=c", 'for="a,b"']),
        ('for="a,b"', ['for="a,b"']),
        ('for="a,b;c,d", for="e,f"', ['for="e,f"', 'for="a,b;c,d"']),
        (r'for="a\"b,c", for=d', ["for=d", r'for="a\"b,c"']),
        (r'for="a\\", for="b,c"', ['for="b,c"', r'for="a\\"']),
        (r'for="a\\\",b", for=c', ["for=c", r'for="a\\\",b"']),
        ('x="", for=c', ["for=c", 'x=""']),
        ('"a,b",c', ["c", '"a,b"']),
        # What a client leaves open reaches nothing that is appended.
        ('for="forged, for=a', ["for=a", 'for="forged']),
        ('for="forged\\, for=a', ["for=a", 'for="forged\\']),
        ('", for=a, for=b', ["for=b", "for=a", '"']),
        ('x", for=a", for=b', ["for=b", 'x", for=a"']),
        # A quote that closes, and that nothing opens.
        ('a,b",c', ["c", 'a,b"']),
        (r"a,\",c", ["c", r"a,\""]),
        (r'\",a",c', ["c", r"\",a" + '"']),
    ],
)
def test_elements_are_cut_at_commas_outside_of_quotes(
    value: str, nearest_first: list[str]
) -> None:
    """Quoted strings are found from their right end."""
    assert split_from_right(value) == nearest_first


QUOTED = st.text('a,;=\\" ', max_size=6).map(
    lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
)
WRITTEN = st.lists(
    st.tuples(st.sampled_from(["for", "by", "x"]), st.one_of(st.just("a"), QUOTED)).map(
        "=".join
    ),
    min_size=1,
    max_size=3,
).map(";".join)


@bounded
@given(st.text('ab,;="\\ \t', max_size=30), st.lists(WRITTEN, min_size=1, max_size=4))
def test_left_of_forwarded_changes_nothing_on_the_right(
    left: str, appended: list[str]
) -> None:
    """However quotes stand on the left, what proxies append is read as they wrote."""
    elements = split_from_right(", ".join(["for=203.0.113.9", *appended]))
    assert elements == [*appended[::-1], "for=203.0.113.9"]

    behind = split_from_right(", ".join([left, "for=203.0.113.9", *appended]))

    assert behind[: len(elements)] == elements


def test_elements_of_forwarded_are_bounded() -> None:
    """At most so many elements and characters are read, from the right."""
    most = [f"for=_{n}" for n in range(MAX_ELEMENTS)]
    long = "for=203.0.113.7, x" + "=" * MAX_CHARACTERS

    assert split_from_right(",".join(most)) == most[::-1]
    assert split_from_right("for=a," + ",".join(most)) == [*most[::-1], None]
    assert split_from_right(long) == [None]
    assert split_from_right(long + ",for=a") == ["for=a", None]
    # A quoted string that the bound cuts is no element either.
    nearest, cut, more = split_from_right('"' + "," * MAX_CHARACTERS + '",for=a')
    assert (nearest, parse_element(str(cut)), more) == ("for=a", None, None)


@pytest.mark.parametrize(
    ("text", "element"),
    [
        ("for=203.0.113.7", ("203.0.113.7", None, None)),
        ("For=a;PROTO=b;hOsT=c", ("a", "b", "c")),
        ('for="[2001:db8::7]:4711"', ("[2001:db8::7]:4711", None, None)),
        ("for=a;by=b;secret=c;host=d", ("a", None, "d")),
        ("proto=https", (None, "https", None)),
        ("for=a ; proto=b\t;\thost=c", ("a", "b", "c")),
        (";for=a;;proto=b;", ("a", "b", None)),
        (";", (None, None, None)),
        (" ; ", (None, None, None)),
        ("", (None, None, None)),
        ('for="a;b,c=d"', ("a;b,c=d", None, None)),
        (r'for="a\"b\\c\d"', ('a"b\\cd', None, None)),
        ('for=""', ("", None, None)),
        ('for="\xe4"', ("\xe4", None, None)),
        ("for=_hidden;proto=https", ("_hidden", "https", None)),
        ("for=a;x=1;X=2", None),
        ("for=a;for=a", None),
        ("for=a;For=b", None),
        ("for =a", None),
        ("for= a", None),
        ("for=a b", None),
        ("for=a proto=b", None),
        ("for", None),
        ("for=", None),
        ("=a", None),
        ("for=[2001:db8::7]", None),
        ("for=203.0.113.7:80", None),
        ('for="a', None),
        ('for=a"', None),
        ('for="a"b', None),
        (r'for="a\"', None),
        ('for="a\n"', None),
        ('for="\u0100"', None),
        ("f\xf6r=a", None),
        ("for=a;garbage", None),
        ("203.0.113.7", None),
    ],
)
def test_element_is_pairs_separated_by_semicolons(
    text: str, element: tuple[str | None, ...] | None
) -> None:
    """RFC 7239 section 4; from an element that breaks it nothing is taken."""
    assert parse_element(text) == element


@bounded
@given(st.text(max_size=40))
def test_reading_forwarded_never_raises(value: str) -> None:
    """Any text is split, and each element is read or is none."""
    for text in split_from_right(value):
        assert text is not None
        element = parse_element(text)
        assert element is None or len(element) == 3
