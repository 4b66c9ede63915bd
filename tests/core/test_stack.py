"""
Look through the middlewares around an application.

In:  stacks, as people build them.
Out: every part once, with the way to it; nothing of a stranger runs.
"""

from __future__ import annotations

import functools
from typing import Any

import pytest

from trustedproxy.stack import KEPT_IN, MOST, name_part, walk


def inner(*_: Any) -> None:
    """The application."""


class Keeps:
    """A middleware that keeps its application in an attribute of any name."""

    def __init__(self, name: str, app: Any) -> None:
        self.__dict__[name] = app

    def __call__(self, *_: Any) -> None:
        """Do nothing."""

    def method(self, *_: Any) -> None:
        """Do nothing."""


class Slotted:
    """A middleware that has room for its application, and for nothing else."""

    __slots__ = ("app",)

    def __init__(self, app: Any = None) -> None:
        if app is not None:
            self.app = app

    def __call__(self, *_: Any) -> None:
        """Do nothing."""


def in_closure(app: Any) -> Any:
    """Wrap *app* in a function that holds it."""

    def middleware(*args: Any) -> Any:
        return app(*args)

    return middleware


@pytest.mark.parametrize(
    "outermost",
    [
        *(Keeps(name, inner) for name in KEPT_IN),
        Keeps("app", inner).method,
        in_closure(inner),
        in_closure(in_closure(inner)),
        functools.partial(lambda app, *_: app, inner),
        functools.partial(lambda *_, app: app, app=inner),
        functools.partial(inner),
        Slotted(inner),
        Keeps("app", in_closure(Keeps("application", inner))),
    ],
)
def test_inner_application_is_found(outermost: Any) -> None:
    """However it is kept; the way to it begins outside."""
    ways = [way for way in walk(outermost) if way[-1] is inner]

    assert len(ways) == 1
    assert ways[0][0] is outermost or outermost.func is inner


def test_every_part_is_given_once() -> None:
    """A circle is gone through once."""
    first, second = Keeps("app", None), Keeps("app", None)
    first.__dict__["app"], second.__dict__["app"] = second, first

    assert [way[-1] for way in walk(first)] == [first, second]


def test_search_ends_where_it_is_asked_to() -> None:
    """What is there is neither given nor looked into."""
    stack = Keeps("app", Keeps("wsgi_app", inner))

    parts = [w[-1] for w in walk(stack, ends_at=lambda part: part is not stack)]

    assert parts == [stack]


def test_walk_is_bounded() -> None:
    """Anything may be kept in an attribute."""
    stack: Any = inner
    for _ in range(2 * MOST):
        stack = Keeps("app", stack)

    assert len(list(walk(stack))) == MOST


def test_nothing_of_a_stranger_runs() -> None:
    """Neither a property nor a `__getattr__`."""

    class Stranger:
        @property
        def app(self) -> Any:
            raise AssertionError("a property was asked")

        def __getattr__(self, name: str) -> Any:
            raise AssertionError(f"{name} was asked for")

        def __call__(self) -> None:
            """Do nothing."""

    stranger = Stranger()

    assert [way[-1] for way in walk(stranger)] == [stranger]


def test_function_whose_cell_is_empty() -> None:
    """The function around it has not assigned it yet."""

    def make() -> Any:
        def middleware() -> Any:
            return late

        yield middleware
        late = inner
        yield middleware

    outermost = next(make())

    assert [way[-1] for way in walk(outermost)] == [outermost]


@pytest.mark.parametrize("outermost", [Slotted(), Slotted])
def test_slot_that_is_empty(outermost: Any) -> None:
    """Nothing was assigned yet, or it is the class that is looked at."""
    assert [way[-1] for way in walk(outermost)] == [outermost]


@pytest.mark.parametrize(
    ("part", "name"),
    [
        (inner, "inner"),
        (Keeps("app", inner), "Keeps"),
        (Keeps("app", inner).method, "Keeps"),
        (functools.partial(inner), "inner"),
        (in_closure(inner), "in_closure.<locals>.middleware"),
    ],
)
def test_name_of_a_part(part: Any, name: str) -> None:
    """As in the code that made it."""
    assert name_part(part) == f"{__name__}.{name}"
