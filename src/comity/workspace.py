"""A workspace as callers have it: one agent, one store, every operation. What all doors work on."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Protocol, Self

from comity import api
from comity.kernel.call import Pipeline
from comity.kernel.clock import Clock, SystemClock
from comity.kernel.ids import Ids, TimeOrderedIds
from comity.kernel.registry import AnyOp
from comity.kernel.scope import Actor
from comity.kernel.validate import validate
from comity.rooms import REGISTRY
from comity.settings import Settings
from comity.store.sqlite import SqliteStore

_NOTHING: Mapping[str, object] = {}


class Cancel(Protocol):
    """Tells a waiting call to stop."""

    def is_set(self) -> bool: ...

    def on_set(self, callback: Callable[[], None]) -> Callable[[], None]: ...


class Workspace:
    """One agent's view of a shared workspace. Thread-safe; close it when done.

    Operations are methods by noun, ``workspace.message.poll(wait_ms=5000)``, or go by name through ``call``. They
    raise ``comity.Problem``.
    """

    def __init__(
        self,
        store: SqliteStore,
        actor: Actor,
        *,
        clock: Clock | None = None,
        ids: Ids | None = None,
        root: str | None = None,
    ) -> None:
        self.store = store
        self.actor = actor
        self.root = root
        self._clock = clock or SystemClock()
        self._ids = ids or TimeOrderedIds()
        self._pipeline = Pipeline(store, self._clock, self._ids, validate)
        self.session = api.SessionCalls(self)
        self.channel = api.ChannelCalls(self)
        self.message = api.MessageCalls(self)
        self.agent = api.AgentCalls(self)
        self.goal = api.GoalCalls(self)
        self.task = api.TaskCalls(self)
        self.guide = api.GuideCalls(self)
        self.event = api.EventCalls(self)
        self.workspace = api.WorkspaceCalls(self)

    def acting_as(self, actor: Actor) -> Workspace:
        """The same store for another agent."""
        return Workspace(self.store, actor, clock=self._clock, ids=self._ids, root=self.root)

    def call(self, name: str, arguments: Mapping[str, object] = _NOTHING, cancel: Cancel | None = None) -> Any:
        """Run one operation by name with keyword arguments as in its signature.

        An operation that takes ``wait_ms`` and finds nothing is run again whenever something may have arrived, until
        the time is over or ``cancel`` is set.
        """
        op = REGISTRY.get(name)
        result = self._pipeline.run(op, self.actor, arguments)
        wait_ms = arguments.get("wait_ms")
        if op.waits is None or not isinstance(wait_ms, int) or not op.waits.empty(result):
            return result
        return self._wait(op, arguments, wait_ms / 1000, result, cancel)

    def _wait(
        self, op: AnyOp, arguments: Mapping[str, object], wait_s: float, result: Any, cancel: Cancel | None
    ) -> Any:
        assert op.waits is not None
        end = time.monotonic() + wait_s
        waiter = self.store.waiter((self.actor.agent_id,) if op.waits.on == "actor" else ())
        forget = cancel.on_set(waiter.cancel) if cancel is not None else None
        try:
            result = self._pipeline.run(op, self.actor, arguments)
            while op.waits.empty(result) and waiter.wait(end - time.monotonic()):
                result = self._pipeline.run(op, self.actor, arguments)
            return result
        finally:
            if forget is not None:
                forget()
            waiter.close()

    def close(self) -> None:
        """Close the store. A session that was started goes on until ``session.end`` or a newer registration."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def from_settings(resolved: Settings) -> Workspace:
    """The workspace that resolved settings describe."""
    return Workspace(SqliteStore(resolved.db, resolved.durability), resolved.actor, root=resolved.root)
