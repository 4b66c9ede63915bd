"""
Who sees what.

In:  visits: with nothing, with tokens, with sessions, with forms.
Out: the page, the form, JSON, or a refusal.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from trustedproxy import ConfigurationError
from trustedproxy.log import logger
from trustedproxy.report.page import Page
from trustedproxy.report.tokens import TokenKind
from trustedproxy.responses import Answer

from .making import (
    PEER,
    STRANGER,
    make_page,
    make_settings,
    make_visit,
    read_cookie,
    read_form,
    read_html,
)

KEY = "hush-hush-hush-hush"


def post(page: Page, fields: dict[str, str], **keys: Any) -> Answer:
    """Send a form to the page."""
    visit = make_visit(page, urlencode(fields).encode(), REQUEST_METHOD="POST", **keys)
    return page.answer(visit)


def open_page(page: Page) -> str:
    """Exchange a token, and return the cookie."""
    return read_cookie(post(page, {"token": page.make_token()}))


def test_nobody_sees_the_page() -> None:
    """Without a token there is the form in which one is entered."""
    answer = make_page().answer(make_visit(make_page()))

    assert answer.status == 403
    assert 'name="token"' in read_html(answer)
    assert "203.0.113.7" not in read_html(answer)


def test_token_in_the_form_is_exchanged_for_a_cookie() -> None:
    """Short-lived, for this page alone, out of every script's reach."""
    page = make_page()

    answer = post(page, {"token": page.make_token()})

    assert answer.status == 303
    headers = dict(answer.headers)
    assert headers["Location"] == "./"
    cookie = headers["Set-Cookie"].split("; ")
    assert cookie[0].startswith("trustedproxy_page=session.")
    assert cookie[1:] == ["Max-Age=900", "HttpOnly", "SameSite=Strict"]


@pytest.mark.parametrize(
    ("keys", "secure"),
    [
        ({}, False),
        ({"wsgi.url_scheme": "https"}, True),
        ({"HTTP_ORIGIN": "https://app.example"}, True),
        ({"HTTP_ORIGIN": "http://app.example"}, False),
    ],
)
def test_cookie_is_secure_where_the_browser_is(
    keys: dict[str, str], secure: bool
) -> None:
    """The browser's origin says so even where the application does not know."""
    page = make_page()

    answer = post(page, {"token": page.make_token()}, **keys)

    assert dict(answer.headers)["Set-Cookie"].endswith("Secure") is secure


def test_session_sees_the_page() -> None:
    """With what becomes of this very request."""
    page = make_page()
    cookie = open_page(page)

    answer = page.answer(make_visit(page, HTTP_COOKIE=cookie))

    assert answer.status == 200
    assert "203.0.113.7" in read_html(answer)
    assert cookie.partition("=")[2] not in read_html(answer)


@pytest.mark.parametrize("token", ["", "page.1.2.3"])
def test_token_that_is_no_good_is_refused(token: str) -> None:
    """The form is shown again, and says so."""
    answer = post(make_page(), {"token": token})

    assert answer.status == 403
    assert "This token is not good" in read_html(answer)
    assert "Set-Cookie" not in dict(answer.headers)


def test_token_in_a_url_opens_nothing() -> None:
    """It would end up in logs and histories."""
    page = make_page()
    query = urlencode({"token": page.make_token()})

    answer = page.answer(make_visit(page, QUERY_STRING=query))

    assert answer.status == 403


def test_token_in_a_header_opens_the_page_once() -> None:
    """For curl; a session comes with it."""
    page = make_page()
    token = page.make_token()

    answer = page.answer(make_visit(page, HTTP_TRUSTED_PROXY_TOKEN=token))
    again = page.answer(make_visit(page, HTTP_TRUSTED_PROXY_TOKEN=token))

    assert answer.status == 200
    assert read_cookie(answer).startswith("trustedproxy_page=session.")
    assert token not in read_html(answer)
    assert again.status == 403
    assert "page.1" not in again.body.decode()


def test_token_in_a_header_opens_json() -> None:
    """For scripts, with the session as well."""
    page = make_page()
    keys = {
        "HTTP_TRUSTED_PROXY_TOKEN": page.make_token(),
        "HTTP_ACCEPT": "application/json",
    }

    answer = page.answer(make_visit(page, **keys))

    assert json.loads(answer.body)["decision"]["client"] == "203.0.113.7"
    assert "Set-Cookie" in dict(answer.headers)


