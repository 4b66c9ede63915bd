"""
The attacks on redirects, HSTS and exemptions, through Django's own handlers.

In:  the table that all surfaces share.
Out: what is wanted, from the middlewares and from the wrappers.
"""

from __future__ import annotations

import asyncio
from io import BytesIO
from typing import Any

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import re_path

from django_trustedproxy.entrypoints import wrap_asgi, wrap_wsgi

from .. import attacks_https
from ..attacks_https import ALLOWED_HOSTS, WSGI_ROWS, Got, Row, make_settings, read_got
from .handlers import call_asgi, call_wsgi
from .settings import HTTPS_ONLY, SECURITY, TRUSTED_PROXY


def override(row: Row, *middleware: str) -> Any:
    """Make the settings of a *row*, with a page for every path."""

    def answer(request: HttpRequest) -> HttpResponse:
        policy = row.own_hsts
        headers = {} if policy is None else {"Strict-Transport-Security": policy}
        return HttpResponse("the application", headers=headers)

    return override_settings(
        ALLOWED_HOSTS=list(ALLOWED_HOSTS),
        MIDDLEWARE=middleware,
        ROOT_URLCONF=(re_path("", answer),),
        **make_settings(row),
    )


def ask_wsgi(application: Any, row: Row) -> Got:
    """Ask a WSGI *application*."""
    environ = attacks_https.make_environ(row) | {"wsgi.input": BytesIO()}
    answer = call_wsgi(application, environ)
    return read_got(answer.status, answer.headers)


def ask_asgi(application: Any, row: Row) -> Got:
    """Ask an ASGI *application*."""
    scope = attacks_https.make_scope(row)
    answer = asyncio.run(call_asgi(application, scope))
    return read_got(answer.status, answer.headers)


each_row = pytest.mark.parametrize("row", WSGI_ROWS, ids=str)


@each_row
@pytest.mark.parametrize("security", [True, False])
def test_row_through_the_wsgi_handler(row: Row, security: bool) -> None:
    """Under WSGI the middlewares answer as wanted, beside Django's own or alone."""
    others = [SECURITY] if security else []
    with override(row, TRUSTED_PROXY, HTTPS_ONLY, *others):
        assert ask_wsgi(WSGIHandler(), row) == row.wanted


@each_row
def test_row_through_the_asgi_handler(row: Row) -> None:
    """Under ASGI the middlewares answer as wanted."""
    with override(row, TRUSTED_PROXY, HTTPS_ONLY):
        assert ask_asgi(ASGIHandler(), row) == row.wanted


@each_row
def test_row_through_the_wsgi_wrapper(row: Row) -> None:
    """The wrapper around the WSGI application answers as wanted."""
    with override(row):
        assert ask_wsgi(wrap_wsgi(WSGIHandler()), row) == row.wanted


@each_row
def test_row_through_the_asgi_wrapper(row: Row) -> None:
    """The wrapper around the ASGI application answers as wanted."""
    with override(row):
        assert ask_asgi(wrap_asgi(ASGIHandler()), row) == row.wanted
