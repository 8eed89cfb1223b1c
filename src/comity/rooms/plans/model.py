"""Records and argument types of plans (MASC, core reference section 4.3)."""

from __future__ import annotations

from comity.kernel.argument import Note, Number, Text
from comity.kernel.hints import Annotated
from comity.kernel.named_tuple import NamedTuple

MOST_ENTRIES = 1000  # notes, or errors, of one plan

PlanText = Annotated[str, Text("The plan: what is to be done, in which order.", max=100_000)]
PlanNote = Annotated[str, Text("What whoever reads the plan should know.", min=1, max=10_000)]
Deliverable = Annotated[str, Text("What was made, and where it is.", min=1, max=100_000)]
ErrorType = Annotated[str, Text("What kind of error it is, in a word: build, test, tool.", min=1, max=100)]
ErrorMessage = Annotated[str, Text("What went wrong.", min=1, max=10_000)]
ErrorContext = Annotated[str, Text("Where and when: a command, a file, an output.", max=10_000)]
ErrorIndex = Annotated[int, Number("Which error, as the plan counts them from 0.", ge=0, le=MOST_ENTRIES)]
PlanRevision = Annotated[int, Number("Refuse unless the plan is still at this revision.", ge=1, le=10**15)]
EntryLimit = Annotated[int, Number("How many of the newest notes to return at most.", ge=0, le=MOST_ENTRIES)]
PlanLimit = Annotated[int, Number("How many plans to return at most.", ge=1, le=500)]
OnlyOpen = Annotated[bool, Note("Only plans of tasks that are neither done nor cancelled.")]


class PlanEntry(NamedTuple):
    """A note: who wrote it, and when."""

    agent_id: str
    timestamp: str
    note: str


class PlanError(NamedTuple):
    """Something that went wrong. ``error_index`` names it; ``resolved`` says whether it still stands in the way."""

    error_index: int
    agent_id: str
    timestamp: str
    error_type: str
    message: str
    context: str
    resolved: bool
    resolved_by: str | None = None


class Plan(NamedTuple):
    """A task's plan. ``task`` is the task's number, ``holder`` who works on it, ``status`` the task's own.

    ``notes`` are the newest ones of ``note_count``, oldest first. ``revision`` counts the changes of ``task_plan``.
    """

    task_id: str
    task: str | None
    title: str
    status: str
    holder: str | None
    task_plan: str
    revision: int
    notes: list[PlanEntry]
    note_count: int
    errors: list[PlanError]
    open_errors: int
    deliverable: str | None
    delivered_by: str | None
    delivered_at: str | None
    created_by: str
    created_at: str
    updated_by: str
    updated_at: str


class OnePlan(NamedTuple):
    """A plan as it is now."""

    plan: Plan


class BegunPlan(NamedTuple):
    """A plan as it is now. ``created`` is false when the task had one."""

    plan: Plan
    created: bool


class PlanMark(NamedTuple):
    """One plan of several: whose task it is of, how it stands."""

    task_id: str
    task: str | None
    title: str
    status: str
    holder: str | None
    note_count: int
    open_errors: int
    delivered: bool
    updated_at: str


class Plans(NamedTuple):
    """Plans, the one that was changed last first. ``more``: there are others."""

    plans: list[PlanMark]
    more: bool


class NotedPlan(NamedTuple):
    """What was written into a plan, and how many notes, errors and open errors it has now."""

    task_id: str
    task: str | None
    note_count: int
    error_count: int
    open_errors: int
    updated_at: str


class CurrentTask(NamedTuple):
    """The task that the caller works on; None when it holds none. ``chosen``: it said so itself."""

    task_id: str | None
    task: str | None
    title: str | None
    status: str | None
    chosen: bool
