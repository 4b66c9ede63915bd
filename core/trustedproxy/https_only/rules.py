"""
Decide whether plain HTTP is redirected, and which responses carry the HSTS header.

In:  `RequestFacts`.
Out: an `Answer` instead of the application's, or ``None``; and the value of
     ``Strict-Transport-Security`` for the answers to secure requests.

`HTTPSOnly` is compiled once, and its constructor is the last place that may raise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from ..allowed_hosts import compile_allowed_hosts
from ..decision import Decision
from ..exceptions import ConfigurationError
from ..hsts import HSTSPolicy
from ..log import shorten, warn, warn_once
from ..options import read_flag
from ..parsing.values import split_host
from ..responses import REDIRECT_STATUSES, Answer, redirect, refuse
from .authority import compile_host, find_authority
from .exemptions import ExemptEntry, Exemptions
from .facts import RequestFacts
from .loops import Redirect, RedirectLog
from .target import build_target

#: The keyword arguments of `HTTPSOnly` that are settings → the settings.
SETTINGS: Mapping[str, str] = {
    "hsts": "TRUSTED_PROXY_HSTS_POLICY",
    "host": "TRUSTED_PROXY_HTTPS_HOST",
    "status": "TRUSTED_PROXY_HTTPS_STATUS",
    "exempt": "TRUSTED_PROXY_HTTPS_EXEMPT",
    "report_only": "TRUSTED_PROXY_REPORT_ONLY",
}

HSTS_HEADER = "Strict-Transport-Security"

BAD_HOST = refuse(400, "The host of this request is not known here.")
BAD_TARGET = refuse(400, "The target of this request is not a path.")
FORBIDDEN = refuse(403, "Websockets are reached over wss only.")


class HTTPSOnly:
    """
    The rules, compiled: what is redirected where, what is refused, what stays.

    Args:
        hsts: The policy to send, or its text.

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
            for the peer's own requests: those without any header of a proxy.

        allowed_hosts:
            Hosts to redirect to: exact names, ``.example.com`` for it and every name
            below, or ``*``. Ports are ignored. ``None``: every well-formed host.

        report_only:
            Only log what would be answered, and send nothing of HSTS. A request that
            policies in report-only mode alone have met is treated so in any case.

    Raises:
        ConfigurationError: An argument is invalid; it names the setting too.
    """

    def __init__(
        self,
        *,
        hsts: HSTSPolicy | str | None = None,
        host: str | None = None,
        status: int = 301,
        exempt: Sequence[ExemptEntry] | str = (),
        allowed_hosts: Sequence[str] | str | None = None,
        report_only: bool = False,
    ) -> None:
        self.hsts: HSTSPolicy | None = _read("hsts", _read_hsts, hsts)
        self._authority = _read("host", compile_host, host)
        self.host = host
        self.status: int = _read("status", _read_status, status)
        self.exemptions: Exemptions = _read("exempt", Exemptions, exempt)
        self.allowed_hosts: tuple[str, ...] | None = compile_allowed_hosts(
            allowed_hosts
        )
        self.report_only: bool = _read("report_only", read_flag, report_only)
        self._hsts_text = None if self.hsts is None else str(self.hsts)
        self._log = RedirectLog(
            Redirect("HTTPS only", "https-only", self._name_exemption)
        )

    @property
    def exempt(self) -> tuple[ExemptEntry, ...]:
        """What stays reachable over plain HTTP, as it was written."""
        return self.exemptions.entries

    @property
    def redirects_to_any_host(self) -> bool:
        """Whether a redirect leads to whatever host a request names."""
        return self._authority[0] is None and self.allowed_hosts is None

    def limit_to(self, allowed_hosts: Sequence[str] | None) -> HTTPSOnly:
        """Make the same rules for the site's own hosts, or for any where it is None."""
        if allowed_hosts is None:
            return self
        return HTTPSOnly(
            hsts=self.hsts,
            host=self.host,
            status=self.status,
            exempt=self.exempt,
            allowed_hosts=allowed_hosts,
            report_only=self.report_only,
        )

    def answer(self, facts: RequestFacts) -> Answer | None:
        """
        Answer a request that may not reach the application.

        Returns:
            ``None`` for a secure or an exempt request, and in report-only mode; a
            redirect to HTTPS; 403 for a websocket; 400 for a host that is refused and
            for a target that is no path.
        """
        if facts.secure or self.exempts(facts):
            return None
        answer = self.respond(facts)
        self._log_causes(facts, answer)
        if self.report_only or facts.report_only:
            _log_report(facts, answer)
            return None
        return answer

    def exempts(self, facts: RequestFacts) -> bool:
        """Say whether a request may reach the application over plain HTTP."""
        exemptions = self.exemptions
        return exemptions.cover_path(
            facts.mount_point, facts.path, facts.raw_path
        ) or exemptions.cover_peer(facts.peer, facts.peer_is_unix, facts.signs)

    def respond(self, facts: RequestFacts) -> Answer:
        """Say what a plain request that is not exempt is answered with; log nothing."""
        if facts.websocket:
            return FORBIDDEN
        authority = None
        if not facts.host_refused:
            authority = find_authority(self._authority, facts.host, self.allowed_hosts)
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

    def _log_causes(self, facts: RequestFacts, answer: Answer) -> None:
        """Log why this answer may be wrong, where the request shows it."""
        if answer is BAD_HOST:
            _log_refused_host(facts)
        elif answer is FORBIDDEN:
            self._log.log_refusal(facts)
        elif answer is not BAD_TARGET:
            self._log.log_redirect(facts)

    def note_secure(self, decision: Decision | None) -> None:
        """Note that a request was secure: its peer is in no loop."""
        self._log.note_secure(decision)

    def _name_exemption(self, facts: RequestFacts) -> str:
        """Say how the path of a request is exempted, for the log."""
        path = (facts.path or b"/").decode("utf-8", "replace")
        near = self.exemptions.find_near(facts.mount_point, facts.path)
        other = "" if near is None else f" ({near!r} is exempt, and is another path)"
        return f"{other}: TRUSTED_PROXY_HTTPS_EXEMPT = [..., {shorten(path)}]"

    def hsts_value(self, host: str | None) -> str | None:
        """
        The value of ``Strict-Transport-Security`` for the answer to a secure request.

        Args:
            host: The host of the request; an IP address gets none (RFC 6797 8.1.1).
        """
        if self._hsts_text is None or self.report_only or not host:
            return None
        split = split_host(host)
        if split is None or _is_address(split[0]):
            return None
        return self._hsts_text

    def warn_at_start(self) -> None:
        """Log that nothing limits the host of a redirect, where no framework does."""
        if self.redirects_to_any_host:
            warn_once(
                "https-only-open",
                "HTTPS only redirects to whatever host a request names: name the "
                "site's host (TRUSTED_PROXY_HTTPS_HOST, or host=), or its hosts "
                "(allowed_hosts=).",
            )


