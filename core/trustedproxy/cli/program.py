"""
The subcommands, and what every one of them has in common.

In:  the words of a command line.
Out: an exit status.

A subcommand is a row of `SUBCOMMANDS`, and a module that holds a click command of the
name ``command``.  It is loaded when it is asked for.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from copy import copy
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from io import StringIO
from typing import IO, TYPE_CHECKING, Any

import click

from ..exceptions import ConfigurationError, nearest
from ..explain.requests import RequestError
from . import ExitStatus
from .screen import Screen, error_as_dict
from .sources import SourceError
from .writing import WritingError

if TYPE_CHECKING:
    from .sources import Loaded

#: Name → the module of `commands` that has it, and what it does, in a line.
SUBCOMMANDS: dict[str, tuple[str, str]] = {
    "check": ("check", "Look for what is risky in the settings."),
    "settings": ("settings", "Show the settings in force, in words."),
    "explain": ("explain", "Say step by step what becomes of a request."),
    "config": ("config", "Print the front end's half of the configuration."),
    "convert": ("convert", "Turn another tool's configuration into settings."),
    "preset": ("preset", "List and show the presets for platforms."),
    "networks": ("networks", "Keep lists of a provider's networks."),
    "token": ("token", "Print a token that opens the page, once."),
    "probe": ("probe", "Test a live deployment for what a client can forge."),
    "completion": ("completion", "Print what lets a shell complete this command."),
}
#: Options that say where a policy comes from have this attribute.
IS_SOURCE = "is_source"


@dataclass(frozen=True, slots=True)
class Session:
    """
    How the command was started.

    Attributes:
        load: Loads the policy of the framework that runs it; ``None`` for none.

        output, errors: Where it prints; ``None`` for the process's own streams.
    """

    load: Callable[[], Loaded] | None = None
    output: IO[str] | None = None
    errors: IO[str] | None = None

    def make_screen(self, *, as_json: bool) -> Screen:
        """Make where a command prints to."""
        return Screen(as_json=as_json, output=self.output, errors=self.errors)


class Program(click.Group):
    """The group of all subcommands, each loaded when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the names, in the order of the table."""
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a subcommand; below a framework without the options of other sources."""
        if cmd_name not in SUBCOMMANDS:
            return None
        module = import_module(f".commands.{SUBCOMMANDS[cmd_name][0]}", __package__)
        command: click.Command = module.command
        session = ctx.find_object(Session)
        if session is None or session.load is None:
            return command
        return _without_sources(command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a subcommand, or name the nearest."""
        name = args[0]
        if name not in SUBCOMMANDS and not name.startswith("-"):
            near = nearest(name, SUBCOMMANDS) or f": one of {', '.join(SUBCOMMANDS)}"
            raise click.UsageError(f"{name!r} is not a subcommand{near}.", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """List the subcommands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, row[1]) for name, row in SUBCOMMANDS.items()])


def _without_sources(command: click.Command) -> click.Command:
    """Copy a command without the options that say where a policy comes from."""
    kept = copy(command)
    kept.params = [p for p in command.params if not getattr(p, IS_SOURCE, False)]
    if isinstance(kept, click.Group):
        kept.commands = {
            name: _without_sources(each) for name, each in kept.commands.items()
        }
    return kept


def find_version() -> str:
    """Say which version is installed."""
    try:
        return version("trustedproxy")
    except PackageNotFoundError:
        # A checkout that nobody installed.
        return "unknown"


def _print_version(ctx: click.Context, param: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(f"trustedproxy {find_version()}")
        ctx.exit()


@click.group(
    "trustedproxy",
    cls=Program,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Whom to trust behind a reverse proxy: look at it, explain it, set it up.",
    epilog="Exit status: 0 fine, 1 findings, 2 usage. Each command has a page in the "
    "documentation: docs/commands.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show which version is installed.",
)
def program() -> None:
    """The command; `SUBCOMMANDS` has what it does."""


def run(
    arguments: Sequence[str],
    session: Session | None = None,
    *,
    name: str = "trustedproxy",
) -> int:
    """
    Run the command.

    Args:
        arguments: The words behind its name.

        session: How it was started.

        name: What it is called in its own messages.
    """
    session = session or Session()
    try:
        with redirect_stdout(session.output or sys.stdout):
            status = program.main(
                list(arguments), prog_name=name, standalone_mode=False, obj=session
            )
    except click.Abort:
        session.make_screen(as_json=False).say("Aborted.")
        return ExitStatus.USAGE
    except click.exceptions.NoArgsIsHelpError as error:
        session.make_screen(as_json=False).say(error.format_message())
        return ExitStatus.USAGE
    except click.ClickException as error:
        return _fail(session, arguments, error.format_message(), context=error)
    except ConfigurationError as error:
        return _fail(
            session, arguments, str(error), setting=error.option, nearest=error.nearest
        )
    except (SourceError, RequestError, WritingError) as error:
        return _fail(session, arguments, str(error))
    except OSError as error:
        return _fail_of_system(session, arguments, error)
    return int(status or ExitStatus.FINE)


def _fail_of_system(session: Session, arguments: Sequence[str], error: OSError) -> int:
    """Say what the system refused: most of all to write, on a disk that is full."""
    reason = error.strerror or type(error).__name__
    place = f"{error.filename}: " if error.filename else ""
    message = f"{place}{reason}"
    try:
        session.make_screen(as_json=False).output.flush()
        return _fail(session, arguments, message)
    except OSError:
        # It is the output, which Python would write the rest of at its end, and fail.
        sys.stdout = StringIO()
        return _fail(session, (), message)


def _fail(
    session: Session,
    arguments: Sequence[str],
    message: str,
    context: click.ClickException | None = None,
    **parts: Any,
) -> int:
    """Print an error: as JSON where that was asked for."""
    screen = session.make_screen(as_json="--json" in arguments)
    if screen.as_json:
        screen.print_json(error_as_dict(message, **parts))
        return ExitStatus.USAGE
    usage = getattr(context, "ctx", None)
    if usage is not None:
        screen.say(usage.get_usage())
    screen.say(f"Error: {message}", style="bold red")
    return ExitStatus.USAGE
