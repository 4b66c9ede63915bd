"""
What answers show by themselves: where marks are looked for, and what is no sign.
"""

from __future__ import annotations

import pytest

from trustedproxy.headers import Category
from trustedproxy.probe.effects import has_word, is_failure, is_refusal
from trustedproxy.probe.records import Answer, Effect, Forgery, Kind, Line, Trial, Trick
from trustedproxy.probe.signs import ECHOED, Signs, compare_signs, read_signs

OWN = "www.example.com"
MARKS = {
    Category.CLIENT: "198.51.100.7",
    Category.SCHEME: "https",
    Category.HOST: "h1-x.example",
    Category.SERVER: "h2-x.example",
    Category.PORT: "45678",
    Category.MOUNT_POINT: "/p1-x",
    Category.OTHER: "/p2-x",
}


def make_trial(*categories: Category, trick: Trick = Trick.HEADER) -> Trial:
    """Forge one line for each category."""
    return Trial(
        trick=trick,
        forgeries=tuple(
            Forgery(
                name=f"X-{category.name}",
                value=MARKS[category],
                header=f"X-{category.name}",
                marks={category: MARKS[category]},
            )
            for category in categories
        ),
    )


def make_signs(*headers: Line, body: str = "", status: int = 200) -> Signs:
    """Read the signs of an answer."""
    answer = Answer(status=status, headers=headers, body=body.encode())
    return read_signs(answer, OWN)


def compare(
    trial: Trial, honest: Signs, now: Signs, echo: Signs | None = None
) -> list[Effect]:
    """Compare with two honest answers that are the same."""
    return compare_signs(trial, (honest, honest), echo, now)


PLACES = [
    (("Location", "https://h1-x.example/there"), "", Category.HOST),
    (("Location", "//h1-x.example/there"), "", Category.HOST),
    (("Location", "/\\h1-x.example/there"), "", Category.HOST),
    (("Content-Location", "http://h1-x.example/"), "", Category.HOST),
    (("Link", "<https://h1-x.example/>; rel=canonical"), "", Category.HOST),
    (("Refresh", "0; url=https://h1-x.example/"), "", Category.HOST),
    (("Set-Cookie", "a=b; Domain=.h1-x.example"), "", Category.HOST),
    (("X", ""), '<a href="http://h1-x.example/x">', Category.HOST),
    (("X", ""), '{"next": "https:\\/\\/h1-x.example\\/2"}', Category.HOST),
    (("X", ""), '<img src="//h2-x.example/x">', Category.SERVER),
    (("X", ""), '<a href="http://www.example.com:45678/x">', Category.PORT),
    (("Location", "/p1-x/there"), "", Category.MOUNT_POINT),
    (("Set-Cookie", "a=b; Path=/p1-x"), "", Category.MOUNT_POINT),
    (("X", ""), "<form action='/p1-x/login'>", Category.MOUNT_POINT),
    (("X", ""), "http://www.example.com/p1-x/there", Category.MOUNT_POINT),
    (("X-Your-Address", "198.51.100.7"), "", Category.CLIENT),
    (("X", ""), "You are 198.51.100.7.", Category.CLIENT),
]


@pytest.mark.parametrize(("header", "body", "category"), PLACES)
def test_mark_is_found_wherever_answers_have_it(
    header: Line, body: str, category: Category
) -> None:
    """In URLs of headers and pages, in cookies, in text where that is enough."""
    effects = compare(make_trial(category), make_signs(), make_signs(header, body=body))

    assert [(e.kind, e.category) for e in effects] == [(Kind.TAKEN, category)]
    assert effects[0].header == f"X-{category.name}"
    assert effects[0].seen


@pytest.mark.parametrize(
    ("header", "body"),
    [
        (("Location", "http://[h1-x.example/"), ""),
        (("Location", "there"), ""),
        (("Set-Cookie", "a/b=1; Domain=h1"), ""),
        (("X", ""), "198.51.100.77 and 1198.51.100.7 and 198.51.100.7.9"),
        (("X", ""), "//h10-x.example/ and /p1-xy/"),
    ],
)
def test_text_that_only_resembles_a_mark_is_none(header: Line, body: str) -> None:
    """Nor is what cannot be read."""
    trial = make_trial(Category.CLIENT, Category.HOST, Category.MOUNT_POINT)

    effects = compare(trial, make_signs(), make_signs(header, body=body))

    assert {effect.kind for effect in effects} <= {Kind.SHOWN}


def test_host_in_plain_text_is_shown_and_not_used() -> None:
    """A sign that it is read, and no link."""
    now = make_signs(body="No such site: h1-x.example")

    [effect] = compare(make_trial(Category.HOST), make_signs(), now)

    assert (effect.kind, effect.category) == (Kind.SHOWN, Category.HOST)


