"""
Look through the middlewares around an application.

In:  the outermost application, WSGI or ASGI.
Out: every part of the stack, with the way to it.

Nothing is called and nothing changed: only what a middleware keeps is looked at, in
the attributes that middlewares keep their application in, and in closures.
"""

from __future__ import annotations

import functools
import inspect
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: The attributes in which middlewares keep the application that they wrap.
KEPT_IN = (
    "app",
    "wsgi_app",
    "asgi_app",
    "application",
    "wrapped",
    "inner",
    "proxied",
    "_app",
    "__wrapped__",
)

#: No sane stack is higher; a bound, since anything may be kept in an attribute.
MOST = 64


def walk(
    outermost: object, *, ends_at: Callable[[object], bool] = lambda part: False
) -> Iterator[list[object]]:
    """
    Give every part of a stack once, with the way to it: the outermost, …, the part.

    Args:
        outermost: The application that the server is given.

        ends_at: Says of a part that it is not to be given, nor looked into.
    """
    waiting: list[list[object]] = [[outermost]]
    seen: set[int] = set()
    while waiting and len(seen) < MOST:
        way = waiting.pop(0)
        part = way[-1]
        if id(part) in seen or ends_at(part):
            continue
        seen.add(id(part))
        yield way
        waiting += [[*way, kept] for kept in _kept_by(part) if callable(kept)]


def name_part(part: Any) -> str:
    """Name a *part* of a stack, as in the code that made it."""
    if inspect.ismethod(part):
        part = part.__self__
    elif isinstance(part, functools.partial):
        part = part.func
    named = part if inspect.isfunction(part) else type(part)
    return f"{named.__module__}.{named.__qualname__}"


def _kept_by(part: object) -> list[Any]:
    # `getattr_static` runs no property and no `__getattr__` of a stranger.
    kept = [_fill(inspect.getattr_static(part, name, None), part) for name in KEPT_IN]
    if inspect.ismethod(part):
        kept += [part.__self__, part.__func__]
    elif isinstance(part, functools.partial):
        kept += [part.func, *part.args, *part.keywords.values()]
    elif inspect.isfunction(part):
        for cell in part.__closure__ or ():
            # A cell is empty while the function around it has not assigned it yet.
            try:
                kept.append(cell.cell_contents)
            except ValueError:
                continue
    return kept


def _fill(found: Any, part: object) -> Any:
    """Give what is in the slot that was *found*; anything else is there already."""
    if not inspect.ismemberdescriptor(found):
        return found
    # Nothing is in it yet, or the part is the class.
    with suppress(AttributeError, TypeError):
        return found.__get__(part)
    return None
