"""
The assertion that explains.

In:  decisions, and what a test expects of them.
Out: nothing where it is so; else every difference, and why.
"""

from __future__ import annotations

from typing import Any

import pytest

from trustedproxy import Decision, ProxyPolicy
from trustedproxy.testing import assert_decision

from ..making import make_environ, make_scope

POLICY = ProxyPolicy(headers="X-Forwarded-For X-Forwarded-Proto", proxies="10.0.0.0/8")


def decide(**headers: str) -> tuple[dict[str, object], Decision]:
    """Decide a request of the proxy."""
    environ = make_environ({name.replace("_", "-"): v for name, v in headers.items()})
    return environ, POLICY.apply(environ)


def test_assertion_takes_what_the_application_saw() -> None:
    """An environ is as good as the decision in it, which is returned."""
    environ, decision = decide(X_Forwarded_For="203.0.113.7")

    assert assert_decision(environ, client="203.0.113.7") is decision
    assert assert_decision(decision, peer_trusted=True) is decision


def test_assertion_names_each_difference_and_why() -> None:
    """A failure is enough to know what happened."""
    environ, _ = decide(
        X_Forwarded_For="203.0.113.7", X_Forwarded_Proto="gopher", X_Real_IP="6.6.6.6"
    )

    with pytest.raises(AssertionError) as failure:
        assert_decision(environ, client="198.51.100.1", scheme="https")

    text = str(failure.value)
    assert "client: '203.0.113.7', expected '198.51.100.1'" in text
    assert "scheme: 'http', expected 'https'" in text
    assert "The peer '10.0.0.1' is trusted." in text
    assert "nearest hop that is not a trusted proxy" in text
    assert "The client is what X-Forwarded-For says." in text
    assert "Removed: X-Forwarded-Proto, X-Real-IP." in text
    assert "Problem: malformed (X-Forwarded-Proto): 'gopher'." in text


def test_assertion_says_that_the_peer_is_not_trusted() -> None:
    """The commonest mistake of all is in the first line."""
    environ = make_environ(peer="198.51.100.1")
    POLICY.apply(environ)

    with pytest.raises(AssertionError, match=r"'198\.51\.100\.1' is not trusted"):
        assert_decision(environ, client="203.0.113.7")


def test_assertion_says_that_nothing_was_decided() -> None:
    """A middleware that is missing is no empty decision."""
    with pytest.raises(AssertionError, match="no policy was applied"):
        assert_decision(make_environ(), client="203.0.113.7")


@pytest.mark.parametrize("kind", ["environ", "scope"])
def test_assertion_that_knows_the_policy_explains_every_step(kind: str) -> None:
    """The request as it came, though the policy has rewritten it since."""
    headers = [("X-Forwarded-For", "6.6.6.6, 203.0.113.7"), ("X-Real-IP", "6.6.6.6")]
    seen: Any = make_environ(dict(headers))
    POLICY.apply(seen)
    if kind == "scope":
        _, seen = POLICY.apply_scope(make_scope(headers))

    with pytest.raises(AssertionError) as failure:
        assert_decision(seen, policy=POLICY, client="6.6.6.6")

    text = str(failure.value)
    assert "client: '203.0.113.7', expected '6.6.6.6'" in text
    assert "6.6.6.6, 203.0.113.7" in text
    assert "X-Real-IP" in text


def test_assertion_about_a_decision_alone_is_short() -> None:
    """What came is not known there."""
    _, decision = decide(X_Forwarded_For="203.0.113.7")

    with pytest.raises(AssertionError, match=r"The peer '10\.0\.0\.1' is trusted"):
        assert_decision(decision, policy=POLICY, client="6.6.6.6")
