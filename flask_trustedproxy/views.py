"""
The page, as a blueprint: ``app.register_blueprint(page, url_prefix="/trustedproxy")``.

In:  an application with the extension, its secret key, requests.
Out: the page in debug mode, and for holders of a token; else the form in which a token
     is entered.  Holders of a token get it before anything else in the application.

What the page shows, and how tokens work, is in `trustedproxy.report`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, current_app, request

from trustedproxy.report import recent

from .framework import read_framework
from .state import EXTENSION

if TYPE_CHECKING:
    from flask import Flask

    from trustedproxy.report import Page, TokenKind

page: Blueprint = Blueprint("trustedproxy", __name__)

# What the page shows of the log begins when somebody wants a page.
recent.keep()


@page.route("/", methods=["GET", "POST"])
def show() -> Response:
    """Show the page."""
    from trustedproxy.report.visits import read_length, read_visit_of_environ

    shown = make_page(current_app)
    # Flask reads the form, since somebody may have asked it for that before.
    fits = read_length(request.environ.get("CONTENT_LENGTH"))
    fields = request.form.to_dict() if fits else {}
    visit = read_visit_of_environ(shown.settings.policy, request.environ, fields)
    answer = shown.answer(visit, admitted="debug" if current_app.debug else None)
    return Response(
        answer.body_for(request.method), answer.status, list(answer.headers)
    )


def find_ends(app: Flask) -> tuple[str, ...]:
    """List what the path of a request for the page ends with: for ``str.endswith``."""
    names = [name for name, blueprint in app.blueprints.items() if blueprint is page]
    rules = [
        rule.rule
        for name in names
        for rule in app.url_map.iter_rules(f"{name}.{show.__name__}")
    ]
    # Every path ends like the site's root, and a rule with a variable has no end.
    return tuple(rule for rule in rules if rule != "/" and "<" not in rule)


def make_page(app: Flask) -> Page:
    """Make the page of *app*, which has the extension."""
    # As below, and above: the page is loaded for those who ask for it.
    from trustedproxy.report import FileUses, Page

    settings = app.extensions[EXTENSION].settings
    file = settings.token_file
    return Page.of_project(
        settings,
        secret=app.secret_key,
        uses=None if file is None else FileUses(file),
        framework=read_framework(app),
    )


def make_token(app: Flask, kind: TokenKind) -> str:
    """
    Make a token for whoever may see the page of *app*.

    Raises:
        ConfigurationError:
            Its secret key is missing or too short, or there is no file for used tokens.
    """
    from trustedproxy.report.page import make_project_token, open_file

    uses = open_file(app.extensions[EXTENSION].settings)
    return make_project_token(
        kind, option="SECRET_KEY", secret=app.secret_key, uses=uses
    )
