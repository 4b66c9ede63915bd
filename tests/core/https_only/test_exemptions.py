"""What stays reachable over plain HTTP: paths, and peers that speak for themselves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from trustedproxy import ProxyPolicy
from trustedproxy.https_only import HTTPSOnly, exemptions, read_environ
from trustedproxy.networks import TrustedNetworks

from ...attacks_https import Row, make_environ
from .making import PLAIN, PLAIN_GOT, TRUSTED


@pytest.mark.parametrize(
    ("pattern", "path", "wanted"),
    [
        ("/healthz", b"/healthz", True),
        ("/healthz", b"/healthz/", False),
        ("/healthz", b"/healthzx", False),
        ("/healthz", b"/x/healthz", False),
        ("/healthz", b"/Healthz", False),
        ("/.well-known/acme-challenge/*", b"/.well-known/acme-challenge/abc", True),
        ("/.well-known/acme-challenge/*", b"/.well-known/acme-challenge/", True),
        ("/.well-known/acme-challenge/*", b"/.well-known/acme-challenge", False),
        ("/.well-known/acme-challenge/*", b"/Xwell-known/acme-challenge/abc", False),
        ("/open/*", b"/open/a/b", True),
        ("/open/*", b"/open/../private", False),
        ("/open/*", b"/open/./a", False),
        ("/open/*", b"/open/..", False),
        ("/open/*", b"/open/..a", True),
        ("/*/ping", b"/a/b/ping", True),
        ("/*/ping", b"/a/ping/b", False),
        ("/a*b*c", b"/abbc", True),
        ("/a*b*c", b"/acb", False),
        ("/a*b*b", b"/ab", False),
        ("/a*\n*", b"/a\nb", True),
        ("/caf%C3%A9", b"/caf\xc3\xa9", True),
        ("/caf\xe9", b"/caf\xc3\xa9", True),
        ("/a%2Ab", b"/a*b", True),
        ("/a%2Ab", b"/axb", False),
        ("/", b"/", True),
        ("/", b"/a", False),
        ("/*", b"/anything", True),
    ],
)
def test_exempt_path(pattern: str, path: bytes, wanted: bool) -> None:
    """A pattern is compared to the whole path; only a star is special."""
    assert HTTPSOnly(exempt=[pattern]).exempts(replace(PLAIN, path=path)) == wanted


@pytest.mark.parametrize(
    ("pattern", "wanted"), [("/healthz", True), ("/app/healthz", True), ("/app", False)]
)
def test_exempt_path_below_mount_point(pattern: str, wanted: bool) -> None:
    """A pattern may be written below the mount point, or with it."""
    facts = replace(PLAIN, mount_point=b"/app", path=b"/healthz")

    assert HTTPSOnly(exempt=[pattern]).exempts(facts) == wanted


def test_exempt_path_with_many_stars_is_quick() -> None:
    """A pattern of many stars costs no more than the path is long."""
    rules = HTTPSOnly(exempt=["/" + "*a" * 25 + "*b"])

    assert not rules.exempts(replace(PLAIN, path=b"/" + b"a" * 4000))


@pytest.mark.parametrize(
    ("path", "raw_path", "wanted"),
    [
        (b"/open/" + b"a" * 4090, None, True),
        (b"/open/" + b"a" * 4091, None, False),
        (b"/open/" + b"a" * 1365, b"/open/" + b"%61" * 1363 + b"aa", False),
        (b"/open/" + b"a" * 1364, b"/open/" + b"%61" * 1363 + b"a", True),
    ],
)
def test_exempt_path_of_any_length(
    path: bytes, raw_path: bytes | None, wanted: bool
) -> None:
    """One that is longer than what is read of a header is in doubt."""
    facts = replace(PLAIN, path=path, raw_path=raw_path)

    assert HTTPSOnly(exempt=["/open/*"]).exempts(facts) == wanted


def test_other_paths_are_not_read_in_every_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """That takes long, and most paths are exempt in no reading."""
    asked: list[str] = []
    monkeypatch.setattr(exemptions, "_leads_down", asked.append)

    assert not HTTPSOnly(exempt=["/healthz"]).exempts(replace(PLAIN, path=b"/%25%25"))
    assert asked == []


@pytest.mark.parametrize(
    ("exempt", "peer", "wanted"),
    [
        (["127.0.0.0/8"], "127.0.0.1", True),
        (["127.0.0.0/8"], "::ffff:127.0.0.1", True),
        (["127.0.0.0/8"], "192.0.2.1", False),
        (["loopback"], "::1", True),
        (["unix"], "", True),
        (["unix"], None, True),
        (["/healthz", "192.0.2.1"], "192.0.2.1", True),
        ("/healthz 192.0.2.1", "192.0.2.1", True),
        (["/healthz"], "192.0.2.1", False),
        ([], "192.0.2.1", False),
        ("", "192.0.2.1", False),
    ],
)
def test_exempt_network(
    exempt: list[str] | str, peer: str | None, wanted: bool
) -> None:
    """A network stands for the peers in it."""
    assert HTTPSOnly(exempt=exempt).exempts(replace(PLAIN, peer=peer)) == wanted


def test_exempt_network_does_not_reach_through_a_proxy() -> None:
    """A proxy's header means that somebody behind the peer asks: no exemption."""
    rules = HTTPSOnly(exempt=["10.0.0.0/8"])

    assert rules.answer(TRUSTED) is None
    assert rules.answer(replace(TRUSTED, signs=("Via",))) is not None


