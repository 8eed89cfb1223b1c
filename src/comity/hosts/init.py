"""``comity init``: tell every agent host of a checkout about the server, and take it back.

``plan`` reads and decides, ``apply`` writes, ``remove`` plans the way back. Files come in the order of MACP v1.0
reference section 7.2, after the record of what was there before; everything is parsed before anything is written.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from comity.hosts import config, files, init_record, instructions, markdown, target
from comity.hosts.catalog import chosen
from comity.hosts.files import CONFIG_NAME
from comity.hosts.hook_install import BY_PATH, running, wirings
from comity.hosts.host import Host, Wiring
from comity.hosts.init_record import InitRecord, RecordedFile, Section
from comity.hosts.jsonc import MalformedJsonc, parse
from comity.hosts.layout import (
    IGNORE_NAME,
    ProjectPaths,
    excluded,
    fitting,
    host_files,
    in_place,
    section_name,
    workspace,
)
from comity.hosts.plan import DEFAULTS, Action, FileChange, InitReport, Options, Plan, apply
from comity.hosts.remote import at, remote
from comity.hosts.removal import give_back, remove
from comity.hosts.target import Target
from comity.hosts.versions import Versions, lost, shown, supported
from comity.kernel.clock import Clock, Instant
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Problem
from comity.settings import toml_of

__all__ = ["FileChange", "InitReport", "Options", "Plan", "apply", "plan", "remove"]


class _Step(NamedTuple):
    change: FileChange
    entry: RecordedFile | None  # what the record is to hold, None: as it was
    notes: tuple[str, ...]


def plan(root: Path, options: Options = DEFAULTS, clock: Clock | None = None, versions: Versions | None = None) -> Plan:
    """What ``init`` would do for the project of ``root``, a subfolder or linked worktree of it included. ``versions``
    are those of the hosts, as far as they are known: their hooks are made for them.

    Raises Invalid for options that cannot be met, and when the record of an earlier run cannot be read; what is
    wrong with a single file is in that file's FileChange.
    """
    if options.remove:
        return remove(root, options)
    elsewhere = remote(options.url, options.token_env)
    picked = chosen(options.hosts)
    if elsewhere is not None:
        picked = tuple(at(host, elsewhere) for host in picked)
        options = options._replace(hooks=options.hooks and elsewhere.here)
    place = workspace(root)
    now = (clock.now() if clock else Instant.at(time.time_ns() // 1_000_000)).iso
    want = config.wanted(place.root, options.project_id, options.channel, options.db)
    want = want._replace(known=stated_ids(place.checkout))
    held, kept = init_record.own(place.root)
    settled = settled_ids(place.root, want, options.force)
    own = kept.section(section_name(place))
    told = instructions.decide(place.checkout, picked, own)
    hooks = _hooks(place, options, versions or {})
    targets = _targets(place, picked, want, now, hooks, options.force)
    if _holds_hosts(place):
        targets += _blocks(place, settled, told)
    steps, notes = steps_of(targets, kept, place)
    keep(kept, place, targets, steps)
    retired = give_back(
        [*(Target("block", place.checkout, name) for name in told.retired), *_left(place, hooks, versions or {})], own
    )
    after = init_record.dump(kept)
    changes = [*(step.change for step in steps), *retired]
    if any(change.writes for change in changes) and after is not None and after != held.data:
        action: Action = "create" if held.data is None else "update"
        note = "what --remove gives back"
        changes.insert(0, FileChange(init_record.NAME, held.path, action, held.data, after, note))
    notes = (*notes, *told.notes, *_hook_notes(targets, steps, options), *_version_notes(options, versions or {}))
    notes = (*notes, *_place_notes(root, place))
    return Plan(place.root, place.checkout, *settled, tuple(changes), options, notes)


def _targets(
    place: ProjectPaths,
    picked: tuple[Host, ...],
    want: config.ConfigOptions,
    now: str,
    hooks: tuple[Wiring, ...],
    force: bool,
) -> list[Target]:
    targets = [
        Target("config", place.root, CONFIG_NAME, want=want, now=now, force=force),
        Target("ignore", place.root, IGNORE_NAME),
    ]
    if not _holds_hosts(place):
        return targets
    of_hosts = host_files(place, picked, hooks, running() if hooks else BY_PATH)
    exclude = excluded(place, [item for item in of_hosts if item.wirings])
    return [*targets, *([exclude] if exclude is not None and exclude.lines else []), *of_hosts]


def _hooks(place: ProjectPaths, options: Options, versions: Versions) -> tuple[Wiring, ...]:
    """The hooks to write, as the versions take them and in the files that they belong into."""
    found = []
    for wiring in wirings(options.hosts) if options.hooks else ():
        version = versions.get(wiring.host)
        if supported(wiring, version):
            placed = in_place(wiring, place.checkout)
            found.append(fitting(placed, version, text_of(place.checkout, placed.file)))
    return tuple(found)


def text_of(checkout: Path, name: str) -> str:
    """The text of a file; empty where there is none, or none that can be read: its step says why."""
    try:
        data = files.look(checkout, name).data
        return files.decode(name, data)[1] if data else ""
    except Problem:
        return ""


def _left(place: ProjectPaths, hooks: tuple[Wiring, ...], versions: Versions) -> list[Target]:
    """The files that held hooks which now stand in another, or which the host's version does not take."""
    before = {wiring.host: wiring for wiring in wirings(None)}
    moved = [before[one.host] for one in hooks if one.toml]
    moved += [one for one in before.values() if not one.shared and not supported(one, versions.get(one.host))]
    return [Target("hooks", place.checkout, one.file, wirings=(one,)) for one in moved]


