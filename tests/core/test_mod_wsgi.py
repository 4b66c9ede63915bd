"""
mod_wsgi's own configuration, read as settings.

In:  directives of Apache and options of mod_wsgi-express.
Out: the settings that mean the same, or an error that names what is not known.
"""

from __future__ import annotations

import logging
import shlex
import time
from collections.abc import Callable
from contextlib import suppress
from math import log as logarithm
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustedproxy import log
from trustedproxy.exceptions import ConfigurationError
from trustedproxy.mod_wsgi import _split_words, parse_mod_wsgi

#: What headers without proxies mean.
EVERY_PEER: Final[dict[str, object]] = {"TRUSTED_PROXIES": "*"}

DIRECTIVES = [
    pytest.param("", {}, id="nothing at all"),
    pytest.param("\n \n# a comment\n  # another\n", {}, id="comments only"),
    pytest.param(
        "# WSGITrustedProxies \\\n127.0.0.1\n", {}, id="a comment is continued too"
    ),
    pytest.param(
        "WSGITrustedProxyHeaders X-Forwarded-For X-Forwarded-Proto",
        {"TRUSTED_PROXY_HEADERS": ["X-Forwarded-For", "X-Forwarded-Proto"]}
        | EVERY_PEER,
        id="headers without proxies are trusted from every peer",
    ),
    pytest.param(
        "wsgitrustedproxyheaders x-forwarded-for\nWSGITRUSTEDPROXIES 10.0.0.0/8",
        {
            "TRUSTED_PROXY_HEADERS": ["x-forwarded-for"],
            "TRUSTED_PROXIES": ["10.0.0.0/8"],
        },
        id="names of directives in any case",
    ),
    pytest.param(
        "WSGITrustedProxies", {"TRUSTED_PROXIES": []}, id="no word trusts nobody"
    ),
    pytest.param(
        "WSGITrustedProxies 10.0.0.0/8\nWSGITrustedProxies\n",
        {"TRUSTED_PROXIES": ["10.0.0.0/8"]},
        id="a bare directive takes nothing back",
    ),
    pytest.param(
        "WSGITrustedProxies 10.0.0.0/8 fd00::/8\nWSGITrustedProxies 192.0.2.1",
        {"TRUSTED_PROXIES": ["10.0.0.0/8", "fd00::/8", "192.0.2.1"]},
        id="directives add up",
    ),
    pytest.param(
        "  WSGITrustedProxyHeaders X-Real-IP \\\n    X-Forwarded-For\\\n",
        {"TRUSTED_PROXY_HEADERS": ["X-Real-IP", "X-Forwarded-For"]} | EVERY_PEER,
        id="continuation lines",
    ),
    pytest.param(
        "WSGITrustedProxyHeaders \"X-Real-IP\" 'X-Forwarded-For'",
        {"TRUSTED_PROXY_HEADERS": ["X-Real-IP", "X-Forwarded-For"]} | EVERY_PEER,
        id="quotes of both kinds",
    ),
    pytest.param(
        'WSGITrustedProxyHeaders "X-Real-IP X-Forwarded-For"',
        {"TRUSTED_PROXY_HEADERS": ["X-Real-IP", "X-Forwarded-For"]} | EVERY_PEER,
        id="blanks in quotes separate",
    ),
    pytest.param(
        "WSGITrustedProxyHeaders X-Real-IP X-Client-IP x-real-ip",
        {"TRUSTED_PROXY_HEADERS": ["X-Client-IP", "x-real-ip"]} | EVERY_PEER,
        id="of a header given twice the last counts",
    ),
    pytest.param(
        "# a page\x0cWSGITrustedProxies 10.0.0.0/8\u2028WSGITrustedProxies ::1\n"
        "WSGITrustedProxies \\\r\n  192.0.2.1\r\n",
        {"TRUSTED_PROXIES": ["192.0.2.1"]},
        id="lines end where they do for Apache",
    ),
    pytest.param(
        "WSGIRestrictSignal Off\nWSGIRestrictSignal on",
        {"TRUSTED_PROXY_RESTRICT_SIGNALS": True},
        id="signals are restricted",
    ),
    pytest.param(
        "WSGIRestrictSignal OFF",
        {"TRUSTED_PROXY_RESTRICT_SIGNALS": False},
        id="signals are not restricted",
    ),
]


