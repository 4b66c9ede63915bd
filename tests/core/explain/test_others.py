"""
What other projects make of the same request, by their own code.

In:  requests, and the projects where they are installed.
Out: what they see, what differs from here, or why there is nothing to compare.
"""

from __future__ import annotations

import json
import subprocess
from importlib.metadata import PackageNotFoundError
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

import pytest

from trustedproxy import Connection
from trustedproxy.explain import OtherResult, Request
from trustedproxy.explain import others as others_module
from trustedproxy.explain.others import OTHERS, explain_with_others
from trustedproxy.framework import Framework
from trustedproxy.wsgi_text import spell_path

from .making import SECRET, STRANGER, make_settings

SENT = {
    "X-Forwarded-For": "6.6.6.6, 203.0.113.7, 10.0.0.6",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "app.example",
}
HEADERS = list(SENT)


def ask(
    name: str,
    needed: str,
    sent: dict[str, str] | None = None,
    *,
    peer: str | None = "10.0.0.5",
    framework: Framework | None = None,
    websocket: bool = False,
    path: str = "/",
    **names: Any,
) -> OtherResult:
    """Ask one of them; skip the test where it is not installed."""
    if find_spec(needed) is None:
        pytest.skip(f"{needed} is not installed here")
    request = Request(
        connection=Connection(
            peer, "http", "backend:8000", "backend", "8000", "", path
        ),
        headers=SENT if sent is None else sent,
        websocket=websocket,
    )
    settings = make_settings(**{"headers": HEADERS, **names})
    asked = tuple(row for row in OTHERS if row[0] == name)
    with pytest.MonkeyPatch.context() as patch:
        # The others take their time.
        patch.setattr(others_module, "OTHERS", asked)
        (found,) = explain_with_others(
            settings, request, framework or Framework()
        ).others
    return found


PROXY_FIX = ("Werkzeug's ProxyFix", "werkzeug")
UVICORN = ("uvicorn", "uvicorn")
WAITRESS = ("waitress", "waitress")
DJANGO = ("Django's own settings", "django")


def test_proxy_fix_counts() -> None:
    """With the count that is set, or one."""
    one, two = ask(*PROXY_FIX), ask(*PROXY_FIX, hops=2)

    assert one.settings == "ProxyFix(app, x_for=1, x_proto=1, x_host=1)"
    assert one.sees["client address"] == "10.0.0.6"
    assert one.differs == ("client address",)
    assert two.settings == "ProxyFix(app, x_for=2, x_proto=2, x_host=2)"
    assert two.sees["client address"] == "203.0.113.7"


def test_proxy_fix_asks_nobody_who_sent_it() -> None:
    """From a stranger it sees what the stranger says."""
    found = ask(*PROXY_FIX, peer=STRANGER)

    assert found.sees["host"] == "app.example"
    assert found.differs == ("client address", "scheme", "host")


def test_proxy_fix_where_no_header_is_listed() -> None:
    """It is given the usual two."""
    found = ask(*PROXY_FIX, headers=[], proxies=None)

    assert found.settings == "ProxyFix(app, x_for=1, x_proto=1)"


@pytest.mark.parametrize(
    ("proxies", "shown", "client"),
    [
        (["10.0.0.0/8"], "'10.0.0.0/8'", "203.0.113.7"),
        (["unix", "10.0.0.5"], "'10.0.0.5/32'", "10.0.0.6"),
        ("*", "'*'", "6.6.6.6"),
    ],
)
def test_uvicorn_walks(proxies: Any, shown: str, client: str) -> None:
    """Over the same networks; the host is none of its business."""
    found = ask(*UVICORN, proxies=proxies)

    assert found.settings == f"--proxy-headers --forwarded-allow-ips={shown}"
    assert found.sees["client address"] == client
    assert found.sees["scheme"] == "https"
    assert "host" in found.differs


