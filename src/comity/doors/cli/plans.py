"""Commands on plans: ``comity plan TASK`` shows one; its verbs write it, note, deliver, and say what one works on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cyclopts import App

from comity.doors.cli.command import command
from comity.doors.cli.screen import Column, Part, Screen, clock, count
from comity.doors.cli.tasks import STATUS_STYLES, operation
from comity.rooms.plans.model import BegunPlan, CurrentTask, NotedPlan, OnePlan, Plan, PlanMark, Plans


def _show_plan(screen: Screen, one: OnePlan) -> None:
    plan = one.plan
    screen.say(*_heading(plan))
    pairs = (
        ("Holder", plan.holder or ""),
        ("Begun by", f"{plan.created_by}, {clock(plan.created_at)}"),
        ("Changed by", f"{plan.updated_by}, {clock(plan.updated_at)}, revision {plan.revision}"),
    )
    screen.fields(pair for pair in pairs if pair[1])
    screen.say("")
    screen.say(plan.task_plan or ("Nothing is planned yet.", "dim"))
    for error in plan.errors:
        screen.say("")
        state: Part = ("resolved", "green") if error.resolved else ("open", "bold red")
        screen.say((f"Error {error.error_index} ", "bold"), state, f" {error.error_type}: {error.message}")
        if error.context:
            screen.say((error.context, "dim"))
    left = plan.note_count - len(plan.notes)
    if left > 0:
        screen.say("")
        screen.say((f"{count(left, 'older note')}: --notes.", "yellow"))
    for note in plan.notes:
        screen.say("")
        screen.say((f"{clock(note.timestamp)} {note.agent_id}: ", "dim"), note.note)
    if plan.deliverable is not None:
        screen.say("")
        screen.say((f"Delivered by {plan.delivered_by}: ", "bold green"), plan.deliverable)


def _heading(plan: Plan | PlanMark) -> list[Part]:
    return [
        (plan.task or plan.task_id, "bold"),
        "  ",
        plan.title,
        "  ",
        (plan.status, STATUS_STYLES.get(plan.status, "")),
    ]


def _show_begun(screen: Screen, begun: BegunPlan) -> None:
    screen.say(("Begun" if begun.created else "There already", "green"))
    _show_plan(screen, OnePlan(begun.plan))


def _show_noted(screen: Screen, noted: NotedPlan) -> None:
    found = f"{count(noted.note_count, 'note')}, {count(noted.error_count, 'error')}, {noted.open_errors:,} open"
    screen.say((noted.task or noted.task_id, "bold"), f": {found}.")


def _show_list(screen: Screen, listed: Plans) -> None:
    if not listed.plans:
        screen.say("There is no plan yet: comity plan begin TASK.")
        return
    columns = (
        Column("Task"),
        Column("Title", flexible=True),
        Column("State"),
        Column("Holder", flexible=True),
        Column("Notes", right=True),
        Column("Open errors", right=True),
        Column("Delivered"),
        Column("Changed"),
    )
    rows = [
        (
            one.task or one.task_id,
            one.title,
            (one.status, STATUS_STYLES.get(one.status, "")),
            one.holder or "",
            f"{one.note_count:,}" if one.note_count else "",
            (f"{one.open_errors:,}", "bold red") if one.open_errors else "",
            ("yes", "green") if one.delivered else "",
            clock(one.updated_at),
        )
        for one in listed.plans
    ]
    screen.table(columns, rows)
    if listed.more:
        screen.say(("There are more: --limit.", "yellow"))


def _show_current(screen: Screen, current: CurrentTask) -> None:
    if current.task_id is None:
        screen.say("No task is held: comity task next.")
        return
    how = "" if current.chosen else "  (none was named)"
    screen.say((current.task or current.task_id, "bold"), f"  {current.title}", (how, "dim"))


plan = App(name="plan", version_flags=[])
plan.default(
    command(
        operation("plan.get"),
        show=_show_plan,
        ops=("plan.get",),
        positional=("task_id",),
        doc="""Show the plan of a task: its text, errors, notes, and what was delivered.

        Without a task that of the one you work on.
        """,
        example="comity plan task-001",
    )
)


def _verb(
    name: str, op_name: str, show: Callable[[Screen, Any], None], positional: tuple[str, ...], example: str
) -> None:
    made = command(
        operation(op_name),
        show=show,
        ops=(op_name,),
        positional=positional,
        flags={"error_type": "--type", "expected_revision": "--revision", "only_open": "--open"},
        example=f"comity plan {name} {example}".rstrip(),
    )
    plan.command(made, name=name)


_verb("list", "plan.list", _show_list, (), "--open")
_verb("begin", "plan.begin", _show_begun, ("task_id",), "task-001 --content '1. Tokens. 2. Tests.'")
_verb("write", "plan.update", _show_plan, ("task_id", "content"), "task-001 '1. Tokens. 2. Errors. 3. Tests.'")
_verb("note", "plan.note", _show_noted, ("task_id", "note"), "task-001 'Strings end at the end of the line.'")
_verb("deliver", "plan.deliver", _show_noted, ("task_id", "content"), "task-001 'src/lexer.py and 14 tests.'")
_verb("error", "plan.add_error", _show_noted, ("task_id", "message"), "task-001 'test_numbers fails' --type test")
_verb("resolve", "plan.resolve_error", _show_noted, ("task_id", "error_index"), "task-001 0")
_verb("work-on", "plan.set_task", _show_current, ("task_id",), "task-001")
_verb("current", "plan.get_task", _show_current, (), "")
_verb("clear", "plan.clear_task", _show_current, (), "")
