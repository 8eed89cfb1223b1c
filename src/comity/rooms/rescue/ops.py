"""Operations on kept copies of work in progress."""

from __future__ import annotations

import base64
import difflib
import os

from comity.kernel.clock import Instant
from comity.kernel.event import Event
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.op import long_op
from comity.kernel.problem import Conflict, NotFound, Unavailable
from comity.kernel.quoting import quoted, title
from comity.kernel.scope import Scope
from comity.kernel.steps import Steps
from comity.rooms.claims import paths
from comity.rooms.claims.overlaps import touching
from comity.rooms.claims.paths import Base, Target
from comity.rooms.claims.places import Places
from comity.rooms.rescue import keeping, restoring, versions
from comity.rooms.rescue.model import (
    MAX_SHOWN_BYTES,
    Difference,
    KeptLimit,
    KeptPath,
    KeptVersion,
    KeptVersions,
    LostOnly,
    Overwrite,
    Purged,
    Restored,
    Shown,
    ShownBytes,
    SomePaths,
    VersionId,
)
from comity.rooms.rescue.versions import Version
from comity.rooms.work import facts, standing
from comity.rooms.work.facts import FilePlace
from comity.system.checkouts import name_of
from comity.system.copies import Kept
from comity.system.fingerprints import stamp

_MOST_OF_ONE = 1000
_MOST_OF_ALL = 10_000
_MOST_DIFF_BYTES = 4_000_000


class File(NamedTuple):
    """A file that a caller names: its checkout, its path there, and how it is found."""

    base: Base
    target: Target
    place: FilePlace

    @property
    def path(self) -> str:
        """The absolute path."""
        return os.path.join(self.base.folder, self.target.path)


@long_op("rescue.list", effect="read", example={"files": ["src/parser.py"]})
def list_rescued(
    steps: Steps, *, files: SomePaths | None = None, lost: LostOnly = False, limit: KeptLimit = 200
) -> KeptVersions:
    """List copies that are kept of uncommitted work: the newest of each file, or all of some files.

    What was lost comes first: what had it has it no more, though its agent did not change it.
    """
    if files:
        named = [_file(steps, name) for name in files]
        found = [one for file in named for one in steps.read(versions.of_file, file.place, _MOST_OF_ONE)]
        counts: dict[tuple[str, str], int] = {}
    else:
        found = steps.read(versions.newest, name_of(steps.actor.root), limit + 1)
        counts = steps.read(versions.counts, name_of(steps.actor.root))
    if lost:
        found = [one for one in found if one.lost_ms is not None]
    return KeptVersions([_record(one, counts) for one in found[:limit]], more=len(found) > limit)


@long_op("rescue.show", effect="read", example={"file": "src/parser.py"})
def show_rescued(
    steps: Steps, *, file: KeptPath, version: VersionId | None = None, max_bytes: ShownBytes = MAX_SHOWN_BYTES
) -> Shown:
    """Show what is in a kept copy of a file, or where a link led.

    Of the one that was lost last, or else of the newest, unless one is named.
    """
    _, wanted = _wanted(steps, file, version)
    data = _content(steps, wanted)
    text, raw = _text(data[:max_bytes]), None
    if text is None:
        raw = base64.b64encode(data[:max_bytes]).decode()
    return Shown(_record(wanted), text, raw, cut=len(data) > max_bytes)


@long_op("rescue.diff", effect="read", example={"file": "src/parser.py"})
def diff_rescued(steps: Steps, *, file: KeptPath, version: VersionId | None = None) -> Difference:
    """Show what would change in a file if a kept copy were put back, as a unified diff."""
    named, wanted = _wanted(steps, file, version)
    kept, there = _content(steps, wanted), restoring.present(named.path)
    now = there.data
    if there.has(kept, wanted.mode):
        return Difference(_record(wanted), "")
    old, new = _text(now), _text(kept)
    if old is None or new is None or len(kept) + len(now) > _MOST_DIFF_BYTES:
        return Difference(_record(wanted), f"Binary files differ: {len(now)} bytes now, {len(kept)} bytes kept.\n")
    name = named.target.path
    lines = difflib.unified_diff(
        old.splitlines(keepends=True), new.splitlines(keepends=True), f"a/{name}", f"b/{name}", "now", "kept"
    )
    return Difference(_record(wanted), "".join(line if line.endswith("\n") else f"{line}\n" for line in lines))


