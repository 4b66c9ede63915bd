"""
Write a conversion down: as source text, and as a report with its notes.

In:  `Conversion`, and for whom: Django, Flask or the environment.
Out: text that Python or a shell reads; a report is the same with comments.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from textwrap import wrap
from typing import TYPE_CHECKING

from ..exceptions import ConfigurationError, nearest
from ..setting_lines import write_value
from .kinds import KINDS
from .record import Effect, Note

if TYPE_CHECKING:
    from collections.abc import Callable

    from .record import Conversion

WIDTH = 88

_HEADINGS = {
    Effect.TO_DO: "To do",
    Effect.CHANGES: "What changes",
    Effect.STRICTER: "What gets stricter",
    Effect.NO_EQUIVALENT: "What has no equivalent",
}


def write_settings(conversion: Conversion, target: str) -> str:
    """
    Write the settings as source text.

    Args:
        conversion: What was converted.

        target:
            ``django`` for assignments in a settings module, ``flask`` for
            ``app.config.update(...)``, ``environment`` for lines of an environment
            file, quoted as a shell reads them.

    Returns:
        Text that ends with a line's end; empty where nothing has to be set.

    Raises:
        ConfigurationError:
            The target is not known; or a value cannot be written into one variable.
    """
    return _find_target(target)(conversion.settings)


def write_report(conversion: Conversion, target: str) -> str:
    """
    Write the settings with everything that is to be said about them, as comments.

    Raises:
        ConfigurationError: As `write_settings`.
    """
    settings = write_settings(conversion, target)
    titles = " and ".join(KINDS[kind].title for kind in conversion.kinds)
    parts = [f"# From {titles}.\n{settings or _NOTHING}"]
    notes = notes_for(conversion, target)
    for effect, heading in _HEADINGS.items():
        chosen = [_write_note(note) for note in notes if note.effect is effect]
        if chosen:
            parts.append(f"# {heading}:\n" + "".join(chosen))
    return "\n".join(parts)


def notes_for(conversion: Conversion, target: str) -> list[Note]:
    """
    List the notes of a conversion, with the one that says how the settings are used.

    Args:
        conversion: What was converted.

        target: For whom, as for `write_settings`.

    Returns:
        What is to do first, what has no equivalent last.
    """
    if not conversion.settings:
        return list(conversion.notes)
    text = _USES[target]
    if target == "django" and conversion.settings.get("TRUSTED_PROXY_HTTPS_ONLY"):
        text += _DJANGO_HTTPS_ONLY
    return [Note(Effect.TO_DO, "use-settings", text), *conversion.notes]


_USES = {
    "django": (
        'Put "django_trustedproxy" into INSTALLED_APPS, and '
        '"django_trustedproxy.middleware.TrustedProxyMiddleware" first into MIDDLEWARE.'
    ),
    "flask": "Write TrustedProxy(app) below it; TrustedProxy is in flask_trustedproxy.",
    "environment": (
        "Wrap the application: "
        "read_settings(read_environment(os.environ)).wrap_wsgi(application), or "
        "wrap_asgi; both functions are in trustedproxy.settings."
    ),
}
_DJANGO_HTTPS_ONLY = (
    ' "django_trustedproxy.middleware.HTTPSOnlyMiddleware" comes behind it.'
)


_NOTHING = "# Nothing has to be set.\n"


def _write_note(note: Note) -> str:
    lines = wrap(
        str(note),
        WIDTH,
        initial_indent="# - ",
        subsequent_indent="#   ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines) + "\n"


def _find_target(name: str) -> Callable[[Mapping[str, object]], str]:
    writer = _WRITERS.get(name)
    if writer is None:
        raise ConfigurationError(
            "target", name, f"one of {', '.join(_WRITERS)}{nearest(name, _WRITERS)}"
        )
    return writer


def _write_django(settings: Mapping[str, object]) -> str:
    lines = [_assign(name, value, " = ", "") for name, value in settings.items()]
    return "".join(f"{line}\n" for line in lines)


def _write_flask(settings: Mapping[str, object]) -> str:
    if not settings:
        return ""
    lines = [_assign(name, value, "=", "    ") for name, value in settings.items()]
    body = "".join(f"{line},\n" for line in lines)
    return f"app.config.update(\n{body})\n"


def _write_environment(settings: Mapping[str, object]) -> str:
    return "".join(
        f"{name}={shlex.quote(_text(name, value))}\n"
        for name, value in settings.items()
    )


def _assign(name: str, value: object, equals: str, indent: str) -> str:
    """Write one setting on one line, or a list on a line each."""
    line = f"{indent}{name}{equals}{write_value(value)}"
    if len(line) < WIDTH or not isinstance(value, list):
        return line
    entries = "".join(f"{indent}    {write_value(entry)},\n" for entry in value)
    return f"{indent}{name}{equals}[\n{entries}{indent}]"


def _text(name: str, value: object) -> str:
    """Write a value as the text of a variable."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return ",".join(_word(name, f"{k}={v}") for k, v in value.items())
    if isinstance(value, list):
        return ",".join(_word(name, str(entry)) for entry in value)
    return str(value)


def _word(name: str, word: str) -> str:
    """Check that a word of a list stays one word."""
    if "," in word or len(word.split()) != 1:
        raise ConfigurationError(
            name, word, "without commas and blanks, which a variable cannot hold"
        )
    return word


_WRITERS: Mapping[str, Callable[[Mapping[str, object]], str]] = {
    "django": _write_django,
    "flask": _write_flask,
    "environment": _write_environment,
}
#: For whom settings can be written.
TARGETS = tuple(_WRITERS)
