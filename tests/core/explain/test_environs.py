"""
The environ of a request that is explained.

In:  requests that were described, and one that a server had.
Out: environs that PEP 3333 allows.
"""

from __future__ import annotations

from typing import Any
from wsgiref.validate import validator

import pytest

from trustedproxy import Connection
from trustedproxy.explain import Request
from trustedproxy.explain.environs import make_environ
from trustedproxy.explain.requests import describe_request

from ..making import make_environ as make_servers_environ


@pytest.mark.filterwarnings("ignore::wsgiref.validate.WSGIWarning")
def test_environ_is_one_that_servers_make() -> None:
    """An application gets what it may count on."""
    request = describe_request(
        url="https://app.example/caf%C3%A9?q=1", headers=["X-Real-IP: 1.1.1.1"]
    )
    environ = make_environ(request)

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [environ["PATH_INFO"].encode("latin-1")]

    answer: Any = validator(app)(environ, lambda *_: lambda _: None)
    body = b"".join(answer)
    answer.close()

    assert body.decode() == "/café"
    assert environ["QUERY_STRING"] == "q=1"
    assert environ["HTTP_X_REAL_IP"] == "1.1.1.1"


def test_environ_has_no_header_with_underscores() -> None:
    """A server would have joined it with the one that it reads like, or dropped it."""
    request = Request(
        connection=Connection(None), headers={"X_Real_IP": "1", "X-Real-IP": "2"}
    )

    environ = make_environ(request)

    assert environ["HTTP_X_REAL_IP"] == "2"
    assert "REMOTE_ADDR" not in environ


def test_environ_that_there_is_is_copied() -> None:
    """Nothing is made where a server has made it."""
    environ = make_servers_environ({"X-Real-IP": "1.1.1.1"})
    request = Request(connection=Connection(), headers={}, environ=environ)

    made = make_environ(request)

    assert made == environ
    assert made is not environ
