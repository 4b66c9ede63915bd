"""
Let errors name what was typed, and not the argument that it has become.

In:  argument → option of the command line.
Out: the same error, in the words of the command line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from ..exceptions import ConfigurationError

# An argument as errors advise it: "give tls=".
_ARGUMENT = re.compile(r"\b([a-z_]++)=")


@contextmanager
def name_options(options: Mapping[str, str]) -> Iterator[None]:
    """
    Name *options* in the errors of a block.

    Raises:
        ConfigurationError: As the block does.
    """

    def spell(match: re.Match[str]) -> str:
        return options.get(match[1], match[0])

    try:
        yield
    except ConfigurationError as error:
        option = options.get(error.option, error.option)
        expected = _ARGUMENT.sub(spell, error.expected)
        raise ConfigurationError(
            option, error.value, expected, error.keyword
        ) from error
