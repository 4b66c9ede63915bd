"""
Run every tox environment that this machine can run, and add the results up.

In:  a machine; as root on Debian, what tests need is installed first.
Out: the exit status, a table, what was left out and why, and as the last line
     ``N passed, N failed, N skipped`` over all environments.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from debian import find_missing, install_packages, is_root_on_debian, read_packages
from environment import ROOT, make_environment
from pythons import find_pythons, find_system_python
from summary import close, describe, read_outcomes

BUILD = ROOT / "build"
REPORT = BUILD / "tox.json"
JUNIT = BUILD / "junit"

# The environments that need servers of the distribution, the longest first, so that
# the many short ones fill the second core meanwhile.
NEED_SERVERS = {
    "servers": ROOT / "tests" / "real" / "servers" / "apt.txt",
    "oracle": ROOT / "tests" / "oracle" / "apt.txt",
    "browser": ROOT / "tests" / "browser" / "apt.txt",
}
# The Python whose environments measure coverage, as tox.ini says.
MEASURED = "3.11"
# Environments at a time: one more than cores in CI, since installing packages and
# starting servers is waiting for the most part.
PARALLEL = 3
# What the build of mod_wsgi and uWSGI, and the tests with TLS, need in any case.
NEED_ALWAYS = ["gcc", "libc6-dev", "make", "openssl"]


def list_environments(tox: Path) -> list[str]:
    """Ask tox for its environments, in the order of tox.ini."""
    answer = subprocess.run(
        [tox, "list", "-d", "--no-desc", "-q"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [line.strip() for line in answer.stdout.splitlines() if line.strip()]


def needs_python(environment: str) -> str | None:
    """Return the minor version that an environment's name asks for, as ``3.11``."""
    factor = environment.partition("-")[0]
    if factor.startswith("py3") and factor[2:].isdigit():
        return f"3.{factor[3:]}"
    return None


def choose(
    environments: Iterable[str], pythons: Iterable[str], unprepared: dict[str, str]
) -> tuple[list[str], dict[str, str]]:
    """
    Split the environments into those to run, and those left out with the reason.

    Args:
        environments: All of tox.ini.
        pythons: The minor versions that are there.
        unprepared: Environments whose servers are missing, with what is missing.
    """
    chosen = []
    left_out = dict(unprepared)
    here = set(pythons)
    for name in environments:
        version = needs_python(name)
        if version is not None and version not in here:
            left_out[name] = f"Python {version} is not on this machine"
        elif name == "coverage" and MEASURED not in here:
            left_out[name] = f"only Python {MEASURED} measures it"
        elif name not in unprepared:
            chosen.append(name)
    # A stable order, but for the long ones at the front.
    chosen.sort(key=lambda name: name not in NEED_SERVERS)
    return chosen, left_out


def describe_left_out(left_out: dict[str, str]) -> str:
    """Say in words what was left out, one reason a line."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in left_out.items():
        by_reason.setdefault(reason, []).append(name)
    return "".join(
        f"Left out {', '.join(names)}: {reason}.\n"
        for reason, names in by_reason.items()
    )


def prepare_servers() -> dict[str, str]:
    """
    Install the servers that tests need, where that is possible.

    Returns:
        The environments that cannot run for want of them, with the reason.
    """
    lists = {name: path for name, path in NEED_SERVERS.items() if path.exists()}
    missing = find_missing(sorted({*read_packages(lists.values()), *NEED_ALWAYS}))
    advice = "as root on Debian they get installed"
    if missing and is_root_on_debian():
        print(f"Installing {', '.join(missing)}.", flush=True)
        if not install_packages(missing):
            advice = "apt-get could not install them"
        missing = find_missing(missing)
    unprepared = {}
    for name, path in lists.items():
        lacking = set(missing) & {*read_packages([path]), *NEED_ALWAYS}
        if lacking:
            names = ", ".join(sorted(lacking))
            unprepared[name] = f"missing: {names}; {advice}"
    return unprepared


def run_tox(tox: Path, environments: Sequence[str], pythons: Iterable[Path]) -> int:
    """Run the environments, some at a time, and return tox's exit status."""
    environ = dict(os.environ)
    system = find_system_python()
    environ["SYSTEM_PYTHON"] = str(system or sys.executable)
    command: list[str | Path] = [tox, "run-parallel", "--parallel", str(PARALLEL)]
    command += ["--parallel-no-spinner", "--result-json", REPORT]
    command += ["-e", ",".join(environments)]
    # What tox would find by itself on the PATH may be a stand-in of pyenv's.
    command += ["--discover", *pythons]
    return subprocess.run(
        command, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, check=False
    ).returncode


def main() -> int:
    """Prepare, run, add up; fail if anything did."""
    tox = make_environment()
    shutil.rmtree(BUILD / "coverage", ignore_errors=True)
    shutil.rmtree(JUNIT, ignore_errors=True)
    REPORT.unlink(missing_ok=True)
    JUNIT.mkdir(parents=True)

    unprepared = prepare_servers()
    pythons = find_pythons()
    chosen, left_out = choose(list_environments(tox), pythons, unprepared)
    found = ", ".join(f"{version} ({path})" for version, path in pythons.items())
    print(f"Pythons: {found}.\nEnvironments: {', '.join(chosen)}.", flush=True)

    status = run_tox(tox, chosen, pythons.values())

    outcomes = read_outcomes(REPORT, JUNIT, chosen)
    if status == 0 and not all(outcome.ok for outcome in outcomes):
        status = 1
    print(f"\n{describe(outcomes)}\n")
    print(describe_left_out(left_out), end="")
    if not any(outcome.passed for outcome in outcomes):
        status = status or 1
    print(close(outcomes), flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
