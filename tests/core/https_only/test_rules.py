"""What is redirected where, what is refused, and who gets the policy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from trustedproxy import ConfigurationError, HSTSPolicy
from trustedproxy.https_only import (
    BAD_HOST,
    BAD_TARGET,
    FORBIDDEN,
    HTTPSOnly,
    RequestFacts,
)

from .making import PLAIN, SECURE, YEAR, locate


def test_secure_request_passes() -> None:
    """A secure request passes, whatever its host and target are."""
    rules = HTTPSOnly(allowed_hosts=["www.example.com"])

    assert rules.answer(replace(SECURE, host="evil.example")) is None
    assert rules.answer(replace(SECURE, scheme="WSS", path=b"*")) is None


@pytest.mark.parametrize("scheme", ["http", "ws", "", "gopher", "https,http", "httpss"])
def test_request_not_secure_redirected(scheme: str) -> None:
    """Whatever is not https or wss is plain."""
    assert HTTPSOnly().answer(replace(PLAIN, scheme=scheme)) is not None


@pytest.mark.parametrize(
    ("host", "request_host", "authority"),
    [
        (None, "www.example.com", "www.example.com"),
        (None, "WWW.example.com.", "WWW.example.com."),
        (None, "www.example.com:8080", "www.example.com"),
        (None, "[2001:db8::1]:8080", "[2001:db8::1]"),
        ("a.example", "www.example.com:8080", "a.example"),
        ("a.example:443", "www.example.com", "a.example"),
        ("a.example:8443", "www.example.com", "a.example:8443"),
        ("[2001:db8::1]:8443", "www.example.com", "[2001:db8::1]:8443"),
        (":8443", "www.example.com:8080", "www.example.com:8443"),
        (":8443", "[2001:db8::1]:80", "[2001:db8::1]:8443"),
        (":443", "www.example.com:8080", "www.example.com"),
        ("a.example", None, "a.example"),
        ("a.example", "", "a.example"),
    ],
)
def test_redirect_host(
    host: str | None, request_host: str | None, authority: str
) -> None:
    """The redirect goes to the configured host and port, else to the request's host."""
    facts = replace(PLAIN, host=request_host)

    assert locate(HTTPSOnly(host=host), facts) == f"https://{authority}/"


@pytest.mark.parametrize("host", [None, ":8443"])
@pytest.mark.parametrize(
    "request_host",
    [
        None,
        "",
        "a b",
        "a/b",
        "a@b",
        "a..b",
        ".a",
        "a:",
        "a:0",
        "a:70000",
        "::1",
        "[::1",
    ],
)
def test_redirect_without_host_refused(
    host: str | None, request_host: str | None
) -> None:
    """A host that is missing or none is refused, and nobody keeps the refusal."""
    answer = HTTPSOnly(host=host).answer(replace(PLAIN, host=request_host))

    assert answer == BAD_HOST
    assert BAD_HOST.status == 400
    assert ("Cache-Control", "no-store") in BAD_HOST.headers


def test_redirect_with_broken_host_refused() -> None:
    """A broken host is refused even where the redirect would not go there."""
    rules = HTTPSOnly(host="a.example")

    assert rules.answer(replace(PLAIN, host="a@b")) == BAD_HOST


def test_redirect_with_host_refused_by_framework() -> None:
    """What the framework refuses is refused, wherever the redirect would go."""
    facts = replace(PLAIN, host=None, host_refused=True)

    assert HTTPSOnly(host="a.example").answer(facts) == BAD_HOST


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PROPFIND", "get", ""])
def test_redirect_status(status: int, method: str) -> None:
    """GET and HEAD get the status that is set; all others keep method and body."""
    answer = HTTPSOnly(status=status).answer(replace(PLAIN, method=method))

    kept = {301: 308, 302: 307, 307: 307, 308: 308}[status]
    assert answer is not None
    assert answer.status == (status if method in ("GET", "HEAD") else kept)
    assert (answer.body_for(method) == b"") == (method == "HEAD")


def test_redirect_without_path_refused() -> None:
    """A target that is no path is refused, and nobody keeps the refusal."""
    assert HTTPSOnly().answer(replace(PLAIN, path=b"*")) == BAD_TARGET
    assert BAD_TARGET.status == 400
    assert ("Cache-Control", "no-store") in BAD_TARGET.headers


def test_exempt_websocket_passes() -> None:
    """An exempt path is open to plain websockets too, every other is closed to them."""
    rules = HTTPSOnly(exempt=["/live"])
    facts = replace(PLAIN, scheme="ws", websocket=True, path=b"/live")

    assert rules.answer(facts) is None
    assert rules.answer(replace(facts, path=b"/x")) == FORBIDDEN


