"""What may befall a database under those who have it open: removed, replaced, cut, checked out over, moved away."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import apsw

FOLDER = ".macp"
NAME = "box.macp.db"
BRANCH = "tracks-a-database"
OTHER = "other.db"  # beside the repository: another valid database
OLDER = "older.db"  # beside the repository: a copy of the living one
GIT = ("git", "-c", "user.name=Bench", "-c", "user.email=bench@example.com", "-c", "commit.gpgsign=false")


class Blow(NamedTuple):
    """One way. ``gone``: whoever had the database open has it no more, and must say so. Else data may be cut off,
    which must be noticed where something is lost by it.
    """

    name: str
    act: Callable[[Path], None]
    gone: bool = True
    ready: Callable[[Path], None] | None = None  # done a while before


def database(root: Path) -> Path:
    """The database of a repository."""
    return root / FOLDER / NAME


def _remove(*endings: str) -> Callable[[Path], None]:
    def act(root: Path) -> None:
        for ending in endings:
            Path(f"{database(root)}{ending}").unlink(missing_ok=True)

    return act


def _remove_all(root: Path) -> None:
    subprocess.run(["rm", "-rf", root / FOLDER], capture_output=True, check=False)


def _move_away(root: Path) -> None:
    os.rename(root / FOLDER, root.parent / "away")


def _git(*arguments: str) -> Callable[[Path], None]:
    def act(root: Path) -> None:
        subprocess.run([*GIT, *arguments], cwd=root, capture_output=True, check=False)

    return act


def _checked_out(root: Path) -> None:
    subprocess.run([*GIT, "checkout", "-q", BRANCH], cwd=root, capture_output=True, check=True)


def _replace(name: str) -> Callable[[Path], None]:
    return lambda root: os.replace(root.parent / name, database(root))


def _back_up(root: Path) -> None:
    """A copy of the living one, by SQLite's own means, in one file."""
    living = apsw.Connection(str(database(root)), flags=apsw.SQLITE_OPEN_READONLY)
    copy = apsw.Connection(str(root.parent / OLDER))
    try:
        living.set_busy_timeout(5000)
        with copy.backup("main", living, "main") as backup:
            while not backup.done:
                backup.step(-1)
    finally:
        copy.close()
        living.close()


def _cut(ending: str, share: float) -> Callable[[Path], None]:
    def act(root: Path) -> None:
        path = f"{database(root)}{ending}"
        os.truncate(path, int(os.stat(path).st_size * share))

    return act


def _copy_log(root: Path) -> None:
    log = f"{database(root)}-wal"
    shutil.copy(log, root.parent / "log")
    os.replace(root.parent / "log", log)


BLOWS = (
    Blow("database removed", _remove("")),
    Blow("log removed", _remove("-wal")),
    Blow("shared memory removed", _remove("-shm")),
    Blow("log and shared memory removed", _remove("-wal", "-shm")),
    Blow("database, log and shared memory removed", _remove("", "-wal", "-shm")),
    Blow("folder removed", _remove_all),
    Blow("folder moved away", _move_away),
    Blow("another database in its place", _replace(OTHER)),
    Blow("an older copy in its place", _replace(OLDER), ready=_back_up),
    Blow("a branch that tracks one", _checked_out),
    Blow("git clean -fdx", _git("clean", "-fdxq")),
    Blow("database emptied", _cut("", 0), gone=False),
    Blow("log emptied", _cut("-wal", 0), gone=False),
    Blow("log cut in half", _cut("-wal", 0.5), gone=False),
    Blow("shared memory emptied", _cut("-shm", 0), gone=False),
    Blow("log replaced by a copy", _copy_log),
)
