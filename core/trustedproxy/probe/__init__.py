"""
Probe a live deployment: what a client can forge, through the front end and past it.

In:  the address of a site that one may test, perhaps a token for its page, perhaps the
     address of the server behind the front end.
Out: a `Card`: what got through, how bad it is, what to change and where.

Reading order: `records`, `plan` (what is sent), `client`, then the two ways to see what
a request did, `seen` (the application says it) and `signs` (an answer shows it),
`findings`, `remedies`, `cards`; `running` ties them together.
"""

from __future__ import annotations

from .records import Card, Finding, Limits, Remedy, Severity, Subject, Trial, Verdict
from .running import Pace, ProbeError, Wanted, plan_all, run_probe
from .targets import Target, parse_direct, parse_target
from .text import write_card, write_plan

__all__ = [
    "Card",
    "Finding",
    "Limits",
    "Pace",
    "ProbeError",
    "Remedy",
    "Severity",
    "Subject",
    "Target",
    "Trial",
    "Verdict",
    "Wanted",
    "parse_direct",
    "parse_target",
    "plan_all",
    "run_probe",
    "write_card",
    "write_plan",
]
