"""
What the command ``trustedproxy`` of a framework prints.

In:  the settings, and the options of a command line, which describe a request.
Out: text: the settings in force, or what becomes of that request.

A framework declares the options in its own way, and does nothing else by itself.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .decision import Connection
from .explain import describe_settings, explain, write_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .settings import Settings

#: The request that is explained, as far as no option describes it.
DEFAULT = Connection(peer="127.0.0.1", scheme="http", server="localhost", port="8000")


def join_headers(lines: Iterable[str]) -> dict[str, str]:
    """
    Read headers; those of one name are joined, as servers do it.

    Args:
        lines: ``NAME: VALUE`` each.

    Returns:
        The name as it was spelled first → its value.

    Raises:
        ValueError: A line has no colon or no name; the text shows it.
    """
    headers: dict[str, str] = {}
    spelled: dict[str, str] = {}
    for line in lines:
        name, colon, value = (part.strip() for part in line.partition(":"))
        if not colon or not name:
            raise ValueError(f"{line!r} is not a header such as 'X-Scheme: https'.")
        name = spelled.setdefault(name.lower(), name)
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


def show(
    settings: Settings,
    *,
    explained: bool,
    headers: Mapping[str, str],
    forced_mount_point: str | None = None,
    **connection: str | None,
) -> str:
    """
    Show the settings, or explain a request where one is described.

    Args:
        settings: What is in force.

        explained: Whether to explain even if nothing describes the request.

        headers: From `join_headers`.

        forced_mount_point:
            The mount point that the framework takes from its own settings, whatever a
            header says; ``None`` where it does not.

        connection:
            Fields of `Connection` but the host, which is a header; ``None`` where no
            option says it.
    """
    said = {name: text for name, text in connection.items() if text is not None}
    if not (explained or headers or said):
        return describe_settings(settings)
    host = next((v for k, v in headers.items() if k.lower() == "host"), None)
    request = replace(DEFAULT, host=host, **said)
    text = write_text(explain(settings.policy, request, headers))
    decision = settings.policy.decide(request, headers)
    if settings.policy.refuses(decision):
        # The answer is 400, and nothing else comes of it.
        return text
    if forced_mount_point is not None:
        text += _FORCED.format(forced_mount_point)
    if settings.mount_points:
        text += _ELSEWHERE.format(", ".join(settings.mount_points))
    https = settings.https_only
    if https is not None and decision.scheme == "http":
        text += _PLAIN + (_ONLY_LOGGED if https.report_only else "")
    return text


_FORCED = """

Forced mount point
  The application's own mount point is {!r}: its settings force it, whatever a header
  says."""
_ELSEWHERE = """

Proxy mount points
  Requests below {} go to other servers and do not reach the application."""
_PLAIN = """

HTTPS only
  The scheme is http, so the request is redirected to HTTPS and does not reach the
  application, unless its path, its view or its peer is exempt."""
_ONLY_LOGGED = """
  In report-only mode this is only logged."""
