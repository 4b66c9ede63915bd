"""
What the page says, as the probe reads it.

In:  answers, of the page and of others.
Out: nothing for an answer that is not the page's, whatever is in it.
"""

from __future__ import annotations

import pytest

from trustedproxy.probe.records import Answer
from trustedproxy.probe.seen import read_seen


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"\xff", b"null", b"[]", b"{}", b'{"explanation": 1}', b"<html>"),
        *(b'{"explanation": {"variables": [{}]}}', b"[" * 200_000, b"1" * 5000),
    ],
    ids=lambda body: repr(body[:30]),
)
def test_answer_of_somebody_else_is_none_of_the_page(body: bytes) -> None:
    """A target that answers anything at all does not end the probe."""
    assert read_seen(Answer(status=200, body=body)) is None
    assert read_seen(Answer(status=404, body=body)) is None