Value = TypeVar("Value")


def _read(keyword: str, reader: Callable[[str, Any], Value], value: object) -> Value:
    """Read the *value* of a keyword; an error names its setting and the keyword."""
    try:
        return reader(SETTINGS[keyword], value)
    except ConfigurationError as error:
        raise ConfigurationError(
            error.option, error.value, error.expected, keyword
        ) from error.__cause__


def _read_hsts(option: str, value: object) -> HSTSPolicy | None:
    if value is None or isinstance(value, HSTSPolicy):
        return value
    # Whatever else it is, the error is for the policy to make.
    text: Any = value
    return HSTSPolicy.parse(text, option=option)


def _read_status(option: str, value: object) -> int:
    # To Python, 301.0 is 301.
    if type(value) is not int or value not in REDIRECT_STATUSES:
        raise ConfigurationError(option, value, "301, 302, 307 or 308")
    return value


def _is_address(name: str) -> bool:
    """Say whether browsers take a host for an IP address: its last part is a number."""
    if name.startswith("["):
        return True
    last = name.removesuffix(".").rpartition(".")[2].lower()
    return last.isdigit() or re.fullmatch("0x[0-9a-f]*", last) is not None


def _log_report(facts: RequestFacts, answer: Answer) -> None:
    """Log what would have been answered."""
    warn(
        "https-only-report",
        facts.peer,
        "Report only: HTTPS only would answer %d to a plain %s from peer %s.",
        answer.status,
        "websocket" if facts.websocket else "request",
        shorten(facts.peer),
    )


def _log_refused_host(facts: RequestFacts) -> None:
    """Log which host was answered with 400, and which list it is not on."""
    warn(
        "https-only-host",
        facts.peer,
        "HTTPS only answers 400 to plain HTTP from peer %s for the host %s, which is "
        "missing, malformed or none of the site's (ALLOWED_HOSTS in Django, "
        "TRUSTED_HOSTS in Flask, allowed_hosts= elsewhere).",
        shorten(facts.peer),
        shorten(facts.host),
    )
