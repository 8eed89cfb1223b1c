"""A hook answers, whatever hangs."""

import json
import subprocess
import sys

import apsw
import pytest

from tests.doors.cli.program import TIMEOUT_S
from tests.doors.hook.hooked import Hooked

ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"


@pytest.fixture
def endless(hooked: Hooked) -> Hooked:
    """Somebody put a trigger into the database that does not end once a file is claimed."""
    hooked("SessionStart", source="startup")
    connection = apsw.Connection(str(hooked.comity.db))
    claims = "CREATE TRIGGER theirs BEFORE INSERT ON macp_ext_file_claims"
    connection.execute(f"{claims} BEGIN DELETE FROM audit_log WHERE audit_id = ({ENDLESS}); END").fetchall()
    connection.close()
    return hooked


def test_a_payload_is_whole_though_its_pipe_stays_open(hooked: Hooked) -> None:
    payload = {"session_id": "S1", "cwd": str(hooked.folder), "hook_event_name": "SessionStart", "source": "startup"}
    process = subprocess.Popen(
        [sys.executable, "-m", "comity", "hook", "claude-code", "SessionStart"],
        cwd=hooked.folder,
        env=hooked.comity.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    text = json.dumps(payload, indent=1).encode()
    process.stdin.write(text[:30])
    process.stdin.flush()
    process.stdin.write(text[30:] + b"\n")
    process.stdin.flush()
    assert process.wait(TIMEOUT_S) == 0
    process.stdin.close()
    assert process.stdout is not None
    process.stdout.close()
    assert hooked.journal()[-1]["event"] == "SessionStart"


def test_an_edit_goes_on_when_nobody_can_look_in_time(endless: Hooked) -> None:
    done = endless.edit("a.py")
    assert (done.code, done.out) == (0, "")
    assert endless.journal()[-1]["did"] == "error"


def test_a_strict_project_refuses_then(endless: Hooked) -> None:
    asked = {"tool_name": "Write", "tool_input": {"file_path": str(endless.folder / "a.py")}}
    payload = {"session_id": "S1", "cwd": str(endless.folder), "hook_event_name": "PreToolUse", **asked}
    done = endless.raw(json.dumps(payload).encode(), "claude-code", "PreToolUse", COMITY_ENFORCEMENT="strict")
    assert "Comity cannot tell who holds these files" in done.out


def test_a_line_of_the_log_holds_nothing_that_a_shell_would_run(hooked: Hooked) -> None:
    hooked("SessionStart", source="startup")
    connection = apsw.Connection(str(hooked.comity.db))
    words = "$(touch PWNED) `touch PWNED` ; touch PWNED & touch PWNED | x > y"
    raised = f"BEGIN SELECT RAISE(ABORT, '{words}'); END"
    connection.execute(f"CREATE TRIGGER theirs BEFORE INSERT ON macp_ext_file_claims {raised}").fetchall()
    connection.close()
    hooked.edit("a.py")
    log = hooked.comity.db.with_name(hooked.comity.db.name + ".hooks.log")
    line = log.read_text().splitlines()[-1]
    assert "touch PWNED" in json.loads(line)["why"]
    assert not set(line) & set("$`;&|<>()")
    subprocess.run(["sh", str(log)], cwd=hooked.folder, capture_output=True, timeout=TIMEOUT_S, check=False)
    assert not (hooked.folder / "PWNED").exists()


@pytest.mark.parametrize("way", ["folder", "config"])
def test_a_link_that_came_with_a_branch_does_not_make_a_strict_user_lax(hooked: Hooked, way: str) -> None:
    hooked("SessionStart", source="startup")
    folder = hooked.folder / ".macp"
    folder.rename(hooked.folder / "elsewhere")
    if way == "folder":
        folder.symlink_to(hooked.folder / "elsewhere")
    else:
        folder.mkdir()
        (folder / "config.json").symlink_to(hooked.folder / "elsewhere/config.json")
    assert "deny" not in hooked.edit("a.py").out
    asked = {"tool_name": "Write", "tool_input": {"file_path": str(hooked.folder / "a.py")}}
    payload = {"session_id": "S1", "cwd": str(hooked.folder), "hook_event_name": "PreToolUse", **asked}
    done = hooked.raw(json.dumps(payload).encode(), "claude-code", "PreToolUse", COMITY_ENFORCEMENT="strict")
    assert "Comity cannot tell who holds these files" in done.out
