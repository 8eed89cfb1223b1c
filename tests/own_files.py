"""The project's own files, parsed once: what the house rules look at."""

import ast
import gc
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PYTHON_ROOTS = ("src", "tests", "tools", "bench", "examples")


class Source(NamedTuple):
    """One Python file of the project."""

    name: str
    lines: int
    nodes: tuple[ast.AST, ...]

    def at(self, node: ast.AST) -> str:
        return f"{self.name}:{getattr(node, 'lineno', 1)}"


@cache
def project_files() -> tuple[str, ...]:
    """Every file that is, or is about to be, in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return tuple(name for name in sorted(set(listed.split("\0"))) if name and (ROOT / name).is_file())


@cache
def sources() -> tuple[Source, ...]:
    found = []
    gc.disable()  # a million nodes that stay: looking through them again and again takes most of the time
    for name in project_files():
        if name.endswith(".py") and name.split("/")[0] in PYTHON_ROOTS:
            text = (ROOT / name).read_text(encoding="utf-8")
            found.append(Source(name, len(text.splitlines()), tuple(ast.walk(ast.parse(text, name)))))
    gc.freeze()
    gc.enable()
    return tuple(found)


def under(*roots: str) -> Iterator[Source]:
    return (source for source in sources() if source.name.startswith(tuple(f"{root}/" for root in roots)))
