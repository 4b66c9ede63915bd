"""
What is fuzzed: name → a function of bytes that raises `AssertionError`, or anything.

A target does not ask whether something crashes, but whether what must hold does: that
two readers agree, that what was parsed is printed and parsed alike, that nothing a
client sends in front changes what our proxies wrote behind.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from .configuration import (
    check_apache_directives,
    check_hsts,
    check_list_file,
    check_settings,
)
from .mount_points import (
    check_cookie,
    check_path,
    check_request_head,
    check_response_head,
    check_url,
)
from .requests import check_request
from .values import check_forwarded, check_host, check_x_forwarded_for

TARGETS: Final[dict[str, Callable[[bytes], None]]] = {
    "apache": check_apache_directives,
    "cookies": check_cookie,
    "forwarded": check_forwarded,
    "hosts": check_host,
    "hsts": check_hsts,
    "list_files": check_list_file,
    "paths": check_path,
    "request_heads": check_request_head,
    "requests": check_request,
    "response_heads": check_response_head,
    "settings": check_settings,
    "urls": check_url,
    "x_forwarded_for": check_x_forwarded_for,
}
