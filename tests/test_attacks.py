"""
Every known attack by its id, through every surface.

In:  `ATTACKS`.
Out: one test an id, row and surface; and tests that no id is missing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from .attacks import ATTACKS, EVERYWHERE
from .cases import Case, variants
from .surfaces import (
    SURFACES,
    Ask,
    call_asgi,
    call_wsgi,
    make_environ,
    make_scope,
    present,
    settings_of,
)
from .test_conformance import check

#: The ids of the collection of mechanisms.
IDS: Final = [f"S-{number:02}" for number in range(1, 67)]

TRIED: Final = [
    (surface, name, row)
    for surface in present()
    if surface in EVERYWHERE
    for name, attack in ATTACKS.items()
    for row in attack.rows
    if SURFACES[surface].admits(row)
]


@pytest.mark.usefixtures("no_resolver")
@pytest.mark.parametrize(
    ("surface", "name", "case"),
    TRIED,
    ids=[f"{name} {surface}: {row.name}" for surface, name, row in TRIED],
    indirect=["surface"],
)
def test_attack_fails(name: str, case: Case, ask: Ask, surface: str) -> None:
    """The request is decided as the row wants it, in every variant of the row."""
    assert name in ATTACKS

    for variant in variants(case):
        check(variant, ask(variant), surface)


@pytest.mark.parametrize("surface", present(), indirect=True)
def test_host_that_is_not_served_gets_400(surface: str) -> None:
    """S-38: the framework's own list of hosts judges the forwarded host."""
    asked = {
        "django-wsgi": _ask_django,
        "django-asgi": _ask_django,
        "flask": _ask_flask,
    }.get(surface)
    if asked is None:
        # The core has no list of hosts; its own 400 is S-37's.
        assert surface not in ATTACKS["S-38"].only
        return

    statuses = [
        asked(surface, host)
        for host in ("app.example", "evil.example", "app.example.evil.example")
    ]

    assert statuses == [200, 400, 400]


def _case(host: str) -> Case:
    policy: dict[str, Any] = {
        "headers": ["X-Forwarded-Host"],
        "proxies": ["10.0.0.0/8"],
    }
    return Case("asks with a host", policy, (("X-Forwarded-Host", host),))


def _ask_django(surface: str, host: str) -> int:
    from django.core.handlers.asgi import ASGIHandler
    from django.core.handlers.wsgi import WSGIHandler
    from django.test import override_settings

    from .django_urls import ASYNC, SYNC

    case = _case(host)
    is_async = surface == "django-asgi"
    with override_settings(
        ALLOWED_HOSTS=["app.example"],
        MIDDLEWARE=[
            "django_trustedproxy.middleware.TrustedProxyMiddleware",
            "django.middleware.common.CommonMiddleware",
        ],
        ROOT_URLCONF=ASYNC if is_async else SYNC,
        **settings_of(case.policy),
    ):
        if is_async:
            return call_asgi(ASGIHandler(), make_scope(case))[0]
        return call_wsgi(WSGIHandler(), make_environ(case))[0]


def _ask_flask(surface: str, host: str) -> int:
    import flask

    from flask_trustedproxy import TrustedProxy

    case = _case(host)
    app = flask.Flask("application", static_folder=None)
    app.config.update(settings_of(case.policy), TRUSTED_HOSTS=["app.example"])

    def page() -> str:
        # Before Flask 3.1 nothing but the request's own accessor looks at the list.
        flask.request.trusted_hosts = app.config["TRUSTED_HOSTS"]
        return flask.request.host

    app.add_url_rule("/page", view_func=page)
    TrustedProxy(app)
    return call_wsgi(app, make_environ(case))[0]


# -- the tests of the tests ------------------------------------------------------------


def test_registry_has_every_id() -> None:
    """Each id of the collection is there, in order, and no other."""
    assert list(ATTACKS) == IDS


@pytest.mark.parametrize("surface", sorted(EVERYWHERE))
def test_every_id_is_tried_on(surface: str) -> None:
    """An id is tried on the surface, or says in words why not."""
    missing = [
        name
        for name, attack in ATTACKS.items()
        if not any(SURFACES[surface].admits(row) for row in attack.rows)
        and not (attack.elsewhere and attack.why)
        and not (surface not in attack.only and attack.why)
    ]

    assert missing == []


def test_every_row_can_be_tried_where_its_id_says() -> None:
    """What an attack says of its surfaces is what its rows admit."""
    for name, attack in ATTACKS.items():
        for row in attack.rows:
            admitted = {s for s in EVERYWHERE if SURFACES[s].admits(row)}
            assert admitted == attack.only, (name, row.name)


def test_every_id_that_is_tried_elsewhere_is_there() -> None:
    """The module that an id names mentions the id."""
    here = Path(__file__).parent
    silent = [
        name
        for name, attack in ATTACKS.items()
        if attack.elsewhere
        and name not in (here / f"{attack.elsewhere}.py").read_text("utf-8")
    ]

    assert silent == []
