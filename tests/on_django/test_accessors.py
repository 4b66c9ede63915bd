"""
Everything that Django derives from a request, asked through Django's own handlers.

In:  requests as servers report them, from a trusted proxy and from a stranger.
Out: each accessor's answer, under WSGI and under ASGI.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.test import override_settings

from .handlers import ASKERS, PEER, STRANGER, Answer, ask_asgi
from .settings import SETTINGS

FORWARDED = {
    "X-Forwarded-For": "1.1.1.1, 203.0.113.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "shop.example",
    "X-Forwarded-Server": "front.example",
    "X-Forwarded-Port": "443",
    "X-Forwarded-Prefix": "/app",
    "Accept-Language": "de",
}

VIEWS = ("/facts/", "/async-facts/")

each_handler = pytest.mark.parametrize("ask", ASKERS)


@pytest.mark.parametrize("view", VIEWS)
@each_handler
@pytest.mark.parametrize(
    ("accessor", "expected"),
    [
        ("scheme", "https"),
        ("is_secure", True),
        ("host", "shop.example"),
        ("port", "443"),
        ("reverse", "/app/facts/"),
        ("script_name", "/app"),
    ],
)
def test_accessor_behind_a_trusted_proxy(
    ask: Any, view: str, accessor: str, expected: object
) -> None:
    """What the proxy says takes the place of what the server says."""
    facts = ask(view, headers=FORWARDED).facts

    assert facts[accessor] == expected


@pytest.mark.parametrize("view", VIEWS)
@each_handler
def test_paths_behind_a_trusted_proxy(ask: Any, view: str) -> None:
    """The path begins with the mount point, and the path info does not."""
    facts = ask(f"{view}?a=b%2F", headers=FORWARDED).facts

    assert facts["path"] == f"/app{view}"
    assert facts["path_info"] == view
    assert facts["full_path"] == f"/app{view}?a=b%2F"


@pytest.mark.parametrize("view", VIEWS)
@each_handler
def test_absolute_uris_behind_a_trusted_proxy(ask: Any, view: str) -> None:
    """Absolute URIs are the ones that the client can use."""
    facts = ask(f"{view}?a=b", headers=FORWARDED).facts

    assert facts["absolute"] == f"https://shop.example/app{view}?a=b"
    assert facts["sibling"] == f"https://shop.example/app{view}sibling?b=c"


@each_handler
def test_meta_behind_a_trusted_proxy(ask: Any) -> None:
    """META says the same as the accessors, without the forged part of a header."""
    meta = ask(headers=FORWARDED).facts["meta"]

    expected = {
        "REMOTE_ADDR": "203.0.113.7",
        "SERVER_NAME": "front.example",
        "SERVER_PORT": "443",
        "SCRIPT_NAME": "/app",
        "PATH_INFO": "/facts/",
        "HTTP_HOST": "shop.example",
        "HTTP_X_FORWARDED_FOR": "203.0.113.7",
        "HTTP_ACCEPT_LANGUAGE": "de",
    }
    assert {key: meta.get(key) for key in expected} == expected


@each_handler
def test_headers_behind_a_trusted_proxy(ask: Any) -> None:
    """``request.headers`` follows META, and synonyms are gone from it."""
    synonyms = {"X-Real-IP": "1.1.1.1", "X-Scheme": "http", "X-Script-Name": "/evil"}
    headers = ask(headers=FORWARDED | synonyms).facts["headers"]

    assert headers["X-Forwarded-For"] == "203.0.113.7"
    assert headers["Host"] == "shop.example"
    assert headers["Accept-Language"] == "de"
    assert not {"X-Real-Ip", "X-Scheme", "X-Script-Name"} & headers.keys()


@each_handler
def test_headers_asked_by_a_middleware_further_out(ask: Any) -> None:
    """What was remembered before the correction is made anew."""
    early = f"{__name__}.ask_early"
    with override_settings(MIDDLEWARE=[early, *SETTINGS["MIDDLEWARE"]]):
        facts = ask(headers=FORWARDED).facts

    assert facts["headers"]["X-Forwarded-For"] == "203.0.113.7"
    assert facts["absolute"] == "https://shop.example/app/facts/"


@each_handler
def test_meta_written_by_a_middleware_further_out(ask: Any) -> None:
    """What another middleware wrote into META stays."""
    early = f"{__name__}.write_early"
    with override_settings(MIDDLEWARE=[early, *SETTINGS["MIDDLEWARE"]]):
        meta = ask(headers=FORWARDED).facts["meta"]

    assert meta["HTTP_X_REQUEST_ID"] == "4711"
    assert meta["HTTP_ACCEPT_LANGUAGE"] == "fr"
    assert meta["REMOTE_ADDR"] == "203.0.113.7"


@each_handler
def test_every_accessor_for_a_stranger(ask: Any) -> None:
    """A direct request is what the server says, whatever headers it brings."""
    forged = ask(peer=STRANGER, headers=FORWARDED).facts
    plain = ask(peer=STRANGER, headers={"Accept-Language": "de"}).facts

    sent = FORWARDED.keys() - {"Accept-Language"}
    assert forged["decision"]["removed"] == sorted(sent)
    del forged["decision"], plain["decision"]
    assert forged == plain
    assert plain["meta"]["REMOTE_ADDR"] == STRANGER
    assert plain["absolute"] == "http://app.example/facts/"


@each_handler
def test_decision_of_a_request(ask: Any) -> None:
    """``get_decision`` says who the client is, who the peer, and why."""
    decision = ask(headers=FORWARDED).facts["decision"]

    assert decision["client"] == "203.0.113.7"
    assert decision["peer"] == PEER
    assert decision["reason"] == "FIRST_UNTRUSTED_HOP"


@each_handler
def test_decision_without_a_middleware(ask: Any) -> None:
    """``get_decision`` returns nothing where nothing has decided."""
    with override_settings(MIDDLEWARE=[]):
        assert ask(headers=FORWARDED).facts["decision"] is None


@each_handler
def test_mount_point_of_the_server_is_replaced(ask: Any) -> None:
    """A trusted mount point takes the place of the server's own."""
    facts = ask(mount_point="/own", headers=FORWARDED).facts

    assert facts["path"] == "/app/facts/"
    assert facts["path_info"] == "/facts/"
    assert facts["reverse"] == "/app/facts/"


