"""
Write the tables of modules in the documentation's page on the architecture anew.

In:  the layers of ``pyproject.toml``, and what each module says it is for.
Out: ``docs/architecture.md``, its made parts filled anew, its prose as it was.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "architecture.md"
CORE = ROOT / "core" / "trustedproxy"
CONTRACT = "Imports in the core point one way"

_PART = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- end -->\n)", re.DOTALL)


def main() -> int:
    """Write the page."""
    PAGE.write_text(render(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


def render(page: str) -> str:
    """Fill the parts of *page* that are made."""
    parts = {
        "layers": make_layers(),
        "django": make_table(ROOT / "django_trustedproxy"),
        "flask": make_table(ROOT / "flask_trustedproxy"),
    }
    return _PART.sub(lambda mark: f"{mark[1]}\n{parts[mark[2]]}\n{mark[3]}", page)


def read_layers() -> list[list[str]]:
    """Read the layers of the core from the top down: the modules of each."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    [layers] = [one["layers"] for one in contracts if one["name"] == CONTRACT]
    return [re.split(r"\s*[|:]\s*", layer.strip()) for layer in layers]


def make_layers() -> str:
    """Make the table of the core, the leaves first; a layer is a number."""
    layers = reversed(read_layers())
    return _join(
        "| layer | module | what it is for |",
        [
            f"| {number} | `{name}` | {read_purpose(CORE / name)} |"
            for number, names in enumerate(layers, 1)
            for name in names
        ],
    )


def make_table(folder: Path) -> str:
    """Make the table of the modules in *folder*."""
    names = sorted(path.stem for path in folder.glob("*.py"))
    return _join(
        "| module | what it is for |",
        [
            f"| `{name}` | {read_purpose(folder / name)} |"
            for name in names
            if name != "__init__"
        ],
    )


def _join(head: str, rows: list[str]) -> str:
    line = "|" + "---|" * (head.count("|") - 1)
    return "\n".join([head, line, *rows, ""])


def read_purpose(module: Path) -> str:
    """Read the first sentence of a module's docstring, or of a package's."""
    path = module / "__init__.py" if module.is_dir() else module.with_suffix(".py")
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    if docstring is None:
        raise ValueError(f"{path} does not say what it is for")
    sentence = docstring.partition("\n")[0].removesuffix("::")
    if not sentence.endswith((".", "?")):
        sentence += "."
    linked = re.sub(r"\bR(\d+)\b", r"[R\1](rules.md#r\1)", sentence)
    return linked.replace("``", "`")


if __name__ == "__main__":
    sys.exit(main())
