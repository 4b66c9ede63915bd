"""
A provider's list is fetched over TLS, whole, and within its bounds, or not at all.
"""

from __future__ import annotations

import ssl
import sys
import time
from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest

from trustedproxy.presets.failures import Failure, UpdateError
from trustedproxy.presets.fetching import fetch

from .provider import Provider, Tunnel, respond

BODY = b"193.0.4.0/22\n"


def test_body_is_fetched(provider: Provider, trusting: ssl.SSLContext) -> None:
    """One request, which says who asks and wants no compression."""
    provider.answer = respond(BODY * 10_000)

    body = fetch(provider.url, ssl_context=trusting)

    assert body == BODY * 10_000
    [request] = provider.requests
    assert request.startswith(b"GET /list HTTP/1.1\r\n")
    assert b"\r\nAccept-Encoding: identity\r\n" in request
    assert b"\r\nUser-Agent: trustedproxy\r\n" in request


def test_chunked_body_is_fetched(provider: Provider, trusting: ssl.SSLContext) -> None:
    """Its length is known only at its end."""
    provider.answer = lambda ended: [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"6\r\n193.0.\r\n7\r\n4.0/22\n\r\n",
        b"0\r\n\r\n",
    ]

    assert fetch(provider.url, ssl_context=trusting) == BODY


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/list",
        "file:///etc/passwd",
        "ftp://a.example/",
        "list",
        "",
        "https:///list",
        "https://127.0.0.1:x/",
        "https://127.0.0.1:0/",
        "https://[",
    ],
)
def test_refuses_an_address_without_tls_or_a_host(url: str) -> None:
    """Anybody on the way could write the list; nothing is asked."""
    with pytest.raises(UpdateError) as caught:
        fetch(url)

    assert caught.value.failure is Failure.NOT_TLS


def test_refuses_a_certificate_that_is_not_trusted(provider: Provider) -> None:
    """The system's authorities are asked by default, and do not know this one."""
    provider.answer = respond(BODY)

    with pytest.raises(UpdateError, match=r"(?i)certificate") as caught:
        fetch(provider.url)

    assert caught.value.failure is Failure.UNREACHABLE
    assert provider.requests == []


def test_refuses_a_certificate_of_another_name(
    provider: Provider, trusting: ssl.SSLContext
) -> None:
    """It is trusted, for another host."""
    provider.answer = respond(BODY)

    with pytest.raises(UpdateError) as caught:
        fetch(provider.url.replace("127.0.0.1", "localhost"), ssl_context=trusting)

    assert caught.value.failure is Failure.UNREACHABLE
    assert provider.requests == []


@pytest.mark.parametrize(
    ("status", "header", "words"),
    [
        (
            "302 Found",
            "Location: https://me:secret@other.example/list",
            r"answers 302 to 'https://\*+@other\.example/list'",
        ),
        ("404 Not Found", "X-Why: moved", "answers 404."),
        ("206 Partial Content", "Content-Range: bytes 0-4/9", "answers 206."),
        ("503 Service Unavailable", "Retry-After: 1", "answers 503."),
    ],
)
def test_refuses_any_other_status(
    status: str, header: str, words: str, provider: Provider, trusting: ssl.SSLContext
) -> None:
    """Nothing is followed and nothing asked again; where it leads to is said."""
    provider.answer = respond(BODY, status, header)

    with pytest.raises(UpdateError, match=words) as caught:
        fetch(provider.url, ssl_context=trusting)

    assert caught.value.failure is Failure.STATUS
    assert len(provider.requests) == 1


def test_refuses_more_bytes_than_allowed(
    provider: Provider, trusting: ssl.SSLContext
) -> None:
    """It is not read to its end, which may be nowhere."""

    def endless(ended: Event) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\n\r\n"
        while not ended.is_set():
            yield BODY * 1000

    provider.answer = endless

    with pytest.raises(UpdateError, match="more than 100000 bytes") as caught:
        fetch(provider.url, ssl_context=trusting, most_bytes=100_000)

    assert caught.value.failure is Failure.TOO_LARGE


def test_as_many_bytes_as_allowed_are_fetched(
    provider: Provider, trusting: ssl.SSLContext
) -> None:
    """The bound itself is allowed."""
    provider.answer = respond(BODY)

    body = fetch(provider.url, ssl_context=trusting, most_bytes=len(BODY))

    assert body == BODY


def silent(ended: Event) -> Iterator[bytes]:
    """Say nothing."""
    ended.wait()
    yield b""


def slow_head(ended: Event) -> Iterator[bytes]:
    """Say one letter after the other, and never come to the body."""
    yield b"HTTP/1.1 200 OK\r\nX-Long: "
    while not ended.wait(0.02):
        yield b"x"


def slow_body(ended: Event) -> Iterator[bytes]:
    """Say one network after the other, each long before a usual time-out."""
    yield b"HTTP/1.1 200 OK\r\n\r\n"
    while not ended.wait(0.02):
        yield BODY


@pytest.mark.parametrize("answer", [silent, slow_head, slow_body])
def test_refuses_more_seconds_than_allowed(
    answer: Any, provider: Provider, trusting: ssl.SSLContext
) -> None:
    """All of it counts: a byte that comes gives no more time."""
    provider.answer = answer
    began = time.monotonic()

    with pytest.raises(UpdateError) as caught:
        fetch(provider.url, ssl_context=trusting, within=0.5)

    assert caught.value.failure in (Failure.TOO_SLOW, Failure.UNREACHABLE)
    assert time.monotonic() - began < 5


def test_refuses_an_answer_that_breaks_off(
    provider: Provider, trusting: ssl.SSLContext
) -> None:
    """Half a list would make half of the proxies strangers."""
    provider.answer = lambda ended: [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + BODY
    ]

    with pytest.raises(UpdateError) as caught:
        fetch(provider.url, ssl_context=trusting)

    assert caught.value.failure is Failure.UNREACHABLE


def test_proxy_of_the_environment_is_used(
    provider: Provider,
    tunnel: Tunnel,
    trusting: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """TLS goes through it, end to end."""
    provider.answer = respond(BODY)
    monkeypatch.setenv("HTTPS_PROXY", tunnel.url)

    body = fetch(provider.url, ssl_context=trusting)

    assert body == BODY
    assert tunnel.targets == [f"127.0.0.1:{provider.port}"]


def test_proxy_of_the_environment_is_bypassed_where_it_says_so(
    provider: Provider,
    tunnel: Tunnel,
    trusting: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As every other tool on the machine does."""
    provider.answer = respond(BODY)
    monkeypatch.setenv("HTTPS_PROXY", tunnel.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    body = fetch(provider.url, ssl_context=trusting)

    assert body == BODY
    assert tunnel.targets == []


def test_client_that_is_not_installed_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With what to install."""
    monkeypatch.setitem(sys.modules, "urllib3.exceptions", None)

    with pytest.raises(UpdateError, match=r"trustedproxy\[cli\]") as caught:
        fetch("https://127.0.0.1:1/")

    assert caught.value.failure is Failure.CLIENT_MISSING
