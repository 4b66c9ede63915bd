"""
The face of the project: a policy, validated and compiled once.

In:  keyword arguments, settings, environment variables, Apache directives.
Out: `ProxyPolicy`, which decides, applies and explains, and raises no more.

This is the last place where a setting can be refused; `rules` takes what it is given.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from . import asgi, wsgi
from .client import Trust
from .decision import Connection
from .exceptions import ConfigurationError, nearest
from .headers import KNOWN_HEADERS, Category, Form, ProxyHeader, environ_key
from .log import is_due, logger, tell_once, tell_problems
from .networks import TrustedNetworks
from .options import split_entries
from .parsing.lists import MAX_ELEMENTS
from .rules import Rules

if TYPE_CHECKING:
    from ._types import Environ, Scope, SettingsMapping
    from .decision import Decision
    from .networks import NetworkEntry

EVERY_PEER = "*"
_FORWARDED_PARTNERS = frozenset({Category.CLIENT, Category.SCHEME, Category.HOST})


class ProxyPolicy:
    """
    Whom to trust, and what: the rules R1 to R20 of the design, compiled.

    All arguments are keywords, and the same as the settings of the README's table.
    A list may also be one string, separated by blanks or commas.

    Args:
        headers: The trusted headers: names, or `ProxyHeader` for one's own.

        proxies:
            Addresses and networks of the proxies, ``unix``, names of networks, or
            ``file:PATH``; ``None`` or ``"*"``: every peer; an empty list: nobody.

        hops: How many elements from the right the operator's own proxies wrote.

        secret_header: The header that the proxy sets to one of *secrets*.

        secrets: The secrets, several for rotation.

        strip: ``"listed"``, or ``"all"`` to remove every known header but winners.

        malformed: ``"ignore"``, or ``"reject"`` for 400.

        missing: ``"ignore"``, or ``"reject"`` to answer 400 to unknown clients.

        port_in_host: Whether a trusted port is written into the host.

        strip_mount_point: Whether the mount point is taken off the path.

        report_only: Whether decisions are only logged.

    Raises:
        ConfigurationError: A value is wrong, or two contradict each other.

    Source: ``WSGITrustedProxyHeaders`` and ``WSGITrustedProxies`` of mod_wsgi.
    """

    def __init__(
        self,
        *,
        headers: Sequence[str | ProxyHeader] | str = (),
        proxies: Sequence[NetworkEntry] | str | None = None,
        hops: int | None = None,
        secret_header: str | None = None,
        secrets: Sequence[str] | str = (),
        strip: str = "listed",
        malformed: str = "ignore",
        missing: str = "ignore",
        port_in_host: bool = False,
        strip_mount_point: bool = False,
        report_only: bool = False,
    ) -> None:
        self.headers = _read_headers(headers)
        self.proxies = _read_proxies(proxies)
        self.hops = _read_hops(hops)
        self.secret_header, self._secrets = _read_secrets(secret_header, secrets)
        self.strip = _read_choice("TRUSTED_PROXY_STRIP", strip, ("listed", "all"))
        choices = ("ignore", "reject")
        self.malformed = _read_choice("TRUSTED_PROXY_MALFORMED", malformed, choices)
        self.missing = _read_choice("TRUSTED_PROXY_MISSING", missing, choices)
        self.port_in_host = _read_flag("TRUSTED_PROXY_PORT_IN_HOST", port_in_host)
        self.strip_mount_point = _read_flag(
            "TRUSTED_PROXY_STRIP_MOUNT_POINT", strip_mount_point
        )
        self.report_only = _read_flag("TRUSTED_PROXY_REPORT_ONLY", report_only)
        #: Whether ``"*"`` said on purpose that every peer is trusted.
        self.every_peer_on_purpose = proxies is not None and self.proxies is None
        self._check_together()
        own = {header.name.lower(): header for header in self.headers}
        known = [own.pop(header.name.lower(), header) for header in KNOWN_HEADERS]
        self.known_headers: tuple[ProxyHeader, ...] = (*known, *own.values())
        self.networks = None if self.proxies is None else TrustedNetworks(self.proxies)
        networks = self.networks
        self.trust = Trust(
            None if networks is None else networks.contains,
            self.hops,
            None if networks is None else networks.known_hops,
        )
        self._wire_rules = self._compile(asgi.wire_key)
        self._wanted_keys = asgi.wanted_keys(self._wire_rules)
        self._wsgi_rules = self._compile(environ_key)

    def _compile(self, spell: Any) -> Rules:
        return Rules(
            headers=self.headers,
            known=self.known_headers,
            trusts=None if self.networks is None else self.networks.trusts,
            trust=self.trust,
            secret_header=self.secret_header,
            secrets=self._secrets,
            strip_all=self.strip == "all",
            reject_malformed=self.malformed == "reject",
            reject_missing=self.missing == "reject",
            port_in_host=self.port_in_host,
            spell=spell,
            fixed=self.networks is None or self.networks.is_fixed,
        )

    def _check_together(self) -> None:
        """Refuse options that contradict each other."""
        forwarded = [h for h in self.headers if h.form is Form.FORWARDED]
        for header in self.headers:
            if (
                forwarded
                and header is not forwarded[0]
                and header.category in _FORWARDED_PARTNERS
            ):
                raise ConfigurationError(
                    "TRUSTED_PROXY_HEADERS",
                    header.name,
                    f"possible beside {forwarded[0].name!r}, which says the "
                    f"{header.category} itself: list one convention",
                )
            if header.name.lower() == (self.secret_header or "").lower():
                raise ConfigurationError(
                    "TRUSTED_PROXY_SECRET_HEADER",
                    self.secret_header,
                    "possible while the same header is listed as trusted",
                )
        for header in KNOWN_HEADERS:
            # What is removed is kept in decisions; a secret never is.
            if header.name.lower() == (self.secret_header or "").lower():
                raise ConfigurationError(
                    "TRUSTED_PROXY_SECRET_HEADER",
                    self.secret_header,
                    f"a header of its own: {header.name!r} is a known header of the "
                    f"category {str(header.category)!r}",
                )
        if self.missing == "reject" and not any(
            header.category is Category.CLIENT for header in self.headers
        ):
            raise ConfigurationError(
                "TRUSTED_PROXY_MISSING",
                self.missing,
                "possible without a client header in TRUSTED_PROXY_HEADERS",
            )

    def __repr__(self) -> str:
        names = [header.name for header in self.headers]
        secret = f", secret_header={self.secret_header!r}" if self.secret_header else ""
        return (
            f"ProxyPolicy(headers={names!r}, proxies={self.proxies!r}, "
            f"hops={self.hops!r}{secret}, strip={self.strip!r}, "
            f"malformed={self.malformed!r}, missing={self.missing!r}, "
            f"port_in_host={self.port_in_host!r}, "
            f"strip_mount_point={self.strip_mount_point!r}, report_only={self.report_only!r})"
        )

    @property
    def trusts_every_peer(self) -> bool:
        """Whether anybody who can connect is trusted (rule R4)."""
        return bool(self.headers) and self.proxies is None and not self._secrets

    @property
    def may_refuse(self) -> bool:
        """Whether there are requests that this policy rejects."""
        return "reject" in (self.malformed, self.missing)

    def refuses(self, decision: Decision) -> bool:
        """Say whether a middleware is to answer 400; never with ``shadow``."""
        return decision.rejected is not None and not self.report_only

    @property
    def changes_nothing(self) -> bool:
        """Whether no header is trusted and none is removed, so that nothing is done."""
        return not self.headers and self.strip != "all"

    def decide(
        self, connection: Connection | str, headers: Mapping[str, str]
    ) -> Decision:
        """
        Decide one request; nothing is read from elsewhere and nothing is changed.

        Args:
            connection: What the server says by itself; a peer's address alone will do.

            headers:
                Header name, in any case → value, lines joined by commas in order.
        """
        if isinstance(connection, str):
            connection = Connection(connection)
        return self._wire_rules.decide(
            connection[:6], {name.lower(): value for name, value in headers.items()}
        )

    def apply(self, environ: Environ) -> Decision:
        """
        Decide the request of a WSGI *environ*, and rewrite it in place.

        A request that is rejected is left unrewritten, without its opted-in headers,
        and the middleware answers; with ``shadow`` nothing is changed at all.

        Returns:
            The decision, which is also at ``environ["trustedproxy.decision"]``; the
            first one, where a policy was applied before.
        """
        if wsgi.DECISION_KEY in environ:
            tell_once("decided-twice", _DECIDED_TWICE)
            earlier: Decision = environ[wsgi.DECISION_KEY]
            return earlier
        if wsgi.PROXY_FIX_KEY in environ:
            tell_once("proxy-fix", _PROXY_FIX)
        rules = self._wsgi_rules
        connection = wsgi.read_connection(environ, rules.scheme_opted_in)
        decision = rules.decide(connection, environ)
        if decision.problems:
            tell_problems(decision.problems, connection[0])
            if environ.get("SERVER_SOFTWARE") == "waitress" and any(
                problem.code == "missing" for problem in decision.problems
            ):
                tell_once("waitress", _REMOVED_BY_WAITRESS)
        if self.report_only:
            environ = dict(environ)
        wsgi.write(environ, connection, decision, rules, self.strip_mount_point)
        if self.report_only:
            _log_report_only(decision)
        return decision

    def apply_scope(self, scope: Scope) -> tuple[Decision, Scope]:
        """
        Decide the request of an ASGI *scope*; the scope given is not changed.

        Returns:
            The decision and the scope to go on with, whose ``headers`` are a list of
            its own; with ``shadow`` the scope that was given.
        """
        if wsgi.DECISION_KEY in scope:
            tell_once("decided-twice", _DECIDED_TWICE)
            earlier: Decision = scope[wsgi.DECISION_KEY]
            return earlier, scope
        lines = scope.get("headers") or ()
        if not isinstance(lines, (list, tuple)):
            # It may be one that can be gone through only once.
            scope = {**scope, "headers": list(lines)}
        rules = self._wire_rules
        decision, headers = asgi.decide(scope, rules, self._wanted_keys)
        tell_problems(decision.problems, decision.peer)
        written = asgi.write(
            scope, headers, decision, rules, strip_path=self.strip_mount_point
        )
        if self.report_only:
            _log_report_only(decision)
            return decision, scope
        return decision, written

    def explain(self, environ: Environ) -> str:
        """
        Explain step by step, in words, what `apply` would do to *environ*.

        The same rules run on a copy; the environ is not changed.  One that a policy was
        applied to before is explained as that left it, and the text begins with that.
        """
        from .explain import explain

        rules = self._wsgi_rules
        values = wsgi.read_connection(environ, rules.scheme_opted_in)
        wire = {
            name: str(environ[key])
            for name, key in self.header_keys().items()
            if key in environ
        }
        path = environ.get("PATH_INFO", "")
        explained = explain(self, Connection(*values, path=path), wire)
        if wsgi.DECISION_KEY in environ:
            return f"{_EXPLAINED_AFTERWARDS}\n\n{explained}"
        return explained

    def header_keys(self) -> dict[str, str]:
        """Map every header that is read, by its name, to its key in an environ."""
        keys = dict(self._wsgi_rules.key_of)
        for name in ("Connection", self.secret_header):
            if name is not None:
                keys[name] = environ_key(name)
        return keys

    def tell_at_start(self) -> None:
        """Say once in the log what a policy leaves open (rule R4)."""
        if self.trusts_every_peer and not self.every_peer_on_purpose:
            tell_once("every-peer", EVERY_PEER_BELIEVED)

    @classmethod
    def from_mapping(cls, mapping: SettingsMapping) -> ProxyPolicy:
        """
        Make a policy of settings by their names (`option_table.OPTIONS`).

        Names that are not ours are not looked at; of ours, those that a policy alone
        does not use are told in the log.
        """
        from .option_table import select_settings, unused_names
        from .settings import read_settings

        settings = read_settings(mapping)
        for name in unused_names(select_settings(mapping)):
            tell_once(
                f"unused:{name}",
                "%s is set, and a policy alone does not use it: read it with "
                "trustedproxy.read_settings(), environment variables with "
                "read_settings(read_environment(os.environ)) of trustedproxy.settings, "
                "mod_wsgi's with read_settings(parse_mod_wsgi(text)) of "
                "trustedproxy.mod_wsgi",
                name,
            )
        return settings.policy

    @classmethod
    def from_env(cls, environment: Mapping[str, str] | None = None) -> ProxyPolicy:
        """Make a policy of environment variables, by default the process's own."""
        from .option_table import read_environment

        given = os.environ if environment is None else environment
        return cls.from_mapping(read_environment(given))

    @classmethod
    def from_mod_wsgi(cls, text: str) -> ProxyPolicy:
        """
        Make a policy of Apache directives or mod_wsgi-express options.

        Source: ``WSGITrustedProxyHeaders``, ``WSGITrustedProxies``,
        ``--trust-proxy-header``, ``--trust-proxy``.
        """
        from .mod_wsgi import parse_mod_wsgi

        return cls.from_mapping(parse_mod_wsgi(text))


