"""
S-38: a host that the site does not serve, named by a trusted header.

In:  requests through a Flask application.
Out: 200, or the 400 of ``TRUSTED_HOSTS``, which judges the host that the policy found.
"""

from __future__ import annotations

import flask
import pytest
from werkzeug.test import create_environ

from flask_trustedproxy import TrustedProxy
from flask_trustedproxy.framework import read_framework
from flask_trustedproxy.site import FlaskSite

from ..cases.case import HOST, Case, ours, sent
from ..surfaces import call_wsgi, make_environ, settings_of


@pytest.mark.parametrize(
    ("host", "status"),
    [("app.example", 200), ("evil.example", 400), ("app.example.evil.example", 400)],
)
def test_host_that_is_not_served_gets_400(host: str, status: int) -> None:
    """``TRUSTED_HOSTS`` decides about the forwarded host as about any other."""
    case = Case("asks with a host", ours(HOST), sent(HOST, host))
    app = flask.Flask("application", static_folder=None)
    app.config.update(settings_of(case.policy), TRUSTED_HOSTS=["app.example"])

    def page() -> str:
        # Before Flask 3.1 nothing but the request's own accessor looks at the list.
        flask.request.trusted_hosts = app.config["TRUSTED_HOSTS"]
        return flask.request.host

    app.add_url_rule("/page", view_func=page)
    TrustedProxy(app)

    assert call_wsgi(app, make_environ(case))[0] == status


@pytest.mark.parametrize("hosts", [None, [], ["a.example"], "a.example"])
@pytest.mark.parametrize("classed", [None, ["b.example"]])
def test_hosts_that_are_said_to_be_allowed_are(
    hosts: list[str] | str | None, classed: list[str] | None
) -> None:
    """What an empty list means, Werkzeug knows; the configuration comes first."""
    app = flask.Flask("application")
    app.config["TRUSTED_HOSTS"] = hosts

    class Request(flask.Request):
        trusted_hosts = classed

    app.request_class = Request
    site = FlaskSite(app)

    accepted = [
        host
        for host in ("a.example", "b.example", "c.example")
        if site.accepts_host({**create_environ(), "HTTP_HOST": host})
    ]
    every = ("a.example", "b.example", "c.example")
    expected = every if site.allowed_hosts is None else site.allowed_hosts

    assert accepted == list(expected)
    assert read_framework(app).allowed_hosts == site.allowed_hosts
