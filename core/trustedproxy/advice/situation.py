"""
What an adviser looks at, and what it says.

In:  nothing; these are records.
Out: `Situation`, `Advice`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ..headers import Category, Form
from ..parsing.values import BLANKS
from ..setting_lines import spell_headers, write_line

if TYPE_CHECKING:
    from ..decision import Decision
    from ..headers import ProxyHeader
    from ..policy_options import PolicyOptions
    from ..rules import Rules


@dataclass(frozen=True, slots=True)
class Advice:
    """
    What to change, and why.

    Attributes:
        code: Stable, for filters.

        header: The header that it is about, or ``None``.

        text: One or two sentences, the first without its capital letter.

        settings: The lines to paste, as a settings file has them; none where the change
            is the proxy's or the server's.
    """

    code: str
    header: str | None
    text: str
    settings: tuple[str, ...] = ()


def _accept_every_host(host: str | None) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Situation:
    """
    A request that was decided, and what is known besides.

    Attributes:
        policy: The policy that decided.

        rules: The same, compiled.

        decision: The decision.

        headers: Name of a known header that came → its value.

        https_only: Whether plain HTTP is redirected.

        accepts_host: Says whether the framework takes a host.

        allowed_hosts: The hosts that are configured.

        hosts_setting: What that list is called.

        exempts: Whether HTTPS only lets this request pass over plain HTTP.
    """

    policy: PolicyOptions
    rules: Rules
    decision: Decision
    headers: Mapping[str, str]
    https_only: bool = False
    accepts_host: Callable[[str | None], bool] = _accept_every_host
    allowed_hosts: Sequence[str] = ()
    hosts_setting: str = "allowed_hosts"
    exempts: bool = False

    @property
    def is_read(self) -> bool:
        """Whether the headers of the request were read, and it goes on."""
        return self.decision.peer_trusted and self.decision.rejected is None

    def opts_in(self, category: Category) -> bool:
        """Say whether a header of *category* is listed, or its value stated."""
        return category in self.rules.opted_in

    def list_sent(self, category: Category) -> list[ProxyHeader]:
        """List the headers of *category* that could be listed and came with a value."""
        return [
            header
            for header in self.rules.known
            if category in header.categories
            and header.form is not Form.NEVER
            and self.headers.get(header.name, "").strip(BLANKS + ",")
        ]

    def is_listed(self, header: ProxyHeader) -> bool:
        """Say whether the policy lists *header*."""
        return header in self.policy.headers

    def write_headers(
        self, added: ProxyHeader, *, in_place_of: Category | None = None
    ) -> tuple[str, ...]:
        """
        Write ``TRUSTED_PROXY_HEADERS`` with one header more.

        Args:
            added: The header.

            in_place_of: Whose listed headers it takes the place of.

        Returns:
            One line; none where ``Forwarded`` would have to go, which says more.
        """
        replaced = {in_place_of}
        if added.form is Form.FORWARDED:
            # It stands for all of its categories, and beside no other header of them.
            replaced.update(added.categories)
        listed = self.policy.headers
        kept = [h for h in listed if replaced.isdisjoint(h.categories)]
        if any(h.form is Form.FORWARDED for h in listed if h not in kept):
            return ()
        at = next((i for i, h in enumerate(listed) if h not in kept), len(kept))
        kept.insert(at, added)
        return (write_line("TRUSTED_PROXY_HEADERS", spell_headers(kept)),)

    def write_proxies(self, entry: str) -> str:
        """Write ``TRUSTED_PROXIES`` with one entry more."""
        entries = [*map(str, self.policy.proxies or ()), entry]
        return write_line("TRUSTED_PROXIES", entries)


#: What looks for one mistake.
Adviser: TypeAlias = "Callable[[Situation], Iterator[Advice]]"
