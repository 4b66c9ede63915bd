"""
The front ends, one row each, with the configuration that the generator prints.

In:  a `Place`: ports, certificate, and the upstreams that are to be reached.
Out: the files of its configuration and the command that starts it.

The configuration is `trustedproxy.frontends`' own, as printed; what a test alone needs
(log files, no daemon, loading of modules) stands around it here.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from trustedproxy import ProxyPolicy
from trustedproxy.frontends import TLS, Location, Site, write_files
from trustedproxy.frontends.plan import spell_variants

from .processes import Address

POLICY = {
    "TRUSTED_PROXY_HEADERS": "X-Forwarded-For X-Forwarded-Proto X-Forwarded-Host"
    " X-Forwarded-Port X-Forwarded-Prefix",
    "TRUSTED_PROXIES": "127.0.0.1 unix",
    "TRUSTED_PROXY_STRIP": "all",
}
"""The recommended policy; each test that wants another starts its own server."""

SET_BY_THE_FRONT_END = tuple(POLICY["TRUSTED_PROXY_HEADERS"].split())
"""The trusted headers of the recommended policy, which the first proxy overwrites."""

VARIANTS = tuple(v for name in SET_BY_THE_FRONT_END for v in spell_variants(name))


@dataclass(frozen=True, slots=True)
class Upstream:
    """A server behind a front end, and the path at which it is reached."""

    name: str
    path: str
    address: Address

    def locate(self, *, strip_path: bool) -> Location:
        """Say it in the generator's words."""
        address = self.address
        backend = (
            f"unix:{address}"
            if isinstance(address, str)
            else f"{address[0]}:{address[1]}"
        )
        return Location(backend, self.path, strip_path, self.name.replace("_", "-"))


@dataclass(frozen=True, slots=True)
class Place:
    """
    What one front end is to serve, and where.

    It runs twice: as the first proxy, before the upstreams of *edge*, which takes the
    path off and says it; and as an inner one, before those of *inner*, where the path
    only chooses the upstream.
    """

    folder: Path
    host: str
    http: int
    https: int
    inner_port: int
    certificate: str
    key: str
    edge: Sequence[Upstream]
    inner: Sequence[Upstream]

    def make_edge(self, front: Front) -> Site:
        """Make the site of the first proxy."""
        first, *others = (one.locate(strip_path=True) for one in self.edge)
        return Site(
            backend=first.backend,
            path=first.path,
            name=first.name,
            others=others,
            address=self.host,
            http_port=self.http,
            https_port=self.https,
            tls=None if front.no_tls else TLS(self.certificate, self.key),
            websockets=True,
        )

    def make_inner(self) -> Site:
        """Make the site of the inner proxy, behind proxies on this machine."""
        first, *others = (one.locate(strip_path=False) for one in self.inner)
        return Site(
            backend=first.backend,
            path=first.path,
            strip_path=False,
            name=first.name,
            others=others,
            address=self.host,
            http_port=self.inner_port,
            websockets=True,
            behind="127.0.0.1",
        )


@dataclass(frozen=True, slots=True)
class Run:
    """One front end's process: its folder, and what was printed for it."""

    folder: Path
    printed: Mapping[str, str]
    site: Site

    def join(self) -> str:
        """Join what was printed, where it is one file."""
        [text] = self.printed.values()
        return text


def _configure_nginx(run: Run) -> Mapping[str, str]:
    folder = run.folder
    return {
        "site.conf": run.join(),
        "nginx.conf": f"""
daemon off;
user root;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
""",
    }


APACHE_MODULES = (
    "alias",
    "authz_core",
    "authz_host",
    "headers",
    "macro",
    "mpm_event",
    "proxy",
    "proxy_http",
    "socache_shmcb",
    "ssl",
)
APACHE_MODULE_FOLDER = "/usr/lib/apache2/modules"


