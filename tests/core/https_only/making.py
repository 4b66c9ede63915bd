"""
What the tests of HTTPS only begin with.

In:  nothing.
Out: the facts of requests, and where a redirect leads.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from trustedproxy.decision import Reason
from trustedproxy.https_only import HTTPSOnly, RequestFacts

from ...attacks_https import PROXY, Got

YEAR: Final = "max-age=31536000"

#: A client that asks directly, by each scheme.
PLAIN: Final = RequestFacts("http", host="www.example.com", peer="192.0.2.1")
SECURE: Final = replace(PLAIN, scheme="https")
#: Plain HTTP from a trusted proxy.
TRUSTED: Final = replace(
    PLAIN, peer=PROXY, peer_trusted=True, reason=Reason.HEADER_MISSING
)
#: The same from a peer that is not trusted.
UNTRUSTED: Final = replace(PLAIN, reason=Reason.PEER_NOT_TRUSTED)

PLAIN_GOT: Final = Got(301, "https://www.example.com/")


def locate(rules: HTTPSOnly, facts: RequestFacts) -> str:
    """The target of the redirect that *rules* answer with."""
    answer = rules.answer(facts)
    assert answer is not None
    return dict(answer.headers)["Location"]
