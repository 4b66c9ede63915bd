"""
Read a request that is to be explained.

In:  an environ, a scope, words like curl's options, or a request as it is sent.
Out: `Request`; or a `RequestError` that says which part cannot be read, and where.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from ..advice import PROXY_FIX, REWRITTEN_BY_SERVER
from ..asgi import CHAINS, is_rewritten, spell_name
from ..decision import DECISION_KEY, REPORT_KEY, Connection
from ..headers import environ_key
from ..log import shorten
from ..parsing.grammar import TOKEN
from ..request_target import read_raw_target
from ..rules import CONNECTION
from ..server_keys import PROXY_FIX_KEY
from ..wsgi_text import spell_path
from .records import Request

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .._types import Environ, Scope
    from ..policy import ProxyPolicy

#: The request that is explained, as far as nothing describes it.
DEFAULT = Connection(peer="127.0.0.1", scheme="http", server="localhost", port="8000")
#: What is read of a request's head at most, in characters.
MOST_CHARACTERS = 1_000_000

_HTTP = "HTTP_"
# RFC 9110 section 5.1.
_NAME = re.compile(TOKEN)
#: What of a `Connection` is spelled as WSGI has it.
_PATHS = ("mount_point", "path")
_SCHEMES = frozenset({"http", "https", "ws", "wss"})


class RequestError(ValueError):
    """
    A request cannot be read.

    Args:
        where: Where: a line, an option.

        message: What is wrong, as the rest of a sentence.
    """

    def __init__(self, where: str, message: str) -> None:
        super().__init__(where, message)
        self.where = where
        self.message = message

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


# -- as servers have them --------------------------------------------------------------


def read_environ(policy: ProxyPolicy, environ: Environ) -> Request:
    """Read the request of a WSGI *environ*, which is not changed."""
    spelled = {environ_key(header.name): header.name for header in policy.known_headers}
    for name in (CONNECTION, policy.secret_header):
        if name is not None:
            spelled[environ_key(name)] = name
    target = read_raw_target(environ)
    path, mark, query = (target or "").partition("?")
    return Request(
        connection=policy.read_connection(environ),
        headers={
            spelled.get(key) or _spell(key): str(value)
            for key, value in environ.items()
            if key.startswith(_HTTP)
        },
        method=str(environ.get("REQUEST_METHOD", "GET")),
        raw_path=path if target else None,
        query=query if mark else environ.get("QUERY_STRING") or None,
        environ=environ,
        rewritten=PROXY_FIX if PROXY_FIX_KEY in environ else None,
        decided=DECISION_KEY in environ or REPORT_KEY in environ,
    )


def _spell(key: str) -> str:
    """Spell the name of a header by its key, as people write it."""
    return key.removeprefix(_HTTP).replace("_", "-").title()


def read_scope(policy: ProxyPolicy, scope: Scope) -> Request:
    """Read the request of an ASGI *scope*, http or websocket, which is not changed."""
    connection, known = policy.read_scope(scope)
    connection = replace(
        connection,
        mount_point=spell_path(connection.mount_point),
        path=spell_path(connection.path),
    )
    spelled = {header.name.lower(): header.name for header in policy.known_headers}
    lines: dict[str, list[str]] = {}
    for wire, value in scope.get("headers") or ():
        name = wire.decode("latin-1").lower()
        lines.setdefault(name, []).append(value.decode("latin-1"))
    # What is read of a header is bounded, and joined by the one rule for it.
    headers = {name: known.get(name, ",".join(texts)) for name, texts in lines.items()}
    chains = (known.get(spell_name(key)) for key in CHAINS)
    raw, query = scope.get("raw_path"), scope.get("query_string")
    return Request(
        connection=connection,
        headers={spelled.get(n) or n.title(): text for n, text in headers.items()},
        method=str(scope.get("method", "GET")),
        raw_path=raw.partition(b"?")[0].decode("latin-1") if raw else None,
        query=query.decode("latin-1") if query else None,
        scope=scope,
        websocket=scope["type"] == "websocket",
        rewritten=REWRITTEN_BY_SERVER if is_rewritten(scope, chains) else None,
        decided=DECISION_KEY in scope or REPORT_KEY in scope,
    )


# -- as people write them --------------------------------------------------------------


def join_headers(lines: Iterable[str], *, option: str = "-H") -> dict[str, str]:
    """
    Read headers; those of one name are joined, as servers do it.

    Args:
        lines: ``NAME: VALUE`` each, as curl's ``-H`` has them.

        option: Where they are from, for errors.

    Returns:
        The name as it was spelled first → its value.

    Raises:
        RequestError: A line has no colon, or no name; the text shows it.
    """
    numbered = ((f"{option} {shorten(line)}", line) for line in lines)
    return _join(numbered)


def _join(numbered: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Join header lines, each with the place that it was read at."""
    texts: dict[str, list[str]] = {}
    spelled: dict[str, str] = {}
    for where, line in numbered:
        name, colon, value = line.partition(":")
        name = name.strip(" \t")
        if not colon or _NAME.fullmatch(name) is None:
            raise RequestError(where, "not a header such as 'X-Scheme: https'")
        name = spelled.setdefault(name.lower(), name)
        texts.setdefault(name, []).append(value.strip(" \t"))
    return {name: ",".join(values) for name, values in texts.items()}


