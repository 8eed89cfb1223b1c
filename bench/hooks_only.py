"""Sessions that only hooks know: one is killed, again and again, beside twenty that live.

Every session is a process that runs hooks as Claude Code does, and edits a file of its own. The one that is killed with
SIGKILL has edited a file that another then wants. In half of the rounds a living session asks for that file until it
gets it; in the other half nobody asks, and the file is free once a server that runs beside has looked.

    python -m bench hooks_only
    python -m bench hooks_only --quick
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import apsw

from bench.figures import Figure, Options, median, short
from bench.server import compile_bytecode

FREE_S = 5.0  # by then the file has to be free
PATIENCE_S = 60.0  # for a loaded machine, where only the outcome counts
LIVING = 20
_HOST = """
import json, subprocess, sys
for line in sys.stdin:
    asked = json.loads(line)
    done = subprocess.run(asked["argv"], input=asked["stdin"].encode(), cwd=asked["cwd"], capture_output=True)
    print(json.dumps(done.stdout.decode()), flush=True)
"""
_CLAIMS = "SELECT agent_id, file_path FROM macp_ext_file_claims WHERE released_at IS NULL"


class Session:
    """One session of a host: a process that runs hooks."""

    def __init__(self, folder: Path, session_id: str) -> None:
        self.session_id = session_id
        self._folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-c", _HOST],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_environment(folder),
            text=True,
        )
        self.hook("SessionStart", source="startup")

    def hook(self, event: str, **told: Any) -> dict[str, Any]:
        """One hook, and what it answers the host."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        folder = str(self._folder)
        payload = {"session_id": self.session_id, "cwd": folder, "hook_event_name": event, **told}
        argv = [sys.executable, "-m", "comity", "hook", "claude-code", event]
        self.process.stdin.write(json.dumps({"argv": argv, "stdin": json.dumps(payload), "cwd": folder}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(json.loads(self.process.stdout.readline()) or "{}")
        found: dict[str, Any] = answer.get("hookSpecificOutput", {})
        return found

    def may_edit(self, name: str) -> bool:
        """Whether the guard lets it."""
        asked = {"file_path": str(self._folder / name)}
        return self.hook("PreToolUse", tool_name="Edit", tool_input=asked).get("permissionDecision") != "deny"

    def edit(self, name: str) -> None:
        """An edit, from the question to its end."""
        assert self.may_edit(name), f"{self.session_id} may not edit {name}"
        (self._folder / name).write_text(f"{self.session_id}\n", encoding="utf-8")
        self.hook("PostToolUse", tool_name="Edit", tool_input={"file_path": str(self._folder / name)})

    def kill(self) -> float:
        """With SIGKILL; when, by the monotonic clock."""
        at = time.monotonic()
        self.process.kill()
        self.process.communicate()
        return at

    def end(self) -> None:
        """Close what its process reads."""
        self.process.communicate(timeout=PATIENCE_S)


class Outcome(NamedTuple):
    """After how long each file was free, asked for and not, and claims of the living that went."""

    asked_s: list[float]
    noticed_s: list[float]
    lost: list[str]


class Ground:
    """A repository, the living, and a server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        _git(folder, "init", "-q")
        (folder / ".macp").mkdir()
        self.living = [Session(folder, f"living-{number:02}") for number in range(LIVING)]
        for number, session in enumerate(self.living):
            session.edit(f"own-{number:02}.txt")
        self.connection = apsw.Connection(str(folder / ".macp" / f"{folder.name}.macp.db"))
        self.connection.set_busy_timeout(2000)
        self.server = self._serve()

    def _serve(self) -> subprocess.Popen[bytes]:
        argv = [sys.executable, "-m", "comity", "mcp", "--agent-id", "served"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        server = subprocess.Popen(argv, cwd=self.folder, env=_environment(self.folder), **pipes)  # type: ignore[call-overload]
        told = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}
        for number, method, params in ((1, "initialize", told), (2, "tools/call", {"name": "macp_poll"})):
            line = json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
            server.stdin.write(line.encode() + b"\n")
            server.stdin.flush()
            server.stdout.readline()
        found: subprocess.Popen[bytes] = server
        return found

    def held(self) -> set[tuple[str, str]]:
        """Whoever holds what."""
        return {(str(agent_id), str(path)) for agent_id, path in self.connection.execute(_CLAIMS).fetchall()}

    def round(self, number: int, *, asks: bool) -> float:
        """Somebody edits a file and is killed; after how long it is free."""
        name = f"file-{number:02}.txt"
        victim = Session(self.folder, f"victim-{number:02}")
        victim.edit(name)
        assert not self.living[0].may_edit(name), "it is the victim's"
        at = victim.kill()
        while time.monotonic() - at < PATIENCE_S:
            free = self.living[0].may_edit(name) if asks else (victim.session_id, name) not in self.held()
            if free:
                break
            time.sleep(0.02)
        return time.monotonic() - at

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()
        self.server.communicate(timeout=PATIENCE_S)
        for session in self.living:
            session.end()


def _environment(folder: Path) -> dict[str, str]:
    mine = ("MACP_", "COMITY_", "CLAUDE", "GEMINI", "CODEX", "GIT_")
    return {**{k: v for k, v in os.environ.items() if not k.startswith(mine)}, "CLAUDE_PROJECT_DIR": str(folder)}


def _git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True)


def run(folder: Path, rounds: int) -> Outcome:
    """So many rounds, every other one asked."""
    with Ground(folder) as ground:
        took = [ground.round(number, asks=number % 2 == 0) for number in range(rounds)]
        held = ground.held()
        own = [(session.session_id, f"own-{number:02}.txt") for number, session in enumerate(ground.living)]
        lost = [name for session_id, name in own if (session_id, name) not in held]
        lost += [name for number, (_, name) in enumerate(own) if ground.living[(number + 1) % LIVING].may_edit(name)]
    return Outcome(took[::2], took[1::2], lost)


def measure(options: Options) -> list[Figure]:
    """Bars: free within five seconds, and nobody else's."""
    compile_bytecode()
    rounds = options.size(50, 6)
    with tempfile.TemporaryDirectory(dir=options.folder) as made:
        folder = Path(os.path.realpath(made)) / "ground"
        folder.mkdir()
        outcome = run(folder, rounds)
    every = outcome.asked_s + outcome.noticed_s
    beside = {
        "asked for": f"median {short(median(outcome.asked_s))} s, most {short(max(outcome.asked_s))} s",
        "noticed by a server": f"median {short(median(outcome.noticed_s))} s, most {short(max(outcome.noticed_s))} s",
        "free in time": f"{sum(one <= FREE_S for one in every)} of {len(every)}",
    }
    what = f"hook-only sessions killed beside {LIVING} living ones, {rounds} times"
    return [
        Figure(f"{what}: longest until the file was free", max(every), " s", "at most", FREE_S, beside),
        Figure(f"{what}: claims and work of the living that went", len(outcome.lost), "", "at most", 0),
    ]
