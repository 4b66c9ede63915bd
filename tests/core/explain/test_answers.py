"""
What answers in the application's place: rejection, HTTPS only, mount points, framework.

In:  settings, requests, what is known of a framework.
Out: `Answer` records.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from trustedproxy import Settings
from trustedproxy.explain import Explanation, Framework, explain_request
from trustedproxy.explain.requests import describe_request, read_environ, read_scope

from ..making import make_environ, make_scope
from .making import (
    PEER,
    SECRET,
    STRANGER,
    HostsSite,
    explain_sent,
    make_policy,
    make_settings,
)

DJANGO = Framework(
    name="Django",
    site=HostsSite("app.example"),
    allowed_hosts=["app.example"],
    hosts_setting="ALLOWED_HOSTS",
)


def ask(
    sent: dict[str, str] | None = None,
    *,
    framework: Framework | None = None,
    fields: dict[str, Any] | None = None,
    **names: Any,
) -> Explanation:
    """Explain a plain request for app.example under settings with *names*."""
    return explain_sent(
        sent or {},
        settings=make_settings(**names),
        framework=framework,
        fields={"host": "app.example", **(fields or {})},
    )


def test_plain_request_is_redirected() -> None:
    """Where to is said, and that nothing reaches the application."""
    (answer,) = ask(https_only=True).answers

    assert (answer.by, answer.status) == ("HTTPS only", 301)
    assert answer.location == "https://app.example/a"
    assert answer.sentence == (
        "The scheme is http, so that the request is redirected with 301 to "
        "'https://app.example/a' and does not reach the application."
    )


def test_exempt_view_is_known_to_be_exempt() -> None:
    """Which view answers is the framework's to know, and it is asked."""
    (answer,) = ask(
        https_only=True, framework=DJANGO, fields={"path": "/exempt/x"}
    ).answers
    (other,) = ask(https_only=True, framework=DJANGO).answers

    assert answer.status is None
    assert answer.sentence == (
        "The scheme is http, and the request is not redirected: its view is exempt."
    )
    assert other.status == 301


class UmlautSite(HostsSite):
    """A site whose view at ``/ü`` is exempt, and that reads what WSGI has."""

    def exempts_view(self, request: Mapping[str, Any]) -> bool:
        """Say whether the path is that view's."""
        return bool(request["PATH_INFO"].encode("latin-1") == "/ü".encode())


@pytest.mark.parametrize("way", ["described", "scope"])
def test_exempt_view_at_a_path_outside_of_ascii(way: str) -> None:
    """The framework is asked for the path that a server would give it."""
    settings = make_settings(https_only=True)
    request = describe_request(path="/ü", headers=["Host: backend.internal"])
    if way == "scope":
        request = read_scope(settings.policy, make_scope(path="/ü"))
    framework = Framework(name="Django", site=UmlautSite("backend.internal"))

    (answer,) = explain_request(settings, request, framework).answers

    assert answer.status is None


@pytest.mark.parametrize(
    ("exempt", "fields", "why"),
    [
        (["/a"], {}, "the path '/a' is exempt"),
        (["/a/*"], {"path": "/a/Ã¼"}, "the path '/a/ü' is exempt"),
        (
            ["10.0.0.0/8"],
            {},
            "the peer '10.0.0.5', which speaks for itself, is exempt",
        ),
    ],
)
def test_exempt_request_is_known_to_be_exempt(
    exempt: list[str], fields: dict[str, Any], why: str
) -> None:
    """No 'unless' where the settings say it."""
    (answer,) = ask(https_only=True, https_exempt=exempt, fields=fields).answers

    assert answer.status is None
    assert answer.sentence == (
        f"The scheme is http, and the request is not redirected: {why}."
    )


def test_exempt_path_below_a_mount_point() -> None:
    """The path that counts is the one without the mount point that was taken off."""
    explanation = ask(
        {"X-Forwarded-Prefix": "/app"},
        headers=["X-Forwarded-Prefix"],
        strip_mount_point=True,
        https_only=True,
        https_exempt=["/healthz"],
        fields={"path": "/app/healthz"},
    )

    assert explanation.answers[0].status is None


