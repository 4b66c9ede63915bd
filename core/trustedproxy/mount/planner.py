"""
Plan both directions of a proxied request: pure, so that it can be tried in a REPL.

In:  the mount points, the head of a request, what the policy decided about it; later
     the head of the backend's response.
Out: the request for the backend and the head for the client, or an `Answer` that is
     made here: the redirect to the final slash, and what must not reach a backend.

The shells in `wsgi` and `asgi` move the bytes, and hold no opinion about them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from .._grammar import MOUNT_POINT, TOKEN
from ..addresses import parse_hop
from ..exceptions import ConfigurationError
from ..headers import KNOWN_HEADERS, Category
from ..values import DEFAULT_PORTS, parse_scheme, parse_server, split_host

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ..decision import Connection, Decision
    from ..policy import ProxyPolicy

#: What to type where the extra is missing.
MISSING_EXTRA = (
    "Proxy mount points need {}, which is not installed: "
    'pip install "trustedproxy[mount]"'
)

OPTION = "TRUSTED_PROXY_MOUNT_POINTS"

#: Bytes that are read at once, and the most of a body that is ever in memory.
BLOCK = 64 * 1024

Headers = list[tuple[str, str]]

# RFC 3986 section 3.3, path-abempty: segments of pchar, here never empty ones, since
# servers disagree about "//".
_PATH = re.compile(r"(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+)*/?")
# Apache's spelling of a backend behind a unix socket, and of any other.
_URL = re.compile(
    r"(?:unix:(?P<socket>/[^|\x00-\x1f\x7f]+)\|)?"
    r"(?P<scheme>https?)://(?P<authority>[^/?#]+)(?P<path>/[^?#]*)?"
)
_METHOD = re.compile(TOKEN)
_NAME = re.compile(TOKEN)
# What mod_wsgi lets through, too: an underscore collides with a hyphen in CGI naming,
# and no header in use has anything else.
_PLAIN_NAME = re.compile(r"[A-Za-z0-9-]+")
_LENGTH = re.compile(r"[0-9]{1,18}")
# RFC 9110 section 5.5: no control character but the tab; and what no header can hold.
_NOT_IN_VALUE = re.compile(r"[^\t\x20-\x7e\x80-\xff]")
# RFC 9112 section 5.2: obs-fold, which a proxy may replace by a blank.
_FOLD = re.compile(r"[ \t]*\r?\n[ \t]+")
_NOT_IN_TARGET = re.compile(r"[\x00-\x20\x7f]|[^\x00-\xff]")
_SEPARATORS = re.compile(r"[/\\]")
_QUOTED_SLASH = re.compile(r"%2[fF]")

# Kept as it came; everything else is percent-encoded (RFC 3986 section 2.1).
_PATH_SAFE = "!\"$%&'()*+,/:;<=>@[\\]^`{|}"
_QUERY_SAFE = _PATH_SAFE + "?"

# RFC 9110 section 7.6.1, with what older proxies meant for one connection only.
HOP_BY_HOP = frozenset(
    {
        "connection",
        "http2-settings",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authentication-info",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
# `Host` and the framing are made anew, `Expect` is between the client and its server,
# and `Proxy` becomes HTTP_PROXY in a CGI environ (httpoxy).
_NOT_TO_BACKEND = frozenset({"host", "content-length", "expect", "proxy"})
# The server in front says these by itself; two of either would contradict each other.
_NOT_TO_CLIENT = frozenset({"date", "server"})
# Each end of a tunnel makes its own.
_HANDSHAKE = frozenset(
    {
        "sec-websocket-accept",
        "sec-websocket-extensions",
        "sec-websocket-key",
        "sec-websocket-protocol",
        "sec-websocket-version",
    }
)
_KNOWN = frozenset(header.name.lower() for header in KNOWN_HEADERS)
#: Response headers that hold one URL (RFC 9110 sections 10.2.2, 8.7; RFC 2068).
_URL_HEADERS = frozenset({"location", "content-location", "uri"})

# "http://host" or "//host", and what follows.
_ABSOLUTE = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?//([^/?#\\]*)(.*)", re.DOTALL)
_AFTER_PATH = re.compile(r"[?#]")
# HTML's Refresh: seconds, then a URL, named or not, quoted or not.
_REFRESH = re.compile(
    r"(\s*[0-9.]+\s*[;,]\s*(?:url\s*=\s*)?)(['\"]?)(.*?)(\2\s*)",
    re.IGNORECASE | re.DOTALL,
)


class BackendError(Exception):
    """
    A backend did not do what it should.

    Args:
        status: 502, or 504 where it took too long.

        why: What happened, for the log.
    """

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(status, why)
        self.status = status
        self.why = why

    def __str__(self) -> str:
        return self.why


@dataclass(frozen=True, slots=True)
class MountPoint:
    """
    One row of the mapping, compiled.

    Attributes:
        path: The URL path, without its final slash: ``/blog``, or ``""`` for ``/``.

        segments: The segments of the path; none for ``/``.

        url: The backend's URL as it was given.

        scheme: ``http`` or ``https``.

        host: The backend's host in lower case, brackets included.

        port: The backend's port.

        base: The path of the backend's URL, without its final slash.

        socket: The path of a unix socket, or ``None``.
    """

    path: str
    segments: tuple[str, ...]
    url: str
    scheme: str
    host: str
    port: int
    base: str
    socket: str | None

    @property
    def authority(self) -> str:
        """The ``Host`` header for the backend: its own name, as mod_wsgi sends it."""
        if str(self.port) == DEFAULT_PORTS[self.scheme]:
            return self.host
        return f"{self.host}:{self.port}"


class Body(Enum):
    """How the body of a request is framed."""

    NONE = "there is none"
    LENGTH = "Content-Length says how long it is"
    CHUNKED = "it is sent in chunks"
    UNDECLARED = "only the server knows, as in HTTP/2"


@dataclass(frozen=True, slots=True)
class RequestHead:
    """
    A request as it came, trusted headers already applied.

    Attributes:
        method: The method.

        path:
            The path below the application's own mount point, percent-encoded as the
            client sent it where the server tells.

        query: The query, without its question mark.

        headers: Names and values, one pair a line.

        ends_chunked: Whether the server itself finds the end of a chunked body.

        undeclared: Whether a body may come that no header announces (HTTP/2).

        websocket: Whether a websocket is asked for.
    """

    method: str
    path: str
    query: str = ""
    headers: Sequence[tuple[str, str]] = ()
    ends_chunked: bool = True
    undeclared: bool = False
    websocket: bool = False


@dataclass(frozen=True, slots=True)
class ClientSide:
    """
    What the client asked for, as far as it is known.

    Attributes:
        forwarded_for: The value of ``X-Forwarded-For`` for the backend.

        scheme: ``http`` or ``https``.

        host: The host with its port, if it names one; ``""`` if it is unusable.

        server: The name of the server, or ``None`` if it is no host's.

        port: The port, as text.

        mount_point: Where the application is mounted, percent-encoded.
    """

    forwarded_for: str
    scheme: str
    host: str
    server: str | None
    port: str
    mount_point: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A response that is made here: no backend was asked, or it gave none."""

    status: int
    reason: str
    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True)
