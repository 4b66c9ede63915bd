"""
The page in a Flask application: who is let in, and that it opens where nothing does.

In:  requests through the extension, and through `wrap_wsgi`.
Out: the page, the form, or what the application answers without a page.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask, abort, request
from werkzeug.test import Client

from flask_trustedproxy import TrustedProxy, views, wrap_wsgi
from flask_trustedproxy.views import find_ends, make_page, make_token, page
from trustedproxy import ConfigurationError
from trustedproxy.report import TokenKind

from .conftest import POLICY, PROXY, STRANGER, make_bare_app

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

PAGE = "/trustedproxy/"


def make_app(tmp_path: Path | None = None, **config: Any) -> Flask:
    """Make an application with the page, whose tokens are kept in a file."""
    if tmp_path is not None:
        config["TRUSTED_PROXY_TOKEN_FILE"] = str(tmp_path / "tokens.sqlite3")
    app = make_bare_app(**{**POLICY, **config})
    TrustedProxy(app)
    app.register_blueprint(page, url_prefix="/trustedproxy")
    return app


class Browser:
    """
    Asks an application from the proxy, and keeps cookies.

    Args:
        app: The application.

        wrapped: Whether the server has `wrap_wsgi` around it.
    """

    def __init__(self, app: Flask, *, wrapped: bool = False) -> None:
        self.app = app
        self.client = Client(wrap_wsgi(app) if wrapped else app)

    def get(self, path: str = PAGE, **options: Any) -> TestResponse:
        """Ask for the page."""
        return self.client.get(path, environ_base={"REMOTE_ADDR": PROXY}, **options)

    def post(self, path: str = f"{PAGE}?token", /, **fields: str) -> TestResponse:
        """Send a form."""
        return self.client.post(path, environ_base={"REMOTE_ADDR": PROXY}, data=fields)

    def enter(self) -> TestResponse:
        """Exchange a token."""
        return self.post(token=make_token(self.app, TokenKind.PAGE))


@pytest.fixture(params=[False, True], ids=["extension", "wrapped"])
def wrapped(request: pytest.FixtureRequest) -> bool:
    """Both ways around an application."""
    return bool(request.param)


def test_nobody_sees_the_page(tmp_path: Path, wrapped: bool) -> None:
    """Without a token there is the form in which one is entered."""
    browser = Browser(make_app(tmp_path), wrapped=wrapped)

    for path, status in ((PAGE, 403), (f"{PAGE}?token", 200)):
        answer = browser.get(path)

        assert answer.status_code == status
        assert 'name="token"' in answer.text


def test_token_opens_the_page_once(tmp_path: Path, wrapped: bool) -> None:
    """It is exchanged for a cookie."""
    app = make_app(tmp_path)
    browser = Browser(app, wrapped=wrapped)
    token = make_token(app, TokenKind.PAGE)

    first, second = (browser.post(token=token) for _ in range(2))

    assert (first.status_code, second.status_code) == (303, 403)
    shown = browser.get(headers={"X-Forwarded-For": "203.0.113.7"})
    assert shown.status_code == 200
    assert "203.0.113.7" in shown.text


@pytest.mark.parametrize(
    "config",
    [
        pytest.param({"TRUSTED_PROXY_HTTPS_ONLY": True}, id="redirected"),
        pytest.param({"TRUSTED_PROXY_MISSING": "reject"}, id="rejected"),
        pytest.param({"BREAKS": True}, id="refused by the application"),
    ],
)
def test_page_opens_where_nothing_else_does(
    config: dict[str, Any], tmp_path: Path, wrapped: bool
) -> None:
    """The form, the exchange and the page, before any redirect or refusal."""
    app = make_app(tmp_path, **config)
    if app.config.get("BREAKS"):
        app.before_request(lambda: abort(400))
    browser = Browser(app, wrapped=wrapped)

    assert browser.get("/").status_code in (301, 400)
    assert browser.get(f"{PAGE}?token").status_code == 200
    assert browser.enter().status_code == 303
    assert browser.get().status_code == 200


def test_page_shows_the_truth_in_report_only_mode(
    tmp_path: Path, wrapped: bool
) -> None:
    """What would be changed, and that it is not."""
    app = make_app(tmp_path, TRUSTED_PROXY_REPORT_ONLY=True)
    browser = Browser(app, wrapped=wrapped)
    browser.enter()

    text = browser.get(headers={"X-Forwarded-For": "203.0.113.7"}).text

    assert "In report-only mode" in text
    assert "203.0.113.7" in text


def test_page_is_open_in_debug_mode(wrapped: bool) -> None:
    """It shows the request as it came, though the extension has rewritten it."""
    app = make_app()
    app.debug = True
    headers = {"X-Forwarded-For": "6.6.6.6, 203.0.113.7", "X-Real-IP": "1.2.3.4"}

    text = Browser(app, wrapped=wrapped).get(headers=headers).text

    for shown in ("6.6.6.6", "1.2.3.4", PROXY, "cut off"):
        assert shown in text


@pytest.mark.parametrize("key", ["a key of these tests", None])
def test_request_in_the_box_is_explained(key: str | None) -> None:
    """The form has a token of the page's own, whatever the application's key."""
    app = make_app()
    app.secret_key = key
    app.debug = True
    browser = Browser(app)
    form = browser.get().text.partition('name="form" value="')[2].partition('"')[0]

    tried = browser.post(
        PAGE, form=form, peer=STRANGER, headers="X-A: 192.0.2.99", path="/\u20ac"
    )

    assert "This is what would happen" in tried.text
    assert STRANGER in tried.text


def test_form_that_was_read_before_is_there(tmp_path: Path) -> None:
    """An extension against CSRF has looked for its own token in it."""
    app = make_app(tmp_path)
    app.before_request(lambda: request.form.get("csrf_token"))
    browser = Browser(app)

    answer = browser.post(PAGE, token=make_token(app, TokenKind.PAGE))

    assert answer.status_code == 303


def test_form_that_is_too_long_is_not_read(tmp_path: Path) -> None:
    """Nobody makes the server read megabytes."""
    app = make_app(tmp_path)

    answer = Browser(app).post(
        PAGE, token=make_token(app, TokenKind.PAGE), a="b" * 70_000
    )

    assert answer.status_code == 403


def test_application_without_a_file_takes_no_token() -> None:
    """Which setting is missing is said where a token is made."""
    app = make_app()

    with pytest.raises(ConfigurationError, match="TRUSTED_PROXY_TOKEN_FILE"):
        make_token(app, TokenKind.PAGE)
    assert Browser(app).post(PAGE, token="page.1.2.3").status_code == 403


@pytest.mark.parametrize("key", [None, "", "dev", "ü" * 8])
def test_application_without_a_good_key_takes_no_token(
    key: str | None, tmp_path: Path
) -> None:
    """Debug mode needs none."""
    app = make_app(tmp_path)
    app.secret_key = key

    with pytest.raises(ConfigurationError, match=r"^SECRET_KEY: .* 16 characters"):
        make_token(app, TokenKind.PAGE)
    assert Browser(app).get().status_code == 403
    app.debug = True
    assert Browser(app).get().status_code == 200


def test_probe_token_opens_json(tmp_path: Path, wrapped: bool) -> None:
    """What the application saw."""
    app = make_app(tmp_path)
    headers = {
        "X-Forwarded-For": "203.0.113.7",
        "Trusted-Proxy-Token": make_token(app, TokenKind.PROBE),
    }

    said = json.loads(Browser(app, wrapped=wrapped).get(headers=headers).text)

    assert said["decision"]["client"] == "203.0.113.7"


def test_mistake_in_the_page_leaves_the_application_alone(
    tmp_path: Path,
    wrapped: bool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is logged, and the request goes on to its view."""
    monkeypatch.setattr(views, "make_page", lambda app: 1 / 0)
    browser = Browser(make_app(tmp_path), wrapped=wrapped)

    answer = browser.get(f"/a{PAGE}?token")

    assert answer.status_code == 200
    assert answer.get_json()["path"] == f"/a{PAGE}"
    assert "the page failed" in caplog.text


