"""
A policy, and what it makes of one request, in words for people.

In:  a `ProxyPolicy` or `Settings`; a connection and its headers.
Out: text of several lines, without a line break at the end.

No rule is here.  What is concluded comes from `decide`, and the steps of the walk from
the functions of `walk` that it uses; this module only finds words for them.  Whatever a
request sent is shown through `repr` and shortened, and a secret is never shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from .client import Trust, compile_finder
from .decision import CODES, DECISION_KEY, Connection, Reason
from .headers import Category, Form, environ_key
from .log import shorten
from .parsing.addresses import is_unix_peer
from .parsing.values import strip_mount_point
from .responses import REDIRECT_STATUSES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ._types import Environ
    from .client import Step
    from .decision import Decision, Finding
    from .headers import ProxyHeader
    from .https_only import HTTPSOnly
    from .policy import ProxyPolicy
    from .settings import Settings

#: Category → what the application calls what it sets.
SETS = {
    Category.CLIENT: "client address",
    Category.SCHEME: "scheme",
    Category.HOST: "host",
    Category.SERVER: "server name",
    Category.PORT: "port",
    Category.MOUNT_POINT: "mount point",
}

_INDENT = "  "


class Row(NamedTuple):
    """One setting: its name, its value as text, and what that means."""

    setting: str
    value: str
    meaning: str


def describe_policy(policy: ProxyPolicy) -> str:
    """
    Describe a policy, setting by setting.

    Returns:
        Two lines a setting: its name and value, and what it means. Secrets are only
        counted.
    """
    return _write_rows(_policy_rows(policy))


def describe_settings(settings: Settings) -> str:
    """
    Describe everything that is configured: the policy, and what stands on it.

    Returns:
        The lines of `describe_policy`, and the same for HTTPS-only, HSTS, the proxy
        mount points and the signals.
    """
    return _write_rows([*_policy_rows(settings.policy), *_settings_rows(settings)])


def _write_rows(rows: Iterable[Row]) -> str:
    return "\n".join(
        f"{row.setting} = {row.value}\n{_INDENT * 2}{row.meaning}" for row in rows
    )


def _list(values: Iterable[object]) -> str:
    return ", ".join(map(str, values)) or "nothing"


def _policy_rows(policy: ProxyPolicy) -> Iterator[Row]:
    yield Row(
        "TRUSTED_PROXY_HEADERS",
        _list(header.name for header in policy.headers),
        _describe_headers(policy.headers),
    )
    yield Row("TRUSTED_PROXIES", *_describe_proxies(policy))
    yield Row(
        "TRUSTED_PROXY_HOPS",
        str(policy.hops),
        "addresses are not counted"
        if policy.hops is None
        else f"the client is element number {policy.hops} from the right",
    )
    yield Row(
        "TRUSTED_PROXY_SECRET_HEADER",
        str(policy.secret_header),
        "no secret is asked for"
        if policy.secret_header is None
        else "a request without one of the secrets in it is a direct one; the header "
        "is removed from every request",
    )
    yield Row("TRUSTED_PROXY_STRIP", repr(policy.strip), STRIP[policy.strip])
    yield Row(
        "TRUSTED_PROXY_MALFORMED", repr(policy.malformed), MALFORMED[policy.malformed]
    )
    yield Row("TRUSTED_PROXY_MISSING", repr(policy.missing), MISSING[policy.missing])
    yield Row(
        "TRUSTED_PROXY_PORT_IN_HOST",
        str(policy.port_in_host),
        PORT_IN_HOST[policy.port_in_host],
    )
    yield Row(
        "TRUSTED_PROXY_STRIP_MOUNT_POINT",
        str(policy.strip_mount_point),
        STRIP_MOUNT_POINT[policy.strip_mount_point],
    )
    yield Row(
        "TRUSTED_PROXY_REPORT_ONLY",
        str(policy.report_only),
        REPORT_ONLY[policy.report_only],
    )


STRIP = {
    "listed": "the other known headers of the categories in use are removed",
    "all": "every known header that was not used is removed, from any peer",
}
MALFORMED = {
    "ignore": "a malformed trusted header counts as absent",
    "reject": "a request with a malformed trusted header is answered with 400",
}
MISSING = {
    "ignore": "without a trusted client header the client is unknown",
    "reject": "a request whose client is unknown is answered with 400",
}
PORT_IN_HOST = {
    False: "the host stays as it came",
    True: "a trusted port is written into a host that has none",
}
STRIP_MOUNT_POINT = {
    False: "the path stays as it came",
    True: "the mount point is taken off the front of the path",
}
REPORT_ONLY = {
    False: "requests are corrected",
    True: "nothing is changed: what would differ is only logged",
}


def _describe_headers(headers: tuple[ProxyHeader, ...]) -> str:
    if not headers:
        return "nothing is trusted, and nothing corrected"
    return "; ".join(
        f"{SETS[category]} from {header.name}"
        for header in headers
        for category in header.categories
    )


def _describe_proxies(policy: ProxyPolicy) -> tuple[str, str]:
    if policy.proxies is None:
        value = repr("*")
        if policy.secret_header is not None:
            return value, "every peer that knows the secret is trusted"
        return (
            value,
            "every peer is trusted: right only where nothing but the proxy can reach "
            "this server",
        )
    if not policy.proxies:
        return "nothing", "nobody is trusted"
    return _list(policy.proxies), "only these peers are trusted"


def _settings_rows(settings: Settings) -> Iterator[Row]:
    https = settings.https_only
    yield Row(
        "TRUSTED_PROXY_HTTPS_ONLY",
        str(https is not None),
        "plain HTTP is served"
        if https is None
        else "plain HTTP is redirected to HTTPS by the client's scheme",
    )
    if https is not None:
        yield from _https_rows(https)
    yield Row("TRUSTED_PROXY_HSTS_POLICY", str(settings.hsts), _describe_hsts(settings))
    yield Row(
        "TRUSTED_PROXY_MOUNT_POINTS",
        _list(f"{path} → {url}" for path, url in settings.mount_points.items()),
        "requests below these paths go to other servers"
        if settings.mount_points
        else "no path is proxied",
    )
    yield Row(
        "TRUSTED_PROXY_RESTRICT_SIGNALS",
        str(settings.restrict_signals),
        "signal.signal() is refused from the first request on"
        if settings.restrict_signals
        else "signal handlers are left alone",
    )


def _https_rows(https: HTTPSOnly) -> Iterator[Row]:
    where = "redirects go to this host"
    if https.host is None:
        where = "redirects go to the request's host"
    elif https.host.startswith(":"):
        where = "redirects go to this port of the request's host"
    yield Row("TRUSTED_PROXY_HTTPS_HOST", str(https.host), where)
    yield Row(
        "TRUSTED_PROXY_HTTPS_STATUS",
        str(https.status),
        f"the answer to GET and HEAD; other methods get "
        f"{REDIRECT_STATUSES[https.status]}",
    )
    yield Row(
        "TRUSTED_PROXY_HTTPS_EXEMPT",
        _list(https.exempt),
        "these paths and direct peers stay reachable over HTTP"
        if https.exempt
        else "nothing stays reachable over HTTP",
    )


def _describe_hsts(settings: Settings) -> str:
    if settings.hsts is None:
        return "browsers are not told to stay on HTTPS"
    if settings.https_only is None:
        return "not sent, since TRUSTED_PROXY_HTTPS_ONLY is off"
    return "sent with every answer to a secure request"


def explain(
    policy: ProxyPolicy, connection: Connection, headers: Mapping[str, str]
) -> str:
    """
    Say step by step what *policy* makes of one request, and why.

    Args:
        policy: The policy.

        connection: What the server says by itself.

        headers: Header name on the wire → its value, lines joined by commas.

    Returns:
        Paragraphs: the request, the peer, each trusted header, what is removed, what
        is wrong, and what the application sees.
    """
    decision = policy.decide(connection, headers)
    sent = {name.lower(): value for name, value in headers.items()}
    paragraphs = [
        ("The request", _tell_request(policy, connection, headers)),
        ("The peer", _tell_peer(policy, decision)),
        *_tell_headers(policy, decision, sent),
        ("Removed", _tell_removed(decision)),
        ("Problems", _log_problems(decision)),
        ("The application sees", _tell_outcome(policy, connection, decision)),
    ]
    return "\n\n".join(
        "\n".join([title, *(f"{_INDENT}{line}" for line in lines)])
        for title, lines in paragraphs
        if lines
    )


def explain_environ(policy: ProxyPolicy, environ: Environ) -> str:
    """Explain what *policy* would do to *environ*, which is not changed."""
    names = [header.name for header in policy.known_headers]
    names += ["Connection", *filter(None, [policy.secret_header])]
    sent = {
        name: str(environ[environ_key(name)])
        for name in names
        if environ_key(name) in environ
    }
    connection = policy.read_connection(environ)
    explained = explain(policy, connection, sent)
    if DECISION_KEY in environ:
        return f"{_EXPLAINED_AFTERWARDS}\n\n{explained}"
    return explained


_EXPLAINED_AFTERWARDS = (
    "A policy was applied to this request before, and its decision stands.\n"
    "What follows is about the request as that left it."
)

Paragraph: TypeAlias = tuple[str, list[str]]


def _tell_request(
    policy: ProxyPolicy, connection: Connection, headers: Mapping[str, str]
) -> list[str]:
    """The connection as the server reports it, and the headers as they came."""
    lines = [
        f"peer {shorten(connection.peer)}, scheme {shorten(connection.scheme)}, "
        f"host {shorten(connection.host)}, mount point "
        f"{shorten(connection.mount_point)}, path {shorten(connection.path)}"
    ]
    secret = (policy.secret_header or "").lower()
    for name, value in headers.items():
        shown = name if name.isascii() and name.isprintable() else shorten(name)
        # A twin with underscores is the same header to many servers.
        hidden = name.lower().replace("_", "-") == secret
        lines.append(f"{shown}: {'(not shown)' if hidden else shorten(value)}")
    return lines


#: Why the peer's headers were not read, and why they were.
_VERDICTS = {
    Reason.NO_TRUSTED_HEADERS: "No header is trusted, so none is read.",
    Reason.SECRET_MISSING: "The request does not carry the proxy's secret: "
    "this is a direct request, and no header is read.",
    Reason.PEER_NOT_TRUSTED: "{peer} is not a trusted proxy: "
    "this is a direct request, and no header is read.",
}


def _tell_peer(policy: ProxyPolicy, decision: Decision) -> list[str]:
    peer = shorten(decision.peer)
    if is_unix_peer(decision.peer):
        peer = f"The unix socket {peer}"
    if not decision.peer_trusted:
        return [_VERDICTS[decision.reason].format(peer=peer)]
    if policy.networks is not None:
        return [f"{peer} is a trusted proxy: its headers are read."]
    if policy.secret_header is not None:
        return [f"{peer} knows the secret: its headers are read."]
    return [f"{peer} is trusted, as every peer is: its headers are read."]


def _tell_headers(
    policy: ProxyPolicy, decision: Decision, sent: Mapping[str, str]
) -> Iterator[Paragraph]:
    """A paragraph for each trusted header, in the policy's order."""
    if not decision.peer_trusted:
        return
    for header in policy.headers:
        value = sent.get(header.name.lower())
        title = f"{header.name} ({', '.join(SETS[c] for c in header.categories)})"
        if value is None:
            yield title, ["not sent"]
        elif header.category is Category.CLIENT:
            yield title, _tell_client(policy, decision, header, value)
        else:
            yield title, _tell_single(policy, decision, header, value)


