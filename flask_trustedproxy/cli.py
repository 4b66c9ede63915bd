"""
``flask trustedproxy …``: the subcommands of ``trustedproxy``, for this application.

In:  the application, and the words behind the command's name.
Out: what `trustedproxy.cli` prints, and its exit status.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from trustedproxy.cli import ExitStatus, name_missing

if TYPE_CHECKING:
    from werkzeug.local import LocalProxy


@click.command(
    "trustedproxy",
    help="Look at the policy for trusted proxy headers: check, explain, config, …",
    # Every word is the subcommand's, "--help" too.
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@with_appcontext
@click.pass_context
def command(context: click.Context, *, words: tuple[str, ...]) -> None:
    """Run a subcommand for the current application."""
    missing = name_missing()
    if missing is not None:
        click.echo(missing, err=True)
        context.exit(ExitStatus.USAGE)
    # They are there, and only who asks for the command needs them.
    from trustedproxy.cli.program import Session, run

    from .loading import load

    # It is typed as what it stands for, which has no such method.
    app = cast("LocalProxy[Flask]", current_app)._get_current_object()
    session = Session(lambda: load(app))
    context.exit(run(words, session, name="flask trustedproxy"))