@pytest.mark.parametrize(
    ("exempt", "location"),
    [((), "https://app.example/app/app/x"), (["/x"], "https://app.example/app/app/x")],
)
def test_mount_point_of_the_server_is_not_taken_off_the_path(
    exempt: Any, location: str
) -> None:
    """That is done with what a header says, and with nothing else (rule R18)."""
    answers = ask(
        headers=["X-Forwarded-Prefix"],
        strip_mount_point=True,
        https_only=True,
        https_exempt=exempt,
        fields={"mount_point": "/app", "path": "/app/x"},
    ).answers

    assert [(answer.status, answer.location) for answer in answers] == [(301, location)]


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("/%61?b=%63", "/%61?b=%63"),
        ("/ü?ü", "/%C3%BC?%C3%BC"),
        ("/a?", "/a?"),
    ],
)
def test_redirect_leads_to_the_target_as_it_was_sent(
    target: str, location: str
) -> None:
    """Byte for byte, as a server hands it on."""
    request = describe_request(url=target, headers=["Host: app.example"])

    (answer,) = explain_request(make_settings(https_only=True), request).answers

    assert answer.location == f"https://app.example{location}"


def redirect_really(settings: Settings, scope: dict[str, Any]) -> dict[bytes, bytes]:
    """Let the middlewares of *settings* answer a scope, and return the headers."""
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("the application is not asked")

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request"}

    async def ask() -> None:
        await settings.wrap_asgi(app)(scope, receive, send)

    asyncio.run(ask())
    assert sent[0]["status"] == 301
    return dict(sent[0]["headers"])


@pytest.mark.parametrize("raw", [b"/own/bl%6Fg", None])
@pytest.mark.parametrize("query", [b"", b"q=1"])
def test_redirect_of_a_scope_leads_where_it_really_does(
    raw: bytes | None, query: bytes
) -> None:
    """A scope's raw path moves with the path from the server's own mount point."""
    settings = make_settings(headers=["X-Forwarded-Prefix"], https_only=True)
    scope = make_scope(
        [("X-Forwarded-Prefix", "/app")],
        path="/own/blog",
        raw_path=raw,
        root_path="/own",
        query_string=query,
    )

    request = read_scope(settings.policy, scope)
    (answer,) = explain_request(settings, request).answers

    really = redirect_really(settings, scope)[b"location"].decode()
    assert answer.location == really
    assert really.startswith("https://backend.internal/app/bl")


def test_scope_with_an_underscore_variant_is_redirected_as_it_really_is() -> None:
    """Somebody stands behind a peer that passes such a header on."""
    settings = make_settings(https_only=True, https_exempt=["10.0.0.0/8"])
    scope = make_scope([("x_forwarded_proto", "https")])

    request = read_scope(settings.policy, scope)
    (answer,) = explain_request(settings, request).answers

    assert answer.status == 301
    assert redirect_really(settings, scope)[b"location"]


def test_secret_in_the_raw_path_of_a_scope_stays_masked() -> None:
    """It is moved as it is masked."""
    settings = make_settings(
        headers=["X-Forwarded-Prefix"],
        https_only=True,
        secret_header="X-Edge-Key",
        secrets=[SECRET],
    )
    path = f"/own/{SECRET}"
    scope = make_scope(
        [("X-Forwarded-Prefix", "/app"), ("X-Edge-Key", SECRET)],
        path=path,
        raw_path=path.encode(),
        root_path="/own",
    )

    request = read_scope(settings.policy, scope)
    (answer,) = explain_request(settings, request).answers

    assert answer.location == "https://backend.internal/app/(not%20shown)"


@pytest.mark.parametrize(
    ("way", "first", "target"),
    [
        ("described", True, "/f%C3%BC/a"),
        ("described", False, "/a"),
        ("scope", True, "/x"),
    ],
)
def test_redirect_below_a_forced_mount_point(
    way: str, first: bool, target: str
) -> None:
    """Where it is in force already; ASGI's path has it in it, or has none."""
    settings = make_settings(https_only=True)
    framework = Framework(
        forced_mount_point="/fü",
        forced_by="FORCE_SCRIPT_NAME",
        forces_before_https_only=first,
    )
    request = describe_request(url="/a", headers=["Host: backend.internal"])
    if way == "scope":
        request = read_scope(settings.policy, make_scope())

    (answer,) = explain_request(settings, request, framework).answers

    assert answer.location == f"https://backend.internal{target}"


