"""
``manage.py trustedproxy``: show the policy, or explain what it makes of a request.

In:  Django's settings, and a request described on the command line.
Out: text for people, all of it made in `trustedproxy.command`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from django.conf import settings as django_settings
from django.core.management.base import BaseCommand, CommandError

from django_trustedproxy.conf import ConfigurationError, get_settings
from trustedproxy.command import DEFAULT, join_headers, show

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

#: The options that are fields of a connection.
CONNECTION = ("peer", "scheme", "server", "port", "mount_point", "path")


class Command(BaseCommand):
    """The command, as Django finds it."""

    help = (
        "Shows the policy for trusted proxy headers, or explains step by step what it "
        "makes of a request."
    )
    # It is for those whose settings are not right yet.
    requires_system_checks: list[str] | tuple[str, ...] | Literal["__all__"] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options; those that describe a request imply ``--explain``."""
        parser.add_argument(
            "what",
            nargs="?",
            choices=["token"],
            help="token: print a token that opens the page of this project, once and "
            "within minutes",
        )
        parser.add_argument(
            "--probe",
            action="store_true",
            help="let the token be one for a run of the probe",
        )
        parser.add_argument(
            "--explain",
            action="store_true",
            help="explain what happens to the request that the other options describe, "
            "any of which implies this one",
        )
        request = parser.add_argument_group("the request to explain")
        request.add_argument(
            "--peer",
            metavar="ADDRESS",
            help="who opened the connection; empty for a unix socket "
            f"(default: {DEFAULT.peer})",
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
            help=f"the scheme of the connection itself (default: {DEFAULT.scheme})",
        )
        request.add_argument(
            "--server",
            metavar="NAME",
            help=f"the server's own name (default: {DEFAULT.server})",
        )
        request.add_argument(
            "--port",
            help=f"the server's own port (default: {DEFAULT.port})",
        )
        request.add_argument(
            "--mount-point",
            metavar="PATH",
            help="where the server mounted the application (default: nowhere)",
        )
        request.add_argument(
            "--path",
            help=f"the path below the mount point (default: {DEFAULT.path})",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Show or explain, on standard output."""
        try:
            settings = get_settings()
            if options["what"] == "token":
                return self._print_token(probe=options["probe"])
        except ConfigurationError as error:
            raise CommandError(str(error)) from error
        try:
            headers = join_headers(options["headers"])
        except ValueError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            show(
                settings,
                explained=options["explain"],
                headers=headers,
                forced_mount_point=django_settings.FORCE_SCRIPT_NAME,
                **{name: options[name] for name in CONNECTION},
            )
        )

    def _print_token(self, *, probe: bool) -> None:
        """Print a token, alone on standard output, and elsewhere what to do with it."""
        # It is loaded for those who ask for it.
        from django_trustedproxy.early import find_page_path
        from django_trustedproxy.page import make_token
        from trustedproxy.report.tokens import TokenKind

        self.stdout.write(make_token(TokenKind.PROBE if probe else TokenKind.PAGE))
        path = find_page_path()
        if path is None:
            self.stderr.write(_NO_PAGE)
        elif not probe:
            self.stderr.write(_HOW.format(path))


_NO_PAGE = (
    "There is no page to open with it: add path('trustedproxy/', "
    "include('django_trustedproxy.urls')) to urlpatterns of ROOT_URLCONF."
)
_HOW = (
    "Open {}?token of your site, and enter it there within ten minutes. It is good "
    "once."
)
