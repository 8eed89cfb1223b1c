"""An operation that runs at most once under a caller's key: its answer is kept in the operation's own transaction.

Whoever is killed between carrying out and keeping has done neither. Only a long operation, which is several
transactions, is reserved first and kept afterwards; a reservation whose server died lapses, and the operation may then
run again. Everything here makes operations, so that the pipeline runs them as it runs any other.
"""

from __future__ import annotations

from collections.abc import Callable

from comity.kernel.hints import Any
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.op import Op
from comity.kernel.problem import Conflict, Refused
from comity.kernel.registry import AnyOp
from comity.kernel.scope import Scope

KEPT_MS = 24 * 3600 * 1000
RESERVED_MS = 120 * 1000  # after which a reservation's server is taken for dead
_FORGOTTEN = 50  # at a time


class Key(NamedTuple):
    """Who asked, under which key, and a digest of what was asked."""

    caller: str
    key: str
    request: str


class Reply(NamedTuple):
    """An answer as it was sent."""

    status: int
    body: str


class Replay(Exception):
    """The operation has run under this key: this is what was answered."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


Told = Callable[[Any], Reply | None]  # the answer to a result or a Problem; None: it is not kept


def once(op: AnyOp, key: Key, told: Told) -> AnyOp:
    """``op``, which must not be long, for one run. It raises Replay, and Conflict as ``reserve`` does."""

    def run(scope: Scope, /, **values: Any) -> Any:
        _look(scope, key)
        try:
            result = op.run(scope, **values)
        except Refused as refused:
            _keep(scope, key, told(refused.problem))
            raise
        if op.waits is None or not op.waits.empty(result):
            _keep(scope, key, told(result))
        return result

    return _like(op, run, op.waits)


def reserve(op: AnyOp, key: Key) -> AnyOp:
    """Say that ``op`` is about to run. Raises Replay; Conflict ``idempotency.in_progress``, ``idempotency.reused``."""

    def run(scope: Scope, /, **_: Any) -> None:
        _look(scope, key)
        _write(scope, key, None, None)

    return _like(op, run)


def keep(op: AnyOp, key: Key, reply: Reply) -> AnyOp:
    """Keep what was answered to a run that is over."""

    def run(scope: Scope, /, **_: Any) -> None:
        _keep(scope, key, reply)

    return _like(op, run)


def free(op: AnyOp, key: Key) -> AnyOp:
    """Take a reservation back: the operation failed, and may be tried again."""

    def run(scope: Scope, /, **_: Any) -> None:
        scope.tx.run("replies.free", caller=key.caller, key=key.key)

    return _like(op, run)


def _like(op: AnyOp, run: Callable[..., Any], waits: Any = None) -> AnyOp:
    """An operation that is permitted and checked as ``op`` is; its arguments have been checked once."""
    made: AnyOp = Op(op.name, run, "write", {}, None, waits)
    made.signature = op.signature
    return made


def _look(scope: Scope, key: Key) -> None:
    row = scope.tx.one("replies.find", caller=key.caller, key=key.key)
    if row is None:
        return
    request, status, body, at_ms = row
    age_ms = scope.now.ms - at_ms
    if age_ms > KEPT_MS or (status is None and age_ms > RESERVED_MS):
        return
    if request != key.request:
        raise Conflict(
            "idempotency.reused",
            "Another request was sent under this Idempotency-Key.",
            "Use a new key for each request, and the same only to send one again.",
        )
    if status is None:
        raise Conflict(
            "idempotency.in_progress",
            "The first request with this Idempotency-Key is still being carried out.",
            "Send it again in a second.",
            retryAfterS=1,
        )
    raise Replay(Reply(status, body))


def _keep(scope: Scope, key: Key, reply: Reply | None) -> None:
    if reply is not None:
        _write(scope, key, *reply)


def _write(scope: Scope, key: Key, status: int | None, body: str | None) -> None:
    scope.tx.run("replies.forget", before=scope.now.ms - KEPT_MS, limit=_FORGOTTEN)
    scope.tx.run("replies.keep", **key._asdict(), status=status, body=body, at_ms=scope.now.ms)
