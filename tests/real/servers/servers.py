"""
The servers, one row each, with the options that docs/servers.md recommends.

In:  an address, TCP or unix, and a folder for a configuration file.
Out: the command that serves `applications/provingground` there.
"""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from trustedproxy.frontends import Site, make_command

from .fronts import APACHE_MODULE_FOLDER, find_program, write_apache_frame
from .processes import Address

APPLICATION_FOLDER = Path(__file__).parent / "applications"
PYTHON = sys.executable
WSGI_APPLICATION = "provingground.wsgi:application"
ASGI_APPLICATION = "provingground.asgi:application"


class Protocol(Enum):
    """What the server speaks with the application."""

    WSGI = auto()
    ASGI = auto()


class Variants(Enum):
    """What a server does with the underscore variant of a header."""

    DROPPED = "dropped"
    JOINED = "joined to the other's value"
    REPLACES = "replaces the other when it comes later"
    KEPT = "kept as a header of its own"


def _bind(address: Address) -> str:
    if isinstance(address, str):
        return address
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _write(server: str, address: Address, folder: Path, *extra: str) -> list[str]:
    """
    Make the command line that the generator writes for *server*.

    Args:
        folder: Where the files go that it reads.

        extra: Options that a test alone needs, in front of the application.
    """
    unix = isinstance(address, str)
    site = Site(backend=f"unix:{address}" if unix else _bind(address))
    application = WSGI_APPLICATION if server in _WSGI_SERVERS else ASGI_APPLICATION
    command = make_command(server, site, application)
    _, *words = command.words
    for path, text in command.files.items():
        # Not where it is started: others would read it there as well.
        place = folder / f"own-{path}"
        place.write_text(text, encoding="utf-8")
        words[words.index(path)] = str(place)
    # Some take no options behind the application.
    if server == "uwsgi":
        return [find_program("uwsgi"), *words, *extra]
    last = words.index(application)
    return [PYTHON, "-m", server, *words[:last], *extra, *words[last:]]


_WSGI_SERVERS = ("gunicorn", "uwsgi", "waitress")
_FOR_THIS_MACHINE = {
    "gunicorn": ["--no-control-socket"],
    "uwsgi": ["--virtualenv", sys.prefix, "--enable-threads", "--threads", "4"],
}


def start_as_printed(server: str) -> Callable[[Address, Path], list[str]]:
    """Start *server* by the generator's line, with no file mode of the tests' own."""

    def command(address: Address, folder: Path) -> list[str]:
        return _write(server, address, folder, *_FOR_THIS_MACHINE.get(server, ()))

    return command


def _gunicorn(address: Address, folder: Path, *options: str) -> list[str]:
    # Front ends run as other users, who have to reach the socket.
    mode = ["--umask", "0"] if isinstance(address, str) else []
    own = _FOR_THIS_MACHINE["gunicorn"]
    return _write("gunicorn", address, folder, *own, *mode, *options)


def _gunicorn_sync(address: Address, folder: Path) -> list[str]:
    return _gunicorn(address, folder)


def _gunicorn_gthread(address: Address, folder: Path) -> list[str]:
    return _gunicorn(address, folder, "-k", "gthread", "--threads", "4")


def _uwsgi(address: Address, folder: Path) -> list[str]:
    own = _FOR_THIS_MACHINE["uwsgi"]
    return _write("uwsgi", address, folder, "--chmod-socket=666", *own)


def _waitress(address: Address, folder: Path) -> list[str]:
    mode = ["--unix-socket-perms=666"] if isinstance(address, str) else []
    return _write("waitress", address, folder, *mode)


COPIED = (
    "trustedproxy",
    "django_trustedproxy",
    "flask_trustedproxy",
    "django",
    "asgiref",
    "sqlparse",
    "flask",
    "werkzeug",
    "jinja2",
    "markupsafe",
    "click",
    "itsdangerous",
    "blinker",
)
"""What the WSGI applications import, and Apache's unprivileged children must read."""