def _tell_client(
    policy: ProxyPolicy, decision: Decision, header: ProxyHeader, value: str
) -> list[str]:
    """Replay the walk over one client header."""
    steps: list[Step] = []
    networks = policy.networks
    trust = Trust(None if networks is None else networks.contains, policy.hops)
    finding = compile_finder(header, trust)(value, steps)
    if finding is None:
        return [_EMPTY]
    lines = [] if header.form in _ALONE else [_tell_order(policy)]
    for number, step in enumerate(steps, 1):
        is_end = number == len(steps) and finding.client is None
        if is_end and finding.reason is not Reason.TOO_FEW_ELEMENTS:
            lines.append(f"{number}. {_tell_end(step)}")
        else:
            lines.append(f"{number}. {_tell_step(trust, header, step, number)}")
    lines.append(f"So {_tell_finding(finding)}.")
    if decision.winners.get(Category.CLIENT) == header.name:
        kept = decision.rewritten.get(header.name)
        lines.append(
            "The header stays as it came."
            if kept is None
            else f"The header now is {shorten(kept)}: nobody confirmed what stood "
            "further left."
        )
    elif finding.text is not None and decision.rejected is None:
        lines.append(_LOST)
    if decision.rejected is None:
        lines += _tell_element(decision, finding)
    return lines