@pytest.mark.parametrize(
    "facts",
    [
        replace(PLAIN, host="evil.example"),
        replace(PLAIN, host="evil.example", host_refused=True),
    ],
    ids=["by the list", "by the framework"],
)
def test_refused_host_logged_once_a_minute(
    facts: RequestFacts, caplog: pytest.LogCaptureFixture
) -> None:
    """A 400 for a host is logged, with the host and where the hosts are listed."""
    rules = HTTPSOnly(allowed_hosts=["www.example.com"])
    for _ in range(2):
        assert rules.answer(facts) == BAD_HOST

    (record,) = caplog.records
    for word in ("'evil.example'", "ALLOWED_HOSTS", "TRUSTED_HOSTS", "allowed_hosts="):
        assert word in record.getMessage()


@pytest.mark.parametrize("by", ["the rules", "the request"])
def test_report_only_logs(by: str, caplog: pytest.LogCaptureFixture) -> None:
    """In report-only mode everything passes, nothing is sent, and the log says what."""
    rules = HTTPSOnly(hsts=YEAR, report_only=by == "the rules")
    plain = replace(PLAIN, report_only=by == "the request")

    assert rules.answer(plain) is None
    assert rules.answer(replace(plain, peer="192.0.2.2", websocket=True)) is None
    assert rules.answer(replace(plain, scheme="https")) is None
    assert rules.hsts_value("a.example") == (None if rules.report_only else YEAR)
    first, second = (record.getMessage() for record in caplog.records)
    assert "would answer 301 to a plain request from peer '192.0.2.1'" in first
    assert "would answer 403 to a plain websocket from peer '192.0.2.2'" in second


@pytest.mark.parametrize(
    ("host", "wanted"),
    [
        ("www.example.com", True),
        ("www.example.com:8443", True),
        ("localhost", True),
        ("1.example", True),
        ("203.0.113.1", False),
        ("203.0.113.1:443", False),
        ("203.0.113.1.", False),
        ("[2001:db8::1]", False),
        ("[2001:db8::1]:443", False),
        # Browsers read these as IPv4 addresses (WHATWG URL, "ends in a number").
        ("127.1", False),
        ("2130706433", False),
        ("0x7f.0x1", False),
        ("example.0X7F", False),
        ("a@b", False),
        ("", False),
        (None, False),
    ],
)
def test_hsts_host(host: str | None, wanted: bool) -> None:
    """The policy goes to names, never to addresses or to no host at all."""
    value = HTTPSOnly(hsts=YEAR).hsts_value(host)

    assert value == (YEAR if wanted else None)


def test_hsts_only_where_it_is_set() -> None:
    """There is none without a policy; one that takes an earlier one back is one."""
    assert HTTPSOnly().hsts_value("a.example") is None
    assert HTTPSOnly(hsts=HSTSPolicy(0)).hsts_value("a.example") == "max-age=0"