def _mod_wsgi(address: Address, folder: Path) -> list[str]:
    packages = folder / "packages"
    if not packages.exists():
        ignored = shutil.ignore_patterns("__pycache__", "*.po", "*.mo", "*.so")
        for name in COPIED:
            (source,) = importlib.import_module(name).__path__
            shutil.copytree(source, packages / name, ignore=ignored)
        shutil.copytree(
            APPLICATION_FOLDER / "provingground",
            packages / "provingground",
            ignore=ignored,
        )
        (packages / "proving.wsgi").write_text(
            "from provingground.wsgi import application\n"
        )
    express = find_program("mod_wsgi-express")
    module = subprocess.run(
        [express, "module-location"], check=True, capture_output=True, text=True
    ).stdout.strip()
    modules = "\n".join(
        f"LoadModule {name}_module {path}"
        for name, path in (
            ("mpm_event", f"{APACHE_MODULE_FOLDER}/mod_mpm_event.so"),
            ("authz_core", f"{APACHE_MODULE_FOLDER}/mod_authz_core.so"),
            ("wsgi", module),
        )
    )
    root = folder / "mod_wsgi"
    root.mkdir()
    configuration = write_apache_frame(root, [_bind(address)], modules)
    (root / "apache.conf").write_text(
        f"""{configuration}
WSGIPythonHome {sys.base_prefix}
WSGIPythonPath {packages}
WSGIApplicationGroup %{{GLOBAL}}
WSGIScriptAlias / {packages}/proving.wsgi
<Directory {packages}>
    Require all granted
</Directory>
"""
    )
    return [find_program("apache2"), "-DFOREGROUND", "-f", f"{root}/apache.conf"]


def _run(server: str) -> Callable[[Address, Path], list[str]]:
    def command(address: Address, folder: Path) -> list[str]:
        return [PYTHON, "-m", "provingground.run", server, _bind(address)]

    return command


def _runserver(address: Address, folder: Path) -> list[str]:
    options = ["--noreload", "--skip-checks", "--settings", "provingground.settings"]
    return [PYTHON, "-m", "django", "runserver", *options, _bind(address)]


def _uvicorn(parser: str) -> Callable[[Address, Path], list[str]]:
    def command(address: Address, folder: Path) -> list[str]:
        options = ["--http", parser, "--log-level", "warning"]
        return _write("uvicorn", address, folder, *options)

    return command


def _hypercorn(address: Address, folder: Path) -> list[str]:
    return _write("hypercorn", address, folder, "--umask", "0")


def _daphne(address: Address, folder: Path) -> list[str]:
    words = _write("daphne", address, folder, "--no-server-name")
    return [word.replace(":mode=660", ":mode=666") for word in words]


def _granian(address: Address, folder: Path) -> list[str]:
    options = ["--workers", "1", "--log-level", "warning"]
    mode = ["--uds-permissions", "0666"] if isinstance(address, str) else []
    return _write("granian", address, folder, *mode, *options)


@dataclass(frozen=True, slots=True)
class Server:
    """
    One server.

    Attributes:
        command: Makes the command line from an address and a folder to write to.

        distributions: What to look up for its version.

        needs: The options without which the middleware cannot do its work.

        needs_on_unix: The same where the server listens on a unix socket.

        variants: What it does with names that have underscores.

        unix_peers: What it reports as the peer of a unix socket.

        no_unix: Why it does not listen on unix sockets, or nothing.

        only: The applications that it serves, if not all, and why.

        last_line_only: Whether it forgets all lines of a header but the last.

        glues_lines: Whether it puts lines of a header together without a comma.
    """

    name: str
    title: str
    protocol: Protocol
    command: Callable[[Address, Path], list[str]]
    distributions: Sequence[str]
    variants: Variants
    needs: str = ""
    needs_on_unix: str = ""
    unix_peers: Sequence[str | None] = ()
    no_unix: str = ""
    only: Sequence[str] = ()
    why_only: str = ""
    last_line_only: bool = False
    glues_lines: bool = False


_GUNICORN_NEEDS = '--forwarded-allow-ips ""'
_GUNICORN_NEEDS_ON_UNIX = 'secure_scheme_headers = {}, forwarder_headers = ""'
_ASGI = Protocol.ASGI
_WSGI = Protocol.WSGI

