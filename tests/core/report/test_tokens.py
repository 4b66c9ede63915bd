"""
Tokens: good once, for minutes, and for what they were made for.

In:  tokens, and clocks that stand still until they are moved.
Out: sessions, or nothing.
"""

from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from trustedproxy import ConfigurationError
from trustedproxy.report import tokens as tokens_module
from trustedproxy.report.tokens import (
    LIFETIMES,
    PROBE_REQUESTS,
    SHORTEST_SECRET,
    FileUses,
    FormTokens,
    MemoryUses,
    TokenKind,
    Tokens,
    Uses,
)

from .making import SECRET


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The clock of one test."""
    return Clock()


@pytest.fixture(params=["memory", "file"])
def uses(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Uses:
    """Both places that remember what was used."""
    if request.param == "memory":
        return MemoryUses(clock)
    return FileUses(tmp_path / "tokens.sqlite3", clock)


def test_token_is_exchanged_once(uses: Uses, clock: Clock) -> None:
    """The second time it opens nothing."""
    tokens = Tokens(SECRET, uses, clock)
    token = tokens.make()

    session = tokens.exchange(token)

    assert session is not None
    assert tokens.find_session(session) is not None
    assert tokens.exchange(token) is None


def test_token_is_exchanged_once_by_all_processes(tmp_path: Path) -> None:
    """Processes that share a file share what was used."""
    path = str(tmp_path / "tokens.sqlite3")
    token = Tokens(SECRET, FileUses(path)).make()
    code = (
        "import sys; from trustedproxy.report import FileUses, Tokens\n"
        "secret, path, token = sys.argv[1:]\n"
        "print(Tokens(secret, FileUses(path)).exchange(token) is not None)"
    )
    command = [sys.executable, "-c", code, SECRET, path, token]

    started = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    results = [process.communicate(timeout=60)[0].strip() for process in started]

    assert sorted(results) == ["False", "False", "False", "True"]


@pytest.mark.parametrize("kind", list(TokenKind))
def test_token_is_good_for_minutes(kind: TokenKind, clock: Clock) -> None:
    """After its time it opens nothing."""
    tokens = Tokens(SECRET, MemoryUses(clock), clock)
    token = tokens.make(kind)
    read: dict[TokenKind, Callable[[str], object]] = {
        TokenKind.PAGE: tokens.exchange,
        TokenKind.PROBE: tokens.opens_probe,
        TokenKind.SESSION: tokens.find_session,
        TokenKind.FORM: lambda token: None,
    }

    clock.now += LIFETIMES[kind] + 1

    assert not read[kind](token)


@pytest.mark.parametrize("kind", [TokenKind.PROBE, TokenKind.SESSION, TokenKind.FORM])
def test_token_is_good_for_its_purpose_only(kind: TokenKind, clock: Clock) -> None:
    """What opens a probe or a session is no page token."""
    tokens = Tokens(SECRET, MemoryUses(clock), clock)

    assert tokens.exchange(tokens.make(kind)) is None
    assert tokens.find_session(tokens.make(TokenKind.PAGE)) is None
    assert not tokens.opens_probe(tokens.make(TokenKind.PAGE))


def test_probe_token_is_good_for_one_bounded_run(uses: Uses, clock: Clock) -> None:
    """It opens so many requests, and no more."""
    tokens = Tokens(SECRET, uses, clock)
    token = tokens.make(TokenKind.PROBE)

    opened = [tokens.opens_probe(token) for _ in range(PROBE_REQUESTS + 2)]

    assert opened == [True] * PROBE_REQUESTS + [False, False]


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda token: "", id="empty"),
        pytest.param(lambda token: "a.b.c.d", id="words"),
        pytest.param(lambda token: token[:-1], id="shorter"),
        pytest.param(lambda token: token + "A", id="longer"),
        pytest.param(lambda token: token.replace("page", "probe"), id="another kind"),
        pytest.param(lambda token: token.replace(".1", ".2", 1), id="another time"),
        pytest.param(lambda token: token + "é", id="not ASCII"),
        pytest.param(lambda token: token + "A" * 10_000, id="very long"),
    ],
)
def test_spoiled_token_opens_nothing(spoil: Callable[[str], str], clock: Clock) -> None:
    """One character that is another makes it no token."""
    tokens = Tokens(SECRET, MemoryUses(clock), clock)

    assert tokens.exchange(spoil(tokens.make())) is None


def test_blanks_around_a_token_are_no_part_of_it(clock: Clock) -> None:
    """Who pastes one often pastes a line's end, too."""
    tokens = Tokens(SECRET, MemoryUses(clock), clock)

    assert tokens.exchange(f" {tokens.make()}\n") is not None


def test_token_of_another_secret_opens_nothing(clock: Clock) -> None:
    """Each project has its own."""
    other = Tokens(f"{SECRET} and more", MemoryUses(clock), clock)

    assert Tokens(SECRET, MemoryUses(clock), clock).exchange(other.make()) is None


def test_secret_may_be_bytes(clock: Clock) -> None:
    """Flask allows both, and both sign alike."""
    token = Tokens(SECRET.encode(), MemoryUses(clock), clock).make()

    assert Tokens(SECRET, MemoryUses(clock), clock).exchange(token) is not None


def test_refuses_short_secret() -> None:
    """What can be guessed signs nothing, and it is not shown in the error."""
    with pytest.raises(ConfigurationError) as caught:
        Tokens("s3cret" * 2, MemoryUses())

    assert str(SHORTEST_SECRET) in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_used_token_is_forgotten_after_its_time(uses: Uses, clock: Clock) -> None:
    """What is kept does not grow for ever."""
    assert uses.take("a", 1, clock.now + 10)
    clock.now += 20

    assert uses.take("a", 1, clock.now + 10)


def test_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Nobody else reads which tokens there were."""
    path = tmp_path / "tokens.sqlite3"

    FileUses(path).take("a", 1, 2.0**40)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("spoil", ["folder", "garbage"])
def test_file_that_cannot_be_used_opens_nothing(
    spoil: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, with the file's name and without any token."""
    path = tmp_path / "tokens.sqlite3"
    if spoil == "folder":
        path.mkdir()
    else:
        path.write_bytes(b"no database at all, but something else" * 100)
    tokens = Tokens(SECRET, FileUses(path))
    token = tokens.make()

    session = tokens.exchange(token)

    assert session is None
    assert str(path) in caplog.text
    assert token not in caplog.text
    assert token.split(".")[2] not in caplog.text


def test_form_token_is_for_its_subject(clock: Clock) -> None:
    """Another's form is not taken."""
    forms = FormTokens(SECRET, clock)
    token = forms.make("user 1")

    assert forms.check("user 1", token)
    assert not forms.check("user 2", token)
    assert not forms.check("user 1", "")
    assert not forms.check("user 1", "é")
    assert not forms.check("user 1", f"9{token}")


def test_form_token_gets_old(clock: Clock) -> None:
    """A form that lies about for hours is not taken."""
    forms = FormTokens(SECRET.encode(), clock)
    token = forms.make("debug")

    clock.now += LIFETIMES[TokenKind.FORM] + 1

    assert not forms.check("debug", token)


def test_form_token_without_a_secret_is_this_process_own(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every page of it takes the form; another process takes it for forged."""
    token = FormTokens(None, clock).make("debug")
    here = FormTokens(None, clock)
    monkeypatch.setattr(tokens_module, "_OWN_SECRET", b"that of another process")
    elsewhere = FormTokens(None, clock)

    assert here.check("debug", token)
    assert not elsewhere.check("debug", token)
