"""
The front ends, one row each, with the configuration that the docs recommend.

In:  a `Site`: ports, certificate, and the upstreams that are to be reached.
Out: the files of its configuration and the command that starts it.

The recommended part of each configuration is a template in `configurations/`, which
docs/frontends.md shows as it is; what a test alone needs (log files, no daemon,
loading of modules) is written around it here.
"""

from __future__ import annotations

import itertools
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from .processes import Address

SET_BY_THE_FRONT_END = (
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
)
"""The trusted headers of the recommended policy, which every edge overwrites."""

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "configurations"),
    undefined=StrictUndefined,
    keep_trailing_newline=True,
    autoescape=False,
)


def spell_twins(name: str) -> Iterator[str]:
    """Spell *name* with underscores for some or all of its hyphens."""
    parts = name.split("-")
    for signs in itertools.product("-_", repeat=len(parts) - 1):
        if "_" in signs:
            yield "".join(
                part + sign for part, sign in zip(parts, [*signs, ""], strict=True)
            )


TWINS = tuple(t for name in SET_BY_THE_FRONT_END for t in spell_twins(name))


@dataclass(frozen=True, slots=True)
class Upstream:
    """A server behind a front end, and the mount point at which it is reached."""

    name: str
    mount_point: str
    address: Address

    @property
    def socket(self) -> str:
        """The path of the unix socket, or nothing."""
        return self.address if isinstance(self.address, str) else ""

    @property
    def host(self) -> str:
        """The address of a TCP upstream."""
        return "" if isinstance(self.address, str) else self.address[0]

    @property
    def port(self) -> int:
        """The port of a TCP upstream."""
        return 0 if isinstance(self.address, str) else self.address[1]

    @property
    def authority(self) -> str:
        """Address and port as in a URL."""
        return f"{self.host}:{self.port}"

    @property
    def identifier(self) -> str:
        """The name where only letters, digits and underscores may stand."""
        return self.name.replace("-", "_")


@dataclass(frozen=True, slots=True)
class Site:
    """
    What one front end is to serve.

    *edge* are the upstreams for the world, *inner* those behind another front end:
    there the mount point only chooses the upstream and stays in the path.
    """

    folder: Path
    host: str
    http: int
    https: int
    inner_port: int
    certificate: str
    key: str
    pem: str
    edge: Sequence[Upstream]
    inner: Sequence[Upstream]

    def render(self, template: str) -> str:
        """Fill the *template* of `configurations/`."""
        is_inner = "-inner." in template
        clusters = {upstream.name: upstream for upstream in (*self.edge, *self.inner)}
        whole = not is_inner and "-edge." not in template
        return _templates.get_template(f"{template}.j2").render(
            host=self.host,
            http=self.http,
            https=self.https,
            inner=self.inner_port,
            certificate=self.certificate,
            key=self.key,
            pem=self.pem,
            twins=TWINS,
            upstreams=(
                list(clusters.values())
                if whole
                else self.inner
                if is_inner
                else self.edge
            ),
        )

    def render_all(self, *templates: str) -> str:
        """Fill several templates, one behind the other."""
        return "\n".join(map(self.render, templates))


def _configure_nginx(site: Site) -> Mapping[str, str]:
    folder = site.folder
    return {
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
{site.render_all("nginx-edge.conf", "nginx-inner.conf")}
}}
"""
    }


APACHE_MODULES = (
    "authz_core",
    "headers",
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


def _configure_apache(site: Site) -> Mapping[str, str]:
    modules = "\n".join(
        f"LoadModule {name}_module {APACHE_MODULE_FOLDER}/mod_{name}.so"
        for name in APACHE_MODULES
    )
    ports = [f"{site.host}:{p}" for p in (site.http, site.https, site.inner_port)]
    return {
        "apache.conf": write_apache_frame(site.folder, ports, modules)
        + site.render_all("apache-edge.conf", "apache-inner.conf")
    }


def _configure_haproxy(site: Site) -> Mapping[str, str]:
    return {
        "haproxy.cfg": f"""
global
    maxconn 500
    tune.http.maxhdr 200
