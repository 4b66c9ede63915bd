"""
A provider's server with a certificate of its own, for what is fetched.

Out: `provider`, `trusting` and `tunnel`; tests that use them are skipped where urllib3
     or trustme is not installed, as in the environments of the bare core.
"""

from __future__ import annotations

import os
import ssl
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from .provider import LIMIT, Provider, Tunnel

if TYPE_CHECKING:
    from trustme import CA


@pytest.fixture(scope="session")
def authority() -> CA:
    """Return the authority that the provider's certificate is from."""
    pytest.importorskip("urllib3", reason="fetching is the extra cli's, not the core's")
    trustme = pytest.importorskip("trustme", reason="only some environments have it")
    ca: CA = trustme.CA()
    return ca


@pytest.fixture(scope="session")
def trusting(authority: CA) -> ssl.SSLContext:
    """Return a client's context that trusts the provider."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
def provider(authority: CA, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """Return a provider's server, to which no proxy of the environment leads."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server = Provider(context)
    yield server
    server.close()
    # Whoever gave up on the provider has a thread that sees only now that it is gone.
    for thread in threading.enumerate():
        if thread.name == "trustedproxy-fetch":
            thread.join(LIMIT)
            assert not thread.is_alive()


@pytest.fixture
def tunnel() -> Iterator[Tunnel]:
    """Return a forward proxy."""
    server = Tunnel()
    yield server
    server.close()
