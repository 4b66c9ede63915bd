"""
The README: every example in it runs, and its tables agree with the code.

In:  README.md, cut at its headings.
Out: each block of code run as a reader would run it.

What needs a framework is run where that framework is installed.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.metadata
import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from trustedproxy import Connection, ProxyPolicy, read_settings
from trustedproxy.decision import CODES
from trustedproxy.explain import explain, write_text
from trustedproxy.option_table import OPTIONS
from trustedproxy.settings import Settings

from ..surfaces import call_wsgi

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SECTIONS = {
    section.partition("\n")[0]: section.partition("\n")[2]
    for section in ("trustedproxy\n" + README).split("\n## ")
}
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

TITLE = "trustedproxy"
INSTALL = "Install"
DJANGO = "Django"
FLASK = "Flask"
WSGI = "Any WSGI application"
ASGI = "FastAPI, and any ASGI application"
EXPLAIN = "What would happen to this request?"
SETTINGS = "Settings"
TOPOLOGIES = "Which topology is yours?"
COMMANDS = "Work on it"

#: The sections with blocks of code, each of which has a test below.
TESTED = {TITLE, INSTALL, DJANGO, FLASK, WSGI, ASGI, EXPLAIN, COMMANDS}

PEER = "127.0.0.1"
STRANGER = "198.51.100.7"
SENT = {
    "X-Forwarded-For": "6.6.6.6, 203.0.113.7",
    "X-Forwarded-Proto": "https",
    "X-Real-IP": "6.6.6.6",
}


def block(section: str, language: str = "python") -> str:
    """Take the one block of *language* in a section."""
    (code,) = (c for name, c in FENCE.findall(SECTIONS[section]) if name == language)
    return str(code)


def rows(section: str) -> list[list[str]]:
    """Take the table of a section, without its head."""
    lines = [x for x in SECTIONS[section].splitlines() if x.startswith("|")]
    return [[cell.strip() for cell in x.strip("|").split("|")] for x in lines[2:]]


def spell(name: str) -> str:
    """Spell a header's name as an environ does."""
    return "HTTP_" + name.upper().replace("-", "_")


def make_environ(peer: str = PEER) -> dict[str, Any]:
    """Make the environ of the README's request."""
    return {
        "REQUEST_METHOD": "GET",
        "REMOTE_ADDR": peer,
        "SERVER_NAME": "backend",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "HTTP_HOST": "app.example",
        "wsgi.url_scheme": "http",
        **{spell(name): value for name, value in SENT.items()},
    }


def make_policy() -> ProxyPolicy:
    """Make the policy of every example."""
    return ProxyPolicy(
        headers=["X-Forwarded-For", "X-Forwarded-Proto"],
        proxies=["loopback"],
        strip="all",
    )


