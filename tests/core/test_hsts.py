"""The text of ``Strict-Transport-Security``: RFC 6797 sections 6.1 and 6.2, S-64."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustedproxy import ConfigurationError, HSTSPolicy
from trustedproxy.hsts import is_about_preload

YEAR = 31_536_000

# The five examples of RFC 6797 section 6.2, and what is printed for each.
RFC_EXAMPLES = {
    "max-age=31536000": "max-age=31536000",
    "max-age=15768000 ; includeSubDomains": "max-age=15768000; includeSubDomains",
    'max-age="31536000"': "max-age=31536000",
    "max-age=0": "max-age=0",
    "max-age=0; includeSubDomains": "max-age=0; includeSubDomains",
}


@pytest.mark.parametrize(("text", "printed"), RFC_EXAMPLES.items())
def test_parse_rfc_example(text: str, printed: str) -> None:
    """Every example of RFC 6797 section 6.2 is a policy, printed canonically."""
    assert str(HSTSPolicy.parse(text)) == printed


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("MAX-AGE=1; INCLUDESUBDOMAINS", "max-age=1; includeSubDomains"),
        ("max-age=0000000007", "max-age=7"),
        ("max-age=000", "max-age=0"),
        ("\t max-age \t=\t 7 \t;\tincludeSubDomains\t", "max-age=7; includeSubDomains"),
        (";; max-age=1 ;; ;", "max-age=1"),
        ("includeSubDomains; max-age=1", "max-age=1; includeSubDomains"),
        (
            f"preload; includesubdomains; Max-Age={YEAR}",
            f"max-age={YEAR}; includeSubDomains; preload",
        ),
        ("report; max-age=1; mode=strict", "max-age=1; report; mode=strict"),
        ('max-age=1; note="a; b=\\"c\\""', 'max-age=1; note="a; b=\\"c\\""'),
        ('max-age=1; note="token"', "max-age=1; note=token"),
        ('max-age=1; note="back\\\\slash"', 'max-age=1; note="back\\\\slash"'),
        ('max-age=1; note=""', 'max-age=1; note=""'),
        (f"max-age={2**63 - 1}", f"max-age={2**63 - 1}"),
    ],
)
def test_parse_tolerated(text: str, printed: str) -> None:
    """What section 6.1 lets people write is read, and printed in one way."""
    assert str(HSTSPolicy.parse(text)) == printed


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "max-age is missing"),
        (" ; ", "max-age is missing"),
        ("includeSubDomains", "max-age is missing"),
        ("max-age", "max-age is no number of seconds"),
        ("max-age=-1", "max-age is no number of seconds"),
        ("max-age=+1", "max-age is no number of seconds"),
        ("max-age=1.5", "max-age is no number of seconds"),
        ("max-age=one", "max-age is no number of seconds"),
        ('max-age=" 1"', "max-age is no number of seconds"),
        ('max-age=""', "max-age is no number of seconds"),
        ("max-age=", "'max-age=' is no directive"),
        (f"max-age={2**63}", "max-age is too large"),
        ("max-age=" + "9" * 5000, "max-age is too large"),
        ("max-age=1; max-age=1", "max-age is there more than once"),
        ("max-age=1; MAX-AGE=2", "max-age is there more than once"),
        (
            "max-age=1; includeSubDomains; includesubdomains",
            "includeSubDomains is there more than once",
        ),
        ("max-age=1; new; NEW=1", "NEW is there more than once"),
        ("max-age=1; includeSubDomains=1", "includeSubDomains takes no value"),
        ('max-age=1; includeSubDomains=""', "includeSubDomains takes no value"),
        (
            f"max-age={YEAR}; includeSubDomains; preload=yes",
            "preload takes no value",
        ),
        ("max-age=1 includeSubDomains", "is no directive"),
        ("max-age=1, includeSubDomains", "is no directive"),
        ("max-age=1; a b", "'a b' is no directive"),
        ("max-age=1; =b", "'=b' is no directive"),
        ("max-age=1; a=b=c", "'a=b=c' is no directive"),
        ('max-age=1; a="open; b', "is no directive"),
        ('max-age=1; a="x"y', "is no directive"),
        ("max-age=1; " + "b c" * 41, "'… (123 characters) is no directive"),
        ("max-age=1\r\nSet-Cookie: a=b", "it has a control character"),
        ("max-age=1; a\x00", "it has a control character"),
        ("max-age=1;\x0bincludeSubDomains", "it has a control character"),
        ("max-age=\u0661", "it has a character outside of ASCII"),
        ("max-age=1;\xa0includeSubDomains", "it has a character outside of ASCII"),
        (f"max-age={YEAR}; preload", "preload needs includeSubDomains"),
        (
            f"max-age={YEAR - 1}; includeSubDomains; preload",
            f"preload needs a max-age of a year ({YEAR})",
        ),
    ],
)
def test_parse_refused(text: str, reason: str) -> None:
    """What is no policy is refused, and the error names what is wrong (S-64)."""
    with pytest.raises(ConfigurationError) as caught:
        HSTSPolicy.parse(text)

    assert reason in str(caught.value)
    assert caught.value.option == "TRUSTED_PROXY_HSTS_POLICY"
    assert caught.value.value == text


def test_parse_other_types_refused() -> None:
    """A value that is no text is an error, with the setting's name as it was given."""
    with pytest.raises(ConfigurationError, match=r"^HSTS: 31536000 is not an HSTS"):
        HSTSPolicy.parse(31536000, option="HSTS")  # type: ignore[arg-type]  # a wrong type is what is asked


