"""
The ledger: every way in which this project differs from mod_wsgi, and what it answers.

In:  a policy, a request, and the kinds of difference that are to be made.
Out: `answer`: the six variables and all headers that the application should see.

`answer` is written from mod_wsgi's behaviour and from the rules of the design, and
shares no code with the package.  Without any kind it must say what the real mod_wsgi
says; with all of them, what this project says.  A kind that is switched off leaves
mod_wsgi's way in its place, so that what a kind explains can be counted.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING

from .apache import PORT, SECURE_PORT, SERVER_NAME, SITE
from .cases import BESIDES, CATEGORY, FIFTEEN, NAMES, POLICIES

if TYPE_CHECKING:
    from collections.abc import Callable, Set

    from .cases import Policy, Request


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of difference."""

    name: str
    #: The rule of the design that asks for it.
    rule: str
    #: Why this project does not do as mod_wsgi does.
    reason: str


MALFORMED_ADDRESS = Kind(
    "a malformed address counts as absent",
    "R10",
    "mod_wsgi copies the text of X-Real-IP and X-Client-IP into REMOTE_ADDR unread; "
    "logs, throttles and allow-lists would then hold markup or several addresses",
)
UNIDENTIFIED_ELEMENT = Kind(
    "an element that is no address leaves the client unknown",
    "R11",
    "mod_wsgi makes whatever ends the walk the client; nobody confirmed that word",
)
RESOLVED_ELEMENT = Kind(
    "no element is looked up",
    "R10",
    "mod_wsgi asks the system's resolver, so that names, shortened and octal addresses "
    "count as trusted hops, and a client can cause look-ups in the DNS",
)
PORT_OR_BRACKETS = Kind(
    "an address may have a port or brackets",
    "R10",
    "some load balancers write them; mod_wsgi takes such an element for the client",
)
CANONICAL_ADDRESS = Kind(
    "an address comes out in canonical spelling",
    "R10",
    "one address is one text, and a mapped IPv4 address is that IPv4 address",
)
EMPTY_VALUE = Kind(
    "an empty value counts as absent",
    "R10",
    "mod_wsgi empties the variable, or keeps an empty header as the winner; a mount "
    "point alone can be meant to be empty",
)
EMPTY_CHAIN = Kind(
    "a list with nothing in it is removed",
    "R6",
    "mod_wsgi lets it win its category, so that another trusted header is not read",
)
IDENTIFYING_SYNONYM = Kind(
    "a synonym that identifies the client beats one that does not",
    "R5",
    "mod_wsgi takes the last one that is there, whatever is in it",
)
LONG_CHAIN = Kind(
    "at most 64 elements are read",
    "R13",
    "the cost of a request is bounded; what lies further left nobody confirms",
)
SCHEME_SAYS_NOTHING = Kind(
    "a scheme header that says nothing does not win",
    "R5, R10",
    "mod_wsgi keeps it as the winner, beside a scheme that another header wrote",
)
WEBSOCKET_SCHEME = Kind(
    "ws and wss count as http and https",
    "R10",
    "proxies write them for websockets; mod_wsgi does not know them",
)
LIST_OF_VALUES = Kind(
    "of a list of values the one that the client's proxy wrote counts",
    "R9",
    "mod_wsgi copies the whole list, or does not understand it",
)
MALFORMED_HOST = Kind(
    "a malformed host counts as absent",
    "R10",
    "it becomes part of links, redirects and mails; mod_wsgi copies any text",
)
MALFORMED_SERVER = Kind(
    "a malformed server name counts as absent", "R10", "as for the host"
)
MALFORMED_PORT = Kind(
    "a malformed port counts as absent",
    "R10",
    "applications turn it into a number; mod_wsgi copies any text",
)
MALFORMED_MOUNT_POINT = Kind(
    "a malformed mount point counts as absent",
    "R10",
    "//evil.example in front of every link is another site; mod_wsgi copies any text",
)
TRAILING_SLASH = Kind(
    "a mount point has no trailing slash",
    "R10",
    "SCRIPT_NAME never ends in one (PEP 3333); mod_wsgi copies it",
)
MORE_SYNONYMS = Kind(
    "more synonyms are known, and removed with their category",
    "R5",
    "what reads Forwarded or True-Client-IP later must not find a forged one",
)

