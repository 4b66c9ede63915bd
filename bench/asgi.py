"""
What does it cost to correct one ASGI request?

Compares the middleware with uvicorn's ProxyHeadersMiddleware (the reference) and
hypercorn's ProxyFixMiddleware.  Neither removes forged synonyms or keeps what it
replaced; uvicorn's does not correct the host.

Run it with ``make bench``, or ``python bench/asgi.py --help``.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from hypercorn.middleware import ProxyFixMiddleware
from measure import Contestant, Scenario, client_address, run
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from trustedproxy import ProxyPolicy, TrustedProxyASGIMiddleware

Scope = dict[str, Any]
App = Callable[[Any, Any, Any], Awaitable[None]]

HEADERS = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host")
PROXIES = [f"10.{n}.0.0/16" for n in range(200)]
HOST = "www.example.com"
STATE: dict[str, Any] = {}

# The header lines that a browser sends besides, as a server receives them.
BROWSER = (
    ("host", "app.internal:8000"),
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101"),
    ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    ("accept-language", "en-GB,en;q=0.5"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("referer", "https://www.example.com/catalogue/"),
    ("cookie", "sessionid=f5b1f8a8e7a94f5d; csrftoken=Xr2v8tQ"),
    ("connection", "close"),
)


def make_scope(peer: str, headers: Iterable[tuple[str, str]]) -> Scope:
    """Make the scope that uvicorn makes; all bytes are new, as from its parser."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("10.0.3.1", 8000),
        "client": (peer, 52814),
        "scheme": "http",
        "method": "GET",
        "root_path": "",
        "path": "/catalogue/shoes",
        "raw_path": b"/catalogue/shoes",
        "query_string": b"page=2",
        "headers": [
            (name.encode("ascii"), value.encode("latin-1"))
            for name, value in (*BROWSER, *headers)
        ],
        "state": STATE,
        "extensions": {"http.response.debug": {}},
    }


# -- the four kinds of request ---------------------------------------------------


def make_proxied(number: int) -> Scope:
    """One proxy in front: its address is among sixteen, the client's is new."""
    return make_scope(
        f"10.0.0.{number % 16}",
        [
            ("x-forwarded-for", client_address(number)),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", HOST),
        ],
    )


def make_three_hops(number: int) -> Scope:
    """Three proxies in front, from three of the 200 networks."""
    return make_scope(
        f"10.199.0.{number % 16}",
        [
            (
                "x-forwarded-for",
                f"{client_address(number)}, 10.120.3.{number % 7}, "
                f"10.61.8.{number % 5}",
            ),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", HOST),
        ],
    )


