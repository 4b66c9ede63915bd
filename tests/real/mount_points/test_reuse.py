"""
A connection to a backend serves another request only if the last exchange is over.

In:  tens of thousands of requests of many clients at once, most of them on connections
     that served another one before, to a backend that does what it likes.
Out: every answer carries its own request's number, or is a failure; never is a byte of
     another exchange in it, and never one that nobody asked for (H-01).
"""

from __future__ import annotations

import asyncio
import random
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
import trustme

from trustedproxy.mount_points.connections import AnyBackend

from .backend import PATIENCE
from .fronts import Reply, run_front
from .hostile import (
    EVIL,
    FORGED,
    HONEST,
    HOSTILE,
    TO_HEAD,
    UNREAD,
    HostileBackend,
    Talk,
    run_hostile_backend,
)

CLIENTS = 6
#: Exchanges on connections that served one before, at the least, for each middleware.
REUSED = 10_500
BODY = b"POST /1/smuggled HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture
def hostile() -> Iterator[HostileBackend]:
    """A backend that is hostile."""
    with run_hostile_backend() as running:
        yield running


def choose(random_: random.Random) -> tuple[str, str, dict[str, Any]]:
    """Choose a method, a way to answer, and what else is sent."""
    chance = random_.random()
    if chance < 0.85:
        method = random_.choice(["GET", "GET", "POST", "OPTIONS", "PUT", "DELETE"])
        body: dict[str, Any] = {}
        if method in ("POST", "PUT"):
            body["body"] = random_.choice([b"x", BODY, [b"a", b"b"]])
        return method, random_.choice(list(HONEST)), body
    if chance < 0.94:
        return random_.choice(["GET", "POST"]), random_.choice(list(HOSTILE)), {}
    if chance < 0.97:
        return "HEAD", random_.choice(list(TO_HEAD)), {}
    method, way = random_.choice(
        [
            ("GET", "unread"),
            ("DELETE", "unread"),
            ("POST", "unread-redirect"),
            ("POST", "unread-refusal"),
        ]
    )
    return method, way, {"body": BODY}


def judge(number: int, method: str, way: str, reply: Reply) -> None:
    """Say whether a reply is the request's own, or an honest failure."""
    shown = (number, method, way, reply)
    assert EVIL not in reply.body, shown
    assert "evil" not in str(reply.headers), shown
    if reply.status == 502:
        assert way not in HONEST and way not in TO_HEAD and way not in UNREAD, shown
        return
    assert reply.named["x-number"] == str(number), shown
    own = b"answer to %d" % number
    assert own.startswith(reply.body), shown
    whole = reply.body == own or method == "HEAD" or reply.status in (204, 304)
    assert whole or reply.broken or way == "empty", shown


def run_clients(front: Any, count: int) -> None:
    """Let all clients send their requests at once, *count* each."""
    plans = []
    for client in range(CLIENTS):
        random_ = random.Random(client)
        plans.append(
            [(i * CLIENTS + client + 1, *choose(random_)) for i in range(count)]
        )

    if front.kind == "wsgi":

        def run(plan: Sequence[tuple[int, str, str, dict[str, Any]]]) -> None:
            for number, method, way, options in plan:
                reply = front.ask(f"/blog/{number}/{way}", method=method, **options)
                judge(number, method, way, reply)

        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(run, plans))
        return

    async def run_async(plan: Sequence[tuple[int, str, str, dict[str, Any]]]) -> None:
        for number, method, way, options in plan:
            path = f"/blog/{number}/{way}"
            reply = await front.ask_async(path, method=method, **options)
            judge(number, method, way, reply)

    async def run_all() -> None:
        await asyncio.gather(*map(run_async, plans))

    front.runner.run(run_all())


@pytest.mark.cost
def test_h01_no_byte_of_one_exchange_is_in_another(
    kind: str, hostile: HostileBackend
) -> None:
    """Thousands of exchanges over kept connections, and every answer is its own."""
    with run_front(kind, {"/blog": hostile.url}) as front:
        run_clients(front, 2400)

    assert hostile.reused >= REUSED


