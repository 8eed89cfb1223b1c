"""VS Code's hooks, of its Local harness (reference: code.visualstudio.com/docs/agent-customization/hooks). Preview.

Its Copilot, Claude and Codex harnesses run those hosts' own hooks. Copilot CLI reads the same folder as VS Code; it
sends ``session_id`` where VS Code sends ``sessionId``, so that each is answered by its own hook only.

Its server stands in ``.vscode/mcp.json``, where the servers stand under ``servers``.
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
    foreign,
    inner,
    paths,
    said,
    text,
)
from comity.hosts.host import ROOT_VARIABLE, STDIO, Host, Wiring, ends_well, events
from comity.kernel.hints import Any

EDITS = (
    "create_file",
    "replace_string_in_file",
    "multi_replace_string_in_file",
    "insert_edit_into_file",
    "edit_notebook_file",
    "editFiles",
    "apply_patch",
)
SHELL = "run_in_terminal"
READERS = (
    *("read_file", "list_dir", "grep_search", "file_search", "semantic_search", "get_errors", "get_changed_files"),
    *("get_terminal_output", "terminal_last_command", "terminal_selection", "test_search", "test_failure"),
    *("fetch_webpage", "github_repo", "get_search_view_results", "search_workspace_symbols", "list_code_usages"),
    *("get_vscode_api", "get_project_setup_info", "copilot_getNotebookSummary", "read_notebook_cell_output"),
    *("manage_todo_list", "think", "runSubagent", "search_subagent", "get_task_output", "open_simple_browser"),
    *("view_image", "vscode_askQuestions", "tool_search", "await_terminal", "kill_terminal", "resolve_memory_file_uri"),
)
KNOWN = frozenset((*EDITS, SHELL, *READERS))
_MOMENTS: dict[str, Moment] = {
    "SessionStart": "start",
    "SubagentStart": "start",
    "PreToolUse": "before",
    "PostToolUse": "after",
    "Stop": "stop",
    "SubagentStop": "stop",
}
EVENTS = events(_MOMENTS)
HOST = Host(
    name="vscode",
    title="VS Code",
    file=".vscode/mcp.json",
    section=("servers",),
    entry={"type": "stdio", **STDIO, "env": {ROOT_VARIABLE: "${workspaceFolder}"}},
    source="https://code.visualstudio.com/docs/copilot/reference/mcp-configuration",
    checked="2026-11-22",
    program="code",
    http={"type": "http", "url": "URL"},
    hooks=Wiring(
        ".github/hooks/comity.json", EVENTS, "list", end=ends_well, silent=True, defaults=((("version",), 1),)
    ),
    aliases=("visual studio code",),
    session_keys=(("vscode.conversationId",),),
    variables=(".vscode/settings.json",),
)


def read(event: str, payload: Mapping[str, Any]) -> HostEvent | None:
    """One form for an event; matchers are not honoured, so other tools come here, too."""
    moment = _MOMENTS.get(event)
    session_id = text(payload, "sessionId")
    if moment is None or not session_id:
        return None
    asked = inner(payload, "tool_input")
    tool, cwd = text(payload, "tool_name"), text(payload, "cwd")
    other = foreign(tool, asked, cwd, KNOWN)
    files = other.files if moment == "before" else ()
    if moment == "before" and tool in EDITS:
        files = paths(asked, "filePath", "files", "replacements") or patch.files(text(asked, "input"), cwd)
    return HostEvent(
        moment,
        session_id,
        subagent_id=text(payload, "agent_id"),
        cwd=cwd,
        tool=tool,
        files=files,
        command=text(asked, "command") if tool == SHELL else other.command,
        unknown=other.unknown,
        moved=moment == "stop",
        again=payload.get("stop_hook_active") is True,
    )


def write(event: str, heard: HostEvent, reply: HookReply) -> HookOutput:
    """The answer as VS Code takes it: a session's stop is held in ``hookSpecificOutput``, a subagent's next to it."""
    if event == "SubagentStop" and reply.go_on:
        return said({"decision": "block", "reason": reply.go_on})
    told: dict[str, object] = {}
    if heard.moment == "stop" and reply.go_on:
        told |= {"decision": "block", "reason": reply.go_on}
    if heard.moment == "before" and reply.refuse:
        told |= {"permissionDecision": "deny", "permissionDecisionReason": reply.refuse}
    if heard.moment != "stop" and reply.inject:
        told["additionalContext"] = reply.inject
    return said({"hookSpecificOutput": {"hookEventName": event, **told}}) if told else neutral(event)


def neutral(_: str) -> HookOutput:
    """An empty object, which is no objection."""
    return HookOutput("{}")


def sample(event: str, folder: str, path: str) -> dict[str, Any]:
    """A payload of VS Code."""
    asked = {"tool_name": "create_file", "tool_input": {"filePath": path}}
    named = {"sessionId": SESSION, "hookEventName": event, "timestamp": "2026-11-22T00:00:00.000Z"}
    return {**named, "cwd": folder, "source": "new", **asked}


ADAPTER = Adapter(
    HOST.name,
    Abilities(
        mid_turn=True,
        at_prompt=False,
        refuse=True,
        ask=True,
        stop=True,
        warn=True,
        source="https://code.visualstudio.com/docs/agents/reference/hooks-reference",
        checked="2026-11-22",
    ),
    EVENTS,
    read,
    write,
    sample,
    neutral,
    ("PreToolUse",),
)
