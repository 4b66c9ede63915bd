"""
The command ``flask trustedproxy``.

In:  the application's settings, and a request described on the command line.
Out: text from `trustedproxy.command`: the policy in force, or what would happen.
"""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import with_appcontext

from trustedproxy import ConfigurationError
from trustedproxy.command import DEFAULT, join_headers, show


def read_headers(
    context: click.Context, parameter: click.Parameter, lines: tuple[str, ...]
) -> dict[str, str]:
    """Read the *lines* of ``-H``."""
    try:
        return join_headers(lines)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.group(
    "trustedproxy",
    invoke_without_command=True,
    help="Show the trusted proxy headers in force.",
)
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
@click.pass_context
@with_appcontext
def command(
    context: click.Context,
    /,
    *,
    explained: bool,
    headers: dict[str, str],
    **connection: str | None,
) -> None:
    """Print the settings of the current application, or explain one request."""
    if context.invoked_subcommand is not None:
        return
    settings = current_app.extensions["trustedproxy"].settings
    click.echo(show(settings, explained=explained, headers=headers, **connection))


@command.command("token", help="Print a token that opens the page, once.")
@click.option("--probe", is_flag=True, help="Let it be one for a run of the probe.")
@with_appcontext
def print_token(*, probe: bool) -> None:
    """Print a token, alone on standard output, and elsewhere what to do with it."""
    # They are loaded for those who ask for them.
    from trustedproxy.report.tokens import TokenKind

    from .views import find_ends, make_token

    try:
        token = make_token(current_app, TokenKind.PROBE if probe else TokenKind.PAGE)
    except ConfigurationError as error:
        raise click.ClickException(str(error)) from error
    click.echo(token)
    for path in find_ends(current_app) or (None,):
        if path is None:
            click.echo(_NO_PAGE, err=True)
        elif not probe:
            click.echo(_HOW.format(path), err=True)


_NO_PAGE = (
    "There is no page to open with it: app.register_blueprint(page, "
    'url_prefix="/trustedproxy"), with page from flask_trustedproxy.views.'
)
_HOW = (
    "Open {}?token of your site, and enter it there within ten minutes. It is good "
    "once."
)