@pytest.mark.parametrize(("text", "expected"), DIRECTIVES)
def test_directives_become_settings(text: str, expected: dict[str, object]) -> None:
    """Directives of Apache mean the same as the settings they become."""
    actual = parse_mod_wsgi(text)

    assert actual == expected


FOR = "--trust-proxy-header X-Forwarded-For"
HEADERS = {"TRUSTED_PROXY_HEADERS": ["X-Forwarded-For"], "TRUSTED_PROXIES": "*"}

OPTIONS = [
    pytest.param(FOR, HEADERS, id="without the command"),
    pytest.param(f"mod_wsgi-express start-server wsgi.py {FOR}", HEADERS, id="command"),
    pytest.param(f"start-server {FOR} wsgi.py", HEADERS, id="script behind options"),
    pytest.param(f"/venv/bin/mod_wsgi-express {FOR}", HEADERS, id="command's path"),
    pytest.param(f"python manage.py runmodwsgi {FOR}", HEADERS, id="Django's command"),
    pytest.param("mod_wsgi-express start-server wsgi.py", {}, id="no options"),
    pytest.param("--trust-proxy-header=X-Forwarded-For", HEADERS, id="equals sign"),
    pytest.param(
        "--trust-proxy-header 'X-Real-IP X-Forwarded-For'",
        {"TRUSTED_PROXY_HEADERS": ["X-Real-IP", "X-Forwarded-For"]} | EVERY_PEER,
        id="two names in one argument",
    ),
    pytest.param(
        f"mod_wsgi-express start-server \\\n  {FOR} \\\n"
        "  --trust-proxy 10.0.0.0/8 --trust-proxy=::1 \\\n  wsgi.py\n",
        {**HEADERS, "TRUSTED_PROXIES": ["10.0.0.0/8", "::1"]},
        id="several lines and proxies",
    ),
    pytest.param(
        f"WSGITrustedProxies 10.0.0.0/8\n{FOR}\n--trust-proxy 192.0.2.1",
        {**HEADERS, "TRUSTED_PROXIES": ["10.0.0.0/8", "192.0.2.1"]},
        id="directives and options in one text",
    ),
    pytest.param("--https-only", {"TRUSTED_PROXY_HTTPS_ONLY": True}, id="https only"),
    pytest.param(
        "--server-name example.com --https-port 8443",
        {},
        id="a name alone does nothing",
    ),
    pytest.param(
        "--https-only --server-name a.example --server-name example.com",
        {
            "TRUSTED_PROXY_HTTPS_ONLY": True,
            "TRUSTED_PROXY_HTTPS_HOST": "example.com",
        },
        id="https only with a name, the last of two",
    ),
    pytest.param(
        "--https-only --https-port 8443",
        {"TRUSTED_PROXY_HTTPS_ONLY": True, "TRUSTED_PROXY_HTTPS_HOST": ":8443"},
        id="https only with a port",
    ),
    pytest.param(
        "--https-only --server-name=example.com --https-port=8443",
        {
            "TRUSTED_PROXY_HTTPS_ONLY": True,
            "TRUSTED_PROXY_HTTPS_HOST": "example.com:8443",
        },
        id="https only with name and port",
    ),
    pytest.param(
        "--https-only --server-name example.com --https-port 443",
        {
            "TRUSTED_PROXY_HTTPS_ONLY": True,
            "TRUSTED_PROXY_HTTPS_HOST": "example.com",
        },
        id="https only on the usual port",
    ),
    pytest.param(
        "--hsts-policy 'max-age=31536000; includeSubDomains'",
        {"TRUSTED_PROXY_HSTS_POLICY": "max-age=31536000; includeSubDomains"},
        id="a policy with a blank",
    ),
    pytest.param(
        """--hsts-policy '"max-age=31536000; includeSubDomains"'""",
        {"TRUSTED_PROXY_HSTS_POLICY": "max-age=31536000; includeSubDomains"},
        id="a policy in the quotes that express needs",
    ),
    pytest.param(
        "--proxy-mount-point /blog http://127.0.0.1:8001/ "
        "--proxy-url-alias=/shop http://127.0.0.1:8002/",
        {
            "TRUSTED_PROXY_MOUNT_POINTS": {
                "/blog": "http://127.0.0.1:8001/",
                "/shop": "http://127.0.0.1:8002/",
            }
        },
        id="mount points under both names",
    ),
]


