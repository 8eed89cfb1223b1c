"""``comity init --like-main``: a new worktree gets the files of hosts that the main checkout has from ``init``.

Each is written anew, so nothing that somebody wrote into the main checkout's file, such as a key, comes along. Only
what is missing is written, and nothing that git tracks: that came with the branch. The record of the main checkout says
which files, with which entries; its files say which hooks.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from comity.hosts import config, hook_edit, init_record, instructions
from comity.hosts.catalog import chosen
from comity.hosts.hook_install import running, wirings
from comity.hosts.host import SERVER, Host, Wiring
from comity.hosts.init import block_of, keep, settled_ids, stated_ids, steps_of, text_of
from comity.hosts.init_record import RecordedFile
from comity.hosts.jsonc import MalformedJsonc
from comity.hosts.layout import ProjectPaths, host_files, in_place, workspace
from comity.hosts.plan import Action, FileChange, Options, Plan
from comity.hosts.target import Target
from comity.hosts.versions import everything
from comity.kernel.problem import Invalid
from comity.project import tracked


def plan(root: Path, *, dry_run: bool = False) -> Plan:
    """What is to be written in the linked worktree of ``root``. Raises Invalid ``init.no_worktree`` elsewhere, and
    what the record of the main checkout raises.
    """
    place = workspace(root)
    if not place.worktree:
        told = f"{place.checkout} is no linked worktree, so there is no main checkout that it could be like."
        raise Invalid("init.no_worktree", told, "Run comity init without --like-main.")
    held, kept = init_record.own(place.root)
    main = kept.checkouts.get(".")
    recorded = main.files if main is not None else {}
    committed = tracked(place.checkout, recorded)
    wanted = [name for name in recorded if name not in committed and not os.path.lexists(place.checkout / name)]
    want = config.wanted(place.root, None, None, None)._replace(known=stated_ids(place.checkout))
    settled = settled_ids(place.root, want, force=False)
    targets = _targets(place, {name: recorded[name] for name in wanted}, block_of(place, settled))
    steps, notes = steps_of(targets, kept, place)
    keep(kept, place, targets, steps)
    changes = [step.change for step in steps]
    after = init_record.dump(kept)
    if any(change.writes for change in changes) and after is not None and after != held.data:
        action: Action = "create" if held.data is None else "update"
        note = "what --remove gives back"
        changes.insert(0, FileChange(init_record.NAME, held.path, action, held.data, after, note))
    return Plan(place.root, place.checkout, *settled, tuple(changes), Options(dry_run=dry_run), notes)


def _targets(place: ProjectPaths, recorded: dict[str, RecordedFile], block: str) -> list[Target]:
    """The targets among the recorded files that are missing here."""
    picked = tuple(_as_recorded(host, recorded) for host in chosen(None))
    hooks = tuple(one for wiring in wirings(None) if (one := _hooked(place, wiring, recorded)) is not None)
    found = [item for item in host_files(place, picked, hooks, running(), recorded) if item.name in recorded]
    texts = [name for name in instructions.names(chosen(None)) if name in recorded and recorded[name].before is None]
    found += [Target("block", place.checkout, name, block=block) for name in texts]
    return found


def _as_recorded(host: Host, recorded: dict[str, RecordedFile]) -> Host:
    """The host with the entry that the main checkout has from ``init``, which may be a server elsewhere."""
    path = (*host.section, SERVER)
    for name in (host.file, *host.others):
        for undo in recorded[name].undos if name in recorded else ():
            if undo.path == path and isinstance(undo.value, dict):
                return host._replace(entry={str(key): value for key, value in undo.value.items()})
    return host


def _hooked(place: ProjectPaths, wiring: Wiring, names: Collection[str]) -> Wiring | None:
    """The hooks that stand in the main checkout's file, if that is one to be written."""
    placed = everything(in_place(wiring, place.root))
    if placed.file not in names:
        return None
    try:
        there = set(hook_edit.commands(text_of(place.root, placed.file), placed))
    except MalformedJsonc:
        return None
    hooked = tuple(pair for pair in placed.hooked if pair[0] in there)
    idle = placed.idle if placed.idle is not None and placed.idle[0] in there else None
    return placed._replace(hooked=hooked, idle=idle) if hooked else None
