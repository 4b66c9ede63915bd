"""
What the middleware does besides correcting: prefixes, refusals, records, modes.

In:  requests through Django's own handlers and test clients.
Out: nothing left behind, nothing half done.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from typing import Any
from unittest.mock import patch

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.test import (
    AsyncRequestFactory,
    Client,
    RequestFactory,
    override_settings,
)
from django.urls import get_script_prefix, reverse, set_script_prefix

import trustedproxy
from django_trustedproxy import get_decision, get_holder
from django_trustedproxy.conf import ConfigurationError, get_settings
from django_trustedproxy.middleware import TrustedProxyMiddleware
from django_trustedproxy.signals import decision_made
from django_trustedproxy.testing import ProxiedAsyncClient
from trustedproxy import Decision
from trustedproxy.decision import REPORT_KEY
from trustedproxy.testing import from_proxy

from .handlers import (
    ASKERS,
    PEER,
    STRANGER,
    call_asgi,
    make_environ,
    make_scope,
    read_log,
)
from .settings import SETTINGS
from .urls import Farewell, facts

MOUNTED = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Prefix": "/app"}
THROUGH_THE_PROXY = from_proxy(
    get_settings().policy, client="203.0.113.7", mount_point="/app", peer=PEER
)

each_handler = pytest.mark.parametrize("ask", ASKERS)


def make_client(**options: Any) -> Client:
    """Make a client whose requests come from the trusted proxy."""
    environ: dict[str, Any] = THROUGH_THE_PROXY.environ
    return Client(**environ, **options)


def test_prefix_after_a_request_of_the_test_client() -> None:
    """A test's own ``reverse`` does not see the mount point of a request."""
    response = make_client().get("/facts/")

    assert response.json()["reverse"] == "/app/facts/"
    assert reverse("facts") == "/facts/"


def test_prefix_after_a_request_of_the_async_test_client() -> None:
    """The same holds in the task that awaited the request."""

    async def ask() -> tuple[Any, str]:
        response = await ProxiedAsyncClient(THROUGH_THE_PROXY).get("/async-facts/")
        return response.json(), reverse("facts")

    facts, after = asyncio.run(ask())

    assert facts["reverse"] == "/app/facts/"
    assert facts["meta"]["REMOTE_ADDR"] == "203.0.113.7"
    assert after == "/facts/"


def test_prefix_of_a_test_that_set_its_own() -> None:
    """What was there before is put back, and not just the root."""
    set_script_prefix("/of-the-test")
    make_client().get("/facts/")

    assert get_script_prefix() == "/of-the-test/"
    set_script_prefix("/")


def test_prefix_while_a_response_streams() -> None:
    """A stream still sees the mount point, until it is closed."""
    response: Any = make_client().get("/stream/")
    body = response.getvalue()

    assert body == b"/app/facts/ /app/facts/"
    assert reverse("facts") == "/facts/"


def test_prefix_while_a_response_streams_to_the_async_client() -> None:
    """An async stream still sees the mount point, until it is closed."""

    async def ask() -> tuple[bytes, str]:
        client = ProxiedAsyncClient(THROUGH_THE_PROXY)
        response: Any = await client.get("/async-stream/")
        body = b"".join([chunk async for chunk in response])
        return body, reverse("facts")

    body, after = asyncio.run(ask())

    assert body == b"/app/facts/ /app/facts/"
    assert after == "/facts/"


@each_handler
@pytest.mark.parametrize("view", ["/stream/", "/async-stream/"])
@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning")
def test_prefix_while_a_response_streams_through_a_handler(ask: Any, view: str) -> None:
    """Under both handlers, both kinds of streams see the mount point."""
    assert ask(view, headers=MOUNTED).body == b"/app/facts/ /app/facts/"


def start_response(*_: Any) -> Any:
    """Take the status and the headers of a response, as a server does."""


def test_prefix_of_the_next_request_of_a_thread() -> None:
    """The mount point of one request is not the next one's."""
    handler = WSGIHandler()
    list(handler(make_environ(headers=MOUNTED), start_response))
    # The server never closed that response; Django sets its prefix anyway.
    response = handler(make_environ(peer=STRANGER), start_response)

    assert b'"reverse": "/facts/"' in b"".join(response)
    response.close()
    set_script_prefix("/")


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (0, 2, 1)])
def test_prefix_after_responses_closed_in_any_order(order: tuple[int, ...]) -> None:
    """Streams that were open together leave nothing, whichever is closed first."""
    client = make_client()
    responses = [client.get("/stream/") for _ in order]
    for i in order:
        responses[i].close()

    assert reverse("facts") == "/facts/"