class BackendRequest:
    """
    A request for a backend.

    Attributes:
        mount_point: Which backend.

        client: What the client asked for, to map URLs back.

        prefix: The mount point in the client's URL, the application's own in front.

        method: The method.

        target: Path and query, percent-encoded.

        headers: Names and values, ``Host`` first.

        body: How the body is framed.

        length: The body's length in bytes, where `body` is ``Body.LENGTH``.
    """

    mount_point: MountPoint
    client: ClientSide
    prefix: str
    method: str
    target: str
    headers: Headers
    body: Body
    length: int = 0


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """
    The head of a response for the client.

    Attributes:
        status: The status code.

        reason: The reason phrase, never empty.

        headers: Names and values.

        has_body: Whether a body follows.

        length: The body's length in bytes, or ``None`` where no header tells.
    """

    status: int
    reason: str
    headers: Headers
    has_body: bool
    length: int | None


# Configuration.


def compile_mount_points(mapping: Mapping[str, str]) -> tuple[MountPoint, ...]:
    """
    Check and compile the setting ``TRUSTED_PROXY_MOUNT_POINTS``.

    Args:
        mapping:
            URL path → backend URL: ``{"/blog/": "http://127.0.0.1:8001/"}``. A final
            slash changes nothing, in neither. A unix socket is written as Apache does:
            ``unix:/run/blog.sock|http://blog/``.

    Returns:
        The mount points, the longest first.

    Raises:
        ConfigurationError: Its option names the row: ``…MOUNT_POINTS["/blog/"]``.
    """
    if not hasattr(mapping, "items"):
        raise ConfigurationError(OPTION, mapping, "a mapping of URL paths to URLs")
    compiled: dict[str, MountPoint] = {}
    for path, url in mapping.items():
        mount_point = _compile_row(path, url)
        if mount_point.path in compiled:
            raise ConfigurationError(OPTION, path, "a path that is not there twice")
        compiled[mount_point.path] = mount_point
    return tuple(
        sorted(compiled.values(), key=lambda row: len(row.segments), reverse=True)
    )


