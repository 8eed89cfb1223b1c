"""Factory Droid's hooks (reference: docs.factory.ai/harness/hooks): Claude Code's form with other tools. Not tried.

Its server stands in ``.factory/mcp.json``.
"""

from __future__ import annotations

from collections.abc import Mapping

from comity.hosts import patch
from comity.hosts.contract import (
    Abilities,
    Adapter,
    HookOutput,
    HookReply,
    HostEvent,
    Moment,
    begins,
    inner,
    paths,
    said,
    text,
    usual,
)
from comity.hosts.host import STDIO, Host, Wiring, events
from comity.kernel.hints import Any

EDITS = ("Edit", "MultiEdit", "Create", "Write", "NotebookEdit", "ApplyPatch")
SHELL = "Execute"
_MOMENTS: dict[str, Moment] = {
    "SessionStart": "start",
    "UserPromptSubmit": "prompt",
    "PreToolUse": "before",
    "PostToolUse": "after",
    "Stop": "stop",
    "SubagentStop": "stop",
    "SessionEnd": "end",
}
EVENTS = events(_MOMENTS, PreToolUse="|".join((*EDITS, SHELL)))
HOST = Host(
    name="factory-droid",
    title="Factory Droid",
    file=".factory/mcp.json",
    section=("mcpServers",),
    entry={"type": "stdio", **STDIO},
    source="https://docs.factory.ai/cli/configuration/mcp",
    checked="2026-11-22",
    program="droid",
    http={"type": "http", "url": "URL"},
    hooks=Wiring(".factory/hooks.json", EVENTS, "groups", root=()),
    aliases=("droid", "factory"),
)


def read(event: str, payload: Mapping[str, Any]) -> HostEvent | None:
    """One form for an event. After a tool nothing is proven: several may run at once."""
    moment = _MOMENTS.get(event)
    session_id = text(payload, "session_id")
    if moment is None or not session_id:
        return None
    asked = inner(payload, "tool_input")
    tool = text(payload, "tool_name")
    files: tuple[str, ...] = ()
    if moment == "before" and tool in EDITS:
        files = paths(asked, "file_path", "notebook_path") or patch.files(text(asked, "input", "patch", "command"))
    return HostEvent(
        moment,
        session_id,
        subagent_id=text(payload, "agent_id"),
        cwd=text(payload, "cwd"),
        source=begins(payload),
        tool=tool,
        files=files,
        command=text(asked, "command") if tool == SHELL else "",
        moved=moment == "stop",
        again=payload.get("stop_hook_active") is True,
    )


def write(event: str, heard: HostEvent, reply: HookReply) -> HookOutput:
    """The answer as Droid takes it."""
    if heard.moment == "stop":
        return said({"decision": "block", "reason": reply.go_on} if reply.go_on else {})
    told: dict[str, object] = {}
    if heard.moment == "before" and reply.refuse:
        told |= {"permissionDecision": "deny", "permissionDecisionReason": reply.refuse}
    if heard.moment != "before" and reply.inject:
        told["additionalContext"] = reply.inject
    return said({"hookSpecificOutput": {"hookEventName": event, **told}} if told else {})


ADAPTER = Adapter(
    HOST.name,
    Abilities(
        mid_turn=True,
        at_prompt=True,
        refuse=True,
        ask=True,
        stop=True,
        warn=False,
        source="https://docs.factory.ai/harness/hooks",
        checked="2026-11-22",
    ),
    EVENTS,
    read,
    write,
    lambda event, folder, path: usual(event, folder, "Create", file_path=path, content="x"),
    guards=("PreToolUse",),
)
