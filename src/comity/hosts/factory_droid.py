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
    all_but,
    foreign,
    inner,
    paths,
    said,
    text,
    usual,
    why,
)
from comity.hosts.host import STDIO, Host, UserHookFile, Wiring, ends_well, events
from comity.kernel.hints import Any

EDITS = ("Edit", "MultiEdit", "Create", "Write", "NotebookEdit", "ApplyPatch")
SHELL = "Execute"
READERS = (
    *("Read", "LS", "Grep", "Glob", "WebSearch", "FetchUrl", "TodoWrite", "Task", "Skill", "AskUser", "ExitSpecMode"),
    *("GenerateDroid", "ProposeMission", "ToolSearch"),
)
KNOWN = frozenset((*EDITS, SHELL, *READERS))
_MOMENTS: dict[str, Moment] = {
    "SessionStart": "start",
    "UserPromptSubmit": "prompt",
    "PreToolUse": "before",
    "PostToolUse": "after",
    "Stop": "stop",
    "SubagentStop": "stop",
    "SessionEnd": "end",
}
EVENTS = events(_MOMENTS, PreToolUse=all_but(READERS))
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
    user_hooks=UserHookFile("", ".factory", "hooks.json"),
    hooks=Wiring(".factory/hooks.json", EVENTS, "groups", root=(), end=ends_well, silent=True),
    aliases=("droid", "factory"),
)


def read(event: str, payload: Mapping[str, Any]) -> HostEvent | None:
    """One form for an event. After a tool nothing is proven: several may run at once."""
    moment = _MOMENTS.get(event)
    session_id = text(payload, "session_id")
    if moment is None or not session_id:
        return None
    asked = inner(payload, "tool_input")
    tool, cwd = text(payload, "tool_name"), text(payload, "cwd")
    other = foreign(tool, asked, cwd, KNOWN)
    files = other.files if moment == "before" else ()
    if moment == "before" and tool in EDITS:
        patched = text(asked, "input", "patch", "command")
        files = paths(asked, "file_path", "notebook_path") or patch.files(patched, cwd)
    return HostEvent(
        moment,
        session_id,
        subagent_id=text(payload, "agent_id"),
        cwd=cwd,
        source=why(moment, payload),
        tool=tool,
        files=files,
        command=text(asked, "command") if tool == SHELL else other.command,
        unknown=other.unknown,
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
