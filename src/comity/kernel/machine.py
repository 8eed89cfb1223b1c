"""Machines: tables ``(state, heard) -> state``. Pure: the caller reads the state, asks, writes the answer.

The diagrams in the documentation are drawn from the same tables (``diagram``).
"""

from __future__ import annotations

from collections.abc import Mapping

from comity.kernel.named_tuple import NamedTuple


class Unheard(NamedTuple):
    """A refusal: in ``state`` a machine does not listen to ``heard``; it would in the states of ``possible_in``."""

    state: str
    heard: str
    possible_in: tuple[str, ...]


class Machine:
    """One table. ``initial`` is where everything begins.

    ``otherwise`` says what still works in a state that the table does not know (rows that other programs wrote).
    """

    __slots__ = ("initial", "otherwise", "states", "table")

    def __init__(
        self, initial: str, table: Mapping[tuple[str, str], str], otherwise: Mapping[str, str] | None = None
    ) -> None:
        self.initial = initial
        self.table = dict(table)
        self.otherwise = dict(otherwise or {})
        self.states = tuple(dict.fromkeys((initial, *(state for state, _ in table), *table.values())))

    def step(self, state: str, heard: str) -> str | Unheard:
        """The next state, or why there is none."""
        found = self.table.get((state, heard))
        if found is None and state not in self.states:
            found = self.otherwise.get(heard)
        if found is not None:
            return found
        return Unheard(state, heard, tuple(one for one in self.states if (one, heard) in self.table))

    def heard_in(self, state: str) -> tuple[str, ...]:
        """What a machine in ``state`` listens to."""
        return tuple(heard for one, heard in self.table if one == state)

    @property
    def final(self) -> tuple[str, ...]:
        """The states that nothing leads out of."""
        return tuple(state for state in self.states if not self.heard_in(state))

    def diagram(self) -> str:
        """The table as a Mermaid state diagram; what leads from one state to the same other shares an arrow."""
        names = {state: state.replace("-", "_") for state in self.states}
        lines = ["stateDiagram-v2"]
        lines += [f'    state "{state}" as {name}' for state, name in names.items() if name != state]
        lines.append(f"    [*] --> {names[self.initial]}")
        arrows: dict[tuple[str, str], list[str]] = {}
        for (state, heard), to in self.table.items():
            arrows.setdefault((state, to), []).append(heard)
        lines += [f"    {names[state]} --> {names[to]}: {', '.join(heard)}" for (state, to), heard in arrows.items()]
        lines += [f"    {names[state]} --> [*]" for state in self.final]
        return "\n".join(lines)
