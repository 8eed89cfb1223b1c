"""Nobody is silently unguarded: a session of which no hook is heard is told so, and is seen by everybody."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from time import monotonic
from typing import Any, Self

import pytest

from tests.doors.cli.program import TIMEOUT_S, Done, Program
from tests.prefork.started import Started


class Served:
    """`comity mcp` of one session, as an agent host starts it."""

    def __init__(self, comity: Program, client: str, **environment: str) -> None:
        self._process = Started(["mcp"], cwd=comity.folder, env=comity.environment(**environment))
        self.ask(
            "initialize",
            protocolVersion="2025-06-18",
            capabilities={},
            clientInfo={"name": client, "version": "1"},
        )

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """One request and its result."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        line = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()
        result: dict[str, Any] = json.loads(self._process.stdout.readline())["result"]
        return result

    def poll(self) -> list[str]:
        """What stands beside the answer to a poll."""
        result = self.ask("tools/call", name="macp_poll", arguments={})
        told = [item["text"] for item in result["content"][1:]]
        assert result["structuredContent"].get("comity") == (told[0] if told else None)
        return told

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(b"", TIMEOUT_S)


@pytest.fixture
def comity(tmp_path: Path) -> Program:
    """A repository with a workspace."""
    home, folder = tmp_path / "home", tmp_path / "garden"
    home.mkdir()
    folder.mkdir()
    subprocess.run(["git", "init", "-q", str(folder)], check=True, env={"HOME": str(home), "PATH": "/usr/bin:/bin"})
    program = Program(folder, home)
    assert program("init", "--hosts", "claude-code").code == 0
    return program


def hook(comity: Program, event: str, session: str, **told: Any) -> Done:
    payload = {"session_id": session, "cwd": str(comity.folder), **told}
    return comity("hook", "claude-code", event, stdin=json.dumps(payload).encode())


def found(comity: Program, check: str) -> list[str]:
    """The status of each such check of the doctor."""
    return [one["status"] for one in comity("doctor", "--json").json["checks"] if one["check"] == check]


def test_a_session_without_hooks_is_told_once_and_shown_everywhere(comity: Program) -> None:
    with Served(comity, "claude-code", CLAUDE_CODE_SESSION_ID="S1") as server:
        (told,) = server.poll()
        assert "no hook of claude-code is heard" in told
        assert "comity init --user-hooks" in told
        assert "macp_ext_claim_files" in told
        assert server.poll() == []
        (agent,) = comity("agents", "--json").json["agents"]
        assert agent["presence"]["hooks"] is False
        assert "no hooks" in comity("agents").out
        assert "no hooks: " in comity("status").out
        assert found(comity, "Sessions") == ["fail"]
        assert "It works" not in comity("doctor").out


def test_a_session_with_hooks_is_told_nothing(comity: Program) -> None:
    hook(comity, "SessionStart", "S1", source="startup")
    with Served(comity, "claude-code", CLAUDE_CODE_SESSION_ID="S1") as server:
        assert server.poll() == []
        assert "no hooks" not in comity("agents").out + comity("status").out
        assert found(comity, "Sessions") == ["ok"]


def test_hooks_that_begin_later_count_from_then_on(comity: Program) -> None:
    with Served(comity, "claude-code", CLAUDE_CODE_SESSION_ID="S1") as server:
        assert server.poll()
        hook(comity, "UserPromptSubmit", "S1", prompt="go on")
        assert found(comity, "Sessions") == ["ok"]
        assert server.poll() == []


def test_a_host_that_has_no_hooks_is_told_to_do_it_by_hand(comity: Program) -> None:
    with Served(comity, "Zed") as server:
        (told,) = server.poll()
        assert "macp_ext_claim_files" in told
        assert "--user-hooks" not in told
        end = monotonic() + TIMEOUT_S
        while comity("agents", "--json").json["agents"][0]["presence"]["program"] != "Zed":
            assert monotonic() < end, "peers never see which program it is"
        assert found(comity, "Sessions") == ["warn"]
        assert "It works" not in comity("doctor").out


def test_a_program_that_is_no_agent_host_is_told_nothing(comity: Program) -> None:
    with Served(comity, "my-client") as server:
        assert server.poll() == []
        assert found(comity, "Sessions") == ["ok"]


def test_where_the_guard_is_off_nobody_asks_for_hooks(comity: Program) -> None:
    with Served(comity, "claude-code", CLAUDE_CODE_SESSION_ID="S1", COMITY_ENFORCEMENT="off") as server:
        assert server.poll() == []


SPOILED = [
    'enforcment = "guard"',
    "enforcement = guard",
    "wake = {}",
    'max_hops = "x',
    "[wake]",
    "wake = 1\nwake = 2",
]


@pytest.mark.parametrize("text", SPOILED)
def test_a_typing_error_in_the_settings_switches_no_guard_off(text: str, comity: Program) -> None:
    path = comity.folder / "a.py"
    hook(comity, "SessionStart", "S1", source="startup")
    edit = {"tool_name": "Write", "tool_input": {"file_path": str(path)}}
    hook(comity, "PreToolUse", "S1", **edit)
    path.write_text("x\n")
    hook(comity, "PostToolBatch", "S1", tool_calls=[edit])
    (comity.folder / ".macp/comity.toml").write_text(text + "\n")
    assert '"deny"' in hook(comity, "PreToolUse", "S2", **edit).out
    log = Path(f"{comity.db}.hooks.log").read_text().splitlines()
    assert "comity.toml" in json.loads(log[-1])["why"]


def test_a_spoiled_file_keeps_no_server_from_starting_and_is_told(comity: Program) -> None:
    (comity.folder / ".macp/comity.toml").write_text('tools = "core"\nwak = "off"\n')
    with Served(comity, "my-client") as server:
        (told,) = server.poll()
        assert "there is no setting 'wak'" in told
        assert len(server.ask("tools/list")["tools"]) < 20, "what can be read of the file counts"
        assert "there is no setting 'wak'" in comity("status").out.replace("\n", " ")
        assert "there is no setting 'wak'" in comity("agents").err
        assert "fail" in found(comity, "Settings")
        assert "It works" not in comity("doctor").out


def test_a_config_that_cannot_be_read_leaves_the_one_database_that_is_there(comity: Program) -> None:
    path = comity.folder / "a.py"
    edit = {"tool_name": "Write", "tool_input": {"file_path": str(path)}}
    hook(comity, "SessionStart", "S1", source="startup")
    hook(comity, "PreToolUse", "S1", **edit)
    (comity.folder / ".macp/config.json").write_text("{")
    assert '"deny"' in hook(comity, "PreToolUse", "S2", **edit).out


def test_a_wrong_variable_stops_a_server_and_no_guard(comity: Program) -> None:
    edit = {"tool_name": "Write", "tool_input": {"file_path": str(comity.folder / "a.py")}}
    hook(comity, "SessionStart", "S1", source="startup")
    hook(comity, "PreToolUse", "S1", **edit)
    payload = json.dumps({"session_id": "S2", "cwd": str(comity.folder), **edit}).encode()
    done = comity("hook", "claude-code", "PreToolUse", stdin=payload, COMITY_ENFORCEMENT="gaurd")
    assert '"deny"' in done.out
    assert comity("mcp", COMITY_ENFORCEMENT="gaurd").code == 2
