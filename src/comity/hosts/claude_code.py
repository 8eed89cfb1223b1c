"""Claude Code's hooks (reference: code.claude.com/docs/en/hooks, tried with 2.1.197).

Injection happens when a context begins, when the user speaks and after a batch of tool calls, always right before a
request to the model: so the next tool call, and the end of the turn, prove that the model has answered. Versions that
tell of no batches are told after each tool, which proves nothing, since others of its batch may follow.

``Idle`` is no event of its own but a second hook at ``Stop``, which runs next to the session and wakes it by ending
with 2 (``asyncRewake``). At its end a session without a terminal waits up to half a minute for such a hook: there it
waits only when ``COMITY_WAKE`` is set in its environment. Who knows no such hooks tells no ``background_tasks`` either.

Its server stands in ``.mcp.json``, which several other hosts read as well.
"""

from __future__ import annotations

from collections.abc import Mapping

from comity.hosts.contract import (
    Abilities,
    Adapter,
    HookOutput,
    HookReply,
    HostEvent,
    Moment,
    Reach,
    all_but,
    foreign,
    inner,
    paths,
    said,
    text,
    usual,
    why,
)
from comity.hosts.host import STDIO, Host, Span, UserHookFile, Wiring, ends_well, events
from comity.kernel.hints import Any
from comity.system.surroundings import HERE

EDITS, SHELL = ("Edit", "Write", "MultiEdit", "NotebookEdit"), "Bash"
READERS = (
    *("Read", "Grep", "Glob", "LS", "NotebookRead", "WebFetch", "WebSearch", "ToolSearch", "LSP"),
    *("TodoRead", "TodoWrite", "Task", "Agent", "TaskCreate", "TaskGet", "TaskList", "TaskUpdate", "TaskOutput"),
    *("TaskStop", "BashOutput", "KillShell", "KillBash", "AgentOutputTool", "AskUserQuestion", "SendMessage"),
    *("EnterPlanMode", "ExitPlanMode", "Skill", "SlashCommand", "Sleep", "CronCreate", "CronDelete", "CronList"),
    *("ListMcpResourcesTool", "ReadMcpResourceTool", "TeamCreate", "TeamDelete", "ScheduleWakeup"),
    *("StructuredOutput", "SendUserMessage", "PushNotification"),
)
KNOWN = frozenset((*EDITS, SHELL, *READERS))
_MOMENTS: dict[str, Moment] = {
    "SessionStart": "start",
    "SubagentStart": "start",
    "UserPromptSubmit": "prompt",
    "PreToolUse": "before",
    "PostToolBatch": "after",
    "Stop": "stop",
    "Idle": "idle",
    "SubagentStop": "stop",
    "SessionEnd": "end",
}
EVENTS = events(_MOMENTS, PreToolUse=all_but(READERS))
_SINGLE = "PostToolUse"  # of each tool of a batch, for versions that tell of no batches
HOST = Host(
    name="claude-code",
    title="Claude Code",
    file=".mcp.json",
    section=("mcpServers",),
    entry={"type": "stdio", **STDIO},
    source="https://code.claude.com/docs/en/mcp",
    checked="2026-11-22",
    program="claude",
    http={"type": "http", "url": "URL"},
    bearer={"headers": {"Authorization": "Bearer ${TOKEN_ENV}"}},
    note="asks once whether the project's servers may run; CLAUDE_PROJECT_DIR tells the server the project",
    user_hooks=UserHookFile("CLAUDE_CONFIG_DIR", ".claude", "settings.json"),
    hooks=Wiring(
        ".claude/settings.local.json",
        EVENTS,
        "groups",
        end=ends_well,
        silent=True,
        idle=("Idle", "Stop", {"async": True, "asyncRewake": True}),
        oldest=(2, 0, 43),
        spans={
            # Before 2.1.101 one event that it does not know costs it the whole file.
            "PostToolBatch": Span((2, 1, 120), harmful=True, instead=_SINGLE),
            "Idle": Span((2, 1, 140), lost="an idle session is not woken", harmful=True),
            "PreToolUse.additionalContext": Span((2, 1, 9), lost="warnings about an edit that may be made are lost"),
        },
    ),
    aliases=("claude",),
    session="CLAUDE_CODE_SESSION_ID",
    folder="CLAUDE_PROJECT_DIR",
    instructions=("CLAUDE.md", ".claude/CLAUDE.md"),
    yields=(".claude/AGENTS.md",),
    variables=(".claude/settings.json",),
)
# Claude Code sends none of these. Cursor, GitHub Copilot CLI and VS Code run its hooks as well, under ids of their own.
_FOREIGN = frozenset({"cursor_version", "timestamp", "sessionId"})


