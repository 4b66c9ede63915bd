"""
Carry a decision into a request object that Django has already made.

In:  a request, as `WSGIRequest` or `ASGIRequest` built it before any middleware ran.
Out: the same object, corrected, and the script prefix that goes with it.

Under WSGI ``META`` is the environ itself.  Under ASGI it is a copy that Django made of
the scope, so the decision is made on the scope and what Django would have made of the
new scope is copied over.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.urls import get_script_prefix, set_script_prefix

from trustedproxy.decision import DECISION_KEY, REPORT_KEY

from . import get_holder

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from trustedproxy import Decision, ProxyPolicy
    from trustedproxy._types import Scope

#: Where the wrappers of `entrypoints` say that they have decided.
WRAPPED = "django_trustedproxy.wrapped"

# What `HttpRequest` remembers once it was asked, and what it made it from.
_REMEMBERED = ("headers", "_current_scheme_host")

# Where a request says that the middleware has met it; it may be listed twice.
_MET = "_trustedproxy_met"

# What a response calls when it is closed, before it says that the request is finished.
_CLOSERS = "_resource_closers"


def correct_request(policy: ProxyPolicy, request: HttpRequest) -> Decision:
    """
    Decide about *request* and correct every accessor of it.

    A request that the decision rejects only loses its opted-in headers.  One that came
    through a wrapper of `entrypoints` is right as it is.
    """
    if is_wrapped(request):
        holder = get_holder(request)
        return cast("Decision", holder.get(DECISION_KEY) or holder.get(REPORT_KEY))
    if isinstance(request, ASGIRequest):
        decision = _correct_asgi(policy, request)
    else:
        decision = _correct_wsgi(policy, request)
    # Somebody further out may have asked already.
    for name in _REMEMBERED:
        request.__dict__.pop(name, None)
    return decision


def is_wrapped(request: HttpRequest) -> bool:
    """Say whether *request* came through a wrapper of `entrypoints`."""
    return WRAPPED in get_holder(request)


def meets_first(request: HttpRequest) -> bool:
    """Say whether the middleware meets *request* for the first time, and note it."""
    if _MET in request.__dict__:
        return False
    request.__dict__[_MET] = True
    return True


def _correct_wsgi(policy: ProxyPolicy, request: HttpRequest) -> Decision:
    meta = request.META
    before = meta.get("SCRIPT_NAME"), meta.get("PATH_INFO")
    decision = policy.apply(meta)
    if before != (meta.get("SCRIPT_NAME"), meta.get("PATH_INFO")):
        # As `WSGIRequest` does it.  It has already decoded both variables, and what
        # took their place is ASCII.
        if settings.FORCE_SCRIPT_NAME is not None:
            meta["SCRIPT_NAME"] = settings.FORCE_SCRIPT_NAME
        meta["PATH_INFO"] = request.path_info = meta["PATH_INFO"] or "/"
        mount_point = meta["SCRIPT_NAME"].rstrip("/")
        request.path = f"{mount_point}/{request.path_info.replace('/', '', 1)}"
    return decision


def _correct_asgi(policy: ProxyPolicy, request: ASGIRequest) -> Decision:
    decision, scope = policy.apply_scope(cast("Scope", request.scope))
    if scope is not request.scope:
        before = ASGIRequest(request.scope, BytesIO())
        after = ASGIRequest(force_mount_point(scope), BytesIO())
        # Only what differs: a middleware further out may have written to META.
        for key in before.META.keys() | after.META.keys():
            if key not in after.META:
                request.META.pop(key, None)
            elif before.META.get(key) != after.META[key]:
                request.META[key] = after.META[key]
        request.scope = scope
        request.script_name = after.script_name
        if (before.path, before.path_info) != (after.path, after.path_info):
            request.path, request.path_info = after.path, after.path_info
            if not request.path_info:
                # The mount point alone is the application's root, as under WSGI.
                request.path += "/"
                request.META["PATH_INFO"] = request.path_info = "/"
    return decision


def force_mount_point(scope: Scope) -> Scope:
    """
    Return *scope* with ``FORCE_SCRIPT_NAME`` in the place of the decided mount point.

    Django takes the forced one off the front of the path, where the decision has put
    another.
    """
    forced: str | None = settings.FORCE_SCRIPT_NAME
    decision: Decision | None = scope.get(DECISION_KEY)
    if not forced or decision is None:
        return scope
    if decision.url_parts.get("mount_point") is None:
        return scope
    rest = scope["path"].removeprefix(decision.mount_point)
    # Django would take a slash at its end off the path, too.
    front = "" if forced.endswith("/") else forced
    return {**scope, "root_path": forced, "path": front + rest}


class _OwnPrefix(str):
    """
    A script prefix that differs from an equal one by its identity.

    Attributes:
        before: The prefix that it took the place of.

        is_over: Whether its response was closed.
    """

    __slots__ = ("before", "is_over")

    before: str
    is_over: bool


class ScriptPrefix:
    """
    Let `reverse` begin with the mount point of *request* until its response is closed.

    Django's own handlers set the prefix and leave it, and its test clients never set
    it; so what was there before is put back, and nothing leaks into the next request
    of this thread or into a test.
    """

    __slots__ = ("_own",)

    def __init__(self, request: HttpRequest) -> None:
        mount_point = request.META.get("SCRIPT_NAME", "")
        self._own = _OwnPrefix(mount_point.rstrip("/") + "/")
        self._own.before = get_script_prefix()
        self._own.is_over = False
        set_script_prefix(self._own)

    def put_back(self) -> None:
        """
        Put back the prefix that was there before, and those that are over with it.

        A test may close its responses in any order.  A response may also be closed in
        another thread or task than the one that made it; the prefix there belongs to
        somebody else and stays.
        """
        self._own.is_over = True
        prefix = get_script_prefix()
        if prefix is self._own:
            while isinstance(prefix, _OwnPrefix) and prefix.is_over:
                prefix = prefix.before
            set_script_prefix(prefix)

    def put_back_on_close(self, response: HttpResponseBase) -> HttpResponseBase:
        """Return *response*, which will put the prefix back when it is closed."""
        closers: list[Callable[[], object]] = getattr(response, _CLOSERS)
        closers.append(self.put_back)
        return response
