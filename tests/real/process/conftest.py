"""
The real servers, each started when it is first asked, twice: with and without.

In:  `SERVERS`: how each is started with one of the two applications.
Out: `ask`, which runs a case of `application` in a request, and the server's log.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest

import trustedproxy

from ..servers.fronts import APACHE_MODULE_FOLDER, find_program, write_apache_frame
from ..servers.processes import ANSWER_SECONDS, Process, ProcessManager, find_free_port

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Plan:
    """
    What a server is to serve.

    Attributes:
        folder: Its own, for configuration files.

        packages: Where `application` and ``trustedproxy`` can be imported from.

        port: Where it is to listen on 127.0.0.1.

        name: The application's name in `application`.
    """

    folder: Path
    packages: Path
    port: int
    name: str


def _gunicorn(*options: str) -> Callable[[Plan], list[str]]:
    def command(plan: Plan) -> list[str]:
        return [
            *(sys.executable, "-m", "gunicorn", "--no-control-socket"),
            *("-b", f"127.0.0.1:{plan.port}", f"application:{plan.name}"),
            *("--pythonpath", str(plan.packages), "--graceful-timeout", "3", *options),
        ]

    return command


def _uwsgi(*options: str) -> Callable[[Plan], list[str]]:
    def command(plan: Plan) -> list[str]:
        return [
            *(find_program("uwsgi"), "--http-socket", f"127.0.0.1:{plan.port}"),
            *("--virtualenv", sys.prefix, "--pythonpath", str(plan.packages)),
            *("--module", f"application:{plan.name}", "--master", "--need-app"),
            *("--die-on-term", "--enable-threads", *options),
        ]

    return command


def _uvicorn(plan: Plan) -> list[str]:
    return [
        *(sys.executable, "-m", "uvicorn", f"application:{plan.name}_asgi"),
        *("--app-dir", str(plan.packages), "--host", "127.0.0.1"),
        *("--port", str(plan.port), "--no-proxy-headers"),
    ]


def _mod_wsgi(directives: str) -> Callable[[Plan], list[str]]:
    def command(plan: Plan) -> list[str]:
        module = subprocess.run(
            [find_program("mod_wsgi-express"), "module-location"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        modules = "\n".join(
            f"LoadModule {name}_module {path}"
            for name, path in (
                ("mpm_event", f"{APACHE_MODULE_FOLDER}/mod_mpm_event.so"),
                ("authz_core", f"{APACHE_MODULE_FOLDER}/mod_authz_core.so"),
                ("wsgi", module),
            )
        )
        frame = write_apache_frame(plan.folder, [f"127.0.0.1:{plan.port}"], modules)
        script = plan.folder / "application.wsgi"
        script.write_text(f"from application import {plan.name} as application\n")
        (plan.folder / "apache.conf").write_text(
            f"""{frame}
WSGIPythonHome {sys.base_prefix}
WSGIPythonPath {plan.packages}
WSGISocketPrefix {plan.folder}/wsgi
WSGIApplicationGroup %{{GLOBAL}}
WSGIScriptAlias / {script}
{directives.replace("PACKAGES", str(plan.packages))}
<Directory {plan.folder}>
    Require all granted
</Directory>
"""
        )
        options = ["-DFOREGROUND", "-f", f"{plan.folder}/apache.conf"]
        return [find_program("apache2"), *options]

    return command


_DAEMON = """
WSGIDaemonProcess served processes=1 threads=2 python-path=PACKAGES
WSGIProcessGroup served
"""

SERVERS: dict[str, Callable[[Plan], list[str]]] = {
    "gunicorn-sync": _gunicorn(),
    "gunicorn-gthread": _gunicorn("-k", "gthread", "--threads", "2"),
    "gunicorn-preload": _gunicorn("--preload"),
    "uwsgi": _uwsgi(),
    "uwsgi-threads": _uwsgi("--threads", "2"),
    "mod_wsgi-daemon": _mod_wsgi(_DAEMON),
    "mod_wsgi-embedded": _mod_wsgi(""),
    "uvicorn": _uvicorn,
}


@dataclass(frozen=True, slots=True)
class Running:
    """A server that runs."""

    process: Process
    port: int

    def ask(self, case: str, seconds: float = 25.0) -> dict[str, Any]:
        """Run a *case* in a request; a child of it has *seconds* to end."""
        url = f"http://127.0.0.1:{self.port}/{case}?{seconds}"
        with urllib.request.urlopen(url, timeout=ANSWER_SECONDS) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def read_log(self) -> str:
        """Return what the server and the application logged."""
        return self.process.read_log()


class Start(Protocol):
    """Start a server with an application: the one that runs, or a fresh one."""

    def __call__(self, server: str, application: str, use: str = "") -> Running: ...


@pytest.fixture(scope="session")
def start() -> Iterator[Start]:
    """Start a server with one of the two applications, once for each use."""
    started: dict[tuple[str, str, str], Running] = {}
    with tempfile.TemporaryDirectory(prefix="signals-") as name:
        folder = Path(name)
        # Apache's children are an unprivileged user, who reads only this.
        folder.chmod(0o755)
        packages = folder / "packages"
        packages.mkdir()
        shutil.copy(HERE / "application.py", packages)
        (source,) = importlib.import_module(trustedproxy.__name__).__path__
        shutil.copytree(
            source,
            packages / "trustedproxy",
            ignore=shutil.ignore_patterns("__pycache__"),
        )
        with ProcessManager(folder) as manager:

            def start_once(server: str, application: str, use: str = "") -> Running:
                key = (server, application, use)
                if key not in started:
                    own = folder / f"{server}-{application}{use}"
                    own.mkdir()
                    port = find_free_port()
                    plan = Plan(own, packages, port, application)
                    process = manager.start(
                        own.name,
                        SERVERS[server](plan),
                        [("127.0.0.1", port)],
                        environment={**os.environ, "PYTHONUNBUFFERED": "1"},
                    )
                    process.wait_ready()
                    started[key] = Running(process, port)
                return started[key]

            yield start_once
