"""Opening SQLite the way many processes can share it.

What can go wrong: SQLite before 3.51.3 can corrupt a WAL file that several processes write and checkpoint at once,
so such a library is refused. The busy handler sleeps for random times, and those who have waited long try more often
than newcomers: that shares the file fairly between writers, where SQLite's own back-off starves some, and leaves the
processor to whoever holds the lock (docs/benchmarks.md). Within one process only apsw opens the file,
and nobody ``open()``s it: closing a second descriptor would drop the process's POSIX locks.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import apsw

from comity.kernel import chance
from comity.kernel.hints import Literal
from comity.kernel.problem import Unavailable
from comity.store.checkpoint import checkpoints
from comity.store.haste import HASTE

Durability = Literal["normal", "full"]

BUSY_S = 5.0  # how long to wait for the write lock, as the original does
_SHORT_S = (0.0002, 0.0012)  # sleeps between two tries for a lock: at first, and for those who waited long
_LONG_S = (0.004, 0.012)  # for everybody else
_FIRST_TRIES = 2
_WAITED_LONG_S = 0.03
_OLDEST_SQLITE = (3, 51, 3)
_CACHE_KIB = 4096


def connect(path: str, durability: Durability, busy_s: float = BUSY_S) -> apsw.Connection:
    """A connection with WAL, foreign keys and a fair busy handler. Raises apsw.Error.

    ``busy_s`` is how long it waits for a lock that another holds.
    """
    version = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
    if version < _OLDEST_SQLITE:
        raise Unavailable(
            "store.sqlite_too_old",
            f"SQLite {apsw.sqlite_lib_version()} can corrupt a database that several processes share.",
            "Install apsw 3.54 or newer, which brings its own SQLite.",
        )
    connection = apsw.Connection(path, statementcachesize=128)
    # Without it SQLite prepares some statements anew at every run, to look at the values bound to them.
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    patience = _patience(busy_s)
    connection.set_busy_handler(patience)
    connection.set_wal_hook(checkpoints(patience))
    _enter_wal(connection, busy_s)
    sync = "FULL" if durability == "full" else "NORMAL"
    for pragma in (
        "foreign_keys = ON",
        f"synchronous = {sync}",
        f"cache_size = -{_CACHE_KIB}",
        "temp_store = MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    return connection


def create_private(path: str) -> None:
    """Make the database's folder and an empty file, readable by this user only, unless they exist.

    Only a file that did not exist before is opened here, so no lock of this process can be lost.
    """
    folder = os.path.dirname(path)
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return
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
        if waited >= limit_s or HASTE.active:
            return False
        time.sleep(chance.between(*(_SHORT_S if attempt < _FIRST_TRIES or waited > _WAITED_LONG_S else _LONG_S)))
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
