"""
A page that shows what the application sees, and why: the way of a request in a picture.

In:  `Settings`, what is known of the framework, the secret that tokens are signed with.
Out: `Page`, to mount or to put around an application; the places where used tokens are
     kept, `FileUses` and `MemoryUses`.

Nothing of it is loaded before it is asked for.  Reading order: `page` (who sees what),
`tokens`, `visits` and `restoring` (a request for the page, and the one that it shows),
then what is shown: `document`, `sections`, `picture`, `markup`.  What is concluded, and
in which words, is the business of `explain`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .page import Page
    from .tokens import FileUses, MemoryUses, TokenKind, Tokens

__all__ = ["FileUses", "MemoryUses", "Page", "TokenKind", "Tokens"]

_MODULES = {
    "FileUses": ".tokens",
    "MemoryUses": ".tokens",
    "Page": ".page",
    "TokenKind": ".tokens",
    "Tokens": ".tokens",
}


def __getattr__(name: str) -> Any:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(module, __name__), name)
