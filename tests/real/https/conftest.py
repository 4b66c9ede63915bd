"""
One nginx that ends TLS, and five applications behind it.

In:  nothing.
Out: `site`, one parameter an application: where it is reached, and the front end's
     certificate.
"""

from __future__ import annotations

import json
import os
import ssl
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from ..servers.client import trusting
from ..servers.fronts import find_program
from ..servers.processes import Process, ProcessManager, find_free_ports

HERE = Path(__file__).parent
HOST = "127.0.0.1"

#: Application → what makes it; uvicorn serves the asynchronous ones, gunicorn all else.
APPLICATIONS = {
    "wsgi": "make_wsgi",
    "asgi": "make_asgi",
    "django-wsgi": "make_django_wsgi",
    "django-asgi": "make_django_asgi",
    "flask": "make_flask",
}


@dataclass(frozen=True, slots=True)
class Site:
    """
    One application, and the ways to it.

    Attributes:
        name: The application's name.

        plain: The front end's port for plain HTTP.

        secure: Its port for HTTPS.

        looping: A port for HTTPS that tells the application no scheme.

        direct: The application's own port, around the front end.

        tls: What trusts the front end's certificate.

        authority: The file that does.

        process: The application's server.
    """

    name: str
    plain: int
    secure: int
    looping: int
    direct: int
    tls: ssl.SSLContext
    authority: str
    process: Process

    @property
    def url(self) -> str:
        """Where a redirect leads to."""
        return f"https://localhost:{self.secure}"


def _serve(name: str, port: int) -> list[str]:
    factory = APPLICATIONS[name]
    if "asgi" in name:
        return [
            *(sys.executable, "-m", "uvicorn", "--factory", f"applications:{factory}"),
            *("--app-dir", str(HERE), "--host", HOST, "--port", str(port)),
            *("--no-proxy-headers", "--log-level", "warning"),
        ]
    return [
        *(sys.executable, "-m", "gunicorn", f"applications:{factory}()"),
        *("--pythonpath", str(HERE), "-b", f"{HOST}:{port}", "--no-control-socket"),
        # Without it gunicorn takes the scheme from any header of a local peer.
        *("--forwarded-allow-ips", "", "-k", "gthread", "--threads", "4"),
    ]


_PASS = """
        location / {{
            proxy_pass http://{host}:{direct};
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto {scheme};
        }}
"""


def _configure_nginx(folder: Path, sites: list[dict[str, int]]) -> str:
    servers = ""
    for site in sites:
        for port, tls, scheme in (
            (site["plain"], "", "$scheme"),
            (site["secure"], " ssl", "$scheme"),
            (site["looping"], " ssl", '""'),
        ):
            inside = _PASS.format(host=HOST, direct=site["direct"], scheme=scheme)
            servers += (
                f"    server {{\n        listen {HOST}:{port}{tls};\n{inside}    }}\n"
            )
    paths = "\n".join(
        f"    {kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""
daemon off;
user www-data;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
{paths}
    ssl_certificate {folder}/both.pem;
    ssl_certificate_key {folder}/both.pem;
    map $http_upgrade $connection_upgrade {{ default upgrade; "" ""; }}
{servers}}}
"""


@pytest.fixture(scope="session")
def sites() -> Iterator[dict[str, Site]]:
    """Start everything, once; and stop it, also after a failure."""
    with tempfile.TemporaryDirectory(
        prefix="https-", ignore_cleanup_errors=True
    ) as name:
        folder = Path(name)
        folder.chmod(0o755)
        authority = trustme.CA()
        certificate = authority.issue_cert("localhost", HOST)
        authority.cert_pem.write_to_path(str(folder / "authority.pem"))
        certificate.private_key_and_cert_chain_pem.write_to_path(
            str(folder / "both.pem")
        )

        kinds = ("plain", "secure", "looping", "direct")
        free = iter(find_free_ports(len(APPLICATIONS) * len(kinds), HOST))
        ports = {name: {kind: next(free) for kind in kinds} for name in APPLICATIONS}
        secure_ports = {name: ports[name]["secure"] for name in APPLICATIONS}
        environment = {
            **os.environ,
            "PYTHONUNBUFFERED": "1",
            "SECURE_PORTS": json.dumps(secure_ports),
        }
        configuration = folder / "nginx.conf"
        configuration.write_text(_configure_nginx(folder, list(ports.values())))

        with ProcessManager(folder) as manager:
            nginx = manager.start(
                "nginx",
                [find_program("nginx"), "-c", str(configuration), "-e", "stderr"],
                [(HOST, ports[name]["plain"]) for name in APPLICATIONS],
            )
            started = {
                name: manager.start(
                    name,
                    _serve(name, ports[name]["direct"]),
                    [(HOST, ports[name]["direct"])],
                    environment=environment,
                )
                for name in APPLICATIONS
            }
            for process in (nginx, *started.values()):
                process.wait_ready()
            yield {
                name: Site(
                    name,
                    **ports[name],
                    tls=trusting(str(folder / "authority.pem")),
                    authority=str(folder / "authority.pem"),
                    process=started[name],
                )
                for name in APPLICATIONS
            }


@pytest.fixture(params=APPLICATIONS)
def site(request: pytest.FixtureRequest, sites: dict[str, Site]) -> Site:
    """One application behind the front end."""
    return sites[request.param]
