"""
What every test shares: the surfaces, a logger that has written nothing, no resolver.

In:  the surfaces that are asked in this environment.
Out: the fixture `ask`, one parameter a surface; Django configured where it is.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest

from trustedproxy import log

from . import surfaces

if "django-wsgi" in surfaces.present() and find_spec("django") is not None:
    import django
    from django.conf import settings

    from .on_django.settings import SETTINGS

    if not settings.configured:
        settings.configure(**SETTINGS)
        django.setup()


@pytest.fixture(scope="session", autouse=True)
def _loop() -> Iterator[None]:
    """Close the loop of the asynchronous surfaces when all tests are done."""
    yield
    surfaces.close_loop()


@pytest.fixture(params=surfaces.present())
def surface(request: pytest.FixtureRequest) -> str:
    """Name one surface that is asked here."""
    name: str = request.param
    return name


@pytest.fixture
def ask(surface: str) -> surfaces.Ask:
    """Ask a row through one surface."""
    log.forget()
    return surfaces.SURFACES[surface].ask


@pytest.fixture
def no_resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every look-up of a name fail the test."""

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError(f"a name was looked up: {args!r}")

    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr"):
        monkeypatch.setattr(socket, name, refuse)
