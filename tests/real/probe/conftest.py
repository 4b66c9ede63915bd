"""
Fixtures for probes of the real front ends.

Needs what the tests of the servers need.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from trustedproxy.frontends import TLS

from ..servers.client import trusting
from ..servers.processes import ProcessManager
from .sites import NAME, Ground


@pytest.fixture(scope="session")
def ground() -> Iterator[Ground]:
    """Share one ground in all the tests."""
    with make_ground() as made:
        yield made


@contextmanager
def make_ground() -> Iterator[Ground]:
    """Make a folder and a certificate, and stop everything at the end."""
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", NAME)
    with tempfile.TemporaryDirectory(
        prefix="probes-", ignore_cleanup_errors=True
    ) as name:
        folder = Path(name)
        # Workers of front ends run as an unprivileged user.
        folder.chmod(0o755)
        certificate, key = folder / "site.crt", folder / "site.key"
        issued.private_key_pem.write_to_path(str(key))
        for blob in issued.cert_chain_pems:
            blob.write_to_path(str(certificate), append=True)
        authority.cert_pem.write_to_path(str(folder / "authority.pem"))
        with ProcessManager(folder) as manager:
            yield Ground(
                manager,
                folder,
                TLS(str(certificate), str(key)),
                trusting(str(folder / "authority.pem")),
            )
