"""
Command lines of servers, wherever they stand.

In:  a shell script, a unit file, a Procfile, a Dockerfile, or a line from a terminal.
Out: `Command`: the program, its options, and the variables in front of it.

Only the options that a reader asks for are read; what else a server can be told is no
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
    from collections.abc import Mapping, Sequence

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

    A line is one where a server's program stands in it, or where it begins with an
    option, and so is a line of variables alone, as an environment file has them.

    Args:
        text: Whatever holds them.

        name: The file's name, for errors.

        strict: Whether such a line with an open quote is an error.

    Raises:
        ConfigurationError: It has one.
    """
    commands: list[Command] = []
    for number, line in logical_lines(text):
        words = _split(line, name, number, strict=strict)
        command = _read_command(words, place(name, number), number)
        if command is not None:
            commands.append(command)
    return commands


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
    if words and (words[0].startswith("-") or variables):
        options = words if words[0].startswith("-") else []
        return Command("", options, where, line, variables)
    return None


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
