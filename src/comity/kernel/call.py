"""How every operation is run, in this order: permit, validate, transact, checks, session, body, keep, commit, wake.

This is the only place where an operation's body is called. The transaction is committed when the body returns or
refuses (``Refused``), and rolled back when anything else is raised. Waking is a hint that follows the commit.

Checks (a pause, a policy, an approval) stand in the transaction that changes something and see the arguments: what they
decide holds until the commit. They may write; with ``Refused`` that lasts. Under a caller's key the first answer is
looked for before them, and kept in the same transaction as what the body did.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from comity.kernel.clock import Clock
from comity.kernel.hints import Any, Protocol
from comity.kernel.ids import Ids
from comity.kernel.observer import Observer
from comity.kernel.problem import Invalid, Problem, Refused
from comity.kernel.registry import AnyOp
from comity.kernel.scope import BLIND, Actor, Scope, Store
from comity.kernel.steps import Report, Steps, Work

Values = Mapping[str, Any]
Validate = Callable[[AnyOp, Mapping[str, object]], dict[str, Any]]
Permit = Callable[[AnyOp, Actor], None]
Watch = Callable[[AnyOp, Callable[[], Any]], Any]
Before = Callable[[Scope, AnyOp, Values], None]
Session = Callable[[Scope], None]
_LONGEST_KEY = 200


class Key:
    """A caller's own name for one call: sent again under it, a write is not carried out again.

    ``text`` is the caller's. ``mark`` is the door's own name for the request, kept with the answer.

    Once the call is over ``replayed`` says whether the answer is that of an earlier call; then ``mark`` is that one's.
    """

    __slots__ = ("mark", "replayed", "text")

    def __init__(self, text: object, mark: str = "") -> None:
        if (
            not isinstance(text, str)
            or not 0 < len(text) <= _LONGEST_KEY
            or not text.isascii()
            or not text.isprintable()
        ):
            raise Invalid(
                "idempotency.key",
                "The key of a call is no key.",
                f"Send 1 to {_LONGEST_KEY} printable ASCII characters, such as a UUID.",
            )
        self.text = text
        self.mark = mark
        self.replayed = False


class Once(Protocol):
    """One call under its caller's key: carried out at most once, and answered as the first time (``rooms.replies``)."""

    def run(self, scope: Scope, op: AnyOp, values: Values, admit: Work, body: Work) -> Any:
        """What was answered before; else what ``body`` answers after ``admit``, kept in this transaction.

        Raises what the body refused, then or now, and Conflict ``idempotency.*``.
        """

    def long(self, op: AnyOp, values: Values, steps: Steps, write: Callable[[Work], Any]) -> Any:
        """What was answered before, else what the operation answers after ``steps``.

        The key is reserved and the answer kept in transactions of their own, which ``write`` runs.
        """


class Pipeline:
    """Runs operations against one store.

    ``validate`` turns outside arguments into checked ones; without it the caller vouches for them (hooks do, since
    a validator would cost them their time). ``permit`` raises Forbidden for what an actor may not do. ``observer``
    is what operations know of other processes. ``watch`` is given every operation to run, and answers what it answers.
    ``before`` are the checks: each raises Problem for what must not be done now. An answer that a write operation's
    ``peek`` finds changes nothing, so they are not asked for it. ``session`` raises Problem for a caller that has no
    active session; operations that need one are refused by it.
    """

    __slots__ = ("_before", "_clock", "_ids", "_observer", "_permit", "_session", "_store", "_validate", "watch")

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ids: Ids,
        validate: Validate | None = None,
        permit: Permit | None = None,
        observer: Observer = BLIND,
        watch: Watch | None = None,
        before: Sequence[Before] = (),
        session: Session | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._validate = validate
        self._permit = permit
        self._observer = observer
        self._before = before
        self._session = session
        self.watch = watch

    def run(
        self,
        op: AnyOp,
        actor: Actor,
        arguments: Mapping[str, object],
        report: Report | None = None,
        once: Once | None = None,
    ) -> Any:
        """The operation's result. Raises Problem. ``report`` hears how far a long operation is.

        With ``once`` a write is carried out at most once under its caller's key; a read is answered anew.
        """
        if self.watch is not None:
            return self.watch(op, lambda: self._run(op, actor, arguments, report, once))
        return self._run(op, actor, arguments, report, once)

    def _run(
        self, op: AnyOp, actor: Actor, arguments: Mapping[str, object], report: Report | None, once: Once | None
    ) -> Any:
        if self._permit is not None:
            self._permit(op, actor)
        values = dict(arguments) if self._validate is None else self._validate(op, arguments)
        if op.effect == "read":
            once = None
        if op.long:
            return self._long(op, actor, values, report, once)
        look = op.run if op.effect == "read" else op.peek if once is None else None
        if look is not None:
            seen = self._read(actor, lambda scope: look(self._admitted(op, scope), **values))
            if seen is not None or op.effect == "read":
                return seen
        return self._write(actor, self._work(op, values, lambda scope: op.run(scope, **values), once))

    def _work(self, op: AnyOp, values: Values, body: Work, once: Once | None) -> Work:
        """What is done in the transaction that writes: the checks, the session, the body; kept under a key."""

        def admit(scope: Scope) -> None:
            for check in self._before:
                check(scope, op, values)
            self._admitted(op, scope)

        def work(scope: Scope) -> Any:
            admit(scope)
            return body(scope)

        return work if once is None else lambda scope: once.run(scope, op, values, admit, body)

    def _admitted(self, op: AnyOp, scope: Scope) -> Scope:
        """``scope``, unless the operation needs a session and the actor's is not active: that is refused."""
        if op.needs == "session":
            assert self._session is not None, f"{op.name} needs a session, and nobody can tell here who has one"
            self._session(scope)
        return scope

    def _long(self, op: AnyOp, actor: Actor, values: Values, report: Report | None, once: Once | None) -> Any:
        """Run an operation of several transactions.

        The checks are asked in the first one that writes, and in those that only read before it, since these may
        answer already; there a check can only look. The session is asked for in each.
        """
        checks = self._before if op.effect == "write" else ()
        whole = once if op.ends_with_write else None  # the last step is all that is kept
        checked = False

        def check(scope: Scope) -> None:
            for one in checks if not checked else ():
                one(scope, op, values)
            self._admitted(op, scope)

        def read(work: Work) -> Any:
            def look(scope: Scope) -> Any:
                check(scope)
                return work(scope)

            return self._read(actor, look)

        def write(work: Work) -> Any:
            nonlocal checked
            assert not (checked and op.ends_with_write), f"{op.name} writes again after its last step"

            def change(scope: Scope) -> Any:
                if whole is not None:
                    return whole.run(scope, op, values, check, work)
                check(scope)
                return work(scope)

            result = self._write(actor, change)
            checked = True
            return result

        steps = Steps(actor, read, write, report)
        if once is not None and whole is None:
            return once.long(op, values, steps, lambda work: self._write(actor, work))
        return op.run(steps, **values)

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
