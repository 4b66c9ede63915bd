"""
Write the output of the commands in docs/commands/ anew, and take their pictures.

In:  pages with blocks of commands, each line of which begins with ``$``; the files that
     they are run beside.
Out: the same pages with what the commands print now; docs/images/command-*.svg.

``python tools/command_pages.py`` writes the pages, ``python tools/screenshots.py`` the
pictures; tests hold both against what the commands print.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "commands"

_BLOCK = re.compile(
    r"(?<=^```console\n)(?P<body>\$ .*?)(?=^```$)", re.MULTILINE | re.DOTALL
)
#: A line that stands for the rest of an output.
MORE = "…"

#: What stands in the folder in which the commands are run.
FILES = {
    "request.txt": (
        "GET /account?tab=1 HTTP/1.1\n"
        "Host: www.example.com\n"
        "X-Forwarded-For: 198.51.100.66, 203.0.113.7\n"
        "X-Forwarded-Proto: https\n"
        "Cookie: sessionid=8c2f\n"
    ),
    "access.log": (
        '{"time":"2026-11-02T10:00:01+00:00","peer":"203.0.113.7","scheme":"https",'
        '"host":"www.example.com","request":"GET / HTTP/1.1","status":"200",'
        '"headers":{"X-Forwarded-For":"203.0.113.7","X-Forwarded-Proto":"https"}}\n'
        '{"time":"2026-11-02T10:00:02+00:00","peer":"203.0.113.8","scheme":"https",'
        '"host":"www.example.com","request":"GET /a HTTP/1.1","status":"301",'
        '"headers":{"X-Forwarded-For":"203.0.113.8, 10.0.0.4",'
        '"X-Forwarded-Proto":"http"}}\n'
        '{"time":"2026-11-02T10:00:03+00:00","peer":"203.0.113.9"\n'
    ),
    "gunicorn.log": (
        '172.18.0.1 [02/Nov/2026:10:00:01 +0000] "GET / HTTP/1.1" 200 "203.0.113.7"\n'
        '172.18.0.1 [02/Nov/2026:10:00:02 +0000] "GET /a HTTP/1.1" 200 "203.0.113.8"\n'
    ),
    "app.py": (
        "from flask import Flask\n"
        "from werkzeug.middleware.proxy_fix import ProxyFix\n"
        "\n"
        "app = Flask(__name__)\n"
        "app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)\n"
    ),
    "shop.py": (
        "from trustedproxy import HTTPSOnly, ProxyPolicy, Settings\n"
        "\n"
        "\n"
        "def application(environ, start_response):\n"
        '    start_response("200 OK", [])\n'
        "    return []\n"
        "\n"
        "\n"
        "settings = Settings(\n"
        "    ProxyPolicy(\n"
        '        headers=["X-Forwarded-For", "X-Forwarded-Proto"],\n'
        '        proxies=["10.0.0.0/8"],\n'
        "    ),\n"
        '    HTTPSOnly(host="www.example.com"),\n'
        ")\n"
        "app = settings.wrap_wsgi(application)\n"
    ),
}


def make_environment(folder: Path) -> dict[str, str]:
    """Make a folder with the files and the command, and the environment of a shell."""
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    programs = folder / ".bin"
    programs.mkdir()
    program = programs / "trustedproxy"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m trustedproxy "$@"\n')
    program.chmod(0o755)
    paths = [
        os.path.abspath(path) for path in (str(ROOT / "core"), str(ROOT), *sys.path)
    ]
    kept = {"LANG": "C.UTF-8", "HOME": str(folder), "TMPDIR": str(folder)}
    return {
        **kept,
        "PATH": f"{programs}{os.pathsep}{os.defpath}",
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)),
    }


def run_command(command: str, folder: Path, environment: dict[str, str]) -> str:
    """Run a command in a shell, and return what it prints on both outputs."""
    answer = subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return answer.stdout


def split_commands(body: str) -> Iterator[tuple[str, list[str]]]:
    """Split a block into commands, each with the lines below it."""
    command: list[str] = []
    output: list[str] = []
    for line in body.splitlines():
        if line.startswith("$ "):
            if command:
                yield "\n".join(command), output
            command, output = [line], []
        elif command and command[-1].endswith("\\"):
            command.append(line)
        else:
            output.append(line)
    yield "\n".join(command), output


def fill(text: str, folder: Path, environment: dict[str, str]) -> str:
    """Write the outputs in a page anew; where one ends with ``…``, so much of it."""

    def fill_block(match: re.Match[str]) -> str:
        parts = []
        for command, before in split_commands(match["body"]):
            printed = run_command(command.removeprefix("$ "), folder, environment)
            lines = printed.rstrip("\n").splitlines() if printed.strip() else []
            if MORE in before and len(lines) >= len(before):
                lines = [*lines[: before.index(MORE)], MORE]
            parts += [command, *lines]
        return "\n".join(parts) + "\n"

    return _BLOCK.sub(fill_block, text)


def list_commands(text: str) -> list[str]:
    """List the commands of a page."""
    return [
        command.removeprefix("$ ")
        for match in _BLOCK.finditer(text)
        for command, _ in split_commands(match["body"])
    ]


def main() -> None:
    """Write every page."""
    for page in sorted(PAGES.glob("*.md")):
        with TemporaryDirectory() as name:
            folder = Path(name)
            text = page.read_text(encoding="utf-8")
            filled = fill(text, folder, make_environment(folder))
        page.write_text(filled, encoding="utf-8")


if __name__ == "__main__":
    main()
