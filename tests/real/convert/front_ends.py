"""
nginx, and Apache with its modules, started with what a conversion reads.

In:  directives, one server each.
Out: `FrontEnd`, which says which address a request's client has there.
"""

from __future__ import annotations

import http.client
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...oracle.apache import express_command
from ..servers.processes import ProcessManager, connect, find_free_ports

HOST = "127.0.0.1"

_NGINX = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{servers}
}}
"""
_NGINX_SERVER = """\
    server {{
        listen {host}:{port};
        {directives}
        location / {{ add_header X-Client $remote_addr always; return 204; }}
    }}
"""

_APACHE = """\
ServerRoot "{folder}"
PidFile "{folder}/httpd.pid"
DefaultRuntimeDir "{folder}"
ErrorLog "{folder}/error.log"
LogLevel warn
ServerName front.example
User www-data
Group www-data
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
{modules}
StartServers 1
ServerLimit 1
ThreadsPerChild 8
MaxRequestWorkers 8
HostnameLookups Off
{servers}
"""
_APACHE_SERVER = """\
Listen {{host}}:{{port}}
<VirtualHost {{host}}:{{port}}>
{{directives}}
{answer}
</VirtualHost>
"""

_REMOTEIP_MODULES = """\
LoadModule headers_module /usr/lib/apache2/modules/mod_headers.so
LoadModule remoteip_module /usr/lib/apache2/modules/mod_remoteip.so
"""
_REMOTEIP_ANSWER = 'Header always set X-Client "expr=%{{REMOTE_ADDR}}"'

_WSGI_MODULES = """\
LoadModule wsgi_module "{module}"
WSGIPythonHome "{home}"
WSGIApplicationGroup %{{GLOBAL}}
<Directory "{folder}">
Require all granted
</Directory>
"""
_WSGI_ANSWER = 'WSGIScriptAlias / "{folder}/application.wsgi"'
_WSGI_APPLICATION = """\
def application(environ, start_response):
    start_response("200 OK", [("X-Client", environ["REMOTE_ADDR"])])
    return []
"""


@dataclass(frozen=True, slots=True)
class FrontEnd:
    """One server with a configuration of its own."""

    port: int

    def ask(self, peer: str, headers: Mapping[str, str]) -> str:
        """Send a request from *peer*, and say whom the server takes for the client."""
        connection = http.client.HTTPConnection(HOST, self.port)
        connection.sock = connect((HOST, self.port), peer)
        try:
            connection.request("GET", "/", headers=dict(headers))
            client = connection.getresponse().headers["X-Client"]
        finally:
            connection.close()
        assert isinstance(client, str)
        return client


def start_nginx(manager: ProcessManager, directives: Sequence[str]) -> list[FrontEnd]:
    """Start one nginx with a server for each set of directives."""
    folder = _make_folder(manager, "nginx")
    ports = find_free_ports(len(directives))
    text = _NGINX.format(folder=folder, servers=_join(_NGINX_SERVER, directives, ports))
    configuration = folder / "nginx.conf"
    configuration.write_text(text, encoding="utf-8")
    command = ["nginx", "-p", str(folder), "-c", str(configuration)]
    return _start(manager, "realip-nginx", command, ports)


def start_apache(manager: ProcessManager, directives: Sequence[str]) -> list[FrontEnd]:
    """Start one Apache with a virtual host for each of mod_remoteip's directives."""
    folder = _make_folder(manager, "remoteip")
    return _start_apache(
        manager, folder, directives, _REMOTEIP_MODULES, _REMOTEIP_ANSWER
    )


def start_mod_wsgi(
    manager: ProcessManager, directives: Sequence[str]
) -> list[FrontEnd]:
    """Start one Apache with a virtual host for each of mod_wsgi's directives."""
    folder = _make_folder(manager, "wsgi")
    application = folder / "application.wsgi"
    application.write_text(_WSGI_APPLICATION, encoding="utf-8")
    module = subprocess.run(
        [express_command(), "module-location"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    modules = _WSGI_MODULES.format(module=module, home=sys.base_prefix, folder=folder)
    answer = _WSGI_ANSWER.format(folder=folder)
    return _start_apache(manager, folder, directives, modules, answer)


def _start_apache(
    manager: ProcessManager,
    folder: Path,
    directives: Sequence[str],
    modules: str,
    answer: str,
) -> list[FrontEnd]:
    ports = find_free_ports(len(directives))
    server = _APACHE_SERVER.format(answer=answer)
    text = _APACHE.format(
        folder=folder, modules=modules, servers=_join(server, directives, ports)
    )
    configuration = folder / "httpd.conf"
    configuration.write_text(text, encoding="utf-8")
    command = ["apache2", "-DFOREGROUND", "-f", str(configuration)]
    return _start(manager, folder.name, command, ports)


def _make_folder(manager: ProcessManager, name: str) -> Path:
    folder = manager.folder / name
    folder.mkdir(mode=0o755)
    return folder


def _join(template: str, directives: Sequence[str], ports: Sequence[int]) -> str:
    return "".join(
        template.format(host=HOST, port=port, directives=text)
        for text, port in zip(directives, ports, strict=True)
    )


def _start(
    manager: ProcessManager, name: str, command: list[str], ports: Sequence[int]
) -> list[FrontEnd]:
    process = manager.start(name, command, [(HOST, port) for port in ports])
    process.wait_ready()
    return [FrontEnd(port) for port in ports]
