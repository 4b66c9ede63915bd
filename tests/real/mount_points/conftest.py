"""
What the tests of mount points share: a backend, and both middlewares in front of it.

In:  nothing.
Out: the fixtures `backend`, `unix_backend`, `kind`, `front` and `hasty_front`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from trustedproxy import log

from .backend import Backend, run_backend
from .fronts import FRONTS, run_front

HASTE = 2.0


@pytest.fixture(autouse=True)
def _fresh_log() -> None:
    """Let every test see its own records."""
    log.forget()


@pytest.fixture(scope="module")
def _one_backend() -> Iterator[Backend]:
    with run_backend() as running:
        yield running


@pytest.fixture
def backend() -> Iterator[Backend]:
    """A backend of its own: no late connection of another test is counted here."""
    with run_backend() as running:
        yield running


@pytest.fixture
def unix_backend() -> Iterator[Backend]:
    """A backend on a unix socket, whose path has to be short."""
    with (
        tempfile.TemporaryDirectory() as folder,
        run_backend(Path(folder) / "backend.sock") as running,
    ):
        yield running


@pytest.fixture(params=sorted(FRONTS))
def kind(request: pytest.FixtureRequest) -> str:
    """Name one of the middlewares."""
    name: str = request.param
    return name


@pytest.fixture
def front(kind: str, backend: Backend) -> Iterator[Any]:
    """One of the middlewares, with the backend at /blog."""
    with run_front(kind, {"/blog/": backend.url}) as running:
        yield running


@pytest.fixture
def hasty_front(kind: str, backend: Backend) -> Iterator[Any]:
    """
    The same with little patience, for backends that are slow.

    A backend that is not has to answer in this time on a busy machine, too.
    """
    with run_front(kind, {"/blog/": backend.url}, timeout=HASTE) as running:
        yield running
