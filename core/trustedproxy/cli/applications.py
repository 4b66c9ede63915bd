"""
Find the policy that stands around an application.

In:  ``module:name``; an application, WSGI or ASGI.
Out: its settings, or the adapter that knows them.

No framework is imported here: an application shows by its own attributes whose it is.
"""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..exceptions import nearest
from ..https_only import HTTPSOnly
from ..mount_points.points import MountPoint
from ..policy import ProxyPolicy
from ..settings import Settings
from ..stack import walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Names under which servers look for an application.
USUAL_NAMES = ("app", "application", "create_app", "make_app")
#: The package of a handler's class → the adapter that loads what is around it.
_ADAPTERS = {"django": "django_trustedproxy"}
_FLASK = "flask_trustedproxy"


class NoApplicationError(ValueError):
    """A module has no application of that name; the text names the nearest."""


def load_object(path: str) -> Any:
    """
    Load the application at *path*: ``module``, ``module:name`` or ``module:make()``.

    Raises:
        NoApplicationError: The module has no such name.

        Exception: Whatever the module raises while it is imported.
    """
    module_name, _, name = path.partition(":")
    module = import_module(module_name)
    is_call = name.endswith("()")
    name = name.removesuffix("()")
    if not name:
        found = [each for each in USUAL_NAMES if hasattr(module, each)]
        if not found:
            raise NoApplicationError(
                f"{module_name} has none of {', '.join(USUAL_NAMES)}: write "
                f"{module_name}:NAME"
            )
        name = found[0]
        is_call = name in USUAL_NAMES[2:]
    target: Any = module
    for part in name.split("."):
        if not hasattr(target, part):
            names = [each for each in dir(target) if not each.startswith("_")]
            near = nearest(part, names)
            raise NoApplicationError(f"{module_name} has no {part!r}{near}")
        target = getattr(target, part)
    return target() if is_call else target


def find_settings(application: object) -> Settings | str | None:
    """
    Find what stands around an *application*, or inside of it.

    Returns:
        The settings; the name of the adapter that knows them; or ``None``.
    """
    parts = [way[-1] for way in walk(application)]
    for part in parts:
        adapter = _find_adapter(part)
        if adapter is not None:
            return adapter
    kept = [each for part in parts for each in _list_kept(part)]
    policy = next((each for each in kept if isinstance(each, ProxyPolicy)), None)
    if policy is None:
        return None
    https_only = next((each for each in kept if isinstance(each, HTTPSOnly)), None)
    return Settings(
        policy,
        https_only,
        None if https_only is None else https_only.hsts,
        {each.path or "/": each.url for each in kept if isinstance(each, MountPoint)},
        any(type(part).__name__.startswith("_RestrictSignals") for part in parts),
    )


def _find_adapter(part: object) -> str | None:
    extensions = inspect.getattr_static(part, "extensions", None)
    if isinstance(extensions, dict) and "trustedproxy" in extensions:
        return _FLASK
    package = type(part).__module__.partition(".")[0]
    return _ADAPTERS.get(package)


def _list_kept(part: object) -> Iterator[object]:
    """List what a middleware keeps, and what one that is not made yet will keep."""
    for name in ("policy", "rules"):
        yield inspect.getattr_static(part, name, None)
    mount_points = inspect.getattr_static(part, "mount_points", None)
    if isinstance(mount_points, tuple):
        yield from mount_points
    # Starlette makes its middlewares with the first request.
    waiting = inspect.getattr_static(part, "user_middleware", None)
    for middleware in waiting if isinstance(waiting, list) else ():
        yield from _list_arguments(middleware)


def _list_arguments(middleware: object) -> Iterable[object]:
    args = getattr(middleware, "args", ())
    kwargs = getattr(middleware, "kwargs", None) or getattr(middleware, "options", {})
    return (*args, *kwargs.values())
