"""
Command lines of servers, wherever they stand.

In:  a shell script, a unit file, a Procfile, a Dockerfile, or a line from a terminal.
Out: `Command`: the program, its options, and the variables in front of it.

Only the options that a reader asks for are read; what else a server can be given is no
business of this project's.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ...exceptions import ConfigurationError
from .given import Given, place, refuse_near, shown
from .lines import logical_lines

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

#: The servers' programs; also as ``python -m``.
PROGRAMS = (
    "uvicorn",
    "gunicorn",
    "hypercorn",
    "waitress-serve",
    "waitress",
    "mod_wsgi-express",
)


@dataclass(frozen=True, slots=True)
class Command:
    """
    One command line.

    Attributes:
        program: The server's program; "" for options alone.

        words: What stands behind it.

        variables: Environment variables in front of it.

        where: File and line.

        line: The line's number.
    """

    program: str
    words: Sequence[str]
    where: str
    line: int
    variables: Mapping[str, str] = field(default_factory=dict)


def read_commands(text: str, name: str = "", *, strict: bool = True) -> list[Command]:
    """
    Find the command lines in a *text*.

    A line is one where a server's program stands in it, or an option, and so is a line
    of variables alone, as an environment file has them. Items of a list, a line each,
    are one command line, as containers are described.

    Args:
        text: Whatever holds them.

        name: The file's name, for errors.

        strict: Whether such a line with an open quote is an error.

    Raises:
        ConfigurationError: It has one.
    """
    commands: list[Command] = []
    for number, line in _join_items(text):
        words = _split(line, name, number, strict=strict)
        command = _read_command(words, place(name, number), number)
        if command is not None:
            commands.append(command)
    return commands


def _join_items(text: str) -> Iterator[tuple[int, str]]:
    """Join lines that begin with a hyphen and a blank, one item of a list each."""
    begun, items = 0, ""
    for number, line in logical_lines(text):
        if line.startswith("- "):
            begun = begun or number
            items += line[1:]
            continue
        if items:
            yield begun, items.strip()
            begun, items = 0, ""
        yield number, line
    if items:
        yield begun, items.strip()


def _split(line: str, name: str, number: int, *, strict: bool) -> list[str]:
    """Split a line into words, as a shell does, or as the list that it is."""
    start = line.find('["')
    if start >= 0:
        # CMD ["gunicorn", "--bind", ...], as containers are described.
        try:
            words = json.loads(line[start:])
        except ValueError:
            words = []
        return [str(word) for word in words]
    try:
        return shlex.split(line, comments=True)
    except ValueError as error:
        known = any(program in line for program in PROGRAMS) or line.startswith("-")
        if strict and known:
            raise ConfigurationError(
                place(name, number), shown(line), "a line with its quotes closed"
            ) from error
        return []


def _read_command(words: list[str], where: str, line: int) -> Command | None:
    """Make a command of a line's words, if it is one."""
    variables: dict[str, str] = {}
    for i, written in enumerate(words):
        # As units of systemd write variables.
        word = written.removeprefix("Environment=")
        program = PurePosixPath(word.rpartition("=")[2] or "/").name
        if program in PROGRAMS:
            return Command(program, words[i + 1 :], where, line, variables)
        name, equals, value = word.partition("=")
        if equals and name.isidentifier() and name.isupper():
            variables[name] = value
    first = next((i for i, word in enumerate(words) if word.startswith("--")), None)
    options = [] if first is None else words[first:]
    if options or variables:
        return Command("", options, where, line, variables)
    return None


def find_commands(
    commands: Sequence[Command],
    programs: Collection[str],
    known: Mapping[str, tuple[str, bool]],
    alone: Collection[str],
) -> list[tuple[Command, dict[str, Given]]]:
    """
    Find the commands of a server, each with its options.

    Args:
        commands: All that are in a text.

        programs: How the server's program is called.

        known: The options that are read, as for `read_options`.

        alone: Those that say by themselves, without the program, whose they are.

    Returns:
        The commands of the program; or the options alone, where no program stands in
        the text.  What stands on a line of its own belongs to the one program.

    Raises:
        ConfigurationError: There are several programs that it may belong to.
    """
    loose = [c for c in commands if not c.program and _long_options(c) & known.keys()]
    own = [c for c in commands if c.program in programs]
    named = [c for c in commands if c.program]
    if own and loose and len(named) > 1:
        raise ConfigurationError(
            loose[0].where,
            shown(" ".join(loose[0].words)),
            "on the line of its program: there are several it may belong to",
        )
    options: dict[str, Given] = {}
    for command in loose:
        options |= read_options(command, known)
    if own:
        return [(c, {**read_options(c, known), **options}) for c in own]
    if named or not any(_long_options(c) & set(alone) for c in loose):
        return []
    return [(loose[0], options)]


def _long_options(command: Command) -> set[str]:
    words = (word.partition("=")[0] for word in command.words)
    return {word for word in words if word.startswith("--")}


def read_options(
    command: Command,
    known: Mapping[str, tuple[str, bool]],
) -> dict[str, Given]:
    """
    Read the options that are *known* of a *command*; the others are passed over.

    Args:
        command: A command line.

        known: ``--option`` → its name in the result, and whether it has a value.

    Returns:
        Name → text, or ``True`` for an option without a value, the last where there
        are several.

    Raises:
        ConfigurationError: An option has no value, or is nearly one that is known.
    """
    found: dict[str, Given] = {}
    words = iter(command.words)
    for word in words:
        option, equals, value = word.partition("=")
        if option not in known:
            if option.startswith("--"):
                refuse_near(option, command.where, known)
            continue
        name, valued = known[option]
        if valued and not equals:
            following = next(words, None)
            if following is None:
                raise ConfigurationError(
                    command.where, word, "an option with its value"
                )
            value = following
        text = value if valued or equals else True
        found[name] = Given(option, text, command.where)
    return found
