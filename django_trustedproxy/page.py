"""
The page of this project: its secret, where used tokens are kept, who is let in.

In:  Django's settings, requests.
Out: `make_page`, `make_token`, `answer_request`; and what `early` asks for.

What the page shows, and how tokens work, is in `trustedproxy.report`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.cache import DEFAULT_CACHE_ALIAS, cache, caches
from django.core.handlers.asgi import ASGIRequest
from django.http.request import RawPostDataException, UnreadablePostError

import trustedproxy
from trustedproxy.decision import DECISION_KEY, REPORT_KEY
from trustedproxy.report.asgi import answer_early as answer_scope
from trustedproxy.report.page import Page, make_project_token, open_file
from trustedproxy.report.tokens import FileUses, TokenKind
from trustedproxy.report.visits import (
    may_open_environ,
    may_open_scope,
    read_fields,
    read_length,
    read_visit_of_environ,
    read_visit_of_scope,
)
from trustedproxy.report.wsgi import answer_early as answer_environ
from trustedproxy.report.wsgi import log_failure
from trustedproxy.responses import send_asgi, send_wsgi
from trustedproxy.wsgi_text import spell_path

from .answers import respond_with
from .conf import ConfigurationError, get_settings
from .framework import read_framework
from .requests import is_wrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from trustedproxy import Decision
    from trustedproxy._types import Environ, Receive, Scope, Send, StartResponse
    from trustedproxy.report.tokens import Uses
    from trustedproxy.report.visits import Visit
    from trustedproxy.responses import Answer


#: Caches that count in one step, whatever other processes do, and throw nothing out
#: while they have room: in another one a token could be good twice.
_COUNTING_CACHES = frozenset(
    {
        "django.core.cache.backends.memcached.BaseMemcachedCache",
        "django.core.cache.backends.redis.RedisCache",
        "django_redis.cache.RedisCache",
    }
)


class CacheUses:
    """Where used tokens are kept: Django's default cache, if it counts for all."""

    def take(self, name: str, most: int, until: float) -> bool:
        """Use *name* once more (`trustedproxy.report.tokens.Uses`)."""
        key = f"trustedproxy.token.{name}"
        # The longest that any token is good for, so that no clock has to agree.
        if cache.add(key, 1, _REMEMBERED):
            return True
        try:
            return most > 1 and bool(cache.incr(key) <= most)
        except ValueError:
            # It was thrown out meanwhile, so that nobody knows the count.
            return False


#: Seconds for which a use is remembered: longer than a token is good.
_REMEMBERED = 3600


def find_uses() -> Uses | None:
    """Find where used tokens are kept; ``None`` where no place is sure to keep them."""
    file = get_settings().token_file
    if file is not None:
        return FileUses(file)
    kinds = type(caches[DEFAULT_CACHE_ALIAS]).__mro__
    names = {f"{kind.__module__}.{kind.__qualname__}" for kind in kinds}
    return None if names.isdisjoint(_COUNTING_CACHES) else CacheUses()


def make_page() -> Page:
    """Make the page by the settings of this moment."""
    return Page.of_project(
        get_settings(),
        secret=settings.SECRET_KEY,
        uses=find_uses(),
        framework=read_framework(),
    )


def make_token(kind: TokenKind) -> str:
    """
    Make a token for whoever may see the page.

    Raises:
        ConfigurationError:
            No place is sure to keep used tokens, or ``SECRET_KEY`` is too short.
    """
    secret = settings.SECRET_KEY
    try:
        uses = find_uses() or open_file(get_settings(), _NO_CACHE)
        return make_project_token(kind, option="SECRET_KEY", secret=secret, uses=uses)
    except trustedproxy.ConfigurationError as error:
        raise ConfigurationError(*error.args) from error


_NO_CACHE = ", since the default cache of CACHES is neither Redis nor Memcached"


# -- requests --------------------------------------------------------------------------


def answer_request(request: HttpRequest) -> HttpResponseBase:
    """Answer a request for the page that has come as far as its view."""
    visit = _read_visit(request)
    return respond_with(make_page().answer(visit, admitted=_admit(request)), request)


def _admit(request: HttpRequest) -> str | None:
    """Let developers and superusers in, without a token."""
    if settings.DEBUG:
        return "debug"
    user = getattr(request, "user", None)
    if user is not None and user.is_active and user.is_superuser:
        return f"user {user.pk}"
    return None


def _read_visit(request: HttpRequest) -> Visit:
    policy = get_settings().policy
    fields = _read_form(request)
    if isinstance(request, ASGIRequest):
        return read_visit_of_scope(policy, cast("Scope", request.scope), fields)
    return read_visit_of_environ(policy, _restore_paths(request), fields)


def _read_form(request: HttpRequest) -> Mapping[str, str]:
    """Read the form of *request*; nothing of one that is too long, or breaks off."""
    fits = read_length(request.META.get("CONTENT_LENGTH"))
    if request.method != "POST" or not fits:
        return {}
    try:
        return read_fields(request.body)
    except RawPostDataException:
        # Somebody before has asked Django for the form, and Django has read it.
        return request.POST.dict()
    except UnreadablePostError:
        return {}


def _restore_paths(request: HttpRequest) -> Environ:
    """Spell in a copy of ``META`` the paths as WSGI has them; Django decoded both."""
    environ = dict(request.META)
    environ |= _spell_paths(environ)
    if not is_wrapped(request):
        # What was decided below Django keeps what Django had made of them.
        for key in (DECISION_KEY, REPORT_KEY):
            decision: Decision | None = environ.get(key)
            if decision is not None:
                original = decision.original | _spell_paths(decision.original)
                environ[key] = replace(decision, original=original)
    return environ


def _spell_paths(variables: Mapping[str, Any]) -> dict[str, str]:
    paths = {key: variables.get(key) for key in ("SCRIPT_NAME", "PATH_INFO")}
    return {key: spell_path(path) for key, path in paths.items() if path is not None}


def read_request(request: HttpRequest) -> Visit:
    """Read the request as it came, to be explained; its body stays unread."""
    policy = get_settings().policy
    if isinstance(request, ASGIRequest):
        return read_visit_of_scope(policy, cast("Scope", request.scope))
    return read_visit_of_environ(policy, _restore_paths(request))


# -- before everything -----------------------------------------------------------------


def answer_request_early(request: HttpRequest) -> HttpResponseBase | None:
    """Answer in ``MIDDLEWARE``, or leave the request alone, whatever fails."""
    try:
        may_open = (
            may_open_scope(cast("Scope", request.scope))
            if isinstance(request, ASGIRequest)
            else may_open_environ(request.META)
        )
        if not may_open:
            return None
        answer = make_page().answer_early(_read_visit(request))
    except Exception as error:
        log_failure(error)
        return None
    return None if answer is None else respond_with(answer, request)


def answer_environ_early(
    environ: Environ, start_response: StartResponse
) -> Iterable[bytes] | None:
    """Answer around the application; ``None``: the request goes on."""
    answer = answer_environ(make_page, environ)
    return None if answer is None else send_wsgi(answer, environ, start_response)


async def answer_scope_early(
    scope: Scope, receive: Receive, send: Send
) -> tuple[bool, Receive]:
    """Say whether the page has answered, and with what the request goes on."""
    answer, receive = await answer_scope(make_page, scope, receive, _run)
    if answer is not None:
        await send_asgi(answer, scope, receive, send)
    return answer is not None, receive


async def _run(answer: Callable[[Visit], Answer | None], visit: Visit) -> Answer | None:
    """Answer where caches and databases may be asked."""
    return await sync_to_async(answer)(visit)
