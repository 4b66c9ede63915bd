"""From plain HTTP to HTTPS through a front end that ends TLS, on every surface."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import urllib3
from websockets.exceptions import InvalidStatus

from ..servers.client import Reply, get, hear

if TYPE_CHECKING:
    from .conftest import Site

HOST = "127.0.0.1"
POLICY = "max-age=60; includeSubDomains"
HSTS = "Strict-Transport-Security"
STRANGER = "127.0.0.9"


def ask_plain(site: Site, target: str = "/", host: str = "localhost") -> Reply:
    """Ask the front end over plain HTTP."""
    return get((HOST, site.plain), target, host=host)


def test_plain_leads_to_https(site: Site) -> None:
    """http → 301 to https → 200 with the policy, which the redirect has not."""
    first = ask_plain(site, "/a", host=f"localhost:{site.plain}")
    second = get((HOST, site.secure), "/a", host="localhost", tls=site.tls)

    assert (first.status, first.header("Location")) == (301, f"{site.url}/a")
    assert first.header(HSTS) is None
    assert second.json()["scheme"] == "https"
    assert [v for n, v in second.headers if n.lower() == HSTS.lower()] == [POLICY]


def test_post_keeps_its_body(site: Site) -> None:
    """A client that follows the 308 sends its method and body again."""
    body = json.dumps({"kept": "x" * 5000}).encode()
    with urllib3.PoolManager(ca_certs=site.authority) as pool:
        url = f"http://localhost:{site.plain}/form?a=b"
        first = pool.request("POST", url, body=body, redirect=False)
        last = pool.request("POST", url, body=body)

    assert (first.status, first.headers["Location"]) == (308, f"{site.url}/form?a=b")
    assert last.status == 200
    seen = json.loads(last.data)
    assert (seen["method"], seen["scheme"]) == ("POST", "https")
    assert seen["body"].encode() == body


@pytest.mark.parametrize(
    "target",
    [
        "/a%2Fb/%E2%82%AC%20c;p?q=%2F",
        "//evil.example/x",
        "/in?next=http://a/?b=c",
        "/%0d%0aSet-Cookie:%20a=b",
        "/caf%c3%a9",
        "/a//b/./c",
    ],
)
def test_target_kept(site: Site, target: str) -> None:
    """Path and query arrive in the redirect byte for byte."""
    assert ask_plain(site, target).header("Location") == f"{site.url}{target}"


def test_empty_query_kept(site: Site) -> None:
    """An empty query's mark is kept where the server shows it: WSGI's raw target."""
    mark = "" if "asgi" in site.name else "?"

    assert ask_plain(site, "/a?").header("Location") == f"{site.url}/a{mark}"


def test_address_gets_no_policy(site: Site) -> None:
    """A host that is an IP address is redirected, and gets no policy over HTTPS."""
    plain = ask_plain(site, host=HOST)
    secure = get((HOST, site.secure), host=HOST, tls=site.tls)

    assert plain.header("Location") == f"https://{HOST}:{site.secure}/"
    assert (secure.status, secure.header(HSTS)) == (200, None)


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "localhost@evil.example", "a/b"]
)
def test_forged_host_refused(site: Site, host: str) -> None:
    """A host that is not the site's is refused, and nobody keeps the refusal."""
    # Around the front end, which refuses some of these by itself.
    reply = get((HOST, site.direct), host=host, source=STRANGER)

    assert (reply.status, reply.header("Location")) == (400, None)
    assert "no-store" in (reply.header("Cache-Control") or "")


@pytest.mark.parametrize("name", ["X-Forwarded-Proto", "X-Forwarded-Ssl", "Forwarded"])
def test_forged_scheme_redirected(site: Site, name: str) -> None:
    """Who is no proxy is redirected, whatever it says about its scheme."""
    value = {"X-Forwarded-Ssl": "on", "Forwarded": "proto=https"}.get(name, "https")

    reply = get(
        (HOST, site.direct), lines=[(name, value)], host="localhost", source=STRANGER
    )

    assert (reply.status, reply.header("Location")) == (301, f"{site.url}/")
    assert reply.header(HSTS) is None


def test_forged_scheme_through_the_front_end_redirected(site: Site) -> None:
    """The front end writes the scheme itself, so a client's own is of no use."""
    reply = get(
        (HOST, site.plain), lines=[("X-Forwarded-Proto", "https")], host="localhost"
    )

    assert reply.status == 301


@pytest.mark.parametrize("target", ["/healthz", "/.well-known/acme-challenge/token"])
def test_exempt_path_reached(site: Site, target: str) -> None:
    """Health checks and certificate challenges are answered over plain HTTP."""
    reply = ask_plain(site, target)

    assert reply.json()["scheme"] == "http"
    assert reply.header(HSTS) is None


def test_exempt_network_reached(site: Site) -> None:
    """A peer of an exempt network is answered; a proxy's clients are not."""
    direct = get((HOST, site.direct), host="localhost", source="127.0.0.77")

    assert direct.json()["scheme"] == "http"
    assert ask_plain(site).status == 301


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Connection", "X-Forwarded-For"),
        ("Connection", "close, x-forwarded-proto"),
        ("Via", "1.1 cache"),
        ("X-Real-IP", "127.0.0.77"),
    ],
)
def test_exempt_network_does_not_reach_through_it(
    site: Site, name: str, value: str
) -> None:
    """H-11: whoever shows that somebody stands behind it is not the peer itself."""
    reply = get(
        (HOST, site.direct),
        lines=[(name, value)],
        host="localhost",
        source="127.0.0.77",
    )

    assert reply.status == 301


@pytest.mark.parametrize(
    "end",
    [
        "../admin",
        "..;/admin",
        "..%5Cadmin",
        "..%2Fadmin",
        "%2e%2e/admin",
        "%252e%252e/admin",
        "%c0%ae%c0%ae/admin",
        "a%2F..%2F../admin",
    ],
)
def test_exempt_path_is_not_left(site: Site, end: str) -> None:
    """H-11: a path that leads out of an exempt one, to any reader, is redirected."""
    target = f"/.well-known/acme-challenge/{end}"

    reply = get((HOST, site.direct), target, host="localhost", source=STRANGER)

    assert (reply.status, reply.header("Location")) == (301, f"{site.url}{target}")


def test_loop_logged(site: Site) -> None:
    """Where TLS ends and no scheme comes, HTTPS leads to HTTPS, and the log says why.

    The front end's own port for it stands for the one that the redirect leads to.
    """
    reply = get((HOST, site.looping), "/a", host="localhost", tls=site.tls)

    assert (reply.status, reply.header("Location")) == (301, f"{site.url}/a")
    assert "redirected for ever" in site.process.read_log()
    assert "TRUSTED_PROXY_HEADERS" in site.process.read_log()


def test_websocket(sites: dict[str, Site]) -> None:
    """A websocket is denied over plain HTTP, and let in over TLS."""
    site = sites["asgi"]
    with pytest.raises(InvalidStatus) as caught:
        hear((HOST, site.plain), "/live", host=f"localhost:{site.plain}")
    scheme = hear(
        (HOST, site.secure), "/live", host=f"localhost:{site.secure}", tls=site.tls
    )

    assert caught.value.response.status_code == 403
    assert scheme == "wss"
