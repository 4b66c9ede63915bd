"""
Every parser takes time in proportion to what it reads (rule R13).

In:  for each parser, the inputs that are worst for it, in two sizes.
Out: the exponent with which the cost grows: that of a line, and not of a square.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any, Final

import pytest

from trustedproxy import (
    ConfigurationError,
    HSTSPolicy,
    ProxyPolicy,
    allowed_hosts,
    read_settings,
)
from trustedproxy.https_only import HTTPSOnly
from trustedproxy.https_only.facts import read_environ, read_scope
from trustedproxy.mod_wsgi import parse_mod_wsgi
from trustedproxy.mount_points.heads import BackendError, RequestHead
from trustedproxy.mount_points.paths import find_raw_path
from trustedproxy.mount_points.points import compile_mount_points
from trustedproxy.mount_points.request_plan import plan_request
from trustedproxy.mount_points.urls import map_header
from trustedproxy.mount_points.wire import AnswerReader
from trustedproxy.networks import TrustedNetworks
from trustedproxy.parsing import addresses, forwarded, lists, paths, values
from trustedproxy.policy_options import OPTIONS
from trustedproxy.presets.update import find_lost
from trustedproxy.report.visits import Visit, read_fields

from .growth import FOLD, Row, find_exponent
from .making import (
    FOR,
    FORWARDED,
    HOST,
    PORT,
    PROTO,
    PROXIES,
    REAL,
    SCRIPT,
    SERVER,
    make_environ,
    make_scope,
)
from .mount_points.planning import CLIENT, respond, send

pytestmark = pytest.mark.cost

#: A square has 2; what a cache no longer holds makes a line a little steeper than 1.
STEEPEST: Final = 1.5


def repeat(pattern: str, front: str = "", end: str = "") -> Callable[[int], str]:
    """Make texts of *pattern*, by their number of characters."""
    return lambda size: front + (pattern * (size // len(pattern) + 1))[:size] + end


def count(template: str, front: str = "", end: str = "") -> Callable[[int], str]:
    """Make texts of *template*, each time with another number, by their number."""
    return lambda size: front + "".join(template.format(i) for i in range(size)) + end


def lines(name: str, value: str) -> Callable[[int], list[tuple[str, str]]]:
    """Make header lines, all alike, by their number."""
    return lambda size: [(name, value)] * size


def row(
    name: str, make: Callable[[int], Any], read: Callable[[Any], object], size: int
) -> Row:
    """Make a row of a reader that remembers nothing; a refusal is an answer."""

    def read_or_refuse(value: Any) -> object:
        try:
            return read(value)
        except (ConfigurationError, BackendError) as refusal:
            return str(refusal)

    return Row(name, make, lambda: read_or_refuse, size)


def texts(
    name: str,
    read: Callable[[str], object],
    size: int,
    *patterns: str,
    front: str = "",
    end: str = "",
) -> Iterator[Row]:
    """Make a row for each pattern, repeated to the size in characters."""
    for pattern in patterns:
        shown = f"{name}: {front!a} {pattern!a}"
        yield row(shown, repeat(pattern, front, end), read, size)


# -- requests through a policy ---------------------------------------------------------

OTHERS: Final = [PROTO, HOST, SERVER, PORT, SCRIPT]
ALL: Final = [FOR, REAL, FORWARDED, *OTHERS, "Connection", "CloudFront-Viewer-Address"]
POLICIES: Final[dict[str, dict[str, Any]]] = {
    "walk": {"headers": [FOR, *OTHERS], "proxies": PROXIES, "strip": "all"},
    "count": {
        "headers": [REAL, FOR, "CloudFront-Viewer-Address", *OTHERS],
        "hops": 3,
        "port_in_host": True,
    },
    "forwarded": {"headers": [FORWARDED, *OTHERS[2:]], "proxies": PROXIES},
    "everybody": {"headers": [FORWARDED, *OTHERS[2:]], "proxies": "*"},
}
#: What is repeated in every header at once.
VALUES: Final = (
    *("10.0.0.1,", "for=10.0.0.1;", '"\\",', '",', "\\", '\\"', '"'),
    *(" ", "\t,", ",", "X-Real-IP,", "/a", "0", "0:", "a.", "[", "%40", "unknown,"),
)


def apply_to_both(keywords: dict[str, Any]) -> Callable[[str], object]:
    """Make what applies a new policy to an environ and a scope full of one text."""
    policy = ProxyPolicy(**keywords)

    def apply(text: str) -> object:
        headers = dict.fromkeys(ALL, text)
        scope = make_scope((name.lower(), text) for name in ALL)
        return policy.apply(make_environ(headers)), policy.apply_scope(scope)

    return apply


def apply_to_scope(
    policy: ProxyPolicy, peer: str, headers: list[tuple[str, str]]
) -> object:
    """Apply a policy to a scope."""
    return policy.apply_scope(make_scope(headers, peer=peer))


def requests() -> Iterator[Row]:
    """Requests through whole policies."""
    for name, keywords in POLICIES.items():
        for pattern in VALUES:
            # What is read; and what is not, which no policy changes.
            for size in (4096, *([400_000] if name == "forwarded" else [])):
                shown = f"apply ({name}): {pattern!a} to {size}"
                make = partial(apply_to_both, keywords)
                yield Row(shown, repeat(pattern), make, size)
    for name in ("x-forwarded-for", "X_Forwarded-FOR", "connection", "host", "x-\xdf"):
        for peer in ("10.0.0.1", "198.51.100.7"):
            policy = ProxyPolicy(**POLICIES["walk"])
            yield row(
                f"apply_scope from {peer}: lines of {name!a}",
                lines(name, "for=203.0.113.7, 203.0.113.7"),
                partial(apply_to_scope, policy, peer),
                100_000,
            )
    policy = ProxyPolicy(**POLICIES["walk"])
    yield from texts(
        "explain",
        lambda text: policy.explain(make_environ(dict.fromkeys(ALL, text))),
        400_000,
        *VALUES,
    )
    yield row(
        "explain: many headers",
        lambda size: make_environ({f"X-{i}": "10.0.0.1" for i in range(size)}),
        policy.explain,
        20_000,
    )


# -- one value -------------------------------------------------------------------------


def single_values() -> Iterator[Row]:
    """Parsers of one value each."""
    yield from texts("address", addresses.parse_hop, 65536, "1", "::", "[", "1:", "%")
    for partition in (lists.PARTITION, forwarded.partition_from_right):
        split = partial(lists.split_from_right, partition=partition)
        shown = f"list from the right ({partition})"
        yield from texts(shown, split, 4096, ",", "a,", " ,", "a", '"', '",', '\\"')
        yield from texts(shown, split, 4096, "\\", '"\\",', '"a",', ',"', '"\\"')
    yield from texts("first element", lists.find_first, 65536, ",", "a,", " ")
    for pattern in ("a=b;", "; ", "\t", "a", ' ="', "a=;"):
        yield from texts("an element", forwarded.parse_element, 65536, pattern)
    for pattern in ("a", "\\", '\\"', "\x01"):
        yield from texts(
            "an element", forwarded.parse_element, 65536, pattern, front='for="'
        )
    yield row("many parameters", count("a{0}=b;"), forwarded.parse_element, 5_000)
    yield from texts("host", values.parse_host, 65536, "a.", "a", "-", "[", ":", "1.")
    yield from texts(
        "mount point", values.parse_mount_point, 65536, *("/a", "/", "/..", "%40", "@/")
    )
    yield from texts("port", values.parse_port_text, 65536, "1", "0", " ")
    yield from texts("CF-Visitor", values.parse_cf_visitor, 65536, " ", '{"scheme":')
    yield row(
        "many allowed hosts",
        lambda size: [f".a{i}.example" for i in range(size)],
        lambda names: allowed_hosts.split_allowed_host(
            "www.example", allowed_hosts.compile_allowed_hosts(names)
        ),
        5_000,
    )
    for front, pattern in (
        *(("/%", "25"), ("/a/%", "2525"), ("/", "%25"), ("/", "%"), ("/a", "%%25")),
        *(("/..", "/"), ("/..", "\\"), ("/..", ";"), ("", "/a/.."), ("/", "..\\")),
        *(("/", "/..;"), ("/..", "%2f"), ("/..", "%5C"), ("/", "%c0"), ("/", "%00")),
        *(
            ("/", "%2e%2e/"),
            ("/..", "\xef\xbc"),
            ("/", "/%61"),
            ("/..", "%ad"),
            ("", "."),
        ),
    ):
        yield from texts(
            "below",
            lambda path: paths.stays_below(path, ""),
            65536,
            pattern,
            front=front,
        )
    yield row(
        "below: segments and a chain",
        lambda size: "/a" * size + "/%" + "25" * size,
        lambda path: paths.stays_below(path, ""),
        16384,
    )


# -- mount points ----------------------------------------------------------------------

BASED: Final = {"/blog/": "http://127.0.0.1:8001/base/"}
BACKENDS: Final = compile_mount_points(BASED)
REQUEST: Final = send(mapping=BASED)


def plan(path: str = "/blog/x", query: str = "", headers: Any = ()) -> object:
    """Plan a request."""
    head = RequestHead("GET", path, query, headers=list(headers))
    return plan_request(BACKENDS, head, CLIENT)


def plan_line(name: str, text: str) -> object:
    """Plan a request with one header."""
    return plan(headers=[(name, text)])


def pieces(start: bytes, piece: bytes, end: bytes) -> Callable[[int], bytes]:
    """Make answers of a backend, by the number of pieces in their middle."""
    return lambda size: start + piece * size + end


def take(answer: bytes, step: int = 65536) -> object:
    """Read an answer of a backend, in parts of a number of bytes."""
    reader = AnswerReader("GET")
    for at in range(0, len(answer), step):
        reader.take(answer[at : at + step])
    return reader.ended_cleanly


def take_line(name: str, text: str) -> object:
    """Read an answer with one header, and plan it."""
    line = f"{name}: {text}\r\n".encode("latin-1")
    reader = AnswerReader("GET")
    reader.take(b"HTTP/1.1 200 OK\r\n" + line + b"\r\n")
    return reader.head and respond(headers=reader.head.headers, request=REQUEST)


def mounted_requests() -> Iterator[Row]:
    """Requests to mount points."""
    for front in ("/blog/", "/blog/%", "/blog/a/../", "/%62", ""):
        yield from texts(
            "path", plan, 32768, "25", "%25", "%", "/", "\\", "%2F", front=front
        )
    yield from texts(
        "query", lambda text: plan(query=text), 65536, "%", "?", '"', "\xe9"
    )
    for name, value in (
        *(("X-A", "b"), ("Connection", "x-a, x-b"), ("Host", "app.example")),
        *(("Content-Length", "1"), ("Transfer-Encoding", "chunked"), ("a_b", "c")),
    ):
        yield row(
            f"request head: lines of {name}",
            lines(name, value),
            lambda headers: plan(headers=headers),
            20_000,
        )
    for name in ("X-A", "Connection", "Content-Length", "Transfer-Encoding", "Host"):
        yield from texts(
            f"request head: {name}",
            partial(plan_line, name),
            65536,
            *(" ", "\t", ",", "1", "a,", "\xe9"),
            end="x",
        )
    yield from texts(
        "raw path",
        lambda raw: find_raw_path(raw, raw.replace("%2F", "/"), "latin-1"),
        65536,
        *("%2F", "/", "a", "%61", "%", "?"),
    )
    yield row(
        "many mount points",
        lambda size: {f"/a{i}/": "http://127.0.0.1:8001/" for i in range(size)},
        lambda mapping: plan_request(
            compile_mount_points(mapping), RequestHead("GET", "/a/x"), CLIENT
        ),
        5_000,
    )


def answers() -> Iterator[Row]:
    """Answers of backends."""
    for name in ("X-A", "Connection", "Content-Length", "Transfer-Encoding"):
        yield from texts(
            f"answer: {name}",
            partial(take_line, name),
            40_000,
            *(" ", "\t", "\r\n ", "\n\t", "\r", ",", "1", "a,", "\r\nX-A:"),
            front="a",
            end="a",
        )
    for name in ("Location", "Refresh", "Set-Cookie"):
        for front in (
            *("/base", "http://127.0.0.1:8001/", "HTTP:", "0", "0;a", "0;url='a"),
            *("0;url=", "a=b;path=/base/", "a=b;Domain="),
        ):
            yield from texts(
                name,
                partial(map_header, REQUEST, name.lower()),
                40_000,
                *("/", "\\", " ", "\t", ";", "'", '"', "=", "%25", "../", ";domain=a"),
                front=front,
                end="x",
            )
    for start, piece, end in (
        (b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n", b"\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n", b""),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"1;a\r\na\r\n",
            b"",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
            b"a: b\r\n",
            b"",
        ),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"a", b""),
        (b"HTTP/1.1 103 \r\n\r\n", b"HTTP/1.1 103 \r\n\r\n", b""),
        (b"", b"\n", b""),
        (b"HTTP/1.1 200 ", b"\t", b"\r\n\r\n"),
    ):
        name = f"answer: {start!r} {piece!r}"
        make = pieces(start, piece, end)
        yield row(name, make, take, 7_000)
        yield row(f"{name}, byte by byte", make, partial(take, step=1), 7_000)


# -- HTTPS only ------------------------------------------------------------------------

EXEMPT: Final = HTTPSOnly(exempt=["/public/*", "/*a*b*aab", "/.well-known/*/x"])


def answer_plain(text: str = "", query: str = "", headers: Any = ()) -> object:
    """Answer a plain request, from an environ and from a scope."""
    path = "/public/" + text
    environ = make_environ(
        dict(headers), PATH_INFO=path, RAW_URI=f"{path}?{query}", QUERY_STRING=query
    )
    scope = make_scope(
        headers,
        path=path,
        raw_path=path.encode("latin-1"),
        query_string=query.encode("latin-1"),
    )
    return EXEMPT.answer(read_environ(environ)), EXEMPT.answer(read_scope(scope))


def answer_plain_line(name: str, text: str) -> object:
    """Answer a plain request with one header."""
    return answer_plain(headers=[(name, text)])


TRUSTING: Final = ProxyPolicy(headers=[REAL], proxies=PROXIES)


def answer_trusted_line(name: str, text: str) -> object:
    """Answer a plain request of a trusted peer with one header that is not listed."""
    environ = make_environ({name: text}, peer="10.0.0.1")
    TRUSTING.apply(environ)
    return EXEMPT.answer(read_environ(environ))


def exempt_anew() -> Callable[[Any], object]:
    """Compile patterns, none of which `re` remembers."""
    re.purge()
    facts = read_environ(make_environ())
    return lambda patterns: HTTPSOnly(exempt=patterns).exempts(facts)


def plain_requests() -> Iterator[Row]:
    """Plain requests where HTTPS is the rule, and the texts of its settings."""
    for front in ("", "%"):
        yield from texts(
            "plain request",
            answer_plain,
            16384,
            *("25", "%25", "%2e%2e/", "/", "aa", "ab", "\\", ";", "/..", "\xff"),
            front=front,
        )
    yield from texts(
        "a plain request's query",
        lambda text: answer_plain(query=text),
        65536,
        *("%", "\xff", "?", "\\"),
    )
    for name in ("X-Forwarded-Proto", "Connection", "Via", "Host"):
        # What is made of short lines is copied so fast that they show no square.
        for value in ("a, close", "a" * 100):
            yield row(
                f"plain request: lines of {name}: {value[:8]!a}",
                lines(name.lower(), value),
                lambda headers: answer_plain(headers=headers),
                20_000,
            )
        yield from texts(
            f"plain request: {name}",
            partial(answer_plain_line, name.lower()),
            65536,
            *(",", " ", "a,", "a"),
        )
    for name in (FORWARDED, "X-Forwarded-SSL", "CF-Visitor"):
        yield from texts(
            f"plain request of a trusted peer: {name}",
            partial(answer_trusted_line, name),
            65536,
            *(",", "a,", "off,", "for=a,", " ", '"'),
        )
    yield Row(
        "many patterns",
        lambda size: [f"/a{i}/*" for i in range(size)],
        exempt_anew,
        2_000,
    )
    yield Row("many stars", lambda size: ["/" + "*a" * size], exempt_anew, 5_000)
    yield from texts(
        "HSTS", HSTSPolicy.parse, 32768, ";", " ", "a", "a;", '"', '""', '\\"', "=", "0"
    )
    for front in ("a=", 'a="', "max-age=", "max-age=1;"):
        yield from texts(
            "HSTS", HSTSPolicy.parse, 32768, '"', "\\", ";", "0", " ", "\t", front=front
        )
    yield row(
        "HSTS: directives", count('a{0}="b";', "max-age=1;"), HSTSPolicy.parse, 5_000
    )


def page_visits() -> Iterator[Row]:
    """Requests for the page of somebody who holds nothing (H-20)."""
    for front in ("", "trustedproxy_page=", 'trustedproxy_page="'):
        yield from texts(
            "the page's cookie",
            lambda text: Visit(cookies=text, read=lambda: None).session,  # type: ignore[arg-type, return-value]  # nothing is read
            65536,
            *(";", "=", "a=b;", "\\", '\\"', '"', " "),
            front=front,
        )
    yield from texts(
        "the page's form",
        lambda text: read_fields(text.encode("ascii")),
        65536,
        *("&", "a=&", "%", "%41", "=", "+"),
    )


# -- what an operator writes -----------------------------------------------------------

SETTINGS: Final = {option.name: option for option in OPTIONS}


def read_text(name: str, text: str) -> object:
    """Read one setting from its text, as an environment variable has it."""
    settings: dict[str, object] = {
        "TRUSTED_PROXY_HEADERS": [FOR],
        "TRUSTED_PROXIES": "*",
        "TRUSTED_PROXY_SECRET_HEADER": "X-Secret",
    }
    if "SECRETS" not in name:
        del settings["TRUSTED_PROXY_SECRET_HEADER"]
    option = SETTINGS.get(name)
    settings[name] = text if option is None else option.read_text(text)
    return read_settings(settings)


def configuration() -> Iterator[Row]:
    """Texts of settings, in our words and in mod_wsgi's."""
    yield from texts(
        "Apache directives",
        parse_mod_wsgi,
        65536,
        *("\\\n", "#", "\n", "'", '"', "\\", "WSGITrustedProxies ", "<", "--", "a"),
    )
    for front in ("WSGITrustedProxies ", 'WSGITrustedProxies "', "--trust-proxy="):
        yield from texts(
            "Apache directives", parse_mod_wsgi, 65536, "a", " ", "\\", '"', front=front
        )
    for template in (
        *("WSGITrustedProxies 10.0.0.1\n", "WSGITrustedProxyHeaders X-{0}\n"),
        *(" --trust-proxy 10.0.0.1", " --trust-proxy-header X-{0}"),
        *(" --proxy-mount-point /a{0} http://a/", "# {0}\\\n"),
    ):
        yield row(f"many of {template!r}", count(template), parse_mod_wsgi, 5_000)
    for front, template in (
        ("WSGITrustedProxies", " 10.0.0.1"),
        ("WSGITrustedProxyHeaders", " X-{0}"),
    ):
        yield row(f"one line of {front}", count(template, front), parse_mod_wsgi, 5_000)
    yield row(
        "networks",
        lambda size: [f"10.{n >> 8}.{n & 255}.0/25" for n in range(size)],
        TrustedNetworks,
        10_000,
    )
    yield row(
        "networks of a list that is refreshed",
        lambda size: [IPv4Network((n << 10, 22)) for n in range(size)],
        lambda nets: find_lost(set(nets[::2]), nets[1::2]),
        4_000,
    )
    yield from texts(
        "network", lambda text: TrustedNetworks([text]), 65536, "1", "/", ":", "a", "%"
    )
    for name, template, size in (
        ("TRUSTED_PROXIES", "10.0.0.1 ", 5_000),
        ("TRUSTED_PROXY_HEADERS", "X-A{0}=address,", 2_000),
        ("TRUSTED_PROXY_SECRETS", "0123456789abcdef-{0}\n", 5_000),
        ("TRUSTED_PROXY_MOUNT_POINTS", "/a{0}=http://a/ ", 2_000),
        ("TRUSTED_PROXY_HTTPS_EXEMPT", "10.0.0.1 ", 1_000),
        ("TRUSTED_PROXY_HSTS_POLICY", "a{0};", 5_000),
    ):
        read = partial(read_text, name)
        yield row(f"many of {name}", count(template), read, size)
        yield from texts(f"a long {name}", read, 32768, "x", "1", "/", "=", ":")
    yield from texts(
        "a long name",
        lambda name: read_text(name, ""),
        32768,
        *("X", "HEADERS", "_"),
        front="TRUSTED_PROXY_",
    )


