"""Jobs as they are shown. Rows may have been written by anybody: what is malformed shows as empty."""

from __future__ import annotations

import re
from collections.abc import Sequence

from comity.kernel.clock import Instant
from comity.kernel.problem import NotFound
from comity.kernel.quoting import quoted
from comity.kernel.scope import Row, Scope
from comity.kernel.text import compact, read_object
from comity.rooms.jobs.model import Failure, Job, Jobs, OneJob, Progress

_RESULT = 16  # where a row's result stands; its problem follows
_WORD = re.compile(r"[^A-Za-z0-9_.-]")
_SENTENCE = 600  # characters


def row_of(scope: Scope, job_id: str) -> Row:
    """A job's row. NotFound ``job.unknown``."""
    row = scope.tx.one("jobs.get", job_id=job_id)
    if row is None:
        raise NotFound(
            "job.unknown",
            f"There is no job {job_id[:100]!r}.",
            "`job.list` lists jobs; those that are over are forgotten after a while.",
            job=job_id[:100],
        )
    return row


def get(scope: Scope, job_id: str) -> OneJob:
    """One job with what became of it. NotFound ``job.unknown``."""
    return one(row_of(scope, job_id))


def one(row: Row) -> OneJob:
    """A whole row."""
    told = read_object(row[_RESULT + 1])
    return OneJob(_job(row), read_object(row[_RESULT]), None if told is None else _failure(told))


def listed(scope: Scope, states: Sequence[str], limit: int) -> Jobs:
    """Jobs in any of the states, of all when there are none; the newest first."""
    return Jobs([_job(row) for row in scope.tx.all("jobs.list", states=compact(list(states)), limit=limit)])


def _job(row: Row) -> Job:
    job_id, kind, state, arguments, agent_id, requested, started, ended, epoch, done, total, what, runner = row[:13]
    return Job(
        job_id,
        kind,
        state,
        read_object(arguments) or {},
        agent_id,
        Instant.at(requested).iso,
        None if started is None else Instant.at(started).iso,
        None if ended is None else Instant.at(ended).iso,
        epoch,
        Progress(done, total, what) if total or done or what else None,
        _runner(read_object(runner) or {}),
    )


def _runner(told: dict[str, object]) -> str:
    """Which process it is, for people."""
    pid, machine = told.get("pid"), told.get("machine")
    return f"{told.get('program') or 'process'} {pid or ''}{f' on {machine}' if machine else ''}" if told else ""


def _failure(told: dict[str, object]) -> Failure:
    """What a runner wrote down: sentences with words of others in them, and anybody may have written the row."""
    data = told.get("data")
    kind, reason = (_WORD.sub("", str(told.get(name) or "")) for name in ("kind", "reason"))
    message, hint = (quoted(told[name], _SENTENCE) if told.get(name) else "" for name in ("message", "hint"))
    return Failure(kind, reason, message, hint, data if isinstance(data, dict) else {})
