"""One session id in several processes that live is several agents; wrappers of hooks and restarts are none."""

from __future__ import annotations

from typing import Any

import pytest

from comity import Workspace
from comity.doors.stdio.identities import Identities
from comity.kernel.observer import Sighting
from comity.kernel.scope import HostSession
from comity.testing import FakeMachine, World


class Hosts:
    """A machine with host processes by pid; each runs until it is killed."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.machine = FakeMachine()

    def session(self, pid: int, *, session: str = "s1", sub: str = "", lasting: bool = False) -> Workspace:
        """Whoever a hook below that process speaks for."""
        self.machine.processes.setdefault(pid, Sighting("running", f"tick-{pid}"))
        process = self.machine.start()
        process.presence = process.presence._replace(pid=None, started="")
        told = HostSession("codex", session, sub, pid, f"tick-{pid}", lasting=lasting)
        return self.world.agent(
            session, start=False, observer=process, host=told, session_id=f"codex:{session}", name=f"codex-{session}"
        )

    def begins(self, pid: int, source: str = "startup", **more: Any) -> str:
        """A context begins; the agent."""
        hook = self.session(pid, **more)
        hook.call("turn.start", {"source": source})
        return str(hook.session.identify().agent_id)

    def server(self, pid: int, name: str, session: str = "s1") -> Identities:
        """A server that a host process started with the session's id in its environment."""
        self.machine.processes.setdefault(pid, Sighting("running", f"tick-{pid}"))
        started = HostSession("codex", session, "", pid, f"tick-{pid}", hearsay=True, server=name)
        workspace = self.world.agent(session, start=False, observer=self.machine.start(), session_id=name)
        made = Identities(workspace, started)
        made.start()
        return made


@pytest.fixture
def hosts(world: World) -> Hosts:
    return Hosts(world)


def content(workspace: Workspace) -> list[str]:
    return [delivery.content for delivery in workspace.message.poll().deliveries]


def shown(workspace: Workspace) -> dict[str, tuple[str, ...]]:
    """Every agent's doubles."""
    return {one.agent_id: one.presence.doubles for one in workspace.agent.list().agents if one.presence is not None}


@pytest.mark.parametrize("source", ["startup", "resume"])
def test_a_second_process_is_an_agent_of_its_own(hosts: Hosts, source: str) -> None:
    assert hosts.begins(7) == "s1"
    assert hosts.begins(8, source) == "s1-2"
    assert hosts.begins(9, source) == "s1-3"
    assert [hosts.session(pid).session.identify().agent_id for pid in (7, 8, 9)] == ["s1", "s1-2", "s1-3"]
    assert hosts.session(8).session.identify().name == "codex-s1-2"


def test_a_process_that_has_lasted_is_known_without_a_begin(hosts: Hosts) -> None:
    """The second host's begin was not heard: its hooks were installed later."""
    assert hosts.session(7, lasting=True).session.identify().agent_id == "s1"
    assert hosts.session(8).session.identify().agent_id == "s1", "it may be a wrapper of this one hook"
    hosts.session(7, lasting=True).session.identify()
    assert hosts.session(8, lasting=True).session.identify().agent_id == "s1-2"


def test_a_wrapper_of_one_hook_is_no_second_process(hosts: Hosts) -> None:
    assert hosts.begins(7) == "s1"
    assert hosts.session(8).session.identify().agent_id == "s1"
    assert hosts.session(9).session.identify().agent_id == "s1"


def test_processes_above_and_below_each_other_are_one_host(hosts: Hosts) -> None:
    hosts.machine.parents |= {8: 7, 9: 8}
    assert hosts.begins(8, lasting=True) == "s1"
    assert hosts.begins(7, "resume", lasting=True) == "s1"
    assert hosts.begins(9, "resume", lasting=True) == "s1"


@pytest.mark.parametrize("how", ["gone", "zombie", "another"])
def test_after_a_restart_the_session_is_the_same_agent(hosts: Hosts, how: str) -> None:
    assert hosts.begins(7, lasting=True) == "s1"
    if how == "gone":
        del hosts.machine.processes[7]
    else:
        started = "tick-7" if how == "zombie" else "tick-999"
        hosts.machine.processes[7] = Sighting("zombie" if how == "zombie" else "running", started)
    assert hosts.begins(8, "resume") == "s1"


def test_what_one_holds_is_refused_to_the_other(hosts: Hosts) -> None:
    hosts.begins(7)
    hosts.begins(8, "resume")
    first, second = hosts.session(7), hosts.session(8)
    assert first.edit.check(files=["a"]).allowed
    assert not second.edit.check(files=["a"]).allowed
    assert second.edit.check(files=["b"]).allowed
    assert not first.edit.check(files=["b"]).allowed


