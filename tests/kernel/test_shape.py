"""Annotations as shapes: those of ``typing`` and their light stand-ins mean the same."""

from __future__ import annotations

import typing
from typing import Any

import pytest

from comity.kernel import hints
from comity.kernel.argument import Items, Note, Number, Text
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.shape import (
    Anything,
    Choice,
    Fields,
    Flag,
    Integer,
    Mapped,
    Nullable,
    Sequence,
    Shape,
    fields_of,
    shape_of,
)
from comity.kernel.signature import answer_of, parameters
from comity.rooms import REGISTRY

Name = hints.Annotated[str, Text("A name.", min=1)]
Word = hints.Literal["a", "b"]
Names = hints.Annotated[list[Name], Items("Names.", max=3)]
TypedName = typing.Annotated[str, Text("A name.", min=1)]
TypedNames = typing.Annotated[list[TypedName], Items("Names.", max=3)]

NAME = Text("A name.", 1)
NAMES = Sequence(NAME, "Names.", 0, 3)


class Tree(NamedTuple):
    """Every kind of shape in a field of its own; it holds itself."""

    name: Name
    word: Word | None
    names: Names
    table: dict[str, list[Word]]
    row: tuple[Name, ...]
    anything: hints.Any
    size: hints.Annotated[int, Number("A size.", ge=1)]
    share: float
    flag: bool = False
    children: tuple[Tree, ...] = ()


class Typed(typing.NamedTuple):
    """Annotated with the forms of ``typing``, by a module that has annotations as text."""

    name: TypedName
    word: typing.Literal["a", "b"] | None
    names: TypedNames
    table: dict[str, list[typing.Literal["a", "b"]]]
    row: tuple[TypedName, ...]
    anything: typing.Any
    size: typing.Annotated[int, Number("A size.", ge=1)]
    share: float
    flag: bool = False
    children: tuple[Tree, ...] = ()


@pytest.mark.parametrize("kind", [Tree, Typed])
def test_every_kind_of_shape_is_read_from_both_ways_of_writing_it(kind: Any) -> None:
    assert fields_of(kind) == {
        "name": NAME,
        "word": Nullable(Choice(("a", "b"))),
        "names": NAMES,
        "table": Mapped(Sequence(Choice(("a", "b")))),
        "row": Sequence(NAME),
        "anything": Anything(),
        "size": Integer("A size.", 1),
        "share": Number(),
        "flag": Flag(),
        "children": Sequence(Fields(Tree)),
    }
    assert {type(shape) for shape in fields_of(kind).values()} >= {Text, Integer, Number, Flag, Anything}
    assert fields_of(kind) is fields_of(kind)


@pytest.mark.parametrize(
    ("annotation", "shape"),
    [
        (typing.Annotated[TypedName, Text(max=5)], Text("A name.", 0, 5)),
        (typing.Annotated[TypedName, Note("Another.")], Text("Another.", 1)),
        (typing.Annotated[TypedName | None, Note("One.")], Nullable(Text("One.", 1))),
        (typing.Optional[int], Nullable(Integer())),  # noqa: UP045 (as it may be written)
        (typing.Annotated[bool, Note("Really.")], Flag("Really.")),
        (typing.Annotated[float, Number("A share.", 0, 1)], Number("A share.", 0, 1)),
        ("list[Name]", Sequence(NAME)),
        (list["Name"], Sequence(NAME)),
        (dict, Mapped(Anything())),
        (object, Anything()),
    ],
    ids=str,
)
def test_bounds_and_meanings_are_part_of_a_shape(annotation: Any, shape: Shape) -> None:
    found = shape_of(annotation, globals())
    assert found == shape
    assert type(found) is type(shape)
    assert found.doc == shape.doc


@pytest.mark.parametrize(
    "annotation",
    [
        int | str,
        bytes,
        typing.Annotated[int, Text(max=3)],
        typing.Annotated[str, Number(le=3)],
        typing.Annotated[list[int], Text(max=3)],
    ],
    ids=str,
)
def test_what_has_no_one_meaning_in_json_is_no_shape(annotation: Any) -> None:
    with pytest.raises(TypeError):
        shape_of(annotation, {})


def test_every_annotation_of_an_operation_has_a_shape() -> None:
    def check(shape: Shape, seen: set[Any]) -> None:
        match shape:
            case Fields(kind) if kind not in seen:
                seen.add(kind)
                for field in fields_of(kind).values():
                    check(field, seen)
            case Sequence(inner) | Mapped(inner) | Nullable(inner):
                check(inner, seen)

    records: set[Any] = set()
    for op in REGISTRY:
        assert isinstance(answer_of(op), Fields), op.name
        for shape in (answer_of(op), *(parameter.shape for parameter in parameters(op))):
            check(shape, records)
    assert len(records) > 50