def run(
    arguments: list[str], folder: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run Python in *folder*, whose modules it can import."""
    inherited = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    path = os.pathsep.join([str(folder), *map(os.path.abspath, inherited)])
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def need(module: str) -> None:
    """Skip a test whose framework is not installed in this environment."""
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed in this environment")


def test_every_example_has_a_test() -> None:
    """No block of code is added to the README without one here."""
    with_code = {name for name, text in SECTIONS.items() if FENCE.search(text)}

    assert with_code == TESTED


def test_opening_table_is_what_happens() -> None:
    """The first screen shows what a policy like the examples' makes of the request."""
    policy = make_policy()
    before, after = make_environ(), make_environ()
    policy.apply(after)
    lines = block(TITLE, "text").splitlines()
    shown = {
        cells[0]: cells[1:]
        for line in lines
        if len(cells := re.split(r" {2,}", line)) == 3
    }

    assert lines[2].endswith(f"X-Forwarded-For: {SENT['X-Forwarded-For']}")
    assert shown.pop("the application sees") == ["without", "with trustedproxy"]
    assert shown.pop("scheme") == [
        before["wsgi.url_scheme"],
        after["wsgi.url_scheme"],
    ]
    assert shown.pop("REMOTE_ADDR") == [before["REMOTE_ADDR"], after["REMOTE_ADDR"]]
    for name, values in shown.items():
        assert values == [before[spell(name)], after.get(spell(name), "-")]
    assert shown.keys() == {"X-Forwarded-For", "X-Real-IP"}


def test_install_names_extras_that_there_are() -> None:
    """What the reader is to install is what the distribution offers."""
    wanted = set(re.findall(r"trustedproxy\[(\w+)\]", SECTIONS[INSTALL]))
    [others] = re.findall(r"^Two more extras: (.*)$", SECTIONS[INSTALL], re.MULTILINE)
    wanted |= set(re.findall(r"`(\w+)`", others))
    offered = set(_metadata().get_all("Provides-Extra") or ())

    assert wanted == offered
    for line in block(INSTALL, "console").splitlines():
        assert re.fullmatch(r'\$ pip install "?trustedproxy(\[\w+\])?"?', line)


def _metadata() -> Any:
    try:
        return importlib.metadata.metadata("trustedproxy")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("the tests run from the checkout, which has no metadata")


DJANGO_DRIVER = """
import json
import django
django.setup()
from django.core.checks import run_checks
from django.test import Client

ids = sorted(message.id for message in run_checks())
client = Client(REMOTE_ADDR="%s", headers={"Host": "app.example", **%r})
print(json.dumps({"answer": client.get("/").json(), "checks": ids}))
"""

DJANGO_BEGINNING = """
SECRET_KEY = "a key of this test"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "urls"
INSTALLED_APPS = []
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
"""

DJANGO_URLS = """
from django.http import JsonResponse
from django.urls import path
from django_trustedproxy import get_decision

def view(request):
    return JsonResponse({
        "client": request.META["REMOTE_ADDR"],
        "here": request.build_absolute_uri(),
        "secure": request.is_secure(),
        "for": request.headers.get("X-Forwarded-For"),
        "real": request.headers.get("X-Real-IP"),
        "decided": get_decision(request).client,
    })

urlpatterns = [path("", view)]
"""


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        (
            PEER,
            {
                "client": "203.0.113.7",
                "here": "https://app.example/",
                "secure": True,
                "for": "203.0.113.7",
                "real": None,
                "decided": "203.0.113.7",
            },
        ),
        (
            STRANGER,
            {
                "client": STRANGER,
                "here": "http://app.example/",
                "secure": False,
                "for": None,
                "real": None,
                "decided": STRANGER,
            },
        ),
    ],
)
def test_django_example(peer: str, expected: dict[str, Any], tmp_path: Path) -> None:
    """The settings of the README in a project: right values, and no check complains."""
    need("django")
    (tmp_path / "settings.py").write_text(DJANGO_BEGINNING + block(DJANGO))
    (tmp_path / "urls.py").write_text(DJANGO_URLS)

    result = run(
        ["-c", DJANGO_DRIVER % (peer, SENT)],
        tmp_path,
        DJANGO_SETTINGS_MODULE="settings",
    )

    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == {"answer": expected, "checks": []}


def test_django_command(tmp_path: Path) -> None:
    """The Django command of the README says the same as Flask's."""
    need("django")
    (tmp_path / "settings.py").write_text(DJANGO_BEGINNING + block(DJANGO))
    (tmp_path / "urls.py").write_text(DJANGO_URLS)
    command, expected = _split_session(block(EXPLAIN, "console"))
    arguments = command[command.index("trustedproxy") :]

    result = run(
        ["-m", "django", *arguments], tmp_path, DJANGO_SETTINGS_MODULE="settings"
    )

    assert (result.stdout, result.returncode) == (expected, 0), result.stderr


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        (PEER, {"client": "203.0.113.7", "here": "https://localhost/"}),
        (STRANGER, {"client": STRANGER, "here": "http://localhost/"}),
    ],
)
def test_flask_example(peer: str, expected: dict[str, str]) -> None:
    """The application of the README says the client and its own URL."""
    need("flask")
    names: dict[str, Any] = {"__name__": "app"}
    exec(compile(block(FLASK), "README.md", "exec"), names)

    response = (
        names["app"]
        .test_client()
        .get("/", environ_base={"REMOTE_ADDR": peer}, headers=SENT)
    )

    assert response.get_json() == expected


def test_flask_command(tmp_path: Path) -> None:
    """The command line of the README prints what the README shows."""
    need("flask")
    (tmp_path / "app.py").write_text(block(FLASK))
    command, expected = _split_session(block(EXPLAIN, "console"))

    result = run(["-m", *command], tmp_path)

    assert (result.stdout, result.returncode) == (expected, 0), result.stderr


def _split_session(session: str) -> tuple[list[str], str]:
    """Split a console session into its command's words and what it printed."""
    first, _, output = session.partition("\n")
    return shlex.split(first.removeprefix("$ ")), output


def test_explained_request_in_the_core() -> None:
    """The text of the README is the policy's own, without any framework."""
    policy = make_policy()
    _, expected = _split_session(block(EXPLAIN, "console"))
    sent = {name: SENT[name] for name in ("X-Forwarded-For", "X-Forwarded-Proto")}

    explained = explain(policy, Connection(PEER, server="localhost", port="8000"), sent)

    assert write_text(explained) + "\n" == expected


