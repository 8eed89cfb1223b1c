"""Which branches are meant, whether they are finished, and whether their base may move."""

from __future__ import annotations

from collections.abc import Mapping

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Conflict, Invalid, NotFound
from comity.kernel.quoting import called, quoted
from comity.kernel.scope import Scope
from comity.kernel.steps import Steps
from comity.rooms.worktrees import bases, brought, rows, survey
from comity.rooms.worktrees.bases import HEADS, BaseCommit
from comity.rooms.worktrees.rows import Made
from comity.system import git, git_refs, git_worktrees
from comity.system.repository import Repository

_MOST_NAMED = 5


class Candidate(NamedTuple):
    """A branch to be brought home: as it was named, its name, its commit, and whose it is."""

    source: str
    branch: str
    commit: str
    agent_id: str | None


class Candidates(NamedTuple):
    """What is to be integrated, and into what."""

    there: Repository
    base: BaseCommit
    branches: list[Candidate]


def find(steps: Steps, sources: list[str], base: str | None) -> Candidates:
    """Raises NotFound ``integration.unknown``, Conflict ``integration.unfinished`` and ``integration.base_changed``,
    Invalid ``integration.bases``.
    """
    there = survey.main_repository(steps.actor)
    made = [one for one in steps.read(rows.every) if not one.clone]
    found = [_candidate(there, source, made) for source in dict.fromkeys(sources)]
    named = {one.base for one in made if one.branch in {candidate.branch for candidate in found}}
    if base is None and len(named) > 1:
        told = f"These go back to different branches: {', '.join(map(quoted, sorted(named)))}."
        raise Invalid("integration.bases", told, "Integrate those of one base at a time, or say `base`.")
    target = bases.find(there, base or next(iter(named), None))
    if not target.ref.startswith(HEADS):
        target = _here(there, target)
    if target.name in {one.branch for one in found}:
        raise Invalid("integration.bases", f"{quoted(target.name)} is the base itself.", "Leave it out.")
    places = git_worktrees.listed(there)
    for one in found:
        known = next((row for row in made if row.branch == one.branch), None)
        _require_finished(one, places, known.brought if known is not None else {})
    require_movable(target, places)
    return Candidates(there, target, found)


def require_movable(base: BaseCommit, places: list[git_worktrees.Worktree]) -> None:
    """Conflict ``integration.base_changed`` where the base is checked out with changes: it is not moved under them."""
    for place in places:
        if place.branch == base.name and place.there:
            changed = git.changed(place.path, untracked=False)
            if changed is None or changed.tracked:
                raise Conflict(
                    "integration.base_changed",
                    f"{quoted(base.name)} is checked out in {quoted(place.path)} with changes, so it is not moved.",
                    "Commit or move those changes away first.",
                    path=place.path,
                )


def _here(there: Repository, base: BaseCommit) -> BaseCommit:
    """The local branch of a base that is ahead at origin."""
    name = base.name.removeprefix("origin/")
    commit = git_refs.find(there, f"{HEADS}{name}")
    if commit is None:
        raise NotFound(
            "integration.unknown", f"There is no local branch {quoted(name)}.", f"git branch {name} {base.name}"
        )
    if commit != base.commit:
        told = f"{quoted(name)} is behind, or beside, {quoted(base.name)}."
        raise Conflict("integration.base_behind", told, "Bring it up to date first (git pull), then integrate.")
    return BaseCommit(name, f"{HEADS}{name}", commit)


def _candidate(there: Repository, source: str, made: list[Made]) -> Candidate:
    short = source.lower()
    known = next((one for one in made if short in ((one.task or "").lower(), one.task_id.lower())), None)
    branch = known.branch if known is not None else source
    if known is None:
        bases.require_name(source)
        known = next((one for one in made if one.branch == source), None)
    commit = git_refs.find(there, f"{HEADS}{branch}")
    if commit is None:
        told = f"There is neither a task with a worktree nor a branch {quoted(source)}."
        raise NotFound("integration.unknown", told, "`worktree.list` shows what there is.", source=source[:200])
    return Candidate(source, branch, commit, known.agent_id if known is not None else None)


def _require_finished(one: Candidate, places: list[git_worktrees.Worktree], came: Mapping[str, str]) -> None:
    place = next((place for place in places if place.branch == one.branch and place.there), None)
    if place is None:
        return
    changed = git.changed(place.path)
    names = [] if changed is None else brought.without(place.path, (*changed.tracked, *changed.untracked), came)
    if changed is None or names:
        shown = ", ".join(quoted(name.removeprefix(place.path + "/")) for name in names[:_MOST_NAMED])
        raise Conflict(
            "integration.unfinished",
            f"{quoted(one.branch)} is not finished: there is uncommitted work in {quoted(place.path)}: {shown or '?'}.",
            f"Have {called(one.agent_id) if one.agent_id else 'whoever works there'} commit it, or leave it out.",
            branch=one.branch,
            files=len(names),
        )


def owners(scope: Scope) -> dict[str, str]:
    """Whose each branch of a worktree is."""
    return {one.branch: one.agent_id for one in rows.every(scope)}
