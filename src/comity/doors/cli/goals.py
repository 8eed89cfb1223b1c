"""Commands on goals: ``comity goals`` draws them as trees with their progress; its verbs make and change them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from cyclopts import App

from comity.doors.cli.command import Run, command
from comity.doors.cli.screen import Part, Screen
from comity.doors.cli.tasks import operation
from comity.rooms.goals.model import Branch, Cascade, Goal, Goals, GoalView, OneGoal, Progress, Tree

_BAR = 10  # characters
_STATUS_STYLES = {"active": "", "completed": "green", "paused": "yellow"}


def _show_cascade(screen: Screen, cascade: Cascade) -> None:
    if not cascade.goals and not cascade.cycles:
        screen.say("There is no goal yet: comity goals create 'Release 1.0'.")
    for number, tree in enumerate(cascade.goals):
        if number:
            screen.say("")
        for line in _drawn(tree, "", ""):
            screen.say(*line)
    for circle in cascade.cycles:
        screen.say(("Goals that are their own ancestors: ", "bold red"), " → ".join((*circle, circle[0])))
    if cascade.more:
        screen.say(("There are more goals than are shown.", "yellow"))


def _drawn(goal: Tree | Branch, first: str, rest: str) -> Iterator[list[Part]]:
    """The lines of a goal and of everything below it."""
    yield [(first, "dim"), *_line(goal)]
    last = len(goal.children) - 1
    for number, child in enumerate(goal.children):
        ends = number == last and not goal.deeper
        yield from _drawn(child, f"{rest}{'└─ ' if ends else '├─ '}", f"{rest}{'   ' if ends else '│  '}")
    if goal.deeper:
        yield [(f"{rest}└─ ", "dim"), (f"… {goal.deeper:,} deeper: comity goals {goal.goal_id}", "yellow")]


def _line(goal: Tree | Branch | Goal) -> list[Part]:
    status: list[Part] = [] if goal.status == "active" else [" ", (goal.status, _STATUS_STYLES.get(goal.status, "red"))]
    return [(goal.title, "bold"), *status, "  ", *_bar(goal.progress), "  ", (goal.goal_id, "dim")]


def _bar(progress: Progress) -> list[Part]:
    if not progress.subtree_total_tasks:
        return [("no tasks", "dim")]
    full = int(progress.subtree_completion_ratio * _BAR)
    figures = f" {progress.subtree_completed_tasks:,}/{progress.subtree_total_tasks:,}"
    return [("█" * full, "green"), ("░" * (_BAR - full), "dim"), figures]


def _show_goals(screen: Screen, listed: Goals) -> None:
    if not listed.goals:
        screen.say("No such goal.")
    for goal in listed.goals:
        screen.say(*_line(goal))
    if listed.more:
        screen.say(("There are more: --limit.", "yellow"))


def _show_goal(screen: Screen, view: GoalView) -> None:
    goal = view.goal
    screen.say(*_line(goal))
    pairs: list[tuple[str, Part]] = [
        ("Type", goal.type),
        ("Owner", goal.owner_agent_id or ""),
        ("Made by", goal.created_by_agent_id),
        ("Above", " > ".join(one.title for one in view.ancestry)),
        ("Below", ", ".join(one.title for one in view.children)),
    ]
    screen.fields(pair for pair in pairs if pair[1])
    if goal.description:
        screen.say("")
        screen.say(goal.description)
    if view.cycle:
        screen.say(("It is its own ancestor: ", "bold red"), " → ".join(view.cycle))


def _show_one(screen: Screen, done: OneGoal) -> None:
    screen.say(*_line(done.goal))


goals = App(name="goals", version_flags=[])
goals.default(
    command(
        operation("goal.cascade"),
        show=_show_cascade,
        ops=("goal.cascade",),
        positional=("goal_id",),
        doc="""Draw the goals as trees, with the progress of all tasks below each.

        With a goal's id only what is below it.
        """,
        example="comity goals",
    )
)


def _verb(name: str, op_name: str, show: Callable[[Screen, Any], None], positional: str, example: str) -> None:
    made: Run = operation(op_name, makes=name == "create")
    flags = {"parent_goal_id": "--parent", "owner_agent_id": "--owner"}
    goals.command(
        command(
            made,
            show=show,
            ops=(op_name,),
            positional=(positional,) if positional else (),
            flags=flags,
            example=f"comity goals {name} {example}",
        ),
        name=name,
    )


_verb("create", "goal.create", _show_one, "title", "'Release 1.0' --type project_goal")
_verb("list", "goal.list", _show_goals, "", "--status active")
_verb("show", "goal.get", _show_goal, "goal_id", "0190d3f0-0000-7000-8000-000000000000")
_verb("update", "goal.update", _show_one, "goal_id", "0190d3f0-0000-7000-8000-000000000000 --status completed")
