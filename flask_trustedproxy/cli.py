"""
The command ``flask trustedproxy``.

In:  the application's settings, and a request described on the command line.
Out: text from `trustedproxy.explain`: the policy in force, or what would happen.
"""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import with_appcontext

from trustedproxy import Connection
from trustedproxy.explain import describe_settings, explain


def join_headers(
    context: click.Context, parameter: click.Parameter, lines: tuple[str, ...]
) -> dict[str, str]:
    """Read the *lines* of ``-H``; those of one name are joined, as servers do it."""
    headers: dict[str, str] = {}
    spelled: dict[str, str] = {}
    for line in lines:
        name, colon, value = (part.strip() for part in line.partition(":"))
        if not colon or not name:
            raise click.BadParameter(f"{line!r} is not a header such as 'Name: value'.")
        name = spelled.setdefault(name.lower(), name)
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


@click.command("trustedproxy", help="Show the trusted proxy headers in force.")
@click.option(
    "explained",
    "--explain",
    is_flag=True,
    help="Say what happens to the request that the other options describe.",
)
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
    callback=join_headers,
    metavar="'NAME: VALUE'",
    help="A header of the request; may be given several times.",
)
@click.option(
    "--scheme",
    type=click.Choice(["http", "https"]),
    default="http",
    show_default=True,
    help="The connection's own scheme.",
)
@click.option(
    "--server", default="localhost", show_default=True, help="The server's own name."
)
@click.option("--port", default="8000", show_default=True, help="The server's port.")
@click.option(
    "--mount-point",
    default="",
    metavar="PATH",
    help="Where the server mounted the application.",
)
@click.option(
    "--path", default="/", show_default=True, help="The path below the mount point."
)
@with_appcontext
def command(
    *,
    explained: bool,
    peer: str,
    headers: dict[str, str],
    scheme: str,
    server: str,
    port: str,
    mount_point: str,
    path: str,
) -> None:
    """Print the settings of the current application, or explain one request."""
    settings = current_app.extensions["trustedproxy"].settings
    if not explained:
        click.echo(describe_settings(settings))
        return
    host = next((v for k, v in headers.items() if k.lower() == "host"), None)
    connection = Connection(peer, scheme, host, server, port, mount_point, path)
    click.echo(explain(settings.policy, connection, headers))
