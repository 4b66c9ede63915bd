"""
``file:`` lists: what stands in a file of networks, and when it is read again.

In:  a path, what reads one entry, and the time.
Out: `NetworkFile`, which looks at the file, and `Found`, what its looks have found.

A list may be edited while it is read.  So it is read only where two looks in a row saw
the same file, and a list that cannot be used changes nothing: the last good one stays.
No lock is taken.  Threads that look at once do the same thing, and what a late one puts
back is found changed at the next look.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from .exceptions import ConfigurationError
from .log import warn
from .parsing.values import BLANKS

if TYPE_CHECKING:
    from ._types import Network

#: An entry that begins like this is the path of a list.
FILE = "file:"
#: Seconds between two looks at a list.
LOOK_INTERVAL = 1.0
#: Seconds for which a list may change between every two looks before that is logged.
RESTLESS_INTERVAL = 60.0

#: What makes one state of a file differ from another: the times of its last change of
#: content and of anything else, its size, and which file it is.
Marks: TypeAlias = tuple[int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Found:
    """
    What the looks at one file have found so far.

    Attributes:
        networks: The last good list.

        read: The marks of the file that was read last, good or not, while it rested.

        error: Why what was read last cannot be used.

        seen: The marks that the last look saw, if they are not those of *read*.

        seen_at: When *seen* was seen first, in seconds of `time.monotonic`.

        restless_since: When the file was first seen to be another one than *read*.
    """

    networks: tuple[Network, ...]
    read: Marks | None = None
    error: str | None = None
    seen: Marks | None = None
    seen_at: float = 0.0
    restless_since: float | None = None


class NetworkFile:
    """
    One list in a file.

    Args:
        path: A regular file, through links; a relative path is of the directory now.

        option: The entry's place in the settings, for errors.

        parse: What reads one entry of it, given the place for errors.
    """

    def __init__(
        self, path: str, option: str, parse: Callable[[str, str], tuple[Network, ...]]
    ) -> None:
        # The process may go to another directory before it looks again.
        self.path: Path = Path(path).absolute()
        self.option = option
        self._entry = f"{FILE}{path}"
        self._parse_entry = parse

    def load(self, now: float) -> Found:
        """
        Read the file for the first time.

        Raises:
            ConfigurationError: It cannot be read, or is no list.
        """
        try:
            marks, text = self._read()
        except (OSError, ValueError) as error:
            # A path with a NUL is no path, and that is no OSError.
            reason = getattr(error, "strerror", None) or type(error).__name__
            expected = f"a file that can be read ({reason})"
            raise ConfigurationError(self.option, self._entry, expected) from error
        # A change in the same tick of the file system's clock has the same marks: the
        # second look, a second later, reads it again.
        return Found(self._parse(text), seen=marks, seen_at=now)

    def follow(self, found: Found, now: float) -> Found:
        """
        Look at the file again.

        Args:
            found: What the looks before have found.

            now: The time, in seconds of `time.monotonic`.

        Returns:
            What is known now; its networks are the same object where they are equal.
        """
        try:
            marks = self._look()
            if marks == found.read:
                if found.error is not None:
                    self._warn_kept(found.error)
                return replace(found, seen=None, restless_since=None)
            if marks == found.seen and now - found.seen_at >= LOOK_INTERVAL:
                read, text = self._read()
                if read == marks == self._look():
                    return self._take(found, marks, text)
        except (OSError, ValueError) as error:
            self._warn_kept(error)
            return found
        return self._wait(found, marks, now)

    def _take(self, found: Found, marks: Marks, text: str) -> Found:
        """Take over what was read, if it is a list."""
        try:
            networks = self._parse(text)
        except ConfigurationError as error:
            self._warn_kept(error)
            return Found(found.networks, marks, str(error))
        same = networks == found.networks
        return Found(found.networks if same else networks, marks)

    def _wait(self, found: Found, marks: Marks, now: float) -> Found:
        """Wait for a second look that sees the same."""
        since = now if found.restless_since is None else found.restless_since
        if now - since >= RESTLESS_INTERVAL:
            self.warn(
                "list-file-restless",
                "%s: the last good list is kept, since %s%s changes from one look to "
                "the next; write it to another name and rename it",
                self.option,
                FILE,
                self.path,
            )
        if marks == found.seen:
            return replace(found, restless_since=since)
        return replace(found, seen=marks, seen_at=now, restless_since=since)

    def _look(self) -> Marks:
        """Look at the file; raises `OSError`."""
        return _read_marks(os.stat(self.path))

    def _read(self) -> tuple[Marks, str]:
        """Read the file, whose marks are taken before; raises `OSError`."""
        # Only a regular file is opened: to open a device can do something by itself.
        self._look()
        with open(self.path, "rb", opener=_open_without_waiting) as file:
            marks = _read_marks(os.fstat(file.fileno()))
            return marks, file.read().decode("utf-8-sig", errors="replace")

    def _parse(self, text: str) -> tuple[Network, ...]:
        """Read one entry a line; raises `ConfigurationError`."""
        if text and not text.endswith("\n"):
            raise ConfigurationError(
                self.option,
                self._entry,
                "a file that ends with a line break, without which it may be half "
                "written",
            )
        networks: list[Network] = []
        # Other characters that end lines for somebody are part of a line.
        for number, line in enumerate(text.split("\n"), 1):
            entry = line.removesuffix("\r").partition("#")[0].strip(BLANKS)
            if entry:
                networks += self._parse_entry(entry, f"{self.option}, line {number}")
        if not networks:
            expected = "a file with a network in it"
            raise ConfigurationError(self.option, self._entry, expected)
        return tuple(dict.fromkeys(networks))

    def _warn_kept(self, reason: object) -> None:
        self.warn(
            "list-file",
            "%s: the last good list is kept, since %s%s cannot be used: %s",
            self.option,
            FILE,
            self.path,
            reason,
        )

    def warn(self, code: str, message: str, *args: object) -> None:
        """Log *message* about this file, at most once a minute for a *code*."""
        warn(code, None, message, *args, about=str(self.path))


def _open_without_waiting(path: str, flags: int) -> int:
    """Open a file that may have become a FIFO meanwhile, which nobody writes to."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _read_marks(status: os.stat_result) -> Marks:
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "Not a regular file")
    return (
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_size,
        status.st_dev,
        status.st_ino,
    )
