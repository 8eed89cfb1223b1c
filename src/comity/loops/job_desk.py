"""What every runner does with jobs, on a thread or on an event loop: take one, look after it, record its one verdict.

The desk has no thread and waits for nothing. It knows what to do for each kind of job (an ``Effect``), and what it asks
of the database are operations, each a transaction of its own; between them an effect runs outside any. The database
decides who has a job: what an effect writes goes through a store that refuses it once the job was cancelled or taken
over, and so does the verdict. So a runner that wakes up late does no harm.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Literal

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Conflict, Internal, Limited, Problem, Unavailable
from comity.kernel.record import to_json
from comity.kernel.text import lenient
from comity.mcp.surface import Cancellation
from comity.rooms.jobs.fence import FencedStore
from comity.rooms.jobs.model import LEASE_S, MOST_RESULT_BYTES, TakenJob
from comity.rooms.jobs.requests import asker
from comity.workspace import Workspace

RENEW_S = LEASE_S / 6  # how often a lease is renewed
PROGRESS_S = 1.0  # how soon progress is told again
_AGAIN_S = 0.5  # until a verdict that could not be recorded is tried again

Why = Literal["", "lost", "late", "ending"]


class Run:
    """One job that a runner has. ``stop`` is set when its effect is to end; ``why`` tells the reason.

    ``workspace`` is that of the agent that asked, fenced: what is written through it is refused once the job is lost.
    """

    def __init__(self, job: TakenJob, workspace: Workspace, most_s: float) -> None:
        self.job = job
        self.workspace = workspace
        self.stop = Cancellation()
        self.why: Why = ""
        self.progress: tuple[int, int, str] = (0, 0, "")
        self.ends = time.monotonic() + most_s
        self.renewed = time.monotonic()
        self.told = self.progress
        self._lock = threading.Lock()

    @property
    def key(self) -> tuple[str, int]:
        """The job, this time."""
        return self.job.job_id, self.job.epoch

    @property
    def arguments(self) -> Mapping[str, Any]:
        """What was asked for."""
        return self.job.arguments

    def report(self, done: int, total: int, what: str) -> None:
        """An effect tells how far it is. Conflict ``job.stopped`` when it is to end."""
        self.progress = done, total, what[:200]
        if self.stop.is_set():
            raise Conflict("job.stopped", "The job is not wanted any more.", "Stop.")

    def end(self, why: Why) -> None:
        """Have the effect stop; the first reason counts, but that the job is lost counts more."""
        with self._lock:
            if not self.why or why == "lost":
                self.why = why
        self.stop.set()


class Effect(NamedTuple):
    """How a kind of job is carried out: by a function that blocks, or by a coroutine (``on_loop``).

    Either answers a record or an object for the job's result. One that blocks runs on a thread of its runner, reports
    now and then or gives ``run.stop`` to what it waits for. A coroutine is cancelled when it is to end; operations that
    it calls block, so it calls them on a thread.
    """

    carry_out: Callable[[Run], Any] | Callable[[Run], Awaitable[Any]]
    on_loop: bool = False


class Desk:
    """One runner's jobs. ``most_s``: how long any job may run here; ``waited_ms``: how long one waits for others."""

    def __init__(self, workspace: Workspace, effects: Mapping[str, Effect], most_s: float, waited_ms: int = 0) -> None:
        self._workspace = workspace
        self._effects = effects
        self._most_s = most_s
        self._waited_ms = waited_ms
        self._ended = threading.Event()

    def take(self, kinds: Iterable[str] | None = None) -> Run | None:
        """The job that has waited longest, of these kinds or of all that there are effects for. Raises Problem."""
        wanted = list(self._effects if kinds is None else kinds)
        taken: TakenJob | None = self._workspace.call("job.take", {"kinds": wanted, "waited_ms": self._waited_ms}).job
        if taken is None:
            return None
        store = FencedStore(self._workspace.store, taken.job_id, taken.epoch)
        theirs = self._workspace.in_the_name_of(asker(taken.asker), store)
        return Run(taken, theirs, min(self._most_s, taken.most_s))

    def effect_of(self, run: Run) -> Effect:
        """How its job is carried out."""
        return self._effects[run.job.kind]

    def look_after(self, runs: list[Run]) -> None:
        """See which runs still have their jobs and their time, renew leases that are due, tell progress.

        It reads once for all of them. Where the database does not answer, a run goes on for as long as its lease lasts.
        """
        now = time.monotonic()
        try:
            found = self._workspace.call("job.list", {"states": ["running"], "limit": 1000}).jobs
            held = {(job.job_id, job.attempts) for job in found}
        except Problem:
            held = {run.key for run in runs if now - run.renewed < LEASE_S}
        for run in runs:
            if run.key not in held:
                run.end("lost")
            elif now >= run.ends:
                run.end("late")
            self._renew(run, now)

    def _renew(self, run: Run, now: float) -> None:
        told = run.progress
        if run.why == "lost" or now - run.renewed < (PROGRESS_S if told != run.told else RENEW_S):
            return
        job_id, epoch = run.key
        done, total, what = told
        given = {"job_id": job_id, "epoch": epoch, "done": done, "total": total, "what": what}
        try:
            if not self._workspace.call("job.renew", given).held:
                run.end("lost")
        except Problem:
            return
        run.renewed, run.told = now, told

    def carry_out(self, run: Run) -> None:
        """Run an effect that blocks to its end, and record what came of it."""
        outcome: Any
        try:
            outcome = self.effect_of(run).carry_out(run)
        except Exception as error:  # noqa: BLE001 - whatever an effect raises is its verdict
            outcome = error
        self.record(run, outcome)

    def record(self, run: Run, outcome: Any) -> None:
        """Record the verdict: the effect's answer, or what it raised. Nothing, when the job is lost.

        A verdict that cannot be recorded now is tried again until the lease is over; then others find the job.
        """
        given = _verdict(run, outcome)
        if given is None:
            return
        until = time.monotonic() + LEASE_S
        while True:
            try:
                self._workspace.call("job.finish", {"job_id": run.job.job_id, "epoch": run.job.epoch, **given})
            except Unavailable:
                if time.monotonic() > until or self._ended.wait(_AGAIN_S):
                    return
                continue
            except Problem:  # somebody else has it, or cancelled it
                return
            return

    def end(self) -> None:
        """Try nothing again any more."""
        self._ended.set()


