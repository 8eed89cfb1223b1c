"""Hooks in the user's own settings of a host (``comity init --user-hooks``): they run in every folder.

A host that reads a project's settings only from the folder in which it starts, or only of projects that it trusts, runs
none of a project's hooks in a subfolder, a new worktree or a fresh clone; those of its user it runs there as well.
Outside of a workspace such a hook does nothing. The files are merged and given back as those of a checkout are.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from comity.hosts import files, hook_edit, init_record, jsonc_edit
from comity.hosts.catalog import HOSTS, chosen
from comity.hosts.hook_install import running, wirings
from comity.hosts.host import Wiring
from comity.hosts.init_record import InitRecord, RecordedFile
from comity.hosts.jsonc import MalformedJsonc
from comity.hosts.plan import Action
from comity.hosts.versions import Versions, supported, taken
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Invalid, Problem

NAME = "user-hooks.json"  # what was there before, in the user's folder of Comity
PLACES = {host.name: host.user_hooks for host in HOSTS if host.user_hooks is not None}


class UserFile(NamedTuple):
    """One host's file and what becomes of it. ``problem``: why it is left as it is."""

    host: str
    title: str
    path: Path
    action: Action
    before: bytes | None
    after: bytes | None
    entry: RecordedFile | None = None  # what takes it back; None: nothing of it is left
    problem: Problem | None = None

    @property
    def writes(self) -> bool:
        """Whether it is not yet as it is to be."""
        return self.before != self.after


def plan(
    names: tuple[str, ...] | None, env: Mapping[str, str], versions: Versions, *, remove: bool = False
) -> tuple[UserFile, ...]:
    """What is to be done to the user's files of these hosts; for None of those that are on this machine.

    Raises Invalid for a host that is not known, and for one whose user-level hooks are not.
    """
    picked = {host.name: host for host in chosen(names)}
    strangers = [name for name in picked if names is not None and name not in PLACES]
    if strangers:
        hint = f"Those of these are: {', '.join(PLACES)}."
        raise Invalid("agent_host.no_user_hooks", f"No user-level hooks are known of {strangers[0]}.", hint)
    found, known = [], _record(env)[1].workspace.files
    for wiring in wirings(tuple(PLACES)):
        host, base = picked.get(wiring.host), _base(wiring.host, env)
        here = host is not None and (base.is_dir() or shutil.which(host.program or "") is not None)
        version = versions.get(wiring.host)
        if host is not None and (names is not None or here) and supported(wiring, version):
            found.append(_file(taken(wiring, version), base, known, remove=remove))
    return tuple(one for one in found if one.writes or one.problem is not None or not remove)


def apply(planned: tuple[UserFile, ...], env: Mapping[str, str]) -> tuple[UserFile, ...]:
    """Write what is planned, after the record of what was there; what could not be written has a ``problem``."""
    path, record = _record(env)
    before = init_record.dump(record)
    kept = record.workspace.files
    for one in planned:
        if one.writes and one.problem is None and one.entry is not None:
            kept[str(one.path)] = one.entry
    done = []
    _keep(path, before, record)
    for one in planned:
        problem = one.problem
        if one.writes and problem is None:
            try:
                files.replace(one.path, one.before, one.after)
            except Problem as error:
                problem = error
        done.append(one if problem is None else one._replace(action="skipped", problem=problem))
        if problem is None and one.entry is None and one.writes:
            kept.pop(str(one.path), None)
    _keep(path, path.read_bytes() if path.exists() else None, record)
    return tuple(done)


def _record(env: Mapping[str, str]) -> tuple[Path, InitRecord]:
    """Where the record lies, and what is in it. Raises Invalid for one that cannot be read."""
    named = env.get("XDG_CONFIG_HOME", "").strip()
    base = Path(named) if os.path.isabs(named) else Path(os.path.expanduser("~"), ".config")
    path = base / "comity" / NAME
    return path, init_record.load(path.read_bytes() if path.exists() else None)


def _keep(path: Path, before: bytes | None, record: InitRecord) -> None:
    after = init_record.dump(record)
    if after != before:
        files.replace(path, before, after, private=True)


def _base(host: str, env: Mapping[str, str]) -> Path:
    variable, folder, *_ = PLACES[host]
    named = env.get(variable, "").strip() if variable else ""
    if not named and folder.startswith(".config/") and os.path.isabs(env.get("XDG_CONFIG_HOME", "")):
        return Path(env["XDG_CONFIG_HOME"], folder.removeprefix(".config/"))
    return Path(named) if os.path.isabs(named) else Path(os.path.expanduser("~"), folder)


def _file(wiring: Wiring, base: Path, known: Mapping[str, RecordedFile], *, remove: bool) -> UserFile:
    name = PLACES[wiring.host].name
    blank = UserFile(wiring.host, wiring.title, base / name, "unchanged", None, None)
    try:
        found = files.look(base, name)
        blank = blank._replace(path=found.path, before=found.data, after=found.data)
        mark, text = files.decode(name, found.data) if found.data is not None else ("", "")
        if wiring.whole is not None and text.strip() and not hook_edit.is_ours(text):
            hint = "Move it away, or leave the host out with --hosts."
            raise Invalid("file.foreign", f"{found.path} was not written by Comity", hint)
        entry = known.get(str(found.path))
        base_data = _without(wiring, found.data, (mark, text), entry)
        if remove:
            after, entry = base_data, None
        else:
            put = hook_edit.merge(text, wiring, running(), entry.undos if entry is not None else ())
            after = files.encode(mark, put.text)
            entry = RecordedFile(base_data, init_record.digest(after), put.undos)
    except MalformedJsonc as error:
        return blank._replace(action="skipped", problem=files.malformed(str(blank.path), error.message, error.line))
    except Problem as problem:
        return blank._replace(action="skipped", problem=problem)
    if after == found.data:
        return blank
    action: Action = "delete" if after is None else "update" if found.data is not None else "create"
    return blank._replace(action=action, after=after, entry=entry)


def _without(wiring: Wiring, data: bytes | None, decoded: tuple[str, str], entry: RecordedFile | None) -> bytes | None:
    """The file as it would be without our hooks."""
    if data is None or (entry is not None and init_record.digest(data) == entry.wrote):
        return None if entry is None else entry.before
    mark, text = decoded
    left = hook_edit.strip(text, wiring, entry.undos if entry is not None else ())
    made = entry is not None and entry.before is None
    hollow = not left.strip() or (made and wiring.whole is None and jsonc_edit.is_empty(left))
    return None if hollow and left != text else files.encode(mark, left)
