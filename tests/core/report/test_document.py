"""
The page as a whole.

In:  what it shows.
Out: a document that needs nothing from elsewhere, under a strict policy.
"""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise

from trustedproxy.report.document import (
    CONTENT_SECURITY_POLICY,
    HEADERS,
    write_frame,
    write_page,
    write_token_form,
)

from .making import make_contents

CONTENTS = replace(
    make_contents("X-Forwarded-For: 203.0.113.7", "X-A: <script>alert(1)</script>"),
    form_token="token",
)


def hash_of(source: str) -> str:
    """Hash a style or a script as a policy names it."""
    return b64encode(sha256(source.encode()).digest()).decode()


def test_style_and_script_are_allowed_by_their_hashes() -> None:
    """They are what the policy says, to the letter, and there is no other."""
    for html in (write_page(CONTENTS), write_token_form()):
        styles = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
        scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)

        assert len(styles) == len(scripts) == 1
        assert f"style-src 'sha256-{hash_of(styles[0])}'" in CONTENT_SECURITY_POLICY
        assert f"script-src 'sha256-{hash_of(scripts[0])}'" in CONTENT_SECURITY_POLICY
        assert not re.search(r"<[^>]* (on\w+|style)=", html)


def test_policy_allows_nothing_else() -> None:
    """No inline code by itself, no other site, no frame."""
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "default-src 'none'" in CONTENT_SECURITY_POLICY
    assert "frame-ancestors 'none'" in CONTENT_SECURITY_POLICY
    assert dict(HEADERS)["Cache-Control"] == "no-store"


def test_page_needs_nothing_from_elsewhere() -> None:
    """Neither a link nor an image leads away."""
    html = write_page(CONTENTS)

    linked = re.findall(r'(?:href|src|action)="([^"]*)"', html)
    assert all(link.startswith("#") or link == "data:," for link in linked)


def test_page_has_landmarks_and_headings_in_order() -> None:
    """One main heading, and none that leaves a level out."""
    html = write_page(CONTENTS)

    levels = [int(level) for level in re.findall(r"<h([1-6])", html)]
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    for landmark in ("<header>", "<nav ", "<main ", "<footer>", 'lang="en"'):
        assert landmark in html


def test_markup_of_a_header_is_text() -> None:
    """The commonest attack on a page like this."""
    assert "<script>alert" not in write_page(CONTENTS)
    assert "&lt;script&gt;alert(1)" in write_page(CONTENTS)


def test_frame_has_neither_script_nor_form() -> None:
    """It stands in another page, which is not to be disturbed."""
    html = write_frame(CONTENTS)

    assert "<script>" not in html
    assert "<form" not in html
    assert "203.0.113.7" in html


def test_form_says_nothing_of_any_request() -> None:
    """It is shown to anybody who asks for it."""
    assert "203.0.113.7" not in write_token_form()
    assert 'action="?token"' in write_token_form()
    assert "&lt;no&gt;" in write_token_form("<no>")
