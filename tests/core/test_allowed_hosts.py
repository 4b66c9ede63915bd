"""
The hosts that are the site's own.

In:  a list as it is typed; hosts of requests.
Out: which of them are on it, the same for redirects and for proxy mount points.
"""

from __future__ import annotations

from typing import Any

import pytest

from trustedproxy import ConfigurationError
from trustedproxy.allowed_hosts import compile_allowed_hosts, split_allowed_host
from trustedproxy.https_only import HTTPSOnly
from trustedproxy.https_only.facts import RequestFacts
from trustedproxy.mount_points.heads import BackendRequest
from trustedproxy.responses import Answer

from .mount_points.planning import make_client, plan


@pytest.mark.parametrize(
    ("typed", "compiled"),
    [
        (None, None),
        ((), ()),
        ("", ()),
        (["WWW.Example.com.", ".example.ORG"], ("www.example.com", ".example.org")),
        ("*, [2001:DB8::1] a:80", ("*", "[2001:db8::1]", "a")),
        (iter(["A"]), ("a",)),
    ],
)
def test_list_is_compiled(typed: Any, compiled: Any) -> None:
    """Case, ports and final dots change nothing; a text is a list."""
    assert compile_allowed_hosts(typed) == compiled


@pytest.mark.parametrize("entry", ["a/b", "", ".", "https://a", 7, None, "a b", "*.a"])
def test_entry_that_is_no_host(entry: Any) -> None:
    """An entry that can match nothing stops the application, and is counted."""
    with pytest.raises(ConfigurationError, match="a host such as") as caught:
        compile_allowed_hosts(["a", entry])

    assert caught.value.option == "allowed_hosts[1]"
    assert caught.value.value == entry


@pytest.mark.parametrize("typed", [7, b"a.example", {"a.example": 1}])
def test_list_that_is_none(typed: Any) -> None:
    """What is no list of strings is an error that says so."""
    with pytest.raises(ConfigurationError, match="a list of strings") as caught:
        compile_allowed_hosts(typed)

    assert caught.value.option == "allowed_hosts"


ROWS = [
    (None, "anything.example", True),
    (["www.example.com"], "www.example.com", True),
    (["www.example.com"], "WWW.EXAMPLE.COM.", True),
    (["WWW.EXAMPLE.COM."], "www.example.com:8080", True),
    (["www.example.com:8000"], "www.example.com:9000", True),
    (["www.example.com"], "example.com", False),
    (["www.example.com"], "evilwww.example.com", False),
    (["www.example.com"], "www.example.com.evil.example", False),
    ([".example.com"], "example.com", True),
    ([".example.com"], "a.b.example.com", True),
    ([".example.com"], "evilexample.com", False),
    (["a.example", "[2001:db8::1]"], "[2001:DB8::1]:80", True),
    (["a.example", "203.0.113.1"], "203.0.113.2", False),
    (["*"], "anything.example", True),
    ("a.example, .b.example", "c.b.example", True),
    ([], "www.example.com", False),
]


@pytest.mark.parametrize(("typed", "host", "allowed"), ROWS)
def test_host_is_allowed(typed: Any, host: str, allowed: bool) -> None:
    """Names are compared by labels, without case, final dot and port."""
    split = split_allowed_host(host, compile_allowed_hosts(typed))

    assert (split is not None) is allowed


def test_allowed_host_is_split_as_it_came() -> None:
    """The name is given back in the spelling of the request, beside its port."""
    hosts = compile_allowed_hosts(["a.example"])

    assert split_allowed_host("A.Example.:8080", hosts) == ("A.Example.", "8080")
    assert split_allowed_host("a.example", hosts) == ("a.example", None)


@pytest.mark.parametrize("typed", [None, "*", "a.example"])
@pytest.mark.parametrize("host", ["", "a b", "a.example:", "user@a.example"])
def test_malformed_host_is_never_allowed(typed: Any, host: str) -> None:
    """Not even where every host is allowed."""
    assert split_allowed_host(host, compile_allowed_hosts(typed)) is None


@pytest.mark.parametrize(("typed", "host", "allowed"), ROWS)
def test_redirects_and_mount_points_agree(typed: Any, host: str, allowed: bool) -> None:
    """One list says the same to both: go on, or 400."""
    redirect = HTTPSOnly(allowed_hosts=typed).answer(RequestFacts("http", host=host))
    proxied = plan(
        "/blog/x",
        client=make_client(host=host),
        allowed_hosts=compile_allowed_hosts(typed),
    )

    assert redirect is not None
    assert redirect.status == (301 if allowed else 400)
    if allowed:
        assert isinstance(proxied, BackendRequest)
    else:
        assert isinstance(proxied, Answer)
        assert proxied.status == 400
