"""The two bare shells."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from trustedproxy import (
    ConfigurationError,
    HTTPSOnlyASGIMiddleware,
    HTTPSOnlyMiddleware,
    ProxyPolicy,
    TrustedProxyASGIMiddleware,
    TrustedProxyMiddleware,
)
from trustedproxy.https_only.loops import MANY

from ...attacks_https import (
    PROXY,
    STRANGER,
    Got,
    Row,
    make_environ,
    make_scope,
    run_asgi,
)
from .making import PLAIN_GOT, YEAR


def answer_wsgi(
    environ: dict[str, Any], start_response: Callable[..., object]
) -> Iterable[bytes]:
    """An application that starts twice where it fails, as PEP 3333 lets it."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/fails":
        try:
            raise LookupError
        except LookupError as error:
            exc_info = (type(error), error, error.__traceback__)
        start_response("500 Oops", [("Content-Type", "text/plain")], exc_info)
    return [b"hello"]


@pytest.mark.parametrize("middleware", [HTTPSOnlyMiddleware, HTTPSOnlyASGIMiddleware])
def test_shells_say_that_any_host_will_do(
    middleware: Callable[..., object], caplog: pytest.LogCaptureFixture
) -> None:
    """Without a host and allowed hosts, the log says once that nothing limits them."""
    middleware(None, allowed_hosts=["*"])
    middleware(None, host="a.example")
    assert caplog.records == []

    middleware(None)
    middleware(None, host=":8443")

    (record,) = caplog.records
    assert "TRUSTED_PROXY_HTTPS_HOST" in record.getMessage()


@pytest.mark.parametrize("middleware", [HTTPSOnlyMiddleware, HTTPSOnlyASGIMiddleware])
def test_shells_validate_at_once(middleware: Callable[..., object]) -> None:
    """A wrong argument is an error when the application is wrapped."""
    with pytest.raises(ConfigurationError, match="TRUSTED_PROXY_HTTPS_STATUS"):
        middleware(None, status=200)


@pytest.mark.parametrize("path", ["/", "/fails", "/open"])
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_wsgi_shell_keeps_the_protocol(path: str, scheme: str, method: str) -> None:
    """The WSGI shell does what PEP 3333 asks of servers and applications."""
    app = validator(
        HTTPSOnlyMiddleware(
            validator(answer_wsgi),
            hsts=YEAR,
            exempt=["/open"],
            allowed_hosts="www.example.com",
        )
    )
    environ: dict[str, Any] = {
        "HTTP_HOST": "www.example.com",
        "PATH_INFO": path,
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "wsgi.url_scheme": scheme,
    }
    setup_testing_defaults(environ)
    answers: list[tuple[str, dict[str, str]]] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], exc_info: object = None
    ) -> Callable[[bytes], object]:
        answers.append((status, dict(headers)))
        return lambda body: None

    # WSGI's types know no `close`.
    result: Any = app(environ, start_response)
    body = b"".join(result)
    result.close()

    for status, headers in answers:
        secure = scheme == "https"
        assert headers.get("Strict-Transport-Security") == (YEAR if secure else None)
        assert ("Location" in headers) == status.startswith("30")
    passes = scheme == "https" or path == "/open"
    assert (body == b"hello") == passes
    assert len(answers) == (2 if passes and path == "/fails" else 1)


def test_asgi_shell_lets_lifespan_through() -> None:
    """Scopes other than http and websocket reach the application as they are."""
    seen: list[object] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)
        await send({"type": "lifespan.startup.complete"})

    app = HTTPSOnlyASGIMiddleware(application, allowed_hosts="*")
    scope = {"type": "lifespan", "state": {}}
    with pytest.raises(KeyError):
        run_asgi(app, scope)  # it is no answer

    assert seen[0] is scope


@pytest.mark.parametrize("extensions", [None, {}, {"tls": {}}])
def test_asgi_websocket_denied_without_extension(
    extensions: dict[str, object] | None,
) -> None:
    """A server without the extension is told to close, which it answers with 403."""
    row = Row("S-65", "denied", Got(403), websocket=True)
    app = HTTPSOnlyASGIMiddleware(fail, allowed_hosts="*")

    assert run_asgi(app, make_scope(row, extensions=extensions)) == Got(403)


async def fail(scope: Any, receive: Any, send: Any) -> None:
    """An application that may not be reached."""
    raise AssertionError("reached")


def test_asgi_shell_sends_messages_on() -> None:
    """Only an answer's head gets the policy; the headers given stay as they are."""
    own: list[tuple[bytes, bytes]] = [(b"x-own", b"1")]

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": own})
        await send({"type": "http.response.body"})

    app = HTTPSOnlyASGIMiddleware(application, hsts=YEAR, allowed_hosts="*")
    scope = make_scope(Row("S-62", "secure", PLAIN_GOT))
    scope["scheme"] = "https"

    assert run_asgi(app, scope) == Got(204, hsts=(YEAR,))
    assert own == [(b"x-own", b"1")]


