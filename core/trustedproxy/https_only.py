"""
HTTPS only: redirect plain HTTP, and tell browsers to stay with HTTPS (HSTS).

In:  the facts of a request, read after the trusted headers were applied, so that the
     scheme is the client's and not the last hop's.
Out: an `Answer` instead of the application's, or ``None``; and the value of
     ``Strict-Transport-Security`` for the answers to secure requests.

`HTTPSOnly` decides, without any I/O but its log; `read_environ` and `read_scope` make
the facts; the two middlewares are thin shells around them.  A framework with a rule of
its own about hosts puts the host it validated into the facts, or says it refused it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, unquote_to_bytes, urlsplit

from .exceptions import ConfigurationError
from .headers import KNOWN_HEADERS, Category, environ_key
from .hsts import HSTSPolicy
from .networks import TrustedNetworks
from .notices import shorten, tell, tell_once
from .values import parse_port_text, split_host
from .wsgi import DECISION_KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ._types import (
        ASGIApp,
        Environ,
        Message,
        Receive,
        Scope,
        Send,
        StartResponse,
        WSGIApp,
    )
    from .decision import Decision
    from .networks import NetworkEntry
    from .policy import ProxyPolicy

    ExemptEntry = str | NetworkEntry

HOST = "TRUSTED_PROXY_HTTPS_HOST"
STATUS = "TRUSTED_PROXY_HTTPS_STATUS"
EXEMPT = "TRUSTED_PROXY_HTTPS_EXEMPT"
ALLOWED_HOSTS = "allowed_hosts"

HSTS_HEADER = "Strict-Transport-Security"

#: Status for GET and HEAD → status for all others, whose method and body are kept
#: (RFC 9110 sections 15.4.8 and 15.4.9).
STATUSES = {301: 308, 302: 307, 307: 307, 308: 308}

_SECURE = frozenset({"https", "wss"})
_DEFAULT_PORT = "443"

#: Names by which a proxy may say the scheme.
SCHEME_HEADERS = tuple(
    header.name for header in KNOWN_HEADERS if Category.SCHEME in header.categories
)
_SCHEME_KEYS = tuple((name, environ_key(name)) for name in SCHEME_HEADERS)
_SCHEME_NAMES = {name.lower().encode("ascii"): name for name in SCHEME_HEADERS}

# Where servers keep the request target as it was sent (docs/servers.md).
_RAW_TARGETS = ("RAW_URI", "REQUEST_URI")

# RFC 3986 section 3.3: pchar and "/", which need no quoting in a path.
_PATH_SAFE = "/:@!$&'()*+,;=-._~"
# What stays byte for byte of a target as sent: everything visible but "#", which is
# no part of a target (RFC 9112 section 3.2) and which servers do not agree on.
_VISIBLE = bytes(range(0x21, 0x7F)).replace(b"#", b"")
_AS_SENT = re.compile(b"[" + re.escape(_VISIBLE) + b"]*")
_NEVER_SENT = re.compile(rb"[\x00-\x1f\x7f#]")
_DOT_SEGMENT = re.compile(rb"/\.{1,2}(?:/|\Z)")


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """
    What is known of one request, after the trusted headers were applied.

    Attributes:
        scheme: The scheme of the client's connection: https and wss are secure.

        method: The method, as it came.

        host: The ``Host`` header, or the host that a framework made of it.

        peer: The other end of the connection, as the server reported it.

        mount_point: The mount point, percent-encoding undone.

        path: The path below the mount point, percent-encoding undone.

        raw_path: The path as it was sent, or ``None`` where the server keeps none.

        query: The query as it was sent; ``None`` where there is none.

        decided: Whether a policy was applied to the request.

        believed: Whether that policy believed the peer.

        forwarded: Whether a trusted header was used for anything.

        scheme_header: Name of the trusted header that said the scheme.

        ignored_header: Name of a scheme header that was sent and not believed.

        websocket: Whether it is the handshake of a websocket.

        host_refused: Whether the framework refuses the host.

        source: The environ or the scope, for a policy that only looks on (shadow).
    """

    scheme: str
    method: str = "GET"
    host: str | None = None
    peer: str | None = None
    mount_point: bytes = b""
    path: bytes = b"/"
    raw_path: bytes | None = None
    query: bytes | None = None
    decided: bool = False
    believed: bool = False
    forwarded: bool = False
    scheme_header: str | None = None
    ignored_header: str | None = None
    websocket: bool = False
    host_refused: bool = False
    source: Environ | Scope | None = field(default=None, repr=False, compare=False)

    @property
    def secure(self) -> bool:
        """Whether the client's connection is HTTPS."""
        return is_secure(self.scheme)


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What is answered instead of the application.

    Attributes:
        status: The status code.

        headers: Names and values.

        body: ASCII text; empty for HEAD.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def status_line(self) -> str:
        """Status code and phrase, as WSGI wants them."""
        return f"{self.status} {HTTPStatus(self.status).phrase}"

    @property
    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        """The headers as ASGI wants them."""
        return [
            (name.lower().encode("ascii"), value.encode("ascii"))
            for name, value in self.headers
        ]


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

        shadow:
            Only log what would be answered, and send nothing of HSTS. The policy that
            is in shadow mode, too, tells what the scheme would be.

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
        shadow: ProxyPolicy | bool = False,
    ) -> None:
        self.host = host
        self.status = _compile_status(status)
        self.exempt = _split_list(exempt)
        self.hsts = HSTSPolicy.parse(hsts) if isinstance(hsts, str) else hsts
        self.allowed_hosts = (
            None if allowed_hosts is None else _split_list(allowed_hosts)
        )
        self.shadow = bool(shadow)
        self._looking_on = None if isinstance(shadow, bool) else shadow
        self._target_name, self._target_port = _compile_host(host)
        self._patterns = [
            _compile_pattern(entry, f"{EXEMPT}[{i}]")
            for i, entry in enumerate(self.exempt)
            if isinstance(entry, str) and entry.startswith("/")
        ]
        self._networks = _compile_networks(self.exempt)
        self._allowed = (
            None
            if self.allowed_hosts is None
            else [
                _compile_allowed(entry, f"{ALLOWED_HOSTS}[{i}]")
                for i, entry in enumerate(self.allowed_hosts)
            ]
        )
        self._hsts_text = None if self.hsts is None else str(self.hsts)

    def answer(self, facts: RequestFacts) -> Answer | None:
        """
        Answer a request that may not reach the application.

        Returns:
            ``None`` for a secure or an exempt request; a redirect to HTTPS; 403 for a
            websocket; 400 for a host that is refused and for a target that is no path.
        """
        if self.shadow:
            self._tell_shadow(_look_on(self._looking_on, facts))
            return None
        if facts.secure or self.exempts(facts):
            return None
        answer = self._answer_plain(facts)
        _tell_loop(facts)
        return answer

    def _tell_shadow(self, facts: RequestFacts) -> None:
        if not facts.secure and not self.exempts(facts):
            tell(
                "https-only-shadow",
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
        if self._hsts_text is None or not secure or self.shadow or not host:
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
        reads = facts.method in ("GET", "HEAD")
        return _answer(
            self.status if reads else STATUSES[self.status],
            "This site is reached over HTTPS only.\n",
            ("Location", f"https://{authority}{target}"),
            empty=facts.method == "HEAD",
        )

    def _find_authority(self, facts: RequestFacts) -> str | None:
        """Say where to redirect to; ``None`` where the host is missing or refused."""
        if facts.host_refused:
            return None
        name = self._target_name
        if facts.host:
            split = split_host(facts.host)
            if split is None or not self._allows(split[0]):
                return None
            name = name or split[0]
        if name is None:
            return None
        return f"{name}:{self._target_port}" if self._target_port else name

    def _allows(self, name: str) -> bool:
        if self._allowed is None:
            return True
        name = _fold(name)
        return any(
            entry in ("*", name)
            or (entry.startswith(".") and f".{name}".endswith(entry))
            for entry in self._allowed
        )


def is_secure(scheme: object) -> bool:
    """Say whether *scheme* is https or wss, in any case."""
    return isinstance(scheme, str) and scheme.lower() in _SECURE


def build_target(
    mount_point: bytes, path: bytes, raw_path: bytes | None, query: bytes | None
) -> str | None:
    """
    Write mount point, path and query as they stand in a URL.

    The raw path stays byte for byte, but for blanks and bytes outside of ASCII, which
    no URL has and which are quoted. The mount point goes in front, unless the raw path
    begins with it at a segment boundary.

    Returns:
        The text, from a slash on; ``None`` where the target is no path, or has a
        control character or a ``#``.
    """
    if path and not path.startswith(b"/"):
        return None
    mount_point = mount_point.rstrip(b"/")
    if raw_path is None:
        whole: str | None = quote(mount_point + path, safe=_PATH_SAFE) or "/"
    elif not raw_path.startswith(b"/"):
        return None
    else:
        whole = _keep(raw_path)
        if whole is not None and not _begins_with(raw_path, mount_point):
            whole = quote(mount_point, safe=_PATH_SAFE) + whole
    if whole is None or not whole.startswith("/"):
        return None
    if query is None:
        return whole
    kept = _keep(query)
    return None if kept is None else f"{whole}?{kept}"


def _keep(raw: bytes) -> str | None:
    if _AS_SENT.fullmatch(raw):
        return raw.decode("ascii")
    if _NEVER_SENT.search(raw):
        return None
    return quote(raw, safe=_VISIBLE)


def _begins_with(raw_path: bytes, mount_point: bytes) -> bool:
    """Compare by segments, percent-encoding undone: ``/%6d/x`` is below ``/m``."""
    if not mount_point:
        return True
    # mod_wsgi runs slashes together before it looks for the mount point.
    segments = raw_path.lstrip(b"/").split(b"/")
    wanted = mount_point.lstrip(b"/").split(b"/")
    return [unquote_to_bytes(s) for s in segments[: len(wanted)]] == wanted


def _answer(
    status: int, text: str, *headers: tuple[str, str], empty: bool = False
) -> Answer:
    body = text.encode("ascii")
    return Answer(
        status,
        (
            *headers,
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(body))),
        ),
        b"" if empty else body,
    )


