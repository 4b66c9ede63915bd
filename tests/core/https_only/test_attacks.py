"""The attacks on redirects, HSTS and exemptions, through the bare middlewares."""

from __future__ import annotations

import pytest

from ...attacks_https import ROWS, WSGI_ROWS, Row, ask_asgi, ask_wsgi


@pytest.mark.parametrize("row", WSGI_ROWS, ids=str)
def test_wsgi_attack(row: Row) -> None:
    """Each attack is answered as wanted by the bare WSGI middleware."""
    assert ask_wsgi(row) == row.wanted


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_asgi_attack(row: Row) -> None:
    """Each attack is answered as wanted by the bare ASGI middleware."""
    assert ask_asgi(row) == row.wanted


def test_attacks_complete() -> None:
    """Every attack is there but S-64 and H-15, which are in test_hsts, test_process."""
    wanted = {f"S-{number}" for number in range(57, 67)} - {"S-64"} | {"H-11"}

    assert {row.id for row in ROWS} == wanted
    assert len({str(row) for row in ROWS}) == len(ROWS)
