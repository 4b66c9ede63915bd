"""
docs/troubleshooting.md: what people type leads to its cause, in the words of the code.

In:  the page.
Out: assertions that its headings hold those words, and that it quotes what is really
     logged and set.
"""

from __future__ import annotations

import re

import pytest

from trustedproxy import ProxyPolicy, Reason
from trustedproxy.decision import CODES
from trustedproxy.log import forget
from trustedproxy.option_table import OPTIONS

from .pages import blocks, prose, read, sections

PAGE = read("troubleshooting.md")
SECTIONS = sections(PAGE)
SAME_IP = next(text for heading, text in SECTIONS.items() if "{ #same-ip }" in heading)

#: What people type.
WORDS = (
    "redirect loop",
    "ERR_TOO_MANY_REDIRECTS",
    "same IP",
    "400",
    "DisallowedHost",
    "404 below",
    "http instead of https",
    "build_absolute_uri",
    "redirect_uri_mismatch",
    "mixed content",
    "CSRF verification failed",
    "Origin checking failed",
    "health checks",
    "unix socket",
    "ProxyFix",
    "websockets",
    "HSTS",
    "access log",
    "Docker",
)


@pytest.mark.parametrize("words", WORDS)
def test_heading_has_the_words_that_people_type(words: str) -> None:
    """A search for the words finds a heading, and no paragraph."""
    assert any(words.lower() in heading.lower() for heading in SECTIONS)


def test_heading_has_an_anchor_of_its_own() -> None:
    """Links and log entries survive a heading that is reworded."""
    anchors = [re.search(r" \{ #([a-z-]+) \}$", heading) for heading in SECTIONS]
    names = [anchor[1] for anchor in anchors if anchor]

    assert len(names) == len(set(names)) == len(SECTIONS)


def test_commonest_mistake_is_named_first(caplog: pytest.LogCaptureFixture) -> None:
    """The proxy is not in the list; the record is shown as it is logged."""
    first = SAME_IP[SAME_IP.index("1. ") : SAME_IP.index("2. ")]
    policy = ProxyPolicy(headers=["X-Forwarded-For"], proxies=["192.168.1.31"])
    forget()

    policy.apply({"REMOTE_ADDR": "172.18.0.1", "HTTP_X_FORWARDED_FOR": "192.168.1.40"})

    assert "not in `TRUSTED_PROXIES`, or it is there by another address" in first
    [shown] = blocks(first, "text")
    assert shown.strip() == caplog.messages[0]


def test_cure_of_the_commonest_mistake_cures_it() -> None:
    """With the entry that the page adds, the client is known."""
    settings: dict[str, object] = {"TRUSTED_PROXY_HEADERS": ["X-Forwarded-For"]}
    code = re.search(r"```python\n(.*?)```", SAME_IP, re.DOTALL)
    assert code is not None
    exec(code[1].strip(), {}, settings)

    policy = ProxyPolicy.from_mapping(settings)

    decision = policy.decide("172.18.0.1", {"X-Forwarded-For": "192.168.1.40"})
    assert decision.client == "192.168.1.40"


def test_reasons_are_quoted_as_they_are() -> None:
    """A reason that the page explains is one that a decision can have."""
    quoted = re.findall(r"^- `([^`]+)`:", PAGE, re.MULTILINE)

    assert len(quoted) == 5
    assert quoted[0] == str(Reason.PEER_NOT_TRUSTED)
    assert set(quoted) <= {str(reason) for reason in Reason}


def test_problems_are_quoted_as_they_are() -> None:
    """A code that the page names is one that the log can have."""
    quoted = re.findall(r"the problem `([^`]+)`", PAGE)

    assert quoted
    assert set(quoted) <= CODES.keys()


def test_settings_of_the_page_are_there() -> None:
    """The page names no setting that does not exist."""
    named = set(re.findall(r"TRUSTED_PROX[A-Z_]*[A-Z](?![A-Z_…])", prose(PAGE)))

    assert named
    assert named <= {option.name for option in OPTIONS}
