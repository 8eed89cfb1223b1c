"""The words behind a program's name, read as getopt would: options with their values, and operands. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from comity.kernel.named_tuple import NamedTuple
from comity.shell.state import Word


class Options(NamedTuple):
    """What is given, in order."""

    given: tuple[tuple[str, Word | None], ...]
    operands: tuple[Word, ...]
    dashes: int | None = None  # how many operands stand before ``--``

    def has(self, *names: str) -> bool:
        """Whether one of these options is given."""
        return any(_means(name, names) for name, _ in self.given)

    def value(self, *names: str) -> Word | None:
        """The value of the last of these options."""
        return next((value for name, value in reversed(self.given) if value is not None and _means(name, names)), None)

    def values(self, *names: str) -> list[Word]:
        """The values of all of these options."""
        return [value for name, value in self.given if value is not None and _means(name, names)]


def _means(name: str, names: tuple[str, ...]) -> bool:
    """Whether an option is one of ``names``, cut short as getopt allows."""
    return name in names or (len(name) > 3 and name.startswith("--") and any(one.startswith(name) for one in names))


def options(
    words: Sequence[Word], valued: str = "", long_valued: Sequence[str] = (), *, stops: bool = False
) -> Options:
    """``valued`` are the letters, ``long_valued`` the names, of options that take a value. ``stops``: what follows the
    first operand is no option any more.
    """
    given: list[tuple[str, Word | None]] = []
    operands: list[Word] = []
    place = 0
    while place < len(words):
        word, text = words[place], words[place].text
        place += 1
        if text == "--":
            dashes = len(operands)
            return Options(tuple(given), (*operands, *words[place:]), dashes)
        if text.startswith("--"):
            name, equals, value = text.partition("=")
            following: Word | None = word._replace(text=value) if equals else None
            if not equals and name in long_valued and place < len(words):
                following, place = words[place], place + 1
            given.append((name, following))
        elif text.startswith("-") and len(text) > 1:
            place = _letters(words, place, valued, given)
        else:
            operands.append(word)
            if stops:
                return Options(tuple(given), (*operands, *words[place:]))
    return Options(tuple(given), tuple(operands))


def _letters(words: Sequence[Word], place: int, valued: str, given: list[tuple[str, Word | None]]) -> int:
    """``-abc value``; where to go on."""
    word = words[place - 1]
    for at, letter in enumerate(word.text[1:], 1):
        if letter not in valued:
            given.append((f"-{letter}", None))
            continue
        rest = word.text[at + 1 :]
        if rest:
            given.append((f"-{letter}", word._replace(text=rest)))
        elif place < len(words):
            given.append((f"-{letter}", words[place]))
            return place + 1
        break
    return place
