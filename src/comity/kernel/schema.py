"""Validators and JSON Schemas of operations, made from their signatures. The only kernel module that loads msgspec.

A validator is a msgspec ``TypedDict`` decoder: it checks types and bounds and keeps only what was given, so that
defaults stay where they are written, in the signature.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    TypedDict,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec

from comity.kernel.argument import Items, Number, Text
from comity.kernel.problem import Invalid
from comity.kernel.record import form
from comity.kernel.registry import AnyOp

JsonSchema = dict[str, Any]
_typed_dict: Any = TypedDict  # made at run time, so no static checker can follow it
_NAMES: dict[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null"}


def validate(op: AnyOp, arguments: Mapping[str, object]) -> dict[str, Any]:
    """Checked arguments of ``op``. Raises Invalid with the argument's name and what is expected.

    A null for an argument that has a default means that it was left out.
    """
    if op.validator is None:
        op.validator = _validator(op)
    kind, optional, known = op.validator
    given = {key: value for key, value in arguments.items() if value is not None or key not in optional}
    for key, value in given.items():
        if key not in known:
            raise _unknown(op, key, known)
        _check_text(key, value)
    try:
        checked: dict[str, Any] = msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        raise Invalid(
            "argument.invalid",
            f"{op.name}: {error}.",
            "Correct the argument and call again.",
            operation=op.name,
        ) from None
    return checked


def _validator(op: AnyOp) -> tuple[Any, frozenset[str], frozenset[str]]:
    fields: dict[str, Any] = {}
    for name, annotation, required, _ in op.parameters:
        bounded = _bounded(annotation)
        fields[name] = bounded if required else NotRequired[bounded]
    kind = _typed_dict(op.name, fields)
    return kind, frozenset(p.name for p in op.parameters if not p.required), frozenset(fields)


def _unknown(op: AnyOp, key: str, known: frozenset[str]) -> Invalid:
    names = ", ".join(sorted(known)) or "none"
    return Invalid(
        "argument.unknown",
        f"{op.name} has no argument {key!r}.",
        f"Its arguments are: {names}.",
        operation=op.name,
    )


def _check_text(key: str, value: object) -> None:
    """Refuse text that no database holds: NUL, and surrogates without their other half."""
    if isinstance(value, str):
        if "\0" in value or not _encodable(value):
            raise Invalid(
                "argument.text",
                f"Argument {key!r} holds a NUL character or a lone surrogate, which cannot be stored.",
                "Send valid Unicode text without U+0000.",
            )
    elif isinstance(value, list):
        for item in value:
            _check_text(key, item)
    elif isinstance(value, dict):
        for name, item in value.items():
            _check_text(key, name)
            _check_text(key, item)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _bounded(annotation: Any) -> Any:
    """The annotation with our bounds as msgspec's."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *marks = get_args(annotation)
        result = _bounded(inner)
        for mark in marks:
            result = Annotated[result, _meta(mark)]
        return result
    if origin is list:
        return list[_bounded(get_args(annotation)[0])]  # type: ignore[misc]
    if origin in (Union, UnionType):
        return Union[tuple(_bounded(part) for part in get_args(annotation))]  # noqa: UP007 (built at run time)
    return annotation


def _meta(mark: Text | Number | Items) -> msgspec.Meta:
    if isinstance(mark, Number):
        return msgspec.Meta(ge=mark.ge, le=mark.le)
    pattern = mark.pattern if isinstance(mark, Text) else None
    return msgspec.Meta(min_length=mark.min or None, max_length=mark.max, pattern=pattern)


def input_schema(op: AnyOp, rename: Mapping[str, str]) -> JsonSchema:
    """JSON Schema of the arguments; ``rename`` gives their names in the door's dialect."""
    properties = {}
    for name, annotation, required, default in op.parameters:
        properties[rename.get(name, name)] = schema_of(annotation)
        if not required and default not in (None, (), [], ""):
            properties[rename.get(name, name)]["default"] = default
    result: JsonSchema = {"type": "object", "properties": properties}
    required_names = [rename.get(p.name, p.name) for p in op.parameters if p.required]
    if required_names:
        result["required"] = required_names
    return result


def output_schema(op: AnyOp) -> JsonSchema:
    """JSON Schema of the result."""
    return schema_of(op.hints["return"])


def schema_of(annotation: Any) -> JsonSchema:
    """JSON Schema of one annotation: plain types, literals, lists, unions, records, bounds."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *marks = get_args(annotation)
        result = schema_of(inner)
        for mark in marks:
            result.update(_bounds(mark))
        return result
    if annotation in _NAMES:
        return {"type": _NAMES[annotation]}
    if origin is Literal:
        return {"enum": list(get_args(annotation))}
    if origin in (list, tuple):
        return {"type": "array", "items": schema_of(get_args(annotation)[0])}
    if origin is dict or annotation is dict:
        return {"type": "object"}
    if origin in (Union, UnionType):
        return _union(get_args(annotation))
    if hasattr(annotation, "_fields"):
        return _record(annotation)
    if annotation in (Any, object):
        return {}
    raise TypeError(f"no JSON Schema for {annotation!r}")


def _union(parts: tuple[Any, ...]) -> JsonSchema:
    schemas = [schema_of(part) for part in parts]
    if all(set(schema) == {"type"} for schema in schemas):
        return {"type": [schema["type"] for schema in schemas]}
    return {"anyOf": schemas}


def _record(kind: Any) -> JsonSchema:
    hints = get_type_hints(kind, include_extras=True)
    properties, required = {}, []
    for key, field, optional, _ in form(kind):
        properties[key] = schema_of(hints[field])
        if not optional:
            required.append(key)
    return {"type": "object", "properties": properties, "required": required}


def _bounds(mark: Text | Number | Items) -> JsonSchema:
    if isinstance(mark, Number):
        pairs = {"minimum": mark.ge, "maximum": mark.le}
    elif isinstance(mark, Text):
        pairs = {"minLength": mark.min or None, "maxLength": mark.max}
        if mark.pattern:
            return {key: value for key, value in pairs.items() if value is not None} | {"pattern": mark.pattern}
    else:
        pairs = {"minItems": mark.min or None, "maxItems": mark.max}
    return {key: value for key, value in pairs.items() if value is not None}
