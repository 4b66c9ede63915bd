"""
Read mod_wsgi's configuration as settings of this project.

In:  Apache directives, options of mod_wsgi-express, or both, as text.
Out: a mapping with the names of the settings, for `trustedproxy.settings`.

What is not known here is named in an error and never skipped: a line that was not
understood may have been the one that kept somebody out.  Whether a value is valid is
checked where the settings are read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from .exceptions import ConfigurationError, nearest
from .log import warn_once
from .parsing.addresses import parse_port
from .policy_options import EVERY_PEER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

#: The words of a command line in front of mod_wsgi-express's options.
_COMMANDS = ("mod_wsgi-express", "start-server", "setup-server", "runmodwsgi")

# One piece of a line, as a shell reads it: what stands between two of them is nothing.
_PIECE = re.compile(
    r"""(?P<blanks>[ \t\r\n]+)"""
    r"""|(?P<plain>[^ \t\r\n"'\\]+)"""
    r"""|\\(?P<escaped>.)"""
    r"""|'(?P<single>[^']*)'"""
    r"""|"(?P<double>(?:[^"\\]|\\.)*+)["]""",
    re.DOTALL,
)
_ESCAPED_IN_QUOTES = re.compile(r"""\\(["\\])""")

_EVERY_PEER_IS_TRUSTED = (
    "the configuration of mod_wsgi names no trusted proxies, so that every peer that "
    "can connect is trusted, as it is there: add WSGITrustedProxies (--trust-proxy) "
    "with the addresses of your proxies"
)


@dataclass(slots=True)
class _Found:
    """What the text has said so far; ``None`` and empty are what it has not."""

    headers: list[str] | None = None
    proxies: list[str] | None = None
    https_only: bool = False
    https_port: str = ""
    server_name: str = ""
    hsts_policy: str = ""
    mount_points: dict[str, str] = field(default_factory=dict)
    restrict_signals: bool | None = None

    def settings(self) -> dict[str, object]:
        """Name what was found as settings; what was not said is left out."""
        found: dict[str, object] = {}
        if self.headers is not None:
            found["TRUSTED_PROXY_HEADERS"] = _keep_last(self.headers)
        if self.proxies is not None:
            found["TRUSTED_PROXIES"] = self.proxies
        elif self.headers:
            warn_once("mod-wsgi-every-peer", _EVERY_PEER_IS_TRUSTED)
            found["TRUSTED_PROXIES"] = EVERY_PEER
        if self.https_only:
            found["TRUSTED_PROXY_HTTPS_ONLY"] = True
            # The name and the port matter to mod_wsgi's redirect alone.
            port = f":{self.https_port}" if self.https_port else ""
            if host := self.server_name + port.removesuffix(":443"):
                found["TRUSTED_PROXY_HTTPS_HOST"] = host
        if self.hsts_policy:
            found["TRUSTED_PROXY_HSTS_POLICY"] = self.hsts_policy
        if self.mount_points:
            found["TRUSTED_PROXY_MOUNT_POINTS"] = self.mount_points
        if self.restrict_signals is not None:
            found["TRUSTED_PROXY_RESTRICT_SIGNALS"] = self.restrict_signals
        return found


@dataclass(frozen=True, slots=True)
class _Term:
    """One directive or option: how it is spelled, its values, what they mean."""

    name: str
    #: How many values there are; ``None`` for a directive with any number.
    count: int | None
    #: The end of "... is not", for a wrong number of values.
    expected: str
    add: Callable[[_Found, str, Sequence[str]], None]


def parse_mod_wsgi(text: str) -> dict[str, object]:
    """
    Turn mod_wsgi's own configuration into settings.

    The directives ``WSGITrustedProxyHeaders``, ``WSGITrustedProxies`` and
    ``WSGIRestrictSignal`` are known, and the options ``--trust-proxy-header``,
    ``--trust-proxy``, ``--https-only``, ``--hsts-policy``, ``--server-name``,
    ``--https-port`` and ``--proxy-mount-point`` of mod_wsgi-express, with or without
    the command in front.  Several add up, as they do for mod_wsgi.

    Args:
        text:
            Lines of an Apache configuration or a command line; ``#`` begins a line of
            comment, a backslash at the end of a line continues it, quotes keep blanks.

    Returns:
        The settings that the text names, ``TRUSTED_PROXY_HEADERS`` and so on.  Headers
        without ``WSGITrustedProxies`` are trusted from every peer, as in mod_wsgi, and
        a warning is logged; the directive without a word gives an empty list, so that
        nobody is trusted.

    Raises:
        ConfigurationError:
            A directive, an option or a section that is not known here, or a wrong
            number of values; the line's number and the word are in it.
    """
    found = _Found()
    for number, line in _logical_lines(text):
        where = f"mod_wsgi, line {number}"
        if line.endswith("\\"):
            # Blanks behind it were stripped, and for Apache it continues nothing.
            raise ConfigurationError(
                where, line, "continued: nothing may stand behind the backslash"
            )
        try:
            words = _split_words(line)
        except ValueError:
            raise ConfigurationError(where, line, "a line with its quotes") from None
        leading, options = _split_command(words)
        if options or any(_is_command(word) for word in leading):
            _read_options(where, leading, options, found)
        else:
            _read_directive(where, words, found)
    return found.settings()


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Join lines that end in a backslash; leave comments and blank lines out."""
    begun = 0
    pieces: list[str] = []
    # The empty line at the end is what a backslash on the last line continues with.
    for number, ended in enumerate([*text.split("\n"), ""], 1):
        line = ended.removesuffix("\r")
        begun = begun or number
        if line.endswith("\\"):
            pieces.append(line[:-1])
            continue
        joined = "".join([*pieces, line]).strip()
        # As for Apache, a comment is continued by a backslash like any other line.
        if joined and not joined.startswith("#"):
            yield begun, joined
        begun, pieces = 0, []


def _split_words(line: str) -> list[str]:
    """
    Split a line, without blanks around it, into words as a shell does.

    It is what `shlex.split` gives, in linear time for a long word, too.

    Raises:
        ValueError: A quote is not closed, or nothing follows a backslash.
    """
    words: list[str] = []
    pieces: list[str] = []
    at = 0
    while at < len(line):
        piece = _PIECE.match(line, at)
        if piece is None:
            raise ValueError(line)
        at = piece.end()
        kind = piece.lastgroup or ""
        if kind == "blanks":
            words.append("".join(pieces))
            pieces = []
        elif kind == "double":
            pieces.append(_ESCAPED_IN_QUOTES.sub(r"\1", piece[kind]))
        else:
            pieces.append(piece[kind])
    words.append("".join(pieces))
    return words


def _is_command(word: str) -> bool:
    return PurePosixPath(word).name in _COMMANDS


def _split_command(words: list[str]) -> tuple[list[str], list[str]]:
    """Split *words* in front of the first option."""
    for i, word in enumerate(words):
        if word.startswith("-"):
            # An option belongs to a command or begins the line; else it is a word of
            # a directive.
            if i == 0 or any(_is_command(before) for before in words[:i]):
                return words[:i], words[i:]
            break
    return words, []


def _read_directive(where: str, words: list[str], found: _Found) -> None:
    """Add one directive of Apache's to *found*."""
    word, *values = words
    if word.startswith("<"):
        raise ConfigurationError(
            where,
            word,
            "a directive: what stands in a section holds for a part of the site only, "
            "so give the lines inside it alone",
        )
    term = _DIRECTIVES.get(word.lower())
    if term is None:
        known = [term.name for term in _DIRECTIVES.values()]
        raise ConfigurationError(
            where,
            word,
            f"a directive that is known here, which are {', '.join(known)}"
            + nearest(word, known),
        )
    if "#" in values:
        raise ConfigurationError(
            f"{where}, {term.name}", "#", "a value: a comment has a line of its own"
        )
    if term.count is not None and len(values) != term.count:
        raise ConfigurationError(f"{where}, {term.name}", values, term.expected)
    term.add(found, f"{where}, {term.name}", values)


def _read_options(
    where: str, leading: list[str], options: list[str], found: _Found
) -> None:
    """Add the options of one command line to *found*."""
    # The script may stand behind the command or behind its options, once.
    script_to_come = bool(leading) and _is_command(leading[-1])
    rest = iter(options)
    for word in rest:
        name, equals, value = word.partition("=")
        term = _OPTIONS.get(name)
        if term is None:
            if script_to_come and not word.startswith("-"):
                script_to_come = False
                continue
            raise ConfigurationError(
                where,
                word,
                f"an option that is known here, which are {', '.join(_OPTIONS)}"
                + nearest(name, _OPTIONS),
            )
        values = [value] if equals else []
        while len(values) < (term.count or 0):
            following = next(rest, "")
            if following.startswith("--"):
                raise ConfigurationError(f"{where}, {name}", following, term.expected)
            values.append(following)
        if len(values) > (term.count or 0) or not all(map(str.strip, values)):
            raise ConfigurationError(
                f"{where}, {name}", " ".join(values), term.expected
            )
        term.add(found, f"{where}, {name}", values)


def _add_headers(found: _Found, where: str, values: Sequence[str]) -> None:
    found.headers = found.headers or []
    # Blanks inside quotes separate too: express pastes its arguments into a directive.
    found.headers += " ".join(values).split()


def _keep_last(names: Sequence[str]) -> list[str]:
    """Keep of a name that was given twice the last: the last that is present wins."""
    last: dict[str, str] = {}
    for name in names:
        last.pop(name.lower(), None)
        last[name.lower()] = name
    return list(last.values())


def _add_proxies(found: _Found, where: str, values: Sequence[str]) -> None:
    proxies = " ".join(values).split()
    if EVERY_PEER in proxies:
        raise ConfigurationError(
            where,
            EVERY_PEER,
            "an address or a network, and mod_wsgi does not start with it: it trusts "
            "every peer where no proxies are named",
        )
    found.proxies = found.proxies or []
    found.proxies += proxies


def _set_https_only(found: _Found, where: str, values: Sequence[str]) -> None:
    found.https_only = True


def _set_https_port(found: _Found, where: str, values: Sequence[str]) -> None:
    (port,) = values
    if parse_port(port) is None:
        raise ConfigurationError(where, port, "a port such as 443")
    found.https_port = port


def _set_server_name(found: _Found, where: str, values: Sequence[str]) -> None:
    (found.server_name,) = values


def _set_hsts_policy(found: _Found, where: str, values: Sequence[str]) -> None:
    (policy,) = values
    # Express pastes the policy unquoted into a directive, so that one with a blank
    # needs quotes of its own inside the argument.
    if len(policy) > 1 and policy[0] == policy[-1] == '"':
        policy = policy[1:-1]
    found.hsts_policy = policy


def _add_mount_point(found: _Found, where: str, values: Sequence[str]) -> None:
    path, url = values
    if path in found.mount_points:
        raise ConfigurationError(where, path, "a path that was not given before")
    found.mount_points[path] = url


def _set_restrict_signals(found: _Found, where: str, values: Sequence[str]) -> None:
    (word,) = values
    if word.lower() not in ("on", "off"):
        raise ConfigurationError(where, word, "'On' or 'Off'")
    found.restrict_signals = word.lower() == "on"


_DIRECTIVES: Mapping[str, _Term] = {
    term.name.lower(): term
    for term in (
        _Term("WSGITrustedProxyHeaders", None, "header names", _add_headers),
        _Term("WSGITrustedProxies", None, "addresses and networks", _add_proxies),
        _Term("WSGIRestrictSignal", 1, "'On' or 'Off'", _set_restrict_signals),
    )
}

_OPTIONS: Mapping[str, _Term] = {
    term.name: term
    for term in (
        _Term("--trust-proxy-header", 1, "a header's name", _add_headers),
        _Term("--trust-proxy", 1, "an address or a network", _add_proxies),
        _Term("--https-only", 0, "a flag without a value", _set_https_only),
        _Term(
            "--hsts-policy", 1, "a policy such as max-age=31536000", _set_hsts_policy
        ),
        _Term("--server-name", 1, "a host's name", _set_server_name),
        _Term("--https-port", 1, "a port such as 443", _set_https_port),
        _Term("--proxy-mount-point", 2, "a path and a URL", _add_mount_point),
        # The name up to mod_wsgi 4.4.8, which later versions still accept.
        _Term("--proxy-url-alias", 2, "a path and a URL", _add_mount_point),
    )
}
