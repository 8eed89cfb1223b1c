"""Commands on tasks: ``comity tasks`` lists them, ``comity task VERB`` hands one out, does it or gives it back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cyclopts import App

from comity.doors.cli.command import Option, Run, Values, command
from comity.doors.cli.invocation import Invocation
from comity.doors.cli.screen import Column, Part, Screen, clock, count
from comity.kernel.problem import Invalid
from comity.rooms.tasks.model import Archived, History, Next, OneTask, Ready, Task, Tasks, TaskView, Waited

STATUS_STYLES = {
    "pending": "",
    "accepted": "cyan",
    "in-progress": "bold cyan",
    "blocked": "bold yellow",
    "done": "green",
    "cancelled": "dim",
}
PRIORITY_STYLES = {"P0": "bold white on red", "P1": "bold yellow", "P2": "", "P3": "dim"}
_READY = Option("ready", bool, "Only what you may begin now, best first.", default=False)
_FILTERS = ("status", "profile_slug", "priority", "goal_id", "assigned_agent_id")


def operation(name: str, *, makes: bool = False) -> Run:
    """A command that takes part and runs one operation; one that ``makes`` something needs no database yet."""

    def run(invocation: Invocation, values: Values) -> Any:
        if not makes:
            invocation.require_database()
        invocation.take_part()
        return invocation.call(name, **values)

    return run


def _list(invocation: Invocation, values: Values) -> Tasks | Ready:
    wanted = values.pop("ready", False)
    if wanted and any(values.get(name) is not None for name in _FILTERS if name != "profile_slug"):
        raise Invalid("tasks.two_lists", "--ready has its own order and filter.", "Give --ready alone.")
    found: Tasks | Ready = operation("task.ready" if wanted else "task.list")(invocation, values)
    return found


def _show_list(screen: Screen, listed: Tasks | Ready) -> None:
    if not listed.tasks:
        screen.say("Nothing is ready." if isinstance(listed, Ready) else "No such task.")
    show_tasks(screen, listed.tasks)
    if isinstance(listed, Ready) and listed.stuck:
        screen.say("")
        screen.say((f"{count(len(listed.stuck), 'task')} stuck: what they wait for was cancelled.", "yellow"))
        show_tasks(screen, list(listed.stuck))


def show_tasks(screen: Screen, tasks: list[Task]) -> None:
    """Tasks as a table."""
    columns = (
        Column("Task"),
        Column("Priority"),
        Column("State"),
        Column("Title", flexible=True),
        Column("Holder", flexible=True),
        Column("Waits for", flexible=True),
        Column("Changed"),
    )
    rows = [
        (
            (task.number or task.task_id, "bold"),
            _priority(task),
            _status(task.status),
            task.title,
            task.assigned_agent_id or "",
            ", ".join(one.number or one.task_id for one in task.waiting_on),
            clock(task.updated_at),
        )
        for task in tasks
    ]
    screen.table(columns, rows)


def _priority(task: Task) -> Part:
    return f"{task.priority}" if task.level < 5 else f"{task.priority} (5)", PRIORITY_STYLES.get(task.priority, "")


def _status(status: str) -> Part:
    return status, STATUS_STYLES.get(status, "red")


tasks = command(
    _list,
    show=_show_list,
    ops=("task.list",),
    flags={"profile_slug": "--profile", "goal_id": "--goal", "assigned_agent_id": "--holder"},
    options=(_READY,),
    doc="""List tasks that are not archived, most urgent first, then newest first.

    With --ready only what you may begin now, the best first; comity task next claims the first of them.
    """,
    example="comity tasks --ready",
)


def _show_one(word: str) -> Callable[[Screen, OneTask], None]:
    def show(screen: Screen, done: OneTask) -> None:
        task = done.task
        lease = f", until {clock(task.lease_expires_at)}" if task.lease_expires_at else ""
        screen.say((word, "green"), " ", (task.number or task.task_id, "bold"), f" {task.title}{lease}")
        _show_handoff(screen, task)
        if done.dependents:
            screen.say(("Now stuck: ", "yellow"), _names(done.dependents))

    return show


def _show_handoff(screen: Screen, task: Task) -> None:
    if task.handoff and task.handoff.get("summary"):
        screen.say((f"From {task.handoff.get('from') or 'its last holder'}: ", "dim"), str(task.handoff["summary"]))


def _names(waited: tuple[Waited, ...]) -> str:
    return ", ".join(f"{one.number or one.task_id} ({one.status})" for one in waited)


def _show_next(screen: Screen, found: Next) -> None:
    if found.task is None:
        screen.say(found.why or "Nothing is ready.")
    else:
        _show_one("Claimed")(screen, OneTask(found.task))
        if found.task.description:
            screen.say(found.task.description, indent=2)


def _show_view(screen: Screen, view: TaskView) -> None:
    task = view.task
    screen.say((task.number or task.task_id, "bold"), f"  {task.title}")
    pairs: list[tuple[str, Part]] = [
        ("State", _status(task.status)),
        ("Priority", _priority(task)),
        ("Holder", task.assigned_agent_id or ""),
        ("Until", clock(task.lease_expires_at) if task.lease_expires_at else ""),
        ("Profile", task.profile_slug or ""),
        ("Goal", " > ".join(goal.title for goal in view.goal_chain)),
        ("Depends on", _names(view.depends_on)),
        ("Waited for by", _names(view.dependents)),
        ("Dispatched by", f"{task.dispatcher_agent_id}, {clock(task.created_at)}"),
        ("Changed", f"{clock(task.updated_at)}, revision {task.revision}"),
        ("Id", task.task_id),
    ]
    screen.fields(pair for pair in pairs if pair[1] and pair[1][0])
    for name, text in (("", task.description), ("Result: ", task.result), ("Reason: ", task.reason)):
        if text:
            screen.say("")
            screen.say((name, "bold"), text)
    _show_handoff(screen, task)
    if view.subtasks:
        screen.say("")
        show_tasks(screen, view.subtasks)


def _show_history(screen: Screen, history: History) -> None:
    screen.say((history.number or history.task_id, "bold"), f"  revision {history.revision}")
    for event in history.events:
        told = event.metadata
        moved = f" {told['from']} → {told['to']}" if "from" in told and "to" in told else ""
        note = f": {told['note']}" if told.get("note") else ""
        screen.say(
            (f"{clock(event.timestamp)} ", "dim"), event.event_type, " ", (event.agent_id or "", "bold"), moved, note
        )


def _show_archived(screen: Screen, archived: Archived) -> None:
    screen.say(f"Archived {count(archived.archived_count, 'task')}.")
    if archived.more:
        screen.say(("There are more: say it again.", "yellow"))


_HELP = """Dispatch, take, do and give back tasks. Each command takes --json, and --help shows its options.

