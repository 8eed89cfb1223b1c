"""Hooks of Claude Code as whole processes, in one repository."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import apsw

from tests.doors.cli.program import TIMEOUT_S, Done, Program


class Hooked:
    """`comity hook`, as a host runs it. ``comity`` is the command line of the same repository."""

    def __init__(self, comity: Program) -> None:
        self.comity = comity
        self.folder = comity.folder

    def raw(self, data: bytes, *arguments: str, cwd: Path | None = None, **environment: str) -> Done:
        """One hook with this standard input; what it leaves must be no stack trace."""
        return self.comity("hook", *arguments, stdin=data, cwd=cwd, **environment)

    def __call__(self, event: str, session: str = "S1", host: str = "claude-code", **told: Any) -> Done:
        """One event of a session of Claude Code."""
        payload = {"session_id": session, "cwd": str(self.folder), "hook_event_name": event, **told}
        return self.raw(json.dumps(payload).encode(), host, event)

    def edit(self, path: str, session: str = "S1", **told: Any) -> Done:
        """The session wants to edit a file."""
        asked = {"file_path": str(self.folder / path), **told}
        return self("PreToolUse", session, tool_name="Write", tool_input=asked)

    def shell(self, script: str, event: str, data: bytes, host: str = "claude-code") -> Done:
        """A hook by a shell, whose redirections say what is open. ``$HOOK`` is the command."""
        hook = f"'{sys.executable}' -m comity hook {host} {event}"
        done = subprocess.run(
            ["/bin/sh", "-c", script.replace("$HOOK", hook)],
            cwd=self.folder,
            env=self.comity.environment(),
            input=data,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    def journal(self) -> list[dict[str, Any]]:
        """What the hooks wrote down."""
        path = Path(f"{self.comity.db}.hooks.log")
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What stands in the database."""
        connection = apsw.Connection(str(self.comity.db))
        try:
            return list(connection.execute(sql).fetchall())
        finally:
            connection.close()


FIXTURES = Path(__file__).parent / "fixtures"
_SESSION = ("session_id", "sessionId", "conversationId", "conversation_id")


def told(hooked: Hooked, host: str, name: str, session: str = "S1", **changes: Any) -> tuple[str, bytes]:
    """The event and the payload of a fixture, as a session in this repository would send it."""
    text = (FIXTURES / host / f"{name}.json").read_text(encoding="utf-8").replace('"/repo', f'"{hooked.folder}')
    fixture = json.loads(text)
    payload = {**fixture["payload"], **changes}
    payload |= {key: session for key in _SESSION if key in payload}
    return fixture["event"], json.dumps(payload).encode()


def refusal(done: Done) -> str:
    """Why Claude Code is to refuse the tool; empty when it is not."""
    assert done.code == 0
    told = json.loads(done.out).get("hookSpecificOutput", {}) if done.out else {}
    assert told.get("permissionDecision", "deny") == "deny"
    return str(told.get("permissionDecisionReason", ""))


def spoil(hooked: Hooked, how: str) -> None:
    """Make the database one that cannot be used."""
    database = hooked.comity.db
    hooked.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    for name in ("-wal", "-shm"):
        Path(f"{database}{name}").unlink(missing_ok=True)
    if how == "text":
        database.write_bytes(b"no database" * 999)
    elif how == "damaged":
        data = database.read_bytes()
        database.write_bytes(data[:4096] + b"\xff" * (len(data) - 4096))
    elif how == "folder":
        database.unlink()
        database.mkdir()
    elif how == "foreign":
        database.unlink()
        connection = apsw.Connection(str(database))
        connection.execute("CREATE TABLE agents (a); PRAGMA user_version = 99").fetchall()
        connection.close()
    else:
        database.chmod(0o400)
        database.parent.chmod(0o500)
