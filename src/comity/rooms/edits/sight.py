"""What a look at files saw, between transactions."""

from __future__ import annotations

import os
from collections.abc import Iterable

from comity.kernel.hints import Literal
from comity.kernel.named_tuple import NamedTuple
from comity.rooms.work.facts import Asked, Work
from comity.system.checkouts import here
from comity.system.fingerprints import differ, fingerprint, stamp


class SeenWork(NamedTuple):
    """One file that somebody changed: ``kind`` is what git calls it now, empty when it does not differ any more.

    ``state`` is that of HEAD and the index; empty when nobody could tell, and then ``kind`` may be anything.
    """

    work: Work
    kind: Literal["tracked", "untracked", "ignored", "unknown", ""]
    state: str
    stamp: str


class Came(NamedTuple):
    """A request that was carried out: how the file looks now; ``over``: that is as the last commit has it."""

    asked: Asked
    fingerprint: str
    stamp: str
    over: bool = False


class Sight(NamedTuple):
    """All of one look."""

    seen: tuple[SeenWork, ...] = ()
    came: tuple[Came, ...] = ()


def path_of(one: Work | Asked) -> str:
    """The absolute path of a file."""
    return os.path.join(here(one.worktree or one.repository), one.file_path)


def is_work(seen: SeenWork) -> bool:
    """Whether its agent would lose something. What a command writes where git ignores it can be made again."""
    return bool(seen.kind) and not (seen.kind == "ignored" and seen.work.how != "edit")


class Near(NamedTuple):
    """Rows as they were read: work of others, and what anybody asked for. ``kin`` are the actor and those above it."""

    works: tuple[Work, ...] = ()
    asked: tuple[Asked, ...] = ()
    kin: frozenset[str] = frozenset()


class Others(NamedTuple):
    """The same sorted out: work of who lives, what was left or let go, requests that may still be carried out."""

    living: tuple[Work, ...] = ()
    left: tuple[Work, ...] = ()
    pending: tuple[Asked, ...] = ()
    owner: dict[str, str | None] = {}


def carried_out(asked: Iterable[Asked]) -> list[Came]:
    """Requests whose files have changed since."""
    found = []
    for one in asked:
        path = path_of(one)
        now = fingerprint(path)
        if differ(one.seen, now):
            found.append(Came(one, now, stamp(path)))
    return found
