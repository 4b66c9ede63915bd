"""
The parts of the page: what came out, what to change, the way, the headers, the policy.

In:  an `Explanation` and what else is known; every sentence about a request is its own.
Out: sections of HTML, each with a heading.

A section is a row of `SECTIONS`, in the order of the page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ..exceptions import ConfigurationError
from ..explain import Fate
from ..explain.text import capitalize, read_variable, write_outcome
from ..framework import NO_FRAMEWORK, Framework
from ..frontends import FRONTENDS, Site, write_files
from ..parsing.values import DEFAULT_PORTS
from ..wsgi_text import read_path
from .markup import Child, Markup, element, join, lines
from .picture import draw_way, list_stops
from .trying import FIELDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..explain import Explanation, Header, Variable
    from ..explain.describing import Row
    from ..policy import ProxyPolicy
    from .picture import Stop
    from .recent import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """
    Everything that the page shows.

    Attributes:
        explanation: The request, explained.

        policy: The policy in force.

        rows: Every setting in force.

        fields: The fields of the box, filled in.

        form_token: The token that guards the box; nothing where there is no box.

        error: What is wrong with the request in the box, or nothing.

        tried: Whether the request was described in the box, and did not come.

        records: What was logged of late, the newest first.

        mask: Masks the secrets of the policy in a text of the request.

        mask_record: Masks them in the text of a record of the log.

        framework: What the application does by itself.
    """

    explanation: Explanation
    policy: ProxyPolicy
    rows: Sequence[Row]
    fields: Mapping[str, str]
    form_token: str = ""
    error: str = ""
    tried: bool = False
    records: Sequence[Record] = ()
    mask: Callable[[str], str] = str
    mask_record: Callable[[str], str] = str
    framework: Framework = NO_FRAMEWORK

    @property
    def mount_point(self) -> str:
        """
        The application's own mount point, whatever a header says, or nothing.

        As people have it, in Unicode, like the setting that forces it.
        """
        forced = self.framework.forced_mount_point
        if forced is not None:
            return forced.rstrip("/")
        seen = {each.name: each.after for each in self.explanation.variables}
        return read_path(seen["mount point"] or "")


Writer: TypeAlias = "Callable[[Contents], Child]"


@dataclass(frozen=True, slots=True)
class Section:
    """
    One section.

    Attributes:
        id: Its anchor.

        title: Its heading.

        write: Writes what stands below the heading; nothing leaves the section out.
    """

    id: str
    title: str
    write: Writer


def fill_sections(
    contents: Contents, sections: Sequence[Section]
) -> list[tuple[Section, Markup]]:
    """Fill in those of the *sections* that have something to say."""
    filled = [(section, section.write(contents)) for section in sections]
    return [(section, join(body)) for section, body in filled if body is not None]


def write_sections(filled: Sequence[tuple[Section, Markup]]) -> list[Markup]:
    """Write sections, each below its heading."""
    return [
        element(
            "section",
            element("h2", section.title, id=f"{section.id}-title"),
            body,
            id=section.id,
            aria_labelledby=f"{section.id}-title",
        )
        for section, body in filled
    ]


def write_navigation(filled: Sequence[tuple[Section, Markup]]) -> Markup:
    """Write links to sections."""
    links = [
        element("li", element("a", section.title, href=f"#{section.id}"))
        for section, _ in filled
    ]
    return element("nav", element("ul", links), aria_label="On this page")


# -- what came out ---------------------------------------------------------------------


def write_result(contents: Contents) -> Markup:
    """Write what the application sees, in a few words and one sentence."""
    explanation = contents.explanation
    seen = {each.name: each.after for each in explanation.variables}
    outcome = explanation.outcome
    facts = [
        ("Client", outcome.client or "unknown"),
        ("Scheme", seen["scheme"]),
        ("Host", seen["host"]),
        ("Mount point", contents.mount_point or "none"),
    ]
    notes = [element("p", note, class_="note") for note in explanation.notes]
    return element(
        "div",
        element("p", _TRIED, class_="note") if contents.tried else None,
        notes,
        element("p", write_outcome(explanation), class_="outcome"),
        element(
            "dl",
            [
                element("div", element("dt", name), element("dd", _show(value)))
                for name, value in facts
            ],
            class_="facts",
        ),
        _write_origin(contents, seen),
    )


_TRIED = "This is what would happen to the request that was described in the box below."


def _write_origin(contents: Contents, seen: Mapping[str, str | None]) -> Markup | None:
    """Say where links begin; the script compares that with the browser's address."""
    if contents.explanation.outcome.rejected:
        return None
    host = seen["host"] or seen["server name"] or ""
    scheme = seen["scheme"] or ""
    # A browser leaves out the port that the scheme has anyway.
    default = f":{DEFAULT_PORTS.get(scheme)}"
    origin = f"{scheme}://{host.removesuffix(default)}"
    return element(
        "p",
        "Links of the application begin with ",
        element("code", f"{origin}{contents.mount_point}/"),
        ". ",
        element(
            "span",
            hidden=True,
            data_origin=None if contents.tried else origin,
            id="origin",
        ),
        class_="origin",
    )


