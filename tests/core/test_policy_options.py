"""
The options of a policy: what their values may be, and what contradicts what.

In:  the arguments of `ProxyPolicy`.
Out: `PolicyOptions`, and every error word for word; secrets that no error shows.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import traceback
from typing import Any, Final, get_args

import pytest

from trustedproxy import Category, ConfigurationError, Form, ProxyHeader
from trustedproxy.headers import FORMS_OF, KNOWN_HEADERS
from trustedproxy.policy_options import (
    LEAST_SECRET_CHARACTERS,
    Malformed,
    Missing,
    PolicyOptions,
    Strip,
    read_policy_options,
)

from .making import FOR, FORWARDED, HOST, PORT, PROTO, PROXY, SCRIPT

SECRET: Final = "correct-horse-battery-staple"
SECOND: Final = "incorrect-mule-charger-tack"
PROOF: Final = "X-Proxy-Proof"
#: What leaves nothing to be said about whom to trust.
LOCAL: Final[dict[str, Any]] = {"proxies": ["loopback"]}

A_LIST: Final = "a list of strings, or one string"
A_COUNT: Final = "a whole number from 1 to 64"
YES_OR_NO: Final = "True or False"
SECRETS: Final = "['<secret>', '<secret>']"
A_SECRET: Final = "a string of printable ASCII without blanks around it"
A_NAME: Final = "a header name of letters, digits and '-'"
KNOWN: Final = "a header that is known"
NEVER: Final = "a header that can be trusted: it is only removed"
FORMS: Final = (
    "address, address_list, address_colon_port, scheme, flag, cf_visitor, host, "
    "server, port, mount_point"
)


def read_error(options: dict[str, Any]) -> ConfigurationError:
    """Read options that are wrong, and hand over the error."""
    with pytest.raises(ConfigurationError) as caught:
        read_policy_options(**options)
    return caught.value


# -- values ----------------------------------------------------------------------------

HEADER_MISTAKES: list[tuple[Any, str]] = [
    (5, f" (headers=): 5 is not {A_LIST}."),
    (None, f" (headers=): None is not {A_LIST}."),
    ({FOR: 1}, f" (headers=): {{'{FOR}': 1}} is not {A_LIST}."),
    (b"X", f" (headers=): b'X' is not {A_LIST}."),
    ([5], "[0] (headers=): 5 is not a header's name."),
    (
        {FOR},
        f" (headers=): {{'{FOR}'}} is not in an order, which decides winners.",
    ),
    (
        [FOR, "X-Forwarded-Fro"],
        f"[1] (headers=): 'X-Forwarded-Fro' is not {KNOWN}: describe a custom one "
        "with its form, as in 'X-Forwarded-Fro=address', or by a ProxyHeader "
        "(the nearest is 'X-Forwarded-For').",
    ),
    (
        "X-Ingress-Path",
        f"[0] (headers=): 'X-Ingress-Path' is not {KNOWN}: describe a custom one "
        "with its form, as in 'X-Ingress-Path=mount_point', or by a ProxyHeader.",
    ),
    (
        "X_Edge_Client",
        f"[0] (headers=): 'X_Edge_Client' is not {KNOWN}: describe a custom one "
        "with its form, as in 'X-Edge-Client=address', or by a ProxyHeader.",
    ),
    (
        "HTTP_X_REAL_IP",
        f"[0] (headers=): 'HTTP_X_REAL_IP' is not {KNOWN} "
        "(the nearest is 'X-Real-IP').",
    ),
    (
        "X_Forwarded_For",
        f"[0] (headers=): 'X_Forwarded_For' is not {KNOWN} (the nearest is '{FOR}').",
    ),
    (
        "X-Forwarded-For;",
        f"[0] (headers=): 'X-Forwarded-For;' is not {A_NAME} (the nearest is '{FOR}').",
    ),
    ("?", f"[0] (headers=): '?' is not {A_NAME}."),
    ("Host", "[0] (headers=): 'Host' is not a header that says what a proxy saw."),
    (["x-original-url"], f"[0] (headers=): 'x-original-url' is not {NEVER}."),
    (["X-ARR-SSL"], f"[0] (headers=): 'X-ARR-SSL' is not {NEVER}."),
    (
        [ProxyHeader("X-Edge", Category.HOST, Form.NEVER)],
        f"[0] (headers=): 'X-Edge' is not {NEVER}.",
    ),
    (
        [FOR, PROTO, "x-FORWARDED-for"],
        "[2] (headers=): 'x-FORWARDED-for' is not new here: "
        f"'{FOR}' is listed before it.",
    ),
    (
        [FOR, ProxyHeader(FOR.upper(), Category.CLIENT, Form.ADDRESS)],
        f"[1] (headers=): '{FOR.upper()}' is not new here: "
        f"'{FOR}' is listed before it.",
    ),
    (
        "X-Edge=address X-Edge=host",
        "[1] (headers=): 'X-Edge=host' is not new here: 'X-Edge' is listed before it.",
    ),
    (
        "X-Edge=adress",
        "[0] (headers=): 'X-Edge=adress' is not a header with a known form, which are "
        f"{FORMS} (the nearest is 'address').",
    ),
    (
        "X-Edge=Mount-Point",
        "[0] (headers=): 'X-Edge=Mount-Point' is not a header with a known form, which "
        f"are {FORMS} (the nearest is 'mount_point').",
    ),
    (
        "X-Edge=",
        "[0] (headers=): 'X-Edge=' is not a header with a known form, which are "
        f"{FORMS}.",
    ),
    (
        "X-Edge=never",
        "[0] (headers=): 'X-Edge=never' is not a header with a known form, which are "
        f"{FORMS} (the nearest is 'server').",
    ),
    ("X_Edge=address", f"[0] (headers=): 'X_Edge' is not {A_NAME}."),
    (
        "Host=host",
        "[0] (headers=): 'Host' is not a header that says what a proxy saw.",
    ),
]


@pytest.mark.parametrize(
    ("value", "text"), HEADER_MISTAKES, ids=lambda value: ascii(value)[:50]
)
def test_list_of_headers_with_a_mistake_is_refused(value: Any, text: str) -> None:
    """The error says how a custom header is described, and which known one is near."""
    error = read_error({"headers": value, **LOCAL})

    assert str(error) == f"TRUSTED_PROXY_HEADERS{text}"


MISTAKES: list[tuple[dict[str, Any], str]] = [
    # Proxies; the entries are in test_networks.
    ({"proxies": 5}, f"TRUSTED_PROXIES (proxies=): 5 is not {A_LIST}."),
    (
        {"proxies": ["*", PROXY]},
        f"TRUSTED_PROXIES (proxies=): ['*', '{PROXY}'] is not '*' alone: it stands for "
        "all.",
    ),
    (
        {"proxies": f"{PROXY}, *"},
        f"TRUSTED_PROXIES (proxies=): '{PROXY}, *' is not '*' alone: it stands for "
        "all.",
    ),
    (
        {"proxies": [PROXY, "10.0.0.0/33"]},
        "TRUSTED_PROXIES[1] (proxies=): '10.0.0.0/33' is not an IP network such as "
        "10.0.0.0/8 (the nearest is '10.0.0.0/32').",
    ),
    (
        {"proxies": ["file:\0"]},
        "TRUSTED_PROXIES[0] (proxies=): 'file:\\x00' is not a file that can be read "
        "(ValueError).",
    ),
    # Counts, words, flags.
    *(
        ({"hops": wrong}, f"TRUSTED_PROXY_HOPS (hops=): {wrong!r} is not {A_COUNT}.")
        for wrong in (0, -1, 65, "2", 2.0, True)
    ),
    (
        {"strip": "lisetd"},
        "TRUSTED_PROXY_STRIP (strip=): 'lisetd' is not 'listed' or 'all' "
        "(the nearest is 'listed').",
    ),
    ({"strip": None}, "TRUSTED_PROXY_STRIP (strip=): None is not 'listed' or 'all'."),
    (
        {"strip": ["all"]},
        "TRUSTED_PROXY_STRIP (strip=): ['all'] is not 'listed' or 'all' "
        "(the nearest is 'all').",
    ),
    (
        {"malformed": "REJECT"},
        "TRUSTED_PROXY_MALFORMED (malformed=): 'REJECT' is not 'ignore' or 'reject' "
        "(the nearest is 'reject').",
    ),
    (
        {"missing": 400},
        "TRUSTED_PROXY_MISSING (missing=): 400 is not 'ignore' or 'reject'.",
    ),
    (
        {"port_in_host": 1},
        f"TRUSTED_PROXY_PORT_IN_HOST (port_in_host=): 1 is not {YES_OR_NO}.",
    ),
    (
        {"strip_mount_point": "on"},
        "TRUSTED_PROXY_STRIP_MOUNT_POINT (strip_mount_point=): 'on' is not "
        f"{YES_OR_NO}.",
    ),
    (
        {"report_only": None},
        f"TRUSTED_PROXY_REPORT_ONLY (report_only=): None is not {YES_OR_NO}.",
    ),
    (
        {"preset": 5},
        "TRUSTED_PROXY_PRESET (preset=): 5 is not the name of a preset.",
    ),
]


@pytest.mark.parametrize(
    ("options", "text"), MISTAKES, ids=lambda value: ascii(value)[:50]
)
def test_value_that_is_invalid_is_refused(options: dict[str, Any], text: str) -> None:
    """The error names the setting, the argument, the value and the nearest one."""
    assert str(read_error(options)) == text


@pytest.mark.parametrize(
    "value",
    [
        f"{FOR} {PROTO}",
        f"{FOR},{PROTO}",
        f" {FOR.lower()} ,\n{PROTO.upper()},",
        [FOR, PROTO],
        (FOR, PROTO),
        {FOR: 1, PROTO: 1}.keys(),
        iter([FOR, PROTO]),
    ],
    ids=repr,
)
def test_list_may_be_one_string(value: Any) -> None:
    """Separated by blanks or commas, as in Apache's directive; names in any case."""
    options = read_policy_options(headers=value, **LOCAL)

    assert [header.name for header in options.headers] == [FOR, PROTO]


