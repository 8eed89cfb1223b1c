"""Records and argument types of tasks (protocol reference sections 4.8 and 5.4)."""

from __future__ import annotations

from comity.kernel.argument import Items, Note, Number, Text
from comity.kernel.hints import Annotated, Any, Literal
from comity.kernel.javascript import trim
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.quoting import word
from comity.kernel.scope import Row
from comity.kernel.text import read_list, read_object
from comity.rooms.agents.model import Slug
from comity.rooms.goals.model import Goal

MAX_ARCHIVED = 5000  # tasks that one call archives: the write lock is held meanwhile

TaskRef = Annotated[str, Text("A task: its id, or its number as task-001.", min=1, max=200)]
TaskRefs = Annotated[list[TaskRef], Items("Tasks that must be done first, by id or number.", max=100)]
Title = Annotated[str, Text("What is to be done, in a line.", min=1, max=1000)]
Description = Annotated[str, Text("More about it.", max=100_000)]
Priority = Annotated[
    Literal["P0", "P1", "P2", "P3", 1, 2, 3, 4, 5],
    Note("P0 (most urgent) to P3; or 1 to 5, where 4 and 5 are both P3 and 5 comes last."),
]
PriorityClass = Annotated[Literal["P0", "P1", "P2", "P3"], Note("Only tasks of this priority.")]
Status = Annotated[
    Literal["pending", "accepted", "in-progress", "blocked", "done", "cancelled"], Note("Only tasks in this state.")
]
FinishedStatus = Annotated[Literal["done", "cancelled"], Note("Which finished tasks to archive.")]
ExpectedRevision = Annotated[int, Number("Refuse unless the task is still at this revision.", ge=1, le=10**15)]
LeaseSeconds = Annotated[int, Number("Seconds until the hold ends by itself.", ge=1, le=31_536_000)]
Result = Annotated[str, Text("What came of it.", max=100_000)]
Reason = Annotated[str, Text("Why, for whoever takes it on.", max=10_000)]
HandoffNote = Annotated[str, Text("What whoever takes it on should know.", max=10_000)]
IncludeSubtasks = Annotated[bool, Note("List the tasks whose parent this is.")]
TaskLimit = Annotated[int, Number("How many tasks to return at most.", ge=1, le=10_000)]
EventLimit = Annotated[int, Number("How many events to return at most.", ge=1, le=1000)]
Cursor = Annotated[str, Text("Go on after this cursor.", max=40)]

Level = Annotated[int, Number("Priority from 1 (urgent) to 5 (low).", ge=1, le=5)]
Action = Annotated[Literal["claim", "start", "done", "cancel", "release"], Note("What to do with it.")]
Notes = Annotated[str, Text("What came of it: what done asks for.", max=100_000)]
Demand = Annotated[str, Text(min=1, max=2000)]
Demands = Annotated[list[Demand], Items(max=100)]
Link = Annotated[str, Text(max=200)]

LOWEST = 5  # level
CLASSES = {1: "P0", 2: "P1", 3: "P2", 4: "P3", LOWEST: "P3"}  # by level
RANKS = {"P0": 0, "P1": 1, "P2": 2, "P3": 3}  # places in the order of the view ``comity_tasks``, by class
# How states are called where agents see many tasks at once (MASC's words), in the order of their counts.
SHORT_STATES = {
    "pending": "todo",
    "accepted": "claimed",
    "in-progress": "in_progress",
    "blocked": "blocked",
    "done": "done",
    "cancelled": "cancelled",
}


class Links(NamedTuple):
    """What a task belongs to elsewhere."""

    operation_id: Link | None = None
    session_id: Link | None = None
    autoresearch_loop_id: Link | None = None


class Contract(NamedTuple):
    """What must be said of a task before it counts as done.

    Its notes must contain each text of ``completion_contract`` and ``required_evidence``, whatever their case. Giving
    back a ``strict`` one takes a summary. The gates are kept for reviewers.
    """

    strict: bool = False
    completion_contract: Demands | None = None
    required_evidence: Demands | None = None
    inspect_gate_evidence: Demands | None = None
    verify_gate_evidence: Demands | None = None
    links: Links | None = None


class NewTask(NamedTuple):
    """A task to be added. ``priority`` is another word for ``level``."""

    title: Title
    description: Description | None = None
    level: Level | None = None
    priority: Level | None = None
    profile_slug: Slug | None = None
    contract: Contract | None = None


NewTasks = Annotated[list[NewTask], Items("The tasks, all or none of which are added.", min=1, max=20)]


class Handoff(NamedTuple):
    """What whoever takes a task on should know."""

    summary: HandoffNote | None = None
    reason: Reason | None = None
    next_step: HandoffNote | None = None
    failure_mode: HandoffNote | None = None
    evidence_refs: Demands | None = None


