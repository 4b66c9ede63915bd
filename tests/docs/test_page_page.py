"""
What docs/page.md says to write, written.

In:  the page's blocks of Python.
Out: applications whose page opens.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import Client

from flask_trustedproxy import TrustedProxy

from .pages import ROOT

TEXT = (ROOT / "docs" / "page.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def find_block(word: str) -> str:
    """Find the block that has *word* in it."""
    (block,) = (block for block in BLOCKS if word in block)
    return str(block)


def test_blueprint_is_registered() -> None:
    """As the page has it."""
    app = Flask("application")
    app.config.update(TRUSTED_PROXY_HEADERS=["X-Forwarded-For"], TRUSTED_PROXIES="*")
    TrustedProxy(app)
    exec(find_block("register_blueprint"), {"app": app})
    app.debug = True

    answer = Client(app).get("/trustedproxy/")

    assert answer.status_code == 200
    assert "What the application sees" in answer.text


def test_application_is_wrapped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a secret from the environment, and a file for used tokens."""
    monkeypatch.setenv("APP_SECRET", "a secret of this test")
    file = tmp_path / "tokens.sqlite3"
    code = find_block("Page(").replace("/run/app/tokens.sqlite3", str(file))
    values: dict[str, Any] = {"application": None}
    exec(code, values)

    token = values["page"].make_token()

    assert token.startswith("page.")
    assert values["application"].app is not None
