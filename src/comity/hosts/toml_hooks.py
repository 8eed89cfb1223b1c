"""Hooks of a host in a TOML file, beside its other settings: ``[[hooks.EVENT]]`` with its ``[[hooks.EVENT.hooks]]``.

New ones are appended as text; only what stands there already goes through tomlkit.
"""

from __future__ import annotations

import re
from collections.abc import MutableMapping

import tomlkit

from comity.hosts import toml_edit
from comity.hosts.hook_install import Piece, ours, pieces
from comity.hosts.host import Wiring
from comity.hosts.jsonc_edit import Undo, newline_of
from comity.kernel.text import lenient

Events = dict[str, list[object]]
_HEAD = re.compile(r"[ \t]*\[\[?[ \t]*([^\]\s]+)[ \t]*\]")
_STATE = "state"  # beside the events: which hooks the user trusts


def events(text: str, wiring: Wiring) -> Events:
    """The groups of hooks that stand there, by event. Raises MalformedJsonc."""
    found = toml_edit.get(toml_edit.read(text), wiring.root)
    told = found.items() if isinstance(found, dict) else ()
    return {str(event): value for event, value in told if event != _STATE and isinstance(value, list) and value}


def as_json(text: str, wiring: Wiring) -> str:
    """The same hooks as a JSON file would hold them."""
    inner: object = events(text, wiring)
    for key in reversed(wiring.root):
        inner = {key: inner}
    return lenient(inner).decode()


def merge(text: str, wiring: Wiring, program: str, old: tuple[Undo, ...]) -> tuple[str, tuple[Undo, ...]]:
    """``text`` with the host's hooks as they are to be, and what takes them back."""
    wanted = pieces(wiring, program)
    there = [item for items in events(text, wiring).values() for item in items if ours(item, wiring.host)]
    if len(there) == len(wanted) and all(piece.value in there for piece in wanted):
        return text, old
    text = strip(text, wiring, old)
    newline = newline_of(text)
    lead = "" if not text.strip() else newline if text.endswith("\n") else newline * 2
    added = lead + newline.join(line for piece in wanted for line in _lines(piece))
    before = toml_edit.read(text)
    goal = before
    for piece in wanted:
        goal = _with(goal, piece)
    if toml_edit.matches(text + added, goal):
        return text + added, (Undo("append", wiring.root, None, hollow=added),)
    undos: list[Undo] = []
    for piece in wanted:  # written in a form that cannot be appended to
        now = toml_edit.get(toml_edit.read(text), piece.path)
        value = [*(now if isinstance(now, list) else []), piece.value]
        text, undo = toml_edit.set_value(text, piece.path, value)
        undos.append(undo)
    return text, tuple(undos)


def strip(text: str, wiring: Wiring, undos: tuple[Undo, ...]) -> str:
    """``text`` without the host's hooks, recorded or not."""
    plain = toml_edit.read(text)
    goal = _without(plain, wiring)
    if goal == plain:
        return text
    for undo in undos:
        if undo.hollow and text.count(undo.hollow) == 1:
            shorter = text.replace(undo.hollow, "")
            if toml_edit.matches(shorter, goal):
                return shorter
    shorter = _cut(text, wiring)
    if toml_edit.matches(shorter, goal):
        return shorter

    def drop(document: MutableMapping[str, object]) -> None:
        _drop(document, wiring, keep=toml_edit.get(goal, wiring.root) is not None)

    return toml_edit.edited(text, drop, goal)


def _cut(text: str, wiring: Wiring) -> str:
    """``text`` without the tables of events that run our hooks, as ``merge`` writes them."""
    lines = text.splitlines(keepends=True)
    heads = [(at, found[1]) for at, line in enumerate(lines) if (found := _HEAD.match(line)) is not None]
    kept, at = list[str](), 0
    for place, (start, name) in enumerate(heads):
        if start < at or not (name.startswith(".".join(wiring.root) + ".") and name.count(".") == len(wiring.root)):
            continue
        after = [begin for begin, other in heads[place + 1 :] if not other.startswith(f"{name}.")]
        end = after[0] if after else len(lines)
        while end > start and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
            end -= 1
        if ours("".join(lines[start:end]), wiring.host):
            end += end < len(lines) and not lines[end].strip()
            kept += lines[at:start]
            at = end
    return "".join([*kept, *lines[at:]])


def _drop(document: MutableMapping[str, object], wiring: Wiring, keep: bool) -> None:
    """Take our hooks out of a document, and with ``keep`` off the table that held them."""
    holder = document
    for key in wiring.root[:-1]:
        holder = _table(holder[key])
    hooks = _table(holder[wiring.root[-1]])
    for event in [event for event in hooks if event != _STATE]:
        items = hooks[event]
        if not isinstance(items, list):
            continue
        for at in reversed(range(len(items))):
            if ours(_plain(items[at]), wiring.host):
                del items[at]
        if not items:
            del hooks[event]
    if not keep:
        del holder[wiring.root[-1]]


def _table(found: object) -> MutableMapping[str, object]:
    if not isinstance(found, MutableMapping):
        raise TypeError(found)
    return found


def _plain(item: object) -> object:
    return item.unwrap() if hasattr(item, "unwrap") else item


def _with(plain: toml_edit.Table, piece: Piece) -> toml_edit.Table:
    now = toml_edit.get(plain, piece.path)
    return toml_edit.with_value(plain, piece.path, [*(now if isinstance(now, list) else []), piece.value])


def _without(plain: toml_edit.Table, wiring: Wiring) -> toml_edit.Table:
    """The document without our hooks, and without tables that held nothing else."""
    found = toml_edit.get(plain, wiring.root)
    if not isinstance(found, dict):
        return plain
    left: dict[str, object] = {}
    for event, items in found.items():
        kept = [one for one in items if not ours(one, wiring.host)] if isinstance(items, list) else items
        if kept or kept == items:
            left[event] = kept
    if left == found:
        return plain
    return toml_edit.with_value(plain, wiring.root, left) if left else toml_edit.without(plain, wiring.root, 0)


def _lines(piece: Piece) -> list[str]:
    """A group of hooks as lines of TOML, with an empty one after it."""
    assert isinstance(piece.value, dict)
    head = ".".join(piece.path)
    lines = [f"[[{head}]]", *_pairs(piece.value)]
    for hook in piece.value.get("hooks", []):
        lines += [f"[[{head}.hooks]]", *_pairs(hook)]
    return [*lines, ""]


def _pairs(table: dict[str, object]) -> list[str]:
    return [f"{key} = {tomlkit.item(value).as_string()}" for key, value in table.items() if not isinstance(value, list)]
