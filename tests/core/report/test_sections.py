"""
What the page says, section by section.

In:  explanations of requests, each with a mistake that people make.
Out: HTML, of which the text is asserted; no sentence about a request is made here.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape

import pytest

from trustedproxy.explain import explain_request, list_rows
from trustedproxy.explain.requests import describe_request
from trustedproxy.framework import Framework
from trustedproxy.report.markup import join
from trustedproxy.report.recent import Record
from trustedproxy.report.sections import (
    SECTIONS,
    Contents,
    Writer,
    fill_sections,
    write_advice,
    write_box,
    write_front_ends,
    write_headers,
    write_navigation,
    write_policy,
    write_problems,
    write_records,
    write_result,
    write_sections,
    write_variables,
    write_way,
)

from .making import STRANGER, make_contents, make_settings

KEY = "hush-hush-hush-hush"


def read(write: Writer, contents: Contents) -> str:
    """Read the text of a section, without its elements."""
    html = join(write(contents))
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


@pytest.mark.parametrize(
    ("forced", "mount_point", "begin"),
    [
        ("/forced/", "/forced", "http://app.example/forced/"),
        ("/fü", "/fü", "http://app.example/fü/"),
        ("", "none", "http://app.example/"),
    ],
)
def test_forced_mount_point_is_that_of_the_links(
    forced: str, mount_point: str, begin: str
) -> None:
    """Whatever a header says, the framework's own setting stands above it."""
    contents = replace(
        make_contents(
            "Host: app.example",
            "X-Forwarded-Prefix: /app",
            headers=["X-Forwarded-Prefix"],
        ),
        framework=Framework(forced_mount_point=forced, forced_by="FORCED"),
    )

    said = read(write_result, contents)

    assert f"Mount point {mount_point} " in said
    assert f"Links of the application begin with {begin} ." in said


def test_paths_outside_of_ascii_are_shown_as_people_have_them() -> None:
    """In every place alike; bytes that are no UTF-8 are escaped."""
    plain = make_contents("Host: app.example")
    settings = make_settings()
    request = describe_request(
        headers=["Host: app.example"], mount_point="/€", path="/ü"
    )
    contents = replace(plain, explanation=explain_request(settings, request))
    request = describe_request(path="/\udcff")
    broken = replace(plain, explanation=explain_request(settings, request))

    result, variables = read(write_result, contents), read(write_variables, contents)

    assert "Mount point /€ Links" in result
    assert "begin with http://app.example/€/ ." in result
    assert "/€ /€ path" in variables
    assert variables.endswith("/ü /ü")
    assert read(write_variables, broken).encode()


def test_result_is_short() -> None:
    """The client, and where the application's links begin."""
    contents = make_contents(
        "Host: app.example",
        "X-Forwarded-For: 203.0.113.7",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Prefix: /app",
        headers=["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Prefix"],
    )

    said = read(write_result, contents)

    assert said == (
        "The client is known: the client is the nearest hop that is not a trusted "
        "proxy. Client 203.0.113.7 Scheme https Host app.example Mount point /app "
        "Links of the application begin with https://app.example/app/ ."
    )


def test_result_says_what_is_not_there() -> None:
    """Nothing known is shown as nothing, and the server's name stands for the host."""
    said = read(write_result, make_contents(report_only=True))

    assert "In report-only mode" in said
    assert "Client unknown Scheme http Host not there Mount point none" in said
    assert "http://backend/" in said


def test_result_of_a_rejected_request_has_no_links() -> None:
    """It does not reach the application."""
    said = read(write_result, make_contents("X-Forwarded-For: x", missing="reject"))

    assert "rejected" in said
    assert "Links" not in said


def test_request_of_the_box_is_called_one() -> None:
    """Nobody takes it for one that came; the browser's address says nothing of it."""
    contents = replace(make_contents(), tried=True)

    assert read(write_result, contents).startswith("This is what would happen")
    assert "data-origin" not in join(write_result(contents))
    assert "data-origin" in join(write_result(make_contents()))


def test_advice_has_the_line_to_paste() -> None:
    """The sentence and the setting of the advice, and a name to copy it by."""
    contents = make_contents("X-Forwarded-For: 203.0.113.7", peer="172.18.0.1")

    html = join(write_advice(contents))

    (advice,) = contents.explanation.advice
    assert advice.text[1:] in unescape(html)
    assert unescape(html).count(advice.settings[0]) == 1
    assert 'data-code="peer-not-trusted"' in html
    assert 'data-copies="advice-1"' in html


