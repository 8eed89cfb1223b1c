"""Faults that are armed by hand, in every connection of this process."""

from __future__ import annotations

from collections.abc import Iterator

import apsw
import pytest


class Fault:
    """Makes the ``n``-th statement from ``arm`` on fail; with ``lasting`` every one after it, too."""

    def __init__(self) -> None:
        self.left = 0
        self.lasting = False
        self.struck: list[str] = []

    def arm(self, n: int, *, lasting: bool = False) -> None:
        self.left, self.lasting, self.struck = n, lasting, []

    def disarm(self) -> None:
        self.left = 0

    def trace(self, cursor: apsw.Cursor | apsw.Connection, sql: str, bindings: object) -> bool:
        if self.left == 0:
            return True
        if self.left == 1:
            self.struck.append(sql)
            self.left = 1 if self.lasting else 0
            return False
        self.left -= 1
        return True

    def hook(self, connection: apsw.Connection) -> None:
        connection.exec_trace = self.trace


@pytest.fixture
def fault() -> Iterator[Fault]:
    """Not armed yet."""
    made = Fault()
    apsw.connection_hooks.append(made.hook)
    yield made
    made.disarm()
    apsw.connection_hooks.remove(made.hook)
