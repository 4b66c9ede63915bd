"""
The pages "I come from …": what they print is what convert prints, and their rows hold.

In:  docs/coming_from, the table of kinds.
Out: assertions about every page, block by block and row by row.
"""

from __future__ import annotations

import doctest
import re
from typing import Any

import pytest

from trustedproxy import Reason
from trustedproxy.convert import KINDS, convert_text, write_settings
from trustedproxy.convert.kinds import (
    django_ipware,
    django_settings,
    django_xff,
    flask_talisman,
    gunicorn,
    hypercorn,
    mod_remoteip,
    mod_wsgi,
    nginx_realip,
    proxy_fix,
    waitress,
)
from trustedproxy.log import forget

from .coming_from import FOLDER, KIND_OF, Page, Pair, read_pages

PAGES = read_pages()
INDEX = Page("index", (FOLDER / "index.md").read_text(encoding="utf-8"))
PAIRS = [
    pytest.param(page, pair, id=f"{page.name}-{i}")
    for page in PAGES.values()
    for i, pair in enumerate(page.pairs())
]
ROWS = [
    pytest.param(page, text, settings, id=f"{page.name}: {text}")
    for page in PAGES.values()
    for text, settings in page.rows()
]

#: Page → every option that somebody may have set, and looks for there.
OPTIONS: dict[str, list[str]] = {
    "proxyfix": [*proxy_fix.COUNTS, "num_proxies"],
    "django": list(django_settings.SETTINGS),
    "uvicorn": [
        *("--forwarded-allow-ips", "--no-proxy-headers", "--proxy-headers"),
        *("FORWARDED_ALLOW_IPS", "forwarded_allow_ips", "trusted_hosts"),
    ],
    "gunicorn": [
        name.replace("_", "[-_]") for name in gunicorn.SETTINGS if name != "bind"
    ],
    "hypercorn": [*hypercorn.MODES, *hypercorn.PARAMETERS[1:]],
    "waitress": list(waitress.SETTINGS),
    "mod_wsgi": [*mod_wsgi.DIRECTIVES, *mod_wsgi.OPTIONS],
    "django_ipware": [*django_ipware.SETTINGS, *django_ipware.PARAMETERS[1:]],
    "django_xff": list(django_xff.SETTINGS),
    "flask_talisman": [
        name
        for name in flask_talisman.PARAMETERS
        if name.startswith(("force_https", "strict_transport"))
    ],
    "nginx_realip": list(nginx_realip.DIRECTIVES),
    "mod_remoteip": list(mod_remoteip.DIRECTIVES),
}


def test_every_kind_has_a_page() -> None:
    """And the index links to each, with what it is read from."""
    assert set(KIND_OF.values()) == set(KINDS)
    assert set(re.findall(r"\]\((\w+)\.md\)", INDEX.text)) == set(KIND_OF)
    assert {path.stem for path in FOLDER.glob("*.md")} == {"index", *KIND_OF}


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_page_begins_with_the_readers_words(page: Page) -> None:
    """Its title says where the reader comes from; it has an example and a table."""
    assert page.text.startswith("# I come from ")
    assert list(page.pairs())
    assert page.rows()


@pytest.mark.parametrize(("page", "pair"), PAIRS)
def test_page_prints_what_convert_prints(page: Page, pair: Pair) -> None:
    """To the letter; ``python -m tests.docs.coming_from`` writes it anew."""
    assert pair.printed == page.print(pair)


@pytest.mark.parametrize(("page", "text", "settings"), ROWS)
def test_row_becomes_the_settings_beside_it(
    page: Page, text: str, settings: list[str]
) -> None:
    """What stands on the left becomes what stands on the right."""
    conversion = convert_text(text, page.kind)

    written = " ".join(write_settings(conversion, "django").split()).replace("[ ", "[")
    written = written.replace(", ]", "]")
    assert [setting for setting in settings if setting not in written] == []
    assert bool(settings) is bool(conversion.settings)


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_page_names_every_option(page: Page) -> None:
    """Whoever has set one finds it."""
    missing = [
        option for option in OPTIONS[page.name] if not re.search(option, page.text)
    ]

    assert missing == []


def test_index_runs_as_it_stands() -> None:
    """The session in Python gives what stands there."""
    [session] = [text for _, text in INDEX.blocks() if text.startswith(">>>")]
    test = doctest.DocTestParser().get_doctest(session, {}, "page", "index.md", 0)

    assert doctest.DocTestRunner().run(test) == (0, len(test.examples))
    assert test.examples


