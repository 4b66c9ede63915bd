"""
Who is who, soon told: which peers are believed, and who the client is.

In:  compiled rules and networks.
Out: functions for the short ways of both surfaces, and the memo that they share.
"""

from __future__ import annotations

from bisect import bisect_right
from socket import AF_INET, inet_pton
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..decision import Reason
from ..lists import MAX_CHARACTERS
from ..walk import find_in_list

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..networks import TrustedNetworks
    from ..rules import Rules

# What a memo holds at most; one that fills up is emptied.
_MOST_REMEMBERED = 1024

# Looking a member up in its class is slow before Python 3.12.
_FIRST_UNTRUSTED_HOP = Reason.FIRST_UNTRUSTED_HOP

K = TypeVar("K")
V = TypeVar("V")


class Memo(dict[K, V], Generic[K, V]):
    """A dictionary that is emptied when it is full."""

    def remember(self, key: K, value: V) -> None:
        """Remember *value* at *key*."""
        if len(self) >= _MOST_REMEMBERED and key not in self:
            self.clear()
        self[key] = value


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


def compile_find(
    rules: Rules, networks: TrustedNetworks | None
) -> Callable[[str], tuple[Any, ...] | None]:
    """
    Compile the finder of the client in the one client header's value.

    Returns:
        A function: value → the fields of a `Finding` that knows the client and leaves
        the value as it is, or ``None``: the rest takes the long way.
    """
    trust = rules.trust
    (_, _, find_slowly), *_ = rules.client

    def find(value: str) -> tuple[Any, ...] | None:
        finding = find_slowly(value, trust, None)
        if finding is None or finding[0] is None or finding[2] != value:
            return None
        return finding

    if networks is None or trust.hops is not None or find_slowly is not find_in_list:
        return find
    extraordinary = networks.compile_extraordinary()
    # Elements that are trusted proxies, as proxies write them down.
    proxies: set[str] = set()

    def find_and_learn(value: str) -> tuple[Any, ...] | None:
        finding = find(value)
        known = trust.known or {}
        if len(proxies) >= _MOST_REMEMBERED:
            proxies.clear()
        proxies.update(text for text in value.split(", ") if text in known)
        return finding

    def find_ordinary(value: str) -> tuple[Any, ...] | None:
        client, position = value, 1
        if "," in value:
            if len(value) > MAX_CHARACTERS:
                return None
            client, *hops = value.split(", ")
            if not proxies.issuperset(hops):
                return find_and_learn(value)
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
