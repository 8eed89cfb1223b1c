"""Paths and globs as patterns, and whether two of them can mean the same file. Pure; exact, never an estimate.

A pattern is the segments between ``/``. In a segment ``*`` is any run of characters, ``?`` any one, ``[a-z]`` and
``[!a-z]`` one of a class; ``**`` is any number of whole segments. A *tree* means what it matches and everything below.
Since ``[id].tsx`` is a common file name, a bracket expression also stands for itself. ``{a,b}`` is written out by
``expand`` before anything is claimed.

Two patterns are compared segment by segment; two segments with wildcards by walking both automata at once. Where many
file names are compared with one glob, a regular expression that means the same is faster.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import import_module

from comity.kernel.named_tuple import NamedTuple

MAX_ALTERNATIVES = 200  # paths that one {a,b} expression may become
ROOT = "."  # the path of the repository's own folder
_DEPTH = "**"
_MOST_STARS = (
    2  # in a name, and "**" in a path, for a regular expression: each more may multiply its time by the length
)
_LAST = 0x10FFFF

Range = tuple[int, int]
Edge = tuple[int, int, int]  # first and last code point, next state


class Wild(NamedTuple):
    """A segment with wildcards as an automaton: edges by state. It starts in state 0 and accepts in the last.

    ``expression`` is the same as a regular expression.
    """

    states: tuple[tuple[Edge, ...], ...]
    expression: str = ""


Segment = str | Wild  # "**" is any number of segments


class Pattern(NamedTuple):
    """A compiled path. ``prefix`` are the segments before the first wildcard; ``plain`` says that those are all.

    ``text`` is the path as it is compared. ``exact``: it means the one file of this name, and nothing below.
    """

    text: str
    segments: tuple[Segment, ...]
    prefix: tuple[str, ...]
    tree: bool
    plain: bool
    exact: bool = False


def normal(path: str) -> str:
    """The text in Unicode's composed form (NFC), in which paths are kept and compared."""
    if path.isascii():
        return path
    composed: str = import_module("unicodedata").normalize("NFC", path)  # what most paths do without
    return composed


def folded(path: str) -> str:
    """The text as a file system sees it that does not distinguish upper and lower case: no character more or less."""
    if path.isascii():
        return path.lower()
    return "".join(low if len(low := char.casefold()) == 1 else char for char in path)


def compiled(path: str, tree: bool, fold: bool) -> Pattern:
    """A path that is relative to the repository and normalised. ``fold`` makes upper and lower case the same."""
    text = normal(path)
    if fold:
        text = folded(text)
    if not literal(text):
        return _compiled(text, tree)
    if text == ROOT:
        return Pattern(ROOT, (), (), tree=True, plain=True)
    names = tuple(text.split("/"))
    return Pattern(text, names, names, tree, plain=True)


def exactly(path: str, fold: bool) -> Pattern:
    """The one file of this name, whatever signs are in it; its path as ``compiled`` takes one."""
    text = normal(path)
    if fold:
        text = folded(text)
    names = tuple(text.split("/"))
    return Pattern(text, names, names, tree=False, plain=True, exact=True)


@lru_cache(maxsize=4096)
def _compiled(text: str, tree: bool) -> Pattern:
    segments = tuple(_segment(part) for part in text.split("/"))
    count = next((i for i, part in enumerate(segments) if part == _DEPTH or type(part) is not str), len(segments))
    prefix = tuple(part for part in segments[:count] if isinstance(part, str))
    return Pattern(text, segments, prefix, tree, plain=count == len(segments))


def names_folder(segment: str) -> bool:
    """Whether the last name of a path that does not exist is taken for a folder's: one without a dot inside."""
    return "*" not in segment and "?" not in segment and "." not in segment[1:]


def literal(path: str) -> bool:
    """Whether a path surely has no wildcard."""
    return "*" not in path and "?" not in path and "[" not in path


def magic(segment: str) -> bool:
    """Whether a segment is more than the name that it spells."""
    return "*" in segment or "?" in segment or ("[" in segment and "]" in segment)


def meet(one: Pattern, other: Pattern) -> bool:
    """Whether some file is meant by both.

    A path that the other repeats and goes on below counts as a folder, whatever it was taken for.
    """
    if not all(map(str.__eq__, one.prefix, other.prefix)):
        return False
    a, b = one.segments, other.segments
    if a == b[: len(a)] if len(a) <= len(b) else b == a[: len(b)]:
        return True
    if one.plain and not (one.tree or other.plain) and (expression := _expression(other.text, other.tree)) is not None:
        return expression.fullmatch(one.text + "/") is not None
    return _meet(one, other)


@lru_cache(maxsize=256)
def _expression(text: str, tree: bool) -> re.Pattern[str] | None:
    """What matches the names of a path, each followed by a slash; None when matching might take long."""
    names = text.split("/")
    if max(name.count("*") for name in names) > _MOST_STARS or names.count(_DEPTH) > _MOST_STARS:
        return None
    depth = "(?:[^/]+/)*"
    parts = [depth if part == _DEPTH else _one_name(part) + "/" for part in _compiled(text, tree).segments]
    return re.compile("".join(parts) + (depth if tree else ""), re.DOTALL)


def _one_name(segment: Segment) -> str:
    return re.escape(segment) if isinstance(segment, str) else segment.expression


