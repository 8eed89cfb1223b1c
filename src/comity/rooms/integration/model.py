"""Records and argument types of integration."""

from __future__ import annotations

from comity.kernel.argument import Items, Note, Number, Text
from comity.kernel.hints import Annotated, Literal
from comity.kernel.named_tuple import NamedTuple
from comity.rooms.jobs.model import Kind

RUN = Kind("integration.run", repeatable=False, most_s=4 * 3600, per_agent=5, in_all=20)
MOST = 50  # branches at once
KEPT = 200  # attempts that are remembered

Source = Annotated[str, Text("A task with a worktree, or a branch.", min=1, max=200)]
Sources = Annotated[list[Source], Items("What is to be brought home, in this order.", min=1, max=MOST)]
Base = Annotated[str, Text("The branch that they go to; else that of their worktrees.", max=200)]
How = Annotated[Literal["merge", "rebase"], Note("merge: a merge commit for each; rebase: their commits on top.")]
Unchecked = Annotated[bool, Note("Land without a check command: for projects that have none.")]
Recent = Annotated[int, Number("How many attempts to show at most.", ge=1, le=KEPT)]

Fate = Literal["landed", "broke", "conflict", "nothing", "waits"]


class BranchOutcome(NamedTuple):
    """What became of one branch.

    landed: the base has it. broke: the check fails with it, and passes without. conflict: it does not merge.
    nothing: the base has all of it already. waits: it was good, but the base did not move.
    """

    source: str
    branch: str
    fate: Fate
    told: str = ""
    files: list[str] = []
    agent_id: str | None = None


class Integration(NamedTuple):
    """One attempt. ``state``: running, landed (the base moved), nothing (it did not), interrupted.

    ``before`` and ``after`` are the base's commits; ``checks``: how often the check command ran.
    """

    integration_id: str
    base: str
    state: str
    outcomes: list[BranchOutcome]
    before: str = ""
    after: str = ""
    checks: int = 0
    check_output: str = ""
    notes: list[str] = []


class MendedIntegrations(NamedTuple):
    """What was done about interrupted attempts, a line for each."""

    mended: list[str]


class Integrations(NamedTuple):
    """Attempts, the newest first."""

    integrations: list[Integration]
