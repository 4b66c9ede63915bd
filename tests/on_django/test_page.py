"""
The page in a Django project: who is let in, and that it opens where nothing else does.

In:  requests through Django's handlers, with the middleware and with the wrappers.
Out: the page, the form, or what the project answers without a page.
"""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextvars import copy_context
from io import BytesIO, StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.memcached import BaseMemcachedCache
from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.core.management import CommandError, call_command
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory, override_settings
from django.urls import clear_script_prefix, set_script_prefix

from django_trustedproxy import checks, early, views
from django_trustedproxy import page as page_module
from django_trustedproxy.conf import ConfigurationError, get_settings
from django_trustedproxy.entrypoints import wrap_asgi, wrap_wsgi
from django_trustedproxy.page import (
    CacheUses,
    find_uses,
    make_page,
    make_token,
    read_request,
)
from django_trustedproxy.panels import TrustedProxyPanel
from django_trustedproxy.requests import WRAPPED
from trustedproxy.explain import explain_request
from trustedproxy.report.tokens import FileUses, TokenKind

from .handlers import (
    STRANGER,
    Answer,
    ask_asgi,
    ask_wsgi,
    call_asgi,
    call_wsgi,
    make_environ,
    make_scope,
)
from .settings import HTTPS_ONLY, SESSION, TRUSTED_PROXY

PAGE = "/trustedproxy/"
URLS = f"{__package__}.page_urls"
BACKENDS = "django.core.cache.backends"
REDIS = {"BACKEND": f"{BACKENDS}.redis.RedisCache", "LOCATION": "redis://127.0.0.1"}


def ask_wrapped_wsgi(path: str = PAGE, **request: Any) -> Answer:
    """Send one request through Django's WSGI application, wrapped."""
    environ = make_environ(path, **request)
    return copy_context().run(call_wsgi, wrap_wsgi(WSGIHandler()), environ)


def ask_wrapped_asgi(path: str = PAGE, **request: Any) -> Answer:
    """Send one request through Django's ASGI application, wrapped."""
    application = wrap_asgi(ASGIHandler())
    scope = make_scope(path, **request)
    return asyncio.run(call_asgi(application, scope, request.get("body", b"")))


@pytest.fixture(params=[ask_wsgi, ask_asgi, ask_wrapped_wsgi, ask_wrapped_asgi])
def ask(request: pytest.FixtureRequest) -> Callable[..., Answer]:
    """Every way into Django."""
    asker: Callable[..., Answer] = request.param
    return asker


@pytest.fixture(autouse=True)
def project(tmp_path: Path) -> Iterator[None]:
    """A project with the page, whose tokens are kept in a file."""
    with override_settings(
        ROOT_URLCONF=URLS, TRUSTED_PROXY_TOKEN_FILE=str(tmp_path / "tokens.sqlite3")
    ):
        yield


def post(
    ask: Callable[..., Answer], fields: dict[str, str], *, query: str = "?token"
) -> Answer:
    """Send a form to the page."""
    return ask(PAGE + query, method="POST", body=urlencode(fields).encode())


def open_page(ask: Callable[..., Answer]) -> dict[str, str]:
    """Exchange a token, and return the headers that a browser sends from then on."""
    answer = post(ask, {"token": make_token(TokenKind.PAGE)})
    assert answer.status == 303
    return {"Cookie": "; ".join(f"{n}={v}" for n, v in answer.cookies.items())}


def test_nobody_sees_the_page(ask: Callable[..., Answer]) -> None:
    """Without a token there is the form in which one is entered."""
    for path, status in ((PAGE, 403), (f"{PAGE}?token", 200)):
        answer = ask(path)

        assert answer.status == status
        assert b'name="token"' in answer.body


def test_token_opens_the_page_once(ask: Callable[..., Answer]) -> None:
    """It is exchanged for a cookie, whatever Django's CSRF check says."""
    token = make_token(TokenKind.PAGE)

    first, second = (post(ask, {"token": token}) for _ in range(2))

    cookie = {"Cookie": f"trustedproxy_page={first.cookies['trustedproxy_page']}"}
    assert (first.status, second.status) == (303, 403)
    assert first.get("Location") == "./"
    shown = ask(PAGE, headers={"X-Forwarded-For": "203.0.113.7", **cookie})
    assert shown.status == 200
    assert b"203.0.113.7" in shown.body


