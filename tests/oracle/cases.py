"""
What is asked: policies, and requests under them.

In:  a seed, or what Hypothesis draws.
Out: `POLICIES`, `make_requests`, and `requests` as a strategy.

A request is *well-formed* where every value in it is one that DESIGN section 11 lets
nobody argue about; the values that are not are kept apart, as odd ones.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from random import Random
from typing import TYPE_CHECKING

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

#: The fifteen headers that mod_wsgi knows, by category.
FIFTEEN: Mapping[str, tuple[str, ...]] = {
    "client": ("X-Forwarded-For", "X-Real-IP", "X-Client-IP"),
    "scheme": (
        "X-Forwarded-Proto",
        "X-Forwarded-Scheme",
        "X-Scheme",
        "X-Forwarded-HTTPS",
        "X-Forwarded-SSL",
        "X-HTTPS",
    ),
    "host": ("X-Forwarded-Host", "X-Host"),
    "server": ("X-Forwarded-Server",),
    "port": ("X-Forwarded-Port",),
    "mount point": ("X-Script-Name", "X-Forwarded-Script-Name"),
}

#: Header → category.
CATEGORY = {name: category for category, names in FIFTEEN.items() for name in names}

#: Headers that this project knows besides, a few of every category, with a value.
BESIDES: Mapping[str, tuple[tuple[str, ...], str]] = {
    "Forwarded": (("client", "scheme", "host"), "for=198.51.100.66;proto=https"),
    "True-Client-IP": (("client",), "198.51.100.66"),
    "CF-Connecting-IP": (("client",), "198.51.100.66"),
    "Front-End-Https": (("scheme",), "on"),
    "X-Original-Host": (("host",), "forged.example"),
    "Fly-Forwarded-Port": (("port",), "6666"),
    "X-Forwarded-Prefix": (("mount point",), "/forged"),
    "X-Original-URL": ((), "/forged"),
}

#: Where requests come from; the last one where the machine has IPv6.
PEERS = ("127.0.0.1", "127.0.0.2", "127.8.9.10", "::1")

PROXY_LISTS: tuple[tuple[str, ...] | None, ...] = (
    None,
    ("127.0.0.0/8", "::1"),
    ("127.0.0.1", "127.0.0.2", "10.0.0.0/8", "::1", "fd00::/8"),
    ("192.0.2.0/24", "2001:db8:a::/48", "127.0.0.0/8", "::1", "198.51.100.7"),
    ("127.0.0.0/255.0.0.0", "2001:db8:a::1/128"),
    ("::1", "2001:db8:a::/48", "fd00::/8"),
    ("127.0.0.2",),
    ("192.0.2.1",),
    (),
)

#: Addresses of which each list above contains some.
NEAR = (
    "127.0.0.1",
    "127.0.0.2",
    "127.200.1.1",
    "10.0.0.8",
    "10.255.0.1",
    "192.0.2.1",
    "192.0.2.77",
    "198.51.100.7",
    "::1",
    "fd00::5",
    "2001:db8:a::1",
    "2001:db8:a::2",
)

#: Addresses that no list contains.
FAR = (
    "203.0.113.7",
    "203.0.113.195",
    "198.51.100.99",
    "100.64.0.1",
    "2001:db8::7",
    "2606:4700::1111",
)

#: What the system's resolver says of the words below.  All of them have to be here:
#: for a word that is missing, mod_wsgi would ask the DNS.
NAMES: Mapping[str, str] = {
    "localhost": "127.0.0.1",
    "edge.test": "127.0.0.2",
    **dict.fromkeys(
        (
            "unknown",
            "_hidden",
            "garbage",
            "256.1.1.1",
            "1.2.3.4.5",
            "203.0.113.7:4711",
            "127.0.0.2:80",
            "203.0.113.7:99999",
            "203.0.113.7:",
            "2001:db8::g",
            "2001:db8::7::1",
            "203.0.113.7/32",
            "for=203.0.113.7",
        ),
        "203.0.113.254",
    ),
}

#: Elements of a chain that are no address in canonical spelling.
ODD_ELEMENTS = (
    *NAMES,
    "[2001:db8::7]",
    "[2001:db8::7]:4711",
    "[::1]",
    "[203.0.113.7]",
    "2001:DB8::7",
    "2001:db8:0:0:0:0:0:7",
    "FD00::5",
    "::ffff:203.0.113.7",
    "::ffff:127.0.0.2",
    "::ffff:7f00:2",
    "64:ff9b::7f00:1",
    "127.1",
    "127.0.0.01",
    "0177.0.0.1",
    "010.0.0.8",
    "0x7f.1",
    "2130706433",
    "fe80::1%1",
    "0.0.0.0",
    "::",
    "255.255.255.255",
    "224.0.0.1",
    "ff02::1",
    "<script>",
    '"203.0.113.7"',
)

_SCHEMES = ("http", "https", "HTTP", "Https", "https")
_FLAGS = ("on", "On", "true", "TRUE", "1", "off", "false", "0", "OFF")
_SERVERS = ("app.example", "App.Example.", "a_b-c.example", "203.0.113.80", "[::80]")
_HOSTS = (*_SERVERS, "app.example:8443", "203.0.113.80:1", "[2001:db8::80]:65535")

#: Category or header → values that are well-formed.
PLAIN: Mapping[str, tuple[str, ...]] = {
    "X-Real-IP": (*FAR, *NEAR),
    "X-Client-IP": (*FAR, *NEAR),
    **dict.fromkeys(FIFTEEN["scheme"][:3], _SCHEMES),
    **dict.fromkeys(FIFTEEN["scheme"][3:], _FLAGS),
    **dict.fromkeys(FIFTEEN["host"], _HOSTS),
    "X-Forwarded-Server": _SERVERS,
    "X-Forwarded-Port": ("80", "443", "8443", "1", "65535"),
    **dict.fromkeys(FIFTEEN["mount point"], ("", "/app", "/a/b", "/~u/x-1_2.3")),
}

_ODD_ADDRESSES = (*ODD_ELEMENTS, "", ",", "203.0.113.7, 203.0.113.8", "1.1.1.1,")
_ODD_SCHEMES = (
    *("", ",", "ws", "wss", "WSS", "https, http", "http, https", "https,https", "ftp"),
    *("https:", "on", "h ttps", "https;", ", https", "https, nonsense", "nonsense,ws"),
)
_ODD_FLAGS = ("", ",", "yes", "ssl", "2", "enabled", "on, off", "0,1", "https", "on,")
_ODD_SERVERS = (
    *("", ",", "a.example, b.example", "a.example,b.example,c.example", "a.example/x"),
    *("u@a.example", "a b", "a..example", ".example", 'a"><x', "a" * 256, "[::1"),
    *("a.example#x", "http://a.example", "a.example, b/c", "\xe9.example", "[1.2.3.4]"),
)
_ODD_HOSTS = (
    *_ODD_SERVERS,
    *("a.example:abc", "a.example:0", "a.example:65536", "a.example:80:81", "::1"),
)
_ODD_PORTS = (
    *("", ",", "0", "65536", "443abc", "080", "+80", "-1", "443, 8443", "http", "8 0"),
    *("99999999999", "443,abc", ", 443"),
)
_ODD_MOUNT_POINTS = (
    *(
        "/app/",
        "/",
        "/a/b/",
        ",",
        "//evil",
        "/a//b",
        "/a/../b",
        "/a/./b",
        "/%2f",
        "/..",
    ),
    *("/a;b", "/a b", "app", "https://evil.example", "/\\evil", "/x, /app", "/a?b"),
    *('/a"b', "/\xe9", "/x/, /y/", "/x,//evil", "/app//"),
)

#: Header → values that are not.
ODD: Mapping[str, tuple[str, ...]] = {
    "X-Real-IP": _ODD_ADDRESSES,
    "X-Client-IP": _ODD_ADDRESSES,
    **dict.fromkeys(FIFTEEN["scheme"][:3], _ODD_SCHEMES),
    **dict.fromkeys(FIFTEEN["scheme"][3:], _ODD_FLAGS),
    **dict.fromkeys(FIFTEEN["host"], _ODD_HOSTS),
    "X-Forwarded-Server": (*_ODD_SERVERS, "a.example:80"),
    "X-Forwarded-Port": _ODD_PORTS,
    **dict.fromkeys(FIFTEEN["mount point"], _ODD_MOUNT_POINTS),
}

#: The request's own Host header.
OWN_HOSTS = ("backend.example", "backend.example:8080", "127.0.0.1:8080")


@dataclass(frozen=True, slots=True)
class Policy:
    """Headers to trust, in order, and the proxies to trust; `None` trusts all."""

    headers: tuple[str, ...]
    proxies: tuple[str, ...] | None

    @property
    def directives(self) -> str:
        """This policy as mod_wsgi's own directives."""
        lines = [f"WSGITrustedProxyHeaders {' '.join(self.headers)}"]
        if self.proxies is not None:
            lines.append(f"WSGITrustedProxies {' '.join(self.proxies)}".strip())
        return "\n".join(lines)

    def contains(self, address: str) -> bool:
        """Whether one of the proxies has this *address*, in a spelling of Python's."""
        read = ip_address(address)
        # A mapped address is in an IPv4 network, for mod_wsgi as well.
        read = getattr(read, "ipv4_mapped", None) or read
        return any(read in ip_network(entry) for entry in self.proxies or ())

    def trusts(self, peer: str) -> bool:
        """Whether *peer*'s headers count."""
        return self.proxies is None or self.contains(peer)


