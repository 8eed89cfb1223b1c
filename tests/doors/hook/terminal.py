"""Agent hosts in terminals of their own: each has a process, below which its hooks and its agent's commands run."""

from __future__ import annotations

import json
from typing import Any

from comity.hosts.contract import HookReply, adapter_of
from tests.doors.cli.program import Done
from tests.doors.hook.hooked import Hooked, told

# Hosts that tell why a session ends, with their events: of an edit, and of what the user says.
EVENTS = {
    "claude-code": ("PreToolUse", "UserPromptSubmit"),
    "codex": ("PreToolUse", "UserPromptSubmit"),
    "gemini-cli": ("BeforeTool", "BeforeAgent"),
    "factory-droid": ("PreToolUse", "UserPromptSubmit"),
}


class Terminal:
    """One process of a host. Programs start below it: what forks them is another process for each ``LC_TERMINAL``."""

    def __init__(self, hooked: Hooked, name: str, host: str = "claude-code", **environment: str) -> None:
        self.hooked, self.host = hooked, host
        self.environment: dict[str, Any] = {"LC_TERMINAL": name, **environment}

    def hook(self, event: str, session: str, **more: Any) -> Done:
        """An event of a session; a payload that the host would send."""
        payload = {"session_id": session, "cwd": str(self.hooked.folder), "hook_event_name": event, **more}
        return self.hooked.raw(json.dumps(payload).encode(), self.host, event, **self.environment)

    def captured(self, name: str, session: str, **changes: Any) -> Done:
        """An event as a fixture has it."""
        event, data = told(self.hooked, self.host, name, session, **changes)
        return self.hooked.raw(data, self.host, event, **self.environment)

    def edits(self, path: str, session: str, subagent: str = "") -> str:
        """The agent is about to edit a file: why it must not; empty when it may."""
        adapter = adapter_of(self.host)
        assert adapter is not None
        event = EVENTS[self.host][0]
        payload = adapter.sample(event, str(self.hooked.folder), str(self.hooked.folder / path))
        payload = {**payload, "session_id": session, **({"agent_id": subagent} if subagent else {})}
        done = self.hooked.raw(json.dumps(payload).encode(), self.host, event, **self.environment)
        assert (done.code, done.err) == (0, "")
        heard = adapter.read(event, payload)
        assert heard is not None
        assert heard.files
        if done.out == adapter.write(event, heard, HookReply()).out:
            return ""
        answer = json.loads(done.out)
        said = answer.get("hookSpecificOutput", answer)
        denied = "deny" in (said.get("permissionDecision"), said.get("decision"))
        return str(said.get("permissionDecisionReason") or said.get("reason")) if denied else ""

    def says(self, session: str) -> str:
        """The user speaks: what the model is told besides."""
        return self.hook(EVENTS[self.host][1], session, prompt="go on").out

    def command(self, *arguments: str) -> Done:
        """A command at the agent's prompt."""
        return self.hooked.comity(*arguments, **self.environment)


def agents(hooked: Hooked) -> dict[str, Any]:
    """Who is here, by id, as a person at another terminal sees it."""
    listed = hooked.comity("agents", "--json", LC_TERMINAL="person").json
    return {one["agentId"]: one for one in listed["agents"]}


def holders(hooked: Hooked) -> dict[str, str]:
    """Who holds which file."""
    listed = hooked.comity("claims", "--json", LC_TERMINAL="person").json
    return {one["filePath"]: one["agentId"] for one in listed["claims"]}