def _compile_row(path: object, url: object) -> MountPoint:
    # The path is sent as X-Forwarded-Prefix, so it has to be a mount point by the
    # grammar that policies on the backend read.
    if not isinstance(path, str) or not path or not MOUNT_POINT.fullmatch(path):
        raise ConfigurationError(
            OPTION, path, "a URL path such as '/blog/', of letters, digits and '-._~'"
        )
    option = f'{OPTION}["{path}"]'
    expected = "a URL such as 'http://127.0.0.1:8001/' or 'unix:/path|http://host/'"
    match = _URL.fullmatch(url) if isinstance(url, str) else None
    if match is None:
        raise ConfigurationError(option, url, expected)
    split = split_host(match["authority"])
    base = match["path"] or ""
    plain = _PATH.fullmatch(base) and not _has_dot_segment(base)
    over_tls = match["scheme"] == "https"
    if split is None or not plain or (match["socket"] and over_tls):
        raise ConfigurationError(option, url, expected)
    host, port = split
    return MountPoint(
        path=path.removesuffix("/"),
        segments=tuple(path.removesuffix("/").split("/")[1:]),
        url=match[0],
        scheme=match["scheme"],
        host=host.lower(),
        port=int(port or DEFAULT_PORTS[match["scheme"]]),
        base=base.removesuffix("/"),
        socket=match["socket"],
    )


def compile_allowed_hosts(
    allowed_hosts: Sequence[object] | str | None,
) -> tuple[str, ...] | None:
    """
    Check and compile the hosts whose requests are proxied.

    Args:
        allowed_hosts:
            Exact names, ``.example.com`` for it and every name below, or ``*``; ports
            are ignored. ``None``: every well-formed host.

    Raises:
        ConfigurationError: An entry is no host.
    """
    if allowed_hosts is None:
        return None
    if isinstance(allowed_hosts, str):
        allowed_hosts = allowed_hosts.replace(",", " ").split()
    compiled: list[str] = []
    for i, entry in enumerate(allowed_hosts):
        text = entry if isinstance(entry, str) else ""
        split = split_host(text.removeprefix("."))
        if text == "*":
            compiled.append(text)
        elif split is not None:
            dot = "." if text.startswith(".") else ""
            compiled.append(dot + _fold_host(split[0]))
        else:
            raise ConfigurationError(
                f"allowed_hosts[{i}]",
                entry,
                "a host such as www.example.com, or .example.com for all below",
            )
    return tuple(compiled)


