"""A pause of the workspace, as a hook tells it to an agent that is about to change something."""

from __future__ import annotations

import json

import pytest

from tests.doors.cli.program import Done
from tests.doors.hook.hooked import Hooked, refusal

QUIET = Done(0, "", "")


def shell(hooked: Hooked, command: str, enforcement: str) -> Done:
    """The session wants to run a command line, in a project that is so strict."""
    payload = {
        "session_id": "S1",
        "cwd": str(hooked.folder),
        "hook_event_name": "PreToolUse",
        "tool_name": "Bash",
        "tool_input": {"command": command},
    }
    return hooked.raw(json.dumps(payload).encode(), "claude-code", "PreToolUse", COMITY_ENFORCEMENT=enforcement)


def test_an_edit_is_refused_while_the_workspace_is_paused(hooked: Hooked) -> None:
    hooked("SessionStart", source="startup")
    assert hooked.edit("a.py") == QUIET
    hooked.comity("pause", "The main branch is broken.")
    told = refusal(hooked.edit("a.py"))
    assert "paused this workspace at" in told
    assert '"The main branch is broken."' in told
    assert "`comity resume`" in told
    assert hooked.journal()[-1]["did"] == "refuse", "that is no failure of the hook"
    hooked.comity("resume")
    assert hooked.edit("a.py") == QUIET


@pytest.mark.parametrize("enforcement", ["guard", "strict"])
def test_commands_that_change_something_are_refused_and_others_are_not(hooked: Hooked, enforcement: str) -> None:
    hooked("SessionStart", source="startup")
    hooked.comity("pause")
    assert "paused this workspace" in refusal(shell(hooked, "make", enforcement))
    for command in ("git status", "ls -l", "comity resume", "comity send 'I wait.'"):
        assert shell(hooked, command, enforcement) == QUIET, command