@pytest.mark.parametrize(
    ("arguments", "option", "text"),
    [
        ({"host": ""}, "TRUSTED_PROXY_HTTPS_HOST", "a host, host:port or :port"),
        ({"host": ":0"}, "TRUSTED_PROXY_HTTPS_HOST", "a host, host:port or :port"),
        ({"host": ":x"}, "TRUSTED_PROXY_HTTPS_HOST", "a host, host:port or :port"),
        ({"host": "a b"}, "TRUSTED_PROXY_HTTPS_HOST", "a host, host:port or :port"),
        ({"host": "a:99999"}, "TRUSTED_PROXY_HTTPS_HOST", "a host, host:port"),
        ({"host": 443}, "TRUSTED_PROXY_HTTPS_HOST", "a host, host:port or :port"),
        ({"host": "//[x"}, "TRUSTED_PROXY_HTTPS_HOST", "a host, host:port or :port"),
        (
            {"host": "https://a.example:8443/x"},
            "TRUSTED_PROXY_HTTPS_HOST",
            "(the nearest is 'a.example:8443')",
        ),
        (
            {"host": "a.example/x"},
            "TRUSTED_PROXY_HTTPS_HOST",
            "(the nearest is 'a.example')",
        ),
        ({"status": 300}, "TRUSTED_PROXY_HTTPS_STATUS", "301, 302, 307 or 308"),
        ({"status": "301"}, "TRUSTED_PROXY_HTTPS_STATUS", "301, 302, 307 or 308"),
        ({"status": True}, "TRUSTED_PROXY_HTTPS_STATUS", "301, 302, 307 or 308"),
        ({"status": None}, "TRUSTED_PROXY_HTTPS_STATUS", "301, 302, 307 or 308"),
        (
            {"exempt": ["/a", "healthz"]},
            "TRUSTED_PROXY_HTTPS_EXEMPT[1]",
            "a path that begins with a slash, or a network (the nearest is '/healthz')",
        ),
        (
            {"exempt": ["health/*"]},
            "TRUSTED_PROXY_HTTPS_EXEMPT[0]",
            "(the nearest is '/health/*')",
        ),
        (
            {"exempt": ["https://a.example/healthz"]},
            "TRUSTED_PROXY_HTTPS_EXEMPT[0]",
            "(the nearest is '/healthz')",
        ),
        (
            {"exempt": ["loopbak"]},
            "TRUSTED_PROXY_HTTPS_EXEMPT[0]",
            "a path or an IP network such as 10.0.0.0/8 (the nearest is 'loopback')",
        ),
        (
            {"exempt": ["*.css"]},
            "TRUSTED_PROXY_HTTPS_EXEMPT[0]",
            "a path or an IP network",
        ),
        (
            {"exempt": ["/a", "10.0.0.1/8"]},
            "TRUSTED_PROXY_HTTPS_EXEMPT[1]",
            "(the nearest is '10.0.0.0/8')",
        ),
        (
            {"exempt": ["10.0.0.1", "/a?b"]},
            "TRUSTED_PROXY_HTTPS_EXEMPT[1]",
            "without query and fragment",
        ),
        ({"exempt": ["/a#b"]}, "TRUSTED_PROXY_HTTPS_EXEMPT[0]", "without query"),
        ({"hsts": "preload"}, "TRUSTED_PROXY_HSTS_POLICY", "max-age is missing"),
        ({"hsts": 31536000}, "TRUSTED_PROXY_HSTS_POLICY", "an HSTS policy such as"),
        ({"report_only": 1}, "TRUSTED_PROXY_REPORT_ONLY", "True or False"),
    ],
)
def test_configuration_refused(
    arguments: dict[str, Any], option: str, text: str
) -> None:
    """A value that cannot be used is an error with the setting and the keyword."""
    with pytest.raises(ConfigurationError) as caught:
        HTTPSOnly(**arguments)

    (keyword,) = arguments
    assert (caught.value.option, caught.value.keyword) == (option, keyword)
    assert text in str(caught.value)


def test_allowed_hosts_refused() -> None:
    """The one keyword that is no setting is named by itself."""
    with pytest.raises(ConfigurationError, match="a host such as") as caught:
        HTTPSOnly(allowed_hosts=["a", "b c"])

    assert caught.value.option == "allowed_hosts[1]"


def test_configuration_kept() -> None:
    """What was set can be looked at, for checks and pages."""
    rules = HTTPSOnly(
        host="a.example",
        status=302,
        exempt="/a 10.0.0.0/8",
        hsts="max-age=1",
        allowed_hosts="a.example",
        report_only=True,
    )

    assert rules.host == "a.example"
    assert rules.status == 302
    assert rules.exempt == ("/a", "10.0.0.0/8")
    assert rules.hsts == HSTSPolicy(1)
    assert rules.allowed_hosts == ("a.example",)
    assert rules.report_only


def test_rules_for_other_hosts() -> None:
    """A framework's list of hosts takes the place of that of the rules alone."""
    rules = HTTPSOnly(
        host="a.example",
        status=302,
        exempt=["/a"],
        hsts=YEAR,
        allowed_hosts=["a.example"],
        report_only=True,
    )

    limited = rules.limit_to(["b.example"])

    assert rules.limit_to(None) is rules
    assert limited.allowed_hosts == ("b.example",)
    for name in ("host", "status", "exempt", "hsts", "report_only"):
        assert getattr(limited, name) == getattr(rules, name)


@pytest.mark.parametrize(
    ("rules", "any_host"),
    [
        (HTTPSOnly(), True),
        (HTTPSOnly(host=":8443"), True),
        (HTTPSOnly(host="a.example"), False),
        (HTTPSOnly(allowed_hosts=["*"]), False),
    ],
)
def test_rules_that_redirect_to_any_host(rules: HTTPSOnly, any_host: bool) -> None:
    """Nothing limits the host where neither it nor a list of hosts is set."""
    assert rules.redirects_to_any_host is any_host
