"""Lock files that a killed git left: git itself never takes them away, and refuses to work beside them.

One that no process has open any more is left over. Which files are open is only known where the system lists it
(``/proc``); elsewhere a lock has to be a minute old.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

from comity.system.repository import Repository

_PROCESSES = "/proc"
_OLD_S = 60.0


def of_branch(there: Repository, branch: str) -> list[str]:
    """The locks that a change of a branch may leave, also of the names that are packed."""
    return [os.path.join(there.common, name) for name in (f"refs/heads/{branch}.lock", "packed-refs.lock")]


def of_checkout(private: str) -> list[str]:
    """The locks that a change of a checkout may leave in its git folder."""
    return [os.path.join(private, name) for name in ("index.lock", "HEAD.lock", "ORIG_HEAD.lock")]


def clear(paths: Iterable[str]) -> None:
    """Take away those that are left over."""
    there = [path for path in paths if os.path.lexists(path)]
    held = _open_files() if there else set()
    for path in there:
        try:
            if (held is None and time.time() - os.lstat(path).st_mtime > _OLD_S) or (
                held is not None and os.path.realpath(path) not in held
            ):
                os.unlink(path)
        except OSError:
            continue


def _open_files() -> set[str] | None:
    """The paths that processes of this user have open; None where the system does not tell."""
    try:
        processes = [name for name in os.listdir(_PROCESSES) if name.isdigit()]
    except OSError:
        return None
    found = set()
    for process in processes:
        folder = os.path.join(_PROCESSES, process, "fd")
        try:
            found |= {os.readlink(os.path.join(folder, name)) for name in os.listdir(folder)}
        except OSError:
            continue
    return found
