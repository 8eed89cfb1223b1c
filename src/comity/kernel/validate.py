"""Checks arguments from outside against an operation's signature, and says in words what is wrong.

Written by hand because a validation library cost a third of a server's start and a quarter of its memory
(docs/benchmarks.md); the few types that signatures use are all there is. A checker takes a value and answers it,
converted where JSON knows no difference (``10.0`` for an integer, a tuple for a list), or raises ``Mismatch``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from comity.kernel.argument import Items, Note, Number, Text
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Invalid
from comity.kernel.record import form
from comity.kernel.registry import AnyOp
from comity.kernel.signature import hints_of, parameters

Check = Callable[[Any], Any]


class Mismatch(Exception):
    """What was expected instead."""


class Signature(NamedTuple):
    """An operation's arguments as checkers; ``optional`` are those that have a default."""

    checks: dict[str, Check]
    required: tuple[str, ...]
    optional: frozenset[str]


def validate(op: AnyOp, arguments: Mapping[str, object]) -> dict[str, Any]:
    """Checked arguments of ``op``. Raises Invalid with the argument's name and what is expected.

    A null for an argument that has a default means that it was left out.
    """
    signature = op.signature
    if signature is None:
        signature = op.signature = _signature(op)
    checked = {}
    for name, value in arguments.items():
        check = signature.checks.get(name)
        if check is None:
            raise _unknown(op, name, signature)
        if value is None and name in signature.optional:
            continue
        try:
            checked[name] = check(value)
        except Mismatch as expected:
            raise Invalid(
                "argument.invalid",
                f"{op.name}: {name} must be {expected}.",
                "Correct the argument and call again.",
                operation=op.name,
                argument=name,
            ) from None
    for name in signature.required:
        if name not in checked:
            raise Invalid(
                "argument.missing",
                f"{op.name} needs {name}.",
                f"Required: {', '.join(signature.required)}.",
                operation=op.name,
                argument=name,
            )
    return checked


def _signature(op: AnyOp) -> Signature:
    taken = parameters(op)
    return Signature(
        {p.name: checker(p.annotation) for p in taken},
        tuple(p.name for p in taken if p.required),
        frozenset(p.name for p in taken if not p.required),
    )


def _unknown(op: AnyOp, name: str, signature: Signature) -> Invalid:
    return Invalid(
        "argument.unknown",
        f"{op.name} has no argument {name[:80]!r}.",
        f"Its arguments are: {', '.join(sorted(signature.checks)) or 'none'}.",
        operation=op.name,
    )


def checker(annotation: Any) -> Check:
    """The checker for one annotation."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *marks = get_args(annotation)
        check = checker(inner)
        for mark in marks:
            check = _bounded(check, mark)
        return check
    if origin is Literal:
        return _one_of(get_args(annotation))
    if origin is list:
        return _list_of(checker(get_args(annotation)[0]))
    if origin in (Union, UnionType):
        parts = [part for part in get_args(annotation) if part is not NoneType]
        assert len(parts) == 1, "a union of several types has no one meaning"
        return checker(parts[0])
    if hasattr(annotation, "_fields"):
        return _record(annotation)
    return _PLAIN[annotation]


def _text(value: Any) -> str:
    if type(value) is not str:
        raise Mismatch(f"text, not {_kind(value)}")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Mismatch("valid Unicode text, without lone surrogates") from None
    if "\0" in value:
        raise Mismatch("text without the NUL character")
    return value


def _integer(value: Any) -> int:
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer():
        return int(value)
    raise Mismatch(f"a whole number, not {_kind(value)}")


def _number(value: Any) -> float:
    if type(value) is int or type(value) is float:
        return value
    raise Mismatch(f"a number, not {_kind(value)}")


def _boolean(value: Any) -> bool:
    if type(value) is bool:
        return value
    raise Mismatch(f"true or false, not {_kind(value)}")


_PLAIN: dict[Any, Check] = {str: _text, int: _integer, float: _number, bool: _boolean}


def _kind(value: Any) -> str:
    """A value's type in JSON's words."""
    names = {str: "text", int: "a number", float: "a number", bool: "a boolean", list: "a list", dict: "an object"}
    return "null" if value is None else names.get(type(value), type(value).__name__)


def _one_of(options: tuple[Any, ...]) -> Check:
    def check(value: Any) -> Any:
        if type(value) is float and value.is_integer():
            value = int(value)
        if type(value) in (str, int) and value in options:
            return value
        raise Mismatch("one of " + ", ".join(str(option) for option in options))

    return check


def _list_of(check_item: Check) -> Check:
    def check(value: Any) -> list[Any]:
        if type(value) not in (list, tuple):
            raise Mismatch(f"a list, not {_kind(value)}")
        try:
            return [check_item(item) for item in value]
        except Mismatch as expected:
            raise Mismatch(f"a list in which each item is {expected}") from None

    return check


def _record(kind: Any) -> Check:
    """An object with the record's JSON keys, or with its fields' names, or the record itself."""
    hints = hints_of(kind)
    parts = [(key, checker(hints[field]), optional, default) for key, field, optional, default in form(kind)]
    keys = ", ".join(part[0] for part in parts)
    keys_of = {name: key for key, field, *_ in form(kind) for name in (field, key)}

    def check(value: Any) -> Any:
        if isinstance(value, kind):
            value = {part[0]: item for part, item in zip(parts, value, strict=True)}
        if not isinstance(value, dict) or not value.keys() <= keys_of.keys():
            raise Mismatch(f"an object with {keys}")
        value = {keys_of[name]: item for name, item in value.items()}
        fields = []
        for key, check_field, optional, default in parts:
            item = value.get(key)
            if item is None and not optional:
                raise Mismatch(f"an object that has {key}")
            try:
                fields.append(default if item is None else check_field(item))
            except Mismatch as expected:
                raise Mismatch(f"an object whose {key} is {expected}") from None
        return kind(*fields)

    return check


def _bounded(check: Check, mark: Text | Number | Items | Note) -> Check:
    if isinstance(mark, Note):
        return check
    if isinstance(mark, Number):
        least, most = mark.ge, mark.le

        def check_number(value: Any) -> Any:
            number = check(value)
            if not ((least is None or number >= least) and (most is None or number <= most)):
                raise Mismatch(f"from {least} to {most}")
            return number

        return check_number
    low, high, unit = mark.min, mark.max, "characters" if isinstance(mark, Text) else "items"

    def check_length(value: Any) -> Any:
        sized = check(value)
        if len(sized) < low or (high is not None and len(sized) > high):
            raise Mismatch(f"{low} to {high} {unit} long, not {len(sized)}")
        return sized

    return check_length
