"""What a shell command did to files that are others': their fingerprints before it, and again after it.

Nothing else can be known of a program that writes by itself. A file is looked at directly where a claim names it or a
peer has uncommitted work in it; git lists the tracked files that have changed where a claim names a folder or a glob.
When nobody else has anything, nothing is looked at.

What the holder may have done itself is no breach (``breach_excuses``): its own files are looked at, too. Files of the
caller's checkout go by their path in it, others by their absolute one.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterator
from importlib import import_module

from comity.kernel.event import Event
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.quoting import called, quoted
from comity.kernel.scope import Scope
from comity.kernel.text import compact
from comity.rooms.claims.overlaps import Held, Wanted
from comity.rooms.claims.paths import Base, Target
from comity.rooms.edits import breach_excuses, looks, notices, progress
from comity.rooms.edits.claim_words import some, titled
from comity.rooms.edits.edit_guard import others
from comity.rooms.edits.looks import Before, Prints
from comity.rooms.edits.model import Breach
from comity.rooms.edits.sight import Near, path_of
from comity.rooms.rescue import versions
from comity.rooms.turns import speaker
from comity.rooms.work.facts import FilePlace, Work
from comity.system.fingerprints import differ, fingerprint, stamp

MAX_FILES = 500
MAX_CLAIMS = 2000
_OPEN_S = 86_400  # how long a look counts whose command is not known to have ended


class Ground(NamedTuple):
    """What is held, and since when that is known. ``wide``: folders and globs of peers."""

    plain: tuple[str, ...]
    wide: tuple[Target, ...]
    read_ms: int


class TouchedFile(NamedTuple):
    """A file of a peer that changed: how looks call it, what held it, where it is, and the work that was in it."""

    name: str
    held: Held
    place: FilePlace
    work: Work | None


def held_here(scope: Scope, base: Base) -> tuple[list[Held], list[Held]]:
    """Exclusive claims in this work tree: those of peers, and those of the actor and its ancestors."""
    family = progress.kin(scope)
    rows = scope.tx.all("claims.active", second=scope.now.second, agent_id=None, limit=MAX_CLAIMS)
    held = [one for one in map(Held.read, rows) if one.mode == "exclusive" and not one.elsewhere(base)]
    return [one for one in held if one.agent_id not in family], [one for one in held if one.agent_id in family]


def name_of(base: Base, work: Work) -> str:
    """How a look of the checkout calls the file of this work."""
    here = (work.repository, work.worktree) == (base.repository, base.worktree)
    return work.file_path if here else path_of(work)


def ground(scope: Scope, base: Base) -> Ground | None:
    """What is to be looked at; None when no other agent is about."""
    scope = speaker.seen(scope)
    if not others(scope):
        return None
    peers, own = held_here(scope, base)
    works = progress.works(scope)
    wide = [one.target for one in peers if _wide(base, one)]
    plain = [one.file_path for one in (*peers, *own) if not _wide(base, one)]
    plain += [name_of(base, work) for work in works]
    return Ground(tuple(dict.fromkeys(plain))[:MAX_FILES], tuple(wide), scope.now.ms)


def _wide(base: Base, held: Held) -> bool:
    if held.literal:
        return False
    if "*" in held.file_path or "?" in held.file_path:
        return True
    return bool(held.tree) and os.path.isdir(os.path.join(base.folder, held.file_path))


def prints(base: Base, near: Ground, known: Prints) -> Prints:
    """Fingerprints of what is held, and of whatever was looked at before.

    Of folders and globs those that git tracks: whatever else is made there is found by when it was written.
    """
    paths = dict.fromkeys([*near.plain, *known])
    if near.wide:
        listed = import_module("comity.system.git").changed(base.folder, untracked=False)
        listed_here = (path for path in (listed.tracked if listed else ()) if is_text(path))
        inside = [os.path.relpath(path, base.folder) for path in listed_here]
        files = [Target(path, None) for path in inside if not path.startswith("..")]
        wanted = Wanted(base, files)
        for target in near.wide:
            paths |= dict.fromkeys(wanted.met_by(target.pattern(base)))
    return {path: fingerprint(os.path.join(base.folder, path)) for path in list(paths)[:MAX_FILES]}


def is_text(path: str) -> bool:
    """Names of other encodings have no place in the store: they are not watched."""
    return not any("\ud800" <= letter <= "\udfff" for letter in path)


def remember(scope: Scope, base: Base, prints: Prints, from_ms: int, mark_ns: int) -> int:
    """The look before a command; one that is open yet keeps what it saw first, and its time."""
    scope = speaker.settle(scope)
    looked_ms = scope.now.ms
    before = looks.opened(scope)
    if before is not None and looked_ms - before.looked_ms < _OPEN_S * 1000:
        from_ms, looked_ms, mark_ns = before.from_ms, before.looked_ms, before.mark_ns
        prints = {**prints, **before.prints}
    scope.tx.run(
        "edits.remember_look",
        agent_id=scope.actor.agent_id,
        repository=base.repository,
        worktree=base.worktree,
        from_ms=from_ms,
        looked_ms=looked_ms,
        mark_ns=mark_ns,
        files=compact(prints),
    )
    return len(prints)


def changed(looked: Before, after: Prints) -> list[str]:
    """What changed since the look. Of what was not there to be seen before (a folder's file that had no changes),
    having changes is the change.
    """
    return [path for path, seen in after.items() if path not in looked.prints or differ(looked.prints[path], seen)]


def compare(
    scope: Scope,
    base: Base,
    looked: Before,
    after: Prints,
    seen_ms: int,
    command: str,
    blamed: Container[str] = (),
    tool: str = "",
    undone: Container[str] = (),
) -> list[Breach]:
    """What changed though it is a peer's; an event for each holder, and a message to both sides. ``seen_ms``: before
    the first file was looked at again; ``blamed`` are files that the command says that it changes, ``undone`` those
    that are as the last commit has them again; ``tool`` is what ran where it was no shell.
    """
    files = list(dict.fromkeys([*changed(looked, after), *_undone_since(scope, base, looked, after)]))
    if not files:
        return []
    peers, own = held_here(scope, base)
    wanted = Wanted(base, [Target(path, None) for path in files])
    mine = dict.fromkeys(path for held in own for path in _met(wanted, base, held))
    mine |= {name: None for work in progress.own_works(scope) if (name := name_of(base, work)) in files}
    breach_excuses.note(scope, base, list(mine), looked.from_ms, (looked.prints, after))
    found: dict[str, list[TouchedFile]] = {}
    for one in [*_claimed(base, peers, wanted), *_at_work(scope, base, {*files})]:
        later = one.held.since is not None and one.held.since * 1000 > looked.looked_ms + 1000
        if later and (one.work is None or stamp(path_of(one.work)) == one.work.stamp):
            continue  # it is later than the beginning of the command, and as its agent left it
        known = found.setdefault(one.held.agent_id, [])
        window = breach_excuses.Window(looked.looked_ms, seen_ms, looked.prints.get(one.name), after[one.name])
        wide = one.work is None and _wide(base, one.held)
        told = any(other.name == one.name and (other.work or not one.work) for other in known)
        gone = one.name in undone or (not window.after and bool(window.before))
        how = {"wide": wide, "sure": one.name in blamed, "gone": gone}
        if not told and not breach_excuses.excused(scope, one.place, one.held.agent_id, one.name, window, **how):
            found[one.held.agent_id] = [other for other in known if other.name != one.name] + [one]
    for lost in found.values():
        if lost:
            _tell(scope, sorted(lost, key=lambda one: one.name), command, tool)
    return [
        Breach(one.name, holder) for holder, lost in found.items() for one in sorted(lost, key=lambda one: one.name)
    ]


def _undone_since(scope: Scope, base: Base, looked: Before, after: Prints) -> list[str]:
    """Work that is younger than the look and is not as its agent left it, though the file may be as it was then."""
    return [
        name
        for work in progress.works(scope)
        if work.changed_ms > looked.looked_ms
        and work.agent_id != scope.actor.agent_id
        and (name := name_of(base, work)) in after
        and stamp(path_of(work)) != work.stamp
    ]


def _claimed(base: Base, peers: list[Held], wanted: Wanted) -> Iterator[TouchedFile]:
    for held in peers:
        for path in _met(wanted, base, held):
            yield TouchedFile(path, held, FilePlace(base.repository, base.worktree, base.key(path)), None)


def _at_work(scope: Scope, base: Base, files: set[str]) -> Iterator[TouchedFile]:
    """Files with work of living peers."""
    works = [work for work in progress.works(scope) if name_of(base, work) in files]
    state = progress.others(scope, Near(tuple(works), (), progress.kin(scope)))
    for work in state.living:
        held = progress.held(scope, work, state.owner.get(work.agent_id))
        yield TouchedFile(name_of(base, work), held, work.place, work)


def _met(wanted: Wanted, base: Base, held: Held) -> list[str]:
    return list(wanted.met_by(held.target.pattern(base)))


def _tell(scope: Scope, lost: list[TouchedFile], line: str, tool: str) -> None:
    actor, holder = scope.actor, lost[0].held
    kind, command = ("shell command", line) if line or not tool else ("tool", tool)
    names = [one.name for one in lost]
    kept = [
        one.name
        for one in lost
        if one.work is not None
        and one.work.content
        and versions.lose(scope, one.place, one.work.content, actor.agent_id, command)
    ]
    detail: dict[str, object] = {"files": names[:20], "by": actor.agent_id, "command": command[:200], "kept": kept[:20]}
    scope.emit(Event("edit.breached", agent_id=holder.agent_id, reason_code="claim.held", metadata=detail))
    who = called(actor.name, actor.agent_id)
    what = some(names)
    ran = f" ({quoted(command, 120)})" if command else ""
    back = " Copies of what was there are kept: comity rescue restore FILE gives it back." if kept else ""
    theirs = f"While a {kind} of {who}{ran} ran, {what} changed, which you hold. Read it before you go on.{back}"
    ours = f"While your {kind}{ran} ran, {what} changed, which {titled(holder)} holds. Its holder was told.{back}"
    notices.send(scope, holder.agent_id, theirs)
    notices.send(scope, actor.agent_id, ours)
