"""A server's part that answers hooks, without its agent: ``python -m tests.doors.hook.served``."""

from __future__ import annotations

import os
import sys
from types import TracebackType
from typing import Self

from comity.doors.hook.answering import begin
from tests.doors.cli.program import TIMEOUT_S, Program
from tests.prefork.started import Started


class Door:
    """Hooks of the project of ``comity`` are answered, in a process of their own."""

    def __init__(self, comity: Program) -> None:
        self.process = Started(
            [], cwd=comity.folder, env=comity.environment(), stderr=None, module="tests.doors.hook.served"
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"ready\n"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(TIMEOUT_S) == 0, "it died"
        assert self.process.stdout is not None
        self.process.stdout.close()


if __name__ == "__main__":
    end = begin(os.getcwd())
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()
    end()
