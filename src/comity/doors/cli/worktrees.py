"""``comity worktree``: a checkout of its own for each task."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cyclopts import App

from comity.dialects.words import COMMAND_LINE
from comity.doors.cli.command import Values, command
from comity.doors.cli.invocation import Invocation
from comity.doors.cli.screen import Column, Part, Screen, clock, count
from comity.rooms.worktrees.model import MadeWorktree, MendedWorktrees, RemovedWorktree, Worktree, Worktrees


def _run(op_name: str, *, takes_part: bool) -> Callable[[Invocation, Values], Any]:
    def run(invocation: Invocation, values: Values) -> Any:
        if takes_part:
            invocation.take_part()
        else:
            invocation.require_database()
        return invocation.call(op_name, **values)

    return run


def _show_list(screen: Screen, listed: Worktrees) -> None:
    columns = (
        Column("Worktree", flexible=True),
        Column("Branch", flexible=True),
        Column("Task"),
        Column("Whose", flexible=True),
        Column("Changed", right=True),
        Column("Ahead", right=True),
        Column("Behind", right=True),
        Column("State"),
        Column("Last change"),
    )
    rows = [
        (
            ("main checkout" if one.main else one.name),
            one.branch or "(detached)",
            one.task or "",
            _whose(one),
            _number(one.changed),
            _number(one.ahead),
            _number(one.behind),
            _state(one),
            clock(one.active_at) if one.active_at else "",
        )
        for one in listed.worktrees
    ]
    screen.table(columns, rows)
    for note in listed.notes:
        screen.say("")
        screen.say((COMMAND_LINE.say(note), "yellow"))


def _whose(one: Worktree) -> str:
    who = one.agent_name or one.agent_id or ""
    return f"{who} (gone)" if who and one.owner == "gone" else who


def _number(value: int | None) -> str:
    return "?" if value is None else str(value) if value else ""


def _state(one: Worktree) -> Part:
    if one.abandoned:
        return "left behind", "bold red"
    if one.state != "there":
        return one.state.replace("_", " "), "yellow"
    return ("merged", "green") if one.merged else ""


def _show_made(screen: Screen, made: MadeWorktree) -> None:
    one = made.worktree
    screen.say(("Made " if made.created else "There already: ", "green"), (one.path, "bold"))
    screen.say(f"on {one.branch}, which goes back to {one.base}.")
    if made.copied:
        screen.say(f"Copied along: {count(len(made.copied), 'file')}.")
    for note in made.notes:
        screen.say(COMMAND_LINE.say(note))
    screen.say(f"cd {one.path}")


def _show_removed(screen: Screen, removed: RemovedWorktree) -> None:
    branch = f" and its branch {removed.branch}" if removed.branch_deleted else ""
    screen.say(("Removed ", "green"), removed.path, branch, ".")
    for note in removed.notes:
        screen.say(COMMAND_LINE.say(note))


def _show_mended(screen: Screen, mended: MendedWorktrees) -> None:
    for line in mended.mended or ["Nothing was interrupted."]:
        screen.say(line)


worktree = App(name="worktree", version_flags=[])
_LIST = command(
    _run("worktree.list", takes_part=False),
    show=_show_list,
    ops=("worktree.list",),
    doc="List the checkouts of this repository: whose, for which task, and what is in them.",
    example="comity worktree list",
)
worktree.default(_LIST)
worktree.command(_LIST, name="list")
worktree.command(
    command(
        _run("worktree.create", takes_part=True),
        show=_show_made,
        ops=("worktree.create",),
        positional=("task_id",),
        flags={"base_branch": "--base", "repo_name": "--clone"},
        needs="agent",
        example="comity worktree add task-001",
    ),
    name="add",
)
worktree.command(
    command(
        _run("worktree.remove", takes_part=True),
        show=_show_removed,
        ops=("worktree.remove",),
        positional=("name",),
        needs="agent",
        example="comity worktree remove task-001",
    ),
    name="remove",
)
worktree.command(
    command(
        _run("worktree.mend", takes_part=True),
        show=_show_mended,
        ops=("worktree.mend",),
        needs="agent",
        example="comity worktree mend",
    ),
    name="mend",
)
