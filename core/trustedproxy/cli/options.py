"""
Options that several subcommands have: where the policy comes from, and JSON.

In:  functions of subcommands.
Out: decorators that declare options, and hand over what they say.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from ..exceptions import ConfigurationError, nearest
from ..presets import names
from .program import IS_SOURCE, Session
from .sources import Loaded, SourceError, load, name_setting

Function = TypeVar("Function", bound=Callable[..., Any])

#: What loads the policy in force; it may raise a `ConfigurationError`.
Load = Callable[[], Loaded]


class SourceOption(click.Option):
    """An option that says where the policy comes from; frameworks have none of them."""


setattr(SourceOption, IS_SOURCE, True)


class Completed(click.types.StringParamType):
    """
    One of some words, which shells complete.

    What it is given to refuses others, and names the nearest.

    Args:
        name: What it is, for the help.

        list_words: Lists them.
    """

    def __init__(self, name: str, list_words: Callable[[], Any]) -> None:
        self.name = name
        self.list_words = list_words

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Complete the beginning of a word."""
        return [
            CompletionItem(w) for w in self.list_words() if w.startswith(incomplete)
        ]


class Choice(Completed):
    """One of some words, in any case; of another the nearest is named."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """
        Give the word as it is listed.

        Raises:
            ConfigurationError: There is none.
        """
        words = {word.lower(): word for word in self.list_words()}
        found = words.get(value.lower())
        if found is None:
            # As it is typed: an argument has no option.
            is_option = isinstance(param, click.Option)
            typed = param.opts[0] if is_option and param is not None else self.name
            near = nearest(value, words.values())
            raise ConfigurationError(
                typed, value, f"one of {', '.join(words.values())}{near}"
            )
        return str(found)


_SOURCES: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (
        ("--django",),
        {"metavar": "MODULE", "help": "Take the settings of this Django project."},
    ),
    (
        ("--app",),
        {
            "metavar": "MODULE:NAME",
            "help": "Take the policy of this application: Flask, or any WSGI or ASGI "
            "application that trustedproxy is around.",
        },
    ),
    (
        ("--preset",),
        {"type": Completed("NAME", names), "help": "Take this preset for a platform."},
    ),
    (
        ("--trusted-headers",),
        {"metavar": "LIST", "help": "Trust these headers, separated by commas."},
    ),
    (
        ("--proxies",),
        {
            "metavar": "LIST",
            "help": "Trust these proxies: addresses, networks, loopback, unix.",
        },
    ),
    (
        ("--hops",),
        {"metavar": "COUNT", "help": "Trust so many elements from the right."},
    ),
    (
        ("--set", "assignments"),
        {
            "metavar": "NAME=VALUE",
            "multiple": True,
            "help": "Any other setting, as an environment variable has it: "
            "strip=all, https-only=true.",
        },
    ),
)
#: The options that are a setting each.
_WORDS = {
    "preset": "TRUSTED_PROXY_PRESET",
    "trusted_headers": "TRUSTED_PROXY_HEADERS",
    "proxies": "TRUSTED_PROXIES",
    "hops": "TRUSTED_PROXY_HOPS",
}


def takes_settings(function: Function) -> Function:
    """
    Let a subcommand take the policy in force: its first argument loads it.

    Where nothing says where it comes from, it is that of the environment.
    """

    @wraps(function)
    @click.pass_context
    def run(context: click.Context, /, **given: Any) -> Any:
        session = context.find_object(Session) or Session()
        # Below a framework these options are not there.
        said = {name: given.pop(name, None) for name in _SOURCE_NAMES}

        def load_it() -> Loaded:
            return _load(said) if session.load is None else session.load()

        return function(load_it, **given)

    command: Any = run
    for declarations, attributes in reversed(_SOURCES):
        option = click.option(*declarations, cls=SourceOption, **attributes)
        command = option(command)
    result: Function = command
    return result


_SOURCE_NAMES = ("django", "app", *_WORDS, "assignments")


def _load(said: dict[str, Any]) -> Loaded:
    words = {
        setting: said[name]
        for name, setting in _WORDS.items()
        if said[name] is not None
    }
    for assignment in said["assignments"] or ():
        name, equals, value = assignment.partition("=")
        if not equals:
            raise SourceError("--set", f"{assignment!r} is not NAME=VALUE")
        setting = name_setting(name)
        if setting in words:
            raise SourceError("--set", f"{setting} is said twice: say it once")
        words[setting] = value
    return load(django=said["django"], app=said["app"], words=words)


def prints(function: Function) -> Function:
    """Let a subcommand print: ``--json``, and its keyword argument *screen*."""

    @wraps(function)
    @click.pass_context
    def run(context: click.Context, /, *args: Any, as_json: bool, **given: Any) -> Any:
        session = context.find_object(Session) or Session()
        screen = session.make_screen(as_json=as_json)
        return function(*args, screen=screen, **given)

    option = click.option(
        "--json", "as_json", is_flag=True, help="Print JSON (docs/commands/json.md)."
    )
    command: Any = option(run)
    result: Function = command
    return result
