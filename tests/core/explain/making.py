"""
Requests and policies for the tests of explanations.

In:  what differs from a request of `PEER` with an address list that `LIST` trusts.
Out: an `Explanation`, its text, and parts of these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from trustedproxy import Connection, ProxyPolicy, Settings, read_settings
from trustedproxy.explain import (
    Explanation,
    Framework,
    Header,
    Request,
    explain_request,
    write_text,
)

from ..making import name_settings

PEER: Final = "10.0.0.5"
STRANGER: Final = "198.51.100.7"
CONNECTION: Final = Connection(
    PEER, "http", "backend:8000", "backend", "8000", "", "/a"
)
LIST: Final = ("X-Forwarded-For",)
SECRET: Final = "hush-hush-hush-hush"


class HostsSite:
    """A site of some hosts, whose views below ``/exempt`` are exempt."""

    def __init__(self, *hosts: str) -> None:
        self.hosts = hosts

    def accepts_host(self, request: Mapping[str, Any]) -> bool:
        """Say whether the host is one of them."""
        return request.get("HTTP_HOST", "").partition(":")[0] in self.hosts

    def exempts_view(self, request: Mapping[str, Any]) -> bool:
        """Say whether the path is below ``/exempt``."""
        return str(request["PATH_INFO"]).startswith("/exempt")


def make_policy(**options: Any) -> ProxyPolicy:
    """Make a policy that trusts `LIST` from 10/8, unless *options* say otherwise."""
    return ProxyPolicy(**{"headers": LIST, "proxies": ["10.0.0.0/8"], **options})


def make_settings(**names: Any) -> Settings:
    """Make settings of names without their ``TRUSTED_PROXY_``, in small letters."""
    given = {"headers": list(LIST), "proxies": ["10.0.0.0/8"], **names}
    return read_settings(name_settings(given))


def explain_sent(
    sent: dict[str, str],
    *,
    settings: Settings | None = None,
    framework: Framework | None = None,
    method: str = "GET",
    connection: Connection = CONNECTION,
    fields: dict[str, Any] | None = None,
    websocket: bool = False,
    **options: Any,
) -> Explanation:
    """
    Explain a request with the headers *sent*.

    Args:
        settings: What is in force; by default a policy of *options* alone.

        framework: What the application does.

        method: The method.

        connection: The connection.

        fields: Fields of the connection that differ.

        websocket: Whether it is the handshake of one.

        options: For `make_policy`.
    """
    request = Request(
        connection=replace(connection, **(fields or {})),
        headers=sent,
        method=method,
        websocket=websocket,
    )
    return explain_request(
        settings or Settings(make_policy(**options)), request, framework or Framework()
    )


def text_of(sent: dict[str, str], **more: Any) -> str:
    """Write the explanation of a request as text."""
    return write_text(explain_sent(sent, **more))


def paragraph(text: str, title: str) -> list[str]:
    """Take the lines of one paragraph by the beginning of its title."""
    (found,) = (p for p in text.split("\n\n") if p.startswith(title))
    return [line.removeprefix("  ") for line in found.splitlines()[1:]]


def header_of(explanation: Explanation, name: str) -> Header:
    """Find one header of an explanation."""
    (found,) = (header for header in explanation.headers if header.name == name)
    return found
