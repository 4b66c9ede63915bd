"""
What the operator's tools read: logs, raw requests, configurations, lists, answers.

In:  bytes, as they may stand in somebody's file, or come from somebody's server.
Out: an assertion that fails where a text is neither read as it says nor refused.
"""

from __future__ import annotations

import json
from typing import Final

from trustedproxy import ConfigurationError, ProxyPolicy, Settings
from trustedproxy.cli.access_logs import LoggedRequest, compile_reader, read_log
from trustedproxy.cli.format_strings import LineFormat
from trustedproxy.convert import convert_text
from trustedproxy.explain import Request, explain_request
from trustedproxy.explain.requests import RequestError, parse_request
from trustedproxy.headers import Category
from trustedproxy.presets.failures import UpdateError
from trustedproxy.presets.lists import FORMS, parse_document
from trustedproxy.probe.records import Answer, Forgery, Kind, Line, Trial, Trick
from trustedproxy.probe.signs import compare_signs, read_signs

SETTINGS: Final = Settings(
    ProxyPolicy(
        headers=["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"],
        proxies=["loopback", "10.0.0.0/8"],
        strip="all",
    )
)
#: No error is longer, whatever it is about.
LONGEST_ERROR: Final = 1800


def check_explained(request: Request) -> None:
    """Whatever was sent is explained, in text that steers no terminal."""
    said = json.dumps(explain_request(SETTINGS, request).as_dict())
    assert said.isascii() and said.isprintable(), said


def check_refusal(refusal: Exception) -> None:
    """An error is one short sentence, whatever it quotes."""
    said = str(refusal)
    assert said and said.isprintable(), said
    assert len(said) <= LONGEST_ERROR, said


def read_lines(lines: list[str]) -> list[LoggedRequest]:
    """Read a log of JSON lines."""
    read = compile_reader(None)
    return list(read_log(lines, name="log", read=read, said={}))


def check_log(data: bytes) -> None:
    """Each line is read by itself: it is a request, or an error with its number."""
    lines = data.decode("latin-1").split("\n")
    logged = read_lines(lines)

    wanted = [n for n, line in enumerate(lines, 1) if line.strip()]
    assert [each.number for each in logged] == wanted, lines
    for each in logged:
        alone = read_lines([lines[each.number - 1]])[0]
        if each.request is None:
            assert each.error is not None and alone.error is not None
            assert alone.error.message == each.error.message
            check_refusal(each.error)
            continue
        assert each.error is None and alone.request is not None
        assert alone.request.headers == each.request.headers
        check_explained(each.request)


def check_format(data: bytes) -> None:
    """What is written by a format is read by it; another line is read or refused."""
    text, _, line = data.decode("latin-1").partition("\n")
    try:
        line_format = LineFormat(text)
    except ValueError as refusal:
        check_refusal(refusal)
        return

    value = next(c for c in map(chr, range(0x3B1, 0x500)) if c not in text)
    literals, fields = line_format._literals, line_format._fields
    said = line_format.read(value.join(literals))
    assert said == {field: value for field in fields if field}, text
    try:
        said = line_format.read(line)
    except ValueError as refusal:
        check_refusal(refusal)
        return

    assert set(said) <= set(fields), text
    assert sum(map(len, said.values())) <= len(line) * len(fields), text


def check_raw_request(data: bytes) -> None:
    """Every header that is explained stands in a line; ends of lines are alike."""
    text = data.decode("latin-1")
    try:
        request = parse_request(text)
    except RequestError as refusal:
        check_refusal(refusal)
        return

    lines = [line.removesuffix("\r") for line in text.split("\n")]
    for name in request.headers:
        assert any(line.startswith(name) for line in lines), text
    # The end of the last line of the head is not needed.
    again = parse_request("\r\n".join(lines) + "\r\n\r\nX-Forwarded-For: 6.6.6.6")
    assert again.headers == request.headers, text
    assert (again.connection, again.raw_path) == (request.connection, request.raw_path)
    check_explained(request)


def check_conversion(data: bytes) -> None:
    """A configuration becomes settings that can be read, or a short error."""
    text = data.decode("utf-8", "replace")
    try:
        conversion = convert_text(text)
    except ConfigurationError as refusal:
        check_refusal(refusal)
        return

    for note in conversion.notes:
        assert note.text.endswith(".") and note.text.isprintable(), note.text
    if "file:" not in repr(conversion.settings):
        assert conversion.read() is not None, text


def check_document(data: bytes) -> None:
    """What is taken for a list holds public networks alone, and is written as one."""
    for form in FORMS:
        try:
            networks = parse_document(data, form, None)
        except UpdateError as refusal:
            check_refusal(refusal)
            continue

        assert len(set(networks)) == len(networks) > 0, data
        assert not any(network.is_loopback for network in networks), data
        written = "".join(f"{network}\n" for network in networks)
        assert parse_document(written.encode(), "lines", None) == networks, data


OWN: Final = "www.example.com"
FORGED: Final = Forgery(
    name="X-Forwarded-Host",
    value="h1-x.example",
    header="X-Forwarded-Host",
    marks={Category.HOST: "h1-x.example", Category.SCHEME: "https"},
)


def check_answer(data: bytes) -> None:
    """An answer like the honest one shows nothing; whoever shows a mark is found."""
    head, _, body = data.partition(b"\n\n")
    headers: list[Line] = []
    for line in head.decode("latin-1").split("\n"):
        name, _, value = line.partition(":")
        headers.append((name.strip(), value.strip()))
    honest = read_signs(Answer(status=200, headers=tuple(headers), body=body), OWN)
    trial = Trial(trick=Trick.HEADER, forgeries=(FORGED,))

    same = compare_signs(trial, (honest, honest), honest, honest)
    # Readers of URLs drop tabs and line ends.
    texts = [honest.text.lower(), *(place.host for place in honest.places)]
    if not any(FORGED.value in text for text in texts):
        assert same == [], data
    link = Answer(status=200, headers=(("Location", f"//{FORGED.value}/"),), body=body)
    shown = compare_signs(trial, (honest, honest), honest, read_signs(link, OWN))
    taken = [effect.category for effect in shown if effect.kind is Kind.TAKEN]
    assert Category.HOST in taken, data
