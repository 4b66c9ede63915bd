"""
The command ``flask trustedproxy``.

In:  the application's settings, and a request described on the command line.
Out: text from `trustedproxy.explain`: the policy in force, or what would happen.
"""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import with_appcontext
from werkzeug.test import EnvironBuilder

from trustedproxy.explain import describe_settings


def read_headers(
    context: click.Context, parameter: click.Parameter, lines: tuple[str, ...]
) -> list[tuple[str, str]]:
    """Split the *lines* of ``-H`` into names and values, in their order."""
    headers = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise click.BadParameter(f"{line!r} is not a header such as 'Name: value'.")
        headers.append((name.strip(), value.strip(" \t")))
    return headers


@click.command("trustedproxy", help="Show the trusted proxy headers in force.")
@click.option("--explain", is_flag=True, help="Say what would happen to a request.")
@click.option(
    "--peer",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Who opens the connection; empty for a unix socket.",
)
@click.option(
    "-H",
    "--header",
    "headers",
    multiple=True,
    callback=read_headers,
    metavar="'NAME: VALUE'",
    help="A header of the request; may be repeated.",
)
@click.option("--path", default="/", show_default=True, help="The path asked for.")
@click.option(
    "--scheme",
    type=click.Choice(["http", "https"]),
    default="http",
    show_default=True,
    help="The connection's own scheme.",
)
@with_appcontext
def command(
    *, explain: bool, peer: str, headers: list[tuple[str, str]], path: str, scheme: str
) -> None:
    """Print the policy of the current application, or explain one request."""
    settings = current_app.extensions["trustedproxy"].settings
    if not explain:
        click.echo(describe_settings(settings))
        return
    builder = EnvironBuilder(
        path=path,
        base_url=f"{scheme}://localhost/",
        headers=headers,
        environ_base={"REMOTE_ADDR": peer},
    )
    try:
        environ = builder.get_environ()
    finally:
        builder.close()
    click.echo(settings.policy.explain(environ))