def _fold_host(name: str) -> str:
    """Spell a host's name so that equal names are equal: case and final dot."""
    return name.lower().removesuffix(".")


def _is_allowed(host: str, allowed_hosts: Sequence[str] | None) -> bool:
    split = split_host(host)
    if split is None or allowed_hosts is None:
        return split is not None
    name = _fold_host(split[0])
    return any(
        entry in ("*", name) or (entry[0] == "." and f".{name}".endswith(entry))
        for entry in allowed_hosts
    )


def _has_dot_segment(path: str) -> bool:
    return any(part in (".", "..") for part in _SEPARATORS.split(unquote(path)))


# The request: from the client to the backend.


def describe_client_side(
    decision: Decision | None, connection: Connection, forwarded_for: str | None
) -> ClientSide:
    """
    Say what the client asked for, by what the policy vouches for.

    Args:
        decision: What was decided; ``None`` where the policy only watches (shadow).

        connection:
            What the environ or scope says now, after the decision; its mount point
            percent-encoded.

        forwarded_for: The ``X-Forwarded-For`` that is there now, or ``None``.
    """
    scheme = parse_scheme(connection.scheme) or "http"
    host = connection.host or ""
    if not host and connection.server:
        # HTTP/1.0 may come without a Host.
        host = connection.server
        if connection.port and connection.port != DEFAULT_PORTS[scheme]:
            host += f":{connection.port}"
    split = split_host(host)
    winners = decision.winners if decision is not None else {}
    trusted_port = connection.port if Category.PORT in winners else None
    # As Apache: what the host says, else what is usual for the scheme.  The port that
    # this server listens on is not the client's business.
    named_port = split[1] if split is not None else None
    return ClientSide(
        forwarded_for=_forward_for(decision, connection.peer, forwarded_for),
        scheme=scheme,
        host=host if split is not None else "",
        server=parse_server(connection.server) if connection.server else None,
        port=trusted_port or named_port or DEFAULT_PORTS[scheme],
        mount_point=connection.mount_point.rstrip("/"),
    )


def _forward_for(
    decision: Decision | None, peer: str | None, forwarded_for: str | None
) -> str:
    """Append the peer to what is vouched for, nearest last; else name it alone."""
    if decision is not None:
        peer = decision.peer
    hop = parse_hop((peer or "").partition("%")[0])
    own = [hop.address] if hop is not None else []
    chain: list[str] = []
    winner = decision.winners.get(Category.CLIENT) if decision is not None else None
    if decision is not None and winner is not None and decision.address:
        if winner == "X-Forwarded-For" and forwarded_for:
            # In canonical spelling every backend can read it: no port, no brackets.
            # The first element is the one that the decision rests on.
            parts = [part.strip(" \t") for part in forwarded_for.split(",")]
            chain = [_spell_hop(part) for part in parts if part]
            chain[:1] = [decision.address]
        elif [decision.address] != own:
            chain = [decision.address]
    # A peer on a unix socket has no address, and nobody vouches for another one.
    return ", ".join(chain + own) or "unknown"


def _spell_hop(text: str) -> str:
    hop = parse_hop(text)
    return hop.address if hop is not None else text


def name_own_headers(policy: ProxyPolicy) -> list[str]:
    """Name the headers that *policy* reads, and no backend is to see."""
    names = [header.name for header in policy.known_headers]
    return names if policy.secret_header is None else [*names, policy.secret_header]


def find_raw_path(raw: str, path: str, encoding: str) -> str | None:
    """
    Find in a target as it was sent the part that is *path*.

    Args:
        raw: The target, or only its path.

        path: The path below the mount point, percent-encoding undone.

        encoding: How bytes became characters in *path*.

    Returns:
        The end of the target's path which decodes to *path*: in front of it there may
        be a mount point, or scheme and host. ``None`` where the server made something
        else of it.
    """
    target = raw.partition("?")[0]
    for apart in (False, True):
        ahead = len(_unquote(target, encoding, apart)) - len(path)
        tail = target[max(ahead, 0) :]
        if _unquote(tail, encoding, apart) == path:
            return tail
    return None