def test_page_that_repeats_what_it_is_sent_shows_nothing() -> None:
    """It has a header that means nothing, too."""
    echo = make_signs(body=f"your headers: {ECHOED}")
    now = make_signs(body="your headers: 198.51.100.7 h1-x.example")
    trial = make_trial(Category.CLIENT, Category.HOST)

    assert compare(trial, make_signs(), now, echo) == []
    assert len(compare(trial, make_signs(), now, make_signs())) == 2


SCHEMES = [
    (
        make_signs(("Set-Cookie", "a=b")),
        make_signs(("Set-Cookie", "a=b; Secure")),
    ),
    (make_signs(), make_signs(("Strict-Transport-Security", "max-age=1"))),
    (
        make_signs(body=f"http://{OWN}/x"),
        make_signs(body=f"https://{OWN}/x"),
    ),
    (
        make_signs(("Location", f"https://{OWN}/"), status=301),
        make_signs(),
    ),
]


@pytest.mark.parametrize(("honest", "now"), SCHEMES)
@pytest.mark.parametrize("trick", [Trick.HEADER, Trick.CONNECTION])
def test_other_scheme_is_seen_by_its_signs(
    honest: Signs, now: Signs, trick: Trick
) -> None:
    """In cookies, HSTS, links, and a redirect that is gone; or taken away."""
    categories = [Category.SCHEME] if trick is Trick.HEADER else []

    [effect] = compare(make_trial(*categories, trick=trick), honest, now)

    kind = Kind.TAKEN if trick is Trick.HEADER else Kind.LOST
    assert (effect.kind, effect.category) == (kind, Category.SCHEME)


def test_other_scheme_is_no_sign_where_none_was_forged() -> None:
    """A cookie that comes and goes by itself."""
    honest, now = SCHEMES[0]

    assert compare(make_trial(Category.CLIENT), honest, now) == []


MOVED = [
    (("Location", f"http://{OWN}/a"), "", ("Location", "http://h1-x.example/a"), ""),
    (("X", ""), f"http://{OWN}/a", ("X", ""), "http://h1-x.example/a"),
]


@pytest.mark.parametrize(("header", "body", "header_now", "body_now"), MOVED)
def test_url_of_another_host_says_nothing_of_the_scheme(
    header: Line, body: str, header_now: Line, body_now: str
) -> None:
    """The own one is not there any more because the host was forged."""
    honest = make_signs(header, body=body)
    now = make_signs(header_now, body=body_now)

    effects = compare(make_trial(Category.SCHEME, Category.HOST), honest, now)

    assert [(e.kind, e.category) for e in effects] == [(Kind.TAKEN, Category.HOST)]


@pytest.mark.parametrize(("header", "body", "header_now", "body_now"), MOVED)
def test_url_of_another_host_shows_a_scheme_that_was_forged_with_it(
    header: Line, body: str, header_now: Line, body_now: str
) -> None:
    """Where the own one stood, the host and the scheme are the forged ones."""
    secure = (header_now[0], header_now[1].replace("http:", "https:"))
    honest = make_signs(header, body=body)
    now = make_signs(secure, body=body_now.replace("http:", "https:"))

    effects = compare(make_trial(Category.SCHEME, Category.HOST), honest, now)

    found = {e.category: (e.kind, e.header) for e in effects}
    assert found == {
        Category.HOST: (Kind.TAKEN, "X-HOST"),
        Category.SCHEME: (Kind.TAKEN, "X-SCHEME"),
    }
    assert all("has https://h1-x.example/a" in effect.seen for effect in effects)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # The own one had both.
        (f"http://{OWN}/ https://{OWN}/", "https://h1-x.example/"),
        # It has none of its own.
        (f"http://{OWN}/", "//h1-x.example/"),
        # A link to somebody else, which comes and goes by itself.
        (f"http://{OWN}/", "http://h1-x.example/ https://elsewhere.example/"),
        # There is none of the own ones that it would stand for.
        ("http://other.example/", "https://h1-x.example/"),
    ],
)
def test_url_of_another_host_that_shows_no_scheme(before: str, after: str) -> None:
    """The host is all that was forged."""
    trial = make_trial(Category.SCHEME, Category.HOST)

    effects = compare(trial, make_signs(body=before), make_signs(body=after))

    assert [(e.kind, e.category) for e in effects] == [(Kind.TAKEN, Category.HOST)]


def test_cookie_shows_the_scheme_beside_a_forged_host() -> None:
    """It says nothing of the host."""
    honest = make_signs(("Location", f"http://{OWN}/"), ("Set-Cookie", "a=b"))
    now = make_signs(
        ("Location", "https://h1-x.example/"), ("Set-Cookie", "a=b; Secure")
    )

    effects = compare(make_trial(Category.SCHEME, Category.HOST), honest, now)

    assert {(e.kind, e.category) for e in effects} == {
        (Kind.TAKEN, Category.HOST),
        (Kind.TAKEN, Category.SCHEME),
    }


