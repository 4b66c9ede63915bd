"""
HTTPS only and HSTS through the Flask extension.

In:  plain and secure requests, trusted and not.
Out: redirects, refusals, the policy; and the hosts and views that Flask knows.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask, Request
from flask.views import View

from flask_trustedproxy import TrustedProxy, https_exempt

from .conftest import POLICY, PROXY, STRANGER, ask, make_app, make_bare_app

if TYPE_CHECKING:
    from collections.abc import Callable

HTTPS = {
    **POLICY,
    "TRUSTED_PROXY_HTTPS_ONLY": True,
    "TRUSTED_PROXY_HSTS_POLICY": "max-age=31536000; includeSubDomains",
}
SECURE = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "app.example"}
PLAIN = {"X-Forwarded-Proto": "http", "X-Forwarded-Host": "app.example"}


def test_plain_request_is_redirected_to_the_clients_own_url() -> None:
    """Scheme from the header, host and mount point of the client, query kept."""
    response = ask(
        make_app(**HTTPS),
        "/a%2Fb?next=http://a/?b=c",
        headers={**PLAIN, "X-Forwarded-Prefix": "/app"},
    )

    assert response.status_code == 301
    assert (
        response.headers["Location"]
        == "https://app.example/app/a%2Fb?next=http://a/?b=c"
    )
    assert "Strict-Transport-Security" not in response.headers


def test_post_keeps_method_and_body() -> None:
    """Other methods than GET and HEAD get 308."""
    response = ask(make_app(**HTTPS), headers=PLAIN, method="POST", data={"a": "b"})

    assert response.status_code == 308


def test_secure_request_gets_the_policy() -> None:
    """A request that the proxy says is secure reaches the view, with HSTS."""
    response = ask(make_app(**HTTPS), headers=SECURE)

    assert response.status_code == 200
    assert (
        response.headers["Strict-Transport-Security"]
        == "max-age=31536000; includeSubDomains"
    )


def test_errors_and_unknown_paths_get_the_policy_too() -> None:
    """Flask's own answers carry HSTS as well."""
    app = make_app(**HTTPS)
    app.add_url_rule("/only-post", view_func=lambda: "", methods=["POST"])

    response = ask(app, "/only-post", headers=SECURE, method="DELETE")

    assert response.status_code == 405
    assert "Strict-Transport-Security" in response.headers


def test_policy_of_the_application_stays() -> None:
    """A header that the application set is not replaced and not doubled."""
    app = make_app(**HTTPS)

    @app.after_request
    def set_own(response: Any) -> Any:
        response.headers["Strict-Transport-Security"] = "max-age=1"
        return response

    response = ask(app, headers=SECURE)

    assert response.headers.getlist("Strict-Transport-Security") == ["max-age=1"]


def test_no_policy_for_an_address() -> None:
    """A host that is an IP address gets no HSTS."""
    response = ask(
        make_app(**HTTPS), headers={**SECURE, "X-Forwarded-Host": "192.0.2.1"}
    )

    assert "Strict-Transport-Security" not in response.headers


def test_https_only_works_without_a_policy() -> None:
    """HSTS is optional."""
    app = make_app(**POLICY, TRUSTED_PROXY_HTTPS_ONLY=True)

    assert ask(app, headers=PLAIN).status_code == 301
    assert "Strict-Transport-Security" not in ask(app, headers=SECURE).headers


def test_policy_without_https_only_is_not_sent() -> None:
    """HSTS is sent only together with HTTPS only."""
    app = make_app(**POLICY, TRUSTED_PROXY_HSTS_POLICY="max-age=1")

    assert "Strict-Transport-Security" not in ask(app, headers=SECURE).headers


def test_forged_scheme_of_a_stranger_is_still_redirected() -> None:
    """An untrusted peer that says https is plain."""
    response = ask(make_app(**HTTPS), peer=STRANGER, headers=SECURE)

    assert response.status_code == 301
    assert response.headers["Location"] == "https://localhost/"


def test_view_is_not_called_for_a_redirect() -> None:
    """Nothing of the application runs before the redirect."""
    app = make_app(**HTTPS)
    called: list[str] = []
    app.before_request(lambda: called.append("before"))

    ask(app, headers=PLAIN)

    assert called == []


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("app.example", 301),
        ("sub.site.example", 301),
        ("app.example:8080", 301),
        ("evil.example", 400),
        ("app.example.evil.example", 400),
        ('app.example"><x', 400),
        ("", 400),
    ],
)
def test_trusted_hosts_are_honoured(host: str, status: int) -> None:
    """Where Flask refuses the host there is a 400 that nobody keeps, no redirect."""
    app = make_app(**HTTPS, TRUSTED_HOSTS=["app.example", ".site.example"])

    response = ask(app, headers={"X-Forwarded-Proto": "http", "Host": host})

    assert response.status_code == status
    assert ("Location" in response.headers) is (status == 301)
    assert (response.headers.get("Cache-Control") == "no-store") is (status == 400)


HOSTS = ["app.example"]


def test_trusted_hosts_of_the_request_class_are_honoured() -> None:
    """Werkzeug's own attribute counts, too."""

    class Strict(Request):
        trusted_hosts = HOSTS

    app = make_bare_app(**HTTPS)
    app.request_class = Strict
    TrustedProxy(app)

    refused = ask(app, headers={**PLAIN, "X-Forwarded-Host": "evil.example"})
    redirected = ask(app, headers=PLAIN)

    assert refused.status_code == 400
    assert redirected.status_code == 301


