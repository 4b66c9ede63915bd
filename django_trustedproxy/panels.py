"""
The page as a panel of django-debug-toolbar.

In:  ``"django_trustedproxy.panels.TrustedProxyPanel"`` in ``DEBUG_TOOLBAR_PANELS``.
Out: a panel that shows of each request what the page shows of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from debug_toolbar.panels import Panel
from django.utils.html import format_html

from .page import make_page, read_request

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


class TrustedProxyPanel(Panel):
    """What the policy made of the request."""

    is_async = True

    # The base class does not say what its properties return.
    @property
    def title(self) -> Any:
        """The panel's name."""
        return "Trusted proxy"

    @property
    def nav_subtitle(self) -> Any:
        """The client, below the panel's name."""
        return str(self._stats.get("client", ""))

    @property
    def content(self) -> Any:
        """The page in a frame, so that neither has the other's style."""
        return format_html(
            '<iframe title="{}" srcdoc="{}" sandbox="" width="100%" height="900">'
            "</iframe>",
            self.title,
            self._stats.get("html", ""),
        )

    def generate_stats(self, request: HttpRequest, response: HttpResponse) -> None:
        """Explain the request once it was answered."""
        page = make_page()
        explanation = page.explain(read_request(request).read())
        # In report-only mode the request itself does not know it.
        client = explanation.outcome.client or "client unknown"
        stats = {"client": client, "html": page.write_frame(explanation)}
        # django-debug-toolbar has no types.
        self.record_stats(stats)  # type: ignore[no-untyped-call]  # it has no types

    @property
    def _stats(self) -> dict[str, str]:
        # django-debug-toolbar has no types.
        return dict(self.get_stats())  # type: ignore[no-untyped-call]  # it has no types