def _unquote(text: str, encoding: str, apart: bool) -> str:
    """Undo percent-encoding; *apart* keeps encoded slashes, as cheroot does."""
    parts = _QUOTED_SLASH.split(text) if apart else [text]
    return "%2F".join(unquote(part, encoding) for part in parts)


def plan_request(
    mount_points: Sequence[MountPoint],
    head: RequestHead,
    client: ClientSide,
    own_headers: Iterable[str] = (),
    allowed_hosts: Sequence[str] | None = None,
) -> BackendRequest | Answer | None:
    """
    Plan the request for the backend.

    Args:
        mount_points: From `compile_mount_points`.

        head: The request as it came.

        client: What the client asked for.

        own_headers: Names of further headers that stay here, as a policy may know.

        allowed_hosts: From `compile_allowed_hosts`.

    Returns:
        The backend's request; an answer where a backend must not be asked; ``None``
        where the path is below no mount point.
    """
    found = find_mount_point(mount_points, head.path)
    if "%" in head.path:
        # "/blog%2Fx": to us it is one segment, to the application it is "/blog/x".
        other = find_mount_point(mount_points, _QUOTED_SLASH.sub("/", head.path))
        if (found and found[0]) != (other and other[0]):
            return refuse(HTTPStatus.BAD_REQUEST, "The path means two things.")
    if found is None:
        return None
    mount_point, rest = found
    refusal = _refuse(head, client, rest, allowed_hosts)
    if refusal is not None:
        return refusal
    prefix = client.mount_point + mount_point.path
    # A URL without a path is a URL with "/" (RFC 9110 section 4.2.3).
    rest = rest or ("" if prefix else "/")
    path = quote(rest, _PATH_SAFE, encoding="latin-1")
    query = quote(head.query, _QUERY_SAFE, encoding="latin-1")
    tail = path + ("?" + query if query else "")
    if not rest:
        return _redirect(head, client, prefix + "/" + tail)
    framing = _read_framing(head)
    if isinstance(framing, Answer):
        return framing
    body, length = framing
    headers = [("Host", mount_point.authority)]
    if body is Body.LENGTH:
        headers.append(("Content-Length", str(length)))
    headers += _keep_headers(head, own_headers)
    headers += _forward(client, prefix)
    return BackendRequest(
        mount_point=mount_point,
        client=client,
        prefix=prefix,
        method=head.method,
        target=mount_point.base + tail,
        headers=headers,
        body=body,
        length=length,
    )


def find_mount_point(
    mount_points: Sequence[MountPoint], path: str
) -> tuple[MountPoint, str] | None:
    """
    Find the longest mount point that *path* is below, at a segment boundary.

    Returns:
        The mount point, and the rest of the path as it came, which begins with a slash
        or is empty; or ``None``.
    """
    if path and not path.startswith("/"):
        return None
    segments = path.split("/")[1:]
    for mount_point in mount_points:
        depth = len(mount_point.segments)
        # A letter may come percent-encoded, which changes nothing (RFC 3986 6.2.2.2).
        if tuple(map(_decode, segments[:depth])) == mount_point.segments:
            return mount_point, "".join("/" + part for part in segments[depth:])
    return None


def _decode(text: str) -> str:
    return unquote(text, "latin-1") if "%" in text else text


