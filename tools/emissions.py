"""Which events each operation may append: found by following what its body calls, with the texts that are passed on."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from itertools import chain
from typing import NamedTuple

from tools import operation_table, source
from tools.source import Function, arguments, meant

EVENT = "comity.kernel.event.Event"
COLUMNS = ("event_type", "message_id", "delivery_id", "agent_id", "channel_id", "reason_code", "metadata", "subjects")
_ROOMS = "comity.rooms."
_ANY = "…"
_WORD = re.compile(r"[A-Za-z_.-]{1,60}")

Texts = tuple[str, ...]


class Context(NamedTuple):
    """What is known of a function's parameters: the texts, and the keys of objects, that are passed to them."""

    texts: tuple[tuple[str, Texts], ...] = ()
    keys: tuple[tuple[str, Texts], ...] = ()


class Emission(NamedTuple):
    """An event as one operation may append it. ``about`` are the columns that it fills, ``keys`` those of its metadata.

    ``subjects`` are kinds of things under which it is found; ``reasons`` are codes other than that all is well.
    """

    event_type: str
    operation: str
    about: Texts
    keys: Texts
    subjects: Texts
    reasons: Texts


@cache
def emissions() -> tuple[Emission, ...]:
    """Every event of every operation. Raises SystemExit for one whose type nobody can tell."""
    found = tuple(chain.from_iterable(map(_of_operation, operation_table.operations())))
    unknown = sorted({f"{one.operation}: {one.event_type}" for one in found if source.is_open(one.event_type)})
    if unknown:
        raise SystemExit(f"events whose type cannot be told from the source: {'; '.join(unknown)}")
    return found


def _of_operation(op: operation_table.Operation) -> Iterator[Emission]:
    body = source.functions()[f"{op.module}.{op.function}"]
    seen: set[tuple[str, Context]] = set()
    waiting = [(body, Context())]
    while waiting:
        function, context = waiting.pop()
        if (function.name, context) in seen:
            continue
        seen.add((function.name, context))
        for call in _read(function).events:
            yield from _emitted(op.name, call, function, context)
        for name, one in _read(function).used:
            if name in _emitting():
                called = source.functions()[name]
                waiting.append((called, _passed(one, function, called, context) if one is not None else Context()))


class Body(NamedTuple):
    """What the body of a function does: the events that it makes, the functions of rooms that it uses, and how."""

    events: tuple[ast.Call, ...]
    used: tuple[tuple[str, ast.Call | None], ...]


@cache
def _read(function: Function) -> Body:
    nodes = function.nodes
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    called = {id(node.func) for node in calls}
    used: list[tuple[str, ast.Call | None]] = []
    for call in calls:
        name = meant(call.func, function)
        used += [(name, call)] if _is_ours(name) else [(method, None) for method in _methods(call, function)]
    for node in nodes:
        if isinstance(node, ast.Name | ast.Attribute) and id(node) not in called:
            used += [(name, None) for name in (meant(node, function), *_held(function.module, node)) if _is_ours(name)]
    return Body(tuple(call for call in calls if meant(call.func, function) == EVENT), tuple(dict.fromkeys(used)))


@cache
def _emitting() -> frozenset[str]:
    """The functions of rooms from which an event can be reached."""
    rooms = [one for one in source.functions().values() if _is_ours(one.name)]
    found = {one.name for one in rooms if _read(one).events}
    size = 0
    while size != len(found):
        size = len(found)
        found |= {one.name for one in rooms if any(name in found for name, _ in _read(one).used)}
    return frozenset(found)


def _is_ours(name: str) -> bool:
    return name.startswith(_ROOMS) and name in source.functions()


def _methods(call: ast.Call, function: Function) -> list[str]:
    """The methods of a class that is made, or the one method of rooms that has the name which is called."""
    made = meant(call.func, function)
    if made.startswith(_ROOMS):
        return _by_class().get(made, [])
    if isinstance(call.func, ast.Attribute) and not made:
        found = _by_method().get(call.func.attr, [])
        return found if len(found) == 1 and _is_ours(found[0]) else []
    return []


@cache
def _by_class() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, one in source.functions().items():
        if one.owner:
            found.setdefault(f"{one.module}.{one.owner}", []).append(name)
    return found


@cache
def _by_method() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, one in source.functions().items():
        if one.owner:
            found.setdefault(one.node.name, []).append(name)
    return found


