"""
Each example runs through a real server and says the truth about its clients.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import httpx
import pytest

from ..copied_examples import copy_examples

EXAMPLES = copy_examples()


def load_servers() -> ModuleType:
    """Load the examples' own module that starts servers; it is in no package."""
    spec = importlib.util.spec_from_file_location("servers", EXAMPLES / "servers.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


servers = load_servers()
FORGED = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}


def ask(port: int, source: str) -> dict[str, str]:
    """Send the two headers to the example from this loopback address."""
    transport = httpx.HTTPTransport(local_address=source)
    with httpx.Client(transport=transport, timeout=10, trust_env=False) as client:
        answer = client.get(f"http://127.0.0.1:{port}/", headers=FORGED)
    assert answer.status_code == 200
    seen: dict[str, str] = answer.json()
    return seen


Command = Callable[[int], list[str]]
COMMANDS: dict[str, Command] = {
    "django": servers.gunicorn("django_app:application"),
    "flask": servers.gunicorn("flask_app:app"),
    "wsgi": servers.gunicorn("wsgi_app:application"),
    "asgi": servers.uvicorn("asgi_app:application"),
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_example_trusts_its_proxy_and_nobody_else(command: Command) -> None:
    """From 127.0.0.1 the headers are the truth, from 127.0.0.2 they are nothing."""
    with servers.serve(command) as port:
        through_the_proxy = ask(port, "127.0.0.1")
        around_the_proxy = ask(port, "127.0.0.2")

    assert through_the_proxy == {"client": "203.0.113.7", "scheme": "https"}
    assert around_the_proxy == {"client": "127.0.0.2", "scheme": "http"}


def test_example_imports_the_installed_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies where the example is started, such as a checkout, hides nothing."""
    (tmp_path / "flask_trustedproxy.py").write_text("raise ImportError\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)

    with servers.serve(COMMANDS["flask"]) as port:
        answer = ask(port, "127.0.0.2")

    assert answer == {"client": "127.0.0.2", "scheme": "http"}


def test_server_that_ends_by_itself_says_why() -> None:
    """An example that does not start says why, instead of leaving a dead port."""
    command = servers.gunicorn("no_such_module:app")

    with pytest.raises(RuntimeError) as caught, servers.serve(command):
        pass

    assert "No module named 'no_such_module'" in "".join(caught.value.__notes__)


def test_demo_shows_every_story_and_finds_every_value_right() -> None:
    """The demo's exit status is 0, and its table holds what the applications said."""
    # The demo imports its neighbours, which PYTHONSAFEPATH would forbid.
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONSAFEPATH"}

    answer = subprocess.run(
        [sys.executable, EXAMPLES / "demo.py"],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "24 answers right, 0 wrong." in answer.stdout
    assert "https://shop.example/shop/orders" in answer.stdout
