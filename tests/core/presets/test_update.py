"""
A ``file:`` list is refreshed whole or not at all, and the last good one is kept.
"""

from __future__ import annotations

import os
import ssl
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

import pytest

from trustedproxy import presets
from trustedproxy.networks import TrustedNetworks
from trustedproxy.presets.records import OLD
from trustedproxy.presets.update import (
    Failure,
    Publication,
    Update,
    UpdateError,
    describe_list_age,
    find_lost,
    find_publication,
    published_names,
    read_list_date,
    update_list,
)

from .provider import Provider, respond

TODAY = date(2026, 11, 28)
OLD_LIST = "193.0.4.0/22\n193.0.8.0/22\n2a00:cb00::/32\n"

Run: TypeAlias = Callable[..., Update]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the list is, in a folder of its own."""
    folder = tmp_path / "lists"
    folder.mkdir()
    return folder / "edge.txt"


@pytest.fixture
def run(provider: Provider, trusting: ssl.SSLContext, path: Path) -> Run:
    """Return a function that updates the list with what the provider answers."""

    def run(body: str, *, form: str = "lines", **options: Any) -> Update:
        provider.answer = respond(body.encode())
        options = {"publication": Publication(provider.url, form, None), **options}
        return update_list(
            "edge",
            path,
            today=TODAY,
            ssl_context=trusting,
            **options,
        )

    return run


def texts(networks: object) -> list[str]:
    """Return *networks* as text."""
    assert isinstance(networks, tuple)
    return [str(network) for network in networks]


def test_list_is_made(run: Run, path: Path, provider: Provider) -> None:
    """Readable for everybody, whatever the umask; with where it is from."""
    before = os.umask(0o077)
    try:
        update = run("193.0.8.0/22\n193.0.4.0/22\n")
    finally:
        os.umask(before)

    assert path.read_text().splitlines() == [
        f"# edge, 2026-11-28, from {provider.url}",
        "# Written by `trustedproxy networks update`: other lines are lost.",
        "193.0.4.0/22",
        "193.0.8.0/22",
    ]
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert update.path == path
    assert update.url == provider.url
    assert texts(update.networks) == texts(update.added) == list(OLD_LIST.split())[:2]
    assert update.removed == ()


def test_list_is_read_by_a_policy(run: Run, path: Path) -> None:
    """Which trusts what is on it, and nobody else."""
    run("193.0.4.0/22\n2a00:cb00::/32\n")

    networks = TrustedNetworks([f"file:{path}"])

    assert networks.trusts("193.0.7.255")
    assert networks.trusts("2a00:cb00::1")
    assert not networks.trusts("193.0.8.1")


def test_list_is_replaced_and_says_what_changed(run: Run, path: Path) -> None:
    """What is new, and what is gone."""
    path.write_text(OLD_LIST)

    update = run("193.0.4.0/22\n2a00:cb00::/32\n193.0.16.0/22\n")

    assert texts(update.added) == ["193.0.16.0/22"]
    assert texts(update.removed) == ["193.0.8.0/22"]
    assert "193.0.8.0/22" not in path.read_text()


def test_list_of_the_same_networks_has_a_new_date(run: Run, path: Path) -> None:
    """It was looked at, so that it is not old."""
    path.write_text(f"# edge, 2026-01-01, from https://edge.example/\n{OLD_LIST}")

    update = run(OLD_LIST)

    assert update.added == update.removed == ()
    assert read_list_date(path) == TODAY


def test_mode_and_links_stay(run: Run, path: Path, tmp_path: Path) -> None:
    """A link leads to the new list, in the same place, as readable as the old one."""
    real = tmp_path / "real.txt"
    real.write_text(OLD_LIST)
    real.chmod(0o640)
    path.symlink_to(real)

    update = run(OLD_LIST)

    assert path.is_symlink()
    assert update.path == real
    assert real.read_text().startswith("# edge, ")
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_owner_stays(run: Run, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root's timer does not take a list away from who reads it."""
    path.write_text(OLD_LIST)
    given: list[tuple[object, ...]] = []
    monkeypatch.setattr(os, "chown", lambda *args: given.append(args))

    run(OLD_LIST)

    [(temporary, user, group)] = given
    assert (user, group) == (path.stat().st_uid, path.stat().st_gid)
    assert Path(str(temporary)).parent == path.parent


