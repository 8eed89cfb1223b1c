"""Hooks as ``comity init`` wrote them, whole processes from the shell on: with a living server, and without one.

In turn with them runs the interpreter alone, since all bars are multiples of it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager

import comity
from bench import history
from bench.figures import Figure, Options, median, percentile, short
from bench.ground import Ground
from bench.server import compile_bytecode
from bench.stage import PEOPLE
from comity import settings
from comity.hosts.compiled_launcher import SWITCH

MESSAGES = 500_000
_EVENTS = ("PreToolUse", "UserPromptSubmit")
_BARS = {"python": 1.1, "compiled": 0.5, "python, no server": 2.6, "compiled, no server": 2.6}
_SLOWEST = 3.0


def measure(options: Options) -> list[Figure]:
    """Bars, against ``python -c pass`` in turn: median 1.1, compiled 0.5, without a server 2.6; 99th percentile 3."""
    compile_bytecode()
    count = options.size(MESSAGES, 20_000)
    with Ground(options.folder) as ground:
        place = _Place(ground.folder)
        for name in PEOPLE:
            place.agent(name).close()
        history.write(place.database, count, PEOPLE)
        taken = place.run(options.size(150, 15))
    figures = []
    for (what, event), spent in taken.items():
        if not event:
            continue
        alone = taken["pass" + what[len(what.partition(",")[0]) :], ""]
        bare = median(alone)
        beside = {"median": f"{short(median(spent))} ms", "python -c pass": f"{short(bare)} ms"}
        name = f"hook as init wrote it, {what}, {event}; {count:,} messages"
        figures.append(Figure(f"{name}: median", median(spent) / bare, " x", "at most", _BARS[what], beside))
        if "no server" not in what:
            slowest = percentile(spent, 99) / bare
            beside = {"python -c pass": f"{short(percentile(alone, 99) / bare)} x"}
            figures.append(Figure(f"{name}: 99th percentile", slowest, " x", "at most", _SLOWEST, beside))
    return figures


class _Place:
    """A git repository where ``comity init`` ran once for each launcher, and a session of Claude Code in it."""

    def __init__(self, folder: str) -> None:
        self.folder = os.path.join(folder, "repository")
        os.makedirs(os.path.join(self.folder, "src"))
        subprocess.run(["git", "init", "-q", self.folder], check=True)
        own = ("MACP_", "CLAUDE", "GEMINI", "XDG_", "PYTHON")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(own)}
        self.environment = kept | {"HOME": folder}
        self.program = os.path.join(sysconfig.get_path("scripts"), "comity")
        self.commands = {"python": self._init("python"), "compiled": self._init("")}
        self.database = settings.resolve({}, self.environment, self.folder).db

    def agent(self, agent_id: str) -> comity.Workspace:
        workspace = comity.open(self.folder, agent_id=agent_id, session_id=f"session-{agent_id}")
        workspace.session.start()
        return workspace

    def run(self, rounds: int) -> dict[tuple[str, str], list[float]]:
        """Milliseconds of every hook by launcher and event, and of the interpreter alone, ``pass``, without an event.

        In turn, so that the machine's moods hit all alike.
        """
        taken: dict[tuple[str, str], list[float]] = {}
        with self._server():
            self._rounds(rounds, taken, "")
        self._rounds(rounds, taken, ", no server")
        return taken

    def _rounds(self, rounds: int, taken: dict[tuple[str, str], list[float]], end: str) -> None:
        for number in range(rounds + 1):
            for what, commands in self.commands.items():
                for event in _EVENTS:
                    spent = self._timed(["/bin/sh", "-c", commands[event]], self._told(event))
                    if number:  # the first one loads what the server needs
                        taken.setdefault((what + end, event), []).append(spent)
            spent = self._timed([sys.executable, "-c", "pass"], "")
            taken.setdefault(("pass" + end, ""), []).append(spent)

    @contextmanager
    def _server(self) -> Iterator[None]:
        """An agent's server that has answered its client."""
        client = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}
        line = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": client})
        with subprocess.Popen(
            [self.program, "mcp"],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as server:
            assert server.stdin is not None
            assert server.stdout is not None
            server.stdin.write(line.encode() + b"\n")
            server.stdin.flush()
            server.stdout.readline()
            yield
            server.stdin.close()
            server.wait()

    def _init(self, launcher: str) -> dict[str, str]:
        """The commands that it wrote, by event."""
        command = [self.program, "init", "--hosts", "claude-code"]
        environment = self.environment | {SWITCH: launcher}
        subprocess.run(command, cwd=self.folder, env=environment, check=True, capture_output=True)
        with open(os.path.join(self.folder, ".claude", "settings.local.json"), encoding="utf-8") as file:
            hooks = json.load(file)["hooks"]
        return {event: hooks[event][0]["hooks"][0]["command"] for event in _EVENTS}

    def _told(self, event: str) -> str:
        file = os.path.join(self.folder, "src", "own.py")
        asked = (
            {"tool_name": "Edit", "tool_input": {"file_path": file}} if event == "PreToolUse" else {"tool_calls": []}
        )
        return json.dumps({"session_id": "session-1", "cwd": self.folder, "hook_event_name": event, **asked})

    def _timed(self, command: list[str], told: str) -> float:
        start = time.perf_counter()
        subprocess.run(
            command, input=told, capture_output=True, text=True, cwd=self.folder, env=self.environment, check=True
        )
        return (time.perf_counter() - start) * 1e3
