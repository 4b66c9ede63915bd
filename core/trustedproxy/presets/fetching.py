"""
Fetch a provider's list: over TLS, bounded in bytes and in time.

In:  an ``https`` address.
Out: the body of the answer, or an `UpdateError`.

Only a person or a timer asks for this, never a request that is served.  Redirects are
not followed: a list that has moved is a reason to look.  Stands on urllib3, which the
extra ``cli`` brings.
"""

from __future__ import annotations

from concurrent.futures import Future
from contextlib import closing
from threading import Event, Thread
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from ..exceptions import hide_userinfo
from .failures import Failure, UpdateError

if TYPE_CHECKING:
    import ssl

    from urllib3 import BaseHTTPResponse, PoolManager

#: Bytes of an answer that are read at most; the longest list of a provider has four
#: million.
MOST_BYTES = 16 * 1024 * 1024
#: Seconds for all of it, names and TLS included.
WITHIN = 30.0

_BLOCK = 64 * 1024


def fetch(
    url: str,
    *,
    ssl_context: ssl.SSLContext | None = None,
    most_bytes: int = MOST_BYTES,
    within: float = WITHIN,
) -> bytes:
    """
    Fetch *url*.

    Args:
        url: An ``https`` address.

        ssl_context: Which certificates are trusted; by default the system's.

        most_bytes: Bytes that are read at most.

        within: Seconds for all of it.

    Raises:
        UpdateError: There is no such answer.
    """
    if not _is_https(url):
        raise UpdateError(
            Failure.NOT_TLS,
            f"{hide_userinfo(url)} is not fetched: it is no https address",
        )
    # A time-out of the client begins anew with every byte that comes.
    done: Future[bytes] = Future()
    stopped = Event()

    def run() -> None:
        try:
            done.set_result(_read(url, ssl_context, most_bytes, within, stopped))
        except BaseException as error:
            done.set_exception(error)

    Thread(target=run, name="trustedproxy-fetch", daemon=True).start()
    try:
        return done.result(within)
    except TimeoutError:
        stopped.set()
        raise UpdateError(
            Failure.TOO_SLOW,
            f"{hide_userinfo(url)} did not answer in full within {within:g} seconds",
        ) from None


def _is_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _read(
    url: str,
    ssl_context: ssl.SSLContext | None,
    most_bytes: int,
    within: float,
    stopped: Event,
) -> bytes:
    try:
        from urllib3.exceptions import HTTPError
    except ImportError as error:
        raise UpdateError(
            Failure.CLIENT_MISSING,
            'fetching needs urllib3: pip install "trustedproxy[cli]"',
        ) from error
    shown = hide_userinfo(url)
    try:
        with _make_pool(url, ssl_context) as pool:
            answer = pool.request(
                "GET",
                url,
                headers={"Accept-Encoding": "identity", "User-Agent": "trustedproxy"},
                redirect=False,
                retries=False,
                timeout=within,
                preload_content=False,
            )
            # What is not read to its end is not given back to the pool.
            with closing(answer):
                return _read_body(answer, shown, most_bytes, stopped)
    except HTTPError as error:
        raise UpdateError(
            Failure.UNREACHABLE, f"{shown} cannot be fetched: {error}"
        ) from error


def _make_pool(url: str, ssl_context: ssl.SSLContext | None) -> PoolManager:
    """Make what fetches *url*: through the environment's proxy, where it names one."""
    from urllib3 import PoolManager, ProxyManager

    proxy = getproxies().get("https")
    if proxy is None or proxy_bypass(urlsplit(url).netloc):
        return PoolManager(ssl_context=ssl_context)
    return ProxyManager(proxy, ssl_context=ssl_context)


def _read_body(
    answer: BaseHTTPResponse, shown: object, most_bytes: int, stopped: Event
) -> bytes:
    if answer.status != 200:
        where = answer.headers.get("Location")
        moved = "" if where is None else f" to {str(hide_userinfo(where))[:200]!r}"
        raise UpdateError(Failure.STATUS, f"{shown} answers {answer.status}{moved}")
    body = bytearray()
    while not stopped.is_set():
        block = answer.read1(_BLOCK, decode_content=False)
        body += block
        if len(body) > most_bytes:
            raise UpdateError(
                Failure.TOO_LARGE, f"{shown} answers with more than {most_bytes} bytes"
            )
        if not block:
            break
    return bytes(body)
