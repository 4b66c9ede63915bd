"""
Convert a text, or the files of a project, into settings of this project.

In:  text of any kind in `kinds.KINDS`, named or found out.
Out: `Conversion`, whose settings `trustedproxy.read_settings` has accepted.

Whom to trust has to be said, and most tools never asked: where a source does not say
it, one element of one proxy is what is trusted, and a note says what to write instead.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..exceptions import ConfigurationError, nearest
from ..headers import Category
from ..settings import read_settings
from .kinds import KINDS
from .kinds.kind import Found
from .project import find_files, read_modules, read_text
from .reading import Reading
from .record import (
    EVERY_PEER,
    HEADERS,
    HOPS,
    PROXIES,
    Conversion,
    Draft,
    Effect,
    Note,
    category_of,
    name_of,
    sort_headers,
)
from .sources.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .kinds import Kind
    from .sources.given import Given

_FILE = "file:"
_EFFECTS = list(Effect)


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
    return _finish(drafts, proxies)


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
    return _finish(drafts, proxies)


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


def _finish(drafts: Sequence[Draft], said: Sequence[str] | str | None) -> Conversion:
    """Put drafts together, say whom to trust, and have the settings read."""
    settings: dict[str, object] = {}
    notes = [note for draft in drafts for note in draft.notes]
    headers = _merge_headers(drafts, notes)
    others = _merge_settings(drafts)
    if headers:
        settings[HEADERS] = headers
    if headers or any(name.startswith(_FIXED) for name in others):
        settings |= _say_whom_to_trust(drafts, said, notes)
    settings |= others
    # A list in a file may be another machine's.
    checked = {
        name: [e for e in value if not str(e).startswith(_FILE)]
        if name == PROXIES and isinstance(value, list)
        else value
        for name, value in settings.items()
    }
    read_settings(checked)
    kinds = dict.fromkeys(draft.kind for draft in drafts)
    if Category.CLIENT in map(category_of, headers):
        # Another source has it.
        notes = [note for note in notes if note.code != "no-client"]
    ordered = sorted(dict.fromkeys(notes), key=lambda n: _EFFECTS.index(n.effect))
    return Conversion(tuple(kinds), settings, tuple(ordered))


#: Settings that state what no header says, and that need somebody to trust, too.
_FIXED = "TRUSTED_PROXY_FIXED_"


def _merge_headers(drafts: Iterable[Draft], notes: list[Note]) -> list[str]:
    """Put the headers of all drafts together, each once."""
    headers = {name_of(h).lower(): h for draft in drafts for h in draft.headers}
    merged = sort_headers(list(headers.values()))
    categories: dict[Category, str] = {}
    for entry in merged:
        category = category_of(entry)
        if category in categories:
            notes.append(
                Note(
                    Effect.TO_DO,
                    "synonyms",
                    f"{categories[category]} and {name_of(entry)} say the same. List "
                    "the one that your proxy overwrites: a client can send the other.",
                )
            )
        categories[category] = name_of(entry)
    return merged


def _merge_settings(drafts: Iterable[Draft]) -> dict[str, object]:
    """
    Put the other settings together.

    Raises:
        ConfigurationError: Two drafts disagree.
    """
    merged: dict[str, object] = {}
    said_by: dict[str, Draft] = {}
    for draft in drafts:
        for name, value in draft.settings.items():
            if merged.setdefault(name, value) != value:
                earlier = said_by[name]
                raise ConfigurationError(
                    f"{draft.where}, {name}",
                    value,
                    f"what {earlier.title} says in {earlier.where}: convert them one "
                    "by one",
                )
            said_by.setdefault(name, draft)
    return merged


def _say_whom_to_trust(
    drafts: Sequence[Draft], said: Sequence[str] | str | None, notes: list[Note]
) -> dict[str, object]:
    """Choose ``TRUSTED_PROXIES`` and ``TRUSTED_PROXY_HOPS``, and say what is left."""
    hops = _merge_hops(drafts)
    proxies = _merge_proxies(drafts)
    if said is not None:
        words = said.replace(",", " ").split() if isinstance(said, str) else said
        proxies = list(words)
        if hops is None:
            return {PROXIES: proxies}
        return {PROXIES: proxies, HOPS: hops}
    if proxies is None and hops is None:
        notes.append(_UNSAID)
        return {HOPS: 1}
    if proxies is None:
        notes.append(_COUNT_ALONE)
        return {HOPS: hops}
    if proxies == [EVERY_PEER]:
        if hops is not None:
            notes.append(_COUNT_ALONE)
            return {HOPS: hops}
        notes.append(_EVERYBODY)
        return {PROXIES: EVERY_PEER}
    if any(entry in ("0.0.0.0/0", "::/0") for entry in proxies):
        notes.append(_EVERYBODY)
    return {PROXIES: proxies} if hops is None else {PROXIES: proxies, HOPS: hops}


def _merge_hops(drafts: Iterable[Draft]) -> int | None:
    counted = [draft for draft in drafts if draft.hops is not None]
    for draft in counted[1:]:
        if draft.hops != counted[0].hops:
            raise ConfigurationError(
                f"{draft.where}, {HOPS}",
                draft.hops,
                f"the count of {counted[0].title} in {counted[0].where}, "
                f"{counted[0].hops}: convert them one by one",
            )
    return counted[0].hops if counted else None


def _merge_proxies(drafts: Iterable[Draft]) -> list[str] | None:
    """Put the lists together; every peer is not more than a list that somebody made."""
    lists = [draft.proxies for draft in drafts if draft.proxies is not None]
    if not lists:
        return None
    named = [entries for entries in lists if entries != [EVERY_PEER]]
    if not named:
        return [EVERY_PEER]
    return list(dict.fromkeys(entry for entries in named for entry in entries))


_NETWORKS = (
    'TRUSTED_PROXIES = ["loopback"] for one on the same machine, ["unix"] behind a '
    'unix socket, ["10.0.0.0/8"] or whatever network they connect from'
)
_UNSAID = Note(
    Effect.TO_DO,
    "say-whom-to-trust",
    "Nothing said whom to trust. TRUSTED_PROXY_HOPS = 1 stands for: one proxy of yours "
    "writes each header, and nobody else can connect. Say where your proxies connect "
    f"from: {_NETWORKS}.",
)
_COUNT_ALONE = Note(
    Effect.TO_DO,
    "add-networks",
    "A count alone trusts every peer that can connect. Add the networks of your "
    f"proxies: {_NETWORKS}.",
)
_EVERYBODY = Note(
    Effect.TO_DO,
    "everybody",
    "Every peer is trusted, and the leftmost element counts: whoever can connect, or "
    "send a header through a proxy that appends, writes the client's address. Write "
    f"the networks of your proxies in its place ({_NETWORKS}), or the number of their "
    "elements as TRUSTED_PROXY_HOPS.",
)
