"""JSON Schemas of operations, made from their signatures: what doors publish. Only needed where they are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from comity.kernel.argument import Items, Note, Number, Text
from comity.kernel.record import form
from comity.kernel.registry import AnyOp
from comity.kernel.signature import hints_of, parameters

JsonSchema = dict[str, Any]
Form = Callable[
    [Any], tuple[tuple[str, str, bool, object], ...]
]  # as ``record.form``: how a record's fields are called
_NAMES: dict[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null"}


def input_schema(op: AnyOp, rename: Mapping[str, str], said: Form = form) -> JsonSchema:
    """JSON Schema of the arguments; ``rename`` gives their names in the door's dialect, ``said`` those of fields."""
    properties = {}
    taken = parameters(op)
    for name, annotation, required, default in taken:
        properties[rename.get(name, name)] = schema_of(annotation if required else _without_null(annotation), said)
        if not required and default not in (None, (), [], ""):
            properties[rename.get(name, name)]["default"] = default
    result: JsonSchema = {"type": "object", "properties": properties}
    required_names = [rename.get(p.name, p.name) for p in taken if p.required]
    if required_names:
        result["required"] = required_names
    return result


def _without_null(annotation: Any) -> Any:
    """What an optional argument holds when it is given."""
    parts = [part for part in get_args(annotation) if part is not NoneType]
    return parts[0] if get_origin(annotation) in (Union, UnionType) and len(parts) == 1 else annotation


def output_schema(op: AnyOp, said: Form = form) -> JsonSchema:
    """JSON Schema of the result; ``said`` gives its fields' names in the door's dialect."""
    return schema_of(hints_of(op.run)["return"], said)


def schema_of(annotation: Any, said: Form = form) -> JsonSchema:
    """JSON Schema of one annotation: plain types, literals, lists, unions, records, bounds."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *marks = get_args(annotation)
        result = schema_of(inner, said)
        for mark in marks:
            result.update(_bounds(mark))
        return result
    if annotation in _NAMES:
        return {"type": _NAMES[annotation]}
    if origin is Literal:
        return {"enum": list(get_args(annotation))}
    if origin in (list, tuple):
        return {"type": "array", "items": schema_of(get_args(annotation)[0], said)}
    if origin is dict or annotation is dict:
        return {"type": "object"}
    if origin in (Union, UnionType):
        return _union(get_args(annotation), said)
    if hasattr(annotation, "_fields"):
        return _record(annotation, said)
    if annotation in (Any, object):
        return {}
    raise TypeError(f"no JSON Schema for {annotation!r}")


def _union(parts: tuple[Any, ...], said: Form) -> JsonSchema:
    schemas = [schema_of(part, said) for part in parts]
    if all(set(schema) == {"type"} for schema in schemas):
        return {"type": [schema["type"] for schema in schemas]}
    return {"anyOf": schemas}


def _record(kind: Any, said: Form) -> JsonSchema:
    hints = hints_of(kind)
    properties, required = {}, []
    for key, field, optional, _ in said(kind):
        properties[key] = schema_of(hints[field], said)
        if not optional:
            required.append(key)
    return {"type": "object", "properties": properties, "required": required}


def _bounds(mark: Text | Number | Items | Note) -> JsonSchema:
    if isinstance(mark, Note):
        return {}
    if isinstance(mark, Number):
        pairs = {"minimum": mark.ge, "maximum": mark.le}
    elif isinstance(mark, Text):
        pairs = {"minLength": mark.min or None, "maxLength": mark.max}
    else:
        pairs = {"minItems": mark.min or None, "maxItems": mark.max}
    return {key: value for key, value in pairs.items() if value is not None}
