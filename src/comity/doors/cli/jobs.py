"""``comity jobs``: what was begun in the background. A server or an agent's session carries it out, never a command."""

from __future__ import annotations

import sys
from typing import Any

from cyclopts import App

from comity.doors.cli import clean
from comity.doors.cli.command import Option, Values, command
from comity.doors.cli.invocation import Invocation
from comity.doors.cli.screen import Column, Part, Screen, clock
from comity.kernel.problem import Conflict
from comity.kernel.text import readable
from comity.rooms.jobs.machine import OPEN
from comity.rooms.jobs.model import Job, Jobs, OneJob

_WAIT_MS = 1000  # between two looks: each also frees what a dead runner had
_STYLES = {
    "running": "bold cyan",
    "done": "green",
    "failed": "bold red",
    "interrupted": "bold red",
    "cancelled": "dim",
}
_WAIT = Option("wait", bool, "Wait until it is over.", default=False)


class ProgressLine:
    """How far something is, on one line of a terminal; nothing elsewhere."""

    def __init__(self) -> None:
        self._shown = ""

    def show(self, done: int, total: int, what: str) -> None:
        """Write over what was shown before."""
        if sys.stderr.isatty():
            text = clean.line(_far(done, total, what))
            sys.stderr.write("\r" + text.ljust(len(self._shown)))
            sys.stderr.flush()
            self._shown = text

    def clear(self) -> None:
        """Leave nothing behind."""
        if self._shown:
            sys.stderr.write("\r" + " " * len(self._shown) + "\r")
            sys.stderr.flush()


def _far(done: int, total: int, what: str) -> str:
    return f"{what} {done:,} of {total:,}" if total else f"{what} {done:,}"


def show_begun(screen: Screen, begun: OneJob) -> None:
    """A job that has just been asked for."""
    screen.say(("Job ", ""), (begun.job.job_id, "bold"), f" waits: {_about(begun.job)}")
    screen.say(f"comity jobs show {begun.job.job_id} --wait tells what comes of it.")


def _looking(invocation: Invocation) -> None:
    """Before anything is told: what dead runners had waits again, or is interrupted."""
    invocation.require_database()
    invocation.call("job.reap")


def _list(invocation: Invocation, values: Values) -> Any:
    _looking(invocation)
    return invocation.call("job.list", **values)


def _show(invocation: Invocation, values: Values) -> Any:
    _looking(invocation)
    waits = values.pop("wait", False)
    found: OneJob = invocation.call("job.get", **values)
    line = ProgressLine()
    try:
        while waits and found.job.state in OPEN:
            if found.job.progress is not None:
                line.show(*found.job.progress)
            found = invocation.call("job.get", **values, wait_ms=_WAIT_MS)
            invocation.call("job.reap")
    finally:
        line.clear()
    return found


def _cancel(invocation: Invocation, values: Values) -> Any:
    invocation.require_database()
    invocation.take_part()
    return invocation.call("job.cancel", **values)


def _show_list(screen: Screen, listed: Jobs) -> None:
    if not listed.jobs:
        screen.say("No jobs. comity vault add --background FOLDER begins one.")
        return
    rows = []
    for job in listed.jobs:
        far = f" ({_far(*job.progress)})" if job.progress is not None and job.state in OPEN else ""
        rows.append((job.job_id, _state(job), _about(job) + far, clock(job.requested_at)))
    screen.table((Column("Job"), Column("State"), Column("What", flexible=True), Column("Asked")), rows)


def _show_one(screen: Screen, found: OneJob) -> None:
    job = found.job
    pairs: list[tuple[str, Part]] = [("Job", job.job_id), ("State", _state(job)), ("What", _about(job))]
    pairs.append(("Asked by", f"{job.agent_id}, {clock(job.requested_at)}"))
    if job.started_at:
        pairs.append(("Begun", f"{clock(job.started_at)} by {job.runner}"))
    if job.attempts > 1:
        pairs.append(("Attempts", str(job.attempts)))
    if job.progress is not None:
        pairs.append(("How far", _far(*job.progress)))
    if job.ended_at:
        pairs.append(("Over", clock(job.ended_at)))
    if found.problem is not None:
        pairs += [("Problem", f"{found.problem.message} ({found.problem.reason})"), ("Hint", found.problem.hint)]
    pairs += [(name, readable(value)) for name, value in (found.result or {}).items()]
    screen.fields(pairs)


def _state(job: Job) -> Part:
    return job.state, _STYLES.get(job.state, "")


def _about(job: Job) -> str:
    """What is to be done, on what."""
    return " ".join((job.kind, *(str(value) for value in job.arguments.values())))


def _code(found: OneJob) -> int:
    return 0 if found.job.state in (*OPEN, "done") else Conflict.exit_code


jobs = App(name="jobs", version_flags=[])
_LIST = command(_list, show=_show_list, ops=("job.list",), flags={"states": "--state"}, example="comity jobs")
jobs.default(_LIST)
jobs.command(_LIST, name="list")
jobs.command(
    command(
        _show,
        show=_show_one,
        ops=("job.get",),
        positional=("job_id",),
        omit=("wait_ms",),
        options=(_WAIT,),
        doc="""Show a job: how far it is, and once it is over what came of it.

        The exit code is 6 when it failed, was cancelled or interrupted.
        """,
        code=_code,
        example="comity jobs show 019ad2c4-7f1e-7c31-9c0e-5d1b6c1f0a77 --wait",
    ),
    name="show",
)
jobs.command(
    command(
        _cancel,
        show=_show_one,
        ops=("job.cancel",),
        positional=("job_id",),
        example="comity jobs cancel 019ad2c4-7f1e-7c31-9c0e-5d1b6c1f0a77",
    ),
    name="cancel",
)
