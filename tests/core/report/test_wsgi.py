"""
The page in WSGI: mounted, and around a whole application.

In:  environs.
Out: what a server gets.
"""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import Any
from wsgiref.validate import validator

import pytest

from trustedproxy.report import MemoryUses, Page
from trustedproxy.report.visits import MOST_BYTES
from trustedproxy.wsgi_text import spell_path

from .making import PATH, SECRET, make_environ, make_page, make_settings


def ask(app: Any, **keys: Any) -> tuple[str, dict[str, str], bytes]:
    """Ask an application, as a server does that looks at every rule of PEP 3333."""
    seen: list[Any] = []

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        seen[:] = [status, dict(headers)]
        return lambda data: None

    environ = {
        "wsgi.version": (1, 0),
        "wsgi.input": BytesIO(),
        "wsgi.errors": __import__("sys").stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "SERVER_PROTOCOL": "HTTP/1.1",
        **make_environ(**keys),
    }
    body: Any = validator(app)(environ, start_response)
    try:
        return seen[0], seen[1], b"".join(body)
    finally:
        body.close()


def post(body: bytes) -> dict[str, Any]:
    """Make the keys of a request that sends a form."""
    return {
        "REQUEST_METHOD": "POST",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
    }


def inner(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer with the body, as an application that is there by itself."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"application:" + body]


def test_page_is_mounted() -> None:
    """It is a whole application."""
    page = make_page()
    token = page.make_token()

    assert ask(page.wsgi)[0] == "403 Forbidden"
    status, headers, _ = ask(page.wsgi, **post(f"token={token}".encode()))
    assert status == "303 See Other"
    cookie = headers["Set-Cookie"].partition(";")[0]
    status, _, body = ask(page.wsgi, HTTP_COOKIE=cookie)
    assert status == "200 OK"
    assert b"203.0.113.7" in body


def test_head_has_no_body() -> None:
    """As every answer to it."""
    page = make_page()

    status, headers, body = ask(page.wsgi, REQUEST_METHOD="HEAD")

    assert (status, body) == ("403 Forbidden", b"")
    assert int(headers["Content-Length"]) > 0


def test_other_requests_are_the_applications() -> None:
    """Another path, and the page's own without anything that opens it."""
    app = make_page().wrap_wsgi(inner)

    assert ask(app, PATH_INFO="/")[2] == b"application:"
    assert ask(app)[2] == b"application:"
    assert ask(app, HTTP_COOKIE="trustedproxy_page=old")[2] == b"application:"


@pytest.mark.parametrize("front", ["", "/app", "/app/app"])
def test_page_is_found_below_whatever_stands_in_front(front: str) -> None:
    """A mount point too many is what people come to find out."""
    app = make_page().wrap_wsgi(inner)

    status, _, body = ask(app, PATH_INFO=front + PATH, QUERY_STRING="token")

    assert status == "200 OK"
    assert b"Open the page" in body


def test_page_at_a_path_outside_of_ascii_is_found() -> None:
    """WSGI has bytes in the place of characters."""
    page = Page(make_settings(), secret=SECRET, uses=MemoryUses(), path="/ü/")

    _, _, body = ask(
        page.wrap_wsgi(inner), PATH_INFO=spell_path("/ü/"), QUERY_STRING="token"
    )

    assert b"Open the page" in body


def test_body_of_a_request_that_goes_on_is_not_lost() -> None:
    """Whoever held a session once sends the application's own forms, too."""
    app = make_page().wrap_wsgi(inner)

    for body in (b"a=b", b"a" * (MOST_BYTES + 1)):
        keys = {**post(body), "HTTP_COOKIE": "trustedproxy_page=old"}
        assert ask(app, **keys)[2] == b"application:" + body


def test_mistake_in_the_page_leaves_the_application_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, with its code, and the application answers, body and all."""
    page = make_page()
    monkeypatch.setattr(page, "answer_early", lambda visit: 1 / 0)
    app = page.wrap_wsgi(inner)

    answered = ask(app, **post(b"a=b"), QUERY_STRING="token")[2]

    assert answered == b"application:a=b"
    # Whoever makes it fail again and again does not fill the log (H-21).
    assert ask(app, QUERY_STRING="token")[2] == b"application:"
    (record,) = caplog.records
    assert "the page failed" in record.getMessage()
    assert vars(record)["code"] == "page-failed"


@pytest.mark.parametrize("length", ["", "0", "-1", "abc", "\u0663", "9" * 5000])
def test_length_that_is_none_has_no_body(length: str) -> None:
    """Nothing is waited for."""
    page = make_page()
    keys = {**post(b"token=a"), "CONTENT_LENGTH": length}
    del keys["wsgi.input"]

    environ = make_environ(**keys)
    seen: list[str] = []

    def start_response(status: str, headers: object) -> Any:
        seen.append(status)

    body = page.wsgi(environ, start_response)

    assert seen == ["403 Forbidden"]
    assert b"This token" not in b"".join(body)
