"""
The data files: every preset makes of its own requests what it says, and nothing that
it says about itself contradicts anything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

import pytest

from trustedproxy import Category, Connection, Form, ProxyPolicy, presets
from trustedproxy.frontends import Site, write_files
from trustedproxy.headers import KNOWN_HEADERS
from trustedproxy.networks import is_too_wide
from trustedproxy.policy_options import read_policy_options
from trustedproxy.presets import GROUPS, Preset, Unconfirmed, Vector
from trustedproxy.presets.lists import FORMS

PRESETS = [presets.read_preset(name) for name in presets.names()]
UNCONFIRMED = [presets.read_unconfirmed(name) for name in presets.unconfirmed_names()]
VECTORS = [(preset, vector) for preset in PRESETS for vector in preset.vectors]
#: A day on which no preset's networks are old, so that nothing is logged.
TODAY = date(2026, 11, 28)
KNOWN = {header.name: header for header in KNOWN_HEADERS}

each_preset = pytest.mark.parametrize("preset", PRESETS, ids=lambda one: one.name)
each_platform = pytest.mark.parametrize(
    "platform", [*PRESETS, *UNCONFIRMED], ids=lambda one: one.name
)
each_vector = pytest.mark.parametrize(
    ("preset", "vector"), VECTORS, ids=[f"{p.name}: {v.name}" for p, v in VECTORS]
)


def make_policy(preset: Preset, arguments: Mapping[str, object]) -> ProxyPolicy:
    """Make the policy of *preset* and of what is said beside it."""
    combined = presets.arguments_of(preset.name, arguments, today=TODAY)
    return ProxyPolicy(**combined)


def headers_of(preset: Preset) -> list[str]:
    """List the trusted headers of *preset*."""
    headers = preset.arguments["headers"]
    assert isinstance(headers, tuple)
    return list(headers)


@each_vector
def test_vector_is_decided_as_the_preset_says(preset: Preset, vector: Vector) -> None:
    """The real policy makes of the request what the file expects."""
    policy = make_policy(preset, vector.arguments)
    connection = Connection(peer=vector.peer, scheme=vector.scheme, host=vector.host)

    decision = policy.decide(connection, vector.headers)

    expected = dict(vector.expected)
    removed = expected.pop("removed", ())
    assert {name: getattr(decision, name) for name in expected} == expected
    assert isinstance(removed, tuple | list)
    assert set(removed) <= set(decision.removed)


@each_vector
def test_vector_is_decided_the_same_in_an_environ_and_in_a_scope(
    preset: Preset, vector: Vector
) -> None:
    """What WSGI and ASGI applications see is what was decided."""
    policy = make_policy(preset, vector.arguments)
    connection = Connection(peer=vector.peer, scheme=vector.scheme, host=vector.host)
    decision = policy.decide(connection, vector.headers)
    web = {"ws": "http", "wss": "https"}
    environ = {
        "REMOTE_ADDR": vector.peer,
        "REMOTE_PORT": "40000",
        "wsgi.url_scheme": web.get(vector.scheme, vector.scheme),
        "HTTP_HOST": vector.host,
        "SERVER_NAME": "server.internal",
        "SERVER_PORT": "8000",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/",
        **{
            f"HTTP_{name.upper().replace('-', '_')}": value
            for name, value in vector.headers.items()
        },
    }
    scope = {
        "type": "websocket" if vector.scheme in web else "http",
        "client": (vector.peer, 40000),
        "server": ("127.0.0.1", 8000),
        "scheme": vector.scheme,
        "path": "/",
        "root_path": "",
        "headers": [
            (b"host", vector.host.encode()),
            *((n.lower().encode(), v.encode()) for n, v in vector.headers.items()),
        ],
    }

    in_environ = policy.apply(environ)
    in_scope, _ = policy.apply_scope(scope)

    if vector.peer == "unix:":
        # Over ASGI a path of the server says that, not a name of the client.
        in_scope = in_environ
    assert in_environ.client == in_scope.client == decision.client
    assert in_environ.peer_trusted == in_scope.peer_trusted == decision.peer_trusted
    assert in_environ.host == in_scope.host == decision.host
    secure = decision.scheme in ("https", "wss")
    assert (environ["wsgi.url_scheme"] == "https") is secure
    assert (in_scope.scheme in ("https", "wss")) is secure


@each_preset
def test_preset_has_vectors_for_the_platform_a_forger_and_a_stranger(
    preset: Preset,
) -> None:
    """As the platform sends it, with something forged, and past the platform."""
    expected = [vector.expected for vector in preset.vectors]

    assert any(one.get("peer_trusted") is True for one in expected)
    assert any(one.get("peer_trusted") is False for one in expected)
    assert any("removed" in one or "client" in one for one in expected)
    forged = "192.0.2.66"
    assert any(forged in str(vector.headers) for vector in preset.vectors)
    assert all(one.get("client") != forged for one in expected)


@each_preset
def test_preset_lists_only_what_the_platform_writes(preset: Preset) -> None:
    """What is neither overwritten, nor appended to, nor configured is forgeable."""
    written = {*preset.overwrites, *preset.appends, *preset.configured}

    assert set(headers_of(preset)) <= written
    assert preset.arguments["strip"] == "all"


@each_preset
def test_preset_counts_where_there_is_a_list_and_only_there(preset: Preset) -> None:
    """The count is the number of elements that the platform writes."""
    lists = [
        name
        for name in headers_of(preset)
        if KNOWN[name].category is Category.CLIENT
        and KNOWN[name].form is Form.ADDRESS_LIST
    ]

    assert preset.arguments.get("hops", 0) == preset.elements
    assert bool(lists) is (preset.elements > 0)


@each_preset
def test_preset_identifies_the_client_by_one_header(preset: Preset) -> None:
    """One header a category: several synonyms would have an order (rule R5)."""
    categories = [KNOWN[name].category for name in headers_of(preset)]

    assert Category.CLIENT in categories
    assert len(set(categories)) == len(categories)


@each_preset
def test_preset_says_whom_to_trust_or_asks_for_it(preset: Preset) -> None:
    """Networks, a secret to be said, or proxies to be said; and what to write there."""
    says = preset.arguments.get("proxies") is not None

    assert says is (preset.needs is None)
    assert preset.needs in (None, "proxies", "secrets")
    assert bool(preset.needed) is (preset.needs is not None)
    assert ("secret_header" in preset.arguments) is (preset.needs == "secrets")


@each_preset
def test_example_of_a_preset_makes_a_policy(preset: Preset) -> None:
    """What the page shows is accepted."""
    combined = presets.arguments_of(preset.name, preset.example, today=TODAY)

    options = read_policy_options(**combined)

    assert [header.name for header in options.headers] == headers_of(preset)
    assert options.strip == "all"


@pytest.mark.parametrize(
    "preset", [one for one in PRESETS if one.front_end], ids=lambda one: one.name
)
def test_front_ends_half_can_be_written_for_a_preset(preset: Preset) -> None:
    """Both halves fit: the front end says every header that the preset trusts."""
    assert preset.front_end is not None
    peer = "*" if preset.front_end == "ingress-nginx" else "loopback"
    policy = make_policy(preset, {**preset.example, "proxies": [peer]})
    backend = "app:8000" if peer == "*" else "127.0.0.1:8000"

    files = write_files(preset.front_end, policy, Site(backend=backend))

    assert set(headers_of(preset)) <= {
        name for name in KNOWN if any(name in text for text in files.values())
    }


@pytest.mark.parametrize("platform", UNCONFIRMED, ids=lambda one: one.name)
def test_settings_after_measuring_make_a_policy(platform: Unconfirmed) -> None:
    """What the page shows for later is accepted, but for a file that is not there."""
    said: dict[str, Any] = {
        name: value
        for name, value in platform.then.items()
        if "file:" not in str(value)
    }

    options = read_policy_options(**said)

    assert options.strip == "all"
    assert platform.measure


@each_platform
def test_platform_names_its_sources(platform: Preset | Unconfirmed) -> None:
    """Each fact is from somewhere, read on a day that has been."""
    assert platform.sources
    assert date(2026, 1, 1) <= platform.checked <= date.today()
    for source in platform.sources:
        assert source.url == "matrix.md" or urlsplit(source.url).scheme == "https"
        assert not source.says.endswith(".")


@each_platform
def test_platform_says_what_there_is_to_know(platform: Preset | Unconfirmed) -> None:
    """Whom it is for, what comes, what can be forged, and what to beware of."""
    assert platform.title
    assert platform.group in GROUPS
    for sentences in (platform.sends, platform.forgeable, platform.caution):
        assert sentences
    for sentence in (platform.audience, *platform.sends, *platform.caution):
        assert sentence.endswith((".", "`"))


@each_platform
def test_publication_is_over_tls_and_in_a_form_that_is_read(
    platform: Preset | Unconfirmed,
) -> None:
    """An address that `update` accepts."""
    publication = platform.publication
    if publication is None:
        return

    assert urlsplit(publication.url).scheme == "https"
    assert publication.form in FORMS


@each_preset
def test_networks_of_a_preset_are_networks_with_a_date(preset: Preset) -> None:
    """None of them has room for strangers, and none is there twice."""
    if preset.networks is None:
        return
    networks = [ip_network(entry) for entry in preset.networks.entries]

    assert not any(is_too_wide(network) for network in networks)
    assert len(set(networks)) == len(networks) > 0
    assert preset.networks.published <= preset.checked
    assert preset.arguments["proxies"] == preset.networks.entries


def test_no_platform_is_confirmed_and_unconfirmed() -> None:
    """One name, one answer."""
    assert not set(presets.names()) & set(presets.unconfirmed_names())
