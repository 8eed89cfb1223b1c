"""The reaper on a real file: it keeps its own lease, frees what the dead held, and costs little."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import apsw
import pytest

import comity
from comity import Workspace
from comity.loops.reaper import Reaper
from comity.process import ThisProcess, absent
from comity.testing import FakeMachine, World
from tests.wire_format import dump, rows


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """Every statement of connections that are opened from now on."""
    seen: list[str] = []

    def hook(connection: apsw.Connection) -> None:
        def trace(cursor: apsw.Cursor | apsw.Connection, sql: str, bindings: object) -> bool:
            seen.append(sql.split(maxsplit=1)[0].upper())
            return True

        connection.exec_trace = trace

    apsw.connection_hooks.append(hook)
    yield seen
    apsw.connection_hooks.remove(hook)


def test_a_look_frees_what_all_the_dead_held(world: World) -> None:
    machine = FakeMachine()
    crowd = [machine.start() for _ in range(30)]
    for number, process in enumerate(crowd):
        world.agent(f"x{number:02}", observer=process)
        machine.kill(process)
    bob = world.agent("bob", observer=machine.start())
    Reaper(bob).look()
    assert [one.agent_id for one in bob.agent.list().agents] == ["bob"]


def test_a_look_at_the_living_is_one_read(statements: list[str]) -> None:
    with World() as world:
        machine = FakeMachine()
        for name in ("ann", "cid", "dan"):
            world.agent(name, observer=machine.start())
        reaper = Reaper(world.agent("bob", observer=machine.start()))
        reaper.look()
        statements.clear()
        reaper.look()
        assert statements == ["BEGIN", "SELECT", "SELECT", "COMMIT"]


def test_a_workspace_that_closes_takes_its_reaper_along(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with comity.open(tmp_path / "a.db", agent_id="ann") as workspace:
        workspace.session.start()
        assert any(thread.name == "comity-reaper" for thread in threading.enumerate())
    assert set(threading.enumerate()) == before


def leased(world: World, agent_id: str, lease_s: int) -> Workspace:
    return world.agent(agent_id, observer=ThisProcess(absent("test", lease_s=lease_s)))


def last_seen(world: World) -> int:
    ((ms,),) = rows(world.path, "SELECT last_seen_ms FROM comity_presence")
    return int(ms)


def test_calls_renew_a_lease_that_no_loop_keeps(world: World) -> None:
    ann = leased(world, "ann", 1)
    world.clock.advance(1)
    began, before = monotonic(), last_seen(world)
    while last_seen(world) == before:  # a third of a second
        assert monotonic() < began + 20
        ann.message.poll()
    assert last_seen(world) == world.clock.ms


def test_a_renewal_is_one_write_a_quarter_of_the_lease(world: World) -> None:
    ann, _ = leased(world, "ann", 100_000), world.agent("bob")
    world.clock.advance(5)
    before = last_seen(world)
    for _ in range(50):
        ann.message.send(destination_agent_id="bob", content="x")
        ann.renew_if_due()
    assert last_seen(world) == before


def test_the_loop_renews_when_the_program_made_itself_known(world: World) -> None:
    ann = leased(world, "ann", 100_000)
    world.clock.advance(5)
    ann.introduce("claude-code")
    ann.message.poll()
    assert last_seen(world) != world.clock.ms  # no call pays for it
    Reaper(ann).look()
    assert last_seen(world) == world.clock.ms
    assert rows(world.path, "SELECT program FROM comity_presence") == [("claude-code",)]


def test_a_renewal_that_fails_harms_no_call(world: World) -> None:
    ann = world.agent("ann", observer=ThisProcess(absent("test")))
    rows(world.path, "CREATE TRIGGER t BEFORE UPDATE ON comity_presence BEGIN SELECT raise(ABORT, 'no'); END")
    before = dump(world.path)
    ann.introduce("claude-code")
    ann.renew_if_due()
    assert dump(world.path) == before
    assert ann.message.poll().deliveries == []
    Reaper(ann).look()


def test_a_session_that_reports_nothing_renews_nothing(world: World) -> None:
    ann = world.agent("ann")
    ann.introduce("claude-code")
    before = dump(world.path)
    Reaper(ann).look()
    assert dump(world.path) == before
