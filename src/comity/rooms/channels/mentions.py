"""Mentions in a text: ``@name`` for one agent, ``@@type`` for all of a type. Pure.

Emphasis and punctuation around a mention are no part of it. E-mail addresses, URLs and code are no mentions. What may
as well be something else, such as the ``@types`` of ``@types/node``, is a mention of the agent of exactly that name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.spaceless import RUN

_CODE = re.compile(
    r"^[ >]{0,8}(~{3,})[^\n]*(?:\n.*?)??(?:^[ >]{0,8}\1~*[ \t]*$|\Z)|(`{3,}).*?(?:\2|\Z)|`[^`\n]+`",
    re.DOTALL | re.MULTILINE,
)
_URL = re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s<>\"'`)\]]*", re.IGNORECASE)
_DEEP = re.compile(r" {4}| {0,3}\t")
_ITEM = re.compile(r"[ >]*(?:[-*+]|\d{1,9}[.)])(?:\s|$)")
_MENTION = re.compile(r"([@\uff20]{1,2})([\[{<(]?)(\w[\w.-]*+(?::\w[\w-]*+)?)")
_MARKS = frozenset("@\uff20")  # the usual one, and that of wide letters
_NUMBERED = re.compile(r"(?:^|\s)\d{1,4}\.$")  # the number of a list
_BEFORE = 8  # characters in front of a mention that are looked at
# Beside a mention these are as often part of a path, a sign, an option or a call.
_CODE_BEFORE, _CODE_AFTER = frozenset("./+=#$%&^\\-"), frozenset("/(@\uff20")


class Mention(NamedTuple):
    """Who is meant: by id, name or type, or ``all`` of a type. ``sure``: it can hardly be anything else."""

    name: str
    all: bool
    sure: bool = True

    @property
    def text(self) -> str:
        """As it is written."""
        return ("@@" if self.all else "@") + self.name


class Person(NamedTuple):
    """An agent that may be meant."""

    agent_id: str
    name: str


class Meant(NamedTuple):
    """The agents that were found, in the order of the mentions, and the mentions that nobody answers to."""

    agent_ids: list[str]
    unknown: list[str]


def mentions(text: str) -> list[Mention]:
    """Every mention in a text that can hardly be anything else, each once."""
    return [one for one in read(text) if one.sure]


def read(text: str) -> list[Mention]:
    """Every mention in a text, and what may be one, each once and in order."""
    if _MARKS.isdisjoint(text):
        return []
    prose = _URL.sub(" ", _unindented(_CODE.sub(" ", text)))
    found: dict[str, Mention] = {}
    end = -1
    for match in _MENTION.finditer(prose):
        one = _mention(prose, match, glued=match.start() == end)
        if one is not None:
            end = match.end()
            if one.sure or one.text not in found:
                found[one.text] = one
    return list(found.values())


def _mention(prose: str, match: re.Match[str], *, glued: bool) -> Mention | None:
    """The mention at a mark; None where the mark stands in a word or beside another one. ``glued``: behind another."""
    marks, bracket, name = match.groups()
    before, after = prose[max(0, match.start() - _BEFORE) : match.start()], prose[match.end() : match.end() + 1]
    outside = before.rstrip("_")
    if outside != before:  # emphasis, unless it stands in a word
        name = name.rstrip("_.-")
    last = outside[-1:]
    if not glued and (last in _MARKS or (last.isalnum() and not RUN.match(last))):
        return None
    name = name.rstrip(".-")
    code = glued or bracket or after in _CODE_AFTER or (last in _CODE_BEFORE and not _NUMBERED.search(outside))
    return Mention(name, len(marks) > 1, sure=not code) if name else None


def _unindented(text: str) -> str:
    """The text without indented code. Below an item of a list deep lines go on with the item."""
    if not _DEEP.search(text):
        return text
    kept: list[str] = []
    item = code = False
    blank = True
    for line in text.split("\n"):
        if not line.strip():
            blank = True
        elif not _DEEP.match(line):
            item = bool(_ITEM.match(line)) or (item and not (blank and line[0] != " "))
            blank = code = False
        else:
            code = not item and (blank or code)
            blank = False
            if code:
                continue
        kept.append(line)
    return "\n".join(kept)


def resolve(mentioned: Sequence[Mention], here: Sequence[Person], living: Callable[[], Mapping[str, bool]]) -> Meant:
    """Who is meant, of those who are here: longest first.

    Once somebody is meant by type, ``living`` is asked who is not known to be dead, and whether that is certain: who
    may be dead comes last.
    """
    agent_ids: list[str] = []
    unknown = []
    for one in mentioned:
        found = next((found for name in _names(one, here) if (found := _meant(one, name, here, living))), [])
        agent_ids += found
        if not found:
            unknown.append(one.text)
    return Meant(list(dict.fromkeys(agent_ids)), unknown)


def _names(one: Mention, here: Sequence[Person]) -> Iterator[str]:
    """What a mention may name, the whole first: without what follows a colon, and without the words that Chinese,
    Japanese and Korean put behind a name.
    """
    yield one.name
    if ":" in one.name:
        yield one.name.partition(":")[0]
    run = RUN.search(one.name)
    if run is not None and run.start():
        yield one.name[: run.start()].rstrip("_.-:")
    elif run is not None:
        known = {word for person in here for word in person if word and one.name.startswith(word)}
        yield from sorted(known, key=len, reverse=True)


def _meant(one: Mention, name: str, here: Sequence[Person], living: Callable[[], Mapping[str, bool]]) -> list[str]:
    if not one.all:
        exact = [person.agent_id for person in here if person.agent_id == name]
        exact = exact or [person.agent_id for person in here if person.name == name]
        if exact or not one.sure:
            return exact[:1] if len(exact) == 1 else []
    typed = [person for person in here if _is_of(person, name.casefold())] if one.sure else []
    alive = living() if typed else {}
    found = [person.agent_id for person in typed if person.agent_id in alive]
    found.sort(key=lambda agent_id: not alive[agent_id])
    return found if one.all else found[:1]


def _is_of(person: Person, kind: str) -> bool:
    return any(
        word == kind or word.startswith(f"{kind}-") for word in (person.agent_id.casefold(), person.name.casefold())
    )
