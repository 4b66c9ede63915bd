"""
What an answer shows by itself: redirects, cookies, links, texts.

In:  an `Answer` of any application.
Out: `Signs`; and the `Effect` records of a trial, by comparison with honest ones.

What differs between two honest answers says nothing.  Nor does a text that stands in
the page because the page repeats what it is sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..headers import Category
from .effects import (
    find_forgery,
    has_word,
    holds_mark,
    is_failure,
    is_refusal,
    list_sent,
)
from .records import Effect, Kind, Trick
from .targets import split_port

if TYPE_CHECKING:
    from .records import Answer, Forgery, Trial

# URLs as they stand in HTML, JSON and plain text.
_URL = re.compile(r"(?:https?:)?//[^\s\"'<>\\^`{|}]+", re.IGNORECASE)
_PATH = re.compile(
    r"(?:href|src|action|formaction)\s*=\s*[\"']?(/[^\"'\s>]*)", re.IGNORECASE
)
_LINK = re.compile(r"<([^<>]*)>")
_REFRESH = re.compile(r"url\s*=\s*[\"']?([^\"';\s]+)", re.IGNORECASE)
_HSTS = "Strict-Transport-Security"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A URL or a path in an answer, and where it stands."""

    where: str
    scheme: str = ""
    host: str = ""
    port: str = ""
    path: str = ""

    @property
    def text(self) -> str:
        """The URL as it stands there."""
        port = f":{self.port}" if self.port else ""
        origin = f"{self.scheme}://{self.host}{port}" if self.host else ""
        return f"{origin}{self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """
    What an answer shows.

    Attributes:
        answer: The answer.

        places: Its URLs and paths.

        schemes: What shows which scheme the application takes the request for.

        text: All of it, to look for marks in.
    """

    answer: Answer
    places: tuple[Place, ...]
    schemes: frozenset[str]
    text: str = field(repr=False)

    @property
    def visible(self) -> frozenset[Category]:
        """What of a request an answer like this one would show."""
        seen = set()
        if self.schemes:
            seen.add(Category.SCHEME)
        if any(place.host for place in self.places):
            seen |= {Category.HOST, Category.PORT}
        if any(place.path for place in self.places):
            seen.add(Category.MOUNT_POINT)
        return frozenset(seen)


def read_signs(answer: Answer, host: str) -> Signs:
    """
    Read what an answer shows.

    Args:
        answer: The answer.

        host: The target's own host, without a port.
    """
    body = answer.body.decode("utf-8", "replace")
    places = tuple(_list_places(answer, body.replace("\\/", "/")))
    headers = "\n".join(f"{name}: {value}" for name, value in answer.headers)
    return Signs(
        answer=answer,
        places=places,
        schemes=frozenset(_list_schemes(answer, places, host)),
        text=f"{headers}\n\n{body}",
    )


def _list_places(answer: Answer, body: str) -> Iterator[Place]:
    for name in ("Location", "Content-Location"):
        for value in answer.list_values(name):
            yield from _split(name, value)
    for value in answer.list_values("Link"):
        for url in _LINK.findall(value):
            yield from _split("Link", url)
    for value in answer.list_values("Refresh"):
        for url in _REFRESH.findall(value):
            yield from _split("Refresh", url)
    for name, domain, path, _ in _list_cookies(answer):
        yield Place(where=f"the cookie {name}", host=domain.lstrip("."), path=path)
    for url in _URL.findall(body):
        yield from _split("the page", url)
    for path in _PATH.findall(body):
        if not path.startswith("//"):
            yield Place(where="the page", path=path)


def _split(where: str, url: str) -> Iterator[Place]:
    try:
        parts = urlsplit(url.strip().replace("\\", "/"))
        host = parts.hostname or ""
        port = split_port(parts.netloc)[1]
    except ValueError:
        return
    if host or parts.path.startswith("/"):
        yield Place(
            where=where,
            scheme=parts.scheme.lower(),
            host=host,
            port=port,
            path=parts.path,
        )


def _list_cookies(answer: Answer) -> Iterator[tuple[str, str, str, bool]]:
    """List name, domain, path, and whether each is for secure connections."""
    for line in answer.list_values("Set-Cookie"):
        try:
            cookies = SimpleCookie(line)
        except CookieError:
            continue
        for name, morsel in cookies.items():
            yield name, morsel["domain"], morsel["path"], bool(morsel["secure"])


def _list_schemes(
    answer: Answer, places: tuple[Place, ...], host: str
) -> Iterator[str]:
    for place in places:
        if place.scheme and place.host == host.strip("[]").lower():
            yield f"{place.where} has {place.scheme}://{host}"
    for name, _, _, secure in _list_cookies(answer):
        yield f"the cookie {name} is {'' if secure else 'not '}Secure"
    if answer.list_values(_HSTS):
        yield f"{_HSTS} is sent"


def compare_signs(
    trial: Trial, honest: tuple[Signs, ...], echo: Signs | None, now: Signs
) -> list[Effect]:
    """
    Say what a trial did.

    Args:
        trial: The trial.

        honest: Answers to honest requests.

        echo: The answer to a line that means nothing; ``None`` where there is none.

        now: The answer to the trial.
    """
    if is_failure(honest[0].answer, now.answer):
        return [_make(Kind.FAILED, None, trial, None, f"status {now.answer.status}")]
    if _rewrites_path(trial, honest[0], now):
        forgery = trial.forgeries[0]
        seen = f"status {honest[0].answer.status} → {now.answer.status}"
        return [_make(Kind.TAKEN, Category.OTHER, trial, forgery, seen)]
    if is_refusal(honest[0].answer, now.answer):
        return [Effect(kind=Kind.REFUSED)]
    return [
        *_compare_places(trial, now),
        *_compare_schemes(trial, honest, now),
        *_compare_texts(trial, now, repeats=echo is not None and _repeats(echo)),
        *_compare_status(trial, honest[0], now),
    ]


#: A header that means nothing to anybody; who shows its value repeats what it is sent.
ECHO = "Trustedproxy-Probe-Echo"
ECHOED = "an-echo-of-the-probe"


def _repeats(echo: Signs) -> bool:
    return ECHOED in echo.text


_NO_SUCH_PAGE = frozenset({404, 405, 501})


def _rewrites_path(trial: Trial, honest: Signs, now: Signs) -> bool:
    """Say whether another page came than the one that was asked for."""
    asks = len(trial.forgeries) == 1 and Category.OTHER in trial.forgeries[0].marks
    status = now.answer.status
    return asks and status != honest.answer.status and status in _NO_SUCH_PAGE


def _compare_places(trial: Trial, now: Signs) -> Iterator[Effect]:
    """Look for forged hosts, ports and mount points in URLs."""
    for place in now.places:
        for category, part in (
            (Category.HOST, place.host),
            (Category.SERVER, place.host),
            (Category.PORT, place.port),
            (Category.MOUNT_POINT, _take_first(place.path)),
        ):
            if trial.hosts is not None and category is Category.PORT:
                # No list of hosts says anything about ports.
                continue
            forgery = find_forgery(trial, category, part)
            if forgery is not None:
                served = category is Category.HOST and trial.hosts is not None
                yield _make(
                    Kind.SERVED if served else Kind.TAKEN,
                    category,
                    trial,
                    forgery,
                    f"{place.where} has {place.text}",
                )


def _take_first(path: str) -> str:
    """Take the first segment of a path, with its slash."""
    return "/" + path.lstrip("/").partition("/")[0]


def _compare_schemes(
    trial: Trial, honest: tuple[Signs, ...], now: Signs
) -> Iterator[Effect]:
    """Look for signs of another scheme, where one was forged or taken away."""
    forged = [f for f in trial.forgeries if Category.SCHEME in f.marks]
    if not forged and trial.trick is not Trick.CONNECTION:
        return
    always = frozenset.intersection(*(each.schemes for each in honest))
    ever = frozenset().union(*(each.schemes for each in honest))
    gone, moved = always - now.schemes, _list_moved(honest, now)
    led_away = frozenset(s for p in moved for s in _list_signs_at(p.where, gone))
    signs = [(Category.SCHEME, sign) for sign in sorted(now.schemes - ever)]
    signs += [
        (Category.SCHEME, f"{place.where} has {place.text}")
        for place in moved
        if _has_another_scheme(trial, place, gone, ever)
    ]
    signs += [(Category.SCHEME, f"no more: {sign}") for sign in sorted(gone - led_away)]
    lost = trial.trick is Trick.CONNECTION
    if lost:
        signs += [(Category.HOST, f"no more: {sign}") for sign in sorted(led_away)]
    # The first of each category is enough.
    for category, sign in dict(reversed(signs)).items():
        yield _make(
            Kind.LOST if lost else Kind.TAKEN,
            category,
            trial,
            forged[0] if len(forged) == 1 else None,
            sign,
        )


def _list_moved(honest: tuple[Signs, ...], now: Signs) -> list[Place]:
    """
    List the URLs that lead to a host to which none led from there before.

    That the own ones are gone then says something of the host, and nothing of the
    scheme.
    """
    known = {(place.where, place.host) for each in honest for place in each.places}
    return [
        place
        for place in now.places
        if place.host and (place.where, place.host) not in known
    ]


def _has_another_scheme(
    trial: Trial, place: Place, gone: frozenset[str], ever: frozenset[str]
) -> bool:
    """Say whether a URL stands where one of the own was, with another scheme."""
    is_forged = any(
        find_forgery(trial, category, place.host)
        for category in (Category.HOST, Category.SERVER)
    )
    # A link to somebody else has a scheme of its own.
    if not place.scheme or not (is_forged or trial.trick is Trick.CONNECTION):
        return False
    stood = frozenset(_list_signs_at(place.where, ever))
    same = f"{place.where} has {place.scheme}://"
    return bool(stood & gone) and not any(sign.startswith(same) for sign in stood)


def _list_signs_at(where: str, signs: frozenset[str]) -> Iterator[str]:
    """List the signs that are URLs at one place."""
    return (sign for sign in signs if sign.startswith(f"{where} has "))


def _compare_texts(trial: Trial, now: Signs, *, repeats: bool) -> Iterator[Effect]:
    """Look for forged texts in the page, unless it repeats whatever it is sent."""
    if repeats:
        return
    for forgery in trial.forgeries:
        client = forgery.marks.get(Category.CLIENT)
        # A page that shows its host shows what stands in it.
        if client is None or trial.hosts is not None:
            client = ""
        if client and has_word(now.text, client):
            yield _make(
                Kind.TAKEN, Category.CLIENT, trial, forgery, f"the answer has {client}"
            )
        for category in (Category.HOST, Category.SERVER, Category.OTHER):
            if _is_shown(forgery, category, now):
                yield _make(
                    Kind.SHOWN,
                    category,
                    trial,
                    forgery,
                    f"the answer has {forgery.marks[category]}",
                )


def _is_shown(forgery: Forgery, category: Category, now: Signs) -> bool:
    used = any(holds_mark(forgery, category, place.host) for place in now.places)
    return not used and holds_mark(forgery, category, now.text)


def _compare_status(trial: Trial, honest: Signs, now: Signs) -> Iterator[Effect]:
    """Say whether a rule that refuses was passed."""
    before, after = honest.answer.status, now.answer.status
    if (
        trial.forgeries
        and trial.hosts is None
        and before in (401, 403, 404)
        and after < 400
    ):
        category = next(iter(trial.forgeries[0].marks), Category.CLIENT)
        forgery = trial.forgeries[0] if len(trial.forgeries) == 1 else None
        yield _make(Kind.TAKEN, category, trial, forgery, f"status {before} → {after}")


def _make(
    kind: Kind,
    category: Category | None,
    trial: Trial,
    forgery: Forgery | None,
    seen: str,
) -> Effect:
    return Effect(
        kind=kind,
        category=category,
        header="" if forgery is None else forgery.header,
        sent=list_sent(trial, forgery),
        seen=seen,
    )