LEDGER: tuple[Kind, ...] = (
    MALFORMED_ADDRESS,
    UNIDENTIFIED_ELEMENT,
    RESOLVED_ELEMENT,
    PORT_OR_BRACKETS,
    CANONICAL_ADDRESS,
    EMPTY_VALUE,
    EMPTY_CHAIN,
    IDENTIFYING_SYNONYM,
    LONG_CHAIN,
    SCHEME_SAYS_NOTHING,
    WEBSOCKET_SCHEME,
    LIST_OF_VALUES,
    MALFORMED_HOST,
    MALFORMED_SERVER,
    MALFORMED_PORT,
    MALFORMED_MOUNT_POINT,
    TRAILING_SLASH,
    MORE_SYNONYMS,
)

ALL = frozenset(LEDGER)
NONE: frozenset[Kind] = frozenset()

_LONGEST_CHAIN = 64

_MALFORMED = {
    "host": MALFORMED_HOST,
    "server": MALFORMED_SERVER,
    "port": MALFORMED_PORT,
    "mount point": MALFORMED_MOUNT_POINT,
}
_VARIABLE = {
    "host": "HTTP_HOST",
    "server": "SERVER_NAME",
    "port": "SERVER_PORT",
    "mount point": "SCRIPT_NAME",
}
_FLAGS = {"on": "https", "true": "https", "1": "https"} | dict.fromkeys(
    ("off", "false", "0"), "http"
)
_SCHEMES = {"https": "https", "http": "http"}
_WEBSOCKETS = {"wss": "https", "ws": "http"}

# RFC 6761 names, RFC 3986 IP literals.
_SERVER = re.compile(
    r"(?=[^:]{1,255}\Z)[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?|\[(?P<literal>[0-9A-Fa-f:.]+)\]"
)
_SEGMENTS = re.compile(r"(/[A-Za-z0-9._~-]+)*/?")


@dataclass(slots=True)
class Answer:
    """What the application sees, and which header won each category."""

    environ: dict[str, str]
    winners: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one client header says."""

    #: `None` where it names nobody and the peer is what is left.
    address: str | None
    #: The value that stays; `None` removes the header.
    kept: str | None
    identifies: bool = True
    #: The position from the right of the element that ended the walk.
    position: int = 1


def answer(request: Request, kinds: Set[Kind]) -> Answer:
    """Say what the application sees where these *kinds* of difference are made."""
    policy = POLICIES[request.policy]
    headers = request.merged()
    result = Answer(
        {
            "REMOTE_ADDR": request.peer,
            "HTTP_HOST": request.host,
            "SERVER_NAME": SERVER_NAME,
            "SERVER_PORT": SECURE_PORT if request.secure else PORT,
            "wsgi.url_scheme": "https" if request.secure else "http",
            "SCRIPT_NAME": SITE if request.policy % 2 else "",
        }
    )
    environ = result.environ
    listed: dict[str, list[str]] = {}
    for name in policy.headers:
        listed.setdefault(CATEGORY[name], []).append(name)
    kept = {name: value for name, value in headers.items() if name not in BESIDES}
    for category in listed:
        for name in FIFTEEN[category]:
            kept.pop(name, None)
    for name, (categories, _) in BESIDES.items():
        known = MORE_SYNONYMS in kinds and any(each in listed for each in categories)
        if name in headers and not known:
            kept[name] = headers[name]
    if policy.trusts(request.peer):
        present = {
            category: [(name, headers[name]) for name in names if name in headers]
            for category, names in listed.items()
        }
        position = _apply_client(policy, present.get("client", []), kinds, result, kept)
        if policy.proxies is None:
            position = 0
        _apply_scheme(present.get("scheme", []), position, kinds, result, kept)
        for category in _VARIABLE:
            for name, value in reversed(present.get(category, [])):
                read = _read_value(category, value, position, kinds)
                if read is not None:
                    environ[_VARIABLE[category]], kept[name] = read
                    result.winners[category] = name
                    break
    environ |= {
        "HTTP_" + name.upper().replace("-", "_"): value for name, value in kept.items()
    }
    return result


def _apply_client(
    policy: Policy,
    present: list[tuple[str, str]],
    kinds: Set[Kind],
    result: Answer,
    kept: dict[str, str],
) -> int:
    """Apply the client's header, and return the position that the others go by."""
    readings: list[tuple[str, _Reading]] = []
    for name, value in present:
        if name == "X-Forwarded-For":
            read = _read_chain(policy, value, kinds)
        else:
            read = _read_address(value, kinds)
        if read is not None:
            readings.append((name, read))
    if not readings:
        return 1
    if IDENTIFYING_SYNONYM in kinds and any(each.identifies for _, each in readings):
        readings = [(name, each) for name, each in readings if each.identifies]
    # One after the other, as mod_wsgi does: a later one that names nobody leaves what
    # an earlier one wrote.
    for _, each in readings:
        if each.address is not None:
            result.environ["REMOTE_ADDR"] = each.address
    name, reading = readings[-1]
    if reading.kept is not None:
        kept[name] = reading.kept
    result.winners["client"] = name
    return reading.position


