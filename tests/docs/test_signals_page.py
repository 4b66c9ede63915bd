"""What docs/signals.md shows, before and after, on a real gunicorn."""

from __future__ import annotations

import re
import sys
import urllib.request
from pathlib import Path

import pytest

from ..real.servers.processes import ANSWER_SECONDS, ProcessManager, find_free_port

PAGE = Path(__file__).parents[2] / "docs" / "signals.md"


def read_example(word: str) -> str:
    """Take the application that has a *word* out of the page."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    (example,) = [block for block in blocks if word in block]
    assert isinstance(example, str)
    return example


def serve(folder: Path, source: str) -> str:
    """Serve the application, and return what it answers."""
    folder.joinpath("example.py").write_text(source, encoding="utf-8")
    port = find_free_port()
    command = [
        *(sys.executable, "-m", "gunicorn", "example:application"),
        *("--pythonpath", str(folder), "-b", f"127.0.0.1:{port}"),
        "--no-control-socket",
    ]
    with ProcessManager(folder) as manager:
        manager.start("gunicorn", command, [("127.0.0.1", port)]).wait_ready()
        with urllib.request.urlopen(
            f"http://127.0.0.1:{port}/", timeout=ANSWER_SECONDS
        ) as answer:
            body: bytes = answer.read()
    return body.decode()


def restrict(source: str) -> str:
    """Put the restriction into the first line of an application."""
    head = "def application(environ, start_response):\n"
    source = source.replace(head, f"{head}    restrict_signals()\n")
    return f"from trustedproxy.process import restrict_signals\n{source}"


@pytest.mark.parametrize("with_restriction", [False, True])
def test_example_answers_as_shown(tmp_path: Path, with_restriction: bool) -> None:
    """The answers that the page shows are those of the application that it shows."""
    source = read_example("multiprocessing")
    if with_restriction:
        source = restrict(source)

    answer = serve(tmp_path, source)

    shown = f"```text\n{answer}```\n"
    assert answer == (
        "exit code -15, alive: False\n"
        if with_restriction
        else "exit code None, alive: True\n"
    )
    assert shown in PAGE.read_text(encoding="utf-8")


def test_timer_of_the_page_fires(tmp_path: Path) -> None:
    """The application that limits itself answers, in a restricted process."""
    answer = serve(tmp_path, restrict(read_example("setitimer")))

    assert answer == "That would take too long.\n"
