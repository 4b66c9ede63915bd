"""
``manage.py trustedproxy``: show the policy, or explain what it makes of a request.

In:  Django's settings; with ``--explain``, a request described on the command line.
Out: text for people, all of it made in `trustedproxy.explain`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from django_trustedproxy.conf import ConfigurationError, get_settings
from trustedproxy import Connection
from trustedproxy.explain import describe_settings, explain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.core.management.base import CommandParser


class Command(BaseCommand):
    """The command, as Django finds it."""

    help = (
        "Shows the policy for trusted proxy headers, or explains step by step what it "
        "makes of a request."
    )
    # It is for those whose settings are not right yet.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options; those but ``--explain`` describe a request."""
        parser.add_argument(
            "--explain",
            action="store_true",
            help="explain what happens to the request that the other options describe",
        )
        request = parser.add_argument_group("the request to explain")
        request.add_argument(
            "--peer",
            default="127.0.0.1",
            metavar="ADDRESS",
            help="who opened the connection (default: %(default)s)",
        )
        request.add_argument(
            "-H",
            "--header",
            action="append",
            default=[],
            dest="headers",
            metavar="'NAME: VALUE'",
            help="a header of the request; may be given several times",
        )
        request.add_argument(
            "--scheme",
            choices=("http", "https"),
            default="http",
            help="the scheme of the connection itself (default: %(default)s)",
        )
        request.add_argument(
            "--server",
            default="localhost",
            metavar="NAME",
            help="the server's own name (default: %(default)s)",
        )
        request.add_argument(
            "--port",
            default="8000",
            help="the server's own port (default: %(default)s)",
        )
        request.add_argument(
            "--mount-point",
            default="",
            metavar="PATH",
            help="where the server mounted the application (default: nowhere)",
        )
        request.add_argument(
            "--path",
            default="/",
            help="the path below the mount point (default: %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Show or explain, on standard output."""
        try:
            settings = get_settings()
        except ConfigurationError as error:
            raise CommandError(str(error)) from error
        if not options["explain"]:
            self.stdout.write(describe_settings(settings))
            return
        headers = _parse_headers(options["headers"])
        host = next((v for k, v in headers.items() if k.lower() == "host"), None)
        connection = Connection(
            peer=options["peer"],
            scheme=options["scheme"],
            host=host,
            server=options["server"],
            port=options["port"],
            mount_point=options["mount_point"],
            path=options["path"],
        )
        self.stdout.write(explain(settings.policy, connection, headers))


def _parse_headers(lines: Iterable[str]) -> dict[str, str]:
    """Read ``NAME: VALUE`` lines; lines of one name are joined, as servers do it."""
    headers: dict[str, str] = {}
    spelled: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise CommandError(f"{line!r} is not a header such as 'X-Scheme: https'.")
        name = spelled.setdefault(name.strip().lower(), name.strip())
        value = value.strip()
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers
