"""One process, one file, twenty agents: where single operations are compared with their bare rows."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self, cast

import comity
from bench import bare
from bench.blocks import Pair, compare
from bench.figures import Figure, Options
from bench.ground import DURABILITIES, Ground
from comity.store.connection import Durability, connect

PEOPLE = [f"agent-{number:02}" for number in range(20)]
_SETTLE = "UPDATE messages SET state = 'acknowledged' WHERE state IN ('queued', 'surfaced')"


class Stage:
    """A sender, twenty recipients, and a connection for bare rows with the same settings as Comity's."""

    def __init__(self, ground: Ground) -> None:
        ground.enrol(PEOPLE)
        self.sender = ground.agent("sender")
        self.people = [
            self.sender.acting_as(self.sender.actor._replace(agent_id=name, name=name, session_id=f"session-{name}"))
            for name in PEOPLE
        ]
        self.connection = connect(ground.path, cast(Durability, ground.durability))
        self.cursor = self.connection.cursor()

    def numbers(self) -> dict[str, int]:
        """The next sequence number of every recipient."""
        return dict.fromkeys(PEOPLE, 1) | bare.sequences(self.connection)

    def fill(self, each: int) -> list[tuple[comity.Workspace, list[str]]]:
        """``each`` pending deliveries for everybody, written bare; their ids by recipient."""
        numbers = self.numbers()
        result = []
        self.cursor.execute("BEGIN IMMEDIATE")
        for person in self.people:
            sent = [bare.rows_of_send([person.actor.agent_id], None, numbers) for _ in range(each)]
            for rows in sent:
                bare.write(self.cursor, rows)
            result.append((person, [str(rows.messages[0][0]) for rows in sent]))
        self.cursor.execute("COMMIT")
        return result

    def settle(self) -> None:
        """Nothing is pending any more."""
        self.connection.execute(_SETTLE).fetchall()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()
        self.sender.close()


def against_bare(
    what: str, options: Options, pair: Callable[[Stage], Pair], *, rounds: int, block: int, bar: float
) -> list[Figure]:
    """The ratio for both durabilities."""
    figures = []
    for durability in DURABILITIES:
        with Ground(options.folder, durability) as ground, Stage(ground) as stage:
            figures.append(compare(f"{what} ({durability})", pair(stage), rounds, block, bar))
    return figures
