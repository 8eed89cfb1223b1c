"""Removal of what ``init`` wrote: every file gets what it had before, byte for byte where nothing else changed.

A file that the user edited since loses our part only. Without a record (a clone of a repository whose host files
are committed) our entries and blocks are taken out all the same. The database is never deleted.
"""

from __future__ import annotations

import shutil
from glob import escape, glob
from pathlib import Path

from comity.hosts import files, hook_log, init_record, target
from comity.hosts.catalog import chosen
from comity.hosts.files import CONFIG_NAME
from comity.hosts.hook_install import wirings
from comity.hosts.init_record import InitRecord, RecordedFile, Section
from comity.hosts.instructions import names as instruction_files
from comity.hosts.jsonc import MalformedJsonc
from comity.hosts.layout import EXCLUDE_NAME, IGNORE_NAME, ProjectPaths, host_files, inlined, section_name, workspace
from comity.hosts.plan import DEFAULTS, Action, FileChange, Options, Plan
from comity.hosts.target import Target
from comity.hosts.versions import everything
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Problem
from comity.project import FOLDER, Project, git_folder, locate, project_of
from comity.project import ProjectLocation as Standing
from comity.settings import database_counts


class _Work(NamedTuple):
    """What is under way: the place, the record, and the lists that grow."""

    place: ProjectPaths
    kept: InitRecord
    changes: list[FileChange]
    folders: list[Path]
    notes: list[str]


def remove(root: Path, options: Options = DEFAULTS) -> Plan:
    """What ``init --remove`` would do in the checkout of ``root``.

    With ``hosts`` only their files, and the workspace stays. Raises Invalid as ``plan`` does.
    """
    place = workspace(root)
    held, kept = init_record.own(place.root)
    work = _Work(place, kept, [], [], [])
    own = work.kept.section(section_name(place))
    work.changes.extend(give_back(_targets(place, own, options.hosts), own))
    _leave(work, place.checkout, own)
    if options.hosts is None:
        _workspace(work)
    project = _project(place)
    database = Path(project.db_path or place.root / FOLDER / f"{project.project_id}.macp.db")
    if database.exists():
        _keep_out_of_git(work)
        work.notes.append(f"the database stays: {database}")
    after = init_record.dump(work.kept)
    if after != held.data:
        action: Action = "delete" if after is None else "update"
        work.changes.append(
            FileChange(init_record.NAME, held.path, action, held.data, after, "what --remove gives back")
        )
    return Plan(
        place.root,
        place.checkout,
        project.project_id,
        project.default_channel,
        str(database),
        tuple(work.changes),
        options,
        tuple(work.notes),
        tuple(work.folders),
    )


def _targets(place: ProjectPaths, own: Section, names: tuple[str, ...] | None) -> list[Target]:
    """Every host file and block there is or was, those of the record first under the name they have there."""
    picked = chosen(names)
    hooks = tuple(everything(one) for one in wirings(names))
    hooks += tuple(inlined(one) for one in hooks if one.inline)
    targets = {item.name: item for item in host_files(place, picked, hooks)}
    for name in own.files:
        readers = tuple(host for host in picked if name in {host.file, *host.others})
        if readers:
            wired = tuple(one for one in hooks if one.file == name)
            targets[name] = Target("host", place.checkout, name, readers, wirings=wired)
    if names is None:
        targets |= {name: Target("block", place.checkout, name) for name in instruction_files(picked)}
    return [] if place.bare and place.checkout == place.root else list(targets.values())


def give_back(items: list[Target], section: Section) -> list[FileChange]:
    """What becomes of these files, which go out of the record: each once, under the name that is recorded."""
    seen: set[object] = set()
    changes: list[FileChange] = []
    for item in sorted(items, key=lambda one: one.name not in section.files):
        one = files.identity(item.base / item.name)
        if one in seen:
            section.files.pop(item.name, None)
            continue
        seen.add(one)
        change = _given_back(item, section)
        changes += [change] if change is not None else []
    return changes


