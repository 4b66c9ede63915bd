"""
Load a project for the command: settings, what Django does besides, checks, tokens.

In:  the settings module that ``DJANGO_SETTINGS_MODULE`` names.
Out: `Loaded`, as ``trustedproxy`` and ``manage.py trustedproxy`` want it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import django
from django.apps import apps
from django.conf import settings
from django.core.checks import ERROR, INFO

from trustedproxy.checks import Level, Remark
from trustedproxy.cli.sources import Loaded, PageToken

from .checks import check_deployment, check_settings
from .conf import get_settings
from .framework import read_framework
from .neighbour_checks import check_neighbours, check_neighbours_deployed

if TYPE_CHECKING:
    from django.core.checks import CheckMessage


def load() -> Loaded:
    """
    Set Django up, where it is not, and load the project.

    Raises:
        ConfigurationError: A setting is invalid.
    """
    if not apps.ready:
        django.setup()
    module = getattr(settings, "SETTINGS_MODULE", None)
    return Loaded(
        get_settings(),
        f"the Django settings {module}" if module else "Django's settings",
        read_framework(),
        find_remarks,
        make_page_token,
    )


def load_app(application: object) -> Loaded:
    """Load the project that made *application*, which has set Django up."""
    return load()


def find_remarks(deploy: bool) -> list[Remark]:
    """Find everything that Django's checks find, by their ids."""
    messages = check_settings(None) + check_neighbours(None)
    if deploy:
        messages += check_deployment(None) + check_neighbours_deployed(None)
    return [_describe(message) for message in messages if not message.is_silenced()]


def _describe(message: CheckMessage) -> Remark:
    level = Level.WARNING
    if message.level >= ERROR:
        level = Level.ERROR
    elif message.level <= INFO:
        level = Level.HINT
    return Remark(str(message.id), level, message.msg, str(message.hint))


def make_page_token(probe: bool) -> PageToken:
    """
    Make a token that opens the page of this project, and say where to enter it.

    Raises:
        ConfigurationError: There is nothing to sign it with, or no place for used ones.
    """
    # They are loaded for those who ask for them.
    from trustedproxy.report.tokens import TokenKind

    from .early import find_page_path
    from .page import make_token

    token = make_token(TokenKind.PROBE if probe else TokenKind.PAGE)
    path = find_page_path()
    return PageToken(token, () if path is None else (path,), _NO_PAGE)


_NO_PAGE = (
    "There is no page to open with it: add path('trustedproxy/', "
    "include('django_trustedproxy.urls')) to urlpatterns of ROOT_URLCONF."
)
