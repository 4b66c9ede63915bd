"""
The request as it came, from what a policy has made of it.

In:  environs and scopes that a policy has rewritten.
Out: the same as before.
"""

from __future__ import annotations

from typing import Any

import pytest

from trustedproxy.report.restoring import restore_environ, restore_scope

from .making import STRANGER, make_environ, make_scope, make_settings

KEY = "hush-hush-hush-hush"


@pytest.mark.parametrize("report_only", [False, True])
@pytest.mark.parametrize("peer", ["10.0.0.5", STRANGER])
def test_environ_is_as_it_came(peer: str, report_only: bool) -> None:
    """What was replaced, removed and added is as before."""
    policy = make_settings(report_only=report_only).policy
    came = make_environ(REMOTE_ADDR=peer, REMOTE_PORT="4711", HTTP_X_REAL_IP="6.6.6.6")
    environ = dict(came)

    policy.apply(environ)

    assert restore_environ(policy, environ) == came


def test_variable_that_was_not_there_is_gone_again() -> None:
    """A port that a header gave is not the server's."""
    policy = make_settings().policy
    came = make_environ(HTTP_X_FORWARDED_FOR="203.0.113.7:4711")
    environ = dict(came)

    policy.apply(environ)

    assert environ["REMOTE_PORT"] == "4711"
    assert restore_environ(policy, environ) == came


def test_request_without_a_decision_is_as_it_is() -> None:
    """Nothing was done to it, so nothing is undone."""
    policy = make_settings().policy

    assert restore_environ(policy, make_environ()) == make_environ()
    assert restore_scope(policy, make_scope()) == make_scope()


@pytest.mark.parametrize("report_only", [False, True])
@pytest.mark.parametrize("peer", ["10.0.0.5", STRANGER])
def test_scope_is_as_it_came(peer: str, report_only: bool) -> None:
    """The same in ASGI; only the order of its lines may be another."""
    policy = make_settings(report_only=report_only).policy
    came = make_scope((b"x-real-ip", b"6.6.6.6"), client=(peer, 4711))

    _, scope = policy.apply_scope(came)
    restored = restore_scope(policy, scope)

    assert _sort(restored) == _sort(came)


def _sort(scope: Any) -> dict[str, Any]:
    return {**scope, "headers": sorted(scope["headers"])}


def test_host_that_was_not_there_is_gone_again() -> None:
    """A host that only a header named is not the request's."""
    policy = make_settings(headers=["X-Forwarded-For", "X-Forwarded-Host"]).policy
    came = make_scope()
    came["headers"] = [(b"x-forwarded-host", b"app.example")]

    _, scope = policy.apply_scope(came)

    assert (b"host", b"app.example") in scope["headers"]
    assert restore_scope(policy, scope)["headers"] == came["headers"]


@pytest.mark.parametrize(("sent", "restored"), [(KEY, KEY), ("wrong", None)])
def test_secret_is_put_back_where_one_came(sent: str, restored: str | None) -> None:
    """The decision does not keep it, and one that is right is as good."""
    policy = make_settings(secret_header="X-Secret", secrets=[KEY], proxies="*").policy
    environ = make_environ(HTTP_X_SECRET=sent)
    _, scope = policy.apply_scope(make_scope((b"x-secret", sent.encode())))
    policy.apply(environ)

    assert restore_environ(policy, environ).get("HTTP_X_SECRET") == restored
    secrets = dict(restore_scope(policy, scope)["headers"]).get(b"x-secret")
    assert secrets == (None if restored is None else restored.encode())