def test_both_are_told_and_whoever_looks(hosts: Hosts) -> None:
    ann = hosts.world.agent("ann", observer=hosts.machine.start())
    hosts.begins(7)
    second = hosts.session(8)
    assert "- your session id is that of process 7, here codex-s1" in second.turn.start(source="resume").text
    assert "A second process, 8," in hosts.session(7).turn.next().text
    assert hosts.session(7).turn.next().text == ""
    listed = shown(ann)
    assert listed["s1"] == ("s1-2",)
    assert listed["s1-2"] == ("s1",)
    assert listed["ann"] == ()
    del hosts.machine.processes[7]
    listed = shown(ann)
    assert listed["s1-2"] == ()


def test_an_end_counts_from_its_own_process_only(hosts: Hosts) -> None:
    hosts.begins(7, lasting=True)
    hosts.begins(8, "resume")
    hosts.session(7).edit.check(files=["a"])
    hosts.session(8).edit.check(files=["b"])
    hosts.session(9, lasting=True).session.leave(reason="exit")
    hosts.session(8).session.leave(reason="exit")
    ann = hosts.world.agent("ann")
    assert [(one.file_path, one.agent_id) for one in ann.claim.list().claims] == [("a", "s1")]
    hosts.session(7).session.leave(reason="exit")
    assert ann.claim.list().claims == []


def test_subagents_of_both_have_the_same_ids_and_are_others(hosts: Hosts) -> None:
    hosts.begins(7)
    hosts.begins(8, "resume")
    mine = hosts.session(7, sub="explore").session.identify().agent_id
    its = hosts.session(8, sub="explore").session.identify().agent_id
    assert (mine, its) == ("s1.explore", "s1-2.explore")
    hosts.session(8).session.leave(reason="exit")
    active = {one.agent_id for one in hosts.world.agent("ann").agent.list().agents}
    assert active == {"ann", "s1", "s1.explore"}


def test_a_cleared_double_goes_on_as_itself(hosts: Hosts) -> None:
    hosts.begins(7)
    hosts.begins(8, "resume")
    hosts.session(8).session.leave(reason="clear")
    assert hosts.begins(8, "clear", session="s9") == "s1-2"
    assert hosts.begins(7, "compact") == "s1"


@pytest.mark.parametrize("first", ["hook", "server"])
def test_a_doubles_server_and_hooks_are_one_agent(hosts: Hosts, first: str) -> None:
    hosts.begins(7)
    server = hosts.server(8, "x") if first == "server" else None
    by_hook = hosts.begins(8, "resume")
    server = server or hosts.server(8, "x")
    assert server.of({}).actor.agent_id == by_hook == "s1-2"


def test_servers_of_a_session_without_hooks_are_told_apart(hosts: Hosts) -> None:
    one, two = hosts.server(7, "x"), hosts.server(8, "y")
    first, second = one.of({}), two.of({})
    assert (first.actor.agent_id, second.actor.agent_id) == ("s1", "s1-2")
    first.claim.acquire(files=["a"])
    assert any("A second process, 8," in text for text in content(first))
    assert any("Your session id is that of process 7" in text for text in content(second))
    two.end("over")
    assert [claim.agent_id for claim in first.claim.list().claims] == ["s1"]
    first.message.poll()


def test_two_servers_of_one_program_are_two_while_both_live(hosts: Hosts) -> None:
    """Nobody can tell a program that runs two from one that starts its server anew, but by the first one's end."""
    one, two = hosts.server(7, "x"), hosts.server(7, "y")
    assert [server.of({}).actor.agent_id for server in (one, two)] == ["s1", "s1-2"]
    one.of({}).claim.acquire(files=["a"])
    two.end("over")
    assert [claim.agent_id for claim in one.of({}).claim.list().claims] == ["s1"]
    three = hosts.server(7, "z")
    assert three.of({}).actor.agent_id == "s1-2"
    three.of({}).claim.acquire(files=["b"])
    one.end("over")
    assert three.of({}).actor.agent_id == "s1-2", "whoever is left stays who it is"
    assert three.of({}).claim.acquire(files=["b"]).claims
    three.end("over")
    assert hosts.server(7, "w").of({}).actor.agent_id == "s1"


def test_an_agent_that_the_user_named_is_one(hosts: Hosts) -> None:
    """Whoever gives two processes one name wants one agent: the newest registration wins, as the protocol has it."""
    named = HostSession("codex", "s1", "", 7, "tick-7", hearsay=True, server="x", named="planner")
    hosts.machine.processes |= {pid: Sighting("running", f"tick-{pid}") for pid in (7, 8)}
    for pid, name in ((7, "x"), (8, "y")):
        workspace = hosts.world.agent("planner", start=False, observer=hosts.machine.start(), session_id=name)
        made = Identities(workspace, named._replace(pid=pid, started=f"tick-{pid}", server=name))
        made.start()
        assert made.of({}).actor.agent_id == "planner"
