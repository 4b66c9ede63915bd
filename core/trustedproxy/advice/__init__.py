"""
Which mistake of the operator a request shows, and what to change.

In:  a `Situation`: a policy, the decision about a request, the headers that came, and
     what is known besides.
Out: `Advice`: a sentence or two, and the settings to paste.  The log, explanations and
     reports say it in the same words.

A mistake is a function that yields advice; `ADVISERS` is their table.  The modules
stand for what is wrong: `trust` (whom and what is trusted), `scheme`, `url_parts`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .scheme import advise_missing_scheme, advise_overwritten_scheme
from .situation import Advice, Adviser, Situation
from .trust import (
    advise_all_trusted,
    advise_missing_client,
    advise_missing_secret,
    advise_nothing_trusted,
    advise_too_few_elements,
    advise_uncounted_list,
    advise_untrusted_peer,
)
from .url_parts import (
    advise_default_port,
    advise_mount_point_in_path,
    advise_refused_host,
    advise_unlisted_header,
    advise_unlisted_mount_point,
)
from .words import (
    DECIDED_TWICE,
    PROXY_FIX,
    REMOVED_BY_WAITRESS,
    REWRITTEN_BY_SERVER,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "ADVISERS",
    "DECIDED_TWICE",
    "OF_DIRECT_REQUESTS",
    "OF_TRUSTED_PEERS",
    "PROXY_FIX",
    "REMOVED_BY_WAITRESS",
    "REWRITTEN_BY_SERVER",
    "Advice",
    "Adviser",
    "Situation",
    "advise",
]

#: What a running server logs about a direct request, and about one of a trusted peer.
OF_DIRECT_REQUESTS: tuple[Adviser, ...] = (
    advise_untrusted_peer,
    advise_missing_secret,
)
OF_TRUSTED_PEERS: tuple[Adviser, ...] = (
    advise_unlisted_mount_point,
    advise_mount_point_in_path,
)
#: Every mistake, the likeliest first.
ADVISERS: tuple[Adviser, ...] = (
    *OF_DIRECT_REQUESTS,
    advise_nothing_trusted,
    advise_missing_client,
    advise_too_few_elements,
    advise_all_trusted,
    advise_missing_scheme,
    advise_overwritten_scheme,
    advise_refused_host,
    advise_unlisted_header,
    *OF_TRUSTED_PEERS,
    advise_default_port,
    advise_uncounted_list,
)


def advise(
    situation: Situation, advisers: Iterable[Adviser] = ADVISERS
) -> Iterator[Advice]:
    """Give every advice about a request that *advisers* have."""
    for adviser in advisers:
        yield from adviser(situation)
