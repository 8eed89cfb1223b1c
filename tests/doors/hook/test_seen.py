"""What proves to Comity that a model has read what was injected: an answer of it, and nothing else.

Hooks of one batch of tool calls run at once, a request may be broken off, and the user may speak again before there was
an answer.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest

from comity.hosts.catalog import ADAPTERS
from tests.doors.hook.hooked import Hooked, told

Call = tuple[str, dict[str, Any]]


class Course(NamedTuple):
    """Fixtures of a host in order: where the message is injected, what proves nothing, what proves it."""

    injected: Call
    not_yet: tuple[Call, ...]
    seen: Call


def at(name: str, **changes: Any) -> Call:
    return name, changes


COURSES = {
    "claude-code": Course(at("prompt"), (at("prompt"), at("shell"), at("foreign_cursor")), at("batch")),
    "codex": Course(at("after_shell"), (at("after_shell"), at("shell"), at("prompt")), at("stop")),
    "gemini-cli": Course(at("after_shell"), (at("after_edit"), at("prompt"), at("stop_silent")), at("stop")),
    "antigravity": Course(
        at("invocation"), (at("shell"), at("invocation_after_break"), at("stop_broken")), at("invocation")
    ),
    "opencode": Course(
        at("after_shell", moved=False),
        (at("after_shell", moved=False), at("prompt", moved=True)),
        at("words", moved=True),
    ),
    "cursor": Course(at("after"), (at("after"), at("shell"), at("stop_aborted")), at("stop")),
    "vscode": Course(at("after"), (at("after"), at("shell")), at("stop")),
    "copilot-cli": Course(at("after"), (at("after"), at("shell"), at("stop_broken")), at("stop")),
    "factory-droid": Course(at("after"), (at("after"), at("prompt"), at("shell")), at("stop")),
    "kiro": Course(at("prompt"), (at("prompt"), at("after_shell")), at("stop")),
}


@pytest.mark.parametrize("host", ADAPTERS)
def test_only_an_answer_of_the_model_counts_as_seen(hooked: Hooked, host: str) -> None:
    course = COURSES[host]

    def say(call: Call) -> str:
        event, data = told(hooked, host, call[0], **call[1])
        done = hooked.raw(data, host, event)
        assert done.code == 0
        return done.out

    say(course.injected)
    hooked.comity("send", "the word", "--as", "ann", "--priority", "steering")
    assert "the word" in say(course.injected)
    for call in course.not_yet:
        assert "the word" not in say(call)
        assert hooked.rows("SELECT state FROM messages WHERE content = 'the word'") == [("surfaced",)], call
    assert "the word" not in say(course.seen)
    assert hooked.rows("SELECT state FROM messages WHERE content = 'the word'") == [("acknowledged",)]


def test_the_brief_of_a_start_is_not_seen_by_the_first_prompt(hooked: Hooked) -> None:
    """Kiro's start and first prompt come one after the other, before the model was asked for anything."""
    hooked.raw(told(hooked, "kiro", "spawn", "S0")[1], "kiro", "agentSpawn")
    hooked.comity("send", "the word", "--as", "ann", "--priority", "steering", "--to", "S0")
    assert "the word" in hooked.raw(told(hooked, "kiro", "spawn", "S0")[1], "kiro", "agentSpawn").out
    assert hooked.raw(told(hooked, "kiro", "prompt", "S0")[1], "kiro", "userPromptSubmit").out == ""
    assert hooked.rows("SELECT state FROM messages WHERE content = 'the word'") == [("surfaced",)]


def test_what_keeps_an_agent_going_is_seen_at_its_second_stop(hooked: Hooked) -> None:
    hooked("SessionStart", source="startup")
    hooked.comity("send", "now", "--as", "ann", "--priority", "interrupt")
    assert "now" in json.loads(hooked("Stop", stop_hook_active=False).out)["reason"]
    assert hooked("Stop", stop_hook_active=True).out == ""
    assert hooked.rows("SELECT state FROM messages WHERE content = 'now'") == [("acknowledged",)]
