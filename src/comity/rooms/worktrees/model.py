"""Records and argument types of worktrees (MASC, core reference section 9)."""

from __future__ import annotations

from comity.kernel.argument import Note, Text
from comity.kernel.hints import Annotated, Literal
from comity.kernel.named_tuple import NamedTuple

FOLDER = ".worktrees"  # below the project's root, or below a clone

BaseBranch = Annotated[str, Text("The branch that the work begins at and goes back to; else it is found.", max=200)]
CloneName = Annotated[str, Text("A clone of the agent's in .masc/playground, else the project's repository.", max=100)]
WorktreeName = Annotated[str, Text("Its task, its branch, or its folder as the list shows it.", min=1, max=1000)]
Force = Annotated[bool, Note("Also with work in it that is nowhere else; a copy is kept, and a reason asked for.")]
RemovalReason = Annotated[str, Text("Why it goes, though there is work in it.", max=2000)]

State = Literal["there", "missing", "half_made"]


class Worktree(NamedTuple):
    """One checkout of the repository, or of a clone.

    ``name`` is its folder from the project's root. ``changed``: files with work that is not committed; ``ahead`` and
    ``behind``: commits that only the branch has, and only the base; None where git gave no answer. ``merged``: the base
    has all of its commits. ``abandoned``: its owner is gone and it holds work. ``active_at``: when anything was last
    changed or committed in it, as far as git's own files tell.
    """

    name: str
    path: str
    branch: str
    base: str
    state: State
    task_id: str | None = None
    task: str | None = None
    agent_id: str | None = None
    agent_name: str | None = None
    owner: Literal["living", "gone", "unknown"] = "unknown"
    changed: int | None = None
    ahead: int | None = None
    behind: int | None = None
    merged: bool = False
    abandoned: bool = False
    locked: str | None = None
    active_at: str | None = None
    main: bool = False


class Worktrees(NamedTuple):
    """Every checkout, the main one first. ``notes`` say what needs somebody's hand, and what to do."""

    worktrees: list[Worktree]
    notes: list[str]


class MadeWorktree(NamedTuple):
    """A worktree to work in. ``created`` is false when it was there; ``notes`` say what is different from a plain one.

    ``copied``: untracked files that were brought along from the main checkout.
    """

    worktree: Worktree
    created: bool
    copied: list[str]
    notes: list[str]
    next: str


class RemovedWorktree(NamedTuple):
    """What became of a worktree. ``branch_deleted``: its base has all of its commits; ``kept``: copies."""

    name: str
    path: str
    branch: str
    branch_deleted: bool
    kept: int
    notes: list[str]


class MendedWorktrees(NamedTuple):
    """What was done about interrupted makings and removals, a line for each."""

    mended: list[str]
