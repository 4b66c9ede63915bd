"""
The page as a whole: one document that needs nothing from elsewhere.

In:  `Contents`, or a sentence for the form in which a token is entered.
Out: HTML; and the headers that go with it, a strict Content-Security-Policy above all,
     in which the style and the script stand by their hashes.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files

from .markup import Child, Markup, element
from .sections import (
    FRAME_SECTIONS,
    SECTIONS,
    Contents,
    fill_sections,
    write_navigation,
    write_sections,
)

_TITLE = "What the application sees"

_FILES = files(__name__.rpartition(".")[0])
STYLE = Markup(_FILES.joinpath("page.css").read_text(encoding="utf-8"))
SCRIPT = Markup(_FILES.joinpath("page.js").read_text(encoding="utf-8"))


def _hash(source: str) -> str:
    digest = sha256(source.encode()).digest()
    return f"'sha256-{b64encode(digest).decode('ascii')}'"


CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        f"style-src {_hash(STYLE)}",
        f"script-src {_hash(SCRIPT)}",
        # The empty icon, so that no browser asks the site for one.
        "img-src data:",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

#: What goes with every answer of the page, whatever it is.
HEADERS = (
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    # To other sites nothing is said; to its own form the browser says its origin.
    ("Referrer-Policy", "same-origin"),
    ("X-Robots-Tag", "noindex"),
)


def write_page(contents: Contents) -> str:
    """Write the page."""
    sections = fill_sections(contents, SECTIONS)
    return _write_document(
        element("a", "Skip to the content", href="#content", class_="skip"),
        element(
            "header",
            element("p", "trustedproxy", class_="brand"),
            element("h1", _TITLE),
            write_navigation(sections),
        ),
        element("main", write_sections(sections), id="content", tabindex=-1),
        element("footer", element("p", _FOOTER)),
        element("p", id="status", role="status", class_="status"),
    )


_FOOTER = (
    "Cookies, credentials and the proxy's secret are not shown. This page is kept by "
    "no cache, and what is tried here is kept nowhere."
)


def write_frame(contents: Contents) -> str:
    """Write the same for a frame in another page, where no script runs."""
    sections = fill_sections(contents, FRAME_SECTIONS)
    return _write_document(
        element("main", element("h1", _TITLE), write_sections(sections)), script=False
    )


def write_token_form(error: str = "") -> str:
    """Write the form in which a token is entered; it says nothing of any request."""
    return _write_document(
        element(
            "main",
            element("h1", _TITLE),
            element("p", error, class_="error", role="alert") if error else None,
            element("p", _HOW),
            element(
                "form",
                element(
                    "label",
                    "Token",
                    element(
                        "input",
                        name="token",
                        required=True,
                        spellcheck="false",
                        autocomplete="off",
                    ),
                    class_="wide",
                ),
                element("button", "Open the page", type="submit"),
                method="post",
                action="?token",
                class_="box",
            ),
            id="content",
        )
    )


_HOW = (
    "This page shows what becomes of a request behind your proxies. Its operator can "
    "open it with a token, which is good for a few minutes and once."
)


def _write_document(*body: Child, script: bool = True) -> str:
    return "<!DOCTYPE html>\n" + element(
        "html",
        element(
            "head",
            element("meta", charset="utf-8"),
            element("title", f"{_TITLE}: trustedproxy"),
            element(
                "meta", name="viewport", content="width=device-width, initial-scale=1"
            ),
            element("meta", name="color-scheme", content="light dark"),
            element("link", rel="icon", href="data:,"),
            element("style", STYLE),
        ),
        element(
            "body",
            body,
            element("script", SCRIPT) if script else None,
            class_="trustedproxy",
        ),
        lang="en",
    )