@pytest.mark.parametrize(
    ("prefix", "ends"),
    [("/page", ("/page/",)), (None, ()), ("/<lang>", ())],
)
def test_page_is_found_among_the_rules(
    prefix: str | None, ends: tuple[str, ...]
) -> None:
    """Under any prefix; the site's root and a variable are no end of a path."""
    app = make_bare_app(**POLICY)
    app.register_blueprint(page, url_prefix=prefix)

    assert find_ends(app) == ends


def test_page_opens_early_at_a_path_outside_of_ascii(wrapped: bool) -> None:
    """Before the view: what rejects the request does not keep it shut."""
    app = make_bare_app(**POLICY, TRUSTED_PROXY_MISSING="reject")
    app.config["TRUSTED_PROXY_TOKEN_FILE"] = "/run/app/tokens.sqlite3"
    TrustedProxy(app)
    app.register_blueprint(page, url_prefix="/ü")
    browser = Browser(app, wrapped=wrapped)

    assert browser.get("/ü/").status_code == 400
    assert browser.get("/ü/?token").status_code == 200


def test_application_without_the_page_has_none() -> None:
    """Another application may have it."""
    app = make_bare_app(**POLICY)
    TrustedProxy(app)

    answer = Browser(app).get(f"{PAGE}?token")

    assert answer.status_code == 200
    assert answer.get_json()["path"] == PAGE


