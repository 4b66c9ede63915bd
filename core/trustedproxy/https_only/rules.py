"""
Decide whether plain HTTP is redirected, and which responses carry the HSTS header.

In:  `RequestFacts`.
Out: an `Answer` instead of the application's, or ``None``; and the value of
     ``Strict-Transport-Security`` for the answers to secure requests.

`HTTPSOnly` is compiled once, and its constructor is the last place that may raise.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import unquote_to_bytes, urlsplit

from ..exceptions import ConfigurationError, name_nearest
from ..hsts import HSTSPolicy
from ..log import shorten, warn
from ..networks import TrustedNetworks
from ..options import split_entries
from ..parsing.hosts import compile_allowed_hosts, split_allowed_host
from ..parsing.values import parse_port_text, split_host
from ..responses import REDIRECT_STATUSES, redirect, refuse
from .facts import RequestFacts
from .target import build_target

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..networks import NetworkEntry
    from ..policy import ProxyPolicy
    from ..responses import Answer

    ExemptEntry = str | NetworkEntry

HOST = "TRUSTED_PROXY_HTTPS_HOST"
STATUS = "TRUSTED_PROXY_HTTPS_STATUS"
EXEMPT = "TRUSTED_PROXY_HTTPS_EXEMPT"

HSTS_HEADER = "Strict-Transport-Security"

_DEFAULT_PORT = "443"
_DOT_SEGMENT = re.compile(rb"/\.{1,2}(?:/|\Z)")


class HTTPSOnly:
    """
    The rules, compiled: what is redirected where, what is refused, what stays.

    Args:
        host:
            ``host``, ``host:port`` or ``:port`` of the redirect; the request's own
            host where it names none. The port 443 is left out.

        status:
            Of the redirect for GET and HEAD: 301, 302, 307 or 308. Other methods get
            308 beside 301 and 308, and 307 beside 302 and 307.

        exempt:
            What stays reachable over plain HTTP. An entry that begins with a slash is
            a pattern for the whole path, below the mount point or with it; a ``*``
            stands for any characters, slashes too, and nothing else is special. Every
            other entry is a network of peers, as in ``TRUSTED_PROXIES``, and counts
            for requests in which no trusted header was used: those of the peer itself.

        hsts: The policy to send, or its text.

        allowed_hosts:
            Hosts to redirect to: exact names, ``.example.com`` for it and every name
            below, or ``*``. Ports are ignored. ``None``: every well-formed host.

        report_only:
            Only log what would be answered, and send nothing of HSTS. The policy that
            is in report-only mode, too, tells what the scheme would be.

    Raises:
        ConfigurationError: An argument cannot be meant; it names the setting.
    """

    def __init__(
        self,
        host: str | None = None,
        status: int = 301,
        exempt: Sequence[ExemptEntry] | str = (),
        hsts: HSTSPolicy | str | None = None,
        allowed_hosts: Sequence[str] | str | None = None,
        *,
        report_only: ProxyPolicy | bool = False,
    ) -> None:
        self.host = host
        self.status = _compile_status(status)
        self.exempt: tuple[ExemptEntry, ...] = tuple(split_entries(exempt, EXEMPT))
        self.hsts = HSTSPolicy.parse(hsts) if isinstance(hsts, str) else hsts
        self.allowed_hosts = compile_allowed_hosts(allowed_hosts)
        self.report_only = bool(report_only)
        self._looking_on = None if isinstance(report_only, bool) else report_only
        self._target_name, self._target_port = _compile_host(host)
        self._patterns = [
            _compile_pattern(entry, f"{EXEMPT}[{i}]")
            for i, entry in enumerate(self.exempt)
            if isinstance(entry, str) and entry.startswith("/")
        ]
        self._networks = _compile_networks(self.exempt)
        self._hsts_text = None if self.hsts is None else str(self.hsts)

    def answer(self, facts: RequestFacts) -> Answer | None:
        """
        Answer a request that may not reach the application.

        Returns:
            ``None`` for a secure or an exempt request; a redirect to HTTPS; 403 for a
            websocket; 400 for a host that is refused and for a target that is no path.
        """
        if self.report_only:
            self._log_report_only(_look_on(self._looking_on, facts))
            return None
        if facts.secure or self.exempts(facts):
            return None
        answer = self._answer_plain(facts)
        _tell_loop(facts)
        if answer is BAD_HOST:
            _tell_refused_host(facts)
        return answer

    def _log_report_only(self, facts: RequestFacts) -> None:
        if not facts.secure and not self.exempts(facts):
            warn(
                "https-only-report_only",
                facts.peer,
                "Shadow: HTTPS only would answer %d to a plain %s from peer %s.",
                self._answer_plain(facts).status,
                "websocket" if facts.websocket else "request",
                shorten(facts.peer),
            )

    def hsts_value(self, host: str | None, secure: bool) -> str | None:
        """
        The value of ``Strict-Transport-Security`` for an answer, if it gets one.

        Args:
            host: The host of the request; an IP address gets none (RFC 6797 8.1.1).

            secure: Whether the client's connection is HTTPS.
        """
        if self._hsts_text is None or not secure or self.report_only or not host:
            return None
        split = split_host(host)
        if split is None or _is_address(split[0]):
            return None
        return self._hsts_text

    def exempts(self, facts: RequestFacts) -> bool:
        """Say whether a request may reach the application over plain HTTP."""
        if self._patterns:
            whole = facts.mount_point + facts.path
            # What an application makes of "/public/../private" nobody here knows.
            if not _DOT_SEGMENT.search(whole) and any(
                pattern.fullmatch(facts.path) or pattern.fullmatch(whole)
                for pattern in self._patterns
            ):
                return True
        return (
            self._networks is not None
            and not facts.forwarded
            and self._networks.trusts(facts.peer)
        )

    def _answer_plain(self, facts: RequestFacts) -> Answer:
        if facts.websocket:
            return FORBIDDEN
        authority = self._find_authority(facts)
        if authority is None:
            return BAD_HOST
        target = build_target(
            facts.mount_point, facts.path, facts.raw_path, facts.query
        )
        if target is None:
            return BAD_TARGET
        return redirect(
            facts.method,
            f"https://{authority}{target}",
            self.status,
            "This site is reached over HTTPS only.",
        )

    def _find_authority(self, facts: RequestFacts) -> str | None:
        """Say where to redirect to; ``None`` where the host is missing or refused."""
        if facts.host_refused:
            return None
        name = self._target_name
        if facts.host:
            split = split_allowed_host(facts.host, self.allowed_hosts)
            if split is None:
                return None
            name = name or split[0]
        if name is None:
            return None
        return f"{name}:{self._target_port}" if self._target_port else name


BAD_HOST = refuse(400, "The host of this request is not known here.")
BAD_TARGET = refuse(400, "The target of this request is not a path.")
FORBIDDEN = refuse(403, "Websockets are reached over wss only.")


def _look_on(policy: ProxyPolicy | None, facts: RequestFacts) -> RequestFacts:
    """Say what the facts would be if the shadow *policy* were not only looking on."""
    if policy is None or facts.source is None:
        return facts
    if "type" in facts.source:
        decision, _ = policy.apply_scope(facts.source)
    else:
        decision = policy.apply(dict(facts.source))
    return replace(
        facts,
        scheme=decision.scheme,
        host=decision.host,
        peer=decision.peer,
        forwarded=bool(decision.winners),
    )


def _tell_refused_host(facts: RequestFacts) -> None:
    """Tell which host was answered with 400, and which list it is not on."""
    warn(
        "https-only-host",
        None,
        "HTTPS only answers 400 to plain HTTP from peer %s for the host %s, which is "
        "missing, malformed or none of the site's (ALLOWED_HOSTS in Django, "
        "TRUSTED_HOSTS in Flask, allowed_hosts= elsewhere).",
        shorten(facts.peer),
        shorten(facts.host),
    )


def _tell_loop(facts: RequestFacts) -> None:
    """Tell why a request that came over HTTPS may look plain; the README begins so."""
    if facts.peer_trusted and facts.scheme_header is None:
        warn(
            "https-only-loop",
            None,
            "HTTPS only answers plain HTTP from the trusted proxy %s, in which no "
            "trusted header says the scheme. If that proxy ends TLS, browsers are "
            "redirected for ever: add the scheme header that it sends, such as "
            "X-Forwarded-Proto, to TRUSTED_PROXY_HEADERS, and see that it sends it.",
            shorten(facts.peer),
        )
    elif facts.peer_trusted or facts.ignored_header is None:
        return
    elif facts.decided:
        warn(
            "https-only-stranger",
            None,
            "HTTPS only answers plain HTTP from the peer %s, whose %s is not trusted. "
            "If that is a proxy of yours, browsers are redirected for ever: add it to "
            "TRUSTED_PROXIES.",
            shorten(facts.peer),
            facts.ignored_header,
        )
    else:
        warn(
            "https-only-undecided",
            None,
            "HTTPS only answers plain HTTP with the header %s, and no policy was "
            "applied before. If a proxy ends TLS, browsers are redirected for ever: "
            "put the trusted proxy middleware around this one, and the header into "
            "TRUSTED_PROXY_HEADERS.",
            facts.ignored_header,
        )


# Compiling: the last place that may raise.


def _compile_status(status: object) -> int:
    if type(status) is not int or status not in REDIRECT_STATUSES:
        raise ConfigurationError(STATUS, status, "301, 302, 307 or 308")
    return status


def _compile_host(host: object) -> tuple[str | None, str | None]:
    """Read ``host``, ``host:port`` or ``:port``."""
    if host is None:
        return None, None
    expected = "a host, host:port or :port, such as 'www.example.com:8443'"
    if not isinstance(host, str):
        raise ConfigurationError(HOST, host, expected)
    if host.startswith(":"):
        name, port = None, parse_port_text(host[1:])
        valid = port is not None
    else:
        split = split_host(host)
        valid = split is not None
        name, port = split or (None, None)
    if not valid:
        raise ConfigurationError(HOST, host, expected + _name_host_inside(host))
    return name, None if port == _DEFAULT_PORT else port


def _name_host_inside(host: str) -> str:
    """Name the host inside of a URL that was given instead of it."""
    try:
        inside = urlsplit(host).netloc
    except ValueError:
        inside = ""
    return name_nearest(inside) if split_host(inside) else ""


def _compile_pattern(entry: str, option: str) -> re.Pattern[bytes]:
    if "?" in entry or "#" in entry:
        raise ConfigurationError(
            option, entry, "a path such as /healthz, without query and fragment"
        )
    pieces = [re.escape(unquote_to_bytes(piece)) for piece in entry.split("*")]
    # Each but the last at its first place, for good: nothing is tried twice.
    first, *others = pieces
    between = b"".join(b"(?>.*?" + piece + b")" for piece in others[:-1])
    last = b".*" + others[-1] if others else b""
    return re.compile(first + between + last, re.DOTALL)


def _compile_networks(entries: Iterable[ExemptEntry]) -> TrustedNetworks | None:
    # One by one first, so that an error counts the entries as the user does.
    networks: list[NetworkEntry] = []
    for i, entry in enumerate(entries):
        if not (isinstance(entry, str) and entry.startswith("/")):
            try:
                TrustedNetworks([entry], option=EXEMPT)
            except ConfigurationError as error:
                raise ConfigurationError(
                    f"{EXEMPT}[{i}]", error.value, f"a path or {error.expected}"
                ) from None
            networks.append(entry)
    return TrustedNetworks(networks, option=EXEMPT) if networks else None


def _is_address(name: str) -> bool:
    """Say whether browsers take a host for an IP address: its last part is a number."""
    if name.startswith("["):
        return True
    last = name.removesuffix(".").rpartition(".")[2].lower()
    return last.isdigit() or re.fullmatch("0x[0-9a-f]*", last) is not None


# Exempting views, for frameworks.

_MARK = "trustedproxy_https_exempt"
View = TypeVar("View")


def https_exempt(view: View) -> View:
    """Let a *view* be reached over plain HTTP (a decorator)."""
    setattr(view, _MARK, True)
    return view


def is_https_exempt(view: object) -> bool:
    """Say whether a *view* was marked by `https_exempt`."""
    return getattr(view, _MARK, False) is True