@each_handler
def test_mount_point_of_the_server_without_a_header(ask: Any) -> None:
    """The server's own mount point stays where the proxy says nothing."""
    facts = ask(mount_point="/own", headers={"X-Forwarded-For": "203.0.113.7"}).facts

    assert facts["path"] == "/own/facts/"
    assert facts["path_info"] == "/facts/"
    assert facts["reverse"] == "/own/facts/"


@each_handler
def test_mount_point_that_the_proxy_leaves_in_the_path(ask: Any) -> None:
    """With the setting, the mount point is taken off the front of the path."""
    with override_settings(TRUSTED_PROXY_STRIP_MOUNT_POINT=True):
        facts = ask("/app/facts/", headers=FORWARDED).facts

    assert facts["path"] == "/app/facts/"
    assert facts["path_info"] == "/facts/"
    assert facts["reverse"] == "/app/facts/"


@each_handler
def test_mount_point_alone_is_the_root(ask: Any) -> None:
    """A path that is nothing but the mount point is the application's root."""
    with override_settings(
        TRUSTED_PROXY_STRIP_MOUNT_POINT=True, ROOT_URLCONF=f"{__package__}.root_urls"
    ):
        facts = ask("/app", headers=FORWARDED).facts

    assert facts["path"] == "/app/"
    assert facts["path_info"] == "/"
    assert facts["meta"]["PATH_INFO"] == "/"
    assert facts["reverse"] == "/app/"


@each_handler
def test_path_outside_ascii(ask: Any) -> None:
    """A path in UTF-8 survives a new mount point."""
    answer = ask("/caf%C3%A9/", headers=FORWARDED)

    assert answer.status == 404
    facts = ask("/facts/?q=caf%C3%A9", headers=FORWARDED).facts
    assert facts["full_path"] == "/app/facts/?q=caf%C3%A9"


@each_handler
def test_redirect_of_a_view(ask: Any) -> None:
    """A redirect to ``reverse()`` stays below the mount point."""
    answer = ask("/leave/", headers=FORWARDED)

    assert answer.status == 302
    assert answer.get("Location") == "/app/facts/"


