"""
docs/asgi.md: its examples are those that run, and its tables are what was measured.
"""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from trustedproxy import ProxyPolicy

from ..real.asgi.running import GUNICORN, SERVERS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "asgi.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
PRAGMA = re.compile(r"  # type: ignore.*$", re.MULTILINE)

#: The examples by which `test_frameworks` starts its servers.
EXAMPLES = (
    "asgi_app.py",
    "starlette_app.py",
    "fastapi_app.py",
    "fastapi_https_app.py",
    "quart_app.py",
    "falcon_asgi_app.py",
    "django_asgi_app.py",
    "channels_app.py",
)


def read_example(name: str) -> str:
    """Read an example without what is for this repository alone."""
    text = PRAGMA.sub("", (ROOT / "examples" / name).read_text(encoding="utf-8"))
    _, _, body = text.split('"""\n', 2)
    return body.replace("from __future__ import annotations\n", "", 1).strip("\n")


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_is_on_the_page(name: str) -> None:
    """The page shows every example whole: what is copied from there runs."""
    assert f"{read_example(name)}\n" in BLOCKS


def test_other_blocks_run_as_they_stand(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are no example need nothing but the first example's application."""
    monkeypatch.setenv("TRUSTED_PROXY_HEADERS", "X-Forwarded-For")
    monkeypatch.setenv("TRUSTED_PROXIES", "loopback")
    examples = {f"{read_example(name)}\n" for name in EXAMPLES}
    others = [block for block in BLOCKS if block not in examples]

    for block in others:
        exec(compile(block, "asgi.md", "exec"), {"what_i_see": lambda *_: None})

    assert len(others) == 2
    assert "203.0.113.7" in capsys.readouterr().out


def test_decision_of_the_fastapi_example_may_be_missing() -> None:
    """A policy that reports only puts none into the scope: no request fails by that."""
    requests = pytest.importorskip("fastapi.requests", reason="FastAPI is not here")
    values = runpy.run_path(str(ROOT / "examples" / "fastapi_app.py"))
    policy = ProxyPolicy(
        headers=["X-Forwarded-For"], proxies=["loopback"], report_only=True
    )
    scope = {"type": "http", "client": ("127.0.0.1", 1), "headers": []}

    _, applied = policy.apply_scope(scope)

    assert values["find_decision"](requests.HTTPConnection(applied)) is None


def test_page_names_every_switch_and_option_that_was_tried() -> None:
    """The options with which the servers were run are those that the page names."""
    rows = [*SERVERS.values(), *GUNICORN.values()]
    tried = {o for row in rows for o in (*row.switch[:1], row.mount)}

    assert sorted(option for option in tried if f"`{option}" not in PAGE) == []
