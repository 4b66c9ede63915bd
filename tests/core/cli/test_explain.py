"""
``trustedproxy explain``: requests that are described, read raw, or logged.

In:  words like curl's, text as it is sent, lines of logs.
Out: explanations as text, tables and JSON; exit statuses.
"""

from __future__ import annotations

import json
import sys
import tracemalloc
from pathlib import Path

import pytest

from trustedproxy import Connection, ProxyPolicy, Settings
from trustedproxy.cli.views import logged
from trustedproxy.explain import Request, explain_request, write_text

from .making import FROM_PROXY, TRUSTING, ask

RAW = (
    "GET /page?x=1 HTTP/1.1\r\nHost: app.example\r\n"
    "X-Forwarded-For: 6.6.6.6, 203.0.113.7\r\nX-Forwarded-Proto: https\r\n\r\n"
)


# -- one request -----------------------------------------------------------------------


def test_described_request_is_explained() -> None:
    """As text: what the renderer makes of the same request."""
    result = ask(
        "explain",
        "http://app.example/a?b",
        *TRUSTING,
        *FROM_PROXY,
        "--server=backend",
        "--port=8443",
        "--mount-point=/own",
        "-X",
        "POST",
    )

    policy = ProxyPolicy(
        headers=["X-Forwarded-For", "X-Forwarded-Proto"], proxies=["10.0.0.0/8"]
    )
    connection = Connection(
        "10.0.0.5", "http", "app.example", "backend", "8443", "/own", "/a"
    )
    request = Request(
        connection=connection,
        headers={"X-Forwarded-For": "203.0.113.7"},
        method="POST",
        raw_path="/a",
        query="b",
    )
    expected = write_text(explain_request(Settings(policy), request))
    assert (result.status, result.output) == (0, f"{expected}\n")


def test_request_that_nothing_describes() -> None:
    """A request of this machine to itself."""
    result = ask("explain", *TRUSTING)

    assert result.status == 0
    assert "peer '127.0.0.1', scheme 'http'" in result.output


def test_explanation_as_json() -> None:
    """In a documented shape, with nothing that steers a terminal."""
    result = ask("explain", *TRUSTING, *FROM_PROXY, "-H", "X-Odd: \x1b[31m", "--json")

    said = result.json
    assert said["outcome"]["client"] == "203.0.113.7"
    assert said["headers"][-1] == {
        "name": "X-Odd",
        "value": "\x1b[31m",
        "hidden": False,
        "listed": False,
        "categories": [],
        "fate": "other",
        "value_after": "\x1b[31m",
        "guess": False,
        "hops": [],
        "sentences": [],
    }
    assert "\x1b" not in result.output
    assert said["unexpected"] == []


def test_explanation_on_a_terminal() -> None:
    """Tables: the way, the headers, the variables; advice to paste."""
    result = ask(
        "explain",
        *TRUSTING,
        "--peer=10.0.0.5",
        "-H",
        "X-Forwarded-For: 6.6.6.6, 203.0.113.7, 10.0.0.6",
        "-H",
        "X-Real-IP: [b]1[/b]",
        "-H",
        "X-Forwarded-Port: 1,2",
        "--set=https-only=yes",
        "--set=fixed-mount-point=/app",
        "--set=report-only=yes",
        terminal=True,
    )

    for text in (
        "The way of the request",
        "cut off",
        "What the application sees",
        "'[b]1[/b]'",
        "is stated as the mount point",
        "In report-only mode",
        "HTTPS only: ",
        "If this is not what you want",
        'TRUSTED_PROXY_FIXED_SCHEME = "https"',
    ):
        assert text in result.output


def test_explanation_of_problems_and_others_on_a_terminal() -> None:
    """What is malformed, and what others make of it."""
    result = ask(
        "explain",
        "--trusted-headers=X-Real-IP",
        "--proxies=loopback",
        "-H",
        "X-Real-IP: garbage",
        "--others",
        terminal=True,
    )

    assert "does not match its grammar (malformed)" in " ".join(result.output.split())
    assert "What others make of it" in result.output


def test_others_are_asked_where_that_is_wanted() -> None:
    """They are not imported for everybody."""
    without = ask("explain", *TRUSTING, "--json")
    asked = ask("explain", *TRUSTING, "--others", "--json")

    assert without.json["others"] == []
    assert [other["name"] for other in asked.json["others"]] == [
        "Werkzeug's ProxyFix",
        "uvicorn",
        "waitress",
        "Django's own settings",
    ]


