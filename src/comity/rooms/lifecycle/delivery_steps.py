"""What an agent does next so that its work gets home: a checkout of its own, a look at the radar, integration.

Only what stands in the database and one look at the disk: rooms that know more than that stand above this one.
"""

from __future__ import annotations

import os

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.quoting import quoted, word
from comity.kernel.scope import Scope
from comity.kernel.text import read_object
from comity.rooms.lifecycle.model import Step, TaskGlance
from comity.rooms.tasks.model import number_of


class Delivery(NamedTuple):
    """Where the caller's task is worked on, and whether others work in the caller's checkout.

    ``crowded``: others do. ``branch``: that of the worktree of the task in hand, empty without one. ``finished``: a
    task of the caller's that is done and has its worktree still, by its name and its branch.
    """

    crowded: bool = False
    branch: str = ""
    finished: tuple[str, str] | None = None


def look(scope: Scope, task: TaskGlance | None) -> Delivery:
    """Nothing of that where there is no repository."""
    actor = scope.actor
    if not actor.root or not os.path.lexists(os.path.join(actor.root, ".git")):
        return Delivery()
    place = actor.worktree or actor.root
    if task is None:
        row = scope.tx.one("lifecycle.finished", agent_id=actor.agent_id)
        branch = "" if row is None else _branch(row[2])
        return Delivery(finished=None if row is None else (number_of(row[1]) or str(row[0]), branch))
    row = scope.tx.one("lifecycle.beside", agent_id=actor.agent_id, place=place, task_id=task.task_id)
    return Delivery() if row is None else Delivery(bool(row[0]), _branch(row[1]))


def steps(seen: Delivery, task: TaskGlance | None) -> list[Step]:
    """What comes first, if anything does."""
    if task is None:
        return [] if seen.finished is None else [_home(*seen.finished)]
    name = word(task.number or task.task_id)
    if seen.branch:
        return [
            Step("radar.look", f"{name} has its own branch {quoted(seen.branch, 100)}: see what it will conflict with.")
        ]
    if seen.crowded:
        return [
            Step("worktree.create", f"Others work in your checkout: make one of its own for {name}, and work there.")
        ]
    return []


def _home(name: str, branch: str) -> Step:
    told = (
        f"{word(name)} is done and has its worktree still: bring {quoted(branch, 100)} home, then `worktree.remove` it."
    )
    return Step("integration.run", told)


def _branch(text: object) -> str:
    return str((read_object(text) or {}).get("branch") or "")
