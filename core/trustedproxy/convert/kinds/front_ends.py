"""
What front ends have in common: directives in blocks, and a place in front of us.

In:  directives with the blocks around them.
Out: the options of each innermost block; the note about a front end that stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...exceptions import ConfigurationError
from ..record import Effect
from ..sources.given import Given
from .kind import Found

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..reading import Reading
    from ..sources.given import Directive


def find_scopes(directives: Iterable[Directive], lists: Sequence[str]) -> list[Found]:
    """
    Gather the options of every innermost block that has directives.

    Args:
        directives: In their order, names in lower case.

        lists: Those of which several add up in one block; an inner block's replace an
            outer one's, as for nginx and Apache.

    Raises:
        ConfigurationError: One that is no list stands twice in one block.
    """
    by_scope: dict[tuple[str, ...], list[Directive]] = {}
    for directive in directives:
        by_scope.setdefault(directive.scope, []).append(directive)
    innermost = [
        scope
        for scope in by_scope
        if not any(other != scope and _is_inside(other, scope) for other in by_scope)
    ]
    return [_gather(scope, by_scope, lists) for scope in innermost]


def _is_inside(inner: tuple[str, ...], outer: tuple[str, ...]) -> bool:
    return inner[: len(outer)] == outer


def _gather(
    scope: tuple[str, ...],
    by_scope: dict[tuple[str, ...], list[Directive]],
    lists: Sequence[str],
) -> Found:
    options: dict[str, Given] = {}
    for length in range(len(scope) + 1):
        here: dict[str, Given] = {}
        for directive in by_scope.get(scope[:length], []):
            _add(here, directive, lists)
        options.update(here)
    return Found(by_scope[scope][0].where, options)


def _add(here: dict[str, Given], directive: Directive, lists: Sequence[str]) -> None:
    before = here.get(directive.name)
    values = list(directive.values)
    if before is None:
        here[directive.name] = Given(directive.name, values, directive.where)
    elif directive.name in lists and isinstance(before.value, list):
        here[directive.name] = Given(
            directive.name, [*before.value, *values], before.where
        )
    else:
        raise ConfigurationError(
            directive.where, directive.name, f"said once: it is in {before.where}, too"
        )


def note_front_end(reading: Reading, server: str, module: str) -> None:
    """Say what becomes of a front end that did this before."""
    reading.note(
        Effect.TO_DO,
        "front-end-stays",
        f"If {server} stays in front of the application, its own address is the peer: "
        'add it to TRUSTED_PROXIES ("loopback" on the same machine, "unix" behind a '
        f"unix socket), and take the directives of {module} out, so that {server} "
        "appends the address of its own peer to X-Forwarded-For.",
    )
