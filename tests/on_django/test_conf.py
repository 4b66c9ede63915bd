"""
Django's settings, read, remembered, and read again.

In:  settings, overridden by tests.
Out: the same settings, validated.
"""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

import trustedproxy
from django_trustedproxy.conf import ConfigurationError, get_settings


def test_settings_are_read_once() -> None:
    """Reading twice gives the same object."""
    assert get_settings() is get_settings()


def test_settings_are_read_again_when_overridden() -> None:
    """An override counts while it lasts."""
    before = get_settings()
    with override_settings(TRUSTED_PROXY_HOPS=2, TRUSTED_PROXIES=None):
        during = get_settings().policy.hops

    assert during == 2
    assert get_settings().policy.hops == before.policy.hops


def test_settings_are_kept_when_others_are_overridden() -> None:
    """What is none of ours does not cost a reading."""
    before = get_settings()
    with override_settings(DEBUG=True):
        assert get_settings() is before


def test_configuration_error_keeps_its_parts() -> None:
    """The error is Django's and ours, and its parts can be asked."""
    with (
        override_settings(TRUSTED_PROXY_STRIP="some"),
        pytest.raises(ConfigurationError) as caught,
    ):
        get_settings()

    assert isinstance(caught.value, ImproperlyConfigured)
    assert isinstance(caught.value, trustedproxy.ConfigurationError)
    assert caught.value.option == "TRUSTED_PROXY_STRIP"
    assert caught.value.value == "some"


def test_error_is_raised_every_time() -> None:
    """An error is not remembered as a success."""
    with override_settings(TRUSTED_PROXY_STRIP="some"):
        for _ in range(2):
            with pytest.raises(ConfigurationError):
                get_settings()


def test_importing_the_package_touches_no_settings() -> None:
    """The package, and ``get_decision``, can be imported before Django is set up."""
    script = (
        "from django_trustedproxy import get_decision\n"
        "from django.conf import settings\n"
        "assert not settings.configured\n"
    )
    done = subprocess.run([sys.executable, "-c", script], check=False)

    assert done.returncode == 0


def test_app_is_ready_with_a_bad_configuration() -> None:
    """Setting Django up never fails because of these settings; the checks say it."""
    script = (
        "import django\n"
        "from django.conf import settings\n"
        "settings.configure(INSTALLED_APPS=['django_trustedproxy'],\n"
        "                   TRUSTED_PROXIES=['10.0.0.0/33'])\n"
        "django.setup()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], check=False)

    assert done.returncode == 0
