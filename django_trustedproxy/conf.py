"""
Read the project's settings from Django's.

In:  ``django.conf.settings``: the names that begin like this project's own, so that a
     typing error is one.
Out: `trustedproxy.Settings`, made once and made again when a test overrides a setting.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

import trustedproxy
from trustedproxy.log import warn_once
from trustedproxy.option_table import is_ours

if TYPE_CHECKING:
    from trustedproxy import Settings

#: What stands in ``MIDDLEWARE`` for HTTPS only.
HTTPS_ONLY = "django_trustedproxy.middleware.HTTPSOnlyMiddleware"


class ConfigurationError(trustedproxy.ConfigurationError, ImproperlyConfigured):
    """
    A setting has a value that it cannot have.

    It is a `trustedproxy.ConfigurationError`, with its attributes, and Django's
    `ImproperlyConfigured` at once.
    """


@cache
def get_settings() -> Settings:
    """
    Return the settings, validated and compiled.

    Raises:
        ConfigurationError: naming the setting, its value and the nearest valid one.
    """
    names = [name for name in dir(settings) if is_ours(name)]
    try:
        return trustedproxy.read_settings(
            {name: getattr(settings, name) for name in names}
        )
    except trustedproxy.ConfigurationError as error:
        raise ConfigurationError(*error.args) from error


def list_ancestors(path: str) -> frozenset[str]:
    """List the paths of a class and its bases, so that a subclass counts as one."""
    try:
        found = import_string(path)
    except ImportError:
        # Django will say it, with more words, when the server starts.
        return frozenset({path})
    bases = getattr(found, "__mro__", ())
    return frozenset({path, *(f"{b.__module__}.{b.__qualname__}" for b in bases)})


def has_middleware(path: str) -> bool:
    """Say whether the class *path*, or one that is made of it, is in ``MIDDLEWARE``."""
    return any(
        path in ancestors for ancestors in _list_middleware(*settings.MIDDLEWARE)
    )


@cache
def _list_middleware(*paths: str) -> tuple[frozenset[str], ...]:
    return tuple(map(list_ancestors, paths))


def warn_at_start() -> None:
    """Say once in the log that Django reads the scheme by itself, too (rule R16)."""
    if settings.SECURE_PROXY_SSL_HEADER:
        warn_once(
            "SECURE_PROXY_SSL_HEADER",
            "SECURE_PROXY_SSL_HEADER lets Django read the scheme from a header by "
            "itself, whoever sent it: remove it, and list the header in "
            "TRUSTED_PROXY_HEADERS.",
        )


def _forget_settings(*, setting: str, **_kwargs: Any) -> None:
    if is_ours(setting):
        get_settings.cache_clear()


# `override_settings` and its relatives send this, once at the beginning and once at
# the end.  Connected here and not by the app, for those who only use the wrappers.
setting_changed.connect(_forget_settings, dispatch_uid="django_trustedproxy.conf")
