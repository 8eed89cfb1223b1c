"""Strings as the original's runtime sees them: its white space, and lengths and cuts in UTF-16 units.

MACP v1.0, reference appendix A. Python's own ``strip`` and ``split`` take other characters for white space, and its
``len`` counts code points.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# ECMAScript's WhiteSpace and LineTerminator: with U+FEFF, without U+001C to U+001F and U+0085.
WHITE_SPACE = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
_RUNS = f"[{WHITE_SPACE}]+"  # compiled when it is first used: most that load this only trim
_DOTS = "..."


def trim(text: str) -> str:
    """``text`` without white space at its ends."""
    return text.strip(WHITE_SPACE)


def words(text: str) -> list[str]:
    """The parts of ``text`` between runs of white space; none is empty."""
    return [part for part in re.split(_RUNS, text) if part]


def distinct(texts: Iterable[str]) -> list[str]:
    """Each trimmed, empty ones and repetitions left out, in the order of their first occurrence."""
    return [text for text in dict.fromkeys(map(trim, texts)) if text]


def length(text: str) -> int:
    """How many UTF-16 units ``text`` has."""
    return len(text) if text.isascii() else len(text) + sum(char > "\uffff" for char in text)


def piece(text: str, start: int, end: int) -> str:
    """UTF-16 units from ``start`` to ``end``; where one would fall into a pair, the cut is made before the pair."""
    if text.isascii():
        return text[start:end]
    units = text.encode("utf-16-le", "surrogatepass")
    return units[2 * _before(units, start) : 2 * _before(units, end)].decode("utf-16-le", "replace")


def _before(units: bytes, place: int) -> int:
    if 0 < place < len(units) // 2 and units[2 * place + 1] & 0xFC == 0xDC and units[2 * place - 1] & 0xFC == 0xD8:
        return place - 1
    return place


def preview(text: str, most: int) -> str:
    """``text``, or its beginning and three dots when it is longer than ``most`` units."""
    return text if length(text) <= most else piece(text, 0, most - len(_DOTS)) + _DOTS


def snippet(text: str, word: str) -> str:
    """``text`` around the first occurrence of a lower-case ``word``; its beginning when the word is not in it.

    60 units before it and 140 from it on, with dots on both ends when either was cut (reference section 4.10).
    """
    lower = text.lower()
    found = lower.find(word)
    if found < 0:
        return preview(text, 200)
    at, size = length(lower[:found]), length(text)
    start, end = max(0, at - 60), min(size, at + 140)
    inner = trim(piece(text, start, end))
    return f"{_DOTS}{inner}{_DOTS}" if start > 0 or end < size else inner
