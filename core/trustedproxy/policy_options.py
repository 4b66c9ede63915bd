"""
The settings of a policy: their table, and what their values may be.

In:  the arguments of `ProxyPolicy`, by their names.
Out: `PolicyOptions`, in which everything is valid and nothing contradicts anything; or
     a `ConfigurationError` that names the setting, the argument and what to write.

`networks` reads the list of proxies, `headers` checks a header's name and form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

from .exceptions import ConfigurationError, hide_userinfo, name_nearest, nearest
from .headers import FORMS_OF, KNOWN_HEADERS, Category, Form, ProxyHeader, environ_key
from .networks import TrustedNetworks
from .options import (
    Option,
    is_list,
    name_host_inside,
    parse_flag,
    parse_number,
    parse_word,
    read_choice,
    read_flag,
    read_number,
    split_entries,
)
from .parsing.lists import MAX_ELEMENTS
from .parsing.values import (
    parse_host,
    parse_mount_point,
    parse_port_text,
    parse_scheme,
)

if TYPE_CHECKING:
    from .networks import NetworkEntry

#: Which headers are removed: of the listed categories, or every known one.
Strip: TypeAlias = Literal["listed", "all"]
#: What a malformed listed header gets.
Malformed: TypeAlias = Literal["ignore", "reject"]
#: What a request of an unknown client gets.
Missing: TypeAlias = Literal["ignore", "reject"]

EVERY_PEER = "*"
#: What a shorter secret has can be guessed.
LEAST_SECRET_CHARACTERS = 16

OPTIONS: tuple[Option, ...] = (
    Option("TRUSTED_PROXY_HEADERS", (), "the trusted headers", "headers"),
    Option(
        "TRUSTED_PROXIES",
        None,
        "addresses and networks of the proxies; '*' for every peer",
        "proxies",
    ),
    Option(
        "TRUSTED_PROXY_HOPS",
        None,
        "how many elements from the right your own proxies wrote",
        "hops",
        parse_number,
    ),
    Option(
        "TRUSTED_PROXY_SECRET_HEADER",
        None,
        "the header that your proxy sets to a secret",
        "secret_header",
        parse_word,
    ),
    Option(
        "TRUSTED_PROXY_SECRETS",
        (),
        "the secrets that it may hold, several for rotation",
        "secrets",
    ),
    Option(
        "TRUSTED_PROXY_PRESET",
        None,
        "the name of a platform; the other settings override what it says",
        "preset",
        parse_word,
    ),
    Option(
        "TRUSTED_PROXY_STRIP",
        "listed",
        "which headers are removed: of the listed categories, or 'all' known ones",
        "strip",
        parse_word,
    ),
    Option(
        "TRUSTED_PROXY_MALFORMED",
        "ignore",
        "what a malformed listed header gets: 'ignore', or 'reject' with 400",
        "malformed",
        parse_word,
    ),
    Option(
        "TRUSTED_PROXY_MISSING",
        "ignore",
        "what an unknown client gets: 'ignore', or 'reject' with 400",
        "missing",
        parse_word,
    ),
    Option(
        "TRUSTED_PROXY_PORT_IN_HOST",
        False,
        "whether a trusted port is written into the host",
        "port_in_host",
        parse_flag,
    ),
    Option(
        "TRUSTED_PROXY_STRIP_MOUNT_POINT",
        False,
        "whether the mount point is taken off the front of the path",
        "strip_mount_point",
        parse_flag,
    ),
    Option(
        "TRUSTED_PROXY_REPORT_ONLY",
        False,
        "whether decisions are only logged, and nothing is changed",
        "report_only",
        parse_flag,
    ),
    Option(
        "TRUSTED_PROXY_FIXED_SCHEME",
        None,
        "the scheme of clients, where no header says it",
        "fixed_scheme",
        parse_word,
    ),
    Option(
        "TRUSTED_PROXY_FIXED_HOST",
        None,
        "the host that clients ask for, where no header says it",
        "fixed_host",
        parse_word,
    ),
    Option(
        "TRUSTED_PROXY_FIXED_PORT",
        None,
        "the port that clients connect to, where no header says it",
        "fixed_port",
        parse_word,
    ),
    Option(
        "TRUSTED_PROXY_FIXED_MOUNT_POINT",
        None,
        "the URL path of this application, where no header says it",
        "fixed_mount_point",
        parse_word,
    ),
)

_STRIP: tuple[Strip, ...] = ("listed", "all")
_REACTIONS: tuple[Malformed, ...] = ("ignore", "reject")

_NAME_OF = {option.argument: option.name for option in OPTIONS}


@dataclass(frozen=True, slots=True)
class PolicyOptions:
    """
    What a policy is made of: valid, and without contradictions.

    Attributes:
        headers: The trusted headers, in their order.

        proxies: The entries as they were written; ``None`` for every peer.

        hops: How many elements from the right the operator's own proxies wrote.

        secret_header: The header that the proxy sets to one of *secrets*.

        secrets: The secrets.

        strip: Which headers are removed.

        malformed: What a malformed listed header gets.

        missing: What a request of an unknown client gets.

        port_in_host: Whether a trusted port is written into the host.

        strip_mount_point: Whether the mount point is taken off the path.

        report_only: Whether decisions are only logged.

        fixed_scheme: ``http`` or ``https``, stated; ``None`` where it is not.

        fixed_host: A host with an optional port, stated.

        fixed_port: The digits of a port, stated.

        fixed_mount_point: A mount point, stated; ``""`` for the root of the site.

        preset: The name of the preset that the others were taken from.

        networks: The entries of *proxies*, compiled.
    """

    headers: tuple[ProxyHeader, ...]
    proxies: tuple[NetworkEntry, ...] | None
    hops: int | None
    secret_header: str | None
    secrets: tuple[str, ...] = field(repr=False)
    strip: Strip
    malformed: Malformed
    missing: Missing
    port_in_host: bool
    strip_mount_point: bool
    report_only: bool
    fixed_scheme: str | None
    fixed_host: str | None
    fixed_port: str | None
    fixed_mount_point: str | None
    preset: str | None
    networks: TrustedNetworks | None = field(compare=False, repr=False)

    @property
    def fixed(self) -> dict[Category, str]:
        """What is stated, by the category that it is stated for (rule R21)."""
        stated = {
            Category.SCHEME: self.fixed_scheme,
            Category.HOST: self.fixed_host,
            Category.PORT: self.fixed_port,
            Category.MOUNT_POINT: self.fixed_mount_point,
        }
        return {
            category: value for category, value in stated.items() if value is not None
        }


def read_policy_options(
    *,
    headers: Sequence[str | ProxyHeader] | str = (),
    proxies: Sequence[NetworkEntry] | str | None = None,
    hops: int | None = None,
    secret_header: str | None = None,
    secrets: Sequence[str] | str = (),
    preset: str | None = None,
    strip: Strip = "listed",
    malformed: Malformed = "ignore",
    missing: Missing = "ignore",
    port_in_host: bool = False,
    strip_mount_point: bool = False,
    report_only: bool = False,
    fixed_scheme: str | None = None,
    fixed_host: str | None = None,
    fixed_port: int | str | None = None,
    fixed_mount_point: str | None = None,
) -> PolicyOptions:
    """
    Check the arguments of `ProxyPolicy`, which are described there.

    Raises:
        ConfigurationError: A value is invalid, or two contradict each other.
    """
    entries = _read("proxies", _read_proxies, proxies)
    options = PolicyOptions(
        headers=_read("headers", _read_headers, headers),
        proxies=entries,
        hops=_read("hops", _read_hops, hops),
        secret_header=_read("secret_header", _read_secret_header, secret_header),
        secrets=_read("secrets", _read_secrets, secrets),
        preset=_read("preset", _read_preset, preset),
        strip=_read("strip", _read_strip, strip),
        malformed=_read("malformed", _read_reaction, malformed),
        missing=_read("missing", _read_reaction, missing),
        port_in_host=_read("port_in_host", read_flag, port_in_host),
        strip_mount_point=_read("strip_mount_point", read_flag, strip_mount_point),
        report_only=_read("report_only", read_flag, report_only),
        fixed_scheme=_read("fixed_scheme", _read_fixed_scheme, fixed_scheme),
        fixed_host=_read("fixed_host", _read_fixed_host, fixed_host),
        fixed_port=_read("fixed_port", _read_fixed_port, fixed_port),
        fixed_mount_point=_read(
            "fixed_mount_point", _read_fixed_mount_point, fixed_mount_point
        ),
        networks=_read("proxies", _compile_networks, entries),
    )
    _check_forwarded(options)
    _check_fixed(options)
    _check_secrets(options)
    _check_missing(options)
    _check_trust_is_said(options, proxies_said=proxies is not None)
    return options


Value = TypeVar("Value")


def _read(argument: str, reader: Callable[[str, Any], Value], value: object) -> Value:
    """Read the *value* of an argument; an error names its setting and the argument."""
    try:
        return reader(_NAME_OF[argument], value)
    except ConfigurationError as error:
        raise _error(argument, error.value, error.expected, error.option) from (
            error.__cause__
        )


def _error(
    argument: str, value: object, expected: str, option: str | None = None
) -> ConfigurationError:
    """Make the error for the *value* of an argument."""
    return ConfigurationError(option or _NAME_OF[argument], value, expected, argument)


# -- headers ---------------------------------------------------------------------------

_KNOWN = {header.name.lower(): header for header in KNOWN_HEADERS}
_READ_NAMES = tuple(h.name for h in KNOWN_HEADERS if h.form is not Form.NEVER)

#: How a form is written in text, as in ``X-Edge-Client=address`` → category and form.
_CUSTOM_FORMS = {
    form.name.lower(): (category, form)
    for category, forms in FORMS_OF.items()
    for form in forms
    if form is not Form.NEVER
}
#: What the name of a header suggests about its form: the first that is in it.
_SUGGESTED_FORMS = {
    "path": "mount_point",
    "prefix": "mount_point",
    "script": "mount_point",
    "https": "flag",
    "ssl": "flag",
    "tls": "flag",
    "proto": "scheme",
    "scheme": "scheme",
    "port": "port",
    "server": "server",
    "host": "host",
}
#: How near a known header has to be to be named beside the way to describe one.
_NEAR_HEADER = 0.85


def _read_headers(name: str, value: object) -> tuple[ProxyHeader, ...]:
    if isinstance(value, (set, frozenset)):
        raise ConfigurationError(name, value, "in an order, which decides winners")
    headers: dict[str, ProxyHeader] = {}
    for i, entry in enumerate(split_entries(value, name)):
        where = f"{name}[{i}]"
        header = _read_header(where, entry)
        shown = entry if isinstance(entry, str) else header.name
        if header.form is Form.NEVER:
            raise ConfigurationError(
                where, shown, "a header that can be trusted: it is only removed"
            )
        # Names that a WSGI server cannot distinguish are one name.
        key = environ_key(header.name)
        if key in headers:
            raise ConfigurationError(
                where, shown, f"new here: {headers[key].name!r} is listed before it"
            )
        headers[key] = header
    return tuple(headers.values())


def _read_header(where: str, entry: object) -> ProxyHeader:
    if isinstance(entry, ProxyHeader):
        return entry
    if not isinstance(entry, str):
        raise ConfigurationError(where, entry, "a header's name")
    name, equals, form = entry.partition("=")
    if not equals:
        known = _KNOWN.get(name.lower())
        if known is None:
            raise ConfigurationError(where, entry, _expect_header(name))
        return known
    if form not in _CUSTOM_FORMS:
        near = nearest(form, _CUSTOM_FORMS, cutoff=0.5)
        raise ConfigurationError(
            where,
            entry,
            f"a header with a known form, which are {', '.join(_CUSTOM_FORMS)}{near}",
        )
    try:
        return ProxyHeader(name, *_CUSTOM_FORMS[form])
    except ConfigurationError as error:
        raise ConfigurationError(where, error.value, error.expected) from None


def _expect_header(name: str) -> str:
    """Say what to write for a header that is not known, under the name it has here."""
    # As in an environ, or with underscores, which a header of ours never has.
    spelled = name.replace("_", "-")
    spelled = spelled[5:] if spelled[:5].upper() == "HTTP-" else spelled
    if spelled.lower() in _KNOWN:
        return "a header that is known" + name_nearest(_KNOWN[spelled.lower()].name)
    near = nearest(spelled, _READ_NAMES, cutoff=_NEAR_HEADER)
    try:
        ProxyHeader(spelled, Category.OTHER, Form.NEVER)
    except ConfigurationError as error:
        return error.expected + near
    words = (form for word, form in _SUGGESTED_FORMS.items() if word in spelled.lower())
    suggested = next(words, "address")
    return (
        f"a header that is known: describe a custom one with its form, as in "
        f"'{spelled}={suggested}', or by a ProxyHeader{near}"
    )


_ADDRESSES = (IPv4Address, IPv6Address, IPv4Network, IPv6Network)

# -- whom to trust ---------------------------------------------------------------------


def _read_proxies(name: str, value: object) -> tuple[NetworkEntry, ...] | None:
    if value is None:
        return None
    entries = split_entries(value, name)
    if EVERY_PEER in entries:
        if len(entries) > 1:
            raise ConfigurationError(name, value, "'*' alone: it stands for all")
        return None
    # What is equal is written alike, so that it can be compared.
    return tuple(
        str(entry) if isinstance(entry, _ADDRESSES) else entry for entry in entries
    )


def _compile_networks(
    name: str, entries: tuple[NetworkEntry, ...] | None
) -> TrustedNetworks | None:
    return None if entries is None else TrustedNetworks(entries, option=name)


def _read_hops(name: str, value: object) -> int | None:
    return None if value is None else read_number(name, value, 1, MAX_ELEMENTS)


#: What an error shows in place of a secret, even of an invalid one.
HIDDEN = "<secret>"
_LIST_OF_SECRETS = f"[{HIDDEN!r}, {HIDDEN!r}]"


def _read_secrets(name: str, value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        secrets: list[object] = [*_split_lines(value)]
    elif is_list(value):
        secrets = list(value)
    else:
        raise ConfigurationError(
            name,
            None if value is None else HIDDEN,
            f"a list of secrets such as {_LIST_OF_SECRETS}, or one text with one "
            "secret a line",
        )
    for i, secret in enumerate(secrets):
        if expected := _expect_secret(secret, in_text=isinstance(value, str)):
            raise ConfigurationError(f"{name}[{i}]", HIDDEN, expected)
    return tuple(map(str, secrets))


def _split_lines(text: str) -> list[str]:
    lines = (line.strip() for line in text.split("\n"))
    return [line for line in lines if line]


def _expect_secret(secret: object, *, in_text: bool) -> str | None:
    """Say what a secret should have been; ``None`` where nothing is wrong with it."""
    if (
        not isinstance(secret, str)
        or not secret
        or secret != secret.strip()
        or not (secret.isascii() and secret.isprintable())
    ):
        return "a string of printable ASCII without blanks around it"
    if in_text and (" " in secret or "," in secret):
        return (
            "one secret: in one text each has a line of its own, and one with a blank "
            f"or a comma in it is written in a list, such as {_LIST_OF_SECRETS}"
        )
    if len(secret) < LEAST_SECRET_CHARACTERS:
        return (
            f"a secret of at least {LEAST_SECRET_CHARACTERS} characters; several are "
            f"written in a list, such as {_LIST_OF_SECRETS}, or one a line"
        )
    return None


def _read_secret_header(name: str, value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise ConfigurationError(name, value, "a header's name")
    try:
        # Its name has to be one that a custom header could have.
        ProxyHeader(value, Category.OTHER, Form.NEVER)
    except ConfigurationError as error:
        raise ConfigurationError(name, value, error.expected) from None
    return value


def _read_preset(name: str, value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise ConfigurationError(name, value, "the name of a preset")
    return value


# -- what is done ----------------------------------------------------------------------


def _read_strip(name: str, value: object) -> Strip:
    return read_choice(name, value, _STRIP)


def _read_reaction(name: str, value: object) -> Malformed:
    return read_choice(name, value, _REACTIONS)


# -- what is stated (rule R21) ---------------------------------------------------------


def _read_fixed_scheme(name: str, value: object) -> str | None:
    if value is None:
        return None
    scheme = parse_scheme(value) if isinstance(value, str) else None
    if scheme is None:
        near = nearest(str(value), ("http", "https"))
        raise ConfigurationError(name, value, f"'http' or 'https'{near}")
    return scheme


def _read_fixed_host(name: str, value: object) -> str | None:
    if value is None:
        return None
    host = parse_host(value) if isinstance(value, str) else None
    if host is None:
        raise ConfigurationError(
            name,
            hide_userinfo(value),
            "a host such as 'www.example.com' or 'www.example.com:8443'"
            + name_host_inside(value),
        )
    return host


def _read_fixed_port(name: str, value: object) -> str | None:
    if value is None:
        return None
    number = isinstance(value, int) and not isinstance(value, bool)
    port = parse_port_text(str(value)) if number or isinstance(value, str) else None
    if port is None:
        raise ConfigurationError(name, value, "a port from 1 to 65535")
    return port


def _read_fixed_mount_point(name: str, value: object) -> str | None:
    if value is None:
        return None
    path = parse_mount_point(value) if isinstance(value, str) else None
    if path is None:
        raise ConfigurationError(
            name,
            hide_userinfo(value),
            "the URL path of this application such as '/dev'"
            + _expect_mount_point(value),
        )
    return path


def _expect_mount_point(value: object) -> str:
    """Say what was meant by a *value* that is no mount point."""
    if isinstance(value, Mapping) or "://" in str(value):
        return (
            "; a path at which another server's site is proxied, with the URL of that "
            "server, belongs in TRUSTED_PROXY_MOUNT_POINTS"
        )
    rooted = "/" + str(value).strip("/")
    return "" if parse_mount_point(rooted) is None else name_nearest(rooted)


# -- contradictions --------------------------------------------------------------------


def _check_forwarded(options: PolicyOptions) -> None:
    """One convention at a time (rule R5)."""
    forwarded = next((h for h in options.headers if h.form is Form.FORWARDED), None)
    if forwarded is None:
        return
    for header in options.headers:
        if header is not forwarded and header.category in forwarded.categories:
            raise _error(
                "headers",
                header.name,
                f"possible beside {forwarded.name!r}, which says the "
                f"{header.category} itself: list one convention",
            )


def _check_fixed(options: PolicyOptions) -> None:
    """What is stated has no header, whose absence it would hide (rule R21)."""
    for category, value in options.fixed.items():
        argument = f"fixed_{category.name.lower()}"
        for header in options.headers:
            if category in header.categories:
                preset = (
                    f" (the preset {options.preset!r} lists it, unless "
                    "TRUSTED_PROXY_HEADERS is set besides)"
                    if options.preset
                    else ""
                )
                raise _error(
                    argument,
                    value,
                    f"possible beside {header.name!r} in TRUSTED_PROXY_HEADERS, which "
                    f"says the {category} itself{preset}: remove one of the two",
                )


def _check_secrets(options: PolicyOptions) -> None:
    """The secret's header has secrets, and nothing else to say."""
    name = options.secret_header
    if name is None:
        if options.secrets:
            raise _error("secret_header", name, "set, though TRUSTED_PROXY_SECRETS is")
        return
    if not options.secrets:
        raise _error("secrets", (), "set, though TRUSTED_PROXY_SECRET_HEADER is")
    if name.lower() in (header.name.lower() for header in options.headers):
        raise _error(
            "secret_header", name, "possible while the same header is listed as trusted"
        )
    known = _KNOWN.get(name.lower())
    if known is not None:
        # What is removed is kept in decisions; a secret never is.
        raise _error(
            "secret_header",
            name,
            f"a header of your own making: {known.name!r} is a known header of the "
            f"category {str(known.category)!r}",
        )


