"""Signs of trouble that cost nothing and that git would not call a conflict."""

from __future__ import annotations

import re
from collections.abc import Sequence

_NUMBERED = re.compile(r"(?P<number>\d{3,14})(?=[._-])")
MOST = 20


def numbers_twice(one: Sequence[str], other: Sequence[str]) -> list[str]:
    """New files of both sides that have one number in one folder but not one name: migrations, mostly."""
    mine = _numbers(one)
    told = []
    for key, path in _numbers(other).items():
        if key in mine and mine[key] != path:
            told.append(f"the number {key[1]} is given twice: {mine[key]} and {path}")
    return told[:MOST]


def _numbers(paths: Sequence[str]) -> dict[tuple[str, str], str]:
    found = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        match = _NUMBERED.match(name)
        if match:
            found[folder, match["number"].lstrip("0") or "0"] = path
    return found
