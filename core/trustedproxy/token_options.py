"""
The setting of the page's tokens (docs/page.md).

In:  the value of ``TRUSTED_PROXY_TOKEN_FILE``.
Out: the row of the table of settings; `read_token_file`.

It stands apart from `report`, which is loaded only where the page is asked for.
"""

from __future__ import annotations

import os

from .exceptions import ConfigurationError
from .options import Option, parse_word

NAME = "TRUSTED_PROXY_TOKEN_FILE"

OPTIONS: tuple[Option, ...] = (
    Option(
        NAME,
        None,
        "the file in which all processes of the server see which tokens were used",
        parse=parse_word,
    ),
)


def read_token_file(value: object) -> str | None:
    """
    Read the path of the file; nothing is opened.

    Raises:
        ConfigurationError: It is no absolute path.
    """
    if value is None:
        return None
    path = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(path, str) or not os.path.isabs(path):
        raise ConfigurationError(
            NAME, value, "the absolute path of a file, such as /run/app/tokens.sqlite3"
        )
    return path
