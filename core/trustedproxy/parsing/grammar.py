"""
Patterns, each named after the rule it implements, with the clause beside it.

In:  nothing.
Out: patterns for whole values, compiled and meant for `fullmatch`; where another
     pattern or loop is made of one, as text or for `match`, its comment says so.

Only ASCII ever matches: digits and letters are written as ranges, since ``\\d`` and
``\\w`` would admit the digits and letters of every script.
"""

from __future__ import annotations

import re

# RFC 9110 section 5.6.2: token = 1*tchar; as text, for the patterns made of it.
TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"

# RFC 9110 section 5.6.4: quoted-string, as text, too.  obs-text arrives as U+0080 to
# U+00FF, since servers hand over header values as latin-1.
QUOTED_STRING = (
    r'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]'
    r'|\\[\t \x21-\x7e\x80-\xff])*"'
)
# The same section: quoted-pair, to be replaced by what it quotes.
QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)

# RFC 7239 section 4: forwarded-pair = token "=" value; value = token / quoted-string.
# No blanks around "=" (RFC 7239 has none; RFC 9110 section 5.6.6 forbids them).
# With the semicolons and blanks behind it, or the end; matched one after another.
FORWARDED_PAIR = re.compile(
    rf"({TOKEN})=(?:({TOKEN})|({QUOTED_STRING}))(?:[ \t]*;[ \t;]*|\Z)"
)

# RFC 7239 section 6: port = 1*5DIGIT, without the leading zeros and the zero itself,
# which no client has.
PORT = re.compile(r"[1-9][0-9]{0,4}")

# RFC 7239 section 6.3: obfnode = "_" 1*( ALPHA / DIGIT / "." / "_" / "-" ), and the
# word "unknown" of section 6.2, each with an optional node-port of section 6.
UNIDENTIFIED = re.compile(
    r"(?:[Uu][Nn][Kk][Nn][Oo][Ww][Nn]|_[A-Za-z0-9._-]+)"
    r"(?::(?:[0-9]{1,5}|_[A-Za-z0-9._-]+))?"
)
OBFUSCATED = re.compile(r"_[A-Za-z0-9._-]+")

# Cloudflare's CF-Visitor: a JSON object (RFC 8259) of one member and nothing else.
CF_VISITOR = re.compile(r'\{[ \t]*"scheme"[ \t]*:[ \t]*"(https?)"[ \t]*\}')

# RFC 3986 section 3.2.2: reg-name, without percent-encoding and sub-delims, which no
# name in use has, and with "_", which some have; no label is empty, one dot may end it.
REG_NAME = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?")

# RFC 3986 section 3.3: what a path may hold as it is, beside letters and digits: the
# rest of `pchar`, and the slash.  Text for `urllib.parse.quote`.
PATH_SAFE = "/:@!$&'()*+,;=-._~"

# RFC 3986 section 3.3: path-absolute of segments of unreserved characters and of those
# of `pchar` that stand in users' names: no "//", no dot segment, nothing encoded.
MOUNT_POINT = re.compile(r"(?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._~@+:=!$*-]+)*/?")
# The same characters, for a mount point that is quoted: the rest, a comma above all,
# would make a list of it.  Text for `urllib.parse.quote`.
MOUNT_POINT_SAFE = "/._~@+:=!$*-"