def write_apache_frame(folder: Path, ports: Sequence[str], modules: str) -> str:
    """Write what Apache needs around the part of a configuration that matters."""
    listens = "\n".join(f"Listen {port}" for port in ports)
    return f"""
ServerName localhost
ServerRoot {folder}
PidFile {folder}/apache.pid
DefaultRuntimeDir {folder}
ErrorLog /dev/stderr
User www-data
Group www-data
StartServers 1
ThreadsPerChild 25
MaxRequestWorkers 50
LimitRequestFields 200
{modules}
{listens}
"""


def _configure_apache(run: Run) -> Mapping[str, str]:
    modules = "\n".join(
        f"LoadModule {name}_module {APACHE_MODULE_FOLDER}/mod_{name}.so"
        for name in APACHE_MODULES
    )
    frame = write_apache_frame(run.folder, [], modules)
    return {
        "apache.conf": frame + f"Include {run.folder}/site.conf\n",
        "site.conf": run.join(),
    }


def _configure_haproxy(run: Run) -> Mapping[str, str]:
    frame = "global\n    maxconn 500\n    tune.http.maxhdr 200\n"
    return {"frame.cfg": frame, "site.cfg": run.join()}


def _configure_caddy(run: Run) -> Mapping[str, str]:
    return {"Caddyfile": run.join()}


def _configure_traefik(run: Run) -> Mapping[str, str]:
    (_, static), (path, dynamic) = run.printed.items()
    frame = """
log: {level: WARN}
global: {checkNewVersion: false, sendAnonymousUsage: false}
"""
    return {
        "traefik.yml": static.replace(path, f"{run.folder}/dynamic.yml") + frame,
        "dynamic.yml": dynamic,
    }


def _configure_envoy(run: Run) -> Mapping[str, str]:
    return {"envoy.yaml": run.join()}


def _configure_varnish(run: Run) -> Mapping[str, str]:
    return {"varnish.vcl": run.join()}


def _configure_lighttpd(run: Run) -> Mapping[str, str]:
    [listener, *_] = run.site.listeners
    address = run.site.address or "0.0.0.0"
    host = f"[{address}]" if ":" in address else address
    return {
        "site.conf": run.join(),
        "lighttpd.conf": f"""
server.document-root = "{run.folder}"
server.errorlog = "{run.folder}/lighttpd-error.log"
server.pid-file = "{run.folder}/lighttpd.pid"
server.max-request-field-size = 16384
server.bind = "{host}"
server.port = {listener.port}
include "{run.folder}/site.conf"
""",
    }


def find_program(name: str) -> str:
    """
    Find *name* beside this Python, on the path, or where Debian puts daemons.

    Raises:
        LookupError: It is nowhere; the message says what installs it.
    """
    folders = [
        str(Path(sys.executable).parent),
        os.environ.get("PATH", ""),
        "/usr/sbin",
    ]
    found = shutil.which(name, path=os.pathsep.join(folders))
    if found is None:
        raise LookupError(
            f"{name} is not installed: the packages of tests/real/servers/apt.txt and "
            f"the dependency group `servers` bring it."
        )
    return found


@dataclass(frozen=True, slots=True)
class Front:
    """
    One front end.

    Attributes:
        name: As the generator calls it.

        title: Its name for people.

        configure: Makes its files, from what was printed.

        command: The command line; ``{folder}`` is where the files are.

        check: The command line that looks the files over and serves nothing.

        version: The command that tells the version.

        no_tls: Why it does not terminate TLS, or nothing.

        no_unix: Why it does not reach servers on unix sockets, or nothing.

        loads_late: Whether it listens before it has read what it is to serve.

        hands_trailers_on: Whether a client's trailer fields reach the server.
    """

    name: str
    title: str
    configure: Callable[[Run], Mapping[str, str]]
    command: Sequence[str]
    check: Sequence[str]
    version: Sequence[str]
    no_tls: str = ""
    no_unix: str = ""
    loads_late: bool = False
    hands_trailers_on: bool = False

    def print_for(self, folder: Path, site: Site, policy: ProxyPolicy) -> Run:
        """Let the generator write the configuration for *site*."""
        return Run(folder, write_files(self.name, policy, site), site)


