"""
Configurations and settings in colour.

In:  a text, and the language that it is written in.
Out: something that rich prints.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.syntax import Syntax

if TYPE_CHECKING:
    from rich.console import RenderableType

#: Front end → how its configuration is highlighted; plain text for the others.
LANGUAGES = {
    "nginx": "nginx",
    "apache": "apacheconf",
    "traefik": "yaml",
    "envoy": "yaml",
    "ingress-nginx": "yaml",
    "traefik-labels": "yaml",
    "lighttpd": "lighttpd",
    "varnish": "vcl",
}


def draw_code(text: str, language: str) -> RenderableType:
    """Draw *text* with the colours of the terminal's own background."""
    return Syntax(
        text, language, theme="ansi_dark", background_color="default", word_wrap=True
    )