def test_wsgi_example() -> None:
    """The WSGI example corrects the environ, and leaves a decision in it."""
    seen: list[dict[str, Any]] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append(environ)
        start_response("200 OK", [])
        return []

    names: dict[str, Any] = {"application": application}
    exec(compile(block(WSGI), "README.md", "exec"), names)
    call_wsgi(names["application"], make_environ())
    call_wsgi(names["application"], make_environ(STRANGER))

    trusted, direct = seen
    assert trusted["REMOTE_ADDR"] == "203.0.113.7"
    assert trusted["wsgi.url_scheme"] == "https"
    assert trusted["trustedproxy.decision"].original["REMOTE_ADDR"] == PEER
    assert direct["REMOTE_ADDR"] == STRANGER
    assert direct["wsgi.url_scheme"] == "http"


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        (PEER, {"client": "203.0.113.7", "here": "https://app.example:8000/"}),
        (STRANGER, {"client": STRANGER, "here": "http://app.example:8000/"}),
    ],
)
def test_asgi_example(peer: str, expected: dict[str, str]) -> None:
    """The FastAPI application of the README says the client and its own URL."""
    need("fastapi")
    need("httpx")
    httpx: Any = importlib.import_module("httpx")
    names: dict[str, Any] = {"__name__": "app"}
    exec(compile(block(ASGI), "README.md", "exec"), names)

    async def ask() -> Any:
        transport = httpx.ASGITransport(names["app"], client=(peer, 50000))
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.get("http://app.example:8000/", headers=SENT)

    assert asyncio.run(ask()).json() == expected


@pytest.mark.parametrize("section", [DJANGO, FLASK, ASGI, WSGI])
def test_every_example_is_the_same_policy(section: str) -> None:
    """Whoever reads two of them finds the same headers, proxies and removal."""
    code = block(section)

    assert code.count('["X-Forwarded-For", "X-Forwarded-Proto"]') == 1
    assert code.count('["loopback"]') == 1
    assert code.count('"all"') == 1


def test_settings_table_has_every_setting_and_its_default() -> None:
    """The table names each setting of the code once, in its order, with its default."""
    table = [(row[0].strip("`"), row[1].strip("`")) for row in rows(SETTINGS)]

    assert table == [
        (option.name, json.dumps(option.default))
        if isinstance(option.default, str)
        else (option.name, repr(option.default))
        for option in OPTIONS
    ]


@pytest.mark.parametrize("row", rows(TOPOLOGIES), ids=lambda row: row[0])
def test_topology_is_a_policy(row: list[str]) -> None:
    """What a row of the table of topologies says can be set."""
    given: dict[str, Any] = {}
    for code in re.findall(r"`([^`]+)`", row[1]):
        exec(code, {}, given)
    trusts = "TRUSTED_PROXIES" in given
    listed = {"TRUSTED_PROXY_HEADERS": ["X-Forwarded-For"]} if trusts else {}

    settings = read_settings({**listed, **given})

    assert given
    assert isinstance(settings, Settings)


def test_commands_are_targets_of_the_makefile() -> None:
    """`make` knows both commands."""
    targets = re.findall(r"^([\w ]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    known = {word for target in targets for word in target.split()}
    lines = block(COMMANDS, "console").splitlines()

    assert lines == ["$ make demo", "$ make test"]
    assert {line.split()[-1] for line in lines} <= known


def test_links_lead_somewhere() -> None:
    """Each page that the README links to is there."""
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert (ROOT / target.partition("#")[0]).is_file(), target


PAGES = ("django", "flask", "security", "topologies")


def page(name: str) -> str:
    """Read one page of the documentation."""
    return (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_page_names_settings_that_there_are(name: str) -> None:
    """A page that says what to set uses names that exist."""
    named = set(re.findall(r"TRUSTED_PROX[A-Z_]*[A-Z](?![A-Z_…])", page(name)))

    assert named
    assert named <= {option.name for option in OPTIONS}


def test_security_page_quotes_a_problem_that_there_is() -> None:
    """The code that the page names is one that the log can have."""
    quoted = re.findall(r"the problem `([^`]+)`", page("security"))

    assert quoted
    assert set(quoted) <= CODES.keys()


def test_first_page_begins_as_the_readme_does() -> None:
    """Table, settings and WSGI example are the same in both."""
    index = page("index")
    languages = [name for name, _ in FENCE.findall(index)]
    codes = [code for _, code in FENCE.findall(index)]

    assert languages == ["text", "python", "python", "python"]
    assert codes[0] == block(TITLE, "text")
    assert codes[1].strip() in block(DJANGO)
    assert codes[2] == block(WSGI)


def test_settings_of_the_environment_wrap_an_application(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The last block of the first page corrects a request."""
    for option in OPTIONS:
        monkeypatch.delenv(option.name, raising=False)
    monkeypatch.setenv("TRUSTED_PROXY_HEADERS", "X-Forwarded-For, X-Forwarded-Proto")
    monkeypatch.setenv("TRUSTED_PROXIES", "loopback")
    seen: list[dict[str, Any]] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append(environ)
        start_response("200 OK", [])
        return []

    names: dict[str, Any] = {"application": application}
    exec(FENCE.findall(page("index"))[-1][1], names)
    call_wsgi(names["application"], make_environ())

    assert seen[0]["REMOTE_ADDR"] == "203.0.113.7"
