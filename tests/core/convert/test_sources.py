"""
The languages of configurations: what is read, what is passed over, what is refused.
"""

from __future__ import annotations

import pytest

from trustedproxy import ConfigurationError
from trustedproxy.convert.sources.apache_source import parse_apache
from trustedproxy.convert.sources.command_lines import read_commands, read_options
from trustedproxy.convert.sources.given import Computed, Given, refuse_near, shown
from trustedproxy.convert.sources.nginx_source import parse_nginx
from trustedproxy.convert.sources.python_source import PythonSource, parse_python
from trustedproxy.convert.sources.source import Source


def names_of(text: str) -> dict[str, object]:
    """Read the values that Python source assigns."""
    source = PythonSource([parse_python(text)])
    return {name: given.value for name, given in source.names().items()}


# -- Python ----------------------------------------------------------------------------

VALUES: dict[str, object] = {
    "'a' 'b'": "ab",
    "('a', 1, None)": ["a", 1, None],
    "{'b', 'a'}": ["b", "a"],
    "{'k': [1], 'l': 2}": {"k": [1], "l": 2},
    "60 * 60 * 24": 86400,
    "1 + 2": 3,
    "-1": -1,
    "not True": False,
    "'a' + 'b'": "ab",
    "['a'] + ['b']": ["a", "b"],
    "KNOWN": "value",
    "[KNOWN]": ["value"],
}


@pytest.mark.parametrize("expression", VALUES)
def test_value_that_stands_there_is_read(expression: str) -> None:
    """Literals, names, sums."""
    found = names_of(f"KNOWN = 'value'\nX = {expression}")

    assert found["X"] == VALUES[expression]


COMPUTED = [
    "os.environ['X']",
    "int('1')",
    "UNKNOWN",
    "f'{x}'",
    "'a' * 3",
    "10 ** 9",
    "10 ** 9 * 10 ** 9",
    "1000000000 * 1000000000",
    "1 - 1",
    "-'a'",
    "~1",
    "[*x]",
    "{**x}",
    "{1: 2}",
    "'a' + 1",
    "X",
    "TWICE",
    "SOMETIMES",
    "a if b else c",
]


@pytest.mark.parametrize("expression", COMPUTED)
def test_value_that_only_the_program_knows_is_computed(expression: str) -> None:
    """Nobody guesses; the expression itself is what is known."""
    before = "TWICE = 1\nTWICE = 2\nif x:\n    SOMETIMES = 1\n"

    found = names_of(f"{before}X = {expression}")

    assert isinstance(found["X"], Computed)
    assert found["X"].text


def test_long_expression_is_shortened() -> None:
    """An error or a note shows no page of source."""
    found = names_of(f"X = call({'a' * 100})")

    assert found["X"] == Computed("call(" + "a" * 55 + "…")


def test_deep_expression_is_computed() -> None:
    """A sum of thousands is nobody's configuration, and no crash."""
    found = names_of("X = " + "+".join(["x"] * 600))

    assert found["X"] == Computed("…")


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "(" * 1000,
        "x = '\0'",
        "".join(f"{'el' * bool(i)}if {i}: x = {i}\n" for i in range(3000)),
    ],
    ids=["brackets", "a zero byte", "many branches"],
)
def test_source_that_cannot_be_read_is_refused(text: str) -> None:
    """Whatever Python's parser does, the answer is an error of ours."""
    with pytest.raises(ConfigurationError, match="Python source"):
        parse_python(text)


def test_line_that_is_no_python_is_shortened() -> None:
    """Files that were packed have one line, and it is long."""
    with pytest.raises(ConfigurationError, match="Python source") as refused:
        parse_python("x = 1; " * 1000 + "!")

    assert len(str(refused.value)) < 200


