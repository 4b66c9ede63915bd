"""
Providers' lists of networks: every form that is read, and everything that is refused.
"""

from __future__ import annotations

import json

import pytest

from trustedproxy.presets.failures import Failure, UpdateError
from trustedproxy.presets.lists import FORMS, parse_document

LINES = "# IPv4\n192.88.96.0/20\n\r\n193.0.4.0/22 # and a word\n193.0.4.0/22\n"
CLOUDFLARE = {
    "result": {
        "ipv4_cidrs": ["193.0.4.0/22"],
        "ipv6_cidrs": ["2a00:cb00::/32"],
        "etag": "38f79d050aa027e3be3865e495dcc9bc",
    },
    "success": True,
}
FASTLY = {"addresses": ["193.0.4.0/22"], "ipv6_addresses": ["2a00:cb00::/32"]}
AWS = {
    "syncToken": "1764300000",
    "prefixes": [
        {"ip_prefix": "193.0.4.0/22", "region": "GLOBAL", "service": "AMAZON"},
        {"ip_prefix": "193.0.4.0/24", "region": "GLOBAL", "service": "CLOUDFRONT"},
    ],
    "ipv6_prefixes": [
        {"ipv6_prefix": "2a00:cb00::/32", "region": "GLOBAL", "service": "CLOUDFRONT"},
        {"ipv6_prefix": "2a00:cb01::/32", "region": "eu-west-1", "service": "S3"},
    ],
}
GOOGLE = {
    "creationTime": "2026-11-27T10:00:00",
    "prefixes": [
        {"ipv4Prefix": "193.0.4.0/22", "service": "Google Cloud", "scope": "a"},
        {"ipv6Prefix": "2a00:cb00::/32", "service": "Google Cloud", "scope": "b"},
        {"ipv4Prefix": "193.0.8.0/22"},
    ],
}
AZURE = {
    "changeNumber": 1,
    "values": [
        {
            "name": "AzureFrontDoor.Backend",
            "properties": {"addressPrefixes": ["193.0.4.0/22", "2a00:cb00::/32"]},
        },
        {"name": "Storage", "properties": {"addressPrefixes": ["193.0.8.0/22"]}},
    ],
}


def parse(document: object, form: str, service: str | None = None) -> list[str]:
    """Parse *document*, JSON unless it is text, and return the networks as text."""
    text = document if isinstance(document, str) else json.dumps(document)
    return [str(one) for one in parse_document(text.encode(), form, service)]


@pytest.mark.parametrize(
    ("form", "document", "service", "expected"),
    [
        ("lines", LINES, None, ["192.88.96.0/20", "193.0.4.0/22"]),
        ("cloudflare", CLOUDFLARE, None, ["193.0.4.0/22", "2a00:cb00::/32"]),
        ("fastly", FASTLY, None, ["193.0.4.0/22", "2a00:cb00::/32"]),
        ("aws", AWS, "CLOUDFRONT", ["193.0.4.0/24", "2a00:cb00::/32"]),
        (
            "aws",
            AWS,
            None,
            ["193.0.4.0/22", "193.0.4.0/24", "2a00:cb00::/32", "2a00:cb01::/32"],
        ),
        ("google", GOOGLE, "Google Cloud", ["193.0.4.0/22", "2a00:cb00::/32"]),
        ("google", GOOGLE, None, ["193.0.4.0/22", "193.0.8.0/22", "2a00:cb00::/32"]),
        (
            "azure",
            AZURE,
            "AzureFrontDoor.Backend",
            ["193.0.4.0/22", "2a00:cb00::/32"],
        ),
        ("azure", AZURE, None, ["193.0.4.0/22", "193.0.8.0/22", "2a00:cb00::/32"]),
    ],
)
def test_document_is_read_in_its_form(
    form: str, document: object, service: str | None, expected: list[str]
) -> None:
    """Every network once, IPv4 first, sorted; of the service that is wanted."""
    assert parse(document, form, service) == expected


def test_every_form_is_tested() -> None:
    """The forms are those of the table above."""
    assert set(FORMS) == {"lines", "cloudflare", "fastly", "aws", "google", "azure"}


