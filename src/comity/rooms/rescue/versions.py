"""Rows of kept versions: which content of which file is kept, whose work it is, and whether it was lost."""

from __future__ import annotations

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.scope import Row, Scope
from comity.kernel.text import compact
from comity.rooms.work.facts import FilePlace
from comity.system.copies import Kept

_AT_ONCE = 500  # versions that are forgotten in one transaction


class Version(NamedTuple):
    """One version of one file. ``lost_ms``: when it was found to be gone from its file, by whom and how."""

    version_id: int
    repository: str
    worktree: str
    file_key: str
    file_path: str
    content: str
    size_bytes: int
    mode: int
    agent_id: str
    kept_ms: int
    lost_ms: int | None
    lost_by: str | None
    lost_how: str
    agent_name: str


def keep(scope: Scope, place: FilePlace, file_path: str, agent_id: str, kept: Kept) -> None:
    """There is a copy of this file of the agent's."""
    scope.tx.run(
        "rescue.keep",
        repository=place.repository,
        worktree=place.worktree,
        file_key=place.key,
        file_path=file_path,
        content=kept.content,
        size_bytes=kept.size_bytes,
        mode=kept.mode,
        agent_id=agent_id,
        now_ms=scope.now.ms,
    )


def lose(scope: Scope, place: FilePlace, content: str, by: str, how: str) -> bool:
    """What had this content has it no more; whether there is a copy of it."""
    where = {"repository": place.repository, "worktree": place.worktree, "file_key": place.key, "content": content}
    return bool(scope.tx.run("rescue.lost", lost_by=by, lost_how=how[:200], now_ms=scope.now.ms, **where))


def give_back(scope: Scope, version: Version) -> None:
    """It is in its file again."""
    scope.tx.run("rescue.given_back", version_id=version.version_id)


def of_file(scope: Scope, place: FilePlace, most: int) -> list[Version]:
    """The versions of one file, the newest first."""
    where = {"repository": place.repository, "worktree": place.worktree, "file_key": place.key}
    return _versions(scope.tx.all("rescue.of_file", limit=most, **where))


def newest(scope: Scope, repository: str, most: int) -> list[Version]:
    """The newest version of each file of a project, those that were lost first."""
    return _versions(scope.tx.all("rescue.newest", repository=repository, limit=most))


def counts(scope: Scope, repository: str) -> dict[tuple[str, str], int]:
    """How many versions each file has, by worktree and key."""
    return {(str(row[0]), str(row[1])): int(row[2]) for row in scope.tx.all("rescue.counts", repository=repository)}


def newest_id(scope: Scope) -> int:
    """The number of the newest version; 0 for none."""
    row = scope.tx.one("rescue.newest_id")
    return int(row[0] or 0) if row else 0


def forget(scope: Scope, total_bytes: int, before_ms: int) -> bool:
    """Forget what is too old, and the oldest of what is too much; whether anything was."""
    forgotten = scope.tx.run("rescue.forget_old", before_ms=before_ms)
    row = scope.tx.one("rescue.total_bytes")
    over_bytes = int(row[0]) - total_bytes if row else 0
    if over_bytes > 0:
        oldest = []
        for version_id, _, size_bytes in scope.tx.all("rescue.oldest", limit=_AT_ONCE):
            if over_bytes <= 0:
                break
            oldest.append(int(version_id))
            over_bytes -= int(size_bytes)
        forgotten += scope.tx.run("rescue.forget", versions=compact(oldest))
    return forgotten > 0


def forget_all(scope: Scope) -> int:
    """Forget every version; how many there were."""
    return scope.tx.run("rescue.forget_all")


def contents(scope: Scope) -> set[str]:
    """Every content of which there is a row."""
    return {str(row[0]) for row in scope.tx.all("rescue.contents")}


def _versions(rows: list[Row]) -> list[Version]:
    return [Version._make(row) for row in rows]
