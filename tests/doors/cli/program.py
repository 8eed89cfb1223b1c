"""The real command in a real repository: one process for each call, as people and scripts run it.

The processes are forked from one that has loaded the command (``tests.prefork``); ``begun`` starts them for real.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, NamedTuple, Self

import comity.doors.cli
from tests.prefork.started import Started

SOURCES = Path(comity.doors.cli.__file__).parents[3]
TIMEOUT_S = 60.0


class Done(NamedTuple):
    """What a call left: its exit code and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, Any]:
        """The error in it."""
        found: dict[str, Any] = self.json["error"]
        return found


class Program:
    """`comity` in one folder. ``home`` is its own, so that no setting of this machine is seen."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder = folder
        self.home = home
        self.db = folder / ".macp" / f"{folder.name}.macp.db"

    def environment(self, **more: str) -> dict[str, str]:
        """What a call sees: nothing of the person or agent that runs the tests."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "PYTHONPYCACHEPREFIX") if name in os.environ}
        own = {"HOME": str(self.home), "LOGNAME": "tester", "PYTHONPATH": str(SOURCES), "COLUMNS": "80", "TZ": "UTC"}
        own["COMITY_LAUNCHER"] = "python"  # nothing is compiled
        return {**kept, **own, "LC_ALL": "C.UTF-8", **more}

    def __call__(
        self, *arguments: str | bytes, stdin: bytes = b"", cwd: Path | None = None, **environment: str
    ) -> Done:
        """Run it to its end."""
        with Started(arguments, cwd=cwd or self.folder, env=self.environment(**environment)) as process:
            try:
                out, err = process.communicate(stdin, TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        return self._done(process.wait(), out, err)

    def begun(self, *arguments: str | bytes, stdin: bytes = b"", **environment: str) -> Done:
        """Run it to its end, from the start of an interpreter of its own."""
        done = subprocess.run(
            [sys.executable, "-m", "comity", *arguments],
            cwd=self.folder,
            env=self.environment(**environment),
            input=stdin,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        return self._done(done.returncode, done.stdout, done.stderr)

    def _done(self, code: int, out: bytes, err: bytes) -> Done:
        text = Done(code, out.decode(), err.decode())
        assert "Traceback" not in text.out + text.err, text
        return text

    def files(self) -> dict[str, bytes]:
        """Every file of the repository with its content, but git's."""
        found = (path for path in self.folder.rglob("*") if path.is_file() and ".git" not in path.parts)
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in found}


class Running:
    """A call that goes on; lines of its output are waited for, never longer than the timeout."""

    def __init__(self, program: Program, *arguments: str) -> None:
        self.process = Started(arguments, cwd=program.folder, env=program.environment(), stdin=subprocess.DEVNULL)
        assert self.process.stdout is not None
        self.out = self.process.stdout
        self._rest = b""

    def line(self) -> str:
        """The next line."""
        end = monotonic() + TIMEOUT_S
        while b"\n" not in self._rest:
            ready, _, _ = select.select([self.out], [], [], max(0.0, end - monotonic()))
            assert ready, "no line in time"
            piece = os.read(self.out.fileno(), 65536)
            assert piece, "the output ended"
            self._rest += piece
        found, _, self._rest = self._rest.partition(b"\n")
        return found.decode()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
