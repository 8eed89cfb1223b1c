"""Coming in by name: several of one type are several agents, and nobody alive is taken over."""

from __future__ import annotations

from comity import Workspace
from comity.kernel import agent_names
from comity.kernel.observer import Observer
from comity.rooms.agents import names
from comity.rooms.channels.arrival_ops import Joined
from comity.testing import FakeMachine, World
from tests.worlds import fresh


def comes(world: World, name: str, observer: Observer | None = None) -> tuple[Workspace, Joined]:
    workspace = world.agent("newcomer", start=False, observer=observer)
    joined: Joined = workspace.session.join(name=name)
    workspace.become(workspace.actor._replace(agent_id=joined.agent_id, name=joined.name))
    return workspace, joined


def test_a_type_gets_a_name_of_its_own_each_time() -> None:
    with fresh() as world:
        joined = [comes(world, "claude")[1] for _ in range(3)]
        assert len({one.agent_id for one in joined}) == 3
        assert all(one.name == one.agent_id and one.kind == "claude" for one in joined)
        assert all(one.name.startswith("claude-") and agent_names.is_made(one.name) for one in joined)
        here = world.agent("eve").agent.list().agents
        assert {one.agent_id for one in joined} <= {agent.agent_id for agent in here}
        assert all(agent.channels == ["main"] for agent in here)


def test_a_whole_name_is_kept_and_comes_back() -> None:
    with fresh() as world:
        workspace, joined = comes(world, "claude-calm-otter")
        assert joined.agent_id == "claude-calm-otter"
        workspace.session.end()
        assert comes(world, "claude-calm-otter")[1].agent_id == "claude-calm-otter"


def test_nobody_alive_is_taken_over() -> None:
    machine = FakeMachine()
    with fresh() as world:
        first, joined = comes(world, "claude-calm-otter", machine.start())
        second = comes(world, "claude-calm-otter", machine.start())[1]
        assert second.agent_id != joined.agent_id
        assert agent_names.kind_of(second.name) == second.kind == "claude"
        assert first.channel.join(channel_id="main").peer_agent_ids == [second.agent_id]
        world.agent("x", name="claude-glad-wren")
        assert comes(world, "claude-glad-wren")[1].agent_id not in ("claude-glad-wren", "x")


def test_without_a_name_one_comes_in_under_the_own() -> None:
    with fresh() as world:
        workspace, joined = comes(world, "claude")
        back = workspace.acting_as(workspace.actor._replace(agent_id=joined.agent_id, name=joined.name))
        back.session.end()
        assert back.session.join()[::3] == (joined.agent_id, "claude")
        assert world.agent("y", start=False, name="").session.join().kind == "agent"


def test_the_dead_are_no_hindrance() -> None:
    machine = FakeMachine()
    with fresh() as world:
        comes(world, "claude-calm-otter", machine.start())
        machine.processes.clear()
        assert comes(world, "claude-calm-otter", machine.start())[1].agent_id == "claude-calm-otter"


def test_a_session_that_is_an_agent_stays_it() -> None:
    with fresh() as world:
        ann = world.agent("ann", name="Ann")
        assert ann.session.join(name="claude")[:3] == ("ann", ann.actor.session_id, "Ann")
        assert comes(world, "a b/@")[1].kind == "a-b"
        assert ann.session.join()[2:] == ("Ann", "Ann")


def test_every_made_name_can_be_made() -> None:
    made: set[str] = set()
    for number in range(905):
        made.add(names.make("x", made, str(number)))
    assert len(made) == 905
    assert names.make("--", (), "seed").startswith("agent-")