@pytest.mark.parametrize(
    ("form", "category"),
    [
        (form, category)
        for category, forms in FORMS_OF.items()
        for form in forms
        if form is not Form.NEVER
    ],
)
def test_custom_header_is_described_in_text(form: Form, category: Category) -> None:
    """Its name and its form, from which the category follows."""
    entry = f"X-Edge={form.name.lower()}"
    custom = ProxyHeader("X-Edge", category, form)

    for value in (entry, [entry], [custom]):
        options = read_policy_options(headers=value, **LOCAL)
        assert options.headers == (custom,)


def test_custom_header_in_text_takes_the_place_of_a_known_one() -> None:
    """Whoever describes a known header anew means something by it."""
    options = read_policy_options(headers="CF-Visitor=scheme", **LOCAL)

    assert options.headers == (ProxyHeader("CF-Visitor", Category.SCHEME, Form.SCHEME),)


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("X-Ingress-Path", "mount_point"),
        ("X-My-Prefix", "mount_point"),
        ("X-My-Script", "mount_point"),
        ("X-My-Proto", "scheme"),
        ("X-Edge-Scheme", "scheme"),
        ("X-Edge-HTTPS", "flag"),
        ("X-Edge-SSL", "flag"),
        ("X-Is-TLS", "flag"),
        ("X-Edge-Port", "port"),
        ("X-My-Server", "server"),
        ("X-My-Hostname", "host"),
        ("X-Edge-Client", "address"),
        ("X-Whatever", "address"),
    ],
)
def test_unknown_header_is_answered_with_the_form_that_its_name_suggests(
    name: str, form: str
) -> None:
    """What the error gives can be typed as it is, and is accepted."""
    error = read_error({"headers": name, **LOCAL})

    assert f"as in '{name}={form}'," in str(error)
    [header] = read_policy_options(headers=f"{name}={form}", **LOCAL).headers
    assert header.name == name


