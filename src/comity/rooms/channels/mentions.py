"""Mentions in a text: ``@name`` for one agent, ``@@type`` for all of a type. Pure.

E-mail addresses, package paths and what stands in backticks are no mentions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from comity.kernel.named_tuple import NamedTuple

_CODE = re.compile(r"(`{3,}).*?(?:\1|\Z)|`[^`\n]+`", re.DOTALL)
_MENTION = re.compile(r"(?<![\w@./:+=#$%&*~^\\-])(@@?)(\w[\w.-]*+(?::\w[\w-]*+)?)(?![@/(])")


class Mention(NamedTuple):
    """Who is meant: by id, name or type, or ``all`` of a type."""

    name: str
    all: bool

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
    """Every mention in a text, each once."""
    if "@" not in text:
        return []
    found = _MENTION.findall(_CODE.sub(" ", text))
    listed = (Mention(name.rstrip(".-"), marks == "@@") for marks, name in found)
    return list(dict.fromkeys(one for one in listed if one.name))


def resolve(mentioned: Sequence[Mention], here: Sequence[Person], living: Callable[[], Mapping[str, bool]]) -> Meant:
    """Who is meant, of those who are here: longest first.

    Once somebody is meant by type, ``living`` is asked who is not known to be dead, and whether that is certain: who
    may be dead comes last.
    """
    agent_ids: list[str] = []
    unknown = []
    for one in mentioned:
        found = _meant(one, here, living)
        if not found and ":" in one.name:
            found = _meant(one._replace(name=one.name.partition(":")[0]), here, living)
        agent_ids += found
        if not found:
            unknown.append(one.text)
    return Meant(list(dict.fromkeys(agent_ids)), unknown)


def _meant(one: Mention, here: Sequence[Person], living: Callable[[], Mapping[str, bool]]) -> list[str]:
    if not one.all:
        exact = [person.agent_id for person in here if person.agent_id == one.name]
        exact = exact or [person.agent_id for person in here if person.name == one.name]
        if exact:
            return exact[:1] if len(exact) == 1 else []
    typed = [person for person in here if _is_of(person, one.name.casefold())]
    alive = living() if typed else {}
    found = [person.agent_id for person in typed if person.agent_id in alive]
    found.sort(key=lambda agent_id: not alive[agent_id])
    return found if one.all else found[:1]


def _is_of(person: Person, kind: str) -> bool:
    return any(
        word == kind or word.startswith(f"{kind}-") for word in (person.agent_id.casefold(), person.name.casefold())
    )
