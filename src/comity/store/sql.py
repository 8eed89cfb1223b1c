"""SQL texts: the ``-- name:`` blocks of each room's ``queries.sql``, with the dialect's fragments filled in."""

from __future__ import annotations

import os

_ROOMS = os.path.join(os.path.dirname(os.path.dirname(__file__)), "rooms")


class Statements(dict[str, str]):
    """SQL by name (``room.statement``); a room's file is read when one of its statements is first
    asked for, and a statement filled in when it is asked for itself.
    """

    def __init__(self, fragments: dict[str, str]) -> None:
        super().__init__()
        self._fragments = fragments
        self._rooms: dict[str, dict[str, Block]] = {}

    def __missing__(self, name: str) -> str:
        room = name.partition(".")[0]
        if room not in self._rooms:
            with open(os.path.join(_ROOMS, room, "queries.sql"), encoding="utf-8") as file:
                self._rooms[room] = blocks(room, file.read())
        if name not in self._rooms[room]:
            raise LookupError(f"no statement {name!r}")
        sql = self[name] = filled(*self._rooms[room][name], self._fragments)
        return sql


Block = tuple[str, str]  # the text under a name, and the word for ``{it}`` in it


def blocks(room: str, text: str) -> dict[str, Block]:
    """The blocks of one file: everything between a ``-- name: x`` line and the next.

    One called ``x_{a,b}`` counts as two, ``x_a`` and ``x_b``, each with its own word for ``{it}``.
    """
    found = {}
    for block in f"\n{text}".split("\n-- name: ")[1:]:
        name, _, body = block.partition("\n")
        start, _, rest = name.strip().partition("{")
        for it in rest.removesuffix("}").split(","):
            found[f"{room}.{start}{it}"] = (body, it)
    return found


def filled(body: str, it: str, fragments: dict[str, str]) -> str:
    """A block as SQL: comments left out, the fragments filled in."""
    lines = [line for line in body.splitlines() if line.strip() and not line.startswith("--")]
    sql = "\n".join(lines)
    if it:
        sql = sql.replace("{it}", it)
    for fragment, value in fragments.items():
        sql = sql.replace("{" + fragment + "}", value)
    return sql