@long_op("rescue.restore", effect="write", pausable=True, example={"file": "src/parser.py"})
def restore_rescued(
    steps: Steps, *, file: KeptPath, version: VersionId | None = None, overwrite: Overwrite = False
) -> Restored:
    """Put a kept copy back into its file: what was lost last, or else the newest, unless one is named.

    Refused over newer work, and where a peer holds the file, unless ``overwrite`` says so; of what is overwritten a
    copy is kept first.
    """
    named, wanted = _wanted(steps, file, version)
    data, was = _content(steps, wanted), stamp(named.path)
    if restoring.present(named.path).has(data, wanted.mode):
        steps.write(_given_back, named, wanted, "", None)
        return Restored(_record(wanted), named.path, changed=False)
    if not overwrite:
        steps.read(_require_free, named)
    overwrote = None
    if was and restoring.is_work(named.path):
        overwrote = _spare(steps, named, wanted, overwrite=overwrite)
    try:
        restoring.put(named.base.folder, named.target.path, data, wanted.mode, was)
    except OSError as error:
        raise Unavailable(
            "rescue.cannot_write", f"{named.path} cannot be written: {error.strerror}.", "Check what is in the way."
        ) from None
    steps.write(_given_back, named, wanted, stamp(named.path), overwrote)
    return Restored(_record(wanted), named.path, overwrote)


@long_op("rescue.purge", effect="write", example={})
def purge_rescued(steps: Steps) -> Purged:
    """Remove every kept copy of uncommitted work. What is in the files stays."""
    store = keeping.copies(steps.actor)
    steps.write(versions.forget_all)
    return Purged(0 if store is None else store.remove_all_but((), least_s=0.0))


def _file(steps: Steps, name: str) -> File:
    base = paths.base_of(steps.actor)
    named = Places(base).entry(os.path.join(base.folder, name)) if base.folder else None
    if named is None:
        told = f"{quoted(name)} lies outside of this project."
        raise NotFound("rescue.unknown", told, "`rescue.list` shows what is kept.", path=name[:1000])
    there, target = named
    return File(there, target, FilePlace(there.repository, there.worktree, there.key(target.path)))


def _wanted(steps: Steps, name: str, version: int | None) -> tuple[File, Version]:
    """The version that is meant: the one that is named, or was lost last, or is not what the file has.

    One that is named may be of another checkout's file of that name, also of one that is gone.
    """
    named = _file(steps, name)
    found = steps.read(versions.of_file, named.place, _MOST_OF_ONE)
    if version is not None and all(one.version_id != version for one in found):
        everywhere = steps.read(versions.newest, named.place.repository, _MOST_OF_ALL)
        found = [one for one in everywhere if one.file_path == named.target.path]
    lost = sorted((one for one in found if one.lost_ms is not None), key=lambda one: -(one.lost_ms or 0))
    chosen = [one for one in found if one.version_id == version] if version is not None else [*lost, *found]
    if not chosen:
        what = (
            f"Version {version} of {quoted(named.target.path)}"
            if version
            else f"Of {quoted(named.target.path)} nothing"
        )
        told = f"{what} is not kept." if version else f"{what} is kept."
        raise NotFound("rescue.unknown", told, "`rescue.list` shows what is kept.", path=named.target.path)
    return named, chosen[0]


def _content(steps: Steps, version: Version) -> bytes:
    store = keeping.copies(steps.actor)
    try:
        if store is None:
            raise FileNotFoundError
        return store.read(version.content)
    except (OSError, ValueError) as error:
        why = str(error) or "it is gone"
        told = f"The copy {version.version_id} of {quoted(version.file_path)} cannot be read: {why}."
        raise Unavailable("rescue.gone", told, "`rescue.list` shows the other versions.") from None


