"""Gemini CLI's hooks (reference: geminicli.com/docs/hooks/reference, tried with 0.61.0).

It takes a refusal at the top level only, and knows no words of a hook before a tool but those of a refusal: a warning
comes after the tool. Nothing in a payload tells one answer of the model from the next, so only the end of a turn
proves that the model has answered, and only when there is an answer. Its subagents' tools are told as those of the
session.

Its server stands in ``.gemini/settings.json``. It reads AGENTS.md only when ``context.fileName`` names it, which is the
user's to say: a project's value takes the place of that of the user's own settings.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

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
    said,
    text,
    usual,
    why,
)
from comity.hosts.host import STDIO, Host, UserHookFile, Wiring, ends_well, events
from comity.kernel.hints import Any

EDITS, SHELL = ("replace", "write_file"), "run_shell_command"
READERS = (
    *("read_file", "read_many_files", "list_directory", "glob", "grep_search", "search_file_content"),
    *("google_web_search", "web_fetch", "save_memory", "write_todos", "ask_user", "activate_skill"),
    *("enter_plan_mode", "exit_plan_mode", "get_internal_docs", "complete_task", "codebase_investigator"),
    *("cli_help", "generalist", "list_mcp_resources", "read_mcp_resource", "update_topic"),
)
KNOWN = frozenset((*EDITS, SHELL, *READERS))
_MOMENTS: dict[str, Moment] = {
    "SessionStart": "start",
    "BeforeAgent": "prompt",
    "BeforeTool": "before",
    "AfterTool": "after",
    "AfterAgent": "stop",
    "SessionEnd": "end",
}
EVENTS = events(_MOMENTS, BeforeTool=all_but(READERS))
HOST = Host(
    name="gemini-cli",
    title="Gemini CLI",
    file=".gemini/settings.json",
    section=("mcpServers",),
    entry=dict(STDIO),
    source="https://github.com/google-gemini/gemini-cli/blob/main/docs/reference/configuration.md",
    checked="2026-11-22",
    program="gemini",
    http={"httpUrl": "URL"},
    bearer={"headers": {"Authorization": "Bearer ${TOKEN_ENV}"}},
    user_hooks=UserHookFile("", ".gemini", "settings.json"),
    hooks=Wiring(
        ".gemini/settings.json",
        EVENTS,
        "groups",
        second=1000,
        named="comity",
        end=ends_well,
        shared=True,
        oldest=(0, 27, 0),
        silent=True,
        todo="it finds comity on its PATH, and runs the hooks in folders that it trusts",
    ),
    aliases=("gemini",),
    session="GEMINI_SESSION_ID",
    variables=(".env", ".gemini/.env"),
)
_SILENT = "[no response text]"


def read(event: str, payload: Mapping[str, Any]) -> HostEvent | None:
    """One form for an event; None for unknown events."""
    moment = _MOMENTS.get(event)
    session_id = text(payload, "session_id")
    if moment is None or not session_id:
        return None
    asked = inner(payload, "tool_input")
    tool, cwd = text(payload, "tool_name"), text(payload, "cwd")
    path = text(asked, "file_path")
    other = foreign(tool, asked, cwd, KNOWN)
    return HostEvent(
        moment,
        session_id,
        cwd=cwd,
        source=why(moment, payload),
        tool=tool,
        files=(os.path.join(cwd, path),) if tool in EDITS and path else other.files,
        command=text(asked, "command") if tool == SHELL else other.command,
        unknown=other.unknown,
        moved=moment == "stop" and payload.get("prompt_response") not in ("", _SILENT),
        again=payload.get("stop_hook_active") is True,
        last=moment == "before",
    )


def write(event: str, heard: HostEvent, reply: HookReply) -> HookOutput:
    """The answer as Gemini CLI takes it."""
    if heard.moment == "stop" and reply.go_on:
        return said({"decision": "deny", "reason": reply.go_on})
    if heard.moment == "before" and reply.refuse:
        return said({"decision": "deny", "reason": "\n\n".join(filter(None, (reply.refuse, reply.inject)))})
    if heard.moment in ("start", "prompt", "after") and reply.inject:
        return said({"hookSpecificOutput": {"hookEventName": event, "additionalContext": reply.inject}})
    return HookOutput()


def sample(event: str, folder: str, path: str) -> dict[str, Any]:
    """A payload of Gemini CLI."""
    told = usual(event, folder, "write_file", file_path=path, content="x")
    return {**told, "timestamp": "2026-11-22T00:00:00.000Z"}


ADAPTER = Adapter(
    HOST.name,
    Abilities(
        mid_turn=True,
        at_prompt=True,
        refuse=True,
        ask=False,
        stop=True,
        warn=False,
        proven="0.61.0",
        source="https://geminicli.com/docs/hooks/reference",
        checked="2026-11-22",
    ),
    EVENTS,
    read,
    write,
    sample,
    guards=("BeforeTool",),
)
