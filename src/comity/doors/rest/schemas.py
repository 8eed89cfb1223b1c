"""JSON Schemas of arguments and answers for the OpenAPI document: each record once, by its name, with an example."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from comity.kernel.record import camel, form
from comity.kernel.schema import JsonSchema, argument_schema, schema_of
from comity.kernel.shape import Shape, fields_of
from comity.kernel.signature import Parameter

_WHERE = "#/components/schemas/"
_DEEPEST = 6
_EXAMPLES = {
    "agentId": "ann",
    "name": "ann",
    "title": "Write the lexer",
    "content": "The parser is done.",
    "channelId": "backend",
    "number": "task-001",
    "priority": "P2",
    "status": "pending",
    "filePath": "src/parser.py",
    "cursor": "42",
}
_ID, _TIME = "0190d3f0-0000-7000-8000-000000000000", "2026-01-31T12:00:00.000Z"


class Schemas:
    """The schemas of one document. ``named`` holds those of the records that were met."""

    def __init__(self) -> None:
        self.named: dict[str, JsonSchema] = {}
        self._names: dict[Any, str] = {}

    def of(self, shape: Shape) -> JsonSchema:
        """The schema of a shape, with its bounds and what is said about it."""
        return schema_of(shape, self._reference, told=True)

    def argument(self, parameter: Parameter) -> JsonSchema:
        """The schema of an argument when it is given."""
        return argument_schema(parameter, self._reference, told=True)

    def arguments(self, parameters: tuple[Parameter, ...]) -> JsonSchema:
        """The schema of a JSON object with these arguments."""
        required = [camel(parameter.name) for parameter in parameters if parameter.required]
        return {
            "type": "object",
            "properties": {camel(parameter.name): self.argument(parameter) for parameter in parameters},
            **({"required": required} if required else {}),
            "additionalProperties": False,
        }

    def _reference(self, kind: Any) -> JsonSchema:
        return {"$ref": _WHERE + self._name(kind)}

    def _name(self, kind: Any) -> str:
        name = self._names.get(kind)
        if name is None:
            name = kind.__name__
            if name in self.named:  # rooms have some words in common
                name = kind.__module__.split(".")[2].capitalize() + name
            self._names[kind] = name
            self.named[name] = {}  # a record may hold itself
            shapes = fields_of(kind)
            fields = form(kind)
            self.named[name] = {
                "type": "object",
                "description": " ".join((kind.__doc__ or "").split()),
                "properties": {key: self.of(shapes[field]) for key, field, *_ in fields},
                "required": [key for key, _, optional, _ in fields if not optional],
            }
        return name

    def example(self, schema: JsonSchema, key: str = "", depth: int = 0) -> Any:
        """A value as an answer may hold it."""
        if "$ref" in schema:
            schema = self.named[schema["$ref"].removeprefix(_WHERE)]
        if "enum" in schema:
            return schema["enum"][0]
        if "anyOf" in schema:
            return self.example(schema["anyOf"][0], key, depth)
        kind = schema.get("type")
        kind = kind[0] if isinstance(kind, list) else kind
        if kind == "object":
            wanted = schema.get("required", ()) if depth < _DEEPEST else ()
            properties = schema.get("properties", {})
            return {name: self.example(properties[name], name, depth + 1) for name in wanted}
        if kind == "array":
            return [self.example(schema["items"], key.removesuffix("s"), depth + 1)] if depth < _DEEPEST else []
        return _PLAIN[kind](key, schema) if kind in _PLAIN else None


def _text(key: str, _: JsonSchema) -> str:
    if key in _EXAMPLES:
        return _EXAMPLES[key]
    if key.endswith(("At", "Seen", "timestamp")):
        return _TIME
    return _ID if key.endswith("Id") else key


_PLAIN: dict[str, Callable[[str, JsonSchema], Any]] = {
    "string": _text,
    "integer": lambda _, schema: schema.get("minimum", 1),
    "number": lambda _, schema: schema.get("minimum", 1),
    "boolean": lambda *_: False,
}
