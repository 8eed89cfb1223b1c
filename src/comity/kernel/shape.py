"""Shapes: what an annotation allows, as a small tree that every walker reads with one ``match``.

An annotation of an operation or of a record is read once and becomes one of ten kinds of nodes. What checks values,
publishes JSON Schemas, reads a query, encodes answers or writes pages walks these nodes and never sees an annotation.
``Text`` and ``Number`` are the bounds of ``kernel.argument`` themselves.

Annotations are text, forms of ``typing`` or their stand-ins in ``kernel.hints``. ``typing`` is not imported here:
hooks do without it, and resolving annotations through it takes two thirds longer.
"""

from __future__ import annotations

import sys
from types import NoneType, UnionType

from comity.kernel.argument import Items, Note, Number, Text
from comity.kernel.hints import Any, Form
from comity.kernel.named_tuple import NamedTuple


class Integer(NamedTuple):
    """A whole number from ``ge`` to ``le``, both included."""

    doc: str = ""
    ge: float | None = None
    le: float | None = None


class Flag(NamedTuple):
    """True or false."""

    doc: str = ""


class Choice(NamedTuple):
    """One of ``options``: texts or whole numbers."""

    options: tuple[str | int, ...]
    doc: str = ""


class Sequence(NamedTuple):
    """A list of ``min`` to ``max`` values of one shape; a tuple of any length is one as well."""

    item: Shape
    doc: str = ""
    min: int = 0
    max: int | None = None


class Mapped(NamedTuple):
    """An object whose keys are any text and whose values have one shape."""

    value: Shape
    doc: str = ""


class Fields(NamedTuple):
    """A record of the type ``kind``: an object with known keys. ``fields_of`` tells the shape of each field."""

    kind: Any
    doc: str = ""


class Nullable(NamedTuple):
    """A value of the shape ``inner``, or null."""

    inner: Shape

    @property
    def doc(self) -> str:
        """What the inner shape means."""
        return self.inner.doc


class Anything(NamedTuple):
    """Any JSON value."""

    doc: str = ""


Shape = Text | Integer | Number | Flag | Choice | Sequence | Mapped | Fields | Nullable | Anything

_PLAIN: dict[Any, Shape] = {str: Text(), int: Integer(), float: Number(), bool: Flag(), object: Anything()}
_BOUNDED: dict[Any, Any] = {Text: Text, Number: (Integer, Number), Items: Sequence}
_FIELDS: dict[Any, dict[str, Shape]] = {}


def fields_of(kind: Any) -> dict[str, Shape]:
    """The shape of each field of a record type, by the field's name."""
    known = _FIELDS.get(kind)
    if known is None:
        names = vars(sys.modules[kind.__module__])
        known = _FIELDS[kind] = {field: shape_of(kind.__annotations__[field], names) for field in kind._fields}
    return known


def shape_of(annotation: Any, names: dict[str, Any]) -> Shape:
    """The shape that an annotation describes. ``names`` resolve an annotation that is text: those of its module.

    Raises TypeError for what no JSON value could be, and for a union of several types: it has no one meaning.
    """
    annotation = getattr(annotation, "__forward_arg__", annotation)
    if isinstance(annotation, str):
        annotation = eval(annotation, names)  # noqa: S307 (the text of our own annotations)
    plain = _PLAIN.get(annotation)
    if plain is not None:
        return plain
    form, parts = _parts(annotation)
    if form == "Annotated":
        shape = shape_of(parts[0], names)
        for mark in parts[1:]:
            shape = _bounded(shape, mark)
        return shape
    if form == "Literal":
        return Choice(parts)
    if form == "Union":
        others = [part for part in parts if part is not None and part is not NoneType]
        if len(others) == 1:
            return Nullable(shape_of(others[0], names))
    if form in (list, tuple):
        return Sequence(shape_of(parts[0], names))
    if form is dict:
        return Mapped(shape_of(parts[1], names) if parts else Anything())
    if form == "Any":
        return Anything()
    if hasattr(annotation, "_fields"):
        return Fields(annotation)
    raise TypeError(f"an annotation that has no shape: {annotation!r}")


def _parts(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """The name of a form of ``typing``, or the type itself, and what it was subscribed with."""
    if isinstance(annotation, Form):
        return annotation.name, annotation.args
    if isinstance(annotation, UnionType):
        return "Union", annotation.__args__
    if hasattr(annotation, "__metadata__"):
        return "Annotated", (annotation.__origin__, *annotation.__metadata__)
    origin = getattr(annotation, "__origin__", annotation)
    if getattr(origin, "__module__", "") == "typing":
        return getattr(origin, "_name", None) or origin.__name__, getattr(annotation, "__args__", ())
    return origin, getattr(annotation, "__args__", ())


def _bounded(shape: Shape, mark: Any) -> Shape:
    """The shape with a mark of its annotation: its meaning, its bounds. The outermost bounds count."""
    if isinstance(shape, Nullable):
        return Nullable(_bounded(shape.inner, mark))
    doc = mark.doc or shape.doc
    if isinstance(mark, Note):
        return shape._replace(doc=doc)
    if not isinstance(shape, _BOUNDED.get(type(mark), ())):
        raise TypeError(f"{type(mark).__name__} is no bound of {type(shape).__name__}")
    bounded: Shape = shape._replace(**{**mark._asdict(), "doc": doc})
    return bounded
