"""
Install Debian's packages that tests need, where that is possible.

In:  names of packages.
Out: those that are still missing; as root on Debian, none.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

# While this file is there, packages do not start the servers that they install:
# see invoke-rc.d(8), which asks it, and takes 101 for a no.
POLICY = Path("/usr/sbin/policy-rc.d")


def is_root_on_debian() -> bool:
    """Say whether packages can be installed here at all."""
    return shutil.which("apt-get") is not None and os.geteuid() == 0


def read_packages(lists: Iterable[Path]) -> list[str]:
    """Read files of one package a line, ``#`` comments allowed; sorted union."""
    names = set()
    for path in lists:
        for line in path.read_text(encoding="utf-8").splitlines():
            names.update(line.partition("#")[0].split())
    return sorted(names)


def find_missing(packages: Sequence[str]) -> list[str]:
    """Return the packages that are not installed; all of them without dpkg."""
    if shutil.which("dpkg-query") is None:
        return list(packages)
    query = ["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status}\n"]
    answer = subprocess.run(
        [*query, *packages], capture_output=True, text=True, check=False
    )
    installed = {
        line.split()[0]
        for line in answer.stdout.splitlines()
        if line.endswith(" installed")
    }
    return [name for name in packages if name not in installed]


def install_packages(packages: Sequence[str]) -> bool:
    """
    Install the packages, without starting any of their servers.

    Returns:
        Whether they are installed; what apt-get says is shown as it comes.
    """
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "-y", "-q", "-o", "Acquire::Retries=3"]
    ours = not POLICY.exists()
    if ours:
        POLICY.write_text("#!/bin/sh\nexit 101\n")
        POLICY.chmod(0o755)
    try:
        # What is known of packages may be new enough, should this fail.
        subprocess.run(
            [*apt, "update"], env=environ, check=False, stdin=subprocess.DEVNULL
        )
        answer = subprocess.run(
            [*apt, "install", "--no-install-recommends", *packages],
            env=environ,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    finally:
        if ours:
            POLICY.unlink()
    return answer.returncode == 0