def test_report_only_meets_the_request_as_it_came() -> None:
    """Nothing is taken off the path, so that another path is exempt."""
    names: dict[str, Any] = {
        "headers": ["X-Forwarded-Prefix"],
        "strip_mount_point": True,
        "https_only": True,
        "https_exempt": ["/healthz"],
        "report_only": True,
    }

    (answer,) = ask(
        {"X-Forwarded-Prefix": "/app"}, fields={"path": "/app/healthz"}, **names
    ).answers

    assert (answer.status, answer.only_logged) == (301, True)


def test_request_that_was_decided_before_is_explained_by_this_policy() -> None:
    """What another one decided is not what HTTPS only would meet."""
    environ = make_environ({"X-Forwarded-For": "203.0.113.7"})
    make_policy(headers=["X-Forwarded-For"], report_only=True).apply(environ)
    settings = make_settings(https_only=True)

    (answer,) = explain_request(
        settings, read_environ(settings.policy, environ)
    ).answers

    assert not answer.only_logged
    assert answer.status == 301


@pytest.mark.parametrize("host", ["evil.example", None, "a/b"])
def test_refused_host_is_not_said_to_be_redirected(host: str | None) -> None:
    """The answer is 400 and no redirect."""
    (answer,) = ask(https_only=True, framework=DJANGO, fields={"host": host}).answers

    assert (answer.status, answer.location) == (400, None)
    assert answer.sentence == (
        f"The scheme is http, and the host {host!r} is refused: the request is "
        "answered with 400 and not redirected."
    )


def test_refused_host_over_https_is_the_frameworks() -> None:
    """HTTPS only has nothing to say, and the framework answers."""
    (answer,) = ask(
        https_only=True,
        framework=DJANGO,
        fields={"host": "evil.example", "scheme": "https"},
    ).answers

    assert (answer.by, answer.status) == ("ALLOWED_HOSTS", 400)
    assert answer.sentence == (
        "The host 'evil.example' is not in ALLOWED_HOSTS, so that Django answers with "
        "400."
    )


def test_target_that_is_no_path() -> None:
    """It is the target that is refused, and not the host."""
    (answer,) = ask(https_only=True, fields={"path": "*"}).answers

    assert answer.status == 400
    assert "and the target is refused" in answer.sentence


def test_path_that_no_server_gives() -> None:
    """A character that WSGI does not have is no reason to fail."""
    (answer,) = ask(https_only=True, fields={"path": "/\u2028\ud800"}).answers

    assert answer.location == "https://app.example/%E2%80%A8%ED%A0%80"


def test_websocket_is_refused() -> None:
    """Over plain HTTP: 403."""
    explanation = ask(https_only=True, fields={"scheme": "ws"})
    websocket = explain_sent(
        {},
        settings=make_settings(https_only=True),
        fields={"scheme": "ws"},
        websocket=True,
    )

    assert explanation.answers[0].status == 301
    assert websocket.answers[0].status == 403
    assert websocket.answers[0].sentence == (
        "The scheme is ws, so that the websocket is refused with 403."
    )


def test_report_only_answers_nothing() -> None:
    """What would be answered is said to be logged only."""
    (answer,) = ask(https_only=True, report_only=True).answers

    assert answer.only_logged
    assert answer.sentence.endswith(" In report-only mode this is only logged.")


def test_secure_request_meets_nothing() -> None:
    """Where the scheme is https there is nothing to say of HTTPS only."""
    explanation = ask(
        {"X-Forwarded-Proto": "https"}, headers=["X-Forwarded-Proto"], https_only=True
    )

    assert explanation.answers == ()


