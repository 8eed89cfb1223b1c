"""How every operation is run: permit, validate, transact, wake.

This is the only place where an operation's body is called. The transaction is committed when the body returns or
refuses (``Refused``), and rolled back when anything else is raised. Waking is a hint that follows the commit.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager

from comity.kernel.clock import Clock
from comity.kernel.hints import Any, Protocol
from comity.kernel.ids import Ids
from comity.kernel.observer import Observer
from comity.kernel.problem import Problem, Refused
from comity.kernel.registry import AnyOp
from comity.kernel.scope import BLIND, Actor, Scope, Tx
from comity.kernel.steps import Report, Steps, Work

Validate = Callable[[AnyOp, Mapping[str, object]], dict[str, Any]]
Permit = Callable[[AnyOp, Actor], None]
Watch = Callable[[AnyOp, Callable[[], Any]], Any]


class Transactions(Protocol):
    """The part of a store that the pipeline needs."""

    def reading(self) -> AbstractContextManager[Tx]:
        """One read transaction: a consistent snapshot."""

    def writing(self) -> AbstractContextManager[Tx]:
        """One transaction that holds the write lock from its start."""

    def ring(self, agents: Collection[str], /) -> None:
        """Wake whoever waits for these agents, and whoever follows the log."""


class Pipeline:
    """Runs operations against one store.

    ``validate`` turns outside arguments into checked ones; without it the caller vouches for them (hooks do, since
    a validator would cost them their time). ``permit`` raises Forbidden for what an actor may not do. ``observer``
    is what operations know of other processes. ``watch`` is given every operation to run, and answers what it answers.
    """

    __slots__ = ("_clock", "_ids", "_observer", "_permit", "_store", "_validate", "watch")

    def __init__(
        self,
        store: Transactions,
        clock: Clock,
        ids: Ids,
        validate: Validate | None = None,
        permit: Permit | None = None,
        observer: Observer = BLIND,
        watch: Watch | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._validate = validate
        self._permit = permit
        self._observer = observer
        self.watch = watch

    def run(self, op: AnyOp, actor: Actor, arguments: Mapping[str, object], report: Report | None = None) -> Any:
        """The operation's result. Raises Problem. ``report`` hears how far a long operation is."""
        if self.watch is not None:
            return self.watch(op, lambda: self._run(op, actor, arguments, report))
        return self._run(op, actor, arguments, report)

    def _run(self, op: AnyOp, actor: Actor, arguments: Mapping[str, object], report: Report | None) -> Any:
        if self._permit is not None:
            self._permit(op, actor)
        values = dict(arguments) if self._validate is None else self._validate(op, arguments)
        if op.long:
            steps = Steps(actor, lambda work: self._read(actor, work), lambda work: self._write(actor, work), report)
            return op.run(steps, **values)
        look = op.run if op.effect == "read" else op.peek
        if look is not None:
            seen = self._read(actor, lambda scope: look(scope, **values))
            if seen is not None or op.effect == "read":
                return seen
        return self._write(actor, lambda scope: op.run(scope, **values))

    def _read(self, actor: Actor, work: Work) -> Any:
        with self._store.reading() as tx:
            return work(Scope(actor, self._clock.now(), tx, self._ids, self._observer))

    def _write(self, actor: Actor, work: Work) -> Any:
        refusal: Problem | None = None
        result = None
        with self._store.writing() as tx:
            scope = Scope(actor, self._clock.now(), tx, self._ids, self._observer)  # read once the lock is held
            try:
                result = work(scope)
            except Refused as refused:
                refusal = refused.problem
        if scope.wakes:
            self._store.ring(scope.wakes)
        if refusal is not None:
            raise refusal
        return result
