"""
The mark on views that may be reached over plain HTTP, for frameworks.

In:  a view, of whatever framework.
Out: the same view, marked; and whether one is.
"""

from __future__ import annotations

from typing import TypeVar

_MARK = "trustedproxy_https_exempt"
View = TypeVar("View")


def https_exempt(view: View) -> View:
    """Let a *view* be reached over plain HTTP (a decorator)."""
    setattr(view, _MARK, True)
    return view


def is_https_exempt(view: object) -> bool:
    """Say whether a *view* was marked by `https_exempt`."""
    return getattr(view, _MARK, False) is True
