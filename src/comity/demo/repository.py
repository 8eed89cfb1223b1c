"""The temporary git repository in which the demo plays."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from comity import settings
from comity.demo.cast import FILES
from comity.hosts import init
from comity.kernel.problem import Unavailable

_GIT_TIMEOUT_S = 10


class Repository:
    """A git repository that ``comity init`` has set up, in a folder of its own; ``remove`` takes all of it away."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="comity-demo-"))
        self.root = self.folder / "shop"
        self.logs = self.folder / "servers.log"  # what the servers print on standard error
        try:
            self._make()
        except BaseException:
            self.remove()
            raise

    def settings(self, agent_id: str, session_id: str | None = None) -> settings.Settings:
        """What a process in this repository works with, whatever this process's own environment says."""
        return settings.resolve({"agent_id": agent_id, "session_id": session_id}, {}, str(self.root))

    def edits(self) -> dict[str, list[str]]:
        """What the agents have added to each file, line by line."""
        return {file: (self.root / file).read_text(encoding="utf-8").splitlines()[1:] for file in FILES}

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _make(self) -> None:
        for name in ("README.md", *FILES):
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"The shop's {name}.\n", encoding="utf-8")
        self._git("init", "--quiet")
        report = init.apply(init.plan(self.root))
        if report.problems:
            raise report.problems[0]
        self._git("add", "--all")
        self._git("commit", "--quiet", "--no-verify", "--message=Start the shop.")

    def _git(self, *arguments: str) -> None:
        own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        own |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        for who in ("AUTHOR", "COMMITTER"):
            own |= {f"GIT_{who}_NAME": "Comity demo", f"GIT_{who}_EMAIL": "demo@localhost"}
        command = ["git", "-C", str(self.root), *arguments]
        try:
            subprocess.run(command, check=True, capture_output=True, env=own, timeout=_GIT_TIMEOUT_S)
        except (OSError, subprocess.SubprocessError) as error:
            raise Unavailable(
                "demo.git",
                f"The demo's repository could not be made: {error}.",
                "The demo needs git on the PATH and a temporary folder that can be written.",
            ) from error
