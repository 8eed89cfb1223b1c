"""Whose prompt a program runs at."""

from __future__ import annotations

from typing import Any

import pytest

from comity import Workspace
from comity.kernel.observer import Sighting
from comity.kernel.scope import HostSession
from comity.testing import FakeMachine, World


@pytest.fixture
def machine() -> FakeMachine:
    made = FakeMachine()
    made.processes |= {pid: Sighting("running", f"tick-{pid}") for pid in (7, 8, 9)}
    return made


def begins(world: World, machine: FakeMachine, pid: int, session: str, host: str = "claude-code") -> None:
    process = machine.start()
    process.presence = process.presence._replace(pid=None, started="")
    told = HostSession(host, session, "", pid, f"tick-{pid}")
    hook = world.agent(session, start=False, observer=process, host=told, session_id=session, name=f"name-{session}")
    hook.turn.start()


@pytest.fixture
def person(world: World, machine: FakeMachine) -> Workspace:
    begins(world, machine, 7, "s1")
    return world.agent("person", start=False, observer=machine.start())


def found(person: Workspace, *pids: int, **more: Any) -> str:
    processes = [f"{pid}:tick-{pid}" for pid in pids]
    return str(person.session.find(processes=processes, **more).agent_id)


def test_below_a_host_it_is_its_agents(person: Workspace) -> None:
    assert found(person, 12, 7, 3) == "s1"
    identity = person.session.find(processes=["7:tick-7"])
    assert (identity.name, identity.session_id) == ("name-s1", "s1")
    assert found(person, 7, terminal=True) == "s1", "a host may give its shell a terminal"


@pytest.mark.parametrize("processes", [[], ["7:tick-8"], ["8:tick-8"], ["x:tick-7"], ["7"], ["²:tick-7"]])
def test_anywhere_else_it_is_a_persons(person: Workspace, processes: list[str]) -> None:
    assert person.session.find(processes=processes).agent_id == ""


def test_the_nearest_host_decides(world: World, machine: FakeMachine, person: Workspace) -> None:
    begins(world, machine, 8, "s2")
    assert found(person, 8, 7) == "s2"
    assert found(person, 7, 8) == "s1"


def test_of_several_sessions_the_variable_says_which(world: World, machine: FakeMachine, person: Workspace) -> None:
    begins(world, machine, 7, "s2")
    assert found(person, 7) == ""
    assert found(person, 7, host="claude-code", host_session_id="s2") == "s2"
    assert found(person, 7, host="claude-code", host_session_id="s3") == ""


def test_a_terminal_inside_an_editor_is_a_persons(world: World, machine: FakeMachine, person: Workspace) -> None:
    begins(world, machine, 9, "s9", "vscode")
    assert found(person, 9) == "s9"
    assert found(person, 9, terminal=True) == ""


def test_a_variable_counts_while_its_session_lives(machine: FakeMachine, person: Workspace) -> None:
    named = {"host": "claude-code", "host_session_id": "s1"}
    assert found(person, 12, **named) == "s1"
    assert found(person, 12, terminal=True, **named) == "", "a terminal may have inherited it"
    assert found(person, 12, host="claude-code", host_session_id="unheard") == "unheard"
    assert found(person, 12, host="claude-code", host_session_id="unheard", terminal=True) == ""
    del machine.processes[7]
    assert found(person, 12, **named) == ""


def test_a_sandbox_sees_no_host_and_has_the_variable(world: World, machine: FakeMachine, person: Workspace) -> None:
    sandbox = FakeMachine(namespace="pid:[2]")
    inside = world.agent("inside", start=False, observer=sandbox.start())
    assert found(inside, 2, host="claude-code", host_session_id="s1") == "s1"
    assert found(inside, 2) == ""


def test_a_session_that_is_over_has_no_prompt(world: World, machine: FakeMachine, person: Workspace) -> None:
    told = HostSession("claude-code", "s1", "", 7, "tick-7")
    world.agent("s1", start=False, observer=machine.start(), host=told).session.leave(reason="exit")
    assert found(person, 7, host="claude-code", host_session_id="s1") == ""
