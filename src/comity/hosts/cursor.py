"""Cursor's hooks (reference: cursor.com/docs/agent/hooks). Not tried with the program.

An answer that is no JSON, or not of the event's form, counts as a block: without anything to say it is ``{}``. Cursor
can run Claude Code's hooks too; those stay silent there, since they see ``cursor_version``.

Its server stands in ``.cursor/mcp.json``; it replaces ``${workspaceFolder}`` in ``env``.
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
from comity.hosts.host import ROOT_VARIABLE, STDIO, Host, UserHookFile, Wiring, events
from comity.kernel.hints import Any

EDITS = ("Write", "StrReplace", "Edit", "MultiEdit", "EditNotebook", "Delete", "ApplyPatch")
SHELL = "Shell"
READERS = (
    *("Read", "Grep", "Glob", "LS", "List", "Search", "SemanticSearch", "WebSearch", "WebFetch", "Task", "TodoWrite"),
    *("ReadLints", "FetchRules", "AskQuestion", "SwitchMode", "CreatePlan", "UpdateTodos", "Await"),
)
KNOWN = frozenset((*EDITS, SHELL, *READERS))
_MOMENTS: dict[str, Moment] = {
    "sessionStart": "start",
    "preToolUse": "before",
    "postToolUse": "after",
    "stop": "stop",
    "sessionEnd": "end",
}
EVENTS = events(_MOMENTS, preToolUse=all_but(READERS))
HOST = Host(
    name="cursor",
    title="Cursor",
    file=".cursor/mcp.json",
    section=("mcpServers",),
    entry={**STDIO, "env": {ROOT_VARIABLE: "${workspaceFolder}"}},
    source="https://cursor.com/docs/mcp",
    checked="2026-11-22",
    program="cursor",
    http={"url": "URL"},
    bearer={"headers": {"Authorization": "Bearer ${env:TOKEN_ENV}"}},
    user_hooks=UserHookFile("", ".cursor", "hooks.json"),
    hooks=Wiring(".cursor/hooks.json", EVENTS, "list", typed=False, defaults=((("version",), 1),)),
)


def read(event: str, payload: Mapping[str, Any]) -> HostEvent | None:
    """One form for an event; a subagent is a conversation that names its parent."""
    moment = _MOMENTS.get(event)
    session_id = text(payload, "conversation_id", "session_id")
    if moment is None or not session_id:
        return None
    parent = text(payload, "parent_conversation_id")
    spaces = payload.get("workspace_roots")
    folder = next((one for one in spaces if isinstance(one, str)), "") if isinstance(spaces, list) else ""
    asked = inner(payload, "tool_input")
    tool = text(payload, "tool_name")
    cwd = text(payload, "cwd") or folder
    other = foreign(tool, asked, cwd, KNOWN)
    loops = payload.get("loop_count")
    broken = text(payload, "status") in ("aborted", "error")  # no answer; and the agent is not asked to go on
    return HostEvent(
        moment,
        parent or session_id,
        subagent_id=session_id if parent else "",
        cwd=cwd,
        source=why(moment, payload),
        tool=tool,
        files=_files(tool, asked, cwd) or other.files if moment == "before" else (),
        command=text(asked, "command") if tool == SHELL else other.command,
        unknown=other.unknown,
        moved=moment == "stop" and not broken,
        again=broken or (isinstance(loops, int) and loops > 0),
    )


def _files(tool: str, asked: Mapping[str, Any], cwd: str) -> tuple[str, ...]:
    """Some versions leave the tool's name out: what brings a text for a file edits it."""
    unnamed = not tool and any(name in asked for name in ("contents", "content", "new_string", "edits"))
    if tool not in EDITS and not unnamed:
        return ()
    named = paths(asked, "file_path", "path", "target_file", "target_notebook")
    return named or patch.files(text(asked, "patch", "input", "command"), cwd)


def neutral(_: str) -> HookOutput:
    """No objection."""
    return HookOutput("{}")


def write(event: str, heard: HostEvent, reply: HookReply) -> HookOutput:
    """The answer as Cursor takes it. What is to be known before a tool runs comes after it."""
    if heard.moment == "before" and reply.refuse:
        return said({"permission": "deny", "user_message": reply.refuse, "agent_message": reply.refuse})
    if heard.moment == "stop" and reply.go_on:
        return said({"followup_message": reply.go_on})
    if heard.moment in ("start", "after") and reply.inject:
        return said({"additional_context": reply.inject})
    return neutral(event)


def sample(event: str, folder: str, path: str) -> dict[str, Any]:
    """A payload of Cursor."""
    return {
        "conversation_id": SESSION,
        "generation_id": "1",
        "cursor_version": "0",
        "workspace_roots": [folder],
        "hook_event_name": event,
        "tool_name": "Write",
        "tool_input": {"file_path": path},
    }


ADAPTER = Adapter(
    HOST.name,
    Abilities(
        mid_turn=True,
        at_prompt=False,
        refuse=True,
        ask=False,
        stop=True,
        warn=False,
        source="https://cursor.com/docs/agent/hooks",
        checked="2026-11-22",
    ),
    EVENTS,
    read,
    write,
    sample,
    neutral,
    ("preToolUse",),
)
