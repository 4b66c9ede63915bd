"""
The policy, with Granian's own wrapper for proxy headers around it.
"""

from __future__ import annotations

import importlib
from typing import Any

from showing import behind_policy

proxies: Any = importlib.import_module("granian.utils.proxies")
application = proxies.wrap_asgi_with_proxy_headers(behind_policy)