@each_handler
def test_redirect_of_common_middleware(ask: Any) -> None:
    """The slash that Django appends is appended below the mount point."""
    answer = ask("/facts", headers=FORWARDED)

    assert answer.status == 301
    assert answer.get("Location") == "/app/facts/"


@each_handler
@pytest.mark.parametrize(
    ("host", "status"), [("shop.example", 200), ("evil.test", 400)]
)
def test_allowed_hosts_on_a_forwarded_host(ask: Any, host: str, status: int) -> None:
    """``ALLOWED_HOSTS`` decides about the host that the client asked for."""
    answer = ask(host="10.0.0.1", headers={"X-Forwarded-Host": host})

    assert answer.status == status


@each_handler
def test_forced_mount_point(ask: Any) -> None:
    """``FORCE_SCRIPT_NAME`` stays Django's last word."""
    with override_settings(FORCE_SCRIPT_NAME="/app"):
        facts = ask(headers=FORWARDED).facts

    assert facts["path"] == "/app/facts/"
    assert facts["reverse"] == "/app/facts/"


@each_handler
def test_forced_mount_point_that_a_header_contradicts(ask: Any) -> None:
    """No header moves an application whose mount point is forced."""
    with override_settings(FORCE_SCRIPT_NAME="/forced"):
        facts = ask(headers=FORWARDED).facts

    assert facts["path"] == "/forced/facts/"
    assert facts["path_info"] == "/facts/"
    assert facts["reverse"] == "/forced/facts/"
    assert facts["meta"]["SCRIPT_NAME"] == "/forced"


@each_handler
def test_forced_mount_point_with_a_slash_at_its_end(ask: Any) -> None:
    """The slash at the end is not taken off the front of the path."""
    with override_settings(FORCE_SCRIPT_NAME="/forced/"):
        facts = ask(headers=FORWARDED).facts

    assert facts["path_info"] == "/facts/"
    assert "//" not in facts["path"]
    assert facts["reverse"] == "/forced/facts/"


def test_underscore_variants_under_asgi() -> None:
    """S-27: a name with underscores never becomes a trusted header."""
    facts = ask_asgi(
        headers=[
            ("x_forwarded_for", "1.1.1.1"),
            ("X-Forwarded-For", "203.0.113.7"),
        ]
    ).facts

    assert facts["meta"]["REMOTE_ADDR"] == "203.0.113.7"
    assert facts["meta"]["HTTP_X_FORWARDED_FOR"] == "203.0.113.7"


def test_repeated_lines_under_asgi() -> None:
    """S-13: repeated lines are one list, in order."""
    facts = ask_asgi(
        headers=[
            ("X-Forwarded-For", "203.0.113.7"),
            ("X-Forwarded-For", "10.0.0.8"),
        ]
    ).facts

    assert facts["meta"]["REMOTE_ADDR"] == "203.0.113.7"
    assert facts["meta"]["HTTP_X_FORWARDED_FOR"] == "203.0.113.7, 10.0.0.8"


def test_peer_without_an_address_under_asgi() -> None:
    """A scope without a client and with a TCP server is nobody's unix socket."""
    facts = ask_asgi(peer=None, headers=FORWARDED).facts

    assert "REMOTE_ADDR" not in facts["meta"]
    assert facts["absolute"] == "http://app.example/facts/"


def test_port_in_host() -> None:
    """With the setting, a port that is not the scheme's default is in the URLs."""
    headers = FORWARDED | {"X-Forwarded-Port": "8443"}
    with override_settings(TRUSTED_PROXY_PORT_IN_HOST=True):
        answers: list[Answer] = [ask(headers=headers) for ask in ASKERS]

    for answer in answers:
        assert answer.facts["absolute"] == "https://shop.example:8443/app/facts/"


def ask_early(get_response: Any) -> Any:
    """Make a middleware that asks before anything is corrected."""

    def middleware(request: Any) -> Any:
        assert request.headers["X-Forwarded-For"] == FORWARDED["X-Forwarded-For"]
        assert request.build_absolute_uri() == "http://app.example/facts/"
        return get_response(request)

    return middleware


def write_early(get_response: Any) -> Any:
    """Make a middleware that writes into META before anything is corrected."""

    def middleware(request: Any) -> Any:
        request.META["HTTP_X_REQUEST_ID"] = "4711"
        request.META["HTTP_ACCEPT_LANGUAGE"] = "fr"
        return get_response(request)

    return middleware