def _given_back(item: Target, section: Section) -> FileChange | None:
    known = section.files.get(item.name)
    try:
        found = files.look(item.base, item.name)
        if found.data is None:
            section.files.pop(item.name, None)
            return None
        after, note = _without(item, found.data, known)
        denied = files.may_write(item.name, found.path) if after != found.data else None
        if denied is not None:
            raise denied
    except Problem as problem:
        path = item.base / item.name
        if known is None and (problem.reason == "file.outside" or not _names_us(path)):
            return FileChange(
                item.name, path, "skipped", None, None, f"not ours: {problem.message}", None, item.readers
            )
        return FileChange(item.name, path, "skipped", None, None, "", problem, item.readers)
    section.files.pop(item.name, None)
    if known is None and after == found.data:
        return None
    action: Action = "delete" if after is None else "unchanged" if after == found.data else "restore"
    return FileChange(item.name, found.path, action, found.data, after, note, None, item.readers)


def _names_us(path: Path) -> bool:
    """Whether a file that cannot be edited, and that no record names, may hold something of ours all the same."""
    if not path.is_file():
        return False
    try:
        with open(path, "rb") as stream:
            return b"comity" in stream.read(files.MAX_BYTES).lower()
    except OSError:
        return False


def _without(item: Target, data: bytes, known: RecordedFile | None) -> tuple[bytes | None, str]:
    """What is to stand in the file afterwards (None: no file), and why. Raises Invalid."""
    if known is not None and init_record.digest(data) == known.wrote:
        return known.before, "as it was before"
    mark, text = files.decode(item.name, data)
    try:
        left = target.strip(item, text, known.undos if known else ())
        made = known is not None and known.before is None
        if made and target.is_empty(item, left):
            return None, "nothing else was in it"
    except MalformedJsonc as error:
        raise files.malformed(item.name, error.message, error.line) from None
    if left == text:
        return data, "nothing of ours is left in it"
    return files.encode(mark, left), "edited since: only our part is taken out"


def _workspace(work: _Work) -> None:
    """The files of ``.macp``, unless another checkout still uses them or something could not be given back."""
    section = work.kept.workspace
    others = [name for name, other in work.kept.checkouts.items() if other.files and _stands(name)]
    if any(change.problem for change in work.changes):
        work.notes.append(f"{FOLDER} stays until every file is given back: mend them and run it again")
        return
    if others:
        work.notes.append(f"{FOLDER} stays: also used by {', '.join(others)}; run it there too")
        return
    for gone in [name for name in work.kept.checkouts if not _stands(name)]:
        del work.kept.checkouts[gone]
    root = work.place.root
    found = locate(work.place.checkout)
    git = git_folder(found.checkout) if found.bare else found.git
    for kind, name, base in (
        ("exclude", EXCLUDE_NAME, Path(git) if git is not None else root),
        ("config", CONFIG_NAME, root),
        ("ignore", IGNORE_NAME, root),
    ):
        if name in section.files:
            work.changes.extend(give_back([Target(kind, base, name)], section))
    _leave(work, work.place.root, section)


def _keep_out_of_git(work: _Work) -> None:
    """A database that stays is not to turn up in git because the file that ignored it goes."""
    for place, change in enumerate(work.changes):
        if change.name == IGNORE_NAME and change.action == "delete":
            work.changes[place] = change._replace(action="update", after=b"*\n", note="keeps the database out of git")


def sweep(made: Plan) -> None:
    """Delete what hooks wrote next to the database, once the workspace is given back: their log and captures."""
    if (made.root / CONFIG_NAME).exists():
        return
    for log in glob(f"{escape(hook_log.path_of(made.db))}*"):
        Path(log).unlink(missing_ok=True)
    shutil.rmtree(hook_log.captures_of(made.db), ignore_errors=True)


def _leave(work: _Work, base: Path, section: Section) -> None:
    """Let go of the folders that hold none of the section's files any more."""
    for folder in list(section.folders):
        if not any(name.startswith(f"{folder}/") for name in section.files):
            work.folders.append(base / folder)
            section.folders.remove(folder)


def _stands(name: str) -> bool:
    return name == "." or (Path(name) / ".git").exists()


def _project(place: ProjectPaths) -> Project:
    root, path = str(place.root), str(place.root / CONFIG_NAME)
    try:
        found = project_of(Standing(root, str(place.checkout)))
    except Problem:
        return Project(root, {}, path)
    if database_counts(found):
        return found
    return found._replace(config={name: value for name, value in found.config.items() if name != "dbPath"})