def test_prefix_when_a_response_is_closed_elsewhere() -> None:
    """Closing a response in another thread leaves that thread's prefix alone."""
    handler = WSGIHandler()
    response = handler(make_environ(headers=MOUNTED), start_response)
    seen: list[str] = []

    def close() -> None:
        set_script_prefix("/app")
        response.close()
        seen.append(get_script_prefix())

    thread = threading.Thread(target=close)
    thread.start()
    thread.join()

    assert seen == ["/app/"]
    set_script_prefix("/")


def test_prefix_after_a_view_that_fails() -> None:
    """An error page is a response like any other."""
    client = make_client(raise_request_exception=False)
    response = client.get("/fail/")

    assert response.status_code == 500
    assert reverse("facts") == "/facts/"


def test_prefix_after_an_exception_that_nobody_catches() -> None:
    """Where no response ever comes, the prefix is put back at once."""
    with pytest.raises(Farewell):
        make_client().get("/vanish/")

    assert reverse("facts") == "/facts/"


def test_prefix_after_an_exception_that_nobody_catches_async() -> None:
    """The same holds for async requests."""

    async def ask() -> str:
        with pytest.raises(Farewell):
            await ProxiedAsyncClient(THROUGH_THE_PROXY).get("/async-vanish/")
        return reverse("facts")

    assert asyncio.run(ask()) == "/facts/"


def test_concurrent_requests_keep_their_prefixes() -> None:
    """Async requests that overlap do not see each other's mount points."""
    handler = ASGIHandler()

    async def ask(mount_point: str) -> Any:
        headers = MOUNTED | {"X-Forwarded-Prefix": mount_point}
        return (await call_asgi(handler, make_scope("/stream/", headers=headers))).body

    async def ask_all() -> list[Any]:
        return await asyncio.gather(*(ask(f"/app{i}") for i in range(8)))

    with pytest.warns(Warning, match="StreamingHttpResponse must consume"):
        bodies = asyncio.run(ask_all())

    assert bodies == [f"/app{i}/facts/ /app{i}/facts/".encode() for i in range(8)]


@each_handler
@pytest.mark.parametrize(
    ("setting", "headers"),
    [
        ("TRUSTED_PROXY_MALFORMED", {"X-Forwarded-For": "203.0.113.7, garbage"}),
        ("TRUSTED_PROXY_MISSING", {"X-Forwarded-Proto": "https"}),
    ],
)
def test_refusal(ask: Any, setting: str, headers: dict[str, str]) -> None:
    """A refused request is answered with 400, which nobody may store."""
    with override_settings(**{setting: "reject"}):
        answer = ask(headers=headers)

    assert answer.status == 400
    assert answer.get("Cache-Control") == "no-store"


@pytest.mark.parametrize(
    "make", [RequestFactory, AsyncRequestFactory], ids=["sync", "async"]
)
def test_refusal_of_a_request_that_is_met_again(make: Any) -> None:
    """A rejected request does not get through because it was rejected before."""
    request = make().get("/facts/", headers={"X-Forwarded-Proto": "https"})
    if make is RequestFactory:
        request.META["REMOTE_ADDR"] = PEER
    else:
        request.scope["client"] = (PEER, 1234)

    async def pass_async(_: HttpRequest) -> HttpResponse:
        return HttpResponse()

    async def ask_async() -> list[int]:
        middleware: Any = TrustedProxyMiddleware(pass_async)
        return [(await middleware(request)).status_code for _ in range(2)]

    with override_settings(TRUSTED_PROXY_MISSING="reject"):
        ask: Any = TrustedProxyMiddleware(lambda _: HttpResponse())
        again = (
            [ask(request).status_code for _ in range(2)]
            if make is RequestFactory
            else asyncio.run(ask_async())
        )

    assert again == [400, 400]


@each_handler
def test_refusal_in_report_only_mode(ask: Any) -> None:
    """In report-only mode nothing is refused."""
    with override_settings(
        TRUSTED_PROXY_MALFORMED="reject", TRUSTED_PROXY_REPORT_ONLY=True
    ):
        answer = ask(headers={"X-Forwarded-For": "203.0.113.7, garbage"})

    assert answer.status == 200


@each_handler
def test_report_only_changes_nothing(ask: Any) -> None:
    """In report-only mode a request is what Django alone makes of it."""
    with override_settings(TRUSTED_PROXY_REPORT_ONLY=True):
        reported = ask(headers=MOUNTED).facts
    with override_settings(MIDDLEWARE=SETTINGS["MIDDLEWARE"][1:]):
        alone = ask(headers=MOUNTED).facts

    assert reported == alone
    assert reported["decision"] is None