def _held(module: str, node: ast.AST) -> list[str]:
    """The names of what stands in a table that is a constant of the module."""
    held = source.modules()[module].constants.get(node.id) if isinstance(node, ast.Name) else None
    parts = ast.walk(held) if isinstance(held, ast.Dict | ast.Tuple) else ()
    return [meant(one, source.nowhere(module)) for one in parts if isinstance(one, ast.Name | ast.Attribute)]


def _emitted(operation: str, call: ast.Call, function: Function, context: Context) -> Iterator[Emission]:
    given = dict(zip(COLUMNS, call.args, strict=False)) | {word.arg: word.value for word in call.keywords if word.arg}
    filled = {name for name, value in given.items() if not (isinstance(value, ast.Constant) and value.value is None)}
    about = tuple(name for name in COLUMNS[1:5] if name in filled)
    keys = _keys(given["metadata"], function, context) if "metadata" in filled else ()
    subjects = tuple(dict.fromkeys(_kinds(given["subjects"], function))) if "subjects" in given else ()
    bound = dict(context.texts)
    reasons = source.texts(given["reason_code"], function, bound) if "reason_code" in given else ()
    for event_type in source.texts(call.args[0], function, bound):
        yield Emission(event_type, operation, about, keys, subjects, reasons)


def _kinds(value: ast.expr, function: Function) -> Iterator[str]:
    """The kinds of things in pairs of a kind and an id."""
    for node in ast.walk(value):
        if isinstance(node, ast.Tuple) and len(node.elts) == 2 and isinstance(node.elts[0], ast.Constant):
            yield str(node.elts[0].value)
        elif isinstance(node, ast.Name):
            yield from (kind for one in source.assigned(node.id, function) for kind in _kinds(one, function))


def _passed(call: ast.Call, caller: Function, called: Function, context: Context) -> Context:
    """What a call tells of the parameters of the function that it calls."""
    bound = dict(context.texts)
    passed = arguments(call, called)
    texts, keys = {}, {}
    for name in called.taken:
        if name in passed:
            found = source.texts(passed[name], caller, bound)
            if all(_WORD.fullmatch(text) for text in found):
                texts[name] = found
            if name in _objects(called):
                keys[name] = _keys(passed[name], caller, context)
    rest = called.node.args.kwarg
    if rest is not None:
        keys[rest.arg] = tuple(word.arg for word in call.keywords if word.arg and word.arg not in called.taken)
    known = {name: found for name, found in keys.items() if found and found != (_ANY,)}
    return Context(tuple(sorted(texts.items())), tuple(sorted(known.items())))


def _objects(function: Function) -> set[str]:
    """The parameters that take an object with keys."""
    given = (*function.node.args.args, *function.node.args.kwonlyargs)
    return {one.arg for one in given if one.annotation is not None and "dict[" in ast.unparse(one.annotation)}


def _keys(value: ast.expr, function: Function, context: Context) -> Texts:
    """The keys that an object may have."""
    return tuple(dict.fromkeys(_all_keys(value, function, context)))


def _all_keys(value: ast.expr, function: Function, context: Context) -> Iterator[str]:
    match value:
        case ast.Dict(keys, values):
            for key, item in zip(keys, values, strict=True):
                if key is None:
                    yield from _keys(item, function, context)
                else:
                    yield from source.texts(key, function)
        case ast.IfExp(_, one, other) | ast.BinOp(one, ast.BitOr(), other):
            yield from chain(_keys(one, function, context), _keys(other, function, context))
        case ast.Constant():
            return
        case ast.Name(name) if name in dict(context.keys):
            yield from dict(context.keys)[name]
        case ast.Name(name):
            yield from _assigned_keys(name, function, context)
        case ast.Call(func) if _is_ours(meant(func, function)):
            called = source.functions()[meant(func, function)]
            inner = _passed(value, function, called, context)
            for node in called.nodes:
                if isinstance(node, ast.Return) and node.value is not None:
                    yield from _keys(node.value, called, inner)
        case _:
            yield _ANY


def _assigned_keys(name: str, function: Function, context: Context) -> Iterator[str]:
    """The keys that a local object is made with or gets later."""
    for node in function.nodes:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
            yield from _keys(node.value, function, context) if node.value is not None else ()
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
            yield from _keys(node.value, function, context)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name) and target.id == name:
                    yield from _keys(node.value, function, context)
                elif (
                    isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name) and target.value.id == name
                ):
                    yield from source.texts(target.slice, function)
