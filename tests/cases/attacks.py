"""
The known attacks, by their ids: what an attacker does.

In:  nothing; which rows hold an attack off is said by the rows themselves.
Out: `ATTACKS`, id → `Attack`.

The ids are those of ``docs/attacks.md``: ``S-`` for what is known from elsewhere,
``H-`` for what was found here by attacking this one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Attack:
    """
    One mechanism.

    Attributes:
        mechanism: What the attacker does, in a few words.

        elsewhere: The module below ``tests`` that has it, where no row can say it.

        ways: Why it is not tried on every surface, in words.
    """

    mechanism: str
    elsewhere: str = ""
    ways: str = ""


_FOLDED: Final = (
    "a WSGI server has folded both spellings into one key before any middleware runs; "
    "S-26 is about that"
)
_HTTPS: Final = "attacks_https"

ATTACKS: Final[dict[str, Attack]] = {
    "S-01": Attack("the application is reached directly with forged headers"),
    "S-02": Attack("a synonym survives and a later component prefers it"),
    "S-03": Attack("a category without a configured header is left alone"),
    "S-04": Attack("the client fills a gap that the proxy leaves"),
    "S-05": Attack("everybody is trusted and the leftmost element is taken"),
    "S-06": Attack(
        "an unknown peer is mistaken for a local socket",
        ways="only ASGI knows a connection without a client; for WSGI, H-10 says it",
    ),
    "S-07": Attack(
        "a typo in the list of proxies is accepted in silence", "test_configuration"
    ),
    "S-08": Attack("elements are counted though the application is reached directly"),
    "S-09": Attack("the client writes the leftmost element"),
    "S-10": Attack("every element is a trusted address"),
    "S-11": Attack("an invalid token in the middle is skipped, or taken"),
    "S-12": Attack("markup or line breaks stand for an address"),
    "S-13": Attack("the client's line comes before or after the proxy's own"),
    "S-14": Attack("a quote from the client swallows the proxy's element"),
    "S-15": Attack("the client lets the header vanish and is taken for the proxy"),
    "S-16": Attack("empty elements shift the count"),
    "S-17": Attack("ports and brackets around an address"),
    "S-18": Attack("leading zeros, octal, short, hexadecimal and integer forms"),
    "S-19": Attack("IPv4 addresses that IPv6 maps"),
    "S-20": Attack("zones"),
    "S-21": Attack("digits of other scripts, NUL, very long tokens and lists"),
    "S-22": Attack("unspecified, broadcast and multicast addresses"),
    "S-23": Attack("symbolic values"),
    "S-24": Attack("several values where one address belongs"),
    "S-25": Attack("a host name makes the server ask the DNS"),
    "S-26": Attack("an underscore in place of a hyphen, behind a WSGI server"),
    "S-27": Attack(
        "an underscore in place of a hyphen, behind an ASGI server", ways=_FOLDED
    ),
    "S-28": Attack(
        "both spellings at once, where the proxy cleans one of them", ways=_FOLDED
    ),
    "S-29": Attack(
        "case and odd bytes in names",
        ways="WSGI servers write every name in capitals and refuse or drop odd bytes, "
        "and Django's handler compares lower-case names",
    ),
    "S-30": Attack("the Connection header lets a proxy delete its own header"),
    "S-31": Attack("headers that override the mount point or the URL"),
    "S-32": Attack("any text becomes the scheme"),
    "S-33": Attack("contradictory scheme headers"),
    "S-34": Attack("the leftmost scheme of an appended list is the client's"),
    "S-35": Attack("flags that mean nothing"),
    "S-36": Attack("the client suppresses the scheme header"),
    "S-37": Attack("markup, paths, user information in the host"),
    "S-38": Attack(
        "a host that the application does not serve", "on_django/test_hosts"
    ),
    "S-39": Attack("several hosts"),
    "S-40": Attack("ports that are none, lists of ports, two ports"),
    "S-41": Attack("a cache is poisoned with scheme, port or mount point"),
    "S-42": Attack("a shared cache keeps the answer to a request that is rejected"),
    "S-43": Attack("a mount point that leads to another host, or up"),
    "S-44": Attack("a trailing slash, or an empty mount point"),
    "S-45": Attack("a list of mount points"),
    "S-46": Attack("a mount point changes which rule the path meets"),
    "S-47": Attack("two mount point headers, of which one is validated"),
    "S-48": Attack("separators inside of quotes"),
    "S-49": Attack("an unclosed quote swallows the proxy's element"),
    "S-50": Attack("the grammar of nodes"),
    "S-51": Attack("parameter names in any case, or twice"),
    "S-52": Attack("quoted pairs"),
    "S-53": Attack("scheme and host come from an older element than the client"),
    "S-54": Attack("Forwarded and X-Forwarded-For together"),
    "S-55": Attack("white space"),
    "S-56": Attack("several lines of Forwarded"),
    "S-57": Attack("an open redirect through Host", _HTTPS),
    "S-58": Attack("a path that begins with two slashes", _HTTPS),
    "S-59": Attack("line breaks and other scripts in path or query", _HTTPS),
    "S-60": Attack("a redirect that loses method and body", _HTTPS),
    "S-61": Attack("the port of the plain request in the redirect", _HTTPS),
    "S-62": Attack("HSTS over http, or for an address", _HTTPS),
    "S-63": Attack("two HSTS headers", _HTTPS),
    "S-64": Attack("a policy that is none", "core/test_hsts"),
    "S-65": Attack("a websocket over plain http", _HTTPS),
    "S-66": Attack("a redirect that is cached while testing", _HTTPS),
    "H-06": Attack("very many lines of one header"),
    "H-10": Attack("a client of a TCP server calls itself what unix peers are called"),
    "H-13": Attack("a secret is cut at a comma", "core/test_policy_options"),
    "H-14": Attack("very many peers fill the log", "core/test_log"),
    "H-16": Attack(
        "a name that is no token becomes another one in a framework",
        ways="WSGI servers write every name in capitals and refuse or drop odd bytes, "
        "and Django's handler compares lower-case names",
    ),
}
