"""
Lists of networks in files: what may stand in one, and how one is followed.

In:  files that change while requests are served, in every way that files change.
Out: the last good list in force; errors and warnings word for word.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trustedproxy import ConfigurationError, log, network_files, networks
from trustedproxy.network_files import LOOK_INTERVAL, RESTLESS_INTERVAL
from trustedproxy.networks import TrustedNetworks
from trustedproxy.parsing.addresses import parse_packed

AN_IP_NETWORK: Final = "an IP network such as 10.0.0.0/8"
AN_ENTRY_FOR_A_FILE: Final = (
    "an entry for a file: a network, or loopback, private, linklocal, shared"
)
A_NETWORK_IN_IT: Final = "a file with a network in it"
A_LINE_BREAK: Final = (
    "a file that ends with a line break, without which it may be half written"
)


class Clock:
    """A clock that is set by hand, for the looks at the files and for the log."""

    def __init__(self) -> None:
        self.now = 5000.0

    def __call__(self) -> float:
        return self.now

    def tick(self, seconds: float = LOOK_INTERVAL) -> None:
        """Let some time pass."""
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Put the clock into the hands of the test; nothing was logged before."""
    log.forget()
    clock = Clock()
    monkeypatch.setattr(networks, "monotonic", clock)
    monkeypatch.setattr(log, "monotonic", clock)
    return clock


_writes = iter(range(1, 1_000_000))


def write(path: Path, text: str | bytes) -> None:
    """Write the file anew, under a date that no file had before."""
    new = path.with_suffix(".new")
    new.write_bytes(text.encode() if isinstance(text, str) else text)
    date = 1_700_000_000_000_000_000 + next(_writes)
    os.utime(new, ns=(date, date))
    new.replace(path)


def overwrite(path: Path, text: str) -> None:
    """Write into the file that is there, if one is, and give it back its date."""
    before = path.stat() if path.exists() else None
    date = next(_writes) if before is None else before.st_mtime_ns
    path.write_text(text)
    os.utime(path, ns=(date, date))
    # Between two real looks a second passes; a file system's clock may be slow.
    while before is not None and path.stat().st_ctime_ns == before.st_ctime_ns:
        os.utime(path, ns=(date, date))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name a file with one network in it."""
    path = tmp_path / "proxies.txt"
    write(path, "10.0.0.0/16\n")
    return path


def look(trusted: TrustedNetworks, clock: Clock, times: int = 2) -> list[str]:
    """Let so many looks happen, and say what is trusted then."""
    for _ in range(times):
        clock.tick()
        trusted.trusts("192.0.2.99")
    return [str(network) for network in trusted.networks]


def take_warnings(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Take the warnings that were logged so far."""
    warnings = [r for r in caplog.records if r.levelno >= logging.WARNING]
    caplog.clear()
    return warnings


# -- what stands in a file -------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "# ours\n\n  10.0.0.0/8  # the first\r\nloopback\n\t\n2001:db8::7\n",
            ["10.0.0.0/8", "127.0.0.0/8", "::1/128", "2001:db8::7/128"],
        ),
        ("10.0.0.0/8\n10.0.0.0/255.0.0.0\n", ["10.0.0.0/8"]),
        ("10.0.0.0/8#x\n", ["10.0.0.0/8"]),
        (b"\xef\xbb\xbf10.0.0.0/8\r\n", ["10.0.0.0/8"]),
        (b"10.0.0.0/8 # \xe9\xff\n", ["10.0.0.0/8"]),
        *(
            (f"10.0.0.0/8 # not yet{end}11.0.0.0/16\n", ["10.0.0.0/8"])
            for end in "\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
        ),
    ],
    ids=ascii,
)
def test_list_has_one_network_a_line(
    path: Path, text: str | bytes, expected: list[str]
) -> None:
    """H-12: lines end at LF and CRLF alone, so that a comment reaches to there."""
    write(path, text)

    trusted = TrustedNetworks([f"file:{path}", "192.0.2.1"])

    assert [str(n) for n in trusted.networks] == ["192.0.2.1/32", *expected]
    assert trusted.entries == (f"file:{path}", "192.0.2.1")
    assert not trusted.trusts("11.0.0.1")


