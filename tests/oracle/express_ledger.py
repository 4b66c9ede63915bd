"""
The ledger of mod_wsgi-express: redirects to https, HSTS, proxy mount points.

In:  a request, and the kinds of difference that are to be made.
Out: what is answered, or what a backend is asked: without any kind what express does,
     with all of them what this project does.

As in `ledger`, nothing here is shared with the package.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from .express import NAME
from .ledger import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Set

#: The policy as it is given to express, which pastes it into a directive.
POLICY = "max-age=31536000;includeSubDomains"

#: The application's own, at ``/own-policy``.
OWN_POLICY = "max-age=5"

# Section 8 of the design.
PERMANENT = Kind(
    "a redirect is permanent, and keeps method and body",
    "section 8",
    "express answers 302, though its manual says permanent, to a POST as well",
)
CLIENT_SCHEME = Kind(
    "the client's scheme decides, not the last hop's",
    "section 8",
    "behind a proxy that terminates TLS, express redirects for ever or never",
)
TARGET_AS_SENT = Kind(
    "path and query are redirected exactly as sent",
    "section 8",
    "express merges slashes and writes the percent-encoding anew",
)
APPLICATION_POLICY = Kind(
    "a policy of the application's own stays",
    "section 8",
    "express replaces it",
)
CANONICAL_POLICY = Kind(
    "the policy is parsed, and comes out in canonical spelling",
    "section 8",
    "express pastes it into Apache's configuration unread",
)
REQUEST_HOST = Kind(
    "without a name of its own the redirect goes to the request's host",
    "section 8",
    "express redirects to one fixed name, and writes the port, even 443",
)

HTTPS_LEDGER: tuple[Kind, ...] = (
    PERMANENT,
    CLIENT_SCHEME,
    TARGET_AS_SENT,
    APPLICATION_POLICY,
    CANONICAL_POLICY,
    REQUEST_HOST,
)

# Section 9 of the design.
SLASH_SCHEME = Kind(
    "the redirect to the final slash has the client's scheme",
    "section 9",
    "express always sends the client to plain http",
)
LITERAL_PATH = Kind(
    "a mount point is a path, not a regular expression",
    "section 9",
    "for express the dot of /a.b matches any character, and /aXb is redirected",
)
LONGEST_WINS = Kind(
    "the longest of nested mount points wins",
    "section 9",
    "for express the first one given takes the path, the last one the prefix",
)
EVEN_SLASHES = Kind(
    "a final slash in the path or the URL changes nothing",
    "section 9",
    "express runs /run/ + x and the URL's /base together, into /basex",
)
REPLACED_HEADERS = Kind(
    "what a client says of host and server is replaced",
    "section 9",
    "Apache appends to what the client sent",
)
REPLACED_CHAIN = Kind(
    "X-Forwarded-For is continued only where the policy confirms it",
    "section 9",
    "Apache appends to whatever the client sent",
)
NO_SCHEME_PASSED_THROUGH = Kind(
    "no X-Forwarded-Scheme, and no mount point, of the client's passes through",
    "section 9",
    "express sets the scheme on secure connections alone, and removes it never",
)
SCHEME_IN_PROTO = Kind(
    "the scheme is said in X-Forwarded-Proto, always",
    "section 9",
    "express lets the client's own X-Forwarded-Proto through",
)
SCRIPT_NAME_TOO = Kind(
    "the mount point is said in X-Forwarded-Script-Name too",
    "section 9",
    "mod_wsgi on the backend does not know X-Forwarded-Prefix",
)
PATH_MAPPED_BACK = Kind(
    "a Location that is only a path is mapped back",
    "section 9",
    "express maps absolute URLs alone, so that such a redirect leaves the mount point",
)

MOUNT_LEDGER: tuple[Kind, ...] = (
    PERMANENT,
    SLASH_SCHEME,
    LITERAL_PATH,
    LONGEST_WINS,
    EVEN_SLASHES,
    REPLACED_HEADERS,
    REPLACED_CHAIN,
    NO_SCHEME_PASSED_THROUGH,
    SCHEME_IN_PROTO,
    SCRIPT_NAME_TOO,
    PATH_MAPPED_BACK,
)


@dataclass(frozen=True, slots=True)
class Ask:
    """One request to express."""

    method: str
    target: str
    headers: Mapping[str, str]
    secure: bool
    source: str = "127.0.0.1"

    @property
    def host(self) -> str:
        """The Host header."""
        return self.headers["Host"]

    @property
    def is_named(self) -> bool:
        """Whether the request is for the name under which express answers."""
        return self.host.partition(":")[0].lower() == NAME


@dataclass(frozen=True, slots=True)
class HTTPSAnswer:
    """What is compared of https-only."""

    status: int
    location: str | None
    policy: str | None
    reached: bool


def answer_https(ask: Ask, https_port: int, kinds: Set[Kind]) -> HTTPSAnswer:
    """Say what is answered to *ask* where plain http is redirected to *https_port*."""
    if not ask.is_named:
        # Apache's own page, in front of everything, and without a policy.
        return HTTPSAnswer(403, None, None, False)
    secure = ask.secure
    if CLIENT_SCHEME in kinds and "X-Forwarded-Proto" in ask.headers:
        secure = ask.headers["X-Forwarded-Proto"] == "https"
    path, mark, query = ask.target.partition("?")
    if not secure:
        status = 302
        if PERMANENT in kinds:
            status = 301 if ask.method in ("GET", "HEAD") else 308
        if TARGET_AS_SENT not in kinds:
            path = re.sub("/+", "/", quote(unquote(path, "latin-1"), "/", "latin-1"))
            path = re.sub("%..", lambda escape: escape[0].lower(), path)
        host = f"{NAME}:{https_port}"
        if REQUEST_HOST in kinds:
            host = ask.host.partition(":")[0]
        return HTTPSAnswer(status, f"https://{host}{path}{mark}{query}", None, False)
    wish = path.rpartition("/")[2]
    if wish == "raise":
        # Apache's own page again: no policy on it, on neither side.
        return HTTPSAnswer(500, None, None, False)
    policy = POLICY
    if CANONICAL_POLICY in kinds:
        policy = "; ".join(part.strip() for part in POLICY.split(";"))
    if APPLICATION_POLICY in kinds and wish == "own-policy":
        policy = OWN_POLICY
    location = "http://elsewhere.example/" if wish == "elsewhere" else None
    status = {"missing": 404, "elsewhere": 302}.get(wish, 200)
    return HTTPSAnswer(status, location, policy, True)


@dataclass(frozen=True, slots=True)
class MountAnswer:
    """What is compared of a proxy mount point."""

    status: int
    location: str | None
    #: Whether the application or a backend was asked.
    reached: bool
    #: The path that the backend was asked for; `None` where none was asked.
    path: str | None = None
    #: What it was told: header in lower case → value, in the order of their names.
    told: tuple[tuple[str, str], ...] = field(default=())


#: The mount points, in the order in which express is given them: path → the path of
#: the backend's URL.
MOUNTS: Mapping[str, str] = {
    "/sub": "/",
    "/run/": "/base",
    "/a.b": "/dot",
    "/outer": "/outer",
    "/outer/in": "/inner",
}

#: The one peer whose X-Forwarded-For is confirmed.
VOUCHED = "127.0.0.9"

#: The headers that speak about the client.
TOLD = (
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-proto",
    "x-forwarded-scheme",
    "x-forwarded-script-name",
    "x-forwarded-server",
    "x-script-name",
)


def answer_mount(ask: Ask, kinds: Set[Kind]) -> MountAnswer:
    """Say what becomes of *ask* below or beside the mount points."""
    path, mark, query = ask.target.partition("?")
    path = re.sub("/+", "/", path)
    if not ask.is_named:
        return MountAnswer(403, None, False)
    if "%2f" in path.lower():
        # AllowEncodedSlashes is off: Apache answers before anybody else.
        return MountAnswer(404, None, False)
    bare = {each.rstrip("/"): base for each, base in MOUNTS.items()}
    pattern = "|".join(map(re.escape if LITERAL_PATH in kinds else str, bare))
    scheme = "https" if ask.secure else "http"
    if re.fullmatch(pattern, path):
        status = 302
        if PERMANENT in kinds:
            status = 301 if ask.method in ("GET", "HEAD") else 308
        seen = scheme if SLASH_SCHEME in kinds else "http"
        location = f"{seen}://{ask.host}{path}/{mark}{query}"
        return MountAnswer(status, location, False)
    found = [each for each in bare if path.startswith(each + "/")]
    if not found:
        return MountAnswer(200, None, True)
    longest = max(found, key=len)
    mount = longest if LONGEST_WINS in kinds else found[0]
    base, rest = bare[mount].rstrip("/"), path.removeprefix(mount)
    if EVEN_SLASHES not in kinds and mount + "/" in MOUNTS:
        rest = rest.removeprefix("/")
    # Express says the last prefix that it was given and that fits, which is this one.
    told = _tell(ask, longest, kinds)
    moved: str | None = None
    match rest.rpartition("/")[2]:
        case "to-own-url":
            # The backend names its root, which is the URL of /sub alone.
            moved = f"{scheme}://{ask.host}{mount}/y"
        case "to-path":
            moved = f"{mount}/y" if PATH_MAPPED_BACK in kinds else "/y"
        case "to-elsewhere":
            moved = "http://elsewhere.example/y"
    status = 200 if moved is None else 302
    if ask.method == "HEAD":
        # What the backend was asked is in the body, which does not come.
        return MountAnswer(status, moved, True)
    target = base + rest + mark + query
    return MountAnswer(status, moved, True, target, told)


def _tell(ask: Ask, prefix: str, kinds: Set[Kind]) -> tuple[tuple[str, str], ...]:
    """Say which headers about the client the backend gets."""
    sent = {name.lower(): value for name, value in ask.headers.items()}
    told = {name: value for name, value in sent.items() if name in TOLD}
    scheme = "https" if ask.secure else "http"
    own = {
        "x-forwarded-for": ask.source,
        "x-forwarded-host": ask.host,
        "x-forwarded-server": NAME,
    }
    for name, value in own.items():
        kept = sent.get(name)
        replaced = REPLACED_HEADERS in kinds
        if name == "x-forwarded-for":
            replaced = REPLACED_CHAIN in kinds and ask.source != VOUCHED
        if replaced:
            kept = None
        told[name] = f"{kept}, {value}" if kept else value
    port = ask.host.partition(":")[2]
    told["x-forwarded-port"] = port or ("443" if ask.secure else "80")
    told["x-forwarded-prefix"] = prefix
    if NO_SCHEME_PASSED_THROUGH in kinds:
        told.pop("x-forwarded-scheme", None)
        told.pop("x-script-name", None)
    elif ask.secure:
        told["x-forwarded-scheme"] = "https"
    if SCHEME_IN_PROTO in kinds:
        told["x-forwarded-proto"] = scheme
    if SCRIPT_NAME_TOO in kinds:
        told["x-forwarded-script-name"] = prefix
    return tuple(sorted(told.items()))