def _refuse(
    head: RequestHead,
    client: ClientSide,
    rest: str,
    allowed_hosts: Sequence[str] | None,
) -> Answer | None:
    """Answer what must not reach a backend, or cannot be answered by one."""
    if not _METHOD.fullmatch(head.method):
        return refuse(HTTPStatus.BAD_REQUEST, "The method is malformed.")
    if head.method.upper() in ("CONNECT", "TRACE"):
        # TRACE would show the client what only backends should see.
        return refuse(HTTPStatus.NOT_IMPLEMENTED, "The method is not supported.")
    if _NOT_IN_TARGET.search(head.path) or _NOT_IN_TARGET.search(head.query):
        return refuse(HTTPStatus.BAD_REQUEST, "The URL is malformed.")
    if _leaves(rest):
        return refuse(HTTPStatus.BAD_REQUEST, "The path leaves its mount point.")
    if not _is_allowed(client.host, allowed_hosts):
        return refuse(HTTPStatus.BAD_REQUEST, "The host is not served here.")
    if any(_NOT_IN_VALUE.search(value) for _, value in head.headers):
        return refuse(HTTPStatus.BAD_REQUEST, "A header is malformed.")
    hosts = {value for name, value in head.headers if name.lower() == "host"}
    if len(hosts) > 1:
        return refuse(HTTPStatus.BAD_REQUEST, "There are several hosts.")
    return None


def _leaves(path: str) -> bool:
    """
    Say whether dot segments lead out of *path*, however they are written.

    Encoded once or more often, behind a backslash, with parameters (``..;x``): what
    one backend takes literally, another one resolves.
    """
    while True:
        depth = 0
        for segment in _SEPARATORS.split(path):
            name = segment.partition(";")[0]
            if name == "..":
                depth -= 1
            elif name not in ("", "."):
                depth += 1
            if depth < 0:
                return True
        decoded = _decode(path)
        if decoded == path:
            return False
        path = decoded


def _read_framing(head: RequestHead) -> tuple[Body, int] | Answer:
    """Read how the body is framed (RFC 9112 section 6), strictly."""
    lengths = {
        value.strip(" \t")
        for name, value in head.headers
        if name.lower() == "content-length"
    }
    codings = [
        value.strip(" \t").lower()
        for name, value in head.headers
        if name.lower() == "transfer-encoding"
    ]
    if head.websocket:
        return Body.NONE, 0
    if codings:
        if lengths:
            return refuse(HTTPStatus.BAD_REQUEST, "The body has two lengths.")
        if codings != ["chunked"]:
            return refuse(HTTPStatus.NOT_IMPLEMENTED, "The coding is not supported.")
        if not head.ends_chunked:
            return refuse(HTTPStatus.LENGTH_REQUIRED, "The body has no length.")
        return Body.CHUNKED, 0
    if lengths:
        text = lengths.pop()
        if lengths or not _LENGTH.fullmatch(text):
            return refuse(HTTPStatus.BAD_REQUEST, "The body's length is malformed.")
        return Body.LENGTH, int(text)
    return (Body.UNDECLARED if head.undeclared else Body.NONE), 0


def _named_in_connection(headers: Iterable[tuple[str, str]]) -> set[str]:
    """Collect the headers that are for one connection only (RFC 9110 7.6.1)."""
    return {
        option.strip(" \t").lower()
        for name, value in headers
        if name.lower() == "connection"
        for option in value.split(",")
    }


def _keep_headers(head: RequestHead, own_headers: Iterable[str]) -> Headers:
    dropped = HOP_BY_HOP | _NOT_TO_BACKEND | _KNOWN
    dropped |= {name.lower() for name in own_headers}
    dropped |= _named_in_connection(head.headers)
    if head.websocket:
        dropped |= _HANDSHAKE
    return [
        (name, value.strip(" \t"))
        for name, value in head.headers
        if _PLAIN_NAME.fullmatch(name) and name.lower() not in dropped
    ]


def _forward(client: ClientSide, prefix: str) -> Headers:
    """Say to the backend what the client asked for."""
    values = (
        ("X-Forwarded-For", client.forwarded_for),
        ("X-Forwarded-Host", client.host),
        ("X-Forwarded-Proto", client.scheme),
        ("X-Forwarded-Port", client.port),
        ("X-Forwarded-Server", client.server),
        ("X-Forwarded-Prefix", prefix),
        ("X-Forwarded-Script-Name", prefix),
    )
    return [(name, value) for name, value in values if value]


