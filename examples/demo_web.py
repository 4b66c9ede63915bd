"""
Look at it in a browser: nginx in front of gunicorn, with Django and Flask behind it.

In:  nothing.  Both applications are in debug mode, so that their page is open; they
     listen on this machine alone.
Out: the addresses to open; runs until it is stopped, and leaves nothing behind.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

import trustme
from nginx import find_nginx, find_ports, serve_nginx
from servers import gunicorn, serve

from trustedproxy import ProxyPolicy
from trustedproxy.frontends import TLS, Location, Site, write_config

HOST = "shop.localhost"
#: The address that nginx connects from, so that it is not the visitor's own.
NGINX = "127.0.0.2"
HEADERS = ["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Prefix"]
SETTINGS = {
    "TRUSTED_PROXY_HEADERS": HEADERS,
    "TRUSTED_PROXIES": [NGINX],
    "TRUSTED_PROXY_STRIP": "all",
    "DEBUG": True,
}
APPLICATIONS = {
    "django": "demo_web_django:application",
    "flask": "demo_web_flask:app",
}
PAGE = "trustedproxy/"


def threaded(application: str) -> Callable[[int], list[str]]:
    """Make the command; a browser opens connections before it needs them."""
    command = gunicorn(application)
    return lambda descriptor: [*command(descriptor), "--threads", "4"]


@contextmanager
def start_applications() -> Iterator[dict[str, int]]:
    """Start both applications: name → port."""
    environ = {"DEMO_SETTINGS": json.dumps(SETTINGS)}
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(serve(threaded(place), environ))
            for name, place in APPLICATIONS.items()
        }


def write_front(ports: Mapping[str, int], plain: int, secure: int, folder: Path) -> str:
    """Write nginx's half for the policy: what the page shows as the front end's."""
    write_certificate(folder)
    policy = ProxyPolicy(
        headers=HEADERS,
        # A proxy of this machine usually connects from 127.0.0.1.
        proxies=["loopback"],
        strip="all",
    )
    first, *others = (
        Location(f"127.0.0.1:{port}", f"/{name}", name=name)
        for name, port in ports.items()
    )
    site = Site(
        backend=first.backend,
        path=first.path,
        name=first.name,
        others=others,
        server_names=[HOST, "localhost"],
        address="127.0.0.1",
        http_port=plain,
        https_port=secure,
        tls=TLS(str(folder / "certificate.pem"), str(folder / "key.pem")),
    )
    return write_config("nginx", policy, site)


def write_certificate(folder: Path) -> None:
    """Write a certificate that no browser knows, for the names of the demo."""
    authority = trustme.CA()
    own = authority.issue_cert(HOST, "localhost", "127.0.0.1")
    own.private_key_pem.write_to_path(str(folder / "key.pem"))
    with open(folder / "certificate.pem", "wb") as file:
        file.writelines(blob.bytes() for blob in own.cert_chain_pems)


def print_addresses(ports: Mapping[str, int], front: tuple[int, int] | None) -> None:
    """Print where to look."""
    say = print
    if front is None:
        say(
            "nginx is missing on this machine, so that there is no proxy to look "
            "through.\nThe pages below say what the applications see of direct "
            "requests; install nginx\nto see the rest.\n"
        )
    else:
        plain, secure = front
        say("Through nginx, as a visitor comes:\n")
        for name in ports:
            say(f"  http://{HOST}:{plain}/{name}/{PAGE}")
        say("\nThe same over TLS; the certificate is unknown to your browser:\n")
        for name in ports:
            say(f"  https://{HOST}:{secure}/{name}/{PAGE}")
        say("\nA liar comes through nginx; what he forged is gone before it arrives:\n")
        say(
            f"  curl -H 'X-Forwarded-For: 6.6.6.6' -H 'Accept: application/json' "
            f"http://{HOST}:{plain}/django/{PAGE}\n"
        )
    say("Around nginx, straight to gunicorn: change the headers in the page's box\n")
    for name, port in ports.items():
        say(f"  http://127.0.0.1:{port}/{PAGE}  ({name})")
    say("\nStop it with Ctrl-C.", flush=True)


def main() -> int:
    """Start everything, print the addresses, wait until somebody has seen enough."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # A shell that starts something in the background ignores the first.
        signal.signal(number, _interrupt)
    with ExitStack() as stack:
        ports = stack.enter_context(start_applications())
        front = None
        if find_nginx() is not None:
            plain, secure = find_ports(2)
            stack.enter_context(
                serve_nginx(
                    lambda folder: write_front(ports, plain, secure, folder),
                    (plain, secure),
                    address=NGINX,
                )
            )
            front = (plain, secure)
        print_addresses(ports, front)
        try:
            signal.pause()
        except KeyboardInterrupt:
            print("\nStopped.")
    return 0


def _interrupt(number: int, frame: FrameType | None) -> None:
    # Whoever is impatient sends another one, and what was started has to be stopped.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