def _parse_address(text: str, kinds: Set[Kind]) -> tuple[str, str] | None:
    """Read one address: as it stands there, and as it comes out."""
    bare, port, bracketed = text, "", False
    if PORT_OR_BRACKETS in kinds:
        match = re.fullmatch(r"\[(.*)\](?::([0-9]+))?|([^:]*):([0-9]+)", text)
        if match:
            bracketed = match[1] is not None
            bare = match[1] if bracketed else match[3]
            port = match[2] or match[4] or ""
    if port and not _is_port(port):
        return None
    try:
        address = ip_address(bare)
    except ValueError:
        return None
    is_v6 = isinstance(address, IPv6Address)
    if (bracketed and not is_v6) or (port and is_v6 and not bracketed) or "%" in bare:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if (
        address.is_unspecified
        or address.is_multicast
        or address == IPv4Address("255.255.255.255")
    ):
        return None
    return bare, str(address) if CANONICAL_ADDRESS in kinds else bare


def _read_address(value: str, kinds: Set[Kind]) -> _Reading | None:
    """Read X-Real-IP or X-Client-IP; `None` where it counts as absent."""
    if not value:
        return None if EMPTY_VALUE in kinds else _Reading("", "")
    parsed = _parse_address(value, kinds)
    if parsed is None:
        return None if MALFORMED_ADDRESS in kinds else _Reading(value, value)
    return _Reading(parsed[1], value)


def _resolve(word: str) -> str | None:
    """Say what the system's resolver makes of *word*: the tests' names, no DNS."""
    if word in NAMES:
        return NAMES[word]
    bare = word.partition("%")[0]
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            packed = socket.inet_pton(family, bare)
        except OSError:
            continue
        return socket.inet_ntop(family, packed)
    try:
        return socket.inet_ntoa(socket.inet_aton(word))
    except OSError:
        return None


def _is_hop(policy: Policy, element: str, kinds: Set[Kind]) -> bool:
    """Whether *element* is one of the policy's proxies."""
    parsed = _parse_address(element, kinds)
    if parsed is not None and policy.contains(parsed[0]):
        return True
    if RESOLVED_ELEMENT in kinds:
        return False
    resolved = _resolve(element)
    return resolved is not None and policy.contains(resolved)


def _read_chain(policy: Policy, value: str, kinds: Set[Kind]) -> _Reading | None:
    """Read X-Forwarded-For; `None` where it counts as absent."""
    elements = [element.strip() for element in value.split(",")]
    elements = [element for element in elements if element]
    if not elements:
        if EMPTY_CHAIN in kinds:
            return None
        return _Reading(None, value, identifies=False)
    if policy.proxies is None:
        return _read_element(elements, 0, kinds, whole=value)
    first = 0
    if LONG_CHAIN in kinds:
        first = max(0, len(elements) - _LONGEST_CHAIN)
    end = len(elements) - 1
    while end > first and _is_hop(policy, elements[end], kinds):
        end -= 1
    if first and end == first and _is_hop(policy, elements[end], kinds):
        # The walk goes on into what is never read: the last one read is confirmed.
        address = _parse_address(elements[end], kinds)
        return _Reading(
            address[1] if address else elements[end],
            ", ".join(elements[end:]),
            identifies=False,
            position=len(elements) - end + 1,
        )
    return _read_element(elements, end, kinds, whole=None)


