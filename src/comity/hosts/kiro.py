"""Kiro CLI's hooks (reference: kiro.dev/docs/cli/hooks); they belong to an agent's configuration. Not tried.

Standard output is the context itself, at the start and at a prompt only; a tool is refused by exit code 2, with the
reason on standard error. Nothing can be said between two tool calls. Only the end of a turn proves that the model has
answered: the first prompt follows the start at once, and a later one may follow a turn that was broken off.

Its server stands in ``.kiro/settings/mcp.json``.
"""

from __future__ import annotations

from collections.abc import Mapping

from comity.hosts.contract import Abilities, Adapter, Answer, Heard, Moment, Reply, inner, paths, text
from comity.hosts.host import STDIO, Host
from comity.kernel.hints import Any

HOST = Host(
    name="kiro",
    title="Kiro",
    file=".kiro/settings/mcp.json",
    section=("mcpServers",),
    entry=dict(STDIO),
    source="https://kiro.dev/docs/mcp/configuration",
    checked="2026-11-22",
    program="kiro-cli",
)

EDITS = ("fs_write", "write")
SHELLS = ("execute_bash", "execute_cmd", "shell")
_MOMENTS: dict[str, Moment] = {
    "agentSpawn": "start",
    "userPromptSubmit": "prompt",
    "preToolUse": "before",
    "postToolUse": "after",
    "stop": "stop",
}


def read(event: str, payload: Mapping[str, Any]) -> Heard | None:
    """One form for an event; older versions tell no session, so that their process stands for it."""
    moment = _MOMENTS.get(event)
    if moment is None or text(payload, "hook_event_name").lower() != event.lower():
        return None
    asked = inner(payload, "tool_input")
    tool = text(payload, "tool_name")
    return Heard(
        moment,
        text(payload, "session_id"),
        cwd=text(payload, "cwd"),
        tool=tool,
        files=paths(asked, "path", "file_path", "operations") if moment == "before" and tool in EDITS else (),
        command=text(asked, "command") if tool in SHELLS else "",
        moved=moment == "stop",
    )


def write(_: str, heard: Heard, reply: Reply) -> Answer:
    """The answer as Kiro takes it."""
    if heard.moment == "before":
        return Answer(err=reply.refuse, code=2) if reply.refuse else Answer()
    return Answer(reply.inject) if heard.moment in ("start", "prompt") else Answer()


ADAPTER = Adapter(
    "kiro",
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
    (
        ("agentSpawn", None),
        ("userPromptSubmit", None),
        ("preToolUse", "fs_write"),
        ("preToolUse", "execute_bash"),
        ("postToolUse", "execute_bash"),
        ("stop", None),
    ),
    read,
    write,
    guards=("preToolUse",),
)
