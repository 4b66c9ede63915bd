"""
Load an application for the command: its settings, what Flask does besides, tokens.

In:  a Flask application with the extension, alone or in middlewares.
Out: `Loaded`, as ``trustedproxy`` and ``flask trustedproxy`` want it.
"""

from __future__ import annotations

from functools import partial

from flask import Flask

from trustedproxy.cli.sources import Loaded, PageToken
from trustedproxy.stack import walk

from .framework import read_framework
from .state import EXTENSION


def load(app: Flask) -> Loaded:
    """Load what is in force for *app*."""
    return Loaded(
        app.extensions[EXTENSION].settings,
        f"the Flask application {app.name}",
        read_framework(app),
        make_token=partial(make_page_token, app),
    )


def load_app(application: object) -> Loaded:
    """Load the Flask application with the extension in a stack of middlewares."""
    apps = (way[-1] for way in walk(application))
    app = next(a for a in apps if isinstance(a, Flask) and EXTENSION in a.extensions)
    return load(app)


def make_page_token(app: Flask, probe: bool) -> PageToken:
    """
    Make a token that opens the page of *app*, and say where to enter it.

    Raises:
        ConfigurationError: The application has no secret key, or no file for tokens.
    """
    # They are loaded for those who ask for them.
    from trustedproxy.report.tokens import TokenKind

    from .views import find_ends, make_token

    token = make_token(app, TokenKind.PROBE if probe else TokenKind.PAGE)
    return PageToken(token, find_ends(app), _NO_PAGE)


_NO_PAGE = (
    "There is no page to open with it: app.register_blueprint(page, "
    'url_prefix="/trustedproxy"), with page from flask_trustedproxy.views.'
)