def test_advice_without_a_setting_has_nothing_to_copy() -> None:
    """Where the proxy has to change, there is no line."""
    contents = make_contents("X-Forwarded-Proto: https")

    assert contents.explanation.advice
    assert "<pre" not in join(write_advice(contents))


def test_nothing_to_change_is_said() -> None:
    """An empty section would leave a reader in doubt."""
    contents = make_contents("X-Forwarded-For: 1.1.1.1", "X-Forwarded-Proto: https")

    assert read(write_advice, contents) == "Nothing, as far as this request shows."


def test_way_is_drawn_and_listed() -> None:
    """Each stop with its verdict, its header and the reason."""
    said = read(write_way, make_contents("X-Forwarded-For: 6.6.6.6, 203.0.113.7"))

    assert "6.6.6.6 cut off X-Forwarded-For, element 2 from the right" in said
    assert "nobody confirmed it" in said
    assert "10.0.0.5 trusted proxy the connection itself: the peer" in said


def test_variables_are_shown_before_and_after() -> None:
    """With their places in an environ and in a scope, and what was changed."""
    contents = make_contents("X-Forwarded-For: 203.0.113.7")

    said = read(write_variables, contents)

    assert "client address REMOTE_ADDR · client[0] 10.0.0.5 203.0.113.7 changed" in said
    assert "mount point SCRIPT_NAME · root_path empty empty" in said
    assert "scheme wsgi.url_scheme · scheme http http host" in said


def test_variable_that_is_empty_or_in_no_scope_is_shown() -> None:
    """Empty and missing are not the same."""
    contents = make_contents()
    (first, *_) = contents.explanation.variables
    odd = replace(first, before="", after="x", asgi=None)
    object.__setattr__(contents.explanation, "variables", (odd,))

    assert "client address REMOTE_ADDR empty x changed" in read(
        write_variables, contents
    )


def test_headers_are_shown_with_their_fate_and_reasons() -> None:
    """Used, removed, malformed, not sent, masked; values as they came."""
    contents = make_contents(
        "X-Forwarded-For: 6.6.6.6, 203.0.113.7",
        "X-Forwarded-Proto: gopher",
        "X-Real-IP: <i>",
        "X-Forwarded-Server: ",
        "Cookie: a=b",
        "Authorization: Basic abc",
    )

    said = read(write_headers, contents)

    assert "X-Forwarded-For used client address 6.6.6.6, 203.0.113.7" in said
    assert "Afterwards: 203.0.113.7" in said
    assert "X-Forwarded-Proto malformed scheme gopher" in said
    assert "X-Real-IP removed client address <i>" in said
    assert "X-Forwarded-Server not listed server name empty" in said
    assert "2 others, which say nothing of a proxy" in said
    assert "Cookie other (not shown)" in said
    assert "abc" not in said


def test_header_whose_value_is_a_guess_is_marked() -> None:
    """Which element counts is not known."""
    contents = make_contents(
        "X-Real-IP: 203.0.113.7",
        "X-Forwarded-Proto: https, http",
        headers=["X-Real-IP", "X-Forwarded-Proto"],
    )

    assert "used a guess scheme" in read(write_headers, contents)


def test_header_that_did_not_come_is_listed_without_a_value() -> None:
    """A trusted header that is missing is what people look for."""
    html = join(write_headers(make_contents()))

    assert 'data-header="X-Forwarded-Proto"' in html
    assert "not sent" in html
    assert 'class="value"' not in html


def test_problems_and_answers_are_listed() -> None:
    """What was wrong, and what answers in the application's place."""
    said = read(
        write_problems,
        make_contents("X-Forwarded-For: <b>", "Host: app.example", https_only=True),
    )

    assert "X-Forwarded-For : the header's value does not match its grammar" in said
    assert "malformed <b>" in said
    assert "HTTPS only 301 The scheme is http" in said


def test_problem_without_a_value_and_answer_without_a_status_are_listed() -> None:
    """A missing header has no value; an exempt path is not answered."""
    contents = make_contents(https_only=True, https_exempt=["/a"])

    said = read(write_problems, contents)

    assert "missing" in said
    assert "HTTPS only The scheme is http, and the request is not redirected" in said


def test_nothing_wrong_has_no_section() -> None:
    """It is left out, and so is its link."""
    contents = make_contents("X-Forwarded-For: 1.1.1.1", "X-Forwarded-Proto: https")
    filled = fill_sections(contents, SECTIONS)

    assert write_problems(contents) is None
    assert "#problems" not in write_navigation(filled)
    assert "#headers" in write_navigation(filled)