@pytest.mark.parametrize(
    ("text", "option", "value", "expected"),
    [
        ("", "", None, A_NETWORK_IN_IT),
        ("\n", "", None, A_NETWORK_IN_IT),
        ("# none\n\n", "", None, A_NETWORK_IN_IT),
        ("10.0.0.1", "", None, A_LINE_BREAK),
        ("10.0.0.1\n128.0.0.0/1", "", None, A_LINE_BREAK),
        ("10.0.0.1\r", "", None, A_LINE_BREAK),
        ("10.0.0.1\n# comment", "", None, A_LINE_BREAK),
        (
            "10.0.0.1\n\n10.0.0.0/33\n",
            ", line 3",
            "10.0.0.0/33",
            AN_IP_NETWORK + " (the nearest is '10.0.0.0/32')",
        ),
        (
            "10.0.0.1/8 # x\n",
            ", line 1",
            "10.0.0.1/8",
            "a network without host bits (the nearest is '10.0.0.0/8')",
        ),
        ("unix\n", ", line 1", "unix", AN_ENTRY_FOR_A_FILE),
        ("*\n", ", line 1", "*", AN_ENTRY_FOR_A_FILE),
        ("10.0.0.1\nfile:x\n", ", line 2", "file:x", AN_ENTRY_FOR_A_FILE),
        ("10.0.0.1, 10.0.0.2\n", ", line 1", "10.0.0.1, 10.0.0.2", AN_IP_NETWORK),
        ("10.0.0.1\u2028\n", ", line 1", "10.0.0.1\u2028", AN_IP_NETWORK),
        ("10.0.0.1\r\r\n", ", line 1", "10.0.0.1\r", AN_IP_NETWORK),
        ("10.0.0.1\x0b\n", ", line 1", "10.0.0.1\x0b", AN_IP_NETWORK),
        ("10.0.0.1\xa0\n", ", line 1", "10.0.0.1\xa0", AN_IP_NETWORK),
        (b"10.0.0.1\n\xff\n", ", line 2", "\ufffd", AN_IP_NETWORK),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_list_that_is_invalid_is_refused_at_start(
    path: Path, text: str | bytes, option: str, value: str | None, expected: str
) -> None:
    """The error names the line; a list that is empty or half written is one, too."""
    write(path, text)
    shown = f"file:{path}" if value is None else value

    with pytest.raises(ConfigurationError) as caught:
        TrustedNetworks(["10.0.0.1", f"file:{path}"])

    assert str(caught.value) == (
        f"TRUSTED_PROXIES[1]{option}: {shown!r} is not {expected}."
    )


def link_to_fifo(path: Path) -> None:
    """Make a FIFO behind a link, which nobody writes to."""
    os.mkfifo(path.with_suffix(".fifo"))
    path.symlink_to(path.with_suffix(".fifo"))


NOT_REGULAR: Final = "Not a regular file"
SPOILT: Final[list[tuple[Callable[[Path], object], str]]] = [
    (lambda path: None, "No such file or directory"),
    (Path.mkdir, NOT_REGULAR),
    (os.mkfifo, NOT_REGULAR),
    (link_to_fifo, NOT_REGULAR),
    (lambda path: path.symlink_to("/dev/zero"), NOT_REGULAR),
]
SPOILT_IDS: Final = ["missing", "a folder", "a FIFO", "a link to a FIFO", "a device"]


@pytest.mark.parametrize(("make", "reason"), SPOILT, ids=SPOILT_IDS)
def test_list_that_cannot_be_read_is_refused_at_start(
    tmp_path: Path, make: Callable[[Path], object], reason: str
) -> None:
    """H-12: only a regular file is opened, and nothing waits for a writer."""
    path = tmp_path / "spoilt.txt"
    make(path)

    with pytest.raises(ConfigurationError) as caught:
        TrustedNetworks([f"file:{path}"])

    assert str(caught.value) == (
        f"TRUSTED_PROXIES[0]: 'file:{path}' is not a file that can be read ({reason})."
    )


def test_fifo_that_takes_the_place_of_a_file_is_not_waited_for(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """H-12: also not where it does between the look and the reading."""
    fifo = path.with_suffix(".fifo")
    os.mkfifo(fifo)
    regular = os.stat(path)
    path.unlink()
    fifo.rename(path)
    monkeypatch.setattr(os, "stat", lambda _: regular)
    started = time.monotonic()

    with pytest.raises(ConfigurationError, match=NOT_REGULAR):
        TrustedNetworks([f"file:{path}"])

    assert time.monotonic() - started < 5


def test_error_without_words_of_its_own_is_named(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of the system that has no text is shown by its kind."""

    def refuse(*_: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(os, "stat", refuse)

    with pytest.raises(ConfigurationError, match=r"be read \(TimeoutError\)\.$"):
        TrustedNetworks([f"file:{path}"])


# -- how a file is followed ------------------------------------------------------------


def put_link_elsewhere(path: Path, text: str) -> None:
    """Lead a link to another folder, as secrets and maps of containers do."""
    folder = path.with_suffix(f".{next(_writes)}")
    folder.mkdir()
    write(folder / "list", text)
    link = path.with_suffix(".link")
    link.symlink_to(folder / "list")
    link.replace(path)


@pytest.mark.parametrize(
    "change", [write, overwrite, put_link_elsewhere, Path.write_text]
)
@pytest.mark.parametrize("late", [0, 1, 5])
def test_list_is_followed_without_a_restart(
    path: Path,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    change: Callable[[Path, str], object],
    late: int,
) -> None:
    """H-12: however it is written, and also in the moment after the start."""
    trusted = TrustedNetworks([f"file:{path}", "192.0.2.1"])
    packed = {tag: parse_packed(f"{tag}.0.0.1") or b"" for tag in (10, 11)}
    look(trusted, clock, late)

    assert trusted.trusts("10.0.0.1") and trusted.contains(packed[10])
    change(path, "11.0.0.0/16\n")
    found = look(trusted, clock)

    assert found == ["192.0.2.1/32", "11.0.0.0/16"]
    assert trusted.trusts("11.0.0.1") and trusted.contains(packed[11])
    assert not trusted.trusts("10.0.0.1") and not trusted.contains(packed[10])
    assert trusted.trusts("192.0.2.1") and not trusted.trusts("11.0.0.1", True)
    assert take_warnings(caplog) == []


def test_list_is_taken_where_two_looks_agree(path: Path, clock: Clock) -> None:
    """The first look at a change only sees it; half a list is not read meanwhile."""
    trusted = TrustedNetworks([f"file:{path}"])
    look(trusted, clock)

    write(path, "128.0.0.0/1\n")
    assert look(trusted, clock, 1) == ["10.0.0.0/16"]
    write(path, "128.0.0.0/16\n")
    assert look(trusted, clock, 1) == ["10.0.0.0/16"]
    assert look(trusted, clock, 1) == ["128.0.0.0/16"]


def test_list_that_went_back_is_not_read(
    path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is again the one that was read is at rest."""
    trusted = TrustedNetworks([f"file:{path}"])
    look(trusted, clock)
    kept = path.rename(path.with_suffix(".kept"))
    write(path, "11.0.0.0/16\n")
    look(trusted, clock, 1)
    # A file that is renamed has another change time, so that of the copy is shown.
    marks = network_files._read_marks(os.stat(kept))
    [found] = trusted._now[1]
    monkeypatch.setattr(network_files, "_read_marks", lambda _: found.read)

    assert found.seen is not None and found.read is not None and marks != found.seen
    assert look(trusted, clock, 5) == ["10.0.0.0/16"]
    assert trusted._now[1][0].seen is None
    assert trusted._now[1][0].restless_since is None


@pytest.mark.parametrize("moment", ["opened", "read"])
def test_file_that_changes_while_it_is_read_is_read_again(
    path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Another file behind the same name, or other marks behind the reading."""
    trusted = TrustedNetworks([f"file:{path}"])
    look(trusted, clock)
    write(path, "11.0.0.0/16\n")
    look(trusted, clock, 1)
    open_file = network_files._open_without_waiting

    def change(name: str, flags: int) -> int:
        if moment == "opened":
            write(path, "12.0.0.0/16\n")
            return open_file(name, flags)
        opened = open_file(name, flags)
        write(path, "12.0.0.0/16\n")
        return opened

    monkeypatch.setattr(network_files, "_open_without_waiting", change)
    assert look(trusted, clock, 1) == ["10.0.0.0/16"]
    monkeypatch.undo()
    monkeypatch.setattr(networks, "monotonic", clock)

    assert look(trusted, clock, 2) == ["12.0.0.0/16"]


def test_list_that_is_restless_is_warned_of_after_a_minute(
    path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """H-12: the last good list is kept, said once a minute, until the file rests."""
    trusted = TrustedNetworks([f"file:{path}"])
    look(trusted, clock)

    def disturb(seconds: float) -> None:
        for number in range(int(seconds)):
            write(path, f"11.0.0.{number % 200}\n")
            assert look(trusted, clock, 1) == ["10.0.0.0/16"]

    disturb(RESTLESS_INTERVAL)
    assert take_warnings(caplog) == []
    disturb(1)
    [warning] = take_warnings(caplog)
    assert warning.getMessage() == (
        "trustedproxy: TRUSTED_PROXIES[0]: the last good list is kept, since "
        f"file:{path} changes from one look to the next; write it to another name "
        "and rename it"
    )
    disturb(59)
    assert take_warnings(caplog) == []
    disturb(1)
    assert len(take_warnings(caplog)) == 1

    assert look(trusted, clock, 2) == ["11.0.0.0/32"]
    disturb_again = look(trusted, clock, 90)
    assert disturb_again == ["11.0.0.0/32"]
    assert take_warnings(caplog) == []


def test_two_threads_that_look_at_once_are_one_look(path: Path, clock: Clock) -> None:
    """Two looks agree only where some time has passed between them."""
    trusted = TrustedNetworks([f"file:{path}"])
    look(trusted, clock)
    write(path, "11.0.0.0/16\n")
    look(trusted, clock, 1)

    clock.tick(-LOOK_INTERVAL / 2)
    trusted._look()
    assert [str(n) for n in trusted._now[0].networks] == ["10.0.0.0/16"]
    clock.tick(LOOK_INTERVAL / 2)

    assert look(trusted, clock, 1) == ["11.0.0.0/16"]


def test_relative_path_is_of_the_directory_at_start(
    path: Path,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A process that goes elsewhere, as a daemon does, goes on to follow the file."""
    monkeypatch.chdir(path.parent)
    trusted = TrustedNetworks([f"file:{path.name}"])
    monkeypatch.chdir("/")
    write(path, "11.0.0.0/16\n")

    assert look(trusted, clock) == ["11.0.0.0/16"]
    assert take_warnings(caplog) == []


def test_file_is_looked_at_once_a_second(
    path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many requests there are, the file system is asked once a second."""
    trusted = TrustedNetworks([f"file:{path}"])
    look(trusted, clock, 3)
    looks: list[float] = []
    stat = os.stat

    def count(*args: Any, **options: Any) -> os.stat_result:
        looks.append(clock.now)
        return stat(*args, **options)

    monkeypatch.setattr(os, "stat", count)
    started = clock.now
    for _ in range(40):
        trusted.trusts("10.0.0.1")
        trusted.contains(b"\x0a\0\0\x01")
        clock.tick(LOOK_INTERVAL / 10)

    assert len(looks) == 3
    assert looks[0] - started >= LOOK_INTERVAL - 1e-6
    assert all(b - a >= LOOK_INTERVAL - 1e-6 for a, b in pairwise(looks))


def test_file_that_did_not_change_is_read_twice_at_the_most(
    path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At start, and once it was seen to rest; from then on it is only looked at."""
    trusted = TrustedNetworks([f"file:{path}"])
    compiled = trusted._now[0]
    look(trusted, clock)

    def refuse(*_: object) -> int:
        raise AssertionError("the file was opened")

    monkeypatch.setattr(network_files, "_open_without_waiting", refuse)
    look(trusted, clock, 10)

    assert trusted.trusts("10.0.0.1")
    assert trusted._now[0] is compiled


def test_list_that_is_invalid_is_read_once(
    path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its error is remembered, and not worked out every second."""
    trusted = TrustedNetworks([f"file:{path}"])
    write(path, "broken\n")
    look(trusted, clock)
    opened: list[str] = []
    monkeypatch.setattr(network_files, "_open_without_waiting", opened.append)

    assert look(trusted, clock, 10) == ["10.0.0.0/16"]
    assert opened == []


def put_fifo(path: Path) -> None:
    """Put a FIFO in the place of a file."""
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (
            lambda path: write(path, "10.0.0.0/33\n"),
            "line 1: '10.0.0.0/33' is not an IP",
        ),
        (lambda path: write(path, ""), f"is not {A_NETWORK_IN_IT}"),
        (lambda path: write(path, "# 10.0.0.0/16\n"), f"is not {A_NETWORK_IN_IT}"),
        (lambda path: write(path, "11.0.0.0/16"), f"is not {A_LINE_BREAK}"),
        (lambda path: write(path, "11.0.0.0/16\n\0\n"), "line 2: '\\x00' is not"),
        (Path.unlink, "No such file or directory"),
        (lambda path: (path.unlink(), path.mkdir()), NOT_REGULAR),
        (put_fifo, NOT_REGULAR),
    ],
    ids=[
        "broken",
        "empty",
        "comments alone",
        "half written",
        "half broken",
        "gone",
        "a folder",
        "a FIFO",
    ],
)
def test_last_good_list_is_kept(
    path: Path,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    spoil: Callable[[Path], object],
    words: str,
) -> None:
    """A list that cannot be used changes nothing, and is logged once a minute."""
    trusted = TrustedNetworks(["192.0.2.1", f"file:{path}"])
    look(trusted, clock)
    spoil(path)

    for _ in range(60):
        clock.tick()
        assert trusted.trusts("10.0.0.1") and not trusted.trusts("11.0.0.1")
    [warning] = take_warnings(caplog)
    message = warning.getMessage()
    assert message.startswith(
        "trustedproxy: TRUSTED_PROXIES[1]: the last good list is kept, since "
        f"file:{path} cannot be used: "
    )
    assert words in message
    attributes = [getattr(warning, name) for name in ("code", "header", "peer")]
    assert attributes == ["list-file", None, None]

    look(trusted, clock, 3)
    assert [again.getMessage() for again in take_warnings(caplog)] == [message]

    if path.is_dir():
        path.rmdir()
    write(path, "11.0.0.0/16\n")
    assert look(trusted, clock) == ["192.0.2.1/32", "11.0.0.0/16"]
    assert take_warnings(caplog) == []


def test_files_are_followed_one_by_one(
    path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """What can be used is used, and each file has warnings of its own."""
    others = [path.with_name(f"{number}.txt") for number in (1, 2)]
    for other in others:
        write(other, "192.0.2.0/24\n")
    trusted = TrustedNetworks([f"file:{one}" for one in (path, *others)])
    write(path, "broken\n")
    write(others[0], "198.51.100.0/24\n")
    write(others[1], "broken\n")

    assert look(trusted, clock) == ["10.0.0.0/16", "198.51.100.0/24", "192.0.2.0/24"]
    assert trusted.trusts("10.0.0.1") and trusted.trusts("198.51.100.1")
    assert len(take_warnings(caplog)) == 2


def test_network_that_is_too_wide_is_taken_with_a_warning(
    path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """H-12: at start, and when it comes into the list later; once for each list."""
    write(path, "52.0.0.0/8\nprivate\n")
    trusted = TrustedNetworks(["10.0.0.1", f"file:{path}"])

    [warning] = take_warnings(caplog)
    assert warning.getMessage() == (
        f"trustedproxy: TRUSTED_PROXIES[1]: file:{path} trusts everybody in "
        "52.0.0.0/8, which is wider than anybody's proxies are spread"
    )
    look(trusted, clock, 100)
    assert take_warnings(caplog) == []

    write(path, "".join(f"{number}.0.0.0/8\n" for number in range(20, 30)))
    look(trusted, clock)
    [warning] = take_warnings(caplog)
    assert "in 20.0.0.0/8, 21.0.0.0/8, 22.0.0.0/8, 23.0.0.0/8, 24.0.0.0/8 …," in (
        warning.getMessage()
    )
    assert trusted.trusts("29.0.0.1")


def test_networks_that_are_listed_in_the_settings_are_never_warned_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A start is no place for it: the checks do that."""
    log.forget()

    TrustedNetworks(["0.0.0.0/0", "52.0.0.0/8"])

    assert take_warnings(caplog) == []


CHANGES: Final = st.one_of(
    st.tuples(st.sampled_from([write, overwrite]), st.integers(10, 99)),
    st.tuples(st.sampled_from([write, overwrite]), st.just("broken\n")),
    st.tuples(st.sampled_from([write, overwrite]), st.just("128.0.0.0/1")),
    st.just((lambda path, _: path.unlink(missing_ok=True), "")),
)


@settings(
    max_examples=60,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.tuples(st.integers(0, 3), CHANGES), max_size=8), st.integers(10, 99))
def test_what_is_trusted_was_a_whole_list_once(
    path: Path, clock: Clock, changes: list[Any], last: int
) -> None:
    """Whatever happens to the file; and once it rests, what is in it is trusted."""
    write(path, "10.10.0.0/16\n")
    trusted = TrustedNetworks([f"file:{path}"])
    good = {"10.10.0.0/16"}

    for looks, (change, content) in changes:
        if isinstance(content, int):
            good.add(f"10.{content}.0.0/16")
            content = f"10.{content}.0.0/16\n"
        change(path, content)
        [network] = look(trusted, clock, looks)
        assert network in good

    overwrite(path, f"10.{last}.0.0/16\n")
    assert look(trusted, clock) == [f"10.{last}.0.0/16"]


def test_threads_never_see_half_a_list(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the file is swapped, each look at the list sees one whole list."""
    lists = {
        tag: [ipaddress.ip_network(f"{tag}.{n}.0.0/16") for n in range(0, 200, 11)]
        for tag in (10, 11)
    }
    texts = {tag: "".join(f"{n}\n" for n in wanted) for tag, wanted in lists.items()}
    whole = {frozenset(wanted) for wanted in lists.values()}
    write(path, texts[10])
    # Every question is a look at the file, whatever other threads did meanwhile.
    monkeypatch.setattr(networks, "LOOK_INTERVAL", -3600.0)
    monkeypatch.setattr(network_files, "LOOK_INTERVAL", -3600.0)
    trusted = TrustedNetworks([f"file:{path}"])
    seen: set[frozenset[Any]] = set()
    halves: list[object] = []
    done = threading.Event()
    last = 10

    def read() -> None:
        while not done.is_set():
            found = frozenset(trusted.networks)
            seen.add(found)
            compiled = trusted._now[0]
            ends = [compiled.trusts(f"10.{n}.0.1") for n in (0, 198)]
            others = [compiled.trusts(f"11.{n}.0.1") for n in (0, 198)]
            if found not in whole or len({*ends, *(not x for x in others)}) != 1:
                halves.append((found, ends, others))

    readers = [threading.Thread(target=read) for _ in range(2)]
    # Threads that never wait keep the one that writes from its turn.
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    for reader in readers:
        reader.start()
    try:
        for turn in range(1000):
            last = 10 if turn % 2 else 11
            write(path, texts[last])
            trusted.trusts("10.0.0.1")
            trusted.trusts("10.0.0.1")
            if turn > 20 and seen >= whole:
                break
    finally:
        done.set()
        for reader in readers:
            reader.join(timeout=30)
        sys.setswitchinterval(interval)
    for _ in range(3):
        trusted.trusts("10.0.0.1")

    assert not halves
    assert seen == whole
    assert frozenset(trusted.networks) == frozenset(lists[last])


def test_thread_that_is_late_does_not_put_an_old_list_back_for_good(
    path: Path, clock: Clock
) -> None:
    """What a slow thread swaps in, the next looks swap out again."""
    trusted = TrustedNetworks([f"file:{path}"])
    look(trusted, clock)
    old = trusted._now
    write(path, "192.0.2.0/24\n")
    assert look(trusted, clock) == ["192.0.2.0/24"]

    trusted._now = old

    assert look(trusted, clock) == ["192.0.2.0/24"]
    assert not trusted.trusts("10.0.0.1")
