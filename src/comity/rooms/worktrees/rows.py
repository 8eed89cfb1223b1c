"""Rows of worktrees: what Comity made, for which task, and how far the making or removing has come."""

from __future__ import annotations

import os
from collections.abc import Mapping

from comity.kernel.event import Event
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.observer import Presence
from comity.kernel.scope import Scope
from comity.kernel.text import compact, read_object
from comity.rooms.agents.liveness import gone
from comity.rooms.tasks import links
from comity.rooms.tasks.model import number_of

MAKING, THERE, REMOVING = "making", "there", "removing"
_PROCESS = ("pid", "started", "boot_id", "namespace")


class Made(NamedTuple):
    """One worktree that Comity made, or is making."""

    name: str
    clone: str
    branch: str
    base: str
    began: str
    task_id: str
    agent_id: str
    state: str
    process: str
    made_ms: int
    brought_json: str
    task: str | None
    agent_name: str | None

    @property
    def brought(self) -> dict[str, str]:
        """Files that were brought along, with what stands for their content."""
        return {name: str(digest) for name, digest in (read_object(self.brought_json) or {}).items()}

    def path(self, root: str) -> str:
        """Where it is, links resolved; empty for a row that names no place."""
        return real(os.path.join(root, self.name))


def real(path: str) -> str:
    """A path with its links resolved; empty for what can be none, whoever wrote it."""
    try:
        return os.path.realpath(path)
    except ValueError:
        return ""


def every(scope: Scope) -> list[Made]:
    """All of them, by name."""
    return [Made._make((*row[:11], number_of(row[11]), row[12])) for row in scope.tx.all("worktrees.all")]


def put(scope: Scope, made: Made) -> None:
    """Write one down, or write it anew."""
    told = {name: getattr(made, name) for name in ("name", "clone", "branch", "base", "began", "task_id", "agent_id")}
    scope.tx.run("worktrees.put", state=made.state, process=own_process(scope), now_ms=scope.now.ms, **told)


def there(scope: Scope, made: Made, brought: Mapping[str, str]) -> None:
    """It is made, with these files brought along."""
    put(scope, made._replace(state=THERE))
    scope.tx.run("worktrees.bring", name=made.name, brought_json=compact(dict(brought)))
    about = {"branch": made.branch, "path": made.path(scope.actor.root), "clone": made.clone or None}
    links.set_worktree(scope, made.task_id, about)
    subjects = (("task", made.task_id), ("worktree", made.name))
    told: dict[str, object] = {"worktree": made.name, "branch": made.branch, "task": made.task or made.task_id}
    scope.emit(Event("worktree.created", agent_id=scope.actor.agent_id, metadata=told, subjects=subjects))


def move(scope: Scope, name: str, state: str) -> None:
    """It is in this state now."""
    scope.tx.run("worktrees.move", name=name, state=state, process=own_process(scope))


def drop(scope: Scope, name: str) -> None:
    """It is gone."""
    scope.tx.run("worktrees.drop", name=name)


def own_process(scope: Scope) -> str:
    """The process that is at it, as another one can look for it. A session that outlives its process names none."""
    own = scope.observer.presence or Presence()
    if own.pid is None and own.boot_id:
        own = own._replace(pid=os.getpid(), started=scope.observer.look(os.getpid()).started)
    return compact({key: value for key, value in own._asdict().items() if key in _PROCESS})


def interrupted(scope: Scope) -> list[Made]:
    """Those whose making or removing no other living process is at, as far as rows tell."""
    return [one for one in every(scope) if one.state != THERE and not is_at_work(scope, one)]


def is_at_work(scope: Scope, made: Made) -> bool:
    """Whether another process that makes or removes it still runs; unknown counts as that."""
    return made.state != THERE and runs_elsewhere(scope, made.process)


def is_own(scope: Scope, process: str) -> bool:
    """Whether a process that is written down is this one."""
    return process == own_process(scope)


def runs_elsewhere(scope: Scope, process: str) -> bool:
    """Whether a process that is written down, and is another one than this, still runs."""
    return not is_own(scope, process) and runs(scope, process)


def runs(scope: Scope, process: str) -> bool:
    """Whether a process that is written down still runs. One that nobody can look for from here counts as running,
    unless the machine was started anew since.
    """
    told, own = read_object(process) or {}, scope.observer.presence
    pid = told.get("pid")
    if own is None or not isinstance(pid, int):
        return False
    if (told.get("boot_id"), told.get("namespace")) != (own.boot_id, own.namespace):
        return told.get("boot_id") == own.boot_id
    return gone(str(told.get("started") or ""), scope.observer.look(pid)) is not True