def _holds_hosts(place: ProjectPaths) -> bool:
    """Whether there is a checkout that hosts can be opened in."""
    return not (place.bare and place.checkout == place.root)


def _blocks(place: ProjectPaths, settled: config.Settled, told: instructions.Instructions) -> list[Target]:
    text = block_of(place, settled)
    base = place.checkout
    wanted = [Target("block", base, name, block=text) for name in told.wanted]
    return [*wanted, *(Target("block", base, name) for name in told.importing)]


def block_of(place: ProjectPaths, settled: config.Settled) -> str:
    """The text of the managed block."""
    return markdown.block(settled.project_id, settled.channel, _surface(place.root))


def _surface(root: Path) -> str:
    """Whose tools the project's servers have, as its file says; a file that cannot be read is the doctor's matter."""
    try:
        return toml_of(str(root)).values.get("surface", "")
    except Problem:
        return ""


def steps_of(targets: list[Target], kept: InitRecord, place: ProjectPaths) -> tuple[list[_Step], tuple[str, ...]]:
    steps: list[_Step] = []
    seen: dict[object, str] = {}
    for item in targets:
        step = _step(item, _section(kept, item, place).files.get(item.name))
        one = files.identity(step.change.path)
        if step.change.problem is None and one in seen:
            note = f"the same file as {seen[one]}"
            step = _Step(step.change._replace(action="skipped", after=step.change.before, note=note), None, ())
        seen.setdefault(one, item.name)
        steps.append(step)
    return steps, tuple(f"{step.change.name}: {note}" for step in steps for note in step.notes)


def _step(item: Target, known: RecordedFile | None) -> _Step:
    names = item.readers
    try:
        found = files.look(item.base, item.name)
    except Problem as problem:
        path = item.base / item.name
        return _Step(FileChange(item.name, path, "skipped", None, None, "", problem, names), None, ())
    try:
        anew = found.data is None or (item.kind == "config" and item.force)
        mark, text = ("", None) if found.data is None or anew else files.decode(item.name, found.data)
        merged = target.merge(item, text, known.undos if known else ())
        new = files.encode(mark, merged.text)
        note = "; ".join(merged.notes)
        if new == found.data:
            return _Step(
                FileChange(item.name, found.path, "unchanged", new, new, note, None, names), None, merged.notes
            )
        denied = files.may_write(item.name, found.path)
        if denied is not None:
            raise denied
        base = _before(item, found.data, known)
        action: Action = "create" if found.data is None else "update"
        change = FileChange(item.name, found.path, action, found.data, new, note, None, names)
        return _Step(change, RecordedFile(base, init_record.digest(new), merged.undos), merged.notes)
    except (MalformedJsonc, Problem) as error:
        data = found.data
        broken = error if isinstance(error, Problem) else files.malformed(item.name, error.message, error.line)
        return _Step(FileChange(item.name, found.path, "skipped", data, data, "", broken, names), None, ())


