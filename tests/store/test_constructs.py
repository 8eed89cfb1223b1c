"""What only SQLite understands stands in the store and in SQL files, so that another store can take its place."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCES = Path(__file__).resolve().parents[2] / "src" / "comity"

# What a text in Python outside of the store may not hold: its name, how it is found, and where it belongs.
CONSTRUCTS = {
    "pragma": (r"\bPRAGMA\b|\bpragma_\w+", "opening is the store's, looking is `store/inspection.py`'s"),
    "catalog": (r"\bsqlite_(master|schema|sequence|version|stat\d)\b", "`store/inspection.py` says what there is"),
    "rowid": (r"\b(_rowid_|rowid)\b", "a statement in queries.sql"),
    "json": (
        r"\bjson_(array|each|extract|group|insert|object|patch|quote|remove|set|tree|type|valid)\w*\(",
        "queries.sql",
    ),
    "conflict": (r"\b(INSERT|UPDATE|REPLACE)\s+(OR\s+\w+|INTO\b.*\bON CONFLICT)", "a statement in queries.sql"),
    "words": (r"\bINDEXED BY\b|\bGLOB\b|\bWITHOUT ROWID\b|\bAUTOINCREMENT\b|\bfts5\b", "a statement in queries.sql"),
    "clock": (r"\b(strftime|julianday|unixepoch)\s*\(", "the scope's `now`, or a fragment in queries.sql"),
    "upkeep": (r"\bBEGIN (IMMEDIATE|EXCLUSIVE|DEFERRED)\b|\bVACUUM\b|wal_checkpoint|quick_check\(", "the store"),
    "opening": (r"SQLite format 3|^:memory:$|\?(immutable|mode|vfs)=", "the store"),
    "sql": (
        r"(?s)\bSELECT\s.*\sFROM\s|\bINSERT INTO\b|\bDELETE FROM\b|\bUPDATE\s+\w+\s+SET\b|\bCREATE (TABLE|INDEX)\b",
        "a statement in the room's queries.sql, asked for by name",
    ),
    "beside": (r"-(wal|shm|journal)$", "the store"),
}

# Where one stands all the same, and why.
_APART = "the account of the demo must not go through what it checks: it reads the file as a direct user does"
MEANT = {
    ("demo/ledger.py", "pragma"): _APART,
    ("demo/ledger.py", "rowid"): _APART,
    ("demo/ledger.py", "sql"): _APART,
    ("hosts/ignore.py", "beside"): "files that git is told to leave alone",
    ("opening.py", "beside"): "files that git must not track",
    ("doors/cli/folder_checks.py", "beside"): "files that are no strangers in the project's folder",
    ("rooms/edits/workspace_files.py", "beside"): "files that no agent's command may take away",
}


def texts(tree: ast.Module) -> Iterator[ast.Constant]:
    """Every text in a module but docstrings."""
    told = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node


def found(source: str) -> set[tuple[str, int]]:
    """Names of the constructs in a module's texts, each with its line."""
    return {
        (name, text.lineno)
        for text in texts(ast.parse(source))
        for name, (pattern, _) in CONSTRUCTS.items()
        if re.search(pattern, str(text.value))
    }


def test_no_construct_of_sqlite_stands_outside_of_the_store() -> None:
    stands, wrong = set(), []
    for path in sorted(SOURCES.rglob("*.py")):
        name = path.relative_to(SOURCES).as_posix()
        if name.startswith("store/"):
            continue
        for construct, line in sorted(found(path.read_text(encoding="utf-8"))):
            stands.add((name, construct))
            if (name, construct) not in MEANT:
                wrong.append(f"src/comity/{name}:{line}: {construct}, which belongs here: {CONSTRUCTS[construct][1]}")
    assert wrong == []
    assert MEANT.keys() - stands == set(), "no longer there: take the exception out"


@pytest.mark.parametrize(
    ("text", "construct"),
    [
        ("SELECT 1 FROM json_each(:ids)", "json"),
        ("INSERT OR IGNORE INTO agents VALUES (?)", "conflict"),
        ("PRAGMA user_version", "pragma"),
        ("SELECT name FROM sqlite_master", "catalog"),
        ("ORDER BY rowid DESC", "rowid"),
        ("BEGIN IMMEDIATE", "upkeep"),
        ("UPDATE agents SET name = ''", "sql"),
        ("file:a.db?immutable=1", "opening"),
    ],
)
def test_the_check_finds(text: str, construct: str) -> None:
    assert construct in {name for name, _ in found(f"def f(x):\n    '''{text}'''\n    return x({text!r})")}
    assert found(f"'''{text}'''") == set(), "a docstring may speak of it"
