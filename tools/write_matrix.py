"""
Write the documentation's matrix of front ends and servers anew.

In:  a machine; as root on Debian, the front ends are installed first.
Out: docs/matrix.md, and the measured parts of docs/servers.md and docs/frontends.md.
"""

from __future__ import annotations

import os
import subprocess
import sys

from environment import ROOT, make_environment
from pythons import find_system_python
from run_tests import prepare_servers


def main() -> int:
    """Prepare, measure, write; return tox's exit status."""
    tox = make_environment()
    unprepared = prepare_servers()
    if "servers" in unprepared:
        print(unprepared["servers"])
        return 1
    # Apache's unprivileged children load mod_wsgi's Python: one that they can read.
    system = str(find_system_python() or sys.executable)
    return subprocess.run(
        [tox, "run", "-e", "matrix"],
        cwd=ROOT,
        env={**os.environ, "SYSTEM_PYTHON": system},
        stdin=subprocess.DEVNULL,
        check=False,
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