def _before(item: Target, data: bytes | None, known: RecordedFile | None) -> bytes | None:
    """The file as it would be without ``init``: what ``--remove`` is to give back."""
    if known is None or data is None:
        return data
    if init_record.digest(data) == known.wrote:
        return known.before
    try:
        mark, text = files.decode(item.name, data)
        left = target.strip(item, text, known.undos)
    except (MalformedJsonc, Problem):
        return data  # only a config that --force replaces comes this far
    return None if known.before is None and target.is_empty(item, left) else files.encode(mark, left)


def _section(kept: InitRecord, item: Target, place: ProjectPaths) -> Section:
    own = item.kind in {"config", "ignore", "exclude"}
    return kept.workspace if own else kept.section(section_name(place))


def keep(kept: InitRecord, place: ProjectPaths, targets: list[Target], steps: list[_Step]) -> None:
    """Put what the steps found, and the folders they will make, into the record."""
    for item, step in zip(targets, steps, strict=True):
        if step.entry is None:
            continue
        section = _section(kept, item, place)
        section.files[item.name] = step.entry
        if item.kind == "exclude":
            continue
        for folder in reversed(Path(item.name).parents[:-1]):
            if not (item.base / folder).exists() and folder.as_posix() not in section.folders:
                section.folders.append(folder.as_posix())


def settled_ids(root: Path, want: config.ConfigOptions, force: bool) -> config.Settled:
    """The ids that hold; a config that cannot be read is reported with its file and counts as none here."""
    try:
        found = files.look(root, CONFIG_NAME)
        text = files.decode(CONFIG_NAME, found.data)[1] if found.data else ""
        node = parse(text) if not force else None
    except (Problem, MalformedJsonc):
        node = None
    plain = node.plain() if node is not None else {}
    old = {str(key): value for key, value in plain.items()} if isinstance(plain, dict) else {}
    return config.settle(old, want)


def stated_ids(checkout: Path) -> tuple[str, str] | None:
    """Ids that committed instructions state: a fresh clone keeps the name its team uses."""
    for name in instructions.names(chosen(None)):
        try:
            data = files.look(checkout, name).data
            stated = markdown.ids(files.decode(name, data)[1]) if data else None
        except Problem:
            continue
        if stated is not None:
            return stated
    return None


def _hook_notes(targets: list[Target], steps: list[_Step], options: Options) -> list[str]:
    """What is left to the user before hooks that are now written run, for hosts that are here or were asked for."""
    programs = {host.name: host.program for host in chosen(None)}
    notes = []
    for item, step in zip(targets, steps, strict=True):
        for wiring in item.wirings if step.change.writes else ():
            here = options.hosts is not None or shutil.which(programs.get(wiring.host) or "") is not None
            if wiring.todo and here:
                notes.append(f"hooks of {wiring.title}: {wiring.todo}")
            if item.program == BY_PATH and shutil.which(BY_PATH) is None:
                notes.append(f"hooks of {wiring.title}: {BY_PATH} is not on PATH, where {item.name} looks for it")
    return notes


def _version_notes(options: Options, versions: Versions) -> list[str]:
    """What the hosts that are here do not take of what hooks are made of."""
    notes = []
    for wiring in wirings(options.hosts) if options.hooks else ():
        if wiring.host not in versions or not wiring.oldest:
            continue
        version = versions[wiring.host]
        what = f"hooks of {wiring.title}"
        if version is not None and not supported(wiring, version):
            notes.append(f"{what}: not written for {shown(version)}, since they need {shown(wiring.oldest)}")
        elif version is None and lost(wiring, None):
            without = "; ".join(lost(wiring, None))
            notes.append(f"{what}: it does not tell its version, so {without}; run init again when it does")
        elif version is not None and lost(wiring, version):
            notes.append(f"{what} {shown(version)}: {'; '.join(lost(wiring, version))}")
    return notes


def _place_notes(root: Path, place: ProjectPaths) -> tuple[str, ...]:
    start = Path(os.path.realpath(root))
    if place.worktree:
        return (f"this is a linked worktree: it shares the workspace of {place.root}",)
    if start != place.checkout:
        return (f"the project is {place.checkout}",)
    return ()
