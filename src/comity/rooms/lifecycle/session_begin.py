"""Beginning to work: in the right project, registered, with a task; all of it or nothing."""

from __future__ import annotations

import os

from comity.kernel.javascript import trim
from comity.kernel.problem import Conflict, NotFound, Problem
from comity.kernel.quoting import called, word
from comity.kernel.scope import Actor, Scope
from comity.rooms.channels import arrivals
from comity.rooms.lifecycle import overview, pause
from comity.rooms.lifecycle.model import Begun, Checked, Checks, Trouble, WorkPlace
from comity.rooms.tasks import additions, transitions
from comity.rooms.tasks.machine import PENDING
from comity.rooms.tasks.model import NewTask, Task, label
from comity.system.inside import folder_inside, within

USUAL = ("room_set", "joined", "task_claimed", "current_task_set")
_FIXES = {
    "room_set": "Name a channel, or set the project's default channel with `comity init`.",
    "namespace_ready": "Name a channel, or set the project's default channel with `comity init`.",
    "joined": "Register: `session.begin` does it.",
    "task_claimed": "Claim a task: `task.take_next` finds the best one.",
    "current_task_set": "Start the task that you claimed: `task.start`.",
    "worktree_active": "Work in a linked git worktree: `worktree.create` makes one; start your session in it.",
}


def place(scope: Scope, path: str) -> WorkPlace:
    """The actor's project, if ``path`` is in it. Conflict ``project.other`` when it is elsewhere.

    Whoever could look for themselves is told what else is there, and may write ``~``. To anybody else everything
    outside of the project is the same, and is not looked at.
    """
    actor = scope.actor
    if trim(path):
        folder = _named(actor, path)
        if not folder:
            raise _elsewhere(actor, path)
        if not os.path.isdir(folder):
            raise NotFound(
                "path.unknown",
                f"There is no folder {path!r}.",
                "Give an existing folder, or none for the project of this workspace.",
                path=folder,
            )
        if not any(within(folder, os.path.realpath(one)) for one in _projects(actor)):
            raise _elsewhere(actor, folder)
    return WorkPlace(actor.root, actor.project_id, same=True)


def _named(actor: Actor, path: str) -> str:
    base = actor.worktree or actor.root
    if actor.oversees:
        return os.path.realpath(os.path.join(base, os.path.expanduser(path)))
    return folder_inside(path, base, _projects(actor))


def _projects(actor: Actor) -> list[str]:
    return [folder for folder in (actor.root, actor.worktree) if folder]


def _elsewhere(actor: Actor, path: str) -> Conflict:
    return Conflict(
        "project.other",
        f"{path} is not in the project that this workspace is for, {actor.root or actor.project_id}.",
        "Work in this project (no path means it), or connect to a server that was started in that folder.",
        path=path,
        root=actor.root,
        projectId=actor.project_id,
    )


def begin(scope: Scope, path: str, title: str) -> Begun:
    """Register; then add, claim and start the task. What is wrong with the task does not hinder the registration."""
    place(scope, path)
    scope = arrivals.known(scope)
    registration = arrivals.start(scope, None, None, None, None)
    task, trouble = None, None
    if trim(title):
        try:
            pause.require_none(scope)
            task = _task(scope, title)
        except Problem as problem:
            trouble = Trouble(problem.reason, problem.message, problem.hint)
    return Begun(registration.agent_id, registration.session_id, task, overview.overview(scope), trouble)


def _task(scope: Scope, title: str) -> Task:
    """The task of that title: a new one, or the one that is there if it is free or the caller's own."""
    known = additions.same(scope, title)
    if known is None:
        known = additions.add(scope, [NewTask(title)])[0]
    elif known.assigned_agent_id == scope.actor.agent_id and known.status == "in-progress":
        return known
    if known.status == PENDING or known.assigned_agent_id == scope.actor.agent_id:
        return transitions.transition(scope, known.task_id, "start")
    holder = called(known.assigned_agent_id)
    raise Conflict(
        "task.duplicate",
        f"{label(known)} has that title already: it is {word(known.status)}, held by {holder}.",
        "Take another task, or ask its holder.",
    )


def check(scope: Scope, wanted: list[str]) -> Checks:
    """Which assertions hold."""
    you = overview.you(scope)
    ready = bool(trim(scope.actor.channel))
    facts = {
        "room_set": ready,
        "namespace_ready": ready,
        "joined": you.joined,
        "task_claimed": bool(you.current_tasks),
        "current_task_set": any(task.state == "in_progress" for task in you.current_tasks),
        "worktree_active": bool(scope.actor.worktree),
    }
    listed = [Checked(name, facts[name], None if facts[name] else _FIXES[name]) for name in wanted or USUAL]
    failed = [one for one in listed if not one.passed]
    return Checks(listed, not failed, failed[0].fix_hint if failed else None)