defaults
    mode http
    timeout connect 60s
    timeout client 60s
    timeout server 60s
    timeout tunnel 60s
{site.render_all("haproxy-edge.cfg", "haproxy-inner.cfg")}
"""
    }


def _configure_caddy(site: Site) -> Mapping[str, str]:
    return {
        "Caddyfile": f"""{{
	admin off
	auto_https off
	persist_config off
	default_sni localhost
	servers {site.host}:{site.inner_port} {{
		trusted_proxies static 127.0.0.1/32
	}}
}}
{site.render_all("caddy-edge.caddyfile", "caddy-inner.caddyfile")}
"""
    }


def _configure_traefik(site: Site) -> Mapping[str, str]:
    folder = site.folder
    # Two files of one folder, as both have a part named http.
    return {
        "traefik.yml": site.render_all(
            "traefik-edge.static.yml", "traefik-inner.static.yml"
        )
        + f"""
providers:
  file:
    directory: {folder}/dynamic
    watch: false
log:
  level: WARN
global:
  checkNewVersion: false
  sendAnonymousUsage: false
""",
        "dynamic/edge.yml": site.render("traefik-edge.yml"),
        "dynamic/inner.yml": site.render("traefik-inner.yml"),
    }


def _configure_envoy(site: Site) -> Mapping[str, str]:
    return {
        "envoy.yml": "static_resources:\n  listeners:"
        + site.render_all("envoy-edge.yml", "envoy-inner.yml", "envoy-clusters.yml")
    }


def _configure_varnish(site: Site) -> Mapping[str, str]:
    return {
        "varnish.vcl": site.render_all(
            "varnish-backends.vcl", "varnish-edge.vcl", "varnish-inner.vcl"
        )
    }


def _configure_lighttpd(site: Site) -> Mapping[str, str]:
    return {
        "lighttpd.conf": f"""
