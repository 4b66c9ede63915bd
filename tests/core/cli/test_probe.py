"""
``trustedproxy probe``: what is asked before anything is sent, and what is printed.

In:  words, and a deployment without sockets in the place of the client.
Out: plans and cards; nothing is sent that nobody has said yes to.
"""

from __future__ import annotations

import re
import ssl
import sys
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from trustedproxy.cli import ExitStatus
from trustedproxy.cli.commands import probe as module
from trustedproxy.probe.records import Line

from ..probe.making import (
    EVERYBODY,
    POLICY,
    Deployment,
    append,
    hand_on,
    overwrite,
)
from .making import Result, Terminal, ask

SITE = "http://www.example.com/"
PAGE = f"{SITE}trustedproxy/"
FAST = ("--rate", "1000000")


class Clients:
    """Makes deployments in the place of clients, and keeps what they were made with."""

    def __init__(self) -> None:
        self.deployments: list[Any] = []
        self.kind: Any = Deployment
        self.options: dict[str, Any] = {"front": hand_on, "policy": EVERYBODY}
        self.said: list[dict[str, Any]] = []

    def __call__(
        self, target: Any, limits: Any, lines: Sequence[Line], **said: Any
    ) -> Any:
        """Make one."""
        made = self.kind(**self.options)
        made.address = "192.0.2.9:80"
        self.deployments.append(made)
        self.said.append({"target": target, "limits": limits, "lines": lines, **said})
        return made

    @property
    def sent(self) -> int:
        """How many requests were sent."""
        return sum(len(made.asked) for made in self.deployments)


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Clients:
    """Put deployments in the place of clients."""
    made = Clients()
    monkeypatch.setattr(module, "Client", made)
    return made


@pytest.fixture
def close(clients: Clients) -> Clients:
    """Let nothing through."""
    clients.options = {}
    return clients


def read(result: Result) -> str:
    """Read what was drawn, without the colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", result.output)


def type_in(monkeypatch: pytest.MonkeyPatch, text: str, *, terminal: bool) -> None:
    """Let *text* be what standard input says."""
    make: type[StringIO] = Terminal if terminal else StringIO
    monkeypatch.setattr(sys, "stdin", make(text))


@pytest.fixture
def token(tmp_path: Path) -> str:
    """Make a file with a token."""
    path = tmp_path / "token"
    path.write_text("probe.1.abc\n", encoding="ascii")
    return str(path)


# -- before anything is sent -----------------------------------------------------------


def test_dry_run_sends_nothing(clients: Clients) -> None:
    """It says what would be sent, and where to."""
    result = ask("probe", SITE, "--dry-run", "--direct", "10.0.0.5:8000")

    assert result.status == ExitStatus.FINE
    assert "Target: http://www.example.com/, at 192.0.2.9:80" in result.output
    assert "The server behind it: 10.0.0.5:8000" in result.output
    assert clients.sent == 0


def test_dry_run_as_json(clients: Clients) -> None:
    """The same in plain values; no token is needed for it."""
    said = ask("probe", PAGE, "--dry-run", "--json", "--token-file", "none").json

    assert said["target"] == PAGE
    assert said["direct"] == ""
    assert said["requests"] == sum(each["count"] for each in said["planned"])
    assert said["most_requests"] == 200
    assert clients.sent == 0


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_nobody_is_probed_without_being_asked(
    clients: Clients, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """In a pipe, where nobody can be asked, it says what to say."""
    type_in(monkeypatch, "y\n", terminal=bool(words))

    result = ask("probe", SITE, *words)

    assert result.status == ExitStatus.USAGE
    assert "--yes" in result.errors + result.output
    assert clients.sent == 0


def test_closed_standard_input_is_nobody(
    clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody to ask, and no token."""
    monkeypatch.setattr(sys, "stdin", None)

    unasked = ask("probe", SITE)
    without = ask("probe", SITE, "--yes", "--token-file", "-")

    assert (unasked.status, without.status) == (2, 2)
    assert "say --yes" in unasked.errors
    assert "holds no token" in without.errors
    assert clients.sent == 0