@dataclass(frozen=True, slots=True)
class Request:
    """One request, to be sent to both."""

    policy: int
    peer: str
    host: str
    #: Lines of headers in order; a name may come twice.
    headers: tuple[tuple[str, str], ...]
    well_formed: bool
    secure: bool = False

    def merged(self) -> dict[str, str]:
        """Header → value, repeated lines joined as Apache joins them."""
        joined: dict[str, str] = {}
        for name, value in self.headers:
            joined[name] = f"{joined[name]}, {value}" if name in joined else value
        return joined


#: One header a category, as the project's own mount points send them.
EVERY_VARIABLE = Policy(
    (
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "X-Forwarded-Server",
        "X-Forwarded-Port",
        "X-Forwarded-Script-Name",
    ),
    PROXY_LISTS[1],
)


def _policies() -> Iterator[Policy]:
    chance = Random(15)

    def some_list() -> tuple[str, ...] | None:
        # Lists that trust most peers come often, the others now and then.
        weights = (3, 3, 3, 3, 2, 1, 1, 1, 1)
        return chance.choices(PROXY_LISTS, weights)[0]

    # Every header alone, with every list but those that are like another.
    for name in CATEGORY:
        for proxies in PROXY_LISTS[:3]:
            yield Policy((name,), proxies)
    for proxies in PROXY_LISTS:
        yield Policy(("X-Forwarded-For",), proxies)
    # Synonyms in every order: all of a category, and all pairs of schemes.
    for category, names in FIFTEEN.items():
        if category == "scheme":
            orders: list[tuple[str, ...]] = list(itertools.permutations(names, 2))
            orders += [tuple(chance.sample(names, len(names))) for _ in range(12)]
        else:
            orders = [
                order
                for size in range(2, len(names) + 1)
                for order in itertools.permutations(names, size)
            ]
        for order in orders:
            yield Policy(tuple(order), some_list())
    # Several categories at once.
    for _ in range(90):
        chosen = [
            name
            for names in FIFTEEN.values()
            for name in chance.sample(names, chance.randint(0, min(2, len(names))))
        ]
        if len(chosen) > 1:
            chance.shuffle(chosen)
            yield Policy(tuple(chosen), some_list())
    yield EVERY_VARIABLE


