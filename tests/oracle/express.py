"""
Start the real mod_wsgi-express, and ask it and this project the same.

In:  options of mod_wsgi-express.
Out: two servers of the same kind: one has the options itself, the other one has an
     application in this project's middlewares, made from those options.
"""

from __future__ import annotations

import os
import shlex
import shutil
import ssl
import sys
import venv
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPSConnection
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ..real.servers.processes import find_free_port
from .apache import (
    GROUP,
    USER,
    Port,
    copy_package,
    environment,
    readable_folder,
    running,
    write_certificate,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

#: The name under which express answers; any other one it denies.
NAME = "localhost"

HOST = "127.0.0.1"

_SECONDS = 60

_MAIN = "from mod_wsgi.express.cli import main; main()"


@dataclass(frozen=True, slots=True)
class Express:
    """One running mod_wsgi-express: its two ports, its certificate's authority."""

    plain: Port
    secure: Port
    context: ssl.SSLContext
    log: Path


@dataclass(frozen=True, slots=True)
class Servers:
    """The servers that are compared."""

    theirs: Express
    #: The callable of `express_app` → the server that serves it.
    ours: Mapping[str, Express]


@dataclass(frozen=True, slots=True)
class Answered:
    """A response, as far as it is compared."""

    status: int
    location: str | None
    #: ``Strict-Transport-Security``.
    policy: str | None
    #: Whether the application, or a backend, was asked.
    reached: bool
    body: bytes


def make_python(folder: Path) -> Path:
    """Make a Python that Apache's children can read, with what they import."""
    venv.EnvBuilder(symlinks=True).create(folder / "venv")
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = folder / "venv" / "lib" / version / "site-packages"
    for name in ("mod_wsgi", "httpcore", "h11", "certifi"):
        spec = find_spec(name)
        assert spec is not None and spec.origin is not None, f"{name} is not installed"
        shutil.copytree(Path(spec.origin).parent, packages / name)
    copy_package(packages)
    return folder / "venv" / "bin" / "python"


@contextmanager
def start_express(
    folder: Path, python: Path, name: str, ports: tuple[int, int], options: list[str]
) -> Iterator[Express]:
    """Start one mod_wsgi-express at a plain and a secure port."""
    plain, secure = Port(HOST, ports[0], False), Port(HOST, ports[1], True)
    root = folder / name
    root.mkdir()
    user = ["--user", USER, "--group", GROUP] if os.getuid() == 0 else []
    command = [
        *(str(python), "-c", _MAIN, "start-server", str(folder / "express_app.py")),
        *("--host", HOST, "--port", str(plain.number)),
        *("--https-port", str(secure.number), "--server-name", NAME),
        *("--ssl-certificate-file", str(folder / "server.pem")),
        *("--ssl-certificate-key-file", str(folder / "server.key")),
        *("--server-root", str(root), "--log-to-terminal", "--locale", "C.UTF-8"),
        # Its children run as somebody else, who may not enter this process's folder.
        *("--working-directory", str(folder)),
        *user,
        *options,
    ]
    context = ssl.create_default_context(cafile=str(folder / "authority.pem"))
    log = folder / f"{name}.log"
    with running(command, env=environment(folder, {}), ports=[plain, secure], log=log):
        yield Express(plain, secure, context, log)


@contextmanager
def start_servers(
    options: Sequence[str], callables: Sequence[str]
) -> Iterator[Servers]:
    """
    Start mod_wsgi-express with *options*, and beside it one server a callable.

    Args:
        options: What is compared.

        callables:
            Applications of `express_app` with this project around them, made from the
            same options and from the name and the port of the first server.
    """
    with readable_folder() as folder, ExitStack() as stack:
        python = make_python(folder)
        write_certificate(folder, HOST, NAME)
        shutil.copy(Path(__file__).with_name("express_app.py"), folder)
        ports = (find_free_port(HOST), find_free_port(HOST))
        told = [f"--https-port={ports[1]}", f"--server-name={NAME}", *options]
        (folder / "options.txt").write_text(shlex.join(told))
        theirs = stack.enter_context(
            start_express(
                folder,
                python,
                "theirs",
                ports,
                [*options, "--callable-object", "plain"],
            )
        )
        ours = {
            name: stack.enter_context(
                start_express(
                    folder,
                    python,
                    name,
                    (find_free_port(HOST), find_free_port(HOST)),
                    ["--callable-object", name],
                )
            )
            for name in callables
        }
        yield Servers(theirs, ours)


def send(
    server: Express,
    method: str,
    target: str,
    headers: Mapping[str, str],
    *,
    secure: bool,
    source: str = HOST,
) -> Answered:
    """Send one request to *server* from the address *source*."""
    port = server.secure if secure else server.plain
    connection = (
        HTTPSConnection(
            port.host,
            port.number,
            timeout=_SECONDS,
            source_address=(source, 0),
            context=server.context,
        )
        if secure
        else HTTPConnection(
            port.host, port.number, timeout=_SECONDS, source_address=(source, 0)
        )
    )
    try:
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        if method in ("POST", "PUT"):
            connection.putheader("Content-Length", "2")
        connection.endheaders(b"hi" if method in ("POST", "PUT") else None)
        response = connection.getresponse()
        if response.status == 500 and "raise" not in target:
            raise AssertionError(server.log.read_text()[-3000:])
        return Answered(
            status=response.status,
            location=response.headers["Location"],
            policy=response.headers["Strict-Transport-Security"],
            reached=response.headers["X-Application"] is not None,
            body=response.read(),
        )
    finally:
        connection.close()
