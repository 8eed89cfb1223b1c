"""Braces of a shell: ``a{b,c}d`` and ``{1..3}``, before anything else is expanded. Pure."""

from __future__ import annotations

import re

from comity.shell.state import ANY
from comity.shell.syntax import Part, Raw

_MOST = 2000  # words; more of them are not known
_FIRST = 0xF0000  # a part that is no plain text stands as one sign in between
_RANGE = r"(-?\d+|[A-Za-z])\.\.(-?\d+|[A-Za-z])(?:\.\.(-?\d+))?"


def braced(raw: Raw) -> list[Raw]:
    """The written words that one becomes."""
    if not any(part.kind == "text" and not part.quoted and "{" in part.text for part in raw):
        return [raw]
    written = "".join(
        part.text if part.kind == "text" and not part.quoted else chr(_FIRST + place) for place, part in enumerate(raw)
    )
    texts = _alternatives(written)
    found = [_parts(text, raw) for text in texts[:_MOST]]
    return found if len(texts) <= _MOST else [*found, (Part("text", ANY, quoted=True),)]


def _parts(text: str, raw: Raw) -> Raw:
    found: list[Part] = []
    plain = ""
    for char in text:
        if ord(char) < _FIRST or ord(char) - _FIRST >= len(raw):
            plain += char
            continue
        found += [Part("text", plain)] if plain else []
        plain = ""
        found.append(raw[ord(char) - _FIRST])
    return (*found, Part("text", plain)) if plain else tuple(found)


def _alternatives(text: str) -> list[str]:
    """All texts that the first pair of braces stands for, those behind it and in it too."""
    start = text.find("{")
    while start >= 0:
        pieces, end = _pieces(text, start)
        if pieces:
            before = text[:start]
            behind = _alternatives(text[end:])
            inner = [one for piece in pieces for one in _alternatives(piece)]
            return [before + one + rest for one in inner for rest in behind[: _MOST + 1]][: _MOST + 1]
        start = text.find("{", start + 1)
    return [text]


def _pieces(text: str, start: int) -> tuple[list[str], int]:
    """What stands between the braces at ``start``, parted at commas, and where it ends; none where it is no list."""
    depth, begin, pieces = 0, start + 1, []
    for at in range(start, len(text)):
        char = text[at]
        if char == "{":
            depth += 1
        elif char == "," and depth == 1:
            pieces.append(text[begin:at])
            begin = at + 1
        elif char == "}":
            depth -= 1
            if depth == 0:
                inner = text[start + 1 : at]
                return [*pieces, text[begin:at]] if pieces else _range(inner), at + 1
    return [], start


def _range(inner: str) -> list[str]:
    found = re.fullmatch(_RANGE, inner)
    if found is None or found[1].lstrip("-").isdigit() != found[2].lstrip("-").isdigit():
        return []
    number = found[1].lstrip("-").isdigit()
    first, last = (int(found[1]), int(found[2])) if number else (ord(found[1]), ord(found[2]))
    step = (abs(int(found[3])) if found[3] else 1) or 1
    places = range(first, last + 1, step) if first <= last else range(first, last - 1, -step)
    if not number:
        return [chr(place) for place in places[: _MOST + 1]]
    padded = any(re.fullmatch(r"-?0\d+", one) for one in found.groups()[:2])
    width = max(len(found[1]), len(found[2])) if padded else 0
    return [f"{place:0{width}d}" for place in places[: _MOST + 1]]
