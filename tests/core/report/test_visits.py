"""
Requests for the page, and what of them opens it.

In:  environs and scopes.
Out: visits.
"""

from __future__ import annotations

from typing import Any

import pytest

from trustedproxy.report.visits import (
    COOKIE,
    MOST_FIELDS,
    may_open_environ,
    may_open_scope,
    read_fields,
    read_visit_of_environ,
    read_visit_of_scope,
)

from .making import make_environ, make_scope, make_settings

POLICY = make_settings().policy


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, False),
        ({"QUERY_STRING": "token"}, True),
        ({"QUERY_STRING": "token=abc"}, False),
        ({"HTTP_TRUSTED_PROXY_TOKEN": "abc"}, True),
        ({"HTTP_COOKIE": f"a=b; {COOKIE}=c"}, True),
        ({"HTTP_COOKIE": "a=b"}, False),
    ],
)
def test_request_may_open_the_page(keys: dict[str, Any], expected: bool) -> None:
    """A query that asks for the form, a token in a header, the page's cookie."""
    assert may_open_environ(make_environ(**keys)) is expected
    assert may_open_scope(make_scope_of(keys)) is expected


def make_scope_of(keys: dict[str, Any]) -> dict[str, Any]:
    """Make the scope that says the same as the keys of an environ."""
    lines = [
        (key.removeprefix("HTTP_").replace("_", "-").lower().encode(), text.encode())
        for key, text in keys.items()
        if key.startswith("HTTP_")
    ]
    query = keys.get("QUERY_STRING", "").encode()
    return make_scope(*lines, query_string=query)


@pytest.mark.parametrize("surface", ["wsgi", "asgi"])
def test_visit_has_what_the_request_says(surface: str) -> None:
    """Both ways in read the same."""
    keys = {
        "QUERY_STRING": "token",
        "HTTP_TRUSTED_PROXY_TOKEN": "abc",
        "HTTP_COOKIE": f"a=b; {COOKIE}=c",
        "HTTP_ACCEPT": "application/json, */*",
        "HTTP_ORIGIN": "https://app.example",
    }
    body = b"token=a%20b&form=&x=%ff"
    if surface == "wsgi":
        visit = read_visit_of_environ(POLICY, make_environ(**keys), read_fields(body))
    else:
        visit = read_visit_of_scope(POLICY, make_scope_of(keys), read_fields(body))

    assert visit.asks_for_form
    assert visit.token == "abc"
    assert visit.session == "c"
    assert visit.wants_json
    assert visit.origin == "https://app.example"
    assert not visit.secure
    assert visit.fields == {"token": "a b", "form": "", "x": "\ufffd"}
    assert visit.read().headers["X-Forwarded-For"] == "203.0.113.7"


def test_cookies_in_several_lines_are_read() -> None:
    """HTTP/2 may send them like that."""
    scope = make_scope((b"cookie", b"a=b"), (b"cookie", f"{COOKIE}=c".encode()))

    assert read_visit_of_scope(POLICY, scope).session == "c"


@pytest.mark.parametrize("cookies", ["", "a=b", f"{COOKIE}", "a[]=b;; \x00=c"])
def test_session_is_nothing_where_there_is_none(cookies: str) -> None:
    """Whatever an application's cookies are."""
    visit = read_visit_of_environ(POLICY, make_environ(HTTP_COOKIE=cookies))

    assert visit.session == ""


def test_cookie_that_cannot_be_read_is_no_session() -> None:
    """A name that is illegal raises nothing here."""
    visit = read_visit_of_environ(POLICY, make_environ(HTTP_COOKIE="a:b=c; d@=e"))

    assert visit.session == ""


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff", b"&".join(b"a=b" for _ in range(MOST_FIELDS + 1))],
    ids=["empty", "not ASCII", "too many"],
)
def test_form_that_is_not_ours_is_empty(body: bytes) -> None:
    """It is not taken apart any further."""
    assert read_fields(body) == {}


def test_scope_without_the_usual_keys_is_read() -> None:
    """A server may leave out what is empty."""
    scope = make_scope()
    del scope["query_string"], scope["method"], scope["raw_path"]
    del scope["headers"]

    visit = read_visit_of_scope(POLICY, scope)

    assert (visit.method, visit.query, visit.cookies) == ("GET", "", "")
    assert not may_open_scope(scope)
