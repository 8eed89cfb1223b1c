"""What the safety net costs: the hooks before and after a shell command, as whole processes, in a large tree.

In the tree lie 30,000 files that git does not know. In one copy of it a peer has 20 files with uncommitted work, of
which copies are kept; in the other one the agent is alone. A pair is the hook before and the hook after one command;
pairs with the peer and without run in turn. Beside the time stands the processor time, which says more while other work
runs, and what the interpreter alone takes.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from bench.figures import Figure, Options, median, short
from bench.ground import Ground
from bench.server import compile_bytecode

FILES, DIRTY, BAR = 30_000, 20, 1.3
_PER_FOLDER = 300
_GIT = ("git", "-c", "user.name=Bench", "-c", "user.email=bench@example.com", "-c", "commit.gpgsign=false")
# What is run, and whether it writes a file of the agent's own.
_COMMANDS = {"a command that changes nothing": ("make", False), "a command that writes a file": ("./generate", True)}


class Spent(NamedTuple):
    """Time that has passed, and that processors have worked."""

    passed_ms: float
    processor_ms: float


class Tree:
    """A repository with an agent, and with a peer or without one."""

    def __init__(self, folder: Path, files: int, *, peer: bool) -> None:
        self.folder, self.written = folder, 0
        self.program = str(Path(sys.executable).with_name("comity"))
        self.environment = {
            name: text for name, text in os.environ.items() if not name.startswith(("MACP_", "COMITY_", "CLAUDE"))
        } | {"HOME": str(folder.parent)}
        self._make(files)
        self.hook("bench", "SessionStart", source="startup")
        if peer:
            self._work("peer")

    def _make(self, files: int) -> None:
        for place in range(DIRTY * 5):
            path = self.folder / f"src/part{place % 5}/file{place}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"# {place}\n" * 100)
        for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "Begin."]):
            subprocess.run([*_GIT, *arguments], cwd=self.folder, check=True, capture_output=True)
        for place in range(files):
            path = self.folder / f"data/{place // _PER_FOLDER}/{place}.bin"
            if place % _PER_FOLDER == 0:
                path.parent.mkdir(parents=True)
            path.write_bytes(b"x")
        (self.folder / ".git/info").mkdir(exist_ok=True)
        (self.folder / ".git/info/exclude").write_text(".macp/\n")
        (self.folder / ".macp").mkdir()
        (self.folder / ".macp/config.json").write_text('{"projectId": "bench"}')

    def _work(self, session: str) -> None:
        """A peer edits twenty files."""
        self.hook(session, "SessionStart", source="startup")
        for place in range(DIRTY):
            path = self.folder / f"src/part{place % 5}/file{place}.py"
            tool = {"tool_name": "Write", "tool_input": {"file_path": str(path)}}
            self.hook(session, "PreToolUse", **tool)
            path.write_text("a peer's work\n" * 100)
            self.hook(session, "PostToolBatch", tool_calls=[tool])

    def hook(self, session: str, event: str, **payload: object) -> Spent:
        """One hook; what it took."""
        told = {"session_id": session, "cwd": str(self.folder), "hook_event_name": event, **payload}
        start, used = time.perf_counter(), _processor_ms()
        subprocess.run(
            [self.program, "hook", "claude-code", event],
            input=json.dumps(told).encode(),
            stdout=subprocess.PIPE,
            cwd=self.folder,
            env=self.environment,
            check=True,
        )
        return Spent((time.perf_counter() - start) * 1000, _processor_ms() - used)

    def pair(self, command: str, *, writes: bool) -> Spent:
        """The hooks around one command: what both took."""
        tool = {"tool_name": "Bash", "tool_input": {"command": command}}
        before = self.hook("bench", "PreToolUse", **tool)
        if writes:
            self.written += 1
            (self.folder / "made.txt").write_text(f"{self.written}\n")
        after = self.hook("bench", "PostToolBatch", tool_calls=[tool])
        return Spent(before.passed_ms + after.passed_ms, before.processor_ms + after.processor_ms)


def _processor_ms() -> float:
    """What ended children have used until now."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (used.ru_utime + used.ru_stime) * 1000


def measure(options: Options) -> list[Figure]:
    """Bar: with a peer a pair takes at most 1.3 times what it takes alone."""
    compile_bytecode()
    files, rounds = options.size(FILES, 3000), options.size(60, 8)
    figures = []
    with Ground(options.folder) as ground:
        base = Path(os.path.realpath(ground.folder))
        trees = {peer: Tree(base / f"peer-{peer}", files, peer=peer) for peer in (True, False)}
        for what, (command, writes) in _COMMANDS.items():
            taken: dict[bool, list[Spent]] = {True: [], False: []}
            bare: list[float] = []
            for number in range(rounds + 2):
                for peer in (True, False) if number % 2 else (False, True):
                    taken[peer].append(trees[peer].pair(command, writes=writes))
                start = time.perf_counter()
                subprocess.run([sys.executable, "-c", "pass"], check=True)
                bare.append((time.perf_counter() - start) * 1000)
            pairs = list(zip(taken[True][2:], taken[False][2:], strict=True))
            ratios = [one.passed_ms / other.passed_ms for one, other in pairs]
            worked = median(one.processor_ms / other.processor_ms for one, other in pairs)
            beside = {
                "with the peer": f"{short(median(one.passed_ms for one, _ in pairs))} ms",
                "alone": f"{short(median(other.passed_ms for _, other in pairs))} ms",
                "processor time": f"{short(worked)} of alone",
                "python -c pass": f"{short(median(bare))} ms",
            }
            name = f"hooks around {what}, {files:,} untracked files, {DIRTY} dirty files of a peer"
            figures.append(Figure(name, median(ratios), " of alone", "at most", BAR, beside))
    return figures
