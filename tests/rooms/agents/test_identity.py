"""Which agent a host's session is: hooks and servers meet whoever comes first, and two sessions are never one agent."""

from __future__ import annotations

from typing import Any

import pytest

from comity import Workspace
from comity.doors.stdio.identities import Identities
from comity.kernel.scope import HostSession
from comity.testing import FakeMachine, World
from tests.wire_format import check, rows


class Place:
    """A machine with host processes, whose hooks speak and whose servers are called."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.machine = FakeMachine()
        self._servers = 0

    def hook(
        self, session: str, source: str = "", *, pid: int = 7, sub: str = "", host: str = "codex", **more: Any
    ) -> str:
        """A hook of a session in the host process ``pid``; the agent that speaks."""
        return str(self.hooked(session, pid=pid, sub=sub, host=host, source=source, **more).actor.agent_id)

    def hooked(
        self, session: str, source: str = "", *, pid: int = 7, sub: str = "", host: str = "codex", named: str = ""
    ) -> Workspace:
        process = self.machine.start()
        process.presence = process.presence._replace(pid=None, started="")  # a hook outlives nothing
        told = HostSession(host, session, sub, pid, f"tick-{pid}", named=named)
        agent = self.world.agent(
            named or session, start=False, observer=process, host=told, session_id=f"{host}:{session}", name=session
        )
        if source:
            agent.call("turn.start", {"source": source})
        found = agent.session.identify()
        return agent.acting_as(agent.actor._replace(agent_id=found.agent_id, session_id=found.session_id))

    def leave(self, session: str, reason: str = "exit", *, pid: int = 7, sub: str = "", host: str = "codex") -> None:
        told = HostSession(host, session, sub, pid, f"tick-{pid}")
        self.world.agent(session, start=False, observer=self.machine.start(), host=told).session.leave(reason=reason)

    def server(
        self, env: str = "", *, pid: int = 7, named: str = "", host: str = "codex", joins: bool = False
    ) -> Identities:
        """A server that the host process ``pid`` started; with ``joins`` its agent comes in by name."""
        self._servers += 1
        name = f"server-{self._servers}"
        started = HostSession(host if env else "", env, "", pid, f"tick-{pid}", hearsay=True, server=name, named=named)
        workspace = self.world.agent(
            named or env or f"random-{self._servers}", start=False, observer=self.machine.start(), session_id=name
        )
        made = Identities(workspace, started)
        if not joins:
            made.start()
        return made

    def active(self) -> list[str]:
        return [
            row[0] for row in rows(self.world.path, "SELECT agent_id FROM sessions WHERE state = 'active' ORDER BY 1")
        ]


@pytest.fixture
def place(world: World) -> Place:
    return Place(world)


def called(server: Identities, **meta: Any) -> str:
    """The agent that a call with this ``_meta`` comes from; it must be able to work."""
    workspace = server.of(meta)
    workspace.message.poll()
    return workspace.actor.agent_id


def codex(thread: str, session: str = "") -> dict[str, Any]:
    return {"threadId": thread, "x-codex-turn-metadata": {"session_id": session or thread, "thread_id": thread}}


@pytest.mark.parametrize("first", ["hook", "server"])
@pytest.mark.parametrize("told", ["meta", "env", "process"])
def test_hook_and_server_of_one_session_are_one_agent(place: Place, first: str, told: str) -> None:
    meta = codex("s1") if told == "meta" else {}
    server = place.server("s1" if told == "env" else "") if first == "server" else None
    by_hook = place.hook("s1", "startup")
    server = server or place.server("s1" if told == "env" else "")
    assert called(server, **meta) == by_hook == place.hook("s1")
    assert place.active() == [by_hook]
    (row,) = rows(place.world.path, "SELECT pid FROM comity_presence WHERE agent_id = ?", by_hook)
    assert row[0] is not None, "the agent lives as long as its server"


def test_a_lone_agent_has_no_ghost_for_a_peer(place: Place) -> None:
    """Its server starts first, knows nothing, and is never called."""
    server = place.server()
    hook = place.hooked("s1")
    assert hook.turn.start(source="startup").text == ""
    assert place.active() == [server.of({}).actor.agent_id]


@pytest.mark.parametrize("first", ["hook", "server"])
@pytest.mark.parametrize("told", ["meta", "process"])
def test_a_server_that_is_joined_by_name_meets_its_hooks(place: Place, first: str, told: str) -> None:
    meta = codex("s1") if told == "meta" else {}
    server = place.server(joins=True)
    assert server.of({}, looks=True).actor.spectator
    assert place.active() == []
    by_hook = place.hook("s1", "startup") if first == "hook" else ""
    joined = server.of(meta, "claude").actor
    by_hook = by_hook or place.hook("s1", "startup")
    assert called(server, **meta) == joined.agent_id == by_hook
    assert place.active() == [by_hook]
    assert server.of(meta, "other").actor.agent_id == by_hook


def test_a_server_without_hooks_is_whom_it_joined_as(place: Place) -> None:
    one, two = place.server(joins=True), place.server(joins=True, pid=8)
    agents = {called(server) for server in (one, two)}
    assert len(agents) == 2
    assert all(agent.startswith("agent-") for agent in agents)
    assert one.of({}, looks=True).actor.agent_id == called(one)
    one.end("bye")
    assert set(place.active()) == {called(two)}


@pytest.mark.parametrize("source", ["compact", "resume", "clear", "startup"])
def test_the_same_session_id_is_the_same_agent(place: Place, source: str) -> None:
    first = place.hook("s1", "startup")
    assert place.hook("s1", source) == first
    assert place.hook("s1", source, pid=8) == first, "in another process, after a restart"


def test_a_cleared_context_goes_on_as_the_same_agent(place: Place) -> None:
    first = place.hook("s1", "startup")
    other = place.hook("s2", "startup")
    place.leave("s1", "clear")
    assert place.hook("s3", "clear") == first != other
    assert place.hook("s2") == other
    assert place.hook("s1", "resume", pid=9) != first, "the old one, resumed elsewhere, is another"


def test_a_cleared_context_without_its_end_goes_on_if_it_is_alone(place: Place) -> None:
    first = place.hook("s1", "startup")
    assert place.hook("s2", "clear") == first
    assert place.hook("s3", "compact") == first


def test_two_sessions_of_one_process_never_merge(place: Place) -> None:
    found = [
        place.hook(f"s{n}", source) for n, source in enumerate(("startup", "resume", "startup", "clear", "compact"))
    ]
    assert len(set(found)) >= 4, "a clear without an end before it may go on only where it is alone"
    assert len({place.hook("s0"), place.hook("s1"), place.hook("s2")}) == 3
    server = place.server()
    assert called(server) not in found, "nobody can tell whose it is"
    assert called(server, **codex("s1")) == place.hook("s1")
    assert called(server, **codex("s2")) == place.hook("s2")


def test_hosts_may_use_the_same_ids(place: Place) -> None:
    assert place.hook("1", pid=7) != place.hook("1", pid=8, host="gemini-cli")


def test_two_servers_of_one_process_stay_apart(place: Place) -> None:
    place.hook("s1", "startup")
    one = place.server()
    two = place.server()
    assert called(one) == "s1" != called(two)
    second = place.hook("s2", "startup")
    assert called(two) == second, "the session whose server waited"
    assert (called(one), place.hook("s1")) == ("s1", "s1")
    assert place.active() == sorted({"s1", second})


def test_a_server_serves_threads_and_subagents(place: Place) -> None:
    server = place.server()
    parent = called(server, **codex("t1"))
    below = called(server, **codex("t2", "t1"))
    other = called(server, **codex("t9"))
    assert len({parent, below, other}) == 3
    assert place.hook("t1", sub="t2") == below
    assert rows(place.world.path, "SELECT parent_agent_id FROM comity_host_sessions WHERE agent_id = ?", below) == [
        (parent,)
    ]
    server.end("over")
    assert place.active() == []


def test_other_hosts_tell_their_session_in_meta(place: Place) -> None:
    for key, host, session in (("sessionID", "opencode", "o1"), ("vscode.conversationId", "vscode", "v1")):
        by_hook = place.hook(session, pid=30 + len(host), host=host)
        assert called(place.server(pid=30 + len(host)), **{key: session}) == by_hook
    wrong: dict[str, Any] = {"sessionID": 7, "threadId": "x" * 500, "x-codex-turn-metadata": "?"}
    server = place.server(pid=99)
    assert called(server, **wrong) == called(server)


def test_a_server_with_an_outdated_id_moves_over(place: Place) -> None:
    """It was spawned with an id that the host gave up: the session that a hook told of is an older one."""
    old = place.hook("s0", "startup", pid=5)
    place.leave("s0", pid=5)
    server = place.server("bogus")
    assert place.active() == ["bogus"]
    server.of({}).claim.acquire(files=["src/a.py"])
    place.world.agent("bob").message.send(destination_agent_id="bogus", content="for you")
    assert place.hook("s0", "resume") == old == called(server)
    assert place.active() == ["bob", old]
    assert [claim.agent_id for claim in server.of({}).claim.list().claims] == [old]
    assert [d.content for d in server.of({}).message.poll().deliveries] == ["for you"]
    check(place.world.path)


def test_a_new_session_is_heard_of_under_another_id(place: Place) -> None:
    server = place.server("bogus")
    assert place.hook("s5", "resume") == called(server)
    assert len(place.active()) == 1


def test_an_id_that_the_user_chose_wins(place: Place) -> None:
    assert place.hook("s1", "startup") == "s1"
    place.hooked("s1").claim.acquire(files=["src/a.py"])
    server = place.server("s1", named="planner")
    assert called(server) == called(server, **codex("s1")) == place.hook("s1") == "planner"
    assert place.active() == ["planner"]
    assert [claim.agent_id for claim in server.of({}).claim.list().claims] == ["planner"]
    assert place.hook("s9", pid=50, named="writer") == "writer"
    other = place.server(named="second")
    assert called(other) == "second"
    assert called(server) == "planner"


def test_a_named_server_binds_the_one_session_of_its_process(place: Place) -> None:
    server = place.server(named="planner")
    assert place.hook("s1", "startup") == "planner" == called(server)
    assert place.active() == ["planner"]


def test_subagents_are_agents_under_a_parent(place: Place) -> None:
    parent = place.hooked("s1", "startup")
    one, two = place.hooked("s1", sub="sub-1"), place.hooked("s1", sub="sub-2")
    below = place.hooked("s1", sub="other-prefix-sub-1" * 3)
    ids = [agent.actor.agent_id for agent in (parent, one, two, below)]
    assert len(set(ids)) == 4
    assert parent.edit.check(files=["src/a.py"]).allowed
    assert one.edit.check(files=["src/a.py"]).allowed, "a parent refuses none of its subagents"
    assert one.edit.check(files=["src/b.py"]).allowed
    assert not two.edit.check(files=["src/b.py"]).allowed, "siblings refuse each other"
    place.leave("s1", "stopped", sub="sub-1")
    holders = {claim.agent_id for claim in two.claim.list().claims}
    assert one.actor.agent_id not in holders, "whoever stopped holds nothing"


def test_the_end_of_a_session(place: Place) -> None:
    """What its hooks claimed is free; a server that lives keeps the rest."""
    hook = place.hooked("s1", "startup")
    server = place.server()
    hook = place.hooked("s1")
    hook.edit.check(files=["src/a.py"])
    server.of({}).claim.acquire(files=["src/b.py"])
    place.leave("s1")
    assert [claim.file_path for claim in server.of({}).claim.list().claims] == ["src/b.py"]
    assert place.active() == ["s1"]
    server.end("over")
    assert place.active() == []


@pytest.mark.parametrize(("reason", "left"), [("exit", []), ("clear", ["s1"])])
def test_the_end_of_a_session_that_only_hooks_know(place: Place, reason: str, left: list[str]) -> None:
    place.hooked("s1", "startup").edit.check(files=["src/a.py"])
    place.hook("s1", "startup", sub="below")
    place.leave("s1", reason)
    assert place.active() == left
    assert rows(place.world.path, "SELECT 1 FROM macp_ext_file_claims WHERE released_at IS NULL") == []


def test_a_stranger_cannot_end_a_session(place: Place) -> None:
    place.hook("s1", "startup")
    place.leave("s2")
    place.world.agent("bob").session.leave()
    assert place.active() == ["bob", "s1"]


def test_a_rename_changes_no_identity(place: Place) -> None:
    first = place.hooked("s1", "startup")
    renamed = first.acting_as(first.actor._replace(name="Another name"))
    renamed.session.start()
    assert place.hook("s1") == first.actor.agent_id