def test_move_from_proxy_fix_runs_as_it_stands() -> None:
    """The application of the page, and the tests that it shows."""
    pytest.importorskip("flask", reason="Flask is not installed here")
    python = [
        text for language, text in PAGES["proxyfix"].blocks() if language == "python"
    ]
    [application] = [text for text in python if "TrustedProxy(app)" in text][-1:]
    tests = [text for text in python if "client.get(" in text]
    names: dict[str, Any] = {"__name__": "shop"}
    exec(compile(application, "proxyfix.md", "exec"), names)
    from flask import request

    names["request"] = request
    names["app"].add_url_rule("/", view_func=lambda: "page")

    assert len(tests) == 2
    exec(compile(tests[0], "proxyfix.md", "exec"), names)


def test_test_from_another_network_runs_as_it_stands() -> None:
    """With the address of the proxy, the second test of the page holds."""
    flask = pytest.importorskip("flask", reason="Flask is not installed here")
    from flask_trustedproxy import TrustedProxy

    [_, test] = [
        text for _, text in PAGES["proxyfix"].blocks() if "client.get(" in text
    ]
    app = flask.Flask("shop")
    app.config.update(
        TRUSTED_PROXY_HEADERS=["X-Forwarded-For", "X-Forwarded-Proto"],
        TRUSTED_PROXIES=["10.0.0.0/8"],
    )
    TrustedProxy(app)
    app.add_url_rule("/", view_func=lambda: "page")
    names: dict[str, Any] = {"client": app.test_client(), "request": flask.request}

    exec(compile(test, "proxyfix.md", "exec"), names)

    assert names["through_the_proxy"] == {"REMOTE_ADDR": "10.0.0.1"}


def test_test_without_headers_is_as_the_page_says(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """From the trusted network its client is unknown; from elsewhere it is direct."""
    flask = pytest.importorskip("flask", reason="Flask is not installed here")
    from flask_trustedproxy import TrustedProxy, get_decision

    app = flask.Flask("shop")
    app.config.update(TRUSTED_PROXY_HEADERS=["X-Forwarded-For"])
    app.config.update(TRUSTED_PROXIES=["loopback"])
    TrustedProxy(app)
    app.add_url_rule("/", view_func=lambda: flask.request.remote_addr)
    client = app.test_client()
    forget()

    with client:
        own = client.get("/")
        decision = get_decision()
        logged = len(caplog.records)
        other = client.get("/", environ_overrides={"REMOTE_ADDR": "192.0.2.1"})
        direct = get_decision()

    assert own.text == "127.0.0.1"
    assert decision is not None and decision.client is None
    assert decision.reason is Reason.HEADER_MISSING
    assert logged == 1
    assert other.text == "192.0.2.1"
    assert direct is not None and direct.reason is Reason.PEER_NOT_TRUSTED
    assert len(caplog.records) == logged


def test_settings_that_pages_show_by_themselves_can_be_read() -> None:
    """Blocks of settings besides the printed ones are valid, too."""
    from trustedproxy.settings import read_environment, read_settings

    seen = 0
    for page in PAGES.values():
        for language, text in page.blocks():
            if not text.startswith("TRUSTED_"):
                continue
            values: dict[str, Any] = {}
            if language == "sh":
                pairs = (line.partition("=") for line in text.splitlines())
                values.update(read_environment({k: v for k, _, v in pairs}))
            else:
                exec(compile(text, page.name, "exec"), values)
            assert read_settings(values).policy.headers
            seen += 1
    assert seen >= 3


def test_wrapper_of_the_page_about_uvicorn_runs_as_it_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its block makes a middleware with the variables that are printed."""
    [pair] = PAGES["uvicorn"].pairs()
    for line in pair.printed.splitlines():
        if line.startswith("TRUSTED_"):
            name, _, value = line.partition("=")
            monkeypatch.setenv(name, value)
    [block] = [
        text for _, text in PAGES["uvicorn"].blocks() if "ASGIMiddleware" in text
    ]
    names: dict[str, Any] = {"app": object()}

    exec(compile(block, "uvicorn.md", "exec"), names)

    assert names["app"].policy.proxies == ("10.0.0.0/8", "127.0.0.1")
