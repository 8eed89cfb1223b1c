"""Operations for an agent that comes in: begin, see what is going on, check that all is well, learn what to do next."""

from __future__ import annotations

from comity.kernel.op import op
from comity.kernel.scope import Scope
from comity.rooms.lifecycle import overview, session_begin
from comity.rooms.lifecycle.model import Assertions, Begun, Checks, Guidance, Overview, Path, TaskTitle, WorkPlace


@op("session.begin", effect="write", example={"task_title": "Write the printer"})
def begin_session(scope: Scope, *, path: Path = "", task_title: TaskTitle = "") -> Begun:
    """Begin to work here: register, join the channel and, with a title, start on a task.

    A task of that title is added, claimed and started. A path outside this project is refused before anything happens.
    An unfinished task of the same title is taken on when it is free; when somebody has it, or the task is refused, the
    agent is registered all the same and ``task_problem`` tells why it has no task.
    """
    return session_begin.begin(scope, path, task_title)


@op("workspace.overview", effect="read", example={})
def workspace_overview(scope: Scope) -> Overview:
    """Show who is here, what is being done, where you stand and what to do next.

    Whoever is not registered may look, too. ``next_steps`` names operations.
    """
    return overview.overview(scope)


@op("workspace.check", effect="read", example={"assertions": ["joined", "task_claimed"]})
def check_workspace(scope: Scope, *, assertions: Assertions | None = None) -> Checks:
    """Check that you are set up to work, and learn what to do where you are not.

    room_set and namespace_ready: there is a channel; joined: you are registered; task_claimed: you hold a task;
    current_task_set: you have started one; worktree_active: you work in a linked git worktree. With nothing named it
    is the first, joined, task_claimed and current_task_set.
    """
    return session_begin.check(scope, list(assertions or ()))


@op("workspace.place", effect="read", example={})
def place_workspace(scope: Scope, *, path: Path = "") -> WorkPlace:
    """Tell which project this workspace is for, and refuse a folder that is not in it.

    A workspace belongs to one project and is not moved: Conflict ``project.other`` says where it is.
    """
    return session_begin.place(scope, path)


@op("guide.next", effect="read", example={})
def next_guide(scope: Scope) -> Guidance:
    """Tell where you stand and what to do next, as names of operations with reasons.

    ``current_state`` is not_joined, idle, ready (tasks are waiting), claimed, working or blocked.
    """
    return overview.guidance(scope)