EVERY_PEER_BELIEVED = (
    "TRUSTED_PROXIES is not set: the trusted headers are trusted from every peer that "
    "can connect. Set it to the addresses of your proxies, such as ['127.0.0.1', "
    "'10.0.0.0/8'], or to '*' if nothing but the proxy can reach this server."
)
_DECIDED_TWICE = (
    "a trusted proxy policy was applied to a request that one was applied to before: "
    "the first decision stands. Remove one of the two."
)
_EXPLAINED_AFTERWARDS = (
    "A policy was applied to this request before, and its decision stands.\n"
    "What follows is about the request as that left it."
)
_REMOVED_BY_WAITRESS = (
    "waitress removes X-Forwarded-For, -Proto, -Host, -Port, -By and Forwarded from "
    "every request unless it is told not to. If your proxy sends them, start it with "
    "--no-clear-untrusted-proxy-headers (clear_untrusted_proxy_headers=False), and "
    "leave trusted_proxy unset."
)
_PROXY_FIX = (
    "Werkzeug's ProxyFix has rewritten a request before trustedproxy saw it, so that "
    "its peer is not the peer any more. Remove ProxyFix; trustedproxy does its work."
)


# Of a decision in the log: requests can be long, and their values are all in it.
_MOST_SHOWN = 2000


