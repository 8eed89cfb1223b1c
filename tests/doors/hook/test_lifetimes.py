"""Who a session is, from begin to end, by what captured payloads bring about: claims, mail, and who is shown."""

from __future__ import annotations

import pytest

from tests.doors.hook.hooked import FIXTURES, Hooked
from tests.doors.hook.terminal import EVENTS, Terminal, agents, holders

ENDS = [
    pytest.param(path.parent.name, path.stem, id=f"{path.parent.name}-{path.stem}")
    for path in sorted(FIXTURES.glob("*/session_end*.json"))
    if path.parent.name in EVENTS and not path.stem.endswith("_clear")
]


@pytest.mark.parametrize("host", EVENTS)
def test_an_agent_whose_context_is_cleared_goes_on(hooked: Hooked, host: str) -> None:
    """The end and the next begin come under two session ids, from one process."""
    own = Terminal(hooked, "own", host)
    own.captured("session_start", "old-1111", source="startup")
    assert own.edits("a.py", "old-1111") == ""
    (hooked.folder / "a.py").write_text("its work\n")
    own.captured("session_end_clear", "old-1111")
    begun = own.captured("session_start_clear", "new-2222")
    assert "1111" not in begun.out, "it is told of no other agent"
    assert list(agents(hooked)) == ["old-1111"]
    assert own.edits("a.py", "new-2222") == ""
    hooked.comity("send", "the parser is yours", "--to", "old-1111", LC_TERMINAL="person")
    assert "the parser is yours" in own.says("new-2222")


@pytest.mark.parametrize("host", ["claude-code", "gemini-cli"])
def test_a_cleared_agent_keeps_what_it_claimed_at_its_prompt(hooked: Hooked, host: str) -> None:
    own = Terminal(hooked, "own", host)
    own.captured("session_start", "old-1111", source="startup")
    assert own.command("claim", "src").code == 0
    own.captured("session_end_clear", "old-1111")
    own.captured("session_start_clear", "new-2222")
    assert holders(hooked) == {"src": "old-1111"}
    assert own.edits("src/a.py", "new-2222") == ""


@pytest.mark.parametrize("session", ["one-1111", "two-2222"])
def test_a_compacted_agent_goes_on_under_its_id_or_a_new_one(hooked: Hooked, session: str) -> None:
    own = Terminal(hooked, "own", "codex")
    own.captured("session_start", "one-1111")
    assert own.edits("a.py", "one-1111") == ""
    own.captured("session_start_compact", session)
    assert own.edits("a.py", session) == ""
    assert list(agents(hooked)) == ["one-1111"]


@pytest.mark.parametrize(("host", "name"), ENDS)
def test_any_other_end_is_one_and_mail_waits_for_the_return(hooked: Hooked, host: str, name: str) -> None:
    own, peer = Terminal(hooked, "own", host), Terminal(hooked, "peer")
    own.captured("session_start", "one-1111", source="startup")
    assert own.edits("a.py", "one-1111") == ""
    hooked.comity("send", "where are you?", "--to", "one-1111", LC_TERMINAL="person")
    own.captured(name, "one-1111")
    assert holders(hooked) == {}
    assert list(agents(hooked)) == ["cli-tester"]
    peer.captured("session_start_startup", "two-2222")
    assert peer.edits("a.py", "two-2222") == ""
    again = own.captured("session_start", "one-1111", source="resume")
    assert "where are you?" in again.out + own.says("one-1111")
    assert set(agents(hooked)) == {"cli-tester", "one-1111", "two-2222"}


def test_a_fork_is_an_agent_of_its_own(hooked: Hooked) -> None:
    """Claude Code begins a fork as a resumed session with a new id."""
    first, second = Terminal(hooked, "own"), Terminal(hooked, "peer")
    first.captured("session_start_startup", "one-1111")
    assert first.edits("a.py", "one-1111") == ""
    second.captured("session_start_resume", "fork-3333")
    assert "claude-1111" in second.edits("a.py", "fork-3333")
    assert set(agents(hooked)) == {"one-1111", "fork-3333"}


