"""Bounds of arguments, written in an operation's signature as ``Annotated[str, Text(min=1, max=200)]``.

They are plain data here; ``kernel.schema`` turns them into validators and JSON Schema when an outside caller
first needs them.
"""

from __future__ import annotations

from typing import NamedTuple


class Text(NamedTuple):
    """A string of ``min`` to ``max`` characters; ``pattern`` is a regular expression it must match."""

    doc: str = ""
    min: int = 0
    max: int | None = None
    pattern: str | None = None


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
