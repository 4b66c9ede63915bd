"""
Look at the other middlewares around a Flask application.

In:  the outermost WSGI application of a Flask application.
Out: what stands around this extension or inside of it, Werkzeug's ProxyFix above all
     (rule R16).

How a stack is looked through is `trustedproxy.stack`'s business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from trustedproxy.stack import walk

if TYPE_CHECKING:
    from collections.abc import Iterator


def is_flask(part: object) -> bool:
    """Say whether *part* of a stack is a Flask application, which is not entered."""
    return isinstance(part, Flask)


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
    for way in walk(outermost, ends_at=is_flask):
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
    for way in walk(outermost, ends_at=is_flask):
        if way[-1] is part:
            return way[:-1]
    return [outermost]
