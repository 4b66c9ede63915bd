"""
``trustedproxy token``: print a token that opens the page, once and within minutes.

In:  a project of Django's, or an application of Flask's.
Out: the token, alone on standard output; elsewhere what to do with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..options import Load, prints, takes_settings

if TYPE_CHECKING:
    from ..screen import Screen

HOW = (
    "Open {}?token of your site, and enter it there within ten minutes. It is good "
    "once."
)


@click.command("token")
@takes_settings
@click.option("--probe", is_flag=True, help="Let it be one for a run of the probe.")
@prints
def command(load: Load, *, probe: bool, screen: Screen) -> None:
    """
    Print a token that opens the page of the site, once and within minutes.

    It is signed with the site's own secret key, so that it needs a project of
    Django's (--django, or manage.py) or an application of Flask's (--app, or flask).
    """
    loaded = load()
    if loaded.make_token is None:
        raise click.UsageError(
            f"{loaded.origin} has no secret key of a site to sign a token with: say "
            "which site it is, with --django or --app."
        )
    made = loaded.make_token(probe)
    notes = [] if probe else [HOW.format(path) for path in made.paths]
    if not made.paths:
        notes.append(made.no_page)
    screen.show(
        as_json=lambda: {"token": made.token, "paths": list(made.paths)},
        as_text=lambda: made.token,
    )
    for note in notes:
        screen.say(note)
