"""Bounds of arguments, written in an operation's signature as ``Annotated[str, Text(min=1, max=200)]``.

They are plain data here; ``kernel.validate`` makes checkers of them, ``kernel.schema`` JSON Schema.
"""

from __future__ import annotations

from comity.kernel.named_tuple import NamedTuple


class Note(NamedTuple):
    """No bound, only what the argument means."""

    doc: str


class Text(NamedTuple):
    """A string of ``min`` to ``max`` characters. A ``secret`` one is kept and logged nowhere, nor is a digest of it."""

    doc: str = ""
    min: int = 0
    max: int | None = None
    secret: bool = False


class Number(NamedTuple):
    """A number from ``ge`` to ``le``, both included."""

    doc: str = ""
    ge: float | None = None
    le: float | None = None


class Items(NamedTuple):
    """A list of ``min`` to ``max`` items."""

    doc: str = ""
    min: int = 0
    max: int | None = None
