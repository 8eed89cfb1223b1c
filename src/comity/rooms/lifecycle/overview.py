"""The workspace at a glance, for agents that ask often: a few short reads, none of which grows with history."""

from __future__ import annotations

from comity.kernel.clock import Instant
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.quoting import called, quoted, word
from comity.kernel.scope import Row, Scope
from comity.rooms.agents.unhooked import unhooked
from comity.rooms.channels import deliveries
from comity.rooms.lifecycle import awareness, delivery_steps, pause
from comity.rooms.lifecycle.delivery_steps import Delivery
from comity.rooms.lifecycle.model import AgentGlance, Counts, Guidance, Overview, Step, TaskGlance, You
from comity.rooms.tasks.model import SHORT_STATES, number_of

MOST_AGENTS = 40
MOST_TASKS = 30
MOST_STEPS = 2
MOST_ATTENTION = 10
_HELD = 500  # rows of held tasks that are read
_COUNTED = 1000
_STEERING = 2

_ORDER = ("in_progress", "claimed", "blocked")


class Seen(NamedTuple):
    """What the answers are made of."""

    you: You
    held: list[TaskGlance]
    todo: int
    waiting: int
    urgent: int
    lapsed_leases: list[TaskGlance]
    committed: tuple[str, ...]
    delivery: Delivery


def overview(scope: Scope) -> Overview:
    """The whole of it."""
    agents_here, messages, *states = scope.tx.one("lifecycle.how_many", most=_COUNTED) or (0,) * 8
    seen = _look(scope, states[0])
    agents = _agents(scope, seen.held)
    shown = [*seen.held[:MOST_TASKS]]
    if len(shown) < MOST_TASKS and seen.todo:
        rows = scope.tx.all("lifecycle.waiting_tasks", limit=MOST_TASKS - len(shown))
        shown += map(_task, rows)
    actor = scope.actor
    return Overview(
        actor.project_id,
        actor.root,
        actor.channel,
        Counts(agents_here, dict(zip(SHORT_STATES.values(), states, strict=True)), messages),
        agents,
        shown,
        seen.you,
        [*pause.told(scope), *_attention(seen, agents), *_unguarded(scope)][:MOST_ATTENTION],
        _steps(seen)[:MOST_STEPS],
    )


def guidance(scope: Scope) -> Guidance:
    """Where the caller stands."""
    pending = scope.tx.all("lifecycle.waiting_tasks", limit=1)
    seen = _look(scope, len(pending))
    return Guidance(_state(seen), _steps(seen))


def you(scope: Scope) -> You:
    """The caller alone."""
    return _look(scope, 0).you


def _look(scope: Scope, todo: int) -> Seen:
    actor, now = scope.actor, scope.now
    rows = scope.tx.all("lifecycle.held_tasks", limit=_HELD)
    held = [_task(row) for row in rows]
    lapsed = [task for task, row in zip(held, rows, strict=True) if row[6] is not None and row[6] <= now.iso]
    joined = scope.tx.one("agents.active_session", agent_id=actor.agent_id, session_id=actor.session_id) is not None
    counts: dict[object, int] = {}
    if joined:
        counts = dict(scope.tx.all("lifecycle.pending_of", agent_id=actor.agent_id, **deliveries.overdue(scope)))
    urgent = sum(number for priority, number in counts.items() if isinstance(priority, int) and priority >= _STEERING)
    mine = sorted((one for one in held if one.assignee == actor.agent_id), key=_place) if joined else []
    me = You(actor.agent_id, actor.name or actor.agent_id, joined, mine)
    delivery = delivery_steps.look(scope, mine[0] if mine else None) if joined else Delivery()
    return Seen(me, held, todo, sum(counts.values()), urgent, lapsed, awareness.committed(scope), delivery)


def _place(task: TaskGlance) -> int:
    return _ORDER.index(task.state)


def _task(row: Row) -> TaskGlance:
    task_id, number, title, status, level, holder, _ = row
    return TaskGlance(task_id, number_of(number), title[:200], SHORT_STATES[str(status)], level, holder)


