"""
What is said of every front end, and how its texts are kept from being syntax.

In:  a plan, and what a front end can do.
Out: `Frontend`, one row each, and errors that name what it cannot do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..exceptions import ConfigurationError
from .plan import Header, Plan, Value
from .site import TLS

EVERY_VALUE = frozenset(Value)
HAS_ITS_OWN_LOG = "its log has a format of its own: turn that on, and explain reads it"
"""Why some write no access log of ours."""
LITERALS = frozenset(
    {
        Value.NOTHING,
        Value.SCHEME,
        Value.FLAG,
        Value.PORT,
        Value.TEXT,
    }
)
"""The values that are the same for every request of a listener."""


@dataclass(frozen=True, slots=True)
class Frontend:
    """
    One front end.

    Attributes:
        name: As the command takes it.

        title: Its name for people.

        write: Makes the files of its configuration, by the path they belong at.

        values: What it can set a header of any name to.

        own_headers:
            Headers that it sets to more than that by itself, in small letters.

        appends_mount_points:
            Whether it can put a path behind what an outer proxy says of the mount
            point.

        unsayable: Characters that no text of its configuration can have.

        cannot: What it cannot do, by the field of `Site`, and why.

        check_more: Refuses what no field of these can say.
    """

    name: str
    title: str
    write: Callable[[Plan], Mapping[str, str]]
    values: frozenset[Value] = EVERY_VALUE
    own_headers: Mapping[str, Value] | None = None
    appends_mount_points: bool = True
    unsayable: str = ""
    cannot: Mapping[str, str] | None = None
    check_more: Callable[[Plan], None] | None = None

    def check(self, plan: Plan) -> None:
        """
        Refuse a plan that this front end cannot carry out.

        Raises:
            ConfigurationError: It says which part, and why.
        """
        site = plan.site
        for field, reason in (self.cannot or {}).items():
            given = getattr(site, field, None)
            if field == "socket":
                given = next(
                    (one.backend for one in site.locations if one.server.socket), None
                )
            if isinstance(given, TLS):
                given = given.certificate
            if given:
                raise ConfigurationError(
                    "backend" if field == "socket" else field,
                    given,
                    f"possible with {self.title}: {reason}",
                )
        hsts = site.hsts or ""
        self._check_text("hsts", hsts, hsts)
        for location in site.locations:
            self._check_text("path", location.path, location.path)
            for header in plan.list_headers(location):
                self._check_header(header)
        if self.check_more is not None:
            self.check_more(plan)

    def _check_header(self, header: Header) -> None:
        own = (self.own_headers or {}).get(header.name.lower())
        if header.value not in self.values and header.value is not own:
            raise ConfigurationError(
                "TRUSTED_PROXY_HEADERS",
                header.name,
                f"a header that {self.title} can set to {header.value.value}",
            )
        if header.appends and header.text and not self.appends_mount_points:
            raise ConfigurationError(
                "path",
                header.text,
                f"a path that {self.title} can put behind the outer proxy's "
                f"{header.name}: let the outer proxy take the path off, or leave "
                f"{header.name} out of outer_headers=",
            )
        shown = "(the secret)" if header.is_secret else header.text
        self._check_text("secret" if header.is_secret else "path", header.text, shown)

    def _check_text(self, option: str, text: str, shown: str) -> None:
        for sign in self.unsayable:
            if sign in text:
                raise ConfigurationError(
                    option,
                    shown,
                    f"possible with {self.title}, which cannot say {sign!r}",
                )


def escape_regex(text: str) -> str:
    """Escape *text* for a regular expression, without backslashes."""
    # Backslashes are syntax in half of the configurations; brackets are in none.
    return re.sub(r"[.+*$]", lambda match: f"[{match[0]}]", text)


def indent(lines: Sequence[str], by: str = "    ") -> list[str]:
    """Indent *lines*, but for the empty ones."""
    return [by + line if line else "" for line in lines]


def name_headers(plan: Plan) -> str:
    """Name the trusted headers, for a comment."""
    return ", ".join(plan.forwarding) or "none"
