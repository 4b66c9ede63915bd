"""
What an explanation is made of.

In:  nothing; these are records.
Out: `Explanation` and its parts; `Request`, which is explained.

Everything in an `Explanation` is text, number, boolean, list or dictionary at the
bottom, so that `as_dict` gives what JSON has.  Secrets, cookies and passwords are
masked before anything gets in here; texts of a request are otherwise as they came, and
whoever shows them escapes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from enum import StrEnum
from typing import Any

from .._types import Environ, Scope
from ..advice import Advice
from ..decision import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """
    A request that is to be explained.

    Attributes:
        connection: What the server says by itself; paths are spelled as WSGI has them.

        headers: Header name, as it was spelled → its value, lines joined by commas.

        method: The method.

        raw_path: The path as it was sent; ``None`` where that is not known.

        query: The query as it was sent; ``None`` where there is none.

        where: Where it was read, such as ``access.log, line 3``.

        environ: The environ that it was read from, which is not changed; or ``None``.

        scope: The scope that it was read from, which is not changed; or ``None``.

        websocket: Whether it is the handshake of a websocket.

        rewritten: What shows that somebody has rewritten it before, as a sentence.

        decided: Whether a policy was applied to it before.
    """

    connection: Connection
    headers: Mapping[str, str]
    method: str = "GET"
    raw_path: str | None = None
    query: str | None = None
    where: str | None = None
    environ: Environ | None = field(default=None, repr=False, compare=False)
    scope: Scope | None = field(default=None, repr=False, compare=False)
    websocket: bool = False
    rewritten: str | None = None
    decided: bool = False


class Standing(StrEnum):
    """What a hop is taken for."""

    #: The peer or an element is a trusted proxy.
    TRUSTED = "trusted proxy"
    #: A peer that is not trusted, so that nothing it sent is read.
    STRANGER = "not trusted"
    #: The client.
    CLIENT = "client"
    #: An element that is counted, and not looked at.
    COUNTED = "counted"
    #: An element that names no address: nobody is found there.
    NOBODY = "names nobody"
    #: What stands further left: nobody confirmed it.
    CUT = "cut off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """
    One hop of the way of the request, numbered outward: hop 0 is the peer.

    Attributes:
        number: 0 for the peer, then the elements from the right.

        text: As it came.

        address: Its address in canonical spelling, or ``None``.

        port: The port beside it, or ``None``.

        standing: What it is taken for.

        header: The header that said so; ``None`` for the peer.

        entry: The entry of ``TRUSTED_PROXIES`` by which it is trusted, or ``None``.

        sentence: The verdict in words.
    """

    number: int
    text: str
    address: str | None
    port: int | None
    standing: Standing
    header: str | None
    entry: str | None
    sentence: str


class Fate(StrEnum):
    """What became of a header."""

    #: Its value was used.
    USED = "used"
    #: Removed, so that nobody reads it.
    REMOVED = "removed"
    #: Listed, but its value breaks its grammar: it counts as absent, and is removed.
    MALFORMED = "malformed"
    #: Came, and says nothing: an empty value, a name with underscores.
    IGNORED = "ignored"
    #: Known, and of no category that the policy is about: it stays as it came.
    NOT_LISTED = "not listed"
    #: Listed, and it did not come.
    NOT_SENT = "not sent"
    #: The proxy's secret.
    SECRET = "secret"
    #: A header of the connection itself, such as Host.
    CONNECTION = "connection"
    #: It says nothing of a proxy, and is not touched.
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """
    One header: what it said, and what became of it.

    Attributes:
        name: As it was spelled.

        value: As it came, or masked; ``None`` where it did not come.

        hidden: Whether the value is masked.

        listed: Whether the policy trusts it.

        categories: What it is for; none where it is unknown.

        fate: What became of it.

        value_after: Its value afterwards; ``None`` where it is not there.

        guess: Whether which of its values counts is a guess.

        hops: Its elements and their verdicts, for a client header that was read.

        sentences: Why, step by step.
    """

    name: str
    value: str | None
    hidden: bool = False
    listed: bool = False
    categories: tuple[str, ...] = ()
    fate: Fate
    value_after: str | None
    guess: bool = False
    hops: tuple[Hop, ...] = ()
    sentences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """
    A variable of the application, before and after.

    Attributes:
        name: What it is, in words.

        wsgi: Its key in an environ.

        asgi: Its place in a scope; ``None`` where a scope has none.

        before: As the server gave it; ``None`` where it was not there.

        after: As the application sees it.
    """

    name: str
    wsgi: str
    asgi: str | None
    before: str | None
    after: str | None

    @property
    def changed(self) -> bool:
        """Whether it was changed."""
        return self.before != self.after


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """A fact that the settings state, since no header says it (rule R21)."""

    category: str
    setting: str
    value: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """
    Something that stands between the policy and the application.

    Attributes:
        by: Who: the name of a feature or of a setting.

        status: The status that it answers with; ``None`` where the request goes on.

        location: Where a redirect leads.

        only_logged: Whether it is only logged, in report-only mode.

        sentence: The same in words.
    """

    by: str
    status: int | None
    location: str | None = None
    only_logged: bool = False
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownProblem:
    """A problem of the decision, with what its code means."""

    code: str
    header: str
    value: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherResult:
    """
    What another project makes of the same request, computed by itself.

    Attributes:
        name: The project's name.

        version: Its version, or ``None`` where it is not installed.

        settings: How it was configured: what people write for this.

        sees: Name of a variable, as in `Variable.name` → its value there.

        differs: Names of the variables that are others than here.

        error: Why there is no result, or ``None``.
    """

    name: str
    version: str | None
    settings: str
    sees: Mapping[str, str | None] = field(default_factory=dict)
    differs: tuple[str, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """
    The other end of the connection.

    Attributes:
        text: As the server reports it, or ``None``.

        is_unix: Whether it came over a unix socket.

        trusted: Whether it is a trusted proxy.

        entry: The entry of ``TRUSTED_PROXIES`` by which it is, or ``None``.

        sentences: Why.
    """

    text: str | None
    is_unix: bool
    trusted: bool
    entry: str | None
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """
    What came out.

    Attributes:
        client: The client's address, or ``None`` where it is unknown.

        client_known: Whether it is known.

        address: What ``REMOTE_ADDR`` is now.

        reason: The name of the reason.

        sentence: The same in words.

        rejected: Whether the policy answers 400.

        report_only: Whether all of it is only logged.
    """

    client: str | None
    client_known: bool
    address: str | None
    reason: str
    sentence: str
    rejected: bool
    report_only: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """
    Every step from a request to what the application sees.

    Attributes:
        where: Where the request was read, or ``None``.

        method: Its method.

        connection: What the server said by itself: field of `Connection` → text.

        peer: Who sent it, and why that one is trusted or not.

        way: The hops, nearest first: the peer, then the elements of the header that
            named the client, then what was cut off.

        headers: Every header that came or is listed: the listed ones first.

        stated: What the settings state.

        variables: Before and after.

        outcome: What came out.

        answers: What stands between the policy and the application.

        problems: What was malformed or contradictory.

        notes: What else is to be said, as sentences.

        advice: What to change if this is not what was wanted.

        others: What other projects make of it, where that was asked for.
    """

    where: str | None
    method: str
    connection: Mapping[str, str | None]
    peer: Peer
    way: tuple[Hop, ...]
    headers: tuple[Header, ...]
    stated: tuple[Stated, ...]
    variables: tuple[Variable, ...]
    outcome: Outcome
    answers: tuple[Answer, ...]
    problems: tuple[ShownProblem, ...]
    notes: tuple[str, ...]
    advice: tuple[Advice, ...]
    others: tuple[OtherResult, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """
        Say everything in plain values, as docs/commands/json.md describes them.

        Returns:
            What `json.dumps` takes: records as dictionaries of their attributes.
        """
        plain = _as_plain(self)
        for shown, variable in zip(plain["variables"], self.variables, strict=True):
            shown["changed"] = variable.changed
        return dict(plain)


def _as_plain(value: Any) -> Any:
    if is_dataclass(value):
        return {f.name: _as_plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _as_plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_plain(each) for each in value]
    return str(value) if isinstance(value, StrEnum) else value
