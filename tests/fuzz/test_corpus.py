"""
The corpus of the fuzzer, without the fuzzer.

In:  the files of ``corpus``: a folder a target, and every finding of earlier runs.
Out: each invariant, held for each file; and that the invariants can break at all.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from trustedproxy import HSTSPolicy, ProxyPolicy
from trustedproxy.cli.access_logs import read_log
from trustedproxy.cli.format_strings import LineFormat
from trustedproxy.mod_wsgi import parse_mod_wsgi
from trustedproxy.mount_points import request_plan, wire
from trustedproxy.parsing import forwarded, values

from ..core.mount_points import leading
from .run import CORPUS
from .targets import TARGETS, configuration, load_target, tools
from .targets import values as value_targets

FILES = sorted(path for path in CORPUS.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    "path", FILES, ids=[str(path.relative_to(CORPUS)) for path in FILES]
)
def test_invariants_hold_for_the_corpus(path: Path) -> None:
    """What the fuzzer begins with, and what it found before, breaks nothing."""
    load_target(path.parent.name)(path.read_bytes())


def test_every_target_has_a_corpus() -> None:
    """A folder a target, and no other; some inputs in each, all of them small."""
    assert {path.name for path in CORPUS.iterdir()} == set(TARGETS)
    assert all(len(list(folder.iterdir())) >= 4 for folder in CORPUS.iterdir())
    assert all(path.stat().st_size <= 2000 for path in FILES)


def parse_leniently(parse: Callable[..., Any]) -> Callable[..., Any]:
    """Make a parser that overlooks blanks."""
    return lambda text, *more: parse(text.replace(" ", ""), *more)


def test_broken_parser_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A parser that overlooks a blank, or forgets a quote, breaks its invariant."""
    monkeypatch.setattr(
        value_targets, "parse_element", parse_leniently(forwarded.parse_element)
    )
    with pytest.raises(AssertionError):
        load_target("forwarded")(b"for = 1.1.1.1")

    monkeypatch.setattr(value_targets, "parse_host", parse_leniently(values.parse_host))
    with pytest.raises(AssertionError):
        load_target("hosts")(b"a b.example")

    monkeypatch.setattr(HSTSPolicy, "__str__", lambda self: f"max-age={self.max_age}")
    with pytest.raises(AssertionError):
        load_target("hsts")(b"max-age=1; includeSubDomains")


def test_trusting_too_much_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A walk from the left, a surface of its own mind, a list with one network more."""
    everybody = ProxyPolicy(headers=["X-Forwarded-For"], proxies="*")
    monkeypatch.setattr(value_targets, "WALK", everybody)
    with pytest.raises(AssertionError):
        load_target("x_forwarded_for")(b"1.1.1.1, 203.0.113.9")

    decide = ProxyPolicy.decide
    monkeypatch.setattr(
        ProxyPolicy, "decide", lambda self, connection, _: decide(self, connection, {})
    )
    with pytest.raises(AssertionError):
        load_target("requests")((CORPUS / "requests" / "walk").read_bytes())

    monkeypatch.setattr(configuration, "read_lines", lambda data: set())
    with pytest.raises(AssertionError):
        load_target("list_files")(b"10.0.0.1\n")


def test_passing_too_much_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that leaves, a header of two meanings, an answer that is not over."""
    monkeypatch.setattr(request_plan, "stays_below", lambda path, top: True)
    with pytest.raises(AssertionError):
        load_target("paths")(b"../x")

    monkeypatch.setattr(request_plan, "_KNOWN", frozenset())
    with pytest.raises(AssertionError):
        load_target("request_heads")(b"GET /blog/x\nX-Real-IP: 1.1.1.1\n\n")

    monkeypatch.setattr(wire.AnswerReader, "ended_cleanly", True)
    with pytest.raises(AssertionError):
        load_target("response_heads")(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")


def test_leading_elsewhere_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A URL without its host, a cookie with another domain."""
    monkeypatch.setattr(leading, "map_header", lambda *given: "//evil.example")
    with pytest.raises(AssertionError):
        load_target("urls")(b"/base/x")

    monkeypatch.setattr(leading, "map_header", lambda *given: "a=b;Domain=app.example")
    with pytest.raises(AssertionError):
        load_target("cookies")(b"a=b")


def test_reading_settings_differently_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Directives that lose a word, and a policy that is another one at every look."""
    monkeypatch.setattr(
        configuration,
        "parse_mod_wsgi",
        lambda text: {**parse_mod_wsgi(text), "TRUSTED_PROXIES": ["192.0.2.1"]},
    )
    with pytest.raises(AssertionError):
        load_target("apache")(b"WSGITrustedProxies 10.0.0.1\n")

    monkeypatch.setattr(ProxyPolicy, "__eq__", lambda self, other: False)
    with pytest.raises(AssertionError):
        load_target("settings")(b"TRUSTED_PROXIES=10.0.0.0/8")


def test_misreading_what_others_wrote_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A log of one line, an error as long as the file, a list with a machine's own."""
    monkeypatch.setattr(tools, "read_log", lambda *a, **k: [*read_log(*a, **k)][:1])
    with pytest.raises(AssertionError):
        load_target("access_logs")(b"a\nb")

    monkeypatch.setattr(LineFormat, "read", lambda self, line: {})
    with pytest.raises(AssertionError):
        load_target("format_strings")(b"$remote_addr\n1.1.1.1")

    monkeypatch.setattr(tools, "LONGEST_ERROR", 10)
    for target in ("raw_requests", "conversions"):
        with pytest.raises(AssertionError):
            load_target(target)(b"x = 1; y")

    networks = (ip_network("127.0.0.0/8"),)
    monkeypatch.setattr(tools, "parse_document", lambda *given: networks)
    with pytest.raises(AssertionError):
        load_target("network_lists")(b"127.0.0.0/8\n")

    monkeypatch.setattr(tools, "compare_signs", lambda *given: [])
    with pytest.raises(AssertionError):
        load_target("answers")(b"Location: /")
