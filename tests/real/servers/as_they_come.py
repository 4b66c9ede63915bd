"""
Front ends as their presets expect them: their defaults, and the lines of most guides.

In:  ports, a certificate, and the backend.
Out: for each preset whose front end runs here, the files of its configuration and the
     command that starts it.

These are not the configurations that are recommended: a preset has to hold without
them, or to say that it does not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .fronts import APACHE_MODULE_FOLDER, write_apache_frame


@dataclass(frozen=True, slots=True)
class Ground:
    """
    Where a front end stands: its folder, its ports, and what it is to reach.

    Attributes:
        pem: The certificate and its key, in one file.
    """

    folder: Path
    host: str
    http: int
    https: int
    backend: int
    pem: Path


def _nginx(*lines: str) -> Callable[[Ground], Mapping[str, str]]:
    def configure(ground: Ground) -> Mapping[str, str]:
        temporary = "".join(
            f"    {kind}_temp_path {ground.folder}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        said = "\n".join(f"            proxy_set_header {line};" for line in lines)
        return {
            "nginx.conf": f"""
daemon off;
user root;
worker_processes 1;
pid {ground.folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 64; }}
http {{
    access_log off;
{temporary}
    server {{
        listen {ground.host}:{ground.http};
        listen {ground.host}:{ground.https} ssl;
        ssl_certificate     {ground.pem};
        ssl_certificate_key {ground.pem};
        location / {{
            proxy_pass http://{ground.host}:{ground.backend};
            proxy_set_header Host $http_host;
{said}
        }}
    }}
}}
"""
        }

    return configure


def _apache(ground: Ground) -> Mapping[str, str]:
    names = ("authz_core", "mpm_event", "proxy", "proxy_http", "socache_shmcb", "ssl")
    modules = "\n".join(
        f"LoadModule {name}_module {APACHE_MODULE_FOLDER}/mod_{name}.so"
        for name in names
    )
    ports = [f"{ground.host}:{port}" for port in (ground.http, ground.https)]
    return {
        "apache.conf": write_apache_frame(ground.folder, ports, modules)
        + f"""
ProxyPass / http://{ground.host}:{ground.backend}/
<VirtualHost {ground.host}:{ground.https}>
    SSLEngine on
    SSLCertificateFile {ground.pem}
    ProxyPass / http://{ground.host}:{ground.backend}/
</VirtualHost>
"""
    }


def _haproxy(ground: Ground) -> Mapping[str, str]:
    return {
        "haproxy.cfg": f"""
global
    maxconn 100
    tune.http.maxhdr 200
defaults
    mode http
    timeout connect 60s
    timeout client 60s
    timeout server 60s
frontend web
    bind {ground.host}:{ground.http}
    bind {ground.host}:{ground.https} ssl crt {ground.pem}
    option forwardfor
    http-request set-header X-Forwarded-Proto https if {{ ssl_fc }}
    http-request set-header X-Forwarded-Proto http if !{{ ssl_fc }}
    default_backend app
backend app
    server app {ground.host}:{ground.backend}
"""
    }


def _caddy(ground: Ground) -> Mapping[str, str]:
    return {
        "Caddyfile": f"""{{
	admin off
	auto_https off
	persist_config off
	default_sni localhost
}}
http://:{ground.http} {{
	bind {ground.host}
	reverse_proxy {ground.host}:{ground.backend}
}}
https://:{ground.https} {{
	bind {ground.host}
	tls {ground.pem} {ground.pem}
	reverse_proxy {ground.host}:{ground.backend}
}}
"""
    }


def _traefik(ground: Ground) -> Mapping[str, str]:
    return {
        "traefik.yml": f"""
entryPoints:
  web:
    address: "{ground.host}:{ground.http}"
  websecure:
    address: "{ground.host}:{ground.https}"
    http: {{tls: {{}}}}
providers:
  file: {{filename: {ground.folder}/dynamic.yml, watch: false}}
log: {{level: WARN}}
global: {{checkNewVersion: false, sendAnonymousUsage: false}}
""",
        "dynamic.yml": f"""
http:
  routers:
    app: {{rule: "PathPrefix(`/`)", service: app, entryPoints: [web]}}
    secure: {{rule: "PathPrefix(`/`)", service: app, entryPoints: [websecure]}}
  services:
    app:
      loadBalancer:
        servers: [{{url: "http://{ground.host}:{ground.backend}"}}]
tls:
  certificates: [{{certFile: {ground.pem}, keyFile: {ground.pem}}}]
""",
    }


def _envoy(ground: Ground) -> Mapping[str, str]:
    api = "type.googleapis.com/envoy.extensions"
    filters = f"{api}.filters"
    tls = f"""
      transport_socket:
        name: envoy.transport_sockets.tls
        typed_config:
          "@type": {api}.transport_sockets.tls.v3.DownstreamTlsContext
          common_tls_context:
            tls_certificates:
              - certificate_chain: {{filename: {ground.pem}}}
                private_key: {{filename: {ground.pem}}}"""
    listeners = "".join(
        f"""
  - name: {name}
    address: {{socket_address: {{address: {ground.host}, port_value: {port}}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": {filters}.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: {name}
          use_remote_address: true
          http_filters:
          - name: envoy.filters.http.router
            typed_config:
              "@type": {filters}.http.router.v3.Router
          route_config:
            virtual_hosts:
            - name: app
              domains: ["*"]
              routes:
              - match: {{prefix: /}}
                route: {{cluster: app}}{secured}"""
        for name, port, secured in (
            ("web", ground.http, ""),
            ("websecure", ground.https, tls),
        )
    )
    return {
        "envoy.yml": f"""
static_resources:
  listeners:{listeners}
  clusters:
  - name: app
    load_assignment:
      cluster_name: app
      endpoints:
      - lb_endpoints:
        - endpoint:
            address:
              socket_address: {{address: {ground.host}, port_value: {ground.backend}}}
"""
    }


@dataclass(frozen=True, slots=True)
class AsItComes:
    """A front end for one preset: its files, and its command, with ``{folder}``."""

    preset: str
    configure: Callable[[Ground], Mapping[str, str]]
    command: Sequence[str]


_NGINX = ("nginx", "-p", "{folder}", "-c", "{folder}/nginx.conf")

AS_THEY_COME = (
    AsItComes(
        "nginx-local",
        _nginx("X-Real-IP $remote_addr", "X-Forwarded-Proto $scheme"),
        _NGINX,
    ),
    AsItComes(
        "nginx-append",
        _nginx(
            "X-Forwarded-For $proxy_add_x_forwarded_for", "X-Forwarded-Proto $scheme"
        ),
        _NGINX,
    ),
    AsItComes(
        "apache",
        _apache,
        ("apache2", "-DFOREGROUND", "-d", "{folder}", "-f", "{folder}/apache.conf"),
    ),
    AsItComes("haproxy", _haproxy, ("haproxy", "-db", "-f", "{folder}/haproxy.cfg")),
    AsItComes(
        "caddy",
        _caddy,
        ("caddy", "run", "--config", "{folder}/Caddyfile", "--adapter", "caddyfile"),
    ),
    AsItComes("traefik", _traefik, ("traefik", "--configFile={folder}/traefik.yml")),
    AsItComes(
        "envoy-edge",
        _envoy,
        ("envoy", "-c", "{folder}/envoy.yml", "--disable-hot-restart", "-l", "warn"),
    ),
)
