"""
What browsers send back: CSRF's origin check, and cookies below a mount point.

In:  two requests, the second with what the first one's answer set.
Out: forms that are accepted behind TLS termination, sessions that last.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client, override_settings

from .handlers import (
    ASKERS,
    PEER,
    STRANGER,
    Answer,
)
from .settings import SETTINGS

each_handler = pytest.mark.parametrize("ask", ASKERS)

#: TLS ends at the proxy, which talks plain HTTP to port 8000 of this server.
TERMINATED = {
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "shop.example",
    "X-Forwarded-Port": "443",
    "X-Forwarded-Prefix": "/app",
}


def submit(ask: Any, *, origin: dict[str, str], **request: Any) -> Answer:
    """Fetch the form's token, and post the form with it as a browser does."""
    headers = request.pop("headers", TERMINATED)
    form = ask("/form/", headers=headers, **request)
    body = urlencode({"csrfmiddlewaretoken": form.body.decode(), "said": "hello"})
    sent = {
        **headers,
        **origin,
        "Cookie": "; ".join(f"{k}={v}" for k, v in form.cookies.items()),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    answer: Answer = ask(
        "/form/", method="POST", body=body.encode(), headers=sent, **request
    )
    return answer


@each_handler
def test_origin_behind_tls_termination(ask: Any) -> None:
    """A form of the site's own https page is accepted."""
    answer = submit(ask, origin={"Origin": "https://shop.example"})

    assert (answer.status, answer.body) == (200, b"hello")


@each_handler
@pytest.mark.parametrize("wanted", [True, False])
def test_origin_where_the_host_names_the_default_port(ask: Any, wanted: bool) -> None:
    """``Host: …:443`` is cured by TRUSTED_PROXY_PORT_IN_HOST without a port header."""
    with override_settings(
        ALLOWED_HOSTS=["checks.example"],
        TRUSTED_PROXY_HEADERS=["X-Forwarded-For", "X-Forwarded-Proto"],
        TRUSTED_PROXY_PORT_IN_HOST=wanted,
    ):
        answer = submit(
            ask,
            origin={"Origin": "https://checks.example"},
            host="checks.example:443",
            headers={"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"},
        )

    assert answer.status == (200 if wanted else 403)


@each_handler
def test_origin_without_the_middleware(ask: Any) -> None:
    """Without the middleware the same form is refused, which is what users report."""
    with override_settings(MIDDLEWARE=SETTINGS["MIDDLEWARE"][1:]):
        answer = submit(ask, origin={"Origin": "https://shop.example"}, host="10.0.0.1")

    assert answer.status in {400, 403}


@each_handler
@pytest.mark.parametrize(
    "origin", ["http://shop.example", "https://evil.test", "https://app.example"]
)
def test_origin_of_another_site(ask: Any, origin: str) -> None:
    """A form of any other page is refused."""
    assert submit(ask, origin={"Origin": origin}).status == 403


@each_handler
def test_origin_that_a_stranger_forges(ask: Any) -> None:
    """Headers of a stranger do not make another origin the right one."""
    answer = submit(ask, origin={"Origin": "https://shop.example"}, peer=STRANGER)

    assert answer.status == 403


@each_handler
def test_origin_with_a_port(ask: Any) -> None:
    """With the setting, a port that is not the default is part of the origin."""
    headers = TERMINATED | {"X-Forwarded-Port": "8443"}
    with override_settings(TRUSTED_PROXY_PORT_IN_HOST=True):
        answer = submit(
            ask, origin={"Origin": "https://shop.example:8443"}, headers=headers
        )

    assert answer.status == 200


@each_handler
def test_referrer_behind_tls_termination(ask: Any) -> None:
    """A browser without an Origin header is checked by its referrer."""
    right = submit(ask, origin={"Referer": "https://shop.example/app/form/"})
    wrong = submit(ask, origin={"Referer": "https://evil.test/app/form/"})

    assert (right.status, wrong.status) == (200, 403)


@each_handler
@pytest.mark.parametrize(("port", "status"), [("443", 200), (None, 403)])
def test_referrer_with_a_cookie_domain(ask: Any, port: str | None, status: int) -> None:
    """With a cookie domain the port counts, which only a trusted header corrects."""
    headers = {k: v for k, v in TERMINATED.items() if k != "X-Forwarded-Port"}
    if port is not None:
        headers["X-Forwarded-Port"] = port
    with override_settings(CSRF_COOKIE_DOMAIN="shop.example"):
        answer = submit(
            ask, origin={"Referer": "https://shop.example/app/form/"}, headers=headers
        )

    assert answer.status == status


@each_handler
def test_session_below_a_mount_point(ask: Any) -> None:
    """A session cookie goes out and is understood when it comes back."""
    first = ask("/count/", headers=TERMINATED)
    cookies = "; ".join(f"{name}={value}" for name, value in first.cookies.items())
    second = ask("/count/", headers=TERMINATED | {"Cookie": cookies})

    assert (first.body, second.body) == (b"1", b"2")


@each_handler
@pytest.mark.parametrize("path", ["/", "/app"])
def test_path_of_cookies_below_a_mount_point(ask: Any, path: str) -> None:
    """The cookies' path stays the framework's setting."""
    with override_settings(SESSION_COOKIE_PATH=path):
        answer = ask("/count/", headers=TERMINATED)

    assert f"Path={path};" in f"{answer.get('Set-Cookie')};"


@each_handler
def test_secure_cookies_behind_tls_termination(ask: Any) -> None:
    """Secure cookies are sent as such."""
    with override_settings(SESSION_COOKIE_SECURE=True):
        answer = ask("/count/", headers=TERMINATED)

    assert "Secure" in str(answer.get("Set-Cookie"))


def test_session_of_the_test_client_below_a_mount_point() -> None:
    """The same through Django's test client, which keeps the cookies."""
    client = Client(REMOTE_ADDR=PEER, headers=TERMINATED)

    assert client.get("/count/").content == b"1"
    assert client.get("/count/").content == b"2"