_NO_STORE = ("Cache-Control", "no-store")
BAD_HOST = _answer(400, "The host of this request is not known here.\n", _NO_STORE)
BAD_TARGET = _answer(400, "The target of this request is not a path.\n", _NO_STORE)
FORBIDDEN = _answer(403, "Websockets are reached over wss only.\n", _NO_STORE)


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


def _tell_loop(facts: RequestFacts) -> None:
    """Tell why a request that came over HTTPS may look plain; the README begins so."""
    if facts.believed and facts.scheme_header is None:
        tell(
            "https-only-loop",
            None,
            "HTTPS only answers plain HTTP from the trusted proxy %s, in which no "
            "trusted header says the scheme. If that proxy ends TLS, browsers are "
            "redirected for ever: add the scheme header that it sends, such as "
            "X-Forwarded-Proto, to TRUSTED_PROXY_HEADERS, and see that it sends it.",
            shorten(facts.peer),
        )
    elif facts.believed or facts.ignored_header is None:
        return
    elif facts.decided:
        tell(
            "https-only-stranger",
            None,
            "HTTPS only answers plain HTTP from the peer %s, whose %s is not believed. "
            "If that is a proxy of yours, browsers are redirected for ever: add it to "
            "TRUSTED_PROXIES.",
            shorten(facts.peer),
            facts.ignored_header,
        )
    else:
        tell(
            "https-only-undecided",
            None,
            "HTTPS only answers plain HTTP with the header %s, and no policy was "
            "applied before. If a proxy ends TLS, browsers are redirected for ever: "
            "put the trusted proxy middleware around this one, and the header into "
            "TRUSTED_PROXY_HEADERS.",
            facts.ignored_header,
        )


