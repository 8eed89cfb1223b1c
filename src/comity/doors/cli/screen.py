"""How answers look: JSON for programs, well-set text and tables for people.

Rich is loaded by the first table or coloured line, never for JSON. Markup is off: text is shown as it is, after
``clean``. Tables that do not fit become records, one ``name: value`` a line.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TextIO

from comity.doors.cli import clean
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.record import to_json
from comity.kernel.text import whole
from comity.rooms.channels.model import PRIORITIES

Styled = tuple[str, str]  # text and a style of rich
Part = str | Styled

PRIORITY_STYLES = {3: "bold white on red", 2: "bold yellow", 1: "cyan", 0: "dim"}
STATUS_STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red"}

_GAP = 2
_FLEXIBLE_LEAST = 12


class Column(NamedTuple):
    """A column of a table; a flexible one is wrapped when room is short."""

    title: str
    flexible: bool = False
    right: bool = False


def write_json(value: Any, *, indent: int | None = 2, stream: TextIO | None = None) -> None:
    """One JSON document; records in it as dicts."""
    out = stream or sys.stdout
    ascii_only = (out.encoding or "").lower().replace("-", "") != "utf8"
    text = json.dumps(to_json(value), ensure_ascii=ascii_only, indent=indent, default=str)
    out.write(clean.json_text(text) + "\n")
    out.flush()


def priority(level: object) -> Styled:
    """A priority's name, styled; anything unknown as it is."""
    if isinstance(level, int) and level in PRIORITY_STYLES:
        return PRIORITIES[level], PRIORITY_STYLES[level]
    return clean.line(level), ""


def moment(timestamp: object) -> datetime | None:
    """A wire timestamp as a time; None when it is malformed."""
    try:
        found = datetime.fromisoformat(str(timestamp))
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def clock(timestamp: object) -> str:
    """A wire timestamp as local time of day, with the date when it is not today's."""
    found = moment(timestamp)
    if found is None:
        return clean.line(timestamp)
    local = found.astimezone()
    today = datetime.now(tz=local.tzinfo).date()
    return f"{local:%H:%M:%S}" if local.date() == today else f"{local:%Y-%m-%d %H:%M}"


def size(count_bytes: float) -> str:
    """Bytes for people."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count_bytes < 1024:
            return f"{count_bytes:.0f} {unit}" if unit == "B" else f"{count_bytes:.1f} {unit}"
        count_bytes /= 1024
    return f"{count_bytes:.1f} TiB"


def count(number: int, noun: str) -> str:
    """``1 agent``, ``2 agents``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


class Screen:
    """Standard output (or another stream) for people. Nothing ends in blanks, nothing is wider than the screen."""

    def __init__(self, stream: TextIO | None = None) -> None:
        from rich.console import Console

        self._console = Console(
            file=stream or sys.stdout, markup=False, emoji=False, highlight=False, soft_wrap=True, width=_width()
        )

    @property
    def width(self) -> int:
        """Columns."""
        return self._console.width

    def say(self, *parts: Part, indent: int = 0) -> None:
        """A paragraph, wrapped between words and indented; parts are cleaned, their lines kept."""
        from rich.text import Text

        text = Text()
        for part in parts:
            words, style = (part, "") if isinstance(part, str) else part
            text.append(clean.block(words), style=style)
        self._grid([[Text(), text]], [indent, self.width - indent], gap=0)

    def exact(self, part: Styled) -> None:
        """One line that means nothing when it is wrapped, such as one of a diff; wider than the screen if need be."""
        self._console.print(_text((clean.line(part[0]), part[1])), soft_wrap=True)

    def item(self, name: str, words: str, width: int) -> None:
        """One line of a list: a name and, from column ``width`` on, what it means."""
        self._grid([[_text((name, "cyan")), _text((words, ""))]], [width, self.width - width], gap=0)

    def table(self, columns: Sequence[Column], rows: Iterable[Sequence[Part]]) -> None:
        """Rows under titles; as records where the screen is too narrow for that. Columns without content are left out.

        Text of a cell becomes one line; flexible columns are wrapped, the widest first.
        """
        cells = [[_cell(part) for part in row] for row in rows]
        used = [index for index in range(len(columns)) if any(row[index][0] for row in cells)]
        columns = [columns[index] for index in used]
        cells = [[row[index] for index in used] for row in cells]
        widths = self._widths(columns, cells)
        if widths is None:
            for number, row in enumerate(cells):
                if number:
                    self.say("")
                self.fields((column.title, cell) for column, cell in zip(columns, row, strict=True) if cell[0])
        elif cells:
            title = [_text((column.title, "bold")) for column in columns]
            rights = [column.right for column in columns]
            self._grid([title, *([_text(cell) for cell in row] for row in cells)], widths, rights)

    def fields(self, pairs: Iterable[tuple[str, Part]]) -> None:
        """Names and values below each other."""
        listed = [(name, _cell(value)) for name, value in pairs]
        width = max((len(name) for name, _ in listed), default=0)
        rows = [[_text((name, "bold")), _text(value)] for name, value in listed]
        self._grid(rows, [width, self.width - width - _GAP])

    def _widths(self, columns: Sequence[Column], cells: list[list[Styled]]) -> list[int] | None:
        """How wide each column is to be; None when there is no room."""
        from rich.cells import cell_len

        widths = [
            max(cell_len(text) for text in (column.title, *(row[index][0] for row in cells)))
            for index, column in enumerate(columns)
        ]
        least = [
            min(width, max(_FLEXIBLE_LEAST, len(column.title))) if column.flexible else width
            for column, width in zip(columns, widths, strict=True)
        ]
        room = self.width - _GAP * (len(columns) - 1)
        if sum(least) > room:
            return None
        while sum(widths) > room:
            widest = max(range(len(widths)), key=lambda index: widths[index] - least[index])
            widths[widest] -= min(sum(widths) - room, max(1, (widths[widest] - least[widest]) // 2))
        return widths

    def _grid(
        self, rows: Iterable[Sequence[Any]], widths: Sequence[int], rights: Sequence[bool] = (), gap: int = _GAP
    ) -> None:
        """Rows of rich texts, each wrapped in its column."""
        from rich.text import Text

        last = len(widths) - 1
        for row in rows:
            columns = [
                cell.wrap(self._console, max(1, width), overflow="fold") if cell else [Text()]
                for cell, width in zip(row, widths, strict=True)
            ]
            for number in range(max(map(len, columns))):
                line = Text()
                for index, lines in enumerate(columns):
                    piece = lines[number] if number < len(lines) else Text()
                    piece.rstrip()
                    if rights and rights[index]:
                        piece.pad_left(max(0, widths[index] - piece.cell_len))
                    if index < last:
                        piece.pad_right(max(0, widths[index] - piece.cell_len) + gap)
                    line.append_text(piece)
                line.rstrip()
                self._console.print(line)


def _width() -> int | None:
    """The width that the environment names; None lets rich ask the terminal."""
    named = whole(os.environ.get("COLUMNS", ""), 5)
    return None if named is None else max(20, named)


def _cell(part: Part) -> Styled:
    text, style = (part, "") if isinstance(part, str) else part
    return clean.line(text), style


def _text(cell: Styled) -> Any:
    from rich.text import Text

    return Text(cell[0], style=cell[1])