@pytest.mark.parametrize("header", KNOWN_HEADERS, ids=lambda header: header.name)
def test_known_header_is_listed_by_its_name(header: ProxyHeader) -> None:
    """In any case; one that is never read cannot be listed."""
    if header.form is Form.NEVER:
        assert NEVER in str(read_error({"headers": header.name.lower(), **LOCAL}))
    else:
        options = read_policy_options(headers=header.name.lower(), **LOCAL)
        assert options.headers == (header,)


@pytest.mark.parametrize(
    ("value", "proxies"),
    [
        (None, None),
        ("*", None),
        (["*"], None),
        ("", ()),
        ([], ()),
        ("10.0.0.0/8, unix", ("10.0.0.0/8", "unix")),
        ((PROXY,), (PROXY,)),
        (
            [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_address("::1")],
            ("10.0.0.0/8", "::1"),
        ),
    ],
    ids=repr,
)
def test_proxies_are_everybody_nobody_or_a_list(
    value: Any, proxies: tuple[str, ...] | None
) -> None:
    """``"*"`` is every peer, an empty list nobody; what is listed is compiled."""
    options = read_policy_options(proxies=value)

    assert options.proxies == proxies
    if proxies is None:
        assert options.networks is None
    else:
        assert options.networks is not None
        assert options.networks.entries == proxies


