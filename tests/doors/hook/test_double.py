"""One host that runs another's hooks as well: it is answered once, and is one agent."""

from __future__ import annotations

import json

import pytest

from tests.doors.hook.hooked import Hooked, told

# The host's own fixtures of an edit and of what comes after it; and what it sends to the hooks of others that it runs:
# Cursor and VS Code to those of Claude Code, Copilot CLI and VS Code to each other's, too.
FIRINGS = {
    "cursor": ("edit", "after", (("claude-code", "foreign_cursor"),)),
    "vscode": ("edit", "after", (("claude-code", "foreign_vscode"), ("copilot-cli", "foreign_vscode"))),
    "copilot-cli": ("edit", "after", (("claude-code", "foreign_copilot"), ("vscode", "foreign_copilot"))),
}


@pytest.mark.parametrize("host", FIRINGS)
def test_hooks_that_fire_twice_answer_once(hooked: Hooked, host: str) -> None:
    edit, after, others = FIRINGS[host]

    def fire(name: str) -> str:
        """The other hooks, then the host's own, whose answer this is."""
        for other, foreign in others:
            event, data = told(hooked, other, foreign)
            done = hooked.raw(data, other, event)
            assert (done.code, done.err, json.loads(done.out or "{}")) == (0, "", {})
            assert hooked.journal()[-1]["did"] == "aside"
        event, data = told(hooked, host, name)
        return hooked.raw(data, host, event).out

    fire(after)
    assert hooked.rows("SELECT count(*) FROM agents") == [(1,)]
    hooked.comity("send", "the word", "--as", "ann", "--priority", "steering")
    assert "the word" in fire(after)
    assert "the word" not in fire(after)
    fire(edit)
    ((path, holder),) = hooked.rows("SELECT file_path, agent_id FROM macp_ext_file_claims WHERE released_at IS NULL")
    assert hooked.rows(f"SELECT count(*) FROM agents WHERE agent_id NOT IN ('ann', '{holder}')") == [(0,)]
    hooked.edit(str(path), "S9")
    assert hooked.journal()[-1]["did"] == "refuse"
    assert "deny" not in fire(edit)
