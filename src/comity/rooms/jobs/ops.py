"""Operations on jobs, for whoever asks for one or waits for it."""

from __future__ import annotations

from comity.kernel.op import Wait, op
from comity.kernel.problem import Forbidden
from comity.kernel.quoting import called
from comity.kernel.scope import Scope
from comity.rooms.jobs import listings, runs
from comity.rooms.jobs.machine import OPEN
from comity.rooms.jobs.model import JobId, JobLimit, Jobs, OneJob, States, WaitMs

_ID = "0190d3f0-0000-7000-8000-000000000010"


def _goes_on(found: OneJob) -> bool:
    return found.job.state in OPEN


@op("job.get", effect="read", example={"job_id": _ID}, waits=Wait(_goes_on, "log"))
def get_job(scope: Scope, *, job_id: JobId, wait_ms: WaitMs = 0) -> OneJob:
    """Show a job: how far it is, and once it is over what came of it.

    With ``wait_ms`` the answer waits for the job's end, for so long at most. Anybody may ask, also after the agent that
    began the job has gone.
    """
    return listings.get(scope, job_id)


@op("job.list", effect="read", example={"states": ["waiting", "running"]})
def list_jobs(scope: Scope, *, states: States | None = None, limit: JobLimit = 50) -> Jobs:
    """List jobs, the newest first."""
    return listings.listed(scope, states or (), limit)


@op("job.cancel", effect="write", needs="session", example={"job_id": _ID})
def cancel_job(scope: Scope, *, job_id: JobId) -> OneJob:
    """End a job that waits or runs. What it has written so far stays.

    Nothing that it does is written from then on; a program that it runs is ended within moments. Through a server only
    the agent that began the job may end it, and admins.
    """
    row = listings.row_of(scope, job_id)
    if not scope.actor.oversees and row[4] != scope.actor.agent_id:
        raise Forbidden(
            "job.not_yours",
            f"The job is agent {called(row[4])}'s.",
            "Ask that agent to cancel it, with `message.send`.",
            job=row[0],
            agentId=row[4],
        )
    return runs.cancel(scope, row)