REPORTS = ProxyPolicy(
    headers=["X-Forwarded-Proto"], proxies=["10.0.0.0/8"], report_only=True
)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("peer", "said", "logged"),
    [(PROXY, "https", 0), (PROXY, "http", 1), (STRANGER, "https", None)],
)
def test_wsgi_shell_in_report_only_mode(
    peer: str,
    said: str,
    logged: int | None,
    scheme: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nothing is answered or sent; the client's scheme decides what is logged."""
    row = Row("S-62", "report only", PLAIN_GOT, peer=peer, scheme=said)
    environ = make_environ(row) | {"wsgi.url_scheme": scheme}
    app = HTTPSOnlyMiddleware(answer_wsgi, hsts=YEAR, allowed_hosts="*")
    answers: list[Any] = []

    def start_response(*words: Any) -> Any:
        answers.append(words)

    body = TrustedProxyMiddleware(app, REPORTS)(environ, start_response)

    assert list(body) == [b"hello"]
    assert answers == [("200 OK", [("Content-Type", "text/plain")])]
    # What a stranger says does not count, and its own connection does.
    expected = int(scheme == "http") if logged is None else logged
    assert count_reports(caplog) == expected


@pytest.mark.parametrize(("said", "logged"), [("https", 0), ("http", 1)])
def test_asgi_shell_in_report_only_mode(
    said: str, logged: int, caplog: pytest.LogCaptureFixture
) -> None:
    """The same in ASGI."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})

    row = Row("S-62", "report only", PLAIN_GOT, scheme=said)
    app = HTTPSOnlyASGIMiddleware(application, hsts=YEAR, allowed_hosts="*")

    got = run_asgi(TrustedProxyASGIMiddleware(app, REPORTS), make_scope(row))

    assert got == Got(204)
    assert count_reports(caplog) == logged


@pytest.mark.parametrize(("said", "status"), [("https", "204"), ("http", "301")])
def test_trial_beside_the_policy_in_force_switches_nothing_off(
    said: str, status: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A report counts where nothing was decided alone, in both shells (R16)."""
    decides = ProxyPolicy(headers=["X-Forwarded-Proto"], proxies=["10.0.0.0/8"])
    row = Row("S-62", "a trial", PLAIN_GOT, scheme=said)

    def answer(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("204 No Content", [])
        return []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})

    wsgi: Any = HTTPSOnlyMiddleware(answer, hsts=YEAR, allowed_hosts="*")
    asgi: Any = HTTPSOnlyASGIMiddleware(application, hsts=YEAR, allowed_hosts="*")
    for policy in (decides, REPORTS):
        wsgi = TrustedProxyMiddleware(wsgi, policy)
        asgi = TrustedProxyASGIMiddleware(asgi, policy)
    answers: list[Any] = []
    list(wsgi(make_environ(row), lambda *words: answers.append(words)))
    got = run_asgi(asgi, make_scope(row))

    ((line, headers),) = answers
    secure = said == "https"
    assert (line[:3], str(got.status)) == (status, status)
    assert (dict(headers).get("Strict-Transport-Security") == YEAR) is secure
    assert got.hsts == ((YEAR,) if secure else ())
    assert count_reports(caplog) == 0


def count_reports(caplog: pytest.LogCaptureFixture) -> int:
    """Count the records that say what HTTPS only would answer."""
    messages = [record.getMessage() for record in caplog.records]
    return sum("HTTPS only would answer 301" in text for text in messages)


def test_shells_note_secure_requests(caplog: pytest.LogCaptureFixture) -> None:
    """A proxy that says https of some requests is in no loop, by either shell."""
    policy = ProxyPolicy(headers=["X-Forwarded-Proto"], proxies=["10.0.0.0/8"])
    secure = Row("S-62", "secure", PLAIN_GOT, scheme="https")
    plain = Row("S-62", "plain", PLAIN_GOT)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})

    def start_response(*words: Any) -> Any: ...

    wsgi = TrustedProxyMiddleware(
        HTTPSOnlyMiddleware(answer_wsgi, allowed_hosts="*"), policy
    )
    asgi = TrustedProxyASGIMiddleware(
        HTTPSOnlyASGIMiddleware(application, allowed_hosts="*"), policy
    )
    for row in (secure, *[plain] * 2 * MANY):
        wsgi(make_environ(row), start_response)
        run_asgi(asgi, make_scope(row))

    assert caplog.records == []
