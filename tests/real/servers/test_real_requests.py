"""
Requests as no client library sends them, to real servers, from two addresses.

One address is trusted, one is not. What the server does before the application sees
the request is measured and compared with docs/servers.md; what the application then
trusts is checked here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from .behaviour import FIRST, FORGED, GROUPS, REAL, XFF, Question, ask
from .client import Line, get
from .farm import CLIENT, HOST, Farm
from .servers import SERVERS, Server, Variants, list_applications

PROTO, FORWARDED_HOST = "X-Forwarded-Proto", "X-Forwarded-Host"
PREFIX, PORT = "X-Forwarded-Prefix", "X-Forwarded-Port"

QUESTIONS = [
    (heading, question) for heading, group in GROUPS.items() for question in group
]
PAIRS = [(server, name) for server in SERVERS for name in list_applications(server)]

by_question = pytest.mark.parametrize(
    "question",
    [question for _, question in QUESTIONS],
    ids=[f"{heading}: {question.title}" for heading, question in QUESTIONS],
)
by_pair = pytest.mark.parametrize(
    ("server", "application"), PAIRS, ids=[f"{s.name}-{a}" for s, a in PAIRS]
)


def allow(server: Server, question: Question) -> set[str]:
    """Say which clients the application may have when a trusted peer asks this."""
    allowed = {HOST if client == "peer" else client for client in question.clients}
    # The holes that no middleware can close; docs/servers.md says what does.
    if question.header != "x-forwarded-for":
        return allowed
    forged = any("_" in name for name, _ in question.lines)
    if forged and server.variants in (Variants.JOINED, Variants.REPLACES):
        allowed.add(FORGED)
    if server.name == "cheroot" and question.lines[0][0].endswith(" "):
        allowed.add(FORGED)
    if server.glues_lines and len(question.lines) > 1:
        allowed.add(HOST)
    return allowed


@by_pair
@by_question
def test_request_of_an_untrusted_peer_has_the_peer_as_client(
    farm: Farm, server: Server, application: str, question: Question
) -> None:
    """Nothing that an untrusted peer sends raw moves the client from the peer."""
    address = farm.find_address(server.name)

    reply = ask(address, question, application, CLIENT)

    if reply.status == 200:
        answer = reply.json()
        assert answer["address"] == CLIENT
        assert answer["scheme"] == "http"
        assert answer["mount_point"] == ""
        assert answer["decision"]["peer_trusted"] is False
    else:
        assert reply.status in REFUSALS


@by_pair
@by_question
def test_request_of_a_trusted_peer_has_a_client_that_it_named_or_none(
    farm: Farm, server: Server, application: str, question: Question
) -> None:
    """A trusted peer's raw lines give its client, or leave the peer; never garbage."""
    address = farm.find_address(server.name)

    reply = ask(address, question, application)

    if reply.status == 200:
        answer = reply.json()
        assert answer["address"] in allow(server, question)
        assert answer["address"] != FIRST
        assert answer["decision"]["peer_trusted"] is True
        if answer["address"] == HOST:
            assert answer["decision"]["client_known"] is False
        else:
            assert answer["decision"]["client"] in (REAL, FORGED)
    else:
        assert reply.status in REFUSALS


REFUSALS = (0, 400, 431)
"""Closed, refused, too large."""


@dataclass(frozen=True, slots=True)
class Beside:
    """
    Header lines about something else, beside a client that is well said.

    Attributes:
        said: What a trusted peer's last line says, where that may be used.
    """

    title: str
    lines: Sequence[Line]
    said: Mapping[str, str] = field(default_factory=dict)


#: What a header says.
SAYS = {
    PROTO: "scheme",
    FORWARDED_HOST: "host",
    PREFIX: "mount_point",
    PORT: "port",
}
#: What the server says by itself; its port is another one each time.
OWN = {"scheme": "http", "host": "app.example", "mount_point": ""}
LONG = "a" * 5000

BESIDE = [
    Beside("two schemes", [(PROTO, "http"), (PROTO, "https")], {"scheme": "https"}),
    Beside("an empty scheme", [(PROTO, "")]),
    Beside("an oversized scheme", [(PROTO, "https" + LONG)]),
    Beside("an underscored scheme", [("X_Forwarded_Proto", "https")]),
    Beside("a scheme in a synonym", [("X-Forwarded-Ssl", "on")]),
    Beside(
        "two hosts",
        [(FORWARDED_HOST, "first.example"), (FORWARDED_HOST, "real.example")],
        {"host": "real.example"},
    ),
    Beside("an empty host", [(FORWARDED_HOST, "")]),
    Beside("an oversized host", [(FORWARDED_HOST, LONG + ".example")]),
    Beside("an underscored host", [("X_Forwarded_Host", "evil.example")]),
    Beside("a host in a synonym", [("X-Host", "evil.example")]),
    Beside(
        "two mount points",
        [(PREFIX, "/first"), (PREFIX, "/real")],
        {"mount_point": "/real"},
    ),
    Beside("an empty mount point", [(PREFIX, "")]),
    Beside("an oversized mount point", [(PREFIX, "/" + LONG)]),
    Beside("an underscored mount point", [("X_Forwarded_Prefix", "/evil")]),
    Beside("a mount point in a synonym", [("X-Script-Name", "/evil")]),
    Beside("two ports", [(PORT, "666"), (PORT, "444")], {"port": "444"}),
    Beside("an empty port", [(PORT, "")]),
    Beside("an oversized port", [(PORT, "6" * 5000)]),
    Beside("an underscored port", [("X_Forwarded_Port", "666")]),
]


@by_pair
@pytest.mark.parametrize("beside", BESIDE, ids=[beside.title for beside in BESIDE])
@pytest.mark.parametrize("source", [HOST, CLIENT], ids=["trusted", "untrusted"])
def test_everything_else_is_what_a_trusted_peer_said_last_or_what_the_server_says(
    farm: Farm, server: Server, application: str, beside: Beside, source: str
) -> None:
    """Sent raw, twice, empty, underscored or oversized: never the first, or garbage."""
    lines = [("Proving-Application", application), (XFF, REAL), *beside.lines]

    reply = get(farm.find_address(server.name), "/page", lines, source=source)

    if reply.status != 200:
        assert reply.status in REFUSALS
        return
    answer = reply.json()
    seen = {name: answer[name] for name in OWN}
    sent = {value for _, value in beside.lines if value}
    allowed = [OWN]
    if source == HOST:
        said = {**beside.said, **_make_up(server, beside)}
        allowed.append({**OWN, **{n: v for n, v in said.items() if n in OWN}})
        sent -= set(said.values())
    assert seen in allowed
    assert answer["port"] not in sent


def _make_up(server: Server, beside: Beside) -> dict[str, str]:
    """
    Say what this server makes up, so that no middleware sees what was really sent.

    It takes a name with underscores for the header, or glues lines together;
    docs/servers.md says what ends that.
    """
    names = [name for name, _ in beside.lines]
    variants = "_" in names[0] and server.variants in (
        Variants.JOINED,
        Variants.REPLACES,
    )
    glued = len(names) > 1 and server.glues_lines
    if not (variants or glued):
        return {}
    value = "".join(value for _, value in beside.lines)
    return {SAYS[names[0].replace("_", "-")]: value}
