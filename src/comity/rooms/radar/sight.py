"""Looking at checkouts: what each is now, and which seem to be as they were when they were last looked at.

The mark of a checkout is made without starting a process: the commit that is checked out, the time and size of its
index, and when an agent was last known to have changed something in it. A change that leaves no mark, made by a program
that nobody guards, is found when all are looked at anew.
"""

from __future__ import annotations

import os

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.scope import Actor, Scope
from comity.rooms.claims import paths
from comity.rooms.radar.model import MOST_CHECKOUTS
from comity.rooms.radar.rows import SeenCheckout
from comity.rooms.work import facts
from comity.rooms.worktrees import bases, rows
from comity.rooms.worktrees.bases import BaseCommit
from comity.rooms.worktrees.rows import Made
from comity.system import git_snapshots, git_worktrees
from comity.system.checkouts import here
from comity.system.fingerprints import stamp
from comity.system.git_look import GitLook
from comity.system.git_worktrees import HALF_MADE, Worktree
from comity.system.repository import Repository

OBJECTS = "radar"  # the folder for snapshots, next to the database


class Ground(NamedTuple):
    """What the database knows: Comity's worktrees, and when each checkout was last known to be changed, by whom."""

    made: tuple[Made, ...]
    changed_ms: dict[str, int]  # by the checkout's folder
    writers: dict[str, dict[str, set[str]]]  # by the checkout's folder: agents, with the paths that they changed


class Place(NamedTuple):
    """A checkout to be looked at: where it is, its base, and its mark now."""

    name: str
    worktree: Worktree
    there: Repository
    base: BaseCommit | None
    mark: str


def ground(scope: Scope) -> Ground:
    """Read it in one transaction."""
    root = scope.actor.root
    changed: dict[str, int] = {}
    writers: dict[str, dict[str, set[str]]] = {}
    for work in facts.of_repository(scope, paths.base_of(scope.actor).repository):
        folder = here(work.worktree or root)
        changed[folder] = max(changed.get(folder, 0), work.changed_ms)
        writers.setdefault(folder, {}).setdefault(work.agent_id, set()).add(work.file_path)
    return Ground(tuple(rows.every(scope)), changed, writers)


def last_change_ms(scope: Scope) -> int:
    """When an agent was last known to have changed a file of the project; 0 for never."""
    newest = facts.of_repository(scope, paths.base_of(scope.actor).repository, 1)
    return newest[0].changed_ms if newest else 0


def places(actor: Actor, there: Repository, known: Ground) -> list[Place]:
    """Every checkout that can be looked at, with its mark. No process is started but to find a base."""
    root = os.path.realpath(actor.root)
    made = {one.path(root): one for one in known.made if not one.clone}
    usual = bases.present(there, None)
    found = []
    for one in git_worktrees.listed(there)[:MOST_CHECKOUTS]:
        if not one.there or one.locked == HALF_MADE or not one.commit:
            continue
        row = made.get(one.path)
        base = usual if row is None or (usual and row.base == usual.name) else bases.present(there, row.base) or usual
        own = Repository(one.path, one.private, there.common)
        name = os.path.relpath(one.path, root).replace(os.sep, "/")
        seen = f"{one.commit} {stamp(os.path.join(one.private, 'index'))} {known.changed_ms.get(one.path, 0)}"
        found.append(Place(name, one, own, base, seen))
    return found


def look(place: Place, objects: str) -> SeenCheckout | None:
    """What a checkout is now; None when git does not tell, as in the middle of a merge."""
    taken = git_snapshots.take(place.there, place.worktree.commit, objects)
    if taken is None:
        return None
    base = place.base
    return SeenCheckout(
        place.name,
        place.worktree.path,
        place.worktree.branch,
        taken.head,
        taken.commit,
        place.mark,
        taken.changed,
        _added(place, taken.commit, objects),
        taken.left_out,
        base.name if base else "",
        base.commit if base else "",
    )


def _added(place: Place, commit: str, objects: str) -> tuple[str, ...]:
    """Files that its base has not."""
    if place.base is None or place.base.commit == commit:
        return ()
    with GitLook(place.there, objects=objects) as git:
        said = git.ask("diff", "--no-renames", "--name-only", "-z", "--diff-filter=A", place.base.commit, commit)
    return tuple(name for name in (said or "").split("\0") if name)[: git_snapshots.MOST_FILES]


def same(place: Place, seen: SeenCheckout | None) -> bool:
    """Whether a checkout is as it was seen."""
    base = (place.base.name, place.base.commit) if place.base else ("", "")
    return seen is not None and (seen.mark, seen.path, seen.base, seen.base_commit) == (
        place.mark,
        place.worktree.path,
        *base,
    )