def _verdict(run: Run, outcome: Any) -> dict[str, Any] | None:
    """As arguments of ``job.finish``; None when there is nothing to record."""
    if run.why == "lost" or (isinstance(outcome, Problem) and outcome.reason == "job.lost"):
        return None
    if not isinstance(outcome, BaseException):
        return _result(outcome)
    if run.why == "ending":
        return {"outcome": "released"}
    if run.why == "late":
        hint = "Ask for less at once, or allow jobs more time (COMITY_JOB_MINUTES)."
        return _failed(Limited("job.late", "The job took longer than it may.", hint))
    if isinstance(outcome, Problem):
        return _failed(outcome)
    sys.excepthook(type(outcome), outcome, outcome.__traceback__)
    told = "A fault of Comity's own ended the job."
    return _failed(Internal("job.fault", told, "The log of the server or session that ran it tells more."))


def _result(outcome: Any) -> dict[str, Any]:
    text = lenient(to_json({} if outcome is None else outcome)).decode()
    if len(text) > MOST_RESULT_BYTES:
        told = f"The job was carried out, and its result takes {len(text):,} characters: too many to be kept."
        return _failed(Limited("job.result_large", told, "Look at what it did; ask for less at once."))
    return {"outcome": "done", "result": text}


def _failed(problem: Problem) -> dict[str, Any]:
    text = lenient(to_json(problem.as_dict())).decode()
    if len(text) > MOST_RESULT_BYTES:
        text = lenient({**problem.as_dict(), "message": problem.message[:2000], "data": {}}).decode()
    return {"outcome": "failed", "problem": text}
