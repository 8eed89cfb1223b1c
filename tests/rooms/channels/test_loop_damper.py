"""Two agents cannot answer each other for ever, and many busy ones are not hindered."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from comity import Problem, Workspace, settings
from comity.kernel.problem import NotFound
from comity.kernel.scope import Limits
from comity.rooms.agents.agent_hosts import is_agent_host
from comity.testing import FakeMachine, World
from tests.wire_format import audit, rows

LIMITS = settings.resolve({}, {}, "/").actor.limits


def thinker(world: World, name: str, limits: Limits = LIMITS, **fields: Any) -> Workspace:
    """An agent that a host of agents runs."""
    return world.agent(name, limits=limits, observer=FakeMachine().start(program="claude-code"), **fields)


def pair(world: World, limits: Limits = LIMITS) -> tuple[Workspace, Workspace]:
    return thinker(world, "ann", limits), thinker(world, "bob", limits)


def send(sender: Workspace, to: str, content: str, **more: str) -> str:
    try:
        sent = sender.call("message.send", {"destination_agent_id": to, "content": content, **more})
    except Problem as problem:
        return problem.reason
    return "repeated" if sent.repeated else "sent"


def ping_pong(world: World, ann: Workspace, bob: Workspace, pause_s: float, most: int = 500) -> int:
    """How many answers pass until somebody is held back."""
    for number in range(most):
        sender, to = ((ann, "bob"), (bob, "ann"))[number % 2]
        world.clock.advance(pause_s)
        for delivery in sender.message.poll(max_messages=100).deliveries:
            sender.message.ack(delivery_id=delivery.delivery_id)
        if send(sender, to, f"thanks, and number {number}") != "sent":
            return number
    return most


def test_programs_are_not_held_back(world: World) -> None:
    """Neither by how fast they answer each other, nor for saying the same again."""
    one, other = (world.agent(name, limits=LIMITS) for name in ("one", "other"))
    for number in range(400):
        sender, reader = ((one, other), (other, one))[number % 2]
        for content in ("tick", f"number {number}"):
            assert send(sender, reader.actor.agent_id, content) == "sent"
        told = reader.message.poll(max_messages=100).deliveries
        assert [delivery.content for delivery in told] == ["tick", f"number {number}"]
        for delivery in told:
            reader.message.ack(delivery_id=delivery.delivery_id)
    assert audit(world.path, "message.damped") == []


@pytest.mark.parametrize(
    ("program", "known"),
    [
        ("claude-code", True),
        ("Claude Code", True),
        ("codex-mcp-client", True),
        ("gemini-cli-mcp-client", True),
        ("Visual Studio Code", True),
        ("amp", True),
        ("amplifier", False),
        ("python3", False),
        ("mcp", False),
        ("", False),
    ],
)
def test_agent_hosts_are_known_by_their_names(program: str, known: bool) -> None:
    assert is_agent_host(program) == known


def test_whoever_hooks_have_seen_thinks(world: World) -> None:
    seen = world.agent("seen", limits=Limits(repeat_s=30))
    world.agent("bob")
    assert [send(seen, "bob", "hello") for _ in range(2)] == ["sent", "sent"]
    rows(
        world.path,
        "INSERT INTO comity_host_sessions (host, host_session_id, agent_id, heard_ms) VALUES ('x', 's', 'seen', 1)",
    )
    assert [send(seen, "bob", "again") for _ in range(2)] == ["sent", "repeated"]


def test_answers_to_and_fro_end(world: World) -> None:
    ann, bob = pair(world)
    assert ping_pong(world, ann, bob, pause_s=5) == LIMITS.hops + 1
    (event,) = audit(world.path, "message.damped")
    assert event["reason_code"] == "message.ping_pong"
    (shown,) = ann.workspace.status().damped
    assert "to and fro" in shown.why
    assert {shown.sender, shown.target} == {"ann", "bob"}
    other = {"ann": ann, "bob": bob}[shown.target]
    notices = [d for d in other.message.poll(max_messages=100).deliveries if d.from_.agent_id == "comity"]
    assert len(notices) == 1, "both are told: the sender by the refusal"
    me = {"ann": ann, "bob": bob}[shown.sender]
    for number in range(5):
        assert send(me, shown.target, f"again {number}") == "message.ping_pong"
    told = [d.delivery_id for d in other.message.poll().deliveries if d.from_.agent_id == "comity"]
    assert told == [notices[0].delivery_id], "once a while"
    world.clock.advance(61)
    assert send(me, shown.target, "what is settled") == "sent"
    world.clock.advance(3600)
    assert me.workspace.status().damped == ()


def test_a_slow_exchange_goes_on(world: World) -> None:
    assert ping_pong(world, *pair(world), pause_s=61, most=100) == 100


def test_many_messages_in_one_go_are_no_loop(world: World) -> None:
    ann, bob = pair(world)
    for number in range(LIMITS.hops * 2):
        assert send(ann, "bob", f"part {number}") == "sent"
    assert send(bob, "ann", "got them all") == "sent"


def test_a_flood_ends(world: World) -> None:
    ann, _ = pair(world)
    outcomes = [send(ann, "bob", f"{number}", priority="interrupt") for number in range(LIMITS.per_minute + 3)]
    assert outcomes == ["sent"] * LIMITS.per_minute + ["message.too_often"] * 3
    world.agent("cid")
    assert send(ann, "cid", "others still hear") == "sent"
    world.clock.advance(60)
    assert send(ann, "bob", "later") == "sent"


def test_a_flood_in_a_channel_ends(world: World) -> None:
    ann, _ = pair(world)
    for number in range(LIMITS.per_minute):
        ann.message.broadcast(content=f"{number}")
    with pytest.raises(Problem, match="too_often"):
        ann.message.broadcast(content="one more")


def test_a_repetition_is_not_sent_again(world: World) -> None:
    ann, bob = pair(world)
    first = ann.message.send(destination_agent_id="bob", content="ready?")
    again = ann.message.send(destination_agent_id="bob", content="ready?")
    assert again == first._replace(repeated=True)
    assert len(bob.message.poll().deliveries) == 1
    assert send(ann, "bob", "ready?", priority="steering") == "sent", "more urgent is something else"
    assert send(bob, "ann", "ready?") == "sent"
    world.clock.advance(LIMITS.repeat_s)
    assert send(ann, "bob", "ready?") == "sent"
    told = ann.message.broadcast(content="all done")
    assert ann.message.broadcast(content="all done") == told._replace(repeated=True)


def test_what_was_refused_may_be_sent_again(world: World) -> None:
    ann = thinker(world, "ann")
    bob = world.agent("bob", max_pending_messages=1)
    world.agent("cid")
    ann.message.send(destination_agent_id="bob", content="first", priority="interrupt")
    assert ann.message.broadcast(content="to all").refused
    bob.message.ack(delivery_id=bob.message.poll().deliveries[0].delivery_id)
    assert not ann.message.broadcast(content="to all").repeated


@pytest.mark.parametrize("count", [2, 20])
def test_busy_agents_are_not_hindered(world: World, count: int) -> None:
    """Hours of agents who all talk all the time, half of it answers; two of them pause for work now and then."""
    chance = random.Random(count)
    names = [f"agent-{number}" for number in range(count)]
    agents = {name: thinker(world, name, max_pending_messages=10_000) for name in names}
    heard: dict[str, str] = {}
    passed = 0
    for _ in range(900):
        world.clock.advance(0.5 if count > 2 else chance.choice([5, 10, 20, 90]))
        me = chance.choice(names)
        to = heard.pop(me, None) if chance.random() < 0.5 else None
        to = to or chance.choice([name for name in names if name != me])
        assert send(agents[me], to, f"{passed}: the parser is next") == "sent"
        heard[to] = me
        passed += 1
    assert passed == 900


def test_limits_are_settings(world: World, tmp_path: Path) -> None:
    off = settings.resolve(
        {}, {"COMITY_MAX_HOPS": "0", "COMITY_MAX_PER_MINUTE": "0", "COMITY_REPEAT_S": "0"}, str(tmp_path)
    )
    ann, bob = pair(world, off.actor.limits)
    assert ping_pong(world, ann, bob, pause_s=0, most=200) == 200
    assert [send(ann, "bob", "same") for _ in range(3)] == ["sent"] * 3


def test_a_unique_name_is_an_address(world: World) -> None:
    ann = world.agent("ann")
    world.agent("0190d3f0-7a3c", name="claude-7a3c")
    assert ann.message.send(destination_agent_id="claude-7a3c", content="hi").recipient_agent_ids == ["0190d3f0-7a3c"]
    world.agent("0190d3f0-8b4d", name="claude-7a3c")
    with pytest.raises(NotFound, match="Several agents are called 'claude-7a3c'"):
        ann.message.send(destination_agent_id="claude-7a3c", content="hi")