@pytest.mark.parametrize("form", sorted(set(FORMS) - {"lines"}))
@pytest.mark.parametrize(
    "document",
    [
        "<!doctype html><title>Sign in</title>",
        "",
        "[]",
        "null",
        "{}",
        '{"result": null, "prefixes": null, "values": null, "addresses": null}',
        '{"result": [], "prefixes": [1], "values": [1], "addresses": 1}',
        '{"prefixes": [{}], "ipv6_prefixes": [], "values": [{}], "result": {}}',
        "[" * 100_000,
    ],
    ids=["html", "empty", "list", "null", "object", "nulls", "types", "keys", "deep"],
)
def test_refuses_what_is_not_of_the_form(form: str, document: str) -> None:
    """Whatever it is, it is no list and never a failure of its own."""
    with pytest.raises(UpdateError) as caught:
        parse(document, form)

    assert caught.value.failure is Failure.NOT_A_LIST


def test_refuses_bytes_that_are_no_text() -> None:
    """Such as a compressed answer."""
    with pytest.raises(UpdateError, match="'lines' \\(UnicodeDecodeError") as caught:
        parse_document(b"\x1f\x8b\x08\x00", "lines", None)

    assert caught.value.failure is Failure.NOT_A_LIST


@pytest.mark.parametrize(
    ("form", "document", "service", "words"),
    [
        ("lines", "# nothing but a comment\n", None, "holds no network."),
        ("aws", AWS, "CLOUDFROND", "no network of the service 'CLOUDFROND'"),
        ("fastly", {"addresses": [], "ipv6_addresses": []}, None, "holds no network"),
    ],
)
def test_refuses_a_list_without_a_network(
    form: str, document: object, service: str | None, words: str
) -> None:
    """A list that is empty would make every proxy a stranger."""
    with pytest.raises(UpdateError, match=words) as caught:
        parse(document, form, service)

    assert caught.value.failure is Failure.NOT_A_LIST


@pytest.mark.parametrize(
    "entry", ["<html>", "193.0.4.1/22", "private", "*", "unix", "file:/etc/x", 7, None]
)
def test_refuses_an_entry_that_is_no_network(entry: object) -> None:
    """Nor a word that a setting would understand, nor an address with a mask."""
    with pytest.raises(UpdateError, match="which is not a network") as caught:
        parse({"addresses": ["193.0.4.0/22", entry], "ipv6_addresses": []}, "fastly")

    assert caught.value.failure is Failure.NOT_A_LIST


@pytest.mark.parametrize("network", ["0.0.0.0/0", "128.0.0.0/2", "::/0", "2000::/3"])
def test_refuses_a_network_that_is_too_wide(network: str) -> None:
    """Everybody would be trusted."""
    with pytest.raises(UpdateError, match="too wide") as caught:
        parse(f"193.0.4.0/22\n{network}\n", "lines")

    assert caught.value.failure is Failure.TOO_WIDE


@pytest.mark.parametrize(
    ("network", "name"),
    [
        ("10.0.0.0/8", "private"),
        ("192.168.1.0/24", "private"),
        ("127.0.0.1/32", "loopback"),
        ("100.64.0.0/16", "shared"),
        ("fd00::/16", "private"),
        ("::1/128", "loopback"),
        ("169.254.0.0/16", "linklocal"),
    ],
)
def test_refuses_a_network_that_is_not_public(network: str, name: str) -> None:
    """A provider's list must not reach into the user's own networks."""
    with pytest.raises(UpdateError, match=f"which is {name}") as caught:
        parse(f"193.0.4.0/22\n{network}\n", "lines")

    assert caught.value.failure is Failure.NOT_PUBLIC


def test_error_is_a_sentence_and_shows_little_of_what_came() -> None:
    """A page of a megabyte is no message."""
    with pytest.raises(UpdateError) as caught:
        parse("x" * 1_000_000, "lines")

    assert len(str(caught.value)) < 300
    assert str(caught.value).endswith("which is not a network.")