def _text(data: bytes) -> str | None:
    if b"\0" in data:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        return (
            data[: error.start].decode()
            if error.end == len(data) and error.reason == "unexpected end of data"
            else None
        )


def _require_free(scope: Scope, named: File) -> None:
    """Raise Conflict ``rescue.held`` where a living peer holds the file, or has newer work in it."""
    base, me = named.base, scope.actor.agent_id
    held = [
        one
        for one in touching(scope, base, [named.target])
        if one.held.agent_id != me and one.held.mode == "exclusive" and not one.elsewhere and not one.held.literal
    ]
    works = facts.at(scope, base.repository, base.worktree, [named.place.key])
    alive = standing.of(scope, [*(one.held.agent_id for one in held), *(work.agent_id for work in works)])
    names = [title(one.held.agent_id, one.held.agent_name) for one in held if alive.living(one.held.agent_id)]
    names += [
        title(work.agent_id, work.agent_name)
        for work in works
        if work.agent_id != me and alive.living(work.agent_id) and stamp(named.path) == work.stamp
    ]
    if names:
        told = f"{names[0]} has work in {quoted(named.target.path)}. Nothing was restored."
        raise Conflict("rescue.held", told, "Ask them, or restore with overwrite: a copy of theirs is kept.")


def _spare(steps: Steps, named: File, wanted: Version, *, overwrite: bool) -> int | None:
    """Keep what is about to be overwritten. Raises Conflict ``rescue.newer`` for newer work, unless asked to."""
    owner = steps.read(_owner, named)
    saved = keeping.keep(steps.actor, [(named.place, named.target.path, owner, named.path)])
    known = steps.read(versions.of_file, named.place, _MOST_OF_ONE)
    older = saved and any(
        one.content == saved[0].kept.content and (one.kept_ms, one.version_id) <= (wanted.kept_ms, wanted.version_id)
        for one in known
    )
    if not older and not overwrite:
        told = f"{quoted(named.target.path)} has newer changes. Nothing was restored."
        raise Conflict("rescue.newer", told, "`rescue.diff` shows both; restore with overwrite to have the older one.")
    if not saved:
        told = f"No copy of what is in {quoted(named.target.path)} can be kept. Nothing was restored."
        raise Conflict("rescue.newer", told, "Move the file away first.")
    steps.write(keeping.record, saved)
    after = steps.read(versions.of_file, named.place, _MOST_OF_ONE)
    return next((one.version_id for one in after if one.content == saved[0].kept.content), None)


def _owner(scope: Scope, named: File) -> str:
    works = facts.at(scope, named.place.repository, named.place.worktree, [named.place.key])
    return works[0].agent_id if works else scope.actor.agent_id


def _given_back(scope: Scope, named: File, wanted: Version, now: str, overwrote: int | None) -> None:
    """It is in its file again, and whose it was before, if that one lives; else the caller's."""
    versions.give_back(scope, wanted)
    if not now:
        return
    alive = standing.of(scope, [wanted.agent_id]).owner.get(wanted.agent_id)
    who = (wanted.file_path, alive or scope.actor.agent_id, scope.now.ms, "edit")
    facts.put(scope, facts.NewWork(named.place, *who, wanted.content, now))
    kept = Kept(wanted.content, wanted.size_bytes, wanted.mode, now)
    versions.keep(scope, named.place, wanted.file_path, wanted.agent_id, kept)
    detail: dict[str, object] = {"files": [wanted.file_path], "version": wanted.version_id, "overwrote": overwrote}
    scope.emit(Event("work.restored", agent_id=scope.actor.agent_id, metadata=detail))


def _record(version: Version, counts: dict[tuple[str, str], int] | None = None) -> KeptVersion:
    name = version.agent_name
    return KeptVersion(
        version.version_id,
        version.file_path,
        version.agent_id,
        "" if name == version.agent_id else name,
        Instant.at(version.kept_ms).iso,
        version.size_bytes,
        version.content,
        version.worktree,
        (counts or {}).get((version.worktree, version.file_key), 1),
        None if version.lost_ms is None else Instant.at(version.lost_ms).iso,
        version.lost_by,
        version.lost_how,
    )
