"""What is to be known before an edit that may be made reaches the agent as soon as its host lets it through."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from comity.hosts.catalog import ADAPTERS
from comity.hosts.contract import adapter_of
from tests.doors.cli.program import Done
from tests.doors.hook.hooked import Hooked, told

# The fixture of the next event at which the host takes words.
NEXT = {
    "claude-code": "batch",
    "codex": "after_shell",
    "gemini-cli": "after_edit",
    "antigravity": "invocation",
    "opencode": "after_shell",
    "cursor": "after",
    "vscode": "after",
    "copilot-cli": "after",
    "factory-droid": "after",
    "kiro": "prompt",
}
CLAIM = (
    "INSERT INTO macp_ext_file_claims (claim_id, file_path, agent_id, session_id, claimed_at, expires_at)"
    " SELECT 'c', 'a.py', agent_id, session_id, datetime('now'), datetime('now', '+1 hour') FROM sessions"
    " WHERE agent_id = 'ann' RETURNING 1"
)


def claimed_by_another_implementation(hooked: Hooked) -> None:
    hooked.comity("join", "main", "--as", "ann")
    assert hooked.rows(CLAIM) == [(1,)]


def guard(hooked: Hooked, host: str, session: str = "S1") -> Done:
    adapter = adapter_of(host)
    assert adapter is not None
    event = adapter.guards[0]
    payload = ADAPTERS[host].sample(event, str(hooked.folder), str(hooked.folder / "a.py"))
    data = json.dumps(payload).replace("comity-canary-session", session).encode()
    return hooked.raw(data, host, event)


def hear(hooked: Hooked, host: str) -> str:
    event, data = told(hooked, host, NEXT[host])
    done = hooked.raw(data, host, event)
    assert (done.code, done.err) == (0, "")
    return done.out


def commit(hooked: Hooked, name: str) -> None:
    identity = ("-c", "user.name=Tess", "-c", "user.email=tess@example.com", "-c", "commit.gpgsign=false")
    for arguments in (("add", name), ("commit", "-q", "-m", "x", "--", name)):
        subprocess.run(["git", *identity, *arguments], cwd=hooked.folder, check=True)


def warns(answer: str) -> bool:
    """Whether it tells of the claim: in the warning's own words, or quoted as a message of Comity."""
    return 'announced work on \\"a.py\\"' in answer or "announced work on 'a.py'" in answer


@pytest.mark.parametrize("host", ADAPTERS)
def test_a_warning_before_an_edit_comes_once(hooked: Hooked, host: str) -> None:
    claimed_by_another_implementation(hooked)
    adapter = adapter_of(host)
    assert adapter is not None
    hear(hooked, host)
    before = guard(hooked, host)
    assert (before.code, before.err) == (0, "")
    assert warns(before.out) is adapter.abilities.warn
    (hooked.folder / "a.py").write_text("edited\n")
    after = hear(hooked, host)
    assert warns(after) is not adapter.abilities.warn
    assert "a.py" not in guard(hooked, host).out
    assert "a.py" not in hear(hooked, host)
    did = {line["did"] for line in hooked.journal() if line["event"] == adapter.guards[0]}
    assert did == ({"inject", "nothing"} if adapter.abilities.warn else {"nothing"}), "what was said, and no more"


@pytest.mark.parametrize("command", ["echo x >> a.py", "sed -i s/a/b/ a.py"])
def test_a_warning_before_a_shell_command_comes_too(hooked: Hooked, command: str) -> None:
    claimed_by_another_implementation(hooked)
    event, data = told(hooked, "cursor", "shell", cwd=str(hooked.folder), tool_input={"command": command})
    assert hooked.raw(data, "cursor", event) == Done(0, "{}", "")
    assert warns(hear(hooked, "cursor"))
    assert "a.py" not in hear(hooked, "cursor")


def test_a_warning_that_nobody_read_comes_again(hooked: Hooked) -> None:
    """The hook after the tool is run by a host that has gone: the next one tells it."""
    claimed_by_another_implementation(hooked)
    guard(hooked, "cursor")
    _, data = told(hooked, "cursor", "after")
    assert hooked.shell("$HOOK >&-", "postToolUse", data, host="cursor") == Done(0, "", "")
    hooked.rows("UPDATE comity_injections SET leased_until_ms = 0 RETURNING 1")
    assert warns(hear(hooked, "cursor"))