_EMPTY = "empty, which counts as not sent"

#: Forms that hold one address, and so have no order.
_ALONE = (Form.ADDRESS, Form.ADDRESS_COLON_PORT)


def _tell_order(policy: ProxyPolicy) -> str:
    if policy.hops is not None:
        return f"Elements are counted from the right, up to {policy.hops}:"
    if policy.networks is None:
        return "No proxies are listed, so the first element counts."
    return "Elements are read from the right, over the trusted proxies:"


def _tell_end(step: Step) -> str:
    """The element at which nobody is found."""
    if step.element is None:
        return "There is more, and it is not read: nobody can be found there."
    return f"{shorten(step.element)} names nobody."


def _tell_step(trust: Trust, header: ProxyHeader, step: Step, number: int) -> str:
    text = shorten(step.element)
    if header.form in _ALONE:
        return f"{text} is an address."
    if trust.hops is not None:
        if number == trust.hops:
            return f"{text} is the client's."
        return f"{text} is counted, and not looked at."
    if step.trusted:
        return f"{text} is a trusted proxy."
    return f"{text} is not a trusted proxy."


def _tell_finding(finding: Finding) -> str:
    if finding.client is not None:
        port = "" if finding.client.port is None else f", port {finding.client.port}"
        return f"the client is {finding.client.address}{port}: {finding.reason}"
    stand_in = (
        "the peer's address stays"
        if finding.confirmed is None
        else f"the last address that was confirmed is {finding.confirmed.address}"
    )
    return f"the client is unknown: {finding.reason}; {stand_in}"