class Late:
    """A way that says more than its answer, when it is told to."""

    def __init__(self, answer: Callable[[Talk], bytes]) -> None:
        self.answer = answer
        self.told, self.said = threading.Event(), threading.Event()

    def __call__(self, talk: Talk) -> None:
        talk.send(self.answer(talk))
        assert self.told.wait(PATIENCE)
        with suppress(OSError):
            talk.send(FORGED)
        self.said.set()


HONEST_ANSWERS: dict[str, Callable[[Talk], bytes]] = {
    "length": lambda talk: talk.answer,
    "chunks": lambda talk: talk.chunks,
    "no-content": lambda talk: talk.head("204 No Content"),
    "not-modified": lambda talk: talk.head("304 Not Modified"),
}


@pytest.mark.parametrize("way", sorted(HONEST_ANSWERS))
def test_h01_what_comes_before_the_next_request_ends_the_connection(
    way: str, kind: str, hostile: HostileBackend
) -> None:
    """Bytes that arrive while a connection rests are nobody's."""
    hostile.ways["late"] = late = Late(HONEST_ANSWERS[way])
    with run_front(kind, {"/blog": hostile.url}) as front:
        front.ask("/blog/1/late")
        late.told.set()
        assert late.said.wait(PATIENCE)
        reply = front.ask("/blog/2/length")

    assert reply.body == b"answer to 2"
    assert hostile.connections == 2


