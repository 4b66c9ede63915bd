"""
What is sent: a table of tricks, each a few requests.

In:  a target, a `Forger`, and what is known of the headers that are trusted.
Out: `Trial` records, in the order in which they are sent.

Every trial is a ``GET`` without a body.  Lines that can be distinguished
are sent together; what an answer does not distinguish is split (`running`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..frontends.plan import spell_variants
from ..headers import KNOWN_HEADERS, Category
from .records import Forgery, Line, Trial, Trick, Way

if TYPE_CHECKING:
    from .forgeries import Forger
    from .targets import Target

#: The headers that most proxies set and most applications trust; each is tried alone.
USUAL = (
    "X-Forwarded-For",
    "X-Real-IP",
    "Forwarded",
    "X-Forwarded-Proto",
    "X-Forwarded-Host",
    "X-Forwarded-Server",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Script-Name",
)
#: Lines of one request at the most: servers take no more than a hundred.
MOST_LINES = 40
#: A line that says nothing, so that a spelling of the same header comes behind it.
_NOTHING = "x"
# A protocol that nobody speaks: some front ends speak h2c themselves, which is fine.
_PROTOCOL: tuple[Line, ...] = (
    ("Connection", "Upgrade"),
    ("Upgrade", "trustedproxy-probe"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """
    What a plan is made from.

    Attributes:
        target: The target.

        forger: Makes the forged lines.

        also: Makes those that say another scheme; ``None``: one is enough.

        trusted: Headers that are known to be trusted, name → category.

        address_rule: Whether the honest answer may be one of a rule for addresses.
    """

    target: Target
    forger: Forger
    also: Forger | None = None
    trusted: Mapping[str, Category] = field(default_factory=dict)
    address_rule: bool = False

    @property
    def alone(self) -> tuple[str, ...]:
        """The headers that are tried alone."""
        return tuple(dict.fromkeys((*USUAL, *self.trusted)))

    def forge(self, name: str, spelled: str | None = None) -> Forgery:
        """Forge a header."""
        category = self.trusted.get(name, Category.CLIENT)
        return self.forger.forge(name, spelled, category)

    def forge_also(self, forged: Sequence[Forgery]) -> list[Forgery]:
        """Forge those that say a scheme once more, with the other one."""
        if self.also is None:
            return []
        return [
            self.also.forge(each.header, each.name, Category.SCHEME)
            for each in forged
            if Category.SCHEME in each.marks
        ]


def list_honest() -> list[Trial]:
    """List what is sent first, before anything is forged."""
    return [Trial(trick=Trick.HONEST), Trial(trick=Trick.HONEST)]


def list_trials(ground: Ground, way: Way = Way.FRONT) -> list[Trial]:
    """List what is sent *way*, in order."""
    tables = _FRONT if way is Way.FRONT else _DIRECT
    return [replace(t, way=way) for table in tables for t in table(ground)]


def _forge_alone(ground: Ground) -> Iterator[Trial]:
    """Forge each usual or trusted header, one a request."""
    for name in ground.alone:
        forgery = ground.forge(name)
        for each in (forgery, *ground.forge_also([forgery])):
            yield Trial(trick=Trick.HEADER, forgeries=(each,))


def _forge_others(ground: Ground) -> Iterator[Trial]:
    """Forge all the others, a category a request."""
    names: dict[Category, list[str]] = {}
    for header in KNOWN_HEADERS:
        if header.name not in ground.alone:
            names.setdefault(header.category, []).append(header.name)
    # Where another page comes back, nothing else is to be seen.
    for name in names.pop(Category.OTHER):
        yield Trial(trick=Trick.HEADER, forgeries=(ground.forge(name),))
    for group in names.values():
        forged = [ground.forge(name) for name in group]
        yield from _batch(Trick.HEADER, forged)
        yield from _batch(Trick.HEADER, ground.forge_also(forged))


def _forge_inside(ground: Ground) -> Iterator[Trial]:
    """Claim to be this machine, where a rule for addresses may have answered."""
    if ground.address_rule:
        names = [h.name for h in KNOWN_HEADERS if h.category is Category.CLIENT]
        inside = [Forgery(name=n, value="127.0.0.1", header=n, marks={}) for n in names]
        yield Trial(trick=Trick.HEADER, forgeries=tuple(inside))


def _spell_otherwise(ground: Ground) -> Iterator[Trial]:
    """Change the capitals of the usual headers."""
    forged = [ground.forge(name, name.swapcase()) for name in ground.alone]
    yield from _batch(Trick.CASE, forged)


def _repeat(ground: Ground) -> Iterator[Trial]:
    """Send each usual header twice."""
    forged = [ground.forge(name) for name in ground.alone for _ in range(2)]
    yield from _batch(Trick.TWICE, forged)


def _spell_with_underscores(ground: Ground) -> Iterator[Trial]:
    """Send every underscore variant; of the usual headers also behind the header."""
    names = dict.fromkeys([*ground.alone, *(header.name for header in KNOWN_HEADERS)])
    forged = [ground.forge(name, one) for name in names for one in spell_variants(name)]
    yield from _batch(Trick.VARIANT, forged)
    yield from _batch(Trick.VARIANT, ground.forge_also(forged))
    behind = [
        ground.forge(name, name.replace("-", "_"))
        for name in ground.alone
        if "-" in name
    ]
    front = tuple((forgery.header, _NOTHING) for forgery in behind)
    yield Trial(trick=Trick.VARIANT, forgeries=tuple(behind), lines=front)


def _send_odd_values(ground: Ground) -> Iterator[Trial]:
    """Send what a careless reader takes for something else."""
    for name, category, template in _ODD:
        make = _MAKE[category]
        mark = make(ground.forger)
        marks = {category: mark} if "{}" in template else {}
        value = template.replace("{}", mark)
        forgery = Forgery(name=name, value=value, header=name, marks=marks)
        yield Trial(trick=Trick.VALUE, forgeries=(forgery,))


_MAKE: dict[Category, Callable[[Forger], str]] = {
    Category.CLIENT: lambda forger: forger.make_address(),
    Category.SCHEME: lambda forger: forger.scheme,
    Category.HOST: lambda forger: forger.make_host(),
    Category.MOUNT_POINT: lambda forger: forger.make_path(),
}
#: Header, what its value is about, and the value: ``{}`` is a text of its own.
_ODD: tuple[tuple[str, Category, str], ...] = (
    ("X-Forwarded-For", Category.CLIENT, '"'),
    ("X-Forwarded-For", Category.CLIENT, '{}, "'),
    ("X-Forwarded-For", Category.CLIENT, "{}:4711"),
    ("X-Forwarded-For", Category.CLIENT, "{}, unknown"),
    ("X-Forwarded-For", Category.CLIENT, ","),
    ("X-Forwarded-For", Category.CLIENT, ""),
    ("X-Forwarded-For", Category.CLIENT, "{}, " + "192.0.2.1, " * 70),
    ("Forwarded", Category.CLIENT, 'for={};by="'),
    ("Forwarded", Category.HOST, 'for="192.0.2.1;host={};proto=https"'),
    ("X-Forwarded-Proto", Category.SCHEME, "{}, {}"),
    ("X-Forwarded-Prefix", Category.HOST, "//{}"),
    ("X-Forwarded-Prefix", Category.HOST, "/\\{}"),
    ("X-Script-Name", Category.HOST, "//{}"),
)


def _name_in_connection(ground: Ground) -> Iterator[Trial]:
    """Ask proxies to remove what the front end says."""
    for name in ground.alone:
        line = ("Connection", f"close, {name}")
        yield Trial(trick=Trick.CONNECTION, lines=(line,), named=(name,))
    names = ", ".join(ground.alone)
    upgrade = (("Connection", f"Upgrade, {names}"), ("Upgrade", "websocket"))
    yield Trial(trick=Trick.CONNECTION, lines=upgrade, named=ground.alone)


def _ask_for_another_protocol(ground: Ground) -> Iterator[Trial]:
    """Ask for a connection on which nothing would be overwritten."""
    yield Trial(trick=Trick.UPGRADE, lines=_PROTOCOL)


def _forge_host(ground: Ground) -> Iterator[Trial]:
    """Ask for hosts that are not the target's."""
    forger, own = ground.forger, ground.target.authority
    host = forger.make_host()
    yield _host_trial(host, Category.HOST, hosts=(host,))
    host = forger.make_host()
    origin = f"{ground.target.scheme}://{host}"
    yield _host_trial(host, Category.HOST, hosts=(own,), origin=origin)
    port = forger.make_port()
    yield _host_trial(port, Category.PORT, hosts=(f"{ground.target.host}:{port}",))
    # Where a front end writes the host into Forwarded, without looking at it.
    address = forger.make_address()
    host = f'{ground.target.host}",for={address};host="{ground.target.host}'
    yield _host_trial(address, Category.CLIENT, hosts=(host,))


