"""SQLite's errors as Problems that tell a person what to do."""

from __future__ import annotations

import apsw

from comity.kernel.problem import Problem, Unavailable

_ACCESS = "Give this user write access to the file and its folder."
_KNOWN: tuple[tuple[type[apsw.Error], str, str, str], ...] = (
    (apsw.BusyError, "locked", "is locked by another process", "Try again: another writer holds it for long."),
    (apsw.LockedError, "locked", "is locked by another call", "Try again."),
    (apsw.ReadOnlyError, "read_only", "cannot be written", _ACCESS),
    (apsw.PermissionsError, "read_only", "cannot be accessed", _ACCESS),
    (apsw.FullError, "full", "cannot grow: the disk is full", "Free space or run `comity prune`, then try again."),
    (apsw.NotADBError, "not_a_database", "is not a SQLite database", "Name another file, or move this one away."),
    (apsw.CorruptError, "corrupt", "is damaged", "Stop the agents, keep a copy with its -wal, restore a backup."),
    (apsw.CantOpenError, "cannot_open", "cannot be opened", "Check the path: a file in a folder that you may write."),
    (apsw.IOError, "io", "cannot be read or written", "Check the disk; network file systems are not supported."),
    (apsw.InterruptError, "too_long", "kept a statement going for too long", "`comity doctor` names foreign triggers."),
    (apsw.TooBigError, "too_big", "cannot hold a value of that size", "Send less at once."),
    (apsw.SchemaChangeError, "schema", "changed its tables meanwhile", "Try again."),
)


def problem_of(error: apsw.Error, path: str) -> Problem:
    """The Problem for an error of SQLite; anything unknown is Unavailable ``store.failed`` with SQLite's words."""
    # The shared-memory file that cannot grow is an I/O error to SQLite, and a full disk to the user who has to mend it.
    no_room = getattr(error, "extendedresult", 0) == apsw.SQLITE_IOERR_SHMSIZE
    for kind, reason, says, hint in _KNOWN:
        if isinstance(error, kind) or (no_room and kind is apsw.FullError):
            return Unavailable(f"store.{reason}", f"The database {path} {says}.", hint, detail=str(error))
    return Unavailable(
        "store.failed",
        f"The database {path} answered: {error}.",
        "`comity doctor` checks the file.",
        detail=str(error),
    )
