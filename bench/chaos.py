"""Agents that work and die: at the end nobody dead holds anything, and nobody living was taken for dead.

Every agent is a real ``comity mcp`` process that claims files and takes tasks. Some are killed with SIGKILL, a new
agent in place of each; some are stopped with SIGSTOP for a while. What is left is read from the file, and how long
each death went unnoticed.

    python -m bench chaos            # ten minutes, twenty agents, two killed each minute
    python -m bench chaos --quick    # three quarters of a minute, thirty killed each minute
    python -m bench.chaos --seconds 60 --servers 20 --kills 10 --seed 2
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import apsw

from bench.figures import Figure, Options, median, short
from bench.server import compile_bytecode
from comity.kernel.problem import Unavailable
from comity.kernel.scope import Actor
from comity.store.sqlite import SqliteStore
from comity.workspace import Workspace

NOTICED_S = 5.0  # a death must be noticed by then
PATIENCE_S = 60.0  # for a loaded machine, where only the outcome counts
SERVERS = 20
_FILES = 200
_TASKS = 100  # ready ones at a time

_DEAD_HOLD = {
    "claims": "SELECT agent_id, file_path FROM macp_ext_file_claims WHERE released_at IS NULL",
    "tasks": "SELECT assigned_agent_id, task_id FROM macp_ext_tasks"
    " WHERE status IN ('accepted', 'in-progress', 'blocked')",
    "memberships": "SELECT agent_id, channel_id FROM channel_members",
    "sessions": "SELECT agent_id, session_id FROM sessions WHERE state = 'active'",
    "presences": "SELECT agent_id, session_id FROM comity_presence",
}
_ACTIVE = "(SELECT session_id FROM sessions WHERE state = 'active')"
_NOBODY_HOLDS = {  # whoever held it
    "claims of no session": "SELECT agent_id, file_path FROM macp_ext_file_claims"
    f" WHERE released_at IS NULL AND session_id NOT IN {_ACTIVE}",
    "tasks of no session": "SELECT assigned_agent_id, task_id FROM macp_ext_tasks"
    " WHERE status IN ('accepted', 'in-progress', 'blocked')"
    f" AND (assigned_session_id IS NULL OR assigned_session_id NOT IN {_ACTIVE})",
}


class Outcome(NamedTuple):
    """What became of it. ``orphans`` are holdings of the dead, by kind; ``noticed_s`` how long each death took."""

    killed: int
    stopped: int
    work: int
    orphans: dict[str, list[Any]]
    living_reaped: list[str]
    lost: list[str]
    noticed_s: list[float]


class Server:
    """One agent's server and the thread that plays its model."""

    def __init__(self, path: Path, agent_id: str, seed: int) -> None:
        self.agent_id = agent_id
        self.work = 0
        self.problems: list[str] = []
        self.ready = threading.Event()
        self._chance = random.Random(seed)
        self._over = threading.Event()
        self._asked = 0
        environment = {
            k: v for k, v in os.environ.items() if not k.startswith(("MACP_", "COMITY_", "CLAUDE", "GEMINI"))
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "comity", "mcp", "--db", str(path), "--channel", "main", "--agent-id", agent_id],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=path.parent,
            env=environment,
        )
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()

    def kill(self) -> float:
        """With SIGKILL; when."""
        self.process.kill()
        self.process.wait()
        self._over.set()
        return time.time()

    def end(self) -> None:
        """In good order."""
        self._over.set()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE_S)
        self._thread.join(PATIENCE_S)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):  # a request that it did not read: the pipe is closed all the same
                    pipe.close()

    def _live(self) -> None:
        try:
            self._ask(
                "initialize",
                protocolVersion="2025-06-18",
                capabilities={},
                clientInfo={"name": "chaos", "version": "1"},
            )
            self._call("macp_poll")
            self.ready.set()
            while not self._over.wait(self._chance.uniform(0.02, 0.4)):
                self._act()
        except (OSError, ValueError):
            return  # killed

    def _act(self) -> None:
        file = f"src/{self._chance.randrange(_FILES):03}.py"
        if self._chance.random() < 0.5:
            self._call("macp_ext_claim_files", files=[file])
            if self._chance.random() < 0.5:
                self._call("macp_ext_release_files", files=[file])
            return
        answer = self._call("macp_ext_next_task")
        task = (answer or {}).get("task")
        if task and self._chance.random() < 0.8:
            self._call("macp_ext_complete_task", taskId=task["taskId"])

    def _call(self, tool: str, **arguments: Any) -> dict[str, Any] | None:
        result = self._ask("tools/call", name=tool, arguments=arguments)
        if result.get("isError"):
            reason = json.loads(result["content"][0]["text"])["reasonCode"]
            if reason == "MACP_ERR_SESSION_UNKNOWN":
                self.problems.append(reason)
            return None
        self.work += 1
        found: dict[str, Any] = result["structuredContent"]
        return found

    def _ask(self, method: str, **params: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._asked += 1
        line = json.dumps({"jsonrpc": "2.0", "id": self._asked, "method": method, "params": params})
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        while True:
            answer = json.loads(self.process.stdout.readline())
            if answer.get("id") == self._asked:
                result: dict[str, Any] = answer["result"]
                return result


class Chaos:
    """The servers, and who died when."""

    def __init__(self, folder: Path, servers: int, seed: int) -> None:
        self.path = folder / "chaos.macp.db"
        self.chance = random.Random(seed)
        self.boss = Workspace(SqliteStore(self.path), Actor("boss", "boss-1", channel="main"))
        self.boss.session.start()
        self.connection = apsw.Connection(str(self.path))
        self.connection.set_busy_timeout(500)
        self.born = 0
        self.died: dict[str, float] = {}
        self.stopped: dict[str, float] = {}
        self.stops = 0
        self.work = 0
        self.servers: list[Server] = []
        self.dead: list[Server] = []
        self.refill()
        for _ in range(servers):
            self.bear()
        for server in self.servers:
            assert server.ready.wait(PATIENCE_S), "a server did not start"

    def bear(self) -> None:
        """One more agent."""
        self.born += 1
        self.servers.append(Server(self.path, f"agent-{self.born:03}", self.chance.randrange(10**9)))

    def refill(self) -> None:
        """There is always work."""
        ((waiting,),) = self.read("SELECT count(*) FROM macp_ext_tasks WHERE status = 'pending'")
        try:
            for number in range(waiting, _TASKS):
                self.boss.task.dispatch(title=f"task {number}")
        except Unavailable:  # others write: the next time
            return

    def kill(self) -> None:
        """Somebody who is not stopped; a new agent comes in its place."""
        server = self.chance.choice([one for one in self.servers if one.agent_id not in self.stopped])
        self.died[server.agent_id] = server.kill()
        self.servers.remove(server)
        self.dead.append(server)
        self.bear()

    def stop(self) -> None:
        """Somebody stands still for a while, unless it just writes: nobody could write until it goes on."""
        server = self.chance.choice([one for one in self.servers if one.agent_id not in self.stopped])
        server.process.send_signal(signal.SIGSTOP)
        try:
            self.connection.execute("BEGIN IMMEDIATE; ROLLBACK").fetchall()
        except apsw.BusyError:
            server.process.send_signal(signal.SIGCONT)
            return
        self.stopped[server.agent_id] = time.monotonic()
        self.stops += 1

    def go_on(self, after_s: float) -> None:
        """Whoever stood still for so long goes on."""
        for server in self.servers:
            since = self.stopped.get(server.agent_id)
            if since is not None and time.monotonic() - since >= after_s:
                server.process.send_signal(signal.SIGCONT)
                del self.stopped[server.agent_id]

    def read(self, sql: str) -> list[Any]:
        """Rows of the file."""
        return self.connection.execute(sql).fetchall()

    def noticed(self) -> dict[str, float]:
        """Who was reaped, and when (seconds since 1970)."""
        rows = self.read(
            "SELECT agent_id, strftime('%s', timestamp) + substr(timestamp, 20, 4) FROM audit_log"
            " WHERE event_type = 'agent.reaped'"
        )
        return {agent_id: float(at) for agent_id, at in rows}

    def orphans(self) -> dict[str, list[Any]]:
        """What the dead hold, and what is held for a session that is over."""
        found = {kind: [row for row in self.read(sql) if row[0] in self.died] for kind, sql in _DEAD_HOLD.items()}
        found |= {kind: self.read(sql) for kind, sql in _NOBODY_HOLDS.items()}
        return {kind: rows for kind, rows in found.items() if rows}

    def until(self, fact: Callable[[], bool]) -> bool:
        """Wait for a fact, not longer than is patient."""
        end = time.monotonic() + PATIENCE_S
        while not fact():
            if time.monotonic() > end:
                return False
            threading.Event().wait(0.1)
        return True

    def enough(self, for_s: float, seconds: float, at_least: tuple[int, int]) -> bool:
        """Whether it went on for long enough; never for longer than is patient beyond that."""
        many = len(self.died) >= at_least[0] and self.stops >= at_least[1]
        return for_s >= seconds and (many or for_s >= seconds + PATIENCE_S)

    def close(self) -> None:
        """End everybody in good order."""
        self.go_on(0)
        for server in self.servers:
            server.end()
        for server in self.dead:
            server.end()
        self.boss.session.end()
        self.boss.close()
        self.connection.close()


def run(
    folder: Path,
    seconds: float,
    servers: int,
    kills_per_minute: float,
    seed: int = 1,
    at_least: tuple[int, int] = (0, 0),
) -> Outcome:
    """Chaos for so long, and, where the machine is slow, until so many were killed and stopped ``at_least``."""
    chaos = Chaos(folder, servers, seed)
    try:
        start, pause_s = time.monotonic(), 60 / kills_per_minute
        due = start + pause_s / 2
        while not chaos.enough(time.monotonic() - start, seconds, at_least):
            threading.Event().wait(0.2)
            chaos.refill()
            chaos.go_on(min(30.0, 2 * pause_s))
            if time.monotonic() >= due:
                due += pause_s
                chaos.kill()
                if len(chaos.stopped) < servers // 4:
                    chaos.stop()
        chaos.until(lambda: chaos.died.keys() <= chaos.noticed().keys())
        noticed = chaos.noticed()
        chaos.go_on(0)
        return Outcome(
            len(chaos.died),
            chaos.stops,
            sum(server.work for server in (*chaos.servers, *chaos.dead)),
            chaos.orphans(),
            sorted(noticed.keys() - chaos.died.keys()),
            [server.agent_id for server in chaos.servers if server.problems],
            [noticed[agent_id] - at for agent_id, at in chaos.died.items() if agent_id in noticed],
        )
    finally:
        chaos.close()


def measure(options: Options) -> list[Figure]:
    """Bars: nothing stays with the dead, nobody living is taken for dead, every death is noticed within 5 s."""
    compile_bytecode()
    seconds, kills_per_minute = options.size(600, 40), options.size(2, 30)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        outcome = run(Path(folder), seconds, SERVERS, kills_per_minute)
    what = f"{SERVERS} agents, {outcome.killed} killed in {seconds} s"
    orphans = sum(map(len, outcome.orphans.values()))
    kinds = ", ".join(f"{len(rows)} {kind}" for kind, rows in outcome.orphans.items()) or "none"
    noticed_s = outcome.noticed_s or [PATIENCE_S]
    beside = {
        "noticed after, median": f"{short(median(noticed_s))} s",
        "deaths noticed": f"{len(outcome.noticed_s)} of {outcome.killed}",
        "stopped for a while": str(outcome.stopped),
        "calls answered": short(outcome.work),
    }
    wronged = {*outcome.living_reaped, *outcome.lost}
    return [
        Figure(f"{what}: orphaned claims, tasks and sessions", orphans, "", "at most", 0, {"kinds": kinds}),
        Figure(f"{what}: living agents that lost their session", len(wronged), "", "at most", 0),
        Figure(f"{what}: the slowest notice of a death", max(noticed_s), " s", "at most", NOTICED_S, beside),
    ]


def main() -> int:
    """The exit code: 1 when something is left behind."""
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--servers", type=int, default=SERVERS)
    parser.add_argument("--kills", type=float, default=2, help="a minute")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcome = run(Path(folder), given.seconds, given.servers, given.kills, given.seed)
    print(json.dumps(outcome._asdict(), indent=1))
    late = [one for one in outcome.noticed_s if one > NOTICED_S]
    bad = outcome.orphans or outcome.living_reaped or outcome.lost or late or len(outcome.noticed_s) < outcome.killed
    print(f"{outcome.killed} killed, {outcome.stopped} stopped: {'NOT GOOD' if bad else 'nothing left behind'}.")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
