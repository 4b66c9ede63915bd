"""
What is fuzzed: a function of bytes, by its name, that raises where something is wrong.

A target does not ask whether something crashes, but whether what must hold does: that
two readers agree, that what was parsed is printed and parsed alike, that nothing a
client sends in front changes what our proxies wrote behind.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Final

#: Name → module and function.  Only what is fuzzed is imported: a fuzzer counts every
#: place of it, which takes seconds for all.
TARGETS: Final = {
    "access_logs": "tools.check_log",
    "answers": "tools.check_answer",
    "apache": "configuration.check_apache_directives",
    "conversions": "tools.check_conversion",
    "cookies": "mount_points.check_cookie",
    "format_strings": "tools.check_format",
    "forwarded": "values.check_forwarded",
    "hosts": "values.check_host",
    "hsts": "configuration.check_hsts",
    "list_files": "configuration.check_list_file",
    "network_lists": "tools.check_document",
    "paths": "mount_points.check_path",
    "raw_requests": "tools.check_raw_request",
    "request_heads": "mount_points.check_request_head",
    "requests": "requests.check_request",
    "response_heads": "mount_points.check_response_head",
    "settings": "configuration.check_settings",
    "urls": "mount_points.check_url",
    "x_forwarded_for": "values.check_x_forwarded_for",
}


def load_target(name: str) -> Callable[[bytes], None]:
    """Import the function of a target."""
    module, _, function = TARGETS[name].partition(".")
    found: Callable[[bytes], None]
    found = getattr(import_module(f"{__name__}.{module}"), function)
    return found
