"""
Where a policy comes from: a framework's project, an application, words, or the process.

In:  the options of a command line, or a framework that runs the command.
Out: `Loaded`; or an error that names what cannot be loaded, and the nearest.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..exceptions import ConfigurationError, nearest
from ..framework import NO_FRAMEWORK, Framework
from ..option_table import OPTION_OF, read_environment
from ..options import PREFIX
from ..settings import Settings, read_settings
from .applications import NoApplicationError, find_settings, load_object

if TYPE_CHECKING:
    from ..checks import Remark


@dataclass(frozen=True, slots=True)
class PageToken:
    """
    A token that opens the page (docs/page.md), once and within minutes.

    Attributes:
        token: The token.

        paths: The paths of the page, below the mount point.

        no_page: What to say where there is none.
    """

    token: str
    paths: tuple[str, ...]
    no_page: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """
    A policy, with everything that stands on it.

    Attributes:
        settings: What is in force.

        origin: Where it comes from, in words.

        framework: What the application does by itself.

        find_remarks:
            Looks for everything that is wrong, where the framework has a table that
            knows more than the core's; its argument says whether others can reach the
            server.

        make_token:
            Makes a token that opens the page, where the framework has one; its argument
            says whether it is for a run of the probe.
    """

    settings: Settings
    origin: str
    framework: Framework = NO_FRAMEWORK
    find_remarks: Callable[[bool], Sequence[Remark]] | None = field(
        default=None, repr=False
    )
    make_token: Callable[[bool], PageToken] | None = field(
        default=None, repr=False, compare=False
    )


class SourceError(ValueError):
    """
    Nothing can be loaded from there.

    Args:
        option: The option that says where.

        message: What is wrong.
    """

    def __init__(self, option: str, message: str) -> None:
        super().__init__(option, message)
        self.option = option
        self.message = message

    def __str__(self) -> str:
        return f"{self.option}: {self.message}"


def load(
    *,
    django: str | None = None,
    app: str | None = None,
    words: Mapping[str, str] | None = None,
) -> Loaded:
    """
    Load what is in force.

    Args:
        django: A settings module of Django.

        app: ``module:name`` of an application.

        words: Setting name → its text, as an environment variable has it.

    Raises:
        SourceError: It cannot be loaded, or two of them are given.

        ConfigurationError: A setting is invalid.
    """
    given = {"--django": django, "--app": app, "options of a policy": words}
    named = [name for name, value in given.items() if value]
    if len(named) > 1:
        raise SourceError(named[1], f"not possible beside {named[0]}: use one of them")
    if django:
        return load_django(django)
    if app:
        return load_application(app)
    if words:
        return Loaded(read_settings(read_environment(words)), "the options given here")
    return Loaded(
        read_settings(read_environment(os.environ)), "the environment of this process"
    )


def name_setting(option: str) -> str:
    """
    Name the setting that an *option* of a command line means.

    Args:
        option: The setting's name without its beginning, in any case: ``https-only``.

    Raises:
        SourceError: There is none; the nearest is named.
    """
    spelled = option.replace("-", "_").upper()
    name = spelled if spelled.startswith(PREFIX) else f"{PREFIX}Y_{spelled}"
    if spelled == "PROXIES":
        name = f"{PREFIX}IES"
    if name not in OPTION_OF:
        short = [shorten_setting(each) for each in OPTION_OF]
        near = nearest(option, short) or f": one of {', '.join(short)}"
        raise SourceError("--set", f"{option!r} is not a setting{near}")
    return name


def shorten_setting(name: str) -> str:
    """Spell a setting's name as the option of a command line."""
    return name.removeprefix(f"{PREFIX}Y_").removeprefix("TRUSTED_").lower()


def add_folder() -> None:
    """Let modules of the present folder be imported, as servers do."""
    folder = os.getcwd()
    if folder not in sys.path:
        sys.path.insert(0, folder)


def load_django(module: str) -> Loaded:
    """Load the Django project of a settings *module*."""
    add_folder()
    os.environ["DJANGO_SETTINGS_MODULE"] = module
    # By its name: the core knows no framework, and this is the framework's own part.
    loader = _import("django_trustedproxy.loading", "--django")
    loaded: Loaded = _guard("--django", module, loader.load)
    return loaded


def load_application(path: str) -> Loaded:
    """Load what stands around the application at *path*."""
    add_folder()
    application = _guard("--app", path, lambda: load_object(path))
    found = find_settings(application)
    origin = f"the application {path}"
    if found is None:
        raise SourceError(
            "--app",
            f"{path!r} carries no policy: neither it nor a middleware around it is "
            "one of trustedproxy's. Wrap it in the module that the server imports, or "
            "say where the settings are, with --django",
        )
    if isinstance(found, str):
        loader = _import(f"{found}.loading", "--app")
        loaded: Loaded = _guard("--app", path, lambda: loader.load_app(application))
        return loaded
    return Loaded(found, origin)


def _import(module: str, option: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise SourceError(option, f"cannot import {module}: {error}") from error


def _guard(option: str, path: str, action: Callable[[], Any]) -> Any:
    """Say in a sentence why a stranger's module cannot be loaded."""
    try:
        return action()
    except (ConfigurationError, SourceError):
        raise
    except NoApplicationError as error:
        raise SourceError(option, str(error)) from error
    except (Exception, SystemExit) as error:
        # Whatever a project raises while it is imported, its own words say it best.
        kind = type(error).__name__
        raise SourceError(option, f"{path!r} cannot be loaded: {kind}: {error}") from (
            error
        )
