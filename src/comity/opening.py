"""Opening a project's database, the same way for every door.

Before SQLite sees it: nothing on the way from the project's folder is a link, git does not track it, and git leaves the
workspace's files alone. What can go wrong: the database that was here may be gone, or be another one now, since a
command or a branch took it away. A note in the git folder tells (``Memory``); each door says so once, and a caller that
must not trust a new one (a hook of a strict project) refuses instead.
"""

from __future__ import annotations

import os
import time
from importlib import import_module

from comity.kernel.call import Before, Values
from comity.kernel.problem import Unavailable
from comity.kernel.quoting import word
from comity.kernel.registry import AnyOp
from comity.kernel.scope import Scope, Store
from comity.project import FOLDER, tracked
from comity.settings import Settings
from comity.store.connection import BUSY_S
from comity.store.sqlite import SqliteStore
from comity.system import files
from comity.system.repository import CHECKOUTS

SEEN = "comity-database"  # in the git folder: a line for each database
_MOST_SEEN = 20
_MOST_PATH = 400  # characters of a path in a sentence
_MAX_BYTES = 100_000
_FILES = ("", "-wal", "-shm", "-journal")
_GIT_S, _LOOK_S = 0.1, 0.005
_UNSEEN = "?"  # in place of an index that was looked into


def refuse_while_paused(scope: Scope, op: AnyOp, values: Values) -> None:
    """Conflict ``workspace.paused`` for an operation that a pause of the workspace holds back."""
    if not op.pausable or (callable(op.pausable) and not op.pausable(values)):
        return
    if scope.tx.one("lifecycle.pause", now_ms=scope.now.ms) is not None:
        raise import_module("comity.rooms.lifecycle.pause").refusal(scope)


# What is asked in the transaction of every change, at every door.
CHECKS: tuple[Before, ...] = (refuse_while_paused,)


def open_store(settings: Settings, memory: Memory, busy_s: float = BUSY_S, *, accept: bool = True) -> Store:
    """The store of these settings. Raises Unavailable.

    Unless ``accept``, a database in the place of the one that was here before is refused: ``store.replaced``. Who
    has said that it is another one, or need not, lets the ``memory`` note what is here now.
    """
    require_own_way(settings)
    memory.wait_for_git()
    known = memory.untracked
    if not known:
        require_untracked(settings)
    replaced = memory.changed
    if replaced and not accept:
        raise Unavailable(
            "store.replaced",
            f"The database {word(settings.db, _MOST_PATH)} is not the one that was here: {replaced}.",
            "Who removed it, and was that meant? `comity init` takes what is there now as the project's database.",
            path=settings.db,
        )
    if not (known and memory.is_here):
        _prepare(settings)
    if settings.worktree or not (memory.is_here and memory.knows_checkouts):
        import_module("comity.system.checkouts").remember((settings.root, settings.worktree))
    return SqliteStore(settings.db, settings.durability, busy_s)


