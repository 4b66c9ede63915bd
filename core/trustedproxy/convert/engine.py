"""
Convert a text, or the files of a project, into settings of this project.

In:  text of any kind in `kinds.KINDS`, named or found out; files, folders.
Out: `Conversion`, which `merging` makes of what the readers of `kinds` found.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..exceptions import ConfigurationError, nearest
from .kinds import KINDS
from .kinds.kind import Found
from .merging import merge_drafts
from .project import find_files, read_modules, read_text
from .reading import Reading
from .record import Conversion, Draft, Effect, Note
from .sources.source import Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .kinds import Kind
    from .sources.given import Given


def convert_text(
    text: str,
    kind: str | None = None,
    *,
    name: str = "",
    proxies: Sequence[str] | str | None = None,
) -> Conversion:
    """
    Convert one text.

    Args:
        text:
            A configuration: Python source, a command line, a front end's file. Of a
            class or function, the arguments alone will do where *kind* names it.

        kind: A name of `kinds.KINDS`; `None` to find out, which may find several.

        name: The file's name, for errors and for what its suffix says.

        proxies: Entries of ``TRUSTED_PROXIES``, in place of what the text says.

    Raises:
        ConfigurationError:
            The kind is not known, or not found in the text; the text cannot be read,
            and the line is in the error; two places contradict each other; or the
            settings are refused.
    """
    source = Source(text, name, named=_check_kind(kind))
    drafts = _read([source], kind)
    if not drafts:
        raise _nothing_found(source, kind)
    return merge_drafts(drafts, proxies)


def convert_files(
    paths: Sequence[str | Path],
    kind: str | None = None,
    *,
    proxies: Sequence[str] | str | None = None,
) -> Conversion:
    """
    Convert files together, or the files of a project's folder.

    Of Python modules, those whose names they import with ``*`` are read before them.
    Nothing is run.

    Args:
        paths: Files; a folder stands for the files in it that may hold a configuration.

        kind: A name of `kinds.KINDS`; `None` to find out for each file.

        proxies: Entries of ``TRUSTED_PROXIES``, in place of what the files say.

    Raises:
        ConfigurationError: As `convert_text`; or a file is not there, or no text.
    """
    named = _check_kind(kind)
    found = [
        file
        for path in map(Path, paths)
        for file in (find_files(path) if path.is_dir() else [path])
    ]
    sources = [_open(file, named) for file in found]
    drafts = _read(sources, kind)
    if not drafts and len(sources) == 1:
        raise _nothing_found(sources[0], kind)
    if not drafts:
        raise ConfigurationError("files", " ".join(map(str, paths)), _EXPECTED_SOURCE)
    return merge_drafts(drafts, proxies)


def detect_kinds(text: str, *, name: str = "") -> tuple[str, ...]:
    """
    Find out which kinds of `kinds.KINDS` a text holds.

    Raises:
        ConfigurationError: It begins like one of them and cannot be read.
    """
    source = Source(text, name)
    return tuple(kind.name for kind in KINDS.values() if kind.find(source))


def _open(path: Path, named: str) -> Source:
    text = read_text(path)
    return Source(text, str(path), read_modules(path, text), named=named)


def _check_kind(name: str | None) -> str:
    """
    Check the name of a kind, if there is one.

    Raises:
        ConfigurationError: No kind is called so; the nearest is named.
    """
    if name is not None and name not in KINDS:
        raise ConfigurationError(
            "kind", name, f"one of {', '.join(KINDS)}{nearest(name, KINDS)}"
        )
    return name or ""


def _read(sources: Sequence[Source], named: str | None) -> list[Draft]:
    """Make a draft of each kind that is found in some sources, taken together."""
    kinds = KINDS.values() if named is None else [KINDS[named]]
    drafts: list[Draft] = []
    for kind in kinds:
        found: list[Found] = []
        notes: list[Note] = []
        for source in sources:
            here = kind.find(source)
            if not here and named is not None and source.may_be_arguments:
                here = _find_arguments(kind, source)
            if here:
                notes += _note_imports(source)
            found += here
        if found:
            drafts.append(_convert(kind, _agree(kind, found)))
            drafts[-1].notes += notes
    return drafts


def _find_arguments(kind: Kind, source: Source) -> list[Found]:
    """Read a text as the arguments alone: ``x_for=1, x_proto=1``."""
    if not kind.function:
        return []
    return kind.find(Source(f"{kind.function}({source.text})", source.name))


def _agree(kind: Kind, found: Sequence[Found]) -> Found:
    """
    Put several places together that say the same, or of which one is read later.

    Raises:
        ConfigurationError: Two say different things, and neither is.
    """
    by_rank: dict[int, Found] = {}
    for other in found:
        first = by_rank.setdefault(other.rank, other)
        if _values(first) != _values(other):
            raise ConfigurationError(
                other.where,
                kind.title,
                f"what {first.where} says: convert one of the two",
            )
    options: dict[str, Given] = {}
    for rank in sorted(by_rank):
        options |= by_rank[rank].options
    return Found(found[0].where, options)


def _values(found: Found) -> dict[str, object]:
    return {name: given.value for name, given in found.options.items()}


def _convert(kind: Kind, found: Found) -> Draft:
    reading = Reading(kind.name, kind.title, found.options, found.where)
    kind.convert(reading)
    return reading.draft


def _note_imports(source: Source) -> list[Note]:
    """Say which imported names were not read, because their file is not there."""
    return [
        Note(
            Effect.TO_DO,
            "import-not-read",
            f"The names that are imported from {star.module or '.'} were not read: "
            "convert the file itself, so that its neighbours are found, or give "
            "their text as well.",
            star.where,
        )
        for star in source.unread_stars
    ]


_EXPECTED_SOURCE = "a configuration that is known here: " + "; ".join(
    f"{kind.name} ({kind.reads})" for kind in KINDS.values()
)


def _nothing_found(source: Source, kind: str | None) -> ConfigurationError:
    # What stands in it may be a secret.
    text = f"a text of {source.text.count(chr(10)) + 1} lines"
    if kind is None:
        return ConfigurationError(source.where, text, _EXPECTED_SOURCE)
    expected = f"a configuration of {KINDS[kind].title}: {KINDS[kind].reads}"
    return ConfigurationError(source.where, text, expected)