def test_policy_built_is_policy_parsed() -> None:
    """A policy that is built from its parts equals the one that is read."""
    built = HSTSPolicy(
        max_age=YEAR, include_subdomains=True, preload=True, extra=("mode = strict",)
    )

    assert built == HSTSPolicy.parse(str(built))
    assert hash(built) == hash(HSTSPolicy.parse(str(built)))
    assert str(built) == ("max-age=31536000; includeSubDomains; preload; mode=strict")


def test_policy_cannot_be_changed() -> None:
    """A policy is immutable."""
    policy = HSTSPolicy(max_age=1)

    with pytest.raises(dataclasses.FrozenInstanceError):
        policy.max_age = 2  # type: ignore[misc]  # what is frozen is set


@pytest.mark.parametrize("max_age", [-1, True, 1.0, "1", None, 2**63])
def test_policy_built_with_no_seconds_refused(max_age: object) -> None:
    """Only a number of seconds makes a policy; True would print as one."""
    with pytest.raises(ConfigurationError, match=r"^max_age: .* is not a number"):
        HSTSPolicy(max_age=max_age)  # type: ignore[arg-type]  # a wrong type is what is asked


@pytest.mark.parametrize("subdomains", [True, False])
def test_policy_built_with_early_preload_refused(subdomains: bool) -> None:
    """Preload needs the subdomains and a year however the policy is made."""
    with pytest.raises(ConfigurationError, match="preload needs"):
        HSTSPolicy(max_age=60, include_subdomains=subdomains, preload=True)


@pytest.mark.parametrize(
    "extra",
    [("a b",), ("",), ("a; b",), ("a\r\nb",), ("max-age=2",), ("preload",), ("a", "A")],
)
def test_policy_built_with_bad_directives_refused(extra: tuple[str, ...]) -> None:
    """A directive that breaks the grammar, is known or is there twice is refused."""
    with pytest.raises(ConfigurationError, match=r"^extra"):
        HSTSPolicy(max_age=1, extra=extra)


NAMES = st.from_regex(r"[a-z][a-z-]{0,8}", fullmatch=True).filter(
    lambda name: name not in ("max-age", "preload")
)
VALUES = st.none() | st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0x7E) | st.just("\t"), max_size=12
)


QUOTED, ESCAPED = re.compile(r'(["\\])'), r"\\\1"


@st.composite
def policies(draw: st.DrawFn) -> HSTSPolicy:
    """Any policy."""
    extra = draw(st.dictionaries(NAMES, VALUES, max_size=3))
    texts = [
        name if value is None else f'{name}="{QUOTED.sub(ESCAPED, value)}"'
        for name, value in extra.items()
    ]
    preload = draw(st.booleans())
    return HSTSPolicy(
        max_age=draw(st.integers(YEAR if preload else 0, 2**63 - 1)),
        include_subdomains=preload or draw(st.booleans()),
        preload=preload,
        extra=tuple(texts),
    )


@given(policies())
def test_policy_printed_is_read_back(policy: HSTSPolicy) -> None:
    """What is printed is read back as an equal policy, and is printed alike."""
    assert HSTSPolicy.parse(str(policy)) == policy
    assert str(HSTSPolicy.parse(str(policy))) == str(policy)


@given(st.text(st.sampled_from('max-ge=10;" \t\\,aé\r'), max_size=30))
def test_parse_any_text(text: str) -> None:
    """Any text is a policy whose print is one line of ASCII, or a named error."""
    try:
        printed = str(HSTSPolicy.parse(text))
    except ConfigurationError as error:
        assert error.option == "TRUSTED_PROXY_HSTS_POLICY"
    else:
        assert re.fullmatch(r"max-age=[0-9]+(?:; [\t -~]+)?", printed)


@pytest.mark.parametrize(
    ("part", "value", "option", "expected"),
    [
        ("include_subdomains", "false", "include_subdomains", "True or False"),
        ("include_subdomains", 1, "include_subdomains", "True or False"),
        ("preload", "yes", "preload", "True or False"),
        ("extra", "ab", "extra", "a list of directives"),
        ("extra", None, "extra", "a list of directives"),
        ("extra", {"a": "b"}, "extra", "a list of directives"),
        ("extra", (None,), "extra[0]", "a directive such as 'name' or 'name=value'"),
        ("extra", ["a", 7], "extra[1]", "a directive such as 'name' or 'name=value'"),
    ],
)
def test_policy_built_with_another_type_refused(
    part: str, value: Any, option: str, expected: str
) -> None:
    """A word for no switches nothing on, and a text is no list of its letters."""
    with pytest.raises(ConfigurationError) as caught:
        HSTSPolicy(10, **{part: value})

    assert (caught.value.option, caught.value.expected) == (option, expected)


def test_policy_built_with_a_list_of_directives() -> None:
    """Whatever holds them, they are the same policy."""
    assert HSTSPolicy(1, extra=["a", "b=c"]) == HSTSPolicy(1, extra=("a", "b=c"))  # type: ignore[arg-type]  # a list, which becomes a tuple


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("max-age=60; includeSubDomains; preload", True),
        (f"max-age={YEAR}; preload", True),
        ("max-age=x; preload", False),
        ("max-age=60; preloadfoo=", False),
        ("max-age=60; preload; preload", False),
        ("max-age=60; : preload needs ", False),
    ],
)
def test_error_about_preload(text: str, *, expected: bool) -> None:
    """What the text holds besides says nothing about what is wrong with it."""
    with pytest.raises(ConfigurationError) as caught:
        HSTSPolicy.parse(text, option="HSTS")

    assert is_about_preload(caught.value) is expected
