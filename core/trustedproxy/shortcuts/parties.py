"""
Who is who, soon told: which peers are believed, who the client is, and how often the
same is said of a peer again.

In:  compiled rules and networks.
Out: functions for the short ways of both surfaces.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import repeat
from socket import AF_INET, inet_pton
from typing import TYPE_CHECKING, Any

from ..decision import NOTHING, Reason
from ..lists import MAX_CHARACTERS, MAX_ELEMENTS
from ..memo import Memo
from ..notices import QUIET_REQUESTS
from ..walk import find_in_list

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..decision import Decision
    from ..networks import TrustedNetworks
    from ..rules import Rules

# Looking a member up in its class is slow before Python 3.12.
_FIRST_UNTRUSTED_HOP = Reason.FIRST_UNTRUSTED_HOP


def compile_believes(rules: Rules, believed: Memo[Any, Any]) -> Callable[[Any], bool]:
    """
    Compile the question that is asked of a peer that is not in *believed*.

    Args:
        rules: The rules.

        believed: The peers that were found to be trusted; a new one joins them.
    """
    trusts = rules.trusts

    def believes(peer: Any) -> bool:
        if trusts is not None and not trusts(peer):
            return False
        believed.remember(peer, None)
        return True

    return believes


def compile_give_again() -> Callable[[Any, Decision], Iterator[Decision]]:
    """
    Compile what gives a decision about a peer's requests without headers again.

    The clock is not asked for each of them whether the missing header is to be told
    again: an iterator that comes to its end sends the next one the long way, which
    asks.  It is twice as long each time, so that whoever asks seldom is told as well.

    Returns:
        A function: peer and decision → the decision, so many times.
    """
    times: Memo[Any, int] = Memo()

    def give_again(peer: Any, decision: Decision) -> Iterator[Decision]:
        number = min(2 * times.get(peer, 0) or 1, QUIET_REQUESTS)
        times.remember(peer, number)
        return repeat(decision._replace(kept=NOTHING), number)

    return give_again


def compile_find(
    rules: Rules, networks: TrustedNetworks | None
) -> Callable[[str], tuple[Any, ...] | None]:
    """
    Compile the finder of the client in the one client header's value.

    Returns:
        A function: value → the fields of a `Finding` that knows the client and leaves
        the value as it is, or ``None``: the rest takes the long way.
    """
    trust, known = rules.trust, rules.trust.known
    (_, _, find_slowly), *_ = rules.client

    def find(value: str) -> tuple[Any, ...] | None:
        finding = find_slowly(value, trust, None)
        if finding is None or finding[0] is None or finding[2] != value:
            return None
        return finding

    walks = find_slowly is find_in_list and trust.hops is None
    if networks is None or known is None or not walks:
        return find
    extraordinary = networks.extraordinary
    # Whether an element was found to be a trusted proxy.
    is_known = known.__contains__

    def find_ordinary(value: str) -> tuple[Any, ...] | None:
        client, position = value, 1
        if "," in value:
            if len(value) > MAX_CHARACTERS:
                return None
            client, *hops = value.split(", ")
            if len(hops) >= MAX_ELEMENTS or not all(map(is_known, hops)):
                return find(value)
            position += len(hops)
        try:
            packed = inet_pton(AF_INET, client)
        except (OSError, ValueError):
            return find(value)
        if bisect_right(extraordinary, packed) & 1:
            return find(value)
        # An IPv4 address that can be read is spelled canonically.
        hop = client, None, packed
        return hop, hop, value, position, _FIRST_UNTRUSTED_HOP, None, None

    return find_ordinary
