"""
Files of a project: which are read, and what they import.

In:  paths.
Out: texts, bounded in size and number; nothing is ever imported or run.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..exceptions import ConfigurationError
from .sources.given import place, shown
from .sources.python_source import PythonModule, parse_python

if TYPE_CHECKING:
    from collections.abc import Iterator

#: No configuration is larger; bytes.
MAX_SIZE = 4_000_000
#: Folders in folders, and files that are looked at.
MAX_DEPTH = 4
MAX_FILES = 1000
#: Modules that import each other's names.
_MAX_MODULES = 20

_NAMES = ("Procfile", "Dockerfile", ".env", "gunicorn.conf.py", "nginx.conf")
_MODULES = ("settings", "wsgi", "asgi", "app", "application", "main", "__init__")
_SUFFIXES = (".conf", ".ini", ".service")
_SKIPPED = ("node_modules", "site-packages", "__pycache__", "tests", "test")


def read_text(path: Path) -> str:
    """
    Read a file.

    Raises:
        ConfigurationError: It is not there, is too large, or is no text in UTF-8.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_SIZE + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigurationError(
            str(path), reason, "a file that can be read"
        ) from error
    return decode_text(content, str(path))


def decode_text(content: bytes, name: str) -> str:
    """
    Decode what a file holds, or one byte more than `MAX_SIZE` of it.

    Raises:
        ConfigurationError: It is too large, or no text in UTF-8.
    """
    if len(content) > MAX_SIZE:
        raise ConfigurationError(name, len(content), f"at most {MAX_SIZE} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(
            place(name, line),
            shown(repr(content[error.start : error.end])),
            "text in UTF-8",
        ) from error


def read_modules(path: Path, text: str) -> list[PythonModule]:
    """
    Read the modules that a Python module imports the names of, those first.

    Args:
        path: The module's file.

        text: Its source.

    Returns:
        What ``from .base import *`` brings, as far as the files are there.
    """
    if path.suffix != ".py":
        return []
    modules: list[PythonModule] = []
    _read_stars(path, text, modules, {path.resolve()})
    return modules


def _read_stars(
    path: Path, text: str, modules: list[PythonModule], seen: set[Path]
) -> None:
    for star in parse_python(text, str(path)).stars:
        imported = find_module(path, star.level, star.module)
        if imported is None or imported.resolve() in seen or len(seen) > _MAX_MODULES:
            continue
        seen.add(imported.resolve())
        source = read_text(imported)
        _read_stars(imported, source, modules, seen)
        modules.append(parse_python(source, str(imported)))


def find_module(path: Path, level: int, module: str) -> Path | None:
    """Find the file of a module that is imported with dots in front, or not far off."""
    parts = module.split(".") if module else []
    folders = [path.parent]
    if level:
        for _ in range(level - 1):
            folders = [folders[0].parent]
    else:
        folders = [*path.parents][:MAX_DEPTH]
    for folder in folders:
        base = folder.joinpath(*parts)
        for candidate in (base.with_suffix(".py"), base / "__init__.py"):
            if parts and candidate.is_file():
                return candidate
            if not parts and candidate.name == "__init__.py" and candidate.is_file():
                return candidate
    return None


def find_files(folder: Path) -> Iterator[Path]:
    """Find the files of a project that may hold a configuration."""
    found = 0
    for root, folders, files in os.walk(folder):
        depth = len(Path(root).relative_to(folder).parts)
        folders[:] = sorted(
            name
            for name in folders
            if depth < MAX_DEPTH
            and not name.startswith((".", "venv", "env"))
            and name not in _SKIPPED
        )
        for name in sorted(files):
            path = Path(root, name)
            if _may_configure(path):
                found += 1
                if found > MAX_FILES:
                    raise ConfigurationError(
                        str(folder), found, f"a folder of at most {MAX_FILES} files"
                    )
                yield path


def _may_configure(path: Path) -> bool:
    if path.name in _NAMES or path.suffix in _SUFFIXES:
        return True
    settings = path.parent.name == "settings" or path.stem.startswith("settings")
    return path.suffix == ".py" and (settings or path.stem in _MODULES)
