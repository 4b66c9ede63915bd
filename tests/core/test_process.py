"""Process signals: refused in the process that serves, at their defaults in a child."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from trustedproxy import process
from trustedproxy.process import restrict_signals

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
SURVIVED = "survived"


class Server:
    """A server's handlers, which only tell a loop; that loop is in the parent alone."""

    def __init__(self) -> None:
        self.told: list[int] = []

    def handle(self, number: int, frame: FrameType | None) -> None:
        self.told.append(number)


@pytest.fixture
def server() -> Iterator[Server]:
    """A process with a server's handlers; what was there comes back afterwards."""
    made = Server()
    before = {number: signal.signal(number, made.handle) for number in SIGNALS}
    yield made
    process._lift_restriction()
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def restricted(server: Server) -> Server:
    """The same, with the restriction in force."""
    restrict_signals()
    return server


def fork(child: Callable[[], object]) -> int:
    """Run *child* in a forked process; its exit status is what it returns, or 99."""
    with warnings.catch_warnings():
        # Python 3.12 warns of every fork beside threads; that is what is tested.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid:
        return pid
    status = 99
    try:
        result = child()
        status = result if isinstance(result, int) else 0
    finally:
        os._exit(status)


def wait(pid: int, seconds: float = 10.0) -> int | str:
    """Say how *pid* ended: its exit status, minus a signal's number, or not at all."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return SURVIVED


def sleep() -> None:
    """Be there for as long as any test may need it."""
    for _ in range(300):
        time.sleep(0.1)


def start_sleeper() -> int:
    """Fork a child that sleeps, and wait until it does."""
    readable, writable = os.pipe()

    def child() -> None:
        os.write(writable, b".")
        sleep()

    pid = fork(child)
    os.read(readable, 1)
    os.close(readable)
    os.close(writable)
    return pid


# In the process that serves.


def test_signal_refused(restricted: Server, caplog: pytest.LogCaptureFixture) -> None:
    """The call changes nothing, returns the handler in force, and shows its caller."""
    returned = signal.signal(signal.SIGTERM, signal.SIG_IGN)

    assert returned == restricted.handle
    assert signal.getsignal(signal.SIGTERM) == restricted.handle
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("trustedproxy", "WARNING")
    assert "signal.signal() for SIGTERM is refused" in record.getMessage()
    assert "a handler that is given here is never called" in record.getMessage()
    assert record.__dict__["code"] == "signal-refused"
    assert (record.pathname, record.funcName) == (__file__, "test_signal_refused")
    assert record.stack_info is not None
    last = record.stack_info.splitlines()[-1]
    assert last.strip() == "returned = signal.signal(signal.SIGTERM, signal.SIG_IGN)"


def test_signal_refused_as_it_may_be_called(restricted: Server) -> None:
    """Keywords are understood, and a plain number is a signal."""
    handler: Any = signal.signal(signalnum=15, handler=signal.SIG_DFL)

    assert handler == restricted.handle


def test_signal_refused_is_named_by_its_number(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """A signal without a name of its own is one of the server's like any other."""
    number = int(signal.SIGRTMIN) + 3
    before = signal.signal(number, server.handle)
    try:
        restrict_signals()
        returned = signal.signal(number, signal.SIG_IGN)
    finally:
        process._real["signal"](number, before)

    assert returned == server.handle
    assert f"for signal {number} is refused" in caplog.records[0].getMessage()


def test_signal_that_is_none_is_an_error(restricted: Server) -> None:
    """What Python refuses by itself is its own error still."""
    with pytest.raises(ValueError, match="signal number out of range"):
        signal.signal(9999, signal.SIG_DFL)
    with pytest.raises(TypeError):
        signal.signal("TERM", signal.SIG_DFL)  # type: ignore[arg-type]  # a wrong type is what is asked