def test_choices_have_types_for_signatures() -> None:
    """Whoever passes an option on can say what it may be."""
    assert get_args(Strip) == ("listed", "all")
    assert get_args(Malformed) == get_args(Missing) == ("ignore", "reject")


# -- secrets ---------------------------------------------------------------------------

#: H-13 and what is like it.
SECRET_MISTAKES: list[tuple[Any, str]] = [
    *(
        (
            wrong,
            f": {shown} is not a list of secrets such as {SECRETS}, or one text with "
            "one secret a line.",
        )
        for wrong, shown in [
            (5, "'<secret>'"),
            (None, "None"),
            (SECRET.encode(), "'<secret>'"),
            ({SECRET: 1}, "'<secret>'"),
        ]
    ),
    *(
        ([SECRET, wrong], f"[1]: '<secret>' is not {A_SECRET}.")
        for wrong in (
            "",
            " ",
            f" {SECRET}",
            f"{SECRET}\n",
            f"{SECRET}\0",
            f"{SECRET}\xe9",
            f"{SECRET}\ud800",
            SECRET.encode(),
            5,
            None,
        )
    ),
    *(
        (
            wrong,
            "[0]: '<secret>' is not one secret: in one text each has a line of its "
            "own, and one with a blank or a comma in it is written in a list, such as "
            f"{SECRETS}.",
        )
        for wrong in (
            "correct,7",
            f"{SECRET},7",
            f"{SECRET}, {SECOND}",
            f"{SECRET} {SECOND}",
            f"{SECRET},\n{SECOND}",
        )
    ),
    *(
        (
            wrong,
            f"[{place}]: '<secret>' is not a secret of at least 16 characters; several "
            f"are written in a list, such as {SECRETS}, or one a line.",
        )
        for wrong, place in [
            ("x" * 15, 0),
            (["x" * 15], 0),
            ([SECRET, "7"], 1),
            (f"{SECRET}\n7", 1),
        ]
    ),
]


@pytest.mark.parametrize(
    ("value", "text"), SECRET_MISTAKES, ids=lambda value: ascii(value)[:50]
)
def test_secret_that_is_invalid_is_refused_and_not_shown(value: Any, text: str) -> None:
    """H-13: nothing is cut at a comma, and no short remainder opens the door."""
    error: BaseException | None = read_error({"secret_header": PROOF, "secrets": value})

    option, colon, rest = text.partition(": ")
    assert str(error) == f"TRUSTED_PROXY_SECRETS{option} (secrets=){colon}{rest}"
    while error is not None:
        assert SECRET not in "".join(traceback.format_exception_only(error))
        assert SECRET not in repr(error.args)
        error = error.__context__


