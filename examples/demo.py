"""
Show what a proxy does to a web application, and what the policy does about it.

In:  nothing.  A Django and a Flask application are started on gunicorn, each once
     without and once with the policy, and get the same requests over real sockets.
Out: a table made of what they answered.  The exit status is 0 if each value is right.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table
from rich.text import Text
from servers import gunicorn, serve

PROXY = "127.0.0.1"
STRANGER = "127.0.0.2"
HOST = "shop.internal"
APPLICATIONS = {"Django": "demo_django:application", "Flask": "demo_flask:app"}

INTRODUCTION = f"""\
A web application behind a proxy talks to the proxy, not to the visitor.  Each
request seems to come from the proxy's address, over plain http, for an internal
host name.  The proxy writes the truth into headers such as X-Forwarded-For.  But
a visitor can write the same headers, and an application that trusts them
trusts anybody.

Here {PROXY} plays the trusted proxy and {STRANGER} plays a stranger who reached
the application's own port.  Both applications say who the visitor is, and what a
link to their page "orders" looks like.  "Header says" is whom a header still
names besides, for the next piece of code that looks there by itself: a rate
limiter, say, or a log.  "Why" calls the visitor the client, whoever opened the
connection to the application its peer, and each machine on the way a hop.

Every value below is what the applications answered.
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What an application sees.

    Attributes:
        client: Who it takes the visitor for.
        link: The address of its own page, as it would write it into a mail.
        claims: Other clients that headers still claim, for other code to trust.
        reason: Why, in the words of the decision; ``None`` without a policy.
    """

    client: str
    link: str
    claims: tuple[str, ...]
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """
    One request, in words.

    Attributes:
        title: Who asks for what.
        source: The address from which the request reaches the application.
        headers: The proxy headers in it.
        without: What is seen without the policy.
        trusted: What is seen with the policy.
    """

    title: str
    source: str
    headers: dict[str, str]
    without: Answer
    trusted: Answer


INSIDE = f"http://{HOST}/orders"
OUTSIDE = "https://shop.example/orders"
FROM_PROXY = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "shop.example"}

STORIES = (
    Story(
        "A visitor comes through the proxy.",
        PROXY,
        {"X-Forwarded-For": "203.0.113.7", **FROM_PROXY},
        Answer(PROXY, INSIDE, ("203.0.113.7",)),
        Answer(
            "203.0.113.7",
            OUTSIDE,
            ("203.0.113.7",),
            "the client is the nearest hop that is not a trusted proxy",
        ),
    ),
    Story(
        "A liar comes through the proxy, which adds the real address on the right.",
        PROXY,
        {"X-Forwarded-For": "10.0.0.1, 203.0.113.66", **FROM_PROXY},
        Answer(PROXY, INSIDE, ("10.0.0.1, 203.0.113.66",)),
        Answer(
            "203.0.113.66",
            OUTSIDE,
            ("203.0.113.66",),
            "the client is the nearest hop that is not a trusted proxy",
        ),
    ),
    Story(
        "A liar tries another name, which the proxy lets through as it is.",
        PROXY,
        {"X-Forwarded-For": "203.0.113.66", "X-Real-IP": "10.0.0.1", **FROM_PROXY},
        Answer(PROXY, INSIDE, ("10.0.0.1", "203.0.113.66")),
        Answer(
            "203.0.113.66",
            OUTSIDE,
            ("203.0.113.66",),
            "the client is the nearest hop that is not a trusted proxy",
        ),
    ),
    Story(
        "A stranger goes around the proxy and forges everything.",
        STRANGER,
        {
            "X-Forwarded-For": "127.0.0.1",
            "X-Real-IP": "127.0.0.1",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "evil.example",
        },
        Answer(STRANGER, INSIDE, ("127.0.0.1", "127.0.0.1")),
        Answer(STRANGER, INSIDE, (), "the peer is not a trusted proxy"),
    ),
    Story(
        "The proxy shows the application below /shop.",
        PROXY,
        {
            "X-Forwarded-For": "2001:db8::7",
            "X-Forwarded-Prefix": "/shop",
            **FROM_PROXY,
        },
        Answer(PROXY, INSIDE, ("2001:db8::7",)),
        Answer(
            "2001:db8::7",
            "https://shop.example/shop/orders",
            ("2001:db8::7",),
            "the client is the nearest hop that is not a trusted proxy",
        ),
    ),
    Story(
        "The proxy's own health check: no header at all.",
        PROXY,
        {},
        Answer(PROXY, INSIDE, ()),
        Answer(
            PROXY,
            INSIDE,
            (),
            "a trusted proxy sent none of the trusted client headers",
        ),
    ),
)


@contextmanager
def start_applications() -> Iterator[dict[tuple[str, bool], int]]:
    """Start each application twice: (name, with the policy) → its port."""
    with ExitStack() as servers:
        yield {
            (name, policy): servers.enter_context(
                serve(gunicorn(place), {"DEMO_POLICY": "on"} if policy else {})
            )
            for name, place in APPLICATIONS.items()
            for policy in (False, True)
        }


def ask(port: int, story: Story) -> Answer:
    """Send the story's request from the story's address."""
    transport = httpx.HTTPTransport(local_address=story.source)
    with httpx.Client(transport=transport, timeout=10, trust_env=False) as client:
        answer: dict[str, Any] = (
            client.get(
                f"http://127.0.0.1:{port}/orders",
                headers={"Host": HOST, **story.headers},
            )
            .raise_for_status()
            .json()
        )
    return Answer(
        answer["client"], answer["link"], tuple(answer["claims"]), answer["reason"]
    )


def show(answer: Answer, expected: Answer, *, good: str) -> Text:
    """Write an answer down, and what it should have been where it is wrong."""
    text = Text()
    text.append(f"{answer.client}\n{answer.link}", style=good)
    others = [claim for claim in answer.claims if claim != answer.client]
    if others:
        text.append(f"\nheader says: {'; '.join(others)}", style="yellow")
    if answer != expected:
        text.append(f"\nWRONG, expected {expected}", style="bold red")
    return text


def describe_request(story: Story) -> Text:
    """Write a request down: from where, for which host, with which proxy headers."""
    who = "the proxy" if story.source == PROXY else "a stranger"
    text = Text(f"{story.title}\n", style="bold")
    text.append(f"from {story.source} ({who})", style="not bold")
    for name, value in {"Host": HOST, **story.headers}.items():
        text.append(f"\n{name}: {value}", style="not bold dim")
    return text


def main() -> int:
    """Ask both applications, with and without the policy, and print the table."""
    console = Console(width=None if sys.stdout.isatty() else 150)
    console.print(INTRODUCTION, highlight=False)
    title = "The same requests, without and with a policy"
    table = Table(show_lines=True, expand=True, title=title)
    table.add_column("What was sent", ratio=9, overflow="fold")
    table.add_column("To", no_wrap=True)
    table.add_column("Seen without", ratio=7, overflow="fold")
    table.add_column("Seen with the policy", ratio=7, overflow="fold")
    table.add_column("Why", ratio=5)

    right = wrong = 0
    with start_applications() as ports:
        for story in STORIES:
            for name in APPLICATIONS:
                without = ask(ports[name, False], story)
                trusted = ask(ports[name, True], story)
                for actual, expected in (
                    (without, story.without),
                    (trusted, story.trusted),
                ):
                    right += actual == expected
                    wrong += actual != expected
                table.add_row(
                    describe_request(story) if name == "Django" else "the same",
                    name,
                    show(without, story.without, good="default"),
                    show(trusted, story.trusted, good="green"),
                    trusted.reason or "",
                )
    console.print(table)
    console.print(
        "\nWithout a policy whoever comes through the proxy seems to be the proxy, "
        "links are wrong, and headers\ntell truth and lies side by side.  With it each "
        "value is right, and no lie is left in a header.\n",
        highlight=False,
    )
    console.print(
        f"{right} answers right, {wrong} wrong.",
        style="bold green" if not wrong else "bold red",
        highlight=False,
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
