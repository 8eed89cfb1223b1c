"""Standing in line: eight agents for five files and two resources, holders killed at random moments.

Every agent is a process that claims one to three of the seven at a time, waits for its turn, holds for a moment and
releases. Somebody who holds is killed with SIGKILL in each round, and another agent comes in its place. Who had what,
and who was first, is read from the log afterwards.

    python -m bench line            # two hundred rounds
    python -m bench line --quick    # twelve
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from bench.figures import Figure, Options, median, short
from bench.server import compile_bytecode
from comity.kernel.scope import Actor
from comity.store.connection import connect
from comity.store.sqlite import SqliteStore
from comity.workspace import Workspace

AGENTS = 8
THINGS = (*(f"src/f{number}.py" for number in range(5)), "res:staging", "res:port-5432")
FREE_S = 5.0  # for which somebody may wait for the dead
PATIENCE_S = 60.0
_PACE_S = 0.7  # between two rounds, on the average
_HOLDERS = "SELECT DISTINCT agent_id FROM macp_ext_file_claims WHERE released_at IS NULL"
_EVENTS = (
    "SELECT id, event_type, timestamp, agent_id, metadata_json FROM audit_log"
    " WHERE event_type GLOB 'claim.*' OR event_type = 'agent.reaped' ORDER BY id"
)


class Replay(NamedTuple):
    """What the log tells. ``double``: files with two owners; ``passed``: agents that were served before others who had
    come first; ``waited_s``: for how long somebody waited for each of the dead who held what was waited for.
    """

    served: int
    double: list[str]
    passed: list[str]
    waited_s: list[float]
    left: list[str]


class Log:
    """The log, event by event."""

    def __init__(self, died: dict[str, float]) -> None:
        self._died = died
        self._has: dict[str, str] = {}
        self._line: dict[str, tuple[float, list[str]]] = {}  # everybody who waits, the first first
        self.found = Replay(0, [], [], [], [])
        self._served = 0

    def hear(self, kind: str, at: float, agent_id: str, told: dict[str, Any]) -> None:
        """One event."""
        files: list[str] = told.get("files", [])
        if kind == "claim.waiting":
            self._line[agent_id] = (at, files)
        elif kind in ("claim.released", "claim.expired"):
            self._freed(agent_id, files, at)
        elif kind == "claim.left_line":
            self._line.pop(agent_id, None)
        elif kind == "claim.acquired":
            self._got(agent_id, files, at)

    def _freed(self, agent_id: str, files: list[str], at: float) -> None:
        for name in files:
            if self._has.get(name) == agent_id:
                del self._has[name]
        since = self._died.get(agent_id)
        waited = [begun for begun, wanted in self._line.values() if {*wanted} & {*files}]
        if since is not None and since <= at and waited:
            self.found.waited_s.append(at - max(since, min(waited)))

    def _got(self, agent_id: str, files: list[str], at: float) -> None:
        if all(self._has.get(name) == agent_id for name in files):
            return  # claimed again
        self._served += 1
        mine = self._line.pop(agent_id, (at, files))
        for name in files:
            owner = self._has.get(name)
            if owner not in (None, agent_id):
                self.found.double.append(f"{name}: {owner} and {agent_id}")
            self._has[name] = agent_id
        for other, (begun, wanted) in self._line.items():
            if begun < mine[0] and {*wanted} & {*files} and not self._died.get(other, at + 1) < at:
                self.found.passed.append(f"{agent_id} before {other}")

    def result(self) -> Replay:
        """All of it."""
        left = [f"{name} of {owner}" for name, owner in self._has.items() if owner in self._died]
        return self.found._replace(served=self._served, left=left)


class Crowd:
    """The agents, and who died when (seconds since 1970)."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.path = folder / "line.macp.db"
        self.chance = random.Random(seed)
        self.boss = Workspace(SqliteStore(self.path), Actor("boss", "boss-1", channel="main"))
        self.boss.session.start()
        self.connection = connect(str(self.path), "normal")
        self.connection.set_busy_timeout(2000)
        self.died: dict[str, float] = {}
        self.agents: dict[str, subprocess.Popen[bytes]] = {}
        self._born = 0
        for _ in range(AGENTS):
            self.bear()

    def bear(self) -> None:
        """One more agent."""
        self._born += 1
        name = f"agent-{self._born:03}"
        program = [sys.executable, "-m", "bench.line", str(self.path), name, str(self.chance.randrange(10**9))]
        self.agents[name] = subprocess.Popen(program, cwd=self.path.parent, env=_environment())

    def kill_a_holder(self) -> bool:
        """Whoever holds something, at random; False when nobody does."""
        holders = [str(row[0]) for row in self.connection.execute(_HOLDERS).fetchall()]
        alive = [name for name in holders if name in self.agents]
        if not alive:
            return False
        name = self.chance.choice(alive)
        process = self.agents.pop(name)
        self.died[name] = time.time()
        process.kill()
        process.wait()
        self.bear()
        return True

    def close(self) -> None:
        """End everybody."""
        for process in self.agents.values():
            process.terminate()
        for process in self.agents.values():
            process.wait(PATIENCE_S)
        self.boss.close()
        self.connection.close()