def describe_request(
    *,
    url: str | None = None,
    headers: Iterable[str] = (),
    method: str = "GET",
    **connection: str | None,
) -> Request:
    """
    Make a request of words, as those of curl's command line.

    Args:
        url:
            What the server was asked for: an absolute URL, whose scheme is the
            connection's own and whose host is the ``Host`` header, or a path.

        headers: ``NAME: VALUE`` each.

        method: The method.

        connection:
            Fields of `Connection` but the host, which is a header; ``None`` where
            nothing says it. They come before what the URL says.

    Raises:
        RequestError: The URL or a header cannot be read.
    """
    sent = join_headers(headers)
    target, scheme, host = _split_url(url, "the URL") if url else (None, None, None)
    said = {name: text for name, text in connection.items() if text is not None}
    if scheme is not None:
        said.setdefault("scheme", scheme)
    if target is not None:
        # As whoever typed it has it.
        target = spell_path(target)
    request = make_request(sent, method=method, target=target, host=host, said=said)
    if "path" in said:
        request = replace(request, raw_path=None)
    return request


def make_request(
    headers: dict[str, str],
    *,
    method: str = "GET",
    target: str | None = None,
    host: str | None = None,
    said: dict[str, str],
    where: str | None = None,
) -> Request:
    """
    Make a request of its parts; what nothing says is as in `DEFAULT`.

    Args:
        headers: Header name → value.

        method: The method.

        target: Path and query as they were sent, as WSGI has them.

        host: The host of an absolute URL, where no ``Host`` header came.

        said: Fields of `Connection` → their values; paths as people write them.

        where: Where it was read.
    """
    sent_host = next((v for k, v in headers.items() if k.lower() == "host"), None)
    raw_path, mark, query = _as_bytes(target or "").partition("?")
    said = {n: spell_path(v) if n in _PATHS else v for n, v in said.items()}
    if target:
        said.setdefault("path", unquote(raw_path, "latin-1"))
    upgrade = next((v for k, v in headers.items() if k.lower() == "upgrade"), "")
    return Request(
        connection=_fill(said, sent_host or host),
        headers=headers,
        method=method,
        raw_path=raw_path if target else None,
        query=query if mark else None,
        where=where,
        websocket=upgrade.strip().lower() == "websocket",
    )


def _as_bytes(target: str) -> str:
    """Leave a target that WSGI can have; spell one with more than bytes in it."""
    return target if all(char < "\u0100" for char in target) else spell_path(target)


def _fill(said: Mapping[str, str], host: str | None) -> Connection:
    """Fill in what nothing says."""
    connection = replace(DEFAULT, host=host)
    for name, value in said.items():
        setattr(connection, name, value)
    return connection


