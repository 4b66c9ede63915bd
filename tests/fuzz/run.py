"""
Fuzz the targets, one after another, each in a process of its own.

In:  names of targets (all, where none is given), and for how many seconds each.
Out: a line a target: how often it ran, what it covered, what was found; the inputs that
     broke an invariant in ``build/fuzz/findings``; the exit status, 1 if there is one.

Run it as ``python -m tests.fuzz.run --seconds 60 paths urls`` in the checkout.
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
CORPUS: Final = Path(__file__).parent / "corpus"
WORK: Final = ROOT / "build" / "fuzz"
FINDINGS: Final = WORK / "findings"

#: What is said where atheris cannot be installed.
NO_FUZZER: Final = "there is no atheris: it has no wheel for this system and Python"
#: The longest input in bytes, and the longest time for one in seconds.
MAX_LENGTH: Final = 6000
MAX_SECONDS: Final = 10

# libFuzzer's last line: "#123 DONE cov: 45 ft: 67 corp: 8/9b …"
_LINE: Final = re.compile(r"#(\d+)\t[A-Za-z]+ +cov: (\d+) ft: (\d+)")


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    How one target fared.

    Attributes:
        target: Its name.

        executions: How often it ran.

        coverage: How many places of the code were reached.

        findings: Files with inputs that broke an invariant.

        log: What the fuzzer said, its end alone.
    """

    target: str
    executions: int
    coverage: int
    findings: tuple[Path, ...]
    log: str

    def __str__(self) -> str:
        found = ", ".join(str(path) for path in self.findings) or "nothing"
        return (
            f"{self.target}: {self.executions} executions, "
            f"{self.coverage} places reached, found {found}"
        )


def fuzz(target: str, *limits: str, work: Path = WORK) -> Outcome:
    """
    Fuzz one target in a process of its own, beginning with its corpus.

    Args:
        target: Its name.

        limits: Options of libFuzzer that end it, and decide about chance.

        work: Where it keeps what it learns, in a folder for each target.
    """
    work = work / target
    work.mkdir(parents=True, exist_ok=True)
    FINDINGS.mkdir(parents=True, exist_ok=True)
    before = set(FINDINGS.glob(f"{target}-*"))
    command = [
        *(sys.executable, "-m", "tests.fuzz.run", "--inside", target, "--"),
        *(str(work), str(CORPUS / target), f"-artifact_prefix={FINDINGS}/{target}-"),
        *(*limits, f"-max_len={MAX_LENGTH}", f"-timeout={MAX_SECONDS}"),
        *("-rss_limit_mb=2048", "-print_final_stats=1"),
    ]
    path = filter(None, [os.environ.get("PYTHONPATH")])
    answer = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *path])},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    lines = _LINE.findall(answer.stdout)
    executions, coverage, _ = map(int, lines[-1] if lines else (0, 0, 0))
    findings = sorted(set(FINDINGS.glob(f"{target}-*")) - before)
    log = answer.stdout[-3000:]
    if answer.returncode and not findings:
        raise RuntimeError(f"the fuzzer failed with {answer.returncode}:\n{log}")
    return Outcome(target, executions, coverage, tuple(findings), log)


def fuzz_inside(target: str, arguments: list[str]) -> None:
    """Become the fuzzer of one target; libFuzzer ends the process."""
    # Found by its name: it is not everywhere, and has no types.
    atheris = import_module("atheris")
    # Comparisons of texts guide it; its hook for regular expressions knows no bytes.
    atheris.enabled_hooks.add("str")
    with atheris.instrument_imports(include=["trustedproxy"]):
        from tests.fuzz.targets import load_target

        check = load_target(target)
    # Requests are logged, and nobody reads it here.
    logging.getLogger("trustedproxy").propagate = False
    logging.getLogger("trustedproxy").addHandler(logging.NullHandler())
    atheris.Setup([sys.argv[0], *arguments], check)
    atheris.Fuzz()


def main() -> int:
    """Fuzz what is asked for, and say what came of it."""
    parser = argparse.ArgumentParser(description="Fuzz the targets.")
    parser.add_argument("targets", nargs="*", metavar="target")
    parser.add_argument("--seconds", type=int, default=300, help="for each target")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        fuzz_inside(given.targets[0], given.targets[1:])
    if find_spec("atheris") is None:
        print(f"Left out: {NO_FUZZER}.")
        return 0
    known = sorted(path.name for path in CORPUS.iterdir())
    failed = False
    for target in given.targets or known:
        outcome = fuzz(target, f"-max_total_time={given.seconds}")
        print(outcome, flush=True)
        if outcome.findings:
            print(outcome.log, flush=True)
            failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
