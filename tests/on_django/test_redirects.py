"""
What is logged of the redirects of Django's own SecurityMiddleware.

In:  requests that ``SECURE_SSL_REDIRECT`` redirects, rightly or for ever.
Out: the response, which is Django's, and a record with the cause of a loop.
"""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.middleware.security import SecurityMiddleware
from django.test import override_settings

from django_trustedproxy import redirects
from trustedproxy import log
from trustedproxy.https_only import RedirectLog
from trustedproxy.https_only.loops import MANY

from .handlers import ASKERS, STRANGER
from .settings import COMMON, HTTPS_ONLY, SECURITY, TRUSTED_PROXY
from .test_entrypoints import ask_wrapped_asgi, ask_wrapped_wsgi

FOR = {"X-Forwarded-For": "203.0.113.7"}
SAYS_HTTP = {**FOR, "X-Forwarded-Proto": "http"}
SAYS_HTTPS = {**FOR, "X-Forwarded-Proto": "https"}

each_handler = pytest.mark.parametrize("ask", ASKERS)
each_way = pytest.mark.parametrize("ask", [*ASKERS, ask_wrapped_wsgi, ask_wrapped_asgi])


class OwnSecurityMiddleware(SecurityMiddleware):
    """A project's own kind of it."""


@pytest.fixture(autouse=True)
def redirecting(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let Django redirect to HTTPS, and nothing be remembered of other tests."""
    log.forget()
    fresh = RedirectLog(redirects._log._redirect)
    monkeypatch.setattr(redirects, "_log", fresh)
    with override_settings(SECURE_SSL_REDIRECT=True):
        yield


@pytest.fixture
def without_ours(request: pytest.FixtureRequest) -> Any:
    """Let the wrappers stand in the place of our middleware."""
    with override_settings(MIDDLEWARE=[SECURITY, COMMON]):
        yield


def list_loops(caplog: pytest.LogCaptureFixture) -> list[str]:
    """List the records about redirects."""
    messages = [record.getMessage() for record in caplog.records]
    return [text for text in messages if "redirected" in text]


@each_handler
def test_redirect_of_a_proxy_without_a_scheme_header(
    ask: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Django redirects for ever, and the record says what to type."""
    answer = ask("/facts/?a=b", headers=FOR)

    assert answer.status == 301
    assert answer.get("Location") == "https://app.example/facts/?a=b"
    (message,) = list_loops(caplog)
    assert "SECURE_SSL_REDIRECT met plain HTTP from the trusted proxy" in message
    assert "set X-Forwarded-Proto, and list that" in message


@pytest.mark.usefixtures("without_ours")
@pytest.mark.parametrize("ask", [ask_wrapped_wsgi, ask_wrapped_asgi])
def test_redirect_below_a_wrapper(ask: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A wrapper around the application sees the same, and says it once."""
    assert ask(headers=SAYS_HTTPS).status == 200
    answer = ask(headers=FOR)

    assert answer.get("Location") == "https://app.example/facts/"
    (message,) = list_loops(caplog)
    assert "SECURE_SSL_REDIRECT met plain HTTP from the trusted proxy" in message


@each_way
def test_redirect_beside_a_wrapper(ask: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Where both stand there, a redirect is counted once."""
    for _ in range(MANY - 1):
        assert ask(headers=SAYS_HTTP).status == 301
    before = len(list_loops(caplog))
    ask(headers=SAYS_HTTP)

    assert (before, len(list_loops(caplog))) == (0, 1)


def test_redirect_of_a_middleware_of_the_project(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A subclass of Django's redirects as well."""
    own = f"{__name__}.{OwnSecurityMiddleware.__qualname__}"
    with override_settings(MIDDLEWARE=[TRUSTED_PROXY, own]):
        assert ASKERS[0](headers=FOR).status == 301

    assert len(list_loops(caplog)) == 1


@each_handler
def test_redirect_of_a_secure_stranger(
    ask: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A client that speaks HTTPS to the server itself is no proxy."""
    assert ask(peer=STRANGER, scheme="https").status == 200
    assert list_loops(caplog) == []


@each_handler
def test_redirect_of_a_proxy_that_is_not_listed(
    ask: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The peer is named; what to add is in the policy's own record."""
    ask(peer="172.18.0.1", headers=SAYS_HTTPS)

    (message,) = (text for text in list_loops(caplog) if "SECURE_SSL" in text)
    assert "from the peer '172.18.0.1'" in message
    assert "since TRUSTED_PROXIES does not list that peer" in message


@each_handler
def test_redirect_of_a_health_check(ask: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Without any header of a proxy, Django's own exemption is named."""
    ask("/health/")

    (message,) = list_loops(caplog)
    assert "SECURE_REDIRECT_EXEMPT = [..., r'^health/$']" in message


@each_handler
def test_redirect_of_an_inner_proxy(ask: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Twenty redirects, and https never: the scheme is overwritten on the way."""
    for _ in range(2 * MANY):
        assert ask(headers=SAYS_HTTP).status == 301

    (message,) = list_loops(caplog)
    assert f"SECURE_SSL_REDIRECT met plain HTTP in {MANY} requests" in message


@each_handler
def test_redirect_of_a_site_with_both(
    ask: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Where some of the requests are secure there is no loop."""
    assert ask(headers=SAYS_HTTPS).status == 200
    for _ in range(2 * MANY):
        ask(headers=SAYS_HTTP)

    assert list_loops(caplog) == []


@each_handler
@pytest.mark.parametrize(
    "settings",
    [
        {"SECURE_SSL_REDIRECT": False},
        {"SECURE_REDIRECT_EXEMPT": [r"^facts/$"]},
        {"MIDDLEWARE": [TRUSTED_PROXY, COMMON]},
    ],
    ids=["off", "exempt", "without its middleware"],
)
def test_request_that_django_does_not_redirect(
    ask: Any, settings: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is said of what is not redirected."""
    with override_settings(**settings):
        assert ask(headers=FOR).status == 200

    assert list_loops(caplog) == []


@each_handler
def test_redirect_of_a_plain_client(ask: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Who asks directly is redirected once, and rightly."""
    caplog.set_level(logging.DEBUG, logger="trustedproxy")

    assert ask(peer=STRANGER).status == 301

    assert list_loops(caplog) == []


@each_handler
def test_redirect_beside_https_only(ask: Any, caplog: pytest.LogCaptureFixture) -> None:
    """What both would redirect is logged by one of them."""
    with override_settings(
        TRUSTED_PROXY_HTTPS_ONLY=True,
        MIDDLEWARE=[TRUSTED_PROXY, HTTPS_ONLY, SECURITY],
    ):
        ask(headers=FOR)

    (message,) = list_loops(caplog)
    assert message.startswith("trustedproxy: HTTPS only met")
