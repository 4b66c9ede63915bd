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
from .tools import (
    check_answer,
    check_conversion,
    check_document,
    check_format,
    check_log,
    check_raw_request,
)
from .values import check_forwarded, check_host, check_x_forwarded_for

TARGETS: Final[dict[str, Callable[[bytes], None]]] = {
    "access_logs": check_log,
    "answers": check_answer,
    "apache": check_apache_directives,
    "conversions": check_conversion,
    "cookies": check_cookie,
    "format_strings": check_format,
    "forwarded": check_forwarded,
    "hosts": check_host,
    "hsts": check_hsts,
    "list_files": check_list_file,
    "network_lists": check_document,
    "paths": check_path,
    "raw_requests": check_raw_request,
    "request_heads": check_request_head,
    "requests": check_request,
    "response_heads": check_response_head,
    "settings": check_settings,
    "urls": check_url,
    "x_forwarded_for": check_x_forwarded_for,
}
