"""
The setting of the page's tokens.

In:  its value.
Out: a path, or an error that names it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from trustedproxy import ConfigurationError, read_settings
from trustedproxy.explain import describe_settings
from trustedproxy.settings import read_environment

NAME = "TRUSTED_PROXY_TOKEN_FILE"


@pytest.mark.parametrize("value", ["/run/tokens", Path("/run/tokens")])
def test_file_is_an_absolute_path(value: object) -> None:
    """As text or as a path."""
    settings = read_settings({NAME: value})

    assert settings.token_file == "/run/tokens"
    assert "/run/tokens" in describe_settings(settings)


def test_file_may_come_from_the_environment() -> None:
    """An empty one is none."""
    assert read_settings(read_environment({NAME: " /run/tokens"})).token_file == (
        "/run/tokens"
    )
    assert read_settings(read_environment({NAME: ""})).token_file is None
    assert read_settings({}).token_file is None


@pytest.mark.parametrize("value", ["tokens", 3, b"/run/tokens", ""])
def test_refuses_what_is_no_absolute_path(value: object) -> None:
    """Where a relative one leads depends on who starts the server."""
    with pytest.raises(ConfigurationError, match=NAME):
        read_settings({NAME: value})