@pytest.mark.parametrize(
    ("value", "secrets"),
    [
        (SECRET, (SECRET,)),
        (f"\n {SECRET} \r\n\n{SECOND}\n", (SECRET, SECOND)),
        ([SECRET, SECOND], (SECRET, SECOND)),
        (["a secret, with a blank"], ("a secret, with a blank",)),
        (["x" * LEAST_SECRET_CHARACTERS], ("x" * LEAST_SECRET_CHARACTERS,)),
    ],
)
def test_secrets_are_a_list_or_lines(value: Any, secrets: tuple[str, ...]) -> None:
    """One a line, or anything printable in a list; seen by nobody who prints it."""
    options = read_policy_options(headers=FOR, secret_header=PROOF, secrets=value)

    assert options.secrets == secrets
    assert not any(secret in repr(options) for secret in secrets)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            {"secrets": [SECRET]},
            "TRUSTED_PROXY_SECRET_HEADER (secret_header=): None is not set, though "
            "TRUSTED_PROXY_SECRETS is.",
        ),
        (
            {"secret_header": PROOF},
            "TRUSTED_PROXY_SECRETS (secrets=): () is not set, though "
            "TRUSTED_PROXY_SECRET_HEADER is.",
        ),
        (
            {"secret_header": PROOF, "secrets": "\n"},
            "TRUSTED_PROXY_SECRETS (secrets=): () is not set, though "
            "TRUSTED_PROXY_SECRET_HEADER is.",
        ),
        (
            {"secret_header": 5, "secrets": [SECRET]},
            "TRUSTED_PROXY_SECRET_HEADER (secret_header=): 5 is not a header's name.",
        ),
        (
            {"secret_header": "X_Proof", "secrets": [SECRET]},
            f"TRUSTED_PROXY_SECRET_HEADER (secret_header=): 'X_Proof' is not {A_NAME}.",
        ),
        (
            {"secret_header": "Host", "secrets": [SECRET]},
            "TRUSTED_PROXY_SECRET_HEADER (secret_header=): 'Host' is not a header that "
            "says what a proxy saw.",
        ),
        (
            {"secret_header": FOR.lower(), "secrets": [SECRET]},
            f"TRUSTED_PROXY_SECRET_HEADER (secret_header=): '{FOR.lower()}' is not "
            "possible while the same header is listed as trusted.",
        ),
        (
            {"secret_header": "x-real-ip", "secrets": [SECRET]},
            "TRUSTED_PROXY_SECRET_HEADER (secret_header=): 'x-real-ip' is not a header "
            "of your own making: 'X-Real-IP' is a known header of the category "
            "'client'.",
        ),
    ],
    ids=lambda value: ascii(value)[:50],
)
def test_header_of_a_secret_is_one_of_its_own(
    options: dict[str, Any], text: str
) -> None:
    """It has secrets, and says nothing else; no error shows one."""
    error = read_error({"headers": [FOR], **options})

    assert str(error) == text
    assert SECRET not in repr(error)


# -- what is stated (rule R21) ---------------------------------------------------------


@pytest.mark.parametrize(
    ("argument", "value", "stated"),
    [
        ("fixed_scheme", "https", "https"),
        ("fixed_scheme", "HTTP", "http"),
        ("fixed_host", "www.example.com", "www.example.com"),
        ("fixed_host", "[2001:db8::7]:8443", "[2001:db8::7]:8443"),
        ("fixed_port", 8443, "8443"),
        ("fixed_port", "443", "443"),
        ("fixed_mount_point", "/dev", "/dev"),
        ("fixed_mount_point", "/dev/", "/dev"),
        ("fixed_mount_point", "/", ""),
    ],
)
def test_fact_that_is_stated_is_read_as_a_headers_value(
    argument: str, value: Any, stated: str
) -> None:
    """By the grammars of rule R10."""
    options = read_policy_options(**{argument: value}, **LOCAL)

    assert getattr(options, argument) == stated
    [(category, fixed)] = options.fixed.items()
    assert (argument, fixed) == (f"fixed_{category.name.lower()}", stated)


A_HOST: Final = "a host such as 'www.example.com' or 'www.example.com:8443'"
A_PATH: Final = "the URL path of this application such as '/dev'"
PROXIED: Final = (
    "; a path at which another server's site is proxied, with the URL of that server, "
    "belongs in TRUSTED_PROXY_MOUNT_POINTS"
)


