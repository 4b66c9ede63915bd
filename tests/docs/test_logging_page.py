"""
docs/logging.md: the codes are those of the code, and the examples print what they show.

In:  the page, and the sources of the three packages.
Out: assertions that every code has its row, and that the records can be seen as said.
"""

from __future__ import annotations

import ast
import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from trustedproxy import ProxyPolicy
from trustedproxy.decision import CODES
from trustedproxy.log import forget, logger

from .pages import ROOT, blocks, read, rows, sections

PAGE = read("logging.md")
PACKAGES = ("core/trustedproxy", "django_trustedproxy", "flask_trustedproxy")
#: What writes a record, or says what one is to be: its first argument is a code.
WRITERS = {"warn", "warn_once", "Advice", "Cause"}


def spell(node: ast.expr) -> str | None:
    """Spell a code as the page does; what varies in it is a star."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(spell(part) or "*" for part in node.values)
    return None


def find_codes(tree: ast.AST) -> Iterator[str]:
    """Find every code that is written down in a module."""
    for node in ast.walk(tree):
        found: ast.expr | None = None
        if isinstance(node, ast.Call) and node.args:
            name = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
            found = node.args[0] if name in WRITERS else None
            if name == "is_due":
                found = node.args[0]
        elif isinstance(node, ast.Dict):
            keys = [key and spell(key) for key in node.keys]
            if {"code", "header", "peer"} <= set(keys):
                found = node.values[keys.index("code")]
        code = found and spell(found)
        if code:
            yield code


def find_redirects(tree: ast.AST) -> Iterator[str]:
    """Find what the codes of redirects begin with."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Redirect":
            yield str(spell(node.args[1]))


def list_codes() -> set[str]:
    """List the codes of the three packages; what varies is in capital letters."""
    paths = [path for name in PACKAGES for path in (ROOT / name).rglob("*.py")]
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in paths]
    redirects = {begin for tree in trees for begin in find_redirects(tree)}
    codes = set(CODES)
    for code in (code for tree in trees for code in find_codes(tree)):
        if code.startswith("*-"):
            codes |= {begin + code[1:] for begin in redirects}
        else:
            codes.add(code)
    return codes


def list_shown() -> list[str]:
    """List the codes of the page; what varies in one is a star."""
    tables = PAGE[PAGE.index("## The codes") :]
    return [
        re.sub(r":[A-Z]+$", ":*", code)
        for cells in rows(tables)
        for code in re.findall(r"`([^`]+)`", cells[0])
    ]


def test_page_has_every_code_once() -> None:
    """Whatever has a code has one row, in which the code is explained."""
    shown = list_shown()

    assert sorted(set(shown)) == sorted(shown)
    assert list_codes() - set(shown) == set()


def test_page_has_no_code_that_is_gone() -> None:
    """Each code of the page stands in the sources."""
    paths = [path for name in PACKAGES for path in (ROOT / name).rglob("*.py")]
    source = "".join(path.read_text(encoding="utf-8") for path in paths)
    gone = {code for code in list_shown() if f'"{code.partition("*")[0]}' not in source}

    assert gone <= list_codes()