def test_session_may_ask_for_json() -> None:
    """The same as the page, as plain values."""
    page = make_page()
    keys = {"HTTP_COOKIE": open_page(page), "HTTP_ACCEPT": "application/json"}

    said = json.loads(page.answer(make_visit(page, **keys)).body)

    assert said["explanation"]["outcome"]["client"] == "203.0.113.7"


def test_probe_token_opens_what_the_application_saw() -> None:
    """The decision and its explanation, again and again for one run."""
    page = make_page()
    token = page.make_token(TokenKind.PROBE)

    for forwarded in ("203.0.113.7", "6.6.6.6, 203.0.113.8"):
        keys = {
            "HTTP_TRUSTED_PROXY_TOKEN": token,
            "HTTP_X_FORWARDED_FOR": forwarded,
        }
        answer = page.answer(make_visit(page, **keys))
        said = json.loads(answer.body)

        assert dict(answer.headers)["Content-Type"] == "application/json"
        assert said["decision"]["peer"] == PEER
        assert said["decision"]["client"] == forwarded.rpartition(" ")[2]
        assert said["explanation"]["variables"][0]["name"] == "client address"
        assert token not in answer.body.decode()


def test_probe_token_does_not_open_the_page() -> None:
    """It is handed to a program."""
    page = make_page()

    assert post(page, {"token": page.make_token(TokenKind.PROBE)}).status == 403


def test_answer_to_a_probe_masks_secrets() -> None:
    """Where they belong, and where they do not."""
    page = make_page(secret_header="X-Secret", secrets=[KEY], proxies="*")
    keys = {
        "HTTP_TRUSTED_PROXY_TOKEN": page.make_token(TokenKind.PROBE),
        "HTTP_X_SECRET": KEY,
        "HTTP_X_FORWARDED_FOR": f"{KEY}, 203.0.113.7",
        "HTTP_COOKIE": "a=crumb",
    }

    answer = page.answer(make_visit(page, **keys))

    assert KEY not in answer.body.decode()
    assert "crumb" not in answer.body.decode()
    assert json.loads(answer.body)["decision"]["peer_trusted"]


def test_page_masks_secrets() -> None:
    """In every part of it: values, the box, the log."""
    page = make_page(secret_header="X-Secret", secrets=[KEY], proxies="*")
    logger.warning("somebody logs %s", KEY)
    logger.warning("and the beginning: %s…", KEY[:-1])
    keys = {
        "HTTP_X_SECRET": KEY,
        "HTTP_X_REAL_IP": KEY,
        "HTTP_COOKIE": "a=crumb",
        "HTTP_AUTHORIZATION": "Basic crumb",
    }

    html = read_html(page.answer(make_visit(page, **keys), admitted="debug"))

    assert KEY[:4] not in html
    assert "crumb" not in html
    assert "somebody logs" in html


def test_whom_the_framework_lets_in_sees_the_page() -> None:
    """Without any token, even where none can be made."""
    page = make_page(secret=None)

    assert page.answer(make_visit(page), admitted="debug").status == 200
    assert page.answer(make_visit(page)).status == 403


def test_page_without_a_secret_takes_no_token() -> None:
    """Neither in a header nor in the form, and no cookie."""
    page, other = make_page(secret=None), make_page()
    token = other.make_token()

    keys = {"HTTP_TRUSTED_PROXY_TOKEN": token}
    assert page.answer(make_visit(page, **keys)).status == 403
    assert post(page, {"token": token}).status == 403
    cookie = {"HTTP_COOKIE": open_page(other)}
    assert page.answer(make_visit(page, **cookie)).status == 403
    assert page.answer_early(make_visit(page, QUERY_STRING="token")) is None
    with pytest.raises(ConfigurationError, match="secret"):
        page.make_token()


def test_request_in_the_box_is_explained() -> None:
    """Another peer and another header, and nothing of it stays."""
    page = make_page()
    cookie = open_page(page)
    html = read_html(page.answer(make_visit(page, HTTP_COOKIE=cookie)))
    fields = {
        "form": read_form(html),
        "peer": STRANGER,
        "headers": "X-Forwarded-For: 192.0.2.99",
    }

    tried = read_html(post(page, fields, HTTP_COOKIE=cookie))
    after = read_html(page.answer(make_visit(page, HTTP_COOKIE=cookie)))

    assert "This is what would happen" in tried
    assert STRANGER in tried
    assert "192.0.2.99" in tried
    assert "192.0.2.99" not in after


