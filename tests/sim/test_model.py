"""Random interleavings of the operations of several agents, against the protocol in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from comity import Problem, Workspace
from comity.testing import World
from tests.rounds import rounds
from tests.sim.model import Model, Refused
from tests.wire_format import check, rows

AGENTS = st.sampled_from(["ann", "bob", "cid"])
CHANNELS = st.sampled_from(["main", "main", "main", "side", "ghost"])
WHICH = st.sampled_from([0, 0, 0, 0, 0, 1])  # which process of an agent: 0 is the newest
RARELY = st.sampled_from([False, False, False, False, True])
BOXES = st.fixed_dictionaries(
    {"priority": st.integers(0, 3), "size": st.integers(1, 60), "ttl": st.sampled_from([1, 5, 3600, 3600, 3600])}
)
ACK_LIMIT = 1_000


class Agents(RuleBasedStateMachine):
    """Real workspaces on a real file beside the model."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.model = Model()
        self.model.now_ms = self.world.clock.ms
        self.processes: dict[str, list[Workspace]] = {}

    def teardown(self) -> None:
        check(self.world.path)
        self.world.close()

    def process(self, agent: str, which: int) -> Workspace:
        made = self.processes.setdefault(agent, [])
        if not made:
            made.append(self.world.agent(agent, start=False))
        return made[max(0, len(made) - 1 - which)]

    def same(self, real: Callable[[], Any], imagined: Callable[[], Any]) -> tuple[Any, Any]:
        """Both answer, or both refuse for the same reason; what they answered, None for a refusal."""
        reasons: list[str | None] = [None, None]
        answers: list[Any] = [None, None]
        try:
            answers[0] = real()
        except Problem as problem:
            reasons[0] = problem.reason
        try:
            answers[1] = imagined()
        except Refused as refused:
            reasons[1] = refused.args[0]
        assert reasons[0] == reasons[1]
        return (None, None) if reasons[0] else (answers[0], answers[1])

    @initialize(limits=st.lists(st.integers(1, 4), min_size=3, max_size=3))
    def begin(self, limits: list[int]) -> None:
        for agent, limit in zip(("ann", "bob", "cid"), limits, strict=True):
            self.start(agent, limit, new=True)

    @rule(agent=AGENTS, limit=st.integers(1, 4), new=RARELY)
    def start(self, agent: str, limit: int, new: bool) -> None:
        if new:
            self.processes.setdefault(agent, []).append(self.world.agent(agent, start=False))
        workspace = self.process(agent, 0)
        workspace.session.start(max_pending_messages=limit)
        self.model.start(agent, workspace.actor.session_id, limit, "main")

    @rule(agent=AGENTS, which=WHICH, really=RARELY)
    def end(self, agent: str, which: int, really: bool) -> None:
        if not really:
            return
        workspace = self.process(agent, which)
        workspace.session.end()
        self.model.end(agent, workspace.actor.session_id)

    @rule(agent=AGENTS, which=WHICH, channel=st.sampled_from(["main", "side"]))
    def join(self, agent: str, which: int, channel: str) -> None:
        workspace = self.process(agent, which)
        real, imagined = self.same(
            lambda: workspace.channel.join(channel_id=channel),
            lambda: self.model.join(agent, workspace.actor.session_id, channel),
        )
        assert real is None or real.peer_agent_ids == imagined

    @rule(agent=AGENTS, which=WHICH, channel=CHANNELS)
    def leave(self, agent: str, which: int, channel: str) -> None:
        workspace = self.process(agent, which)
        real, imagined = self.same(
            lambda: workspace.channel.leave(channel_id=channel),
            lambda: self.model.leave(agent, workspace.actor.session_id, channel),
        )
        assert real is None or real.left == imagined

    @rule(agent=AGENTS, to=AGENTS, boxes=st.lists(BOXES, min_size=2, max_size=6))
    def send_some(self, agent: str, to: str, boxes: list[dict[str, int]]) -> None:
        for box in boxes:
            self.send(agent, 0, to, box)

    @rule(agent=AGENTS, which=WHICH, to=AGENTS, box=BOXES)
    def send(self, agent: str, which: int, to: str, box: dict[str, int]) -> None:
        workspace = self.process(agent, which)
        real, made = self.same(
            lambda: workspace.message.send(
                destination_agent_id=to,
                content="x" * box["size"],
                priority=box["priority"],  # type: ignore[arg-type]
                ttl_seconds=box["ttl"],
            ),
            lambda: self.model.send(agent, workspace.actor.session_id, to, box),
        )
        self.learn(real, made)

    @rule(agent=AGENTS, which=WHICH, channel=CHANNELS, box=BOXES)
    def broadcast(self, agent: str, which: int, channel: str, box: dict[str, int]) -> None:
        workspace = self.process(agent, which)
        real, made = self.same(
            lambda: workspace.message.broadcast(
                channel_id=channel,
                content="x" * box["size"],
                priority=box["priority"],  # type: ignore[arg-type]
                ttl_seconds=box["ttl"],
            ),
            lambda: self.model.broadcast(agent, workspace.actor.session_id, channel, box),
        )
        self.learn(real, made)

    def learn(self, real: Any, made: Any) -> None:
        """The model takes over the ids."""
        if real is not None:
            assert real.recipient_agent_ids == [box.recipient for box in made]
            for box, delivery_id in zip(made, real.delivery_ids, strict=True):
                box.id = delivery_id

    @rule(agent=AGENTS, which=WHICH, least=st.integers(0, 3), most=st.sampled_from([1, 2, 10]))
    def poll_unpruned(self, agent: str, which: int, least: int, most: int) -> None:
        workspace = self.process(agent, which)
        if not self.model.active(agent, workspace.actor.session_id):
            self.refused_poll(workspace)
            return
        polled = workspace.message.poll(min_priority=least, max_messages=most, apply_budget_pruning=False)  # type: ignore[arg-type]
        self.expired_alike(agent, polled, least)
        wanted = self.model.waiting(agent, least)[:most]
        assert [(one.delivery_id, one.state) for one in polled.deliveries] == [(box.id, box.state) for box in wanted]
        assert [one.sequence_number for one in polled.deliveries] == [box.sequence for box in wanted]
        self.model.surface([box.id for box in wanted], 0)

    @rule(agent=AGENTS, which=WHICH, budget=st.integers(60, 200))
    def poll(self, agent: str, which: int, budget: int) -> None:
        workspace = self.process(agent, which)
        if not self.model.active(agent, workspace.actor.session_id):
            self.refused_poll(workspace)
            return
        polled = workspace.message.poll(budget_bytes=budget, max_messages=1000)
        self.expired_alike(agent, polled, 0)
        taken, pruned = self.model.fitting(self.model.waiting(agent), budget)
        assert [one.delivery_id for one in polled.deliveries] == taken
        assert polled.pruned_delivery_ids == pruned
        self.model.surface(taken, len(pruned))

    @rule(agent=AGENTS, which=WHICH, budget=st.integers(1, 59), most=st.integers(1, 4))
    def poll_with_little(self, agent: str, which: int, budget: int, most: int) -> None:
        workspace = self.process(agent, which)
        if not self.model.active(agent, workspace.actor.session_id):
            self.refused_poll(workspace)
            return
        polled = workspace.message.poll(budget_bytes=budget, max_messages=most)
        self.expired_alike(agent, polled, 0)
        waiting = {box.id: box for box in self.model.waiting(agent)}
        ids = [one.delivery_id for one in polled.deliveries]
        assert bool(ids) == bool(waiting)  # whoever has mail gets some of it
        assert len(ids) == len(set(ids)) <= most
        assert len(ids) == min(most, len(waiting)) or polled.pruned_delivery_ids
        assert waiting.keys() >= {*ids, *polled.pruned_delivery_ids}
        assert sum(one.truncated for one in polled.deliveries) <= max(1, most // 2)
        whole = [waiting[one.delivery_id] for one in polled.deliveries if not one.truncated]
        assert sum(box.size for box in whole if box.priority < 3) <= budget
        assert all(waiting[one.delivery_id].size > budget for one in polled.deliveries if one.truncated)
        self.model.surface(ids, len(polled.pruned_delivery_ids))

    def refused_poll(self, workspace: Workspace) -> None:
        def imagined() -> None:
            raise Refused("MACP_ERR_SESSION_UNKNOWN")

        self.same(workspace.message.poll, imagined)

    def expired_alike(self, agent: str, polled: Any, least: int) -> None:
        expired, told = self.model.expire(agent)
        assert sorted(polled.expired_delivery_ids) == expired
        assert polled.malformed == ()
        for box in told:
            ((box.id, box.size),) = rows(
                self.world.path,
                "SELECT delivery_id, length(CAST(content AS BLOB)) FROM messages"
                " WHERE destination_agent_id = ? AND sequence_number = ? AND type = 'notice'",
                *(box.recipient, box.sequence),
            )

    @precondition(lambda self: self.model.boxes)
    @rule(agent=AGENTS, which=WHICH, pick=st.integers(0, ACK_LIMIT))
    def ack(self, agent: str, which: int, pick: int) -> None:
        workspace = self.process(agent, which)
        box = self.model.boxes[-1 - pick % len(self.model.boxes)]
        self.same(
            lambda: workspace.message.ack(delivery_id=box.id),
            lambda: self.model.ack(agent, workspace.actor.session_id, box.id),
        )

    @rule(seconds=st.sampled_from([0.001, 0.5, 1, 2, 6, 6, 4000]))
    def advance(self, seconds: float) -> None:
        self.model.now_ms = self.world.clock.advance(seconds).ms

    @invariant()
    def the_file_says_what_the_model_says(self) -> None:
        found = rows(self.world.path, "SELECT delivery_id, destination_agent_id, sequence_number, state FROM messages")
        boxes = self.model.boxes
        assert sorted(found) == sorted((box.id, box.recipient, box.sequence, box.state) for box in boxes)
        levels = rows(self.world.path, "SELECT delivery_id, ack_level FROM ack_states")
        assert sorted(levels) == sorted((box.id, level) for box in boxes for level in box.levels)
        events = rows(self.world.path, "SELECT event_type, count(*) FROM audit_log GROUP BY 1")
        assert Counter(dict(events)) == +self.model.audit
        members = rows(self.world.path, "SELECT channel_id, agent_id, session_id FROM channel_members")
        assert sorted(members) == sorted(
            (channel, agent, session)
            for channel, there in self.model.members.items()
            for agent, session in there.items()
        )


TestAgents = pytest.mark.timeout(600)(Agents.TestCase)  # a failure is made small before it is told
TestAgents.settings = settings(
    max_examples=rounds(15, 50),
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
