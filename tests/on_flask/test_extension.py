"""
What a Flask application sees after the extension, through its own `wsgi_app`.

In:  requests from a trusted and from an untrusted peer.
Out: every accessor that DESIGN names, and the session cookie.
"""

from __future__ import annotations

import gc
import logging
import weakref
from typing import Any

import pytest
from flask import Flask, request

import flask_trustedproxy
from flask_trustedproxy import TrustedProxy, current_decision, get_decision
from flask_trustedproxy.state import select_configuration
from trustedproxy import (
    ConfigurationError,
    Decision,
    ProxyPolicy,
    Reason,
    read_settings,
)
from trustedproxy.decision import REPORT_KEY

from .conftest import POLICY, PROXY, STRANGER, ask, make_app, make_bare_app, see

FORWARDED = {
    "X-Forwarded-For": "6.6.6.6, 203.0.113.7:4711, 10.0.0.6",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "app.example:8443",
    "X-Forwarded-Prefix": "/app",
}


@pytest.mark.parametrize(
    ("accessor", "expected"),
    [
        ("remote_addr", "203.0.113.7"),
        ("access_route", ["203.0.113.7:4711", "10.0.0.6"]),
        ("scheme", "https"),
        ("is_secure", True),
        ("host", "app.example:8443"),
        ("host_url", "https://app.example:8443/"),
        ("root_path", "/app"),
        ("script_root", "/app"),
        ("url_root", "https://app.example:8443/app/"),
        ("path", "/a/b"),
        ("url", "https://app.example:8443/app/a/b?q=1"),
        ("external", "https://app.example:8443/app/x"),
        ("internal", "/app/x"),
        ("client", "203.0.113.7"),
    ],
)
def test_accessor_behind_a_trusted_proxy(accessor: str, expected: object) -> None:
    """Everything that Flask derives from the environ is the client's."""
    seen = see(make_app(**POLICY), "/a/b?q=1", headers=FORWARDED)

    assert seen[accessor] == expected


@pytest.mark.parametrize(
    ("accessor", "expected"),
    [
        ("remote_addr", STRANGER),
        ("access_route", [STRANGER]),
        ("scheme", "http"),
        ("is_secure", False),
        ("host", "localhost"),
        ("url_root", "http://localhost/"),
        ("external", "http://localhost/x"),
        ("client", STRANGER),
    ],
)
def test_accessor_of_a_direct_request(accessor: str, expected: object) -> None:
    """Forged headers change nothing, whatever they say."""
    seen = see(make_app(**POLICY), peer=STRANGER, headers=FORWARDED)

    assert seen[accessor] == expected


def test_headers_of_a_direct_request_are_removed() -> None:
    """The view finds no forged header and no synonym of one."""
    forged = {**FORWARDED, "X-Real-IP": "6.6.6.6", "X-Scheme": "https", "Accept": "a/b"}

    seen = see(make_app(**POLICY), peer=STRANGER, headers=forged)

    assert {name for name in seen["headers"] if name.startswith("X-")} == set()
    assert seen["headers"]["Accept"] == "a/b"


def test_header_that_won_keeps_what_was_confirmed() -> None:
    """`request.headers` holds the client's element and what stands right of it."""
    seen = see(make_app(**POLICY), headers=FORWARDED)

    assert seen["headers"]["X-Forwarded-For"] == "203.0.113.7:4711, 10.0.0.6"


def test_session_cookie_below_a_mount_point() -> None:
    """The session cookie goes out below a mount point and comes back."""
    client = make_app(**POLICY).test_client()
    options: dict[str, Any] = {
        "environ_base": {"REMOTE_ADDR": PROXY},
        "headers": FORWARDED,
        "base_url": "https://app.example:8443/",
    }

    first = client.get("/", **options)
    second = client.get("/", **options)

    assert "Path=/" in first.headers["Set-Cookie"]
    assert (first.json or {})["count"] == 1
    assert (second.json or {})["count"] == 2


