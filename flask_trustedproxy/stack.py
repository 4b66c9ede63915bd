"""
Look at the other middlewares around a Flask application.

In:  the outermost WSGI application of a Flask application.
Out: what stands around this extension or inside of it, Werkzeug's ProxyFix above all
     (rule R16).

Nothing is called and nothing changed: only what a middleware keeps is looked at, in
the attributes that middlewares keep their application in, and in closures.
"""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The attributes in which middlewares keep the application that they wrap.
KEPT_IN = ("app", "wsgi_app", "application", "wrapped", "_app", "__wrapped__")

#: No sane stack is higher; a bound, since anything may be kept in an attribute.
MOST = 64


def is_proxy_fix(part: object) -> bool:
    """Say whether *part* of a stack is Werkzeug's ProxyFix."""
    return isinstance(part, ProxyFix)


def walk_stack(outermost: object, *, until: object = None) -> Iterator[object]:
    """
    Go through the stack of middlewares, from the *outermost* inwards.

    Args:
        outermost: A WSGI application.

        until: The part to stop at; it is not part of the result.

    Returns:
        Every part once. The walk does not enter a Flask application.
    """
    for way in _walk(outermost):
        if any(part is until for part in way):
            continue
        yield way[-1]


def find_way(outermost: object, part: object) -> list[object]:
    """
    List what stands between the *outermost* application and *part*, the former first.

    Returns:
        An empty list where *part* is the outermost; the outermost alone where it hides
        what it keeps.
    """
    for way in _walk(outermost):
        if way[-1] is part:
            return way[:-1]
    return [outermost]


def name_part(part: Any) -> str:
    """Name a *part* of a stack, as in the code that made it."""
    if inspect.ismethod(part):
        part = part.__self__
    elif isinstance(part, functools.partial):
        part = part.func
    named = part if inspect.isfunction(part) else type(part)
    return f"{named.__module__}.{named.__qualname__}"


def _walk(outermost: object) -> Iterator[list[object]]:
    """Give every part with the way to it: the outermost, …, the part."""
    waiting: list[list[object]] = [[outermost]]
    seen: set[int] = set()
    while waiting and len(seen) < MOST:
        way = waiting.pop(0)
        part = way[-1]
        if id(part) in seen or isinstance(part, Flask):
            continue
        seen.add(id(part))
        yield way
        waiting += [[*way, kept] for kept in _kept_by(part) if callable(kept)]


def _kept_by(part: object) -> list[Any]:
    # `getattr_static` runs no property and no `__getattr__` of a stranger.
    kept = [inspect.getattr_static(part, name, None) for name in KEPT_IN]
    if inspect.ismethod(part):
        kept += [part.__self__, part.__func__]
    elif isinstance(part, functools.partial):
        kept += [part.func, *part.args]
    elif inspect.isfunction(part):
        for cell in part.__closure__ or ():
            # A cell is empty while the function around it has not assigned it yet.
            try:
                kept.append(cell.cell_contents)
            except ValueError:
                continue
    return kept
