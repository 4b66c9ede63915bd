"""
No regular expression takes longer than what it is matched with is long.

In:  every pattern in the source of the three packages.
Out: no two repeats that share a run of characters.
"""

from __future__ import annotations

import re
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pytest

from .patterns.ambiguity import find_ambiguities
from .patterns.source import METHODS, SEARCHING, Package, Pattern
from .surfaces import GROUP

pytestmark = pytest.mark.skipif(
    GROUP not in (None, "core"), reason="the source is read where the core is tested"
)

PACKAGES: Final = ("trustedproxy", "django_trustedproxy", "flask_trustedproxy")


def read_package(name: str) -> Package:
    """Read the package *name* from where it is installed, frameworks or not."""
    spec = find_spec(name)
    assert spec is not None and spec.origin is not None
    return Package(Path(spec.origin).parent)


PATTERNS: Final = [
    pattern for name in PACKAGES for pattern in read_package(name).find_patterns()
]
#: Patterns that are made of arguments, and one of each.
MADE: Final[dict[str, str | bytes]] = {
    "https_only.exemptions._compile_pattern": rb"/a(?>.*?b)(?>.*?c).*d",
    # Django's own setting, which its own middleware searches in the same way.
    "redirects.is_exempt": "^health/$",
    # Secrets as they stand.
    "explain.masks._compile": "abcde|abc\\.e",
    "probe.effects.has_word": r"(?<![0-9A-Za-z.-])a\.b(?![0-9A-Za-z-]|\.[0-9A-Za-z])",
}
#: Patterns that are handed on, and what is called of them elsewhere.
HANDED_ON: Final[dict[str, set[str]]] = {
    "cli.format_strings._APACHE": {"finditer"},
    "cli.format_strings._GUNICORN": {"finditer"},
    "cli.format_strings._NGINX": {"finditer"},
    "https_only.exemptions._compile_pattern": {"fullmatch"},
    "explain.masks._compile": {"sub"},
}


@pytest.mark.parametrize("pattern", PATTERNS, ids=[p.where for p in PATTERNS])
def test_pattern_shares_no_run_of_characters(pattern: Pattern) -> None:
    """Neither neighbouring repeats, nor a repeat and the search, over the same."""
    text = MADE[pattern.where] if pattern.text is None else pattern.text
    methods = pattern.methods | HANDED_ON.get(pattern.where, set())

    found = find_ambiguities(
        text,
        pattern.flags,
        searched=not methods.isdisjoint(SEARCHING),
        whole="fullmatch" in methods,
    )

    assert methods, "none of the methods of a pattern is ever called"
    assert found == []


def test_patterns_are_found() -> None:
    """Those of a function, of another module, of bytes, and none that is not there."""
    found = {pattern.where: pattern for pattern in PATTERNS}

    assert found["parsing.grammar.PORT"].text == "[1-9][0-9]{0,4}"
    assert found["parsing.grammar.PORT"].methods == {"fullmatch"}
    assert set(MADE) <= set(found)
    assert {p.where for p in PATTERNS if p.text is None} == set(MADE)
    assert all(isinstance(pattern.text, str | bytes | None) for pattern in PATTERNS)


def test_every_call_is_found() -> None:
    """There are as many patterns as calls that make or use one by its text."""
    call = re.compile(r"\bre\.(?:compile|" + "|".join(sorted(METHODS)) + r")\(")
    texts = [
        path.read_text(encoding="utf-8")
        for name in PACKAGES
        for path in read_package(name).folder.rglob("*.py")
    ]

    assert sum(len(call.findall(text)) for text in texts) == len(PATTERNS)


# -- the tests of the test -------------------------------------------------------------

#: Patterns for `fullmatch`, and whether they share a run of characters.
FULL: Final = {
    "a*a*": True,
    "a*b*": False,
    "a*ba*": False,
    "a*b?a*": True,
    "a+[ab]+": True,
    "[a-c]*[d-f]*": False,
    "(a*)*": True,
    "(?:a*b?)*": True,
    "(?:ab?)*": False,
    "(?:a|ab)*": False,
    "(?:a|(a))*": True,
    "(?:a|aa)*": True,
    "(?:ab|a|b)*": True,
    "a*?a*?": True,
    "a*+a": False,
    "(?>a*)a*": False,
    "(?>a*a*)b": False,
    "(?>a*a*c)b": True,
    "a*(?=b*b*)": False,
    "a*(?=b*b*c)": True,
    "a*(?!b)": False,
    "(?i:a*)A*": True,
    "(?i)a*(?-i:A*)": True,
    r"\w*\d*": True,
    r"\w*\W*": False,
    r"(a|)b*\1b*": True,
    "a{0,9}a{0,9}": False,
    "(?:a{0,9})*": True,
    "(?:a{2,4})*": True,
    "(?:a{9})*": False,
    "(?:a{2,4}b)*": False,
    "(?:a+b{0,3})*": True,
    ".*\n.*": False,
    "[^;]*(?:;[^;]*)*": False,
    r"\s*[0-9.]+\s*[;,]\s*(?:url\s*=\s*)?": False,
    r"(['\"]?)(.*?)(\1\s*)": True,
}


@pytest.mark.parametrize("text", FULL)
def test_ambiguity_is_found(text: str) -> None:
    """What is tried twice is found, in text and in bytes, and nothing else."""
    found = find_ambiguities(text)

    assert bool(found) is FULL[text]
    assert bool(find_ambiguities(text.encode("ascii"))) is FULL[text]


@pytest.mark.parametrize(
    ("text", "whole", "expected"),
    [
        (r"[ \t]*\r?\n", False, True),
        (r"[ \t]+", False, False),
        (r"a[ \t]*", False, False),
        (r"a[ab]*", False, False),
        (r"a[ab]*c", False, True),
        (r"[ \t]+\Z", False, True),
        (r"[ \t]+", True, True),
        (r"[?#]", False, False),
    ],
)
def test_search_counts_as_a_repeat(text: str, whole: bool, expected: bool) -> None:
    """A repeat that may fail at its end is tried again at each of its characters."""
    found = find_ambiguities(text, searched=True, whole=whole)

    assert bool(found) is expected
    assert not find_ambiguities(text, whole=whole)


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("a*b", (4000, 32000)),
        ("a*a*b", (400, 3200)),
        ("[ab]*[ac]*d", (400, 3200)),
        ("(?:a|aa)*b", (12, 20)),
        ("(?:a*a?)*b", (6, 9)),
    ],
)
def test_what_is_found_takes_long(text: str, sizes: tuple[int, int]) -> None:
    """A pattern that is found ambiguous costs more than in proportion, in `re` too."""
    matcher = re.compile(text)

    costs = [min(_cost(matcher, "a" * size) for _ in range(5)) for size in sizes]

    proportion = costs[1] / costs[0] / (sizes[1] / sizes[0])
    assert (proportion > 2.5) is bool(find_ambiguities(text))


def _cost(matcher: re.Pattern[str], text: str) -> float:
    started = time.process_time()
    for _ in range(20):
        assert matcher.fullmatch(text) is None
    return time.process_time() - started