@pytest.mark.parametrize(
    ("argument", "value", "text"),
    [
        (
            "fixed_scheme",
            "htps",
            "'htps' is not 'http' or 'https' (the nearest is 'https')",
        ),
        ("fixed_scheme", "ftp", "'ftp' is not 'http' or 'https'"),
        ("fixed_scheme", "", "'' is not 'http' or 'https'"),
        ("fixed_scheme", True, "True is not 'http' or 'https'"),
        ("fixed_host", "a b", f"'a b' is not {A_HOST}"),
        ("fixed_host", 5, f"5 is not {A_HOST} (the nearest is '5')"),
        (
            "fixed_host",
            "https://user:pw@example.com/x",
            f"'https://***@example.com/x' is not {A_HOST} (the nearest is "
            "'example.com')",
        ),
        ("fixed_port", 0, "0 is not a port from 1 to 65535"),
        ("fixed_port", "0443", "'0443' is not a port from 1 to 65535"),
        ("fixed_port", True, "True is not a port from 1 to 65535"),
        ("fixed_port", 443.0, "443.0 is not a port from 1 to 65535"),
        ("fixed_mount_point", "dev", f"'dev' is not {A_PATH} (the nearest is '/dev')"),
        (
            "fixed_mount_point",
            "//evil",
            f"'//evil' is not {A_PATH} (the nearest is '/evil')",
        ),
        ("fixed_mount_point", "/a b", f"'/a b' is not {A_PATH}"),
        (
            "fixed_mount_point",
            {"/blog/": "http://127.0.0.1:8001/"},
            "{'/blog/': 'http://127.0.0.1:8001/'} is not " + A_PATH + PROXIED,
        ),
        (
            "fixed_mount_point",
            "/blog/=http://user:pw@backend/",
            f"'/blog/=http://***@backend/' is not {A_PATH}{PROXIED}",
        ),
    ],
    ids=lambda value: ascii(value)[:50],
)
def test_fact_that_is_no_such_value_is_refused(
    argument: str, value: Any, text: str
) -> None:
    """The error names the nearest value, or the setting that was meant."""
    error = read_error({argument: value, **LOCAL})

    setting = f"TRUSTED_PROXY_{argument.upper()}"
    assert str(error) == f"{setting} ({argument}=): {text}."


# -- contradictions --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "header", "beside", "category"),
    [
        ([FORWARDED, PROTO], PROTO, FORWARDED, "scheme"),
        ([HOST, FORWARDED], HOST, FORWARDED, "host"),
        ([FORWARDED, FOR], FOR, FORWARDED, "client"),
        (
            [ProxyHeader("X-Edge", Category.CLIENT, Form.FORWARDED), FORWARDED],
            FORWARDED,
            "X-Edge",
            "client",
        ),
    ],
)
def test_forwarded_is_one_convention(
    headers: list[Any], header: str, beside: str, category: str
) -> None:
    """Rule R5: no header of its categories stands beside it."""
    error = read_error({"headers": headers, **LOCAL})

    assert str(error) == (
        f"TRUSTED_PROXY_HEADERS (headers=): '{header}' is not possible beside "
        f"'{beside}', which says the {category} itself: list one convention."
    )


@pytest.mark.parametrize(
    ("argument", "value", "header", "category"),
    [
        ("fixed_scheme", "https", PROTO, "scheme"),
        ("fixed_scheme", "https", "CF-Visitor", "scheme"),
        ("fixed_scheme", "https", FORWARDED, "scheme"),
        ("fixed_host", "example.com", HOST, "host"),
        ("fixed_host", "example.com", FORWARDED, "host"),
        ("fixed_port", "443", PORT, "port"),
        ("fixed_mount_point", "/dev", SCRIPT, "mount point"),
    ],
)
@pytest.mark.parametrize("preset", [None, "cdn"])
def test_fact_is_not_stated_beside_a_header_that_says_it(
    argument: str, value: str, header: str, category: str, preset: str | None
) -> None:
    """Rule R21: a missing header must never be filled from a default."""
    error = read_error(
        {"headers": ["X-Edge=port" if argument != "fixed_port" else FOR, header]}
        | {argument: value, "preset": preset}
        | LOCAL
    )

    from_preset = (
        " (the preset 'cdn' lists it, unless TRUSTED_PROXY_HEADERS is set besides)"
    )
    assert str(error) == (
        f"TRUSTED_PROXY_{argument.upper()} ({argument}=): '{value}' is not possible "
        f"beside '{header}' in TRUSTED_PROXY_HEADERS, which says the {category} "
        f"itself{from_preset if preset else ''}: remove one of the two."
    )


def test_fact_is_stated_beside_headers_that_say_something_else() -> None:
    """What one header says does not forbid another fact."""
    options = read_policy_options(
        headers=[FOR, "X-Forwarded-Server"],
        fixed_scheme="https",
        fixed_host="example.com",
        fixed_port=8443,
        fixed_mount_point="/dev",
        **LOCAL,
    )

    assert list(options.fixed) == [
        Category.SCHEME,
        Category.HOST,
        Category.PORT,
        Category.MOUNT_POINT,
    ]


