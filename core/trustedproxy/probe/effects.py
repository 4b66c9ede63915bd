"""
What every reader of answers asks of a request: which forged line it was.

In:  a `Trial`, and a text in which a mark may stand.
Out: the `Forgery` whose mark it is; whether an answer is a refusal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..headers import Category

if TYPE_CHECKING:
    from .records import Answer, Forgery, Trial

#: Statuses by which servers refuse a request that they do not like.
_REFUSALS = frozenset({400, 401, 403, 404, 405, 406, 421, 426, 431, 501})
# Beside a mark stands nothing that would make it a part of a longer one.
_BEGINS = "(?<![0-9A-Za-z.-])"
_ENDS = r"(?![0-9A-Za-z-]|\.[0-9A-Za-z])"


def find_forgery(trial: Trial, category: Category, text: str) -> Forgery | None:
    """Find the forged line whose mark of *category* stands in *text*."""
    found = [f for f in trial.forgeries if holds_mark(f, category, text)]
    # A scheme is the same in every line: only a single one is known to have done it.
    return found[0] if len(found) == 1 or (found and category in _DISTINCT) else None


_DISTINCT = frozenset(Category) - {Category.SCHEME}


def holds_mark(forgery: Forgery, category: Category, text: str) -> bool:
    """Say whether *text* holds what *forgery* claims of *category*."""
    mark = forgery.marks.get(category)
    if mark is None:
        return False
    if category is Category.SCHEME:
        elements = [element.strip().lower() for element in text.split(",")]
        return mark in elements or forgery.value.strip().lower() in elements
    return has_word(text, mark)


def has_word(text: str, word: str) -> bool:
    """Say whether *word* stands in *text*, and not as a part of a longer one."""
    if word not in text:
        return False
    return re.search(f"{_BEGINS}{re.escape(word)}{_ENDS}", text) is not None


def list_sent(trial: Trial, forgery: Forgery | None) -> tuple[str, ...]:
    """List the lines that did it; all of them where it is not clear which."""
    return tuple(_list_sent(trial, forgery))


def _list_sent(trial: Trial, forgery: Forgery | None) -> Iterator[str]:
    for host in trial.hosts or ():
        yield f"Host: {host}"
    if trial.origin:
        yield f"GET {trial.origin}/…"
    for each in trial.forgeries if forgery is None else (forgery,):
        if each.name != "Host":
            yield f"{each.name}: {each.value}"
    yield from (f"{name}: {value}" for name, value in trial.lines)


def is_refusal(honest: Answer, answer: Answer) -> bool:
    """Say whether the request was refused, where the honest one was not."""
    if answer.status == 0:
        # Some close the connection instead.
        return honest.status != 0
    return answer.status in _REFUSALS and answer.status != honest.status


def is_failure(honest: Answer, answer: Answer) -> bool:
    """Say whether the server failed, where it did not before."""
    return answer.status >= 500 and answer.status != 501 and honest.status < 500
