"""
An application that forks in a request, and reports what became of the child.

In:  the path names one of `CASES`, the query the seconds that a child has to end;
     `restricted` has the restriction, `bare` has not; the same with ``_asgi``.
Out: JSON: what the case found.

It runs inside of the servers, so it imports nothing of the tests.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from trustedproxy.process import restrict_signals

SURVIVED = "survived"

NAMES = ("SIGTERM", "SIGINT", "SIGUSR1", "SIGHUP", "SIGQUIT", "SIGUSR2")


def wait(pid: int, seconds: float) -> int | str:
    """Say how *pid* ended: its exit status, minus a signal's number, or not at all."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return SURVIVED


def sleep() -> None:
    """Be there for longer than anybody waits."""
    for _ in range(600):
        time.sleep(0.1)


def fork(child: Callable[[], object]) -> int:
    """Run *child* in a forked process."""
    pid = os.fork()
    if pid:
        return pid
    try:
        child()
    finally:
        os._exit(99)


def show_handlers() -> list[str]:
    """Say which handlers are in force, as far as Python knows them."""
    return [str(signal.getsignal(signal.Signals[name])) for name in NAMES]


def fork_and_terminate(seconds: float) -> object:
    """Fork, terminate at once."""
    before = show_handlers()
    pid = fork(sleep)
    os.kill(pid, signal.SIGTERM)
    return {"ended": wait(pid, seconds), "kept": show_handlers() == before}


def fork_and_handle(seconds: float) -> object:
    """Fork a child with a handler of its own, terminate once it is set."""
    before = show_handlers()
    readable, writable = os.pipe()

    def child() -> None:
        signal.signal(signal.SIGTERM, lambda number, frame: os._exit(7))
        os.write(writable, b".")
        sleep()

    pid = fork(child)
    os.read(readable, 1)
    os.close(readable)
    os.close(writable)
    os.kill(pid, signal.SIGTERM)
    return {"ended": wait(pid, seconds), "kept": show_handlers() == before}


def fork_with_multiprocessing(seconds: float) -> object:
    """What a web application does with a helper of its own."""
    before = show_handlers()
    helper = multiprocessing.get_context("fork").Process(target=sleep, daemon=True)
    helper.start()
    helper.terminate()
    helper.join(seconds)
    ended = SURVIVED if helper.exitcode is None else helper.exitcode
    helper.kill()
    helper.join()
    return {"ended": ended, "kept": show_handlers() == before}


def start_program(seconds: float) -> object:
    """Start another program, terminate it."""
    program = subprocess.Popen(["sleep", "60"])
    program.terminate()
    try:
        ended: object = program.wait(seconds)
    except subprocess.TimeoutExpired:
        program.kill()
        program.wait()
        ended = SURVIVED
    return {"ended": ended}


def replace_the_servers_handler(seconds: float) -> object:
    """Take the server's handler away, and put it back where that worked."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        returned = signal.signal(signal.SIGTERM, lambda number, frame: None)
    except ValueError as error:
        return {"error": str(error)}
    kept = signal.getsignal(signal.SIGTERM) == before
    if not kept:
        signal.signal(signal.SIGTERM, before)
    return {"kept": kept, "returned": returned == before}


def replace_it_in_a_thread(seconds: float) -> object:
    """The same in a thread of the application's."""
    found: list[object] = []
    thread = threading.Thread(
        target=lambda: found.append(replace_the_servers_handler(seconds))
    )
    thread.start()
    thread.join()
    return found[0]


def replace_it_with_asyncio(seconds: float) -> object:
    """The same with the way of asyncio's loops."""
    before = signal.getsignal(signal.SIGTERM)

    async def main() -> None:
        add_handler(asyncio.get_running_loop())

    def add_handler(loop: asyncio.AbstractEventLoop) -> None:
        loop.add_signal_handler(signal.SIGTERM, lambda: None)

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        loop = None
    try:
        # In an asynchronous server, its own loop.
        asyncio.run(main()) if loop is None else add_handler(loop)
    except RuntimeError as error:
        return {"error": str(error)}
    kept = signal.getsignal(signal.SIGTERM) == before
    if not kept:
        signal.signal(signal.SIGTERM, before)
    return {"kept": kept}


def ignore_terminate(seconds: float) -> object:
    """Take the server's handler away for good."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return {}


class _TimeoutError(Exception):
    """What the application's own timer raises."""


def limit_with_a_timer(seconds: float) -> object:
    """What a view does that has so long and no longer: set, wait, restore."""

    def give_up(number: int, frame: object) -> None:
        raise _TimeoutError

    try:
        before = signal.signal(signal.SIGALRM, give_up)
    except ValueError as error:
        return {"error": str(error)}
    if signal.getsignal(signal.SIGALRM) != give_up:
        # A server that refuses by itself: the timer would end it.
        return {"refused": True}
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        time.sleep(seconds)
        limited = False
    except _TimeoutError:
        limited = True
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    restored = signal.getsignal(signal.SIGALRM) == before
    return {"limited": limited, "restored": restored, "pid": os.getpid()}


CASES = {
    f"/{case.__name__}": case
    for case in (
        fork_and_terminate,
        fork_and_handle,
        fork_with_multiprocessing,
        start_program,
        replace_the_servers_handler,
        replace_it_in_a_thread,
        replace_it_with_asyncio,
        ignore_terminate,
        limit_with_a_timer,
    )
}


def bare(
    environ: dict[str, Any], start_response: Callable[..., object]
) -> Iterable[bytes]:
    """Run the case that the path names."""
    found = CASES[environ["PATH_INFO"]](float(environ["QUERY_STRING"]))
    body = json.dumps(found).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response("200 OK", headers)
    return [body]


def restricted(
    environ: dict[str, Any], start_response: Callable[..., object]
) -> Iterable[bytes]:
    """The same, with the restriction in force from the first request on."""
    restrict_signals()
    return bare(environ, start_response)


async def bare_asgi(scope: Any, receive: Any, send: Any) -> None:
    """Run the case that the path names in the server's own loop."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    found = CASES[scope["path"]](float(scope["query_string"]))
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(found).encode()})


async def restricted_asgi(scope: Any, receive: Any, send: Any) -> None:
    """The same, with the restriction in force from the first request on."""
    if scope["type"] == "http":
        restrict_signals()
    await bare_asgi(scope, receive, send)
