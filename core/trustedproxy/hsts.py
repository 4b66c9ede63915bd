"""
The value of ``Strict-Transport-Security`` (RFC 6797): parse, check, build, print.

In:  the header's text, as people write it, or its parts.
Out: `HSTSPolicy`, whose `str` is the canonical text.

Whether the header may be sent at all is decided in `https_only`.
"""

from __future__ import annotations

import re
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

from .exceptions import ConfigurationError
from .log import shorten
from .options import is_list, read_flag
from .parsing.grammar import QUOTED_PAIR, TOKEN
from .parsing.values import BLANKS

if TYPE_CHECKING:
    from typing import NoReturn

OPTION = "TRUSTED_PROXY_HSTS_POLICY"
EXPECTED = "an HSTS policy such as 'max-age=31536000; includeSubDomains'"

#: Seconds: what browsers' preload lists ask for at least.
YEAR = 31_536_000

# Browsers count the seconds in 64 bits; more digits than that say nothing.
_MOST_SECONDS = 2**63 - 1

MAX_AGE = "max-age"
INCLUDE_SUBDOMAINS = "includeSubDomains"
PRELOAD = "preload"
_PRELOAD_NEEDS = f"{EXPECTED}: {PRELOAD} needs "
_KNOWN = {name.lower(): name for name in (MAX_AGE, INCLUDE_SUBDOMAINS, PRELOAD)}

