"""The kinds of file that ``init`` edits, behind three functions: ``merge``, ``strip`` and ``is_empty``.

All work on text without its byte order mark and raise MalformedJsonc. Undos that the record holds from an earlier run
go in, those to be recorded come out.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from comity.hosts import config, hook_edit, ignore, jsonc_edit, markdown, toml_edit
from comity.hosts.host import SERVER, Host, Wiring, starts
from comity.hosts.jsonc import MalformedJsonc, find, parse
from comity.hosts.jsonc_edit import Undo
from comity.kernel.named_tuple import NamedTuple

_SERVER_KEYS = frozenset({"command", "url", "httpUrl", "serverUrl"})  # by one of these a server's entry is known


class Target(NamedTuple):
    """One file. ``kind``: ``config``, ``ignore``, ``exclude``, ``host``, ``hooks`` or ``block``. An empty ``block`` is
    that of a file that takes in another with the block.

    A host's file may hold its hooks as well: ``wirings`` says which, ``program`` what they run.
    """

    kind: str
    base: Path
    name: str  # relative to ``base``
    hosts: tuple[Host, ...] = ()
    block: str = ""
    want: config.ConfigOptions | None = None
    now: str = ""
    force: bool = False
    wirings: tuple[Wiring, ...] = ()
    program: str = ""
    lines: tuple[str, ...] = ()

    @property
    def readers(self) -> tuple[str, ...]:
        """Names of the hosts that read it."""
        return tuple(dict.fromkeys((*(host.name for host in self.hosts), *(one.host for one in self.wirings))))


class Merged(NamedTuple):
    """The new text, how to take it back, and what the user should know."""

    text: str
    undos: tuple[Undo, ...]
    notes: tuple[str, ...] = ()


def merge(target: Target, text: str | None, old: tuple[Undo, ...]) -> Merged:
    """``text`` (None: no file) with everything in it that ``init`` wants there."""
    if target.kind in {"host", "hooks"}:
        return _merge_hooks(target, text or "", old)
    if target.kind == "exclude":
        new, undo = ignore.put(text or "", target.lines)
        return Merged(new, _more_lines(old, undo))
    if target.kind == "block":
        if not target.block:
            return Merged(strip(target, text or "", old), (), (f"it takes {markdown.FILE} in",))
        new, undo = markdown.put(text or "", target.block)
    elif target.kind == "ignore":
        new, undo = ignore.put(text or "")
    else:
        assert target.want is not None
        new, undos, _ = config.put(text, target.want, target.now, target.force)
        return Merged(new, _chained(old, undos))
    return Merged(new, _chained(old, [undo] if undo else []))


def strip(target: Target, text: str, undos: tuple[Undo, ...]) -> str:
    """``text`` without what ``init`` put there, and with what that replaced."""
    of_hooks, undos = _parted(target, undos)
    for wiring in target.wirings:
        text = hook_edit.strip(text, wiring, of_hooks)
    for undo in reversed(undos):
        text = _strip_one(target, text, undo)
    if target.kind == "block" and not undos:
        text = _strip_one(target, text, Undo("block", (), None))
    if target.kind == "host":
        path = (*target.hosts[0].section, SERVER)
        if starts(entry_of(target, text)) == "comity":
            text = toml_edit.remove(text, path) if _is_toml(target) else jsonc_edit.remove(text, path)
    return text


def is_empty(target: Target, text: str) -> bool:
    """Whether a file that ``init`` made has nothing left in it."""
    if target.kind in {"config", "host", "hooks"} and not any(one.whole for one in target.wirings):
        return toml_edit.is_empty(text) if _is_toml(target) else jsonc_edit.is_empty(text)
    return not text.strip()


def servers(target: Target, text: str) -> dict[str, object]:
    """The server entries of a host's file."""
    section = target.hosts[0].section
    if _is_toml(target):
        found = toml_edit.get(toml_edit.read(text), section)
    else:
        node = find(parse(text), section)
        found = node.plain() if node is not None else None
    return {str(key): value for key, value in found.items()} if isinstance(found, dict) else {}


def entry_of(target: Target, text: str) -> object:
    """The entry ``macp`` of a host's file, or None."""
    return servers(target, text).get(SERVER)


def doubles(target: Target, text: str) -> list[str]:
    """Names of other entries that start Comity or the original as well."""
    return [name for name, entry in servers(target, text).items() if name != SERVER and starts(entry)]


def other_shape(host: Host, text: str) -> str:
    """Why an entry of ours would take the servers that stand in the file from whoever reads them; empty: it would not.

    A file that has its servers at the top, as plugins write it, would be read in the host's own form from then on.
    """
    root = parse(text)
    plain = root.plain() if root is not None else None
    if not isinstance(plain, dict) or host.section[0] in plain:
        return ""
    tables = {name: value for name, value in plain.items() if isinstance(value, dict)}
    if not tables or any(_SERVER_KEYS.isdisjoint(value) for value in tables.values()):
        return ""
    return f"left alone: {next(iter(tables))} stands in it without {host.section[0]}, beside which it would not be read"


def _without_old_wishes(target: Target, text: str, old: tuple[Undo, ...]) -> tuple[str, tuple[Undo, ...]]:
    """``text`` without what an earlier version put into lists of the file, and no longer does."""
    host = target.hosts[0]
    kept = {(*host.section, SERVER), *(where for where, _ in host.defaults), *(wish.path for wish in host.includes)}
    gone = [undo for undo in old if undo.path not in kept]
    for undo in reversed(gone):
        text = _strip_one(target, text, undo)
    return text, tuple(undo for undo in old if undo not in gone)