def test_uvicorn_with_a_websocket_and_nobody() -> None:
    """It is given what a server would give it."""
    found = ask(*UVICORN, peer=None, websocket=True)

    assert found.sees["client address"] is None
    assert found.error is None


def test_waitress_trusts_one_address() -> None:
    """The peer's, if that is a trusted proxy here."""
    trusted, stranger = ask(*WAITRESS), ask(*WAITRESS, peer=STRANGER)

    assert trusted.settings.startswith(
        "trusted_proxy='10.0.0.5', trusted_proxy_count=1"
    )
    assert trusted.sees["client address"] == "10.0.0.6"
    assert stranger.settings.startswith("trusted_proxy=None")
    assert stranger.differs == ()


def test_waitress_answers_by_itself() -> None:
    """What it takes for malformed gets a 400."""
    found = ask(*WAITRESS, {"X-Forwarded-Proto": "https,http"})

    assert found.error == "answers 400 Bad Request by itself"
    assert found.sees == {}


def test_django_reads_what_people_set() -> None:
    """For the headers that are listed; the client is none of its business."""
    found = ask(*DJANGO)

    assert found.settings == (
        "SECURE_PROXY_SSL_HEADER = ('HTTP_X_FORWARDED_PROTO', 'https'), "
        "USE_X_FORWARDED_HOST = True"
    )
    assert found.sees["client address"] == "10.0.0.5"
    assert (found.sees["scheme"], found.sees["host"]) == ("https", "app.example")


def test_django_reads_what_the_project_sets() -> None:
    """Its own settings, where there are some."""
    own = Framework(own_settings={"USE_X_FORWARDED_HOST": True})

    found = ask(*DJANGO, framework=own)

    assert found.settings == "USE_X_FORWARDED_HOST = True"
    assert (found.sees["scheme"], found.sees["host"]) == ("http", "app.example")


def test_django_with_nothing_to_set() -> None:
    """None of its settings is about the client."""
    assert ask(*DJANGO, headers=["X-Real-IP"]).settings == "none"


def test_path_outside_of_ascii_is_no_difference_in_django() -> None:
    """Django decodes it, and means the same path."""
    result = ask(*DJANGO, path=spell_path("/ü"))

    assert result.sees["path"] == spell_path("/ü")
    assert "path" not in result.differs


def test_django_that_refuses_the_host() -> None:
    """Its last words are the reason."""
    found = ask(*DJANGO, {**SENT, "X-Forwarded-Host": "a/b"})

    assert found.error is not None
    assert "Invalid HTTP_HOST header: 'a/b'" in found.error


def test_project_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """That is said, and nothing is imported."""

    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(others_module, "version", missing)

    found = ask("uvicorn", "json")

    assert (found.version, found.error) == (None, "is not installed here")


@pytest.mark.parametrize("name", ["Werkzeug's ProxyFix", "uvicorn"])
def test_project_that_raises(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that it cannot stand is no reason to fail here."""

    class Raises:
        def __init__(self, *_: Any, **__: Any) -> None:
            """Take anything."""

        def __call__(self, *_: Any) -> Any:
            raise KeyError("x")

    module = SimpleNamespace(ProxyFix=Raises, ProxyHeadersMiddleware=Raises)
    monkeypatch.setattr(others_module, "version", lambda _: "1")
    monkeypatch.setattr(others_module, "import_module", lambda _: module)

    found = ask(name, "json")

    assert found.error == "raises KeyError: 'x'"


def test_interpreter_without_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that says nothing has given no answer."""
    answer = SimpleNamespace(returncode=1, stdout="", stderr="")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: answer)
    monkeypatch.setattr(others_module, "version", lambda _: "1")

    assert ask("Django's own settings", "json").error == "fails: no answer"


def test_secret_is_not_shown_by_others_either() -> None:
    """Whatever they make of it."""
    found = ask(
        *PROXY_FIX,
        {"X-Forwarded-Host": SECRET},
        secret_header="X-Edge",
        secrets=[SECRET],
    )

    assert SECRET not in json.dumps(dict(found.sees))
