"""
What a probe is made of: what is sent, what came back, and what that shows.

In:  nothing; these are records.
Out: `Trial`, `Answer`, `Effect`, `Finding`, `Card`.

A card is text, number, boolean, list or dictionary at the bottom, so that `as_dict`
gives what JSON has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import IntEnum, StrEnum
from typing import Any, TypeAlias

from ..exceptions import ConfigurationError
from ..headers import Category

#: A header line: its name and its value, as they are sent or came.
Line: TypeAlias = tuple[str, str]


class Way(StrEnum):
    """Which way a request takes."""

    FRONT = "through the front end"
    DIRECT = "past the front end"


class Trick(StrEnum):
    """How a client forges, or what it tries instead."""

    HONEST = "nothing forged"
    HEADER = "a forged header"
    CASE = "other capitals"
    TWICE = "repeated lines"
    VALUE = "an odd value"
    VARIANT = "an underscore variant"
    CONNECTION = "a header named in Connection"
    UPGRADE = "another protocol in Upgrade"
    HOST = "a forged host"
    HOSTS = "two Host lines"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgery:
    """
    One line that a client forges.

    Attributes:
        name: As it is sent.

        value: As it is sent.

        header: The known header that it is a spelling of, or is taken for.

        marks: What it claims, by category: texts of its own, to be found again.
    """

    name: str
    value: str
    header: str
    marks: Mapping[Category, str]

    @property
    def line(self) -> Line:
        """The header line."""
        return self.name, self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """
    One request.

    Attributes:
        trick: What is tried.

        way: Which way it goes.

        forgeries: The forged lines.

        lines: Other lines, in front of them.

        named: Headers that the request asks proxies to remove.

        hosts: The values of its ``Host`` lines; ``None``: the target's own.

        origin: A scheme and a host that stand in front of the path, or nothing.

        has_token: Whether the token goes with it, where there is one.
    """

    trick: Trick
    way: Way = Way.FRONT
    forgeries: tuple[Forgery, ...] = ()
    lines: tuple[Line, ...] = ()
    named: tuple[str, ...] = ()
    hosts: tuple[str, ...] | None = None
    origin: str = ""
    has_token: bool = True

    @property
    def title(self) -> str:
        """What is sent, in a line."""
        if self.trick is Trick.HONEST:
            return str(self.trick)
        names = [*self.named] or list(dict.fromkeys(f.name for f in self.forgeries))
        shown = ", ".join(names[:_SHOWN])
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        return f"{self.trick}: {shown}{more}" if names else str(self.trick)


_SHOWN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """
    What came back.

    Attributes:
        status: 0 where nothing did.

        headers: Its header lines, in order.

        body: Its body, or the beginning of it.

        failure: Why there is no answer, as the rest of a sentence; or nothing.
    """

    status: int
    headers: tuple[Line, ...] = ()
    body: bytes = b""
    failure: str = ""

    def list_values(self, name: str) -> list[str]:
        """List the values of the header *name*."""
        wanted = name.lower()
        return [value for each, value in self.headers if each.lower() == wanted]


class Kind(StrEnum):
    """What a request did."""

    #: The application takes a forged value for the truth.
    TAKEN = "taken"
    #: A true value is gone.
    LOST = "lost"
    #: A value is another one, and not the forged one.
    CHANGED = "changed"
    #: A forged header reaches the application, which may read it.
    IN_APPLICATION = "in the application"
    #: A forged header reaches the server, and the policy removes it.
    AT_SERVER = "at the server"
    #: What the client names in Connection reaches the server.
    HANDED_ON = "handed on"
    #: The server is asked for another protocol.
    UPGRADED = "upgraded"
    #: The application answers for a host that is not its own.
    SERVED = "served"
    #: A forged value is shown, and not used.
    SHOWN = "shown"
    #: The server fails.
    FAILED = "failed"
    #: The request was refused: that is how it should be.
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """
    Something that a request did.

    Attributes:
        kind: What.

        category: What of the request it is about; ``None``: nothing in particular.

        header: The known header that did it; empty where it is not clear which.

        sent: The header line or lines that did it.

        seen: What was seen, as in ``REMOTE_ADDR: '198.51.100.7'``.

        by_server: Whether the server did it, before the policy was asked.

        listed: Whether the policy lists the header; ``None`` where that is not known.
    """

    kind: Kind
    category: Category | None = None
    header: str = ""
    sent: tuple[str, ...] = ()
    seen: str = ""
    by_server: bool = False
    listed: bool | None = None


class Severity(IntEnum):
    """How bad it is."""

    #: To know; nothing is open.
    NOTE = 0
    #: Of use to a client only together with another mistake.
    LOW = 1
    #: A client can break something, or gets what few applications ask for.
    MEDIUM = 2
    #: A client can be somebody else, or lead others elsewhere.
    HIGH = 3

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """
    What to change, and where.

    Attributes:
        where: ``front end``, ``settings``, ``framework``, ``server`` or ``network``.

        text: What to change, in a sentence.

        lines: The lines to write there, where they are known.

        page: The page of the documentation that has more, or nothing.

        guess: Whether it is a guess whose configuration this is.
    """

    where: str
    text: str
    lines: tuple[str, ...] = ()
    page: str = ""
    guess: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was sent, and what was seen."""

    sent: tuple[str, ...]
    seen: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """
    One thing that got through.

    Attributes:
        code: Stable, for filters.

        severity: How bad it is.

        way: Which way it came.

        trick: How.

        title: What is wrong, in a sentence.

        means: What a client gains.

        categories: What of a request it is about.

        headers: The known headers that do it.

        evidence: A few of the requests that showed it.

        remedies: What to change; the best first.
    """

    code: str
    severity: Severity
    way: Way
    trick: Trick
    title: str
    means: str
    categories: tuple[str, ...]
    headers: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    remedies: tuple[Remedy, ...]


