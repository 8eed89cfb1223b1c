"""Sessions that only hooks know: the process of their host is looked at as a server's is."""

from __future__ import annotations

import pytest

from comity import Workspace
from comity.kernel.observer import Presence
from comity.kernel.problem import Conflict
from comity.kernel.scope import HostSession
from comity.testing import FakeMachine, World
from comity.testing.world import FakeProcess

LEASE_MS = 900_000


class Place:
    """A machine, and hooks of sessions in processes on it."""

    def __init__(self, world: World, machine: FakeMachine) -> None:
        self.world = world
        self.machine = machine

    def hook(self, session: str, host: FakeProcess, *, lasting: bool = False, sub: str = "") -> Workspace:
        """What a hook of a session in this process does: a process of its own, which reports none."""
        self.world.clock.advance(1)
        process = self.machine.start()
        process.presence = Presence(None, "", "boot-1", "pid:[1]", lease_ms=LEASE_MS)
        started, began_ms = host.presence.started, self.world.clock.ms
        told = HostSession("codex", session, sub, host.pid, started, began_ms=began_ms, lasting=lasting)
        agent = self.world.agent(session, start=False, observer=process, host=told)
        agent.turn.next()
        return agent

    def state(self, agent_id: str) -> str:
        """What others know of an agent."""
        server = self.world.agent("looker", observer=self.machine.start())
        found = {one.agent_id: one.presence for one in server.agent.list().agents}
        seen = found.get(agent_id)
        return "not here" if seen is None else str(seen.state)

    def end(self, process: FakeProcess) -> None:
        """With SIGKILL."""
        self.machine.kill(process)


@pytest.fixture
def place(world: World) -> Place:
    return Place(world, FakeMachine())


def test_it_lives_as_long_as_its_host(place: Place) -> None:
    host = place.machine.start()
    place.hook("s1", host)
    assert place.state("s1") == "alive"
    place.hook("s1", host)
    place.world.clock.advance(10 * LEASE_MS / 1000)
    assert place.state("s1") == "alive", "a long lunch"
    place.end(host)
    assert place.state("s1") == "dead"


def test_a_zombie_and_a_pid_used_anew_are_dead(place: Place) -> None:
    host, other = place.machine.start(), place.machine.start()
    for _ in range(2):
        place.hook("s1", host)
        place.hook("s2", other)
    place.machine.end(host)
    place.end(other)
    place.machine.start(other.pid)
    assert (place.state("s1"), place.state("s2")) == ("dead", "dead")


def test_a_wrapper_that_ends_with_each_hook_proves_nothing(place: Place) -> None:
    for _ in range(5):
        wrapper = place.machine.start()
        place.hook("s1", wrapper)
        place.end(wrapper)
        assert place.state("s1") == "leased"


def test_a_process_that_has_run_for_long_is_no_wrapper(place: Place) -> None:
    host = place.machine.start()
    place.hook("s1", host, lasting=True)
    place.end(host)
    assert place.state("s1") == "dead"


def test_after_a_wrapper_the_real_host_counts(place: Place) -> None:
    wrapper, host = place.machine.start(), place.machine.start()
    place.hook("s1", wrapper)
    place.end(wrapper)
    for _ in range(2):
        place.hook("s1", host)
    assert place.state("s1") == "alive"
    place.end(host)
    assert place.state("s1") == "dead"


def test_of_two_sessions_in_one_process_the_silent_one_has_only_its_lease(place: Place) -> None:
    host = place.machine.start()
    for session in ("s1", "s1", "s2", "s2"):
        place.hook(session, host)
    assert (place.state("s1"), place.state("s2")) == ("leased", "alive")
    place.end(host)
    assert (place.state("s1"), place.state("s2")) == ("dead", "dead")


def test_another_machine_cannot_tell(place: Place) -> None:
    host = place.machine.start()
    place.hook("s1", host)
    place.hook("s1", host)
    place.end(host)
    elsewhere = place.world.agent("far", observer=FakeMachine(boot_id="boot-2").start())
    states = {one.agent_id: one.presence.state for one in elsewhere.agent.list().agents if one.presence is not None}
    assert states["s1"] == "leased"


def test_what_it_held_is_free_for_whoever_asks_and_nobody_elses(place: Place) -> None:
    hosts = [place.machine.start() for _ in range(5)]
    agents = [[place.hook(f"s{number}", host) for _ in range(2)][-1] for number, host in enumerate(hosts)]
    for number, agent in enumerate(agents):
        assert agent.edit.check(files=[f"f{number}.py"]).allowed
    place.end(hosts[0])
    asks = place.world.agent("asks", observer=place.machine.start())
    assert asks.claim.acquire(files=["f0.py"]).conflicts == ()
    for number in range(1, 5):
        with pytest.raises(Conflict):
            asks.claim.acquire(files=[f"f{number}.py"])


def test_the_reaper_finds_it(place: Place) -> None:
    host = place.machine.start()
    place.hook("s1", host)
    place.hook("s1", host).edit.check(files=["a.py"])
    server = place.world.agent("server", observer=place.machine.start())
    assert server.agent.dead().agents == []
    place.end(host)
    (dead,) = server.agent.dead().agents
    assert (dead.agent_id, dead.how) == ("s1", f"its host, process {host.pid}, is gone")
    (reaped,) = server.agent.reap(certain=True).agents
    assert reaped.released_files == ["a.py"]


def test_a_subagent_goes_with_the_host(place: Place) -> None:
    host = place.machine.start()
    for _ in range(2):
        place.hook("s1", host)
    told = HostSession("codex", "s1", "sub-1", host.pid, host.presence.started, began_ms=place.world.clock.ms)
    process = place.machine.start()
    process.presence = Presence(None, "", "boot-1", "pid:[1]", lease_ms=LEASE_MS)
    child = place.world.agent("s1", start=False, observer=process, host=told._replace(lasting=True))
    child.turn.next()
    assert place.state("s1.sub-1") != "not here"
    place.end(host)
    assert place.state("s1.sub-1") == "dead"
