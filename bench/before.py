"""This version and an earlier one in turn: hooks and starts as processes, sends and polls by a process of each.

``BEFORE`` names the commit (the one before HEAD when not set); its sources are taken out of git, with the dependencies
of this environment. Both compile their bytecode first. A cost that grows by little can only be seen this way: blocks
of the same length, in changing order, and the median of the ratios of all pairs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from io import BytesIO
from pathlib import Path
from typing import Protocol, TypeVar

from bench.figures import Figure, Options, median, short

ROOT = Path(__file__).resolve().parent.parent
BAR = 1.05
NAMED = ("MACP_", "COMITY_", "MASC_", "OTEL_", "CLAUDE", "GEMINI", "PYTHON")


def measure(options: Options) -> list[Figure]:
    """Bar: at most 1.05 of before, each."""
    with both(options, _Side) as sides:
        return [
            *compared("hook, an edit of a file of one's own", options.size(121, 9), [s.edit for s in sides]),
            *compared("hook, a batch and nothing new", options.size(121, 9), [s.batch for s in sides]),
            *compared("stdio server, start to first answer", options.size(41, 5), [s.start for s in sides]),
            *compared("200 sends", options.size(41, 5), [s.sends for s in sides]),
            *compared("40 polls of 5", options.size(41, 5), [s.polls for s in sides]),
        ]


class Side(Protocol):
    """One version at work."""

    def close(self) -> None:
        """End it."""


S = TypeVar("S", bound=Side)


@contextmanager
def both(options: Options, make: Callable[[Path, Path], S]) -> Iterator[list[S]]:
    """The earlier version and this one, each made of its sources and a folder of its own."""
    commit = os.environ.get("BEFORE", "HEAD~1")
    with tempfile.TemporaryDirectory(dir=options.folder) as made, ExitStack() as open_sides:
        before, after = Path(made, "before", "src"), ROOT / "src"
        _take_out(commit, before.parent)
        sides = []
        for name, sources in (("old", before), ("new", after)):
            subprocess.run([sys.executable, "-m", "compileall", "-q", str(sources)], check=True)
            sides.append(make(sources, Path(made, name)))
            open_sides.callback(sides[-1].close)
        yield sides


def _take_out(commit: str, to: Path) -> None:
    packed = subprocess.run(["git", "archive", commit, "src"], cwd=ROOT, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        archive.extractall(to, filter="data")


def compared(what: str, rounds: int, works: list[Callable[[], float]]) -> list[Figure]:
    """Two pieces of work in turn, the earlier version's first; each answers the seconds that it took."""
    taken: list[list[float]] = [[], []]
    for work in works:
        work()
    for number in range(rounds):
        for side in (0, 1) if number % 2 else (1, 0):
            taken[side].append(works[side]())
    ratios = [new / old for old, new in zip(*taken, strict=True)]
    beside = {
        "before, after": f"{short(median(taken[0]) * 1e3)}, {short(median(taken[1]) * 1e3)} ms",
        "ratio of the medians": short(median(taken[1]) / median(taken[0])),
        "pairs": str(rounds),
    }
    return [Figure(f"{what}: this version", median(ratios), " of before", "at most", BAR, beside)]


class _Side:
    """One version: a repository with a session of Claude Code in it, and a process that sends and polls."""

    def __init__(self, sources: Path, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        kept = {name: value for name, value in os.environ.items() if not name.startswith(NAMED)}
        unbounded = {"COMITY_MAX_PER_MINUTE": "0", "COMITY_REPEAT_S": "0"}
        self._environment = kept | unbounded | {"HOME": str(folder / "home"), "PYTHONPATH": str(sources)}
        (folder / "home").mkdir()
        subprocess.run(["git", "init", "-q", str(folder)], check=True)
        self._run("init", "--hosts", "claude-code")
        self._hook("SessionStart", source="startup")
        self._worker = subprocess.Popen(
            [sys.executable, "-c", _WORKER],
            cwd=folder,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def edit(self) -> float:
        """Seconds of one hook before an edit."""
        asked = {"tool_name": "Edit", "tool_input": {"file_path": str(self._folder / "own.py")}}
        return self._hook("PreToolUse", **asked)

    def batch(self) -> float:
        """Seconds of one hook after tools, when there is nothing new."""
        return self._hook("PostToolBatch", tool_calls=[])

    def start(self) -> float:
        """Seconds from the start of ``comity mcp`` to its first answer."""
        began = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, "-m", "comity", "mcp", "--agent-id", "starter"],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as server:
            assert server.stdin is not None
            assert server.stdout is not None
            server.stdin.write(_CALLS)
            server.stdin.flush()
            for _ in range(2):
                server.stdout.readline()
            taken = time.perf_counter() - began
            server.stdin.close()
        return taken

    def sends(self) -> float:
        """Seconds of a block of sends."""
        return self._ask("sends")

    def polls(self) -> float:
        """Seconds of a block of polls."""
        return self._ask("polls")

    def close(self) -> None:
        """End the process."""
        assert self._worker.stdin is not None
        self._worker.stdin.close()
        self._worker.wait(60)

    def _ask(self, what: str) -> float:
        assert self._worker.stdin is not None
        assert self._worker.stdout is not None
        self._worker.stdin.write(what + "\n")
        self._worker.stdin.flush()
        return float(self._worker.stdout.readline())

    def _hook(self, event: str, **payload: object) -> float:
        told = {"session_id": "session-1", "cwd": str(self._folder), "hook_event_name": event, **payload}
        return self._run("hook", "claude-code", event, stdin=json.dumps(told))

    def _run(self, *arguments: str, stdin: str = "") -> float:
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "comity", *arguments],
            cwd=self._folder,
            env=self._environment,
            input=stdin,
            text=True,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        return time.perf_counter() - began


_CALLS = b"".join(
    json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode() + b"\n"
    for number, (method, params) in enumerate(
        (
            (
                "initialize",
                {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}},
            ),
            ("tools/call", {"name": "macp_poll", "arguments": {}}),
        )
    )
)
_WORKER = """
import sys, time
import comity
names = [f"peer-{number}" for number in range(20)]
peers = [comity.open(agent_id=name, session_id=name) for name in names]
sender = comity.open(agent_id="sender", session_id="sender")
for one in (*peers, sender):
    one.session.start()
def sends(count):
    for number in range(count):
        sender.message.send(destination_agent_id=names[number % 20], content=f"{time.monotonic_ns()} the lexer is done")
def drain():
    for peer in peers:
        while found := peer.message.poll(max_messages=50).deliveries:
            for delivery in found:
                peer.message.ack(delivery_id=delivery.delivery_id)
for line in sys.stdin:
    drain()
    if line.strip() == "sends":
        began = time.perf_counter()
        sends(200)
    else:
        sends(100)
        began = time.perf_counter()
        for peer in (*peers, *peers):
            peer.message.poll(max_messages=5)
    print(time.perf_counter() - began, flush=True)
"""