def _log_report_only(decision: Decision) -> None:
    """Log what would have been changed, at most once a minute for a peer."""
    if (decision.original or decision.rejected) and is_due(
        "report_only", decision.peer
    ):
        shown = repr(decision)
        if len(shown) > _MOST_SHOWN:
            shown = f"{shown[:_MOST_SHOWN]}… ({len(shown)} characters)"
        logger.warning("report_only: %s would be %s", sorted(decision.original), shown)
    logger.debug("report_only: %s", decision)


def _read_headers(value: object) -> tuple[ProxyHeader, ...]:
    option = "TRUSTED_PROXY_HEADERS"
    if isinstance(value, (set, frozenset)):
        raise ConfigurationError(option, value, "in an order, which decides winners")
    known = {header.name.lower(): header for header in KNOWN_HEADERS}
    headers: dict[str, ProxyHeader] = {}
    for i, entry in enumerate(split_entries(value, option)):
        where = f"{option}[{i}]"
        if isinstance(entry, ProxyHeader):
            header = entry
        elif isinstance(entry, str):
            found = known.get(entry.lower())
            if found is None:
                raise ConfigurationError(where, entry, _expected_header(entry))
            header = found
        else:
            raise ConfigurationError(where, entry, "a header's name")
        if header.form is Form.NEVER:
            raise ConfigurationError(
                where, header.name, "a header that can be trusted: it is only removed"
            )
        # Names that a WSGI server cannot tell apart are one name.
        key = environ_key(header.name)
        if key in headers:
            shown = entry if isinstance(entry, str) else header.name
            raise ConfigurationError(
                where, shown, f"new here: {headers[key].name!r} is listed before it"
            )
        headers[key] = header
    return tuple(headers.values())