def test_secure_cookie_goes_and_comes_back_behind_tls_termination() -> None:
    """A session cookie marked secure works where only the proxy speaks TLS."""
    client = make_app(**POLICY, SESSION_COOKIE_SECURE=True).test_client()

    response = client.get(
        "/", environ_base={"REMOTE_ADDR": PROXY}, headers={"X-Forwarded-Proto": "https"}
    )

    assert "Secure" in response.headers["Set-Cookie"]
    assert (response.json or {})["is_secure"] is True


def test_routing_redirect_is_the_clients() -> None:
    """Flask's own trailing-slash redirect keeps scheme, host and mount point."""
    app = make_app(**POLICY)
    app.add_url_rule("/dir/", view_func=lambda: "a directory", endpoint="directory")

    response = ask(app, "/dir", headers=FORWARDED)

    assert response.status_code in (301, 308)
    assert response.headers["Location"] == "https://app.example:8443/app/dir/"


def test_mount_point_does_not_leak_into_the_next_request() -> None:
    """A request without the header is mounted where the server says."""
    app = make_app(**POLICY)
    see(app, headers=FORWARDED)

    seen = see(app)

    assert seen["root_path"] == ""
    assert seen["internal"] == "/x"


def test_rejected_request_never_reaches_the_application() -> None:
    """A malformed header is answered with 400 where the policy says so."""
    app = make_app(**POLICY, TRUSTED_PROXY_MALFORMED="reject")

    response = ask(app, headers={"X-Forwarded-For": "garbage"})

    assert response.status_code == 400
    assert response.headers["Cache-Control"] == "no-store"


def test_factory_serves_several_applications() -> None:
    """One extension object gives each application its own policy."""
    trusted_proxy = TrustedProxy()
    first = make_bare_app(**POLICY)
    second = make_bare_app(
        TRUSTED_PROXY_HEADERS=["X-Real-IP"], TRUSTED_PROXIES=[STRANGER]
    )
    trusted_proxy.init_app(first)
    trusted_proxy.init_app(second)
    headers = {"X-Forwarded-For": "203.0.113.7", "X-Real-IP": "203.0.113.8"}

    seen = [see(first, headers=headers), see(second, peer=STRANGER, headers=headers)]

    assert [s["remote_addr"] for s in seen] == ["203.0.113.7", "203.0.113.8"]
    assert vars(trusted_proxy) == {"policy": None}


def test_application_can_be_collected() -> None:
    """The extension object keeps no application alive."""
    trusted_proxy = TrustedProxy()
    app = make_bare_app(**POLICY)
    trusted_proxy.init_app(app)
    see(app)
    ghost = weakref.ref(app)

    del app
    gc.collect()

    assert ghost() is None


def test_state_of_an_application_shows_no_secret() -> None:
    """The state that the application keeps can be printed."""
    app = make_app(
        **POLICY,
        TRUSTED_PROXY_SECRET_HEADER="X-Edge-Secret",
        TRUSTED_PROXY_SECRETS=["hush-hush-hush-hush"],
    )

    assert "hush-hush" not in repr(app.extensions["trustedproxy"])


def test_configuration_that_is_invalid_stops_the_start() -> None:
    """A bad network is an error of `init_app`, with the setting's name."""
    with pytest.raises(ConfigurationError, match=r"TRUSTED_PROXIES\[0\]"):
        make_app(
            TRUSTED_PROXY_HEADERS=["X-Forwarded-For"],
            TRUSTED_PROXIES=["10.0.0.0/33"],
        )


def test_unknown_setting_stops_the_start() -> None:
    """A misspelled name is refused, and the nearest one named."""
    with pytest.raises(ConfigurationError, match="TRUSTED_PROXY_HEADERS"):
        make_app(TRUSTED_PROXY_HEADER=["X-Forwarded-For"])


@pytest.mark.parametrize("name", ["TRUSTED_PROXY", "TRUSTED_PROXYS", "TRUSTED_PROXIE"])
def test_list_of_proxies_that_is_misspelled_stops_the_start(name: str) -> None:
    """A list under a wrong name is logged: without it every peer would be trusted."""
    with pytest.raises(ConfigurationError, match="the nearest is 'TRUSTED_PROX"):
        make_app(TRUSTED_PROXY_HEADERS=["X-Forwarded-For"], **{name: ["10.0.0.0/8"]})


