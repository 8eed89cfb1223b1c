"""Machines are tables: steps, refusals, unknown states and the diagram."""

from __future__ import annotations

import pytest

from comity.kernel.machine import Machine, Unheard
from comity.rooms.tasks.machine import HELD, MACHINE, OPEN, RULES

DOOR = Machine(
    "shut", {("shut", "open"): "ajar-door", ("ajar-door", "close"): "shut", ("shut", "burn"): "gone"}, {"burn": "gone"}
)


def test_steps() -> None:
    assert DOOR.step("shut", "open") == "ajar-door"
    assert DOOR.step("ajar-door", "open") == Unheard("ajar-door", "open", ("shut",))
    assert DOOR.step("shut", "sing") == Unheard("shut", "sing", ())
    assert DOOR.step("melted", "burn") == "gone"
    assert DOOR.step("ajar-door", "burn") == Unheard("ajar-door", "burn", ("shut",))
    assert DOOR.step("melted", "open") == Unheard("melted", "open", ("shut",))
    assert DOOR.states == ("shut", "ajar-door", "gone")
    assert DOOR.final == ("gone",)
    assert DOOR.heard_in("shut") == ("open", "burn")


def test_the_diagram() -> None:
    assert DOOR.diagram().splitlines() == [
        "stateDiagram-v2",
        '    state "ajar-door" as ajar_door',
        "    [*] --> shut",
        "    shut --> ajar_door: open",
        "    ajar_door --> shut: close",
        "    shut --> gone: burn",
        "    gone --> [*]",
    ]


def test_the_machine_of_tasks_is_whole() -> None:
    assert set(MACHINE.final) == {"done", "cancelled"}
    assert {state for state, _ in MACHINE.table} == set(OPEN)
    assert {heard for _, heard in MACHINE.table} == set(RULES)
    for state in HELD:
        assert MACHINE.step(state, "release") == MACHINE.initial


@pytest.mark.parametrize("heard", RULES)
def test_every_rule_checks_the_state(heard: str) -> None:
    assert "state" in RULES[heard].checks  # type: ignore[index]