@pytest.mark.parametrize("headers", [[PROTO], []])
def test_client_cannot_be_missing_where_no_header_names_it(headers: list[str]) -> None:
    """Rule R14: such a policy would reject every request."""
    error = read_error({"headers": headers, "missing": "reject", **LOCAL})

    assert str(error) == (
        "TRUSTED_PROXY_MISSING (missing=): 'reject' is not possible without a client "
        "header in TRUSTED_PROXY_HEADERS."
    )


@pytest.mark.parametrize(
    ("options", "setting"),
    [
        ({"headers": [FOR]}, "TRUSTED_PROXY_HEADERS"),
        ({"headers": [FOR], "strip": "all"}, "TRUSTED_PROXY_HEADERS"),
        ({"headers": [FOR], "fixed_port": 443}, "TRUSTED_PROXY_HEADERS"),
        ({"fixed_scheme": "https"}, "TRUSTED_PROXY_FIXED_SCHEME"),
        ({"fixed_mount_point": "/"}, "TRUSTED_PROXY_FIXED_MOUNT_POINT"),
        ({"headers": [FOR], "preset": "cdn"}, "TRUSTED_PROXY_HEADERS"),
    ],
    ids=repr,
)
def test_whom_to_trust_has_to_be_said(options: dict[str, Any], setting: str) -> None:
    """Rule R4: the error says what to write for the commonest cases."""
    error = read_error(options)

    text = str(error)
    assert text.startswith(
        f"TRUSTED_PROXIES (proxies=): None is not enough where {setting} is set"
    )
    for what, write in [
        ("on this machine", "'loopback'"),
        ("unix socket", "'unix'"),
        ("containers", "'172.16.0.0/12'"),
        ("private network", "'private'"),
        ("no fixed addresses", "TRUSTED_PROXY_HOPS (hops=)"),
        ("nobody but the proxy can connect", "'*'"),
    ]:
        assert what in text and write in text


@pytest.mark.parametrize(
    "said",
    [
        {"proxies": "loopback"},
        {"proxies": "*"},
        {"proxies": ()},
        {"hops": 1},
        {"secret_header": PROOF, "secrets": SECRET},
    ],
    ids=repr,
)
def test_whom_to_trust_is_said_in_any_of_three_ways(said: dict[str, Any]) -> None:
    """A list of proxies, everybody and nobody included; a count; a secret."""
    options = read_policy_options(headers=FOR, fixed_scheme="https", **said)

    assert [header.name for header in options.headers] == [FOR]


@pytest.mark.parametrize("strip", ["listed", "all"])
def test_policy_that_trusts_nothing_need_not_say_whom(strip: Strip) -> None:
    """Rule R1: with ``all``, for applications that nothing stands in front of."""
    options = read_policy_options(strip=strip)

    assert (options.headers, options.strip, options.fixed) == ((), strip, {})


# -- the record ------------------------------------------------------------------------


def test_options_of_nothing_are_the_defaults() -> None:
    """Nothing is trusted, and nobody."""
    assert dataclasses.asdict(read_policy_options()) == {
        "headers": (),
        "proxies": None,
        "hops": None,
        "secret_header": None,
        "secrets": (),
        "strip": "listed",
        "malformed": "ignore",
        "missing": "ignore",
        "port_in_host": False,
        "strip_mount_point": False,
        "report_only": False,
        "fixed_scheme": None,
        "fixed_host": None,
        "fixed_port": None,
        "fixed_mount_point": None,
        "preset": None,
        "networks": None,
    }


def test_options_are_compared_by_what_they_say() -> None:
    """The same words, however they were written, are the same options."""
    first, second = (
        read_policy_options(
            headers=headers, proxies=proxies, secret_header=PROOF, secrets=secrets
        )
        for headers, proxies, secrets in [
            ([FOR, PROTO], [ipaddress.ip_network("10.0.0.0/8")], [SECRET]),
            (f"{FOR.lower()} {PROTO}", "10.0.0.0/8", SECRET),
        ]
    )
    other = dataclasses.replace(first, secrets=(SECOND,))

    assert first == second
    assert hash(first) == hash(second)
    assert first != other
    assert isinstance(first, PolicyOptions)


def test_options_cannot_be_changed() -> None:
    """They were checked when they were made."""
    options: Any = read_policy_options()

    for name in ("headers", "report_only", "other"):
        with pytest.raises((AttributeError, TypeError)):
            setattr(options, name, True)