@pytest.mark.parametrize(
    ("names", "sent", "setting", "header"),
    [
        (
            {"malformed": "reject"},
            {"X-Forwarded-For": "garbage"},
            "TRUSTED_PROXY_MALFORMED",
            "X-Forwarded-For",
        ),
        ({"missing": "reject"}, {}, "TRUSTED_PROXY_MISSING", "X-Forwarded-For"),
        (
            {"missing": "reject"},
            {"X-Forwarded-For": "garbage"},
            "TRUSTED_PROXY_MISSING",
            "X-Forwarded-For",
        ),
    ],
)
def test_rejected_request(
    names: dict[str, Any], sent: dict[str, str], setting: str, header: str
) -> None:
    """The setting that rejects is named, and nothing else comes of the request."""
    (answer,) = ask(sent, https_only=True, **names).answers

    assert (answer.by, answer.status) == (setting, 400)
    assert answer.sentence.startswith(
        f"{setting} is 'reject': the request is answered with 400, since {header} is "
        "to blame ("
    )


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("/blog/x", "http://127.0.0.1:8001/"),
        ("/blog/", "http://127.0.0.1:8001/"),
        ("/blog/old/x", "http://127.0.0.1:8002/"),
        ("/blogs", None),
        ("/", None),
    ],
)
def test_path_below_a_proxy_mount_point(path: str, where: str | None) -> None:
    """The longest one counts, at a segment boundary."""
    answers = ask(
        mount_points={
            "/blog/": "http://127.0.0.1:8001/",
            "/blog/old/": "http://127.0.0.1:8002/",
        },
        fields={"path": path},
    ).answers

    shown = [answer.sentence for answer in answers]
    assert len(shown) == (0 if where is None else 1)
    if where is not None:
        assert f"goes to {where} and" in shown[0]
        assert answers[0].by == "Proxy mount points"


BLOG: dict[str, Any] = {"mount_points": {"/blog/": "http://127.0.0.1:8001/"}}


@pytest.mark.parametrize(("method", "status"), [("GET", 301), ("POST", 308)])
@pytest.mark.parametrize(
    ("sent", "location"),
    [
        ({}, "http://app.example/blog/?q"),
        (
            {
                "X-Forwarded-Proto": "https",
                "X-Forwarded-Host": "shop.example",
                "X-Forwarded-Prefix": "/ours",
            },
            "https://shop.example/ours/blog/?q",
        ),
    ],
)
def test_path_of_a_proxy_mount_point_itself(
    method: str, status: int, sent: dict[str, str], location: str
) -> None:
    """It is redirected to its final slash, and the backend is not asked."""
    settings = make_settings(
        headers=["X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Prefix"], **BLOG
    )
    lines = ["Host: app.example", *(f"{name}: {text}" for name, text in sent.items())]
    request = describe_request(
        url="/blog?q", headers=lines, method=method, peer="10.0.0.5"
    )

    (answer,) = explain_request(settings, request).answers

    assert (answer.by, answer.status) == ("Proxy mount points", status)
    assert answer.location == location
    assert answer.sentence == (
        f"The path is a proxy mount point without its final slash: the request is "
        f"redirected with {status} to {location!r} and does not reach the application."
    )


def test_request_that_no_backend_may_get() -> None:
    """It is answered in the application's place, too, and why is said."""
    (answer,) = ask(fields={"path": "/blog/../x"}, **BLOG).answers

    assert (answer.by, answer.status, answer.location) == (
        "Proxy mount points",
        400,
        None,
    )
    assert answer.sentence == (
        "The request is answered with 400, and reaches neither another server nor the "
        "application: The path leaves its mount point."
    )


def test_upload_of_unknown_length_reaches_a_backend() -> None:
    """Whether the server finds its end is not said by those who describe it."""
    (answer,) = ask(
        {"Transfer-Encoding": "chunked"}, fields={"path": "/blog/x"}, **BLOG
    ).answers

    assert answer.status is None


@pytest.mark.parametrize(("ends", "status"), [(True, None), (False, 411)])
def test_upload_to_a_backend_as_the_server_hands_it_on(
    *, ends: bool, status: int | None
) -> None:
    """An environ says whether the server finds the end of a body."""
    settings = make_settings(**BLOG)
    variables: dict[str, Any] = {
        "PATH_INFO": "/blog/x",
        "wsgi.input_terminated": ends,
    }
    environ = make_environ({"Transfer-Encoding": "chunked"}, **variables)

    request = read_environ(settings.policy, environ)
    (answer,) = explain_request(settings, request).answers

    assert answer.status == status