@each_handler
def test_no_header_listed_changes_nothing(ask: Any) -> None:
    """Without a trusted header a request is what Django alone makes of it."""
    with override_settings(TRUSTED_PROXY_HEADERS=[]):
        untouched = ask(headers=MOUNTED).facts
    with override_settings(MIDDLEWARE=SETTINGS["MIDDLEWARE"][1:]):
        alone = ask(headers=MOUNTED).facts

    del untouched["decision"], alone["decision"]
    assert untouched == alone


@each_handler
def test_settings_overridden_between_requests(ask: Any) -> None:
    """A test that overrides a setting gets what it asked for."""
    with override_settings(TRUSTED_PROXIES=[STRANGER]):
        overridden = ask(peer=STRANGER, headers=MOUNTED).facts
    after = ask(peer=STRANGER, headers=MOUNTED).facts

    assert overridden["meta"]["REMOTE_ADDR"] == "203.0.113.7"
    assert after["meta"]["REMOTE_ADDR"] == STRANGER


def test_settings_overridden_below_a_client() -> None:
    """A middleware that was made before follows the override."""
    client = make_client()
    before = client.get("/facts/").json()
    with override_settings(TRUSTED_PROXIES=[STRANGER]):
        overridden = client.get("/facts/").json()

    assert before["meta"]["REMOTE_ADDR"] == "203.0.113.7"
    assert overridden["meta"]["REMOTE_ADDR"] == PEER


def test_bad_configuration_when_the_server_starts() -> None:
    """Django's handler does not start with a setting that is invalid."""
    with (
        override_settings(TRUSTED_PROXIES=["10.0.0.0/33"]),
        pytest.raises(ConfigurationError, match="TRUSTED_PROXIES") as caught,
    ):
        WSGIHandler()

    assert isinstance(caught.value, ImproperlyConfigured)
    assert isinstance(caught.value, trustedproxy.ConfigurationError)


def test_nobody_said_to_be_trusted() -> None:
    """Headers without whom to trust stop the server; the error says what to write."""
    with (
        override_settings(TRUSTED_PROXIES=None),
        pytest.raises(ConfigurationError, match="loopback") as caught,
    ):
        WSGIHandler()

    assert caught.value.option == "TRUSTED_PROXIES"


def test_every_peer_trusted_on_purpose(caplog: pytest.LogCaptureFixture) -> None:
    """``"*"`` says the same on purpose, and nothing is logged."""
    with override_settings(TRUSTED_PROXIES="*"):
        WSGIHandler()

    assert read_log(caplog) == []


