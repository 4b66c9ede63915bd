"""
The application's server: the line that starts it, with the switches that it needs.

In:  a server's name, a site, the application.
Out: `ServerCommand`: the words of the command line, and files that go with it.

Without these switches a server works on the headers by itself, from peers that the
policy does not list, or takes them away; docs/servers.md has them all.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ..exceptions import ConfigurationError, nearest
from .site import Backend, Site, parse_backend

# A module and what is called in it, as all of these servers take it.
_APPLICATION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*", re.ASCII)
# On a unix socket gunicorn trusts whatever comes, and no option ends that.
_GUNICORN_ON_UNIX = 'secure_scheme_headers = {}\nforwarder_headers = ""\n'
# Whatever the umask, and no option ends that.
_UVICORN_ON_UNIX = (
    "uvicorn opens its socket to everybody: put it in a folder of mode 0750."
)


@dataclass(frozen=True, slots=True)
class ServerCommand:
    """
    How a server is started.

    Attributes:
        words: The command line, word by word.

        files: Files that it reads, by their path.

        note: What no switch can do, and the operator has to.
    """

    words: Sequence[str]
    files: Mapping[str, str] = field(default_factory=dict)
    note: str = ""

    def __str__(self) -> str:
        files = [f"# {path}\n{text}" for path, text in self.files.items()]
        note = [f"# {self.note}"] if self.note else []
        return "\n".join([*files, *note, shlex.join(self.words)])


def _bind(server: Backend) -> str:
    return f"unix:{server.socket}" if server.socket else server.authority


def _choose(server: Backend, socket: str, host: str, port: str) -> tuple[str, ...]:
    """Say where to listen, with the option for each part."""
    if server.socket:
        return (socket, server.socket)
    return (host, server.host, port, str(server.port))


def _gunicorn(server: Backend, application: str, front: str) -> ServerCommand:
    if not server.socket:
        words = ["gunicorn", "--bind", server.authority]
        return ServerCommand([*words, "--forwarded-allow-ips", "", application])
    file = "gunicorn.conf.py"
    words = ["gunicorn", "--config", file, "--bind", _bind(server), "--umask", "007"]
    return ServerCommand([*words, application], {file: _GUNICORN_ON_UNIX})


def _uwsgi(server: Backend, application: str, front: str) -> ServerCommand:
    mode = ["--chmod-socket=660"] if server.socket else []
    words = ["uwsgi", "--http-socket", server.socket or server.authority, *mode]
    words += ["--module", application, "--master", "--need-app", "--die-on-term"]
    # It closes after each response; a front end has to know before it reuses.
    words += ["--buffer-size", "32768", "--add-header", "Connection: close"]
    return ServerCommand(words)


def _uvicorn(server: Backend, application: str, front: str) -> ServerCommand:
    where = _choose(server, "--uds", "--host", "--port")
    # HAProxy hands trailer fields on, which the other parser takes for headers.
    parser = ["--http", "h11"] if front == "haproxy" else []
    words = ["uvicorn", *where, "--no-proxy-headers", *parser, application]
    return ServerCommand(words, note=_UVICORN_ON_UNIX if server.socket else "")


def _hypercorn(server: Backend, application: str, front: str) -> ServerCommand:
    mode = ["--umask", "7"] if server.socket else []
    return ServerCommand(["hypercorn", "--bind", _bind(server), *mode, application])


def _daphne(server: Backend, application: str, front: str) -> ServerCommand:
    if not server.socket:
        words = ["-b", server.host, "-p", str(server.port)]
    else:
        # Its option for a path, -u, opens the socket to everybody, whatever the umask.
        path = server.socket.replace("=", "\\=")
        words = ["-e", f"unix:{path}:mode=660"]
    return ServerCommand(["daphne", *words, application])


def _granian(server: Backend, application: str, front: str) -> ServerCommand:
    where = _choose(server, "--uds", "--host", "--port")
    # With the zero, since it takes other numbers for decimal ones.
    mode = ["--uds-permissions", "0660"] if server.socket else []
    words = ["granian", "--interface", "asgi", *where, *mode, application]
    return ServerCommand(words)


def _waitress(server: Backend, application: str, front: str) -> ServerCommand:
    where = (
        [f"--unix-socket={server.socket}", "--unix-socket-perms=660"]
        if server.socket
        else [f"--listen={server.authority}"]
    )
    switch = "--no-clear-untrusted-proxy-headers"
    return ServerCommand(["waitress-serve", *where, switch, application])


def _mod_wsgi(server: Backend, application: str, front: str) -> ServerCommand:
    if server.socket:
        raise ConfigurationError(
            "backend", _bind(server), "possible with mod_wsgi: Apache listens on TCP"
        )
    module, _, name = application.partition(":")
    words = ["mod_wsgi-express", "start-server"]
    words += ["--host", server.host, "--port", str(server.port)]
    words += ["--application-type", "module", "--callable-object", name, module]
    return ServerCommand(words)


SERVERS: Mapping[str, Callable[[Backend, str, str], ServerCommand]] = {
    "gunicorn": _gunicorn,
    "uwsgi": _uwsgi,
    "uvicorn": _uvicorn,
    "hypercorn": _hypercorn,
    "daphne": _daphne,
    "granian": _granian,
    "waitress": _waitress,
    "mod_wsgi": _mod_wsgi,
}
"""How each server is started: from its address, the application, the front end."""

ASGI_SERVERS = frozenset({"uvicorn", "hypercorn", "daphne", "granian"})


def make_command(
    server: str, site: Site, application: str = "", *, frontend: str = ""
) -> ServerCommand:
    """
    Make the command that starts *server* where the front end of *site* looks for it.

    Args:
        application: ``MODULE:NAME``; by default one of a project called ``project``.

        frontend: The front end's name, where a server has to know of it.

    Raises:
        ConfigurationError: The server is unknown, or cannot listen there.
    """
    make = SERVERS.get(server.lower())
    if make is None:
        raise ConfigurationError(
            "server", server, f"one of {', '.join(SERVERS)}{nearest(server, SERVERS)}"
        )
    if not application:
        kind = "asgi" if server.lower() in ASGI_SERVERS else "wsgi"
        application = f"project.{kind}:application"
    if not _APPLICATION.fullmatch(application):
        raise ConfigurationError(
            "application", application, "MODULE:NAME, such as project.wsgi:application"
        )
    return make(parse_backend(site.backend), application, frontend.lower())


def write_server_line(
    server: str, site: Site, application: str = "", *, frontend: str = ""
) -> str:
    """
    Write what starts *server*, as a shell takes it; files that it reads come first.

    Raises:
        ConfigurationError: As `make_command`.
    """
    return str(make_command(server, site, application, frontend=frontend))
