"""
Start Apache with the real mod_wsgi, and stop it.

In:  the policies as mod_wsgi's own directives.
Out: `Oracle`: ports at which mod_wsgi applies them, and ports at which it applies
     nothing and this project's middleware does, with all else equal.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import trustme

import trustedproxy

from ..real.servers.processes import find_free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: The unprivileged user whom Apache's children become where the tests run as root.
USER, GROUP = "www-data", "www-data"

#: The name and ports that the server says are its own, at every address.
SERVER_NAME, PORT, SECURE_PORT = "oracle.test", "80", "443"

#: Where the other half of the policies is mounted: a mount point of the server's own.
SITE = "/site"

_START_SECONDS = 180
_STOP_SECONDS = 10

_MODULES = Path("/usr/lib/apache2/modules")

_CONFIGURATION = """\
ServerRoot "{root}"
PidFile "{root}/httpd.pid"
DefaultRuntimeDir "{root}"
ErrorLog "{root}/error.log"
LogLevel warn
ServerName {name}
UseCanonicalName On
{identity}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule socache_shmcb_module {modules}/mod_socache_shmcb.so
LoadModule ssl_module {modules}/mod_ssl.so
LoadModule wsgi_module "{mod_wsgi}"
SSLCertificateFile "{root}/server.pem"
SSLCertificateKeyFile "{root}/server.key"
# One child: a fault in it is seen at once, and all requests find the same state.
StartServers 1
ServerLimit 1
ThreadsPerChild 32
ThreadLimit 32
MaxRequestWorkers 32
MinSpareThreads 1
MaxSpareThreads 32
KeepAlive On
# The client keeps its connections, also while other tests run.
KeepAliveTimeout 600
MaxKeepAliveRequests 0
# Room for more elements than are ever read.
LimitRequestFieldSize 16380
WSGIPythonHome "{python_home}"
WSGIApplicationGroup %{{GLOBAL}}
<Directory "{root}">
    Require all granted
</Directory>
"""

_HOST = """\
Listen {address}
<VirtualHost {address}>
    ServerName {name}:{port}
    SSLEngine {tls}
    WSGICallableObject {side}
    WSGIScriptAlias {site} "{root}/echo.py"
    WSGIScriptAlias / "{root}/echo.py"
{locations}
</VirtualHost>
"""

_LOCATION = """\
    <Location "{path}">
{directives}
    </Location>
"""


@dataclass(frozen=True, slots=True)
class Port:
    """One address at which Apache listens."""

    host: str
    number: int
    secure: bool


@dataclass(frozen=True, slots=True)
class Oracle:
    """A running Apache: for each (host, secure), their port and ours."""

    theirs: Mapping[tuple[str, bool], Port]
    ours: Mapping[tuple[str, bool], Port]
    certificate: Path
    error_log: Path


def has_ipv6() -> bool:
    """Whether this machine has an IPv6 loopback address."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        return True
    return False


