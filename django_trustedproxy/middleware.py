"""
The two lines of ``MIDDLEWARE``.

In:  requests as Django made them.
Out: requests that are right; and HTTPS only, by the client's scheme.

What is decided is the core's business, and how it gets into a request that of
`requests`; these classes only stand in Django's chain, in both of its modes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, TypeAlias, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.http.response import HttpResponseBase

from trustedproxy.https_only import HSTS_HEADER
from trustedproxy.process import restrict_signals
from trustedproxy.responses import bad_request

from . import get_decision
from .answers import respond_with
from .conf import get_settings, warn_at_start
from .early import answer_early, list_ends
from .redirects import redirects, watch_redirect
from .requests import ScriptPrefix, correct_request, is_wrapped, meets_first
from .signals import decision_made
from .site import find_host, is_exempt_view, read_facts

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from trustedproxy import Decision

GetResponse: TypeAlias = Callable[
    ["HttpRequest"], HttpResponseBase | Awaitable[HttpResponseBase]
]


class _Middleware:
    """What both have in common: one class for both modes, settings at the start."""

    sync_capable: ClassVar[bool] = True
    async_capable: ClassVar[bool] = True

    def __init__(self, get_response: GetResponse) -> None:
        # The last place that may raise because of a setting.
        get_settings()
        self.get_response = get_response
        self.is_async: bool = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    if TYPE_CHECKING:

        def _respond(self, request: HttpRequest) -> HttpResponseBase: ...

        async def _respond_async(self, request: HttpRequest) -> HttpResponseBase: ...

    def __call__(
        self, request: HttpRequest
    ) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        return self._respond_async(request) if self.is_async else self._respond(request)


class TrustedProxyMiddleware(_Middleware):
    """
    Apply ``TRUSTED_PROXY_HEADERS`` and its companions to every request.

    It belongs at the top of ``MIDDLEWARE``.

    Raises:
        ConfigurationError: when it is made; it names the setting that is wrong.
    """

    def __init__(self, get_response: GetResponse) -> None:
        super().__init__(get_response)
        warn_at_start()

    @cached_property
    def _page_ends(self) -> tuple[str, ...]:
        """What the path of a request for the page ends with; found with the first."""
        return list_ends()

    def _respond(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.endswith(self._page_ends):
            shown = answer_early(request)
            if shown is not None:
                return shown
        decision = self._correct(request)
        is_first = meets_first(request)
        if is_first:
            decision_made.send_robust(type(self), request=request, decision=decision)
        if (refusal := _reject(request, decision)) is not None:
            return refusal
        if is_first:
            _watch(request)
        prefix = ScriptPrefix(request)
        try:
            response = cast("HttpResponseBase", self.get_response(request))
        except BaseException:
            prefix.put_back()
            raise
        return prefix.put_back_on_close(response)

    async def _respond_async(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.endswith(self._page_ends):
            shown = await sync_to_async(answer_early)(request)
            if shown is not None:
                return shown
        decision = self._correct(request)
        is_first = meets_first(request)
        if is_first:
            await decision_made.asend_robust(
                type(self), request=request, decision=decision
            )
        if (refusal := _reject(request, decision)) is not None:
            return refusal
        if is_first:
            _watch(request)
        prefix = ScriptPrefix(request)
        try:
            response = await cast(
                "Awaitable[HttpResponseBase]", self.get_response(request)
            )
        except BaseException:
            prefix.put_back()
            raise
        return prefix.put_back_on_close(response)

    def _correct(self, request: HttpRequest) -> Decision:
        """Correct *request*; one that is rejected only loses its opted-in headers."""
        # Asked for each time, since tests override settings; it is remembered.
        settings = get_settings()
        if settings.restrict_signals:
            # In force from the first request: earlier the server may not have set its
            # own handlers.
            restrict_signals()
        return correct_request(settings.policy, request)


def _reject(request: HttpRequest, decision: Decision) -> HttpResponse | None:
    """Answer a request that is rejected, however often the middleware meets it."""
    if get_settings().policy.rejects(decision):
        return respond_with(bad_request(), request)
    return None


def _watch(request: HttpRequest) -> None:
    """Watch for a redirect by Django, unless a wrapper does."""
    if redirects() and not is_wrapped(request):
        watch_redirect(request)


class HTTPSOnlyMiddleware(_Middleware):
    """
    Redirect plain HTTP, and send ``Strict-Transport-Security``, as the settings say.

    It belongs right below `TrustedProxyMiddleware`, so that it acts on the client's
    scheme.  The host of a redirect is the one that Django's ``get_host()`` allows.

    Raises:
        ConfigurationError: when it is made; it names the setting that is wrong.
    """

    def _respond(self, request: HttpRequest) -> HttpResponseBase:
        if (answer := _answer_plain(request)) is not None:
            return answer
        return _add_hsts(request, cast("HttpResponseBase", self.get_response(request)))

    async def _respond_async(self, request: HttpRequest) -> HttpResponseBase:
        if (answer := _answer_plain(request)) is not None:
            return answer
        return _add_hsts(
            request,
            await cast("Awaitable[HttpResponseBase]", self.get_response(request)),
        )


def _answer_plain(request: HttpRequest) -> HttpResponse | None:
    """Answer a request that may not reach the application over plain HTTP."""
    rules = get_settings().https_only
    if rules is None or request.is_secure() or is_exempt_view(request):
        return None
    answer = rules.answer(read_facts(request))
    if answer is None:
        return None
    return respond_with(answer, request)


def _add_hsts(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    rules = get_settings().https_only
    if rules is not None and request.is_secure():
        rules.note_secure(get_decision(request))
        value = rules.hsts_value(find_host(request))
        if value is not None and HSTS_HEADER not in response:
            response.headers[HSTS_HEADER] = value
    return response
