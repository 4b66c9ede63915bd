"""
HTTPS only and HSTS, through Django's own handlers.

In:  requests over plain HTTP and over HTTPS, from the proxy and from strangers.
Out: redirects by the client's scheme, to hosts that Django allows.

The attacks on redirects, S-57 to S-66, are here by their ids.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client, override_settings

from django_trustedproxy.conf import ConfigurationError

from .handlers import ASKERS, PEER, STRANGER, ask_asgi, ask_wsgi, read_log
from .settings import COMMON, CSRF, HTTPS_ONLY, SECURITY, SESSION, TRUSTED_PROXY

HSTS = "max-age=31536000; includeSubDomains"
SECURE = {"X-Forwarded-Proto": "https"}
PLAIN = {"X-Forwarded-Proto": "http"}

SETTINGS: dict[str, Any] = {
    "MIDDLEWARE": [TRUSTED_PROXY, HTTPS_ONLY, SECURITY, SESSION, COMMON, CSRF],
    "TRUSTED_PROXY_HTTPS_ONLY": True,
    "TRUSTED_PROXY_HSTS_POLICY": HSTS,
}

each_handler = pytest.mark.parametrize("ask", ASKERS)


@pytest.fixture(autouse=True)
def https_only() -> Any:
    """Let every test of this module begin with HTTPS only."""
    with override_settings(**SETTINGS):
        yield


@each_handler
def test_secure_request(ask: Any) -> None:
    """A request that is secure for the client is served, with the policy."""
    answer = ask(headers=SECURE)

    assert answer.facts["is_secure"] is True
    assert answer.get("Strict-Transport-Security") == HSTS


@each_handler
@pytest.mark.parametrize("middleware", [True, False])
def test_with_and_without_security_middleware(ask: Any, middleware: bool) -> None:
    """Django's SecurityMiddleware changes nothing about it."""
    others = [SECURITY, COMMON] if middleware else [COMMON]
    with override_settings(MIDDLEWARE=[TRUSTED_PROXY, HTTPS_ONLY, *others]):
        secure, plain = ask(headers=SECURE), ask(headers=PLAIN)

    assert secure.get("Strict-Transport-Security") == HSTS
    assert plain.status == 301


@each_handler
def test_plain_request(ask: Any) -> None:
    """S-62: plain HTTP is redirected, and the redirect carries no policy."""
    answer = ask("/facts/?a=b", headers=PLAIN)

    assert answer.status == 301
    assert answer.get("Location") == "https://app.example/facts/?a=b"
    assert answer.get("Strict-Transport-Security") is None


@each_handler
def test_plain_request_below_a_mount_point(ask: Any) -> None:
    """The redirect stays below the forwarded mount point, on the forwarded host."""
    headers = {"X-Forwarded-Prefix": "/app", "X-Forwarded-Host": "shop.example:8080"}
    answer = ask("/facts/", headers=PLAIN | headers)

    assert answer.get("Location") == "https://shop.example/app/facts/"


@each_handler
def test_forged_scheme(ask: Any) -> None:
    """A stranger's ``X-Forwarded-Proto: https`` does not make a request secure."""
    answer = ask(peer=STRANGER, headers=SECURE)

    assert answer.status == 301


@each_handler
@pytest.mark.parametrize("host", ["evil.test", "app.example@evil.test", "a b"])
def test_host_that_django_refuses(ask: Any, host: str) -> None:
    """S-57: a host outside of ``ALLOWED_HOSTS`` is answered 400, and not stored."""
    answer = ask(host=host, headers=PLAIN)

    assert answer.status == 400
    assert answer.get("Cache-Control") == "no-store"
    assert answer.get("Location") is None