def _tell_open(rules: HTTPSOnly) -> None:
    """Tell that nothing limits the host of a redirect, where no framework does."""
    if rules._target_name is None and rules.allowed_hosts is None:
        tell_once(
            "https-only-open",
            "HTTPS only redirects to whatever host a request names: name the site's "
            "host (%s, or host=), or its hosts (allowed_hosts=).",
            HOST,
        )


# Compiling: the last place that may raise.


def _split_list(value: Sequence[ExemptEntry] | str) -> tuple[ExemptEntry, ...]:
    """Take a list, or its entries in one text between blanks or commas."""
    if isinstance(value, str):
        return tuple(value.replace(",", " ").split())
    return tuple(value)


def _compile_status(status: object) -> int:
    if type(status) is not int or status not in STATUSES:
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
        raise ConfigurationError(HOST, host, expected + _name_nearest(host))
    return name, None if port == _DEFAULT_PORT else port


def _name_nearest(host: str) -> str:
    """Name the host inside of a URL that was given instead of it."""
    try:
        inside = urlsplit(host).netloc
    except ValueError:
        inside = ""
    return f" (the nearest is {inside!r})" if split_host(inside) else ""


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


def _compile_allowed(entry: object, option: str) -> str:
    if entry == "*":
        return "*"
    if isinstance(entry, str):
        dot = "." if entry.startswith(".") else ""
        split = split_host(entry.removeprefix("."))
        if split is not None:
            return dot + _fold(split[0])
    raise ConfigurationError(
        option, entry, "a host such as www.example.com, or .example.com for all below"
    )