def _read_element(
    elements: list[str], index: int, kinds: Set[Kind], *, whole: str | None
) -> _Reading:
    """Make the element at *index* the client, or what is right of it."""

    def reading(index: int, identifies: bool) -> _Reading:
        kept = whole if whole is not None else ", ".join(elements[index:])
        parsed = _parse_address(elements[index], kinds)
        text = parsed[1] if parsed else elements[index]
        return _Reading(text, kept, identifies, len(elements) - index)

    if _parse_address(elements[index], kinds) or UNIDENTIFIED_ELEMENT not in kinds:
        return reading(index, True)
    position = len(elements) - index
    if whole is not None or index + 1 == len(elements):
        return _Reading(None, None, identifies=False, position=position)
    confirmed = reading(index + 1, False)
    return _Reading(confirmed.address, confirmed.kept, False, position)


def _apply_scheme(
    present: list[tuple[str, str]],
    position: int,
    kinds: Set[Kind],
    result: Answer,
    kept: dict[str, str],
) -> None:
    """Apply the scheme headers in their order; the last one wins."""
    for name, value in present:
        used = value
        if LIST_OF_VALUES in kinds and "," in value:
            used = _pick(value, position)
        words = dict(_SCHEMES)
        if WEBSOCKET_SCHEME in kinds:
            words |= _WEBSOCKETS
        if name in FIFTEEN["scheme"][3:]:
            words = _FLAGS
        scheme = words.get(used.lower())
        if scheme is None:
            if (SCHEME_SAYS_NOTHING if used else EMPTY_VALUE) in kinds:
                continue
            # For mod_wsgi it wins, and leaves what an earlier one wrote.
            scheme, used = result.environ["wsgi.url_scheme"], value
        result.environ["wsgi.url_scheme"] = scheme
        kept.pop(result.winners.get("scheme", ""), None)
        kept[name] = used
        result.winners["scheme"] = name


def _pick(value: str, position: int) -> str:
    """Take of a list the value at *position* from the right; 0 is the first."""
    elements = [element.strip() for element in value.split(",")]
    elements = [element for element in elements if element]
    if not elements:
        return ""
    if not position or position > len(elements):
        return elements[0]
    return elements[-position]


def _is_port(text: str) -> bool:
    return bool(re.fullmatch(r"[1-9][0-9]{0,4}", text)) and int(text) < 65536


def _is_server(text: str) -> bool:
    match = _SERVER.fullmatch(text)
    if match and match["literal"]:
        try:
            return isinstance(ip_address(match["literal"]), IPv6Address)
        except ValueError:
            return False
    return bool(match)


def _is_host(text: str) -> bool:
    match = re.fullmatch(r"(.*?)(?::([0-9]*))?", text)
    if not match or (match[2] is not None and not _is_port(match[2])):
        return False
    return len(text) <= 255 and _is_server(match[1])


def _is_mount_point(text: str) -> bool:
    segments = text.split("/")
    return bool(_SEGMENTS.fullmatch(text)) and not {".", ".."} & set(segments)


_IS_WELL_FORMED: dict[str, Callable[[str], bool]] = {
    "host": _is_host,
    "server": _is_server,
    "port": _is_port,
    "mount point": _is_mount_point,
}


def _read_value(
    category: str, value: str, position: int, kinds: Set[Kind]
) -> tuple[str, str] | None:
    """Read a single value: what the variable gets, and what the header keeps."""
    used = value
    if LIST_OF_VALUES in kinds and "," in value:
        used = _pick(value, position)
        if not used and EMPTY_VALUE in kinds:
            return None
    if not used and category != "mount point":
        return None if EMPTY_VALUE in kinds else (value, value)
    if not _IS_WELL_FORMED[category](used):
        return None if _MALFORMED[category] in kinds else (value, value)
    variable = used
    if category == "mount point" and TRAILING_SLASH in kinds:
        variable = used.removesuffix("/")
    return variable, used


def explain(request: Request) -> set[Kind]:
    """Say which kinds make a difference to the answer to *request*."""
    with_all, with_none = answer(request, ALL).environ, answer(request, NONE).environ
    return {
        kind
        for kind in LEDGER
        if answer(request, ALL - {kind}).environ != with_all
        or answer(request, {kind}).environ != with_none
    }