def test_failed_start_leaves_the_application_alone() -> None:
    """After a configuration error the application is what it was."""
    app = make_bare_app(TRUSTED_PROXY_HEADERS=["X-Nonsense"])
    before = app.wsgi_app

    with pytest.raises(ConfigurationError):
        TrustedProxy(app)

    assert app.wsgi_app == before
    assert "trustedproxy" not in app.extensions


def test_select_configuration_takes_only_its_own() -> None:
    """Flask's TRUSTED_HOSTS and other people's names stay out of it."""
    config = {
        "TRUSTED_HOSTS": ["a.example"],
        "TRUSTED_PROXIES": [],
        "TRUSTED_PROXY_HOPS": 1,
        "DEBUG": False,
    }

    selected = select_configuration(config)

    assert selected == {"TRUSTED_PROXIES": [], "TRUSTED_PROXY_HOPS": 1}


def test_current_decision_in_a_view() -> None:
    """The decision is there, whole, while a request is handled."""
    app = make_app(**POLICY)
    found: list[Decision] = []

    @app.before_request
    def keep() -> None:
        assert isinstance(current_decision, Decision)
        # It is typed as what it stands for.
        proxy: Any = current_decision
        found.append(proxy._get_current_object())

    see(app, headers=FORWARDED)

    assert found[0].client == "203.0.113.7"
    assert found[0].client_port == 4711
    assert found[0].peer == PROXY
    assert found[0].reason is Reason.FIRST_UNTRUSTED_HOP
    assert found[0].original["REMOTE_ADDR"] == PROXY


def test_current_decision_outside_of_a_request() -> None:
    """Outside of a request it is false, and using it says why."""
    assert not bool(current_decision)
    with pytest.raises(RuntimeError, match="while a request is handled"):
        _ = current_decision.client


def test_current_decision_without_the_middleware() -> None:
    """A request that did not pass the extension has none."""
    app = make_app(**POLICY)

    with app.test_request_context():
        assert not bool(current_decision)
        with pytest.raises(RuntimeError, match="did not go through"):
            _ = current_decision.client


def test_report_only_changes_nothing() -> None:
    """In report-only mode the application sees the request as it came."""
    app = make_app(**POLICY, TRUSTED_PROXY_REPORT_ONLY=True)

    seen = see(app, headers=FORWARDED)

    assert seen["remote_addr"] == PROXY
    assert seen["scheme"] == "http"
    assert seen["headers"]["X-Forwarded-For"] == FORWARDED["X-Forwarded-For"]
    assert seen["client"] is None


def test_initialising_twice_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """The second `init_app` changes nothing and is logged."""
    app = make_app(**POLICY)
    before = app.wsgi_app

    with caplog.at_level(logging.WARNING, "trustedproxy"):
        TrustedProxy(app)
        TrustedProxy().init_app(app)

    assert app.wsgi_app is before
    assert [r.getMessage() for r in caplog.records if "twice" in r.getMessage()] == [
        "trustedproxy: TrustedProxy is initialised twice on the application "
        "'application'; the second time changes nothing. Remove one of the two."
    ]


@pytest.mark.parametrize(
    ("configuration", "times"),
    [({}, 1), ({"TRUSTED_PROXY_STRIP": "all"}, 0), (POLICY, 0)],
    ids=str,
)
def test_extension_without_a_header_is_logged(
    configuration: dict[str, Any], times: int, caplog: pytest.LogCaptureFixture
) -> None:
    """A configuration that was forgotten does not look like success."""
    make_app(**configuration)

    assert caplog.text.count("TRUSTED_PROXY_HEADERS is empty") == times