@pytest.mark.parametrize("terminal", [False, True])
def test_peer_that_is_a_name(*, terminal: bool) -> None:
    """A name is no address, and that is said."""
    result = ask("explain", *TRUSTING, "--peer", "nginx", terminal=terminal)

    assert "'nginx' is a host's name and no address." in result.output


def test_explanation_of_next_to_nothing_on_a_terminal() -> None:
    """What is not there has no heading; advice may have nothing to paste."""
    nothing = ask("explain", terminal=True)
    advice = ask(
        "explain", "--trusted-headers=X-Real-IP", "--proxies=loopback", terminal=True
    )

    assert "Headers" not in nothing.output
    assert "did not send X-Real-IP" in advice.output
    assert "╭" not in advice.output


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["-H", "nonsense"], "-H 'nonsense': not a header such as 'X-Scheme: https'"),
        (["nowhere"], "the URL: 'nowhere' is not a URL such as"),
        (["--scheme", "gopher"], "--scheme: 'gopher' is not one of http"),
        (["--log-format", "x"], "--log-format says how --log is written: give that."),
        (["--log", "x", "-H", "A: b"], "--header is not possible beside --log."),
        (["http://a/", "--log", "x"], "URL is not possible beside --log."),
        (["--raw", "x", "-X", "PUT"], "--request is not possible beside a request"),
        (["--raw", "/no/such/file"], "/no/such/file: cannot be read (No such file"),
        (["--log", "/no/such/file"], "/no/such/file: cannot be read (No such file"),
        (["--log", "x", "--log-format", "plain"], "'plain' has no variable"),
        (["--expect", "clinet=x"], "(the nearest is 'client')"),
        (["--expect", "xyzzy=x"], ": one of client, peer_trusted"),
        (["--expect", "client"], "'client' does not name what to expect"),
    ],
)
def test_wrong_use(words: list[str], expected: str) -> None:
    """Exit status 2, and what is wrong."""
    result = ask("explain", *TRUSTING, *words)

    assert result.status == 2
    assert expected in " ".join(result.errors.split())


# -- expectations ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "met",
    [
        "client=203.0.113.7",
        "client-address=203.0.113.7",
        "peer_trusted=yes",
        "scheme=http",
        "host=app.example",
        "port=8000",
        "server_name=localhost",
        "mount_point=",
        "path=/x",
        "status=none",
    ],
)
def test_expectation_that_is_met(met: str) -> None:
    """For CI: exit status 0."""
    result = ask(
        "explain", "http://app.example/x", *TRUSTING, *FROM_PROXY, "--expect", met
    )

    assert (result.status, result.errors) == (0, "")


@pytest.mark.parametrize("terminal", [False, True])
def test_path_outside_of_ascii_is_expected_and_shown_as_it_is_typed(
    *, terminal: bool
) -> None:
    """And not as the bytes that WSGI has."""
    words = ["explain", *TRUSTING, "--path=/ü", "--mount-point=/€", "--others"]
    met = ["--expect=mount_point=/€", "--expect=path=/ü"]

    result = ask(*words, *met, terminal=terminal)
    other = ask(*words, "--expect=path=/x", terminal=terminal)

    assert (result.status, result.errors) == (0, "")
    assert "'/ü'" in result.output
    assert "'/€'" in result.output
    assert "Ã" not in result.output
    assert "path is '/ü', and not '/x'" in other.errors + other.output


def test_expectation_that_is_not_met() -> None:
    """Exit status 1, with what came out instead."""
    words = [
        "explain",
        *TRUSTING,
        "--expect=client=203.0.113.7",
        "--expect=scheme=http",
    ]
    result, as_json = ask(*words), ask(*words, "--json")

    assert result.status == as_json.status == 1
    assert result.errors == "client is '127.0.0.1', and not '203.0.113.7'\n"
    assert as_json.json["unexpected"] == [
        {"name": "client", "expected": "203.0.113.7", "found": "127.0.0.1"}
    ]


def test_expected_status() -> None:
    """That of whoever answers in the application's place."""
    words = ["explain", "http://a.example/", *TRUSTING, "--set=https-only=yes"]

    assert ask(*words, "--expect", "status=301").status == 0
    assert ask(*words, "--expect", "status=none").status == 1


# -- as it is sent ---------------------------------------------------------------------


@pytest.mark.parametrize("words", [["-"], ["--raw", "-"]])
def test_raw_request_on_standard_input(words: list[str], stdin: Path) -> None:
    """With the peer from an option, since no request says it."""
    stdin.write_bytes(RAW.encode())

    result = ask("explain", *words, *TRUSTING, "--peer", "10.0.0.5", "--json")

    assert result.json["outcome"]["client"] == "203.0.113.7"
    assert result.json["connection"]["host"] == "app.example"