def test_token_is_taken_by_the_view_too(ask: Callable[..., Answer]) -> None:
    """Where somebody sends it to the page itself."""
    answer = post(ask, {"token": make_token(TokenKind.PAGE)}, query="")

    assert answer.status == 303


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(
            {
                "TRUSTED_PROXY_HTTPS_ONLY": True,
                "MIDDLEWARE": [TRUSTED_PROXY, HTTPS_ONLY, SESSION],
            },
            id="redirected",
        ),
        pytest.param({"TRUSTED_PROXY_MISSING": "reject"}, id="rejected"),
        pytest.param({"ALLOWED_HOSTS": ["other.example"]}, id="host refused"),
    ],
)
def test_page_opens_where_nothing_else_does(
    settings: dict[str, Any], ask: Callable[..., Answer]
) -> None:
    """The form, the exchange and the page, before any redirect or refusal."""
    with override_settings(**{"MIDDLEWARE": [TRUSTED_PROXY, *_COMMON], **settings}):
        assert ask("/facts/").status in (301, 400)

        assert ask(f"{PAGE}?token").status == 200
        assert ask(PAGE, headers=open_page(ask)).status == 200


_COMMON = ["django.middleware.common.CommonMiddleware"]


def test_page_shows_the_truth_in_report_only_mode(ask: Callable[..., Answer]) -> None:
    """What would be changed, and that it is not."""
    with override_settings(TRUSTED_PROXY_REPORT_ONLY=True):
        headers = {**open_page(ask), "X-Forwarded-For": "203.0.113.7"}

        body = ask(PAGE, headers=headers).body

    assert b"In report-only mode" in body
    assert b"203.0.113.7" in body


@override_settings(DEBUG=True)
def test_page_is_open_in_debug(ask: Callable[..., Answer]) -> None:
    """It shows the request as it came, though the middleware has rewritten it."""
    headers = {"X-Forwarded-For": "6.6.6.6, 203.0.113.7", "X-Real-IP": "1.2.3.4"}

    answer = ask(PAGE, headers=headers)

    assert answer.status == 200
    for text in (b"6.6.6.6", b"1.2.3.4", b"10.0.0.9", b"cut off"):
        assert text in answer.body


@override_settings(DEBUG=True)
def test_form_needs_no_csrf_token_of_django(ask: Callable[..., Answer]) -> None:
    """People come here because that check fails; the page has a token of its own."""
    html = ask(PAGE).body.decode()
    form = html.partition('name="form" value="')[2].partition('"')[0]
    fields = {"form": form, "peer": STRANGER, "headers": "X-A: 192.0.2.99"}
    fields |= {"path": "/\u20ac", "mount_point": "/\u20ac"}

    tried = post(ask, fields, query="")

    assert tried.status == 200
    assert b"This is what would happen" in tried.body
    assert STRANGER.encode() in tried.body


def test_form_that_is_too_long_is_not_read(ask: Callable[..., Answer]) -> None:
    """Nobody makes the server read megabytes."""
    fields = {"token": make_token(TokenKind.PAGE), "a": "b" * 70_000}

    assert post(ask, fields, query="").status == 403


def read_post(get_response: Callable[[HttpRequest], Any]) -> Any:
    """A middleware that asks for the form, as checks against CSRF do."""

    def respond(request: HttpRequest) -> Any:
        assert request.POST is not None
        return get_response(request)

    return respond


@pytest.mark.parametrize("query", ["", "?token"])
@pytest.mark.parametrize("ask", [ask_wsgi, ask_asgi])
def test_form_that_was_read_before_is_there(
    ask: Callable[..., Answer], query: str
) -> None:
    """Of a form in parts Django keeps no body; the page reads what it has read."""
    reader = f"{__name__}.{read_post.__name__}"
    body = (
        '--b\r\nContent-Disposition: form-data; name="token"\r\n\r\n'
        f"{make_token(TokenKind.PAGE)}\r\n--b--\r\n"
    )
    headers = {"Content-Type": "multipart/form-data; boundary=b"}

    with override_settings(MIDDLEWARE=[reader, TRUSTED_PROXY]):
        answer = ask(PAGE + query, method="POST", body=body.encode(), headers=headers)

    assert answer.status == 303


class BrokenInput(BytesIO):
    """The body of a client that has gone."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Fail, as servers do."""
        raise OSError("the connection is gone")


def test_form_that_breaks_off_is_none() -> None:
    """Nobody is there to whom a mistake of the server could be said."""
    variables: Any = {"CONTENT_LENGTH": "9", "wsgi.input": BrokenInput()}
    answer = ask_wsgi(PAGE, method="POST", **variables)

    assert answer.status == 403


