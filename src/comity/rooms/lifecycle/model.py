"""Records and argument types of the workspace as a whole."""

from __future__ import annotations

from comity.kernel.argument import Items, Note, Number, Text
from comity.kernel.hints import Annotated, Literal
from comity.kernel.named_tuple import NamedTuple
from comity.rooms.claims.model import Claim
from comity.rooms.tasks.model import Task

Cursor = Annotated[str, Text("Where to go on, from the last answer; empty for the beginning.", max=40)]
EventLimit = Annotated[int, Number("How many events to return at most.", ge=1, le=1000)]
Newest = Annotated[int, Number("Begin with this many of the newest events instead.", ge=0, le=1000)]
EventTypes = Annotated[
    list[Annotated[str, Text(max=100)]], Items("Only these kinds, such as message.send or task.*", max=50)
]
Certain = Annotated[bool, Note("Only the certainly dead, whoever calls: as servers do.")]
DryRun = Annotated[bool, Note("Only count what would be removed.")]
Days = Annotated[float, Number("Age in days.", ge=0, le=36500)]
PruneLimit = Annotated[int, Number("How many rows of each kind to remove at most.", ge=1, le=100_000)]
PauseReason = Annotated[str, Text("Why, for those who are held up.", max=2000)]
Minutes = Annotated[
    int, Number("After so many minutes it ends by itself; else when somebody resumes.", ge=1, le=43_200)
]
PendingLimit = Annotated[int, Number("How many pending deliveries to show at most.", ge=1, le=9_007_199_254_740_991)]
Path = Annotated[str, Text("A folder; ~ is the home folder, and a relative path counts from the root.", max=4096)]
TaskTitle = Annotated[str, Text("What to begin with, in a line: it is added, claimed and started.", max=1000)]
Assertion = Literal["room_set", "namespace_ready", "joined", "task_claimed", "current_task_set", "worktree_active"]
Assertions = Annotated[list[Assertion], Items("What to check; the usual four when empty.", max=20)]


class AgentPresence(NamedTuple):
    """What is known of an agent's life, and how.

    ``state``: alive or dead is certain; leased: nobody here can see its process, its lease runs; lapsed: it ran out.
    ``hooks``: false for an agent host of which no hook is heard, so that nobody asks before its agent's edits.
    ``doubles``: agents of other processes that live under the same session id.
    """

    state: str
    how: str
    last_seen: str
    program: str = ""
    machine: str = ""
    pid: int | None = None
    worktree: str = ""
    host_session_id: str = ""
    hooks: bool = True
    doubles: tuple[str, ...] = ()


class AgentOverview(NamedTuple):
    """An agent with an active session (reference section 4.2). One that reports no ``presence`` is never judged."""

    agent_id: str
    name: str
    session_id: str
    registered_at: str
    status: str
    profile_slug: str | None
    channels: list[str]
    interest_tags: list[str]
    max_pending_messages: int
    pending_deliveries: int
    active_claims: int
    role: str | None = None
    max_context_bytes: int | None = None
    presence: AgentPresence | None = None


class HooksHeard(NamedTuple):
    """``heard``: false while only a server speaks for the agent, and no hook of its host."""

    heard: bool


class Agents(NamedTuple):
    """Every agent with an active session."""

    agents: list[AgentOverview]


class LoggedEvent(NamedTuple):
    """One row of the audit log; for messages also who sent it, how urgent it is and how it begins."""

    id: int
    event_type: str
    timestamp: str
    reason_code: str
    agent_id: str | None
    channel_id: str | None
    message_id: str | None
    delivery_id: str | None
    metadata: dict[str, object]
    from_agent_id: str | None = None
    from_name: str | None = None
    priority: int | None = None
    excerpt: str | None = None


class Events(NamedTuple):
    """A page of the log and the cursor to go on with."""

    events: list[LoggedEvent]
    cursor: str


class Pending(NamedTuple):
    """Live pending deliveries by priority."""

    total: int
    interrupt: int
    steering: int
    advisory: int
    info: int


class Damped(NamedTuple):
    """Messages that were held back since they went on and on; ``target`` is an agent, or "#" and a channel."""

    sender: str
    target: str
    why: str
    last_at: str
    times: int


class Pause(NamedTuple):
    """A pause of the workspace: by whom, why, since when. Without ``until`` it lasts until somebody resumes."""

    agent_id: str
    agent_name: str
    reason: str
    since: str
    until: str | None = None


class Paused(NamedTuple):
    """The workspace is paused; ``replaced`` is the pause that lasted before."""

    pause: Pause
    replaced: Pause | None = None


class Resumed(NamedTuple):
    """The workspace is not paused; ``ended`` is the pause that this ended."""

    resumed: bool
    ended: Pause | None = None


class Status(NamedTuple):
    """What the workspace holds; ``deliveries`` and ``events`` count from the oldest row that is kept.

    ``damped``: whose messages were held back within the last hour, the latest first. ``paused``: the pause that lasts.
    ``committed``: commits of the last day that took in what a peer had not committed, in sentences.
    """

    project_id: str
    agents: int
    channels: int
    pending: Pending
    deliveries: int
    events: int
    oldest_event: str | None
    damped: tuple[Damped, ...] = ()
    paused: Pause | None = None
    committed: tuple[str, ...] = ()