def test_host_that_is_taken_away_is_lost() -> None:
    """The URL leads to the server itself, where the client had its header removed."""
    honest = make_signs(("Location", f"https://{OWN}/"))
    now = make_signs(("Location", "https://backend:8000/"))

    [effect] = compare(make_trial(trick=Trick.CONNECTION), honest, now)

    assert (effect.kind, effect.category) == (Kind.LOST, Category.HOST)


def test_host_and_scheme_are_taken_away_together() -> None:
    """The URL is the server's own altogether."""
    honest = make_signs(("Location", f"https://{OWN}/"))
    now = make_signs(("Location", "http://backend:8000/"))

    effects = compare(make_trial(trick=Trick.CONNECTION), honest, now)

    assert {(e.kind, e.category) for e in effects} == {
        (Kind.LOST, Category.SCHEME),
        (Kind.LOST, Category.HOST),
    }


def test_what_differs_between_honest_answers_is_no_sign() -> None:
    """Nor is a link to somebody else."""
    one, other = make_signs(("Set-Cookie", "a=b")), make_signs(("Set-Cookie", "c=d"))
    now = make_signs(("Set-Cookie", "c=d"), body="https://elsewhere.example/")

    assert compare_signs(make_trial(Category.SCHEME), (one, other), None, now) == []


def test_scheme_of_several_lines_is_nobodys() -> None:
    """All say the same, so that the run splits them."""
    honest, now = SCHEMES[0]
    trial = make_trial(Category.SCHEME)
    twice = Trial(trick=Trick.HEADER, forgeries=trial.forgeries * 2)

    [effect] = compare(twice, honest, now)

    assert effect.header == ""


@pytest.mark.parametrize("status", [401, 403, 404])
def test_rule_that_refuses_is_passed(status: int) -> None:
    """With an address that the rule lets in."""
    trial = Trial(
        trick=Trick.HEADER,
        forgeries=(Forgery(name="X", value="127.0.0.1", header="X", marks={}),),
    )

    [effect] = compare(trial, make_signs(status=status), make_signs())

    assert (effect.kind, effect.category) == (Kind.TAKEN, Category.CLIENT)
    assert effect.seen == f"status {status} → 200"


def test_rule_that_several_lines_pass_is_nobodys() -> None:
    """The run splits them."""
    trial = make_trial(Category.HOST, Category.CLIENT)

    [effect] = compare(trial, make_signs(status=403), make_signs())

    assert effect.header == ""


@pytest.mark.parametrize("status", [404, 405, 501])
def test_other_page_is_seen_by_its_status(status: int) -> None:
    """Where one line asks for another path or method."""
    trial = make_trial(Category.OTHER)

    [effect] = compare(trial, make_signs(), make_signs(status=status))
    [refused] = compare(
        make_trial(Category.HOST), make_signs(), make_signs(status=status)
    )

    assert (effect.kind, effect.category) == (Kind.TAKEN, Category.OTHER)
    assert refused.kind is Kind.REFUSED


def test_host_that_was_asked_for_is_served() -> None:
    """A link to it; the port that a client puts there is nobody's mistake."""
    trial = Trial(
        trick=Trick.HOST,
        forgeries=(Forgery(name="Host", value="", header="", marks=dict(MARKS)),),
        hosts=("h1-x.example",),
    )
    now = make_signs(body="http://h1-x.example:45678/ for 198.51.100.7")

    [effect] = compare(trial, make_signs(), now)

    assert (effect.kind, effect.category) == (Kind.SERVED, Category.HOST)


def test_visible_is_what_an_honest_answer_shows() -> None:
    """Nothing is closed because nothing was to be seen."""
    assert make_signs(body="hello").visible == frozenset()
    assert make_signs(("Location", "/there")).visible == {Category.MOUNT_POINT}
    assert make_signs(body=f"https://{OWN}/").visible == {
        Category.SCHEME,
        Category.HOST,
        Category.PORT,
        Category.MOUNT_POINT,
    }


def test_word_is_one_only_where_nothing_is_joined_to_it() -> None:
    """A full stop behind it ends a sentence, and begins a longer name elsewhere."""
    assert has_word("at 192.0.2.1.", "192.0.2.1")
    assert has_word("192.0.2.1:80", "192.0.2.1")
    assert not has_word("192.0.2.1.2", "192.0.2.1")
    assert not has_word("a192.0.2.1", "192.0.2.1")


@pytest.mark.parametrize(
    ("before", "after", "refused", "failed"),
    [
        (200, 400, True, False),
        (200, 0, True, False),
        (0, 0, False, False),
        (404, 404, False, False),
        (200, 502, False, True),
        (500, 502, False, False),
        (200, 501, True, False),
        (200, 301, False, False),
    ],
)
def test_refusal_and_failure_are_seen_by_the_status(
    before: int, after: int, refused: bool, failed: bool
) -> None:
    """Compared with the honest answer."""
    honest, answer = Answer(status=before), Answer(status=after)

    assert is_refusal(honest, answer) == refused
    assert is_failure(honest, answer) == failed
