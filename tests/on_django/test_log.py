"""
What the log says in a Django project where a misconfiguration takes something away.

In:  what reports from the field described, and variants of it, by every way in.
Out: one record that names the peer, the header, and what to write; none for a forger.
"""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.apps import apps
from django.test import override_settings

from .handlers import ASKERS, PEER, read_log
from .test_entrypoints import ask_wrapped_asgi, ask_wrapped_wsgi

FROM_PROXY = {"X-Forwarded-For": "192.168.1.40", "X-Forwarded-Proto": "https"}

each_way = pytest.mark.parametrize("ask", [*ASKERS, ask_wrapped_wsgi, ask_wrapped_asgi])


def find_record(caplog: pytest.LogCaptureFixture, code: str) -> logging.LogRecord:
    """Find the one record with *code*."""
    (record,) = (r for r in caplog.records if getattr(r, "code", None) == code)
    return record


@each_way
@pytest.mark.parametrize(
    ("peer", "entry"),
    [
        ("172.18.0.1", "'172.18.0.1'"),
        ("127.0.0.1", "'127.0.0.1'"),
        ("fd00::7", "'fd00::7'"),
        ("::ffff:192.168.65.1", "'192.168.65.1'"),
    ],
)
def test_proxy_that_is_not_in_the_list(
    ask: Any, peer: str, entry: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The commonest mistake of all is named with the entry to add, once for a peer."""
    with override_settings(TRUSTED_PROXIES=["192.168.1.31"]):
        for _ in range(3):
            assert ask(peer=peer, headers=FROM_PROXY).facts["scheme"] == "http"

    record = find_record(caplog, "peer-not-trusted")
    message = record.getMessage()
    assert record.levelno == logging.WARNING
    assert message.startswith("trustedproxy: the peer")
    assert f"add {entry}" in message
    said = vars(record)
    assert (said["header"], said["peer"]) == ("X-Forwarded-For", peer)


@each_way
def test_forger_is_not_logged(ask: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A public address that sends such headers is probably nobody's proxy."""
    ask(peer="203.0.113.66", headers=FROM_PROXY)

    assert read_log(caplog) == []


@each_way
def test_mount_point_header_that_is_not_listed(
    ask: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A trusted proxy that names a mount point which nobody uses is named."""
    with override_settings(TRUSTED_PROXY_HEADERS=["X-Forwarded-For"]):
        ask(headers=FROM_PROXY | {"X-Forwarded-Prefix": "/app"})

    message = find_record(caplog, "mount-point-not-listed").getMessage()
    assert "X-Forwarded-Prefix" in message


@each_way
def test_mount_point_that_stays_in_the_path(
    ask: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A path that begins with the mount point, and nothing takes it off, is named."""
    answer = ask("/app/facts/", headers=FROM_PROXY | {"X-Forwarded-Prefix": "/app"})

    assert answer.status == 404
    message = find_record(caplog, "mount-point-in-path").getMessage()
    assert "TRUSTED_PROXY_STRIP_MOUNT_POINT" in message


def test_recommended_set_up_is_silent(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is said of requests that are as they should be."""
    for ask in ASKERS:
        assert ask(peer=PEER, headers=FROM_PROXY).facts["scheme"] == "https"

    assert read_log(caplog) == []


def test_app_starts_with_an_invalid_setting() -> None:
    """The checks report it; the app itself never raises, so that they can run."""
    with override_settings(TRUSTED_PROXIES=["10.0.0.0/33"]):
        apps.get_app_config("django_trustedproxy").ready()
