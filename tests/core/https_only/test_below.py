"""
What is exempt by its path lies below that path, whoever reads it.

In:  paths of every piece that readers do not agree on.
Out: for each exempt request and each reader, or chain of readers: names that begin with
     those of the exemption.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trustedproxy.https_only import HTTPSOnly
from trustedproxy.https_only.facts import read_environ, read_scope

from ...reading.paths import PATHS, READERS, Reader, decode, follow
from ..making import make_environ, make_scope

EXEMPT: Final = HTTPSOnly(exempt=["/public/*", "/a/*/b", "/healthz"])
#: The names that an exempt path begins with.
FRONTS: Final = (["public"], ["a"], ["healthz"])
FRONT_TEXTS: Final = ("/public/", "/public", "/a/", "/healthz", "/a/x/b")


def is_exempt(raw: str, *, keeps_raw: bool) -> bool:
    """Ask both surfaces, with the path as it was sent or only what was made of it."""
    path = decode(raw)
    environ = make_environ(PATH_INFO=path, RAW_URI=raw if keeps_raw else None)
    scope = make_scope(
        path=path.encode("latin-1").decode("utf-8", "surrogateescape"),
        raw_path=raw.encode("latin-1") if keeps_raw else None,
    )
    answers = {EXEMPT.exempts(read_environ(environ))}
    if path.encode("latin-1").isascii():
        # Servers differ in what they make of other bytes in a scope.
        answers.add(EXEMPT.exempts(read_scope(scope)))
    assert len(answers) == 1
    return answers.pop()


@settings(max_examples=150, deadline=None)
@given(PATHS, st.sampled_from(FRONT_TEXTS), st.booleans())
@example("..;/admin", "/public/", True)
@example("..\\admin", "/public/", True)
@example("%252e%252e/admin", "/public/", True)
@example("%252e%252e/admin", "/public/", False)
@example("%2fadmin", "/public", True)
@example("%252fadmin", "/public", False)
def test_exempt_path_lies_below_for_every_reader(
    path: str, front: str, keeps_raw: bool
) -> None:
    """No reader of any kind finds something else at an exempt path (H-11, H-19)."""
    raw = front + path
    if not is_exempt(raw, keeps_raw=keeps_raw):
        return
    if not keeps_raw:
        # Nobody behind the server sees more than that, either.
        raw = quote(decode(raw), encoding="latin-1")

    led_out = [reader.name for reader in READERS if reader.read(raw)[:1] not in FRONTS]

    assert led_out == []


@settings(max_examples=300, deadline=None)
@given(PATHS, st.lists(st.sampled_from(READERS), min_size=2, max_size=4))
def test_exempt_path_lies_below_for_readers_in_a_row(
    path: str, readers: list[Reader]
) -> None:
    """A proxy, a server and a framework one after another find nothing else, either."""
    if not is_exempt("/public/" + path, keeps_raw=True):
        return

    names = follow("/public/" + path, readers)

    assert names[:1] == ["public"], [reader.name for reader in readers]


@pytest.mark.parametrize(
    "path",
    [
        *("/public/", "/public/x", "/public/a/b.c", "/public/%C3%BC", "/public/a%20b"),
        *("/a/x/b", "/a/x/y/b", "/healthz", "/public/x..y", "/public/100%25"),
    ],
)
def test_plain_path_is_exempt(path: str) -> None:
    """What every reader finds below the exemption is exempt."""
    assert is_exempt(path, keeps_raw=True)
