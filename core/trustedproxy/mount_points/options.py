"""
The setting of the proxy mount points.

In:  nothing.
Out: `OPTIONS`, its row in the table of settings; what a value must be is checked by
     `points`.
"""

from __future__ import annotations

from ..options import Option, parse_pairs

OPTIONS: tuple[Option, ...] = (
    Option(
        "TRUSTED_PROXY_MOUNT_POINTS",
        {},
        "URL path → URL of the backend that is proxied there",
        parse=parse_pairs,
    ),
)