@pytest.mark.parametrize(("text", "expected"), OPTIONS)
def test_options_become_settings(text: str, expected: dict[str, object]) -> None:
    """Options of mod_wsgi-express mean the same as the settings they become."""
    actual = parse_mod_wsgi(text)

    assert actual == expected


REFUSED = [
    pytest.param(
        "WSGITrustedProxyHeader X-Forwarded-For",
        "line 1: 'WSGITrustedProxyHeader' is not",
        "(the nearest is 'WSGITrustedProxyHeaders')",
        id="a near miss",
    ),
    pytest.param(
        "# first\nWSGIDaemonProcess app threads=5",
        "line 2: 'WSGIDaemonProcess' is not",
        "WSGITrustedProxies",
        id="another directive of mod_wsgi's",
    ),
    pytest.param(
        "ServerName --trust-proxy", "'ServerName'", "", id="a directive of Apache's"
    ),
    pytest.param(
        "WSGITrustedProxies \\\n10.0.0.0/8\n<VirtualHost *:80>",
        "line 3: '<VirtualHost' is not",
        "section",
        id="a section",
    ),
    pytest.param("</Location>", "'</Location>'", "section", id="a section's end"),
    pytest.param(
        "WSGITrustedProxies 10.0.0.0/8 # office",
        "WSGITrustedProxies: '#' is not",
        "a line of its own",
        id="a comment behind a directive",
    ),
    pytest.param(
        'WSGITrustedProxies "10.0.0.0/8', "line 1:", "quotes", id="an open quote"
    ),
    pytest.param(
        "WSGITrustedProxies 10.0.0.0/8 \\ \n  192.0.2.1",
        "line 1: 'WSGITrustedProxies 10.0.0.0/8 \\\\' is not continued",
        "behind the backslash",
        id="a blank behind the backslash",
    ),
    pytest.param(
        "WSGITrustedProxies 10.0.0.0/8 *",
        "WSGITrustedProxies: '*' is not",
        "does not start",
        id="everybody among the proxies",
    ),
    pytest.param(
        "--trust-proxy '*'", "--trust-proxy: '*' is not", "", id="everybody by option"
    ),
    pytest.param(
        "WSGIRestrictSignal", "WSGIRestrictSignal: [] is not", "'On'", id="no switch"
    ),
    pytest.param(
        "WSGIRestrictSignal maybe",
        "WSGIRestrictSignal: 'maybe' is not",
        "'On' or 'Off'",
        id="an odd switch",
    ),
    pytest.param(
        "--trust-proxy-headers X-Forwarded-For",
        "'--trust-proxy-headers' is not",
        "(the nearest is '--trust-proxy-header')",
        id="an option's near miss",
    ),
    pytest.param("--processes 4", "'--processes' is not", "", id="another option"),
    pytest.param(
        "--trust-proxy 10.0.0.0/8 192.0.2.1", "'192.0.2.1'", "", id="a stray word"
    ),
    pytest.param(
        "mod_wsgi-express start-server wsgi.py --https-only 192.0.2.1",
        "'192.0.2.1'",
        "",
        id="a second script",
    ),
    pytest.param(
        "start-server --trust-proxy 10.0.0.0/8 wsgi.py 192.0.2.1",
        "'192.0.2.1'",
        "",
        id="a stray word behind the script",
    ),
    pytest.param(
        "--trust-proxy --https-only",
        "--trust-proxy: '--https-only' is not",
        "an address or a network",
        id="an option in place of a value",
    ),
    pytest.param("--trust-proxy", "--trust-proxy: '' is not", "network", id="no value"),
    pytest.param(
        "--trust-proxy ' '", "--trust-proxy: ' ' is not", "network", id="a blank value"
    ),
    pytest.param(
        "--https-only=yes", "--https-only: 'yes' is not", "flag", id="a flag with value"
    ),
    pytest.param(
        "--https-port http", "--https-port: 'http' is not", "a port", id="a named port"
    ),
    pytest.param(
        "--https-port 65536", "--https-port: '65536' is not", "a port", id="a big port"
    ),
    pytest.param(
        "--proxy-mount-point /blog",
        "--proxy-mount-point: '/blog ' is not",
        "a path and a URL",
        id="a mount point without a URL",
    ),
    pytest.param(
        "--proxy-mount-point /a http://[::1]/ --proxy-mount-point /a http://[::1]:81/",
        "--proxy-mount-point: '/a' is not",
        "before",
        id="a mount point twice",
    ),
]


