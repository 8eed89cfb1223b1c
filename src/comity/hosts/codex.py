"""Codex CLI's hooks (reference: developers.openai.com/codex/hooks, tried with 0.169.0).

Hooks of one batch of tool calls run at once, and nothing in a payload tells one answer of the model from the next: so
only the end of a turn proves that the model has answered. Fields that an event does not know
make Codex refuse the whole answer.

``Idle`` is no event of its own but a second hook at ``Stop``, which runs beside the session (``async``) and wakes it by
``codex queue``: an answer of such a hook reaches nobody.

Its server stands in ``.codex/config.toml``, read in trusted projects only.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from comity.hosts import patch
from comity.hosts.contract import Abilities, Adapter, Answer, Heard, Moment, Reply, begins, inner, text
from comity.hosts.host import STDIO, Host
from comity.kernel.hints import Any

HOST = Host(
    name="codex",
    title="Codex CLI",
    file=".codex/config.toml",
    section=("mcp_servers",),
    entry=dict(STDIO),
    source="https://developers.openai.com/codex/mcp",
    checked="2026-11-22",
    program="codex",
    http={"url": "URL"},
    bearer={"bearer_token_env_var": "TOKEN_ENV"},
    format="toml",
    note="read in trusted projects only",
)

EDIT, SHELL = "apply_patch", "Bash"
_MOMENTS: dict[str, Moment] = {
    "SessionStart": "start",
    "SubagentStart": "start",
    "UserPromptSubmit": "prompt",
    "PreToolUse": "before",
    "PostToolUse": "after",
    "Stop": "stop",
    "SubagentStop": "stop",
    "Idle": "idle",
    "SessionEnd": "end",
}


def read(event: str, payload: Mapping[str, Any]) -> Heard | None:
    """One form for an event; None for unknown events."""
    moment = _MOMENTS.get(event)
    session_id = text(payload, "session_id")
    if moment is None or not session_id:
        return None
    tool, cwd = text(payload, "tool_name"), text(payload, "cwd")
    command = text(inner(payload, "tool_input"), "command", "input")
    return Heard(
        moment,
        session_id,
        subagent_id=text(payload, "agent_id"),
        cwd=cwd,
        source=begins(payload),  # "fork": a session of its own
        tool=tool,
        files=tuple(os.path.join(cwd, name) for name in patch.files(command)) if tool == EDIT else (),
        command=command if tool == SHELL else "",
        moved=moment == "stop",
        again=payload.get("stop_hook_active") is True,
        last=moment == "before",
        rests=event == "Stop",
    )


def write(event: str, heard: Heard, reply: Reply) -> Answer:
    """The answer as Codex takes it."""
    if heard.moment == "stop":
        return Answer(json.dumps({"decision": "block", "reason": reply.go_on})) if reply.go_on else Answer()
    if heard.moment in ("end", "idle"):
        return Answer()
    told: dict[str, object] = {"hookEventName": event}
    if reply.refuse and heard.moment == "before":
        told |= {"permissionDecision": "deny", "permissionDecisionReason": reply.refuse}
    if reply.inject:
        told["additionalContext"] = reply.inject
    return Answer(json.dumps({"hookSpecificOutput": told})) if len(told) > 1 else Answer()


ADAPTER = Adapter(
    "codex",
    Abilities(
        mid_turn=True,
        at_prompt=True,
        refuse=True,
        ask=False,
        stop=True,
        warn=True,
        wake="codex queue",
        proven="0.169.0",
        source="https://developers.openai.com/codex/hooks",
        checked="2026-11-22",
    ),
    (
        ("SessionStart", None),
        ("SubagentStart", None),
        ("UserPromptSubmit", None),
        ("PreToolUse", f"^({EDIT}|{SHELL})$"),
        ("PostToolUse", None),
        ("Stop", None),
        ("Idle", None),
        ("SubagentStop", None),
        ("SessionEnd", None),
    ),
    read,
    write,
    guards=("PreToolUse",),
    waker="codex_queue",
)