ROWS: Final = [
    *requests(),
    *single_values(),
    *mounted_requests(),
    *answers(),
    *plain_requests(),
    *page_visits(),
    *configuration(),
]


#: What is read → its rows.
KINDS: Final[dict[str, list[Row]]] = {}
for _row in ROWS:
    KINDS.setdefault(_row.name.partition(":")[0], []).append(_row)


@pytest.mark.parametrize("kind", KINDS)
def test_cost_is_in_proportion(kind: str) -> None:
    """Sixteen times as much takes about sixteen times as long, at most."""
    exponents = {row.name: find_exponent(row, STEEPEST) for row in KINDS[kind]}

    assert {n: steep for n, steep in exponents.items() if steep >= STEEPEST} == {}


@pytest.mark.parametrize(
    "template", ["#{0}\n", "10.0.0.1\n", " \n", "#", "10.{0}.0.0/16 # {0}\n", "\f", "a"]
)
def test_cost_of_a_list_file_is_in_proportion(tmp_path: Path, template: str) -> None:
    """However long the file is, and whatever it is refused for."""

    def write(size: int) -> str:
        path = tmp_path / f"networks-{size}"
        path.write_text(count(template)(size) + "\n192.0.2.1\n", encoding="utf-8")
        return f"file:{path}"

    exponent = find_exponent(
        row("a list", write, lambda entry: TrustedNetworks([entry]), 8192), STEEPEST
    )

    assert exponent < STEEPEST


# -- the tests of the test -------------------------------------------------------------


def test_square_is_seen() -> None:
    """What reads all for each character has the exponent of a square."""
    square = row("square", repeat("ab"), lambda text: [*map(text.count, text)], 16384)
    line = row("line", repeat("ab"), lambda text: [*map(ord, text)], 16384)

    assert find_exponent(square, STEEPEST) > STEEPEST
    assert find_exponent(line, STEEPEST) < STEEPEST
    assert len(square.make(square.size)) == FOLD * len(square.make(square.size // FOLD))


def test_names_are_distinguished() -> None:
    """No row hides another one."""
    names = [row.name for row in ROWS]

    assert len(set(names)) == len(names)