def _fold(name: str) -> str:
    """Spell a host's name so that equal names are equal: case and final dot."""
    return name.lower().removesuffix(".")


def _is_address(name: str) -> bool:
    """Say whether browsers take a host for an IP address: its last part is a number."""
    if name.startswith("["):
        return True
    last = name.removesuffix(".").rpartition(".")[2].lower()
    return last.isdigit() or re.fullmatch("0x[0-9a-f]*", last) is not None


# Reading: what the two surfaces say.


def read_environ(environ: Environ) -> RequestFacts:
    """Read the facts of a WSGI request, after a policy was applied to *environ*."""
    decision: Decision | None = environ.get(DECISION_KEY)
    raw_path, query = None, None
    for key in _RAW_TARGETS:
        if raw := environ.get(key):
            raw_path, mark, after = _encode(raw).partition(b"?")
            query = after if mark else None
            break
    sent = [name for name, key in _SCHEME_KEYS if key in environ]
    return _make_facts(
        environ,
        decision,
        sent,
        scheme=environ.get("wsgi.url_scheme", "http"),
        method=environ.get("REQUEST_METHOD", "GET"),
        host=environ.get("HTTP_HOST"),
        peer=environ.get("REMOTE_ADDR"),
        mount_point=_encode(environ.get("SCRIPT_NAME", "")),
        path=_encode(environ.get("PATH_INFO", "")),
        raw_path=raw_path,
        query=query or _encode(environ.get("QUERY_STRING", "")) or query,
    )


def read_scope(scope: Scope) -> RequestFacts:
    """Read the facts of an ASGI connection (http or websocket)."""
    websocket = scope["type"] == "websocket"
    sent = [
        _SCHEME_NAMES[name.lower()]
        for name, _ in scope.get("headers", ())
        if name.lower() in _SCHEME_NAMES
    ]
    path = scope.get("path", "/").encode("utf-8", "surrogatepass")
    mount_point = scope.get("root_path", "").encode("utf-8", "surrogatepass")
    mount_point = mount_point.rstrip(b"/")
    # The path contains the mount point, unless the server leaves that to the proxy.
    below = path.removeprefix(mount_point)
    if below == b"" or below.startswith(b"/"):
        path = below
    raw = scope.get("raw_path")
    client = scope.get("client")
    return _make_facts(
        scope,
        scope.get(DECISION_KEY),
        sent,
        scheme=scope.get("scheme", "ws" if websocket else "http"),
        method=scope.get("method", "GET"),
        host=_read_host(scope),
        peer=client[0] if client else None,
        mount_point=mount_point,
        path=path,
        raw_path=raw.partition(b"?")[0] if raw else None,
        query=scope.get("query_string") or None,
        websocket=websocket,
    )


def _read_host(scope: Scope) -> str | None:
    """Read the ``Host`` header; several lines make a text that is no host."""
    hosts = [
        value.decode("latin-1")
        for name, value in scope.get("headers", ())
        if name.lower() == b"host"
    ]
    return ",".join(hosts) if hosts else None


def _make_facts(
    source: Environ | Scope,
    decision: Decision | None,
    sent: Sequence[str],
    *,
    scheme: str,
    method: str,
    host: str | None,
    peer: str | None,
    mount_point: bytes,
    path: bytes,
    raw_path: bytes | None,
    query: bytes | None,
    websocket: bool = False,
) -> RequestFacts:
    if decision is not None:
        peer = decision.peer
        sent = [name for name in decision.removed if name in SCHEME_HEADERS]
    return RequestFacts(
        scheme=scheme,
        method=method,
        host=host,
        peer=peer,
        mount_point=mount_point,
        path=path,
        raw_path=raw_path,
        query=query,
        decided=decision is not None,
        believed=decision is not None and decision.believed,
        forwarded=decision is not None and bool(decision.winners),
        scheme_header=decision.winners.get(Category.SCHEME) if decision else None,
        ignored_header=sent[0] if sent else None,
        websocket=websocket,
        source=source,
    )