def test_another_session_of_the_same_process_is_another_agent(hooked: Hooked) -> None:
    """Switched to by the user: the one that was left is over, and what it held is free."""
    own = Terminal(hooked, "own")
    own.captured("session_start_startup", "one-1111")
    assert own.edits("a.py", "one-1111") == ""
    own.captured("session_end_resume", "one-1111")
    own.captured("session_start_resume", "two-2222")
    assert list(agents(hooked)) == ["two-2222"]
    own.captured("session_end_resume", "two-2222")
    own.captured("session_start_resume", "one-1111")
    assert list(agents(hooked)) == ["one-1111"]


def test_one_session_in_two_processes_is_two_agents_and_both_are_told(hooked: Hooked) -> None:
    first, second = Terminal(hooked, "own"), Terminal(hooked, "peer")
    first.captured("session_start_startup", "one-1111")
    assert first.edits("a.py", "one-1111") == ""
    begun = second.captured("session_start_resume", "one-1111")
    assert "your session id is that of process" in begun.out
    assert "claude-1111" in second.edits("a.py", "one-1111")
    assert "A second process" in first.says("one-1111")
    assert "A second process" not in first.says("one-1111"), "once"
    listed = agents(hooked)
    assert set(listed) == {"one-1111", "one-1111-2"}
    assert "claude-1111-2" in listed["one-1111"]["presence"]["how"]
    assert "claude-1111" in listed["one-1111-2"]["presence"]["how"]
    found = hooked.comity("doctor", "--json", LC_TERMINAL="person").json["checks"]
    assert any("2 processes run under the session id one-1111" in one["detail"] for one in found)
    assert second.edits("b.py", "one-1111") == ""
    assert "claude-1111-2" in first.edits("b.py", "one-1111")


def test_the_end_of_one_process_is_not_the_others(hooked: Hooked) -> None:
    first, second, third = (Terminal(hooked, name) for name in ("own", "peer", "third"))
    first.captured("session_start_startup", "one-1111")
    assert first.edits("a.py", "one-1111") == ""
    (hooked.folder / "a.py").write_text("its work\n")
    second.captured("session_start_resume", "one-1111")
    assert second.edits("b.py", "one-1111") == ""
    second.captured("session_end_logout", "one-1111")
    third.captured("session_end", "one-1111")
    assert holders(hooked) == {"a.py": "one-1111"}
    third.captured("session_start_startup", "three-3333")
    assert "claude-1111" in third.edits("a.py", "three-3333")
    assert first.edits("a.py", "one-1111") == ""
    first.captured("session_end_logout", "one-1111")
    assert holders(hooked) == {}
    assert list(agents(hooked)) == ["three-3333"]


def test_who_ends_first_leaves_the_second_what_it_has(hooked: Hooked) -> None:
    first, second = Terminal(hooked, "own"), Terminal(hooked, "peer")
    first.captured("session_start_startup", "one-1111")
    second.captured("session_start_resume", "one-1111")
    assert second.edits("b.py", "one-1111") == ""
    first.captured("session_end_logout", "one-1111")
    assert second.edits("b.py", "one-1111") == ""
    assert holders(hooked) == {"b.py": "one-1111-2"}
    assert "presence" in agents(hooked)["one-1111-2"]
    first.captured("session_start_resume", "one-1111")
    assert "claude-1111-2" in first.edits("b.py", "one-1111"), "which came back under the id that was free"


@pytest.fixture
def orphan(hooked: Hooked) -> Terminal:
    """A session whose subagent was interrupted after an edit: its host tells no end of it."""
    own = Terminal(hooked, "own")
    own.captured("session_start_startup", "one-1111")
    Terminal(hooked, "peer").captured("session_start_startup", "two-2222")
    own.hook("SubagentStart", "one-1111", agent_id="sub-42", agent_type="general-purpose")
    assert own.edits("a.py", "one-1111", "sub-42") == ""
    (hooked.folder / "a.py").write_text("half of it\n")
    assert "sub-42" in own.edits("a.py", "one-1111"), "its parent is kept out while it may be at work"
    own.says("one-1111")
    return own


def test_an_interrupted_subagent_keeps_its_family_out_no_more(orphan: Terminal) -> None:
    hooked = orphan.hooked
    assert orphan.edits("a.py", "one-1111") == ""
    asked = orphan.hook("PreToolUse", "one-1111", tool_name="Bash", tool_input={"command": "git checkout -- a.py"})
    assert "deny" not in asked.out
    orphan.hook(
        "PostToolBatch", "one-1111", tool_calls=[{"tool_name": "Bash", "tool_input": {"command": "git checkout"}}]
    )
    assert orphan.edits("a.py", "one-1111", "sub-43") == "", "nor the next one"
    assert "1111" in Terminal(hooked, "peer").edits("a.py", "two-2222"), "but everybody else"
    asked = Terminal(hooked, "peer").hook(
        "PreToolUse", "two-2222", tool_name="Bash", tool_input={"command": "git checkout -- a.py"}
    )
    assert "deny" in asked.out


