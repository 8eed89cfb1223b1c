"""Claiming a task, against its bare rows; and looking at tasks with 100,000 of them done against 100."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import apsw

import comity
from bench.blocks import Pair, Work, compare
from bench.figures import Figure, Options, median, short
from bench.ground import DURABILITIES, Ground
from comity.kernel.clock import SystemClock
from comity.kernel.ids import TimeOrderedIds
from comity.store.connection import connect

HISTORY = (100, 100_000)
AGENT = "worker"
SESSION = f"session-{AGENT}"
PENDING = 200

_TASK = (
    "INSERT INTO macp_ext_tasks (task_id, title, priority, status, dispatcher_agent_id, assigned_agent_id,"
    " assigned_session_id, result_text, created_at, updated_at, archived_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_CLAIM = (
    "UPDATE macp_ext_tasks SET status = 'accepted', assigned_agent_id = ?, assigned_session_id = ?, updated_at = ?"
    " WHERE task_id = ?"
)
_AUDIT = (
    "INSERT INTO audit_log (event_type, agent_id, reason_code, metadata_json, timestamp)"
    " VALUES ('task.claimed', ?, 'MACP_OK', ?, ?)"
)
_SUBJECT = "INSERT INTO comity_event_subjects (audit_id, kind, id) VALUES (?, 'task', ?)"
_DETAIL = '{"task_id":"%s","number":"task-001","from":"pending","to":"accepted","revision":2}'
_FREE = (
    "UPDATE macp_ext_tasks SET status = 'pending', assigned_agent_id = NULL, assigned_session_id = NULL"
    " WHERE status = 'accepted'"
)


class Yard(NamedTuple):
    """A file with an agent, and a connection for bare rows with the same settings."""

    workspace: comity.Workspace
    connection: apsw.Connection


def yard(ground: Ground, finished: int) -> Yard:
    """``PENDING`` tasks that are free and ``finished`` ones, half of them archived."""
    workspace = ground.agent(AGENT)
    connection = connect(ground.path, "full" if ground.durability == "full" else "normal")
    ids, clock = TimeOrderedIds(), SystemClock()
    rows: list[tuple[Any, ...]] = []
    for number in range(finished + PENDING):
        now = clock.now()
        free = number >= finished
        rows.append(
            (ids.new(now.ms), f"Task {number}", f"P{number % 4}", "pending" if free else "done", AGENT)
            + ((None, None, None) if free else (AGENT, None, "done"))
            + (now.iso, now.iso, now.iso if number % 2 and not free else None)
        )
    connection.execute("BEGIN IMMEDIATE").fetchall()
    connection.executemany(_TASK, rows).fetchall()
    connection.execute("COMMIT").fetchall()
    return Yard(workspace, connection)


def measure(options: Options) -> list[Figure]:
    """Bars: a claim at least 0.5 of bare; medians with much history at most 1.5 of those with little."""
    figures = []
    for durability in DURABILITIES:
        with Ground(options.folder, durability) as ground:
            made = yard(ground, 0)
            rounds = 5 if options.quick else 41
            figures.append(compare(f"claim a task ({durability})", claims(made), rounds, PENDING, 0.5))
            close(made)
    return figures + growth(options)


def close(made: Yard) -> None:
    """Close both connections."""
    made.connection.close()
    made.workspace.close()


def claims(made: Yard) -> Pair:
    """Comity's claim and the bare one, of every free task once."""
    workspace, connection = made

    def free() -> list[str]:
        return [row[0] for row in connection.execute("SELECT task_id FROM macp_ext_tasks WHERE status = 'pending'")]

    def ours(count: int) -> list[Work]:
        return [partial(_claimed, workspace, task_id) for task_id in free()[:count]]

    def theirs(count: int) -> list[Work]:
        cursor, now = connection.cursor(), SystemClock().now().iso
        return [
            partial(
                _bare,
                connection,
                cursor,
                (AGENT, SESSION, now, task_id),
                (AGENT, _DETAIL % task_id, now),
                task_id,
            )
            for task_id in free()[:count]
        ]

    return Pair(ours, theirs, lambda: connection.execute(_FREE).fetchall() and None)


def _claimed(workspace: comity.Workspace, task_id: str) -> None:
    workspace.task.claim(task_id=task_id)


def _bare(
    connection: apsw.Connection, cursor: apsw.Cursor, claim: tuple[str, ...], audit: tuple[str, ...], task_id: str
) -> None:
    cursor.execute("BEGIN IMMEDIATE")
    cursor.execute(_CLAIM, claim)
    cursor.execute(_AUDIT, audit)
    cursor.execute(_SUBJECT, (connection.last_insert_rowid(), task_id))
    cursor.execute("COMMIT")


def growth(options: Options) -> list[Figure]:
    """The same looks and claims on a file with little history and on one with much, in turn."""
    much = 5_000 if options.quick else HISTORY[1]
    with Ground(options.folder) as small, Ground(options.folder) as large:
        little, full = yard(small, HISTORY[0]), yard(large, much)
        figures = []
        for name, look in _LOOKS.items():
            times = _times(look, little, full, 5 if options.quick else 25)
            beside = {f"{HISTORY[0]:,}": f"{short(times[0])} µs", f"{much:,}": f"{short(times[1])} µs"}
            what = f"{name}, {much:,} finished tasks"
            figures.append(Figure(what, times[1] / times[0], f" of {HISTORY[0]}", "at most", 1.5, beside))
        close(little)
        close(full)
    return figures


_LOOKS: dict[str, Callable[[comity.Workspace], object]] = {
    "list tasks": lambda workspace: workspace.task.list(),
    "list done tasks": lambda workspace: workspace.task.list(status="done"),
    "list an agent's tasks": lambda workspace: workspace.task.list(assigned_agent_id=AGENT),
    "list pending tasks": lambda workspace: workspace.task.list(status="pending"),
    "ready tasks": lambda workspace: workspace.task.ready(),
    "claim, the next task": lambda workspace: workspace.task.next(),
}


def _times(look: Callable[[comity.Workspace], object], little: Yard, full: Yard, rounds: int) -> tuple[float, float]:
    """Medians in microseconds."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds + 1):
        for made, taken in zip((little, full), times, strict=True):
            for _ in range(8):
                start = time.perf_counter()
                look(made.workspace)
                if number:  # the first round warms up
                    taken.append(time.perf_counter() - start)
        if number % 5 == 0:
            for made in (little, full):
                made.connection.execute(_FREE).fetchall()
    return median(times[0]) * 1e6, median(times[1]) * 1e6
