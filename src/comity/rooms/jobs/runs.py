"""Taking a job, saying that its runner lives, and recording how it ended: each a compare-and-set on the job's epoch.

A runner's process that is gone is proof; a lease that ran out counts only for whoever has looked on long enough
(``rooms.agents.liveness``), also where the process is still there: its loop may hang, and since whatever it writes is
fenced, taking the job from it is safe.
"""

from __future__ import annotations

from collections.abc import Sequence

from comity.kernel.observer import Presence
from comity.kernel.problem import Conflict
from comity.kernel.scope import Row, Scope
from comity.kernel.text import compact, read_object
from comity.rooms.agents.liveness import Evidence, Reported, comparable, judge
from comity.rooms.jobs import listings
from comity.rooms.jobs.machine import CANCELLED, INTERRUPTED, MACHINE, RUNNING, left_behind
from comity.rooms.jobs.model import Held, Lapsed, OneJob, Outcome, Progress, Taken, TakenJob
from comity.rooms.jobs.requests import event

_EVENT_MS = 1000  # between two events about how far one job is
_HEARD = {"done": "finish", "failed": "fail"}
_ABANDONED = {
    "kind": "conflict",
    "reason": "job.interrupted",
    "message": "Its runner ended before the job did, and the job is none that may be begun again by itself.",
    "hint": "Look at what it did so far, and ask for it again.",
    "data": {},
}


def available(scope: Scope, kinds: Sequence[str], waited_ms: int) -> Row | None:
    """The id and the epoch of the job that has waited longest, at least so long."""
    now_ms = scope.now.ms
    return scope.tx.one("jobs.open", kinds=compact(list(kinds)), before_ms=now_ms - waited_ms, now_ms=now_ms)


def left(scope: Scope) -> list[Row]:
    """Running jobs whose runner is dead."""
    return [row for row in scope.tx.all("jobs.running") if _is_dead(scope, row)]


def take(scope: Scope, kinds: Sequence[str], waited_ms: int, lease_s: int) -> Taken:
    """Free what dead runners had, then have the job that has waited longest, if one has."""
    lapse(scope)
    found = available(scope, kinds, waited_ms)
    if found is None:
        return Taken()
    own = scope.observer.presence or Presence()
    row = scope.tx.one(
        "jobs.begin",
        job_id=found[0],
        epoch=found[1],
        state=MACHINE.step("waiting", "begin"),
        runner=compact({name: value for name, value in own._asdict().items() if name in _PROCESS}),
        now_ms=scope.now.ms,
        lease_until_ms=scope.now.ms + lease_s * 1000,
    )
    assert row is not None, "it was there in this transaction"
    job_id, kind, arguments, asker, epoch, most_s, agent_id = row
    scope.emit(event("job.started", job_id, kind, agent_id, attempt=epoch))
    return Taken(TakenJob(job_id, kind, read_object(arguments) or {}, read_object(asker) or {}, epoch, most_s))


_PROCESS = ("pid", "started", "boot_id", "namespace", "machine", "program")


def lapse(scope: Scope) -> Lapsed:
    """Have jobs of dead runners wait again, or be interrupted."""
    found = left(scope)
    for job_id, epoch, _, _, _, repeatable, lapses in found:
        _leave(scope, job_id, epoch, bool(repeatable), lapses + 1, died=True)
    return Lapsed([row[0] for row in found])


def renew(scope: Scope, job_id: str, epoch: int, progress: Progress, lease_s: int) -> Held:
    """Say that the runner lives, and how far the job is: an event tells that at most once a second."""
    row = scope.tx.one(
        "jobs.renew",
        job_id=job_id,
        epoch=epoch,
        now_ms=scope.now.ms,
        lease_until_ms=scope.now.ms + lease_s * 1000,
        **progress._asdict(),
    )
    if row is None:
        return Held(held=False)
    kind, agent_id, told_ms = row
    if progress != Progress(0, 0, "") and not 0 <= scope.now.ms - told_ms < _EVENT_MS:
        scope.tx.run("jobs.told", job_id=job_id, now_ms=scope.now.ms)
        done, total, what = progress
        scope.emit(event("job.progressed", job_id, kind, agent_id, done=done, total=total, what=what))
    return Held(held=True)


