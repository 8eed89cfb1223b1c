"""Records in words: what a shape allows, the fields of records, and the reference page of those that lie in answers."""

from __future__ import annotations

import inspect
import json
import re
from functools import cache
from typing import Any

from comity.kernel.argument import Number, Text
from comity.kernel.record import form
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
from comity.kernel.signature import answer_of, parameters
from comity.rooms import REGISTRY


def page() -> str:
    """The text of ``records.md``."""
    lines = [
        "# Records",
        "",
        "What lies inside of arguments and answers. Keys are those of the JSON; in Python a field has the same name in",
        "`snake_case`. A field marked *optional* is left out while it has nothing to say.",
    ]
    for kind, name in sorted(names().items(), key=lambda pair: pair[1]):
        lines += ["", f"## {name}", "", *_explained(kind), *fields(kind)]
        lines += ["", f"In: {', '.join(f'[`{op}`]({op}.md)' for op in _users()[kind])}."]
    return "\n".join([*lines, ""])


def _explained(kind: Any) -> list[str]:
    doc = prose(kind.__doc__ or "")
    return [doc, ""] if doc else []


def prose(docstring: str) -> str:
    """A docstring as Markdown: evenly indented, names in single backticks."""
    return re.sub(r"``([^`]+)``", r"`\1`", inspect.cleandoc(docstring))


def fields(kind: Any) -> list[str]:
    """A table of a record's fields."""
    lines = ["| key | what it is | meaning |", "| --- | --- | --- |"]
    for key, name, optional, _ in form(kind):
        shape = fields_of(kind)[name]
        left_out = ", *optional*" if optional else ""
        lines.append(f"| `{key}` | {words(shape)}{left_out} | {shape.doc} |")
    if not any(shape.doc for shape in fields_of(kind).values()):
        lines = [line.removesuffix(" meaning |").removesuffix(" --- |").removesuffix("  |") for line in lines]
        lines = [line if line.endswith("|") else f"{line} |" for line in lines]
    return lines


def words(shape: Shape) -> str:
    """What a shape allows, in words; records are links to where they are told."""
    match shape:
        case Text(_, least, most):
            return f"text{_between(least or None, most, ' characters')}"
        case Integer(_, least, most):
            return f"whole number{_between(least, most)}"
        case Number(_, least, most):
            return f"number{_between(least, most)}"
        case Flag():
            return "true or false"
        case Choice(options):
            return "one of " + ", ".join(f"`{json.dumps(option)}`" for option in options)
        case Sequence(item, _, least, most):
            return f"list of {_each(item)}{_between(least or None, most, ' items')}"
        case Mapped(value):
            return f"object, each value {words(value)}"
        case Fields(kind):
            return f"[{names()[kind]}](records.md#{names()[kind].lower()})" if kind in names() else "object"
        case Nullable(inner):
            return f"{words(inner)}, or null"
        case Anything():
            return "any JSON"


def _each(shape: Shape) -> str:
    """What a list holds."""
    match shape:
        case Text():
            return f"texts{_between(shape.min or None, shape.max, ' characters each')}"
        case Integer():
            return "whole numbers"
        case Number():
            return "numbers"
    return words(shape)


def _between(least: float | None, most: float | None, unit: str = "") -> str:
    if most is None:
        return f", {least:,} or more{unit}" if least is not None else ""
    return f", {least:,} to {most:,}{unit}" if least is not None else f", at most {most:,}{unit}"


@cache
def names() -> dict[Any, str]:
    """The records that have a section of their own, by type: all that lie inside of another shape."""
    found: dict[Any, str] = {}
    for kind in _users():
        name = kind.__name__
        if name in found.values():  # rooms have some words in common
            name = kind.__module__.split(".")[2].capitalize() + name
        found[kind] = name
    return found


@cache
def _users() -> dict[Any, list[str]]:
    """The operations in which a record lies, by type."""
    found: dict[Any, list[str]] = {}

    def visit(shape: Shape, op: str, seen: set[Any], *, inside: bool) -> None:
        match shape:
            case Fields(kind):
                if inside and op not in found.setdefault(kind, []):
                    found[kind].append(op)
                if kind not in seen:
                    seen.add(kind)
                    for one in fields_of(kind).values():
                        visit(one, op, seen, inside=True)
            case Sequence(inner) | Mapped(inner) | Nullable(inner):
                visit(inner, op, seen, inside=True)

    for name in sorted(REGISTRY.names()):
        op = REGISTRY.get(name)
        seen: set[Any] = set()
        visit(answer_of(op), name, seen, inside=False)
        for parameter in parameters(op):
            visit(parameter.shape, name, seen, inside=True)
    return found