def _tell_element(decision: Decision, finding: Finding) -> list[str]:
    """What the client's element of ``Forwarded`` says besides its address."""
    lines = []
    for category, name, text in (
        (Category.SCHEME, "proto", finding.proto),
        (Category.HOST, "host", finding.host),
    ):
        if text is not None:
            used = "used" if category in decision.winners else "malformed, not used"
            lines.append(f"{name} of the client's element, {shorten(text)}, is {used}.")
    return lines


def _tell_single(
    policy: ProxyPolicy, decision: Decision, header: ProxyHeader, value: str
) -> list[str]:
    """A header of a category beside the client's."""
    if decision.winners.get(header.category) == header.name:
        used = decision.rewritten.get(header.name)
        is_first = policy.networks is None and policy.hops is None
        if used is None:
            return [f"{shorten(value)} is used as the {SETS[header.category]}."]
        return [
            f"Of {shorten(value)}, {_WHICH[is_first]} "
            f"counts: {shorten(used)} is used as the {SETS[header.category]}."
        ]
    for problem in decision.problems:
        if problem.header == header.name and problem.code in _UNUSABLE:
            return [f"{shorten(value)} is not used: {CODES[problem.code]}."]
    if decision.rejected is not None:
        return ["not used, since the request is refused"]
    if header.category in decision.winners:
        return [_LOST]
    return [_EMPTY]


#: Which element of a list counts beside the client (rule R9), by whether everybody is
#: trusted and nothing counted.
_WHICH = {
    False: "the element that the client's own proxy wrote",
    True: "the first element",
}
#: The problems for which a value is not used.
_UNUSABLE = ("malformed", "too-long")
_LOST = "Another header of the category wins over this one."


def _tell_removed(decision: Decision) -> list[str]:
    return [_list(decision.removed)] if decision.removed else []


def _log_problems(decision: Decision) -> list[str]:
    return [
        f"{problem.code} ({problem.header}): {CODES[problem.code]}"
        for problem in decision.problems
    ]


def _tell_outcome(
    policy: ProxyPolicy, connection: Connection, decision: Decision
) -> list[str]:
    """What the application finds, beside what the server said."""
    if decision.rejected is not None:
        problem = decision.rejected
        lines = [
            f"nothing: the answer is 400, because of {problem.code} ({problem.header})"
        ]
        return lines + _log_report_only(policy)
    lines = []
    path = connection.path
    if policy.strip_mount_point:
        path = strip_mount_point(path, decision.mount_point)
    for name, now, before in (
        ("client address", decision.address, connection.peer),
        ("scheme", decision.scheme, connection.scheme),
        ("host", decision.host, connection.host),
        ("server name", decision.server, connection.server),
        ("port", decision.port, connection.port),
        ("mount point", decision.mount_point, connection.mount_point),
        ("path", path, connection.path),
    ):
        was = "" if now == before else f", was {shorten(before)}"
        lines.append(f"{name:<15} {shorten(now)}{was}")
    known = "known" if decision.client_known else "unknown"
    lines.append(f"The client is {known}: {decision.reason}.")
    return lines + _log_report_only(policy)


def _log_report_only(policy: ProxyPolicy) -> list[str]:
    return (
        ["In report-only mode all of this is only logged."]
        if policy.report_only
        else []
    )