server.modules = ("mod_extforward", "mod_setenv", "mod_proxy", "mod_openssl")
server.document-root = "{site.folder}"
server.errorlog = "{site.folder}/lighttpd-error.log"
server.pid-file = "{site.folder}/lighttpd.pid"
server.max-request-field-size = 16384
{site.render_all("lighttpd-edge.conf", "lighttpd-inner.conf")}
"""
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
            f"{name} is not installed: the packages of tests/real/servers/apt.txt and the "
            f"dependency group `servers` bring it."
        )
    return found


@dataclass(frozen=True, slots=True)
class Front:
    """
    One front end.

    Attributes:
        title: Its name for people.

        configure: Makes the files of its configuration, by name.

        command: The command line; ``{folder}`` is where the files are.

        documented: The templates that docs/frontends.md shows, for the edge.

        documented_inner: The same for a proxy behind another proxy.

        version: The command that tells the version.

        no_tls: Why it does not terminate TLS, or nothing.

        no_unix: Why it does not reach servers on unix sockets, or nothing.

        loads_late: Whether it listens before it has read what it is to serve.

        hands_trailers_on: Whether a client's trailer fields reach the server.

        notes: Sentences about it for docs/frontends.md.
    """

    name: str
    title: str
    configure: Callable[[Site], Mapping[str, str]]
    command: Sequence[str]
    documented: Sequence[str]
    documented_inner: Sequence[str]
    version: Sequence[str]
    notes: Sequence[str]
    no_tls: str = ""
    no_unix: str = ""
    loads_late: bool = False
    hands_trailers_on: bool = False


FRONTS: tuple[Front, ...] = (
    Front(
        "nginx",
        "nginx",
        _configure_nginx,
        ("nginx", "-p", "{folder}", "-c", "{folder}/nginx.conf"),
        ("nginx-edge.conf",),
        ("nginx-inner.conf",),
        ("nginx", "-v"),
        (
            "nginx drops names with underscores and other odd characters by itself; "
            "leave `underscores_in_headers` off.",
            "Its default for `proxy_http_version` is 1.0, which Envoy refuses as an "
            "inner proxy and which knows no websockets.",
        ),
    ),
    Front(
        "apache",
        "Apache httpd (mod_proxy)",
        _configure_apache,
        ("apache2", "-DFOREGROUND", "-d", "{folder}", "-f", "{folder}/apache.conf"),
        ("apache-edge.conf",),
        ("apache-inner.conf",),
        ("apache2", "-v"),
        (
            "What `RequestHeader set` wrote is removed again when the client names it "
            "in `Connection`; the two `Connection` lines close that.",
            "No directive drops names by pattern, so the spellings with underscores "
            "are listed one by one.",
            "Behind `unix:…|` each socket needs a host name of its own: Apache takes "
            "two with the same URL for one server, and sends what is for one to the "
            "other.",
            "Apache answers 404 to `%2F` in a path unless `AllowEncodedSlashes` says "
            "otherwise.",
            "Without `ttl` a request is answered with 502 if it comes just when the "
            "server closes the idle connection: gunicorn's threads do after two "
            "seconds, uvicorn and Hypercorn after five.",
        ),
    ),
    Front(
        "haproxy",
        "HAProxy",
        _configure_haproxy,
        ("haproxy", "-db", "-f", "{folder}/haproxy.cfg"),
        ("haproxy-edge.cfg",),
        ("haproxy-inner.cfg",),
        ("haproxy", "-v"),
        (
            "The guides' `option forwardfor` adds a line behind the client's instead "
            "of replacing it, and their `X-Forwarded-Proto https if { ssl_fc }` leaves "
            "the client's own on plain HTTP; both are set here in every case.",
            "As an inner proxy it adds a line of its own: a server that keeps only the "
            "last line (cheroot) loses the client there.",
            "It hands trailer fields on, which uvicorn with httptools takes for "
            "headers: behind HAProxy run uvicorn with `--http h11`, and not bjoern.",
        ),
        hands_trailers_on=True,
    ),
    Front(
        "caddy",
        "Caddy",
        _configure_caddy,
        ("caddy", "run", "--config", "{folder}/Caddyfile", "--adapter", "caddyfile"),
        ("caddy-edge.caddyfile",),
        ("caddy-inner.caddyfile",),
        ("caddy", "version"),
        ("Caddy before 2.11.4 hands names with underscores on.",),
    ),
    Front(
        "traefik",
        "Traefik",
        _configure_traefik,
        ("traefik", "--configFile={folder}/traefik.yml"),
        ("traefik-edge.static.yml", "traefik-edge.yml"),
        ("traefik-inner.static.yml", "traefik-inner.yml"),
        ("traefik", "version"),
        (
            "The first file is the static configuration, the second the dynamic one.",
            "`aliasHeadersStrategy` drops names with underscores; without it they pass "
            "for every name that Traefik does not manage itself.",
        ),
        no_unix="Traefik's HTTP services are URLs of TCP servers",
        loads_late=True,
    ),
    Front(
        "envoy",
        "Envoy",
        _configure_envoy,
        ("envoy", "-c", "{folder}/envoy.yml", "--disable-hot-restart", "-l", "warn"),
        ("envoy-edge.yml", "envoy-clusters.yml"),
        ("envoy-inner.yml",),
        ("envoy", "--version"),
        (
            "The listeners stand under `static_resources: listeners:`.",
            "Without `idle_timeout` a request is answered with 503 if it comes just "
            "when the server closes the idle connection: gunicorn's threads do after "
            "two seconds, uvicorn and Hypercorn after five.",
            "Envoy never writes 127.0.0.1 into `X-Forwarded-For` by itself, but the "
            "machine's own network address; the literal value closes that.",
        ),
    ),
    Front(
        "varnish",
        "Varnish",
        _configure_varnish,
        (
            "varnishd",
            "-F",
            "-j",
            "none",
            "-n",
            "{folder}/varnish",
            "-f",
            "{folder}/varnish.vcl",
            "-a",
            "edge={host}:{http}",
            "-a",
            "inner={host}:{inner}",
            "-s",
            "malloc,16m",
            "-p",
            "http_max_hdr=256",
        ),
        ("varnish-backends.vcl", "varnish-edge.vcl"),
        ("varnish-inner.vcl",),
        ("varnishd", "-V"),
        (
            "The listener needs its name: `-a edge=:80`.",
            "Behind something that terminates TLS it is an inner proxy: "
            "`-a inner=127.0.0.1:8080`.",
            "A junk `Host` passes; the framework's list of allowed hosts refuses it.",
        ),
        no_tls="Varnish has no TLS; it stands behind something that has",
    ),
    Front(
        "lighttpd",
        "lighttpd",
        _configure_lighttpd,
        ("lighttpd", "-D", "-f", "{folder}/lighttpd.conf"),
        ("lighttpd-edge.conf",),
        ("lighttpd-inner.conf",),
        ("lighttpd", "-v"),
        (
            "lighttpd decodes `%2F` in the path before it hands the request on.",
            "It replaces `X-Forwarded-Proto` and `X-Forwarded-Host` as an inner proxy "
            "too; mod_extforward makes it trust the outer one.",
        ),
    ),
)
