"""
What a conversion makes of a chain is what nginx and Apache made of it.

In:  the real front ends, one server for each configuration.
Out: the same client, or a note that says why not.
"""

from __future__ import annotations

import os
import random
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from trustedproxy.convert import convert_text
from trustedproxy.convert.record import name_of

from ...docs.coming_from import read_pages
from ..servers.processes import ProcessManager
from .front_ends import FrontEnd, start_apache, start_mod_wsgi, start_nginx
from .honest import ODD_CLIENTS, Request, make_request
from .ledger import unexplained

NGINX = {
    "recursive": "set_real_ip_from 127.0.0.0/29; real_ip_header X-Forwarded-For; "
    "real_ip_recursive on;",
    "not recursive": "set_real_ip_from 127.0.0.0/29; real_ip_header X-Forwarded-For;",
    "the default header": "set_real_ip_from 127.0.0.2;",
    "host bits and a custom header": "set_real_ip_from 127.0.0.5/29; "
    "real_ip_header X-Edge-IP; real_ip_recursive on;",
    "everybody": "set_real_ip_from 0.0.0.0/0; set_real_ip_from ::/0; "
    "real_ip_header X-Forwarded-For; real_ip_recursive on;",
}
APACHE = {
    "internal": "RemoteIPHeader X-Forwarded-For\nRemoteIPInternalProxy 127.0.0.0/29",
    "trusted": "RemoteIPHeader X-Forwarded-For\nRemoteIPTrustedProxy 127.0.0.0/29",
    "both": "RemoteIPHeader X-Forwarded-For\nRemoteIPInternalProxy 127.0.0.1\n"
    "RemoteIPTrustedProxy 127.0.0.2 8.8.4.4",
    "shortened": "RemoteIPHeader X-Real-IP\nRemoteIPInternalProxy 127.0",
    "no list": "RemoteIPHeader X-Forwarded-For",
}
MOD_WSGI = {
    "a list": "WSGITrustedProxyHeaders X-Forwarded-For\n"
    "WSGITrustedProxies 127.0.0.0/29",
    "shortened": "WSGITrustedProxyHeaders X-Forwarded-For\nWSGITrustedProxies 127.0",
    "host bits and a mask": "WSGITrustedProxyHeaders X-Forwarded-For\n"
    "WSGITrustedProxies 127.0.0.5/29 8.8.4.4/255.255.255.0",
    "no proxies": "WSGITrustedProxyHeaders X-Forwarded-For",
    "nobody": "WSGITrustedProxyHeaders X-Forwarded-For\nWSGITrustedProxies",
    "one address": "WSGITrustedProxyHeaders X-Real-IP\nWSGITrustedProxies 127.0.0.2",
}
# What the pages print is accepted by the real ones as well.
for _name, _texts in (("nginx_realip", NGINX), ("mod_remoteip", APACHE)):
    _texts["the page's example"] = next(read_pages()[_name].pairs()).text

PROXIES = ("127.0.0.1", "127.0.0.2", "127.0.0.3", "8.8.4.4")
STRANGER = "127.0.0.99"
ELEMENTS = (
    *("8.8.8.8", "93.184.216.34", "2606:4700:4700::1111", "10.1.1.1", "192.168.1.1"),
    *PROXIES,
    *ODD_CLIENTS,
)
_REQUESTS = 60


@pytest.fixture(scope="module")
def manager() -> Iterator[ProcessManager]:
    """Start programs, and stop all of them at the end."""
    with tempfile.TemporaryDirectory(
        prefix="convert-", ignore_cleanup_errors=True
    ) as name:
        folder = Path(name)
        folder.chmod(0o755)
        with ProcessManager(folder) as running:
            yield running


@pytest.fixture(scope="module")
def nginx(manager: ProcessManager) -> dict[str, FrontEnd]:
    """Start nginx with every configuration."""
    return dict(zip(NGINX, start_nginx(manager, list(NGINX.values())), strict=True))


@pytest.fixture(scope="module")
def apache(manager: ProcessManager) -> dict[str, FrontEnd]:
    """Start Apache with every configuration."""
    return dict(zip(APACHE, start_apache(manager, list(APACHE.values())), strict=True))


@pytest.fixture(scope="module")
def mod_wsgi(manager: ProcessManager) -> dict[str, FrontEnd]:
    """Start Apache and mod_wsgi with every configuration."""
    if os.geteuid() == 0 and not is_readable(Path(sys.base_prefix)):
        pytest.skip("Apache's unprivileged children cannot read this Python")
    started = start_mod_wsgi(manager, list(MOD_WSGI.values()))
    return dict(zip(MOD_WSGI, started, strict=True))


def is_readable(folder: Path) -> bool:
    """Say whether everybody can reach a folder, down from the root."""
    folders = [folder, *folder.parents]
    return all(path.stat().st_mode & stat.S_IXOTH for path in folders)


def draw_requests(header: str) -> list[Request]:
    """Draw requests with lists of elements, or one element where that is all."""
    drawn = random.Random(header)
    most = 1 if header == "X-Real-IP" else 4
    requests: list[Request] = []
    for _ in range(_REQUESTS):
        count = drawn.randint(1, most)
        elements: Sequence[str] = [drawn.choice(ELEMENTS) for _ in range(count)]
        peer = drawn.choice(["127.0.0.1", "127.0.0.2", "127.0.0.2", STRANGER])
        requests.append(make_request({header: elements}, peer=peer))
    return requests


def compare(front_end: FrontEnd, text: str) -> None:
    """Ask the front end and the conversion for the same clients."""
    conversion = convert_text(text)
    policy = conversion.read().policy
    headers = conversion.settings["TRUSTED_PROXY_HEADERS"]
    assert isinstance(headers, list)
    for request in draw_requests(name_of(headers[0])):
        environ = request.environ()
        policy.apply(environ)

        client = front_end.ask(request.peer, request.headers)

        left = unexplained(
            conversion,
            request,
            {"client": client},
            {"client": environ["REMOTE_ADDR"]},
        )
        assert left == {}, request


@pytest.mark.parametrize("name", NGINX)
def test_realip_finds_the_same_client(name: str, nginx: dict[str, FrontEnd]) -> None:
    """Every chain has the client that nginx gives it."""
    compare(nginx[name], NGINX[name])


@pytest.mark.parametrize("name", APACHE)
def test_remoteip_finds_the_same_client(name: str, apache: dict[str, FrontEnd]) -> None:
    """Every chain has the client that Apache gives it, but for private addresses."""
    compare(apache[name], APACHE[name])


@pytest.mark.parametrize("name", MOD_WSGI)
def test_mod_wsgi_finds_the_same_client(
    name: str, mod_wsgi: dict[str, FrontEnd]
) -> None:
    """Every chain has the client that mod_wsgi gives it, in its own spelling."""
    compare(mod_wsgi[name], MOD_WSGI[name])
