"""GitHub Copilot CLI's hooks (reference: docs.github.com/en/copilot/reference/hooks-reference). Not tried with it.

The event's case chooses the payload's: these are in camelCase. A hook before a tool that ends with any code but 0
denies the tool, so the installed command ends with 0 even when Comity is gone. What a hook says to a prompt is dropped.
A subagent's tools come under its session's id: the two cannot be told apart. What is said to a notification, such as
that an agent in the background is idle, sets an idle session going; no notification tells of the session's own rest.

Its server stands in reads Claude Code's ``.mcp.json``; ``stdio`` is its other word for ``local``.
"""

from __future__ import annotations

from collections.abc import Mapping

from comity.hosts import patch
from comity.hosts.contract import (
    SESSION,
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
    why,
)
from comity.hosts.host import STDIO, Host, UserHookFile, Wiring, ends_well, events
from comity.kernel.hints import Any

EDITS = ("create", "edit", "str_replace_editor", "apply_patch")
SHELLS = ("bash", "powershell")
READERS = (
    *("view", "grep", "rg", "glob", "web_fetch", "web_search", "task", "read_agent", "list_agents", "report_intent"),
    *("update_todo", "read_bash", "stop_bash", "list_bash", "read_powershell", "stop_powershell", "list_powershell"),
    *("ask_user", "skill", "fetch_copilot_cli_documentation", "show_file", "exit_plan_mode", "store_memory", "sql"),
)
KNOWN = frozenset((*EDITS, *SHELLS, *READERS))
_MOMENTS: dict[str, Moment] = {
    "sessionStart": "start",
    "preToolUse": "before",
    "postToolUse": "after",
    "agentStop": "stop",
    "notification": "idle",
    "sessionEnd": "end",
}
NOTIFIED = "agent_idle|agent_completed|shell_completed"
EVENTS = events(_MOMENTS, preToolUse=all_but(READERS), notification=NOTIFIED)
HOST = Host(
    name="copilot-cli",
    title="GitHub Copilot CLI",
    file=".mcp.json",
    section=("mcpServers",),
    entry={"type": "stdio", **STDIO},
    source="https://docs.github.com/en/copilot/how-tos/copilot-cli/customize-copilot/add-mcp-servers",
    checked="2026-11-22",
    program="copilot",
    http={"type": "http", "url": "URL"},
    bearer={"headers": {"Authorization": "Bearer ${TOKEN_ENV}"}},
    note="needs a trusted folder; `copilot -p` leaves project servers out unless "
    "GITHUB_COPILOT_PROMPT_MODE_WORKSPACE_MCP is set",
    user_hooks=UserHookFile("COPILOT_HOME", ".copilot", "hooks/comity.json"),
    hooks=Wiring(
        ".github/copilot/settings.local.json",
        EVENTS,
        "list",
        timeout="timeoutSec",
        end=ends_well,
        silent=True,
        todo="it runs them in folders that it trusts",
    ),
    aliases=("copilot", "github copilot", "github-copilot"),
)


def read(event: str, payload: Mapping[str, Any]) -> HostEvent | None:
    """One form for an event; VS Code's payloads, which name their event, are not for this hook."""
    moment = _MOMENTS.get(event)
    session_id = text(payload, "sessionId")
    if moment is None or not session_id or "hookEventName" in payload:
        return None
    asked = inner(payload, "toolArgs")
    tool = text(payload, "toolName")
    looks = tool == "str_replace_editor" and text(asked, "command") == "view"
    broken = text(payload, "stopReason") not in ("", "end_turn")  # no answer; and the agent is not asked to go on
    cwd = text(payload, "cwd")
    other = foreign(tool, asked, cwd, KNOWN)
    files = other.files if moment == "before" else ()
    if moment == "before" and tool in EDITS and not looks:
        patched = text(asked, "patch", "input") or text(payload, "toolArgs")
        files = paths(asked, "path") or patch.files(patched, cwd)
    return HostEvent(
        moment,
        session_id,
        cwd=cwd,
        source=why(moment, payload),
        tool=tool,
        files=files,
        command=text(asked, "command") if tool in SHELLS else other.command,
        unknown=other.unknown,
        moved=moment == "stop" and not broken,
        again=broken or payload.get("stop_hook_active") is True,
        rests=moment == "stop",
        glance=moment == "idle",
    )


def write(_: str, heard: HostEvent, reply: HookReply) -> HookOutput:
    """The answer as Copilot CLI takes it."""
    if heard.moment == "before" and reply.refuse:
        return said({"permissionDecision": "deny", "permissionDecisionReason": reply.refuse})
    if heard.moment == "stop" and reply.go_on:
        return said({"decision": "block", "reason": reply.go_on})
    if heard.moment == "idle" and reply.wake:
        return said({"additionalContext": reply.wake})
    if heard.moment in ("start", "after") and reply.inject:
        return said({"additionalContext": reply.inject})
    return HookOutput()


def sample(_: str, folder: str, path: str) -> dict[str, Any]:
    """A payload of Copilot CLI."""
    asked = {"toolName": "create", "toolArgs": {"path": path}}
    return {"sessionId": SESSION, "timestamp": 1, "cwd": folder, "source": "new", **asked}


ADAPTER = Adapter(
    HOST.name,
    Abilities(
        mid_turn=True,
        at_prompt=False,
        refuse=True,
        ask=True,
        stop=True,
        warn=False,
        wake="notification",
        source="https://docs.github.com/en/copilot/reference/hooks-reference",
        checked="2026-11-22",
    ),
    EVENTS,
    read,
    write,
    sample,
    guards=("preToolUse",),
)
