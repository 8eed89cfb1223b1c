"""What a shell command changed, whatever it was: from then on that is its agent's work in progress.

Files are looked at after the command, for what was written since its beginning. Before it, copies are kept of what
peers have in progress, as far as there is none yet.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.scope import Actor, Scope
from comity.kernel.steps import Steps
from comity.kernel.text import compact, read_object
from comity.rooms.claims.paths import Base
from comity.rooms.claims.places import Places
from comity.rooms.edits import breaches, landings, line_changes, looks, progress, quiet_commands, verification
from comity.rooms.edits.looks import Before, Prints
from comity.rooms.edits.model import EDIT_TAKES_MS, Breach
from comity.rooms.edits.sight import Near, SeenWork, Sight, carried_out, is_work, path_of
from comity.rooms.rescue import keeping
from comity.rooms.rescue.keeping import Saved
from comity.rooms.turns import speaker
from comity.rooms.work import facts
from comity.rooms.work.facts import FilePlace, Work
from comity.shell.changes import Change, takes
from comity.system import changed_files, repository
from comity.system.changed_files import Tree
from comity.system.checkouts import here, name_of
from comity.system.fingerprints import fingerprint, stamp


class WrittenFile(NamedTuple):
    """A file that differs from the last commit and was written since the command began."""

    place: FilePlace
    file_path: str
    stamp: str
    named: bool  # the line says so


class Outcome(NamedTuple):
    """What was found after a command: files that were written, copies of them, what became of others' requests and
    work, files that the line was sure to change, and what the line itself was let change. ``trees``: what git does not
    know there, of checkouts for which it was asked. ``tool``: what ran, when it was no shell.
    """

    command: str
    changed: list[WrittenFile]
    saved: list[Saved]
    sight: Sight
    blamed: frozenset[str]
    asked: list[facts.Asked]
    trees: dict[Base, Tree]
    tool: str = ""


def kept(actor: Actor, works: Iterable[Work]) -> list[tuple[Work, Saved]]:
    """Keep what others have in progress, as far as there is no copy of it yet."""
    wanted = [work for work in works if not work.content or stamp(path_of(work)) != work.stamp]
    asked = [(work.place, work.file_path, work.agent_id, path_of(work)) for work in wanted]
    saved = {one.place: one for one in keeping.keep(actor, asked)}
    return [(work, saved[work.place]) for work in wanted if work.place in saved]


def kept_of_nobody(actor: Actor, base: Base, files: Sequence[str]) -> list[Saved]:
    """Keep changed files that nobody is known to have changed, before a command throws them away."""
    places = Places(base)
    theirs = [path for path in files if changed_files.OURS.isdisjoint(path.split(os.sep)) and breaches.is_text(path)]
    named = [places.entry(path) for path in theirs[: keeping.MOST_AT_ONCE]]
    wanted = [
        (
            FilePlace(there.repository, there.worktree, there.key(target.path)),
            target.path,
            "",
            os.path.join(there.folder, target.path),
        )
        for there, target in (one for one in named if one is not None)
    ]
    return keeping.keep(actor, wanted)


def record(scope: Scope, saved: Iterable[tuple[Work, Saved]]) -> None:
    """Write down the copies, and what is in the files now."""
    for work, one in saved:
        keeping.record(scope, [one])
        facts.seen(scope, work, one.kept.content, one.kept.stamp)


def found(steps: Steps, base: Base, looked: Before, after: Prints, line: line_changes.Line) -> Outcome:
    """Look at everything that was written since the command began; ``after`` has files that are known better."""
    places = Places(base)
    me, works, others, asked, own_asked = steps.read(_known)
    changes = line.changes().changes if _concerns_others(steps, base, line, others.values()) else ()
    written, trees = _written(steps, base, places, changes, looked.mark_ns)
    keys = {one.place for one in written}
    since_ms = looked.looked_ms - EDIT_TAKES_MS
    came = carried_out(one for one in asked if one.place in keys and one.asked_ms >= since_ms)
    theirs = {one.asked.place for one in came}
    same = {FilePlace(base.repository, base.worktree, base.key(path)) for path in after} - {
        FilePlace(base.repository, base.worktree, base.key(path)) for path in breaches.changed(looked, after)
    }
    own = [one for one in written if one.place not in theirs and one.place not in others and one.place not in same]
    moved = [work for work in works if work.agent_id == me or stamp(path_of(work)) != work.stamp]
    seen = verification.checked(moved)
    saved = keeping.keep(steps.actor, ((one.place, one.file_path, me, _path(one)) for one in own))
    blamed = frozenset(
        breaches.name_of(base, work)
        for work in others.values()
        if any(_sure(change, path_of(work)) for change in changes)
    )
    return Outcome(line.text, own, saved, Sight(tuple(seen), tuple(came)), blamed, own_asked, trees)


def _concerns_others(steps: Steps, base: Base, line: line_changes.Line, works: Iterable[Work]) -> bool:
    """Whether it matters what the line says: it may reach another checkout, a peer's file has changed, or a command of
    a peer runs beside it.
    """
    there = repository.around(base.folder) if base.folder else None
    if there is None or quiet_commands.may_leave(there, line.text):
        return True
    return any(stamp(path_of(work)) != work.stamp for work in works) or bool(steps.read(_at_work, base))


def _at_work(scope: Scope, base: Base) -> list[str]:
    """Peers whose commands run in the checkout just now, as far as is known."""
    scope = speaker.find(scope) or scope
    return [str(row[0]) for row in scope.tx.all("edits.at_work", agent_id=scope.actor.agent_id, **_where(base))]


def fingerprints(base: Base, outcome: Outcome) -> Prints:
    """How the files look that were written in the caller's checkout, by their paths there."""
    here = (
        one for one in outcome.changed if (one.place.repository, one.place.worktree) == (base.repository, base.worktree)
    )
    return {one.file_path: fingerprint(_path(one)) for one in here}


