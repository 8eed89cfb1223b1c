"""``comity hook`` as a whole process, as a host runs it: from its start to its end, the installed executable.

In turn with it run the interpreter alone and with apsw imported, since nothing can be faster than that.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import time

import comity
from bench import history
from bench.figures import Figure, Options, median, percentile, short
from bench.ground import Ground
from bench.server import compile_bytecode
from bench.stage import PEOPLE
from comity import settings

MESSAGES = 500_000
_BAR_MS, _SLOWEST_MS = 50, 120
_CASES = ("PreToolUse, a file of one's own", "PostToolBatch, nothing new", "PostToolBatch, a message")


def measure(options: Options) -> list[Figure]:
    """Bars: median at most 50 ms and 99th percentile at most 120 ms, with 20 agents and 500,000 messages of history."""
    compile_bytecode()
    count = options.size(MESSAGES, 20_000)
    with Ground(options.folder) as ground:
        place = _Place(ground.folder)
        for name in PEOPLE:
            place.agent(name).close()
        history.write(place.database, count, PEOPLE)
        taken = place.run(options.size(150, 15))
    figures = []
    for what in _CASES:
        beside = {
            "python -c pass": f"{short(median(taken['pass']))} ms",
            "python -I -S -c 'import apsw'": f"{short(median(taken['apsw']))} ms",
            "fastest": f"{short(min(taken[what]))} ms",
        }
        name = f"hook, {what}; {count:,} messages of history"
        figures.append(Figure(f"{name}: median", median(taken[what]), " ms", "at most", _BAR_MS, beside))
        slowest = percentile(taken[what], 99)
        figures.append(Figure(f"{name}: 99th percentile", slowest, " ms", "at most", _SLOWEST_MS, {}))
    return figures


class _Place:
    """A git repository with a database, and a session of Claude Code in it."""

    def __init__(self, folder: str) -> None:
        self.folder = os.path.join(folder, "repository")
        os.makedirs(os.path.join(self.folder, "src"))
        subprocess.run(["git", "init", "-q", self.folder], check=True)
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("MACP_", "CLAUDE", "GEMINI"))
        } | {"HOME": folder}
        self.program = os.path.join(sysconfig.get_path("scripts"), "comity")
        self.library = _apsw_folder()
        self.agent("starter").close()
        self.database = settings.resolve({}, self.environment, self.folder).db

    def agent(self, agent_id: str) -> comity.Workspace:
        workspace = comity.open(self.folder, agent_id=agent_id, session_id=f"session-{agent_id}")
        workspace.session.start()
        return workspace

    def run(self, rounds: int) -> dict[str, list[float]]:
        """Milliseconds of every run, by what it was; in turn, so that the machine's moods hit all alike."""
        self._hook("SessionStart", source="startup")
        file = os.path.join(self.folder, "src", "own.py")
        edit = {"tool_name": "Edit", "tool_input": {"file_path": file}}
        self._hook("PreToolUse", **edit)
        taken: dict[str, list[float]] = {what: [] for what in (*_CASES, "pass", "apsw")}
        sender = self.agent("sender")
        for number in range(rounds):
            taken["pass"].append(self._timed([sys.executable, "-c", "pass"])[0])
            bare = f"import sys; sys.path.append({self.library!r}); import apsw"
            taken["apsw"].append(self._timed([sys.executable, "-I", "-S", "-c", bare])[0])
            taken[_CASES[0]].append(self._hook("PreToolUse", **edit)[0])
            taken[_CASES[1]].append(self._hook("PostToolBatch", tool_calls=[])[0])
            sender.message.broadcast(content=f"{number}: the lexer is done", priority="steering")
            spent, said = self._hook("PostToolBatch", tool_calls=[])
            if f"{number}: the lexer is done" not in said:
                raise SystemExit(f"the hook kept a message to itself: {said!r}")
            taken[_CASES[2]].append(spent)
            self._hook("PostToolBatch", tool_calls=[])  # it was seen
        sender.close()
        return taken

    def _hook(self, event: str, **payload: object) -> tuple[float, str]:
        told = {"session_id": "session-1", "cwd": self.folder, "hook_event_name": event, **payload}
        return self._timed([self.program, "hook", "claude-code", event], json.dumps(told))

    def _timed(self, command: list[str], told: str = "") -> tuple[float, str]:
        start = time.perf_counter()
        done = subprocess.run(
            command, input=told, capture_output=True, text=True, cwd=self.folder, env=self.environment, check=True
        )
        return (time.perf_counter() - start) * 1e3, done.stdout


def _apsw_folder() -> str:
    """The folder that apsw is imported from."""
    import_path = subprocess.run(
        [sys.executable, "-c", "import apsw, os; print(os.path.dirname(os.path.dirname(apsw.__file__)))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return import_path.stdout.strip()
