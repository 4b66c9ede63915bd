"""
Find what a backtracking matcher tries more than once in a regular expression.

In:  the text of a pattern, and whether it is searched for.
Out: pairs of places between which a run of one text can be split in many ways.

Two neighbouring repeats over the same characters (``a*a*``), and a repeat of a repeat
(``(a*)*``), share a run of these characters in as many ways as the run is long, and a
match that fails tries them all.  A pattern that is searched for is tried at every
character, as if ``.*?`` stood in front of it: one repeat suffices then.

The pattern becomes an automaton of its characters' places (Glushkov's).  It is
ambiguous to a polynomial degree where some text leads from a place *p* to itself, from
*p* to another place *q*, and from *q* to itself; to an exponential one where two ways
lead from *p* to itself.  Source: Weber and Seidl, "On the degree of ambiguity of finite
automata" (1991).

What stands in an atomic group or a possessive repeat is judged by itself, since nothing
comes back to it.  A repeat with an upper bound is written out: its cost has a bound,
too, unless it is repeated itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from re import _compiler, _constants, _parser  # type: ignore[attr-defined]  # the parser of `re`, which stubs leave out
from typing import Any, NamedTuple

_C: Any = _constants
#: What stands for all characters: the first blocks, and some that fold to others.
_SAMPLE = "".join(map(chr, range(0x180))) + "\u017f\u212a\u2028\uff0e\U0001f600"
_ANY = (1 << len(_SAMPLE)) - 1


class Finding(NamedTuple):
    """Two places of a pattern that share a run of characters, and one of these."""

    first: str
    second: str
    shared: str


class _Part(NamedTuple):
    """A part of a pattern: whether it may be empty, and where it begins and ends."""

    nullable: bool
    first: frozenset[int]
    last: frozenset[int]


#: Copies that a bounded repeat is written out in, at most.
_MOST_COPIES = 9
_EMPTY = _Part(True, frozenset(), frozenset())


@dataclass(slots=True)
class _Automaton:
    """Places, each with the characters it takes, and which follows which."""

    text: str | bytes
    flags: int
    characters: list[int] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    follows: list[set[int]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    ends: bool = False

    def add(self, characters: int, label: str) -> _Part:
        self.characters.append(characters)
        self.labels.append(label)
        self.follows.append(set())
        place = frozenset({len(self.labels) - 1})
        return _Part(False, place, place)

    def connect(self, sources: Iterable[int], targets: frozenset[int]) -> None:
        for source in sources:
            for target in targets & self.follows[source]:
                # Two repeats lead from here to there: a repeat of a repeat.
                self._find(source, target, self.characters[target])
            self.follows[source] |= targets

    def _find(self, first: int, second: int, shared: int) -> None:
        character = _SAMPLE[(shared & -shared).bit_length() - 1]
        self.findings.append(
            Finding(self.labels[first], self.labels[second], character)
        )

    # -- building ------------------------------------------------------------------

    def read(self, items: Any) -> _Part:
        """Read a sequence of the parser's items."""
        part = _EMPTY
        for item in items:
            following = self._read_item(*item)
            self.connect(part.last, following.first)
            part = _Part(
                part.nullable and following.nullable,
                part.first | (following.first if part.nullable else frozenset()),
                following.last | (part.last if following.nullable else frozenset()),
            )
        return part

    def _read_item(self, op: Any, value: Any) -> _Part:
        if op in (_C.LITERAL, _C.NOT_LITERAL, _C.ANY, _C.IN):
            characters = _expand(op, value, self.text, self.flags)
            return self.add(characters, _show(op, value))
        if op is _C.SUBPATTERN:
            _, added, removed, inner = value
            outer, self.flags = self.flags, (self.flags | added) & ~removed
            part = self.read(inner)
            self.flags = outer
            return part
        if op is _C.BRANCH:
            parts = [self.read(branch) for branch in value[1]]
            return _Part(
                any(part.nullable for part in parts),
                frozenset().union(*(part.first for part in parts)),
                frozenset().union(*(part.last for part in parts)),
            )
        if op in (_C.MAX_REPEAT, _C.MIN_REPEAT):
            return self._repeat(*value)
        if op in (_C.POSSESSIVE_REPEAT, _C.ATOMIC_GROUP):
            low, _, inner = value if op is _C.POSSESSIVE_REPEAT else (1, 1, value)
            nullable = self._read_apart(inner)
            return self.add(0, "an atomic group")._replace(
                nullable=nullable or low == 0
            )
        if op in (_C.ASSERT, _C.ASSERT_NOT):
            self._read_apart(value[1])
            return _EMPTY
        if op is _C.AT:
            self.ends |= value in (_C.AT_END, _C.AT_END_STRING)
            return _EMPTY
        if op is _C.GROUPREF:
            # It may be what it refers to, or nothing at all.
            return self.add(_ANY, f"\\{value}")._replace(nullable=True)
        raise NotImplementedError(op)

    def _repeat(self, low: int, high: Any, inner: Any) -> _Part:
        if high is _C.MAXREPEAT:
            part = self.read(inner)
            self.connect(part.last, part.first)
            return part._replace(nullable=part.nullable or low == 0)
        # Twice beyond what there must be is as good as any number of times.
        low, high = min(low, _MOST_COPIES), min(high, low + 2, _MOST_COPIES)
        part = _EMPTY
        # From the last copy to the first: x{0,2} is (x(x)?)?.
        for i in reversed(range(high)):
            copy = self.read(inner)
            self.connect(copy.last, part.first)
            part = _Part(
                (copy.nullable and part.nullable) or i >= low,
                copy.first | (part.first if copy.nullable else frozenset()),
                part.last | (copy.last if part.nullable else frozenset()),
            )
        return part

    def _read_apart(self, items: Any) -> bool:
        apart = _Automaton(self.text, self.flags)
        part = apart.read(items)
        self.findings += apart.judge(part, whole=False)
        return part.nullable

    # -- judging -------------------------------------------------------------------

    def judge(self, part: _Part, *, whole: bool) -> list[Finding]:
        """
        List what is ambiguous, once each.

        Args:
            part: The whole pattern.

            whole: Whether the text has to end where the pattern does.
        """
        # Where the pattern may end, nothing fails, so that nothing is tried again.
        done = frozenset() if whole or self.ends else part.last
        places = range(len(self.labels))
        loops = [place for place in places if self._reaches(place, place)]
        for first in loops:
            for second in loops:
                if second not in done and self._shares(first, second):
                    self._find(first, second, self.characters[second])
        return list(dict.fromkeys(self.findings))

    def _reaches(self, source: int, target: int) -> bool:
        seen: set[int] = set()
        todo = [source]
        while todo:
            new = self.follows[todo.pop()] - seen
            seen |= new
            todo += new
        return target in seen

    def _shares(self, first: int, second: int) -> bool:
        """Say whether one text leads as the module's docstring says."""
        if first == second:
            # Two different ways back to the place.
            starts = [(a, b) for a, b, _ in self._step((first, first, first)) if a != b]
            goal = (first, first)
            return any(self._walk((*pair, pair[0]), goal, 2) for pair in starts)
        return self._walk((first, first, second), (first, second, second), 3)

    def _walk(self, start: tuple[int, int, int], goal: tuple[int, ...], n: int) -> bool:
        seen: set[tuple[int, ...]] = set()
        todo = [start]
        while todo:
            for state in self._step(todo.pop()):
                if state[:n] == goal:
                    return True
                if state[:n] not in seen:
                    seen.add(state[:n])
                    todo.append(state)
        return False

    def _step(self, state: tuple[int, int, int]) -> Iterator[tuple[int, int, int]]:
        """Take one character in all three places of *state* at once."""
        of = self.characters
        for a in self.follows[state[0]]:
            for b in self.follows[state[1]]:
                if both := of[a] & of[b]:
                    for c in self.follows[state[2]]:
                        if both & of[c]:
                            yield a, b, c


