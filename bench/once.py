"""One deed under one key, asked for by eight processes at once through every door, while they are killed.

In each round all eight ask for the same thing under the same key; one of them, or in each tenth round the server, is
killed with SIGKILL at a random instant, and its successor asks again. Counted are deeds that were done twice or not at
all, and rounds in which two processes were answered differently.

    python -m bench once             # a thousand rounds, five minutes
    python -m bench once --quick     # forty
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import Any

import apsw

from bench.asker import ME
from bench.figures import Figure, Options
from bench.ground import Ground
from bench.served import free_port, get
from bench.server import compile_bytecode

WAYS = ("workspace", "workspace", "rest", "rest", "socket", "socket", "mcp", "stdio")
ROUNDS, QUICK = 1000, 40
SERVER_EVERY = 10
KILL_WITHIN_S = 0.03
START_S = 30.0
# A deed by number: the operation and its arguments; and how often it was done.
DEEDS = (
    (
        "task.dispatch",
        lambda name: {"title": name},
        "SELECT count(*) FROM macp_ext_tasks WHERE title = ?1",
    ),
    (
        "claim.acquire",
        lambda name: {"files": [f"{name}.py"]},
        "SELECT count(*) FROM audit_log WHERE event_type = 'claim.acquired' AND instr(metadata_json, ?1 || '.py') > 0",
    ),
    (
        "message.send",
        lambda name: {"destinationAgentId": "bob", "content": name},
        "SELECT count(*) FROM messages WHERE content = ?1",
    ),
    ("task.claim", lambda name: {"taskId": name}, "SELECT 1 WHERE ?1 <> ''"),  # a refusal, which has no effect
)


class Crowd:
    """The server and the eight who ask."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.port = free_port()
        self.server = self._serve()
        self.askers = [self._asker(way) for way in WAYS]
        self.killed = 0

    def round(self, number: int, chance: random.Random) -> list[str]:
        """Everybody's answer to one deed."""
        name = f"deed{number:05}x"
        op, arguments, _ = DEEDS[number % len(DEEDS)]
        line = json.dumps([f"key-{number}", op, arguments(name)]) + "\n"
        for asker in self.askers:
            _say(asker, line)
        time.sleep(chance.random() * KILL_WITHIN_S)
        if number % SERVER_EVERY == 0:
            self._kill(self.server)
            self.server = self._serve()
        else:
            place = chance.randrange(len(WAYS))
            self._kill(self.askers[place])
            self.askers[place] = self._asker(WAYS[place])
            _say(self.askers[place], line)
        return [_hear(asker) for asker in self.askers]

    def done(self, number: int) -> int:
        """How often a deed was done."""
        connection = apsw.Connection(self.ground.path, flags=apsw.SQLITE_OPEN_READONLY)
        try:
            sql = DEEDS[number % len(DEEDS)][2]
            return int(next(iter(connection.execute(sql, (f"deed{number:05}x",))))[0])
        finally:
            connection.close()

    def close(self) -> None:
        """End everybody."""
        for process in (*self.askers, self.server):
            self._kill(process)

    def _kill(self, process: subprocess.Popen[str]) -> None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        self.killed += 1

    def _asker(self, way: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "bench.asker", way, self.ground.path, str(self.port)]
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )

    def _serve(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "comity", "serve", "--target-dir", self.ground.folder]
        command += ["--db", self.ground.path, "--port", str(self.port)]
        said = os.path.join(self.ground.folder, "server.log")
        with open(said, "w", encoding="utf-8") as log:
            process = subprocess.Popen(command, stderr=log, text=True, start_new_session=True)
        end = time.monotonic() + START_S
        while time.monotonic() < end and process.poll() is None:
            try:
                if b" 200 " in get(self.port, "/health/ready").partition(b"\r\n")[0]:
                    return process
            except OSError:
                pass
            time.sleep(0.02)
        with open(said, encoding="utf-8") as log:
            raise SystemExit(f"the server did not start:\n{log.read()}")


def measure(options: Options) -> list[Figure]:
    """Bars: each deed is done once, and whoever asks is answered the same."""
    compile_bytecode()
    rounds, chance = options.size(ROUNDS, QUICK), random.Random(14)
    twice = never = different = 0
    began = time.perf_counter()
    with Ground(options.folder) as ground:
        subprocess.run(["git", "init", "-q", ground.folder], check=True)
        ground.enrol(["bob", ME])
        crowd = Crowd(ground)
        try:
            for number in range(1, rounds + 1):
                answers = crowd.round(number, chance)
                done = crowd.done(number)
                twice, never = twice + (done > 1), never + (done < 1)
                if len({*answers}) > 1:
                    different += 1
                    print(number, *map(str.strip, {*answers}), sep="\n  ", file=sys.stderr)
        finally:
            crowd.close()
    beside = {"killed": str(crowd.killed), "took": f"{time.perf_counter() - began:.0f} s"}
    what = f"one key, {len(WAYS)} processes, every door, {rounds:,} rounds with a kill each"
    return [
        Figure(f"{what}: deeds done twice", twice, "", "at most", 0, beside),
        Figure(f"{what}: deeds not done", never, "", "at most", 0),
        Figure(f"{what}: rounds with different answers", different, "", "at most", 0),
    ]


def _say(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(line)
    process.stdin.flush()


def _hear(process: subprocess.Popen[str]) -> Any:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"an asker ended with {process.wait()}"
    return line
