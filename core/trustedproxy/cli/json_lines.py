"""
Read lines of an access log that are JSON objects.

In:  a line as the formats of ``trustedproxy config`` have it, as Caddy or Traefik write
     it, or with keys that name what they hold.
Out: `LogLine`; or a `ValueError` that says what is missing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..explain.requests import split_blanks
from ..frontends.log_formats import HEADERS, read_line
from ..headers import KNOWN_HEADERS


@dataclass(frozen=True, slots=True)
class LogLine:
    """
    What a line of an access log says of a request.

    Attributes:
        headers: Header name → value.

        peer: Who had connected to whoever wrote the log, or ``None``.

        is_front: Whether the headers are those that the front end has sent on, so that
            the peer of the application is the front end itself.

        method, target: The request line.

        said: Fields of `Connection` besides: scheme, server, port.

        time, status: As they were written.
    """

    headers: Mapping[str, str]
    peer: str | None = None
    is_front: bool = False
    method: str = "GET"
    target: str | None = None
    said: Mapping[str, str] = field(default_factory=dict)
    time: str = ""
    status: str = ""


def read_json_line(line: str) -> LogLine:
    """
    Read a line that is a JSON object, whoever wrote it.

    Raises:
        ValueError: It is none, or says nothing of a request.
    """
    try:
        return _read(line)
    except RecursionError:
        # While it is read, or while what it holds is made a text.
        raise ValueError("not a JSON object, but lists in lists") from None


def _read(line: str) -> LogLine:
    try:
        said = json.loads(line)
    except json.JSONDecodeError:
        # Apache has escapes of its own; whatever is wrong else, this says it.
        return _read_printed(line)
    if not isinstance(said, dict):
        raise ValueError("not a JSON object, but one value")
    for is_one, read in _SHAPES:
        if is_one(said):
            return read(said, line)
    return _read_named(said)


# -- as `config` prints it for nginx and Apache ----------------------------------------


def _is_printed(said: Mapping[str, Any]) -> bool:
    return isinstance(said.get("request"), str) and HEADERS in said


def _read_printed(line: str) -> LogLine:
    logged = read_line(line)
    headers = dict(logged.headers)
    if logged.host is not None:
        headers.setdefault("Host", logged.host)
    return LogLine(
        headers,
        logged.peer,
        is_front=True,
        method=logged.method or "GET",
        target=logged.target,
        time=logged.time,
        status=logged.status,
    )


# -- as Caddy and Traefik write it -----------------------------------------------------


def _read_caddy(said: Mapping[str, Any], line: str) -> LogLine:
    request = said["request"]
    headers = dict(_join_headers(request.get("headers")))
    if "host" in request:
        headers.setdefault("Host", str(request["host"]))
    return LogLine(
        headers,
        _text(request, "remote_ip") or _text(request, "remote_addr"),
        method=_text(request, "method") or "GET",
        target=_text(request, "uri"),
        said={"scheme": "https"} if "tls" in request else {},
        time=str(said.get("ts", "")),
        status=str(said.get("status", "")),
    )


_TRAEFIK_HEADER = "request_"


def _read_traefik(said: Mapping[str, Any], line: str) -> LogLine:
    headers = {
        key.removeprefix(_TRAEFIK_HEADER): str(value)
        for key, value in said.items()
        if key.startswith(_TRAEFIK_HEADER)
    }
    if "RequestHost" in said:
        headers.setdefault("Host", str(said["RequestHost"]))
    scheme = _text(said, "RequestScheme")
    return LogLine(
        headers,
        (_text(said, "ClientAddr") or "").rpartition(":")[0].strip("[]") or None,
        method=_text(said, "RequestMethod") or "GET",
        target=_text(said, "RequestPath"),
        said={} if scheme is None else {"scheme": scheme},
        time=str(said.get("StartUTC", said.get("time", ""))),
        status=str(said.get("DownstreamStatus", "")),
    )


_SHAPES: tuple[
    tuple[
        Callable[[Mapping[str, Any]], bool],
        Callable[[Mapping[str, Any], str], LogLine],
    ],
    ...,
] = (
    (_is_printed, lambda said, line: _read_printed(line)),
    (lambda said: isinstance(said.get("request"), dict), _read_caddy),
    (lambda said: "RequestMethod" in said, _read_traefik),
)

# -- with keys that name what they hold ------------------------------------------------

#: What a key may be called, the surest first.
_KEYS = {
    "peer": ("remote_addr", "peer", "remote_ip", "client_ip", "ip"),
    "method": ("request_method", "method"),
    "target": ("request_uri", "uri", "path", "url"),
    "scheme": ("scheme", "wsgi.url_scheme"),
    "server": ("server_name",),
    "port": ("server_port",),
    "time": ("time", "timestamp", "@timestamp", "ts"),
    "status": ("status",),
}
_HEADERS = {header.name.lower() for header in KNOWN_HEADERS} | {"host", "connection"}


def _read_named(said: Mapping[str, Any]) -> LogLine:
    found = {
        name: next((str(said[key]) for key in keys if key in said), None)
        for name, keys in _KEYS.items()
    }
    headers = dict(_list_headers(said))
    line = split_blanks(str(said.get("request", "")))
    if found["peer"] is None and not headers:
        raise ValueError(
            "has neither a peer (remote_addr) nor a header that is known "
            "(http_x_forwarded_for, X-Forwarded-For)"
        )
    return LogLine(
        headers,
        found["peer"],
        method=found["method"] or (line[0] if line else "GET"),
        target=found["target"] or (line[1] if len(line) > 1 else None),
        said={n: v for n in ("scheme", "server", "port") if (v := found[n])},
        time=found["time"] or "",
        status=found["status"] or "",
    )


def _list_headers(said: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """List the headers: under ``headers``, or by keys that are nearly their names."""
    yield from _join_headers(said.get("headers"))
    for key, value in said.items():
        name = key.lower().removeprefix("http_").replace("_", "-")
        if name in _HEADERS and isinstance(value, str) and value not in ("", "-"):
            yield name, value


def _join_headers(headers: Any) -> Iterator[tuple[str, str]]:
    """Join the values of each header, where there is an object of them."""
    for name, value in headers.items() if isinstance(headers, dict) else ():
        joined = ",".join(map(str, value)) if isinstance(value, list) else str(value)
        yield str(name), joined


def _text(said: Mapping[str, Any], key: str) -> str | None:
    value = said.get(key)
    return str(value) if value not in (None, "") else None
