"""Antigravity's hooks (reference: antigravity.google/docs/hooks; measured by others with agy 1.1.2 to 1.1.26).

Payloads are in camelCase and do not name their event. There is no event for the user's prompt: ``PreInvocation`` comes
before every request to the model, so what was injected at one has been answered at the next of the same turn; the first
of a turn proves nothing, since the turn before may have been broken off. A tool call whose hook does not answer with a
decision is denied.
"""

from __future__ import annotations

from collections.abc import Mapping

from comity.hosts.contract import (
    SESSION,
    Abilities,
    Adapter,
    HookOutput,
    HookReply,
    HostEvent,
    foreign,
    inner,
    said,
    text,
)
from comity.hosts.host import Host, Wiring
from comity.kernel.hints import Any

EDITS = ("write_to_file", "replace_file_content", "multi_replace_file_content")
SHELL = "run_command"
MCP = ("call_mcp_tool", "mcp_.+")
READERS = ("view_file", "list_dir", "grep_search", "find_by_name", "codebase_search", "search_web", "read_url_content")
KNOWN = frozenset((*EDITS, SHELL, *READERS))
EVENTS = (("PreInvocation", None), ("PreToolUse", "|".join((*EDITS, SHELL, *MCP))), ("Stop", None))
SOURCE, CHECKED = "https://antigravity.google/docs/hooks", "2026-11-22"


def neutral(event: str) -> HookOutput:
    """No objection: a decision where one is needed."""
    return said({"decision": "allow"}) if event in ("PreToolUse", "Stop") else HookOutput("{}")


HOST = Host(
    name="antigravity",
    title="Antigravity",
    source=SOURCE,
    checked=CHECKED,
    hooks=Wiring(
        ".agents/hooks.json",
        EVENTS,
        "bundle",
        end=lambda event: f"|| echo '{neutral(event).out}'",  # a tool whose hook says nothing is denied
    ),
)


def read(event: str, payload: Mapping[str, Any]) -> HostEvent | None:
    """One form for an event."""
    session_id = text(payload, "conversationId")
    if not session_id:
        return None
    spaces = payload.get("workspacePaths")
    folder = next((one for one in spaces if isinstance(one, str)), "") if isinstance(spaces, list) else ""
    if event == "PreInvocation":
        number = payload.get("invocationNum")
        first = number == 0 and payload.get("initialNumSteps") in (0, 1)
        answered = isinstance(number, int) and number > 0
        return HostEvent("start" if first else "after", session_id, cwd=folder, moved=answered)
    if event == "Stop":
        tries = payload.get("executionNum")
        done = text(payload, "terminationReason") in ("", "model_stop") and not payload.get("error")
        again = not done or (isinstance(tries, int) and tries > 1)
        return HostEvent("stop", session_id, cwd=folder, moved=done, again=again)
    if event != "PreToolUse":
        return None
    call = inner(payload, "toolCall")
    asked = inner(call, "args")
    tool = text(call, "name")
    path = _bare(text(asked, "TargetFile"))
    cwd = _bare(text(asked, "Cwd")) or folder
    given = inner(asked, "Arguments", "arguments", "args") or asked
    other = foreign(text(asked, "ToolName", "toolName") if tool == MCP[0] else tool, given, cwd, KNOWN)
    return HostEvent(
        "before",
        session_id,
        cwd=cwd,
        tool=tool,
        files=(path,) if tool in EDITS and path else other.files,
        command=_bare(text(asked, "CommandLine")) if tool == SHELL else other.command,
    )


def _bare(value: str) -> str:
    """Some versions send arguments as JSON text, in quotes."""
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value


def write(event: str, heard: HostEvent, reply: HookReply) -> HookOutput:
    """The answer as Antigravity takes it."""
    if heard.moment == "before" and reply.refuse:
        return said({"decision": "deny", "reason": reply.refuse})
    if heard.moment == "stop" and reply.go_on:
        return said({"decision": "continue", "reason": reply.go_on})
    if heard.moment in ("start", "after") and reply.inject:
        return said({"injectSteps": [{"ephemeralMessage": reply.inject}]})
    return neutral(event)


def sample(event: str, folder: str, path: str) -> dict[str, Any]:
    """A payload of Antigravity."""
    call = {"name": "write_to_file", "args": {"TargetFile": path}}
    first = {"invocationNum": 0, "initialNumSteps": 1} if event == "PreInvocation" else {"toolCall": call, "stepIdx": 1}
    return {"conversationId": SESSION, "workspacePaths": [folder], **first}


ADAPTER = Adapter(
    HOST.name,
    Abilities(
        mid_turn=True,
        at_prompt=True,
        refuse=True,
        ask=True,
        stop=True,
        warn=False,
        source=SOURCE,
        checked=CHECKED,
    ),
    EVENTS,
    read,
    write,
    sample,
    neutral,
    ("PreToolUse",),
)
