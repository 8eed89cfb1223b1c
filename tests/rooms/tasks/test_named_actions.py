"""Acting on a task by naming the action: the table of MASC, contracts, guards; and exchanging one task for the next."""

from __future__ import annotations

import random
import threading
from typing import Any

import pytest

from comity import Problem, Workspace
from comity.rooms.tasks.model import NewTask
from comity.testing import World
from tests.rooms.tasks.test_additions import CONTRACT
from tests.rooms.tasks.test_matrix import attempt, put
from tests.wire_format import check, dump, rows

NOTES = "Parser and tests are done."
ACTIONS = ("claim", "start", "done", "cancel", "release")
STATES = ("pending", "accepted", "in-progress", "blocked", "done", "cancelled")
STAYS = "stays"  # nothing is left to do
# For the holder: the next state, that it stays, or None: refused.
HOLDER: dict[str, tuple[str | None, ...]] = {
    "claim": ("accepted", STAYS, STAYS, STAYS, STAYS, None),
    "start": (None, "in-progress", STAYS, "in-progress", STAYS, None),
    "done": (None, "done", "done", "done", STAYS, None),
    "cancel": ("cancelled", "cancelled", "cancelled", "cancelled", None, STAYS),
    "release": (None, "pending", "pending", "pending", None, None),
}


def expected(action: str, state: str, role: str) -> str | None:
    """The table for others: what is over is over for all; a free task may be claimed or cancelled by anybody.

    A task that is in work and belongs to nobody is what another program left behind.
    """
    for_holder = HOLDER[action][STATES.index(state)]
    if role == "own" or state in ("done", "cancelled"):
        return for_holder
    if role == "free":
        allowed = {"claim": ("pending",), "start": ("accepted", "blocked"), "cancel": STATES[:4]}
        return for_holder if state in allowed.get(action, ()) else None
    if role == "dispatcher" and action in ("cancel", "release"):
        return for_holder
    return None


@pytest.mark.parametrize("role", ["own", "other", "dispatcher", "free"])
@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("state", STATES)
def test_every_action(world: World, state: str, action: str, role: str) -> None:
    ann, *_ = [world.agent(name) for name in ("ann", "bob", "cid")]
    task_id = put(world, state, role)
    wanted = expected(action, state, role)
    before, revision = dump(world.path), ann.task.get(task_id=task_id).task.revision
    arguments = {"task_id": task_id, "action": action, "notes": NOTES, "reason": "r"}
    _, stale = attempt(ann, "task.transition", **arguments, expected_revision=revision + 1)
    assert stale is not None
    assert (stale.reason, stale.data["revision"]) == ("task.stale", revision)
    done, refused = attempt(ann, "task.transition", **arguments, expected_revision=revision)
    if wanted is None or wanted == STAYS:
        assert dump(world.path) == before
    if wanted is None:
        assert refused is not None
        assert refused.reason in ("task.wrong_state", "task.taken", "task.not_yours")
        assert refused.hint
        assert refused.data["revision"] == revision
        return
    assert done is not None, refused
    assert (done.changed, done.from_state) == ((False, None) if wanted == STAYS else (True, state))
    assert done.task.status == (state if wanted == STAYS else wanted)
    assert done.task == ann.task.get(task_id=task_id).task
    again, _ = attempt(ann, "task.transition", **arguments)
    assert action == "release" or not again.changed
    check(world.path)


def refusal(world: World, workspace: Workspace, **arguments: Any) -> Problem:
    before = dump(world.path)
    _, refused = attempt(workspace, "task.transition", task_id="task-001", **arguments)
    assert refused is not None
    assert dump(world.path) == before
    return refused


def test_without_a_contract_notes_say_a_little(world: World) -> None:
    ann = world.agent("ann")
    ann.task.add(title="x")
    ann.task.transition(task_id="task-001", action="claim")
    for notes in ("", "too short", "  123456789  "):
        assert refusal(world, ann, action="done", notes=notes).reason == "task.notes_short"
    done = ann.task.transition(task_id="task-001", action="done", notes="1234567890")
    assert (done.from_state, done.task.result) == ("accepted", "1234567890")


def test_a_contract_is_kept_whichever_way_the_task_is_finished(world: World) -> None:
    ann, bob = world.agent("ann"), world.agent("bob")
    ann.call("task.add", {"title": "x", "contract": CONTRACT})
    bob.task.claim(task_id="task-001")
    for notes, missing in (("", ["Tests pass", "report.txt"]), ("tests PASS and more", ["report.txt"])):
        assert refusal(world, bob, action="done", notes=notes).data["missing"] == missing
        assert attempt(bob, "task.complete", task_id="task-001", result=notes)[1].reason == "task.contract_unmet"  # type: ignore[union-attr]
    done = bob.task.transition(task_id="task-001", action="done", notes="tests PASS, see REPORT.txt")
    assert done.task.status == "done"


def test_a_strict_contract_is_given_back_with_a_summary(world: World) -> None:
    ann, bob = world.agent("ann"), world.agent("bob")
    ann.call("task.add", {"title": "x", "contract": CONTRACT})
    bob.task.transition(task_id="task-001", action="claim")
    for handoff in (None, {}, {"next_step": "n"}, {"summary": "  "}):
        assert refusal(world, bob, action="release", handoff=handoff).reason == "task.no_summary"
    whole = {"summary": "half", "reason": "ill", "next_step": "n", "failure_mode": "f", "evidence_refs": ["a", "b"]}
    back = bob.call("task.transition", {"task_id": "task-001", "action": "release", "handoff": whole}).task
    assert back.handoff == {**whole, "from": "bob", "by": "bob", "at": world.clock.now().iso}
    assert ann.task.transition(task_id="task-001", action="claim").task.handoff == back.handoff
    world.agent("bob").session.end()
    ann.session.end()  # what leaves needs no summary
    assert rows(world.path, "SELECT status FROM macp_ext_tasks") == [("pending",)]


