"""One server for one folder: a locked file that says where the server is.

The operating system holds the lock for the process and drops it when the process ends in whatever way, so that a server
which was killed leaves nothing to clear up. The file itself stays: removing it would let two servers lock two files.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any, Self

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Conflict, Unavailable
from comity.kernel.text import json_line
from comity.system import files

NAME = "server.lock"
_PATIENCE_S = 0.5  # a process that looks at the lock holds it for a moment
_STEP_S = 0.02
_MOST_BYTES = 65_536

if sys.platform == "win32":
    import msvcrt

    def _try(descriptor: int) -> bool:
        os.lseek(descriptor, 1 << 30, os.SEEK_SET)  # beyond the text, which others read meanwhile
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


class RunningServer(NamedTuple):
    """A server that runs, as its file tells. ``started_at`` is an ISO time; ``ws_url`` is empty without that port."""

    pid: int
    url: str
    started_at: str
    version: str = ""
    ws_url: str = ""


class ServerLock:
    """The lock of one ``.masc`` folder, held until ``release`` or the end of the process."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, folder: str) -> Self:
        """Hold the lock. Raises Conflict ``server.running`` with the other server's address, Unavailable."""
        path = os.path.join(folder, NAME)
        try:
            descriptor = _open(folder, os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise unwritable(path, error) from None
        end = time.monotonic() + _PATIENCE_S
        while not _try(descriptor):
            if time.monotonic() > end:
                os.close(descriptor)
                raise _running(path)
            time.sleep(_STEP_S)
        return cls(descriptor)

    def tell(self, running: RunningServer) -> None:
        """Write down where the server is, for ``comity server`` and others."""
        self._write(f"{json_line(running._asdict())}\n".encode())

    def release(self) -> None:
        """Let another server in."""
        self._write(b"")
        os.close(self._descriptor)

    def _write(self, content: bytes) -> None:
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, content, 0) if sys.platform != "win32" else _write_at(self._descriptor, content)


def _write_at(descriptor: int, content: bytes) -> None:
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, content)


def running_server(folder: str) -> RunningServer | None:
    """The server of a ``.masc`` folder; None when there is none, or it cannot be told. Changes nothing."""
    try:
        descriptor = _open(folder, os.O_RDWR)
    except OSError:
        return None
    try:
        return None if _try(descriptor) else _read(descriptor)
    finally:
        os.close(descriptor)


def _open(folder: str, flags: int) -> int:
    """The file of the lock; neither it nor its folder is a link."""
    root, name = os.path.split(folder)
    return files.open_file(root, f"{name}/{NAME}", flags)


def _read(descriptor: int) -> RunningServer | None:
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        found: Any = json.loads(os.read(descriptor, _MOST_BYTES))
        running = RunningServer(**found)
    except (OSError, ValueError, TypeError, RecursionError):
        return None  # it has just been started, and has not said where it is
    texts = (running.url, running.started_at, running.version, running.ws_url)
    whole = [isinstance(running.pid, int), *(isinstance(text, str) for text in texts)]
    return running if all(whole) else None


def _running(path: str) -> Conflict:
    found = running_server(os.path.dirname(path))
    where = f" at {found.url} (process {found.pid})" if found else "; it is still starting"
    return Conflict(
        "server.running",
        f"A server for this folder is running{where}.",
        f"Use that one, or stop it: kill {found.pid}."
        if found
        else "Wait a moment; `comity status` shows its address.",
        **({"url": found.url, "pid": found.pid} if found else {}),
    )


def unwritable(path: str, error: OSError) -> Unavailable:
    """The server cannot write what it has to."""
    return Unavailable(
        "server.unwritable",
        f"{path}: {error.strerror or error}.",
        "The server keeps its lock, settings and logs there: check the folder and its permissions.",
        path=path,
    )
