"""
Which mistake of the operator a request shows, and what to change.

In:  a policy, the decision about a request, and the headers that came.
Out: `Advice`: a sentence, and the setting to type.  The log, an explanation and a
     report say it in the same words.

A mistake is a function in `ADVISERS`.  `log_decision` writes down what a decision is
worth: its problems, and the advice that a running server can give (rules R16, R17).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from .decision import Reason
from .headers import KNOWN_HEADERS, Category
from .log import is_due, log_problems, logger, shorten, warn_once
from .networks import OWN_NETWORKS, UNIX
from .parsing.addresses import parse_peer, spell_peer
from .parsing.values import BLANKS, strip_mount_point

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from .decision import Decision
    from .policy_options import PolicyOptions
    from .rules import Rules

_MOUNT_POINT_HEADERS = frozenset(
    header.name for header in KNOWN_HEADERS if header.category is Category.MOUNT_POINT
)
DECIDED_TWICE = (
    "a trusted proxy policy was applied to a request that one was applied to before: "
    "the first decision stands. Remove one of the two."
)
PROXY_FIX = (
    "Werkzeug's ProxyFix has rewritten a request before trustedproxy saw it, so that "
    "its peer is not the peer any more. Remove ProxyFix; trustedproxy does its work."
)
REMOVED_BY_WAITRESS = (
    "waitress removes X-Forwarded-For, -Proto, -Host, -Port, -By and Forwarded from "
    "every request unless it is told not to. If your proxy sends them, start it with "
    "--no-clear-untrusted-proxy-headers (clear_untrusted_proxy_headers=False), and "
    "leave trusted_proxy unset."
)
REWRITTEN_BY_SERVER = (
    "the server or another middleware has already rewritten the client, from headers "
    "of its own choice, and the peer is lost. Switch that off: uvicorn "
    "--no-proxy-headers, gunicorn's uvicorn worker --forwarded-allow-ips '', daphne "
    "without --proxy-headers, no Hypercorn ProxyFixMiddleware, no Granian "
    "wrap_asgi_with_proxy_headers, no ProxyHeadersMiddleware; trustedproxy does their "
    "work."
)

# A decision in the log: requests can be long, and their values are all in it.
_LONGEST_SHOWN = 2000


@dataclass(frozen=True, slots=True)
class Advice:
    """
    What to change, and why.

    Attributes:
        code: Stable, for filters.

        header: The header that it is about, or ``None``.

        text: One or two sentences.

        setting: The line to type, as in a settings file.
    """

    code: str
    header: str | None
    text: str
    setting: str


def advise_untrusted_peer(
    policy: PolicyOptions, decision: Decision, headers: Mapping[str, str]
) -> Advice | None:
    """The proxy is not in the list, or is there by another address (the commonest)."""
    if decision.reason is not Reason.PEER_NOT_TRUSTED:
        return None
    sent = _list_trusted_headers(policy, decision)
    if not sent:
        return None
    entry = _name_entry(decision)
    return Advice(
        "peer-not-trusted",
        sent[0],
        f"the peer {shorten(decision.peer)} sent {', '.join(sent)}, which was removed, "
        f"because TRUSTED_PROXIES does not list this peer. If it is your own proxy, "
        f"add {entry!r}, or its network, if nothing but that proxy can come from "
        f"there: through a published container port strangers come from the gateway's "
        f"address too.",
        f"TRUSTED_PROXIES = [..., {entry!r}]",
    )


def _list_trusted_headers(policy: PolicyOptions, decision: Decision) -> list[str]:
    """List what shows that the peer may be a proxy: what only a trusted one may say."""
    listed = [h.name for h in policy.headers if h.name in decision.removed]
    # Where facts are stated instead, no header of theirs is listed.
    return listed or (list(decision.removed) if policy.fixed else [])


def _name_entry(decision: Decision) -> str:
    """Name the entry of the list that the peer would be trusted by."""
    if decision.connection.peer_is_unix or parse_peer(decision.peer) is None:
        return UNIX
    spelled = spell_peer(decision.peer) or ""
    return spelled.partition("%")[0]


def advise_missing_secret(
    policy: PolicyOptions, decision: Decision, headers: Mapping[str, str]
) -> Advice | None:
    """The proxy does not send the secret."""
    if decision.reason is not Reason.SECRET_MISSING:
        return None
    sent = _list_trusted_headers(policy, decision)
    if not sent:
        return None
    name = policy.secret_header
    return Advice(
        "secret-missing",
        name,
        f"the peer {shorten(decision.peer)} sent {', '.join(sent)}, which was removed, "
        f"because the request did not carry the secret in {name}. If it is your own "
        f"proxy, let it set {name} to one of TRUSTED_PROXY_SECRETS.",
        f"TRUSTED_PROXY_SECRET_HEADER = {name!r}",
    )


def advise_unlisted_mount_point(
    policy: PolicyOptions, decision: Decision, headers: Mapping[str, str]
) -> Advice | None:
    """A trusted peer names a mount point, and the header is not listed."""
    listed = any(Category.MOUNT_POINT in h.categories for h in policy.headers)
    if not decision.peer_trusted or listed or policy.fixed_mount_point is not None:
        return None
    sent = [
        name
        for name in sorted(_MOUNT_POINT_HEADERS.intersection(headers))
        if headers[name].strip(BLANKS + "/")
    ]
    if not sent:
        return None
    return Advice(
        "mount-point-not-listed",
        sent[0],
        f"the trusted peer {shorten(decision.peer)} sent {sent[0]}: "
        f"{shorten(headers[sent[0]])}, which is not used, because "
        f"TRUSTED_PROXY_HEADERS does not list it. If your proxy sets it, add it; else "
        f"let your proxy remove it.",
        f"TRUSTED_PROXY_HEADERS = [..., {sent[0]!r}]",
    )


def advise_mount_point_in_path(
    policy: PolicyOptions, decision: Decision, headers: Mapping[str, str]
) -> Advice | None:
    """The proxy leaves the mount point in the path, and nothing takes it off."""
    mount_point = decision.url_parts.get("mount_point")
    if not mount_point or policy.strip_mount_point:
        return None
    path = decision.connection.path
    if strip_mount_point(path, mount_point) == path:
        return None
    return Advice(
        "mount-point-in-path",
        decision.winners.get(Category.MOUNT_POINT),
        f"the path {shorten(path)} begins with the mount point "
        f"{shorten(mount_point)}, which nothing takes off, so that the application "
        f"looks for it below {shorten(mount_point)} once more. If your proxy leaves "
        f"the mount point in the path, set TRUSTED_PROXY_STRIP_MOUNT_POINT.",
        "TRUSTED_PROXY_STRIP_MOUNT_POINT = True",
    )


_Adviser: TypeAlias = (
    "Callable[[PolicyOptions, Decision, Mapping[str, str]], Advice | None]"
)
#: What may be wrong with a direct request, and with one of a trusted peer.
_OF_DIRECT: tuple[_Adviser, ...] = (advise_untrusted_peer, advise_missing_secret)
_OF_TRUSTED: tuple[_Adviser, ...] = (
    advise_unlisted_mount_point,
    advise_mount_point_in_path,
)
ADVISERS: tuple[_Adviser, ...] = _OF_DIRECT + _OF_TRUSTED


def advise(
    policy: PolicyOptions, decision: Decision, headers: Mapping[str, str]
) -> Iterator[Advice]:
    """Give every advice about a request; *headers* are the known ones that came."""
    for adviser in ADVISERS:
        advice = adviser(policy, decision, headers)
        if advice is not None:
            yield advice


def log_decision(
    policy: PolicyOptions, rules: Rules, decision: Decision, headers: Mapping[str, Any]
) -> None:
    """
    Log what a decision is worth: problems, mistakes, and itself at DEBUG.

    Most requests are worth nothing, and leave after a few questions.

    Args:
        policy: The policy.

        rules: Its rules, as they decided.

        decision: The decision.

        headers: What the rules were given.
    """
    if decision.problems:
        log_problems(decision.problems, decision.connection.peer)
    if decision.peer_trusted:
        names_one = not rules.mount_point_keys.isdisjoint(decision.came)
        if (names_one or policy.fixed_mount_point) and (
            Category.MOUNT_POINT not in rules.opted_in
            or decision.connection.path.startswith(decision.mount_point)
        ):
            sent = _name(rules, decision, headers)
            _log_advice(_OF_TRUSTED, policy, decision, sent, logging.WARNING)
    elif decision.removed:
        # A stranger is probably a forger; a peer of an own network, an own proxy.
        is_own = OWN_NETWORKS.trusts(decision.peer, decision.connection.peer_is_unix)
        level = logging.WARNING if is_own else logging.DEBUG
        if logger.isEnabledFor(level):
            sent = _name(rules, decision, headers)
            _log_advice(_OF_DIRECT, policy, decision, sent, level)
    if policy.report_only:
        _log_report(decision)
    if logger.isEnabledFor(logging.DEBUG):
        extra = {"code": "decided", "header": None, "peer": decision.peer}
        logger.debug("trustedproxy: %s", _show(decision), extra=extra)


def _name(
    rules: Rules, decision: Decision, headers: Mapping[str, Any]
) -> dict[str, str]:
    """Give the known headers that came, by their names."""
    return {
        name: headers.get(key, "")
        for name, key in rules.key_of.items()
        if key in decision.came
    }


def _log_advice(
    advisers: Iterable[_Adviser],
    policy: PolicyOptions,
    decision: Decision,
    headers: Mapping[str, str],
    level: int,
) -> None:
    for adviser in advisers:
        advice = adviser(policy, decision, headers)
        if advice is None:
            continue
        if level == logging.WARNING:
            peer = decision.peer or ""
            warn_once(advice.code, "%s", advice.text, header=advice.header, peer=peer)
        else:
            extra = {
                "code": advice.code,
                "header": advice.header,
                "peer": decision.peer,
            }
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
