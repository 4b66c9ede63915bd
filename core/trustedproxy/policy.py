"""
The face of the project: a policy, validated and compiled once.

In:  keyword arguments, settings, environment variables, a preset, Apache directives.
Out: `ProxyPolicy`, which decides, applies and explains, and raises no more.

`policy_options` validates what it is made of, `rules` decides, `wsgi` and `asgi` read
and write; here the three steps of every request stand: read, decide, write.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from importlib import import_module
from logging import DEBUG, root
from typing import TYPE_CHECKING, Any

from . import advice, events
from .asgi import CHAINS, HOST, ScopeSurface, is_rewritten, spell_name
from .decision import DECISION_KEY, REPORT_KEY, Connection
from .decision_log import log_at_debug, log_decision
from .log import logger, warn_once
from .policy_options import PolicyOptions, read_policy_options
from .rules import Rules
from .wsgi import EnvironSurface

if TYPE_CHECKING:
    from ._types import Environ, Scope, SettingsMapping
    from .decision import Decision
    from .headers import ProxyHeader
    from .networks import NetworkEntry
    from .policy_options import Malformed, Missing, Strip


# Without slots, with which a name that it has not could not be refused in plain words.
@dataclass(frozen=True, init=False, repr=False)
class ProxyPolicy(PolicyOptions):
    """
    Whom to trust, and what: the rules of docs/rules.md, compiled.

    All arguments are keywords, and the same as the settings of docs/settings.md.
    A list may also be one string, separated by blanks or commas.  A policy cannot be
    changed; two with equal arguments are equal.

    Args:
        headers: The trusted headers: names, or `ProxyHeader` for custom ones.

        proxies:
            Addresses and networks of the proxies, ``unix``, names of networks, or
            ``file:PATH``; ``"*"``: every peer; an empty list: nobody.

        hops: How many elements from the right the operator's own proxies wrote.

        secret_header: The header that the proxy sets to one of *secrets*.

        secrets: The secrets, several for rotation.

        strip: ``"listed"``, or ``"all"`` to remove every known header but winners.

        malformed: ``"ignore"``, or ``"reject"`` for 400.

        missing: ``"ignore"``, or ``"reject"`` to answer 400 to unknown clients.

        port_in_host: Whether a trusted port is written into the host.

        strip_mount_point: Whether the mount point is taken off the path.

        report_only: Whether decisions are only logged.

        fixed_scheme: ``http`` or ``https``, where no header says it.

        fixed_host: A host, with a port or without, where no header says it.

        fixed_port: A port, where no header says it.

        fixed_mount_point: The URL path of the application, where no header says it.

        preset: The name of the preset that the others were taken from.

    Raises:
        ConfigurationError:
            A value is wrong, two contradict each other, or nothing says whom to trust.

    Source: ``WSGITrustedProxyHeaders`` and ``WSGITrustedProxies`` of mod_wsgi.
    """

    #: The rules, compiled.
    rules: Rules = field(compare=False)
    _environs: EnvironSurface = field(compare=False)
    _scopes: ScopeSurface = field(compare=False)

    def __init__(
        self,
        *,
        headers: Sequence[str | ProxyHeader] | str = (),
        proxies: Sequence[NetworkEntry] | str | None = None,
        hops: int | None = None,
        secret_header: str | None = None,
        secrets: Sequence[str] | str = (),
        strip: Strip = "listed",
        malformed: Malformed = "ignore",
        missing: Missing = "ignore",
        port_in_host: bool = False,
        strip_mount_point: bool = False,
        report_only: bool = False,
        fixed_scheme: str | None = None,
        fixed_host: str | None = None,
        fixed_port: int | str | None = None,
        fixed_mount_point: str | None = None,
        preset: str | None = None,
    ) -> None:
        options = read_policy_options(
            headers=headers,
            proxies=proxies,
            hops=hops,
            secret_header=secret_header,
            secrets=secrets,
            strip=strip,
            malformed=malformed,
            missing=missing,
            port_in_host=port_in_host,
            strip_mount_point=strip_mount_point,
            report_only=report_only,
            fixed_scheme=fixed_scheme,
            fixed_host=fixed_host,
            fixed_port=fixed_port,
            fixed_mount_point=fixed_mount_point,
            preset=preset,
        )
        rules = Rules(options)
        strip_path = options.strip_mount_point
        from_left = options.networks is None and options.hops is None
        compiled = {
            "rules": rules,
            "_environs": EnvironSurface(rules, strip_path=strip_path),
            "_scopes": ScopeSurface(rules, strip_path=strip_path, from_left=from_left),
        }
        given = {each.name: getattr(options, each.name) for each in fields(options)}
        for name, value in (given | compiled).items():
            # The way to fill a frozen record.
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        names = [header.name for header in self.headers]
        shown = [f"headers={names!r}", f"proxies={self.proxies!r}"]
        for each in fields(PolicyOptions):
            value = getattr(self, each.name)
            apart = each.name in ("headers", "proxies") or not each.repr
            if not apart and value not in (None, False):
                shown.append(f"{each.name}={value!r}")
        return f"ProxyPolicy({', '.join(shown)})"

    @property
    def known_headers(self) -> tuple[ProxyHeader, ...]:
        """Every header that is known, the custom ones among them."""
        return self.rules.known

    @property
    def trusts_every_peer(self) -> bool:
        """Whether anybody who can connect is trusted (rule R4)."""
        return self._trusts_somebody and self.proxies is None and not self.secrets

    @property
    def changes_nothing(self) -> bool:
        """Whether nothing is trusted, stated or removed, so that no request changes."""
        removes = self.strip == "all" or self.secret_header is not None
        return not self._trusts_somebody and not removes

    @property
    def _trusts_somebody(self) -> bool:
        """Whether a header is trusted or a fact stated, so that a peer has to be."""
        return bool(self.rules.opted_in)

    def rejects(self, decision: Decision) -> bool:
        """Say whether a middleware answers 400; never in report-only mode."""
        return decision.rejected is not None and not self.report_only

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
        key_of = self._scopes.key_of
        keyed = {
            key_of[name.lower()]: value
            for name, value in headers.items()
            if name.lower() in key_of
        }
        # What the connection says of the host counts, as on the surfaces.
        keyed.pop(HOST, None)
        if connection.host is not None:
            keyed[HOST] = connection.host
        own = (
            connection.peer,
            connection.scheme,
            connection.host,
            connection.server,
            connection.port,
            connection.mount_point,
            connection.path,
        )
        rules = self.rules
        layout = rules.layouts[tuple(keyed)]
        return rules.decide(own, connection.peer_is_unix, layout, keyed)

    def apply(self, environ: Environ) -> Decision:
        """
        Decide the request of a WSGI *environ*, and rewrite it in place.

        A request that is rejected is left as a direct one is, without its opted-in
        headers, and the middleware answers; in report-only mode nothing but the
        secret's header is changed.

        Returns:
            The decision, which is also at ``environ["trustedproxy.decision"]``, or at
            ``environ["trustedproxy.report"]`` in report-only mode; the first one, where
            a policy was applied before.
        """
        rules, environs = self.rules, self._environs
        layout = rules.layouts[tuple(environ)]
        keys = layout.server_keys
        if keys.have_decision:
            earlier = self._find_earlier(environ)
            if earlier is not None:
                return earlier
        own, peer_is_unix = environs.read(environ, keys)
        decision = rules.decide(own, peer_is_unix, layout, environ)
        if self.report_only:
            environs.write(dict(environ), keys, decision)
            environs.remove_secret(environ)
            environ[REPORT_KEY] = decision
        else:
            environs.write(environ, keys, decision)
            environ[DECISION_KEY] = decision
        parts = decision.url_parts
        if decision.problems or parts.is_remarkable or self.report_only:
            log_decision(self, rules, decision, environ)
        # The logger's level in force: only the root stands above it.
        if (logger.level or root.level) <= DEBUG:
            log_at_debug(decision)
        if events.listeners:
            events.send(decision, environ)
        if keys.have_proxy_fix:
            warn_once("proxy-fix", advice.PROXY_FIX)
        return decision

    def apply_scope(self, scope: Scope) -> tuple[Decision, Scope]:
        """
        Decide the request of an ASGI *scope*; the scope given is not changed.

        Returns:
            The decision and the scope to go on with, whose ``headers`` are a list of
            its own, and in which the decision is, as in an environ.
        """
        if DECISION_KEY in scope or REPORT_KEY in scope:
            earlier = self._find_earlier(scope)
            if earlier is not None:
                return earlier, scope
        lines = scope.get("headers") or ()
        if not isinstance(lines, (list, tuple)):
            # It may be one that can be gone through only once.
            scope = {**scope, "headers": list(lines)}
        rules, scopes = self.rules, self._scopes
        own, peer_is_unix, headers = scopes.read(scope)
        layout = rules.layouts[tuple(headers)]
        decision = rules.decide(own, peer_is_unix, layout, headers)
        written = scopes.write(scope, headers, decision)
        if self.report_only:
            written = scopes.remove_secret(scope)
            written[REPORT_KEY] = decision
        else:
            written[DECISION_KEY] = decision
        parts = decision.url_parts
        if decision.problems or parts.is_remarkable or self.report_only:
            log_decision(self, rules, decision, headers)
        if (logger.level or root.level) <= DEBUG:
            log_at_debug(decision)
        if events.listeners:
            events.send(decision, written)
        if is_rewritten(scope, map(headers.get, CHAINS)):
            warn_once("rewritten-client", advice.REWRITTEN_BY_SERVER)
        return decision, written

    def _find_earlier(self, holder: Environ | Scope) -> Decision | None:
        """Find the decision of a policy that was applied before (R16)."""
        earlier: Decision | None = holder.get(DECISION_KEY)
        if earlier is None and self.report_only:
            earlier = holder.get(REPORT_KEY)
        if earlier is not None:
            warn_once("decided-twice", advice.DECIDED_TWICE)
        return earlier

    def read_connection(self, environ: Environ) -> Connection:
        """Read what a WSGI server says by itself, as `apply` reads it."""
        keys = self.rules.layouts[tuple(environ)].server_keys
        own, peer_is_unix = self._environs.read(environ, keys)
        return Connection(*own, peer_is_unix)

    def read_scope(self, scope: Scope) -> tuple[Connection, dict[str, str]]:
        """
        Read what an ASGI server says by itself, as `apply_scope` reads it.

        Returns:
            The connection; and the headers that are read, name in lower case → value.
        """
        own, peer_is_unix, headers = self._scopes.read(scope)
        named = {spell_name(key): text for key, text in headers.items()}
        return Connection(*own, peer_is_unix), named

    def rewrite(self, environ: Environ, decision: Decision) -> dict[str, Any]:
        """
        Write a *decision* into *environ*, a copy of its own, as `apply` does.

        Nothing is logged, and the decision is not left there.

        Returns:
            Variable → its value before, for what was replaced or removed.
        """
        written = replace(decision, original={})
        keys = self.rules.layouts[tuple(environ)].server_keys
        self._environs.write(environ, keys, written)
        return written.original

    def explain(self, environ: Environ) -> str:
        """
        Explain step by step, in words, what `apply` would do to *environ*.

        The same rules run on a copy; the environ is not changed.  One that a policy was
        applied to before is explained as that left it, and the text begins with that.
        """
        # By its name: it stands on everything else, and only those who ask need it.
        explaining = import_module("trustedproxy.explain")
        return str(explaining.write_text(explaining.explain_environ(self, environ)))

    @classmethod
    def from_mapping(cls, mapping: SettingsMapping) -> ProxyPolicy:
        """
        Make a policy of settings by their names (docs/settings.md).

        Names that are not ours are not looked at; of ours, those that a policy alone
        does not use are logged.
        """
        # Here and below: every feature's settings, for those alone who have any.
        from .option_table import select_settings, unused_names

        given = select_settings(mapping)
        for name in unused_names(given):
            warn_once(f"unused:{name}", _UNUSED, name)
        return make_policy(given)

    @classmethod
    def from_env(cls, environment: Mapping[str, str] | None = None) -> ProxyPolicy:
        """Make a policy of environment variables, by default the process's own."""
        from .option_table import read_environment

        given = os.environ if environment is None else environment
        return cls.from_mapping(read_environment(given))

    @classmethod
    def from_preset(cls, name: str, **overrides: Any) -> ProxyPolicy:
        """
        Make a policy of the preset *name* (docs/platforms.md).

        Args:
            name: The name of a platform.

            overrides: Arguments that take the place of the preset's.
        """
        # Their data are read only by those who ask for one.
        from .presets import arguments_of

        return cls(**arguments_of(name, overrides), preset=name)

    @classmethod
    def from_mod_wsgi(cls, text: str) -> ProxyPolicy:
        """
        Make a policy of Apache directives or mod_wsgi-express options.

        Source: ``WSGITrustedProxyHeaders``, ``WSGITrustedProxies``,
        ``--trust-proxy-header``, ``--trust-proxy``.
        """
        # Apache's directives, and only for those who come from there.
        from .mod_wsgi import parse_mod_wsgi

        return cls.from_mapping(parse_mod_wsgi(text))


def make_policy(given: Mapping[str, Any]) -> ProxyPolicy:
    """Make the policy of the settings that are the policy's, by their names."""
    from .option_table import OPTIONS

    arguments = {
        option.argument: given[option.name]
        for option in OPTIONS
        if option.argument is not None and option.name in given
    }
    preset = arguments.pop("preset", None)
    if preset is None:
        return ProxyPolicy(**arguments)
    return ProxyPolicy.from_preset(preset, **arguments)


_UNUSED = (
    "%s is set, and a policy alone does not use it: read it with "
    "trustedproxy.read_settings(), environment variables with "
    "read_settings(read_environment(os.environ)) of trustedproxy.settings, mod_wsgi's "
    "with read_settings(parse_mod_wsgi(text)) of trustedproxy.mod_wsgi"
)