@pytest.mark.parametrize(
    ("active", "superuser", "status"),
    [(True, True, 200), (True, False, 403), (False, True, 403)],
)
def test_superusers_see_the_page(active: bool, superuser: bool, status: int) -> None:
    """And nobody else who has logged in."""
    request = RequestFactory().get(PAGE, REMOTE_ADDR="10.0.0.9")
    user: Any = SimpleNamespace(is_active=active, is_superuser=superuser, pk=1)
    request.user = user

    assert views.page(request).status_code == status


def test_view_asks_for_no_login_by_itself() -> None:
    """Where all views need one, the page has its own guard."""
    marks = vars(views.page)
    assert (marks["login_required"], marks["csrf_exempt"]) == (False, True)


def test_probe_token_opens_json(ask: Callable[..., Answer]) -> None:
    """What the application saw."""
    token = make_token(TokenKind.PROBE)
    headers = {"X-Forwarded-For": "203.0.113.7", "Trusted-Proxy-Token": token}

    said = json.loads(ask(PAGE, headers=headers).body)

    assert said["decision"]["client"] == "203.0.113.7"
    assert said["explanation"]["peer"]["trusted"] is True


def test_mistake_in_the_page_leaves_the_project_alone(
    ask: Callable[..., Answer],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is logged, and the request goes on to its view."""
    monkeypatch.setattr(page_module, "read_framework", lambda: 1 / 0)
    with override_settings(MIDDLEWARE=[TRUSTED_PROXY]):
        answer = ask(f"/echo{PAGE}?token", method="POST", body=b"a=b")

    assert (answer.status, answer.body) == (200, b"a=b")
    assert "the page failed" in caplog.text


def test_page_opens_early_at_a_path_outside_of_ascii(
    ask: Callable[..., Answer],
) -> None:
    """Before the view: what rejects the request does not keep it shut."""
    with override_settings(
        ROOT_URLCONF=f"{__package__}.umlaut_page_urls", TRUSTED_PROXY_MISSING="reject"
    ):
        assert ask("/%C3%BC/").status == 400
        assert ask("/%C3%BC/?token").status == 200


def test_wrapper_looks_for_the_page_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the first request, when all URLs are there."""
    looked: list[int] = []

    def look() -> tuple[str, ...]:
        looked.append(1)
        return (PAGE,)

    monkeypatch.setattr(early, "list_ends", look)
    wsgi, asgi = wrap_wsgi(WSGIHandler()), wrap_asgi(ASGIHandler())

    for _ in range(2):
        copy_context().run(call_wsgi, wsgi, make_environ("/facts/"))
        asyncio.run(call_asgi(asgi, make_scope("/facts/")))

    assert len(looked) == 2


def test_requests_of_others_go_on(ask: Callable[..., Answer]) -> None:
    """A path of the project's own that ends like the page's."""
    headers = {"Cookie": "trustedproxy_page=old"}

    answer = ask(f"/echo{PAGE}", headers=headers)

    assert (answer.status, answer.body) == (200, b"empty")


@pytest.mark.parametrize(
    ("urls", "ends"),
    [
        (URLS, (PAGE,)),
        (f"{__package__}.umlaut_page_urls", ("/ü/", "/Ã¼/")),
        (f"{__package__}.root_page_urls", ()),
        (f"{__package__}.urls", ()),
        ("there.is.no.such.module", ()),
    ],
)
def test_page_is_found_in_the_urls(urls: str, ends: tuple[str, ...]) -> None:
    """Wherever it is included; none, the site's root and a mistake are no path."""
    with override_settings(ROOT_URLCONF=urls):
        assert early.list_ends() == ends


@pytest.mark.parametrize("prefix", ["/ü/", "/%C3%BC/", "/a b/", "/"])
def test_page_is_found_below_any_script_prefix(prefix: str) -> None:
    """``FORCE_SCRIPT_NAME`` may have what a URL has to quote."""
    early._find.cache_clear()
    set_script_prefix(prefix)
    try:
        assert early.list_ends() == (PAGE,)
        assert early.find_page_path() == PAGE
    finally:
        clear_script_prefix()
        early._find.cache_clear()


def test_system_checks_lead_to_the_page() -> None:
    """Every hint of theirs, in a project that has it."""
    with override_settings(MIDDLEWARE=[]):
        with_page = checks.check_settings(None)
        with override_settings(ROOT_URLCONF=f"{__package__}.urls"):
            without = checks.check_settings(None)

    assert [m.id for m in with_page] == [m.id for m in without] != []
    look = " The page at /trustedproxy/ shows what becomes of a request."
    assert [m.hint for m in with_page] == [f"{m.hint}{look}" for m in without]


# -- where used tokens are kept --------------------------------------------------------


def test_file_comes_before_the_cache() -> None:
    """Who names one means it."""
    assert isinstance(find_uses(), FileUses)


class Memcached(BaseMemcachedCache):
    """A project's own kind of Memcached."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        # What nothing connects with.
        library: Any = SimpleNamespace(Client=None)
        super().__init__(server, params, library, KeyError)

    def close(self, **_: Any) -> None:
        """Close nothing: there is no connection."""


@pytest.mark.parametrize(
    "settings", [REDIS, {"BACKEND": f"{__name__}.Memcached"}], ids=["Redis", "own"]
)
def test_cache_that_counts_keeps_used_tokens(settings: dict[str, Any]) -> None:
    """For all processes, and all machines."""
    with override_settings(TRUSTED_PROXY_TOKEN_FILE=None, CACHES={"default": settings}):
        assert isinstance(find_uses(), CacheUses)


def test_cache_counts_used_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page token once, a probe token so many times."""
    monkeypatch.setattr(page_module, "cache", LocMemCache("used", {}))
    uses = CacheUses()

    assert [uses.take("page", 1, 0) for _ in range(3)] == [True, False, False]
    assert [uses.take("probe", 2, 0) for _ in range(3)] == [True, True, False]


def test_token_that_the_cache_has_lost_meanwhile_opens_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A cache that throws things out is no reason to let anybody in."""
    cache = SimpleNamespace(add=lambda *a: False, incr=lambda key: int("lost"))
    monkeypatch.setattr(page_module, "cache", cache)

    assert not CacheUses().take("probe", 2, 0)


@pytest.mark.parametrize(
    "backend",
    [
        "locmem.LocMemCache",
        "dummy.DummyCache",
        "filebased.FileBasedCache",
        "db.DatabaseCache",
    ],
)
def test_other_cache_keeps_no_tokens(backend: str, tmp_path: Path) -> None:
    """No token can be made then, and the error says what to set."""
    location = str(tmp_path / "cache")
    caches = {"default": {"BACKEND": f"{BACKENDS}.{backend}", "LOCATION": location}}
    with override_settings(TRUSTED_PROXY_TOKEN_FILE=None, CACHES=caches):
        assert find_uses() is None
        with pytest.raises(ConfigurationError, match="TRUSTED_PROXY_TOKEN_FILE"):
            make_token(TokenKind.PAGE)
        with pytest.raises(Exception, match="secret"):
            make_page().make_token()


def test_refuses_token_with_a_short_secret_key() -> None:
    """The page is there, for those who need no token."""
    with override_settings(SECRET_KEY="short"):
        with pytest.raises(ConfigurationError, match="SECRET_KEY"):
            make_token(TokenKind.PAGE)
        with override_settings(DEBUG=True):
            assert ask_wsgi(PAGE).status == 200


# -- the command -----------------------------------------------------------------------


def run(*arguments: str) -> tuple[str, str]:
    """Run the command, and return what it prints on both outputs."""
    stdout, stderr = StringIO(), StringIO()
    call_command("trustedproxy", "token", *arguments, stdout=stdout, stderr=stderr)
    return stdout.getvalue(), stderr.getvalue()


def test_command_prints_a_token() -> None:
    """Alone on a line, so that it can be piped; the rest goes elsewhere."""
    token, said = run()

    assert post(ask_wsgi, {"token": token.strip()}).status == 303
    assert "/trustedproxy/?token" in said
    assert token.strip() not in said


def test_command_prints_a_probe_token() -> None:
    """For the program that asks."""
    token, said = run("--probe")

    headers = {"Trusted-Proxy-Token": token.strip()}
    assert ask_wsgi(PAGE, headers=headers).status == 200
    assert said == ""


def test_command_says_that_there_is_no_page() -> None:
    """And what to write into the URLs."""
    with override_settings(ROOT_URLCONF=f"{__package__}.urls"):
        token, said = run()

    assert token
    assert "include('django_trustedproxy.urls')" in said


def test_command_says_what_is_missing() -> None:
    """Without a traceback."""
    stderr = StringIO()

    with (
        override_settings(TRUSTED_PROXY_TOKEN_FILE=None),
        pytest.raises(CommandError, match="exit status is 2"),
    ):
        call_command("trustedproxy", "token", stderr=stderr)

    assert stderr.getvalue().startswith("Error: TRUSTED_PROXY_TOKEN_FILE: None is not")


# -- the panel -------------------------------------------------------------------------


def make_panel() -> TrustedProxyPanel:
    """Make the panel of a toolbar that keeps what it is given."""
    store = SimpleNamespace(save_panel=lambda *said: None)
    toolbar = SimpleNamespace(stats={}, store=store, request_id="1")
    return TrustedProxyPanel(toolbar, lambda request: HttpResponse())


@pytest.mark.parametrize("report_only", [False, True])
def test_panel_shows_the_request(report_only: bool) -> None:
    """The client below its name, and the page in a frame; all of it can be stored."""
    meta: Any = {"REMOTE_ADDR": "10.0.0.9", "HTTP_X_FORWARDED_FOR": "203.0.113.7"}
    request = RequestFactory().get("/a", **meta)
    with override_settings(TRUSTED_PROXY_REPORT_ONLY=report_only):
        get_settings().policy.apply(request.META)
        panel = make_panel()

        panel.generate_stats(request, HttpResponse())

    assert panel.title == "Trusted proxy"
    assert panel.nav_subtitle == "203.0.113.7"
    assert panel.content.startswith('<iframe title="Trusted proxy" srcdoc="&lt;!DOC')
    assert "203.0.113.7" in panel.content
    # The toolbar's own methods say nothing of their types.
    stats: Any = panel.get_stats()  # type: ignore[no-untyped-call]  # the toolbar's own
    assert json.dumps(stats)


@pytest.mark.parametrize("wrapped", [False, True])
def test_panel_shows_a_path_outside_of_ascii(wrapped: bool) -> None:
    """Django decodes the paths of an environ, before the policy or after it."""
    environ = make_environ(
        "/%E2%82%AC/%C3%BC",
        headers={"X-Forwarded-Prefix": "/app"},
        mount_point="/\u20ac".encode().decode("latin-1"),
    )
    names = {
        "TRUSTED_PROXY_HEADERS": ["X-Forwarded-Prefix"],
        "TRUSTED_PROXY_STRIP_MOUNT_POINT": True,
    }
    with override_settings(**names):
        policy = get_settings().policy
        if wrapped:
            policy.apply(environ)
            environ[WRAPPED] = True
        request = WSGIRequest(environ)
        if not wrapped:
            policy.apply(request.META)

        explanation = explain_request(get_settings(), read_request(request).read())

    assert explanation.connection["mount_point"] == "/â\x82¬"
    assert explanation.connection["path"] == "/â\x82¬/Ã¼"


def test_panel_says_that_the_client_is_unknown() -> None:
    """A trusted proxy sent no client."""
    panel = make_panel()

    panel.generate_stats(
        RequestFactory(REMOTE_ADDR="10.0.0.9").get("/"), HttpResponse()
    )

    assert panel.nav_subtitle == "client unknown"


def test_panel_shows_an_asynchronous_request() -> None:
    """Under ASGI the decision is in the scope."""
    scope = make_scope("/facts/", headers={"X-Forwarded-For": "203.0.113.7"})
    request = ASGIRequest(scope, BytesIO())
    policy = get_settings().policy
    _, request.scope = policy.apply_scope(scope)
    panel = make_panel()

    panel.generate_stats(request, HttpResponse())

    assert panel.nav_subtitle == "203.0.113.7"


# -- what it costs ---------------------------------------------------------------------


def test_nothing_is_loaded_before_it_is_asked_for() -> None:
    """A project without the page, and one whose page nobody has asked for."""
    code = """
import sys
from django.conf import settings
settings.configure(ROOT_URLCONF="urls", ALLOWED_HOSTS=["*"], SECRET_KEY="x" * 20,
    TRUSTED_PROXY_HEADERS=["X-Forwarded-For"], TRUSTED_PROXIES=["10.0.0.0/8"],
    MIDDLEWARE=["django_trustedproxy.middleware.TrustedProxyMiddleware"])
import django, types
django.setup()
from django.urls import include, path
urls = sys.modules["urls"] = types.ModuleType("urls")
urls.urlpatterns = [path("page/", include("django_trustedproxy.urls"))]
from django.test import Client
Client().get("/")
print(*sys.modules)
Client().get("/page/")
print(*sys.modules)
"""
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    before, after = (set(line.split()) for line in answer.stdout.splitlines())

    assert "django_trustedproxy.page" not in before
    assert "trustedproxy.report.page" not in before
    assert "trustedproxy.report.page" in after


def test_token_is_never_logged(
    ask: Callable[..., Answer], caplog: pytest.LogCaptureFixture
) -> None:
    """Neither a good one nor a bad one."""
    caplog.set_level(logging.DEBUG)
    token = make_token(TokenKind.PAGE)

    post(ask, {"token": token})
    post(ask, {"token": token})
    ask(PAGE, headers={"Trusted-Proxy-Token": token})

    assert token not in caplog.text
