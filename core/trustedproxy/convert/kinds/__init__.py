"""
What can be converted: one module a tool, and the table of them.

In:  the options that were found in a source.
Out: `KINDS`: name → `Kind`.

Adding a tool adds a module, a row here, a page in docs/coming_from, and a test that
holds the conversion against the tool itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import (
    django_ipware,
    django_settings,
    django_xff,
    flask_talisman,
    gunicorn,
    hypercorn,
    mod_remoteip,
    mod_wsgi,
    nginx_realip,
    proxy_fix,
    uvicorn,
    waitress,
)
from .kind import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["KINDS", "Kind"]

KINDS: Mapping[str, Kind] = {
    module.KIND.name: module.KIND
    for module in (
        proxy_fix,
        flask_talisman,
        django_settings,
        django_ipware,
        django_xff,
        gunicorn,
        uvicorn,
        hypercorn,
        waitress,
        mod_wsgi,
        nginx_realip,
        mod_remoteip,
    )
}
