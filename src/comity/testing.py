"""For tests, of Comity and of programs that use it: a clock that is moved by hand and a small world of agents.

>>> with World() as world:
...     ann, bob = world.agent("ann"), world.agent("bob")
...     sent = ann.message.broadcast(content="I start on the parser.", ttl_seconds=60)
...     print([delivery.content for delivery in bob.message.poll().deliveries])
...     later = world.clock.advance(62)
...     print(bob.message.poll().expired_delivery_ids == sent.delivery_ids)
['I start on the parser.']
True

Nothing is imitated but the time: a world is a real database file in a temporary folder.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from types import TracebackType
from typing import Any, Self

from comity import Workspace
from comity.kernel.clock import Instant
from comity.kernel.ids import TimeOrderedIds
from comity.kernel.scope import Actor
from comity.store.connection import Durability
from comity.store.sqlite import SqliteStore

START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00.000Z


class FakeClock:
    """A clock that stands still until it is moved. ``ms`` is the time in milliseconds since 1970."""

    def __init__(self, ms: int = START_MS) -> None:
        self.ms = ms

    def now(self) -> Instant:
        """The present moment."""
        return Instant.at(self.ms)

    def advance(self, seconds: float) -> Instant:
        """Move on by ``seconds`` (back, when negative); the new present moment."""
        self.ms += round(seconds * 1000)
        return self.now()


class World:
    """One database file, one clock and any number of agents. Close it, or use it in a ``with`` statement.

    ``path`` is the database file; without it one is made in a temporary folder, which ``close`` removes.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        clock: FakeClock | None = None,
        durability: Durability = "normal",
    ) -> None:
        self._folder = tempfile.mkdtemp(prefix="comity-world-") if path is None else None
        self.path = os.fspath(path) if path is not None else os.path.join(str(self._folder), "world.macp.db")
        self.clock = clock or FakeClock()
        self.store = SqliteStore(self.path, durability)
        self._ids = TimeOrderedIds()
        self._sessions = 0

    def agent(self, agent_id: str, *, start: bool = True, **fields: Any) -> Workspace:
        """The workspace of one agent, registered and in channel ``main`` unless ``start`` is false.

        ``fields`` are those of the actor: ``session_id``, ``name``, ``channel``, ``role``, ``interest_tags``,
        ``max_pending_messages``, ``max_context_bytes``. Every call is a process of its own: asking for the same agent
        again takes it over with a new session.
        """
        self._sessions += 1
        values = {"session_id": f"{agent_id}-session-{self._sessions}", "channel": "main", **fields}
        workspace = Workspace(self.store, Actor(agent_id, **values), clock=self.clock, ids=self._ids)
        if start:
            workspace.session.start()
        return workspace

    def close(self) -> None:
        """Close the file, and remove it if it was temporary."""
        self.store.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
