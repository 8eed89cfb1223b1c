"""Eight processes race for a thousand tasks: each has one winner, and losers are told who (reference E-01, E-02)."""

from __future__ import annotations

import json
from time import monotonic
from typing import Any

import apsw
import pytest

from comity.testing import World
from tests.prefork.started import Started
from tests.rooms.tasks.test_matrix import attempt
from tests.rounds import rounds
from tests.sim.processes import spawn
from tests.wire_format import check, rows

TASKS = 1000
ROUNDS = rounds(2, 4)
PROCESSES = 8


def filled(world: World, number: int) -> list[str]:
    """A thousand more pending tasks."""
    task_ids = [f"{number:04}-{place:06}" for place in range(TASKS)]
    connection = apsw.Connection(world.path)
    connection.set_busy_timeout(5000)
    connection.execute("PRAGMA foreign_keys = ON")
    with connection:
        connection.executemany(
            "INSERT INTO macp_ext_tasks (task_id, title, priority, dispatcher_agent_id, created_at, updated_at)"
            " VALUES (?, 'x', ?, 'boss', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z')",
            [(task_id, f"P{place % 4}") for place, task_id in enumerate(task_ids)],
        )
    connection.close()
    return task_ids


class Race:
    """The processes."""

    def __init__(self, world: World, ways: list[str]) -> None:
        self.names = [f"racer-{place}" for place in range(len(ways))]
        self.processes = [
            spawn("tests.rooms.tasks.racer", world.path, name, way) for name, way in zip(self.names, ways, strict=True)
        ]
        for process in self.processes:
            self._answer(process)  # registered

    def round(self, task_ids: list[str]) -> dict[str, dict[str, Any]]:
        """What each process won and lost."""
        for process in self.processes:
            assert process.stdin is not None
            process.stdin.write(json.dumps(task_ids).encode() + b"\n")
            process.stdin.flush()
        return {name: self._answer(process) for name, process in zip(self.names, self.processes, strict=True)}

    def _answer(self, process: Started) -> Any:
        assert process.stdout is not None
        return json.loads(process.stdout.readline())

    def close(self) -> None:
        for process in self.processes:
            process.communicate()
            assert process.returncode == 0


@pytest.mark.parametrize(
    "ways",
    [
        ["claim"] * PROCESSES,
        ["claim", "start", "next", "transition", "start", "next", "transition", "next"],
        ["next"] * PROCESSES,
    ],
    ids=["claim", "mixed", "next"],
)
def test_every_task_has_one_winner(world: World, ways: list[str]) -> None:
    world.agent("boss")
    race = Race(world, ways)
    for number in range(ROUNDS):
        task_ids = filled(world, number)
        told = race.round(task_ids)
        winners: dict[str, str] = {}
        for name, result in told.items():
            for task_id in result["won"]:
                assert task_id not in winners, f"{task_id}: both {winners[task_id]} and {name} were told they have it"
                winners[task_id] = name
        assert sorted(winners) == task_ids
        held = dict(rows(world.path, "SELECT task_id, assigned_agent_id FROM macp_ext_tasks WHERE task_id >= ?",
                         task_ids[0]))  # fmt: skip
        assert held == winners
        for result in told.values():
            assert all(winners[task_id] == holder for task_id, holder in result["lost"].items())
        for name, way in zip(race.names, ways, strict=True):
            assert way == "next" or len(told[name]["won"]) + len(told[name]["lost"]) == TASKS
    race.close()
    ((events,),) = rows(
        world.path, "SELECT count(*) FROM audit_log WHERE event_type IN ('task.claimed', 'task.started')"
    )
    assert events == TASKS * ROUNDS
    assert rows(world.path, "SELECT DISTINCT revision FROM comity_task_details") == [(2,)]
    check(world.path)


def test_racing_with_peers_that_look_and_then_write(world: World) -> None:
    """They may overwrite a claim of Comity's, and each other's; among Comity's agents there is still one winner.

    Nobody of Comity's goes on with a task that a peer took: the next step is refused.
    """
    world.agent("boss")
    race = Race(world, ["claim", "start", "claim", "original", "original", "claim"])
    won: list[tuple[str, str]] = []
    owners: dict[str, str] = {}
    ours = {name for place, name in enumerate(race.names) if place not in (3, 4)}
    for number in range(2):
        task_ids = filled(world, number)
        told = race.round(task_ids)
        won = [(task_id, name) for name in ours for task_id in told[name]["won"]]
        assert len(won) == len(dict(won))
        owners = dict(
            rows(world.path, "SELECT task_id, assigned_agent_id FROM macp_ext_tasks WHERE task_id >= ?", task_ids[0])
        )
        for task_id, owner in owners.items():
            assert task_id in told[owner]["won"]
    race.close()
    for name in sorted(ours):
        workspace = world.agent(name)
        for task_id, winner in won:
            if winner == name:
                done, refused = attempt(workspace, "task.complete", task_id=task_id)
                assert (refused is None) == (owners[task_id] == name)
                assert done is not None or refused is not None
    check(world.path)


@pytest.mark.parametrize("least", [1, 20, 150])
def test_racers_that_are_killed_leave_no_half_claim(world: World, least: int) -> None:
    world.agent("boss")
    race = Race(world, ["claim", "start", "next"])
    task_ids = filled(world, 0)
    for process in race.processes:
        assert process.stdin is not None
        process.stdin.write(json.dumps(task_ids).encode() + b"\n")
        process.stdin.flush()
    deadline = monotonic() + 60
    while rows(world.path, "SELECT count(*) FROM macp_ext_tasks WHERE status <> 'pending'")[0][0] < least:
        assert monotonic() < deadline
    for process in race.processes:
        process.kill()
    for process in race.processes:
        process.communicate()
    half = rows(
        world.path,
        "SELECT t.* FROM macp_ext_tasks t LEFT JOIN comity_task_details d ON d.task_id = t.task_id"
        " LEFT JOIN comity_event_subjects s ON s.kind = 'task' AND s.id = t.task_id"
        " WHERE (t.status = 'pending') <> (t.assigned_agent_id IS NULL) OR (t.status = 'pending') <> (s.id IS NULL)"
        " OR d.revision IS NOT CASE t.status WHEN 'pending' THEN 1 ELSE 2 END",
    )
    assert half == []
    check(world.path)
    left = rows(world.path, "SELECT count(*) FROM macp_ext_tasks WHERE status = 'pending'")[0][0]
    boss = world.agent("boss")
    taken = 0
    while boss.task.next().task is not None:
        taken += 1
    assert taken == left