def test_signal_refused_in_a_thread(
    restricted: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """A thread is refused alike, where Python alone would raise an error."""
    returned: list[object] = []

    def set_handler() -> None:
        returned.append(signal.signal(signal.SIGTERM, signal.SIG_DFL))

    thread = threading.Thread(target=set_handler)
    thread.start()
    thread.join()

    assert returned == [restricted.handle]
    assert signal.getsignal(signal.SIGTERM) == restricted.handle
    assert caplog.records[0].funcName == "set_handler"


def test_signal_delivered_to_the_server(restricted: Server) -> None:
    """After a refusal, the signal still reaches the server's own handler."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTERM)

    assert restricted.told == [signal.SIGTERM]


def test_signal_not_refused_without_restriction(server: Server) -> None:
    """Without the feature, anybody takes the server's handler away."""
    assert signal.signal(signal.SIGTERM, signal.SIG_IGN) == server.handle
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN


def test_restriction_repeated(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    """A restriction that is in force already changes nothing and says nothing."""
    real = signal.signal
    restrict_signals()
    once = signal.signal
    restrict_signals()

    assert signal.signal is once
    assert once is not real
    process._lift_restriction()
    assert signal.signal is real
    assert caplog.records == []


def test_restriction_below_a_wrapper(restricted: Server) -> None:
    """Who wraps `signal.signal` later is still refused, and is free in a child."""
    refusing = signal.signal

    def wrapper(signalnum: int, handler: Any) -> Any:
        return refusing(signalnum, handler)

    signal.signal = wrapper
    try:
        restrict_signals()
        returned = signal.signal(signal.SIGTERM, signal.SIG_IGN)

        def child() -> int:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            ignored = signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
            restrict_signals()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            return 7 if ignored else 8

        assert wait(fork(child)) == 7
    finally:
        signal.signal = refusing

    assert returned == restricted.handle


# Which signals are the server's, and which the application's (H-15).


@pytest.fixture
def real_signal() -> Iterator[Callable[..., Any]]:
    """Set handlers as before any restriction; all of them come back afterwards."""
    before: dict[int, Any] = {}
    real = signal.signal

    def set_handler(number: int, handler: Any) -> None:
        before.setdefault(number, signal.getsignal(number))
        real(number, handler)

    yield set_handler
    for number, handler in before.items():
        real(number, handler)


def test_timer_of_the_application(restricted: Server) -> None:
    """H-15: what the server left alone can be set and restored, and fires."""
    fired: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: fired.append(number))
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    deadline = time.monotonic() + 10
    while not fired and time.monotonic() < deadline:
        time.sleep(0.005)
    restored = signal.signal(signal.SIGALRM, before)

    assert fired == [signal.SIGALRM]
    assert callable(restored)
    assert before == signal.getsignal(signal.SIGALRM) == signal.SIG_DFL


@pytest.mark.parametrize("name", ["SIGPROF", "SIGVTALRM", "SIGUSR2", "SIGURG"])
def test_signal_that_the_server_left_alone(
    restricted: Server,
    name: str,
    real_signal: Callable[..., Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is the application's, and nothing is said about it."""
    number = signal.Signals[name]
    real_signal(number, signal.SIG_DFL)

    assert signal.signal(number, restricted.handle) == signal.SIG_DFL
    assert signal.getsignal(number) == restricted.handle
    assert caplog.records == []


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGCHLD"])
def test_signal_that_is_the_servers_in_any_case(
    name: str, real_signal: Callable[..., Any], server: Server
) -> None:
    """A server stops and reloads by these, and minds its workers, by default too."""
    number = signal.Signals[name]
    real_signal(number, signal.SIG_DFL)
    restrict_signals()

    assert signal.signal(number, server.handle) == signal.SIG_DFL
    assert signal.getsignal(number) == signal.SIG_DFL


def test_signal_with_a_handler_of_the_servers(
    real_signal: Callable[..., Any], server: Server
) -> None:
    """Whatever signal the server has a handler for, an ignore too, stays as it is."""
    real_signal(signal.SIGUSR2, server.handle)
    real_signal(signal.SIGWINCH, signal.SIG_IGN)
    real_signal(signal.SIGPIPE, server.handle)
    restrict_signals()

    assert signal.signal(signal.SIGUSR2, signal.SIG_DFL) == server.handle
    assert signal.signal(signal.SIGWINCH, signal.SIG_DFL) == signal.SIG_IGN
    assert signal.signal(signal.SIGPIPE, signal.SIG_DFL) == server.handle
    assert signal.getsignal(signal.SIGUSR2) == server.handle
    assert signal.getsignal(signal.SIGWINCH) == signal.SIG_IGN
    assert signal.getsignal(signal.SIGPIPE) == server.handle


@pytest.mark.parametrize("name", ["SIGPIPE", "SIGXFSZ"])
def test_signal_that_python_ignores(
    restricted: Server, real_signal: Callable[..., Any], name: str
) -> None:
    """That ignore is not the server's, so that a tool may have the default back."""
    number = signal.Signals[name]
    real_signal(number, signal.SIG_IGN)

    assert signal.signal(number, signal.SIG_DFL) == signal.SIG_IGN
    assert signal.getsignal(number) == signal.SIG_DFL


C_HANDLER = ctypes.CFUNCTYPE(None, ctypes.c_int)(lambda number: None)


@pytest.mark.skipif(
    not process._STATUS.exists(), reason="only Linux says what C code catches"
)
@pytest.mark.parametrize(("status", "refused"), [(None, 7), ("/nowhere", 8)])
def test_signal_with_a_handler_of_c_code(
    server: Server,
    status: str | None,
    refused: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the system tells of it, it is the server's; Python sees the default."""
    if status is not None:
        monkeypatch.setattr(process, "_STATUS", Path(status))

    def child() -> int:
        libc = ctypes.CDLL(None)
        libc.signal(int(signal.SIGUSR2), C_HANDLER)
        restrict_signals()
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)
        return 7 if signal.getsignal(signal.SIGUSR2) == signal.SIG_DFL else 8

    assert wait(fork(child)) == refused


def test_signals_of_the_servers_are_those_of_this_moment(
    restricted: Server, real_signal: Callable[..., Any]
) -> None:
    """What the application sets later, it can set again with every request."""
    for _ in range(2):
        restrict_signals()
        signal.signal(signal.SIGUSR2, restricted.handle)
        assert signal.signal(signal.SIGUSR2, signal.SIG_DFL) == restricted.handle


# Where there is less than on Linux.


def test_signal_that_the_system_does_not_have() -> None:
    """There is nothing to restrict and nothing to reset."""
    assert process._find_signals("SIGTERM", "SIGNONE") == (signal.SIGTERM,)


def test_restriction_without_forks(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no process is ever forked, the restriction is in force all the same."""
    monkeypatch.setattr(process, "_hooked", False)
    monkeypatch.delattr(os, "register_at_fork")

    restrict_signals()

    assert process._hooked is False
    assert signal.signal(signal.SIGTERM, signal.SIG_IGN) == server.handle


ALONE = """
import sys, types
package = types.ModuleType("trustedproxy")
package.__path__ = [sys.argv[1]]
sys.modules["trustedproxy"] = package
import trustedproxy.process
print("asyncio" in sys.modules)
"""


def test_import_loads_no_asyncio() -> None:
    """It takes longer than all the rest, and few switch the restriction on."""
    folder = str(Path(process.__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", ALONE, folder],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert done.stdout == "False\n"


# asyncio, whose loops have a way of their own.


def test_loop_refused(restricted: Server, caplog: pytest.LogCaptureFixture) -> None:
    """asyncio's way is refused too, and leaves the wakeup descriptor alone."""
    called: list[str] = []

    async def main() -> bool:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, called.append, "added")
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0.05)
        return loop.remove_signal_handler(signal.SIGTERM)

    readable, writable = os.pipe()
    os.set_blocking(writable, False)
    before = signal.set_wakeup_fd(writable)
    try:
        removed = asyncio.run(main())
        unchanged = signal.set_wakeup_fd(before) == writable
    finally:
        signal.set_wakeup_fd(before)
        os.close(readable)
        os.close(writable)

    assert (called, removed, unchanged) == ([], False, True)
    assert restricted.told == [signal.SIGTERM]
    added, taken = caplog.records
    assert "add_signal_handler() of asyncio for SIGTERM" in added.getMessage()
    assert "remove_signal_handler() of asyncio for SIGTERM" in taken.getMessage()
    assert (added.pathname, added.funcName) == (__file__, "main")


def test_loop_sets_the_applications_signals(
    restricted: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """What the server left alone can be handled by a loop, and is taken away again."""
    called: list[str] = []

    async def main() -> bool:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGUSR2, called.append, "added")
        os.kill(os.getpid(), signal.SIGUSR2)
        await asyncio.sleep(0.05)
        return loop.remove_signal_handler(signal.SIGUSR2)

    assert asyncio.run(main())
    assert called == ["added"]
    assert signal.getsignal(signal.SIGUSR2) == signal.SIG_DFL
    assert caplog.records == []


def test_loop_keeps_the_servers_own_handlers(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """A server's loop keeps what it registered, and may take it away as it closes."""
    called: list[str] = []

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, called.append, "server")
        restrict_signals()
        loop.add_signal_handler(signal.SIGTERM, called.append, "application")
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0.05)

    asyncio.run(serve())

    assert called == ["server"]
    assert len(caplog.records) == 1
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


# In a child of it.


@pytest.mark.parametrize("number", SIGNALS)
def test_child_dies(restricted: Server, number: signal.Signals) -> None:
    """What ends a process ends a forked child at once, by the signal itself."""
    pid = start_sleeper()
    os.kill(pid, number)

    assert wait(pid) == -number
    assert restricted.told == []


@pytest.mark.parametrize("number", SIGNALS)
def test_child_survives_without_restriction(
    server: Server, number: signal.Signals
) -> None:
    """Without the feature, the server's handler swallows the signal in the child."""
    pid = start_sleeper()
    os.kill(pid, number)

    assert wait(pid, 0.3) == SURVIVED


def test_child_dies_however_early(restricted: Server) -> None:
    """A signal that meets the child while it is being made ends it, too."""
    outcomes = set()
    for _ in range(25):
        pid = fork(sleep)
        os.kill(pid, signal.SIGTERM)
        outcomes.add(wait(pid))

    assert outcomes == {-signal.SIGTERM}


def test_child_handlers_are_defaults(restricted: Server) -> None:
    """The child has the defaults, the real functions and no wakeup descriptor."""
    real = process._real["signal"]

    def child() -> int:
        defaults = all(signal.getsignal(n) == signal.SIG_DFL for n in SIGNALS)
        return 7 if defaults and signal.signal is real else 8

    assert wait(fork(child)) == 7
    assert [signal.getsignal(n) for n in SIGNALS] == [restricted.handle] * 3
    assert signal.signal is not real


def test_child_sets_its_own_handler(restricted: Server) -> None:
    """The child can set a handler, which runs."""

    def child() -> int:
        caught: list[int] = []
        signal.signal(signal.SIGTERM, lambda number, frame: caught.append(number))
        os.kill(os.getpid(), signal.SIGTERM)
        return 7 if caught == [signal.SIGTERM] else 8

    assert wait(fork(child)) == 7


def test_child_without_restriction_keeps_everything(server: Server) -> None:
    """Without the feature nothing is done around a fork."""
    pid = fork(lambda: 7 if signal.getsignal(signal.SIGTERM) == server.handle else 8)

    assert wait(pid) == 7


def test_child_keeps_other_handlers(restricted: Server) -> None:
    """Signals that do not end a server are the application's; the child keeps them."""

    def handle(number: int, frame: FrameType | None) -> None: ...

    before = process._real["signal"](signal.SIGUSR2, handle)
    try:
        pid = fork(lambda: 7 if signal.getsignal(signal.SIGUSR2) == handle else 8)
        assert wait(pid) == 7
    finally:
        process._real["signal"](signal.SIGUSR2, before)


def test_child_does_not_wake_its_parent(restricted: Server) -> None:
    """What the child catches is not written to the descriptor that wakes the server."""
    readable, writable = os.pipe()
    os.set_blocking(readable, False)
    os.set_blocking(writable, False)
    before = signal.set_wakeup_fd(writable)

    def child() -> int:
        signal.signal(signal.SIGUSR2, lambda number, frame: None)
        os.kill(os.getpid(), signal.SIGUSR2)
        return 7

    try:
        assert wait(fork(child)) == 7
        with pytest.raises(BlockingIOError):
            os.read(readable, 1)
    finally:
        signal.set_wakeup_fd(before)
        os.close(readable)
        os.close(writable)


def test_child_of_a_thread_dies(restricted: Server) -> None:
    """A child that a thread forks dies as well, even if the thread blocks signals."""
    pids: list[int] = []

    def serve() -> None:
        # As the threads of mod_wsgi's embedded mode do.
        signal.pthread_sigmask(signal.SIG_BLOCK, [*SIGNALS, signal.SIGUSR2])
        pids.append(start_sleeper())
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [])
        pids.append(len(blocked.intersection(SIGNALS)))

    thread = threading.Thread(target=serve)
    thread.start()
    thread.join()
    pid, still_blocked = pids
    os.kill(pid, signal.SIGTERM)

    assert wait(pid) == -signal.SIGTERM
    assert still_blocked == len(SIGNALS)


