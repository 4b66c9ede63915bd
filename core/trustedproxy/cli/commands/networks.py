"""
``trustedproxy networks``: keep lists of a provider's networks.

In:  a platform's name, and the path of a list.
Out: the list, written whole or not at all; exit status 1 where it was not refreshed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ...presets.failures import Failure, UpdateError
from ...presets.update import (
    FORMS,
    Publication,
    find_publication,
    published_names,
    update_list,
)
from .. import ExitStatus
from ..options import Choice, Completed, prints
from ..screen import error_as_dict
from ..views.networks import draw_published, draw_update, write_published, write_update

if TYPE_CHECKING:
    from ..screen import Screen

#: What went wrong because of what was asked for, and not on the way.
_OF_USAGE = frozenset(
    {Failure.NOT_PUBLISHED, Failure.CLIENT_MISSING, Failure.NOT_TLS, Failure.NOT_OURS}
)


@click.group("networks")
def command() -> None:
    """Keep lists of a provider's networks, for TRUSTED_PROXIES = ['file:PATH']."""


@command.command("list")
@prints
def list_published(*, screen: Screen) -> None:
    """List the providers that publish their networks, and where."""
    found = {name: find_publication(name) for name in published_names()}
    screen.show(
        as_json=lambda: {
            "providers": [
                {
                    "name": name,
                    "url": publication.url,
                    "form": publication.form,
                    "service": publication.service,
                }
                for name, publication in found.items()
            ]
        },
        as_text=lambda: write_published(found),
        as_table=lambda: draw_published(found),
    )


@command.command("update")
@click.argument("name", type=Completed("NAME", published_names))
@click.option(
    "--to", "path", required=True, metavar="FILE", help="The list that is refreshed."
)
@click.option(
    "--allow-shrink", is_flag=True, help="Let more than half of the networks go."
)
@click.option("--url", metavar="URL", help="Fetch it from there, over https.")
@click.option(
    "--form",
    type=Choice("FORM", lambda: FORMS),
    help=f"How that is written: {', '.join(FORMS)}.",
)
@click.option("--service", metavar="NAME", help="The part of it that is wanted.")
@prints
def update(
    *,
    name: str,
    path: str,
    allow_shrink: bool,
    url: str | None,
    form: str | None,
    service: str | None,
    screen: Screen,
) -> int:
    """
    Refresh a list of networks from its provider's published address.

    It is fetched over TLS and written whole or not at all; the last good list stays
    where the new one cannot be right. Servers that trust it look again by themselves.
    """
    try:
        with screen.progress(f"fetching the networks of {name}", None):
            done = update_list(
                name,
                path,
                publication=_choose_publication(name, url, form, service),
                allow_shrink=allow_shrink,
            )
    except UpdateError as error:
        if screen.as_json:
            screen.print_json(error_as_dict(str(error), failure=str(error.failure)))
        else:
            screen.say(f"Error: {error}", style="bold red")
        is_usage = error.failure in _OF_USAGE
        return ExitStatus.USAGE if is_usage else ExitStatus.FINDINGS
    screen.show(
        as_json=lambda: {
            "path": str(done.path),
            "url": done.url,
            "networks": len(done.networks),
            "added": list(map(str, done.added)),
            "removed": list(map(str, done.removed)),
        },
        as_text=lambda: write_update(done),
        as_table=lambda: draw_update(done),
    )
    return ExitStatus.FINE


def _choose_publication(
    name: str, url: str | None, form: str | None, service: str | None
) -> Publication | None:
    """Choose where to fetch the list, where that is not the platform's own word."""
    if url is None and form is None and service is None:
        return None
    if url is None:
        usual = find_publication(name)
        return Publication(usual.url, form or usual.form, service or usual.service)
    if form is None:
        raise click.UsageError("--url needs --form, which says how that is written.")
    return Publication(url, form, service)
