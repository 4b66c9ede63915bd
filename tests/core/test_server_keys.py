"""
What servers and other middlewares say in an environ, besides forwarding headers.

In:  keys that came.
Out: what there is to look at.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from trustedproxy import Connection, ProxyPolicy
from trustedproxy.server_keys import OWN_KEYS, ServerKeys, find_server_keys

FIELDS = [each.name for each in dataclasses.fields(Connection)][: len(OWN_KEYS)]
NOTHING: dict[str, Any] = {
    "are_usual": True,
    "lack_own": False,
    "of_the_peer": (),
    "repeat_scheme": False,
    "have_decision": False,
    "have_proxy_fix": False,
}


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"trustedproxy.decision"}, {"have_decision": True}),
        ({"trustedproxy.report"}, {"have_decision": True}),
        ({"uwsgi.version"}, {"are_usual": False}),
        ({"gunicorn.socket"}, {"are_usual": False}),
        ({"werkzeug.socket"}, {"are_usual": False}),
        ({"REMOTE_PORT"}, {"of_the_peer": ("REMOTE_PORT",)}),
        (
            {"REMOTE_PORT", "REMOTE_HOST"},
            {"of_the_peer": ("REMOTE_HOST", "REMOTE_PORT")},
        ),
        ({"HTTPS"}, {"repeat_scheme": True}),
        ({"REQUEST_SCHEME"}, {"repeat_scheme": True}),
        ({"werkzeug.proxy_fix.orig"}, {"have_proxy_fix": True}),
    ],
)
def test_server_keys_are_found(keys: set[str], said: dict[str, Any]) -> None:
    """Each says one thing; headers and the server's other keys say nothing."""
    came = frozenset({*OWN_KEYS, *keys, "HTTP_X_FORWARDED_FOR", "wsgi.input"})

    assert find_server_keys(came) == ServerKeys(**{**NOTHING, **said})


@pytest.mark.parametrize("more", [(), ("HTTP_X_FORWARDED_FOR", "wsgi.input")])
def test_usual_environ_has_none(more: tuple[str, ...]) -> None:
    """What every server says of its connection, and headers."""
    assert find_server_keys(frozenset((*OWN_KEYS, *more))) == ServerKeys(**NOTHING)


@pytest.mark.parametrize("key", OWN_KEYS)
def test_environ_that_lacks_a_usual_key(key: str) -> None:
    """It is read, too, with what `Connection` has for it."""
    came: frozenset[str] = frozenset(OWN_KEYS) - {key}
    environ: dict[str, Any] = dict.fromkeys(came, "x")
    said: dict[str, str] = dict(zip(OWN_KEYS, FIELDS, strict=True))
    read = {field: "x" for own, field in said.items() if own != key}
    missing: dict[str, str] = {
        "wsgi.url_scheme": "http",
        "SCRIPT_NAME": "",
        "PATH_INFO": "",
    }

    found = find_server_keys(came)

    assert found == ServerKeys(**{**NOTHING, "are_usual": False, "lack_own": True})
    connection = dataclasses.asdict(ProxyPolicy().read_connection(environ))
    is_unix = False if key == "REMOTE_ADDR" else None
    assert connection == {
        **read,
        said[key]: missing.get(key),
        "peer_is_unix": is_unix,
    }
