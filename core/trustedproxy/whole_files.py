"""
Write files whole or not at all, so that nobody ever reads half of one.

In:  a path and a text.
Out: the file; or an `OSError`, and what was there before.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

#: Who may read a new file: everybody, since servers run as users of their own.
FOR_EVERYBODY = 0o644
#: The same for one that holds a secret: its owner alone.
FOR_ITS_OWNER = 0o600


def write_whole(path: Path, text: str, mode: int = FOR_EVERYBODY) -> None:
    """
    Write *text* to *path*, whole or not at all; mode and owner of a file there stay.

    Args:
        path: The file.

        text: What it is to hold.

        mode: Who may read it where it is a new one.

    Raises:
        OSError: It cannot be written; what was there is as it was.
    """
    _refuse_special(path)
    # In the same folder: only there is it one step to take the other's place.
    with NamedTemporaryFile(
        "w",
        encoding="utf-8",
        newline="\n",
        dir=path.parent,
        prefix=f".{path.name}.",
        delete=False,
    ) as file:
        try:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            _remove(file.name)
            raise
    try:
        _take_rights(file.name, path, mode)
        os.replace(file.name, path)
    except BaseException:
        _remove(file.name)
        raise
    _sync_folder(path.parent)


def _refuse_special(path: Path) -> None:
    """Refuse a pipe, a device or a folder: a file would take its place."""
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(path.stat().st_mode):
            raise OSError(errno.EINVAL, "it is no regular file", str(path))


def _remove(path: str) -> None:
    with suppress(OSError):
        os.unlink(path)


def _take_rights(path: str, old: Path, mode: int) -> None:
    """Give the file at *path* the owner and the mode of the one that it replaces."""
    try:
        status = old.stat()
    except FileNotFoundError:
        os.chmod(path, mode)
        return
    # Only root may give a file away, and not every system knows owners.
    with suppress(PermissionError, AttributeError):
        os.chown(path, status.st_uid, status.st_gid)
    os.chmod(path, stat.S_IMODE(status.st_mode))


def _sync_folder(folder: Path) -> None:
    """Make the new name last through a power cut, where the system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