def _expected_header(entry: str) -> str:
    spelled = entry.replace("_", "-").removeprefix("HTTP-")
    names = [h.name for h in KNOWN_HEADERS if h.form is not Form.NEVER]
    near = nearest(spelled, names) or nearest(entry, names)
    # Nothing is near a header of one's own.
    return "a header that is known" + (near or "; describe your own by ProxyHeader")


def _read_proxies(value: Any) -> tuple[Any, ...] | None:
    option = "TRUSTED_PROXIES"
    if value is None:
        return None
    entries = split_entries(value, option)
    if EVERY_PEER in entries:
        if len(entries) > 1:
            raise ConfigurationError(option, value, "'*' alone: it stands for all")
        return None
    return tuple(entries)


def _read_hops(value: Any) -> int | None:
    if value is None:
        return None
    expected = f"a whole number from 1 to {MAX_ELEMENTS}"
    if not isinstance(value, int) or isinstance(value, bool):
        raise ConfigurationError("TRUSTED_PROXY_HOPS", value, expected)
    if not 1 <= value <= MAX_ELEMENTS:
        raise ConfigurationError("TRUSTED_PROXY_HOPS", value, expected)
    return value


def _read_secrets(name: Any, value: Any) -> tuple[str | None, tuple[str, ...]]:
    option, secret_option = "TRUSTED_PROXY_SECRET_HEADER", "TRUSTED_PROXY_SECRETS"
    # A secret is never shown, not even a wrong one; that there is none can be.
    hidden = "<secret>"
    shown = None if value is None else hidden
    try:
        secrets = split_entries(value, secret_option)
    except ConfigurationError as error:
        raise ConfigurationError(secret_option, shown, error.expected) from None
    for i, secret in enumerate(secrets):
        if (
            not isinstance(secret, str)
            or not secret.strip()
            or secret != secret.strip()
            or not (secret.isascii() and secret.isprintable())
        ):
            raise ConfigurationError(
                f"{secret_option}[{i}]",
                hidden,
                "a string of printable ASCII without blanks around it",
            )
    if name is None:
        if secrets:
            raise ConfigurationError(
                option, name, "set, though TRUSTED_PROXY_SECRETS is"
            )
        return None, ()
    # Validates the name, as for a header of one's own.
    if not isinstance(name, str):
        raise ConfigurationError(option, name, "a header's name")
    try:
        ProxyHeader(name, Category.OTHER, Form.NEVER)
    except ConfigurationError as error:
        raise ConfigurationError(option, name, error.expected) from None
    if not secrets:
        raise ConfigurationError(
            secret_option, (), "set, though TRUSTED_PROXY_SECRET_HEADER is"
        )
    return name, tuple(secrets)


def _read_choice(option: str, value: Any, choices: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in choices:
        words = " or ".join(repr(choice) for choice in choices)
        raise ConfigurationError(option, value, words + nearest(str(value), choices))
    return value


def _read_flag(option: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ConfigurationError(option, value, "True or False")
    return value