def _meet(one: Pattern, other: Pattern) -> bool:
    a, b = one.segments, other.segments
    todo, seen = [(0, 0)], set()
    while todo:
        place = todo.pop()
        if place in seen:
            continue
        seen.add(place)
        i, j = place
        if i == len(a) or j == len(b):
            ended, rest = (one, b[j:]) if i == len(a) else (other, a[i:])
            if ended.tree or all(part == _DEPTH for part in rest):
                return True
            continue
        left, right = a[i], b[j]
        if _DEPTH in (left, right):
            todo += [(i + 1, j), (i, j + 1)]  # either it is over, or it takes the other's next segment
        elif left == right or _segments_meet(left, right):
            todo.append((i + 1, j + 1))
    return False


def holds(outer: Pattern, inner: Pattern) -> bool:
    """Whether ``outer`` surely matches whatever ``inner`` does. False may also mean that it cannot be told."""
    a, b = outer.segments, inner.segments
    todo, seen = [(0, 0)], set()
    while todo:
        place = todo.pop()
        if place in seen:
            continue
        seen.add(place)
        i, j = place
        if i == len(a):
            if outer.tree or j == len(b):
                return True
        elif a[i] == _DEPTH:
            todo.append((i + 1, j))
            if j < len(b):
                todo.append((i, j + 1))
        elif j < len(b) and b[j] != _DEPTH and (a[i] == b[j] or _within(b[j], a[i])):
            todo.append((i + 1, j + 1))
    return False


def _within(inner: Segment, outer: Segment) -> bool:
    if isinstance(outer, str):
        return False
    return outer == _compile("*") or (isinstance(inner, str) and _segments_meet(inner, outer))


@lru_cache(maxsize=4096)
def _segments_meet(left: Segment, right: Segment) -> bool:
    """Whether one name fits both segments."""
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    a, b = _automaton(left).states, _automaton(right).states
    goal = (len(a) - 1, len(b) - 1)
    seen = {(0, 0)}
    todo = [(0, 0)]
    while todo:
        place = todo.pop()
        if place == goal:
            return True
        for low, high, i in a[place[0]]:
            for first, last, j in b[place[1]]:
                if low <= last and first <= high and (i, j) not in seen:
                    seen.add((i, j))
                    todo.append((i, j))
    return False


def _automaton(segment: Segment) -> Wild:
    if isinstance(segment, Wild):
        return segment
    points = [ord(char) for char in segment]
    return Wild((*(((point, point, place + 1),) for place, point in enumerate(points)), ()))


def _segment(text: str) -> Segment:
    if not magic(text):
        return text
    if text.strip("*") == "":
        return _DEPTH if text == _DEPTH else _compile("*")
    return _compile(text)


def _compile(text: str) -> Wild | str:
    """The automaton of one segment; the text itself when it has no wildcard after all."""
    states: list[list[Edge]] = [[]]
    expression, wild, place = "", False, 0

    def step(*ranges: Range) -> None:
        states[-1].extend((low, high, len(states)) for low, high in ranges)
        states.append([])

    while place < len(text):
        char = text[place]
        end = _bracket_end(text, place) if char == "[" else 0
        wild = wild or char in "*?" or end > 0
        if char == "*":
            here = len(states) - 1
            states[-1].append((0, _LAST, here))
            expression += "[^/]*"
        elif char == "?":
            step((0, _LAST))
            expression += "[^/]"
        elif end:
            start = len(states) - 1
            for itself in text[place:end]:
                step((ord(itself), ord(itself)))
            ranges = _class(text[place + 1 : end - 1])
            states[start].extend((low, high, len(states) - 1) for low, high in ranges)
            options = "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in ranges)
            expression += f"(?:[{options}]|{re.escape(text[place:end])})" if options else re.escape(text[place:end])
            place = end - 1
        else:
            step((ord(char), ord(char)))
            expression += re.escape(char)
        place += 1
    return Wild(tuple(map(tuple, states)), expression) if wild else text


def _bracket_end(text: str, start: int) -> int:
    """Where the bracket expression at ``start`` ends; 0 when it does not. A ``]`` that comes first is in the class."""
    first = start + 1 + (text[start + 1 : start + 2] in ("!", "^"))
    return text.find("]", first + 1) + 1


def _class(inner: str) -> list[Range]:
    """The code points of what stands between brackets."""
    inverted = inner[0] in "!^"
    chars = inner[inverted:]
    ranges: list[Range] = []
    place = 0
    while place < len(chars):
        low, high = ord(chars[place]), ord(chars[place])
        if chars[place + 1 : place + 2] == "-" and place + 2 < len(chars):
            high = ord(chars[place + 2])
            place += 2
        ranges.append((low, high) if low <= high else (0, _LAST))  # folding may have turned it round: never too few
        place += 1
    if not inverted:
        return ranges
    outside, begin = [], 0
    for low, high in sorted(ranges):
        if begin < low:
            outside.append((begin, low - 1))
        begin = max(begin, high + 1)
    return [*outside, (begin, _LAST)] if begin <= _LAST else outside


def expand(text: str) -> list[str] | None:
    """``a/{b,c}`` as ``a/b`` and ``a/c``; braces without a comma stay. None when it would be too many."""
    found = [text]
    for _ in range(64):
        spread = [part for one in found for part in _spread(one)]
        if len(spread) > MAX_ALTERNATIVES:
            return None
        if spread == found:
            return list(dict.fromkeys(spread))
        found = spread
    return None


def _spread(text: str) -> list[str]:
    """One innermost brace expression written out."""
    end = text.find("}")
    while end >= 0:
        start = text.rfind("{", 0, end)
        if start >= 0 and "," in text[start:end]:
            return [text[:start] + option + text[end + 1 :] for option in text[start + 1 : end].split(",")]
        end = text.find("}", end + 1)
    return [text]
