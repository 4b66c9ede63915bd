"""
Make HTML and SVG in which nothing that came from a request can be markup.

In:  names of elements, attributes, and children: texts, or markup made here.
Out: `Markup`.

A text is escaped unless it is `Markup`, and only `element` and `text` make that; so a
value that nobody thought of is shown, and never read as HTML.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TypeAlias

#: Characters of one value that are shown at the most.
MOST_SHOWN = 2000

#: Elements of HTML, and of SVG, that have nothing in them.
_EMPTY = frozenset({"input", "link", "meta"})
_CLOSED = frozenset({"circle", "line", "path", "rect"})


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Child: TypeAlias = "str | Markup | Iterable[Child] | None"
Attribute: TypeAlias = "str | int | bool | None"


def text(value: str) -> Markup:
    """Show *value* as it is, what cannot be seen of it as Python escapes it."""
    if len(value) > MOST_SHOWN:
        value = f"{value[:MOST_SHOWN]}… ({len(value)} characters)"
    return Markup(escape(make_visible(value)))


def make_visible(value: str) -> str:
    """Escape the characters that cannot be seen, or that turn others around."""
    if value.isprintable():
        return value
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii")
        for c in value
    )


def element(tag: str, /, *children: Child, **attributes: Attribute) -> Markup:
    """
    Make one element.

    Args:
        tag: Its name.

        children: What is in it; ``None`` stands for nothing.

        attributes:
            Its attributes. ``class_`` and ``for_`` lose the underscore at the end,
            others become hyphens. ``None`` and ``False`` leave one out, ``True``
            stands for an attribute without a value.
    """
    head = "".join(_write_attribute(key, value) for key, value in attributes.items())
    if tag in _EMPTY:
        return Markup(f"<{tag}{head}>")
    if tag in _CLOSED:
        return Markup(f"<{tag}{head}/>")
    return Markup(f"<{tag}{head}>{join(children)}</{tag}>")


def _write_attribute(name: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    # The names of SVG's attributes have capitals, and stay as they are.
    spelled = name.rstrip("_").replace("_", "-")
    if value is True:
        return f" {spelled}"
    return f' {spelled}="{escape(make_visible(str(value)))}"'


def join(children: Child) -> Markup:
    """Join children; texts are escaped."""
    if children is None:
        return Markup("")
    if isinstance(children, Markup):
        return children
    if isinstance(children, str):
        return text(children)
    return Markup("".join(map(join, children)))


def lines(value: str) -> Markup:
    """Show a text of several lines, which belongs into a ``pre`` or a ``textarea``."""
    return Markup("\n".join(map(text, value.split("\n"))))
