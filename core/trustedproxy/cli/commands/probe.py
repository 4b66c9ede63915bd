"""
``trustedproxy probe``: test a live deployment that one may test.

In:  the address of a site; perhaps a token for its page, the server behind it.
Out: a report card; exit status 1 where something got through, or not all was tried.

Nothing is sent before it was said what will be, on standard error, and before a person
has said yes, or ``--yes`` has.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...frontends import FRONTENDS
from ...probe import (
    Card,
    Limits,
    Pace,
    ProbeError,
    Severity,
    Target,
    Trial,
    Wanted,
    parse_direct,
    parse_target,
    plan_all,
    run_probe,
    write_card,
    write_plan,
)
from ...probe.client import Client
from ...probe.text import count_tricks
from ...report.visits import TOKEN_HEADER
from .. import ExitStatus
from ..naming import name_options
from ..options import Choice, prints
from ..program import find_version
from ..standard_input import is_attended, open_input
from ..views.cards import draw_card

if TYPE_CHECKING:
    from ...probe.records import Line
    from ..screen import Screen

#: What stands for standard input.
_STDIN = "-"
_SEVERITIES = {str(one): one for one in Severity}
#: Limit → the option that it comes from.
_LIMITS = {
    "most_requests": "most_requests",
    "a_second": "rate",
    "most_seconds": "most_seconds",
    "answer_seconds": "timeout",
}
_UNATTENDED = (
    "nobody can be asked here whether this may be sent: say --yes, if you may test "
    "this site"
)
_MAY_I = "Is this a site that you may test, and may this be sent?"


@click.command("probe")
@click.argument("url")
@click.option(
    "--token-file",
    metavar="FILE",
    help="Ask the page of the application, with the token in this file; - for "
    "standard input.",
)
@click.option(
    "--direct",
    metavar="ADDRESS",
    help="Ask the server behind the front end, too: HOST:PORT, unix:/PATH, or a URL.",
)
@click.option(
    "--frontend",
    type=Choice("FRONTEND", lambda: FRONTENDS),
    help="Which front end it is, for what to change. [default: a guess]",
)
@click.option(
    "--dry-run", is_flag=True, help="Say what would be sent, and send nothing."
)
@click.option("--yes", "-y", is_flag=True, help="Send it without asking first.")
@click.option(
    "--rate",
    type=float,
    default=Limits().a_second,
    show_default=True,
    help="Requests a second at the most.",
)
@click.option(
    "--most-requests",
    type=int,
    default=Limits().most_requests,
    show_default=True,
    help="Requests in all at the most.",
)
@click.option(
    "--most-seconds",
    type=float,
    default=Limits().most_seconds,
    show_default=True,
    help="Seconds for all of it.",
)
@click.option(
    "--timeout",
    type=float,
    default=Limits().answer_seconds,
    show_default=True,
    help="Seconds for one answer.",
)
@click.option("--cafile", metavar="FILE", help="Trust the certificates in this file.")
@click.option("--source", metavar="ADDRESS", help="Connect from this address of yours.")
@click.option(
    "--fail-on",
    type=Choice("SEVERITY", lambda: _SEVERITIES),
    default="low",
    show_default=True,
    help="The least severity that counts as a finding: note, low, medium, high.",
)
@prints
def command(
    *,
    url: str,
    token_file: str | None,
    direct: str | None,
    frontend: str | None,
    dry_run: bool,
    yes: bool,
    fail_on: str,
    screen: Screen,
    **bounds: Any,
) -> int:
    """
    Test a live deployment that you may test: what can a client forge?

    Forged headers in every known spelling, and what else clients try, are sent to URL,
    a few a second; what got through, how bad it is and what to change is a report
    card. With a token the application's own page says what it saw; without one, only
    what redirects, cookies and links show can be judged.
    """
    least = _SEVERITIES[fail_on]
    limits = _make_limits(bounds)
    if token_file == _STDIN and not (yes or dry_run):
        raise click.UsageError("--token-file - leaves nobody to ask: say --yes, too.")
    probe = _Probe(
        target=parse_target(url),
        limits=limits,
        by_page=token_file is not None,
        frontend=frontend or "",
        tls=_make_context(bounds["cafile"]),
        source=bounds["source"],
    )
    behind = None if direct is None else parse_direct(direct, probe.target)
    token = None if dry_run or token_file is None else _read_token(token_file)
    wanted = probe.make_wanted(behind, token)
    plan = _Plan(wanted, probe.address, plan_all(wanted))
    if dry_run:
        screen.show(as_json=plan.as_dict, as_text=plan.write)
        return ExitStatus.FINE
    if not yes:
        _refuse_unattended(screen)
    screen.say(plan.write())
    if not yes:
        click.confirm(_MAY_I, abort=True, err=True)
    card = _run(wanted, plan, screen)
    screen.show(
        as_json=card.as_dict,
        as_text=lambda: write_card(card),
        as_table=lambda: draw_card(card),
    )
    is_fine = not card.incomplete and not _counts(card, least)
    return ExitStatus.FINE if is_fine else ExitStatus.FINDINGS


@dataclass(slots=True, kw_only=True)
class _Probe:
    """How the requests of one run are sent."""

    target: Target
    limits: Limits
    by_page: bool
    frontend: str
    tls: ssl.SSLContext | None
    source: str | None
    address: str = ""

    def make_wanted(self, behind: Target | None, token: str | None) -> Wanted:
        """Make what is asked for; names are resolved here, and nothing is sent."""
        client = self._make_client(self.target, token)
        self.address = client.address
        return Wanted(
            target=self.target,
            client=client,
            by_page=self.by_page,
            direct=behind,
            direct_client=None if behind is None else self._make_client(behind, token),
            frontend=self.frontend,
            limits=self.limits,
        )

    def _make_client(self, target: Target, token: str | None) -> Client:
        accept = "application/json" if self.by_page else "text/html, */*;q=0.8"
        lines: list[Line] = [
            ("User-Agent", f"trustedproxy-probe/{find_version()}"),
            ("Accept", accept),
            ("Accept-Encoding", "identity"),
            ("Cache-Control", "no-cache, no-store"),
        ]
        return Client(
            target,
            self.limits,
            lines,
            token=None if token is None else (TOKEN_HEADER, token),
            tls=self.tls,
            source=self.source,
        )


@dataclass(frozen=True, slots=True)
class _Plan:
    """What will be sent."""

    wanted: Wanted
    address: str
    trials: Sequence[Trial]

    def write(self) -> str:
        """Write it in words."""
        wanted = self.wanted
        return write_plan(
            wanted.target,
            self.address,
            self.trials,
            wanted.limits,
            direct=wanted.direct,
        )

    def as_dict(self) -> dict[str, Any]:
        """Say it in plain values."""
        wanted = self.wanted
        return {
            "target": wanted.target.url,
            "address": self.address,
            "direct": "" if wanted.direct is None else wanted.direct.where,
            "requests": len(self.trials),
            "most_requests": wanted.limits.most_requests,
            "planned": [
                {"way": str(way), "trick": str(trick), "count": n, "meaning": meaning}
                for way, trick, n, meaning in count_tricks(self.trials)
            ],
        }


def _make_limits(bounds: dict[str, Any]) -> Limits:
    with name_options(
        {name: f"--{o.replace('_', '-')}" for name, o in _LIMITS.items()}
    ):
        return Limits(**{name: bounds[option] for name, option in _LIMITS.items()})


def _make_context(cafile: str | None) -> ssl.SSLContext | None:
    if cafile is None:
        return None
    try:
        return ssl.create_default_context(cafile=cafile)
    except (OSError, ssl.SSLError) as error:
        raise click.BadParameter(
            f"{cafile} cannot be read: {error}", param_hint="--cafile"
        ) from None


def _read_token(path: str) -> str:
    """Read the token; it is never an argument, which every user of a machine sees."""
    try:
        text = _read_line() if path == _STDIN else Path(path).read_text("ascii")
    except (OSError, UnicodeError) as error:
        raise click.BadParameter(
            f"{path} cannot be read: {error}", param_hint="--token-file"
        ) from None
    token = text.strip()
    if not token.isascii() or not token.isprintable() or not token:
        raise click.BadParameter(
            f"{path} holds no token: one line, as it was printed",
            param_hint="--token-file",
        )
    return token


def _read_line() -> str:
    with open_input() as file:
        return file.read().decode("ascii")


def _refuse_unattended(screen: Screen) -> None:
    """Refuse to go on where nobody can say whether this may be sent."""
    if screen.as_json or not is_attended():
        raise click.UsageError(_UNATTENDED)


def _run(wanted: Wanted, plan: _Plan, screen: Screen) -> Card:
    try:
        with screen.progress(
            f"probing {wanted.target.host}", len(plan.trials)
        ) as count:
            return run_probe(wanted, pace=Pace(count=count))
    except ProbeError as error:
        raise click.ClickException(str(error)) from None


def _counts(card: Card, least: Severity) -> bool:
    return any(one.severity >= least for one in card.findings)
