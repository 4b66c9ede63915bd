"""
Fixtures for pytest: requests from behind a proxy, and direct ones.

In:  the policy in force: the fixture `trusted_proxy_policy`, which a project defines
     where its policy is not made of environment variables.
Out: `from_proxy`, `direct` and `assert_decision`, as in `trustedproxy.testing`.

pytest loads this module by itself where trustedproxy is installed.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..decision import Decision
    from ..policy import ProxyPolicy
    from .proxied import ProxiedRequest


@pytest.fixture
def trusted_proxy_policy() -> ProxyPolicy:
    """
    Give the policy in force, made of the environment variables.

    A Django project defines it in its ``conftest.py`` by
    ``django_trustedproxy.conf.get_settings().policy``, a Flask one by
    ``app.extensions["trustedproxy"].settings.policy``.
    """
    # pytest loads this module in every project where the package is installed.
    from ..policy import ProxyPolicy

    return ProxyPolicy.from_env()


@pytest.fixture
def from_proxy(trusted_proxy_policy: ProxyPolicy) -> Callable[..., ProxiedRequest]:
    """Describe a request that came through the proxies of the policy in force."""
    from . import from_proxy

    return partial(from_proxy, trusted_proxy_policy)


@pytest.fixture
def assert_decision(trusted_proxy_policy: ProxyPolicy) -> Callable[..., Decision]:
    """Assert what the policy in force decided, and explain what it did instead."""
    from . import assert_decision

    return partial(assert_decision, policy=trusted_proxy_policy)


@pytest.fixture
def direct() -> Callable[..., ProxiedRequest]:
    """Describe a direct request."""
    from . import direct

    return direct
