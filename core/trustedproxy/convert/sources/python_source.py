"""
What Python source says, read and never run: assignments and calls.

In:  the text of one or more modules, the later ones after those that they import.
Out: `PythonSource`: names to values, calls to their arguments.

A value that stands there is evaluated: literals, names that are assigned once, sums of
numbers and lists.  Everything else is `Computed`, and nobody guesses.
"""

from __future__ import annotations

import ast
import warnings
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from ...exceptions import ConfigurationError, nearest
from .given import Computed, Given, place, refuse_near, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

#: A test of an ``if``, and whether it has to hold.
Condition: TypeAlias = tuple[ast.expr, bool]

#: What calls its first argument with the others: ``app.add_middleware(Class, a=1)``.
_WRAPPERS = ("add_middleware", "Middleware", "partial")

#: Parameters that say for what something is done, and not how.
_WHAT_IT_IS_ABOUT = ("app", "request")

# No number in a configuration is longer than that, and products grow quickly.
_LARGEST = 10**18


@dataclass(frozen=True, slots=True)
class Assignment:
    """A name at the top of a module or a class, with what it depends on."""

    name: str
    value: ast.expr
    where: str
    conditions: tuple[Condition, ...] = ()
    inside: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A call, its function by its full name as far as imports show it."""

    function: str
    node: ast.Call
    where: str
    wrapped: bool = False

    @property
    def name(self) -> str:
        """The last part of the function's name."""
        return self.function.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class StarImport:
    """``from .base import *``: a module whose names are here too."""

    level: int
    module: str
    where: str


@dataclass(slots=True)
class PythonModule:
    """One module's statements, in order."""

    assignments: list[Assignment] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    stars: list[StarImport] = field(default_factory=list)
    #: Local name → full name of what was imported.
    imports: dict[str, str] = field(default_factory=dict)


class NotLiteralError(Exception):
    """A value cannot be known without running the program."""


def parse_python(text: str, name: str = "") -> PythonModule:
    """
    Read the source of one module.

    Args:
        text: The source.

        name: The file's name, for errors; or "".

    Raises:
        ConfigurationError: It is no Python; the line is named.
    """
    module = PythonModule()
    try:
        with warnings.catch_warnings():
            # An odd escape in somebody's text is not the business of this command.
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
        _read_imports(tree, module)
        _read_block(tree.body, module, name, (), "")
        module.calls.extend(_read_calls(tree, module, name))
    except SyntaxError as error:
        raise ConfigurationError(
            place(name, error.lineno or 1),
            shown(error.text or ""),
            f"Python source: {error.msg}",
        ) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise ConfigurationError(
            place(name, 1), type(error).__name__, "Python source that can be read"
        ) from error
    return module


def _read_imports(tree: ast.Module, module: PythonModule) -> None:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                module.imports[alias.asname or top] = (
                    alias.name if alias.asname else top
                )
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                module.imports[alias.asname or alias.name] = full


def _read_block(
    body: Sequence[ast.stmt],
    module: PythonModule,
    name: str,
    conditions: tuple[Condition, ...],
    inside: str,
) -> None:
    """Read the assignments of one block, and of those in it but for functions."""
    for node in body:
        where = place(name, node.lineno)
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            module.stars.append(StarImport(node.level, node.module or "", where))
        elif isinstance(node, ast.If):
            holds = (*conditions, (node.test, True))
            _read_block(node.body, module, name, holds, inside)
            fails = (*conditions, (node.test, False))
            _read_block(node.orelse, module, name, fails, inside)
        elif isinstance(node, ast.ClassDef):
            _read_block(node.body, module, name, conditions, f"class {node.name}")
        elif isinstance(node, (ast.Try, ast.With)):
            for part in _parts(node):
                _read_block(part, module, name, conditions, inside)
        else:
            module.assignments.extend(
                Assignment(target, value, where, conditions, inside)
                for target, value in _read_targets(node)
            )


def _parts(node: ast.Try | ast.With) -> list[list[ast.stmt]]:
    if isinstance(node, ast.With):
        return [node.body]
    handlers = [handler.body for handler in node.handlers]
    return [node.body, *handlers, node.orelse, node.finalbody]


