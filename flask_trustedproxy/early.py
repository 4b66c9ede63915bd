"""
Open the page where nothing else opens: before whatever redirects or rejects requests.

In:  an application and its requests.
Out: the page's answer to somebody who holds a token; everything else goes on as it
     came.

Nothing of the page is loaded here where no application has registered its blueprint.
"""

from __future__ import annotations

import sys
from itertools import chain
from typing import TYPE_CHECKING

from trustedproxy.wsgi_text import list_spellings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flask import Flask

    from trustedproxy._types import Environ, StartResponse

#: The module of the blueprint.
VIEWS = f"{__package__}.views"


class EarlyPage:
    """
    The page of an application, for those who are let in before everything else.

    Args:
        app: The application.
    """

    def __init__(self, app: Flask) -> None:
        self.app: Flask = app
        self._ends: tuple[str, ...] | None = None

    def covers(self, environ: Environ) -> bool:
        """Say whether a request may be for the page: one comparison of its path."""
        ends = self._ends
        if ends is None:
            # With the first request all blueprints are there.
            views = sys.modules.get(VIEWS)
            paths = () if views is None else views.find_ends(self.app)
            ends = tuple(chain.from_iterable(map(list_spellings, paths)))
            self._ends = ends
        path: str = environ.get("PATH_INFO", "")
        return path.endswith(ends)

    def answer(
        self, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes] | None:
        """Answer somebody who holds a token; ``None``: the request goes on."""
        from trustedproxy.report.wsgi import answer_early
        from trustedproxy.responses import send_wsgi

        from .views import make_page

        answer = answer_early(lambda: make_page(self.app), environ)
        return None if answer is None else send_wsgi(answer, environ, start_response)
