"""JSON Schemas of operations, made from their signatures: what doors publish. Only needed where they are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from comity.kernel.argument import Number, Text
from comity.kernel.record import form
from comity.kernel.registry import AnyOp
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
)
from comity.kernel.signature import Parameter, answer_of, parameters

JsonSchema = dict[str, Any]
# As ``record.form``: how a record's fields are called.
Form = Callable[[Any], tuple[tuple[str, str, bool, object], ...]]
OfRecord = Callable[[Any], JsonSchema]


def input_schema(op: AnyOp, rename: Mapping[str, str], said: Form = form) -> JsonSchema:
    """JSON Schema of the arguments; ``rename`` gives their names in the door's dialect, ``said`` those of fields."""
    of_record = partial(_record, said=said)
    taken = parameters(op)
    properties = {rename.get(p.name, p.name): argument_schema(p, of_record) for p in taken}
    required = [rename.get(p.name, p.name) for p in taken if p.required]
    return {"type": "object", "properties": properties, **({"required": required} if required else {})}


def output_schema(op: AnyOp, said: Form = form) -> JsonSchema:
    """JSON Schema of the result; ``said`` gives its fields' names in the door's dialect."""
    return schema_of(answer_of(op), partial(_record, said=said))


def argument_schema(parameter: Parameter, of_record: OfRecord | None = None, *, told: bool = False) -> JsonSchema:
    """JSON Schema of one argument when it is given, with its default; the rest as in ``schema_of``."""
    result = schema_of(parameter.given, of_record, told=told)
    if not parameter.required and parameter.default not in (None, (), [], ""):
        result["default"] = parameter.default
    return result


def schema_of(shape: Shape, of_record: OfRecord | None = None, *, told: bool = False) -> JsonSchema:
    """JSON Schema of one shape. ``of_record`` makes that of a record type; ``told``: with what is said about it."""
    result = _schema_of(shape, of_record or _record, told)
    if told and shape.doc and not isinstance(shape, Nullable):
        result["description"] = shape.doc
    return result


def _schema_of(shape: Shape, of_record: OfRecord, told: bool) -> JsonSchema:
    match shape:
        case Text(_, least, most):
            return {"type": "string"} | _bounds(minLength=least or None, maxLength=most)
        case Integer(_, least, most):
            return {"type": "integer"} | _bounds(minimum=least, maximum=most)
        case Number(_, least, most):
            return {"type": "number"} | _bounds(minimum=least, maximum=most)
        case Flag():
            return {"type": "boolean"}
        case Choice(options):
            return {"enum": list(options)}
        case Sequence(item, _, least, most):
            items = schema_of(item, of_record, told=told)
            return {"type": "array", "items": items} | _bounds(minItems=least or None, maxItems=most)
        case Mapped():
            return {"type": "object"}
        case Fields(kind):
            return of_record(kind)
        case Nullable(inner):
            schema = schema_of(inner, of_record, told=told)
            return (
                {"type": [schema["type"], "null"]} if set(schema) == {"type"} else {"anyOf": [schema, {"type": "null"}]}
            )
        case Anything():
            return {}


def _record(kind: Any, said: Form = form) -> JsonSchema:
    shapes = fields_of(kind)
    properties = {key: schema_of(shapes[field], partial(_record, said=said)) for key, field, *_ in said(kind)}
    required = [key for key, _, optional, _ in said(kind) if not optional]
    return {"type": "object", "properties": properties, "required": required}


def _bounds(**pairs: float | None) -> JsonSchema:
    return {key: value for key, value in pairs.items() if value is not None}
