"""SQL texts: the ``-- name:`` blocks of each room's ``queries.sql``, with the dialect's fragments filled in."""

from __future__ import annotations

import os
from collections.abc import Iterator

_ROOMS = os.path.join(os.path.dirname(os.path.dirname(__file__)), "rooms")


class Statements(dict[str, str]):
    """SQL by name (``room.statement``); a room's file is read when one of its statements is first asked for."""

    def __init__(self, fragments: dict[str, str]) -> None:
        super().__init__()
        self._fragments = fragments

    def __missing__(self, name: str) -> str:
        room = name.partition(".")[0]
        with open(os.path.join(_ROOMS, room, "queries.sql"), encoding="utf-8") as file:
            self.update(parse(room, file.read(), self._fragments))
        if name not in self:
            raise LookupError(f"no statement {name!r}")
        return self[name]


def _expanded(statements: dict[str, list[str]]) -> Iterator[tuple[str, list[str]]]:
    """A statement called ``x_{a,b}`` as two, ``x_a`` and ``x_b``, each with its own word for ``{it}``."""
    for name, body in statements.items():
        start, brace, rest = name.partition("{")
        for it in rest.removesuffix("}").split(",") if brace else ("",):
            yield start + it, [line.replace("{it}", it) for line in body] if brace else body


def parse(room: str, text: str, fragments: dict[str, str]) -> dict[str, str]:
    """The blocks of one file: everything between a ``-- name: x`` line and the next, comments left out."""
    statements: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("-- name: "):
            lines = statements.setdefault(f"{room}.{line[9:].strip()}", [])
        elif line.strip() and not line.startswith("--"):
            lines.append(line)
    result = {}
    for name, body in _expanded(statements):
        sql = "\n".join(body)
        for fragment, value in fragments.items():
            sql = sql.replace("{" + fragment + "}", value)
        result[name] = sql
    return result