def _redirect(head: RequestHead, client: ClientSide, target: str) -> Answer:
    keeps_method = head.method not in ("GET", "HEAD")
    status = (
        HTTPStatus.PERMANENT_REDIRECT if keeps_method else HTTPStatus.MOVED_PERMANENTLY
    )
    location = f"{client.scheme}://{client.host}{target}"
    headers = [("Location", location), ("Content-Length", "0")]
    return Answer(status.value, status.phrase, headers, b"")


def refuse(status: HTTPStatus, sentence: str) -> Answer:
    """Make the short page that refuses a request."""
    body = f"{status.phrase}. {sentence}\n".encode("ascii")
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
    ]
    return Answer(status.value, status.phrase, headers, body)


def answer_error(error: BackendError) -> Answer:
    """Make the short page for a backend that is down or slow; it gives nothing away."""
    if error.status is HTTPStatus.GATEWAY_TIMEOUT:
        return refuse(error.status, "What is behind this path took too long.")
    return refuse(error.status, "What is behind this path does not answer.")


# The response: from the backend to the client.


def plan_response(
    request: BackendRequest,
    status: int,
    reason: str,
    headers: Iterable[tuple[str, str]],
) -> ResponseHead:
    """
    Plan the head of the response for the client.

    Args:
        request: The request that was sent.

        status: The backend's status code.

        reason: The backend's reason phrase.

        headers: The backend's headers, one pair a line.

    Raises:
        BackendError: The head is one that must not be passed on.
    """
    if not 200 <= status <= 599:
        # Nobody asked for 101, and an interim answer is not the final one.
        raise BackendError(HTTPStatus.BAD_GATEWAY, f"the status is {status}")
    lines = [
        (name, _FOLD.sub(" ", value).strip(" \t"), name.lower())
        for name, value in headers
    ]
    for name, value, _ in lines:
        if not _NAME.fullmatch(name) or _NOT_IN_VALUE.search(value):
            raise BackendError(HTTPStatus.BAD_GATEWAY, f"header {name!r} is malformed")
    codings = [value.lower() for _, value, key in lines if key == "transfer-encoding"]
    if codings not in ([], ["chunked"]):
        raise BackendError(HTTPStatus.BAD_GATEWAY, f"the coding is {codings!r}")
    lengths = {value for _, value, key in lines if key == "content-length"}
    if len(lengths) > 1 or not all(map(_LENGTH.fullmatch, lengths)):
        raise BackendError(HTTPStatus.BAD_GATEWAY, f"the length is {lengths!r}")
    length = int(lengths.pop()) if lengths and not codings else None
    has_body = request.method != "HEAD" and status not in (204, 304)
    dropped = HOP_BY_HOP | _NOT_TO_CLIENT | {"content-length"}
    dropped |= _named_in_connection((name, value) for name, value, _ in lines)
    mapped = [
        (name, _map_header(request, key, value))
        for name, value, key in lines
        if key not in dropped
    ]
    # RFC 9110 section 8.6: none with 204. With 304 it would be that of a body which
    # does not come, and servers wait for one.
    if length is not None and status not in (204, 304):
        mapped.append(("Content-Length", str(length)))
    return ResponseHead(
        status=status,
        reason=_read_reason(status, reason),
        headers=mapped,
        has_body=has_body,
        length=length,
    )


def plan_handshake(
    request: BackendRequest, headers: Iterable[tuple[str, str]]
) -> Headers:
    """Plan the headers with which a websocket is accepted."""
    kept = plan_response(request, 200, "", headers).headers
    dropped = _HANDSHAKE | {"content-length"}
    return [(name, value) for name, value in kept if name.lower() not in dropped]


def _read_reason(status: int, reason: str) -> str:
    reason = reason.strip(" \t")
    if reason and not _NOT_IN_VALUE.search(reason):
        return reason
    known = [known.phrase for known in HTTPStatus if known == status]
    return known[0] if known else "Unknown"