def test_trusted_hosts_hold_for_a_fixed_host_too() -> None:
    """A refused host gets 400 even where the redirect would go elsewhere."""
    app = make_app(
        **HTTPS, TRUSTED_HOSTS=["app.example"], TRUSTED_PROXY_HTTPS_HOST="www.example"
    )

    refused = ask(app, headers={**PLAIN, "X-Forwarded-Host": "evil.example"})
    redirected = ask(app, "/x", headers=PLAIN)

    assert refused.status_code == 400
    assert redirected.headers["Location"] == "https://www.example/x"


def test_request_class_of_the_application_is_made_as_flask_makes_it() -> None:
    """A request class that takes nothing but the environ is enough."""

    class Narrow(Request):
        def __init__(self, environ: dict[str, Any]) -> None:
            super().__init__(environ)

    app = make_bare_app(**HTTPS)
    app.request_class = Narrow
    TrustedProxy(app)

    assert ask(app, headers=PLAIN).status_code == 301
    assert ask(app, headers=SECURE).status_code == 200


def test_open_redirect_is_logged_of_each_application(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A second application of the same name is logged of, too."""
    for app in (make_app(**HTTPS), make_app(**HTTPS)):
        ask(app, headers=PLAIN)
        ask(app, headers=PLAIN)

    assert caplog.text.count("whatever host") == 2


def test_open_redirect_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Without any list of hosts the log says once what to set."""
    app = make_app(**HTTPS)

    ask(app, headers=PLAIN)
    ask(app, headers=PLAIN)

    logged = [
        r.getMessage() for r in caplog.records if "whatever host" in r.getMessage()
    ]
    assert len(logged) == 1
    assert "TRUSTED_HOSTS" in logged[0]


@pytest.mark.parametrize(
    "config",
    [{"TRUSTED_HOSTS": ["app.example"]}, {"TRUSTED_PROXY_HTTPS_HOST": "app.example"}],
)
def test_closed_redirect_is_not_logged(
    config: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """With a list of hosts, or a fixed one, there is nothing to log."""
    ask(make_app(**HTTPS, **config), headers=PLAIN)

    assert "whatever host" not in caplog.text


def mark_below(app: Flask) -> None:
    @app.get("/healthz")
    @https_exempt
    def healthz() -> str:
        return "ok"


def mark_above(app: Flask) -> None:
    @https_exempt
    @app.get("/healthz")
    def healthz() -> str:
        return "ok"


EXEMPT: list[Any] = [https_exempt]


def mark_class(app: Flask) -> None:
    class Healthz(View):
        decorators = EXEMPT

        def dispatch_request(self) -> str:
            return "ok"

    app.add_url_rule("/healthz", view_func=Healthz.as_view("healthz"))


@pytest.mark.parametrize("mark", [mark_below, mark_above, mark_class])
def test_exempt_view_stays_reachable(mark: Callable[[Flask], None]) -> None:
    """A marked view answers over plain HTTP; its neighbours are redirected."""
    app = make_app(**HTTPS)
    mark(app)

    healthy = ask(app, "/healthz", headers=PLAIN)
    neighbour = ask(app, "/healthz2", headers=PLAIN)

    assert healthy.get_data() == b"ok"
    assert "Strict-Transport-Security" not in healthy.headers
    assert neighbour.status_code == 301


def test_exempt_view_is_exempt_for_its_own_methods_only() -> None:
    """A method that would not reach the view is redirected."""
    app = Flask("methods")
    app.config.update(HTTPS)
    TrustedProxy(app)
    mark_below(app)

    response = ask(app, "/healthz", headers=PLAIN, method="POST")

    assert response.status_code == 308


def test_exempt_view_does_not_accept_every_host() -> None:
    """Flask refuses a host for an exempt view, as for all others."""
    app = make_app(**HTTPS, TRUSTED_HOSTS=["app.example"])
    mark_below(app)

    response = ask(app, "/healthz", headers={**PLAIN, "X-Forwarded-Host": "evil.test"})

    # Before Flask 3.1 there is no such setting for views, and Flask answers.
    expected = 400 if "TRUSTED_HOSTS" in Flask("any").config else 200
    assert response.status_code == expected
    assert "Location" not in response.headers


def test_exempt_path_and_network() -> None:
    """The settings' own exemptions work as everywhere."""
    app = make_app(**HTTPS, TRUSTED_PROXY_HTTPS_EXEMPT=["/public/*", "198.51.100.0/24"])

    assert ask(app, "/public/a", headers=PLAIN).status_code == 200
    assert ask(app, "/private", headers=PLAIN).status_code == 301
    assert ask(app, "/private", peer=STRANGER).status_code == 200


def test_loop_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A trusted peer without a scheme header: the log names the setting."""
    app = make_app(**HTTPS)

    with caplog.at_level(logging.WARNING):
        ask(app, headers={"X-Forwarded-For": "203.0.113.7"})
        ask(app, headers={"X-Forwarded-For": "203.0.113.8"})

    logged = [
        r.getMessage()
        for r in caplog.records
        if "TRUSTED_PROXY_HEADERS" in r.getMessage()
    ]
    assert len(logged) == 1
    assert repr(PROXY) in logged[0]


def test_report_only_redirects_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """In report-only mode a plain request reaches the view, and is only logged."""
    app = make_app(**HTTPS, TRUSTED_PROXY_REPORT_ONLY=True)

    response = ask(app, headers=PLAIN)

    assert response.status_code == 200
    assert "HTTPS only would answer 301" in caplog.text


def test_websocket_over_plain_http_is_no_way_around() -> None:
    """An upgrade request over plain HTTP is redirected like any other in WSGI."""
    response = ask(
        make_app(**HTTPS),
        headers={**PLAIN, "Connection": "Upgrade", "Upgrade": "websocket"},
    )

    assert response.status_code in (301, 403)
