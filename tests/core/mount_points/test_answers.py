"""The pages that are made here."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from trustedproxy.mount_points.answers import answer_error
from trustedproxy.mount_points.heads import BackendError


@pytest.mark.parametrize(("status", "word"), [(502, "Bad"), (504, "Timeout")])
def test_error_pages_are_short(status: int, word: str) -> None:
    """The page of a failure names neither the backend nor the reason."""
    answer = answer_error(BackendError(HTTPStatus(status), "10.1.2.3 refused"))

    assert answer.status == status
    assert word in answer.reason
    assert b"10.1.2.3" not in answer.body
    assert dict(answer.headers) == {
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Length": str(len(answer.body)),
        "Cache-Control": "no-store",
    }