def _show(value: str | None) -> Markup:
    """Show the value of a variable."""
    if value is None:
        return element("span", "not there", class_="nothing")
    if not value:
        return element("span", "empty", class_="nothing")
    return element("code", value)


# -- what to change --------------------------------------------------------------------


def write_advice(contents: Contents) -> Child:
    """Write each advice, with the settings to paste."""
    advice = contents.explanation.advice
    if not advice:
        return element("p", "Nothing, as far as this request shows.", class_="good")
    return [
        element(
            "div",
            element("p", capitalize(each.text)),
            _write_paste("\n".join(each.settings), f"advice-{i}"),
            class_="advice",
            data_code=each.code,
        )
        for i, each in enumerate(advice, 1)
    ]


def _write_paste(code: str, name: str) -> Markup | None:
    """Write lines to paste, with a button that copies them."""
    if not code:
        return None
    return element(
        "div",
        element("pre", element("code", lines(code), id=name), tabindex=0),
        element("button", "Copy", type="button", hidden=True, data_copies=name),
        class_="paste",
    )


# -- the way ---------------------------------------------------------------------------


def write_way(contents: Contents) -> Markup:
    """Draw the way, and list its stops with the reasons."""
    stops = list_stops(contents.explanation)
    return element(
        "div",
        element("figure", draw_way(stops)),
        element("ol", [_write_stop(stop) for stop in stops], class_="stops"),
        class_="ways",
    )


def _write_stop(stop: Stop) -> Markup:
    return element(
        "li",
        element("span", stop.mark, class_=f"number {stop.kind}", aria_hidden="true"),
        element(
            "div",
            element("code", stop.title),
            element("span", stop.verdict, class_=f"badge {stop.kind}"),
            element("p", stop.source, class_="source"),
            element("p", stop.sentence) if stop.sentence else None,
        ),
    )


# -- before and after ------------------------------------------------------------------


def write_variables(contents: Contents) -> Markup:
    """Write each variable, before and after."""
    head = ("Variable", "Before", "After")
    return element(
        "table",
        element(
            "thead", element("tr", [element("th", each, scope="col") for each in head])
        ),
        element("tbody", map(_write_variable, contents.explanation.variables)),
    )


def _write_variable(variable: Variable) -> Markup:
    places = [variable.wsgi, *([variable.asgi] if variable.asgi else [])]
    changed = element("span", "changed", class_="badge changed")
    return element(
        "tr",
        element(
            "th",
            variable.name,
            element("small", " · ".join(places)),
            scope="row",
        ),
        element("td", _show(read_variable(variable.name, variable.before))),
        element(
            "td",
            _show(read_variable(variable.name, variable.after)),
            changed if variable.changed else None,
        ),
        class_="changed" if variable.changed else None,
    )


# -- headers ---------------------------------------------------------------------------

