"""Reads records back from their JSON form (``kernel.record``): the counterpart of ``to_json``.

Shapes do not tell tuples from lists, so the annotation of a field is asked for that.
"""

from __future__ import annotations

from collections.abc import Callable

from comity.kernel.hints import Any
from comity.kernel.record import form
from comity.kernel.shape import Fields, Mapped, Nullable, Sequence, Shape, fields_of

Read = Callable[[Any], Any]
_READERS: dict[type, Read] = {}


def reader(shape: Shape) -> Read:
    """What makes a value of this shape of its JSON form. It raises KeyError, TypeError or ValueError for another."""
    match shape:
        case Nullable(inner):
            read = reader(inner)
            return lambda value: None if value is None else read(value)
        case Sequence(item):
            read = reader(item)
            return lambda value: [read(one) for one in value]
        case Mapped(value_shape):
            read = reader(value_shape)
            return lambda value: {key: read(one) for key, one in value.items()}
        case Fields(kind):

            def read_record(value: Any) -> Any:  # records may hold records of their own kind
                return _record(kind)(value)

            return read_record
    return lambda value: value


def _record(kind: Any) -> Read:
    known = _READERS.get(kind)
    if known is None:
        shapes = fields_of(kind)
        parts = [
            (key, reader(shapes[field]), optional, default, str(kind.__annotations__[field]).startswith("tuple["))
            for key, field, optional, default in form(kind)
        ]

        def read(value: Any) -> Any:
            fields = []
            for key, read_field, optional, default, as_tuple in parts:
                if optional and key not in value:
                    fields.append(default)
                else:
                    item = read_field(value[key])
                    fields.append(tuple(item) if as_tuple else item)
            return kind(*fields)

        known = _READERS[kind] = read
    return known
