"""
The page, as a view.

In:  a request.
Out: the page in ``DEBUG``, for superusers, and for holders of a token; else the form in
     which a token is entered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.decorators import login_not_required
from django.views.decorators.csrf import csrf_exempt

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase


# Its form has a token of its own: people come here because CSRF checks fail.
@csrf_exempt
@login_not_required
def page(request: HttpRequest) -> HttpResponseBase:
    """Show the page."""
    # It is loaded when it is asked for.
    from .page import answer_request

    return answer_request(request)
