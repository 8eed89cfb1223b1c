"""The guard as a host calls it, for ``bench guard``: hooks of Claude Code as processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from comity.doors.hook import run as hook_program
from comity.hosts.contract import adapter_of
from comity.kernel.call import Pipeline
from comity.kernel.clock import SystemClock
from comity.kernel.ids import TimeOrderedIds
from comity.kernel.scope import Actor
from comity.rooms import REGISTRY
from comity.rooms.agents.sessions import require_session
from comity.store.sqlite import SqliteStore

_ASKED = (
    "turn.start",
    "turn.written",
    "turn.next",
    "edit.check",
    "command.check",
    "edit.compare",
    "edit.pending",
    "edit.landed",
    "work.settle",
    "session.leave",
    "claim.release",
)


class Hooks:
    """Hooks of all agents. ``executable``: the installed program, else the same one forked from here."""

    def __init__(self, root: Path, executable: bool) -> None:
        self.root, self.executable, self.calls = root, executable, 0
        self.database = root / ".macp" / "bench.macp.db"
        if not executable:
            adapter_of("claude-code")
            for name in _ASKED:
                REGISTRY.get(name)

    def call(self, event: str, session: str, home: Path, **payload: object) -> dict[str, Any]:
        """What the hook answers."""
        told = {"session_id": session, "cwd": str(home), "hook_event_name": event, **payload}
        data = json.dumps(told).encode()
        self.calls += 1
        out = self._run(event, data, home) if self.executable else self._forked(event, data, home)
        return dict(json.loads(out).get("hookSpecificOutput", {})) if out.strip() else {}

    def refusal(self, session: str, home: Path, tool: dict[str, Any]) -> str:
        """Why this call of a tool must not be made now; empty when it may."""
        answer = self.call("PreToolUse", session, home, **tool)
        denied = answer.get("permissionDecision") == "deny"
        return str(answer.get("permissionDecisionReason")) if denied else ""

    def release(self, session: str, home: Path, files: list[str]) -> None:
        """As the tool ``macp_ext_release_files`` does."""
        child = os.fork()
        if child == 0:
            code = 1
            try:
                store = SqliteStore(self.database)
                pipeline = Pipeline(store, SystemClock(), TimeOrderedIds(), session=require_session)
                worktree = "" if home == self.root else str(home)
                actor = Actor(session, f"claude-code:{session}", root=str(self.root), worktree=worktree)
                pipeline.run(REGISTRY.get("claim.release"), actor, {"files": files})
                code = 0
            finally:
                os._exit(code)
        os.waitpid(child, 0)

    def failed(self) -> int:
        """How many hooks could not do what they should."""
        log = Path(f"{self.database}.hooks.log")
        text = log.read_text() if log.exists() else ""
        return sum('"did": "error"' in line for line in text.splitlines())

    def _run(self, event: str, data: bytes, home: Path) -> bytes:
        program = Path(sys.executable).with_name("comity")
        return subprocess.run(
            [program, "hook", "claude-code", event], input=data, stdout=subprocess.PIPE, cwd=home, check=True
        ).stdout

    def _forked(self, event: str, data: bytes, home: Path) -> bytes:
        with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as answered:
            asked.write(data)
            asked.seek(0)
            child = os.fork()
            if child == 0:
                code = 1
                try:
                    os.chdir(home)
                    os.dup2(asked.fileno(), 0)
                    os.dup2(answered.fileno(), 1)
                    code = hook_program.main(["claude-code", event])
                finally:
                    os._exit(code)
            os.waitpid(child, 0)
            answered.seek(0)
            return answered.read()