ASSIGNED: dict[str, object] = {
    "X = 1\nX = 2": 2,
    "X: int = 1": 1,
    "X: int\nX = 1": 1,
    "Y = X = 1": 1,
    "X = ['a']\nX += ['b']": None,
    "try:\n    X = 1\nexcept E:\n    pass\nelse:\n    pass\nfinally:\n    pass": 1,
    "with a:\n    X = 1": 1,
    "class Live:\n    X = 1": 1,
    "if True:\n    X = 1\nelse:\n    X = 2": 1,
    "if False:\n    X = 1\nelif True:\n    X = 3": 3,
    "a.X, b = 1, 2\na.X = 3\na.X += 1\na.b: int = 1\nX = 4": 4,
}


@pytest.mark.parametrize("text", ASSIGNED)
def test_last_assignment_counts(text: str) -> None:
    """Of those that are known to happen."""
    found = names_of(text)["X"]

    if ASSIGNED[text] is None:
        assert isinstance(found, Computed)
    else:
        assert found == ASSIGNED[text]


CONDITIONS = {
    "if DEBUG:\n    X = 1": "if DEBUG",
    "if DEBUG:\n    pass\nelse:\n    X = 1": "unless DEBUG",
    "class Live:\n    X = 1": "class Live",
    "class Live:\n    if DEBUG:\n        X = 1": "class Live, if DEBUG",
    "X = 1": "",
}


@pytest.mark.parametrize("text", CONDITIONS)
def test_condition_of_an_assignment_is_named(text: str) -> None:
    """A branch that nobody knows is named."""
    source = PythonSource([parse_python(text, "settings.py")])

    assert source.names()["X"].condition == CONDITIONS[text]
    assert source.names()["X"].where.startswith("settings.py, line ")


def test_warnings_of_the_parser_are_nobodys_business() -> None:
    """Source with an odd escape is read as Python reads it."""
    assert names_of("X = '\\d'") == {"X": "\\d"}


def test_functions_are_not_read() -> None:
    """What a function assigns is its own."""
    assert names_of("def f():\n    X = 1\nasync def g():\n    X = 2") == {}


CALLS = {
    "f(1)": ["f"],
    "a.b.f(1)": ["a.b.f", ""],
    "import a as b\nb.f()": ["a.f"],
    "import a\na.f()": ["a.f"],
    "from a import f as g\ng()": ["a.f"],
    "from . import f\nf()": ["f"],
    "f()()": ["", "f"],
    "f().g()": ["?.g", "f"],
    "x = partial(Thing, a=1)": ["partial", "Thing"],
    "app.add_middleware(Thing)": ["app.add_middleware", "Thing"],
    "app.add_middleware(a()())": ["app.add_middleware", "", "a"],
    "print(Thing)": ["print"],
}


@pytest.mark.parametrize("text", CALLS)
def test_calls_are_found_by_their_full_names(text: str) -> None:
    """As far as imports tell, and for what is handed over to be called."""
    calls = parse_python(text).calls

    assert [call.function for call in calls if call.function] == [
        name for name in CALLS[text] if name
    ]


# -- command lines ---------------------------------------------------------------------

OPTIONS = {"--list": ("list", True), "--on": ("on", False), "-b": ("bind", True)}

COMMANDS: dict[str, dict[str, object]] = {
    "gunicorn --list a,b -b :80 --other --on": {
        "list": "a,b",
        "bind": ":80",
        "on": True,
    },
    "gunicorn --list=a --list=b": {"list": "b"},
    "gunicorn --on=v1": {"on": "v1"},
    "gunicorn \\\n  --list \\\n  'a b'": {"list": "a b"},
    "gunicorn --other=--list # --list x": {},
}


@pytest.mark.parametrize("text", COMMANDS)
def test_options_of_a_command_are_read(text: str) -> None:
    """Those that are asked for, the last where there are several."""
    [command] = read_commands(text)

    found = {
        name: given.value for name, given in read_options(command, OPTIONS).items()
    }

    assert found == COMMANDS[text]