def _agents(scope: Scope, held: list[TaskGlance]) -> list[AgentGlance]:
    working: dict[str | None, TaskGlance] = {}
    for task in sorted(held, key=_place):
        working.setdefault(task.assignee, task)
    listed = []
    for agent_id, name, status, registered_at, seen_ms, until_ms in scope.tx.all("lifecycle.glance", limit=MOST_AGENTS):
        current = working.get(agent_id)
        busy = current is not None and current.state != "blocked"
        last_seen = Instant.at(seen_ms).iso if isinstance(seen_ms, int) else registered_at
        lapsed = isinstance(until_ms, int) and until_ms < scope.now.ms
        label = None if current is None else current.number or current.task_id
        listed.append(AgentGlance(agent_id, name, "busy" if busy else status, label, last_seen, lapsed))
    return listed


def _label(task: TaskGlance) -> str:
    return word(task.number or task.task_id)


def _attention(seen: Seen, agents: list[AgentGlance]) -> list[str]:
    told = [*seen.committed]
    if seen.urgent:
        told.append(f"{_messages(seen.waiting)} for you, {seen.urgent} of them urgent.")
    told += [
        f"The lease of {called(task.assignee)} on {_label(task)} is over; it is free to claim."
        for task in seen.lapsed_leases
    ]
    gone = {agent.agent_id: agent for agent in agents if agent.lapsed}
    told += [
        f"{called(task.assignee)} holds {_label(task)} and was last heard of at {word(gone[task.assignee].last_seen)}."
        for task in seen.held
        if task.assignee in gone
    ]
    told += [
        f"{_label(task)} is blocked, held by {called(task.assignee)}." for task in seen.held if task.state == "blocked"
    ]
    return told


def _unguarded(scope: Scope) -> list[str]:
    """Agents of which no hook is heard."""
    return [
        f"No hook of {quoted(program, 40)} is heard for {called(agent_id)}: nobody checks its edits."
        for agent_id, program in unhooked(scope).items()
    ]


def _messages(number: int) -> str:
    return "1 message waits" if number == 1 else f"{number} messages wait"


def _state(seen: Seen) -> str:
    if not seen.you.joined:
        return "not_joined"
    if seen.you.current_tasks:
        return {"in_progress": "working"}.get(seen.you.current_tasks[0].state, seen.you.current_tasks[0].state)
    return "ready" if seen.todo else "idle"


def _steps(seen: Seen) -> list[Step]:
    if not seen.you.joined:
        return [Step("session.begin", "You are not registered here: nobody sees you, and you can hold nothing.")]
    steps = []
    if seen.urgent:
        steps.append(Step("message.poll", f"{_messages(seen.waiting)} for you, {seen.urgent} of them urgent."))
    current = next(iter(seen.you.current_tasks), None)
    steps += delivery_steps.steps(seen.delivery, current)
    if current is not None:
        steps += _steps_of(current)
    elif seen.todo:
        steps.append(Step("task.take_next", "You hold no task, and some are waiting."))
    else:
        steps.append(Step("task.add", "You hold no task, and none is waiting."))
    if seen.waiting and not seen.urgent:
        steps.append(Step("message.poll", f"{_messages(seen.waiting)} for you."))
    return steps


def _steps_of(task: TaskGlance) -> list[Step]:
    name = f"{_label(task)} ({quoted(task.title, 80)})"
    if task.state == "claimed":
        return [
            Step("task.transition", f"You claimed {name}: start it."),
            Step("task.transition", "Release it when you will not do it."),
        ]
    if task.state == "blocked":
        return [
            Step("task.transition", f"{name} is blocked: start it once it can go on, or release it with a handoff."),
            Step("task.take_next", "Meanwhile another task may be ready."),
        ]
    return [
        Step("task.transition", f"You work on {name}: when it is done, say so with notes of what you did."),
        Step("message.announce", "Tell the others what you change, so that nobody does it twice."),
    ]