def test_owner_that_cannot_be_given_is_let_be(
    run: Run, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only root may; the mode stays all the same."""
    path.write_text(OLD_LIST)
    path.chmod(0o604)

    def refuse(*args: object) -> NoReturn:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "chown", refuse)

    run(OLD_LIST)

    assert stat.S_IMODE(path.stat().st_mode) == 0o604
    assert read_list_date(path) == TODAY


def test_folder_that_cannot_be_synced_is_let_be(
    run: Run, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list is written; not every file system can make its name last."""
    sync = os.fsync

    def refuse_folders(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(22, "Invalid argument")
        sync(handle)

    monkeypatch.setattr(os, "fsync", refuse_folders)

    run(OLD_LIST)

    assert read_list_date(path) == TODAY


def keeps(path: Path, text: str = OLD_LIST) -> bool:
    """Whether the list is as it was, and nothing else is in its folder."""
    return path.read_text() == text and os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize(
    ("body", "form", "failure"),
    [
        ("<!doctype html>\n", "lines", Failure.NOT_A_LIST),
        ("", "lines", Failure.NOT_A_LIST),
        ("{}", "fastly", Failure.NOT_A_LIST),
        (f"{OLD_LIST}0.0.0.0/0\n", "lines", Failure.TOO_WIDE),
        (f"{OLD_LIST}10.0.0.0/8\n", "lines", Failure.NOT_PUBLIC),
        ("193.0.4.0/22\n", "lines", Failure.SHRUNK),
        ("198.18.0.0/16\n198.20.0.0/16\n", "lines", Failure.SHRUNK),
    ],
)
def test_last_good_list_is_kept(
    body: str, form: str, failure: Failure, run: Run, path: Path
) -> None:
    """Whatever the provider publishes by mistake."""
    path.write_text(OLD_LIST)

    with pytest.raises(UpdateError) as caught:
        run(body, form=form)

    assert caught.value.failure is failure
    assert keeps(path)


@pytest.mark.parametrize(
    ("options", "failure"),
    [
        ({"most_bytes": 10}, Failure.TOO_LARGE),
        (
            {"publication": Publication("https://127.0.0.1:1/", "lines", None)},
            Failure.UNREACHABLE,
        ),
        ({"ssl_context": None}, Failure.UNREACHABLE),
    ],
)
def test_last_good_list_is_kept_when_nothing_is_fetched(
    options: dict[str, object],
    failure: Failure,
    provider: Provider,
    trusting: ssl.SSLContext,
    path: Path,
) -> None:
    """The bounds and the certificates are those that were said."""
    path.write_text(OLD_LIST)
    provider.answer = respond(OLD_LIST.encode())
    said: dict[str, Any] = {
        "publication": Publication(provider.url, "lines", None),
        "ssl_context": trusting,
        **options,
    }

    with pytest.raises(UpdateError) as caught:
        update_list("edge", path, **said)

    assert caught.value.failure is failure
    assert keeps(path)


def test_list_may_lose_half_of_its_networks(run: Run, path: Path) -> None:
    """More than that is refused, and no less."""
    path.write_text("193.0.4.0/22\n193.0.8.0/22\n")

    update = run("193.0.8.0/22\n")

    assert texts(update.removed) == ["193.0.4.0/22"]


def test_list_may_lose_more_where_that_is_allowed(run: Run, path: Path) -> None:
    """Somebody looked at the provider's page."""
    path.write_text(OLD_LIST)

    update = run("193.0.16.0/22\n", allow_shrink=True)

    assert texts(update.networks) == ["193.0.16.0/22"]
    assert len(update.removed) == 3


def test_networks_that_were_merged_are_not_lost(run: Run, path: Path) -> None:
    """One that holds the others is written instead of them."""
    path.write_text("193.0.0.0/24\n193.0.1.0/24\n193.0.2.0/24\n2a00:cb00::/32\n")

    update = run("193.0.0.0/22\n2a00:cb00::/32\n")

    assert texts(update.networks) == ["193.0.0.0/22", "2a00:cb00::/32"]


def test_network_of_one_ip_version_does_not_hold_one_of_the_other(
    run: Run, path: Path
) -> None:
    """However large its numbers are."""
    path.write_text("193.0.0.0/24\n193.0.1.0/24\n")

    with pytest.raises(UpdateError) as caught:
        run("2a00:cb00::/32\n")

    assert caught.value.failure is Failure.SHRUNK


@pytest.mark.parametrize(
    ("after", "lost"),
    [
        ("", "193.0.0.0/24 193.0.9.0/24 2a00:cb00::/48"),
        ("193.0.0.0/16 193.0.4.0/24 2a00::/16", ""),
        ("193.0.0.0/25 193.0.8.0/23 193.0.9.0/25", "193.0.0.0/24 2a00:cb00::/48"),
        ("193.0.1.0/24 193.0.10.0/24 2a00:cb00::/48", "193.0.0.0/24 193.0.9.0/24"),
        ("2a00:cb00::/32 2a00:cb00::/64", "193.0.0.0/24 193.0.9.0/24"),
    ],
)
def test_network_is_lost_where_no_single_one_holds_it(after: str, lost: str) -> None:
    """Whatever begins between them, or lies in them."""
    before = make_networks("193.0.0.0/24 193.0.9.0/24 2a00:cb00::/48")

    found = find_lost(set(before), make_networks(after))

    assert set(found) == set(make_networks(lost))


def make_networks(texts: str) -> list[IPv4Network | IPv6Network]:
    """Make networks of a text."""
    return [ip_network(text) for text in texts.split()]


@pytest.mark.parametrize("text", ["listen 80;\n", "10.0.0.0/8\nprivate\n", "\x00\xff"])
def test_file_of_something_else_is_kept(text: str, run: Run, path: Path) -> None:
    """A path that was mistaken is no list to write over."""
    path.write_text(text, encoding="latin-1")

    with pytest.raises(UpdateError, match="not a network") as caught:
        run(OLD_LIST)

    assert caught.value.failure is Failure.NOT_OURS
    assert path.read_text(encoding="latin-1") == text
    assert os.listdir(path.parent) == [path.name]


def test_refuses_what_is_no_regular_file(run: Run, path: Path) -> None:
    """Such as a folder, a device or a pipe, which would wait for ever."""
    path.mkdir()

    with pytest.raises(UpdateError, match="not a regular file") as caught:
        run(OLD_LIST)

    assert caught.value.failure is Failure.NOT_OURS


def test_nothing_is_fetched_for_a_file_that_is_not_ours(
    run: Run, path: Path, provider: Provider
) -> None:
    """What would fail in the end fails at once."""
    path.write_text("listen 80;\n")

    with pytest.raises(UpdateError):
        run(OLD_LIST)

    assert provider.requests == []


def test_refuses_a_folder_that_is_not_there(run: Run, path: Path) -> None:
    """With the path, and the system's reason."""
    path.parent.rmdir()

    with pytest.raises(UpdateError, match="No such file or directory") as caught:
        run(OLD_LIST)

    assert caught.value.failure is Failure.FILE
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("step", ["fsync", "chmod", "replace"])
def test_last_good_list_is_kept_when_writing_fails(
    step: str, run: Run, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every step; what was begun is removed."""
    path.write_text(OLD_LIST)

    def fail(*args: object) -> NoReturn:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, fail)

    with pytest.raises(UpdateError, match="No space left on device") as caught:
        run(OLD_LIST)

    assert caught.value.failure is Failure.FILE
    assert keeps(path)


def test_reason_that_has_no_text_is_named_by_its_kind(
    run: Run, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sentence all the same."""

    def fail(*args: object) -> NoReturn:
        raise OSError

    monkeypatch.setattr(os, "replace", fail)

    with pytest.raises(UpdateError, match=r"read or written \(OSError\)\."):
        run(OLD_LIST)


def test_name_and_address_end_no_line_of_the_list(
    provider: Provider, trusting: ssl.SSLContext, path: Path
) -> None:
    """Whatever they are, they add no network, and no password is written."""
    provider.answer = respond(OLD_LIST.encode())
    url = provider.url.replace("://", "://me:secret@")

    update_list(
        "edge\n10.0.0.0/8",
        path,
        publication=Publication(url, "lines", None),
        ssl_context=trusting,
    )

    lines = path.read_text().splitlines()
    assert [line for line in lines if not line.startswith("#")] == OLD_LIST.split()
    assert "secret" not in lines[0]


# -- where platforms publish their networks --------------------------------------------


def test_platforms_that_publish_are_listed() -> None:
    """With a preset or without one."""
    assert published_names() == tuple(sorted(published_names()))
    assert {"cloudflare", "fastly", "aws-cloudfront"} <= set(published_names())
    assert "heroku" not in published_names()


@pytest.mark.parametrize("name", published_names())
def test_publication_of_a_platform_is_found(name: str) -> None:
    """It is the one in its file."""
    known = name in presets.names()
    platform = presets.read_preset(name) if known else presets.read_unconfirmed(name)

    assert find_publication(name) == platform.publication


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cloudflair", "the nearest is 'cloudflare'"),
        ("heroku", r"does not publish .*cloudflare"),
        ("render", r"does not publish .*cloudflare"),
        ("", r"does not publish .*cloudflare"),
    ],
)
def test_refuses_a_platform_that_publishes_nothing(
    name: str, words: str, path: Path
) -> None:
    """Or that there is none of; the nearest that does is named, or all."""
    with pytest.raises(UpdateError, match=words) as caught:
        update_list(name, path)

    assert caught.value.failure is Failure.NOT_PUBLISHED
    assert not path.exists()


def test_platform_is_fetched_from_where_it_publishes(
    provider: Provider,
    trusting: ssl.SSLContext,
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In its own form, without more being said."""
    provider.answer = respond(
        b'{"result": {"ipv4_cidrs": ["193.0.4.0/22"], "ipv6_cidrs": []}}'
    )
    known = presets.read_preset("cloudflare")
    assert known.publication is not None
    moved = replace(known, publication=replace(known.publication, url=provider.url))
    monkeypatch.setattr(
        "trustedproxy.presets.update.read_preset", {"cloudflare": moved}.__getitem__
    )

    update = update_list("cloudflare", path, ssl_context=trusting)

    assert texts(update.networks) == ["193.0.4.0/22"]
    assert read_list_date(path) == date.today()


# -- the age of a list -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# edge, 2026-05-01, from https://edge.example/\n", date(2026, 5, 1)),
        ("# edge, 2026-02-31, from https://edge.example/\n", None),
        ("# edge of the world\n193.0.4.0/22\n", None),
        ("193.0.4.0/22\n# edge, 2026-05-01, from https://edge.example/\n", None),
        ("", None),
    ],
)
def test_date_of_a_list_is_read_from_its_first_line(
    text: str, expected: date | None, path: Path
) -> None:
    """Of a list that somebody wrote by hand nothing is known."""
    path.write_text(text)

    assert read_list_date(path) == expected


def test_date_of_a_list_that_cannot_be_read_is_an_error(path: Path) -> None:
    """The caller says what it is for."""
    with pytest.raises(FileNotFoundError):
        read_list_date(path)


def test_old_list_is_described(path: Path) -> None:
    """With its day, its age, and what to do; not before half a year."""
    path.write_text(f"# edge, {TODAY}, from https://edge.example/\n")

    text = describe_list_age(path, TODAY + timedelta(days=OLD + 1))

    assert text is not None
    assert f"{path} was last refreshed on 2026-11-28, {OLD + 1} days ago" in text
    assert describe_list_age(path, TODAY + timedelta(days=OLD)) is None


def test_list_without_a_date_has_no_age(path: Path) -> None:
    """Somebody else keeps it."""
    path.write_text(OLD_LIST)

    assert describe_list_age(path, TODAY + timedelta(days=4000)) is None