def test_django_reading_the_scheme_itself_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """``SECURE_PROXY_SSL_HEADER`` is logged once, with a remedy."""
    with override_settings(SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https")):
        WSGIHandler()
        WSGIHandler()

    (logged,) = read_log(caplog)
    assert "SECURE_PROXY_SSL_HEADER" in logged


@each_handler
def test_middleware_listed_twice(ask: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A second application does nothing, sends nothing, and is logged once."""
    twice = [SETTINGS["MIDDLEWARE"][0], *SETTINGS["MIDDLEWARE"]]
    sent: list[Any] = []

    def receive(decision: Decision, **_: Any) -> None:
        sent.append(decision.client)

    decision_made.connect(receive)
    try:
        with override_settings(MIDDLEWARE=twice):
            facts = ask(headers=MOUNTED).facts
            ask(headers=MOUNTED)
    finally:
        decision_made.disconnect(receive)

    assert sent == ["203.0.113.7", "203.0.113.7"]
    assert facts["meta"]["REMOTE_ADDR"] == "203.0.113.7"
    assert facts["path"] == "/app/facts/"
    assert len(read_log(caplog)) == 1


def sync_only(get_response: Any) -> Any:
    """Make a middleware that only works in the sync mode."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response: HttpResponse = get_response(request)
        response["X-Prefix"] = get_script_prefix()
        return response

    return middleware


@each_handler
@pytest.mark.parametrize("above", [True, False])
@pytest.mark.parametrize("view", ["/facts/", "/async-facts/"])
def test_sync_middleware_beside_ours(ask: Any, above: bool, view: str) -> None:
    """Both modes work whatever mode the neighbours need."""
    path = f"{__name__}.sync_only"
    ours = SETTINGS["MIDDLEWARE"]
    with override_settings(MIDDLEWARE=[path, *ours] if above else [*ours, path]):
        answer = ask(view, headers=MOUNTED)

    assert answer.facts["reverse"] == "/app/facts/"
    assert answer.get("X-Prefix") == "/app/"


def test_middleware_called_with_a_bare_request() -> None:
    """A request that no handler made, as unit tests do, is served too."""
    request = RequestFactory(REMOTE_ADDR=PEER, headers=MOUNTED).get("/facts/")
    middleware = TrustedProxyMiddleware(lambda _: HttpResponse(reverse("facts")))
    response = middleware(request)

    assert isinstance(response, HttpResponse)
    assert response.content == b"/app/facts/"
    response.close()
    assert reverse("facts") == "/facts/"


@each_handler
@pytest.mark.parametrize("wanted", [True, False])
def test_signals_from_the_first_request(
    ask: Any, wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signals are restricted by the setting, with a request and not before."""
    calls: list[str] = []
    monkeypatch.setattr(
        "django_trustedproxy.middleware.restrict_signals", lambda: calls.append("")
    )
    with override_settings(TRUSTED_PROXY_RESTRICT_SIGNALS=wanted):
        WSGIHandler()
        before = len(calls)
        ask(headers=MOUNTED)

    assert before == 0
    assert len(calls) == int(wanted)


def test_signals_are_refused_after_the_first_request() -> None:
    """In a process of its own, the setting does what it says."""
    script = (
        "import django, signal\n"
        "from django.conf import settings\n"
        "settings.configure(\n"
        "    ALLOWED_HOSTS=['*'],\n"
        "    MIDDLEWARE=['django_trustedproxy.middleware.TrustedProxyMiddleware'],\n"
        "    ROOT_URLCONF=(),\n"
        "    TRUSTED_PROXY_HEADERS=['X-Forwarded-For'],\n"
        "    TRUSTED_PROXIES=['127.0.0.1'],\n"
        "    TRUSTED_PROXY_RESTRICT_SIGNALS=True,\n"
        ")\n"
        "django.setup()\n"
        "from django.test import Client\n"
        "client = Client()\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "assert client.get('/').status_code == 404\n"
        "signal.signal(signal.SIGTERM, signal.SIG_DFL)\n"
        "assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True
    )

    assert (done.returncode, "is refused" in done.stderr) == (0, True), done.stderr


def test_import_adds_django_alone() -> None:
    """Importing the app loads no module of another framework, and no settings."""
    script = (
        "import sys, trustedproxy, django.conf, django.http\n"
        "before = set(sys.modules)\n"
        "import django_trustedproxy\n"
        "added = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "assert added == {'django_trustedproxy'}, added\n"
        "assert not django.conf.settings.configured\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr


@each_handler
@pytest.mark.parametrize(
    ("stated", "accessor", "expected"),
    [
        ({"TRUSTED_PROXY_FIXED_SCHEME": "https"}, "is_secure", True),
        ({"TRUSTED_PROXY_FIXED_HOST": "shop.example"}, "host", "shop.example"),
        ({"TRUSTED_PROXY_FIXED_PORT": 8443}, "port", "8443"),
        (
            {"TRUSTED_PROXY_FIXED_PORT": 8443, "TRUSTED_PROXY_PORT_IN_HOST": True},
            "absolute",
            "http://app.example:8443/facts/",
        ),
        ({"TRUSTED_PROXY_FIXED_MOUNT_POINT": "/dev"}, "reverse", "/dev/facts/"),
        ({"TRUSTED_PROXY_FIXED_MOUNT_POINT": "/dev"}, "path", "/dev/facts/"),
    ],
)
def test_fact_that_no_header_says(
    ask: Any, stated: dict[str, Any], accessor: str, expected: object
) -> None:
    """What is stated holds for requests of the proxy, and for nobody else's (R21)."""
    headers = {"X-Forwarded-For": "203.0.113.7"}
    with override_settings(TRUSTED_PROXY_HEADERS=["X-Forwarded-For"], **stated):
        through = ask(headers=headers).facts
        around = ask(peer=STRANGER, headers=headers).facts

    assert through[accessor] == expected
    assert around[accessor] != expected


@each_handler
def test_decision_in_report_only_mode_is_kept_elsewhere(ask: Any) -> None:
    """Nothing takes it for one that was decided; pages and tests find it."""
    seen: list[Any] = []

    def keep(request: HttpRequest) -> None:
        seen.append(get_decision(request))
        seen.append(get_holder(request).get(REPORT_KEY))

    with (
        override_settings(TRUSTED_PROXY_REPORT_ONLY=True),
        patch(f"{facts.__module__}.get_decision", keep),
    ):
        ask(headers=MOUNTED)

    assert seen[0] is None
    assert seen[1].client == "203.0.113.7"