@pytest.mark.parametrize(("text", "named", "hint"), REFUSED)
def test_text_that_is_not_understood_is_refused(
    text: str, named: str, hint: str
) -> None:
    """Whatever is not understood is named, with the line and with what would be."""
    with pytest.raises(ConfigurationError) as caught:
        parse_mod_wsgi(text)

    assert named in str(caught.value)
    assert hint in str(caught.value)
    assert caught.value.option.startswith("mod_wsgi, line ")


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ("WSGITrustedProxyHeaders X-Forwarded-For", True),
        ("--trust-proxy-header X-Forwarded-For", True),
        ("WSGITrustedProxyHeaders X-Forwarded-For\nWSGITrustedProxies", False),
        ("--trust-proxy-header X-Forwarded-For --trust-proxy 10.0.0.1", False),
        ("WSGITrustedProxyHeaders", False),
        ("--https-only", False),
    ],
)
def test_headers_that_are_trusted_from_every_peer_are_warned_of(
    text: str, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Rule R4: mod_wsgi trusts everybody where no proxies are named, silently."""
    log.forget()

    found = parse_mod_wsgi(text)
    again = parse_mod_wsgi(text)

    assert again == found
    assert (found.get("TRUSTED_PROXIES") == "*") is warned
    warnings = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert len(warnings) == warned
    assert all("add WSGITrustedProxies (--trust-proxy)" in text for text in warnings)


# -- words -----------------------------------------------------------------------------


@settings(max_examples=300, deadline=None, database=None)
@given(st.text("ab \t'\"\\#\x0b\u2028-", max_size=30))
def test_line_is_split_as_a_shell_splits_it(text: str) -> None:
    """Blanks, quotes of both kinds, escapes in and outside of them; or an error."""
    line = text.strip(" \t\r\n") or "a"
    try:
        expected = shlex.split(line)
    except ValueError:
        with pytest.raises(ValueError, match=r"."):
            _split_words(line)
    else:
        assert _split_words(line) == expected


#: What somebody could put into a configuration, in any size.
LONG: Final[dict[str, Callable[[int], str]]] = {
    "a word": lambda size: "WSGITrustedProxyHeaders X" + "x" * size,
    "a quoted word": lambda size: 'WSGITrustedProxies "' + '\\"' * (size // 2) + '"',
    "an open quote": lambda size: 'WSGITrustedProxies "' + '\\"a' * (size // 3),
    "an option": lambda size: "--" + "a" * size,
    "blanks": lambda size: "WSGITrustedProxies" + " " * size + "x",
    "words": lambda size: "WSGITrustedProxies " + "x " * (size // 2),
    "lines": lambda size: "".join(
        f"WSGITrustedProxyHeaders X{n}\n" for n in range(size // 30)
    ),
    "options": lambda size: "".join(
        f"--trust-proxy-header X{n} --trust-proxy {n} " for n in range(size // 45)
    ),
    "mount points": lambda size: "".join(
        f"--proxy-mount-point /{n} http://x/ " for n in range(size // 35)
    ),
    "continued lines": lambda size: "WSGITrustedProxies" + " \\\n1" * (size // 4),
    "comments": lambda size: "# \\\n" * (size // 4),
}


def measure(text: str) -> float:
    """Measure the least processor time of five readings of *text*, in seconds."""
    times = []
    for _ in range(5):
        started = time.process_time()
        with suppress(ConfigurationError):
            parse_mod_wsgi(text)
        times.append(time.process_time() - started)
    return min(times)


@pytest.mark.cost
@pytest.mark.parametrize("name", LONG)
def test_time_grows_linearly_with_the_text(name: str) -> None:
    """The exponent of its growth over a sixteen-fold size is far from 2."""
    small, large = (measure(LONG[name](size)) for size in (8_000, 128_000))

    # What takes no time at all has no exponent worth the name.
    assert large < 0.005 or logarithm(large / max(small, 1e-6), 16) < 1.5