# RFC 6797 section 6.1: directive = directive-name [ "=" directive-value ], the value a
# token or a quoted-string (RFC 2616 section 2.2, here of ASCII alone: the text ends up
# in a header).  The blanks are RFC 2616's implied LWS.
# Nothing that was read is read again: no repeat gives back what it has taken.
_BLANKS = r"[ \t]*+"
_QUOTED = r'"(?:[\t \x21\x23-\x5b\x5d-\x7e]++|\\[\t \x21-\x7e])*+"'
_DIRECTIVE = re.compile(
    rf"{_BLANKS}(?P<name>(?>{TOKEN}))"
    rf"(?:{_BLANKS}={_BLANKS}(?P<value>(?>{TOKEN})|{_QUOTED}))?{_BLANKS}"
)
# What stands between two semicolons outside of quotes; an open quote takes the rest.
_PART = re.compile(rf'((?:[^;"]++|{_QUOTED}|".*+)*+)(?:;|\Z)')
_DIGITS = re.compile(r"[0-9]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


@dataclass(frozen=True, slots=True)
class HSTSPolicy:
    """
    How long browsers shall use nothing but HTTPS for a host (RFC 6797 section 6.1).

    Args:
        max_age: Seconds, from 0; 0 takes an earlier policy back.

        include_subdomains: Whether it holds for every name below the host, too.

        preload:
            Whether the host may be built into browsers; needs *include_subdomains*
            and a *max_age* of a year. It is no part of the RFC, but of the browsers'
            list.

        extra: Directives that nobody here knows, as text: ``("report=never",)``.

    Raises:
        ConfigurationError: The parts make no policy; it says what is wrong.
    """

    max_age: int
    _: KW_ONLY
    include_subdomains: bool = False
    preload: bool = False
    extra: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # A number only: True would print as "max-age=True".
        if type(self.max_age) is not int or not 0 <= self.max_age <= _MOST_SECONDS:
            raise ConfigurationError(
                "max_age", self.max_age, "a number of seconds, 0 or more"
            )
        read_flag("include_subdomains", self.include_subdomains)
        read_flag("preload", self.preload)
        if self.preload and not (self.include_subdomains and self.max_age >= YEAR):
            missing = (
                f"{INCLUDE_SUBDOMAINS} beside it"
                if not self.include_subdomains
                else f"a {MAX_AGE} of a year ({YEAR}) or more"
            )
            raise ConfigurationError(OPTION, self._text(), _PRELOAD_NEEDS + missing)
        if not is_list(self.extra):
            raise ConfigurationError("extra", self.extra, "a list of directives")
        given = tuple(self.extra)
        extra = tuple(
            _print(*_split_extra(f"extra[{i}]", text)) for i, text in enumerate(given)
        )
        names = set(_KNOWN)
        for i, text in enumerate(extra):
            name = text.partition("=")[0].lower()
            if name in names:
                raise ConfigurationError(
                    f"extra[{i}]",
                    given[i],
                    "a directive that the policy does not have yet",
                )
            names.add(name)
        object.__setattr__(self, "extra", extra)

    @classmethod
    def parse(cls, text: str, *, option: str = OPTION) -> HSTSPolicy:
        """
        Read the header's *text*, as RFC 6797 section 6.1 writes it.

        Args:
            text:
                Directives between semicolons; their names in any case, empty ones
                skipped, blanks and tabs around ``;`` and ``=`` tolerated.

            option: The setting's name, for errors.

        Raises:
            ConfigurationError: The text is no policy; it says which part and why.
        """
        if not isinstance(text, str):
            raise ConfigurationError(option, text, EXPECTED)

        def refuse(reason: str) -> NoReturn:
            raise ConfigurationError(option, text, f"{EXPECTED}: {reason}")

        if _CONTROL.search(text):
            refuse("it has a control character")
        if _NOT_ASCII.search(text):
            refuse("it has a character outside of ASCII")

        found: dict[str, tuple[str, str | None]] = {}
        for part in (match[1] for match in _PART.finditer(text)):
            if not part.strip(BLANKS):
                continue
            match = _DIRECTIVE.fullmatch(part)
            if match is None:
                refuse(f"{shorten(part.strip())} is no directive")
            name, value = match["name"], match["value"]
            if name.lower() in found:
                refuse(f"{_KNOWN.get(name.lower(), name)} is there more than once")
            found[name.lower()] = name, None if value is None else _unquote(value)

        if MAX_AGE not in found:
            refuse(f"{MAX_AGE} is missing")
        _, seconds = found.pop(MAX_AGE)
        if seconds is None or not _DIGITS.fullmatch(seconds):
            refuse(f"{MAX_AGE} is no number of seconds, 0 or more")
        seconds = seconds.lstrip("0") or "0"
        if len(seconds) > len(str(_MOST_SECONDS)) or int(seconds) > _MOST_SECONDS:
            refuse(f"{MAX_AGE} is too large")
        flags: dict[str, bool] = {}
        for flag in (INCLUDE_SUBDOMAINS, PRELOAD):
            _, value = found.get(flag.lower(), (flag, None))
            if value is not None:
                refuse(f"{flag} takes no value")
            flags[flag] = found.pop(flag.lower(), None) is not None

        try:
            return cls(
                int(seconds),
                include_subdomains=flags[INCLUDE_SUBDOMAINS],
                preload=flags[PRELOAD],
                extra=tuple(_print(name, value) for name, value in found.values()),
            )
        except ConfigurationError as error:
            raise ConfigurationError(option, text, error.expected) from None

    def __str__(self) -> str:
        return self._text()

    def _text(self) -> str:
        directives = [f"{MAX_AGE}={self.max_age}"]
        if self.include_subdomains:
            directives.append(INCLUDE_SUBDOMAINS)
        if self.preload:
            directives.append(PRELOAD)
        return "; ".join((*directives, *self.extra))


def is_about_preload(error: ConfigurationError) -> bool:
    """Say whether an *error* is that a policy is not fit to be built into browsers."""
    return error.expected.startswith(_PRELOAD_NEEDS)


def _split_extra(option: str, text: object) -> tuple[str, str | None]:
    match = _DIRECTIVE.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ConfigurationError(
            option, text, "a directive such as 'name' or 'name=value'"
        )
    value = match["value"]
    return match["name"], None if value is None else _unquote(value)


def _unquote(value: str) -> str:
    if value.startswith('"'):
        return QUOTED_PAIR.sub(r"\1", value[1:-1])
    return value


def _print(name: str, value: str | None) -> str:
    """Write a directive: a token as it is, everything else in quotes."""
    if value is None:
        return name
    if re.fullmatch(TOKEN, value):
        return f"{name}={value}"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{name}="{escaped}"'
