"""Where a branch begins and where it goes back to: found from what the repository has, also without a remote."""

from __future__ import annotations

import os
import re

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Conflict, Invalid, NotFound
from comity.kernel.quoting import quoted
from comity.system import git_refs, repository
from comity.system.git_look import GitLook
from comity.system.repository import Repository

HEADS, REMOTE = "refs/heads/", "refs/remotes/origin/"
USUAL = ("main", "master", "develop", "trunk")
_MOST_SHOWN = 20
_NOT_IN_BRANCHES = re.compile(r"[^A-Za-z0-9._-]+")
_MOST_PART = 60


class BaseCommit(NamedTuple):
    """A base branch, its full name (``refs/…``), and the commit that it is at."""

    name: str
    ref: str
    commit: str


def find(there: Repository, wanted: str | None) -> BaseCommit:
    """The branch that is ``wanted``, or the one that the repository's work goes to.

    Of a branch that is here and at origin, the one that has all of the other's commits; origin's where both have own
    ones. Raises Invalid ``branch.invalid``, NotFound ``branch.unknown``, Conflict ``worktree.no_commits``.
    """
    if wanted is not None:
        require_name(wanted)
        found = _newer(there, wanted.removeprefix("origin/"))
        if found is None:
            names = sorted(git_refs.below(there, HEADS))[:_MOST_SHOWN]
            told = f"There is no branch {quoted(wanted)} here."
            listed = ", ".join(name.removeprefix(HEADS) for name in names) or "none"
            raise NotFound("branch.unknown", told, f"Branches: {listed}. Fetch it first if it is elsewhere.")
        return found
    for name in _likely(there):
        found = _newer(there, name)
        if found is not None:
            return found
    head = git_refs.head(there)
    if head is not None and head.commit:
        return BaseCommit(head.branch.removeprefix(HEADS) or head.commit[:12], head.branch or "HEAD", head.commit)
    raise Conflict(
        "worktree.no_commits",
        "This repository has no commit yet, so nothing can be checked out a second time.",
        "Make the first commit, then ask again.",
    )


def require_name(name: str) -> None:
    """Invalid ``branch.invalid`` for what git would not take for the name of a branch, or for an option."""
    if not git_refs.is_branch(name):
        told = f"{quoted(name)} cannot be the name of a branch."
        raise Invalid("branch.invalid", told, "Name a branch as `git branch` lists it.", branch=name[:200])


def branch_for(there: Repository, agent: str, task: str) -> str:
    """``agent/task``; with a dash where a branch of the agent's name is in the way."""
    agent, task = part(agent), part(task)
    taken = git_refs.find(there, f"{HEADS}{agent}") is not None
    return f"{agent}-{task}" if taken else f"{agent}/{task}"


def part(text: str) -> str:
    """Some name as a part of a branch's and a folder's."""
    plain = _NOT_IN_BRANCHES.sub("-", text).strip(".-")[:_MOST_PART].strip(".-") or "x"
    return plain.replace("..", "-").removesuffix(".lock")


def distance(there: Repository, base: str, commit: str) -> tuple[int, int] | None:
    """How many commits only ``commit`` has, and how many only ``base``. None for no answer."""
    with GitLook(there) as look:
        return distance_by(look, base, commit)


def distance_by(look: GitLook, base: str, commit: str) -> tuple[int, int] | None:
    """What ``distance`` answers, in a look that is there already."""
    if base == commit:
        return 0, 0
    said = look.ask("rev-list", "--left-right", "--count", f"{base}...{commit}")
    counts = (said or "").split()
    if len(counts) != 2 or not all(count.isdigit() for count in counts):
        return None
    return int(counts[1]), int(counts[0])


def _likely(there: Repository) -> list[str]:
    link = os.path.join(there.common, REMOTE, "HEAD")
    try:
        said = os.fsdecode(repository.read(link, 4096)).strip()
    except OSError:
        said = ""
    at_origin = said.removeprefix(f"ref: {REMOTE}") if said.startswith(f"ref: {REMOTE}") else ""
    return [name for name in (at_origin, *USUAL) if name]


def _newer(there: Repository, name: str) -> BaseCommit | None:
    here, origin = (git_refs.find(there, f"{place}{name}") for place in (HEADS, REMOTE))
    if here is None or origin is None or here == origin:
        commit = here or origin
        return None if commit is None else BaseCommit(name, f"{HEADS if here else REMOTE}{name}", commit)
    ahead = distance(there, origin, here)
    if ahead is not None and ahead[1] == 0:
        return BaseCommit(name, f"{HEADS}{name}", here)
    return BaseCommit(f"origin/{name}", f"{REMOTE}{name}", origin)


def present(there: Repository, name: str | None) -> BaseCommit | None:
    """What ``find`` finds; None where it finds nothing."""
    try:
        return find(there, name)
    except (Conflict, Invalid, NotFound):
        return None