def make_direct(number: int) -> Scope:
    """Nobody's proxy: a client that forges six headers."""
    return make_scope(
        client_address(number),
        [
            ("x-forwarded-for", "127.0.0.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "evil.example"),
            ("x-real-ip", "127.0.0.1"),
            ("x-forwarded-ssl", "on"),
            ("x-host", "evil.example"),
        ],
    )


def make_plain(number: int) -> Scope:
    """The proxy itself asks, say for a health check: no header at all."""
    return make_scope(f"10.0.0.{number % 16}", [])


# The rivals have types of their own for scopes and applications, which is all that
# the type checker is told to pass over here.
# -- the contestants ------------------------------------------------------------

seen: Scope = {}


async def application(scope: Scope, receive: Any, send: Any) -> None:
    """Answer nothing: only the way here is measured."""


async def witness(scope: Scope, receive: Any, send: Any) -> None:
    """Keep the scope as the application saw it, for the checks."""
    seen.clear()
    seen.update(scope)


def make_ours(proxies: Sequence[str]) -> Callable[[App], App]:
    """Make the middleware with the three headers of the benchmark."""
    policy = ProxyPolicy(headers=HEADERS, proxies=proxies)
    return lambda app: TrustedProxyASGIMiddleware(app, policy)


def make_uvicorn(proxies: Sequence[str]) -> Callable[[App], App]:
    """Make uvicorn's middleware; it walks the list by the same networks."""
    # Its own words for an application and a list of hosts are narrower.
    return lambda app: ProxyHeadersMiddleware(app, list(proxies))  # type: ignore[arg-type]


def make_hypercorn(hops: int) -> Callable[[App], App]:
    """Make hypercorn's middleware; it counts hops and trusts every peer."""
    # Its own words for an application are narrower.
    return lambda app: ProxyFixMiddleware(app, "legacy", hops)  # type: ignore[arg-type]


def call(app: App, scope: Scope) -> None:
    """Run the application to its end; it never waits, so no event loop is needed."""
    try:
        # What is awaited here is a coroutine.
        app(scope, None, None).send(None)  # type: ignore[attr-defined]
    except StopIteration:
        return
    raise AssertionError("the application waits for something")


# -- what is right ---------------------------------------------------------------

Expected = dict[str, Any]

PROXIED: Expected = {
    "client": client_address(1234),
    "scheme": "https",
    b"host": HOST.encode(),
}
# uvicorn's leaves the host alone.
PROXIED_UVICORN: Expected = {**PROXIED, b"host": b"app.internal:8000"}
# hypercorn's takes as many values from each header as there are hops, and finds
# only one scheme and one host: both stay what they were.
THREE_HOPS_HYPERCORN: Expected = {
    "client": client_address(1234),
    "scheme": "http",
    b"host": b"app.internal:8000",
}
DIRECT: Expected = {
    "client": client_address(1234),
    "scheme": "http",
    b"host": b"app.internal:8000",
    b"x-forwarded-for": None,
    b"x-forwarded-proto": None,
    b"x-forwarded-host": None,
    b"x-real-ip": None,
    b"x-forwarded-ssl": None,
    b"x-host": None,
}
# uvicorn's does not trust them, and leaves them where they are.
DIRECT_UVICORN: Expected = {
    "client": client_address(1234),
    "scheme": "http",
    b"host": b"app.internal:8000",
}
# hypercorn's cannot tell a proxy from anybody else.
DIRECT_HYPERCORN: Expected = {
    "client": "127.0.0.1",
    "scheme": "https",
    b"host": b"evil.example",
}
PLAIN: Expected = {
    "client": "10.0.0.2",
    "scheme": "http",
    b"host": b"app.internal:8000",
}


def look_up(scope: Scope, key: str | bytes) -> Any:
    """Find the client's address, another key of the scope, or a header's value."""
    if key == "client":
        return scope["client"][0]
    if isinstance(key, str):
        return scope[key]
    return dict(scope["headers"]).get(key)


def contestant(
    name: str,
    wrap: Callable[[App], App],
    make: Callable[[int], Scope],
    expected: Expected,
) -> Contestant:
    """Make a contestant, with the check that it does what it should."""
    app = wrap(application)
    checked = wrap(witness)

    def run_batch(batch: Sequence[Scope]) -> None:
        for scope in batch:
            try:  # noqa: SIM105, since suppress() would cost a tenth of the time
                # As in `call`, and without a call of that.
                app(scope, None, None).send(None)  # type: ignore[attr-defined]
            except StopIteration:
                pass

    def check() -> None:
        for _ in range(2):  # the second time, whatever is remembered is in use
            call(checked, make(1234))
            actual = {key: look_up(seen, key) for key in expected}
            if actual != expected:
                raise AssertionError(f"{name}: {actual} is not {expected}")

    return Contestant(name, run_batch, check)


def make_scenario(
    name: str,
    make: Callable[[int], Scope],
    target: float | None,
    *contestants: tuple[str, Callable[[App], App], Expected],
) -> Scenario:
    """Put the contestants of one scenario together."""
    return Scenario(
        name,
        make,
        tuple(contestant(who, wrap, make, right) for who, wrap, right in contestants),
        target,
    )


def make_scenarios() -> list[Scenario]:
    """List the four questions, each with what is right for each contestant."""
    one = ["10.0.0.0/16"]
    return [
        make_scenario(
            "one proxy, For/Proto/Host",
            make_proxied,
            0.65,
            ("trustedproxy", make_ours(one), PROXIED),
            ("uvicorn", make_uvicorn(one), PROXIED_UVICORN),
            ("hypercorn", make_hypercorn(1), PROXIED),
        ),
        make_scenario(
            "three hops, 200 networks",
            make_three_hops,
            None,
            ("trustedproxy", make_ours(PROXIES), PROXIED),
            ("uvicorn", make_uvicorn(PROXIES), PROXIED_UVICORN),
            ("hypercorn", make_hypercorn(3), THREE_HOPS_HYPERCORN),
        ),
        make_scenario(
            "direct request, six forged headers",
            make_direct,
            None,
            ("trustedproxy", make_ours(one), DIRECT),
            ("uvicorn", make_uvicorn(one), DIRECT_UVICORN),
            ("hypercorn", make_hypercorn(1), DIRECT_HYPERCORN),
        ),
        make_scenario(
            "trusted peer, no headers",
            make_plain,
            None,
            ("trustedproxy", make_ours(one), PLAIN),
            ("uvicorn", make_uvicorn(one), PLAIN),
            ("hypercorn", make_hypercorn(1), PLAIN),
        ),
    ]


def main() -> int:
    """Run the benchmark."""
    description = "What does it cost to correct one ASGI request?"
    return run(description, ["uvicorn", "hypercorn"], make_scenarios())


if __name__ == "__main__":
    sys.exit(main())