def _read_targets(node: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    """Say which names a statement assigns, and what."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Name):
                yield target.id, node.value
    elif isinstance(node, ast.AnnAssign):
        if isinstance(node.target, ast.Name) and node.value is not None:
            yield node.target.id, node.value
    elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        name = ast.Name(node.target.id, ast.Load())
        yield node.target.id, ast.BinOp(name, node.op, node.value)


def _read_calls(tree: ast.Module, module: PythonModule, name: str) -> Iterator[Call]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        where = place(name, node.lineno)
        found = Call(_full_name(node.func, module), node, where)
        yield found
        wrapper = found.name in _WRAPPERS
        if wrapper and node.args and (wrapped := _full_name(node.args[0], module)):
            yield Call(wrapped, node, where, wrapped=True)


def _full_name(node: ast.expr, module: PythonModule) -> str:
    """Write a dotted name out, its beginning as it was imported; or ""."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        # A method of something that has no name: only its own is known.
        return f"?.{parts[0]}" if parts else ""
    parts.append(module.imports.get(node.id, node.id))
    return ".".join(reversed(parts))


class PythonSource:
    """
    Modules as one, as Python sees them after all were imported.

    Args:
        modules: In the order of their import; a later assignment replaces an earlier.
    """

    def __init__(self, modules: Sequence[PythonModule]) -> None:
        self.calls: list[Call] = [call for each in modules for call in each.calls]
        self.stars: list[StarImport] = [s for each in modules for s in each.stars]
        self._assignments = [a for module in modules for a in module.assignments]
        counted = Counter(assignment.name for assignment in self._assignments)
        self._constants = {
            a.name: a.value
            for a in self._assignments
            if counted[a.name] == 1 and not a.conditions
        }

    def evaluate(self, node: ast.expr) -> object:
        """Evaluate an expression, as far as it can be known."""
        try:
            return self._evaluate(node, frozenset())
        except (NotLiteralError, RecursionError):
            return Computed(_unparse(node))

    def names(self) -> dict[str, Given]:
        """
        Give every name its last value.

        One that stands in a branch that is known not to run is left out, and one whose
        branch nobody knows says so in its condition.
        """
        found: dict[str, Given] = {}
        for assignment in self._assignments:
            condition = self._condition(assignment)
            if condition is not None:
                value = self.evaluate(assignment.value)
                found[assignment.name] = Given(
                    assignment.name, value, assignment.where, condition
                )
        return found

    def arguments(
        self,
        call: Call,
        parameters: Sequence[str],
        *,
        others: bool = False,
    ) -> dict[str, Given]:
        """
        Match a call's arguments with the *parameters* of its function.

        The application or the request that it is called for is left out.

        Args:
            call: A call that was found here.

            parameters: In their order; those that may be given by name alone, too.

            others: Whether arguments of other names are passed over.

        Raises:
            ConfigurationError: An argument has no parameter, or stands in ``**``.
        """
        positional = [] if call.wrapped else call.node.args
        if len(positional) > len(parameters) or any(
            isinstance(node, ast.Starred) for node in positional
        ):
            raise ConfigurationError(
                call.where, _unparse(call.node), "a call with its arguments"
            )
        found = {
            name: Given(name, self.evaluate(node), call.where)
            for name, node in zip(parameters, positional, strict=False)
            if name not in _WHAT_IT_IS_ABOUT
        }
        for keyword in call.node.keywords:
            name = keyword.arg
            if name is None:
                raise ConfigurationError(
                    call.where,
                    f"**{_unparse(keyword.value)}",
                    "known here: write the arguments out",
                )
            if name not in parameters:
                if not others:
                    raise ConfigurationError(
                        call.where,
                        name,
                        f"an argument of {call.name}, which are "
                        f"{', '.join(parameters)}" + nearest(name, parameters),
                    )
                refuse_near(name, call.where, tuple(parameters))
                continue
            if name not in _WHAT_IT_IS_ABOUT:
                found[name] = Given(name, self.evaluate(keyword.value), call.where)
        return found

    def _condition(self, assignment: Assignment) -> str | None:
        """Say on what an assignment depends; `None` if it is known not to happen."""
        texts = [assignment.inside] if assignment.inside else []
        for test, expected in assignment.conditions:
            value = self.evaluate(test)
            if isinstance(value, Computed):
                texts.append(f"if {value.text}" if expected else f"unless {value.text}")
            elif bool(value) is not expected:
                return None
        return ", ".join(texts)

    def _evaluate(self, node: ast.expr, seen: frozenset[str]) -> object:
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
            return [self._evaluate(element, seen) for element in node.elts]
        if isinstance(node, ast.Dict):
            return self._evaluate_dict(node, seen)
        if isinstance(node, ast.Name) and node.id not in seen:
            if node.id in self._constants:
                return self._evaluate(self._constants[node.id], seen | {node.id})
        elif isinstance(node, ast.UnaryOp):
            return _negate(node.op, self._evaluate(node.operand, seen))
        elif isinstance(node, ast.BinOp):
            left = self._evaluate(node.left, seen)
            return _combine(node.op, left, self._evaluate(node.right, seen))
        raise NotLiteralError

    def _evaluate_dict(self, node: ast.Dict, seen: frozenset[str]) -> object:
        pairs: dict[object, object] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            name = None if key is None else self._evaluate(key, seen)
            if not isinstance(name, str):
                raise NotLiteralError
            pairs[name] = self._evaluate(value, seen)
        return pairs


def _unparse(node: ast.expr) -> str:
    try:
        return shown(ast.unparse(node))
    except RecursionError:
        return "…"


def _negate(operator: ast.unaryop, value: object) -> object:
    if isinstance(operator, ast.Not):
        return not value
    if isinstance(operator, ast.USub) and isinstance(value, int):
        return -value
    raise NotLiteralError


def _combine(operator: ast.operator, left: object, right: object) -> object:
    """Add or multiply what configurations add and multiply."""
    if isinstance(left, int) and isinstance(right, int):
        if isinstance(operator, ast.Mult) and abs(left * right) < _LARGEST:
            return left * right
        if isinstance(operator, ast.Add):
            return left + right
    if isinstance(operator, ast.Add):
        if isinstance(left, str) and isinstance(right, str):
            return left + right
        if isinstance(left, list) and isinstance(right, list):
            return [*left, *right]
    raise NotLiteralError


def find_arguments(
    source: PythonSource, functions: Mapping[str, Sequence[str]]
) -> list[tuple[Call, Sequence[str]]]:
    """
    Find the calls of some *functions*, with their parameters.

    Args:
        source: Where to look.

        functions:
            Name → parameters. A name with a dot has to be the full one, of a function
            or of what was imported; one without may come from anywhere.
    """
    found: list[tuple[Call, Sequence[str]]] = []
    for call in source.calls:
        for name, parameters in functions.items():
            if call.function == name or ("." not in name and call.name == name):
                found.append((call, parameters))
    return found
