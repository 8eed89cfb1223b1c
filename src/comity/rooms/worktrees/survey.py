"""Which worktrees there are, whose they are, and what is in each: git's folders and Comity's rows side by side."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from comity.kernel.clock import Instant
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Unavailable
from comity.kernel.quoting import called, quoted
from comity.kernel.scope import Actor, Scope
from comity.kernel.steps import Steps
from comity.rooms.agents import presence
from comity.rooms.work import standing
from comity.rooms.worktrees import bases, brought, rows
from comity.rooms.worktrees.model import FOLDER, State, Worktree, Worktrees
from comity.rooms.worktrees.rows import Made
from comity.system import git, git_worktrees, repository
from comity.system.checkouts import translated
from comity.system.git_look import GitLook
from comity.system.git_worktrees import HALF_MADE
from comity.system.repository import Repository

NO_REPOSITORY = "This workspace is in no git repository, so there are no worktrees."
_SIGNS = ("index", "logs/HEAD", "HEAD")  # git's files of a worktree that change when it is worked in


class Ownership(NamedTuple):
    """What the database tells: rows, which owners live, and which folders have living sessions in them."""

    made: list[Made]
    living: dict[str, bool]
    occupied: dict[str, list[str]]
    interrupted: set[str] = set()


def main_repository(actor: Actor) -> Repository:
    """The repository of the project's own checkout. Unavailable ``worktree.no_repository`` without one."""
    there = repository.around(actor.root) if actor.root else None
    if there is None:
        told = f"{actor.root or 'This workspace'} is in no git repository, so there is nothing to check out."
        raise Unavailable("worktree.no_repository", told, "Run git init and make a first commit.")
    return there


def is_repository(actor: Actor) -> bool:
    """Whether the project is in a git repository."""
    return bool(actor.root) and repository.around(actor.root) is not None


def known(scope: Scope) -> Ownership:
    """Read it in one transaction."""
    made = rows.every(scope)
    alive = standing.of(scope, [one.agent_id for one in made])
    occupied: dict[str, list[str]] = {}
    for reported, verdict in presence.verdicts(scope):
        if reported.worktree and verdict.state in ("alive", "leased"):
            occupied.setdefault(rows.real(translated(reported.worktree)), []).append(reported.agent_id)
    broken_off = {one.name for one in made if one.state != rows.THERE and not rows.runs(scope, one.process)}
    return Ownership(made, {one.agent_id: alive.living(one.agent_id) for one in made}, occupied, broken_off)


def repositories(actor: Actor, made: Iterable[Made]) -> list[tuple[str, Repository]]:
    """The project's own repository, and the clones that worktrees were made of, each with its folder's name."""
    found = [("", main_repository(actor))]
    for clone in sorted({one.clone for one in made if one.clone}):
        there = repository.around(os.path.join(actor.root, clone))
        if there is not None:
            found.append((clone, there))
    return found


def survey(steps: Steps) -> Worktrees:
    """Every checkout of the project, and of the clones that have worktrees of ours."""
    told = steps.read(known)
    if not is_repository(steps.actor):
        gone = [_missing(steps.actor.root, one, told) for one in told.made]
        return Worktrees(gone, [NO_REPOSITORY, *_notes(gone, told)])
    found: list[Worktree] = []
    for clone, there in repositories(steps.actor, told.made):
        made = {one.path(steps.actor.root): one for one in told.made if one.clone == clone}
        found += _of(steps, there, made, told)
    seen = {one.name for one in found}
    found += [_missing(steps.actor.root, one, told) for one in told.made if one.name not in seen]
    return Worktrees(found, _notes(found, told))


def one(steps: Steps, there: Repository, path: str) -> Worktree | None:
    """The worktree at a path, as the list has it."""
    told = steps.read(known)
    made = {one.path(steps.actor.root): one for one in told.made}
    return next((one for one in _of(steps, there, made, told, path) if one.path == path), None)


