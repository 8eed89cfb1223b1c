"""Arguments of operations as HTTP carries them: a query's text by type, a body's JSON, complaints in their own names.

In a query a list is the argument repeated, an object is JSON, a truth value is ``true`` or ``false``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, NoReturn, Union, get_args, get_origin
from urllib.parse import parse_qsl

from comity.dialects.words import in_arguments
from comity.kernel.problem import Invalid
from comity.kernel.record import camel
from comity.kernel.registry import AnyOp
from comity.kernel.signature import parameters

_JSON = re.compile(
    r"application/(?:json|[\w.+-]+\+json)\s*(?:;\s*charset\s*=\s*\"?utf-8\"?\s*)?;?", re.ASCII | re.IGNORECASE
)
_WHOLE = re.compile(r"-?[0-9]{1,30}", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?", re.ASCII)
_MOST_PAIRS = 1000
_HOW = "The OpenAPI document at /api/v1/openapi.json tells every argument."

Convert = Callable[[str], Any]


class _Argument(NamedTuple):
    name: str
    convert: Convert
    repeated: bool


class Arguments:
    """One operation's arguments by the names that callers use."""

    def __init__(self, op: AnyOp) -> None:
        self._op = op
        self._own: dict[str, _Argument] = {}
        for parameter in parameters(op):
            plain = _plain(parameter.annotation)
            repeated = get_origin(plain) is list
            item = _plain(get_args(plain)[0]) if repeated else plain
            self._own[camel(parameter.name)] = _Argument(parameter.name, _converter(item), repeated)
        self._names = {argument.name: key for key, argument in self._own.items()}

    def of_query(self, query: bytes) -> dict[str, object]:
        """The arguments of a query string. Raises Invalid."""
        found: dict[str, object] = {}
        for key, text in pairs_of(query):
            argument = self._own.get(key)
            if argument is None:
                raise self._unknown(key)
            if argument.repeated:
                items = found.setdefault(argument.name, [])
                assert isinstance(items, list), "a repeated argument is a list"
                items.append(argument.convert(text))
            elif argument.name in found:
                raise Invalid("argument.twice", f"{self._op.name}: {key} is there twice.", "Say it once.", argument=key)
            else:
                found[argument.name] = argument.convert(text)
        return found

    def of_body(self, body: bytes, content_type: str | None) -> dict[str, object]:
        """The arguments of a JSON body; none of an empty one. Raises Invalid."""
        return self.of_object(json_object(body, content_type))

    def of_object(self, value: dict[str, Any]) -> dict[str, object]:
        """The arguments of a JSON object. Raises Invalid."""
        own = self._own
        found: dict[str, object] = {}
        for key, item in value.items():
            argument = own.get(key)
            if argument is None:
                raise self._unknown(key)
            found[argument.name] = item
        return found

    def in_their_names(self, problem: Invalid) -> Invalid:
        """A complaint about arguments in the names that the caller used."""
        if not problem.reason.startswith("argument."):
            return problem
        return in_arguments(problem, self._op.name, self._op.name, self._names)

    def _unknown(self, key: str) -> Invalid:
        known = ", ".join(sorted(self._own)) or "none"
        return Invalid(
            "argument.unknown",
            f"{self._op.name} has no argument {key[:80]!r}.",
            f"Its arguments are: {known}.",
            operation=self._op.name,
        )


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


def _plain(annotation: Any) -> Any:
    """The type below bounds and None."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _plain(get_args(annotation)[0])
    if origin in (Union, UnionType):
        (part,) = (part for part in get_args(annotation) if part is not NoneType)
        return _plain(part)
    return annotation


def _converter(kind: Any) -> Convert:
    """What a text of a query means. Text that means nothing stays text, for the operation's own check to refuse."""
    if get_origin(kind) is Literal:
        options = {str(option): option for option in get_args(kind)}
        return lambda text: options.get(text, text)
    if kind is str:
        return str
    return _CONVERT.get(kind, _structure)


def _structure(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return text


_CONVERT: dict[Any, Convert] = {
    int: lambda text: int(text) if _WHOLE.fullmatch(text) else text,
    float: lambda text: float(text) if _NUMBER.fullmatch(text) else text,
    bool: lambda text: {"true": True, "false": False}.get(text, text),
}