def test_attributes_of_the_page_are_on_every_record(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """`code`, `header` and `peer`, as the table says."""
    names = [cells[0].strip("`") for cells in rows(sections(PAGE)["As JSON"])]
    policy = ProxyPolicy(headers=["X-Forwarded-Proto"], proxies=["loopback"])
    forget()

    policy.apply({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_PROTO": "gopher"})

    [record] = caplog.records
    said = [getattr(record, name) for name in names]
    assert said == ["malformed", "X-Forwarded-Proto", "127.0.0.1"]


def block(heading: str, language: str = "python") -> str:
    """Take the first block of *language* below a heading."""
    return blocks(sections(PAGE)[heading], language)[0]


#: A request that the page's first record is about.
UNTRUSTED = """
from trustedproxy import ProxyPolicy

policy = ProxyPolicy(
    headers=["X-Forwarded-For", "X-Forwarded-Proto"], proxies=["192.168.1.31"]
)
policy.apply(
    {
        "REMOTE_ADDR": "172.18.0.1",
        "HTTP_X_FORWARDED_FOR": "192.168.1.40",
        "HTTP_X_FORWARDED_PROTO": "https",
    }
)
"""

DJANGO = """
from django.conf import settings
import django
settings.configure(LOGGING=LOGGING, INSTALLED_APPS=["django_trustedproxy"])
django.setup()
"""


def run(code: str) -> str:
    """Run *code* in a Python of its own, and give what it says of errors."""
    inherited = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    answer = subprocess.run(
        [sys.executable, "-c", code],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(os.path.abspath, inherited)),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return answer.stderr


def test_records_are_seen_without_any_configuration() -> None:
    """The page shows the record, to the letter, as Python prints it by itself."""
    heading = "See the records without configuring anything"

    assert run(UNTRUSTED) == block(heading, "text")
    assert run(block(heading)) == "Can you see this?\n"


def test_records_are_hidden_by_what_the_page_names() -> None:
    """`disable_existing_loggers` hides them, and to name the logger helps."""
    hide = "import trustedproxy, logging.config\nlogging.config.dictConfig(%r)\n"
    named: dict[str, Any] = {"loggers": {"trustedproxy": {}}}

    assert run(hide % {"version": 1} + UNTRUSTED) == ""
    assert run(hide % {"version": 1, **named} + UNTRUSTED)


def test_records_are_seen_in_django() -> None:
    """With the page's LOGGING each record is there once, with time and name."""
    pytest.importorskip("django", reason="Django is not installed in this environment")

    said = run(block("See them in Django") + DJANGO + UNTRUSTED)

    assert re.match(r"\S+ \S+ WARNING trustedproxy: trustedproxy: the peer ", said)
    assert said.count("\n") == 1


def test_records_are_seen_anywhere_else() -> None:
    """With the page's dictionary each record is there once."""
    said = run(block("See them in Flask, or anywhere else") + UNTRUSTED)

    assert said == block("See the records without configuring anything", "text")


def test_records_of_requests_are_seen_at_debug(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The level that the page sets shows each decision."""
    before = logger.level
    exec(block("Follow every request"))
    try:
        ProxyPolicy(strip="all").apply({"REMOTE_ADDR": "203.0.113.7"})
    finally:
        logger.setLevel(before)

    assert [record.levelno for record in caplog.records] == [logging.DEBUG]
    assert caplog.messages[0].startswith("trustedproxy: Decision(")


def make_record() -> logging.LogRecord:
    """Make the record that the page shows as JSON."""
    shown = json.loads(block("As JSON", "json"))
    return logging.makeLogRecord(
        {
            "name": shown["logger"],
            "levelname": shown["level"],
            "msg": shown["message"],
            "code": shown["code"],
            "header": shown["header"],
            "peer": shown["peer"],
        }
    )


def test_json_of_the_page_is_what_is_printed(caplog: pytest.LogCaptureFixture) -> None:
    """The formatter of the page makes the line of the page out of a real record."""
    names: dict[str, Any] = {}
    exec(block("As JSON"), names)
    shown = json.loads(block("As JSON", "json"))
    policy = ProxyPolicy(
        headers=["X-Forwarded-For", "X-Forwarded-Proto"], proxies=["loopback"]
    )
    forget()

    policy.apply(
        {
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_X_FORWARDED_FOR": "203.0.113.7",
            "HTTP_X_FORWARDED_PROTO": "gopher",
        }
    )

    printed = json.loads(names["JSONFormatter"]().format(caplog.records[0]))
    assert list(printed) == list(shown)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}", printed["time"])
    assert printed == {**shown, "time": printed["time"]}


def test_filter_of_the_page_leaves_one_code_out() -> None:
    """Records of other loggers, which have no code, pass."""
    names: dict[str, Any] = {}
    exec(blocks(sections(PAGE)["As JSON"], "python")[1], names)
    allows = names["WithoutForgers"]().filter

    assert not allows(logging.makeLogRecord({"code": "named-in-connection"}))
    assert allows(make_record())
    assert allows(logging.makeLogRecord({}))


def test_limits_of_the_page_are_those_of_the_log() -> None:
    """So many records in a minute."""
    from trustedproxy.log import INTERVAL, MOST_RECORDS

    [most] = re.findall(r"at most (\d+) times a minute", PAGE)

    assert (int(most), INTERVAL) == (MOST_RECORDS, 60.0)
