"""Annotations written with stand-ins mean what ``typing`` would have made of them."""

from __future__ import annotations

import typing

from comity.kernel import hints
from comity.kernel.argument import Text
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.signature import hints_of

Name = hints.Annotated[str, Text("A name.", min=1)]
Word = hints.Literal["a", "b"]
Names = hints.Annotated[list[Name], Text("Names.")]


class Record(NamedTuple):
    """Every form in a field of its own."""

    name: Name
    word: Word | None
    names: Names
    table: dict[str, list[Word]]
    row: tuple[Name, ...]
    anything: hints.Any
    either: list[Name] | Word
    flag: bool = False


def test_stand_ins_become_the_forms_of_typing() -> None:
    name = typing.Annotated[str, Text("A name.", min=1)]
    word = typing.Literal["a", "b"]
    assert hints_of(Record) == {
        "name": name,
        "word": word | None,
        "names": typing.Annotated[list[name], Text("Names.")],
        "table": dict[str, list[word]],
        "row": tuple[name, ...],
        "anything": typing.Any,
        "either": list[name] | word,
        "flag": bool,
    }