@pytest.mark.parametrize(("answer", "goes_on"), [("y\n", True), ("n\n", False)])
def test_person_is_asked_on_a_terminal(
    clients: Clients, monkeypatch: pytest.MonkeyPatch, answer: str, goes_on: bool
) -> None:
    """After the plan was shown, beside the output."""
    type_in(monkeypatch, answer, terminal=True)

    result = ask("probe", SITE, *FAST)

    assert (clients.sent > 0) == goes_on
    assert "Planned are" in result.errors
    assert "Planned are" not in result.output
    if not goes_on:
        assert "Aborted." in result.errors
        assert result.status == ExitStatus.USAGE


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_plan_is_said_where_nobody_is_asked(
    close: Clients, words: tuple[str, ...]
) -> None:
    """What CI sends is in CI's log, too; the output is the card alone."""
    result = ask("probe", SITE, "--yes", *FAST, *words)

    assert "Planned are" in result.errors
    assert "Planned are" not in result.output


# -- what is found ---------------------------------------------------------------------


def test_card_in_a_pipe_is_text(clients: Clients) -> None:
    """The status is 1, since something got through."""
    result = ask("probe", SITE, "--yes", *FAST)

    assert result.status == ExitStatus.FINDINGS
    assert "high: The client's address can be forged. (client-forged)" in result.output


def test_card_on_a_terminal_is_drawn(clients: Clients) -> None:
    """A table of verdicts, a paragraph a finding."""
    clients.options = {
        "front": append,
        "policy": EVERYBODY,
        "server_headers": (("Server", "nginx"),),
    }
    output = read(ask("probe", SITE, "--yes", *FAST, terminal=True))

    assert "what a client may forge" in output
    assert "front end (a guess): Let the front end overwrite" in output
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in output


def test_notes_and_what_is_missing_are_drawn(clients: Clients, token: str) -> None:
    """A note has no evidence; a run that was ended says so."""
    clients.options = {"front": append}
    words = ("--yes", *FAST, "--token-file", token, "--most-requests", "50")
    result = ask("probe", PAGE, *words, terminal=True)

    assert "Forged headers reach the server" in read(result)
    assert "Incomplete: The bound of 50 requests was reached." in read(result)
    assert result.status == ExitStatus.FINDINGS


def test_card_as_json(clients: Clients) -> None:
    """All of it."""
    said = ask("probe", SITE, "--yes", "--json", *FAST).json

    assert said["worst"] == "high"
    assert said["findings"][0]["code"] == "client-forged"


def test_card_of_a_closed_site(close: Clients) -> None:
    """The status is 0, in a pipe and on a terminal."""
    for terminal in (True, False):
        result = ask("probe", SITE, "--yes", *FAST, terminal=terminal)

        assert result.status == ExitStatus.FINE
        assert "Nothing that can be seen in the answers got through." in read(result)


@pytest.mark.parametrize(
    ("least", "status"),
    [
        ("note", ExitStatus.FINDINGS),
        ("low", ExitStatus.FINE),
        ("HIGH", ExitStatus.FINE),
    ],
)
def test_severity_that_counts_can_be_chosen(
    clients: Clients, token: str, least: str, status: ExitStatus
) -> None:
    """A front end that hands on what the policy removes is a note."""

    def hand_one_on(lines: list[Line]) -> list[Line]:
        kept = overwrite(lines)
        return [*kept, *(line for line in lines if line[0] == "X-Real-IP")]

    clients.options = {"front": hand_one_on, "policy": POLICY}

    result = ask(
        "probe", PAGE, "--yes", *FAST, "--token-file", token, "--fail-on", least
    )

    assert result.status == status
    assert "header-at-server" in result.output


