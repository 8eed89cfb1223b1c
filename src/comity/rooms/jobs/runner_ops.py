"""Operations that runners call: they take jobs, keep their leases, and record what came of them."""

from __future__ import annotations

from collections.abc import Sequence

from comity.kernel.op import op
from comity.kernel.scope import Scope
from comity.rooms.jobs import runs
from comity.rooms.jobs.model import (
    LEASE_S,
    Done,
    Epoch,
    Held,
    JobId,
    Kinds,
    Lapsed,
    LeaseS,
    OneJob,
    Outcome,
    ProblemJson,
    Progress,
    ResultJson,
    Taken,
    Total,
    WaitedMs,
    What,
)

_ID = "0190d3f0-0000-7000-8000-000000000010"


def _nothing_to_take(scope: Scope, *, kinds: Sequence[str], waited_ms: int = 0, lease_s: int = 0) -> Taken | None:
    del lease_s
    return None if runs.available(scope, kinds, waited_ms) or runs.left(scope) else Taken()


def _nobody_died(scope: Scope) -> Lapsed | None:
    return None if runs.left(scope) else Lapsed([])


@op("job.take", effect="write", example={"kinds": ["vault.other"]}, peek=_nothing_to_take)
def take_job(scope: Scope, *, kinds: Kinds, waited_ms: WaitedMs = 0, lease_s: LeaseS = LEASE_S) -> Taken:
    """Have the job that has waited longest, as its only runner; free jobs whose runner died before.

    Runners do it by themselves. Whatever the runner writes goes with the ``epoch`` of the answer.
    """
    return runs.take(scope, kinds, waited_ms, lease_s)


@op("job.renew", effect="write", example={"job_id": _ID, "epoch": 1})
def renew_job(
    scope: Scope,
    *,
    job_id: JobId,
    epoch: Epoch,
    done: Done = 0,
    total: Total = 0,
    what: What = "",
    lease_s: LeaseS = LEASE_S,
) -> Held:
    """Say that a job's runner lives, and how far the job is. Runners do it by themselves."""
    return runs.renew(scope, job_id, epoch, Progress(done, total, what), lease_s)


@op("job.finish", effect="write", example={"job_id": _ID, "epoch": 1, "outcome": "done"})
def finish_job(
    scope: Scope, *, job_id: JobId, epoch: Epoch, outcome: Outcome, result: ResultJson = "", problem: ProblemJson = ""
) -> OneJob:
    """Record what came of a job, or let go of it. Runners do it by themselves.

    Refused for a runner that lost the job; so a job has one end, whoever else thinks to have carried it out.
    """
    return runs.finish(scope, job_id, epoch, outcome, result, problem)


@op("job.reap", effect="write", example={}, peek=_nobody_died)
def reap_jobs(scope: Scope) -> Lapsed:
    """Free jobs whose runner died: they wait again, or are interrupted where they must not be repeated."""
    return runs.lapse(scope)
