"""
Find every regular expression in the source of a package, without importing it.

In:  the folder of a package.
Out: `Pattern` records: where each is written, its text, and how it is used.

A pattern's text is an expression of literals and of constants, those of other modules
among them; it is evaluated as such.  What is made of arguments has no text here, and
`find_patterns` gives it as ``None``.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

#: Methods that try a pattern at one place only, and those that try it at every one.
ANCHORED = frozenset({"match", "fullmatch"})
SEARCHING = frozenset({"search", "sub", "subn", "split", "findall", "finditer"})
METHODS = ANCHORED | SEARCHING


@dataclass(frozen=True, slots=True)
class Pattern:
    """
    One regular expression.

    Attributes:
        where: Module and name, or module and function: ``hsts._PART``.

        text: What it says; ``None`` where it is made of arguments.

        flags: As `re.compile` takes them.

        methods: The methods by which it is used, as ``search``.
    """

    where: str
    text: str | bytes | None
    flags: int
    methods: frozenset[str]


class _Names(Mapping[str, Any]):
    """The constants of a module, each evaluated when it is asked for."""

    def __init__(self, package: Package, module: str) -> None:
        self._package = package
        self._module = module

    def __getitem__(self, name: str) -> Any:
        if name == "re":
            return re
        if hasattr(builtins, name):
            return getattr(builtins, name)
        module, _, node = self._package.find_constant(self._module, name)
        return self._package.evaluate(module, node)

    def __iter__(self) -> Iterator[str]:
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError


class Package:
    """The source of the package in *folder*."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.modules = {
            self._name(path): ast.parse(path.read_text(encoding="utf-8"))
            for path in sorted(folder.rglob("*.py"))
        }

    def _name(self, path: Path) -> str:
        parts = path.relative_to(self.folder).with_suffix("").parts
        return ".".join((self.folder.name, *parts)).removesuffix(".__init__")

    def find_constant(self, module: str, name: str) -> tuple[str, str, ast.expr]:
        """Find where a constant is made, its name there, and its expression."""
        for node in self.modules[module].body if module in self.modules else ():
            if isinstance(node, ast.Assign) and name in map(ast.unparse, node.targets):
                return module, name, node.value
            if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == name:
                assert node.value is not None
                return module, name, node.value
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if name == (alias.asname or alias.name):
                        origin = self._resolve(module, node)
                        return self.find_constant(origin, alias.name)
        raise NameError(name)

    def _resolve(self, module: str, node: ast.ImportFrom) -> str:
        """Name the module that is imported from."""
        if not node.level:
            return node.module or ""
        # A package's own module counts as a level.
        is_package = any(other.startswith(module + ".") for other in self.modules)
        parts = module.split(".")
        parts = parts[: len(parts) - node.level + is_package]
        return ".".join((*parts, node.module)) if node.module else ".".join(parts)

    def evaluate(self, module: str, node: ast.expr) -> Any:
        """Evaluate an expression of constants; `NameError` where it has others."""
        code = compile(ast.Expression(node), module, "eval")
        return eval(code, {"__builtins__": {}}, _Names(self, module))

    @cached_property
    def uses(self) -> dict[tuple[str, str], set[str]]:
        """Module and name of a compiled pattern → the methods that are called of it."""
        found: dict[tuple[str, str], set[str]] = {}
        for module, tree in self.modules.items():
            for node in ast.walk(tree):
                if isinstance(node, ast.Attribute) and node.attr in METHODS:
                    where = self._find_use(module, ast.unparse(node.value))
                    found.setdefault(where, set()).add(node.attr)
        return found

    def _find_use(self, module: str, name: str) -> tuple[str, str]:
        """Say which pattern *name* is in *module*: no module for `grammar.PORT`."""
        try:
            where, name, _ = self.find_constant(module, name)
        except NameError:
            return "", name.rpartition(".")[2]
        return where, name

    def _list_methods(self, module: str, name: str) -> frozenset[str]:
        return frozenset(
            self.uses.get((module, name), set()) | self.uses.get(("", name), set())
        )

    def find_patterns(self) -> list[Pattern]:
        """Find the regular expressions of all modules, in their order."""
        return [pattern for module in self.modules for pattern in self._find_in(module)]

    def _find_in(self, module: str) -> Iterator[Pattern]:
        for place, call in _find_calls(self.modules[module], ""):
            assert isinstance(call.func, ast.Attribute)
            method = call.func.attr
            if method == "compile":
                methods = self._list_methods(module, place)
                flags = call.args[1:2]
            else:
                # `re.match(pattern, text, flags)`; for `sub` they come later.
                methods = frozenset({method})
                flags = call.args[4 if method in ("sub", "subn") else 2 :][:1]
            flags += [word.value for word in call.keywords if word.arg == "flags"]
            try:
                text = self.evaluate(module, call.args[0])
            except NameError:
                text = None
            yield Pattern(
                f"{module.partition('.')[2]}.{place}",
                text,
                int(self.evaluate(module, flags[0])) if flags else 0,
                methods,
            )


def _find_calls(node: ast.AST, place: str) -> Iterator[tuple[str, ast.Call]]:
    """Find the calls of `re`, each with the name that it is given or its function."""
    for child in ast.iter_child_nodes(node):
        inner = place
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = child.name
        elif isinstance(child, ast.Assign) and not place:
            inner = ast.unparse(child.targets[0])
        elif isinstance(child, ast.AnnAssign) and not place:
            inner = ast.unparse(child.target)
        if (
            isinstance(child, ast.Call)
            and isinstance(child.func, ast.Attribute)
            and ast.unparse(child.func.value) == "re"
            and child.func.attr in METHODS | {"compile"}
        ):
            yield inner, child
        yield from _find_calls(child, inner)