def test_commands_are_found_in_a_text() -> None:
    """With the line at which each begins, and the variables in front."""
    text = "\n".join(
        [
            "[Service]",
            "# gunicorn --list none",
            "Environment=A=1",
            "ExecStart=/bin/env B=2 \\",
            "    python -m gunicorn --list x",
            'CMD ["uvicorn", "--on"]',
            'EXPOSE ["not json',
            "LABEL it's nothing",
            "- gunicorn",
            "- --list",
            "- z",
            "other --list y",
        ]
    )

    commands = read_commands(text, "app.service")

    assert [(c.program, c.line, dict(c.variables)) for c in commands] == [
        ("", 3, {"A": "1"}),
        ("gunicorn", 4, {"B": "2"}),
        ("uvicorn", 6, {}),
        ("gunicorn", 9, {}),
        ("", 12, {}),
    ]
    assert commands[3].words == ["--list", "z"]
    assert commands[4].words == ["--list", "y"]
    assert commands[1].where == "app.service, line 4"


def test_open_quote_of_a_command_is_refused_where_it_matters() -> None:
    """A text that may be something else is passed over."""
    assert read_commands("it's gunicorn", strict=False) == []
    with pytest.raises(ConfigurationError, match="quotes closed"):
        read_commands("it's gunicorn")


# -- front ends ------------------------------------------------------------------------


def test_directives_of_nginx_know_their_blocks() -> None:
    """Words, quotes, comments, variables, several lines."""
    text = "a b \"c d\"; # no\nhttp {\n  server { e\n ${x}y 'f\\'g'; }\n}\n"

    directives = parse_nginx(text, "nginx.conf")

    assert [(d.name, list(d.values), d.line, d.scope) for d in directives] == [
        ("a", ["b", "c d"], 1, ()),
        ("e", ["${x}y", "f\\'g"], 3, ("http #2", "server #3")),
    ]


def test_directives_of_apache_know_their_sections() -> None:
    """Continued lines, names in any case, sections that only say when."""
    text = "\r\n".join(
        [
            "# RemoteIPHeader X",
            "<IfModule x>",
            "  <VirtualHost *:80>",
            "    remoteipheader \\",
            '      "X-Real-IP"',
            "    Other 'open",
            "  </VirtualHost>",
            "</IfModule>",
        ]
    )

    [directive] = parse_apache(text, "", prefixes=["remoteip"])

    assert directive.name == "remoteipheader"
    assert directive.values == ["X-Real-IP"]
    assert directive.line == 4
    assert directive.scope == ("virtualhost *:80 #3",)


def test_section_that_nobody_opened_is_refused() -> None:
    """The line is named."""
    with pytest.raises(ConfigurationError, match="line 2"):
        parse_apache("\n</VirtualHost>", prefixes=["x"])


# -- small things ----------------------------------------------------------------------


def test_source_reads_each_language_where_it_is() -> None:
    """Python has no commands, and front ends have no servers' programs."""
    assert Source("import x\n'gunicorn'").commands == []
    assert Source("gunicorn", "a.py").commands == []
    assert Source("[x]\ngunicorn", "a.ini").commands == []
    assert Source("x = 'real_ip'").nginx == []
    assert Source("x = 'remoteip'").apache == []
    assert Source("x = 1", "a.service").module is None
    assert Source("x", "a.conf").where == "a.conf"
    assert Source("x").where == "the text"


def test_word_that_is_nearly_known_is_refused() -> None:
    """One that is known, or far from it, is not."""
    refuse_near("--proxy-headers", "line 1", ["--proxy-headers", "--proxy-header"])
    refuse_near("--workers", "line 1", ["--proxy-headers"])
    with pytest.raises(ConfigurationError, match="nearest is '--proxy-headers'"):
        refuse_near("--proxy-heders", "line 1", ["--proxy-headers"])


def test_text_for_an_error_is_one_short_line() -> None:
    """Whatever was given."""
    assert shown(" a\n  b ") == "a b"
    assert len(shown("x" * 100)) == 61


def test_given_says_what_was_found() -> None:
    """The record has no condition unless one is given."""
    assert Given("x", 1, "line 1").condition == ""