SERVERS: tuple[Server, ...] = (
    Server(
        "gunicorn-sync",
        "gunicorn (sync)",
        _WSGI,
        _gunicorn_sync,
        ("gunicorn",),
        Variants.DROPPED,
        _GUNICORN_NEEDS,
        _GUNICORN_NEEDS_ON_UNIX,
        unix_peers=("",),
    ),
    Server(
        "gunicorn-gthread",
        "gunicorn (gthread)",
        _WSGI,
        _gunicorn_gthread,
        ("gunicorn",),
        Variants.DROPPED,
        _GUNICORN_NEEDS,
        _GUNICORN_NEEDS_ON_UNIX,
        unix_peers=("",),
    ),
    Server(
        "uwsgi",
        "uWSGI (--http-socket)",
        _WSGI,
        _uwsgi,
        ("uWSGI",),
        Variants.JOINED,
        '--buffer-size 32768 for long headers, --add-header "Connection: close"',
        '--buffer-size 32768 for long headers, --add-header "Connection: close"',
        unix_peers=("0.0.0.0",),
    ),
    Server(
        "waitress",
        "waitress",
        _WSGI,
        _waitress,
        ("waitress",),
        Variants.DROPPED,
        "--no-clear-untrusted-proxy-headers",
        "--no-clear-untrusted-proxy-headers",
        unix_peers=("localhost",),
    ),
    Server(
        "mod_wsgi",
        "mod_wsgi",
        _WSGI,
        _mod_wsgi,
        ("mod_wsgi",),
        Variants.DROPPED,
        no_unix="Apache listens on TCP only",
    ),
    Server(
        "cheroot",
        "cheroot",
        _WSGI,
        _run("cheroot"),
        ("cheroot",),
        Variants.DROPPED,
        "a HeaderReader that drops names with underscores",
        "a HeaderReader that drops names with underscores",
        unix_peers=("",),
        last_line_only=True,
    ),
    Server(
        "bjoern",
        "bjoern",
        _WSGI,
        _run("bjoern"),
        ("bjoern",),
        Variants.DROPPED,
        "a front end that sends one line of each header",
        "a front end that sends one line of each header",
        unix_peers=("0.0.0.0",),
        glues_lines=True,
    ),
    Server(
        "werkzeug",
        "Werkzeug's development server",
        _WSGI,
        _run("werkzeug"),
        ("Werkzeug",),
        Variants.DROPPED,
        unix_peers=("<local>",),
    ),
    Server(
        "runserver",
        "Django's runserver",
        _WSGI,
        _runserver,
        ("Django",),
        Variants.DROPPED,
        no_unix="Django's runserver has no unix sockets",
        only=("django",),
        why_only="Django's runserver serves Django",
    ),
    Server(
        "wsgiref",
        "wsgiref",
        _WSGI,
        _run("wsgiref"),
        (),
        Variants.JOINED,
        "a front end that drops names with underscores",
        no_unix="wsgiref has no unix sockets",
    ),
    Server(
        "uvicorn-httptools",
        "uvicorn (httptools)",
        _ASGI,
        _uvicorn("httptools"),
        ("uvicorn", "httptools"),
        Variants.KEPT,
        "--no-proxy-headers",
        "--no-proxy-headers",
        unix_peers=(None,),
    ),
    Server(
        "uvicorn-h11",
        "uvicorn (h11)",
        _ASGI,
        _uvicorn("h11"),
        ("uvicorn", "h11"),
        Variants.KEPT,
        "--no-proxy-headers",
        "--no-proxy-headers",
        unix_peers=(None,),
    ),
    Server(
        "hypercorn",
        "Hypercorn",
        _ASGI,
        _hypercorn,
        ("Hypercorn",),
        Variants.KEPT,
        unix_peers=(None,),
    ),
    Server(
        "daphne",
        "Daphne",
        _ASGI,
        _daphne,
        ("daphne",),
        Variants.DROPPED,
        unix_peers=(None,),
    ),
    Server(
        "granian",
        "Granian",
        _ASGI,
        _granian,
        ("granian",),
        Variants.KEPT,
        unix_peers=("",),
    ),
)

APPLICATIONS = {
    Protocol.WSGI: ("echo", "django", "flask"),
    Protocol.ASGI: ("echo", "django", "starlette"),
}


def find_server(name: str) -> Server:
    """Find a row by its name."""
    return next(server for server in SERVERS if server.name == name)


def run_program(command: Sequence[str]) -> tuple[int, str]:
    """Run a program to its end; return its status and what it wrote."""
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def list_applications(server: Server) -> Sequence[str]:
    """List the applications that *server* is run with."""
    return server.only or APPLICATIONS[server.protocol]
