"""
``trustedproxy check``: look for what is risky in the settings, or will surprise.

In:  the policy in force.
Out: remarks, each with what to type; exit status 1 where there is a risk or an error.
"""

from __future__ import annotations

from collections.abc import Sequence

import click

from ...checks import CHECKS, Level, Remark, Subject, describe_error, run_checks
from ...exceptions import ConfigurationError, nearest
from .. import ExitStatus
from ..options import Load, prints, takes_settings
from ..screen import Screen
from ..sources import Loaded, SourceError
from ..views.remarks import draw_remarks, write_remarks


@click.command("check")
@takes_settings
@click.option(
    "--development",
    is_flag=True,
    help="Leave out what matters only where others can reach the server.",
)
@click.option(
    "--ignore",
    "ignored",
    metavar="CODE",
    multiple=True,
    help="Leave out what has this code; may be given several times.",
)
@click.option("--strict", is_flag=True, help="Count hints as findings, too.")
@prints
def command(
    load: Load,
    *,
    development: bool,
    ignored: Sequence[str],
    strict: bool,
    screen: Screen,
) -> int:
    """
    Look for what is risky in the settings, or will surprise.

    Each remark says what to type instead. The exit status is 1 where there is a risk
    or an error; hints alone are no findings.
    """
    try:
        loaded = load()
    except ConfigurationError as error:
        # Settings that are invalid are what this command is to find.
        origin, found = "", [describe_error(error)]
    else:
        origin, found = loaded.origin, _find(loaded, deploy=not development)
    remarks = _leave_out(found, ignored)
    screen.show(
        as_json=lambda: {
            "origin": origin,
            "ok": not _is_bad(remarks, strict=strict),
            "remarks": [remark.as_dict() for remark in remarks],
        },
        as_text=lambda: write_remarks(remarks, origin),
        as_table=lambda: draw_remarks(remarks, origin),
    )
    return ExitStatus.FINDINGS if _is_bad(remarks, strict=strict) else ExitStatus.FINE


def _find(loaded: Loaded, *, deploy: bool) -> list[Remark]:
    """Look for everything; a framework may have a table that knows more."""
    if loaded.find_remarks is not None:
        try:
            return list(loaded.find_remarks(deploy))
        except Exception as error:
            # Whatever a project has made of its framework, its own words say it best.
            kind = type(error).__name__
            raise SourceError(
                loaded.origin, f"cannot be checked: {kind}: {error}"
            ) from error
    return run_checks(Subject(loaded.settings, loaded.framework), deploy=deploy)


def _leave_out(found: Sequence[Remark], ignored: Sequence[str]) -> list[Remark]:
    known = {check.code for check in CHECKS} | {remark.code for remark in found}
    for code in ignored:
        # A framework's ids are known to the framework.
        if code not in known and "." not in code:
            near = nearest(code, known) or f": one of {', '.join(sorted(known))}"
            raise click.BadParameter(
                f"{code!r} is not a code{near}", param_hint="--ignore"
            )
    return [remark for remark in found if remark.code not in ignored]


def _is_bad(remarks: Sequence[Remark], *, strict: bool) -> bool:
    return any(strict or remark.level is not Level.HINT for remark in remarks)