#: What became of a header → how that looks.
_LOOKS = {
    Fate.USED: "client",
    Fate.REMOVED: "cut",
    Fate.MALFORMED: "nobody",
    Fate.IGNORED: "nobody",
    Fate.NOT_LISTED: "nobody",
    Fate.NOT_SENT: "plain",
    Fate.SECRET: "trusted",
    Fate.CONNECTION: "plain",
    Fate.OTHER: "plain",
}
_QUIET = frozenset({Fate.OTHER, Fate.CONNECTION})


def write_headers(contents: Contents) -> list[Markup]:
    """Write each header, those that say something of a proxy first."""
    headers = contents.explanation.headers
    speaking = [header for header in headers if header.fate not in _QUIET]
    quiet = [header for header in headers if header.fate in _QUIET]
    return [
        element("ul", map(_write_header, speaking), class_="headers"),
        element(
            "details",
            element("summary", f"{len(quiet)} others, which say nothing of a proxy"),
            element("ul", map(_write_header, quiet), class_="headers"),
        ),
    ]


def _write_header(header: Header) -> Markup:
    what = ", ".join(header.categories)
    changed = header.value_after is not None and header.value_after != header.value
    return element(
        "li",
        element(
            "h3",
            element("code", header.name),
            element("span", str(header.fate), class_=f"badge {_LOOKS[header.fate]}"),
            element("span", "a guess", class_="badge nobody") if header.guess else None,
            element("small", what) if what else None,
        ),
        None if header.value is None else _write_value(header),
        element("p", "Afterwards: ", element("code", header.value_after or ""))
        if changed
        else None,
        element("ul", [element("li", each) for each in header.sentences])
        if header.sentences
        else None,
        data_header=header.name,
    )


def _write_value(header: Header) -> Markup:
    if header.hidden or not header.value:
        shown = element("span", header.value or "empty", class_="nothing")
    else:
        shown = element("code", header.value)
    return element("p", shown, class_="value")


# -- problems and answers --------------------------------------------------------------


def write_problems(contents: Contents) -> Child:
    """Write what was wrong, and what answers in the application's place."""
    explanation = contents.explanation
    problems = [
        element(
            "li",
            element("code", problem.header),
            f": {problem.meaning} ",
            element("span", problem.code, class_="badge nobody"),
            element("p", element("code", contents.mask(problem.value)), class_="value")
            if problem.value
            else None,
        )
        for problem in explanation.problems
    ]
    answers = [
        element(
            "li",
            element("strong", answer.by),
            element("span", str(answer.status), class_="badge nobody")
            if answer.status is not None
            else None,
            element("p", answer.sentence),
        )
        for answer in explanation.answers
    ]
    if not problems and not answers:
        return None
    return element("ul", problems, answers, class_="problems")


# -- the policy ------------------------------------------------------------------------


def write_policy(contents: Contents) -> Markup:
    """Write every setting in force, and what it means."""
    off = [row for row in contents.rows if row.value in _OFF]
    on = [row for row in contents.rows if row.value not in _OFF]
    stated = [element("li", each.sentence) for each in contents.explanation.stated]
    return element(
        "div",
        element("ul", stated) if stated else None,
        element("dl", map(_write_row, on), class_="settings"),
        element(
            "details",
            element("summary", f"{len(off)} others, which are off"),
            element("dl", map(_write_row, off), class_="settings"),
        ),
    )


#: The values of settings that do nothing.
_OFF = frozenset({"None", "False", "nothing"})


def _write_row(row: Row) -> Markup:
    return element(
        "div",
        element("dt", element("code", row.setting)),
        element("dd", element("code", row.value), element("p", row.meaning)),
    )


# -- the front end ---------------------------------------------------------------------


def write_front_ends(contents: Contents) -> list[Markup]:
    """Write what each front end has to do for this policy."""
    return [
        element("p", _FRONT_ENDS),
        *[_write_front_end(contents, name) for name in FRONTENDS],
    ]


_FRONT_ENDS = (
    "A policy is one half. This is the other: the configuration of the proxy in front "
    "that sets exactly the trusted headers and lets no forged one through. Names, "
    "ports and certificates are yours to fill in."
)
#: What stands where the operator writes the secret.
_SECRET = "WRITE-THE-SECRET-HERE"