def read(event: str, payload: Mapping[str, Any]) -> HostEvent | None:
    """One form for an event; None for another host that runs this one's hooks, and for unknown events."""
    moment = _MOMENTS.get(event, "after" if event == _SINGLE else None)
    session_id = text(payload, "session_id")
    if moment is None or not session_id or not _FOREIGN.isdisjoint(payload):
        return None
    if moment == "idle" and not _may_wait(payload):
        return None
    cwd = text(payload, "cwd")
    reached = [_reach(call, cwd) for call in _calls(payload) or (payload,)]
    return HostEvent(
        moment,
        session_id,
        subagent_id=text(payload, "agent_id"),
        cwd=cwd,
        source=why(moment, payload),
        tool=text(payload, "tool_name"),
        files=tuple(dict.fromkeys(path for one in reached for path in one.files)),
        command="\n".join(one.command for one in reached if one.command),
        unknown=", ".join(dict.fromkeys(one.unknown for one in reached if one.unknown)),
        moved=moment not in ("start", "prompt") and event != _SINGLE,
        again=payload.get("stop_hook_active") is True,
        rests=event == "Stop",
    )


def _may_wait(payload: Mapping[str, Any]) -> bool:
    headless = HERE.environment.get("CLAUDE_CODE_ENTRYPOINT", "cli") != "cli"
    return "background_tasks" in payload and not (headless and "COMITY_WAKE" not in HERE.environment)


def _calls(payload: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The tool calls of a batch."""
    calls = payload.get("tool_calls")
    return [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []


def _reach(call: Mapping[str, Any], cwd: str) -> Reach:
    """What one tool call may change."""
    tool, asked = text(call, "tool_name"), inner(call, "tool_input")
    if tool in EDITS:
        return Reach(paths(asked, "file_path", "notebook_path"))
    return Reach(command=_command(asked)) if tool in ("", SHELL) else foreign(tool, asked, cwd, KNOWN)


def _command(asked: Mapping[str, Any]) -> str:
    """A shell command, with the sign of one that Claude Code leaves running."""
    command = text(asked, "command")
    return f"{command} &" if command and asked.get("run_in_background") is True else command


def neutral(_: str) -> HookOutput:
    """An empty object: also hosts that wait for JSON take it as no objection."""
    return HookOutput("{}")


def write(event: str, heard: HostEvent, reply: HookReply) -> HookOutput:
    """The answer as Claude Code takes it."""
    if heard.moment == "idle":
        return HookOutput(err=reply.wake, code=2) if reply.wake else HookOutput()
    if heard.moment == "stop":
        return said({"decision": "block", "reason": reply.go_on} if reply.go_on else {})
    told: dict[str, object] = {"hookEventName": event}
    if reply.refuse:  # what goes with it stands in the reason, which every version knows
        why = "\n\n".join(filter(None, (reply.refuse, reply.inject)))
        told |= {"permissionDecision": "deny", "permissionDecisionReason": why}
    elif reply.inject:
        told["additionalContext"] = reply.inject
    return said({"hookSpecificOutput": told} if len(told) > 1 else {})


ADAPTER = Adapter(
    HOST.name,
    Abilities(
        mid_turn=True,
        at_prompt=True,
        refuse=True,
        ask=True,
        stop=True,
        warn=True,
        wake="asyncRewake",
        proven="2.1.197",
        source="https://code.claude.com/docs/en/hooks",
        checked="2026-11-22",
    ),
    EVENTS,
    read,
    write,
    lambda event, folder, path: usual(event, folder, "Write", file_path=path, content="x"),
    neutral,
    ("PreToolUse",),
)
