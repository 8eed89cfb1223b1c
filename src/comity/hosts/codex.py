"""Codex CLI's hooks (reference: developers.openai.com/codex/hooks, tried with 0.169.0).

Hooks of one batch of tool calls run at once, and nothing in a payload tells one answer of the model from the next: so
only the end of a turn proves that the model has answered. Fields that an event does not know
make Codex refuse the whole answer.

``Idle`` is no event of its own but a second hook at ``Stop``, which runs next to the session (``async``) and wakes it
by ``codex queue``: an answer of such a hook is not shown.

Its server stands in ``.codex/config.toml``, read in trusted projects only.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module

from comity.hosts import patch
from comity.hosts.contract import (
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
    usual,
    why,
)
from comity.hosts.host import STDIO, Host, Span, UserHookFile, Wiring, ends_well, events
from comity.kernel.hints import Any

EDIT, SHELL = "apply_patch", "Bash"
READERS = (
    *("update_plan", "view_image", "web_search", "read_file", "list_dir", "grep_files", "request_user_input"),
    *("list_mcp_resources", "list_mcp_resource_templates", "read_mcp_resource", "wait", "wait_agent", "spawn_agent"),
    *("send_input", "close_agent", "resume_agent", "tool_search", "get_goal", "create_goal", "update_goal"),
)
KNOWN = frozenset((EDIT, SHELL, *READERS))
# Tools of every MCP server but Comity's; its matchers cannot look ahead.
_MCP = "mcp__(?:[^m]|m[^a]|ma[^c]|mac[^p]|macp[^_]|macp_[^_]).*"
_MOMENTS: dict[str, Moment] = {
    "SessionStart": "start",
    "SubagentStart": "start",
    "UserPromptSubmit": "prompt",
    "PreToolUse": "before",
    "PostToolUse": "after",
    "Stop": "stop",
    "Idle": "idle",
    "SubagentStop": "stop",
    "SessionEnd": "end",
}
EVENTS = events(_MOMENTS, PreToolUse=f"^({EDIT}|{SHELL}|{_MCP})$")
_TURN = "x-codex-turn-metadata"


def _settings(folder: str) -> dict[str, Any]:
    """The settings in a ``config.toml``. Raises OSError and ValueError."""
    with open(os.path.join(folder, "config.toml"), "rb") as opened:
        read: dict[str, Any] = import_module("tomllib").load(opened)  # a hook does without it
    return read


def _home() -> str:
    return os.environ.get("CODEX_HOME") or os.path.join(os.path.expanduser("~"), ".codex")


def _trusted(checkout: str, file: str) -> bool | None:
    """Whether Codex's own configuration says that it trusts the project and the hooks of this file."""
    try:
        config = _settings(_home())
    except FileNotFoundError:
        return False
    except (OSError, ValueError):
        return None
    projects, hooks = config.get("projects", {}), config.get("hooks", {})
    project = projects.get(checkout, {}) if isinstance(projects, dict) else {}
    state = hooks.get("state", {}) if isinstance(hooks, dict) else {}
    ours = [key for key in state if os.path.join(checkout, file) in key] if isinstance(state, dict) else []
    return isinstance(project, dict) and project.get("trust_level") == "trusted" and bool(ours)


def _fallbacks(checkout: str) -> tuple[str, ...]:
    """The files that Codex's settings name to be read where there is no AGENTS.md."""
    found: list[str] = []
    for folder in (_home(), os.path.join(checkout, ".codex")):
        try:
            named = _settings(folder).get("project_doc_fallback_filenames", [])
        except (OSError, ValueError):
            continue
        found += [name for name in named if isinstance(name, str) and name] if isinstance(named, list) else []
    return tuple(dict.fromkeys(found))


HOST = Host(
    name="codex",
    title="Codex CLI",
    file=".codex/config.toml",
    section=("mcp_servers",),
    entry=dict(STDIO),
    source="https://developers.openai.com/codex/mcp",
    checked="2026-11-22",
    program="codex",
    http={"url": "URL"},
    bearer={"bearer_token_env_var": "TOKEN_ENV"},
    format="toml",
    note="read in trusted projects only",
    user_hooks=UserHookFile("CODEX_HOME", ".codex", "hooks.json", "trust each of them once, under /hooks there"),
    hooks=Wiring(
        ".codex/hooks.json",
        EVENTS,
        "groups",
        inline=".codex/config.toml",
        end=ends_well,
        silent=True,
        idle=("Idle", "Stop", {"async": True}),
        oldest=(0, 124, 0),
        spans={
            "SubagentStart": Span((0, 134, 0), lost="a subagent is not told who else is here"),
            "SessionEnd": Span((0, 144, 0), lost="the end of a session is noticed only when its process has ended"),
            "Idle": Span((0, 155, 0), lost="an idle session is not woken", harmful=True),
            "PreToolUse.additionalContext": Span((0, 129, 0), harmful=True),
        },
        todo="trust the project, and each hook under /hooks; in linked worktrees it runs none of the project",
        trusted=_trusted,
    ),
    session_keys=((_TURN, "session_id"),),
    thread_keys=((_TURN, "thread_id"), ("threadId",)),
    yields_also=_fallbacks,
)


def read(event: str, payload: Mapping[str, Any]) -> HostEvent | None:
    """One form for an event; None for unknown events."""
    moment = _MOMENTS.get(event)
    session_id = text(payload, "session_id")
    if moment is None or not session_id:
        return None
    tool, cwd = text(payload, "tool_name"), text(payload, "cwd")
    asked = inner(payload, "tool_input")
    command = text(asked, "command", "input")
    patched = patch.files(command, cwd) if tool == EDIT else ()
    other = foreign(tool, asked, cwd, KNOWN)
    return HostEvent(
        moment,
        session_id,
        subagent_id=text(payload, "agent_id"),
        cwd=cwd,
        source=why(moment, payload),  # "fork": a session of its own
        tool=tool,
        files=tuple(os.path.join(cwd, name) for name in patched) or other.files,
        command=command if tool == SHELL else other.command,
        unknown=other.unknown,
        moved=moment == "stop",
        again=payload.get("stop_hook_active") is True,
        last=moment == "before",
        rests=event == "Stop",
    )


def write(event: str, heard: HostEvent, reply: HookReply) -> HookOutput:
    """The answer as Codex takes it."""
    if heard.moment == "stop":
        return said({"decision": "block", "reason": reply.go_on} if reply.go_on else {})
    if heard.moment in ("end", "idle"):
        return HookOutput()
    told: dict[str, object] = {"hookEventName": event}
    if heard.moment == "before":
        if reply.refuse:
            why = "\n\n".join(filter(None, (reply.refuse, reply.inject)))
            told |= {"permissionDecision": "deny", "permissionDecisionReason": why}
    elif reply.inject:
        told["additionalContext"] = reply.inject
    return said({"hookSpecificOutput": told} if len(told) > 1 else {})


def sample(event: str, folder: str, path: str) -> dict[str, Any]:
    """A payload of Codex."""
    return usual(event, folder, EDIT, command=f"*** Begin Patch\n*** Add File: {path}\n+x\n*** End Patch")


ADAPTER = Adapter(
    HOST.name,
    Abilities(
        mid_turn=True,
        at_prompt=True,
        refuse=True,
        ask=False,
        stop=True,
        warn=False,  # 0.124 takes a context before a tool for a failure of the hook
        wake="codex queue",
        proven="0.169.0",
        source="https://developers.openai.com/codex/hooks",
        checked="2026-11-22",
    ),
    EVENTS,
    read,
    write,
    sample,
    guards=("PreToolUse",),
    waker="codex_queue",
)
