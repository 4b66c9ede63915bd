"""
Regular expressions of paths, as patterns of ``TRUSTED_PROXY_HTTPS_EXEMPT``.

In:  an entry of Django's ``SECURE_REDIRECT_EXEMPT``, which is searched for in the path
     without its first slash.
Out: the patterns that match the same paths; none where no pattern does.
"""

from __future__ import annotations

import re

# Letters, digits and what stands in paths and means nothing to either language.
_PLAIN = re.compile(r"[A-Za-z0-9_/~:@!,=&%;-]")
_ESCAPED = re.compile(r"\\[^A-Za-z0-9*]")
_ANYTHING = ".*"


def convert_pattern(expression: str) -> list[str]:
    """
    Turn one regular expression into patterns.

    Args:
        expression: What Django searches for, such as ``^healthz/?$``.

    Returns:
        One pattern or two, ``["/healthz", "/healthz/"]``; an empty list where the
        expression says something that no pattern can.
    """
    begins = expression.startswith("^")
    ends = expression.endswith("$") and not expression.endswith("\\$")
    middle = expression[begins : len(expression) - ends]
    variants = _read(middle)
    return [
        _join("" if begins else "*", variant, "" if ends else "*")
        for variant in variants
    ]


def _join(before: str, variant: str, after: str) -> str:
    pattern = f"/{before}{variant}{after}"
    while "**" in pattern:
        pattern = pattern.replace("**", "*")
    return pattern


def _read(text: str) -> list[str]:
    """Read literal characters, ``.*``, and one optional character at the end."""
    pattern, i = "", 0
    while i < len(text):
        if text.startswith(_ANYTHING, i):
            pattern, i = pattern + "*", i + len(_ANYTHING)
            continue
        length = _literal_length(text, i)
        if not length:
            return []
        literal = text[i + length - 1]
        i += length
        follower = text[i : i + 1]
        if follower == "?" and i + 1 == len(text):
            return [pattern, pattern + literal]
        if follower in ("?", "*", "+", "{"):
            return []
        pattern += literal
    return [pattern]


def _literal_length(text: str, i: int) -> int:
    """How many characters stand for one of the path; 0 where they mean more."""
    if _PLAIN.match(text, i):
        return 1
    if _ESCAPED.match(text, i):
        return 2
    # Written for a dot, nearly always: the pattern is narrower.
    return 1 if text[i] == "." else 0
