"""
Write down what a decision is worth: its problems, and the advice of `advice`.

In:  a policy, the decision about a request, and what the rules were given.
Out: records of the logger ``trustedproxy`` (rules R16, R17).

Most requests are worth nothing, and never come here.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from .advice import (
    OF_DIRECT_REQUESTS,
    OF_TRUSTED_PEERS,
    REMOVED_BY_WAITRESS,
    Situation,
    advise,
)
from .headers import Category
from .log import is_due, log_problems, logger, warn_once
from .networks import is_own_peer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .advice import Adviser
    from .decision import Decision
    from .policy_options import PolicyOptions
    from .rules import Rules

# A decision in the log: requests can be long, and their values are all in it.
_LONGEST_SHOWN = 2000


def log_decision(
    policy: PolicyOptions, rules: Rules, decision: Decision, headers: Mapping[str, Any]
) -> None:
    """
    Log what a decision is worth: problems, mistakes, and what a report would change.

    Args:
        policy: The policy.

        rules: Its rules, as they decided.

        decision: The decision.

        headers: What the rules were given.
    """
    peer, _, _, _, _, _, path = decision.own
    problems, parts = decision.problems, decision.url_parts
    if decision.verdict.peer_trusted:
        if problems:
            log_problems(problems, peer)
            if headers.get("SERVER_SOFTWARE") == "waitress":
                _log_waitress(decision)
        if parts.is_remarkable and (
            Category.MOUNT_POINT not in rules.opted_in
            or path.startswith(decision.mount_point)
        ):
            situation = _describe(policy, rules, decision, headers)
            _log_advice(OF_TRUSTED_PEERS, situation, logging.WARNING)
    elif problems or parts.gone:
        # A stranger is probably a forger; a peer of an own network, an own proxy.
        is_own = is_own_peer(peer, decision.peer_is_unix)
        level = logging.WARNING if is_own else logging.DEBUG
        if logger.isEnabledFor(level):
            log_problems(problems, peer, level)
            situation = _describe(policy, rules, decision, headers)
            _log_advice(OF_DIRECT_REQUESTS, situation, level)
    if policy.report_only:
        _log_report(decision)


def log_at_debug(decision: Decision) -> None:
    """Log a decision as it is."""
    if logger.isEnabledFor(logging.DEBUG):
        extra = {"code": "decided", "header": None, "peer": decision.peer}
        logger.debug("trustedproxy: %s", _show(decision), extra=extra)


def _log_waitress(decision: Decision) -> None:
    """Log that waitress removes headers by itself, where it did."""
    if any(problem.code == "missing" for problem in decision.problems):
        warn_once("waitress", REMOVED_BY_WAITRESS)


def _describe(
    policy: PolicyOptions, rules: Rules, decision: Decision, headers: Mapping[str, Any]
) -> Situation:
    """Describe the request, with the known headers that came by their names."""
    # An environ is written by now: what was removed there stands in `original` alone.
    before = decision.original
    sent = {
        name: (before[key] if key in before else headers.get(key)) or ""
        for name, key in rules.key_of.items()
        if key in decision.came
    }
    return Situation(policy, rules, decision, sent)


def _log_advice(advisers: Iterable[Adviser], situation: Situation, level: int) -> None:
    peer = situation.decision.peer
    for advice in advise(situation, advisers):
        code, header = advice.code, advice.header
        if level == logging.WARNING:
            warn_once(code, "%s", advice.text, header=header, peer=peer or "")
        else:
            extra = {"code": code, "header": header, "peer": peer}
            logger.log(level, "trustedproxy: %s", advice.text, extra=extra)


def _log_report(decision: Decision) -> None:
    """Log what would have been changed, at most once a minute for a peer."""
    if (decision.original or decision.rejected) and is_due(
        "report-only", decision.peer
    ):
        logger.warning(
            "trustedproxy: report only: %s would be changed: %s",
            sorted(decision.original),
            _show(decision),
            extra={"code": "report-only", "header": None, "peer": decision.peer},
        )


def _show(decision: Decision) -> str:
    """Show what a decision says, and not too much of it."""
    shown = repr(decision)
    if len(shown) > _LONGEST_SHOWN:
        return f"{shown[:_LONGEST_SHOWN]}… ({len(shown)} characters)"
    return shown
