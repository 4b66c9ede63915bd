"""
What is known of a platform, as records.

In:  nothing.
Out: `Preset`, a policy that fits a platform; `Unconfirmed`, a platform of which too
     little is known for one; what they are made of.

They are made of the data files by `reading`, and are turned into a policy's arguments
by `combining`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

#: What a platform is → the same for people, in the order of lists and pages.
GROUPS = {
    "server": "Servers that you run",
    "balancer": "Balancers and gateways of clouds",
    "cdn": "CDNs",
    "hosting": "Hosting platforms",
}

#: Days, half a year: older networks of a provider are worth a warning.
OLD = 183


@dataclass(frozen=True, slots=True)
class Source:
    """
    Where a fact is from.

    Attributes:
        url: The page, or what was measured where there is none.

        says: What it says, in a sentence without its full stop.
    """

    url: str
    says: str


@dataclass(frozen=True, slots=True)
class Networks:
    """
    The networks that a provider's proxies answer from, at a date.

    Attributes:
        entries: Networks, as `TRUSTED_PROXIES` has them.

        published: The day on which they were what the provider published.

        source: The address that they were taken from.
    """

    entries: tuple[str, ...]
    published: date
    source: str

    def age(self, today: date) -> int:
        """Count the days since they were published; never less than none."""
        return max((today - self.published).days, 0)

    def is_old(self, today: date) -> bool:
        """Say whether they are older than half a year."""
        return self.age(today) > OLD


@dataclass(frozen=True, slots=True)
class Publication:
    """
    Where a provider publishes its networks, for `update`.

    Attributes:
        url: An ``https`` address.

        form: How the list is written: a key of `lists.FORMS`.

        service: Which part of the list, where it holds those of several services.
    """

    url: str
    form: str
    service: str | None = None


@dataclass(frozen=True, slots=True)
class Vector:
    """
    A request, and what a policy of the preset has to make of it.

    Attributes:
        name: What it shows, as a sentence.

        peer: The peer, as the server reports it.

        headers: Header name → value, lines joined by commas in order.

        expected:
            Attribute of the `Decision` → its value; ``removed`` names headers that
            have to be among the removed ones.

        arguments: What is said beside the preset; by default the preset's example.

        scheme: The connection's scheme.

        host: The ``Host`` header as it came.
    """

    name: str
    peer: str
    headers: Mapping[str, str]
    expected: Mapping[str, object]
    arguments: Mapping[str, object]
    scheme: str = "http"
    host: str = "app.example"


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """
    What is known of a platform, whether there is a preset for it or not.

    Attributes:
        name: Its name in settings and commands.

        title: Its name for people.

        group: What it is: a key of `GROUPS`.

        audience: Whom this is for, in a sentence.

        sends: What an application gets from it, a sentence each.

        forgeable: What a client can send through it, a sentence each.

        caution: What else to know before it is used, a sentence each.

        sources: Where the facts are from.

        checked: The day on which the sources were last read.

        publication: Where its networks are published, or ``None``.
    """

    name: str
    title: str
    group: str
    audience: str
    sends: tuple[str, ...]
    forgeable: tuple[str, ...]
    caution: tuple[str, ...]
    sources: tuple[Source, ...]
    checked: date
    publication: Publication | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset(Platform):
    """
    A policy for a platform, with what it rests on.

    Attributes:
        arguments: Arguments of `ProxyPolicy`, by name.

        needs:
            The argument that has to be said beside the preset, ``proxies`` or
            ``secrets``, or ``None`` where it says whom to trust by itself.

        needed: What to write there, in words.

        overwrites: Headers that the platform sets whatever a client sent.

        appends: Lists to which it appends, whatever a client sent.

        configured:
            Headers that it sets only where its configuration says so: the front end's
            half of the configuration is needed.

        elements: How many elements of the list are its own; 0 where it writes none.

        networks: The networks in *arguments*, where they are a provider's.

        front_end: The front end whose half there is, as `trustedproxy config` calls it.

        example: What a deployment says beside the preset, by argument.

        vectors: Requests, and what has to be made of them.
    """

    arguments: Mapping[str, object]
    needs: str | None
    needed: str
    overwrites: tuple[str, ...]
    appends: tuple[str, ...]
    configured: tuple[str, ...]
    elements: int
    networks: Networks | None
    front_end: str | None
    example: Mapping[str, object]
    vectors: tuple[Vector, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unconfirmed(Platform):
    """
    A platform without a preset, since something about it is not confirmed.

    Attributes:
        measure: What to measure before anything of it is trusted, a sentence each.

        then: What to set, once it was measured, by argument.
    """

    measure: tuple[str, ...]
    then: Mapping[str, object]