def run(folder: Path, rounds: int, seed: int = 1) -> Replay:
    """So many rounds; then until what the dead held is free."""
    crowd = Crowd(folder, seed)
    try:
        killed = 0
        while killed < rounds:
            time.sleep(crowd.chance.uniform(0, 2 * _PACE_S))
            killed += crowd.kill_a_holder()
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end and any(
            str(row[0]) in crowd.died for row in crowd.connection.execute(_HOLDERS).fetchall()
        ):
            time.sleep(0.1)
        log = Log(crowd.died)
        for _, kind, stamp, agent_id, told in crowd.connection.execute(_EVENTS).fetchall():
            at = datetime.fromisoformat(str(stamp)).timestamp()
            log.hear(str(kind), at, str(agent_id), json.loads(str(told or "{}")))
        return log.result()
    finally:
        crowd.close()


def _environment() -> dict[str, str]:
    mine = ("MACP_", "COMITY_", "CLAUDE", "GEMINI", "CODEX")
    found = {name: value for name, value in os.environ.items() if not name.startswith(mine)}
    return {**found, "PYTHONPATH": os.pathsep.join([os.getcwd(), *sys.path])}


def measure(options: Options) -> list[Figure]:
    """Bars: never two owners, nobody passed, nobody waits for the dead for more than five seconds."""
    compile_bytecode()
    rounds = options.size(200, 12)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        found = run(Path(folder), rounds)
    what = f"{AGENTS} agents in line for 5 files and 2 resources, {rounds} holders killed"
    waited = found.waited_s or [0.0]
    beside = {
        "times that somebody got what it wanted": short(found.served),
        "waited for the dead, median": f"{short(median(waited))} s, {len(found.waited_s)} times",
    }
    return [
        Figure(f"{what}: two owners", len(found.double), "", "at most", 0, {"such": "; ".join(found.double[:3])}),
        Figure(f"{what}: passed by", len(found.passed), "", "at most", 0, {"such": "; ".join(found.passed[:3])}),
        Figure(f"{what}: longest wait for the dead", max(waited), " s", "at most", FREE_S, beside),
        Figure(f"{what}: left with the dead", len(found.left), "", "at most", 0),
    ]


def agent() -> None:
    """One agent, until it is killed: ``python -m bench.line DATABASE AGENT_ID SEED``."""
    import comity

    path, agent_id, seed = sys.argv[1:]
    chance = random.Random(seed)
    with comity.open(path, agent_id=agent_id, channel="main") as workspace:
        workspace.session.start()
        while True:
            wanted = chance.sample(THINGS, chance.choice((1, 1, 2, 3)))
            reply = workspace.claim.acquire(files=wanted, wait=True, wait_ms=60_000)
            while reply.waiting is not None:
                reply = workspace.claim.acquire(files=wanted, wait=True, wait_ms=60_000)
            time.sleep(chance.uniform(0.01, 0.2))
            workspace.claim.release(files=wanted)


if __name__ == "__main__":
    agent()