def wait_until_listening(process: subprocess.Popen[bytes], port: Port) -> None:
    """Wait for *process* to listen at *port*; say so if it ends instead."""
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection((port.host, port.number), timeout=1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


@contextmanager
def readable_folder() -> Iterator[Path]:
    """Make a folder that unprivileged processes can read, and remove it afterwards."""
    with tempfile.TemporaryDirectory(prefix="oracle-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def copy_package(folder: Path) -> None:
    """Copy the package under test to where Apache's children can read it."""
    shutil.copytree(
        Path(trustedproxy.__file__).parent,
        folder / "trustedproxy",
        ignore=shutil.ignore_patterns("__pycache__"),
    )


def express_command() -> str:
    """Where mod_wsgi-express is: beside the interpreter that runs this."""
    return str(Path(sys.executable).with_name("mod_wsgi-express"))


def write_certificate(folder: Path, *names: str) -> None:
    """Write a certificate for *names*, its key, and the authority behind it."""
    authority = trustme.CA()
    certificate = authority.issue_cert(*names)
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    certificate.private_key_pem.write_to_path(str(folder / "server.key"))
    for i, blob in enumerate(certificate.cert_chain_pems):
        blob.write_to_path(str(folder / "server.pem"), append=i > 0)


def environment(folder: Path, names: Mapping[str, str]) -> dict[str, str]:
    """
    Make the environment of a process that resolves *names* without any DNS.

    mod_wsgi asks the system's resolver for every element of a chain that it walks.
    The file of hosts that is put in front has all the words that the tests use.
    """
    (wrapper,) = Path("/usr/lib").glob("*-linux-gnu*/libnss_wrapper.so")
    hosts = folder / "hosts"
    hosts.write_text("".join(f"{address} {name}\n" for name, address in names.items()))
    kept = {key: value for key, value in os.environ.items() if key == "PATH"}
    return {**kept, "LD_PRELOAD": str(wrapper), "NSS_WRAPPER_HOSTS": str(hosts)}


@contextmanager
def running(
    command: list[str], *, env: Mapping[str, str], ports: list[Port], log: Path
) -> Iterator[None]:
    """Run a server in a group of its own until the block ends, then stop all of it."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        try:
            for port in ports:
                wait_until_listening(process, port)
        except OSError as error:
            raise RuntimeError(f"{command[0]}: {log.read_text()}") from error
        yield
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()


def path_of(index: int) -> str:
    """The path at which policy *index* applies; every other one is in the site."""
    return f"{SITE if index % 2 else ''}/p{index}"


@contextmanager
def start_oracle(
    policies: list[str], *, names: Mapping[str, str], hosts: list[str]
) -> Iterator[Oracle]:
    """
    Start Apache with one policy a path, and two ports for each host and scheme.

    Args:
        policies: mod_wsgi's directives, one text a policy.

        names: Name → address: what the resolver says.

        hosts: The addresses to listen at.
    """
    module = subprocess.run(
        [express_command(), "module-location"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    with readable_folder() as root:
        copy_package(root)
        shutil.copy(Path(__file__).with_name("echo.py"), root)
        (root / "policies.json").write_text(
            json.dumps({f"p{i}": text for i, text in enumerate(policies)})
        )
        # Addresses, since a name sent in the handshake would have to be the Host too.
        write_certificate(root, "127.0.0.1", "::1")
        locations = "".join(
            _LOCATION.format(path=path_of(i), directives=text)
            for i, text in enumerate(policies)
        )
        sides: dict[str, dict[tuple[str, bool], Port]] = {"theirs": {}, "ours": {}}
        configuration = _CONFIGURATION.format(
            root=root,
            name=SERVER_NAME,
            identity=f"User {USER}\nGroup {GROUP}" if os.getuid() == 0 else "",
            modules=_MODULES,
            mod_wsgi=module,
            python_home=sys.base_prefix,
        )
        for side, ports in sides.items():
            for host in hosts:
                for secure in (False, True):
                    port = Port(host, find_free_port(host), secure)
                    ports[host, secure] = port
                    configuration += _HOST.format(
                        address=f"[{host}]:{port.number}".replace("[127.0.0.1]", host),
                        name=SERVER_NAME,
                        port=SECURE_PORT if secure else PORT,
                        tls="on" if secure else "off",
                        side=side,
                        site=SITE,
                        root=root,
                        locations=locations if side == "theirs" else "",
                    )
        (root / "httpd.conf").write_text(configuration)
        with running(
            ["/usr/sbin/apache2", "-f", str(root / "httpd.conf"), "-DFOREGROUND"],
            env=environment(root, names),
            ports=[*sides["theirs"].values(), *sides["ours"].values()],
            log=root / "start.log",
        ):
            yield Oracle(
                theirs=sides["theirs"],
                ours=sides["ours"],
                certificate=root / "authority.pem",
                error_log=root / "error.log",
            )
