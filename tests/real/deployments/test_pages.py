"""
docs/deploy_django.md and docs/deploy_flask.md, run as they are printed.

In:  every file of a page, with this machine's ports, folders and certificate.
Out: what the page promises: the redirect, HSTS, secure cookies, the client in the logs.
"""

from __future__ import annotations

import configparser
import grp
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from ..servers.client import Reply, get, trusting
from ..servers.fronts import find_program
from ..servers.processes import (
    ANSWER_SECONDS,
    Address,
    Process,
    ProcessManager,
    find_free_ports,
    split_tcp,
)

DOCS = Path(__file__).parents[3] / "docs"
HOST, STRANGER = "127.0.0.1", "127.0.0.2"
SITE = "shop.example"
SECRET = "a-secret-of-this-test-that-is-long-enough-for-django-0123456789"

#: A group of every Debian, in which nginx's user is not: what `shop` is on the pages.
GROUP = "daemon"

_FILE = re.compile(r"`(?P<path>/[^`\n]+)`:\n\n```\w+\n(?P<text>.*?)```", re.DOTALL)
#: Page → the path that it looks at, and what makes the project that it begins with.
PAGES = {
    "deploy_django": ("/admin/login/", ["-m", "django", "startproject", "shop", "."]),
    "deploy_flask": ("/", ["-c", ""]),
}
#: Which page, and whether with what it says about a unix socket.
OVER_TCP = [pytest.param((page, False), id=page) for page in PAGES]
ON_A_SOCKET = [pytest.param((page, True), id=f"{page}-on-a-socket") for page in PAGES]


def read_files(page: str) -> dict[str, str]:
    """Read the files that *page* prints, by their paths."""
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    return {match["path"]: match["text"] for match in _FILE.finditer(text)}


_BLOCK = re.compile(r"```\w+\n(.*?)```", re.DOTALL)


def read_lines_for_a_socket(page: str) -> list[str]:
    """Read the lines that *page* prints for a unix socket, in their order."""
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    _, _, after = text.partition("## Over a unix socket instead\n")
    section, _, _ = after.partition("\n## ")
    return _BLOCK.findall(section)


def move_to_a_socket(page: str, files: dict[str, str]) -> dict[str, str]:
    """Do to *files* what *page* says about a unix socket."""
    bind, unit, handed, proxies = read_lines_for_a_socket(page)
    changes = {
        "gunicorn.conf.py": (r"bind = .*\n", bind),
        "shop.service": (r"\[Service\]\n", f"[Service]\n{unit}"),
        "shop.conf": (r"proxy_pass .*\n", handed),
        "settings.py": (r"TRUSTED_PROXIES = .*\n", proxies),
    }
    moved = {}
    for path, text in files.items():
        pattern, lines = changes.get(Path(path).name, ("(?!)", ""))
        parts = re.split(pattern, text)
        moved[path] = lines.join(parts)
        assert len(parts) == 1 + (Path(path).name in changes)
    return moved


@dataclass(frozen=True, slots=True)
class Deployment:
    """
    A page's deployment at work.

    Attributes:
        page: The page's name.

        path: What is looked at.

        folder: What is `/srv/shop` on the page.

        plain, secure: nginx's ports.

        direct: Where gunicorn listens.

        tls: What trusts nginx's certificate.

        server: gunicorn, with both logs.
    """

    page: str
    path: str
    folder: Path
    plain: int
    secure: int
    direct: Address
    authority: str
    server: Process

    def ask(self, *, secure: bool, source: str = STRANGER) -> Reply:
        """Ask nginx for the page's path."""
        port = self.secure if secure else self.plain
        tls = trusting(self.authority) if secure else None
        return get((HOST, port), self.path, host=SITE, tls=tls, source=source)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Python in the page's folder, as the page says."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=make_environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=ANSWER_SECONDS,
        )


def make_environment() -> dict[str, str]:
    """Make a user's environment: Python looks for modules beside the program, too."""
    kept = {name: text for name, text in os.environ.items() if name != "PYTHONSAFEPATH"}
    return {**kept, "SECRET_KEY": SECRET}


def write_files(
    page: str, folder: Path, ports: tuple[int, int], direct: Address
) -> None:
    """Write the files of *page* into *folder*; only what is this machine's differs."""
    plain, secure = ports
    files = read_files(page)
    if isinstance(direct, str):
        files = move_to_a_socket(page, files)
        own = {"/run/shop/gunicorn.sock": direct}
    else:
        own = {"127.0.0.1:8000": f"{HOST}:{direct[1]}"}
    own |= {
        "/srv/shop": str(folder),
        "/etc/ssl/shop.example": str(folder / "site"),
        "listen 80;": f"listen {HOST}:{plain};",
        "listen 443 ssl;": f"listen {HOST}:{secure} ssl;",
    }
    for path, text in files.items():
        if not path.startswith("/srv/shop/"):
            path = "/srv/shop/" + Path(path).name
        for printed, here in own.items():
            text = text.replace(printed, here)
        target = folder / path.removeprefix("/srv/shop/")
        before = target.read_text(encoding="utf-8") if target.exists() else ""
        target.write_text(before + text, encoding="utf-8")


