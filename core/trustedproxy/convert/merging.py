"""
Several drafts as one conversion, and whom it trusts.

In:  what the readers of `kinds` found, and whom the caller says to trust.
Out: `Conversion`, whose settings `trustedproxy.read_settings` has accepted.

Whom to trust has to be said, and most tools never asked: where no source says it, one
element of one proxy is what is trusted, and a note says what to write instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..exceptions import ConfigurationError
from ..headers import Category
from ..settings import read_settings
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

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_FILE = "file:"
_EFFECTS = list(Effect)


def merge_drafts(
    drafts: Sequence[Draft], said: Sequence[str] | str | None
) -> Conversion:
    """
    Put drafts together, say whom to trust, and have the settings read.

    Args:
        drafts: What was found, at least one.

        said: Entries of ``TRUSTED_PROXIES``, in place of what was found; or `None`.

    Raises:
        ConfigurationError: Two drafts contradict each other, or a value is refused.
    """
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
