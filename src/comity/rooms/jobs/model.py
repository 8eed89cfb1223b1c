"""Records, argument types and bounds of jobs."""

from __future__ import annotations

from comity.kernel.argument import Items, Number, Text
from comity.kernel.hints import Annotated, Literal
from comity.kernel.named_tuple import NamedTuple

MOST_ARGUMENTS_BYTES = 20_000
MOST_RESULT_BYTES = 100_000
MOST_KEPT = 500  # jobs that are over
LEASE_S = 30

State = Literal["waiting", "running", "done", "failed", "cancelled", "interrupted"]
Outcome = Literal["done", "failed", "released"]
JobId = Annotated[str, Text("The job's id, as the answer that began it gave it.", min=1, max=200)]
States = Annotated[list[State], Items("Only jobs in these states.", max=6)]
JobLimit = Annotated[int, Number("How many to return at most.", ge=1, le=1000)]
WaitMs = Annotated[int, Number("How many milliseconds to wait for its end.", ge=0, le=300_000)]
Kinds = Annotated[list[Annotated[str, Text(min=1, max=100)]], Items("Kinds that the runner can carry out.", max=100)]
WaitedMs = Annotated[int, Number("Only jobs that have waited for so many milliseconds.", ge=0, le=3_600_000)]
LeaseS = Annotated[int, Number("Seconds for which the runner counts as alive without a sign.", ge=1, le=3600)]
Epoch = Annotated[int, Number("How often the job was taken, this time included.", ge=1, le=9_007_199_254_740_991)]
Done = Annotated[int, Number("How many of the parts are done.", ge=0, le=9_007_199_254_740_991)]
Total = Annotated[int, Number("How many parts there are; 0: not known yet.", ge=0, le=9_007_199_254_740_991)]
What = Annotated[str, Text("What is being done, in a word or two.", max=200)]
ResultJson = Annotated[str, Text("The result: a JSON object.", max=MOST_RESULT_BYTES)]
ProblemJson = Annotated[str, Text("What went wrong: a JSON object as of a Problem.", max=MOST_RESULT_BYTES)]


class Kind(NamedTuple):
    """One kind of job, as the room that asks for it knows it.

    ``repeatable``: a part of it that was carried out already does no harm when it is carried out again. ``most_s``: how
    long it may run. At most ``per_agent`` jobs of the kind wait or run for one agent, and ``in_all`` for everybody.
    """

    name: str
    repeatable: bool
    most_s: int = 3600
    per_agent: int = 20
    in_all: int = 200


class Progress(NamedTuple):
    """How far a job is: ``done`` parts of ``total`` (0: not known yet), and what is being done."""

    done: int
    total: int
    what: str


class Job(NamedTuple):
    """One job. ``attempts``: how many runners have taken it; ``runner``: the process that has it, or had it last."""

    job_id: str
    kind: str
    state: str
    arguments: dict[str, object]
    agent_id: str
    requested_at: str
    started_at: str | None
    ended_at: str | None
    attempts: int
    progress: Progress | None = None
    runner: str = ""


class Failure(NamedTuple):
    """The Problem that a job ended with, as its runner wrote it down.

    ``message`` and ``hint`` are quoted on one line, 600 characters at most: words of others may stand in them.
    """

    kind: str
    reason: str
    message: str
    hint: str
    data: dict[str, object]


class OneJob(NamedTuple):
    """One job, with its ``result`` once it is done, or the ``problem`` that ended it."""

    job: Job
    result: dict[str, object] | None = None
    problem: Failure | None = None


class Jobs(NamedTuple):
    """Jobs, the newest first."""

    jobs: list[Job]


class TakenJob(NamedTuple):
    """A job as its runner gets it: for whom it is, and for how long it may run. ``epoch`` goes with all it writes."""

    job_id: str
    kind: str
    arguments: dict[str, object]
    asker: dict[str, object]
    epoch: int
    most_s: int


class Taken(NamedTuple):
    """The job that the runner has from now on, if one was to be had."""

    job: TakenJob | None = None


class Held(NamedTuple):
    """Whether the runner still has the job; if not, it stops, and records nothing."""

    held: bool


class Lapsed(NamedTuple):
    """Jobs whose runners died, which wait again or are interrupted."""

    job_ids: list[str]