def _encode(text: str) -> bytes:
    """Take the bytes out of a WSGI text (PEP 3333); a broken server's stay readable."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


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


# The shells.


class HTTPSOnlyMiddleware:
    """
    HTTPS only for a WSGI application; it goes inside of the trusted proxy middleware.

    Args:
        app: The application.

        hsts, host, status, exempt, allowed_hosts: As for `HTTPSOnly`.

    Raises:
        ConfigurationError: An argument cannot be meant; it names the setting.
    """

    def __init__(
        self,
        app: WSGIApp,
        *,
        hsts: HSTSPolicy | str | None = None,
        host: str | None = None,
        status: int = 301,
        exempt: Sequence[ExemptEntry] | str = (),
        allowed_hosts: Sequence[str] | str | None = None,
    ) -> None:
        self._serve(app, HTTPSOnly(host, status, exempt, hsts, allowed_hosts))

    @classmethod
    def from_rules(cls, app: WSGIApp, rules: HTTPSOnly) -> HTTPSOnlyMiddleware:
        """Wrap *app* in *rules* that are compiled already, as `Settings` has them."""
        middleware = cls.__new__(cls)
        middleware._serve(app, rules)
        return middleware

    def _serve(self, app: WSGIApp, rules: HTTPSOnly) -> None:
        self.app = app
        self.rules = rules
        _tell_open(rules)

    def __call__(
        self, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        if not is_secure(environ.get("wsgi.url_scheme")):
            answer = self.rules.answer(read_environ(environ))
            if answer is not None:
                start_response(answer.status_line, list(answer.headers))
                return [answer.body]
        else:
            value = self.rules.hsts_value(environ.get("HTTP_HOST"), True)
            if value is not None:
                start_response = add_hsts(start_response, value)
        return self.app(environ, start_response)


def add_hsts(start_response: StartResponse, value: str) -> StartResponse:
    """Wrap *start_response* so that the header is there, unless it was set already."""

    def start_with_hsts(
        status: str, headers: list[tuple[str, str]], *exc_info: object
    ) -> Callable[[bytes], object]:
        if not any(name.lower() == HSTS_HEADER.lower() for name, _ in headers):
            headers = [*headers, (HSTS_HEADER, value)]
        return start_response(status, headers, *exc_info)

    return start_with_hsts


class HTTPSOnlyASGIMiddleware:
    """
    HTTPS only for an ASGI application: http and websocket, anything else passes.

    Args:
        app: The application.

        hsts, host, status, exempt, allowed_hosts: As for `HTTPSOnly`.

    Raises:
        ConfigurationError: An argument cannot be meant; it names the setting.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        hsts: HSTSPolicy | str | None = None,
        host: str | None = None,
        status: int = 301,
        exempt: Sequence[ExemptEntry] | str = (),
        allowed_hosts: Sequence[str] | str | None = None,
    ) -> None:
        self._serve(app, HTTPSOnly(host, status, exempt, hsts, allowed_hosts))

    @classmethod
    def from_rules(cls, app: ASGIApp, rules: HTTPSOnly) -> HTTPSOnlyASGIMiddleware:
        """Wrap *app* in *rules* that are compiled already, as `Settings` has them."""
        middleware = cls.__new__(cls)
        middleware._serve(app, rules)
        return middleware

    def _serve(self, app: ASGIApp, rules: HTTPSOnly) -> None:
        self.app = app
        self.rules = rules
        _tell_open(rules)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        if not is_secure(scope.get("scheme")):
            answer = self.rules.answer(read_scope(scope))
            if answer is not None:
                await send_answer(answer, scope, receive, send)
                return
        elif scope["type"] == "http":
            value = self.rules.hsts_value(_read_host(scope), True)
            if value is not None:
                send = add_hsts_message(send, value)
        await self.app(scope, receive, send)


def add_hsts_message(send: Send, value: str) -> Send:
    """Wrap *send* so that the header is there, unless the application set it."""
    name = HSTS_HEADER.lower().encode("ascii")

    async def send_with_hsts(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))
            if not any(key.lower() == name for key, _ in headers):
                headers.append((name, value.encode("ascii")))
            message = {**message, "headers": headers}
        await send(message)

    return send_with_hsts


async def send_answer(
    answer: Answer, scope: Scope, receive: Receive, send: Send
) -> None:
    """
    Send *answer* to an http request or to the handshake of a websocket.

    A server without the extension ``websocket.http.response`` answers 403 by itself
    when a handshake is closed before it was accepted.
    """
    kind = "http"
    if scope["type"] == "websocket":
        await receive()  # websocket.connect
        if "websocket.http.response" not in (scope.get("extensions") or {}):
            await send({"type": "websocket.close", "code": 1008})
            return
        kind = "websocket.http"
    await send(
        {
            "type": f"{kind}.response.start",
            "status": answer.status,
            "headers": answer.raw_headers,
        }
    )
    await send({"type": f"{kind}.response.body", "body": answer.body})
