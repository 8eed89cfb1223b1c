"""An action whose n-th call of the system fails, or is its last: in a process of its own."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable, Iterator

from comity import Problem

CALLS = (
    *("open", "read", "write", "close", "fstat", "lstat", "stat", "mkdir", "unlink", "replace", "utime", "fchmod"),
    *("fsync", "readlink", "symlink", "scandir"),
)
ERRORS = {"ENOSPC": errno.ENOSPC, "EIO": errno.EIO, "EACCES": errno.EACCES, "EMFILE": errno.EMFILE, "SIGKILL": 0}
DONE, REFUSED, KILLED = "done", "refused", "killed"


def outcomes(fault: str, action: Callable[[int], object]) -> Iterator[tuple[int, str]]:
    """What came of the action, told its number, for every call at which it can fail; the last time nothing fails."""
    number, harmed = 0, True
    while harmed:
        came, harmed = _tried(number, ERRORS[fault], action)
        yield number, came
        number += 1


def _tried(number: int, code: int, action: Callable[[int], object]) -> tuple[str, bool]:
    child = os.fork()
    if child == 0:
        left = [number]
        for name in CALLS:
            setattr(os, name, _failing(getattr(os, name), left, code))
        ended = 3
        try:
            action(number)
            ended = 0
        except (OSError, Problem):
            ended = 1
        finally:
            os._exit(ended if left[0] >= 0 else ended + 10)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return KILLED, True
    ended = os.WEXITSTATUS(status)
    assert ended in (0, 1, 10, 11), f"call {number} failed, and something else was raised"
    return (DONE, REFUSED)[ended % 10], ended >= 10


def _failing(call: Callable[..., object], left: list[int], code: int) -> Callable[..., object]:
    def failing(*arguments: object, **options: object) -> object:
        left[0] -= 1
        if left[0] == -1 and not code:
            os.kill(os.getpid(), signal.SIGKILL)
        if left[0] == -1:
            raise OSError(code, os.strerror(code))
        return call(*arguments, **options)

    return failing
