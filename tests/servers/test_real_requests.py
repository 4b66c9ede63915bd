"""
Requests as no client library sends them, to real servers, from two addresses.

One address is trusted, one is not. What the server does before the application sees
the request is measured and compared with docs/servers.md; what the application then
believes is checked here.
"""

from __future__ import annotations

import pytest

from .behaviour import FIRST, FORGED, GROUPS, REAL, Question, ask
from .farm import CLIENT, HOST, Farm
from .servers import SERVERS, Server, Twins, list_applications

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
    """Say which clients the application may have when a believed peer asks this."""
    allowed = {HOST if client == "peer" else client for client in question.clients}
    # The holes that no middleware can close; docs/servers.md says what does.
    if question.header != "x-forwarded-for":
        return allowed
    forged = any("_" in name for name, _ in question.lines)
    if forged and server.twins in (Twins.JOINED, Twins.REPLACES):
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
        assert answer["decision"]["believed"] is False
    else:
        assert reply.status in REFUSALS


@by_pair
@by_question
def test_request_of_a_trusted_peer_has_a_client_that_it_named_or_none(
    farm: Farm, server: Server, application: str, question: Question
) -> None:
    """A believed peer's raw lines give its client, or leave the peer; never garbage."""
    address = farm.find_address(server.name)

    reply = ask(address, question, application)

    if reply.status == 200:
        answer = reply.json()
        assert answer["address"] in allow(server, question)
        assert answer["address"] != FIRST
        assert answer["decision"]["believed"] is True
        if answer["address"] == HOST:
            assert answer["decision"]["client_known"] is False
        else:
            assert answer["decision"]["client"] in (REAL, FORGED)
    else:
        assert reply.status in REFUSALS


REFUSALS = (0, 400, 431)
"""Closed, refused, too large."""
