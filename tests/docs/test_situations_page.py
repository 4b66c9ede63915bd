"""
docs/situations.md: what it says to write does what it says.

In:  the page's settings, in Django's or Flask's words.
Out: the answers that it promises, and the log on stderr.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request

from flask_trustedproxy import TrustedProxy
from trustedproxy import Settings, read_settings

PAGE = Path(__file__).parents[2] / "docs" / "situations.md"
TEXT = PAGE.read_text(encoding="utf-8")
EXAMPLE = {
    "TRUSTED_PROXY_HEADERS": ["X-Forwarded-For", "X-Forwarded-Proto"],
    "TRUSTED_PROXIES": ["loopback"],
    "TRUSTED_PROXY_STRIP": "all",
}
FROM_PROXY = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}


def make_app(**config: Any) -> Flask:
    """Make an application that says where its page is."""
    app = Flask("application")
    app.config.update({**EXAMPLE, **config})
    app.add_url_rule("/", "page", lambda: request.url)
    app.add_url_rule("/healthz", "health", lambda: "well")
    TrustedProxy(app)
    return app


def test_page_begins_with_the_example_policy() -> None:
    """Whoever copies it has the policy that these tests use."""
    [block, *_] = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    values: dict[str, Any] = {}

    exec(compile(block, "situations.md", "exec"), values)

    assert {name: values[name] for name in EXAMPLE} == EXAMPLE


@pytest.mark.parametrize(
    "line", re.findall(r"^\s+(TRUSTED_PROXY_\w+ = .*)$", TEXT, re.MULTILINE)
)
def test_setting_of_the_page_is_accepted(line: str) -> None:
    """Every line that it says to write is one."""
    values: dict[str, Any] = {"DEBUG": False}

    exec(compile(line, "situations.md", "exec"), values)

    ours = {k: v for k, v in values.items() if k.startswith("TRUSTED_PROX")}
    assert isinstance(read_settings({**EXAMPLE, **ours}), Settings)


def test_health_check_of_a_pod() -> None:
    """Exempt by its whole path, with the site's host in the probe."""
    app = make_app(
        TRUSTED_PROXY_HTTPS_ONLY=True,
        TRUSTED_PROXY_HTTPS_EXEMPT=["/healthz"],
        TRUSTED_HOSTS=["shop.example"],
    )
    client = app.test_client()
    kubelet: dict[str, Any] = {"environ_base": {"REMOTE_ADDR": "10.244.0.1"}}

    named = client.get("/healthz", base_url="http://shop.example", **kubelet)
    other = client.get("/healthz/", base_url="http://shop.example", **kubelet)

    assert named.status_code == 200
    assert other.status_code == 301


def test_gateway_with_a_header_of_its_own() -> None:
    """X-Original-Host is a host header like the others."""
    app = make_app(
        TRUSTED_PROXY_HEADERS=[*EXAMPLE["TRUSTED_PROXY_HEADERS"], "X-Original-Host"],
        TRUSTED_HOSTS=["shop.example"],
    )

    headers = {**FROM_PROXY, "X-Original-Host": "shop.example"}
    answer = app.test_client().get("/", headers=headers, base_url="http://app:8000")

    assert answer.text == "https://shop.example/"


def test_proxy_that_sends_its_own_name() -> None:
    """Where it can say nothing else, the host is stated."""
    app = make_app(TRUSTED_PROXY_FIXED_HOST="shop.example")

    answer = app.test_client().get("/", headers=FROM_PROXY, base_url="http://app:8000")

    assert answer.text == "https://shop.example/"


@pytest.mark.parametrize("debug", [True, False])
def test_own_browser_on_a_development_machine(
    debug: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """With the page's switches nothing is redirected, and the log is silent."""
    app = make_app(
        TRUSTED_PROXIES=[] if debug else ["loopback"],
        TRUSTED_PROXY_HTTPS_ONLY=not debug,
        TRUSTED_HOSTS=["localhost", "127.0.0.1"],
    )

    answer = app.test_client().get("/", base_url="http://127.0.0.1:8000")

    assert answer.status_code == (200 if debug else 301)
    if not debug:
        assert f"**Every page leads to `{answer.location}`," in TEXT
    assert bool(caplog.records) is not debug


def test_log_is_on_stderr_where_nothing_is_configured() -> None:
    """Python's last resort writes the record as it is, and it names the project."""
    script = (
        "from trustedproxy import ProxyPolicy\n"
        "policy = ProxyPolicy(headers='X-Forwarded-For', proxies='192.168.1.31')\n"
        "policy.apply({'REMOTE_ADDR': '172.18.0.1', 'HTTP_X_FORWARDED_FOR': '1.1.1.1'})"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stderr.startswith("trustedproxy: the peer '172.18.0.1' sent")