def _is_toml(target: Target) -> bool:
    return bool(target.hosts) and target.hosts[0].format == "toml"


def _merge_hooks(target: Target, text: str, old: tuple[Undo, ...]) -> Merged:
    """A host's server entry and its hooks, or its hooks alone."""
    of_hooks, rest = _parted(target, old)
    merged = _merge_host(target, text, rest) if target.kind == "host" else Merged(text, ())
    text, undos, notes = merged.text, merged.undos, merged.notes
    for wiring in target.wirings:
        if wiring.whole is not None and text.strip() and not hook_edit.is_ours(text):
            notes = (*notes, "this file is not ours: it is left as it is")
            continue
        put = hook_edit.merge(text, wiring, target.program, of_hooks)
        text, undos = put.text, (*undos, *put.undos)
    return Merged(text, undos, notes)


def _parted(target: Target, undos: tuple[Undo, ...]) -> tuple[tuple[Undo, ...], tuple[Undo, ...]]:
    """The undos of hooks, and the others."""
    if target.kind == "hooks":
        return undos, ()
    mine = tuple(undo for undo in undos if target.wirings and undo.path[:1] == ("hooks",))
    return mine, tuple(undo for undo in undos if undo not in mine)


def _more_lines(old: tuple[Undo, ...], undo: Undo | None) -> tuple[Undo, ...]:
    """One undo for the lines of every run."""
    if undo is None or not old or not isinstance(old[0].value, list) or not isinstance(undo.value, list):
        return old if undo is None else (undo,)
    return (old[0]._replace(value=[*old[0].value, *undo.value]),)


def _merge_host(target: Target, text: str, old: tuple[Undo, ...]) -> Merged:
    host, notes, undos = target.hosts[0], [], list[Undo]()
    if not _is_toml(target) and (shape := other_shape(host, text)):
        return Merged(text, old, (shape,))
    text, old = _without_old_wishes(target, text, old)
    path = (*host.section, SERVER)
    there = entry_of(target, text)
    known = {undo.path: undo for undo in old}.get(path)
    for where, value in host.defaults:
        if find(parse(text), where) is None:
            text, undo = jsonc_edit.set_value(text, where, value)
            undos.append(undo._replace(kind="default"))
    if starts(there) == "comity" and there != host.entry and (known is None or there != known.value):
        notes.append(f"your own {SERVER} entry is kept")
    elif there != host.entry:
        edit = toml_edit.set_entry if _is_toml(target) else jsonc_edit.set_value
        text, undo = edit(text, path, host.entry)
        if known is not None and there == known.value:
            undo = known._replace(value=host.entry)
        elif there is not None:
            notes.append(f"the entry {SERVER} that was there is replaced; --remove gives it back")
        undos.append(undo)
    for wish in host.includes:
        try:
            text, included = jsonc_edit.include(text, wish.path, wish.value, wish.also)
        except MalformedJsonc as error:
            notes.append(f"line {error.line}: {error.message}; add {wish.value} yourself")
        else:
            undos += [included] if included else []
    twice = 'the entry "{}" starts a second server: an agent would have two identities'
    notes += [twice.format(name) for name in doubles(target, text)]
    return Merged(text, _chained(old, undos), tuple(notes))


def _chained(old: tuple[Undo, ...], new: Iterable[Undo]) -> tuple[Undo, ...]:
    """The recorded undos, those of the same place replaced by the new ones."""
    new = tuple(new)
    places = {(undo.path, undo.kind == "item") for undo in new}
    return (*(undo for undo in old if (undo.path, undo.kind == "item") not in places), *new)


def _strip_one(target: Target, text: str, undo: Undo) -> str:
    if undo.kind == "block":
        where = markdown.span(text)
        ours = where is not None and "comity" in text[where[0] : where[1]].lower()
        return markdown.take_out(text, undo) if ours else text
    if undo.kind == "lines":
        return ignore.take_out(text, undo)
    if _is_toml(target):
        there: object = toml_edit.get(toml_edit.read(text), undo.path)
        ours = there == undo.value or starts(there) == "comity"
        return toml_edit.revert(text, undo) if ours else text
    node = find(parse(text), undo.path)
    there = node.plain() if node is not None else None
    if undo.kind == "item" or (undo.kind == "set" and target.kind == "config"):
        return jsonc_edit.revert(text, undo)
    if there == undo.value or (undo.path[-1] == SERVER and starts(there) == "comity"):
        return jsonc_edit.revert(text, undo)
    if isinstance(undo.value, list) and isinstance(there, list):
        return _strip_list(text, undo, there)
    return text


def _strip_list(text: str, undo: Undo, there: list[object]) -> str:
    """Take what ``include`` put into a list out again that the user has since added to."""
    before = parse(undo.was) if undo.was is not None else None
    kept = before.plain() if before is not None else None
    added = [item for item in undo.value if item != kept] if isinstance(undo.value, list) else []
    if undo.was is not None and [item for item in there if item not in added] == [kept]:
        return jsonc_edit.revert(text, undo)
    for item in added[:1]:
        text = jsonc_edit.revert(text, undo._replace(kind="item", value=item, was=None, hollow=None))
    return text
