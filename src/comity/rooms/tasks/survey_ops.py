"""Looking over the queue: what is still to be done, whoever has it."""

from __future__ import annotations

from comity.kernel.argument import Note
from comity.kernel.hints import Annotated
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.op import op
from comity.kernel.scope import Scope
from comity.rooms.tasks import listings
from comity.rooms.tasks.machine import CANCELLED, DONE, OPEN
from comity.rooms.tasks.model import Status, Task, TaskLimit

IncludeDone = Annotated[bool, Note("List finished tasks as well.")]
IncludeCancelled = Annotated[bool, Note("List cancelled tasks as well.")]


class Survey(NamedTuple):
    """Tasks, most urgent first, then newest first; ``more`` is true when there are others."""

    tasks: list[Task]
    more: bool = False


@op("task.survey", effect="read", needs="session", example={"include_done": True})
def survey_tasks(
    scope: Scope,
    *,
    status: Status | None = None,
    include_done: IncludeDone = False,
    include_cancelled: IncludeCancelled = False,
    limit: TaskLimit = 50,
) -> Survey:
    """List the tasks that are still to be done, or those in one state."""
    finished = (*([DONE] if include_done else []), *([CANCELLED] if include_cancelled else []))
    states = (status,) if status is not None else (*OPEN, *finished)
    found = [task for state in states for task in listings.listed(scope, state, None, None, None, None, limit + 1)]
    found.sort(key=lambda task: task.created_at, reverse=True)
    found.sort(key=lambda task: task.level)
    return Survey(found[:limit], len(found) > limit)
