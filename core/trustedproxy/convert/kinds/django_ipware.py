"""
django-ipware: which headers are looked through, and how many proxies there are.

In:  ``IPWARE_…`` settings, calls of ``get_client_ip``.
Out: the first header, and the number of proxies as a count of elements.

Source: django-ipware's ``ip.py``, python-ipware's engines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...exceptions import ConfigurationError
from ..entries import Spelling, add_proxies
from ..record import Draft, Effect, find_client_header, name_of
from ..sources.python_source import find_arguments
from .kind import Found, Kind
from .setting_names import find_settings

if TYPE_CHECKING:
    from ..reading import Reading
    from ..sources.source import Source

ORDER = "IPWARE_META_PRECEDENCE_ORDER"
COUNT = "IPWARE_META_PROXY_COUNT"
STRICT = "IPWARE_STRICT"
ALGORITHM = "IPWARE_ALGORITHM"
#: Written into many projects, and read by no current version.
FORMER = (
    "IPWARE_TRUSTED_PROXY_LIST",
    "IPWARE_PRIVATE_IP_PREFIX",
    "IPWARE_META_PROXY_LIST",
    "IPWARE_NON_PUBLIC_IP_PREFIX",
    "IPWARE_PUBLIC_PREFIX",
)
SETTINGS = (ORDER, COUNT, STRICT, ALGORITHM)

PARAMETERS = (
    "request",
    "proxy_order",
    "proxy_count",
    "proxy_trusted_ips",
    "request_header_order",
    "strict",
    "algorithm",
)
#: Argument of the function → the setting that says the same.
_SAME = {
    "request_header_order": ORDER,
    "proxy_count": COUNT,
    "strict": STRICT,
    "algorithm": ALGORITHM,
}
_PEER = "REMOTE_ADDR"


def _find(source: Source) -> list[Found]:
    settings = find_settings(source, (*SETTINGS, *FORMER), "IPWARE_")
    calls = [
        Found(
            call.where,
            {
                _SAME.get(name, name): given
                for name, given in source.python.arguments(call, parameters).items()
            },
        )
        for call, parameters in find_arguments(
            source.python, {"get_client_ip": PARAMETERS}
        )
    ]
    # A call without options has those of the settings.
    return settings + [found for found in calls if found.options or not settings]


def _convert(reading: Reading) -> None:
    draft = reading.draft
    _note_former(reading)
    if not _convert_header(reading):
        return
    count = reading.number(COUNT, 0, needed=True)
    proxies = reading.words("proxy_trusted_ips", [], needed=True)
    if proxies:
        draft.hops = len(proxies) + 1
        _note_proxies(reading, proxies)
    elif reading.has(COUNT):
        draft.hops = count + 1
    else:
        reading.note(
            Effect.STRICTER,
            "leftmost",
            "Without a number of proxies django-ipware takes the leftmost public "
            "address, which any client can write itself. Here the element of the "
            "nearest proxy counts.",
        )
    if reading.text("proxy_order", "left-most") != "left-most":
        reading.note(
            Effect.NO_EQUIVALENT,
            "right-most",
            "A list whose client stands on the right has no equivalent: proxies append "
            "on the right, and the walk begins there.",
            "proxy_order",
        )
    if reading.flag(STRICT, True) and draft.hops is not None:
        reading.note(
            Effect.CHANGES,
            "more-elements",
            "More elements than expected do not refuse the header: what a client sends "
            "on the left changes nothing.",
            STRICT,
        )
    _note_use(reading)


def _note_former(reading: Reading) -> None:
    for name in FORMER:
        if reading.has(name):
            reading.note(
                Effect.NO_EQUIVALENT,
                "former-setting",
                f"{name} is read by no current version of django-ipware, and was left "
                "out. If it lists your proxies, write them into TRUSTED_PROXIES.",
                name,
            )


def _convert_header(reading: Reading) -> bool:
    """Convert the order of headers; say whether any of them was looked at."""
    keys = reading.strings(ORDER, ["HTTP_X_FORWARDED_FOR"])
    names: list[str] = []
    for key in keys:
        if key == _PEER:
            # The peer always has an address: nothing behind it is ever looked at.
            break
        name = key.upper().replace("-", "_").removeprefix("HTTP_").replace("_", "-")
        if name not in names:
            names.append(name)
    if not names:
        reading.note(
            Effect.CHANGES,
            "nothing-trusted",
            "REMOTE_ADDR comes first, so that no header was looked at, and none is "
            "listed here.",
            ORDER,
        )
        return False
    first, *others = names
    header = find_client_header(first.title())
    if header is None:
        raise ConfigurationError(
            f"{reading.where(ORDER)}, {ORDER}",
            first,
            "a header that this project reads as a client's address",
        )
    reading.draft.headers = [header]
    if others or not reading.has(ORDER):
        behind = ", ".join(others) if reading.has(ORDER) else "many others"
        reading.note(
            Effect.STRICTER,
            "one-header",
            f"Only {name_of(header)} is trusted. django-ipware looked for "
            f"{behind} as well, and a client can send what the proxy does not "
            "overwrite. List the one header that your proxy sets.",
            ORDER,
        )
    return True


def _note_proxies(reading: Reading, proxies: list[str]) -> None:
    """Say what a list of proxies can become, when the peer's network is known."""
    known = Draft("", "django-ipware")
    spelling = Spelling(shortened=True, host_bits=True)
    add_proxies(known, proxies, reading.where("proxy_trusted_ips"), spelling)
    reading.note(
        Effect.TO_DO,
        "add-networks-of-peers",
        f"django-ipware never looks at the peer. Write TRUSTED_PROXIES = "
        f"{known.proxies} with the network that your nearest proxy connects from "
        "added to it, and leave TRUSTED_PROXY_HOPS out: then every address is held "
        "against the list.",
        "proxy_trusted_ips",
    )


def _note_use(reading: Reading) -> None:
    reading.note(
        Effect.TO_DO,
        "read-remote-addr",
        'Read request.META["REMOTE_ADDR"] in place of get_client_ip(request)[0]. '
        "Whether it is public says ipaddress.ip_address(...).is_global.",
    )
    reading.note(
        Effect.CHANGES,
        "unknown-client",
        "Where the header says nothing usable, REMOTE_ADDR is the last address that "
        "was confirmed, and get_decision(request).client is None. django-ipware goes "
        "on to the next header, and gives None or the peer's address.",
    )
    reading.note(
        Effect.CHANGES,
        "private-client",
        "A client with a private address is a client as any other. django-ipware "
        "prefers a public address of another header, the peer's included.",
    )


KIND = Kind(
    "django-ipware",
    "django-ipware",
    "IPWARE_ settings, or a call of get_client_ip in Python source",
    _find,
    _convert,
    function="get_client_ip",
)
