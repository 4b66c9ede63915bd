"""
What is never shown of a request: the secrets, cookies, credentials.

In:  headers that hold them, under any name.
Out: nothing of it, in no part of an explanation.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustedproxy.explain import explain_environ, explain_request, write_text
from trustedproxy.explain.masks import HIDDEN, Masks, _compile
from trustedproxy.explain.requests import describe_request, read_environ
from trustedproxy.log import shorten

from ..making import make_environ
from .making import SECRET, explain_sent, header_of, make_policy, make_settings

WITH_SECRET: dict[str, Any] = {"secret_header": "X-Edge-Key", "secrets": [SECRET]}


@pytest.mark.parametrize(
    "name",
    [
        "Cookie",
        "cookie",
        "Set-Cookie",
        "Authorization",
        "Proxy-Authorization",
        "X-CSRFToken",
        "X_Auth_Token",
        "X-Api-Key",
        "X-Edge-Key",
        "x_edge_key",
        # Who somebody is, as platforms say it to the applications behind them.
        "Cf-Access-Jwt-Assertion",
        "X-Goog-IAP-JWT-Assertion",
        "X-Amzn-Oidc-Data",
        "X-Ms-Client-Principal",
        # What front ends and their customers send each other.
        "X-Auth-Key",
        "X-Origin-Verify",
        "X-Hub-Signature-256",
        "X-Hmac",
        "X-Sig",
        "Key",
        "Sig",
        "X-Pass",
        "X-Passwd",
        "X-Api-Pwd",
        "X-Saml-Response",
        "Dpop",
    ],
)
def test_value_of_a_private_header_is_masked(name: str) -> None:
    """Cookies and credentials are there, and not shown."""
    header = header_of(explain_sent({name: "private"}, **WITH_SECRET), name)

    assert header.hidden
    assert header.value == HIDDEN


@pytest.mark.parametrize(
    "name",
    [
        "X-Forwarded-For",
        "X-Real-IP",
        "User-Agent",
        "Via",
        "X-Request-Id",
        "X-Monkey",
        "X-Design",
    ],
)
def test_value_of_another_header_is_shown(name: str) -> None:
    """What explains a decision has to be seen."""
    header = header_of(explain_sent({name: "seen"}, **WITH_SECRET), name)

    assert not header.hidden
    assert header.value == "seen"


def test_header_that_is_listed_is_shown_whatever_its_name() -> None:
    """A custom header may have any name."""
    explanation = explain_sent(
        {"X-Session-Client": "203.0.113.7"}, headers=["X-Session-Client=address"]
    )

    assert header_of(explanation, "X-Session-Client").value == "203.0.113.7"


NAMES = [
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Forwarded-Host",
    "X-Real-IP",
    "X-Forwarded-Prefix",
    "Host",
    "Connection",
    "X-Edge-Key",
    "X-Edge-Kee",
    "X_Edge_Key",
]


@given(
    sent=st.dictionaries(
        st.sampled_from(NAMES),
        st.sampled_from(
            [SECRET, f"1.1.1.1, {SECRET}", f"{SECRET},{SECRET}", "https", "a.example"]
        ),
    ),
    peer=st.sampled_from(["10.0.0.5", "198.51.100.7", SECRET]),
    path=st.sampled_from(["/", f"/{SECRET}/x"]),
    strict=st.booleans(),
)
def test_secret_is_nowhere(
    sent: dict[str, str], peer: str, path: str, *, strict: bool
) -> None:
    """Whatever header it was sent in by mistake, and however that was read."""
    explanation = explain_sent(
        sent,
        fields={"peer": peer, "path": path, "host": sent.get("Host")},
        headers=["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"],
        malformed="reject" if strict else "ignore",
        **WITH_SECRET,
    )

    assert SECRET not in json.dumps(explanation.as_dict())
    assert SECRET not in write_text(explanation)


def test_mask_leaves_the_rest_of_a_text() -> None:
    """It is the secret that goes, and not what stands around it."""
    masks = Masks(make_policy(**WITH_SECRET))

    assert masks.mask(f"a {SECRET} b") == f"a {HIDDEN} b"


def test_longest_of_two_secrets_is_masked() -> None:
    """One secret may begin with another, and nothing of it may stay."""
    masks = Masks(
        make_policy(secret_header="X-Edge-Key", secrets=[SECRET, f"{SECRET}-and-more"])
    )

    assert masks.mask(f"{SECRET}-and-more, {SECRET}") == f"{HIDDEN}, {HIDDEN}"


@pytest.mark.parametrize(
    "write",
    [repr, quote, quote_plus, lambda text: quote(text, safe="")],
    ids=["repr", "quote", "quote_plus", "quote all"],
)
def test_secret_is_masked_in_another_spelling(write: Callable[[str], str]) -> None:
    """What was made of a request spells the characters of a secret in its way."""
    secret = "hush \\ hush ' hush \" hush/+%"
    masks = Masks(make_policy(secret_header="X-Edge-Key", secrets=[secret]))

    masked = masks.mask(write(f"a {secret} b"))

    assert "hush" not in masked
    assert HIDDEN in masked


@pytest.mark.parametrize("front", [100, 110, 116])
def test_secret_that_was_cut_is_masked(front: int) -> None:
    """A record of the log shows the beginning of a long value only."""
    masks = Masks(make_policy(**WITH_SECRET))

    masked = masks.mask_record(shorten(f"{'x' * front}{SECRET}{'x' * 100}"))

    assert SECRET[:4] not in masked
    assert HIDDEN in masked


def test_few_characters_of_a_text_that_was_cut_stay() -> None:
    """They may be anything."""
    masks = Masks(make_policy(**WITH_SECRET))
    shown = shorten(f"{'x' * 117}{SECRET}{'x' * 100}")

    assert masks.mask_record(shown) == shown


def test_longest_beginning_of_a_secret_is_masked() -> None:
    """Its own beginnings may stand in it once more; and a text may be cut twice."""
    masks = Masks(make_policy(**WITH_SECRET))

    masked = masks.mask_record(f"a {SECRET[:14]}…, {SECRET}, '{SECRET[:5]}'… hush")

    assert masked == f"a {HIDDEN}…, {HIDDEN}, '{HIDDEN}'… hush"


@pytest.mark.parametrize("length", [4, 10, len(SECRET) - 1])
def test_beginning_of_a_secret_in_a_request_is_shown(length: int) -> None:
    """What is masked would say to whoever writes a request how a secret goes on."""
    guess = f"{SECRET[:length]}…"
    explanation = explain_sent(
        {"User-Agent": guess, "X-Forwarded-For": guess},
        fields={"path": f"/{guess}"},
        **WITH_SECRET,
    )

    assert header_of(explanation, "User-Agent").value == guess
    assert header_of(explanation, "X-Forwarded-For").value == guess
    assert HIDDEN not in json.dumps(explanation.as_dict())


def test_secret_of_any_length_is_compiled_once() -> None:
    """Explaining a whole log makes a mask for each request of it."""
    _compile.cache_clear()
    policy = make_policy(secret_header="X-Edge-Key", secrets=["0123456789" * 400])
    for _ in range(100):
        Masks(policy)

    assert _compile.cache_info().misses == 1


def test_secret_in_the_query_is_masked() -> None:
    """HTTPS only would write it into the address of its redirect."""
    request = describe_request(
        url=f"/{SECRET}?q={SECRET}", headers=["Host: app.example"], peer="10.0.0.5"
    )
    settings = make_settings(https_only=True, **WITH_SECRET)

    explanation = explain_request(settings, request)

    assert SECRET not in json.dumps(explanation.as_dict())
    assert explanation.answers[0].location == (
        "https://app.example/(not%20shown)?q=(not%20shown)"
    )
    assert explanation.notes[0].startswith(
        "A secret of this policy stands in the path, the query, where"
    )


def test_secret_in_the_path_as_it_was_sent_is_masked() -> None:
    """A server in front may have taken another path out of it."""
    environ = make_environ(
        {"Host": "app.example"}, REQUEST_URI=f"/{SECRET}", PATH_INFO="/"
    )
    settings = make_settings(https_only=True, **WITH_SECRET)

    explanation = explain_request(settings, read_environ(settings.policy, environ))

    assert SECRET not in json.dumps(explanation.as_dict())
    assert explanation.notes[0].startswith("A secret of this policy stands in the path")


def test_secret_in_another_place_is_said_to_be_there() -> None:
    """Somebody has to move it."""
    explanation = explain_sent(
        {"X-Real-IP": f"1.1.1.1 {SECRET}", "X-Edge-Key": SECRET},
        fields={"mount_point": SECRET},
        **WITH_SECRET,
    )

    assert explanation.notes == (
        "A secret of this policy stands in the mount point, X-Real-IP, where it does "
        "not belong. It is masked, and what follows takes it as it is masked.",
    )
    assert explanation.peer.trusted


def test_environ_with_the_secret_is_not_changed() -> None:
    """The masks are those of a copy."""
    environ = make_environ({"X-Edge-Key": SECRET, "X-Forwarded-Host": SECRET})
    before = dict(environ)

    explanation = explain_environ(make_policy(**WITH_SECRET), environ)

    assert environ == before
    assert SECRET not in json.dumps(explanation.as_dict())
