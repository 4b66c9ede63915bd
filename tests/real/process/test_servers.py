"""What a child forked in a request lives through, and its parent, on real servers."""

from __future__ import annotations

import signal
import time

import pytest

from ..servers.processes import ANSWER_SECONDS
from .application import SURVIVED
from .conftest import SERVERS, Start

FORKS = ("fork_and_terminate", "fork_with_multiprocessing")
REPLACEMENTS = (
    "replace_the_servers_handler",
    "replace_it_in_a_thread",
    "replace_it_with_asyncio",
)

#: How a forked child may end without the feature. uWSGI's and mod_wsgi's handlers are
#: C code, which the child inherits: 30 and 255 are their exit statuses, but a signal
#: that comes early, or that the thread blocks, is swallowed there, too.
BARE_ENDS: dict[str, set[object]] = {
    "gunicorn-sync": {SURVIVED},
    "gunicorn-gthread": {SURVIVED},
    "gunicorn-preload": {SURVIVED},
    "uwsgi": {30, SURVIVED},
    "uwsgi-threads": {30, SURVIVED},
    "mod_wsgi-daemon": {255, SURVIVED},
    "mod_wsgi-embedded": {SURVIVED},
    "uvicorn": {SURVIVED},
}
#: Threads of these block signals, and what they start by `subprocess` inherits that.
BLOCKING = ("uwsgi-threads", "mod_wsgi-embedded")
#: What Python says to all other threads.
NOT_MAIN = "signal only works in main thread of the main interpreter"
#: Where the application runs in the main thread, and may replace every handler.
IN_MAIN_THREAD = ("gunicorn-sync", "gunicorn-preload", "uwsgi", "uvicorn")


@pytest.mark.parametrize("case", FORKS)
@pytest.mark.parametrize("server", SERVERS)
def test_child_dies(start: Start, server: str, case: str) -> None:
    """A child forked in a request is ended by SIGTERM; its parent changes nothing."""
    found = start(server, "restricted").ask(case)

    assert found == {"ended": -signal.SIGTERM, "kept": True}


@pytest.mark.parametrize("case", FORKS)
@pytest.mark.parametrize("server", SERVERS)
def test_child_without_restriction(start: Start, server: str, case: str) -> None:
    """Without the feature no server's child is ended by the signal itself."""
    found = start(server, "bare").ask(case, 0.5)

    assert found["ended"] in BARE_ENDS[server]


@pytest.mark.parametrize("server", SERVERS)
def test_child_sets_its_own_handler(start: Start, server: str) -> None:
    """The child's own handler runs, and the parent keeps its own."""
    found = start(server, "restricted").ask("fork_and_handle")

    assert found == {"ended": 7, "kept": True}


@pytest.mark.parametrize("server", [name for name in SERVERS if name not in BLOCKING])
def test_program_dies(start: Start, server: str) -> None:
    """A program started in a request is ended by SIGTERM, as without the feature."""
    assert start(server, "restricted").ask("start_program")["ended"] == -signal.SIGTERM
    # A server of its own: others take the handler away, and uWSGI began by ignoring it.
    bare = start(server, "bare", "-program").ask("start_program")
    assert bare["ended"] == -signal.SIGTERM


def test_program_inherits_blocked_signals(start: Start) -> None:
    """What the docs warn of: a program of a thread that blocks signals survives."""
    found = start("mod_wsgi-embedded", "restricted").ask("start_program", 0.5)

    assert found["ended"] == SURVIVED


@pytest.mark.parametrize("case", REPLACEMENTS)
@pytest.mark.parametrize("server", SERVERS)
def test_server_keeps_its_handler(start: Start, server: str, case: str) -> None:
    """No way to replace a handler works in the server, and each is logged."""
    running = start(server, "restricted")
    before = running.read_log().count("is refused")

    found = running.ask(case)

    assert found["kept"]
    assert found.get("returned", True)
    logged = running.read_log()
    assert logged.count("is refused") > before
    caller = "replace_it_with_asyncio" if "asyncio" in case else REPLACEMENTS[0]
    assert f"in {caller}" in logged
    assert "application.py" in logged


@pytest.mark.parametrize("application", ["restricted", "bare"])
@pytest.mark.parametrize("server", IN_MAIN_THREAD)
def test_timer_of_the_application(start: Start, server: str, application: str) -> None:
    """H-15: a view may limit itself by SIGALRM, again and again, and nobody dies."""
    running = start(server, application)

    first, second = (running.ask("limit_with_a_timer") for _ in range(2))

    assert first == {"limited": True, "restored": True, "pid": first["pid"]}
    assert second == first


@pytest.mark.parametrize("application", ["restricted", "bare"])
@pytest.mark.parametrize(
    ("server", "found"),
    [
        (
            "gunicorn-gthread",
            "signal only works in main thread of the main interpreter",
        ),
        ("mod_wsgi-daemon", True),
        ("mod_wsgi-embedded", True),
    ],
)
def test_timer_that_python_or_the_server_refuses(
    start: Start, server: str, found: object, application: str
) -> None:
    """What the docs say of threads and of mod_wsgi, with the restriction or without."""
    answer = start(server, application).ask("limit_with_a_timer")

    assert list(answer.values()) == [found]


@pytest.mark.parametrize("case", [REPLACEMENTS[0], REPLACEMENTS[2]])
@pytest.mark.parametrize("server", IN_MAIN_THREAD)
def test_server_loses_its_handler_without_restriction(
    start: Start, server: str, case: str
) -> None:
    """Without the feature, an application takes the server's handler away."""
    assert start(server, "bare").ask(case)["kept"] is False


def stop(start: Start, application: str) -> tuple[float, bool]:
    """
    Let an application ignore SIGTERM, and stop the server.

    Returns:
        How many seconds that took, and whether the worker ended by itself.
    """
    running = start("gunicorn-sync", application, "-ignoring")
    running.ask("ignore_terminate")
    begun = time.monotonic()
    running.process.popen.terminate()
    running.process.popen.wait(ANSWER_SECONDS)
    return time.monotonic() - begun, "Worker exiting" in running.read_log()


def test_server_stops_in_time(start: Start) -> None:
    """The server that kept its handler stops itself; the other one's worker is killed.

    The graceful time-out is three seconds; gunicorn kills its worker then.
    """
    _, restricted_ends = stop(start, "restricted")
    bare_seconds, bare_ends = stop(start, "bare")

    assert restricted_ends
    assert not bare_ends
    assert bare_seconds > 2.5
