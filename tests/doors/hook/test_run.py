"""The hook as a whole process: whatever is wrong, the agent goes on, unless the project is strict."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from comity.doors.hook.on_time import GUARD_S, STRICT_S
from comity.doors.hook.payload import MAX_BYTES
from comity.doors.hook.turn import BUSY_S, STRICT_BUSY_S
from comity.hosts.catalog import ADAPTERS
from comity.hosts.contract import adapter_of
from tests.doors.cli.program import Done
from tests.doors.hook.hooked import Hooked, refusal, spoil

QUIET = Done(0, "", "")
ASIDE = Done(0, "{}", "")


def last(hooked: Hooked) -> tuple[str, str]:
    """What the last hook did, and what kind of error it met."""
    line = hooked.journal()[-1]
    return line["did"], line.get("why", "").partition(":")[0]


def test_without_a_project_nothing_is_made(bare: Hooked) -> None:
    for host, event in [("claude-code", "SessionStart"), ("claude-code", "PreToolUse"), ("nobody", "X")]:
        done = bare("SessionStart" if event == "X" else event, host=host, tool_name="Write", tool_input={})
        assert (done.code, done.err) == (0, "")
        assert json.loads(done.out or "{}") == {}
    assert bare.comity.files() == {}
    assert not (bare.folder / ".macp").exists()
    assert list(bare.comity.home.iterdir()) == []


def test_a_peer_is_heard_and_a_held_file_is_refused(hooked: Hooked) -> None:
    assert hooked("SessionStart", source="startup") == QUIET
    hooked("SessionStart", "S2", source="startup")
    hooked.comity("send", "lunch <now>", "--as", "ann", "--priority", "steering")
    told = json.loads(hooked("PostToolBatch", tool_calls=[]).out)["hookSpecificOutput"]
    assert told["hookEventName"] == "PostToolBatch"
    assert 'ann: "lunch \u2039now\u203a"' in told["additionalContext"]
    assert hooked("PostToolBatch", tool_calls=[]) == QUIET
    assert hooked.edit("a.py") == QUIET
    assert "a.py" in refusal(hooked.edit("a.py", "S2"))
    told = [(line["host"], line["did"]) for line in hooked.journal()]
    assert told == [("claude-code", did) for did in ("nothing", "inject", "inject", "nothing", "nothing", "refuse")]
    assert all(line["ms"] > 0 and line["at"] > 0 for line in hooked.journal())


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"utf-16"], ids=["utf-8", "utf-16"])
def test_byte_order_marks(hooked: Hooked, mark: bytes) -> None:
    payload = {"session_id": "S2", "cwd": str(hooked.folder), "tool_name": "Write"}
    hooked.edit("ä.py")
    text = json.dumps({**payload, "tool_input": {"file_path": str(hooked.folder / "ä.py")}}, ensure_ascii=False)
    data = mark + text.encode() if mark != b"utf-16" else text.encode("utf-16")
    assert "ä.py" in refusal(hooked.raw(data, "claude-code", "PreToolUse"))


def test_a_large_payload_is_read_whole_and_a_huge_one_to_its_end(hooked: Hooked) -> None:
    hooked.edit("a.py")
    assert "a.py" in refusal(hooked.edit("a.py", "S2", content="x" * 20_000_000))
    assert hooked.edit("a.py", "S2", content="x" * (MAX_BYTES + 1)) == ASIDE
    assert last(hooked) == ("error", "ValueError")


TRUNCATED = b'{"session_id": "S1", "tool_name": "Write", "tool_input": {"file_pa'


@pytest.mark.parametrize("data", [TRUNCATED, b"", b"[]", b"\xff\xfe\x00", b"[" * 200_000], ids=range(5))
def test_a_payload_that_cannot_be_read(hooked: Hooked, data: bytes) -> None:
    for event in ("PreToolUse", "SessionStart"):
        assert hooked.raw(data, "claude-code", event) == ASIDE
        assert last(hooked)[0] == "error"
    strict = hooked.raw(data, "claude-code", "PreToolUse", COMITY_ENFORCEMENT="strict")
    assert "this project is strict" in refusal(strict)
    assert hooked.raw(data, "claude-code", "SessionStart", COMITY_ENFORCEMENT="strict") == ASIDE
    assert hooked.raw(data, "claude-code", "PreToolUse", COMITY_ENFORCEMENT="off") == ASIDE


@pytest.mark.parametrize(
    "arguments", [(), ("claude-code",), ("nobody", "PreToolUse"), ("../x", ""), ("claude-code", "X")]
)
def test_wrong_names(hooked: Hooked, arguments: tuple[str, ...]) -> None:
    data = json.dumps({"session_id": "S1", "cwd": str(hooked.folder)}).encode()
    done = hooked.raw(data, *arguments)
    assert (done.code, done.out in ("", "{}"), done.err) == (0, True, "")
    assert last(hooked)[0] == "aside"


@pytest.mark.parametrize("host", ADAPTERS)
def test_every_host_goes_on_whatever_happens(hooked: Hooked, host: str) -> None:
    """A payload that is cut off, at its guard."""
    adapter = adapter_of(host)
    assert adapter is not None
    for event in adapter.guards:
        done = hooked.raw(TRUNCATED, host, event)
        assert (done.code, done.err) == (0, "")
        assert json.loads(done.out or "{}") in ({}, {"decision": "allow"})


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", "| true"])
def test_closed_streams(hooked: Hooked, closed: str) -> None:
    """What no host read was not given: it stays for the next hook, and no file gets the answer."""
    hooked("SessionStart", source="startup")
    hooked.comity("send", "hello", "--as", "ann", "--priority", "steering")
    before = hooked.comity.db.read_bytes()[:100]
    payload = json.dumps({"session_id": "S1", "cwd": str(hooked.folder)}).encode()
    script = f"$HOOK {closed}" if closed != "| true" else "{ $HOOK; echo $? >code; } | exec 0<&-"
    done = hooked.shell(script, "PostToolBatch", payload)
    assert (done.code, done.err) == (0, "")
    if "|" in closed:
        assert (hooked.folder / "code").read_text() == "0\n"
    unread = "1>" in closed or ">&- 2" in closed or closed == ">&-" or "|" in closed
    written = hooked.rows("SELECT written_ms IS NOT NULL FROM comity_injections")
    assert written == ([] if "<&-" in closed else [(0 if unread else 1,)])
    assert hooked.comity.db.read_bytes()[:16] == before[:16]


def test_a_locked_database_is_not_waited_for(hooked: Hooked) -> None:
    hooked.edit("a.py")
    holder = apsw.Connection(str(hooked.comity.db))
    holder.execute("BEGIN IMMEDIATE").fetchall()
    assert hooked.edit("b.py", "S2") == QUIET
    assert last(hooked) == ("error", "Unavailable")
    (hooked.folder / ".macp" / "comity.toml").write_text('enforcement = "strict"\n')
    assert hooked.comity("trust", "--yes").code == 0
    assert "is locked by another process" in refusal(hooked.edit("b.py", "S2"))
    assert hooked("SessionStart", "S3", source="startup") == QUIET
    holder.close()
    assert hooked.edit("b.py", "S2") == QUIET
    assert BUSY_S < GUARD_S
    assert STRICT_BUSY_S < STRICT_S


@pytest.mark.parametrize("how", ["text", "damaged", "folder", "read-only"])
def test_a_database_that_cannot_be_used(hooked: Hooked, how: str) -> None:
    if how == "read-only" and os.geteuid() == 0:
        pytest.skip("root may write anything")
    hooked("SessionStart", source="startup")
    spoil(hooked, how)
    try:
        assert hooked.edit("a.py", "S2") == QUIET
        assert hooked("PostToolBatch", tool_calls=[]) == QUIET
        data = json.dumps({"session_id": "S2", "cwd": str(hooked.folder), "tool_name": "Edit"}).encode()
        blind = data[:-1] + b', "tool_input": {"file_path": "a.py"}}'
        strict = hooked.raw(blind, "claude-code", "PreToolUse", COMITY_ENFORCEMENT="strict")
        assert "this project is strict" in refusal(strict)
    finally:
        hooked.comity.db.parent.chmod(0o700)


def test_settings_that_cannot_be_read_switch_the_guard_off_for_nobody(hooked: Hooked) -> None:
    (hooked.folder / ".macp" / "comity.toml").write_text("enforcement = [")
    assert not refusal(hooked.edit("a.py"))
    assert "claude-S1" in refusal(hooked.edit("a.py", "S2"))
    assert "comity.toml" in hooked.journal()[-1]["why"]


def test_a_folder_that_is_gone(hooked: Hooked) -> None:
    data = json.dumps({"session_id": "S1", "cwd": "/nowhere/at/all", "tool_name": "Edit"}).encode()
    done = hooked.shell("mkdir x; cd x; rmdir ../x; $HOOK", "PreToolUse", data)
    assert (done.code, done.out in ("", "{}"), done.err) == (0, True, "")


@pytest.mark.parametrize("name", ["foreign_cursor", "foreign_vscode", "foreign_copilot"])
def test_another_host_that_runs_these_hooks_is_answered_by_its_own_only(hooked: Hooked, name: str) -> None:
    fixture = json.loads((Path(__file__).parent / f"fixtures/claude-code/{name}.json").read_text())
    payload = {**fixture["payload"], "cwd": str(hooked.folder)}
    assert hooked.raw(json.dumps(payload).encode(), "claude-code", fixture["event"]) == ASIDE
    assert not hooked.comity.db.exists()
    assert last(hooked)[0] == "aside"


def test_a_relative_path_counts_from_the_hosts_folder(hooked: Hooked) -> None:
    (hooked.folder / "src").mkdir()
    hooked.edit("src/a.py")
    told = {"sessionId": "v", "cwd": str(hooked.folder / "src"), "tool_name": "editFiles"}
    done = hooked.raw(json.dumps({**told, "tool_input": {"files": ["a.py"]}}).encode(), "vscode", "PreToolUse")
    assert "src/a.py" in refusal(done)


def test_a_host_that_tells_no_session_is_known_by_its_process(hooked: Hooked) -> None:
    """Old versions of Kiro: this process is the host of both hooks."""
    hooked.edit("a.py")
    told = {"hook_event_name": "preToolUse", "cwd": str(hooked.folder), "tool_name": "fs_write"}
    ours = {**told, "tool_input": {"command": "create", "path": "b.py"}}
    assert hooked.raw(json.dumps(ours).encode(), "kiro", "preToolUse") == QUIET
    assert hooked.raw(json.dumps(ours).encode(), "kiro", "preToolUse") == QUIET
    held = {**told, "tool_input": {"command": "create", "path": "a.py"}}
    done = hooked.raw(json.dumps(held).encode(), "kiro", "preToolUse")
    assert (done.code, done.out) == (2, "")
    assert "a.py" in done.err
    assert hooked.rows("SELECT count(*) FROM comity_host_sessions WHERE host = 'kiro'") == [(1,)]


def test_a_person_who_types_it_is_not_left_waiting(bare: Hooked) -> None:
    ours, theirs = os.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "comity", "hook", "claude-code"],
        cwd=bare.folder, env=bare.comity.environment(), stdin=theirs, capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    os.close(ours)
    os.close(theirs)
    assert b"comity doctor" in done.stderr


def test_only_the_rooms_that_are_called_are_loaded(hooked: Hooked) -> None:
    """An event that finds nothing to say loads neither tasks nor memory, neither vault nor goals."""
    program = (
        "import sys; sys.argv = ['comity', 'hook', 'claude-code', 'PostToolBatch']\n"
        "from comity.__main__ import main\nmain()\n"
        "print(*sorted({n.split('.')[2] for n in sys.modules if n.startswith('comity.rooms.')}), file=sys.stderr)"
    )
    hooked("SessionStart", source="startup")
    data = json.dumps({"session_id": "S1", "cwd": str(hooked.folder), "tool_calls": []}).encode()
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=hooked.folder,
        env=hooked.comity.environment(),
        input=data,
        capture_output=True,
        check=True,
    )
    assert set(done.stderr.decode().split()) <= {"agents", "channels", "claims", "lifecycle", "turns"}