def test_closed_standard_input_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python has none then."""
    monkeypatch.setattr(sys, "stdin", None)

    result = ask("explain", "-", *TRUSTING)

    assert result.status == 2
    assert "there is no request line" in result.errors


@pytest.mark.parametrize("way", ["raw", "log", "named", "formatted"])
def test_target_outside_of_ascii_is_read_as_bytes(way: str, stdin: Path) -> None:
    """Whatever they stand for is written into redirects as it came."""
    line = "GET /à?à HTTP/1.1"
    text, words = {
        "raw": (f"{line}\nHost: app.example\n", ["-"]),
        "log": (log_line("203.0.113.7").replace("GET /x", "GET /à?à"), ["--log=-"]),
        "named": (f'{{"remote_addr": "", "request": "{line}"}}\n', ["--log=-"]),
        "formatted": (f'"{line}"\n', ["--log=-", '--log-format="$request"']),
    }[way]
    stdin.write_text(text, encoding="utf-8")

    result = ask("explain", *words, *TRUSTING, "--mount-point=/ü", "--json")

    said = json.loads(result.output)["connection"]
    assert (said["path"], said["mount_point"]) == ("/Ã\xa0", "/Ã¼")


def test_raw_request_in_a_file(tmp_path: Path) -> None:
    """What cannot be read says where."""
    path = tmp_path / "request.txt"
    path.write_bytes(RAW.replace("X-Forwarded-Proto:", "X-Forwarded-Proto").encode())

    result = ask("explain", "--raw", str(path), *TRUSTING)

    assert result.status == 2
    assert result.errors.startswith("Error: line 4: not a header such as")


# -- logs ------------------------------------------------------------------------------


def log_line(client: str, **more: str) -> str:
    """Write a line as the formats that are printed for nginx and Apache have it."""
    said = {
        "time": "2026-01-02T03:04:05+00:00",
        "peer": "198.51.100.1",
        "scheme": "https",
        "host": "app.example",
        "request": "GET /x HTTP/1.1",
        "status": "200",
        **more,
    }
    headers = {"X-Forwarded-For": client, "X-Forwarded-Proto": "https"}
    return json.dumps({**said, "headers": headers}) + "\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Make a log with two requests and a line that cannot be read."""
    path = tmp_path / "access.log"
    path.write_text(
        log_line("203.0.113.7") + "\n\x1b[31mnonsense\n" + log_line("203.0.113.8")
    )
    return path


def test_log_as_a_line_each(log: Path) -> None:
    """The place, the client, and in the end what to change, the commonest first."""
    result = ask("explain", "--log", str(log), *TRUSTING, "--peer", "172.18.0.1")

    assert result.status == 1
    lines = result.output.splitlines()
    assert lines[0] == (
        "line 1: client '172.18.0.1', http, host 'app.example', peer '172.18.0.1' not "
        "trusted (peer-not-trusted)"
    )
    assert lines[1].startswith("line 3: cannot be read: no JSON object")
    assert lines[3] == "3 requests, 1 that cannot be read"
    assert lines[4].startswith("2 of 3: The peer '172.18.0.1' sent X-Forwarded-For")
    assert lines[5] == '    TRUSTED_PROXIES = ["10.0.0.0/8", "172.18.0.1"]'
    assert "\x1b" not in result.output


def test_log_on_a_terminal(log: Path) -> None:
    """A table."""
    result = ask(
        "explain",
        "--log",
        str(log),
        *TRUSTING,
        "--peer",
        "10.0.0.5",
        terminal=True,
    )

    assert "203.0.113.8" in result.output
    assert "3 requests, 1 that cannot be read" in result.output
    assert "\x1b[31mnonsense" not in result.output


def test_log_on_a_terminal_with_advice(log: Path) -> None:
    """What to change stands below the table."""
    words = ["explain", "--log", str(log), *TRUSTING, "--peer", "172.18.0.1"]

    result = ask(*words, terminal=True)

    assert "2 of 3" in result.output
    assert 'TRUSTED_PROXIES = ["10.0.0.0/8", "172.18.0.1"]' in result.output


def test_log_in_full(log: Path) -> None:
    """Every request with all of its steps."""
    words = ["explain", "--log", str(log), *TRUSTING, "--peer", "10.0.0.5", "--full"]

    result, terminal = ask(*words), ask(*words, terminal=True)

    assert result.output.count("The application sees") == 2
    assert f"from {log}, line 4" in result.output
    assert f"{log}, line 3: no JSON object" in result.errors
    assert terminal.output.count("What the application sees") == 2