class Waited(NamedTuple):
    """A task that another one waits for."""

    task_id: str
    number: str | None
    status: str


class Task(NamedTuple):
    """One task.

    ``number`` is short for people, ``revision`` counts its changes, ``level`` is its priority from 1 (urgent) to 5.
    ``waiting_on`` is what it depends on and is not done; ``handoff`` is what its last holder left.
    """

    task_id: str
    title: str
    description: str
    profile_slug: str | None
    priority: str
    status: str
    goal_id: str | None
    parent_task_id: str | None
    dispatcher_agent_id: str
    assigned_agent_id: str | None
    result: str | None
    reason: str | None
    created_at: str
    updated_at: str
    archived_at: str | None
    number: str | None
    revision: int
    level: int
    waiting_on: tuple[Waited, ...] = ()
    lease_expires_at: str | None = None
    handoff: dict[str, Any] | None = None
    contract: dict[str, Any] | None = None
    worktree: dict[str, Any] | None = None


class OneTask(NamedTuple):
    """A task as it is now. ``dependents`` are tasks that can no longer begin, because this one was cancelled."""

    task: Task
    dependents: tuple[Waited, ...] = ()


class TaskView(NamedTuple):
    """A task with its subtasks and its goals, root first. ``dependents`` are the tasks that wait for it."""

    task: Task
    subtasks: list[Task]
    goal_chain: list[Goal]
    depends_on: tuple[Waited, ...] = ()
    dependents: tuple[Waited, ...] = ()
    goal_cycle: tuple[str, ...] = ()


class Tasks(NamedTuple):
    """Tasks, most urgent first, then newest first."""

    tasks: list[Task]


class Ready(NamedTuple):
    """Tasks that may be begun now, best first.

    ``stuck`` ones wait for a task that was cancelled, so they never will be ready unless that is changed.
    """

    tasks: list[Task]
    stuck: tuple[Task, ...] = ()


class Shortage(NamedTuple):
    """Pending tasks, and why none of them can be had: a task may count more than once."""

    pending: int
    waiting: int
    stuck: int
    other_profile: int
    assigned_to_others: int


class Next(NamedTuple):
    """The task that was claimed; without one, ``why`` not and the figures behind it."""

    task: Task | None
    why: str | None = None
    shortage: Shortage | None = None


class TakenNext(NamedTuple):
    """The task that was claimed; without one, ``why`` not and the figures behind it.

    ``released`` is the task that was given back for it.
    """

    task: Task | None
    why: str | None = None
    shortage: Shortage | None = None
    released: Task | None = None


class Transition(NamedTuple):
    """A task after a transition. ``changed`` is false when it was so already; ``from_state`` is what it was before.

    ``dependents`` are tasks that can no longer begin, because this one was cancelled.
    """

    task: Task
    changed: bool
    from_state: str | None = None
    dependents: tuple[Waited, ...] = ()


class Archived(NamedTuple):
    """How many tasks were archived; ``more`` is true when there are others."""

    archived_count: int
    more: bool = False


class TaskEvent(NamedTuple):
    """One thing that happened to a task; ``metadata`` tells states, revision and notes."""

    id: int
    event_type: str
    timestamp: str
    agent_id: str | None
    metadata: dict[str, Any]


class History(NamedTuple):
    """What happened to a task, oldest first. Changes by other implementations leave no event, only a revision."""

    task_id: str
    number: str | None
    revision: int
    events: list[TaskEvent]
    cursor: str


class Holder(NamedTuple):
    """Who holds a task."""

    agent_id: str
    session_id: str | None
    status: str
    lease_expires_at: str | None


class Found(NamedTuple):
    """A task with what only its changes need."""

    task: Task
    session_id: str | None


def number_of(value: object) -> str | None:
    """A task's number as people write it."""
    return f"task-{value:03d}" if isinstance(value, int) else None


def label(task: Task) -> str:
    """How messages call a task."""
    return word(task.number or task.task_id)


def found(row: Row) -> Found:
    """A row of the view ``comity_tasks``."""
    waiting = () if row[18] == "[]" else waited(read_list(row[18]))
    own = (None if text is None else read_object(text) for text in row[20:23])
    return Found(
        Task._make((*row[:15], number_of(row[15]), row[16], row[17], waiting, row[19], *own)),
        row[23],
    )


def waited(rows: list[Any] | list[Row] | None) -> tuple[Waited, ...]:
    """Rows of id, number and status, by number."""
    ordered = sorted(rows or (), key=lambda row: row[1] if isinstance(row[1], int) else 0)
    return tuple(Waited(str(task_id), number_of(number), str(status)) for task_id, number, status in ordered)


def normal_slug(slug: str) -> str:
    """A profile's slug as it is stored."""
    return trim(slug).lower()
