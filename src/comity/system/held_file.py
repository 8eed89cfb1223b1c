"""A file that one process at a time holds, together with the programs that it starts.

The system lets go of it when all of them have ended, however that was. So whoever gets it knows, too, that no git runs
any more which a killed process had begun. On Windows, and where the file cannot be made, nothing is held.
"""

from __future__ import annotations

import os
import sys
import time
from types import TracebackType

from comity.kernel.hints import Self
from comity.system import files

_ASK_S = 0.05

if sys.platform == "win32":

    def _hold(descriptor: int) -> bool:
        return descriptor >= 0

else:
    import fcntl

    def _hold(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # a file system without locks
            return True
        return True


class HeldFile:
    """The file ``name`` below ``folder``, held from ``take`` to the end of the block; it is there only meanwhile."""

    def __init__(self, folder: str, name: str) -> None:
        self._folder, self._name = folder, name
        self._descriptor: int | None = None

    @property
    def kept(self) -> tuple[int, ...]:
        """The descriptors that a program has to keep for holding it, too; empty where nothing is held."""
        return () if self._descriptor is None or sys.platform == "win32" else (self._descriptor,)

    def take(self, most_s: float) -> bool:
        """Hold it, waiting at most ``most_s`` seconds for whoever does; False for no success."""
        until = time.monotonic() + most_s
        while not self._try():
            if time.monotonic() >= until:
                return False
            time.sleep(_ASK_S)
        return True

    def _try(self) -> bool:
        try:
            descriptor = files.open_file(self._folder, self._name, os.O_RDWR | os.O_CREAT)
        except OSError:
            return True
        if _hold(descriptor) and self._is_there(descriptor):
            self._descriptor = descriptor
            return True
        os.close(descriptor)
        return False

    def _is_there(self, descriptor: int) -> bool:
        """Whether the name still stands for what was opened: whoever held it took it away."""
        try:
            return os.path.samestat(os.fstat(descriptor), os.lstat(os.path.join(self._folder, self._name)))
        except OSError:
            return False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        try:
            os.unlink(os.path.join(self._folder, self._name))
        except OSError:
            pass
        finally:
            os.close(descriptor)
