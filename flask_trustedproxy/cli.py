"""
The command ``flask trustedproxy``.

In:  the application's settings, and a request described on the command line.
Out: text from `trustedproxy.command`: the policy in force, or what would happen.
"""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import with_appcontext

from trustedproxy.command import DEFAULT, join_headers, show


def read_headers(
    context: click.Context, parameter: click.Parameter, lines: tuple[str, ...]
) -> dict[str, str]:
    """Read the *lines* of ``-H``."""
    try:
        return join_headers(lines)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command("trustedproxy", help="Show the trusted proxy headers in force.")
@click.option(
    "explained",
    "--explain",
    is_flag=True,
    help="Say what happens to the request that the other options describe, any of "
    "which implies this one.",
)
@click.option(
    "--peer",
    metavar="ADDRESS",
    help="Who opens the connection; empty for a unix socket. "
    f"[default: {DEFAULT.peer}]",
)
@click.option(
    "-H",
    "--header",
    "headers",
    multiple=True,
    callback=read_headers,
    metavar="'NAME: VALUE'",
    help="A header of the request; may be given several times.",
)
@click.option(
    "--scheme",
    type=click.Choice(["http", "https"]),
    help=f"The connection's own scheme. [default: {DEFAULT.scheme}]",
)
@click.option(
    "--server",
    metavar="NAME",
    help=f"The server's own name. [default: {DEFAULT.server}]",
)
@click.option("--port", help=f"The server's port. [default: {DEFAULT.port}]")
@click.option(
    "--mount-point",
    metavar="PATH",
    help="Where the server mounted the application. [default: nowhere]",
)
@click.option(
    "--path",
    metavar="PATH",
    help=f"The path below the mount point. [default: {DEFAULT.path}]",
)
@with_appcontext
def command(
    *, explained: bool, headers: dict[str, str], **connection: str | None
) -> None:
    """Print the settings of the current application, or explain one request."""
    settings = current_app.extensions["trustedproxy"].settings
    click.echo(show(settings, explained=explained, headers=headers, **connection))
