"""Random interleavings of Comity's agents and a peer of the original, against tasks in memory."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from comity import Workspace
from comity.testing import World
from tests.original_tasks import Refusal, Tasks, joined
from tests.rooms.tasks.test_matrix import ALLOWED, attempt
from tests.rounds import rounds
from tests.wire_format import check, rows

AGENTS = st.sampled_from(["ann", "bob", "cid"])
HEARD = st.sampled_from(["claim", "start", "complete", "block", "cancel", "release"])
PICK = st.integers(0, 1_000)
HELD = ("accepted", "in-progress", "blocked")
PRIORITIES = st.sampled_from([1, 2, 3, 4, 5])
LEASES = st.sampled_from([None, None, 5, 500])


class Box:
    """One task."""

    def __init__(self, task_id: str, dispatcher: str, level: int, at_s: float, waits_for: list[Box]) -> None:
        self.task_id, self.dispatcher, self.level, self.at_s = task_id, dispatcher, level, at_s
        self.waits_for = waits_for
        self.status, self.holder, self.revision = "pending", None, 1
        self.lease_s: float | None = None

    status: str
    holder: str | None

    def waiting(self) -> bool:
        return any(one.status != "done" for one in self.waits_for)

    def lapsed(self, now_s: float) -> bool:
        return self.lease_s is not None and self.lease_s <= now_s and self.status in HELD

    def move(self, to: str, holder: str | None) -> None:
        if holder != self.holder or to not in HELD:
            self.lease_s = None
        self.status, self.holder = to, holder
        self.revision += 1


class Agents(RuleBasedStateMachine):
    """Real workspaces on a real file beside the boxes."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.workspaces: dict[str, Workspace] = {name: self.world.agent(name) for name in ("ann", "bob", "cid")}
        self.peer: Tasks = joined(self.world.path, "ted", self.world.clock)
        self.boxes: list[Box] = []

    def teardown(self) -> None:
        self.peer.agent.close()
        check(self.world.path)
        self.world.close()

    @property
    def now_s(self) -> float:
        return self.world.clock.ms / 1000

    def pick(self, number: int) -> Box:
        return self.boxes[number % len(self.boxes)]

    def lifted(self, box: Box) -> int:
        """The level of a task, or of the most urgent one that is open and waits for it, however indirectly."""
        open_ones = [one for one in self.boxes if one.status not in {"done", "cancelled"}]
        waiting, level = [box], box.level
        for awaited in waiting:
            above = [one for one in open_ones if awaited in one.waits_for and one not in waiting]
            waiting += above
            level = min([level, *(one.level for one in above)])
        return level

    def expected(self, agent: str, heard: str, box: Box, revision: int | None, lease: int | None) -> str:
        """The next state, or the reason of the refusal; from the protocol's words, not from the code."""
        if revision is not None and revision != box.revision:
            return "task.stale"
        if heard in ("claim", "start"):
            if box.holder not in (None, agent):
                if not box.lapsed(self.now_s):
                    return "task.taken"
                box.move("pending", None)
            if heard == "claim" and box.holder == agent and lease is not None and box.status in HELD:
                return "renewed"
        if heard in ("complete", "block") and box.holder != agent:
            return "task.not_yours"
        to = ALLOWED[heard].get(box.status)
        if to is None:
            return "task.wrong_state"
        if heard in ("cancel", "release") and box.holder not in (None, agent) and box.dispatcher != agent:
            return "task.not_yours"
        if heard in ("claim", "start") and box.status == "pending" and box.waiting():
            return "task.waiting"
        return to

    @rule(agent=AGENTS, level=PRIORITIES, first=st.lists(PICK, max_size=2))
    def dispatch(self, agent: str, level: int, first: list[int]) -> None:
        waits_for = [self.pick(number) for number in first] if self.boxes else []
        refs = [box.task_id for box in waits_for]
        made, refused = attempt(self.workspaces[agent], "task.dispatch", title="x", priority=level, depends_on=refs)
        if refused is not None:
            assert refused.reason == "task.dependency_cancelled"
            assert any(box.status == "cancelled" for box in waits_for)
            return
        assert not any(box.status == "cancelled" for box in waits_for)
        self.boxes.append(Box(made.task.task_id, agent, level, self.now_s, waits_for))
        assert made.task.number == f"task-{len(self.boxes):03}"

    @rule()
    def foreign_dispatch(self) -> None:
        self.boxes.append(Box(self.peer.dispatch("x"), "ted", 3, self.now_s, []))

    @precondition(lambda self: self.boxes)
    @rule(agent=AGENTS, heard=HEARD, pick=PICK, off=st.sampled_from([None, None, 0, 1]), lease=LEASES)
    def hear(self, agent: str, heard: str, pick: int, off: int | None, lease: int | None) -> None:
        box = self.pick(pick)
        revision = None if off is None else box.revision + off
        arguments: dict[str, Any] = {"task_id": box.task_id, "expected_revision": revision}
        given = lease if heard in ("claim", "start") else None
        if given is not None:
            arguments["lease_s"] = given
        before = vars(box).copy()
        expected = self.expected(agent, heard, box, revision, given)
        done, refused = attempt(self.workspaces[agent], f"task.{heard}", **arguments)
        if refused is not None:
            assert refused.reason == expected
            vars(box).update(before)
            if expected == "task.taken":
                assert refused.data["assignedAgentId"] == box.holder
            return
        task = done.task
        if expected != "renewed":
            assert task.status == expected
            holder = {"claim": agent, "start": agent, "release": None}.get(heard, box.holder)
            box.move(expected, holder)
        if given is not None:
            box.lease_s = self.now_s + given
        assert (task.revision, task.assigned_agent_id, task.status) == (box.revision, box.holder, box.status)

    @precondition(lambda self: self.boxes)
    @rule(heard=st.sampled_from(["claim", "start", "complete", "block", "cancel"]), pick=PICK)
    def foreign_hear(self, heard: str, pick: int) -> None:
        box = self.pick(pick)
        try:
            self.peer.do(heard, box.task_id)
        except Refusal:
            return
        box.move(self.peer.get(box.task_id)["status"], "ted" if heard in ("claim", "start") else box.holder)

    @precondition(lambda self: self.boxes)
    @rule(agent=AGENTS, heard=st.sampled_from(["claim", "start"]), pick=PICK)
    def foreign_hear_late(self, agent: str, heard: str, pick: int) -> None:
        """Reference E-01: one of Comity's claims it in the window between the peer's look and its write."""
        box = self.pick(pick)

        def between() -> None:
            self.hear(agent, "claim", self.boxes.index(box), None, None)

        try:
            self.peer.do(heard, box.task_id, between=between)
        except Refusal:
            return
        box.move("accepted" if heard == "claim" else "in-progress", "ted")

    @rule(agent=AGENTS, lease=LEASES)
    def take_next(self, agent: str, lease: int | None) -> None:
        for box in self.boxes:
            if box.lapsed(self.now_s):
                box.move("pending", None)
        ready = [box for box in self.boxes if box.status == "pending" and box.holder is None and not box.waiting()]
        arguments: dict[str, Any] = {} if lease is None else {"lease_s": lease}
        task = self.workspaces[agent].task.next(**arguments).task
        if not ready:
            assert task is None
            return
        assert task is not None

        def worth(box: Box) -> tuple[int, float, str]:
            days, level = int(self.now_s - box.at_s) // 86_400, self.lifted(box)
            return level if level <= 2 else max(2, level - days), box.at_s, box.task_id

        best = min(ready, key=worth)
        assert worth(best)[:2] == worth(next(box for box in ready if box.task_id == task.task_id))[:2]
        taken = next(box for box in ready if box.task_id == task.task_id)
        taken.move("accepted", agent)
        if lease is not None:
            taken.lease_s = self.now_s + lease

    @rule(seconds=st.sampled_from([1, 4, 6, 600, 90_000]))
    def advance(self, seconds: int) -> None:
        self.world.clock.advance(seconds)

    @rule(agent=AGENTS)
    def come_back(self, agent: str) -> None:
        """A new process of the same agent goes on with what the old one held."""
        self.workspaces[agent] = self.world.agent(agent)

    @invariant()
    def the_file_says_what_the_boxes_say(self) -> None:
        found = rows(
            self.world.path,
            "SELECT t.task_id, status, assigned_agent_id, revision, level FROM macp_ext_tasks t"
            " JOIN comity_task_details d ON d.task_id = t.task_id ORDER BY number",
        )
        assert [row[:4] for row in found] == [(b.task_id, b.status, b.holder, b.revision) for b in self.boxes]
        leases = rows(self.world.path, "SELECT task_id FROM comity_task_details WHERE lease_until IS NOT NULL")
        assert {row[0] for row in leases} == {box.task_id for box in self.boxes if box.lease_s is not None}

    @invariant()
    def looking_changes_nothing_and_shows_only_what_can_be_had(self) -> None:
        workspace = self.workspaces["ann"]
        free = {box.task_id for box in self.boxes if box.status == "pending" and not box.waiting()}
        ready = workspace.task.ready(limit=1000)
        assert {task.task_id for task in ready.tasks} == free
        stuck = {
            box.task_id
            for box in self.boxes
            if box.status == "pending" and any(one.status == "cancelled" for one in box.waits_for)
        }
        assert {task.task_id for task in ready.stuck} <= stuck
        assert bool(ready.stuck) == bool(stuck)


TestAgents = Agents.TestCase
TestAgents.settings = settings(
    max_examples=rounds(12, 40),
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
