"""Kiro CLI's hooks (reference: kiro.dev/docs/cli/hooks); they belong to an agent's configuration. Not tried.

Standard output is the context itself, at the start and at a prompt only; a tool is refused by exit code 2, with the
reason on standard error. Nothing can be said between two tool calls. Only the end of a turn proves that the model has
answered: the first prompt follows the start at once, and a later one may follow a turn that was broken off.

Its server stands in ``.kiro/settings/mcp.json``.
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
    Moment,
    foreign,
    inner,
    paths,
    text,
)
from comity.hosts.host import STDIO, Host, Wiring
from comity.kernel.hints import Any

EDITS = ("fs_write", "write")
READERS = (
    "fs_read",
    "read",
    "grep",
    "glob",
    "code",
    "web_search",
    "web_fetch",
    "use_subagent",
    "todo_list",
    "thinking",
)
SHELLS = ("execute_bash", "execute_cmd", "shell")
KNOWN = frozenset((*EDITS, *SHELLS, *READERS))
EVENTS = (
    ("agentSpawn", None),
    ("userPromptSubmit", None),
    ("preToolUse", "fs_write"),
    ("preToolUse", "execute_bash"),
    ("postToolUse", "execute_bash"),
    ("stop", None),
)
HOST = Host(
    name="kiro",
    title="Kiro",
    file=".kiro/settings/mcp.json",
    section=("mcpServers",),
    entry=dict(STDIO),
    source="https://kiro.dev/docs/mcp/configuration",
    checked="2026-11-22",
    program="kiro-cli",
    hooks=Wiring(
        ".kiro/agents/comity.json",
        EVENTS,
        "list",
        timeout="timeout_ms",
        second=1000,
        typed=False,
        silent=True,
        defaults=(
            (("name",), "comity"),
            (("description",), "Kiro with messages and claims of other agents"),
            (("tools",), ["*"]),
            (("includeMcpJson",), True),
        ),
        todo="start it with `kiro-cli chat --agent comity`: hooks belong to an agent there",
    ),
)
_MOMENTS: dict[str, Moment] = {
    "agentSpawn": "start",
    "userPromptSubmit": "prompt",
    "preToolUse": "before",
    "postToolUse": "after",
    "stop": "stop",
}


def read(event: str, payload: Mapping[str, Any]) -> HostEvent | None:
    """One form for an event; older versions tell no session, so that their process stands for it."""
    moment = _MOMENTS.get(event)
    if moment is None or text(payload, "hook_event_name").lower() != event.lower():
        return None
    asked = inner(payload, "tool_input")
    tool, cwd = text(payload, "tool_name"), text(payload, "cwd")
    other = foreign(tool.rpartition("/")[2], asked, cwd, KNOWN)
    files = paths(asked, "path", "file_path", "operations") if tool in EDITS else other.files
    return HostEvent(
        moment,
        text(payload, "session_id"),
        cwd=cwd,
        tool=tool,
        files=files if moment == "before" else (),
        command=text(asked, "command") if tool in SHELLS else other.command,
        unknown=other.unknown,
        moved=moment == "stop",
    )


def write(_: str, heard: HostEvent, reply: HookReply) -> HookOutput:
    """The answer as Kiro takes it."""
    if heard.moment == "before":
        return HookOutput(err=reply.refuse, code=2) if reply.refuse else HookOutput()
    return HookOutput(reply.inject) if heard.moment in ("start", "prompt") else HookOutput()


def sample(event: str, folder: str, path: str) -> dict[str, Any]:
    """A payload of Kiro."""
    asked = {"tool_name": "fs_write", "tool_input": {"command": "create", "path": path}}
    return {"hook_event_name": event, "session_id": SESSION, "cwd": folder, **asked}


ADAPTER = Adapter(
    HOST.name,
    Abilities(
        mid_turn=False,
        at_prompt=True,
        refuse=True,
        ask=False,
        stop=False,
        warn=False,
        source="https://kiro.dev/docs/cli/hooks",
        checked="2026-11-22",
    ),
    EVENTS,
    read,
    write,
    sample,
    guards=("preToolUse",),
)
