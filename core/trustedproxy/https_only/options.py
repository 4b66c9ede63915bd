"""
The settings of HTTPS only and of HSTS.

In:  nothing.
Out: `OPTIONS`, their rows in the table of settings; what a value must be is checked by
     `rules` and `hsts`.
"""

from __future__ import annotations

from ..options import Option, parse_flag, parse_number, parse_word

OPTIONS: tuple[Option, ...] = (
    Option(
        "TRUSTED_PROXY_HTTPS_ONLY",
        False,
        "whether plain HTTP is redirected",
        parse=parse_flag,
    ),
    Option(
        "TRUSTED_PROXY_HTTPS_HOST",
        None,
        "host, host:port or :port of the redirect; the request's host by default",
        parse=parse_word,
    ),
    Option(
        "TRUSTED_PROXY_HTTPS_STATUS",
        301,
        "status of the redirect for GET and HEAD: 301, 302, 307 or 308",
        parse=parse_number,
    ),
    Option(
        "TRUSTED_PROXY_HTTPS_EXEMPT",
        (),
        "path patterns and networks of direct peers that stay reachable over HTTP",
    ),
    Option(
        "TRUSTED_PROXY_HSTS_POLICY",
        None,
        "the value of Strict-Transport-Security",
        parse=parse_word,
    ),
)
