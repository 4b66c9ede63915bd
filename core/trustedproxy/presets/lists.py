"""
Read the lists of networks that providers publish.

In:  a document as it was fetched, its form, and which service of several is wanted.
Out: networks, sorted, each once.

A document is a stranger's text until it was read in full: what is not exactly of the
form, holds no network, or holds one that no provider's proxies can be spread over, is
refused as a whole.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..exceptions import ConfigurationError
from ..networks import NAMED_NETWORKS, is_too_wide, parse_network
from .failures import Failure, UpdateError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .._types import Network


def parse_document(
    document: bytes, form: str, service: str | None
) -> tuple[Network, ...]:
    """
    Read *document*, written in *form*, a key of `FORMS`.

    Args:
        document: The bytes that were fetched.

        form: How they are written.

        service: The part that is wanted, where the form has parts.

    Raises:
        UpdateError: It is no such list, or a network in it cannot be right.
    """
    try:
        entries = list(FORMS[form](document.decode("utf-8"), service))
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        RecursionError,
    ) as error:
        raise UpdateError(
            Failure.NOT_A_LIST,
            f"the answer is not a list of the form {form!r} "
            f"({type(error).__name__}: {str(error)[:100]})",
        ) from error
    if not entries:
        part = "" if service is None else f" of the service {service!r}"
        raise UpdateError(Failure.NOT_A_LIST, f"the answer holds no network{part}")
    networks = {_parse(entry) for entry in entries}
    return sorted_networks(networks)


def parse_lines(text: str) -> list[str]:
    """List the entries of a text: one a line, ``#`` begins a comment."""
    lines = (line.partition("#")[0].strip() for line in text.split("\n"))
    return [line for line in lines if line]


def sorted_networks(networks: Iterable[Network]) -> tuple[Network, ...]:
    """Sort *networks*: IPv4 first, then by address, wider ones first."""
    return tuple(
        sorted(networks, key=lambda n: (n.version, int(n.network_address), n.prefixlen))
    )


def _parse(entry: object) -> Network:
    try:
        network = parse_network(entry, "")
    except ConfigurationError as error:
        raise UpdateError(
            Failure.NOT_A_LIST,
            f"the answer holds {str(error.value)[:100]!r}, which is not a network",
        ) from error
    if is_too_wide(network):
        raise UpdateError(
            Failure.TOO_WIDE,
            f"the answer holds {network}, which is too wide for anybody's proxies",
        )
    for name, reserved in NAMED_NETWORKS.items():
        if any(r.version == network.version and r.overlaps(network) for r in reserved):
            raise UpdateError(
                Failure.NOT_PUBLIC,
                f"the answer holds {network}, which is {name} and no provider's",
            )
    return network


def _read_lines(text: str, service: str | None) -> Iterable[object]:
    return parse_lines(text)


def _read_cloudflare(text: str, service: str | None) -> Iterable[object]:
    result = json.loads(text)["result"]
    return [*result["ipv4_cidrs"], *result["ipv6_cidrs"]]


def _read_fastly(text: str, service: str | None) -> Iterable[object]:
    data = json.loads(text)
    return [*data["addresses"], *data["ipv6_addresses"]]


def _read_aws(text: str, service: str | None) -> Iterable[object]:
    data = json.loads(text)
    for rows, key in (("prefixes", "ip_prefix"), ("ipv6_prefixes", "ipv6_prefix")):
        for row in data[rows]:
            if service in (None, row["service"]):
                yield row[key]


def _read_google(text: str, service: str | None) -> Iterable[object]:
    for row in json.loads(text)["prefixes"]:
        if service in (None, row.get("service")):
            yield row["ipv4Prefix"] if "ipv4Prefix" in row else row["ipv6Prefix"]


def _read_azure(text: str, service: str | None) -> Iterable[object]:
    for row in json.loads(text)["values"]:
        if service in (None, row["name"]):
            yield from row["properties"]["addressPrefixes"]


#: Form → what lists the entries of a document of that form.
FORMS: dict[str, Callable[[str, str | None], Iterable[Any]]] = {
    # One a line, as https://www.cloudflare.com/ips-v4.
    "lines": _read_lines,
    # https://api.cloudflare.com/client/v4/ips
    "cloudflare": _read_cloudflare,
    # https://api.fastly.com/public-ip-list
    "fastly": _read_fastly,
    # https://ip-ranges.amazonaws.com/ip-ranges.json
    "aws": _read_aws,
    # https://www.gstatic.com/ipranges/cloud.json
    "google": _read_google,
    # Azure IP Ranges and Service Tags, a new address every week.
    "azure": _read_azure,
}
