"""A workspace as callers have it: one agent, one store, every operation. What all doors work on."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Protocol, Self

from comity import api
from comity.kernel.call import Before, Key, Once, Permit, Pipeline, Session, Watch
from comity.kernel.clock import Clock, SystemClock
from comity.kernel.ids import Ids, TimeOrderedIds
from comity.kernel.observer import Observer
from comity.kernel.problem import Conflict, Problem, Unavailable
from comity.kernel.registry import AnyOp
from comity.kernel.scope import BLIND, Actor, Store
from comity.kernel.steps import Report
from comity.kernel.validate import validate
from comity.opening import CHECKS, Memory, open_store
from comity.process import ThisProcess, present
from comity.rooms import REGISTRY
from comity.rooms.agents.sessions import require_session
from comity.settings import Settings
from comity.system.haste import HASTE

_NOTHING: Mapping[str, object] = {}
# Shares of a lease: when the loop renews it, when a call does since no loop has, how soon a failed renewal is repeated.
_DUE, _LATE, _RETRY = 0.25, 0.3, 0.05


class Cancel(Protocol):
    """Tells a waiting call to stop."""

    def is_set(self) -> bool: ...

    def on_set(self, callback: Callable[[], None]) -> Callable[[], None]: ...


class Workspace(api.Nouns):
    """One agent's view of a shared workspace. Thread-safe; close it when done.

    Operations are methods by noun, ``workspace.message.poll(wait_ms=5000)``, or go by name through ``call``. They
    raise ``comity.Problem``. ``permit`` raises Forbidden for what the agent may not do; without it there is nothing
    that it may not. ``before`` is asked in the transaction of each change, and raises Problem for what must not be now.
    ``session`` raises Problem for a caller without an active session, where an operation needs one.
    """

    def __init__(
        self,
        store: Store,
        actor: Actor,
        *,
        clock: Clock | None = None,
        ids: Ids | None = None,
        root: str | None = None,
        observer: Observer = BLIND,
        permit: Permit | None = None,
        watch: Watch | None = None,
        before: Sequence[Before] = CHECKS,
        session: Session = require_session,
    ) -> None:
        self.store = store
        self.actor = actor
        self.root = root
        self._clock = clock or SystemClock()
        self._ids = ids or TimeOrderedIds()
        self.observer = observer
        self._permit = permit
        self._before = before
        self._pipeline = Pipeline(store, self._clock, self._ids, validate, permit, observer, watch, before, session)
        self._lease = _Lease(observer)
        self._at_close: list[Callable[[], None]] = []
        self._others: list[Workspace] = []

    def acting_as(self, actor: Actor, *, observer: Observer | None = None, permit: Permit | None = None) -> Workspace:
        """A workspace on this store for another agent, with this one's observer and permit unless given."""
        return Workspace(
            self.store,
            actor,
            clock=self._clock,
            ids=self._ids,
            root=self.root,
            observer=observer or self.observer,
            permit=permit or self._permit,
            watch=self._pipeline.watch,
            before=self._before,
        )

    def in_the_name_of(self, actor: Actor, store: Store) -> Workspace:
        """For an agent whose session may be over, on a store that stands before this one: what a job is done with."""
        return Workspace(
            store,
            actor,
            clock=self._clock,
            ids=self._ids,
            root=self.root,
            watch=self._pipeline.watch,
            before=self._before,
            session=lambda _: None,
        )

    def require(self, op: AnyOp) -> None:
        """Raise what keeps the agent from running an operation, if it may not."""
        if self._permit is not None:
            self._permit(op, self.actor)

    def watched_by(self, watch: Watch) -> None:
        """Have ``watch`` run every operation from now on, here and in workspaces that are made of this one."""
        self._pipeline.watch = watch

    def become(self, actor: Actor) -> None:
        """Act as this agent from now on."""
        self.actor = actor

    def alongside(self, actor: Actor) -> Workspace:
        """A workspace for another agent, whose session is renewed together with this one's."""
        other = self.acting_as(actor)
        self._others.append(other)
        return other

    def call(
        self,
        name: str,
        arguments: Mapping[str, object] = _NOTHING,
        cancel: Cancel | None = None,
        report: Report | None = None,
        key: Key | str | None = None,
    ) -> Any:
        """Run one operation by name with keyword arguments as in its signature.

        An operation that takes ``wait_ms`` and finds nothing is run again whenever something may have arrived, until
        the time is over or ``cancel`` is set. A long operation tells ``report`` how far it is, and stops between two of
        its transactions when ``cancel`` is set: Conflict ``call.cancelled``. Under a ``key`` of the agent's own a write
        is carried out at most once within a day, and answered again as the first time; with something else under the
        same key: Conflict ``idempotency.reused``.
        """
        return self.perform(REGISTRY.get(name), arguments, cancel, report, key)

    def perform(
        self,
        op: AnyOp,
        arguments: Mapping[str, object] = _NOTHING,
        cancel: Cancel | None = None,
        report: Report | None = None,
        key: Key | str | None = None,
    ) -> Any:
        """Run an operation that is at hand, as ``call`` runs one by name."""
        if HASTE.active and (op.long or (op.effect == "write" and self.store.commits_wait)):
            raise Unavailable("call.long", f"{op.name} takes longer than its caller has time.", "Call it on a thread.")
        if self._lease.is_due(_LATE):
            self.renew_if_due()
        once = None if key is None else _once(key)
        result = self._pipeline.run(op, self.actor, arguments, _until(cancel, report) if op.long else None, once)
        wait_ms = arguments.get("wait_ms")
        if op.waits is None or not isinstance(wait_ms, int | float) or not op.waits.empty(result):
            return result
        return self._wait(op, arguments, wait_ms / 1000, cancel, once)

    def _wait(
        self, op: AnyOp, arguments: Mapping[str, object], wait_s: float, cancel: Cancel | None, once: Once | None
    ) -> Any:
        assert op.waits is not None
        end = time.monotonic() + wait_s
        waiter = self.store.waiter((self.actor.agent_id,) if op.waits.on == "actor" else ())
        forget = cancel.on_set(waiter.cancel) if cancel is not None else None
        try:
            result = self._pipeline.run(op, self.actor, arguments, None, once)
            while op.waits.empty(result) and waiter.wait(end - time.monotonic()):
                result = self._pipeline.run(op, self.actor, arguments, None, once)
            return result
        finally:
            if forget is not None:
                forget()
            waiter.close()

    def renew_if_due(self) -> None:
        """Say that the session lives, if a quarter of its lease is over. A loop does this, or else late calls."""
        if self._lease.take(_DUE):
            try:
                self._pipeline.run(REGISTRY.get("session.renew"), self.actor, _NOTHING)
            except Problem:  # no reason for a call to fail; the next one tries again
                self._lease.failed()
        for other in self._others:
            other.renew_if_due()

    def stands(self) -> bool:
        """Whether the database is the one that was opened: other processes see what is done here."""
        try:
            self.store.look()
        except Unavailable:
            return False
        return True

    def introduce(self, program: str) -> None:
        """The agent's host says which program it is; peers see it with the next sign of life."""
        own = self.observer.presence
        if own is not None and own.program != program:
            self.observer.introduce(program)
            self._lease.hurry()

    def at_close(self, callback: Callable[[], None]) -> None:
        """Have ``callback`` called before the store is closed, the last one first."""
        self._at_close.append(callback)

    def close(self) -> None:
        """Close the store. A session that was started goes on until ``session.end`` or a newer registration."""
        while self._at_close:
            self._at_close.pop()()
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Lease:
    """When the session's lease was last renewed, by the machine's own pace, so that one write a quarter is enough."""

    __slots__ = ("_lease_s", "_lock", "_renewed")

    def __init__(self, observer: Observer) -> None:
        own = observer.presence
        self._lease_s = own.lease_ms / 1000 if own is not None else 0.0
        self._renewed = time.monotonic()
        self._lock = threading.Lock()

    def is_due(self, share: float) -> bool:
        """Whether this share of the lease is over."""
        return self._lease_s > 0 and time.monotonic() - self._renewed >= self._lease_s * share

    def take(self, share: float) -> bool:
        """Whether to renew now: of several threads only one is told so."""
        with self._lock:
            due = self.is_due(share)
            if due:
                self._renewed = time.monotonic()
            return due

    def hurry(self) -> None:
        """The loop renews at its next look."""
        with self._lock:
            self._renewed = min(self._renewed, time.monotonic() - self._lease_s * _DUE)

    def failed(self) -> None:
        """It was not renewed: try again soon, not at every call."""
        with self._lock:
            self._renewed = time.monotonic() - self._lease_s * (_LATE - _RETRY)


def _once(key: Key | str) -> Once:
    """One call under a key. Raises Invalid ``idempotency.key``."""
    from comity.rooms.replies.idempotency import Keyed

    return Keyed(key if isinstance(key, Key) else Key(key))


def _until(cancel: Cancel | None, report: Report | None) -> Report:
    """What a long operation reports to: the caller, unless the call was cancelled."""

    def tell(done: int, total: int, what: str) -> None:
        if cancel is not None and cancel.is_set():
            raise Conflict("call.cancelled", "The call was cancelled.", "What was done so far is kept; call again.")
        if report is not None:
            report(done, total, what)

    return tell


def from_settings(resolved: Settings, observer: Observer | None = None) -> Workspace:
    """The workspace that resolved settings describe; without an ``observer`` its sessions live as this process does.

    That the database is another one than before is said once, on standard error.
    """
    if observer is None:
        place = resolved.worktree or resolved.root
        observer = ThisProcess(present(resolved.program, resolved.host_session_id, place))
    memory = Memory(resolved)
    told = memory.told
    store = open_store(resolved, memory)
    memory.note()
    if told:
        sys.stderr.write(f"comity: {told}\n")
    return Workspace(store, resolved.actor, root=resolved.root, observer=observer)