def _check_missing(options: PolicyOptions) -> None:
    """A client can only be missing where a header should name it (rule R14)."""
    if options.missing == "reject" and not any(
        header.category is Category.CLIENT for header in options.headers
    ):
        raise _error(
            "missing",
            options.missing,
            "possible without a client header in TRUSTED_PROXY_HEADERS",
        )


#: What to write for the commonest cases, the likeliest first.
WHOM_TO_TRUST = (
    "'loopback' for a proxy on this machine, 'unix' for one that connects over a unix "
    "socket, the network of the containers, such as '172.16.0.0/12', or 'private' for "
    "a proxy in a container or a private network; on a platform whose proxies have no "
    "fixed addresses, set TRUSTED_PROXY_HOPS (hops=) instead, and write '*' only "
    "where nobody but the proxy can connect"
)


def _check_trust_is_said(options: PolicyOptions, *, proxies_said: bool) -> None:
    """Nobody is trusted because nothing was said (rule R4)."""
    if proxies_said or options.hops is not None or options.secrets:
        return
    trusted = [f"fixed_{category.name.lower()}" for category in options.fixed]
    if options.headers:
        trusted.insert(0, "headers")
    if trusted:
        raise _error(
            "proxies",
            None,
            f"enough where {_NAME_OF[trusted[0]]} is set, since whom to trust has to "
            f"be said: write {WHOM_TO_TRUST}",
        )