def test_log_as_json(log: Path) -> None:
    """One object a line."""
    result = ask("explain", "--log", str(log), *TRUSTING, "--json")

    said = [json.loads(line) for line in result.output.splitlines()]
    assert [each["where"] for each in said] == [
        f"{log}, line 1",
        f"{log}, line 3",
        f"{log}, line 4",
    ]
    assert "no JSON object" in said[1]["error"]["message"]


def test_log_on_standard_input_by_a_format(stdin: Path) -> None:
    """The format string of the server that wrote it; its peer is the line's own."""
    stdin.write_text('10.0.0.5 [x] "GET /x HTTP/1.1" 200 "203.0.113.7" "https"\n')
    log_format = (
        '$remote_addr [$time_local] "$request" $status "$http_x_forwarded_for" '
        '"$http_x_forwarded_proto"'
    )

    result = ask(
        "explain",
        "--log=-",
        "--log-format",
        log_format,
        *TRUSTING,
        "--expect=client=203.0.113.7",
        "--expect=scheme=https",
        "--json",
    )

    assert result.status == 0
    assert json.loads(result.output)["where"] == "standard input, line 1"


def test_expectation_of_a_log(log: Path) -> None:
    """Each of its requests has to meet it."""
    good = log.parent / "good.log"
    good.write_text(log_line("203.0.113.7"))
    words = ["explain", "--log", str(good), *TRUSTING, "--peer", "10.0.0.5"]

    assert ask(*words, "--expect", "client=203.0.113.7").status == 0
    assert ask(*words, "--expect", "client=203.0.113.8").status == 1


@pytest.mark.parametrize("words", [(), ("--full",)])
@pytest.mark.parametrize("terminal", [False, True])
def test_expectation_that_is_not_met_is_named(
    log: Path, words: tuple[str, ...], *, terminal: bool
) -> None:
    """With the line, whatever is printed of it; and counted."""
    given = ["explain", "--log", str(log), *TRUSTING, "--peer", "10.0.0.5", *words]
    expected = ("--expect", "client=203.0.113.7", "--expect", "scheme=http")

    result = ask(*given, *expected, terminal=terminal)

    assert result.status == 1
    for text in (
        f"{log}, line 1: scheme is 'https', and not 'http'\n",
        f"{log}, line 4: client is '203.0.113.8', and not '203.0.113.7'\n",
    ):
        assert text in result.errors
    assert ("1 that cannot be read, 2 not as expected" in result.output) != bool(words)


def test_expectations_of_a_long_log_are_counted(tmp_path: Path) -> None:
    """The first are named."""
    path = tmp_path / "long.log"
    path.write_text(log_line("203.0.113.7") * 210)

    result = ask("explain", "--log", str(path), *TRUSTING, "--expect=client=9.9.9.9")

    assert result.errors.count("\n") == 200
    assert "210 not as expected" in result.output


def test_line_without_an_end_is_not_kept(tmp_path: Path) -> None:
    """Neither what is too long of it, nor what was explained."""
    path = tmp_path / "endless.log"
    longest = log_line("203.0.113.7").rstrip().ljust(100_000)
    path.write_text("x" * 5_000_000 + "\n" + longest + "\r\n" + longest[1:])

    tracemalloc.start()
    result = ask("explain", "--log", str(path), *TRUSTING, "--peer", "10.0.0.5")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    lines = result.output.splitlines()
    assert lines[0] == "line 1: cannot be read: longer than 100000 characters"
    assert lines[1].startswith("line 2: client '203.0.113.7'")
    assert lines[2].startswith("line 3: cannot be read: no JSON object")
    assert most < 5_000_000


def test_advice_of_a_log_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each peer may have a piece of its own; what came first is counted on."""
    monkeypatch.setattr(logged, "MOST_ADVICE", 2)
    path = tmp_path / "peers.log"
    path.write_text(
        "".join(
            json.dumps({"peer": f"172.18.0.{n}", "http_x_forwarded_for": "1.2.3.4"})
            + "\n"
            for n in (1, 2, 3, 2)
        )
    )

    result = ask("explain", "--log", str(path), *TRUSTING)

    assert "advice left out: 1" in result.output
    assert "2 of 4: The peer '172.18.0.2'" in result.output
    assert "172.18.0.3' sent" not in result.output


def test_long_log_has_a_short_table(tmp_path: Path) -> None:
    """What is too much for a screen is counted."""
    path = tmp_path / "long.log"
    path.write_text(log_line("203.0.113.7") * 210)

    result = ask("explain", "--log", str(path), *TRUSTING, "--peer", "10.0.0.5")

    assert len(result.output.splitlines()) == 202
    assert "10 more lines\n210 requests, 0 that cannot be read\n" in result.output
