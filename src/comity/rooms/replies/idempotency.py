"""One call under its caller's key: carried out at most once; what was answered first is answered again for a day.

Authoritative is ``comity_answers``. An answer is kept as JSON of the record or of the Problem, for whichever door asks
next, in the very transaction that carried the operation out: whoever is killed has done and kept it, or neither. Only
an operation of several transactions that does not end with its one write is reserved first and kept afterwards. Its
reservation is renewed by each of its writes, lapses when its process died, and stops whoever lost it.

Kept are answers that a repetition would not mend: results, and refusals by the operation itself. Complaints about
arguments, ended sessions, bounds that pass, failures, and what was refused before the body (a pause) are not. The
answer of a secret operation is kept nowhere, only that it was given; secret arguments are not even in the digest.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256

from comity.kernel.argument import Text
from comity.kernel.call import Key, Values
from comity.kernel.hints import Any
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Conflict, Forbidden, Invalid, NotFound, Problem, Refused
from comity.kernel.record import to_json
from comity.kernel.record_reader import reader
from comity.kernel.registry import AnyOp
from comity.kernel.scope import Scope
from comity.kernel.signature import answer_of, parameters
from comity.kernel.steps import Steps, Work
from comity.kernel.text import lenient
from comity.rooms.agents.model import UNREGISTERED

KEPT_MS = 24 * 3600 * 1000
RESERVED_MS = 120 * 1000  # without a write, after which the process of a reservation is taken for dead
_FORGOTTEN = 50  # at a time
_KEPT_KINDS = {kind.kind: kind for kind in (Invalid, Forbidden, NotFound, Conflict)}
_PASSING = ("argument.", "idempotency.", "call.")
_UNSAID = ("wait_ms",)  # how long somebody waits is not what they ask


class _Row(NamedTuple):
    """What is kept under a key. ``outcome``: running, result, problem or secret."""

    request: str
    outcome: str
    answer: str | None
    mark: str
    holder: str
    at_ms: int


class Keyed:
    """One call under one key: a ``kernel.call.Once``."""

    def __init__(self, key: Key) -> None:
        self._key = key
        self._holder = ""  # of a reservation

    def run(self, scope: Scope, op: AnyOp, values: Values, admit: Work, body: Work) -> Any:
        """See ``kernel.call.Once``. A refusal of the body takes back what it wrote, unless it is ``Refused``."""
        request = _digest(op, values)
        row = self._look(scope, request)
        if row is not None:
            return self._again(op, row)
        admit(scope)
        scope.tx.run("replies.begin_body")
        woken = set(scope.wakes)
        try:
            result = body(scope)
        except Refused as refused:
            if _lasts(refused.problem):
                self._keep(scope, op, request, refused.problem)
            raise
        except Problem as problem:
            if not _lasts(problem):
                raise
            scope.tx.run("replies.undo_body")
            scope.wakes = woken
            self._keep(scope, op, request, problem)
            raise Refused(problem) from None
        if op.waits is None or not op.waits.empty(result):  # an empty answer did nothing, and is looked for anew
            self._keep(scope, op, request, result)
        return result

    def long(self, op: AnyOp, values: Values, steps: Steps, write: Callable[[Work], Any]) -> Any:
        """See ``kernel.call.Once``. Conflict ``idempotency.lost`` when somebody else took the reservation over."""
        request = _digest(op, values)

        def reserve(scope: Scope) -> _Row | None:
            row = self._look(scope, request)
            if row is None:
                self._holder = scope.new_id()
                self._write(scope, op, request, "running", None)
            return row

        def settle(answer: Any) -> None:
            with suppress(Problem):  # it was done all the same; or else the reservation lapses
                write(lambda scope: self._settle(scope, op, request, answer))

        def hold(work: Work) -> Any:
            def change(scope: Scope) -> Any:
                self._extend(scope)
                return work(scope)

            return steps.write(change)

        row = write(reserve)
        if row is not None:
            return self._again(op, row)
        try:
            result = op.run(Steps(steps.actor, steps.read, hold, steps.report), **values)
        except BaseException as error:
            settle(error)
            raise
        settle(result)
        return result

    def _look(self, scope: Scope, request: str) -> _Row | None:
        """What is kept under the key, if it holds still. Raises Conflict: ``reused``, ``in_progress``."""
        found = scope.tx.one("replies.find", caller=scope.actor.agent_id, key=self._key.text)
        row = None if found is None else _Row._make(found)
        if row is None or scope.now.ms - row.at_ms > (RESERVED_MS if row.outcome == "running" else KEPT_MS):
            return None
        if row.request != request:
            raise Conflict(
                "idempotency.reused",
                "Something else was asked under this key.",
                "Use a new key for each request, and the same only to send one again.",
            )
        if row.outcome == "running":
            raise Conflict(
                "idempotency.in_progress",
                "The first call under this key is still being carried out.",
                "Send it again in a second.",
                retryAfterS=1,
            )
        return row

    def _again(self, op: AnyOp, row: _Row) -> Any:
        """The first answer. Raises the first refusal; Conflict ``secret``, ``unreadable``."""
        self._key.replayed, self._key.mark = True, row.mark
        if row.outcome == "secret":
            self._key.replayed = False
            raise Conflict(
                "idempotency.secret",
                "This was carried out before; its answer held a secret, which is shown once and kept nowhere.",
                "Undo the first one where that can be done (`comity token list` shows a token: revoke it), and call"
                " under another key.",
            )
        try:
            told = json.loads(row.answer or "")
            if row.outcome == "result":
                return reader(answer_of(op))(told)
            problem = _KEPT_KINDS[told["kind"]](told["reason"], told["message"], told["hint"], **told["data"])
        except (ValueError, KeyError, TypeError, AttributeError):
            self._key.replayed = False
            raise Conflict(
                "idempotency.unreadable",
                "This was carried out before, by another version of Comity, whose answer this one cannot read.",
                "Look at what it did; call under another key to have it done again.",
            ) from None
        raise problem

    def _keep(self, scope: Scope, op: AnyOp, request: str, answer: Any) -> None:
        if isinstance(answer, Problem):
            told: Any = {**answer.as_dict(), "data": to_json(answer.data)}
            self._write(scope, op, request, "problem", told)
        elif op.secret:
            self._write(scope, op, request, "secret", None)
        else:
            self._write(scope, op, request, "result", to_json(answer))

    def _write(self, scope: Scope, op: AnyOp, request: str, outcome: str, told: Any) -> None:
        scope.tx.run("replies.forget", before=scope.now.ms - KEPT_MS, limit=_FORGOTTEN)
        scope.tx.run(
            "replies.keep",
            caller=scope.actor.agent_id,
            key=self._key.text,
            operation=op.name,
            request=request,
            outcome=outcome,
            answer=None if told is None else lenient(told).decode(),
            mark=self._key.mark,
            holder=self._holder,
            at_ms=scope.now.ms,
        )

    def _extend(self, scope: Scope) -> None:
        """Say that the call lives. Conflict ``idempotency.lost`` when its reservation lapsed and another one has it."""
        mine = {"caller": scope.actor.agent_id, "key": self._key.text, "holder": self._holder}
        if not scope.tx.run("replies.extend", **mine, at_ms=scope.now.ms):
            raise Conflict(
                "idempotency.lost",
                "The call took so long that another one under the same key was taken for its repetition.",
                "Send it again to learn what that one did.",
            )

    def _settle(self, scope: Scope, op: AnyOp, request: str, answer: Any) -> None:
        """Keep the answer in place of the reservation, or take that back: what failed may be tried again."""
        self._extend(scope)
        if isinstance(answer, BaseException) and not (isinstance(answer, Problem) and _lasts(answer)):
            scope.tx.run("replies.free", caller=scope.actor.agent_id, key=self._key.text)
        else:
            self._keep(scope, op, request, answer)


def _lasts(problem: Problem) -> bool:
    """Whether a repetition would be refused for the same reason."""
    passing = problem.reason.startswith(_PASSING) or problem.reason in UNREGISTERED
    return problem.kind in _KEPT_KINDS and not passing


def _digest(op: AnyOp, values: Values) -> str:
    """SHA-256 of what is asked, without secret arguments."""
    secret = {one.name for one in parameters(op) if isinstance(one.given, Text) and one.given.secret}
    said = {name: to_json(value) for name, value in values.items() if name not in secret and name not in _UNSAID}
    asked = [op.name, said]
    return sha256(json.dumps(asked, sort_keys=True).encode("utf-8", "replace")).hexdigest()