def test_initialising_twice_is_logged_of_each_application(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Two applications of one name are two."""
    for app in (make_app(**POLICY), make_app(**POLICY)):
        TrustedProxy(app)
        TrustedProxy(app)

    assert caplog.text.count("twice on the application 'application'") == 2


def test_request_environ_is_the_one_that_flask_uses() -> None:
    """`request.environ` and `request.remote_user` come from the corrected environ."""
    app = make_app(**POLICY)

    @app.get("/environ")
    def environ() -> str:
        return str(request.environ["REMOTE_ADDR"])

    response = ask(app, "/environ", headers=FORWARDED)

    assert response.get_data(as_text=True) == "203.0.113.7"


def test_public_names_are_sorted_and_there() -> None:
    """What the package exports is what its `__all__` says."""
    names = flask_trustedproxy.__all__

    assert names == sorted(names)
    assert all(hasattr(flask_trustedproxy, name) for name in names)


def test_extension_without_an_application_does_nothing() -> None:
    """`TrustedProxy()` alone touches no application."""
    app = Flask("untouched")
    before = app.wsgi_app

    TrustedProxy()

    assert app.wsgi_app == before


def test_get_decision_of_a_request() -> None:
    """The same decision is there by a function, for the current request and a given."""
    app = make_app(**POLICY)
    found: list[Decision | None] = []

    @app.before_request
    def keep() -> None:
        found.extend([get_decision(), get_decision(request)])

    see(app, headers=FORWARDED)

    assert found[0] is not None
    assert found[0] is found[1]
    assert found[0].client == "203.0.113.7"


def test_get_decision_where_there_is_none() -> None:
    """Outside of a request, and without the extension, it is ``None``."""
    app = make_app(**POLICY)

    outside = get_decision()
    with app.test_request_context():
        without = get_decision()

    assert (outside, without) == (None, None)


def test_decision_in_report_only_mode_is_kept_elsewhere() -> None:
    """Nothing takes it for one that was decided; pages and tests find it."""
    app = make_app(**POLICY, TRUSTED_PROXY_REPORT_ONLY=True)
    found: list[Any] = []

    @app.before_request
    def keep() -> None:
        found.extend([get_decision(), request.environ[REPORT_KEY]])

    see(app, headers=FORWARDED)

    assert found[0] is None
    assert found[1].client == "203.0.113.7"


def test_policy_made_elsewhere() -> None:
    """A policy takes the place of its settings; the others are still read."""
    policy = ProxyPolicy(headers=["X-Real-IP"], proxies=[PROXY])
    app = make_bare_app(TRUSTED_PROXY_HTTPS_ONLY=True, TRUSTED_PROXY_HTTPS_HOST="a.b")
    TrustedProxy(app, policy=policy)

    plain = ask(app, headers={"X-Real-IP": "203.0.113.9"})
    secure = ask(app, base_url="https://localhost/", headers={"X-Real-IP": "192.0.2.9"})

    assert plain.headers["Location"] == "https://a.b/"
    assert secure.get_json()["remote_addr"] == "192.0.2.9"
    assert app.extensions["trustedproxy"].settings.policy is policy


def test_policy_made_elsewhere_beside_settings_of_a_policy() -> None:
    """Two policies are one too many; the error names the setting to remove."""
    policy = ProxyPolicy(headers=["X-Real-IP"], proxies=[PROXY])
    app = make_bare_app(**POLICY)

    with pytest.raises(ConfigurationError, match="remove one of the two") as caught:
        TrustedProxy(app, policy=policy)

    assert caught.value.option == "TRUSTED_PROXY_HEADERS"


@pytest.mark.parametrize(
    "config",
    [
        {"TRUSTED_PROXY_SECRETS": ["hush-hush-hush-hush"]},
        {"TRUSTED_PROXY_SECRETS": "hush-hush-hush-hush"},
        {"TRUSTED_PROXY_FIXED_HOST": "https://me:hush-hush@a.example"},
    ],
    ids=["a list", "a text", "a URL"],
)
def test_error_of_two_policies_shows_no_secret(config: dict[str, Any]) -> None:
    """Errors end in logs, where no secret belongs."""
    policy = ProxyPolicy(headers=["X-Real-IP"], proxies=[PROXY])
    app = make_bare_app(**config)

    with pytest.raises(ConfigurationError, match="remove one of the two") as caught:
        TrustedProxy(app, policy=policy)

    assert "hush" not in f"{caught.value} {caught.value.args}"


def test_policy_made_elsewhere_beside_settings_that_are_not_set() -> None:
    """What is ``None`` says nothing, so that there is one policy."""
    policy = ProxyPolicy(headers=["X-Real-IP"], proxies=[PROXY])
    names = ["TRUSTED_PROXY_HEADERS", "TRUSTED_PROXIES", "TRUSTED_PROXY_SECRETS"]
    app = make_bare_app(**dict.fromkeys(names), TRUSTED_PROXY_HTTPS_ONLY=True)

    TrustedProxy(app, policy=policy)

    settings = app.extensions["trustedproxy"].settings
    assert settings.policy is policy
    assert settings.https_only is not None


def test_settings_made_elsewhere() -> None:
    """Settings are in force as they are, on every application that gets them."""
    settings = read_settings({**POLICY, "TRUSTED_PROXY_HSTS_POLICY": "max-age=60"})
    trusted_proxy = TrustedProxy(policy=settings)
    apps = [make_bare_app(TRUSTED_PROXIES=["192.0.2.1"]), make_bare_app()]
    for app in apps:
        trusted_proxy.init_app(app)

    seen = [see(app, headers=FORWARDED)["remote_addr"] for app in apps]

    assert seen == ["203.0.113.7", "203.0.113.7"]
    assert apps[0].extensions["trustedproxy"].settings is settings


@pytest.mark.parametrize(
    ("config", "settings"),
    [
        (POLICY, {**POLICY, "TRUSTED_PROXY_HOPS": 1}),
        ({**POLICY, "TRUSTED_PROXY_HTTPS_ONLY": True}, POLICY),
        (POLICY, {**POLICY, "TRUSTED_PROXY_HTTPS_ONLY": True}),
        ({"TRUSTED_PROXIES": ["10.0.0.0/33"]}, POLICY),
    ],
    ids=["another policy", "HTTPS only", "no HTTPS only", "invalid"],
)
def test_configuration_beside_settings_made_elsewhere_is_logged(
    config: dict[str, Any], settings: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """What is configured and has no effect is named, without its values."""
    app = make_bare_app(**config)

    TrustedProxy(app, policy=read_settings(settings))

    (message,) = [r.getMessage() for r in caplog.records]
    assert f"{', '.join(sorted(config))} of the application" in message
    assert "is not read" in message


def test_configuration_that_settings_were_made_of_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whoever reads the configuration himself is not warned of it."""
    config = {**POLICY, "TRUSTED_PROXY_HTTPS_ONLY": True}
    app = make_bare_app(**config)

    TrustedProxy(app, policy=read_settings(app.config))

    assert caplog.records == []


@pytest.mark.parametrize(
    ("stated", "accessor", "expected"),
    [
        ({"TRUSTED_PROXY_FIXED_SCHEME": "https"}, "url_root", "https://localhost/"),
        ({"TRUSTED_PROXY_FIXED_HOST": "shop.example"}, "host", "shop.example"),
        ({"TRUSTED_PROXY_FIXED_MOUNT_POINT": "/dev"}, "internal", "/dev/x"),
        (
            {"TRUSTED_PROXY_FIXED_PORT": 8443, "TRUSTED_PROXY_PORT_IN_HOST": True},
            "host_url",
            "http://localhost:8443/",
        ),
    ],
)
def test_fact_that_no_header_says(
    stated: dict[str, Any], accessor: str, expected: str
) -> None:
    """What is stated holds for requests of the proxy, and for nobody else's (R21)."""
    config = {
        "TRUSTED_PROXY_HEADERS": ["X-Forwarded-For"],
        "TRUSTED_PROXIES": [PROXY],
        **stated,
    }
    app = make_app(**config)
    headers = {"X-Forwarded-For": "203.0.113.7"}

    through, around = see(app, headers=headers), see(app, peer=STRANGER)

    assert through[accessor] == expected
    assert around[accessor] != expected


def test_stated_mount_point_that_is_in_the_path() -> None:
    """Where the gateway leaves its stage in the path, it can be taken off."""
    app = make_app(
        TRUSTED_PROXIES=[PROXY],
        TRUSTED_PROXY_FIXED_MOUNT_POINT="/dev",
        TRUSTED_PROXY_STRIP_MOUNT_POINT=True,
    )

    seen = see(app, "/dev/orders")

    assert (seen["path"], seen["root_path"]) == ("/orders", "/dev")