def _list_backends(explanation: Explanation) -> tuple[str, ...]:
    """List the ways in which a proxy may reach this server, the likeliest first."""
    said = explanation.connection
    if explanation.peer.is_unix or not said["port"]:
        return ("unix:/run/app.sock",)
    # The server's own name may be no address that a trusted proxy comes from.
    return (f"{said['server']}:{said['port']}", f"app:{said['port']}")


def _write_files(contents: Contents, name: str) -> tuple[dict[str, str], str]:
    """
    Write the files of a front end, as far as the request shows what it fronts.

    Returns:
        Path → text; and why there is none.
    """
    explanation, policy = contents.explanation, contents.policy
    problem = ""
    for backend in _list_backends(explanation):
        try:
            site = Site(
                backend=backend,
                path=contents.mount_point,
                strip_path=not policy.strip_mount_point,
                secret=_SECRET if policy.secret_header is not None else None,
            )
            return write_files(name, policy, site), ""
        except ConfigurationError as error:
            problem = problem or str(error)
    return {}, problem


def _write_front_end(contents: Contents, name: str) -> Markup:
    files, problem = _write_files(contents, name)
    return element(
        "details",
        element("summary", name),
        [
            [element("h3", element("code", path)), _write_paste(text, f"{name}-{i}")]
            for i, (path, text) in enumerate(files.items())
        ],
        element("p", problem) if problem else None,
    )


# -- the box ---------------------------------------------------------------------------


def write_box(contents: Contents) -> Child:
    """Write the form that changes the request."""
    if not contents.form_token:
        return None
    return [
        element("p", _BOX),
        element("p", contents.error, class_="error", role="alert")
        if contents.error
        else None,
        element(
            "form",
            element("input", type="hidden", name="form", value=contents.form_token),
            element(
                "label",
                "Headers, one a line",
                element(
                    "textarea",
                    # A line break at the start of one is not part of it.
                    Markup("\n"),
                    lines(contents.fields.get("headers", "")),
                    name="headers",
                    rows=10,
                    spellcheck="false",
                    autocomplete="off",
                ),
                class_="wide",
            ),
            [
                element(
                    "label",
                    each.label,
                    element(
                        "input",
                        name=each.name,
                        value=contents.fields.get(each.name, each.default),
                        spellcheck="false",
                        autocomplete="off",
                    ),
                )
                for each in FIELDS
            ],
            element("button", "See what would happen", type="submit"),
            method="post",
            class_="box",
        ),
    ]


_BOX = (
    "Change the request and see what would become of it. Nothing is sent anywhere and "
    "nothing is kept. An empty peer is a unix socket."
)


# -- the log ---------------------------------------------------------------------------


def write_records(contents: Contents) -> Markup:
    """Write the last records of the log, the newest first."""
    if not contents.records:
        return element("p", "None since this process began to keep them.")
    return element("ol", [_write_record(contents, r) for r in contents.records])


def _write_record(contents: Contents, record: Record) -> Markup:
    shown = record.time.strftime("%Y-%m-%d %H:%M:%S UTC")
    return element(
        "li",
        element("time", shown, datetime=record.time.isoformat(timespec="seconds")),
        element("span", record.code, class_="badge plain") if record.code else None,
        element("p", contents.mask_record(record.text)),
        class_="record",
    )


#: The sections, in the order of the page.
SECTIONS = (
    Section("result", "In short", write_result),
    Section("change", "What to change", write_advice),
    Section("way", "The way of the request", write_way),
    Section("variables", "Before and after", write_variables),
    Section("problems", "Problems and answers", write_problems),
    Section("headers", "Headers", write_headers),
    Section("policy", "The policy in force", write_policy),
    Section("front-ends", "The front end's half", write_front_ends),
    Section("box", "Try another request", write_box),
    Section("log", "The last problems of this process", write_records),
)
#: What a frame in another page shows, in which no form works.
FRAME_SECTIONS = tuple(each for each in SECTIONS if each.id != "box")