def write_certificate(folder: Path) -> str:
    """Write nginx's certificate, and return the file that trusts it."""
    authority = trustme.CA()
    issued = authority.issue_cert(SITE, "localhost", HOST)
    issued.private_key_pem.write_to_path(str(folder / "site.key"))
    for blob in issued.cert_chain_pems:
        blob.write_to_path(str(folder / "site.crt"), append=True)
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    return str(folder / "authority.pem")


def read_service(folder: Path) -> configparser.SectionProxy:
    """Read what the unit file says about the service."""
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # as configparser's documentation has it
    unit.read(folder / "shop.service", encoding="utf-8")
    return unit["Service"]


def read_command(folder: Path) -> list[str]:
    """Read the command of the unit file, for this Python's gunicorn."""
    service = read_service(folder)
    assert service["WorkingDirectory"] == str(folder)
    program, *arguments = shlex.split(service["ExecStart"])
    assert program == f"{folder}/.venv/bin/gunicorn"
    return [sys.executable, "-m", "gunicorn", *arguments]


def make_runtime_folder(folder: Path, socket: str) -> list[str]:
    """
    Make the socket's folder as systemd makes it, and return options for gunicorn.

    Of `User=shop` and `Group=shop` the group is here, where root runs the tests: it is
    what lets nginx in. Others run nginx as themselves, and need none.
    """
    service = read_service(folder)
    assert service["RuntimeDirectory"] == "shop"
    made = Path(socket).parent
    made.mkdir()
    made.chmod(int(service["RuntimeDirectoryMode"], 8))
    if os.geteuid() != 0:
        return []
    os.chown(made, 0, grp.getgrnam(GROUP).gr_gid)
    return ["--group", GROUP]


def start_nginx(
    manager: ProcessManager, folder: Path, ports: tuple[int, int], group: str
) -> None:
    """Start nginx with the page's file inside of ``http``, where conf.d is."""
    # As if its user were in the group, which only root can arrange.
    user = f"user nobody {group};\n" if group and os.geteuid() == 0 else ""
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"{user}daemon off;\npid {folder}/nginx.pid;\nerror_log stderr;\n"
        f"events {{}}\nhttp {{\naccess_log {folder}/nginx-access.log;\n"
        f"{paths}include {folder}/shop.conf;\n}}\n",
        encoding="utf-8",
    )
    nginx = find_program("nginx")
    manager.start(
        "nginx",
        [nginx, "-c", str(folder / "nginx.conf"), "-p", str(folder)],
        [(HOST, port) for port in ports],
    ).wait_ready()


@pytest.fixture(scope="module", params=[*OVER_TCP, *ON_A_SOCKET])
def deployment(request: pytest.FixtureRequest) -> Iterator[Deployment]:
    """Do what a page says, up to where it begins to look at the site."""
    page, unix = request.param
    path, begin = PAGES[page]
    plain, secure, port = find_free_ports(3)
    with tempfile.TemporaryDirectory(prefix="deployed-") as name:
        folder = Path(name)
        # nginx's workers run as somebody else.
        folder.chmod(0o755)
        subprocess.run([sys.executable, *begin], cwd=folder, check=True)
        direct: Address = str(folder / "run/gunicorn.sock") if unix else (HOST, port)
        write_files(page, folder, (plain, secure), direct)
        command = read_command(folder)
        if isinstance(direct, str):
            command += make_runtime_folder(folder, direct)
        authority = write_certificate(folder)
        with ProcessManager(folder) as manager:
            server = manager.start(
                "gunicorn",
                command,
                [direct],
                environment=make_environment(),
            )
            server.wait_ready()
            start_nginx(manager, folder, (plain, secure), GROUP if unix else "")
            yield Deployment(
                page, path, folder, plain, secure, direct, authority, server
            )


def test_plain_request_is_redirected(deployment: Deployment) -> None:
    """As the page's curl shows it."""
    reply = deployment.ask(secure=False)

    assert reply.status == 301
    assert reply.header("Location") == f"https://{SITE}{deployment.path}"


def test_secure_request_is_served(deployment: Deployment) -> None:
    """With HSTS, and a cookie for HTTPS alone."""
    reply = deployment.ask(secure=True)

    assert reply.status == 200
    assert reply.header("Strict-Transport-Security") == "max-age=3600"
    assert "Secure" in (reply.header("Set-Cookie") or "")