Example: comity task next --lease 3600
"""
task = App(name="task", help=_HELP, version_flags=[])


def _verb(
    name: str,
    op_name: str,
    show: Callable[[Screen, Any], None],
    example: str,
    *,
    positional: tuple[str, ...] = ("task_id",),
    flags: dict[str, str] | None = None,
    options: tuple[Option, ...] = (),
    run: Run | None = None,
) -> None:
    made = command(
        run or operation(op_name),
        show=show,
        ops=(op_name,),
        positional=positional,
        options=options,
        flags={"expected_revision": "--revision", "lease_s": "--lease", **(flags or {})},
        example=f"comity task {name} {example}".rstrip(),
    )
    task.command(made, name=name)


_verb(
    "dispatch",
    "task.dispatch",
    _show_one("Dispatched"),
    "'Write the parser' --priority P1 --after task-001",
    positional=("title",),
    flags={
        "profile_slug": "--profile",
        "goal_id": "--goal",
        "parent_task_id": "--parent",
        "depends_on": "--after",
    },
    run=operation("task.dispatch", makes=True),
)
_verb("next", "task.next", _show_next, "--lease 3600")
_verb("claim", "task.claim", _show_one("Claimed"), "task-001")
_verb("start", "task.start", _show_one("Started"), "task-001")
_verb("complete", "task.complete", _show_one("Completed"), "task-001 --result 'Parser and 14 tests.'")
_verb("block", "task.block", _show_one("Blocked"), "task-001 --reason 'The grammar is undecided.'")
_verb("cancel", "task.cancel", _show_one("Cancelled"), "task-001 --reason 'Not needed any more.'")
_verb("release", "task.release", _show_one("Released"), "task-001 --note 'The lexer is done.'")


def _depend(invocation: Invocation, values: Values) -> Any:
    return operation("task.depend")(invocation, {"depends_on": [], **values})


_verb(
    "depend",
    "task.depend",
    _show_one("Changed"),
    "task-002 --after task-001",
    options=(
        Option("depends_on", list[str] | None, "What must be done first; nothing if left out.", None, ("--after",)),
    ),
    run=_depend,
)
_verb("show", "task.get", _show_view, "task-001", flags={"include_subtasks": "--subtasks"})
_verb("history", "task.history", _show_history, "task-001")
_verb("archive", "task.archive", _show_archived, "--status done", positional=(), flags={"goal_id": "--goal"})
