"""
``trustedproxy config``: print the front end's half of the configuration.

In:  the policy in force, a front end, and what it is to serve.
Out: its configuration, and with ``--server`` the line that starts the server.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...exceptions import ConfigurationError
from ...frontends import (
    FRONTENDS,
    SERVERS,
    TLS,
    Location,
    ServerCommand,
    Site,
    find_frontend,
    make_command,
    write_files,
)
from ..naming import name_options
from ..options import Choice, Load, prints, takes_settings
from ..views.code import LANGUAGES, draw_code
from ..writing import write_file
from ..writing import write_files as write_folder

if TYPE_CHECKING:
    from ...policy import ProxyPolicy
    from ..screen import Screen


#: Argument of a `Site`, or of its server's command → the option that it comes from.
_OPTIONS = {
    "address": "--listen",
    "strip_path": "--keep-path",
    "server_names": "--server-name",
    "outer_headers": "--outer-header",
    "tls": "--certificate",
    # What a policy has, of which one is sent.
    "secret": "TRUSTED_PROXY_SECRETS",
    **{
        name: f"--{name.replace('_', '-')}"
        for name in (
            *("backend", "path", "name", "http_port", "https_port", "certificate"),
            *("key", "hsts", "websockets", "behind", "access_log", "application"),
        )
    },
}


@click.command("config")
@click.argument("frontend", type=Choice("FRONTEND", lambda: FRONTENDS))
@takes_settings
@click.option(
    "--backend",
    default="127.0.0.1:8000",
    show_default=True,
    metavar="WHERE",
    help="Where the application's server listens: HOST:PORT, or unix:/PATH.",
)
@click.option("--path", default="", help="Serve it below this URL path. [default: /]")
@click.option("--keep-path", is_flag=True, help="Leave that path in what is handed on.")
@click.option(
    "--also",
    "others",
    multiple=True,
    metavar="PATH=WHERE",
    help="Another application of the site, below another path.",
)
@click.option("--name", default="app", help="What the site is called. [default: app]")
@click.option(
    "--server-name",
    "server_names",
    multiple=True,
    metavar="HOST",
    help="A host name that is served; may be given several times. [default: all]",
)
@click.option("--listen", default="", metavar="ADDRESS", help="[default: all]")
@click.option("--http-port", type=int, default=80, show_default=True)
@click.option("--no-http", is_flag=True, help="Do not listen for plain HTTP.")
@click.option("--https-port", type=int, default=443, show_default=True)
@click.option("--certificate", metavar="FILE", help="Speak TLS with this certificate.")
@click.option("--key", metavar="FILE", help="Its key. [default: the same file]")
@click.option("--hsts", metavar="POLICY", help="Strict-Transport-Security, over TLS.")
@click.option("--websockets", is_flag=True, help="Hand websockets on.")
@click.option(
    "--behind",
    multiple=True,
    metavar="NETWORK",
    help="Be an inner proxy: only these outer ones may connect.",
)
@click.option(
    "--outer-header",
    "outer_headers",
    multiple=True,
    metavar="NAME",
    help="A header that the outer proxies set. [default: all that are trusted]",
)
@click.option("--access-log", metavar="FILE", help="Write a log that explain reads.")
@click.option(
    "--server",
    type=Choice("SERVER", lambda: SERVERS),
    help="Print the line that starts this server, too.",
)
@click.option(
    "--application", default="", metavar="MODULE:NAME", help="What the server runs."
)
@click.option(
    "-o",
    "--output",
    metavar="PATH",
    help="Write into this file; a folder for front ends with several.",
)
@prints
def command(
    load: Load,
    *,
    frontend: str,
    server: str | None,
    application: str,
    output: str | None,
    screen: Screen,
    **asked: Any,
) -> None:
    """
    Print the front end's half of the configuration, for the policy in force.

    FRONTEND is nginx, apache, haproxy, caddy, traefik, envoy, varnish, lighttpd,
    ingress-nginx or traefik-labels. It sets the trusted headers, and removes every
    other one that says the same.
    """
    found = find_frontend(frontend)
    policy = load().settings.policy
    others = [_read_location(text) for text in asked.pop("others")]
    with name_options(_OPTIONS), _name_others(others):
        site = _make_site(policy, asked, others)
        files = write_files(found.name, policy, site)
        started = None
        if server is not None:
            started = make_command(server, site, application, frontend=found.name)
    described = None if started is None else _describe(started)
    if policy.changes_nothing:
        screen.say("No header is trusted, so that none is set: say which, see --help.")
    if output is not None:
        holders = _find_secret(found.name, policy, site, files)
        written = _write(output, files, is_secret=bool(holders))
        for place, path in zip(files, written, strict=True):
            if place in holders:
                _warn_of_readers(path, screen)
        screen.show(
            as_json=lambda: {
                "frontend": found.name,
                "written": written,
                "server": described,
            },
            as_text=lambda: _report(written, started),
        )
        return
    text = _join(files, started)
    language = LANGUAGES.get(found.name, "text")
    screen.show(
        as_json=lambda: {
            "frontend": found.name,
            "files": dict(files),
            "server": described,
        },
        as_text=lambda: text.rstrip("\n"),
        as_table=lambda: draw_code(text, language),
    )


def _make_site(
    policy: ProxyPolicy, asked: Mapping[str, Any], others: Sequence[Location]
) -> Site:
    """Make what is to be served of the options."""
    said = dict(asked)
    certificate, key = said.pop("certificate"), said.pop("key")
    tls = None
    if certificate is not None:
        tls = TLS(certificate, key or certificate)
    elif key is not None:
        raise click.UsageError("--key belongs to --certificate: give that, too.")
    no_http, http_port = said.pop("no_http"), said.pop("http_port")
    if no_http and tls is None:
        raise click.UsageError("--no-http needs --certificate: nothing else listens.")
    return Site(
        address=said.pop("listen"),
        strip_path=not said.pop("keep_path"),
        http_port=None if no_http else http_port,
        outer_headers=said.pop("outer_headers") or None,
        others=others,
        tls=tls,
        secret=policy.secrets[0] if policy.secrets else None,
        **said,
    )


def _read_location(text: str) -> Location:
    path, equals, backend = text.partition("=")
    if not equals:
        raise ConfigurationError(
            "--also", text, "PATH=WHERE, such as /blog=127.0.0.1:1"
        )
    with name_options(dict.fromkeys(("backend", "path", "name"), "--also")):
        return Location(backend, path)


@contextmanager
def _name_others(others: Sequence[Location]) -> Iterator[None]:
    """Name ``--also`` in the errors of a block that are about what it said."""
    said = {
        "path": [one.path for one in others],
        "backend": [one.backend for one in others],
    }
    try:
        yield
    except ConfigurationError as error:
        also = error.value in said.get(error.option, ())
        option = "--also" if also else error.option
        raise ConfigurationError(
            option, error.value, error.expected, error.keyword
        ) from error


def _describe(started: ServerCommand) -> dict[str, object]:
    return {
        "words": list(started.words),
        "files": dict(started.files),
        "note": started.note,
    }


def _find_secret(
    frontend: str, policy: ProxyPolicy, site: Site, files: Mapping[str, str]
) -> frozenset[str]:
    """Find the files that hold the secret, in whatever spelling."""
    if site.secret is None:
        return frozenset()
    # Those that would be others with another one.
    changed = write_files(frontend, policy, replace(site, secret=f"{site.secret}x"))
    return frozenset(place for place in files if files[place] != changed[place])


def _warn_of_readers(path: str, screen: Screen) -> None:
    """Say that others can read a secret, where the file was there before."""
    mode = stat.S_IMODE(os.stat(path).st_mode)
    if mode & (stat.S_IRGRP | stat.S_IROTH):
        screen.say(
            f"{path} holds the secret, and others can read it: it was there before, "
            f"and keeps its mode, {mode:o}. chmod 600 ends that, where the front end "
            "reads it as its owner."
        )


def _join(files: Mapping[str, str], started: ServerCommand | None) -> str:
    """Join all files, and the server's line, each with its place above it."""
    parts = [f"# {path}\n{text}" for path, text in files.items()]
    return "\n".join([*parts, *_list_server(started)])


def _report(written: Sequence[str], started: ServerCommand | None) -> str:
    """Say what was written; the server's line belongs into no file of the front end."""
    parts = [f"{path} was written." for path in written]
    return "\n".join([*parts, *_list_server(started)]).rstrip("\n")


def _list_server(started: ServerCommand | None) -> list[str]:
    return [] if started is None else [f"# the server\n{started}\n"]


def _write(output: str, files: Mapping[str, str], *, is_secret: bool) -> list[str]:
    if len(files) > 1 or Path(output).is_dir():
        return write_folder(output, files, is_secret=is_secret)
    (text,) = files.values()
    write_file(output, text, is_secret=is_secret)
    return [output]
