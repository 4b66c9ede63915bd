"""
What to change, and where: the front end's lines, the settings, the server's switch.

In:  how something got through, and what is known of the deployment.
Out: `Remedy` records, the best first.

The lines are those of `trustedproxy.frontends`, and the words those of the pages about
front ends; `trustedproxy config` prints all of them at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..advice.words import SERVER_SWITCHES
from ..decision import Reason
from ..frontends.plan import spell_variants
from ..setting_lines import write_line
from .front_end_lines import (
    FRONT_ENDS,
    MOST_LINES,
    write_header_lines,
    write_variant_lines,
)
from .records import Kind, Remedy, Trick, Way

if TYPE_CHECKING:
    from .records import Effect

_PAGE = "docs/frontends.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """
    What remedies depend on.

    Attributes:
        frontend: Which it is, as ``trustedproxy config`` calls it; or nothing.

        is_guess: Whether that is a guess.

        is_secure: Whether TLS is spoken to the front end.

        has_policy: Whether the application says that it has a policy.

        trusts_everybody: Whether that policy trusts every peer.

        reason: Why it finds the client where it does: the name of a `Reason`.

        is_local: Whether the server behind was asked from the same machine.
    """

    frontend: str = ""
    is_guess: bool = False
    is_secure: bool = False
    has_policy: bool = False
    trusts_everybody: bool = False
    reason: str = ""
    is_local: bool = False


def find_remedies(
    trick: Trick, way: Way, effects: Sequence[Effect], situation: Situation
) -> tuple[Remedy, ...]:
    """Find what to change, the best first."""
    if way is Way.DIRECT:
        return tuple(_close_direct(situation))
    if any(effect.by_server for effect in effects):
        return (_switch_server_off(),)
    return tuple(_REMEDIES[trick](effects, situation))


def _close_direct(situation: Situation) -> Iterator[Remedy]:
    text = (
        "Let nobody but the front end connect to the server: bind it to an address "
        "or a unix socket that only the front end reaches, or close its port."
    )
    yield Remedy(where="network", text=text, page="docs/security.md")
    if situation.trusts_everybody:
        yield Remedy(
            where="settings",
            text="Say who the proxies are; now every peer is trusted.",
            lines=(write_line("TRUSTED_PROXIES", ["10.0.0.5"]),),
            page="docs/settings.md",
        )
    if situation.is_local:
        yield Remedy(
            where="network",
            text="The server was asked from the machine that it runs on, where the "
            "front end may be, too. Probe it from another one to see what others can.",
        )


def _switch_server_off() -> Remedy:
    return Remedy(
        where="server",
        text="The server itself, or a middleware around the policy, has made this of "
        f"the headers. Switch that off: {SERVER_SWITCHES}; "
        "gunicorn --forwarded-allow-ips ''.",
        page="docs/servers.md",
    )


def _overwrite(effects: Sequence[Effect], situation: Situation) -> Iterator[Remedy]:
    """A header of its own name came through: overwrite it, or remove it."""
    names = list(dict.fromkeys(effect.header for effect in effects if effect.header))
    trusted = [e.header for e in effects if e.kind is Kind.TAKEN]
    unlisted = [e for e in effects if e.listed is False]
    what = ", ".join(names[:MOST_LINES]) or "these headers"
    yield _write_front_end(
        f"Let the front end overwrite {what}, where it sets it, or remove it where "
        "it does not, so that a client's own value is gone.",
        write_header_lines(
            situation.frontend, names, set(trusted), secure=situation.is_secure
        ),
        situation,
        instead=bool(trusted),
    )
    if trusted and situation.reason in _BY_POSITION:
        yield _BY_POSITION[situation.reason]
    if unlisted:
        yield Remedy(
            where="settings",
            text="Let the policy remove every known header that it does not trust.",
            lines=(write_line("TRUSTED_PROXY_STRIP", "all"),),
            page="docs/settings.md",
        )
    if not situation.has_policy and trusted:
        yield Remedy(
            where="settings",
            text="Let a policy decide which headers count, and whose: list only what "
            "the front end overwrites.",
            page="docs/topologies.md",
        )


#: What to change where the policy finds the client by the position of an element.
_BY_POSITION = {
    Reason.FIRST_ELEMENT.name: Remedy(
        where="settings",
        text="Every peer is trusted, so that the first element of a list counts, which "
        "is the client's to write. Say who the proxies are, or how many elements they "
        "add (TRUSTED_PROXY_HOPS).",
        lines=(write_line("TRUSTED_PROXIES", ["10.0.0.5"]),),
        page="docs/settings.md",
    ),
    Reason.ALL_HOPS_TRUSTED.name: Remedy(
        where="settings",
        text="The address that the probe comes from is in TRUSTED_PROXIES, so that "
        "what it says counts. Trust fewer networks, or probe from an address that "
        "nobody trusts.",
        page="docs/settings.md",
    ),
    Reason.TOO_FEW_ELEMENTS.name: Remedy(
        where="settings",
        text="The client is counted from the right, and the count reaches what the "
        "client wrote: TRUSTED_PROXY_HOPS is more than the proxies add.",
        page="docs/settings.md",
    ),
}


def _drop_variants(effects: Sequence[Effect], situation: Situation) -> Iterator[Remedy]:
    names = dict.fromkeys(effect.header for effect in effects if effect.header)
    variants = [variant for name in names for variant in spell_variants(name)]
    yield _write_front_end(
        "Let the front end drop names with underscores: X_Forwarded_For is the same "
        "variable as X-Forwarded-For in WSGI, and only the front end can "
        "distinguish them.",
        write_variant_lines(situation.frontend, variants),
        situation,
    )
    yield Remedy(
        where="server",
        text="Some servers drop such names, or have an option for it.",
        page="docs/servers.md",
    )


def _keep_connection(
    effects: Sequence[Effect], situation: Situation
) -> Iterator[Remedy]:
    front = FRONT_ENDS.get(situation.frontend)
    yield _write_front_end(
        "Let the front end keep the client's Connection header to itself: it asks a "
        "proxy to remove the headers that it names, and some obey.",
        () if front is None else front.connection,
        situation,
    )


def _keep_protocol(effects: Sequence[Effect], situation: Situation) -> Iterator[Remedy]:
    front = FRONT_ENDS.get(situation.frontend)
    yield _write_front_end(
        "Let the front end hand on websockets where they are wanted, and no other "
        "protocol: a client that may say Upgrade: h2c has a connection to the server "
        "on which nothing is overwritten.",
        () if front is None else front.upgrade,
        situation,
    )


def _limit_hosts(effects: Sequence[Effect], situation: Situation) -> Iterator[Remedy]:
    yield Remedy(
        where="framework",
        text="List the hosts of the site: ALLOWED_HOSTS in Django, TRUSTED_HOSTS in "
        "Flask, TrustedHostMiddleware in Starlette.",
        page="docs/security.md",
    )
    yield _write_front_end(
        "Let the front end serve the names of the site alone.", (), situation
    )


_REMEDIES = {
    Trick.HONEST: _overwrite,
    Trick.HEADER: _overwrite,
    Trick.CASE: _overwrite,
    Trick.TWICE: _overwrite,
    Trick.VALUE: _overwrite,
    Trick.VARIANT: _drop_variants,
    Trick.CONNECTION: _keep_connection,
    Trick.UPGRADE: _keep_protocol,
    Trick.HOST: _limit_hosts,
    Trick.HOSTS: _limit_hosts,
}


def _write_front_end(
    text: str,
    lines: tuple[str, ...],
    situation: Situation,
    *,
    instead: bool = False,
) -> Remedy:
    front = FRONT_ENDS.get(situation.frontend)
    if front is None:
        more = "trustedproxy config FRONTEND prints a configuration that does."
        return Remedy(where="front end", text=f"{text} {more}", page=_PAGE)
    why = f" ({front.title}: {front.instead}.)" if instead and front.instead else ""
    return Remedy(
        where="front end",
        text=f"{text}{why} trustedproxy config {situation.frontend} prints a "
        "configuration that does.",
        lines=lines,
        page=f"docs/frontends/{situation.frontend}.md",
        guess=situation.is_guess,
    )
