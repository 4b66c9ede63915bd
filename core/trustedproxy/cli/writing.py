"""
Write what a command prints into files, whole or not at all.

In:  a path, and texts.
Out: the files; or a `WritingError` that says which one could not be written.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..whole_files import FOR_EVERYBODY, FOR_ITS_OWNER, write_whole


class WritingError(ValueError):
    """A file cannot be written; those before it were."""


def write_file(path: str, text: str, *, is_secret: bool = False) -> None:
    """
    Write one file.

    Args:
        path: Where.

        text: What.

        is_secret: Whether a new one is for its owner alone.

    Raises:
        WritingError: It cannot be written; what was there is as it was.
    """
    target = Path(path)
    try:
        # What a link leads to is replaced, and the link stays.
        write_whole(
            target.resolve(), text, FOR_ITS_OWNER if is_secret else FOR_EVERYBODY
        )
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise WritingError(f"{path} cannot be written: {reason}") from error


def write_files(
    folder: str, files: Mapping[str, str], *, is_secret: bool = False
) -> list[str]:
    """
    Write several files below *folder*, each at its own path.

    Returns:
        The paths.

    Raises:
        WritingError: One cannot be written.
    """
    written = []
    for path, text in files.items():
        target = Path(folder, path.lstrip("/"))
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise WritingError(f"{target.parent} cannot be made: {reason}") from error
        write_file(str(target), text, is_secret=is_secret)
        written.append(str(target))
    return written
