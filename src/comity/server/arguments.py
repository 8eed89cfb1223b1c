"""Arguments of operations as HTTP carries them: a query's text by type, a body's JSON, complaints in their own names.

In a query a list is the argument repeated, an object is JSON, a truth value is ``true`` or ``false``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from comity.dialects.names import Names, camel_names
from comity.kernel.argument import Number, Text
from comity.kernel.problem import Invalid
from comity.kernel.registry import AnyOp
from comity.kernel.shape import Choice, Flag, Integer, Nullable, Sequence, Shape
from comity.kernel.signature import parameters

_JSON = re.compile(
    r"application/(?:json|[\w.+-]+\+json)\s*(?:;\s*charset\s*=\s*\"?utf-8\"?\s*)?;?", re.ASCII | re.IGNORECASE
)
_WHOLE = re.compile(r"-?[0-9]{1,30}", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?", re.ASCII)
_MOST_PAIRS = 1000
_HOW = "The OpenAPI document at /api/v1/openapi.json tells every argument."

Convert = Callable[[str], Any]


class Arguments(Names):
    """One operation's arguments in camelCase, out of what HTTP carries."""

    __slots__ = ("_convert", "_lists")

    def __init__(self, op: AnyOp) -> None:
        super().__init__(op.name, op.name, camel_names(op))
        shapes = {parameter.name: parameter.given for parameter in parameters(op)}
        self._lists = {name for name, shape in shapes.items() if isinstance(shape, Sequence)}
        self._convert = {
            name: _converter(shape.item if isinstance(shape, Sequence) else shape) for name, shape in shapes.items()
        }

    def of_query(self, query: bytes) -> dict[str, object]:
        """The arguments of a query string. Raises Invalid."""
        found: dict[str, object] = {}
        for key, text in pairs_of(query):
            name = self.known(key)
            value = self._convert[name](text)
            if name in self._lists:
                items = found.setdefault(name, [])
                assert isinstance(items, list), "a repeated argument is a list"
                items.append(value)
            elif name in found:
                told = f"{self.tool}: {key} is there twice."
                raise Invalid("argument.twice", told, "Say it once.", argument=key)
            else:
                found[name] = value
        return found

    def of_body(self, body: bytes, content_type: str | None) -> dict[str, object]:
        """The arguments of a JSON body; none of an empty one. Raises Invalid."""
        return self.of_object(json_object(body, content_type))

    def of_object(self, value: dict[str, Any]) -> dict[str, object]:
        """The arguments of a JSON object. Raises Invalid."""
        return {self.known(key): item for key, item in value.items()}


def pairs_of(query: bytes) -> list[tuple[str, str]]:
    """Names and texts of a query string. Raises Invalid."""
    if not query:
        return []
    try:
        return parse_qsl(query.decode("latin-1"), True, errors="strict", max_num_fields=_MOST_PAIRS)
    except ValueError:
        raise Invalid("argument.invalid", "The query is not valid UTF-8, or too long.", _HOW) from None


def json_object(body: bytes, content_type: str | None) -> dict[str, Any]:
    """The JSON object that a body holds; an empty body counts as an empty one. Raises Invalid."""
    if not body:
        return {}
    if content_type is None or not _JSON.fullmatch(content_type.strip()):
        raise Invalid(
            "body.type", "The body's type is not JSON.", "Send JSON with the header Content-Type: application/json."
        )
    try:
        value = json.loads(body.decode(), parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Invalid("body.not_json", "The body is not JSON in UTF-8.", "Send a JSON object.") from None
    if not isinstance(value, dict):
        raise Invalid("body.not_object", "The body is not a JSON object.", "Send the arguments by name.")
    return value


def _no_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _converter(shape: Shape) -> Convert:
    """What a text of a query means. Text that means nothing stays text, for the operation's own check to refuse."""
    match shape:
        case Text():
            return str
        case Integer():
            return lambda text: int(text) if _WHOLE.fullmatch(text) else text
        case Number():
            return lambda text: float(text) if _NUMBER.fullmatch(text) else text
        case Flag():
            return lambda text: {"true": True, "false": False}.get(text, text)
        case Choice(options):
            by_text = {str(option): option for option in options}
            return lambda text: by_text.get(text, text)
        case Nullable(inner):
            return _converter(inner)
    return _structure


def _structure(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return text