POLICIES: Sequence[Policy] = tuple(_policies())

#: What mod_wsgi's headers and proxies alone can be: for requests out of the ordinary.
_CLIENT_FIRST = next(
    i
    for i, policy in enumerate(POLICIES)
    if policy == Policy(("X-Forwarded-For",), PROXY_LISTS[1])
)


def _chain(chance: Random, odd: bool) -> list[str]:
    """Make a chain of 0 to 8 elements, in one or two lines."""
    elements = [
        chance.choice(NEAR if chance.random() < 0.6 else FAR)
        for _ in range(chance.randint(0 if odd else 1, 8))
    ]
    if odd:
        for i in range(len(elements)):
            if chance.random() < 0.4:
                elements[i] = chance.choice(ODD_ELEMENTS)
        for _ in range(chance.choice((0, 0, 1, 2))):
            elements.insert(chance.randint(0, len(elements)), "")
    cut = chance.randint(1, 8) if chance.random() < 0.2 else 9
    comma = chance.choice((", ", ", ", ","))
    lines = [comma.join(part) for part in (elements[:cut], elements[cut:]) if part]
    # Apache trims; what is sent is written down as it arrives.
    return [line.strip() for line in lines] or [chance.choice(("", ",", ", ,"))]


def _values(chance: Random, name: str, odd: bool) -> list[str]:
    """Make the lines of one header."""
    if name == "X-Forwarded-For":
        return _chain(chance, odd)
    values = [chance.choice((ODD if odd else PLAIN)[name])]
    if odd and chance.random() < 0.1:
        values.append(chance.choice(PLAIN[name]))
    return values


