"""Every writer is seen: before it writes where its host shows what it is told, and afterwards whatever it is."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import pytest

from comity.hosts.catalog import ADAPTERS
from comity.hosts.hook_install import WIRINGS
from tests.doors.hook.hooked import Hooked, refusal

TRIES = 8
HELD = "held.py"
BREACHES = "SELECT count(*) FROM audit_log WHERE event_type = 'edit.breached'"


@pytest.fixture
def held(hooked: Hooked) -> Hooked:
    """A repository in which S1 has work in ``held.py``, and S2 has begun."""
    path = hooked.folder / HELD
    path.write_text("x = 1\n")
    hooked("SessionStart", "S1", source="startup")
    hooked("SessionStart", "S2", source="startup")
    assert not refusal(hooked.edit(HELD))
    path.write_text("x = 2\n")
    call = {"tool_name": "Write", "tool_input": {"file_path": str(path)}}
    hooked("PostToolBatch", tool_calls=[call])
    return hooked


def before(hooked: Hooked, tool: str, **asked: Any) -> str:
    """Why S2 may not run this tool of Claude Code; empty when it may."""
    return refusal(hooked("PreToolUse", "S2", tool_name=tool, tool_input=asked))


def patched(hooked: Hooked, patch: str) -> bool:
    """Whether Codex is kept from applying a patch."""
    asked = {"tool_name": "apply_patch", "tool_input": {"command": patch}}
    return '"deny"' in hooked("PreToolUse", "S2", "codex", **asked).out


@pytest.mark.parametrize(
    ("tool", "asked"),
    [
        ("mcp__filesystem__write_file", {"path": HELD, "content": "y"}),
        ("mcp__serena__replace_symbol_body", {"relative_path": HELD, "body": "y"}),
        ("mcp__serena__execute_shell_command", {"command": f"sed -i s/x/y/ {HELD}"}),
        ("mcp__editor__batch", {"operations": [{"args": {"filePath": HELD, "text": "y"}}]}),
        ("NotebookEdit", {"notebook_path": HELD, "new_source": "y"}),
        ("MultiEdit", {"file_path": HELD, "edits": []}),
        ("FutureEdit", {"file_path": HELD, "text": "y"}),
    ],
)
def test_a_tool_that_names_a_held_file_is_refused_before_it_runs(
    tool: str, asked: dict[str, Any], held: Hooked
) -> None:
    assert "claude-S1" in before(held, tool, **asked)


@pytest.mark.parametrize(
    ("host", "event", "payload"),
    [
        ("codex", "PreToolUse", {"tool_name": "mcp__fs__write_file", "tool_input": {"path": HELD}}),
        ("gemini-cli", "BeforeTool", {"tool_name": "mcp_fs_write_file", "tool_input": {"path": HELD}}),
        ("opencode", "tool.execute.before", {"tool": "fs_write_file", "args": {"path": HELD}}),
        ("factory-droid", "PreToolUse", {"tool_name": "mcp__fs__write_file", "tool_input": {"path": HELD}}),
        (
            "cursor",
            "preToolUse",
            {"conversation_id": "S2", "tool_name": "MCP:write_file", "tool_input": {"path": HELD}},
        ),
        ("vscode", "PreToolUse", {"sessionId": "S2", "tool_name": "mcp_fs_write", "tool_input": {"path": HELD}}),
        ("copilot-cli", "preToolUse", {"sessionId": "S2", "toolName": "fs-write_file", "toolArgs": {"path": HELD}}),
        ("kiro", "preToolUse", {"tool_name": "@fs/write_file", "tool_input": {"path": HELD}}),
        (
            "antigravity",
            "PreToolUse",
            {"conversationId": "S2", "toolCall": {"name": "call_mcp_tool", "args": {"ToolName": "write_file"}}},
        ),
    ],
)
def test_every_host_that_shows_the_arguments_refuses(
    host: str, event: str, payload: dict[str, Any], held: Hooked
) -> None:
    if host == "antigravity":
        payload["toolCall"]["args"]["Arguments"] = {"path": str(held.folder / HELD)}
        payload["workspacePaths"] = [str(held.folder)]
    if host in ("vscode", "copilot-cli", "antigravity"):
        done = held.raw(json.dumps({"cwd": str(held.folder), **payload}).encode(), host, event)
    else:
        done = held(event, "S2", host, **payload)
    assert "claude-S1" in done.out + done.err


@pytest.mark.parametrize("host", ["claude-code", "codex", "gemini-cli", "opencode"])
def test_what_a_tool_wrote_that_named_nothing_is_found_afterwards(host: str, held: Hooked) -> None:
    events = {
        "claude-code": ("PreToolUse", "PostToolBatch"),
        "codex": ("PreToolUse", "PostToolUse"),
        "gemini-cli": ("BeforeTool", "AfterTool"),
        "opencode": ("tool.execute.before", "tool.execute.after"),
    }[host]
    call = {"tool_name": "mcp__odd__go", "tool_input": {"what": "all"}, "tool": "odd_go", "args": {"what": "all"}}
    after = {"tool_calls": [call]} if host == "claude-code" else call
    assert '"deny"' not in held(events[0], "S2", host, **call).out
    (held.folder / HELD).write_text("x = 3\n")
    told = held(events[1], "S2", host, **after).out
    assert held.rows(BREACHES) == [(1,)]
    assert HELD in told
    assert "While your tool" in told


def test_tools_that_only_read_are_not_compared(held: Hooked) -> None:
    for tool in ("Read", "Grep", "mcp__macp__macp_poll"):
        before(held, tool, file_path=HELD)
        held("PostToolBatch", "S2", tool_calls=[{"tool_name": tool, "tool_input": {"file_path": HELD}}])
    assert held.rows("SELECT count(*) FROM comity_looks") == [(0,)]


def test_an_agent_that_is_alone_leaves_no_look_behind(hooked: Hooked) -> None:
    hooked("SessionStart", "S2", source="startup")
    assert not before(hooked, "mcp__filesystem__write_file", path=str(hooked.folder / "new.py"), content="y")
    assert hooked.rows("SELECT count(*) FROM comity_looks") == [(0,)]


@pytest.mark.parametrize("bad", ["n\ud83d.py", f"n{chr(0xDCFF)}.py", "n\0.py", "n" * 300 + ".py", "n/" * 3000 + "n.py"])
def test_one_name_that_cannot_be_leaves_the_others_guarded(bad: str, held: Hooked) -> None:
    head = f"*** Begin Patch\n*** Add File: {bad}\n+x\n"
    assert patched(held, f"{head}*** Update File: {HELD}\n@@\n-x\n+y\n*** End Patch")
    assert before(held, "mcp__fs__write_files", files=[{"path": bad}, {"path": HELD}])
    assert before(held, "Bash", command=f"echo '{bad}'; echo y > {HELD}".replace("\0", ""))


def test_the_last_of_many_files_is_guarded(held: Hooked) -> None:
    many = "".join(f"*** Add File: n{number}.py\n+x\n" for number in range(1200))
    assert patched(held, f"*** Begin Patch\n{many}  *** Delete File: {HELD}\n*** End Patch")


@pytest.mark.parametrize(
    "command",
    [
        f"cat > {HELD} <<'EOF'\n" + "x = 'a line of code'\n" * 25_000 + "EOF",
        f"cat > {HELD} <<EOF\n" + 'x = "$HOME"\n' * 40_000 + "EOF",
        f"printf %s '{'x = 1' * 100_000}' > {HELD}",
        f'printf %s "{"x = 1 " * 100_000}" > {HELD}',
        "cat > big.txt <<'EOF'\n" + "x" * 600_000 + f"\nEOF\nrm {HELD}",
        "apply_patch <<'EOF'\n*** Begin Patch\n*** Add File: big.txt\n"
        + "+x\n" * 200_000
        + f"*** Delete File: {HELD}\nEOF",
        f"apply_patch <<'EOF'\n*** Begin Patch\n  *** Update File: {HELD}\n@@\n-x\n+y\n*** End Patch\nEOF",
        f"rm n{{1..600}}.py {HELD}",
        f"for f in {' '.join(f'n{number}' for number in range(200))} {HELD}; do echo y > $f; done",
        f"ed -s {HELD} <<'EOF'\n1d\nw\nq\nEOF",
        f"black {HELD}",
    ],
    ids=lambda command: command[:20],
)
def test_no_length_of_a_command_hides_what_it_writes(command: str, held: Hooked) -> None:
    asked = (before(held, "Bash", command=command) for _ in range(TRIES))
    assert "claude-S1" in next((refusal for refusal in asked if refusal), ""), "a busy machine lets one through, late"


def test_what_is_too_much_to_be_read_is_compared(held: Hooked) -> None:
    command = ":\n" * 20_000 + f"rm {HELD}"
    assert not before(held, "Bash", command=command)
    (held.folder / HELD).unlink()
    held("PostToolBatch", "S2", tool_calls=[{"tool_name": "Bash", "tool_input": {"command": command}}])
    assert held.rows(BREACHES) == [(1,)]


def test_what_is_too_much_to_be_read_is_refused_where_the_guard_is_strict(held: Hooked) -> None:
    command = ":\n" * 20_000 + f"rm {HELD}"
    payload = {"session_id": "S2", "cwd": str(held.folder), "tool_name": "Bash", "tool_input": {"command": command}}
    done = held.raw(json.dumps(payload).encode(), "claude-code", "PreToolUse", COMITY_ENFORCEMENT="strict")
    assert "too long" in refusal(done)


MATCHED = {
    "claude-code": ("Edit", "Bash", "mcp__filesystem__write_file", "mcp__macpx__write", "PowerShell"),
    "codex": ("apply_patch", "Bash", "mcp__filesystem__write_file", "mcp__m__x", "mcp__macpx__write"),
    "gemini-cli": ("replace", "run_shell_command", "mcp_fs_write_file", "write_file", "fs__write"),
    "cursor": ("Write", "Shell", "MCP:write_file"),
    "copilot-cli": ("edit", "bash", "fs-write_file"),
    "factory-droid": ("Edit", "Execute", "mcp__fs__write_file"),
}


@pytest.mark.parametrize("host", sorted(MATCHED))
def test_hooks_before_a_tool_run_for_every_writer_and_for_no_reader(host: str) -> None:
    wiring = next(one for one in WIRINGS if one.host == host)
    matcher = next(one for event, one in wiring.hooked if event in ADAPTERS[host].guards)
    assert matcher is not None
    readers = vars(sys.modules[ADAPTERS[host].read.__module__])["READERS"]
    assert [tool for tool in MATCHED[host] if not re.search(matcher, tool)] == []
    own = ("mcp__macp__macp_poll",) if host in ("claude-code", "codex", "factory-droid") else ("macp_poll",)
    assert [tool for tool in (*readers, *own) if re.search(matcher, tool)] == []
