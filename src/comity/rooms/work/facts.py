"""Rows of work in progress: a file that differs from the last commit belongs to whoever changed it last.

A row says what was last known; whether the file still differs is looked at by whoever asks (``edits.verification``).
What was asked for is no change yet: its row goes when the change is made, or is known not to come.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.scope import Row, Scope
from comity.kernel.text import compact, read_strings

MOST = 2000  # rows of one repository that are looked at
BACKGROUND = "background"  # how a file was changed that something may have written which a command left running


class FilePlace(NamedTuple):
    """One file of one checkout: ``key`` is its path as it is compared."""

    repository: str
    worktree: str
    key: str


class Work(NamedTuple):
    """One file that somebody changed and did not commit."""

    repository: str
    worktree: str
    file_key: str
    file_path: str
    agent_id: str
    also: tuple[str, ...]
    changed_ms: int
    how: str
    content: str
    stamp: str
    kind: str
    checked: str
    let_go: bool
    told: tuple[str, ...]
    agent_name: str

    @property
    def place(self) -> FilePlace:
        """Where it is."""
        return FilePlace(self.repository, self.worktree, self.file_key)


class NewWork(NamedTuple):
    """A file that was changed just now: by whom, when, by which way, and what is in it."""

    place: FilePlace
    file_path: str
    agent_id: str
    changed_ms: int
    how: str
    content: str = ""
    stamp: str = ""
    also: tuple[str, ...] = ()


class Asked(NamedTuple):
    """A change that was let through and is not known to be made. ``seen``: the file's fingerprint then."""

    repository: str
    worktree: str
    file_key: str
    agent_id: str
    file_path: str
    asked_ms: int
    seen: str
    how: str
    let_go: bool
    agent_name: str

    @property
    def place(self) -> FilePlace:
        """Where it is."""
        return FilePlace(self.repository, self.worktree, self.file_key)


def of_repository(scope: Scope, repository: str, most: int = MOST) -> list[Work]:
    """Everything known in a project, newest first."""
    return _works(scope.tx.all("work.of_repository", repository=repository, limit=most))


def at(scope: Scope, repository: str, worktree: str, keys: Sequence[str]) -> list[Work]:
    """What is known at these keys of one checkout."""
    if not keys:
        return []
    return _works(scope.tx.all("work.at", repository=repository, worktree=worktree, keys=compact(list(keys))))


def of_agent(scope: Scope, agent_id: str, most: int = MOST) -> list[Work]:
    """What an agent changed."""
    return _works(scope.tx.all("work.of_agent", agent_id=agent_id, limit=most))


def put(scope: Scope, change: NewWork) -> None:
    """The file is this agent's from now on; nothing is checked of it yet."""
    told = change._asdict()
    del told["place"]
    scope.tx.run("work.put", **_at(change.place), **{**told, "also": compact(list(change.also))})


def over(scope: Scope, work: Work) -> bool:
    """It is as the last commit has it; unless it was changed since it was looked at."""
    return bool(scope.tx.run("work.drop_seen", was=work.stamp, agent_id=work.agent_id, **_where(work)))


def drop(scope: Scope, place: FilePlace) -> None:
    """Nothing is known of the file any more."""
    scope.tx.run("work.drop", **_at(place))


def checked(scope: Scope, work: Work, kind: str, state: str, stamp: str) -> None:
    """It still differs: ``kind`` is what git calls the file at ``state``, ``stamp`` what the file looks like."""
    told = {"kind": kind, "checked": state, "stamp": stamp}
    scope.tx.run("work.checked", was=work.stamp, agent_id=work.agent_id, **told, **_where(work))


def seen(scope: Scope, work: Work, content: str, stamp: str) -> None:
    """What is in the file now, which its agent put there."""
    scope.tx.run("work.seen", was=work.stamp, agent_id=work.agent_id, content=content, stamp=stamp, **_where(work))


def tell(scope: Scope, work: Work, agent_id: str) -> None:
    """The agent was told that this was left behind."""
    scope.tx.run("work.told", told=compact(sorted({*work.told, agent_id})), **_where(work))


def let_go(scope: Scope, place: FilePlace, agent_id: str) -> bool:
    """The agent gives the file free, whether it has changed it or only asked to; whether there was anything."""
    where = {**_at(place), "agent_id": agent_id}
    return bool(scope.tx.run("work.let_go", **where)) | bool(scope.tx.run("work.let_go_asked", **where))


def ask(scope: Scope, place: FilePlace, file_path: str, seen: str, how: str) -> None:
    """The actor may change the file now."""
    told = {"file_path": file_path, "seen": seen, "how": how, "now_ms": scope.now.ms}
    scope.tx.run("work.ask", agent_id=scope.actor.agent_id, **told, **_at(place))


def answered(scope: Scope, asked: Asked) -> None:
    """It was made, or is not coming."""
    scope.tx.run("work.answered", agent_id=asked.agent_id, asked_ms=asked.asked_ms, **_at(asked.place))


def asked_at(scope: Scope, repository: str, worktree: str, keys: Sequence[str], kin: Iterable[str]) -> list[Asked]:
    """What others than ``kin`` asked for at these keys of one checkout."""
    if not keys:
        return []
    told = {"keys": compact(list(keys)), "agents": compact(list(kin))}
    return _asked(scope.tx.all("work.asked_at", repository=repository, worktree=worktree, **told))


def asked_in(scope: Scope, repository: str, kin: Iterable[str], most: int = MOST) -> list[Asked]:
    """What others than ``kin`` asked for in a project, newest first."""
    told = {"repository": repository, "agents": compact(list(kin)), "limit": most}
    return _asked(scope.tx.all("work.asked_in", **told))


def asked_by(scope: Scope, agent_id: str, most: int = MOST) -> list[Asked]:
    """What an agent asked for."""
    return _asked(scope.tx.all("work.asked_by", agent_id=agent_id, limit=most))


def _works(rows: Sequence[Row]) -> list[Work]:
    return [
        Work._make(
            (*row[:5], _names(row[5]), *row[6:12], bool(row[12]), _names(row[13]), row[14]),
        )
        for row in rows
    ]


def _asked(rows: Sequence[Row]) -> list[Asked]:
    return [Asked._make((*row[:8], bool(row[8]), row[9])) for row in rows]


def _names(text: object) -> tuple[str, ...]:
    return tuple(read_strings(text) or ())


def _at(place: FilePlace) -> dict[str, str]:
    return {"repository": place.repository, "worktree": place.worktree, "file_key": place.key}


def _where(work: Work) -> dict[str, str]:
    return _at(work.place)
