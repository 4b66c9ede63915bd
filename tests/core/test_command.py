"""
What the commands of the frameworks print.

In:  settings, and options as a command line gives them.
Out: the settings in force, or a request explained.
"""

from __future__ import annotations

from typing import Any

import pytest

from trustedproxy import Connection, read_settings
from trustedproxy.command import DEFAULT, join_headers, show
from trustedproxy.explain import describe_settings, explain

SETTINGS = read_settings(
    {"TRUSTED_PROXY_HEADERS": "X-Forwarded-For", "TRUSTED_PROXIES": "10.0.0.0/8"}
)
NOTHING_SAID = dict.fromkeys(
    ("peer", "scheme", "server", "port", "mount_point", "path")
)


def test_lines_of_one_name_are_joined() -> None:
    """In the order in which they came, under the first spelling, blanks dropped."""
    lines = ["X-Forwarded-For: 1.1.1.1", "Host:a:80", " x-forwarded-for :2.2.2.2 "]

    assert join_headers(lines) == {
        "X-Forwarded-For": "1.1.1.1,2.2.2.2",
        "Host": "a:80",
    }


def test_empty_value_is_a_header() -> None:
    """A header may be empty, and keeps its place among others of its name."""
    assert join_headers(["A:", "B: x", "B:"]) == {"A": "", "B": "x,"}


@pytest.mark.parametrize("line", ["X-Forwarded-For", ": value", " : value", ""])
def test_line_that_is_no_header(line: str) -> None:
    """A line without a name or a colon is an error that shows it."""
    with pytest.raises(ValueError, match="is not a header such as") as caught:
        join_headers(["A: b", line])

    assert str(caught.value).startswith(repr(line))


def test_settings_are_shown_where_nothing_is_described() -> None:
    """Without any option: the settings."""
    shown = show(SETTINGS, explained=False, headers={}, **NOTHING_SAID)

    assert shown == describe_settings(SETTINGS)


def test_request_is_explained_where_nothing_is_described() -> None:
    """If asked for: the request of a server on this machine."""
    shown = show(SETTINGS, explained=True, headers={}, **NOTHING_SAID)

    assert shown == explain(SETTINGS.policy, DEFAULT, {})


@pytest.mark.parametrize(
    "said",
    [
        {"peer": ""},
        {"scheme": "https"},
        {"server": "a.internal"},
        {"port": "8443"},
        {"mount_point": ""},
        {"path": "/a"},
        {"peer": "10.0.0.5", "path": "/a"},
    ],
)
def test_description_of_the_connection_is_explained(said: dict[str, Any]) -> None:
    """Any part of a request asks for its explanation, and the rest is as usual."""
    shown = show(SETTINGS, explained=False, headers={}, **{**NOTHING_SAID, **said})

    assert shown == explain(SETTINGS.policy, DEFAULT._replace(**said), {})


def test_headers_are_explained() -> None:
    """They ask for an explanation, too, and the host is one of them."""
    headers = {"hOST": "app.example", "X-Forwarded-For": "203.0.113.7"}

    shown = show(SETTINGS, explained=False, headers=headers, peer="10.0.0.5")

    connection = Connection("10.0.0.5", "http", "app.example", "localhost", "8000")
    assert shown == explain(SETTINGS.policy, connection, headers)
    assert "client address  '203.0.113.7', was '10.0.0.5'" in shown


def show_with_https_only(headers: dict[str, str], **settings: Any) -> str:
    """Explain a request of a proxy where HTTPS-only is on."""
    given = {
        "TRUSTED_PROXY_HEADERS": "X-Forwarded-For, X-Forwarded-Proto",
        "TRUSTED_PROXIES": "10.0.0.0/8",
        "TRUSTED_PROXY_HTTPS_ONLY": True,
        **settings,
    }
    return show(read_settings(given), explained=True, headers=headers, peer="10.0.0.5")


@pytest.mark.parametrize(
    ("headers", "redirected"),
    [
        ({"X-Forwarded-For": "203.0.113.7"}, True),
        ({"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}, False),
    ],
)
def test_redirect_to_https_is_told(headers: dict[str, str], redirected: bool) -> None:
    """Where the redirect is on, a plain request does not reach the application."""
    shown = show_with_https_only(headers)

    assert ("\n\nHTTPS only\n  The scheme is http" in shown) is redirected
    assert "report_only" not in shown


def test_mount_points_are_told() -> None:
    """What goes to another server is not explained as if it stayed here."""
    shown = show_with_https_only(
        {},
        TRUSTED_PROXY_MOUNT_POINTS={"/blog/": "http://127.0.0.1:8001/"},
        TRUSTED_PROXY_HTTPS_ONLY=False,
    )

    assert shown.endswith(
        "\n\nProxy mount points\n"
        "  Requests below /blog/ go to other servers and do not reach the application."
    )


def test_redirect_to_https_in_shadow_is_told_as_such() -> None:
    """In shadow it is only logged."""
    shown = show_with_https_only({}, TRUSTED_PROXY_REPORT_ONLY=True)

    assert shown.endswith("is exempt.\n  In report-only mode this is only logged.")


def test_redirect_to_https_is_told_where_shadow_refuses_nothing() -> None:
    """What would be a 400 is only logged, and so is the redirect."""
    shown = show_with_https_only(
        {}, TRUSTED_PROXY_REPORT_ONLY=True, TRUSTED_PROXY_MISSING="reject"
    )

    assert shown.endswith("is exempt.\n  In report-only mode this is only logged.")


def test_redirect_to_https_is_not_told_of_a_refused_request() -> None:
    """A request that is answered with 400 is not redirected."""
    shown = show_with_https_only({}, TRUSTED_PROXY_MISSING="reject")

    assert "the answer is 400" in shown
    assert "HTTPS only" not in shown
