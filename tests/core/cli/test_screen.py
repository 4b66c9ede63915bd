"""
What is printed where: pipes, terminals, JSON, progress.

In:  streams of either kind.
Out: what a person, or a program, reads.
"""

from __future__ import annotations

import time
from io import StringIO

import pytest

from trustedproxy.cli import screen as screen_module
from trustedproxy.cli.screen import Screen
from trustedproxy.cli.views.styles import write

from .making import Terminal


def show(screen: Screen) -> None:
    """Show something that has all forms."""
    screen.show(
        as_json=lambda: {"a": 1},
        as_text=lambda: "text",
        as_table=lambda: write("table"),
    )


@pytest.mark.parametrize(
    ("stream", "as_json", "expected"),
    [
        (StringIO(), False, "text\n"),
        (Terminal(), False, "table\n"),
        (StringIO(), True, '{\n  "a": 1\n}\n'),
        (Terminal(), True, '{\n  "a": 1\n}\n'),
    ],
)
def test_form_follows_the_stream(
    stream: StringIO, expected: str, *, as_json: bool
) -> None:
    """Tables are for people, text for pipes, JSON for who asks for it."""
    show(Screen(as_json=as_json, output=stream))

    assert stream.getvalue() == expected


def test_colours_can_be_forced_and_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the variables that people know."""
    forced = StringIO()
    monkeypatch.setenv("FORCE_COLOR", "1")
    screen = Screen(output=forced)
    screen.render(write("x", "red"))
    is_terminal = screen.is_terminal
    monkeypatch.delenv("FORCE_COLOR")
    monkeypatch.setenv("NO_COLOR", "1")
    plain = Terminal()
    Screen(output=plain).render(write("x", "red"))

    assert is_terminal
    assert forced.getvalue() == "\x1b[31mx\x1b[0m\n"
    assert plain.getvalue() == "x\n"


def test_own_streams_are_the_process_s(capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing else was asked for."""
    screen = Screen()

    screen.print_text("out")
    screen.say("err")

    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("out\n", "err\n")


def test_texts_are_never_markup() -> None:
    """Nor are smileys made of them, nor lines broken in a pipe."""
    output, errors = StringIO(), StringIO()
    screen = Screen(output=output, errors=errors)

    screen.print_text("[red]x[/red] :smile: " + "y" * 200)
    screen.say("[red]x[/red] :smile: " + "y" * 200)

    assert output.getvalue() == errors.getvalue()
    assert output.getvalue() == "[red]x[/red] :smile: " + "y" * 200 + "\n"


@pytest.mark.parametrize(
    ("patience", "stream", "is_shown"),
    [(0.0, Terminal(), True), (60.0, Terminal(), False), (0.0, StringIO(), False)],
)
def test_progress_is_shown_to_who_waits(
    patience: float,
    stream: StringIO,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_shown: bool,
) -> None:
    """On a terminal, and only where it takes longer than a second."""
    monkeypatch.setattr(screen_module, "PATIENCE", patience)
    screen = Screen(errors=stream)

    with screen.progress("reading [x]", 10) as advance:
        time.sleep(0.05)
        advance(5)

    assert ("reading [x]" in stream.getvalue()) is is_shown


def test_progress_ends_with_an_error() -> None:
    """Nothing goes on behind it."""
    stream = Terminal()
    screen = Screen(errors=stream)

    with pytest.raises(KeyError), screen.progress("reading", None):
        raise KeyError

    assert stream.getvalue() == ""