def finish(scope: Scope, job_id: str, epoch: int, outcome: Outcome, result: str, problem: str) -> OneJob:
    """Record how a job ended for its runner. NotFound ``job.unknown``; Conflict ``job.lost``."""
    row = listings.row_of(scope, job_id)
    if scope.tx.one("jobs.held", job_id=job_id, epoch=epoch) is None:
        raise lost(job_id)
    if outcome == "released":
        _leave(scope, job_id, epoch, bool(row[13]), row[14], died=False)
    else:
        _end(scope, row, str(MACHINE.step(RUNNING, _HEARD[outcome])), result or None, problem or None)
    return listings.get(scope, job_id)


def cancel(scope: Scope, row: Row) -> OneJob:
    """End a job that is not over; whatever its runner does from now on is refused. Conflict ``job.over``."""
    state = row[2]
    if MACHINE.step(state, "cancel") != CANCELLED:
        raise Conflict(
            "job.over",
            f"The job is over already: it is {state}.",
            "There is nothing to cancel; `job.get` tells what came of it.",
            job=row[0],
            state=state,
        )
    _end(scope, row, CANCELLED, None, None, by=scope.actor.agent_id)
    return listings.get(scope, row[0])


def lost(job_id: str) -> Conflict:
    """Why a runner may not write any more."""
    return Conflict(
        "job.lost",
        "The job is not this runner's any more: it was cancelled, or another runner has it.",
        "Stop; nothing of it is to be written.",
        job=job_id,
    )


def _leave(scope: Scope, job_id: str, epoch: int, repeatable: bool, lapses: int, *, died: bool) -> None:
    """What becomes of a job without its runner. ``lapses``: how many runners have died over it."""
    row = listings.row_of(scope, job_id)
    to = str(MACHINE.step(RUNNING, left_behind(repeatable, lapses, died=died)))
    if to == INTERRUPTED:
        _end(scope, row, to, None, compact(_ABANDONED))
        return
    scope.tx.run("jobs.wait_again", job_id=job_id, epoch=epoch, state=to, lapses=lapses)
    scope.emit(event("job.returned", job_id, row[1], row[4], attempt=epoch, died=died))


def _end(scope: Scope, row: Row, state: str, result: str | None, problem: str | None, by: str = "") -> None:
    """The one verdict of a job; ``by`` is who cancelled it."""
    changed = scope.tx.run(
        "jobs.end",
        job_id=row[0],
        epoch=row[8],
        before=row[2],
        state=state,
        result=result,
        problem=problem,
        now_ms=scope.now.ms,
    )
    assert changed == 1, "it was so in this transaction"
    scope.emit(event("job.ended", row[0], row[1], row[4], state=state, by=by))


def _is_dead(scope: Scope, row: Row) -> bool:
    job_id, _, runner, seen_ms, lease_until_ms, _, _ = row
    told = read_object(runner) or {}
    pid = told.get("pid")
    texts = {name: str(told.get(name) or "") for name in _PROCESS if name != "pid"}
    reported = Reported(
        session_id=job_id,
        agent_id="",
        pid=pid if isinstance(pid, int) else None,
        host_session_id="",
        worktree="",
        last_seen_ms=seen_ms,
        lease_until_ms=lease_until_ms,
        **texts,
    )
    observer, now_ms = scope.observer, scope.now.ms
    steady_ms = observer.steady_ms(now_ms)
    if comparable(reported, observer.presence) and reported.pid is not None:
        seen = observer.look(reported.pid)
        if judge(Evidence(reported, seen, now_ms, steady_ms)).state == "dead":
            return True
    return judge(Evidence(reported, None, now_ms, steady_ms)).state == "dead"
