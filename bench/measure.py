"""
Time two rivals against each other in one process, and print what came out.

In:  scenarios; each has a maker of fresh requests, ours and a rival.
Out: microseconds a call for both, and the ratio, as rows of a Markdown table.

Each round gives both a batch of its own, of equal requests made outside the measured
time; the order changes from round to round.  The best round counts, since everything
else that a machine does can only make a call slower.
"""

from __future__ import annotations

import argparse
import gc
import logging
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

BATCH = 250
CLIENTS = 10_000

# Answers each request of a batch, one after another: the measured loop.
Runner = Callable[[Sequence[Any]], None]


@dataclass(frozen=True, slots=True)
class Contestant:
    """
    One way to do the work.

    Attributes:
        name: What the table calls it.
        run: The measured loop over a batch of requests.
        check: Raises unless this contestant gets a fresh request right.
    """

    name: str
    run: Runner
    check: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Scenario:
    """
    What one deployment sends.

    Attributes:
        name: What the table calls it.
        make: A fresh request of the client with this number.
        ours: The middleware.
        rival: What people use now.
        limit: The ratio that is not to be passed.
    """

    name: str
    make: Callable[[int], Any]
    ours: Contestant
    rival: Contestant
    limit: float


def measure(scenario: Scenario, rounds: int) -> tuple[float, float]:
    """Return the best time of both, in microseconds a call."""
    contestants = [scenario.ours, scenario.rival]
    for contestant in contestants:
        contestant.check()
    best = {contestant.name: float("inf") for contestant in contestants}
    gc.collect()
    gc.disable()
    try:
        for turn in range(rounds):
            contestants.reverse()
            first = turn * BATCH
            for contestant in contestants:
                requests = [
                    scenario.make(n % CLIENTS) for n in range(first, first + BATCH)
                ]
                start = perf_counter()
                contestant.run(requests)
                elapsed = (perf_counter() - start) / BATCH * 1e6
                best[contestant.name] = min(best[contestant.name], elapsed)
            if turn % 20 == 19:
                gc.collect()
    finally:
        gc.enable()
    return best[scenario.ours.name], best[scenario.rival.name]


def describe_machine(*distributions: str) -> str:
    """Say what the numbers were measured on."""
    cpu = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                cpu = line.partition(":")[2].strip()
                break
    rivals = ", ".join(f"{name} {version(name)}" for name in distributions)
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{cpu}; {platform.system()}; {python}; {rivals}"


def run(
    description: str, distributions: Sequence[str], scenarios: Sequence[Scenario]
) -> int:
    """
    Measure, print, and compare with the limits.

    Returns:
        The exit status: 1 if a limit is passed and ``--check`` was given.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--rounds",
        type=int,
        default=200,
        help=f"rounds of {BATCH} requests for each contestant (default: %(default)s)",
    )
    parser.add_argument(
        "--only", default="", help="only scenarios whose name contains this text"
    )
    parser.add_argument(
        "--check", action="store_true", help="exit with 1 if a limit is passed"
    )
    options = parser.parse_args()
    # A proxy without headers is worth a warning, once a minute; not in this table.
    logging.getLogger("trustedproxy").addHandler(logging.NullHandler())
    logging.getLogger("trustedproxy").propagate = False
    print(describe_machine(*distributions), end="\n\n")
    print("| what a deployment sends | ours, µs | rival, µs | ratio | limit |")
    print("| --- | ---: | ---: | ---: | --- |")
    ratios = []
    passed = False
    for scenario in scenarios:
        if options.only in scenario.name:
            ours, rival = measure(scenario, options.rounds)
            ratios.append(ours / rival)
            over = ratios[-1] > scenario.limit
            passed |= over
            limit = f"{scenario.limit:g}{', over' if over else ''}"
            beside = f"{rival:.2f} ({scenario.rival.name})"
            cells = (scenario.name, f"{ours:.2f}", beside, f"{ratios[-1]:.2f}", limit)
            print(f"| {' | '.join(cells)} |", flush=True)
    print(f"\nMedian of the ratios: {median(ratios):.2f}.\n")
    sys.stdout.flush()
    return int(options.check and passed)