def test_exempt_network_is_of_the_original_peer() -> None:
    """A client that the proxy names is no peer: its address opens nothing."""
    environ = make_environ(
        Row("S-62", "forwarded", PLAIN_GOT, headers={"X-Forwarded-For": "127.0.0.1"})
    )
    policy = ProxyPolicy(headers=["X-Forwarded-For"], proxies=["10.0.0.0/8"])

    policy.apply(environ)

    assert environ["REMOTE_ADDR"] == "127.0.0.1"
    assert not HTTPSOnly(exempt=["loopback"]).exempts(read_environ(environ))


@pytest.mark.parametrize(
    ("raw_path", "wanted"),
    [
        (None, True),
        (b"/app/open/a", True),
        (b"/open/%c0%ae%c0%ae/x/a", False),
        (b"/app/../open/a", False),
    ],
)
def test_exempt_path_as_it_was_sent(raw_path: bytes | None, wanted: bool) -> None:
    """What a server made harmless, another reader in front may have seen."""
    facts = replace(PLAIN, mount_point=b"/app", path=b"/open/x/a", raw_path=raw_path)

    assert HTTPSOnly(exempt=["/open/*"]).exempts(facts) == wanted


@pytest.mark.parametrize(
    ("path", "near"),
    [(b"/healthz", "/healthz/"), (b"/ready/", "/ready"), (b"/x", None), (b"", None)],
)
def test_exempt_path_but_for_its_slash(path: bytes, near: str | None) -> None:
    """The entry that was meant, for a message."""
    exemptions = HTTPSOnly(exempt=["/healthz/", "/ready"]).exemptions

    assert exemptions.find_near(b"", path) == near


@pytest.mark.parametrize(
    ("proxies", "shared"),
    [
        (["10.0.0.0/8"], ["10.1.0.0/16", "private"]),
        (["10.1.2.3", "2001:db8::1"], ["10.1.0.0/16", "private"]),
        (["unix"], ["unix"]),
        (["fc00::1"], ["private"]),
        (["192.0.2.1"], []),
        ([], []),
        (None, ["10.1.0.0/16", "private", "unix"]),
    ],
)
def test_exempt_network_of_proxies(
    proxies: list[str] | None, shared: list[str]
) -> None:
    """H-11: where the front consumes Connection, only the settings show the danger."""
    exemptions = HTTPSOnly(exempt=["/a", "10.1.0.0/16", "private", "unix"]).exemptions
    networks = None if proxies is None else TrustedNetworks(proxies)

    assert exemptions.find_shared(networks) == shared