def test_a_subagent_that_goes_on_is_heard_again(orphan: Terminal) -> None:
    """It ran in the background: its user's word to its parent did not end it."""
    assert orphan.edits("a.py", "one-1111", "sub-42") == ""
    assert "sub-42" in orphan.edits("a.py", "one-1111")


def test_the_parent_hears_of_an_interrupted_edit(orphan: Terminal) -> None:
    asked = {"tool_name": "Edit", "tool_input": {"file_path": str(orphan.hooked.folder / "a.py")}}
    answer = orphan.hook("PreToolUse", "one-1111", **asked).out
    assert "edited" in answer
    assert "deny" not in answer


@pytest.mark.parametrize("host", EVENTS)
def test_a_command_at_an_agents_prompt_is_that_agents(hooked: Hooked, host: str) -> None:
    own, peer = Terminal(hooked, "own", host), Terminal(hooked, "peer")
    own.captured("session_start", "one-1111", source="startup")
    peer.captured("session_start_startup", "two-2222")
    assert own.command("claim", "src/a.py", "--reason", "the parser").code == 0
    assert holders(hooked) == {"src/a.py": "one-1111"}
    assert own.edits("src/a.py", "one-1111") == ""
    assert "1111" in peer.edits("src/a.py", "two-2222")
    hooked.comity("send", "look at the lexer", "--to", "one-1111", LC_TERMINAL="person")
    assert "look at the lexer" in own.command("poll").out
    own.command("send", "done", "--to", "two-2222")
    assert "1111" in peer.says("two-2222")
    assert own.command("release", "src/a.py").code == 0
    assert set(agents(hooked)) == {"one-1111", "two-2222", "cli-tester"}
    own.captured("session_end", "one-1111")
    assert set(agents(hooked)) == {"two-2222", "cli-tester"}, "the end is the host's, as ever"


def test_a_person_at_a_terminal_stays_the_person(hooked: Hooked) -> None:
    own = Terminal(hooked, "own")
    own.captured("session_start_startup", "one-1111")
    assert hooked.comity("claim", "a.py", LC_TERMINAL="person").code == 0
    assert holders(hooked) == {"a.py": "cli-tester"}
    assert own.command("claim", "b.py", "--as", "worker").code == 0
    assert holders(hooked)["b.py"] == "worker"
    own.captured("session_end", "one-1111")
    assert own.command("claim", "c.py").code == 0
    assert holders(hooked)["c.py"] == "cli-tester", "no agent is at that prompt any more"


def test_of_two_sessions_in_a_process_the_hosts_variable_says_which(hooked: Hooked) -> None:
    own = Terminal(hooked, "own")
    own.captured("session_start_startup", "one-1111")
    own.captured("session_start_startup", "two-2222")
    told = Terminal(hooked, "own", CLAUDE_CODE_SESSION_ID="two-2222")
    assert told.command("claim", "a.py").code == 0
    assert own.command("claim", "b.py").code == 0
    assert holders(hooked) == {"a.py": "two-2222", "b.py": "cli-tester"}


def test_a_variable_alone_names_the_agent(hooked: Hooked) -> None:
    """A sandbox hides the host's process, and a session may have no hooks."""
    own = Terminal(hooked, "own")
    own.captured("session_start_startup", "one-1111")
    away = Terminal(hooked, "third", CLAUDE_CODE_SESSION_ID="one-1111")
    assert away.command("claim", "a.py").code == 0
    new = Terminal(hooked, "third", CLAUDE_CODE_SESSION_ID="nine-9999")
    assert new.command("claim", "b.py").code == 0
    assert holders(hooked) == {"a.py": "one-1111", "b.py": "nine-9999"}
    own.captured("session_end", "one-1111")
    assert away.command("claim", "c.py").code == 0
    assert holders(hooked)["c.py"] == "cli-tester", "a variable of a session that is over was inherited"