class Verdict(StrEnum):
    """What is known of one subject."""

    OPEN = "open"
    CLOSED = "closed"
    #: Nothing in the answers would have shown it.
    UNSEEN = "not seen"
    #: It was not tried.
    UNTRIED = "not tried"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A line of the report card."""

    name: str
    verdict: Verdict
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """
    The report card.

    Attributes:
        target: The address that was probed.

        direct: The server behind it that was asked, too; or nothing.

        seen_by: ``page``: what the application says; ``answers``: what these show.

        frontend: Which front end it is, or nothing.

        frontend_is_guess: Whether that is a guess, from what the answers say.

        sent: How many requests were sent.

        refused: How many of them were refused.

        subjects: What was found, subject by subject.

        findings: What got through, the worst first.

        incomplete: Why not everything was tried, as sentences; none where it was.
    """

    target: str
    direct: str = ""
    seen_by: str
    frontend: str = ""
    frontend_is_guess: bool = False
    sent: int
    refused: int
    subjects: tuple[Subject, ...]
    findings: tuple[Finding, ...]
    incomplete: tuple[str, ...] = ()

    @property
    def worst(self) -> Severity:
        """How bad the worst finding is; a note where there is none."""
        return max((one.severity for one in self.findings), default=Severity.NOTE)

    def as_dict(self) -> dict[str, Any]:
        """Say everything in plain values, as docs/commands/probe.md describes them."""
        return {**_as_plain(self), "worst": str(self.worst)}


def _as_plain(value: Any) -> Any:
    if is_dataclass(value):
        return {
            each.name: _as_plain(getattr(value, each.name)) for each in fields(value)
        }
    if isinstance(value, tuple):
        return [_as_plain(each) for each in value]
    return str(value) if isinstance(value, (StrEnum, Severity)) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """
    What a probe may cost whom it asks.

    Attributes:
        most_requests: Requests at the most.

        a_second: Requests a second at the most.

        most_seconds: Seconds for all of it.

        answer_seconds: Seconds for one answer.

        most_bytes: Bytes of a body that are read.

    Raises:
        ConfigurationError: One of them is not more than 0, or makes it wait for days.
    """

    most_requests: int = 200
    a_second: float = 5.0
    most_seconds: float = 300.0
    answer_seconds: float = 10.0
    most_bytes: int = 256 * 1024

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if not value > 0:
                raise ConfigurationError(each.name, value, "more than 0")
        for name in ("most_seconds", "answer_seconds"):
            if getattr(self, name) > _DAY:
                raise ConfigurationError(
                    name, getattr(self, name), f"at most {_DAY} seconds, a day"
                )
        if self.a_second * _DAY < 1:
            raise ConfigurationError("a_second", self.a_second, "one a day or more")


_DAY = 24 * 60 * 60


DEFAULT_LIMITS = Limits()
