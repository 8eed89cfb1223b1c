"""``comity integrate``: bring finished branches home, checked together first."""

from __future__ import annotations

from typing import Any

from comity.dialects.words import COMMAND_LINE
from comity.doors.cli import clean
from comity.doors.cli.command import Option, Values, command
from comity.doors.cli.invocation import Invocation
from comity.doors.cli.jobs import ProgressLine, show_begun
from comity.doors.cli.screen import Column, Part, Screen, count
from comity.kernel.problem import Conflict
from comity.rooms.integration.model import BranchOutcome, Integration, Integrations, MendedIntegrations
from comity.rooms.jobs.model import OneJob

_Answer = Integration | Integrations | MendedIntegrations | OneJob
_STYLES = {"landed": "green", "broke": "bold red", "conflict": "bold red", "nothing": "dim", "waits": "yellow"}
_MOST_LINES = 30


def _integrate(invocation: Invocation, values: Values) -> Any:
    background = values.pop("background", False)
    if values.pop("mend", False):
        invocation.take_part()
        return invocation.call("integration.mend")
    if not values.get("sources"):
        invocation.require_database()
        return invocation.call("integration.list")
    invocation.take_part()
    if background:
        return invocation.call("integration.begin", **values)
    line = ProgressLine()
    try:
        return invocation.workspace.call("integration.run", values, report=line.show)
    finally:
        line.clear()


def _show(screen: Screen, found: _Answer) -> None:
    if isinstance(found, OneJob):
        show_begun(screen, found)
    elif isinstance(found, MendedIntegrations):
        for line in found.mended or ["Nothing was interrupted."]:
            screen.say(line)
    elif isinstance(found, Integrations):
        _show_list(screen, found)
    else:
        _show_one(screen, found)


def _show_list(screen: Screen, found: Integrations) -> None:
    if not found.integrations:
        screen.say("Nothing was integrated yet. comity integrate task-001 brings the branch of a task home.")
        return
    rows = [(one.integration_id, one.base, one.state, _fates(one.outcomes)) for one in found.integrations]
    notes = {COMMAND_LINE.say(note) for one in found.integrations for note in one.notes}
    screen.table((Column("Attempt"), Column("Base"), Column("State"), Column("Branches", flexible=True)), rows)
    for note in sorted(notes):
        screen.say((note, "yellow"))


def _fates(outcomes: list[BranchOutcome]) -> str:
    return ", ".join(f"{one.branch} {one.fate}" for one in outcomes)


def _show_one(screen: Screen, found: Integration) -> None:
    columns = (Column("Branch", flexible=True), Column("What became of it"), Column("Why", flexible=True))
    rows: list[tuple[Part, Part, Part]] = []
    for one in found.outcomes:
        why = ", ".join(map(clean.path, one.files)) or (one.told.strip().splitlines() or [""])[-1]
        rows.append((one.branch, (one.fate, _STYLES.get(one.fate, "")), why))
    screen.table(columns, rows)
    moved = f"{found.base} moved to {found.after[:12]}" if found.state == "landed" else f"{found.base} did not move"
    screen.say("", f"{moved}, after {count(found.checks, 'check')}.")
    if found.check_output:
        screen.say(("The last failed check said:", "bold"))
        for line in found.check_output.splitlines()[-_MOST_LINES:]:
            screen.exact((line, "dim"))


def _code(found: _Answer) -> int:
    if not isinstance(found, Integration):
        return 0
    return 0 if all(one.fate in ("landed", "nothing") for one in found.outcomes) else Conflict.exit_code


integrate = command(
    _integrate,
    show=_show,
    ops=("integration.run",),
    options=(
        Option(
            "sources",
            list[str] | None,
            "Tasks with a worktree, or branches, in this order.",
            default=None,
            positional=True,
        ),
        Option("mend", bool, "Only end what a killed attempt left.", default=False),
        Option("background", bool, "Have it done as a job; the answer comes at once.", default=False),
    ),
    needs="agent",
    doc="""Bring finished branches home: merged in a scratch worktree, checked there, then the base moves.

    A batch that fails is halved until the branch that breaks it is found; the others land. Without a branch it lists
    what was integrated. The exit code is 6 when something did not land.
    """,
    code=_code,
    example="comity integrate task-001 task-002",
)