def test_request_that_goes_to_a_backend_does_not_reach_the_framework() -> None:
    """What the framework would do is not said."""
    framework = Framework(
        name="Django", redirects="SECURE_SSL_REDIRECT", site=HostsSite("app.example")
    )

    answers = ask(framework=framework, fields={"path": "/blog/x"}, **BLOG).answers

    assert [answer.by for answer in answers] == ["Proxy mount points"]


def test_refused_host_does_not_reach_a_backend() -> None:
    """The framework is asked, and refuses it."""
    answers = ask(
        framework=DJANGO, fields={"host": "evil.example", "path": "/blog/x"}, **BLOG
    ).answers

    assert [(a.by, a.status) for a in answers] == [("ALLOWED_HOSTS", 400)]


@pytest.mark.parametrize(
    ("sent", "framework", "expected"),
    [
        # The scheme and the host that only would be decided.
        (
            {"X-Forwarded-Proto": "https"},
            Framework(name="Django", redirects="SECURE_SSL_REDIRECT"),
            [("SECURE_SSL_REDIRECT", 301)],
        ),
        ({"X-Forwarded-Host": "evil.example"}, DJANGO, []),
        (
            {"X-Forwarded-Host": "app.example", "Host": "evil.example"},
            DJANGO,
            [("ALLOWED_HOSTS", 400)],
        ),
    ],
)
def test_framework_meets_the_request_as_it_came_in_report_only_mode(
    sent: dict[str, str], framework: Framework, expected: list[Any]
) -> None:
    """It answers really, by what it sees."""
    answers = ask(
        sent,
        framework=framework,
        headers=["X-Forwarded-Proto", "X-Forwarded-Host"],
        report_only=True,
        fields={"host": sent.get("Host", "app.example")},
    ).answers

    assert [(a.by, a.status) for a in answers] == expected
    assert not any(a.only_logged for a in answers)
    assert all("evil.example" in a.sentence for a in answers if a.status == 400)


@pytest.mark.parametrize(
    ("prefix", "path", "found"),
    [("/app", "/app/blog/x", True), ("/blog", "/blog/x", False)],
)
@pytest.mark.parametrize("report_only", [False, True])
def test_mount_point_is_looked_for_behind_the_policy(
    prefix: str, path: str, *, found: bool, report_only: bool
) -> None:
    """Which takes what a header says off the path, unless it only reports."""
    answers = ask(
        {"X-Forwarded-Prefix": prefix},
        headers=["X-Forwarded-Prefix"],
        strip_mount_point=True,
        report_only=report_only,
        mount_points={"/blog/": "http://127.0.0.1:8001/"},
        fields={"path": path},
    ).answers

    assert bool(answers) is (found is not report_only)


def test_redirect_comes_before_mount_points_and_framework() -> None:
    """What is answered goes no further."""
    answers = ask(
        https_only=True,
        mount_points={"/a": "http://127.0.0.1:8001/"},
        framework=Framework(name="Django", redirects="SECURE_SSL_REDIRECT"),
    ).answers

    assert [answer.by for answer in answers] == ["HTTPS only"]


def test_forced_mount_point() -> None:
    """It stands above whatever a header says."""
    framework = Framework(
        name="Django", forced_mount_point="/forced", forced_by="FORCE_SCRIPT_NAME"
    )

    (answer,) = ask(framework=framework).answers

    assert answer.status is None
    assert answer.sentence == (
        "The application's own mount point is '/forced': FORCE_SCRIPT_NAME forces it, "
        "whatever a header says."
    )


@pytest.mark.parametrize(("peer", "status"), [(PEER, None), (STRANGER, 301)])
def test_redirect_of_the_framework_itself(peer: str, status: int | None) -> None:
    """Its own redirect sees the scheme that the policy leaves."""
    answers = ask(
        {"X-Forwarded-Proto": "https"},
        headers=["X-Forwarded-Proto"],
        framework=Framework(name="Django", redirects="SECURE_SSL_REDIRECT"),
        fields={"peer": peer},
    ).answers

    assert [answer.status for answer in answers] == ([] if status is None else [301])