def test_child_leaves_the_parents_mask(restricted: Server) -> None:
    """The parent blocks afterwards what it blocked before, and gets its signals."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])

    wait(fork(lambda: 0))
    os.kill(os.getpid(), signal.SIGTERM)

    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before
    assert restricted.told == [signal.SIGTERM]


def test_child_restricts_itself(restricted: Server) -> None:
    """A child that serves can be restricted in turn; its own child is free again."""

    def grandchild() -> int:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        return 7 if signal.getsignal(signal.SIGTERM) == signal.SIG_IGN else 8

    def child() -> int | str:
        restrict_signals()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        refused = signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
        return wait(fork(grandchild)) if refused else 9

    assert wait(fork(child)) == 7


def test_child_behind_pythons_back(
    restricted: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where C code forked without telling Python, the process id tells the child."""
    monkeypatch.setattr(process, "_owner", -1)

    assert signal.signal(signal.SIGTERM, signal.SIG_IGN) == restricted.handle
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN

    async def main() -> bool:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, lambda: None)
        return loop.remove_signal_handler(signal.SIGTERM)

    assert asyncio.run(main())
    restrict_signals()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


# What starts a new interpreter or another program never had the restriction.

SCRIPT = """
import multiprocessing, os, signal, sys, time
from trustedproxy.process import restrict_signals

def sleep(ready):
    own = signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    ready.put(signal.getsignal(signal.SIGUSR2) == signal.SIG_IGN)
    time.sleep(30)

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, frame: None)
    if "restrict" in sys.argv:
        restrict_signals()
    context = multiprocessing.get_context(sys.argv[1])
    ready = context.SimpleQueue()
    child = context.Process(target=sleep, args=(ready,), daemon=True)
    child.start()
    print(ready.get(), end=" ")
    child.terminate()
    child.join(5 if "restrict" in sys.argv else 0.5)
    print(child.exitcode, end="")
    child.kill()
"""


