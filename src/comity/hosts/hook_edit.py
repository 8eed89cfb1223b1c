"""Hooks in a host's file: put there next to the user's own, found again, and taken out."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator

from comity.hosts import jsonc_edit, toml_hooks
from comity.hosts.hook_install import Piece, ours, pieces
from comity.hosts.host import Wiring
from comity.hosts.jsonc import Node, find, parse
from comity.hosts.jsonc_edit import Undo
from comity.kernel.named_tuple import NamedTuple

_HEAD = "// Written by `comity init`"
_PROGRAM = re.compile(r"^const COMMAND = (\[.*\])$", re.MULTILINE)


class Put(NamedTuple):
    """The new text, and what takes it back."""

    text: str
    undos: tuple[Undo, ...]


def merge(text: str, wiring: Wiring, program: str, old: tuple[Undo, ...]) -> Put:
    """``text`` with the host's hooks as they are to be. ``old`` are recorded undos of this host's hooks."""
    if wiring.whole is not None:
        return Put(_whole(wiring, program), ())
    if wiring.toml:
        return Put(*toml_hooks.merge(text, wiring, program, old))
    wanted = pieces(wiring, program)
    if all(_stands(text, piece) for piece in wanted) and not _stale(text, wiring, wanted):
        return Put(text, old)
    text = strip(text, wiring, old)
    undos: list[Undo] = []
    for path, value in wiring.defaults:
        if find(parse(text), path) is None:
            text, undo = jsonc_edit.set_value(text, path, value)
            undos.append(undo._replace(kind="default"))
    for piece in wanted:
        if piece.listed:
            text, included = jsonc_edit.include(text, piece.path, piece.value)
            undos += [included] if included is not None else []
        else:
            text, undo = jsonc_edit.set_value(text, piece.path, piece.value)
            undos.append(undo)
    return Put(text, tuple(undos))


def is_ours(text: str) -> bool:
    """Whether a whole file is one that ``init`` wrote."""
    return text.startswith(_HEAD)


def strip(text: str, wiring: Wiring, undos: tuple[Undo, ...]) -> str:
    """``text`` without the host's hooks, recorded or not. Keys that only a file of ours needs go when nothing else
    is left.
    """
    if wiring.whole is not None:
        return "" if is_ours(text) else text
    if wiring.toml:
        return toml_hooks.strip(text, wiring, undos)
    defaults = [undo for undo in undos if undo.kind == "default"]
    for undo in reversed([undo for undo in undos if undo.kind != "default"]):
        text = _take(text, undo)
    for path, item in _found(text, wiring):
        text = jsonc_edit.revert(text, Undo("item", path, item)) if path[-1:] != ("comity",) else _drop(text, path)
    bare = text
    for undo in reversed(defaults):
        node = find(parse(bare), undo.path)
        if node is not None and node.plain() == undo.value:
            bare = jsonc_edit.revert(bare, undo)
    return bare if not defaults or jsonc_edit.is_empty(bare) else text


def holds(text: str, wiring: Wiring, program: str) -> tuple[int, int]:
    """How many of the hooks stand in ``text`` exactly, and how many there are."""
    if wiring.whole is not None:
        return int(text == _whole(wiring, program)), 1
    wanted = pieces(wiring, program)
    text = toml_hooks.as_json(text, wiring) if wiring.toml else text
    return sum(_stands(text, piece) for piece in wanted), len(wanted)


def commands(text: str, wiring: Wiring) -> dict[str, str]:
    """The installed commands by event, as they stand in the file."""
    if wiring.whole is not None:
        named = _PROGRAM.search(text)
        program = shlex.join(json.loads(named[1])) if named and is_ours(text) else ""
        return {event: f"{program} hook {wiring.host} {event}" for event in wiring.events} if program else {}
    found: dict[str, str] = {}
    for value in every(text, wiring):
        found.setdefault(value.split(f" hook {wiring.host} ", 1)[-1].split()[0], value)
    return found


def every(text: str, wiring: Wiring) -> list[str]:
    """Every command in the file that runs a hook of Comity; of a plugin, those that it would run."""
    if wiring.whole is not None:
        return list(commands(text, wiring).values())
    root = parse(toml_hooks.as_json(text, wiring) if wiring.toml else text)
    return list(_commands(root.plain() if root is not None else None, wiring.host))


def written(text: str, wiring: Wiring, programs: tuple[str, ...]) -> set[str]:
    """The commands that ``init`` would write for these programs; those of a plugin only if it is just as written."""
    if wiring.whole is not None:
        return {
            one for program in programs if text == _whole(wiring, program) for one in commands(text, wiring).values()
        }
    values = [piece.value for program in programs for piece in pieces(wiring, program)]
    return set(_commands(values, wiring.host))


def _whole(wiring: Wiring, program: str) -> str:
    """The text of a file that is ours as a whole, for a program as a shell takes it."""
    assert wiring.whole is not None
    return wiring.whole(program)


def _commands(value: object, host: str) -> Iterator[str]:
    """Every text in it that runs Comity's hook for this host."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for inside in value:
            yield from _commands(inside, host)
    elif isinstance(value, str) and ours(value, host):
        yield value


def _stands(text: str, piece: Piece) -> bool:
    node = find(parse(text), piece.path)
    there = node.plain() if node is not None else None
    return piece.value in there if piece.listed and isinstance(there, list) else there == piece.value


def _stale(text: str, wiring: Wiring, wanted: tuple[Piece, ...]) -> bool:
    known = [(piece.path, piece.value) for piece in wanted]
    return any(one not in known for one in _found(text, wiring))


def _found(text: str, wiring: Wiring) -> list[tuple[tuple[str, ...], object]]:
    """Pieces of ours, wherever they stand: items of the lists of events, and the named bundle."""
    root = parse(text)
    if root is None or root.kind != "object":
        return []
    found: list[tuple[tuple[str, ...], object]] = []
    bundle = root.member("comity")
    if bundle is not None and ours(bundle.value.plain(), wiring.host):
        found.append((("comity",), bundle.value.plain()))
    hooks = root.member("hooks")
    for path, node in (((), root), (("hooks",), hooks.value if hooks is not None else None)):
        found += _items(path, node, wiring.host)
    return found


def _items(path: tuple[str, ...], node: Node | None, host: str) -> list[tuple[tuple[str, ...], object]]:
    if node is None or node.kind != "object":
        return []
    return [
        ((*path, str(child.key)), item)
        for child in node.children
        if child.value.kind == "array"
        for item in (one.value.plain() for one in child.value.children)
        if ours(item, host)
    ]


def _take(text: str, undo: Undo) -> str:
    node = find(parse(text), undo.path)
    there = node.plain() if node is not None else None
    if undo.kind == "item":
        return jsonc_edit.revert(text, undo)
    if there == undo.value:
        return jsonc_edit.revert(text, undo)
    if isinstance(undo.value, list) and isinstance(there, list):  # the user has added to our list
        for item in undo.value:
            text = jsonc_edit.revert(text, Undo("item", undo.path, item))
    return text


def _drop(text: str, path: tuple[str, ...]) -> str:
    return jsonc_edit.remove(text, path)
