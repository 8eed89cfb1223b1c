"""``codex queue``: prompts a session of the Codex that runs it, at once when it is idle.

It is asked of the running program itself, where the system tells which file that is, so that both are of one version.
"""

from __future__ import annotations

import os
import shutil
import subprocess

TIMEOUT_S = 60


class Program:
    """The ``codex`` that runs as process ``pid``, else the one on the path."""

    def __init__(self, pid: int | None) -> None:
        self._path = _running(pid) or shutil.which("codex") or ""

    def works(self) -> bool:
        """Whether it can be found and has the command; older ones do not."""
        if not self._path:
            return False
        try:
            return _run(self._path, "queue", "--help").returncode == 0
        except (OSError, subprocess.SubprocessError):
            return False

    def wake(self, session_id: str, text: str) -> None:
        """Prompt the session. Raises OSError."""
        try:
            done = _run(self._path, "queue", "--thread", session_id, "--message", text)
        except subprocess.SubprocessError as error:
            raise OSError(f"codex queue: {error}") from None
        if done.returncode != 0:
            said = done.stderr.decode("utf-8", "replace").strip()[-200:]
            raise OSError(f"codex queue ended with {done.returncode}: {said}")


def _running(pid: int | None) -> str:
    try:
        path = os.readlink(f"/proc/{pid}/exe") if pid is not None else ""
    except OSError:
        return ""
    named = os.path.basename(path).startswith("codex")
    return path if named and os.access(path, os.X_OK) else ""


def _run(*command: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_S, check=False)