def _host_trial(
    mark: str,
    category: Category,
    *,
    hosts: Sequence[str],
    origin: str = "",
    trick: Trick = Trick.HOST,
) -> Trial:
    forgery = Forgery(name="Host", value=mark, header="", marks={category: mark})
    return Trial(trick=trick, forgeries=(forgery,), hosts=tuple(hosts), origin=origin)


def _send_two_hosts(ground: Ground) -> Iterator[Trial]:
    """Say two hosts, in either order."""
    own = ground.target.authority
    for first in (True, False):
        host = ground.forger.make_host()
        hosts = (host, own) if first else (own, host)
        yield _host_trial(host, Category.HOST, hosts=hosts, trick=Trick.HOSTS)


def _batch(trick: Trick, forged: Sequence[Forgery]) -> Iterator[Trial]:
    for start in range(0, len(forged), MOST_LINES):
        yield Trial(trick=trick, forgeries=tuple(forged[start : start + MOST_LINES]))


Table = Callable[[Ground], Iterator[Trial]]

_FRONT: tuple[Table, ...] = (
    _forge_alone,
    _forge_others,
    _forge_inside,
    _spell_with_underscores,
    _spell_otherwise,
    _repeat,
    _send_odd_values,
    _name_in_connection,
    _ask_for_another_protocol,
    _forge_host,
    _send_two_hosts,
)
#: The server behind it is to trust nobody who comes past the front end.
_DIRECT: tuple[Table, ...] = (
    _forge_alone,
    _forge_others,
    _forge_inside,
    _spell_with_underscores,
    _forge_host,
)