def test_h01_what_comes_at_the_last_moment_is_nobodys(
    kind: str, hostile: HostileBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the choice of a connection and its use, it is looked at once more."""
    hostile.ways["late"] = late = Late(lambda talk: talk.answer)
    choose_idle = AnyBackend.find_idle

    def find_idle(backend: Any) -> Any:
        connection = choose_idle(backend)
        late.told.set()
        assert late.said.wait(PATIENCE)
        return connection

    with run_front(kind, {"/blog": hostile.url}) as front:
        front.ask("/blog/1/late")
        monkeypatch.setattr(AnyBackend, "find_idle", find_idle)
        reply = front.ask("/blog/2/length", method="POST", body=b"x")

    assert reply.body == b"answer to 2"
    assert hostile.targets == [b"/1/late", b"/2/length"]


def test_h01_head_is_the_last_on_its_connection(
    kind: str, hostile: HostileBackend
) -> None:
    """A body that comes to a HEAD may come when another request is under way."""

    def answer(talk: Talk) -> None:
        talk.send(talk.head())
        # The body comes as soon as anybody asks for something else.
        talk.read_until(b"\r\n\r\n")
        talk.send(FORGED)

    hostile.ways["late"] = answer
    with run_front(kind, {"/blog": hostile.url}) as front:
        front.ask("/blog/1/late", method="HEAD")
        reply = front.ask("/blog/2/length")

    assert reply.body == b"answer to 2"
    assert hostile.connections == 2


@pytest.mark.parametrize("chunked", [False, True])
def test_h01_early_answer_is_the_last_on_its_connection(
    chunked: bool, kind: str, hostile: HostileBackend
) -> None:
    """An answer to a request that was not sent to its end says nothing of the rest."""
    answered = threading.Event()

    def answer(talk: Talk) -> None:
        talk.send(talk.answer)
        answered.set()
        talk.read_body()

    hostile.ways["unread"] = answer

    class Body:
        """A body whose second half waits for the answer."""

        def __init__(self) -> None:
            self.parts = [b"a" * 9, b"b" * 9]

        def read(self, size: int) -> bytes:
            if len(self.parts) == 1:
                assert answered.wait(PATIENCE)
            return self.parts.pop(0) if self.parts else b""

    framing = ("transfer-encoding", "chunked") if chunked else ("content-length", "18")
    environ = {"wsgi.input": Body(), framing[0].upper().replace("-", "_"): framing[1]}
    if chunked:
        environ["HTTP_TRANSFER_ENCODING"] = "chunked"
    with run_front(kind, {"/blog": hostile.url}) as front:
        front.ask(
            "/blog/1/unread",
            method="POST",
            environ=environ,
            headers=[framing] if kind == "asgi" else [],
            messages=[
                {"type": "http.request", "body": b"a" * 9, "more_body": True},
                {
                    "type": "http.request",
                    "body": b"b" * 9,
                    "more_body": False,
                    "after": answered,
                },
            ],
        )
        reply = front.ask("/blog/2/length")

    assert reply.body == b"answer to 2"
    assert hostile.connections == 2


@pytest.mark.parametrize("way", ["length", "chunks", "more", "more-after-chunks"])
def test_h01_every_cut_is_the_same(
    way: str, kind: str, hostile: HostileBackend
) -> None:
    """Wherever an answer, and what comes after it, is cut, the answer is its own."""
    lengths = {}
    sent = threading.Event()

    def answer(talk: Talk) -> None:
        whole = talk.chunks if "chunks" in way else talk.answer
        everything = whole + (FORGED if "more" in way else b"")
        cut = talk.number - 100
        lengths[talk.number] = len(everything)
        talk.send(everything[:cut])
        # So that the first piece has been read.
        time.sleep(0.001)
        with suppress(OSError):
            talk.send(everything[cut:])
        sent.set()

    hostile.ways["cut"] = answer
    number, last = 101, 999
    with run_front(kind, {"/blog": hostile.url}) as front:
        while number < last:
            reply = front.ask(f"/blog/{number}/cut")
            assert reply.body == b"answer to %d" % number
            assert sent.wait(PATIENCE)
            sent.clear()
            last = 100 + lengths[number]
            number += 1

    served = number - 101
    assert hostile.reused == (0 if "more" in way else served - 1)


@pytest.fixture(scope="module")
def tls() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context, and one that knows its authority."""
    authority = trustme.CA()
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(serving)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    return serving, trusting


@pytest.mark.parametrize(
    ("way", "reused"),
    [
        ("length", 9),
        ("chunk-pieces", 9),
        ("more", 0),
        ("more-records", 0),
        ("one-byte-more", 0),
    ],
)
def test_h01_nothing_is_left_in_a_record_of_tls(
    way: str,
    reused: int,
    kind: str,
    tls: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    """What TLS has decrypted, or only received, counts as well."""

    sent = threading.Event()

    def send_records(talk: Talk) -> None:
        talk.send(talk.answer)
        with suppress(OSError):
            talk.send(FORGED)
        sent.set()

    with (
        run_hostile_backend(tls[0]) as hostile,
        run_front(kind, {"/blog": hostile.url}, ssl_context=tls[1]) as front,
    ):
        hostile.ways["more-records"] = send_records
        for number in range(1, 11):
            reply = front.ask(f"/blog/{number}/{way}")
            assert reply.body == b"answer to %d" % number
            assert way != "more-records" or sent.wait(PATIENCE)
            sent.clear()

    assert hostile.reused == reused


def test_connections_in_use_are_bounded(kind: str, hostile: HostileBackend) -> None:
    """Beyond the bound there is a 503, and afterwards the places are free again."""
    enough, arrived = threading.Event(), threading.Semaphore(0)

    def answer(talk: Talk) -> None:
        arrived.release()
        assert enough.wait(PATIENCE)
        talk.send(talk.answer)

    hostile.ways["slow"] = answer
    with run_front(kind, {"/blog": hostile.url}, max_connections=3) as front:
        for _ in range(2):
            enough.clear()
            replies = ask_at_once(front, 3, arrived, enough)

            assert [reply.status for reply in replies] == [200, 200, 200, 503]
            assert b"too much to do" in replies[-1].body


def ask_at_once(
    front: Any, count: int, arrived: threading.Semaphore, enough: threading.Event
) -> list[Reply]:
    """Ask *count* times at once, and once more when all of them are under way."""

    def wait() -> None:
        for _ in range(count):
            assert arrived.acquire(timeout=PATIENCE)

    if front.kind == "wsgi":
        with ThreadPoolExecutor(count) as pool:
            asked = [pool.submit(front.ask, f"/blog/{i}/slow") for i in range(count)]
            wait()
            last = front.ask("/blog/9/slow")
            enough.set()
            return [*(one.result() for one in asked), last]

    async def ask_all() -> list[Reply]:
        asked = [
            asyncio.create_task(front.ask_async(f"/blog/{i}/slow"))
            for i in range(count)
        ]
        await asyncio.to_thread(wait)
        last = await front.ask_async("/blog/9/slow")
        enough.set()
        return [*[await one for one in asked], last]

    replies: list[Reply] = front.runner.run(ask_all())
    return replies
