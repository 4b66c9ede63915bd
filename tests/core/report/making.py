"""
Pages, requests and environs for the tests of the page.

In:  what differs from a request of a trusted proxy's.
Out: what the page makes of it.
"""

from __future__ import annotations

import re
from typing import Any, Final

from trustedproxy import Settings, read_settings
from trustedproxy.explain import Explanation, explain_request
from trustedproxy.explain.requests import join_headers, make_request
from trustedproxy.report.page import Page
from trustedproxy.report.sections import Contents
from trustedproxy.report.tokens import MemoryUses
from trustedproxy.report.trying import describe_fields
from trustedproxy.report.visits import Visit, read_fields, read_visit_of_environ
from trustedproxy.responses import Answer

PEER: Final = "10.0.0.5"
STRANGER: Final = "198.51.100.7"
SECRET: Final = "the secret of these tests"
PATH: Final = "/trustedproxy/"


def make_settings(**names: Any) -> Settings:
    """Make settings of names without their ``TRUSTED_PROXY_``, in small letters."""
    given = {
        "headers": ["X-Forwarded-For", "X-Forwarded-Proto"],
        "proxies": ["10.0.0.0/8"],
        **names,
    }
    spelled = {
        "TRUSTED_PROXIES" if name == "proxies" else f"TRUSTED_PROXY_{name.upper()}": v
        for name, v in given.items()
    }
    return read_settings(spelled)


def make_page(*, secret: str | None = SECRET, **names: Any) -> Page:
    """Make a page, whose tokens are remembered in memory."""
    return Page(make_settings(**names), secret=secret, uses=MemoryUses())


def make_environ(**keys: Any) -> dict[str, Any]:
    """Make the environ of a request for the page, sent by a trusted proxy."""
    return {
        "REQUEST_METHOD": "GET",
        "REMOTE_ADDR": PEER,
        "wsgi.url_scheme": "http",
        "HTTP_HOST": "app.example",
        "SERVER_NAME": "backend",
        "SERVER_PORT": "8000",
        "SCRIPT_NAME": "",
        "PATH_INFO": PATH,
        "QUERY_STRING": "",
        "HTTP_X_FORWARDED_FOR": "203.0.113.7",
        "HTTP_X_FORWARDED_PROTO": "https",
        **keys,
    }


def make_scope(*lines: tuple[bytes, bytes], **keys: Any) -> dict[str, Any]:
    """Make the scope of the same request."""
    return {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "path": PATH,
        "raw_path": PATH.encode(),
        "root_path": "",
        "query_string": b"",
        "client": (PEER, 4711),
        "server": ("backend", 8000),
        "headers": [
            (b"host", b"app.example"),
            (b"x-forwarded-for", b"203.0.113.7"),
            (b"x-forwarded-proto", b"https"),
            *lines,
        ],
        **keys,
    }


def make_visit(page: Page, body: bytes = b"", /, **keys: Any) -> Visit:
    """Make a visit of such a request."""
    return read_visit_of_environ(
        page.settings.policy, make_environ(**keys), read_fields(body)
    )


def explain(*lines: str, peer: str = PEER, **names: Any) -> Explanation:
    """Explain a request of header *lines* under settings of *names*."""
    said = {
        "peer": peer,
        "scheme": "http",
        "server": "backend",
        "port": "8000",
        "path": "/a",
    }
    request = make_request(join_headers(lines), said=said)
    return explain_request(make_settings(**names), request)


def make_contents(*lines: str, **names: Any) -> Contents:
    """Make what the page shows of such a request."""
    peer = names.pop("peer", PEER)
    explanation = explain(*lines, peer=peer, **names)
    return Contents(
        explanation=explanation,
        policy=make_settings(**names).policy,
        rows=(),
        fields=describe_fields(explanation),
    )


def read_html(answer: Answer) -> str:
    """Read the page of an answer."""
    assert dict(answer.headers)["Content-Type"] == "text/html; charset=utf-8"
    return answer.body.decode()


def read_cookie(answer: Answer) -> str:
    """Read what a browser sends back of the answer's cookie."""
    return dict(answer.headers)["Set-Cookie"].partition(";")[0]


def read_form(html: str) -> str:
    """Read the token of the page's own form."""
    found = re.search(r'name="form" value="([^"]+)"', html)
    assert found is not None
    return found[1]