def _map_header(request: BackendRequest, key: str, value: str) -> str:
    if key in _URL_HEADERS:
        return map_url(request, value)
    if key == "refresh":
        return _map_refresh(request, value)
    if key == "set-cookie":
        return map_cookie(request, value)
    return value


def map_url(request: BackendRequest, url: str) -> str:
    """
    Map a URL of the backend to the client's; any other one stays as it is.

    The backend's own are those with its scheme, host and port, and absolute paths,
    below the path at which it is mounted. A path that begins with the prefix already
    is the client's: the backend has read ``X-Forwarded-Prefix``.
    """
    absolute = _ABSOLUTE.fullmatch(url)
    scheme, authority, tail = absolute.groups() if absolute else (None, "", url)
    if absolute and not _is_backend(request.mount_point, scheme, authority):
        return url
    # A relative one is relative to the client's URL already.
    if not absolute and not url.startswith("/"):
        return url
    path = _AFTER_PATH.split(tail, maxsplit=1)[0]
    mapped = _map_path(request, path)
    if mapped is None:
        return url
    client = request.client
    origin = f"{client.scheme}://{client.host}" if absolute else ""
    return origin + mapped + tail[len(path) :]


def _is_backend(mount_point: MountPoint, scheme: str | None, authority: str) -> bool:
    wanted = (scheme or mount_point.scheme).lower()
    split = split_host(authority)
    if wanted != mount_point.scheme or split is None:
        return False
    host, port = split
    return (host.lower(), int(port or DEFAULT_PORTS[wanted])) == (
        mount_point.host,
        mount_point.port,
    )


def _map_path(request: BackendRequest, path: str) -> str | None:
    """Map a path of the backend; ``None`` for one that is not below its base."""
    base, prefix = request.mount_point.base, request.prefix
    # Where both fit, the longer one says more.
    if prefix and len(prefix) > len(base) and _is_below(path, prefix):
        return path
    if _is_below(path, base):
        return prefix + (path[len(base) :] or "/")
    return None


def _is_below(path: str, top: str) -> bool:
    return path == top or path.startswith(top + "/")


def _map_refresh(request: BackendRequest, value: str) -> str:
    match = _REFRESH.fullmatch(value)
    if match is None or not match[3]:
        return value
    return match[1] + match[2] + map_url(request, match[3]) + match[4]


def map_cookie(request: BackendRequest, cookie: str) -> str:
    """
    Map the path of a cookie to the client's, and take the backend's domain off.

    A cookie for a path above the backend's base is for the whole backend, so the client
    gets it for the whole mount point, and no other mount point sees it. ``__Host-``
    cookies are for ``/`` by their name (RFC 6265bis section 4.1.3.2).
    """
    name, *attributes = cookie.split(";")
    fixed_path = name.strip(" \t").lower().startswith("__host-")
    parts = [name]
    for attribute in attributes:
        key, _, value = attribute.partition("=")
        word, text = key.strip(" \t").lower(), value.strip(" \t")
        if word == "domain" and _is_backends_domain(request, text):
            continue
        if word == "path" and not fixed_path and text.startswith("/"):
            parts.append(f"{key}={_map_cookie_path(request, text)}")
        else:
            parts.append(attribute)
    return ";".join(parts)


def _map_cookie_path(request: BackendRequest, path: str) -> str:
    mapped = _map_path(request, path)
    if mapped is not None:
        return mapped
    above = request.mount_point.base.startswith(path.rstrip("/") + "/")
    return request.prefix + "/" if above else path


def _is_backends_domain(request: BackendRequest, domain: str) -> bool:
    domain = domain.removeprefix(".").lower()
    split = split_host(request.client.host)
    client = split[0].lower() if split is not None else ""
    backend = request.mount_point.host
    return _matches_domain(backend, domain) and not _matches_domain(client, domain)


def _matches_domain(host: str, domain: str) -> bool:
    """Match as RFC 6265 section 5.1.3 does."""
    return host == domain or host.endswith("." + domain)