def make_policy() -> ProxyPolicy:
    """Make the recommended policy."""
    return ProxyPolicy.from_mapping(POLICY)


_NGINX = ("nginx", "-p", "{folder}", "-c", "{folder}/nginx.conf")
_APACHE = ("apache2", "-DFOREGROUND", "-d", "{folder}", "-f", "{folder}/apache.conf")
_HAPROXY = ("haproxy", "-db", "-f", "{folder}/frame.cfg", "-f", "{folder}/site.cfg")
_CADDYFILE = ("--config", "{folder}/Caddyfile", "--adapter", "caddyfile")
_ENVOY = ("envoy", "-c", "{folder}/envoy.yaml", "--disable-hot-restart", "-l", "warn")
_VCL = ("-n", "{folder}/varnish", "-f", "{folder}/varnish.vcl")
_LIGHTTPD = ("lighttpd", "-D", "-f", "{folder}/lighttpd.conf")

FRONTS: tuple[Front, ...] = (
    Front(
        "nginx",
        "nginx",
        _configure_nginx,
        _NGINX,
        (*_NGINX, "-t"),
        ("nginx", "-v"),
    ),
    Front(
        "apache",
        "Apache httpd (mod_proxy)",
        _configure_apache,
        _APACHE,
        (*_APACHE, "-t"),
        ("apache2", "-v"),
    ),
    Front(
        "haproxy",
        "HAProxy",
        _configure_haproxy,
        _HAPROXY,
        (*_HAPROXY, "-c"),
        ("haproxy", "-v"),
        hands_trailers_on=True,
    ),
    Front(
        "caddy",
        "Caddy",
        _configure_caddy,
        ("caddy", "run", *_CADDYFILE),
        ("caddy", "validate", *_CADDYFILE),
        ("caddy", "version"),
    ),
    Front(
        "traefik",
        "Traefik",
        _configure_traefik,
        ("traefik", "--configFile={folder}/traefik.yml"),
        (),
        ("traefik", "version"),
        no_unix="Traefik's HTTP services are URLs of TCP servers",
        loads_late=True,
    ),
    Front(
        "envoy",
        "Envoy",
        _configure_envoy,
        _ENVOY,
        (*_ENVOY, "--mode", "validate"),
        ("envoy", "--version"),
    ),
    Front(
        "varnish",
        "Varnish",
        _configure_varnish,
        (
            *("varnishd", "-F", "-j", "none", *_VCL, "-a", "{host}:{port}"),
            *("-s", "malloc,16m", "-p", "http_max_hdr=256"),
        ),
        ("varnishd", "-C", *_VCL),
        ("varnishd", "-V"),
        no_tls="Varnish has no TLS; it stands behind something that has",
    ),
    Front(
        "lighttpd",
        "lighttpd",
        _configure_lighttpd,
        _LIGHTTPD,
        (*_LIGHTTPD, "-tt"),
        ("lighttpd", "-v"),
    ),
)


def find_front(name: str) -> Front:
    """Find a row by its name."""
    return next(front for front in FRONTS if front.name == name)


def place_files(front: Front, run: Run) -> None:
    """Write the files of *front* into the folder."""
    for name, text in front.configure(run).items():
        (run.folder / name).write_text(text, encoding="utf-8")


def make_command(words: Sequence[str], run: Run) -> list[str]:
    """Make a command line of a row's *words*."""
    host = run.site.address or "0.0.0.0"
    places = {
        "folder": str(run.folder),
        "host": f"[{host}]" if ":" in host else host,
        "port": str(run.site.listeners[0].port),
    }
    program, *arguments = words
    return [find_program(program), *(one.format(**places) for one in arguments)]


def make_front_environment(folder: Path) -> dict[str, str]:
    """Make an environment in which a front end writes into *folder* alone."""
    own = str(folder)
    return {
        **os.environ,
        "CADDY_ADMIN": f"unix/{own}/admin.sock",
        "XDG_CONFIG_HOME": own,
        "XDG_DATA_HOME": own,
    }
