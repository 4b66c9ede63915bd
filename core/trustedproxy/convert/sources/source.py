"""
One text, in every language that it can be read as.

In:  a text, and its file's name.
Out: `Source`, which reads it as what it is asked for, once.
"""

from __future__ import annotations

import configparser
import re
from functools import cached_property
from typing import TYPE_CHECKING

from ...exceptions import ConfigurationError
from .apache_source import parse_apache
from .command_lines import Command, read_commands
from .given import Directive, Given, place
from .nginx_source import parse_nginx
from .python_source import PythonModule, PythonSource, StarImport, parse_python

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Apache's directives that somebody here reads, in lower case.
_APACHE_PREFIXES = ("remoteip", "wsgi")

_LANGUAGE_OF_SUFFIX = {
    ".py": "python",
    ".ini": "ini",
    ".service": "commands",
    ".env": "commands",
}
_OPTION_FIRST = re.compile(r"\s*-")


class Source:
    """
    A configuration's text.

    Args:
        text: As it is in the file or on the command line.

        name: The file's name, for errors; or "".

        before: Modules whose names a Python module has imported, in order.

        named: The kind that somebody has named; "" where it is to be found out.

    A language that the text is not written in gives nothing; where the file's name says
    that it is, the error is raised.
    """

    def __init__(
        self,
        text: str,
        name: str = "",
        before: Sequence[PythonModule] = (),
        *,
        named: str = "",
    ) -> None:
        self.text = text
        self.named = named
        self.name = name
        self._before = before
        suffix = name[name.rfind(".") :] if "." in name else ""
        self._language = _LANGUAGE_OF_SUFFIX.get(suffix)

    @cached_property
    def where(self) -> str:
        """The file's name, or what an error says instead."""
        return self.name or "the text"

    @cached_property
    def module(self) -> PythonModule | None:
        """The text as one Python module, without those that it imports."""
        if self._language not in (None, "python") or _OPTION_FIRST.match(self.text):
            return None
        try:
            return parse_python(self.text, self.name)
        except ConfigurationError:
            if self._language == "python":
                raise
            return None

    @cached_property
    def python(self) -> PythonSource:
        """The text as Python, with the modules whose names it has imported."""
        own = [] if self.module is None else [self.module]
        return PythonSource([*self._before, *own])

    @cached_property
    def names(self) -> dict[str, Given]:
        """Names that the text assigns, as Python."""
        return self.python.names()

    @property
    def unread_stars(self) -> list[StarImport]:
        """Imports of all names that no module was read for."""
        return [] if self._before or self.module is None else self.module.stars

    @cached_property
    def commands(self) -> list[Command]:
        """
        Command lines.

        A program in Python has none, nor has a front end's configuration, where a
        server's name is one that somebody gave to something.
        """
        if self._language in ("python", "ini"):
            return []
        if self._language is None and (self.nginx or self.apache):
            return []
        if not self.may_be_arguments:
            return []
        return read_commands(self.text, self.name, strict=self.module is None)

    @property
    def may_be_arguments(self) -> bool:
        """Whether this may be something else than a program in Python."""
        return self.module is None or not (self.module.calls or self.module.imports)

    @cached_property
    def nginx(self) -> list[Directive]:
        """nginx's directives, where the text has those that somebody here reads."""
        if self.module is not None or "real_ip" not in self.text:
            return []
        return parse_nginx(self.text, self.name)

    @cached_property
    def apache(self) -> list[Directive]:
        """Apache's directives that somebody here reads."""
        lower = self.text.lower()
        if self.module is not None or not any(p in lower for p in _APACHE_PREFIXES):
            return []
        return parse_apache(self.text, self.name, prefixes=_APACHE_PREFIXES)

    @cached_property
    def sections(self) -> dict[str, dict[str, Given]]:
        """The sections of an INI file, as servers are described in it."""
        if self._language != "ini" and not re.search(r"(?m)^\[server:", self.text):
            return {}
        parser = configparser.RawConfigParser(strict=False)
        try:
            parser.read_string(self.text, self.where)
        except configparser.Error as error:
            line = getattr(error, "lineno", 0) or 1
            raise ConfigurationError(
                place(self.name, line), type(error).__name__, "an INI file"
            ) from error
        return {
            section: {
                key: Given(key, value, f"{self.where}, section {section}")
                for key, value in parser.items(section)
            }
            for section in parser.sections()
        }
