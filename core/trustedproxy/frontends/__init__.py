"""
The front end's half of the configuration, made from the policy and a site.

In:  a front end's name, a policy, a `Site`.
Out: complete configurations that run as printed: `write_config`, `write_files`; and
     the line that starts the application's server: `write_server_line`.

Reading order: `site` (what is asked for), `plan` (what becomes of each header), one
front end, `servers`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..exceptions import ConfigurationError, nearest
from .apache import APACHE
from .caddy import CADDY
from .containers import INGRESS_NGINX, TRAEFIK_LABELS
from .envoy import ENVOY
from .haproxy import HAPROXY
from .lighttpd import LIGHTTPD
from .nginx import NGINX
from .plan import make_plan
from .servers import SERVERS, ServerCommand, make_command, write_server_line
from .site import TLS, Location, Site
from .traefik import TRAEFIK
from .varnish import VARNISH

if TYPE_CHECKING:
    from ..policy import ProxyPolicy
    from .frontend import Frontend

__all__ = [
    "FRONTENDS",
    "SERVERS",
    "TLS",
    "Location",
    "ServerCommand",
    "Site",
    "find_frontend",
    "make_command",
    "write_config",
    "write_files",
    "write_server_line",
]

FRONTENDS: Mapping[str, Frontend] = {
    one.name: one
    for one in (
        NGINX,
        APACHE,
        HAPROXY,
        CADDY,
        TRAEFIK,
        ENVOY,
        VARNISH,
        LIGHTTPD,
        INGRESS_NGINX,
        TRAEFIK_LABELS,
    )
}
"""The front ends, by their names."""


def find_frontend(name: str) -> Frontend:
    """
    Find a front end by its name, in any case.

    Raises:
        ConfigurationError: There is none; it names the nearest.
    """
    found = FRONTENDS.get(name.lower())
    if found is None:
        raise ConfigurationError(
            "frontend",
            name,
            f"one of {', '.join(FRONTENDS)}{nearest(name, FRONTENDS)}",
        )
    return found


def write_files(frontend: str, policy: ProxyPolicy, site: Site) -> dict[str, str]:
    """
    Write the configuration of *frontend* for *policy* and *site*.

    Returns:
        Where each file belongs on a usual system → its text.

    Raises:
        ConfigurationError:
            The front end is unknown, or cannot do what is asked; or policy and site
            contradict each other.
    """
    found = find_frontend(frontend)
    plan = make_plan(policy, site)
    found.check(plan)
    return dict(found.write(plan))


def write_config(frontend: str, policy: ProxyPolicy, site: Site) -> str:
    """
    Write the configuration of *frontend* as one text.

    A front end that needs several files has a comment with the path above each, and
    `write_files` gives them apart.

    Raises:
        ConfigurationError: As `write_files`.
    """
    files = write_files(frontend, policy, site)
    return "\n".join(f"# {path}\n{text}" for path, text in files.items())
