"""One server entry in a TOML file. New tables are appended as text; only what stands there goes through tomlkit.

tomlkit keeps comments and layout; every result is read again by the standard library and must differ from the
original in the entry alone.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, MutableMapping

import tomlkit
from tomlkit.exceptions import TOMLKitError

from comity.hosts.jsonc import MalformedJsonc
from comity.hosts.jsonc_edit import Path, Undo, newline_of

Table = dict[str, object]


def read(text: str) -> Table:
    """The document as Python has it. Raises MalformedJsonc."""
    try:
        return tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as error:
        where = str(error).rpartition("line ")[2].partition(",")[0]
        raise MalformedJsonc(str(error), int(where) if where.isdigit() else text.count("\n") + 1) from None
    except RecursionError:
        raise MalformedJsonc("nested too deep", 1) from None


def get(plain: Table, path: Path) -> object:
    """What stands at ``path``, or None."""
    node: object = plain
    for key in path:
        node = node.get(key) if isinstance(node, dict) else None
    return node


def set_entry(text: str, path: Path, entry: Table) -> tuple[str, Undo]:
    """Put ``entry`` at ``path`` (section, name). Raises MalformedJsonc when that cannot be done without harm."""
    plain = read(text)
    if get(plain, path) is None:
        added = _appendix(text, path, entry)
        if matches(text + added, with_value(plain, path, entry)):
            return text + added, Undo("append", path, entry, hollow=added)
    return set_value(text, path, entry)


def set_value(text: str, path: Path, entry: object) -> tuple[str, Undo]:
    """Put ``entry`` at ``path``, in the place of what is there. Raises MalformedJsonc as ``set_entry`` does."""
    plain = read(text)
    old = get(plain, path)
    wanted = with_value(plain, path, entry)
    was = None if old is None else tomlkit.dumps({path[-1]: old})
    depth = len(path) if old is not None else len(path) - 1 if get(plain, path[:-1]) is not None else 0

    def put(document: MutableMapping[str, object]) -> None:
        for key in path[:-1]:
            inner = document.setdefault(key, tomlkit.table())
            if not isinstance(inner, MutableMapping):
                raise TypeError(key)
            document = inner
        document[path[-1]] = entry

    return edited(text, put, wanted), Undo("key", path, entry, was, depth)


def revert(text: str, undo: Undo) -> str:
    """``text`` without the entry, with the entry it replaced put back."""
    if undo.hollow and text.count(undo.hollow) == 1:
        shorter = text.replace(undo.hollow, "")
        if matches(shorter, without(read(text), undo.path, undo.depth)):
            return shorter
    if undo.was is not None:
        old = read(undo.was)[undo.path[-1]]
        if isinstance(old, dict):
            return set_entry(text, undo.path, old)[0]
    return remove(text, undo.path, undo.depth)


def remove(text: str, path: Path, depth: int | None = None) -> str:
    """``text`` without what is at ``path``, and without its section when that is empty and not the user's own."""
    plain = read(text)
    if get(plain, path) is None:
        return text
    own = len(path) - 1 if depth is None else depth
    try:
        return _dropped(text, path, without(plain, path, own))
    except MalformedJsonc:
        return _dropped(text, path, without(plain, path, 0))  # [section] stood nowhere: it goes with [section.name]


def _dropped(text: str, path: Path, wanted: Table) -> str:
    """``text`` without what is at ``path``, and without the sections above it that are not in ``wanted``."""

    def drop(document: MutableMapping[str, object]) -> None:
        holders = [document]
        for key in path[:-1]:
            inner = holders[-1][key]
            if not isinstance(inner, MutableMapping):
                raise TypeError(key)
            holders.append(inner)
        del holders[-1][path[-1]]
        for holder, key in zip(reversed(holders[:-1]), reversed(path[:-1]), strict=True):
            if key not in wanted and not holder[key]:
                del holder[key]

    return edited(text, drop, wanted)


def is_empty(text: str) -> bool:
    """Whether neither a key nor a comment is left."""
    return not read(text) and "#" not in text


def _appendix(text: str, path: Path, entry: Table) -> str:
    newline = newline_of(text)
    lead = "" if not text.strip() else newline if text.endswith("\n") else newline * 2
    inner: Table = {path[-1]: entry}
    for key in reversed(path[:-1]):
        inner = {key: inner}
    lines = tomlkit.dumps(inner).strip("\n").split("\n")
    headers = [at for at, line in enumerate(lines) if line.startswith("[")]
    full = "[" + ".".join(path) + "]"
    return lead + newline.join(lines[lines.index(full) if full in lines else min(headers, default=0) :]) + newline


def edited(text: str, change: Callable[[MutableMapping[str, object]], None], wanted: Table) -> str:
    """``text`` after ``change``, which must make ``wanted`` of it. Raises MalformedJsonc."""
    uniform = text.count("\r\n") == text.count("\n") > 0
    source = text.replace("\r\n", "\n") if uniform else text
    try:
        document = tomlkit.parse(source)
        if document.as_string() != source:
            raise MalformedJsonc("this TOML cannot be edited without changing other parts", 1)
        change(document)
        result = document.as_string()
    except (TOMLKitError, TypeError, KeyError, AttributeError, ValueError):
        raise MalformedJsonc("this TOML cannot be edited safely", 1) from None
    if not matches(result, wanted):
        raise MalformedJsonc("this TOML cannot be edited safely", 1)
    return result.replace("\n", "\r\n") if uniform else result


def matches(text: str, wanted: Table) -> bool:
    """Whether ``text`` is TOML and says this."""
    try:
        return read(text) == wanted
    except MalformedJsonc:
        return False


def with_value(plain: Table, path: Path, value: object) -> Table:
    """``plain`` with ``value`` at ``path``."""
    inner = plain.get(path[0])
    rest = value if len(path) == 1 else with_value(dict(inner) if isinstance(inner, dict) else {}, path[1:], value)
    return {**plain, path[0]: rest}


def without(plain: Table, path: Path, depth: int) -> Table:
    """``plain`` without ``path``, and without the tables from ``depth`` on that are empty then."""
    rest = dict(plain)
    inner = rest.get(path[0])
    if len(path) == 1 or not isinstance(inner, dict):
        rest.pop(path[0], None)
        return rest
    left = without(inner, path[1:], depth - 1)
    if left or depth > 0:
        rest[path[0]] = left
    else:
        del rest[path[0]]
    return rest