@each_handler
def test_host_that_django_refuses_is_logged(
    ask: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The log names the host, as Django's own would, and the setting to change."""
    ask(host="evil.test", headers=PLAIN)

    (logged,) = (line for line in read_log(caplog) if "400" in line)
    assert "'evil.test'" in logged
    assert "ALLOWED_HOSTS" in logged


@each_handler
def test_scheme_that_django_reads_by_itself(ask: Any) -> None:
    """What Django calls plain is redirected, though the connection is secure."""
    with override_settings(SECURE_PROXY_SSL_HEADER=("HTTP_X_OWN_SCHEME", "https")):
        answer = ask(scheme="https", headers={"X-Own-Scheme": "http"})

    assert answer.status == 301


@each_handler
def test_host_that_django_refuses_with_a_host_of_the_setting(ask: Any) -> None:
    """S-57: naming the redirect's host does not open the door to others."""
    with override_settings(TRUSTED_PROXY_HTTPS_HOST="www.example"):
        assert ask(host="evil.test", headers=PLAIN).status == 400
        redirect = ask(headers=PLAIN).get("Location")

    assert redirect == "https://www.example/facts/"


@each_handler
def test_request_without_a_host(ask: Any) -> None:
    """S-57: without a host, Django makes one of the server's, and judges it."""
    assert ask(host=None, headers=PLAIN).status == 400
    with override_settings(ALLOWED_HOSTS=["backend.internal"]):
        redirect = ask(host=None, headers=PLAIN).get("Location")

    assert redirect == "https://backend.internal/facts/"


@each_handler
def test_path_that_begins_with_two_slashes(ask: Any) -> None:
    """S-58: the target is absolute, so that no path can name a host."""
    answer = ask("//evil.test/x", headers=PLAIN)

    assert answer.get("Location") == "https://app.example//evil.test/x"


@each_handler
def test_control_characters_in_the_path(ask: Any) -> None:
    """S-59: no line break and no byte outside of ASCII gets into ``Location``."""
    answer = ask("/a%0D%0ASet-Cookie:x/%C3%A9?q=%C3%A9", headers=PLAIN)

    expected = "https://app.example/a%0D%0ASet-Cookie:x/%C3%A9?q=%C3%A9"
    assert answer.get("Location") == expected


def test_raw_path_of_a_wsgi_server() -> None:
    """The path is byte for byte what was sent, where the server keeps it."""
    answer = ask_wsgi(
        "/a/b c/", headers=PLAIN, RAW_URI="/a%2Fb%20c/?next=http://a/?b=c"
    )

    assert answer.get("Location") == "https://app.example/a%2Fb%20c/?next=http://a/?b=c"


def test_raw_path_of_an_asgi_server() -> None:
    """The path is byte for byte what was sent, where the server keeps it."""
    answer = ask_asgi("/a%2Fb%20c/?next=http://a/?b=c", headers=PLAIN)

    assert answer.get("Location") == "https://app.example/a%2Fb%20c/?next=http://a/?b=c"


def test_path_outside_ascii_without_a_raw_one() -> None:
    """Django decodes the path in place; what is quoted again is UTF-8."""
    answer = ask_wsgi("/caf%C3%A9/", mount_point="/b", headers=PLAIN)

    assert answer.get("Location") == "https://app.example/b/caf%C3%A9/"


def test_target_that_is_no_path() -> None:
    """A target that is no path is never pasted behind a host."""
    assert ask_wsgi("*", headers=PLAIN, method="OPTIONS").status == 400


@each_handler
@pytest.mark.parametrize(
    ("method", "status"), [("GET", 301), ("HEAD", 301), ("POST", 308), ("PUT", 308)]
)
def test_method_of_a_plain_request(ask: Any, method: str, status: int) -> None:
    """S-60: methods with a body are logged to come again with it."""
    assert ask("/echo/", method=method, body=b"kept", headers=PLAIN).status == status


@each_handler
def test_port_of_a_plain_request(ask: Any) -> None:
    """S-61: the port of the plain request is not the one of HTTPS."""
    assert (
        ask(host="app.example:8080", headers=PLAIN).get("Location")
        == "https://app.example/facts/"
    )
    with override_settings(TRUSTED_PROXY_HTTPS_HOST=":8443"):
        redirect = ask(host="app.example:8080", headers=PLAIN).get("Location")

    assert redirect == "https://app.example:8443/facts/"


@each_handler
def test_policy_for_an_address(ask: Any) -> None:
    """S-62: a host that is an address gets no policy."""
    answer = ask(host="127.0.0.1", headers=SECURE)

    assert answer.status == 200
    assert answer.get("Strict-Transport-Security") is None


@each_handler
def test_policy_for_a_host_that_django_refuses(ask: Any) -> None:
    """A view that never asks for the host may answer; its host gets no policy."""
    with override_settings(MIDDLEWARE=[TRUSTED_PROXY, HTTPS_ONLY]):
        answer = ask("/health/", host="evil.test", headers=SECURE)

    assert answer.status == 200
    assert answer.get("Strict-Transport-Security") is None


@each_handler
def test_policy_of_the_view(ask: Any) -> None:
    """S-63: a policy that the application set itself is not doubled."""
    answer = ask("/own-hsts/", headers=SECURE)

    values = [v for k, v in answer.headers if k == "Strict-Transport-Security"]
    assert values == ["max-age=1"]


@each_handler
def test_policy_of_security_middleware(ask: Any) -> None:
    """S-63: beside ``SECURE_HSTS_SECONDS`` there is one header, Django's."""
    with override_settings(SECURE_HSTS_SECONDS=3600):
        answer = ask(headers=SECURE)

    values = [v for k, v in answer.headers if k == "Strict-Transport-Security"]
    assert values == ["max-age=3600"]


@pytest.mark.parametrize(
    "policy", ["includeSubDomains", "max-age=60; preload", "max-age=1\r\nX: y"]
)
def test_policy_that_is_none(policy: str) -> None:
    """S-64: a policy that is none stops the start."""
    with (
        override_settings(TRUSTED_PROXY_HSTS_POLICY=policy),
        pytest.raises(ConfigurationError, match="TRUSTED_PROXY_HSTS_POLICY"),
    ):
        WSGIHandler()


@each_handler
@pytest.mark.parametrize(
    ("status", "post"), [(301, 308), (302, 307), (307, 307), (308, 308)]
)
def test_status_by_choice(ask: Any, status: int, post: int) -> None:
    """S-66: a site can begin with a redirect that nobody keeps."""
    with override_settings(TRUSTED_PROXY_HTTPS_STATUS=status):
        assert ask(headers=PLAIN).status == status
        assert ask("/echo/", method="POST", headers=PLAIN).status == post


@each_handler
@pytest.mark.parametrize("view", ["/health/", "/async-health/"])
def test_exempt_view(ask: Any, view: str) -> None:
    """A view that is exempt by its decorator is served, without a policy."""
    answer = ask(view, headers=PLAIN)

    assert answer.body == b"well"
    assert answer.get("Strict-Transport-Security") is None


@each_handler
def test_exempt_view_of_another_urlconf(ask: Any) -> None:
    """The view is looked up where the request says."""
    changing = f"{__name__}.change_urlconf"
    with override_settings(
        MIDDLEWARE=[TRUSTED_PROXY, changing, HTTPS_ONLY],
        ROOT_URLCONF=f"{__package__}.root_urls",
    ):
        assert ask("/health/", headers=PLAIN).body == b"well"


@each_handler
def test_exempt_path(ask: Any) -> None:
    """A path of the setting is served over plain HTTP."""
    with override_settings(TRUSTED_PROXY_HTTPS_EXEMPT=["/facts/", "/.well-known/*"]):
        assert ask(headers=PLAIN).status == 200
        assert ask("/.well-known/acme-challenge/x", headers=PLAIN).status == 404
        assert ask("/count/", headers=PLAIN).status == 301


@each_handler
def test_exempt_network(ask: Any) -> None:
    """A direct peer of the setting is served over plain HTTP, its clients are not."""
    with override_settings(TRUSTED_PROXY_HTTPS_EXEMPT=["10.0.0.0/8"]):
        assert ask().status == 200
        assert ask(headers={"X-Forwarded-For": "203.0.113.7"}).status == 301


@each_handler
def test_health_check_of_a_pod(ask: Any) -> None:
    """The exempt path is reached; which host a probe names is Django's business."""
    with override_settings(TRUSTED_PROXY_HTTPS_EXEMPT=["/facts/"]):
        assert ask(peer="172.17.0.1", host="172.17.0.2:8000").status == 400
        assert ask(peer="172.17.0.1", host="app.example").status == 200


@each_handler
def test_page_that_does_not_exist(ask: Any) -> None:
    """What exists is not said over plain HTTP."""
    assert ask("/nowhere/", headers=PLAIN).status == 301


@each_handler
def test_loop_is_logged(ask: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Plain HTTP from the proxy, without a scheme header, is logged with a remedy."""
    with override_settings(TRUSTED_PROXY_HEADERS=["X-Forwarded-For"]):
        ask(headers={"X-Forwarded-For": "203.0.113.7"})

    (logged,) = read_log(caplog)
    assert "TRUSTED_PROXY_HEADERS" in logged


@each_handler
def test_report_only(ask: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Then nothing is redirected and no policy is sent; the log says so."""
    with override_settings(TRUSTED_PROXY_REPORT_ONLY=True):
        plain = ask(headers=PLAIN)
        secure = ask(scheme="https", headers=PLAIN)

    assert plain.status == 200
    assert secure.get("Strict-Transport-Security") is None
    assert any("301" in message for message in read_log(caplog))


@each_handler
def test_middleware_without_the_setting(ask: Any) -> None:
    """Without the setting nothing is redirected, and no policy is sent."""
    with override_settings(TRUSTED_PROXY_HTTPS_ONLY=False):
        plain, secure = ask(headers=PLAIN), ask(headers=SECURE)

    assert plain.status == 200
    assert secure.get("Strict-Transport-Security") is None


@each_handler
def test_secure_request_without_a_policy(ask: Any) -> None:
    """Without a policy there is no header."""
    with override_settings(TRUSTED_PROXY_HSTS_POLICY=None):
        assert ask(headers=SECURE).get("Strict-Transport-Security") is None


def test_bad_configuration_when_the_server_starts() -> None:
    """The middleware alone does not start with a bad setting, either."""
    with (
        override_settings(MIDDLEWARE=[HTTPS_ONLY], TRUSTED_PROXY_HTTPS_STATUS=303),
        pytest.raises(ConfigurationError, match="TRUSTED_PROXY_HTTPS_STATUS"),
    ):
        WSGIHandler()


def test_test_client_that_is_secure() -> None:
    """Django's own way of asking securely works as before."""
    response = Client().get("/facts/", secure=True)

    assert response.status_code == 200
    assert response["Strict-Transport-Security"] == HSTS


def test_test_client_that_follows() -> None:
    """A client that follows ends up at the same page, over HTTPS."""
    client = Client(REMOTE_ADDR=PEER)
    response = client.get("/facts/?a=b", follow=True)

    assert response.redirect_chain == [("https://testserver/facts/?a=b", 301)]
    assert response.status_code == 200


def change_urlconf(get_response: Any) -> Any:
    """Make a middleware that has the request served by another urlconf."""

    def middleware(request: Any) -> Any:
        request.urlconf = f"{__package__}.urls"
        return get_response(request)

    return middleware