def test_server_behind_is_asked_by_a_client_of_its_own(
    close: Clients, token: str
) -> None:
    """With the same token, and for the same host."""
    words = ("--direct", "10.0.0.5:8000", "--token-file", token)
    result = ask("probe", PAGE, "--yes", *FAST, *words)

    front, behind = close.said
    assert behind["target"].where == "10.0.0.5:8000"
    assert front["token"] == behind["token"] == ("Trusted-Proxy-Token", "probe.1.abc")
    assert "the server behind it" in result.output


def test_server_behind_on_this_machine_is_drawn(clients: Clients) -> None:
    """With a remedy that has no page."""
    clients.options |= {"local": True}

    result = ask(
        *("probe", SITE, "--yes", *FAST, "--direct", "10.0.0.5:8000"), terminal=True
    )

    assert "Probe it from another one" in read(result)


def test_requests_name_the_tool(close: Clients) -> None:
    """So that whoever reads the log of the target knows what it was."""
    ask("probe", SITE, "--yes", *FAST, "--source", "192.0.2.4", "--timeout", "3")

    [said] = close.said
    lines = dict(said["lines"])
    assert lines["User-Agent"].startswith("trustedproxy-probe/")
    assert lines["Cache-Control"] == "no-cache, no-store"
    assert said["source"] == "192.0.2.4"
    assert said["limits"].answer_seconds == 3


def test_certificates_of_ones_own_are_trusted(
    close: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Instead of the system's."""
    contexts: list[str] = []

    def make(*, cafile: str) -> ssl.SSLContext:
        contexts.append(cafile)
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    monkeypatch.setattr(ssl, "create_default_context", make)

    ask("probe", SITE, "--yes", *FAST, "--cafile", "/own.pem")

    assert contexts == ["/own.pem"]
    assert isinstance(close.said[0]["tls"], ssl.SSLContext)


def test_token_is_read_from_standard_input(close: Clients, stdin: Path) -> None:
    """And never from the command line, which others can see."""
    stdin.write_text(" probe.2.def \n")

    ask("probe", PAGE, "--yes", *FAST, "--token-file", "-")

    assert close.said[0]["token"] == ("Trusted-Proxy-Token", "probe.2.def")
    assert dict(close.said[0]["lines"])["Accept"] == "application/json"


# -- what is wrong ---------------------------------------------------------------------


def fail(*words: str) -> Result:
    """Run a command that is wrong."""
    result = ask("probe", *words)
    assert result.status == ExitStatus.USAGE
    return result


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("ftp://a.example/",), "such as https://www.example.com/"),
        ((SITE, "--yes", "--direct", "8000"), "--direct"),
        ((SITE, "--yes", "--frontend", "ngnix"), "the nearest is 'nginx'"),
        ((SITE, "--yes", "--fail-on", "worst"), "note, low, medium, high"),
        ((SITE, "--yes", "--rate", "0"), "Error: --rate: 0.0 is not more than 0."),
        ((SITE, "--yes", "--timeout", "1e9"), "Error: --timeout: 1000000000.0"),
        ((SITE, "--yes", "--cafile", "/none.pem"), "--cafile"),
        ((SITE, "--yes", "--token-file", "/none"), "--token-file"),
        ((SITE, "--token-file", "-"), "say --yes, too"),
    ],
)
def test_word_that_is_wrong_is_named(
    clients: Clients, words: tuple[str, ...], says: str
) -> None:
    """Nothing is sent."""
    assert says in fail(*words).errors
    assert clients.sent == 0


@pytest.mark.parametrize("text", ["", "two\nlines", "\x1b", "t\N{EURO SIGN}ken"])
def test_file_without_a_token_is_refused(
    clients: Clients, tmp_path: Path, text: str
) -> None:
    """It would be an odd header, and no token."""
    path = tmp_path / "token"
    path.write_text(text, encoding="utf-8")

    result = fail(PAGE, "--yes", "--token-file", str(path))

    assert "--token-file" in result.errors


def test_target_that_cannot_be_probed_says_why(clients: Clients, token: str) -> None:
    """The page is elsewhere, and the error says so."""
    result = fail(SITE, "--yes", *FAST, "--token-file", token)

    assert "give the address of the page" in result.errors