def test_other_host_is_refused(deployment: Deployment) -> None:
    """Neither served nor redirected to."""
    for port, tls in ((deployment.plain, None), (deployment.secure, True)):
        reply = get(
            (HOST, port),
            deployment.path,
            host="evil.example",
            tls=trusting(deployment.authority) if tls else None,
        )
        assert reply.status == 400


@pytest.mark.parametrize("deployment", ON_A_SOCKET, indirect=True)
def test_socket_is_for_its_user_and_group(deployment: Deployment) -> None:
    """Whoever opens it is trusted: nobody else gets at it, by two modes."""
    assert isinstance(deployment.direct, str)
    socket = Path(deployment.direct)

    for path, mode in ((socket, 0o770), (socket.parent, 0o750)):
        found = path.stat()
        assert oct(stat.S_IMODE(found.st_mode)) == oct(mode)
        if os.geteuid() == 0:
            assert found.st_gid == grp.getgrnam(GROUP).gr_gid


def find_line(deployment: Deployment, wanted: str) -> str:
    """Find a line of gunicorn's log, which is written after the response."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < deadline:
        for line in deployment.server.read_log().splitlines(keepends=True):
            if wanted in line and line.endswith("\n"):
                return line
        time.sleep(0.05)
    return ""


def test_access_log_has_the_client(deployment: Deployment) -> None:
    """The first word of a line is the client's address, whatever it forges."""
    lines = [("X-Forwarded-For", "192.0.2.99")]
    get(
        (HOST, deployment.secure),
        f"{deployment.path}?logged",
        lines,
        host=SITE,
        tls=trusting(deployment.authority),
        source=STRANGER,
    )

    line = find_line(deployment, f"{deployment.path}?logged")
    assert line.startswith(f"{STRANGER} ")


def test_log_has_nothing_to_say(deployment: Deployment) -> None:
    """A recommended set-up is silent."""
    deployment.server.read_news()
    deployment.ask(secure=True)
    deployment.ask(secure=False)

    assert "trustedproxy" not in deployment.server.read_news()


@pytest.mark.parametrize("deployment", OVER_TCP, indirect=True)
def test_scheme_is_not_taken_from_who_is_no_proxy(deployment: Deployment) -> None:
    """Around nginx, from this machine, nobody gets past the redirect by gunicorn."""
    reply = get(
        split_tcp(deployment.direct),
        deployment.path,
        [("X-Forwarded-Proto", "https"), ("X-Forwarded-Ssl", "on")],
        host=SITE,
        source=STRANGER,
    )

    # Every 127.x.x.x is of this machine, and trusted: what counts is the one header.
    assert reply.status == 200
    plain = get(
        split_tcp(deployment.direct),
        deployment.path,
        [("X-Forwarded-Ssl", "on"), ("X-Forwarded-For", "192.0.2.1")],
        host=SITE,
        source=STRANGER,
    )
    assert plain.status == 301


def test_unit_file_is_valid(deployment: Deployment) -> None:
    """systemd itself has nothing against it, where it is here to be asked."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd is not installed here, so that nobody can read the unit")
    unit = deployment.folder / "shop.service"
    text = unit.read_text(encoding="utf-8")
    # A program that is here, since systemd looks for it; and no user of this machine.
    text = re.sub(r"ExecStart=\S+", f"ExecStart={sys.executable}", text)
    text = re.sub(r"EnvironmentFile=.*\n|User=.*\n|Group=.*\n", "", text)
    copy = deployment.folder / "copy.service"
    copy.write_text(text, encoding="utf-8")

    done = subprocess.run(
        [analyze, "verify", "--man=no", str(copy)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert "copy.service" not in done.stderr, done.stderr


def test_command_of_the_page(deployment: Deployment) -> None:
    """What the page says to run finds nothing, or prints what is in force."""
    if deployment.page == "deploy_django":
        check = deployment.run("manage.py", "check", "--deploy")
        assert (check.returncode, check.stderr) == (0, ""), check.stderr
        collected = deployment.run("manage.py", "collectstatic", "--noinput")
        assert collected.returncode == 0, collected.stderr
        style = get(
            (HOST, deployment.secure),
            "/static/admin/css/base.css",
            host=SITE,
            tls=trusting(deployment.authority),
        )
        assert style.status == 200
    else:
        shown = deployment.run(
            "-m", "flask", "--app", "shop", "trustedproxy", "settings"
        )
        assert "X-Forwarded-For" in shown.stdout, shown.stderr


def test_both_pages_have_the_same_gunicorn() -> None:
    """What does not depend on the framework is the same, to the letter."""
    django, flask = (read_files(page) for page in PAGES)

    for path in ("/srv/shop/gunicorn.conf.py", "/etc/shop.env"):
        assert django[path] == flask[path]
