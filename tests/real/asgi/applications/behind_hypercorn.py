"""
The policy, with Hypercorn's own middleware for proxy headers around it.
"""

from __future__ import annotations

import importlib
from typing import Any

from showing import behind_policy

middleware: Any = importlib.import_module("hypercorn.middleware")
legacy = middleware.ProxyFixMiddleware(behind_policy, mode="legacy")
modern = middleware.ProxyFixMiddleware(behind_policy, mode="modern")