def test_policy_is_shown_with_its_meaning() -> None:
    """What is on first, the rest folded away; stated facts as sentences."""
    names = {"headers": ["X-Forwarded-For"], "fixed_scheme": "https"}
    contents = make_contents("X-Forwarded-For: 1.1.1.1", **names)
    rows = list_rows(make_settings(**names))

    said = read(write_policy, replace(contents, rows=rows))

    assert "'https' is stated as the scheme, and holds" in said
    assert "TRUSTED_PROXIES 10.0.0.0/8 only these peers are trusted" in said
    assert said.index("others, which are off") < said.index("TRUSTED_PROXY_HOPS None")


def test_every_front_end_is_written() -> None:
    """Each with its files, for this server and this mount point."""
    contents = make_contents(
        "X-Forwarded-For: 1.1.1.1",
        "X-Forwarded-Prefix: /app",
        headers=["X-Forwarded-For", "X-Forwarded-Prefix"],
    )

    html = unescape(join(write_front_ends(contents)))

    assert "proxy_pass http://backend:8000/;" in html
    assert "location /app/" in html
    assert html.count("<details>") == 10


def test_front_end_that_cannot_do_it_says_so() -> None:
    """A policy that a front end has no words for."""
    contents = make_contents(headers=["X-Forwarded-For", "X-Forwarded-Proto"], hops=1)
    said = read(write_front_ends, replace(contents, policy=make_settings().policy))

    assert "ingress-nginx" in said


@pytest.mark.parametrize("peer", ["", STRANGER])
def test_front_end_of_a_unix_socket_reaches_one(peer: str) -> None:
    """The server's own port is of no use there."""
    html = unescape(join(write_front_ends(make_contents(peer=peer))))

    assert ("unix:/run/app.sock" in html) is (peer == "")


def test_secret_of_the_policy_is_in_no_front_end() -> None:
    """The operator writes it there."""
    contents = make_contents(secret_header="X-Secret", secrets=[KEY], proxies="*")

    html = join(write_front_ends(contents))

    assert KEY not in html
    assert "WRITE-THE-SECRET-HERE" in html


@pytest.mark.parametrize(
    ("server", "port", "shown"),
    [
        ("a b", "8000", "http://app:8000"),
        ("127.0.0.1", "8000", "http://app:8000"),
        ("a b", "x", "HOST:PORT"),
    ],
)
def test_server_that_no_front_end_can_name_has_another(
    server: str, port: str, shown: str
) -> None:
    """Whatever a server calls itself, the page is there, and says what it can."""
    contents = make_contents()
    said = {**contents.explanation.connection, "server": server, "port": port}
    object.__setattr__(contents.explanation, "connection", said)

    assert shown in read(write_front_ends, contents)


def test_box_holds_the_request() -> None:
    """Its headers and what the server says, to be changed."""
    contents = make_contents("X-Forwarded-For: 1.1.1.1", "X-A: <b>")

    html = join(write_box(replace(contents, form_token="t", error="no <i> header")))

    assert "<textarea" in html
    assert "X-Forwarded-For: 1.1.1.1\nX-A: &lt;b&gt;</textarea>" in html
    assert 'name="peer" value="10.0.0.5"' in html
    assert 'name="form" value="t"' in html
    assert "no &lt;i&gt; header" in html


def test_there_is_no_box_without_its_token() -> None:
    """A frame in another page has none."""
    assert write_box(make_contents()) is None


def test_records_are_listed() -> None:
    """With time and code; a secret that got in there is masked."""
    when = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    records = [
        Record(when, "malformed", f"<b> {KEY}"),
        Record(when, "", "plain"),
    ]
    contents = replace(
        make_contents(),
        records=records,
        mask_record=lambda text: text.replace(KEY, "(not shown)"),
    )

    assert read(write_records, contents) == (
        "2026-03-01 12:00:00 UTC malformed <b> (not shown) "
        "2026-03-01 12:00:00 UTC plain"
    )


def test_no_records_are_said() -> None:
    """An empty list would look like a mistake."""
    assert read(write_records, make_contents()).startswith("None since")


def test_sections_have_headings_and_anchors() -> None:
    """Each is a landmark with a name."""
    html = join(write_sections(fill_sections(make_contents(), SECTIONS)))

    for section in ("result", "change", "way", "variables", "headers", "policy"):
        assert f'<section id="{section}" aria-labelledby="{section}-title">' in html
        assert f'<h2 id="{section}-title">' in html
