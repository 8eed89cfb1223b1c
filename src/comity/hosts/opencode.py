"""OpenCode: a plugin that runs ``comity hook opencode EVENT`` (opencode.ai/docs/plugins, tried with 1.18.33).

OpenCode has no hooks of its own that start programs, so both sides of this contract are ours: the plugin
(``opencode_plugin.js``) tells the session, the tool and its arguments, and whether the model was asked since the last
injection; it is answered ``inject``, ``refuse``, ``go_on`` and ``wake``. A subagent is a session with a parent there:
it is told as a subagent of its root session.

Its server stands in ``opencode.json`` or ``opencode.jsonc``; command and arguments are one list.
"""

from __future__ import annotations

import json
import os
import shlex
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
    said,
    text,
)
from comity.hosts.host import ARGS, COMMAND, Host, Include, UserHookFile, Wiring, events
from comity.kernel.hints import Any

EDITS, PATCHES, SHELL = ("edit", "write", "multiedit"), ("patch", "apply_patch"), "bash"
READERS = (
    *("read", "grep", "glob", "list", "ls", "webfetch", "websearch", "codesearch", "todowrite", "todoread", "task"),
    *("skill", "question", "lsp", "plan_enter", "plan_exit", "invalid", "batch"),
)
KNOWN = frozenset((*EDITS, *PATCHES, SHELL, *READERS))
_MOMENTS: dict[str, Moment] = {
    "session.start": "start",
    "chat.message": "prompt",
    "tool.execute.before": "before",
    "tool.execute.after": "after",
    "experimental.text.complete": "stop",
    "session.idle": "idle",
    "session.deleted": "end",
}
EVENTS = events(_MOMENTS)
_SOURCE = os.path.join(os.path.dirname(__file__), "opencode_plugin.js")


def plugin(program: str) -> str:
    """The plugin's text; ``program`` is what it runs, as a shell would take it."""
    with open(_SOURCE, encoding="utf-8") as file:
        whole = file.read()
    return whole.replace('["comity"]', json.dumps(shlex.split(program)), 1)


HOST = Host(
    name="opencode",
    title="OpenCode",
    file="opencode.json",
    section=("mcp",),
    entry={"type": "local", "command": [COMMAND, *ARGS], "enabled": True},
    source="https://opencode.ai/docs/mcp-servers/",
    checked="2026-11-22",
    program="opencode",
    http={"type": "remote", "url": "URL", "enabled": True},
    bearer={"headers": {"Authorization": "Bearer {env:TOKEN_ENV}"}, "oauth": False},
    others=("opencode.jsonc",),
    defaults=((("$schema",), "https://opencode.ai/config.json"),),
    includes=(Include(("instructions",), "AGENTS.md"),),
    user_hooks=UserHookFile("", ".config/opencode", "plugins/comity.js"),
    hooks=Wiring(".opencode/plugins/comity.js", EVENTS, "file", whole=plugin),
    session_keys=(("sessionID",),),
    yields=("CLAUDE.md", "CONTEXT.md"),
    yields_below=True,
)


def read(event: str, payload: Mapping[str, Any]) -> HostEvent | None:
    """One form for an event; None for unknown events."""
    moment = _MOMENTS.get(event)
    session_id = text(payload, "session_id")
    if moment is None or not session_id:
        return None
    asked = inner(payload, "args")
    tool, cwd = text(payload, "tool"), text(payload, "cwd")
    path = text(asked, "filePath", "path")
    patched = patch.files(text(asked, "patchText", "patch", "input"), cwd) if tool in PATCHES else ()
    other = foreign(tool, asked, cwd, KNOWN)
    named = patched or ((path,) if tool in EDITS and path else other.files)
    return HostEvent(
        moment,
        session_id,
        subagent_id=text(payload, "subagent_id"),
        cwd=cwd,
        source="compact" if payload.get("source") == "compact" else "startup",
        tool=tool,
        files=tuple(os.path.join(cwd, name) for name in named),
        command=text(asked, "command") if tool == SHELL else other.command,
        unknown=other.unknown,
        moved=payload.get("moved") is True and moment != "prompt",  # the user may have broken the answer off
        again=payload.get("again") is True,
        last=moment == "before",
        rests=moment == "idle",
    )


def write(_event: str, _heard: HostEvent, reply: HookReply) -> HookOutput:
    """The answer as the plugin takes it."""
    return said({name: words for name, words in reply._asdict().items() if words})


def sample(_: str, folder: str, path: str) -> dict[str, Any]:
    """A payload of the plugin."""
    return {"session_id": SESSION, "cwd": folder, "tool": "write", "args": {"filePath": path}}


ADAPTER = Adapter(
    HOST.name,
    Abilities(
        mid_turn=True,
        at_prompt=True,
        refuse=True,
        ask=False,
        stop=True,
        warn=True,
        wake="prompt_async",
        proven="1.18.33",
        source="https://opencode.ai/docs/plugins/",
        checked="2026-11-22",
    ),
    EVENTS,
    read,
    write,
    sample,
    guards=("tool.execute.before",),
)