class Memory:
    """What is remembered of one project's database in its git folder; nothing where there is no git folder."""

    def __init__(self, settings: Settings) -> None:
        self._git = settings.git
        self._index = os.path.join(settings.git, "index") if settings.git else ""
        self._path = settings.db
        self._seen = self._read()
        self._before, self._stamp_before = self._seen.get(settings.db, ("", ""))
        self._stamp = _stamp_of(self._index)

    @property
    def untracked(self) -> bool:
        """Whether git does not track the database, as was seen with the index as it is."""
        return not self._git or (self._stamp == self._stamp_before != "")

    @property
    def changed(self) -> str:
        """What became of the database that was here before; empty when it is there, or none was."""
        now = _numbers(self._path)
        if not self._before or self._before == now:
            return ""
        return "another file is in its place" if now else "it is gone"

    @property
    def is_here(self) -> bool:
        """Whether the database is the one that was noted, with which git was told to leave it alone."""
        return bool(self._before) and not self.changed

    @property
    def told(self) -> str:
        """``notices`` as one sentence for the user; empty when there is nothing to say."""
        if not self.changed:
            return ""
        return (
            f"The database {word(self._path, _MOST_PATH)} is not the one that was here: {self.changed}. Messages, "
            "claims and tasks from before are not in it; agents and servers that were at work have to be started anew."
        )

    @property
    def knows_checkouts(self) -> bool:
        """Whether it is noted under which paths checkouts were first known."""
        return os.path.lexists(os.path.join(self._git, CHECKOUTS))

    def wait_for_git(self) -> None:
        """Until git has exchanged the files, which takes it a while, in which a database may be there by half.

        Its index tells only then what it tracks. What git left locked holds the caller up for a moment only.
        """
        if not (self._index and self.changed and os.path.lexists(self._index + ".lock")):
            return
        end = time.monotonic() + _GIT_S
        while os.path.lexists(self._index + ".lock") and time.monotonic() < end:
            time.sleep(_LOOK_S)
        self._stamp = _stamp_of(self._index)

    def note(self) -> None:
        """Remember what is there now, after ``open_store``: git does not track it."""
        self._write(self._stamp)

    def accept(self) -> None:
        """Remember what is there now as the project's own; whether git tracks it is still to be seen."""
        self._write(_UNSEEN)

    def _write(self, stamp: str) -> None:
        """What cannot be written is not remembered."""
        now = _numbers(self._path)
        if not self._git or "\n" in self._path or (self._before, self._stamp_before) == (now, stamp):
            return
        others = {path: one for path, one in self._seen.items() if path != self._path}
        kept = {self._path: (now, stamp), **others} if now else others
        lines = [f"{' '.join(one)} {path}\n" for path, one in list(kept.items())[:_MOST_SEEN]]
        try:
            descriptor = files.open_file(self._git, SEEN, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            try:
                files.write_all(descriptor, "".join(lines).encode("utf-8", "surrogateescape"))
            finally:
                os.close(descriptor)
        except OSError:
            return

    def _read(self) -> dict[str, tuple[str, str]]:
        """The numbers of each database, and of the index that did not have it, by its path."""
        if not self._git:
            return {}
        try:
            text = files.read(self._git, SEEN, _MAX_BYTES).decode("utf-8", "surrogateescape")
        except OSError:
            return {}
        rows = [line.split(" ", 2) for line in text.splitlines()]
        return {row[2]: (row[0], row[1]) for row in rows if len(row) == 3}


def require_own_way(settings: Settings) -> None:
    """Raise Unavailable ``store.unsafe`` for a link on the way from the project's folder to its database."""
    inside = os.path.relpath(os.path.dirname(settings.db), settings.root)
    if inside == os.pardir or inside.startswith(os.pardir + os.sep):
        return  # elsewhere, where the user wanted it
    folder = settings.root
    for part in inside.split(os.sep):
        folder = os.path.join(folder, part)
        kind = files.kind_of(folder)
        if kind not in ("folder", ""):
            what = "a link" if kind == "link" else "no folder"
            raise Unavailable(
                "store.unsafe",
                f"{folder} is {what}: Comity opens nothing there.",
                "Put a folder in its place, or name the database with --db or MACP_DB_PATH.",
                path=folder,
            )


def require_untracked(settings: Settings) -> None:
    """Raise Unavailable ``store.tracked`` for a database that git would replace at a change of branch, or its log.

    SQLite takes whatever log lies next to a database for its own, and plays it into it.
    """
    inside = os.path.relpath(settings.db, settings.root)
    if inside.startswith(os.pardir):
        return
    found = sorted(tracked(settings.root, [inside + ending for ending in _FILES], doubt=False))
    if found:
        raise Unavailable(
            "store.tracked",
            f"git tracks {', '.join(found)}: a change of branch would put another one in its place.",
            f"Take it out of git: git rm -q --cached -- {' '.join(found)} && git commit. Its content stays.",
            path=settings.db,
        )


def _prepare(settings: Settings) -> None:
    ignored = import_module("comity.ignored")  # where all is as it was noted, it is not needed
    ignored.keep_out(settings.root)
    if os.path.dirname(settings.db) != os.path.join(settings.root, FOLDER):
        return
    try:
        ignored.make_folder(settings.root)
    except OSError as error:
        raise Unavailable(
            "store.cannot_open",
            f"The folder {FOLDER} in {settings.root} cannot be made: {error.strerror}.",
            "Check that this user may write there.",
            path=settings.root,
        ) from None


def _stamp_of(index: str) -> str:
    """What tells an index from itself after a change; ``-`` for none, empty without a git folder."""
    return (_numbers(index, times=True) or "-") if index else ""


def _numbers(path: str, *, times: bool = False) -> str:
    """What tells a file from every other one, and with ``times`` from itself after a change; empty for none."""
    try:
        info = os.lstat(path)
    except OSError:
        return ""
    numbers = f"{info.st_dev}:{info.st_ino}"
    return f"{numbers}:{info.st_size}:{info.st_mtime_ns}" if times else numbers
