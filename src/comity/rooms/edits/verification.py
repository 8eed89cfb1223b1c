"""A look at files between transactions: whether they still differ from the last commit, and what became of requests.

A file is asked about by its stamp, HEAD and the index, read by hand; git is run only when one of them has changed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from importlib import import_module

from comity.kernel.hints import Any, Literal
from comity.rooms.edits.sight import Came, SeenWork, Sight, carried_out, is_work, path_of
from comity.rooms.work.facts import Asked, Work
from comity.system import git_refs, repository
from comity.system.fingerprints import stamp
from comity.system.repository import Repository


def looked(works: Iterable[Work], asked: Iterable[Asked]) -> Sight:
    """Look at the files of these rows. What was asked for, made and committed is nobody's work any more."""
    came = carried_out(asked)
    made = [as_work(one) for one in came]
    seen = checked([*works, *made])
    over = {one.work for one in seen if one.work in made and not is_work(one)}
    return Sight(
        tuple(one for one in seen if one.work not in made),
        tuple(one._replace(over=work in over) for one, work in zip(came, made, strict=True)),
    )


def as_work(came: Came) -> Work:
    """The row that a request becomes once it is carried out."""
    one = came.asked
    return Work(
        *one.place,
        file_path=one.file_path,
        agent_id=one.agent_id,
        also=(),
        changed_ms=one.asked_ms,
        how=one.how,
        content="",
        stamp=came.stamp,
        kind="",
        checked="",
        let_go=one.let_go,
        told=(),
        agent_name=one.agent_name,
    )


def checked(works: Iterable[Work]) -> list[SeenWork]:
    """What git calls each file now."""
    found: list[SeenWork] = []
    unsure: dict[str, tuple[Repository, str, list[tuple[Work, str, str]]]] = {}
    around: dict[str, Repository | None] = {}
    for work in works:
        path = path_of(work)
        folder, now = os.path.dirname(path), stamp(path)
        if folder not in around:
            around[folder] = repository.around(folder)
        there = around[folder]
        if there is None or there.bare:
            found.append(SeenWork(work, "untracked" if now else "", "", now))
            continue
        state = unsure[there.checkout][1] if there.checkout in unsure else _state(there)
        if work.kind and work.checked == state != "" and work.stamp == now:
            found.append(SeenWork(work, _kind(work.kind), state, now))
        else:
            unsure.setdefault(there.checkout, (there, state, []))[2].append((work, path, now))
    for there, state, group in unsure.values():
        found += _asked_git(there, state, group)
    return found


def _asked_git(there: Repository, state: str, group: Sequence[tuple[Work, str, str]]) -> list[SeenWork]:
    names = [os.path.relpath(path, there.checkout).replace(os.sep, "/") for _, path, _ in group]
    told: dict[str, Any] | None = import_module("comity.system.git_kinds").kinds(there, names)
    if told is None:
        return [SeenWork(work, "unknown", "", now) for work, _, now in group]
    return [SeenWork(work, told[name], state, now) for (work, _, now), name in zip(group, names, strict=True)]


def _kind(text: str) -> Literal["tracked", "untracked", "ignored", "unknown"]:
    return "tracked" if text == "tracked" else "untracked" if text == "untracked" else "ignored"


def _state(there: Repository) -> str:
    """What tells HEAD and the index from what they were before; empty when that cannot be read."""
    head = git_refs.head(there)
    return "" if head is None else f"{head.commit}:{stamp(os.path.join(there.private, 'index'))}"
