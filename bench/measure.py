"""
Time rivals against each other in one process, and print what came out.

In:  scenarios; each has a maker of fresh requests and a few contestants.
Out: microseconds a call for each contestant, and the ratio to the reference.

Each round gives every contestant a batch of its own, of equal requests made
outside the measured time; the order changes from round to round.  The best round
counts, since everything else that a machine does can only make a call slower.
"""

from __future__ import annotations

import argparse
import gc
import logging
import platform
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

BATCH = 250
CLIENTS = 10_000

# Answers each request of a batch, one after another: the measured loop.
Runner = Callable[[Sequence[Any]], None]


@dataclass(frozen=True, slots=True)
class Contestant:
    """
    One way to do the same work.

    Attributes:
        name: What the table calls it.
        run: The measured loop over a batch of requests.
        check: Raises unless this contestant gets one fresh request right.
    """

    name: str
    run: Runner
    check: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Scenario:
    """
    One question that the benchmark asks.

    Attributes:
        name: What the table calls it.
        make: A fresh request for the client with this number.
        contestants: The first one is ours, the second one the reference.
        target: The ratio of ours to the reference that we want to stay below.
    """

    name: str
    make: Callable[[int], Any]
    contestants: tuple[Contestant, ...]
    target: float | None


def client_address(number: int) -> str:
    """Name client *number*, as a server does: a new text for each request."""
    return f"203.{number >> 8 & 255}.{number & 255}.{number % 250 + 1}"


def measure(scenario: Scenario, rounds: int) -> list[float]:
    """Return each contestant's best time, in microseconds a call."""
    for contestant in scenario.contestants:
        contestant.check()
    best = [float("inf")] * len(scenario.contestants)
    order = list(range(len(best)))
    shuffle = random.Random(1).shuffle
    gc.collect()
    gc.disable()
    try:
        for turn in range(rounds):
            first = turn * BATCH
            shuffle(order)
            for index in order:
                requests = [
                    scenario.make(n % CLIENTS) for n in range(first, first + BATCH)
                ]
                run = scenario.contestants[index].run
                start = perf_counter()
                run(requests)
                elapsed = perf_counter() - start
                best[index] = min(best[index], elapsed / BATCH * 1e6)
            if turn % 20 == 19:
                gc.collect()
    finally:
        gc.enable()
    return best


def report(scenario: Scenario, times: Sequence[float]) -> bool:
    """Print one scenario as rows of a Markdown table; tell whether it is in time."""
    reference = times[1]
    ratio = times[0] / reference
    kept = scenario.target is None or ratio <= scenario.target
    for index, (contestant, time) in enumerate(
        zip(scenario.contestants, times, strict=True)
    ):
        target = ""
        if index == 0 and scenario.target is not None:
            target = f"{scenario.target:.2f} {'reached' if kept else 'MISSED'}"
        print(
            f"| {scenario.name if index == 0 else '':<34} | {contestant.name:<24} "
            f"| {time:7.2f} | {time / reference:5.2f} | {target:<12} |",
            flush=True,
        )
    return kept


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
    Measure, print and compare with the targets.

    Returns:
        The exit status: 1 if a target is missed and ``--check`` was given.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--rounds",
        type=int,
        default=400,
        help=f"rounds of {BATCH} requests for each contestant (default: %(default)s)",
    )
    parser.add_argument(
        "--only", default="", help="only scenarios whose name contains this text"
    )
    parser.add_argument(
        "--check", action="store_true", help="exit with 1 if a target is missed"
    )
    options = parser.parse_args()
    # A proxy without headers is worth a warning, once a minute; not in this table.
    logging.getLogger("trustedproxy").addHandler(logging.NullHandler())
    logging.getLogger("trustedproxy").propagate = False
    print(describe_machine(*distributions), end="\n\n")
    print(f"| {'scenario':<34} | {'who':<24} | µs/call | ratio | {'target':<12} |")
    print(f"|{'-' * 36}|{'-' * 26}|--------:|------:|{'-' * 14}|")
    kept = [
        report(scenario, measure(scenario, options.rounds))
        for scenario in scenarios
        if options.only in scenario.name
    ]
    sys.stdout.flush()
    return int(options.check and not all(kept))