def make_requests(seed: int, count: int, peers: Sequence[str]) -> list[Request]:
    """Make *count* requests from *peers*, the same ones for the same *seed*."""
    chance = Random(seed)
    requests = list(_by_hand(peers[0]))
    while len(requests) < count:
        # Every policy has its turn, again and again.
        index = len(requests) % len(POLICIES)
        policy = POLICIES[index]
        trusted = [peer for peer in peers if policy.trusts(peer)]
        well_formed = chance.random() < 0.66
        headers: list[tuple[str, str]] = []
        for name in CATEGORY:
            listed = name in policy.headers
            if chance.random() < (0.85 if listed else 0.15):
                odd = not well_formed and chance.random() < (0.6 if listed else 0.2)
                headers += [(name, value) for value in _values(chance, name, odd)]
        if not well_formed:
            headers += [
                (name, value)
                for name, (_, value) in BESIDES.items()
                if chance.random() < 0.08
            ]
        requests.append(
            Request(
                policy=index,
                peer=chance.choice(
                    trusted if trusted and chance.random() < 0.93 else peers
                ),
                host=chance.choice(OWN_HOSTS),
                headers=tuple(headers),
                well_formed=well_formed,
                secure=chance.random() < 0.15,
            )
        )
    return requests


def _by_hand(peer: str) -> Iterator[Request]:
    """Requests that chance would hardly make."""
    for length in (63, 64, 65, 70):
        chain = ", ".join(["203.0.113.7", *["127.0.0.2"] * length])
        yield Request(
            policy=_CLIENT_FIRST,
            peer=peer,
            host=OWN_HOSTS[0],
            headers=(("X-Forwarded-For", chain),),
            well_formed=False,
        )


@st.composite
def requests(draw: st.DrawFn, peers: Sequence[str]) -> Request:
    """Draw a request with free text and free mixtures in place of chance's."""
    index = draw(st.sampled_from(range(len(POLICIES))))
    # Apache refuses control characters, and trims; a word of a chain goes to the
    # resolver, so those are drawn from the words that it knows.
    text = st.text(
        st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20
    ).map(lambda value: value.strip())
    headers: list[tuple[str, str]] = []
    listed = POLICIES[index].headers
    for name in draw(st.permutations(tuple(CATEGORY))):
        if not draw(st.booleans() if name in listed else st.sampled_from((0, 0, 0, 1))):
            continue
        if name == "X-Forwarded-For":
            word = st.sampled_from((*NEAR, *FAR, *ODD_ELEMENTS, ""))
            for _ in range(draw(st.sampled_from((1, 1, 2)))):
                headers.append((name, ",".join(draw(st.lists(word, max_size=8)))))
        else:
            pool = st.sampled_from((*PLAIN[name], *ODD[name]))
            headers.append((name, draw(st.one_of(pool, text))))
    return Request(
        policy=index,
        peer=draw(st.sampled_from(peers)),
        host=draw(st.sampled_from(OWN_HOSTS)),
        headers=tuple(headers),
        well_formed=False,
        secure=draw(st.booleans()),
    )
