"""
The command, from one end to the other: a real nginx, gunicorn, Django and Flask.

In:  a token that the project's own command prints.
Out: a card of what its page says, through two worker processes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from trustedproxy import ProxyPolicy
from trustedproxy.frontends import Site

from ..servers.farm import CLIENT, make_environment, run_front
from ..servers.fronts import find_front, find_program
from ..servers.processes import find_free_ports
from .sites import HOST, Ground

POLICY = """
import os
TRUSTED_PROXY_HEADERS = ["X-Forwarded-For", "X-Forwarded-Proto"]
TRUSTED_PROXIES = ["127.0.0.1"]
TRUSTED_PROXY_STRIP = "all"
TRUSTED_PROXY_TOKEN_FILE = os.path.abspath("tokens.sqlite3")
SECRET_KEY = "a secret of these tests, and of nobody else"
"""
DJANGO = {
    "manage.py": """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "project"
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
""",
    "project.py": POLICY
    + """
ALLOWED_HOSTS = ["localhost"]
INSTALLED_APPS = ["django_trustedproxy"]
MIDDLEWARE = ["django_trustedproxy.middleware.TrustedProxyMiddleware"]
ROOT_URLCONF = "urls"
""",
    "urls.py": """
from django.http import HttpResponse
from django.urls import include, path

def show(request):
    return HttpResponse(request.build_absolute_uri("/there"))

page = include("django_trustedproxy.urls")
urlpatterns = [path("trustedproxy/", page), path("", show)]
""",
    "site_of_test.py": """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "project"
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
""",
}
FLASK = {
    "site_of_test.py": """
from flask import Flask, url_for
from flask_trustedproxy import TrustedProxy
from flask_trustedproxy.views import page

app = application = Flask(__name__)
app.config.from_pyfile("configuration.py")
app.config["TRUSTED_HOSTS"] = ["localhost"]
TrustedProxy(app)
app.register_blueprint(page, url_prefix="/trustedproxy")

@app.get("/")
def show():
    return url_for("show", _external=True)
""",
    "configuration.py": POLICY,
}


@dataclass(frozen=True, slots=True)
class Project:
    """A project, and how its command is called."""

    files: Mapping[str, str]
    command: tuple[str, ...]


PROJECTS = {
    "Django": Project(DJANGO, ("manage.py", "trustedproxy")),
    "Flask": Project(FLASK, ("-m", "flask", "--app", "site_of_test", "trustedproxy")),
}


@dataclass(frozen=True, slots=True)
class Deployed:
    """A project that is served."""

    folder: Path
    project: Project
    port: int
    environment: Mapping[str, str]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run Python in the folder of the project."""
        return subprocess.run(
            [sys.executable, *words],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def probe(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the probe, from an address that nobody trusts."""
        return self.run(
            *("-m", "trustedproxy", "probe"),
            *("--yes", "--json", "--rate", "100000", "--source", CLIENT),
            *words,
        )


@contextmanager
def deploy(ground: Ground, project: Project) -> Iterator[Deployed]:
    """Serve a project by gunicorn behind nginx."""
    folder = ground.folder / f"project-{len(list(ground.folder.iterdir()))}"
    folder.mkdir(mode=0o755)
    for name, text in project.files.items():
        (folder / name).write_text(text, encoding="utf-8")
    port, front_port = find_free_ports(2)
    environment = make_environment({})
    environment["PYTHONPATH"] += os.pathsep + str(folder)
    environment.pop("PYTHONSAFEPATH", None)
    command = [find_program("gunicorn"), "--chdir", str(folder), "--workers", "2"]
    command += ["--forwarded-allow-ips", "", "--bind", f"{HOST}:{port}"]
    server = ground.manager.start(
        "gunicorn",
        [*command, "site_of_test:application"],
        [(HOST, port)],
        environment=environment,
    )
    policy = ProxyPolicy(
        headers="X-Forwarded-For X-Forwarded-Proto", proxies=HOST, strip="all"
    )
    site = Site(
        backend=f"{HOST}:{port}",
        server_names="localhost",
        address=HOST,
        http_port=front_port,
    )
    front = find_front("nginx")
    front_folder = folder / "nginx"
    front_folder.mkdir(mode=0o755)
    nginx = run_front(
        ground.manager, front, front.print_for(front_folder, site, policy)
    )
    try:
        server.wait_ready()
        nginx.wait_ready()
        yield Deployed(folder, project, front_port, environment)
    finally:
        for process in (nginx, server):
            process.stop()
            ground.manager.processes.remove(process)


@pytest.mark.parametrize("name", PROJECTS)
def test_command_probes_a_project_with_its_own_token(ground: Ground, name: str) -> None:
    """Nothing got through, and the token is good for a few runs at the most."""
    with deploy(ground, PROJECTS[name]) as site:
        made = site.run(*site.project.command, "token", "--probe")
        (site.folder / "token").write_text(made.stdout, encoding="ascii")
        url = f"http://localhost:{site.port}"
        words = (f"{url}/trustedproxy/", "--token-file", "token")
        by_page = site.probe(*words)
        by_answers = site.probe(f"{url}/")
        again = [site.probe(*words) for _ in range(7)]

    assert made.returncode == 0, made.stderr
    card = json.loads(by_page.stdout)
    assert (card["findings"], card["incomplete"]) == ([], []), card
    assert (by_page.returncode, card["seen_by"]) == (0, "page")
    assert json.loads(by_answers.stdout)["findings"] == []
    assert sorted({run.returncode for run in again}) == [0, 1, 2]
    assert any("may have run out" in run.stdout for run in again)
    assert "the token is refused" in again[-1].stdout