def test_claiming_again_with_a_lease_renews_it(world: World) -> None:
    ann = world.agent("ann")
    ann.task.add(title="x")
    first = ann.task.transition(task_id="task-001", action="claim", lease_s=10).task
    world.clock.advance(5)
    again = ann.task.transition(task_id="task-001", action="claim", lease_s=10)
    assert not again.changed
    assert str(again.task.lease_expires_at) > str(first.lease_expires_at)
    world.clock.advance(11)
    assert world.agent("bob").task.transition(task_id="task-001", action="claim").changed


def exchanged(agent: Workspace, **arguments: int) -> tuple[str | None, str | None]:
    """The numbers of what was taken and of what was given back for it."""
    taken = agent.task.take_next(**arguments)
    return taken.task.number if taken.task else None, taken.released.number if taken.released else None


def test_a_task_is_kept_when_there_is_no_other(world: World) -> None:
    ann = world.agent("ann")
    ann.task.add(title="mine")
    mine = ann.task.take_next()
    assert mine.task is not None
    assert mine.released is None
    before = dump(world.path)
    nothing = ann.task.take_next()
    assert (nothing.task, nothing.released, nothing.why) == (None, None, "No task is pending.")
    assert dump(world.path) == before


def test_the_present_task_is_exchanged_for_the_next(world: World) -> None:
    ann = world.agent("ann")
    for title, level in (("first", 1), ("older", 3), ("newer", 3)):
        ann.task.add(title=title, level=level)
        world.clock.advance(1)
    numbers = []
    for _ in range(4):
        numbers.append(exchanged(ann))
    assert numbers == [
        ("task-001", None),
        ("task-002", "task-001"),
        ("task-001", "task-002"),
        ("task-002", "task-001"),
    ]
    back = ann.task.get(task_id="task-001").task
    assert (back.status, back.assigned_agent_id) == ("pending", None)
    assert back.handoff is not None
    assert back.handoff["summary"] == "ann took task-002 instead."


def test_a_blocked_task_and_a_lapsed_one_are_not_given_back(world: World) -> None:
    ann = world.agent("ann")
    for title in ("one", "two", "three"):
        ann.task.add(title=title)
    ann.task.start(task_id="task-001")
    ann.task.block(task_id="task-001", reason="r")
    assert exchanged(ann, lease_s=5) == ("task-002", None)
    world.clock.advance(6)
    assert exchanged(ann) == ("task-002", None)  # it went back by itself and is still the best


class Worker:
    """Takes, exchanges, claims by number and finishes, until nothing is pending; then finishes what it holds."""

    def __init__(self, agent: Workspace, tasks: int) -> None:
        self.agent, self.tasks = agent, tasks
        self.chance = random.Random(agent.actor.agent_id)
        self.finished: list[str] = []
        self.over = False

    def work(self) -> None:
        while True:
            if self.chance.random() < 0.4:
                task_id = self._claimed()
            else:
                task = self.agent.task.take_next().task
                if task is None:
                    break
                task_id = task.task_id
            if task_id is not None and self.chance.random() < 0.7:
                self._finish(task_id)
        for one in self.agent.task.list(assigned_agent_id=self.agent.actor.agent_id, status="accepted").tasks:
            self._finish(one.task_id)
        self.over = True

    def _claimed(self) -> str | None:
        number = f"task-{self.chance.randrange(self.tasks) + 1:03}"
        done, refused = attempt(self.agent, "task.transition", task_id=number, action="claim")
        assert refused is None or refused.reason == "task.taken"
        return done.task.task_id if done is not None and done.changed else None

    def _finish(self, task_id: str) -> None:
        assert self.agent.task.transition(task_id=task_id, action="done", notes=NOTES).changed
        self.finished.append(task_id)


def test_no_two_owners_and_nothing_done_twice(world: World) -> None:
    """Whoever is told to have a task can finish it, and each task is finished once."""
    boss = world.agent("boss")
    for part in range(4):
        boss.task.add_many(tasks=[NewTask(f"{part} {number}") for number in range(15)])
    workers = [Worker(world.agent(f"worker-{place}"), 60) for place in range(6)]
    threads = [threading.Thread(target=worker.work) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(worker.over for worker in workers)
    finished = sorted(task_id for worker in workers for task_id in worker.finished)
    assert finished == [row[0] for row in rows(world.path, "SELECT task_id FROM macp_ext_tasks ORDER BY task_id")]
    known: dict[str, str] = {}
    for task_id, was, is_now in rows(
        world.path,
        "SELECT json_extract(metadata_json, '$.task_id'), json_extract(metadata_json, '$.from'),"
        " json_extract(metadata_json, '$.to') FROM audit_log WHERE event_type LIKE 'task.%'"
        " AND event_type <> 'task.dispatched' ORDER BY id",
    ):
        assert known.get(task_id, "pending") == was
        known[task_id] = is_now
    assert set(known.values()) == {"done"}
    check(world.path)
