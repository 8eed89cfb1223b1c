"""Claude Code's hooks (reference: code.claude.com/docs/en/hooks, tried with 2.1.197).

Injection happens when a context begins, when the user speaks and after a batch of tool calls, always right before a
request to the model: so the next tool call, and the end of the turn, prove that the model has answered.

``Idle`` is no event of its own but a second hook at ``Stop``, which runs beside the session and wakes it by ending with
2 (``asyncRewake``). At its end a session without a terminal waits up to half a minute for such a hook: there it waits
only when ``COMITY_WAKE`` is set in its environment. Who knows no such hooks tells no ``background_tasks`` either.

Its server stands in ``.mcp.json``, which several other hosts read as well.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from comity.hosts.contract import Abilities, Adapter, Answer, Heard, Moment, Reply, begins, inner, text
from comity.hosts.host import STDIO, Host
from comity.kernel.hints import Any

HOST = Host(
    name="claude-code",
    title="Claude Code",
    file=".mcp.json",
    section=("mcpServers",),
    entry={"type": "stdio", **STDIO},
    source="https://code.claude.com/docs/en/mcp",
    checked="2026-11-22",
    program="claude",
    http={"type": "http", "url": "URL"},
    bearer={"headers": {"Authorization": "Bearer ${TOKEN_ENV}"}},
    note="asks once whether the project's servers may run; CLAUDE_PROJECT_DIR tells the server the project",
)

EDITS = ("Edit", "Write", "MultiEdit", "NotebookEdit")
# Claude Code sends none of these. Cursor, GitHub Copilot CLI and VS Code run its hooks as well, under ids of their own.
_FOREIGN = frozenset({"cursor_version", "timestamp", "sessionId"})
_MOMENTS: dict[str, Moment] = {
    "SessionStart": "start",
    "SubagentStart": "start",
    "UserPromptSubmit": "prompt",
    "PreToolUse": "before",
    "PostToolBatch": "after",
    "Stop": "stop",
    "SubagentStop": "stop",
    "Idle": "idle",
    "SessionEnd": "end",
}


def read(event: str, payload: Mapping[str, Any]) -> Heard | None:
    """One form for an event; None for another host that runs this one's hooks, and for unknown events."""
    moment = _MOMENTS.get(event)
    session_id = text(payload, "session_id")
    if moment is None or not session_id or not _FOREIGN.isdisjoint(payload):
        return None
    if moment == "idle" and not _may_wait(payload):
        return None
    asked = inner(payload, "tool_input")
    path = text(asked, "file_path", "notebook_path")
    tool = text(payload, "tool_name")
    return Heard(
        moment,
        session_id,
        subagent_id=text(payload, "agent_id"),
        cwd=text(payload, "cwd"),
        source=begins(payload),
        tool=tool,
        files=(path,) if tool in EDITS and path else (),
        command=_command(asked) if tool == "Bash" else _commands(payload),
        moved=moment not in ("start", "prompt"),
        again=payload.get("stop_hook_active") is True,
        rests=event == "Stop",
    )


def _may_wait(payload: Mapping[str, Any]) -> bool:
    headless = os.environ.get("CLAUDE_CODE_ENTRYPOINT", "cli") != "cli"
    return "background_tasks" in payload and not (headless and "COMITY_WAKE" not in os.environ)


def _commands(payload: Mapping[str, Any]) -> str:
    """The shell commands of a batch, one a line."""
    calls = payload.get("tool_calls")
    found = [inner(call, "tool_input") for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    return "\n".join(command for asked in found if (command := _command(asked)))


def _command(asked: Mapping[str, Any]) -> str:
    """A shell command, with the sign of one that Claude Code leaves running."""
    command = text(asked, "command")
    return f"{command} &" if command and asked.get("run_in_background") is True else command


def neutral(_: str) -> Answer:
    """An empty object: also hosts that wait for JSON take it as no objection."""
    return Answer("{}")


def write(event: str, heard: Heard, reply: Reply) -> Answer:
    """The answer as Claude Code takes it."""
    if heard.moment == "idle":
        return Answer(err=reply.wake, code=2) if reply.wake else Answer()
    if heard.moment == "stop":
        return Answer(json.dumps({"decision": "block", "reason": reply.go_on})) if reply.go_on else Answer()
    told: dict[str, object] = {"hookEventName": event}
    if reply.refuse:
        told |= {"permissionDecision": "deny", "permissionDecisionReason": reply.refuse}
    if reply.inject:
        told["additionalContext"] = reply.inject
    return Answer(json.dumps({"hookSpecificOutput": told})) if len(told) > 1 else Answer()


ADAPTER = Adapter(
    "claude-code",
    Abilities(
        mid_turn=True,
        at_prompt=True,
        refuse=True,
        ask=True,
        stop=True,
        warn=True,
        wake="asyncRewake",
        proven="2.1.197",
        source="https://code.claude.com/docs/en/hooks",
        checked="2026-11-22",
    ),
    (
        ("SessionStart", None),
        ("SubagentStart", None),
        ("UserPromptSubmit", None),
        ("PreToolUse", "|".join((*EDITS, "Bash"))),
        ("PostToolBatch", None),
        ("Stop", None),
        ("Idle", None),
        ("SubagentStop", None),
        ("SessionEnd", None),
    ),
    read,
    write,
    neutral,
    ("PreToolUse",),
)
