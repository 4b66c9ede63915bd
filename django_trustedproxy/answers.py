"""
An answer of the core as a response of Django's.

In:  a `trustedproxy.responses.Answer`.
Out: an `HttpResponse`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponse

if TYPE_CHECKING:
    from django.http import HttpRequest

    from trustedproxy.responses import Answer


def respond_with(answer: Answer, request: HttpRequest) -> HttpResponse:
    """Make the response to *request*."""
    return _Answer(
        answer.body_for(request.method),
        status=answer.status,
        headers=dict(answer.headers),
    )


class _Answer(HttpResponse):
    """A redirect or a refusal; ``Location`` stays byte for byte what was sent."""

    @property
    def url(self) -> str:
        """Where to go, for Django's test client."""
        return self.headers["Location"]