def _known(scope: Scope) -> tuple[str, list[Work], dict[FilePlace, Work], list[facts.Asked], list[facts.Asked]]:
    """Who is asking, all work in progress, what of it others have, what they asked for, and what the asker's commands
    were let change. What somebody let go of, or left behind, is of whoever changes it.
    """
    scope = speaker.find(scope) or scope
    me = scope.actor.agent_id
    own = [one for one in facts.asked_by(scope, me) if one.how == "command"]
    works = progress.works(scope)
    free = {work.place for work in progress.others(scope, Near(tuple(works), (), frozenset((me,)))).left}
    others = {work.place: work for work in works if work.agent_id != me and work.place not in free}
    return me, works, others, facts.asked_in(scope, name_of(scope.actor.root), [me]), own


def _written(
    steps: Steps, base: Base, places: Places, changes: Sequence[Change], mark_ns: int
) -> tuple[list[WrittenFile], dict[Base, Tree]]:
    """Files of the caller's checkout, and of others that the line names, that were written since."""
    trees: dict[Base, Tree] = {}
    if not mark_ns or not base.folder:
        return [], trees
    bases = {base: None}
    for change in changes:
        for path in (change.place, *(os.path.dirname(os.path.join(change.place, one)) for one in change.paths)):
            there = places.at(os.path.realpath(path))
            if there is not None:
                bases[there] = None
    written: dict[FilePlace, WrittenFile] = {}
    for one in bases:
        look = changed_files.changed_since(one.folder, mark_ns, steps.read(_tree, one))
        if look is not None and look.tree is not None:
            trees[one] = look.tree
        for found in look.changed if look is not None else ():
            named = places.entry(found.path) if breaches.is_text(found.path) else None
            if named is not None:
                there, target = named
                place = FilePlace(there.repository, there.worktree, there.key(target.path))
                sure = any(_sure(change, found.path) for change in changes)
                written[place] = WrittenFile(place, target.path, stamp(found.path), sure)
    return list(written.values()), trees


def _tree(scope: Scope, base: Base) -> Tree | None:
    """What git did not know in a checkout when it was asked last."""
    row = scope.tx.one("edits.tree", **_where(base))
    return changed_files.tree_of(read_object(row[0]) if row is not None else None)


def _remember_tree(scope: Scope, base: Base, tree: Tree) -> None:
    if all(map(breaches.is_text, (*tree.folders, *tree.files))):
        scope.tx.run("edits.remember_tree", tree=compact(tree._asdict()), **_where(base))


def _path(one: WrittenFile) -> str:
    return os.path.join(here(one.place.worktree or one.place.repository), one.file_path)


def _sure(change: Change, path: str) -> bool:
    """Whether a line says that it changes this file."""
    return takes(change, path, tracked=True) or takes(change, path, tracked=False)


def settle(scope: Scope, base: Base, looked: Before, after: Prints, seen_ms: int, outcome: Outcome) -> list[Breach]:
    """Write down whose it is; what was others' and is gone or changed."""
    scope = speaker.settle(scope)
    looks.close(scope, outcome.command)
    how = (outcome.command, outcome.blamed, outcome.tool)
    undone = frozenset(breaches.name_of(base, seen.work) for seen in outcome.sight.seen if not is_work(seen))
    lost = breaches.compare(scope, base, looked, after, seen_ms, *how, undone)
    landings.note(scope, Sight((), outcome.sight.came))
    taken = {(one.file_path, one.holder) for one in lost}
    for seen in outcome.sight.seen:
        _after(scope, base, seen, taken)
    keeping.record(scope, outcome.saved)
    contents = {one.place: one.kept.content for one in outcome.saved}
    beside = _at_work(scope, base)
    for asked in outcome.asked:
        facts.answered(scope, asked)
    for there, tree in outcome.trees.items():
        _remember_tree(scope, there, tree)
    for one in outcome.changed:
        edited = {"repository": one.place.repository, "worktree": one.place.worktree, "file_path": one.place.key}
        scope.tx.run("edits.edited", agent_id=scope.actor.agent_id, now_ms=scope.now.ms, **edited)
        holders = [breach.holder for breach in lost if breach.file_path == one.file_path]
        also = tuple(dict.fromkeys([*holders, *(() if one.named else beside)]))
        who = (one.file_path, scope.actor.agent_id, scope.now.ms, "command")
        facts.put(scope, facts.NewWork(one.place, *who, contents.get(one.place, ""), one.stamp, also))
    return lost


def _after(scope: Scope, base: Base, seen: SeenWork, taken: set[tuple[str, str]]) -> None:
    """Somebody's work, looked at again: gone, changed by this command, or changed by its own agent."""
    work = seen.work
    broken = any(name == breaches.name_of(base, work) for name, _ in taken)
    if broken and is_work(seen) and seen.kind != "unknown":
        also = tuple(sorted({work.agent_id, *work.also} - {scope.actor.agent_id}))
        who = (work.file_path, scope.actor.agent_id, scope.now.ms, "command")
        facts.put(scope, facts.NewWork(work.place, *who, "", seen.stamp, also))
    else:
        landings.note(scope, Sight((seen,), ()))


def _where(base: Base) -> dict[str, str]:
    return {"repository": base.repository, "worktree": base.worktree}
