"""Opening SQLite the way many processes can share it.

What can go wrong: SQLite before 3.51.3 can corrupt a WAL file that several processes write and checkpoint at once,
so such a library is refused. The busy handler sleeps for random times, and those who have waited long try more often
than newcomers: that shares the file fairly between writers, where SQLite's own back-off starves some, and leaves the
processor to the lock's holder (docs/benchmarks.md). Within one process only apsw opens the file,
and no code ``open()``s it: closing a second descriptor would drop the process's POSIX locks.

The file may come from anywhere, so no link is followed, its own triggers and views may call only what cannot harm, and
a statement that does not end is ended.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import apsw

from comity.kernel import jitter
from comity.kernel.hints import Literal
from comity.kernel.problem import Unavailable
from comity.store.checkpoint import Sound, Term, checkpoints
from comity.store.file_identity import LOG_LIMIT_BYTES
from comity.system import files
from comity.system.deadline import DEADLINE
from comity.system.haste import HASTE

Durability = Literal["normal", "full"]

BUSY_S = 5.0  # how long to wait for the write lock, as the original does
_SHORT_S = (0.0002, 0.0012)  # sleeps between two tries for a lock: at first, and for those who waited long
_LONG_S = (0.004, 0.012)  # for everybody else
_FIRST_TRIES = 2
_WAITED_LONG_S = 0.03
_OLDEST_SQLITE = (3, 51, 3)
_CACHE_KIB = 4096
_FLAGS = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_NOFOLLOW
_FROZEN = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI | apsw.SQLITE_OPEN_NOFOLLOW
MOST_S, STRANGE_S = 60.0, 0.4  # for one transaction, and for one where triggers or views are not ours and may loop
_STEPS, _STRANGE_STEPS = 50_000, 50  # of SQLite's machine, a few milliseconds, between two looks at the time


class Connection(apsw.Connection):
    """An open database."""

    term: Term

    def frames(self) -> int:
        """How many frames of the log count. Not inside a transaction."""
        return self.wal_checkpoint("main", apsw.SQLITE_CHECKPOINT_NOOP)[0]

    def whole(self) -> bool:
        """Whether the database is whole, by reading all of it."""
        return [row[0] for row in self.execute("PRAGMA quick_check(1)").fetchall()] == ["ok"]

    def watch(self) -> None:
        """Look at the time more often: statements of strangers run here, and a step of theirs may be long."""
        self.set_progress_handler(self.term.over, _STRANGE_STEPS)

    def leave_the_log(self) -> None:
        """Do not copy the log into the database when it is closed."""
        self.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)


def connect(path: str, durability: Durability, busy_s: float = BUSY_S, sound: Sound | None = None) -> Connection:
    """A connection with WAL, foreign keys and a fair busy handler. Raises apsw.Error, Unavailable.

    ``busy_s`` is how long it waits for a lock that another holds; ``sound`` says whether the log may be copied back. On
    a file system that is read-only, where no log is left, it reads.
    """
    version = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
    if version < _OLDEST_SQLITE:
        raise Unavailable(
            "store.sqlite_too_old",
            f"SQLite {apsw.sqlite_lib_version()} can corrupt a database that several processes share.",
            "Install apsw 3.54 or newer, which brings its own SQLite.",
        )
    connection = _opened(path, _FLAGS)
    patience = _patience(busy_s)
    connection.set_busy_handler(patience)
    connection.set_wal_hook(checkpoints(patience, sound, connection.term))
    try:
        _enter_wal(connection, busy_s)
    except (apsw.CantOpenError, apsw.ReadOnlyError):
        if not _is_frozen(path):
            raise
        connection.close()
        connection = connect_frozen(path)
    sync = "FULL" if durability == "full" else "NORMAL"
    for pragma in (
        "foreign_keys = ON",
        f"synchronous = {sync}",
        f"cache_size = -{_CACHE_KIB}",
        "temp_store = MEMORY",
        f"journal_size_limit = {LOG_LIMIT_BYTES}",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    return connection


def connect_frozen(path: str) -> Connection:
    """A connection that only reads the file itself, as if it had no writer: no log, no lock, nothing is changed."""
    return _opened(f"file:{_escaped(path)}?immutable=1", _FROZEN)


def _opened(name: str, flags: int) -> Connection:
    connection = Connection(name, flags=flags, statementcachesize=128)
    connection.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
    # Without it SQLite prepares some statements anew at every run, to look at the values bound to them.
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    connection.term = Term()
    connection.set_progress_handler(connection.term.over, _STEPS)
    return connection


def _is_frozen(path: str) -> bool:
    """Whether the file system is read-only there, and no log is left that would have to be read with it."""
    if not hasattr(os, "statvfs") or not os.statvfs(os.path.dirname(path)).f_flag & os.ST_RDONLY:
        return False
    try:
        return os.stat(path + "-wal").st_size == 0
    except FileNotFoundError:
        return True


def _escaped(path: str) -> str:
    """The path in a URI (sqlite.org/uri.html)."""
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def create_private(path: str) -> None:
    """Make the database's folder and an empty file, readable by this user only, unless they exist.

    What exists must be a regular file without a second name. Only a file that did not exist before is opened here, so
    no lock of this process can be lost. Raises Unavailable ``store.cannot_open``, ``store.unsafe``.
    """
    folder, name = os.path.split(path)
    try:
        os.makedirs(folder, mode=files.PRIVATE_FOLDER, exist_ok=True)
        if not files.write_new(folder, name, b""):
            files.require_own(folder, name)
    except files.Unsafe as error:
        raise Unavailable(
            "store.unsafe",
            f"The database {path} {error.strerror}.",
            "Put a plain file of yours there, or name another one with --db or MACP_DB_PATH.",
            path=path,
        ) from None
    except OSError as error:
        raise Unavailable(
            "store.cannot_open",
            f"The database {path} cannot be created: {error.strerror}.",
            "Check that its folder exists and that this user may write there.",
        ) from None


def _patience(limit_s: float) -> Callable[[int], bool]:
    """A busy handler: sleep a random while and try again, for at most ``limit_s`` seconds a lock."""
    began = 0.0

    def wait(attempt: int) -> bool:
        nonlocal began
        now = time.monotonic()
        if attempt == 0:
            began = now
        waited = now - began
        if waited >= limit_s or HASTE.active or DEADLINE.over:
            return False
        time.sleep(jitter.between(*(_SHORT_S if attempt < _FIRST_TRIES or waited > _WAITED_LONG_S else _LONG_S)))
        return True

    return wait


def _enter_wal(connection: apsw.Connection, busy_s: float) -> None:
    """Switch to WAL. Several processes may try this on a new file at once, and SQLite then does not wait by itself."""
    wait = _patience(busy_s)
    attempt = 0
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchall()
            return
        except apsw.BusyError:
            if not wait(attempt):
                raise
            attempt += 1