def run_script(tmp_path: Path, *arguments: str) -> str:
    """Run `SCRIPT`, and say what it printed."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_multiprocessing_child_dies(tmp_path: Path, method: str) -> None:
    """`Process.terminate` ends the child, which could set handlers, by any method."""
    assert run_script(tmp_path, method, "restrict") == "True -15"


@pytest.mark.parametrize(
    ("method", "outcome"),
    [("fork", "True None"), ("forkserver", "True -15"), ("spawn", "True -15")],
)
def test_multiprocessing_child_without_restriction(
    tmp_path: Path, method: str, outcome: str
) -> None:
    """Without the feature, it is the fork that survives `Process.terminate`."""
    assert run_script(tmp_path, method) == outcome


@pytest.mark.parametrize("prepare", [None, lambda: None])
def test_program_dies(restricted: Server, prepare: Callable[[], object] | None) -> None:
    """Another program starts with the defaults, whatever runs before it does."""
    with subprocess.Popen(["sleep", "30"], preexec_fn=prepare) as program:
        program.terminate()

        assert program.wait(10) == -signal.SIGTERM
    assert restricted.told == []


def test_program_prepared_in_the_child(restricted: Server) -> None:
    """What prepares the child before its program can set handlers, as in any child."""

    def prepare() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    with subprocess.Popen(["sleep", "30"], preexec_fn=prepare) as program:
        program.terminate()
        time.sleep(0.1)
        survives = program.poll() is None
        program.kill()

    assert survives