def _split_url(url: str, where: str) -> tuple[str, str | None, str | None]:
    """Split a URL or a path into the target, the scheme and the host."""
    if url.startswith("/"):
        return url, None, None
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise RequestError(where, f"{shorten(url)} is not a URL: {error}") from None
    if parts.scheme.lower() not in _SCHEMES or not parts.netloc:
        raise RequestError(
            where, f"{shorten(url)} is not a URL such as http://127.0.0.1:8000/page"
        )
    query = f"?{parts.query}" if parts.query else ""
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.path or '/'}{query}", parts.scheme.lower(), host


# -- as they are sent ------------------------------------------------------------------


def parse_request(text: str, **connection: str | None) -> Request:
    """
    Read a request as it is sent over HTTP/1: a request line, and headers.

    Lines with a colon in front, as browsers show those of HTTP/2, are the parts of the
    request line.  What comes behind an empty line is the body, and not read.

    Args:
        text: The request, a character for each byte.

        connection: Fields of `Connection`, as in `describe_request`.

    Raises:
        RequestError: A line cannot be read; it is named by its number.
    """
    if len(text) > MOST_CHARACTERS:
        raise RequestError("the request", f"longer than {MOST_CHARACTERS} characters")
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    start = next((i for i, line in enumerate(lines) if line.strip()), len(lines))
    end = next((i for i in range(start, len(lines)) if not lines[i]), len(lines))
    head = lines[start:end]
    if not head:
        raise RequestError(
            "line 1", "there is no request line such as 'GET / HTTP/1.1'"
        )
    said = {name: value for name, value in connection.items() if value is not None}
    if head[0].startswith(":"):
        method, target, host, scheme = _read_pseudo_headers(head, start)
        rest = [(i, line) for i, line in enumerate(head) if not line.startswith(":")]
    else:
        method, target, scheme, host = _read_request_line(head[0], start + 1)
        rest = list(enumerate(head))[1:]
    if scheme is not None:
        said.setdefault("scheme", scheme)
    for i, line in rest:
        if line[:1] in (" ", "\t"):
            raise RequestError(
                f"line {start + i + 1}",
                "begins with a blank, and no server joins it to the line above "
                "(RFC 9112 section 5.2)",
            )
    headers = _join((f"line {start + i + 1}", line) for i, line in rest)
    return make_request(headers, method=method, target=target, host=host, said=said)


def split_blanks(line: str) -> list[str]:
    """Split a request line at its blanks; a byte of UTF-8 may be one in Latin-1."""
    return [word for word in line.replace("\t", " ").split(" ") if word]


def _read_request_line(
    line: str, number: int
) -> tuple[str, str, str | None, str | None]:
    """Read ``GET /page HTTP/1.1``: the method, the target, and a URL's scheme, host."""
    where = f"line {number}"
    words = split_blanks(line)
    if len(words) not in (2, 3) or not words[0].isalpha():
        raise RequestError(
            where, f"{shorten(line)} is not a request line such as 'GET / HTTP/1.1'"
        )
    if len(words) == 3 and not words[2].startswith("HTTP/"):
        raise RequestError(where, f"{shorten(words[2])} is not a version of HTTP")
    method, target = words[:2]
    if target == "*" or method.upper() == "CONNECT":
        return method, "/", None, None
    target, scheme, host = _split_url(target, where)
    return method, target, scheme, host


def _read_pseudo_headers(
    head: list[str], start: int
) -> tuple[str, str, str | None, str | None]:
    """Read ``:method: GET`` and its kin (RFC 9113 section 8.3.1)."""
    said = {"method": "GET", "path": "/"}
    for i, line in enumerate(head):
        if line.startswith(":"):
            name, colon, value = line[1:].partition(":")
            if not colon:
                raise RequestError(
                    f"line {start + i + 1}",
                    f"{shorten(line)} is not a line such as ':path: /'",
                )
            said[name.strip().lower()] = value.strip()
    path, _, _ = _split_url(said["path"], ":path")
    return said["method"], path, said.get("authority"), said.get("scheme")