def _of(
    steps: Steps, there: Repository, made: dict[str, Made], told: Ownership, only: str | None = None
) -> list[Worktree]:
    root = os.path.realpath(steps.actor.root)
    places = [one for one in git_worktrees.listed(there) if only is None or one.path == only]
    usual = _usual_base(there)
    found: list[Worktree] = []
    with GitLook(there) as look:
        for place in places:
            steps.report(len(found), len(places), "looking at worktrees")
            known_as = made.get(place.path)
            base = _base(there, known_as, usual)
            apart = bases.distance_by(look, base.commit, place.commit) if base and place.commit else None
            state = _state(place)
            came = known_as.brought if known_as is not None else {}
            changed = _changed(place.path, came) if state == "there" else None
            one = Worktree(
                name=os.path.relpath(place.path, root).replace(os.sep, "/"),
                path=place.path,
                branch=place.branch,
                base=base.name if base else "",
                state=state,
                changed=changed,
                ahead=apart[0] if apart else None,
                behind=apart[1] if apart else None,
                merged=bool(apart and apart[0] == 0 and known_as is not None and place.commit != known_as.began),
                locked=place.locked,
                active_at=_active(place.private),
                main=place.main,
            )
            found.append(one if known_as is None else owned(one, known_as, living=told.living[known_as.agent_id]))
    return found


def _state(place: git_worktrees.Worktree) -> State:
    if not place.there:
        return "missing"
    return "half_made" if place.locked == HALF_MADE else "there"


def owned(one: Worktree, made: Made, *, living: bool) -> Worktree:
    """A worktree with what is known of whoever made it."""
    work = bool(one.changed or one.ahead) or one.state == "half_made"
    name = made.agent_name if made.agent_name != made.agent_id else None
    return one._replace(
        task_id=made.task_id,
        task=made.task,
        agent_id=made.agent_id,
        agent_name=name,
        owner="living" if living else "gone",
        abandoned=work and not living and not one.merged,
    )


def _missing(root: str, made: Made, told: Ownership) -> Worktree:
    path = made.path(root)
    one = Worktree(made.name, path, made.branch, made.base, "missing")
    return owned(one, made, living=told.living[made.agent_id])


def _base(there: Repository, made: Made | None, usual: bases.BaseCommit | None) -> bases.BaseCommit | None:
    if made is None or (usual is not None and made.base == usual.name):
        return usual
    return bases.present(there, made.base) or usual


def _usual_base(there: Repository) -> bases.BaseCommit | None:
    return bases.present(there, None)


def _changed(path: str, came: Mapping[str, str]) -> int | None:
    found = git.changed(path)
    if found is None:
        return None
    inner = os.path.join(path, FOLDER, "")
    names = brought.without(path, (*found.tracked, *found.untracked), came)
    return sum(1 for name in names if not name.startswith(inner))


def _active(private: str) -> str | None:
    times = []
    for name in _SIGNS:
        try:
            times.append(os.stat(os.path.join(private, name)).st_mtime_ns)
        except OSError:
            continue
    return Instant.at(max(times) // 1_000_000).iso if times else None


def _notes(found: list[Worktree], told: Ownership) -> list[str]:
    notes = []
    at_work = {one.name for one in told.made if one.state != rows.THERE}
    for one in found:
        if one.name in told.interrupted:
            notes.append(f"{quoted(one.name)}: its making or removal was interrupted. `worktree.mend` ends it.")
        elif one.name in at_work:
            notes.append(f"{quoted(one.name)}: it is being made or removed just now.")
        elif one.state == "missing" and not one.main:
            notes.append(f"{quoted(one.name)}: its folder is gone. `worktree.remove` forgets it; its branch stays.")
        elif one.state == "half_made":
            notes.append(f"{quoted(one.name)}: it is half made, by a git that still runs or was killed.")
        elif one.abandoned:
            notes.append(
                f"{quoted(one.name)}: {called(one.agent_name, one.agent_id)} is gone and left work in it. Go on there "
                f"by `worktree.create` for the same task, or take it away with `worktree.remove`."
            )
    return notes
