"""Surroundings of the work of one thread: environment, folder, and the process that asked for it.

They are the process's own, but for a server that answers somebody's hook: there they are those of the process that
asked. Whatever a hook may run reads them here.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from types import TracebackType


class Surroundings(threading.local):
    """What ``with`` gives to one thread for a while: its variables, its working folder, and its parent's pid."""

    def __init__(self) -> None:
        self._given: tuple[Mapping[str, str], str, int] | None = None

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables, by name."""
        return os.environ if self._given is None else self._given[0]

    def folder(self) -> str:
        """The working folder, absolute. Raises OSError when it is gone."""
        return os.getcwd() if self._given is None else self._given[1]

    def parent(self) -> int:
        """The pid of the process that started the one which is asking."""
        return os.getppid() if self._given is None else self._given[2]

    def of(self, environment: Mapping[str, str], folder: str, parent: int) -> Surroundings:
        """Those of another process, for ``with``."""
        self._given = environment, folder, parent
        return self

    def __enter__(self) -> None:
        return

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._given = None


HERE = Surroundings()