@pytest.mark.parametrize("form", ["", "1.2", "é"])
def test_form_without_its_token_tries_nothing(form: str) -> None:
    """Another site can send the form, and not its token."""
    page = make_page()
    fields = {"form": form, "headers": "X-Forwarded-For: 192.0.2.99"}

    html = read_html(post(page, fields, HTTP_COOKIE=open_page(page)))

    assert "The form was too old" in html
    assert "192.0.2.99" not in html


def test_form_of_another_session_tries_nothing() -> None:
    """Each has its own."""
    page = make_page()
    html = read_html(page.answer(make_visit(page, HTTP_COOKIE=open_page(page))))
    fields = {"form": read_form(html), "headers": "X-A: 192.0.2.99"}

    other = read_html(post(page, fields, HTTP_COOKIE=open_page(page)))

    assert "The form was too old" in other


def test_request_that_cannot_be_read_stays_in_the_box() -> None:
    """With what is wrong, so that it can be mended; a secret in it is masked."""
    page = make_page(secret_header="X-Secret", secrets=[KEY], proxies="*")
    cookie = open_page(page)
    html = read_html(page.answer(make_visit(page, HTTP_COOKIE=cookie)))
    fields = {"form": read_form(html), "headers": f"no header {KEY}"}

    shown = read_html(post(page, fields, HTTP_COOKIE=cookie))

    assert "not a header such as" in shown
    assert "no header (not shown)</textarea>" in shown
    assert KEY not in shown


def test_other_methods_are_refused() -> None:
    """The page is read, and its form is sent."""
    page = make_page()

    answer = page.answer(make_visit(page, REQUEST_METHOD="PUT"))

    assert answer.status == 405
    assert dict(answer.headers)["Allow"] == "GET, HEAD, POST"
    assert [name for name, _ in answer.headers].count("Cache-Control") == 1


@pytest.mark.parametrize(
    ("keys", "status"),
    [
        ({}, None),
        ({"HTTP_COOKIE": "trustedproxy_page=old"}, None),
        ({"QUERY_STRING": "token"}, 200),
        ({"HTTP_TRUSTED_PROXY_TOKEN": "no"}, 403),
    ],
)
def test_early_answer_is_for_those_who_hold_something(
    keys: dict[str, str], status: int | None
) -> None:
    """Everybody else's request is left alone."""
    page = make_page()

    answer = page.answer_early(make_visit(page, **keys))

    assert (None if answer is None else answer.status) == status


def test_early_answer_is_for_sessions() -> None:
    """The page, before everything."""
    page = make_page()

    answer = page.answer_early(make_visit(page, HTTP_COOKIE=open_page(page)))

    assert answer is not None
    assert answer.status == 200


def test_text_that_is_no_utf_8_is_sent() -> None:
    """A lone surrogate in a path does not stop the page."""
    page = make_page()
    visit = make_visit(page, PATH_INFO="/\udc80<b>")

    assert b"\\udc80&lt;b&gt;" in page.answer(visit, admitted="debug").body


def test_frame_shows_a_request() -> None:
    """For a panel of another page."""
    page = make_page()

    assert "203.0.113.7" in page.write_frame(page.explain(make_visit(page).read()))


@pytest.mark.parametrize("path", ["", "/", "page/", "/page"])
def test_refuses_path_without_slashes(path: str) -> None:
    """Such a path would be any request's, or none's."""
    with pytest.raises(ConfigurationError, match="path"):
        Page(make_settings(), path=path)


def test_refuses_secret_without_a_place_for_used_tokens() -> None:
    """Which setting names one is said."""
    with pytest.raises(ConfigurationError, match="TRUSTED_PROXY_TOKEN_FILE"):
        Page(make_settings(), secret="a secret that is long enough")


def test_file_for_used_tokens_is_that_of_the_settings(tmp_path: Path) -> None:
    """Two pages of two processes share it."""
    settings = make_settings(token_file=str(tmp_path / "tokens.sqlite3"))
    first = Page(settings, secret="a secret that is long enough")
    second = Page(settings, secret="a secret that is long enough")
    token = first.make_token()

    assert post(second, {"token": token}).status == 303
    assert post(first, {"token": token}).status == 403
