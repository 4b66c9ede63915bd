"""
What an operator writes: mod_wsgi's directives, lists in files, policies of HSTS, texts.

In:  bytes, taken as UTF-8 where they are.
Out: an assertion that fails where a text is neither read as it says nor refused.
"""

from __future__ import annotations

import ipaddress
import os
import tempfile
from collections.abc import Mapping
from functools import cache
from typing import Final

from trustedproxy import ConfigurationError, HSTSPolicy, read_settings
from trustedproxy.exceptions import hide_userinfo
from trustedproxy.mod_wsgi import parse_mod_wsgi
from trustedproxy.networks import NAMED_NETWORKS, TrustedNetworks
from trustedproxy.policy_options import OPTIONS

#: Settings without which most others are refused.
ENOUGH: Final[Mapping[str, object]] = {
    "TRUSTED_PROXY_HEADERS": ["X-Forwarded-For"],
    "TRUSTED_PROXIES": ["10.0.0.0/8"],
}


#: What a line may be written with, and what is gone when it has been read.
_QUOTES: Final = str.maketrans(dict.fromkeys("\"'\\\n\r"))


def check_apache_directives(data: bytes) -> None:
    """Each line is read or refused, wherever it stands among comments."""
    text = data.decode("utf-8", "replace")
    try:
        settings = parse_mod_wsgi(text)
    except ConfigurationError as refusal:
        assert refusal.option.startswith("mod_wsgi, line "), text
        return

    assert all(name.startswith("TRUSTED_PROX") for name in settings), text
    assert parse_mod_wsgi(f"# a comment\n\n{text}") == settings, text
    if not text.endswith("\\"):
        assert parse_mod_wsgi(f"{text}\n# a comment") == settings, text
    letters = text.translate(_QUOTES)
    proxies = settings.get("TRUSTED_PROXIES", [])
    if proxies == "*":
        # As mod_wsgi does, where no proxy is named.
        proxies = []
        assert "trust" in letters.lower(), text
    assert isinstance(proxies, list)
    # Nobody is trusted who is not in the text, letter for letter.
    assert all(proxy.translate(_QUOTES) in letters for proxy in proxies), text
    try:
        read_settings(settings)
    except ConfigurationError as refusal:
        assert str(refusal)


def check_hsts(data: bytes) -> None:
    """What is accepted is printed as one line that means the same."""
    text = data.decode("latin-1")
    try:
        policy = HSTSPolicy.parse(text)
    except ConfigurationError as refusal:
        assert str(refusal)
        return

    printed = str(policy)
    assert HSTSPolicy.parse(printed) == policy, text
    assert str(HSTSPolicy.parse(printed)) == printed, text
    assert printed.isascii() and printed.replace("\t", "").isprintable(), text
    names = [part.partition("=")[0].lower() for part in printed.split("; ")]
    assert names[0] == "max-age" and policy.max_age >= 0
    if '"' not in printed:
        assert len(set(names)) == len(names), text


@cache
def _make_file() -> str:
    handle, path = tempfile.mkstemp(prefix="networks-")
    os.close(handle)
    return path


def read_lines(data: bytes) -> set[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Read a list as its page describes it, line by line."""
    networks: set[ipaddress.IPv4Network | ipaddress.IPv6Network] = set()
    for line in data.decode("utf-8", "replace").split("\n"):
        entry = line.removesuffix("\r").partition("#")[0].strip(" \t")
        if not entry:
            continue
        if entry in NAMED_NETWORKS:
            networks.update(NAMED_NETWORKS[entry])
            continue
        network = ipaddress.ip_network(entry)
        mapped = getattr(network.network_address, "ipv4_mapped", None)
        if mapped is not None:
            network = ipaddress.ip_network(f"{mapped}/{network.prefixlen - 96}")
        networks.add(network)
    return networks


def check_list_file(data: bytes) -> None:
    """Nothing is trusted that no line says, and no line is left out."""
    path = _make_file()
    with open(path, "wb") as file:
        file.write(data)
    try:
        trusted = TrustedNetworks([f"file:{path}"])
    except ConfigurationError as refusal:
        assert "networks-" in str(refusal) or "TRUSTED_PROXIES" in str(refusal)
        return

    assert data.endswith(b"\n")
    assert set(trusted.networks) == read_lines(data)


_BY_NAME: Final = {option.name: option for option in OPTIONS}


def check_settings(data: bytes) -> None:
    """A line ``NAME=text`` of an environment is read alike twice, or refused."""
    environment: dict[str, str] = {}
    for line in data.decode("utf-8", "replace").split("\n"):
        name, equals, text = line.partition("=")
        if equals and name in _BY_NAME and "\0" not in text and "file:" not in text:
            environment[name] = text.replace("|", "\n")
    try:
        given = {n: _BY_NAME[n].read_text(text) for n, text in environment.items()}
        settings = read_settings({**ENOUGH, **given})
    except ConfigurationError as refusal:
        shown = str(refusal)
        # What may be a password is in no error.
        secrets = environment.pop("TRUSTED_PROXY_SECRETS", "").split("\n")
        for secret in secrets:
            elsewhere = any(secret in text for text in environment.values())
            assert len(secret) < 16 or elsewhere or secret not in shown, shown
        return

    assert read_settings({**ENOUGH, **given}).policy == settings.policy
    assert hide_userinfo(repr(settings.policy)) is not None
    for secret in settings.policy.secrets:
        assert secret not in repr(settings.policy)