class Pruned(NamedTuple):
    """What was removed, or would be; ``more`` says that another call has more to do."""

    expired: int
    messages: int
    events: int
    claims: int
    more: bool
    dry_run: bool


class Guide(NamedTuple):
    """How to work with the bus, for this agent."""

    instructions: str


class Ended(NamedTuple):
    """A session that is over, and what it held."""

    agent_id: str
    session_id: str
    released_files: tuple[str, ...] = ()
    returned_task_ids: tuple[str, ...] = ()


class AgentState(NamedTuple):
    """An agent's state now, and what it held when it left."""

    agent_id: str
    status: str
    released_files: tuple[str, ...] = ()
    returned_task_ids: tuple[str, ...] = ()


class ReapedAgent(NamedTuple):
    """An agent that was found dead: how that is known, and what is free again."""

    agent_id: str
    session_id: str
    how: str
    released_files: list[str]
    returned_task_ids: list[str]


class Reaped(NamedTuple):
    """Who was found dead; ``more`` says that another call has more to do."""

    agents: list[ReapedAgent]
    more: bool = False


class AgentSituation(NamedTuple):
    """The calling agent, as others see it."""

    agent_id: str
    session_id: str
    name: str
    registered_at: str
    status: str
    profile_slug: str | None
    interest_tags: list[str]
    channels: list[str]
    role: str | None = None


class PendingDelivery(NamedTuple):
    """A delivery that waits, and how its content begins."""

    delivery_id: str
    message_id: str
    channel_id: str | None
    from_agent_id: str
    from_name: str
    priority: int
    priority_label: str
    type: str
    content_preview: str
    timestamp: str
    state: str


class PendingContext(NamedTuple):
    """What waits for the agent, by priority, and the most urgent of it."""

    total: int
    interrupt: int
    steering: int
    advisory: int
    info: int
    deliveries: list[PendingDelivery]


class HeldClaims(NamedTuple):
    """Active claims, by path and age; ``more`` says that there are others."""

    own: list[Claim]
    peers: list[Claim]
    more: bool = False


class MemoryCounts(NamedTuple):
    """How many memories the agent sees, by scope."""

    agent: int
    channel: int
    workspace: int


class SessionContext(NamedTuple):
    """Where an agent stands (reference section 4.2)."""

    agent: AgentSituation
    pending: PendingContext
    claims: HeldClaims
    memories: MemoryCounts


class AgentGlance(NamedTuple):
    """An agent that is here. ``status`` is busy while it works; ``lapsed``: its lease is over, it may be gone."""

    agent_id: str
    name: str
    status: str
    current_task: str | None
    last_seen: str
    lapsed: bool = False


class TaskGlance(NamedTuple):
    """A task that is not finished; ``state`` is todo, claimed, in_progress or blocked."""

    task_id: str
    number: str | None
    title: str
    state: str
    level: int
    assignee: str | None


class Counts(NamedTuple):
    """How much there is; ``messages`` counts the deliveries that are kept.

    ``tasks`` that are not archived, by state: todo, claimed, in_progress, blocked, done, cancelled; at most 1000 each.
    """

    agents: int
    tasks: dict[str, int]
    messages: int


class You(NamedTuple):
    """The caller. ``current_tasks`` is what it holds, what it works on first."""

    agent_id: str
    name: str
    joined: bool
    current_tasks: list[TaskGlance]


class Step(NamedTuple):
    """Something to do next, as the name of an operation, and why."""

    action: str
    reason: str


class Overview(NamedTuple):
    """The workspace at a glance: at most 40 agents and 30 tasks, what needs attention, and two steps to take next."""

    project_id: str
    root: str
    channel: str
    counts: Counts
    agents: list[AgentGlance]
    tasks: list[TaskGlance]
    you: You
    attention: list[str]
    next_steps: list[Step]


class Checked(NamedTuple):
    """One assertion; ``fix_hint`` says how to make it true."""

    assertion: str
    passed: bool
    fix_hint: str | None


class Checks(NamedTuple):
    """Whether all is as it should be; ``fix_hint`` is that of the first assertion that failed."""

    assertions: list[Checked]
    all_passed: bool
    fix_hint: str | None


class WorkPlace(NamedTuple):
    """The project that this workspace is for. ``same``: the folder that was asked about belongs to it."""

    root: str
    project_id: str
    same: bool


class Trouble(NamedTuple):
    """Why something did not work, and what to do."""

    reason: str
    message: str
    hint: str


class Begun(NamedTuple):
    """An agent that is registered, and the task that it begins with; ``task_problem`` tells why it has none."""

    agent_id: str
    session_id: str
    task: Task | None
    overview: Overview
    task_problem: Trouble | None = None


class Guidance(NamedTuple):
    """Where the caller stands, and what to do, most pressing first."""

    current_state: str
    guidance: list[Step]