def _expand(op: Any, value: Any, text: str | bytes, flags: int) -> int:
    """Say which of `_SAMPLE` an item takes, by asking `re` itself."""
    state = _parser.State()
    state.str = text
    state.flags = flags
    one = _compiler.compile(_parser.SubPattern(state, [(op, value)]), flags)
    found = 0
    for i, character in enumerate(_SAMPLE):
        if isinstance(text, str):
            found |= (one.fullmatch(character) is not None) << i
        elif ord(character) < 256:
            found |= (one.fullmatch(character.encode("latin-1")) is not None) << i
    return found


def _show(op: Any, value: Any) -> str:
    if op is _C.LITERAL:
        return chr(value)
    if op is _C.ANY:
        return "."
    parts = [(op, value)] if op is _C.NOT_LITERAL else value
    shown = ""
    for kind, what in parts:
        if kind is _C.NEGATE:
            shown += "^"
        elif kind is _C.RANGE:
            shown += f"{chr(what[0])}-{chr(what[1])}"
        elif kind is _C.NOT_LITERAL:
            shown += "^" + chr(what)
        else:
            shown += chr(what) if kind is _C.LITERAL else str(what)
    return f"[{shown}]"


def find_ambiguities(
    text: str | bytes, flags: int = 0, *, searched: bool = False, whole: bool = True
) -> list[Finding]:
    """
    Find what a matcher tries more than once in a pattern.

    Args:
        text: The pattern.

        flags: As `re.compile` takes them.

        searched: Whether it is tried at every character of a text.

        whole: Whether the whole text has to match, as for `re.fullmatch`.
    """
    tree = _parser.parse(text, flags)
    automaton = _Automaton(text, tree.state.flags & ~re.DEBUG)
    if searched:
        start = automaton.add(_ANY, "the search")
        automaton.connect(start.last, start.first)
        part = automaton.read(tree)
        automaton.connect(start.last, part.first)
    else:
        part = automaton.read(tree)
    return automaton.judge(part, whole=whole)
