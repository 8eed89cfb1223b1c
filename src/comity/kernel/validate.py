"""Checks arguments from outside against an operation's signature, and says in words what is wrong.

Written by hand because a validation library cost a third of a server's start and a quarter of its memory
(docs/benchmarks.md); the few types that signatures use are all there is. A checker takes a value and answers it,
converted where JSON knows no difference (``10.0`` for an integer, a tuple for a list), or raises ``Mismatch``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from comity.kernel.argument import Number, Text
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Invalid
from comity.kernel.record import form
from comity.kernel.registry import AnyOp
from comity.kernel.shape import Choice, Fields, Flag, Integer, Nullable, Sequence, Shape, fields_of
from comity.kernel.signature import parameters

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
            raise unknown_argument(op.name, name, sorted(signature.checks))
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
        {p.name: checker(p.shape) for p in taken},
        tuple(p.name for p in taken if p.required),
        frozenset(p.name for p in taken if not p.required),
    )


def unknown_argument(operation: str, argument: str, known: Collection[str]) -> Invalid:
    """The complaint about an argument that a tool or an operation does not have."""
    return Invalid(
        "argument.unknown",
        f"{operation} has no argument {argument[:80]!r}.",
        f"Its arguments are: {', '.join(known)}." if known else "Its arguments are: none.",
        operation=operation,
    )


def checker(shape: Shape) -> Check:
    """The checker for values of one shape. Raises TypeError for shapes that only answers have."""
    match shape:
        case Text(_, least, most):
            return _sized(_text, least, most, "characters")
        case Integer(_, least, most):
            return _bounded(_integer, least, most)
        case Number(_, least, most):
            return _bounded(_number, least, most)
        case Flag():
            return _boolean
        case Choice(options):
            return _one_of(options)
        case Sequence(item, _, least, most):
            return _sized(_list_of(checker(item)), least, most, "items")
        case Fields(kind):
            return _record(kind)
        case Nullable(inner):
            return checker(inner)
    raise TypeError(f"no argument is a {type(shape).__name__}")


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
    shapes = fields_of(kind)
    parts = [(key, checker(shapes[field]), optional, default) for key, field, optional, default in form(kind)]
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


def _bounded(check: Check, least: float | None, most: float | None) -> Check:
    if least is None and most is None:
        return check

    def check_number(value: Any) -> Any:
        number = check(value)
        if not ((least is None or number >= least) and (most is None or number <= most)):
            raise Mismatch(f"from {least} to {most}")
        return number

    return check_number


def _sized(check: Check, least: int, most: int | None, unit: str) -> Check:
    if least == 0 and most is None:
        return check

    def check_length(value: Any) -> Any:
        sized = check(value)
        if len(sized) < least or (most is not None and len(sized) > most):
            raise Mismatch(f"{least} to {most} {unit} long, not {len(sized)}")
        return sized

    return check_length
