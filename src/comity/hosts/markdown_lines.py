"""Lines of a Markdown file that are no code: what a model reads as words, and where a marker may stand.

Fences may stand in lists and quotations and end with them, as CommonMark has it; code by indentation counts as code
where no list is open.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from comity.kernel.named_tuple import NamedTuple

_FENCE = re.compile(r"(`{3,})[^`]*$|(~{3,})")
_CONTAINER = re.compile(r" {0,3}(?:>[ \t]?|(?:[-*+]|\d{1,9}[.)])(?:[ \t]{1,4}|$))")
_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_INDENT_CODE = 4


class ProseLine(NamedTuple):
    """A line outside code: where it starts in the text, its number from 1, and its text without the line end."""

    start: int
    number: int
    text: str


class _Fence(NamedTuple):
    sign: str
    length: int
    indent: int  # of what holds it; a line with less ends the holder, and the fence with it
    quoted: bool
    number: int


class Reading(NamedTuple):
    """The lines outside code, and the number of a line that opens a fence which nothing closes (0: there is none)."""

    lines: tuple[ProseLine, ...]
    open_fence: int


def read(text: str) -> Reading:
    """The lines of ``text`` that are outside of code."""
    found: list[ProseLine] = []
    fence: _Fence | None = None
    listed = comment = False
    loose = True  # the next line may begin code by its indentation: nothing but blank lines or code is before it
    for line in _lines(text):
        plain = line.text.expandtabs(4)
        if fence is not None:
            if not _ends_holder(fence, plain):
                fence = None if _closes(fence, plain) else fence
                continue
            fence = None
        if comment or (plain.lstrip(" ").startswith("<!--") and "-->" not in plain):
            comment, loose = "-->" not in plain, False
            found.append(line)
            continue
        inner, indent, quoted, item = _inside(plain)
        listed = item or (listed and (not inner or plain.startswith(" ") or not loose))
        deep = _margin(inner) >= _INDENT_CODE and not listed
        opened = None if deep else _FENCE.match(inner.lstrip(" "))
        if opened is not None:
            run = opened[1] or opened[2]
            fence = _Fence(run[0], len(run), indent, quoted, line.number)
        elif not (deep and loose):
            found.append(line)
            loose = not inner.strip()
    return Reading(tuple(found), fence.number if fence is not None and not fence.indent and not fence.quoted else 0)


def prose(text: str) -> str:
    """The words of ``text``: without code, code spans and comments."""
    words = "\n".join(line.text for line in read(text).lines)
    return _SPAN.sub(" ` ", _COMMENT.sub(" ", words))


def _lines(text: str) -> Iterator[ProseLine]:
    start = 0
    for number, whole in enumerate(text.split("\n"), 1):
        yield ProseLine(start, number, whole.removesuffix("\r"))
        start += len(whole) + 1


def _inside(plain: str) -> tuple[str, int, bool, bool]:
    """A line without the signs of lists and quotations; how wide those of lists are; whether there are any."""
    indent, quoted, item = 0, False, False
    while (sign := _CONTAINER.match(plain)) is not None:
        plain = plain[sign.end() :]
        if ">" in sign[0]:
            quoted = True
        else:
            indent, item = indent + sign.end(), True
    return plain, indent, quoted, item


def _margin(plain: str) -> int:
    return len(plain) - len(plain.lstrip(" ")) if plain.strip() else 0


def _ends_holder(fence: _Fence, plain: str) -> bool:
    if fence.quoted:
        return not plain.lstrip(" ").startswith(">")
    return bool(fence.indent and plain.strip() and _margin(plain) < fence.indent)


def _closes(fence: _Fence, plain: str) -> bool:
    inner = plain.lstrip(" >").rstrip(" ")
    return len(inner) >= fence.length and set(inner) == {fence.sign}
