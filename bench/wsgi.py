"""
What does it cost to correct one WSGI request?

Compares the middleware with Werkzeug's ProxyFix (the reference), with waitress's
middleware, and with a floor: the same result for exactly this scenario, written
out by hand with nothing but the dictionary work that nobody can avoid.
The same headers are enabled in all: X-Forwarded-For, -Proto and -Host.

Run it with ``make bench``, or ``python bench/wsgi.py --help``.
"""

from __future__ import annotations

import io
import socket
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from measure import Contestant, Scenario, client_address, run
from waitress.proxy_headers import proxy_headers_middleware
from werkzeug.middleware.proxy_fix import ProxyFix

from trustedproxy import ProxyPolicy, TrustedProxyMiddleware

Environ = dict[str, Any]
App = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

HEADERS = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host")
PROXIES = [f"10.{n}.0.0/16" for n in range(200)]
HOST = "www.example.com"

# What a server hands to every request as it is.
ERRORS = io.StringIO()
BODY = io.BytesIO()
SOCKET = socket.socket(socket.AF_INET, socket.SOCK_STREAM)

# The header lines that a browser sends besides, as a server receives them, and those
# that a load balancer sends when it only asks whether the server is well.
BROWSER = (
    ("HOST", "app.internal:8000"),
    ("USER_AGENT", "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101"),
    ("ACCEPT", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    ("ACCEPT_LANGUAGE", "en-GB,en;q=0.5"),
    ("ACCEPT_ENCODING", "gzip, deflate, br, zstd"),
    ("REFERER", "https://www.example.com/catalogue/"),
    ("COOKIE", "sessionid=f5b1f8a8e7a94f5d; csrftoken=Xr2v8tQ"),
    ("CONNECTION", "close"),
)
HEALTH_CHECK = (
    ("HOST", "app.internal:8000"),
    ("USER_AGENT", "HealthChecker/2.0"),
    ("ACCEPT_ENCODING", "gzip, compressed"),
    ("CONNECTION", "close"),
)


def make_environ(
    peer: str,
    headers: Iterable[tuple[str, str]],
    sender: Iterable[tuple[str, str]] = BROWSER,
) -> Environ:
    """
    Make the environ that PEP 3333 asks for, and what the *sender* says besides.

    Names and values of headers are new texts each time, as from a real parser, so
    that nobody gains from comparing by identity.
    """
    environ: Environ = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/catalogue/shoes",
        "QUERY_STRING": "page=2",
        "SERVER_NAME": "0.0.0.0",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": peer,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BODY,
        "wsgi.errors": ERRORS,
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in (*sender, *headers):
        environ["HTTP_" + name] = value.encode("latin-1").decode("latin-1")
    return environ


# -- the kinds of request --------------------------------------------------------


def make_proxied(number: int) -> Environ:
    """One proxy in front: its address is among sixteen, the client's is new."""
    return make_environ(
        f"10.0.0.{number % 16}",
        [
            ("X_FORWARDED_FOR", client_address(number)),
            ("X_FORWARDED_PROTO", "https"),
            ("X_FORWARDED_HOST", HOST),
        ],
    )


def make_three_hops(number: int) -> Environ:
    """Three proxies in front, from three of the 200 networks."""
    return make_environ(
        f"10.199.0.{number % 16}",
        [
            (
                "X_FORWARDED_FOR",
                f"{client_address(number)}, 10.120.3.{number % 7}, "
                f"10.61.8.{number % 5}",
            ),
            ("X_FORWARDED_PROTO", "https"),
            ("X_FORWARDED_HOST", HOST),
        ],
    )


def make_direct(number: int) -> Environ:
    """Nobody's proxy: a client that forges six headers."""
    return make_environ(
        client_address(number),
        [
            ("X_FORWARDED_FOR", "127.0.0.1"),
            ("X_FORWARDED_PROTO", "https"),
            ("X_FORWARDED_HOST", "evil.example"),
            ("X_REAL_IP", "127.0.0.1"),
            ("X_FORWARDED_SSL", "on"),
            ("X_HOST", "evil.example"),
        ],
    )


def make_health_check(number: int) -> Environ:
    """The proxy itself asks, on nobody's behalf: no forwarding header at all."""
    return make_environ(f"10.0.0.{number % 16}", [], HEALTH_CHECK)


def make_unforwarded(number: int) -> Environ:
    """A browser's request through a proxy that was not told to set the headers."""
    return make_environ(f"10.0.0.{number % 16}", [])


def make_proxied_under_gunicorn(number: int) -> Environ:
    """The same as `make_proxied`, with what gunicorn puts into the environ besides."""
    environ = make_proxied(number)
    environ.update(
        {
            "wsgi.file_wrapper": io.FileIO,
            "wsgi.input_terminated": True,
            "SERVER_SOFTWARE": "gunicorn/23.0.0",
            "gunicorn.socket": SOCKET,
            "RAW_URI": "/catalogue/shoes?page=2",
            "REMOTE_PORT": "52814",
        }
    )
    return environ


# -- the contestants ------------------------------------------------------------


def application(environ: Environ, start_response: Callable[..., Any]) -> list[bytes]:
    """Answer nothing: only the way here is measured."""
    return []


def start_response(*args: object) -> None:
    """Take no notice."""


def make_ours(proxies: Sequence[str]) -> App:
    """Make the middleware with the three headers of the benchmark."""
    policy = ProxyPolicy(headers=HEADERS, proxies=proxies)
    # Its application's type is wider than that of the contestants here.
    return TrustedProxyMiddleware(application, policy)  # type: ignore[return-value]


def make_proxy_fix(hops: int) -> App:
    """Make ProxyFix; it knows no proxies' addresses and trusts every peer."""
    return ProxyFix(application, x_for=hops, x_proto=1, x_host=1)


def make_waitress(peer: str, hops: int) -> App:
    """Make waitress's middleware; it knows one peer's address, or any (``*``)."""
    app: App = proxy_headers_middleware(
        application,
        trusted_proxy=peer,
        trusted_proxy_count=hops,
        trusted_proxy_headers={name.lower() for name in HEADERS},
        clear_untrusted=True,
    )
    return app


# Names of the three categories that a floor has to look for: a few stand for all.
SYNONYMS = frozenset(
    {
        "HTTP_X_REAL_IP",
        "HTTP_X_CLIENT_IP",
        "HTTP_X_FORWARDED_SSL",
        "HTTP_X_FORWARDED_SCHEME",
        "HTTP_X_HOST",
        "HTTP_FORWARDED",
    }
)
ALL_NAMES = SYNONYMS | {
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_HOST",
}


def floor_proxied(environ: Environ, start: Callable[..., Any]) -> list[bytes]:
    """Take three values, keep three originals, look for synonyms."""
    environ["floor.original"] = (
        environ["REMOTE_ADDR"],
        environ["wsgi.url_scheme"],
        environ["HTTP_HOST"],
    )
    environ["REMOTE_ADDR"] = environ["HTTP_X_FORWARDED_FOR"]
    environ["wsgi.url_scheme"] = environ["HTTP_X_FORWARDED_PROTO"]
    environ["HTTP_HOST"] = environ["HTTP_X_FORWARDED_HOST"]
    if not SYNONYMS.isdisjoint(environ):
        raise AssertionError
    return application(environ, start)


def floor_three_hops(environ: Environ, start: Callable[..., Any]) -> list[bytes]:
    """Do the same, and take a list apart."""
    environ["floor.original"] = (
        environ["REMOTE_ADDR"],
        environ["wsgi.url_scheme"],
        environ["HTTP_HOST"],
    )
    environ["REMOTE_ADDR"] = environ["HTTP_X_FORWARDED_FOR"].split(",")[-3]
    environ["wsgi.url_scheme"] = environ["HTTP_X_FORWARDED_PROTO"]
    environ["HTTP_HOST"] = environ["HTTP_X_FORWARDED_HOST"]
    if not SYNONYMS.isdisjoint(environ):
        raise AssertionError
    return application(environ, start)


def floor_direct(environ: Environ, start: Callable[..., Any]) -> list[bytes]:
    """Remove what is forged, and say so in the environ."""
    for name in ALL_NAMES.intersection(environ):
        del environ[name]
    environ["floor.original"] = None
    return application(environ, start)


def floor_plain(environ: Environ, start: Callable[..., Any]) -> list[bytes]:
    """Look for headers, and say in the environ that there were none."""
    if not ALL_NAMES.isdisjoint(environ):
        raise AssertionError
    environ["floor.original"] = None
    return application(environ, start)


# -- what is right ---------------------------------------------------------------

Expected = dict[str, str | None]

PROXIED: Expected = {
    "REMOTE_ADDR": client_address(1234),
    "wsgi.url_scheme": "https",
    "HTTP_HOST": HOST,
}
DIRECT: Expected = {
    "REMOTE_ADDR": client_address(1234),
    "wsgi.url_scheme": "http",
    "HTTP_HOST": "app.internal:8000",
    "HTTP_X_FORWARDED_FOR": None,
    "HTTP_X_FORWARDED_PROTO": None,
    "HTTP_X_FORWARDED_HOST": None,
    "HTTP_X_REAL_IP": None,
    "HTTP_X_FORWARDED_SSL": None,
    "HTTP_X_HOST": None,
}
# waitress knows no X-Real-IP, X-Forwarded-SSL and X-Host: they stay.
DIRECT_WAITRESS: Expected = {
    **DIRECT,
    "HTTP_X_REAL_IP": "127.0.0.1",
    "HTTP_X_FORWARDED_SSL": "on",
    "HTTP_X_HOST": "evil.example",
}
# ProxyFix cannot tell a proxy from anybody else: it does the same work as ever.
DIRECT_PROXY_FIX: Expected = {
    "REMOTE_ADDR": "127.0.0.1",
    "wsgi.url_scheme": "https",
    "HTTP_HOST": "evil.example",
}
PLAIN: Expected = {
    "REMOTE_ADDR": "10.0.0.2",
    "wsgi.url_scheme": "http",
    "HTTP_HOST": "app.internal:8000",
}


def contestant(
    name: str, app: App, make: Callable[[int], Environ], expected: Expected
) -> Contestant:
    """Make a contestant, with the check that it does what it should."""

    def run_batch(batch: Sequence[Environ]) -> None:
        for environ in batch:
            app(environ, start_response)

    def check() -> None:
        for _ in range(2):  # the second time, whatever is remembered is in use
            environ = make(1234)
            app(environ, start_response)
            actual = {key: environ.get(key) for key in expected}
            if actual != expected:
                raise AssertionError(f"{name}: {actual} is not {expected}")

    return Contestant(name, run_batch, check)


def make_scenario(
    name: str,
    make: Callable[[int], Environ],
    target: float | None,
    *contestants: tuple[str, App, Expected],
) -> Scenario:
    """Put the contestants of one scenario together."""
    return Scenario(
        name,
        make,
        tuple(contestant(who, app, make, right) for who, app, right in contestants),
        target,
    )


def make_scenarios() -> list[Scenario]:
    """List the questions, each with what is right for each contestant."""
    return [
        make_scenario(
            "one proxy, For/Proto/Host",
            make_proxied,
            0.35,
            ("trustedproxy", make_ours(["10.0.0.0/16"]), PROXIED),
            ("Werkzeug ProxyFix", make_proxy_fix(1), PROXIED),
            ("waitress", make_waitress("*", 1), PROXIED),
            ("floor", floor_proxied, PROXIED),
        ),
        # gunicorn shows its socket, which says more than the address that it reports
        # and costs a look: whether it is a unix socket, and whether it speaks TLS.
        make_scenario(
            "one proxy, environ of gunicorn",
            make_proxied_under_gunicorn,
            None,
            ("trustedproxy", make_ours(["10.0.0.0/16"]), PROXIED),
            ("Werkzeug ProxyFix", make_proxy_fix(1), PROXIED),
            ("waitress", make_waitress("*", 1), PROXIED),
            ("floor", floor_proxied, PROXIED),
        ),
        make_scenario(
            "three hops, 200 networks",
            make_three_hops,
            0.40,
            ("trustedproxy", make_ours(PROXIES), PROXIED),
            ("Werkzeug ProxyFix", make_proxy_fix(3), PROXIED),
            ("waitress", make_waitress("*", 3), PROXIED),
            ("floor", floor_three_hops, PROXIED),
        ),
        make_scenario(
            "direct request, six forged headers",
            make_direct,
            0.35,
            ("trustedproxy", make_ours(["10.0.0.0/16"]), DIRECT),
            ("Werkzeug ProxyFix", make_proxy_fix(1), DIRECT_PROXY_FIX),
            ("waitress", make_waitress("10.0.0.1", 1), DIRECT_WAITRESS),
            ("floor", floor_direct, DIRECT),
        ),
        make_scenario(
            "trusted peer, no headers",
            make_health_check,
            0.75,
            ("trustedproxy", make_ours(["10.0.0.0/16"]), PLAIN),
            ("Werkzeug ProxyFix", make_proxy_fix(1), PLAIN),
            ("waitress", make_waitress("*", 1), PLAIN),
            ("floor", floor_plain, PLAIN),
        ),
        # The same with a browser's header lines, which we have to look through.
        make_scenario(
            "no headers, but a browser's",
            make_unforwarded,
            None,
            ("trustedproxy", make_ours(["10.0.0.0/16"]), PLAIN),
            ("Werkzeug ProxyFix", make_proxy_fix(1), PLAIN),
            ("waitress", make_waitress("*", 1), PLAIN),
            ("floor", floor_plain, PLAIN),
        ),
    ]


def main() -> int:
    """Run the benchmark."""
    description = "What does it cost to correct one WSGI request?"
    return run(description, ["Werkzeug", "waitress"], make_scenarios())


if __name__ == "__main__":
    sys.exit(main())