def test_nothing_is_loaded_before_it_is_asked_for() -> None:
    """An application without the page, and one whose page nobody has asked for."""
    code = """
import sys
from flask import Flask
from flask_trustedproxy import TrustedProxy
def make():
    app = Flask("app")
    app.config.update(TRUSTED_PROXY_HEADERS=["X-Forwarded-For"], TRUSTED_PROXIES="*")
    TrustedProxy(app)
    return app
make().test_client().get("/")
print(*sys.modules)
from flask_trustedproxy.views import page
app = make()
app.register_blueprint(page, url_prefix="/page")
app.test_client().get("/")
print(*sys.modules)
app.test_client().get("/page/")
print(*sys.modules)
"""
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    without, before, after = (set(li.split()) for li in answer.stdout.splitlines())

    assert "flask_trustedproxy.views" not in without
    assert "trustedproxy.report.page" not in before
    assert "trustedproxy.report.page" in after


# -- the command -----------------------------------------------------------------------


def run(app: Flask, *arguments: str) -> tuple[int, str, str]:
    """Run the command: its exit status, and both of its outputs."""
    runner = app.test_cli_runner()
    result = runner.invoke(args=["trustedproxy", "token", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_command_prints_a_token(tmp_path: Path) -> None:
    """Alone on a line, so that it can be piped; the rest goes elsewhere."""
    app = make_app(tmp_path)

    status, token, said = run(app)

    assert status == 0
    assert "/trustedproxy/?token" in said
    assert Browser(app).post(token=token.strip()).status_code == 303


def test_command_prints_a_probe_token(tmp_path: Path) -> None:
    """For the program that asks."""
    app = make_app(tmp_path)

    _, token, said = run(app, "--probe")

    headers = {"Trusted-Proxy-Token": token.strip()}
    assert Browser(app).get(headers=headers).status_code == 200
    assert said == ""


def test_command_says_that_there_is_no_page(tmp_path: Path) -> None:
    """And what to write."""
    file = str(tmp_path / "tokens.sqlite3")
    app = make_bare_app(**POLICY, TRUSTED_PROXY_TOKEN_FILE=file)
    TrustedProxy(app)

    assert "register_blueprint" in run(app)[2]


def test_command_says_what_is_missing() -> None:
    """Without a traceback."""
    status, _, said = run(make_app())

    assert status == 2
    assert "TRUSTED_PROXY_TOKEN_FILE" in said


def test_page_asks_for_the_extension() -> None:
    """Without it there is no policy to show."""
    with pytest.raises(KeyError, match="trustedproxy"):
        make_page(make_bare_app())