def test_a_file_that_is_stale_and_announced_is_told_as_both(hooked: Hooked) -> None:
    hooked("SessionStart", source="startup")
    hooked("SessionStart", "S2", source="startup")
    assert hooked.edit("a.py").out == ""
    (hooked.folder / "a.py").write_text("S1's edit\n")
    commit(hooked, "a.py")
    claimed_by_another_implementation(hooked)
    out = hooked.edit("a.py", "S2").out
    assert "read it again" in out
    assert warns(out)


def test_a_comparison_that_fails_takes_no_message_away(hooked: Hooked) -> None:
    """The look of a command cannot be read: that is in the log, and the turn goes on."""
    hooked("SessionStart", source="startup")
    hooked("SessionStart", "S2", source="startup")
    hooked.edit("held.py", "S2")
    hooked("PreToolUse", tool_name="Bash", tool_input={"command": "make"})
    assert hooked.rows("UPDATE comity_looks SET files = '{' RETURNING 1") == [(1,)]
    hooked.comity("send", "hello", "--as", "ann", "--priority", "steering")
    done = hooked("PostToolBatch", tool_calls=[{"tool_name": "Bash", "tool_input": {"command": "make"}}])
    assert "hello" in done.out
    line = hooked.journal()[-1]
    assert (line["did"], line["why"].partition(":")[0]) == ("inject", "JSONDecodeError")


@pytest.mark.parametrize("programs", [os.environ["PATH"], "/nowhere"], ids=["git", "no-git"])
def test_names_that_are_no_text_and_files_that_are_none(hooked: Hooked, programs: str) -> None:
    """A folder that a peer holds has a file whose name is no UTF-8, a pipe that nobody writes, and a loop of links."""
    hooked("SessionStart", source="startup")
    hooked("SessionStart", "S2", source="startup")
    (hooked.folder / "lib").mkdir()
    hooked.comity("claim", "lib", "pipe", "--as", "ann")
    os.mkfifo(hooked.folder / "pipe")
    Path(os.fsdecode(os.fsencode(hooked.folder) + b"/lib/\xff\xfe.py")).write_text("x")
    (hooked.folder / "lib/loop").symlink_to("loop")
    hooked.comity("send", "hello", "--as", "ann", "--priority", "steering")
    payload = {"session_id": "S1", "cwd": str(hooked.folder)}
    asked = {"tool_name": "Bash", "tool_input": {"command": "make"}}
    before = hooked.raw(json.dumps({**payload, **asked}).encode(), "claude-code", "PreToolUse", PATH=programs)
    assert before.code == 0
    assert hooked.journal()[-1].get("why") is None
    after = json.dumps({**payload, "tool_calls": [asked]}).encode()
    assert "hello" in hooked.raw(after, "claude-code", "PostToolBatch", PATH=programs).out
    assert hooked.journal()[-1].get("why") is None


def test_a_breach_beside_a_command_of_the_holder_is_told_to_both(hooked: Hooked) -> None:
    """Kiro's command changes what Claude Code's session holds, whose own command at that time changes nothing."""
    hooked("SessionStart", "S2", source="startup")
    hooked.edit("a.py", "S2")
    held = hooked.folder / "a.py"
    held.write_text("S2's edit\n")
    hooked.rows("UPDATE comity_edits SET edited_ms = edited_ms - 600000 RETURNING 1")
    make: dict[str, Any] = {"tool_name": "Bash", "tool_input": {"command": "make"}}
    kiro: dict[str, Any] = {"tool_name": "execute_bash", "tool_input": {"command": "make all"}}

    def shell(name: str) -> None:
        event, data = told(hooked, "kiro", name, **kiro)
        assert hooked.raw(data, "kiro", event) == Done(0, "", "")

    shell("after_shell")
    event, data = told(hooked, "kiro", "edit", **kiro)
    assert hooked.raw(data, "kiro", event) == Done(0, "", "")
    hooked("PreToolUse", "S2", **make)
    assert "a.py" not in hooked("PostToolBatch", "S2", tool_calls=[make]).out
    held.write_text("from Kiro's program\n")
    shell("after_shell")
    assert "'a.py' changed, which you hold" in hooked("PostToolBatch", "S2", tool_calls=[]).out
    event, data = told(hooked, "kiro", "prompt")
    assert "'a.py' changed, which claude-S2 (S2) holds" in hooked.raw(data, "kiro", event).out
