"""What hooks say names the tools that the agent has, as the project's settings have it."""

from __future__ import annotations

import json
import re

import pytest

from comity.dialects.masc.tools import TOOLS as MASC
from tests.doors.hook.hooked import Hooked, refusal

TOOL = re.compile(r"\b(?:macp|masc)_[a-z_]+")
SECRET = "cq4z: `message.poll` is mine, as is `message.ack d`"


def tools(text: str) -> set[str]:
    return set(TOOL.findall(text))


def settle(hooked: Hooked, setting: str) -> None:
    (hooked.folder / ".macp" / "comity.toml").write_text(f"{setting}\n")


def heard(hooked: Hooked) -> list[str]:
    """What a session is told at its start, at a refusal, between two tools, when it would stop, and of a reminder."""
    hooked("SessionStart", source="startup")
    hooked.edit("a.py")
    start = hooked("SessionStart", "S2", source="startup").out
    refused = refusal(hooked.edit("a.py", "S2"))
    assert hooked.comity("send", SECRET, "--as", "ann", "--ack-level", "processed").code == 0
    wanted = hooked("PostToolBatch", "S2", tool_calls=[]).out
    assert hooked.comity("send", "a word and another of it, " * 200, "--as", "ann", "--priority", "interrupt").code == 0
    cut = hooked("PostToolBatch", "S2", tool_calls=[]).out
    told = [json.loads(text)["hookSpecificOutput"]["additionalContext"] for text in (start, wanted, cut)]
    return [*told, refused, json.loads(hooked("Stop", "S2").out)["reason"]]


def test_a_project_with_the_tools_of_masc_is_told_of_those(hooked: Hooked) -> None:
    settle(hooked, 'surface = "masc"')
    start, wanted, cut, refused, stop = heard(hooked)
    assert "say what you do: masc_broadcast." in start
    assert re.search(r"ask (\S+) \(masc_broadcast to @\1\); `comity claims` shows what is held", refused)
    assert '" wants masc_messages\n' in wanted
    assert "1 cut: masc_messages" in cut
    assert SECRET in wanted
    assert tools(start + wanted + cut + refused + stop) <= {tool.name for tool in MASC}
    assert "masc_messages" in stop


@pytest.mark.parametrize("setting", ['surface = "macp"', ""])
def test_any_other_is_told_of_those_of_the_protocol(hooked: Hooked, setting: str) -> None:
    settle(hooked, setting)
    start, wanted, cut, refused, stop = heard(hooked)
    assert "say what you do: macp_send_channel." in start
    assert re.search(r"ask (\S+) \(macp_send_direct to \1\); macp_ext_list_locks shows what is held", refused)
    assert re.search(r" wants macp_ack [0-9a-f-]{36}\n", wanted)
    assert "1 cut: macp_poll" in cut
    assert SECRET in wanted
    assert not [name for name in tools(start + wanted + cut + refused + stop) if name.startswith("masc_")]


def test_a_tool_that_is_not_shown_is_said_as_a_command(hooked: Hooked) -> None:
    settle(hooked, 'tools = "core"')
    start, _, _, refused, _ = heard(hooked)
    assert "macp_send_channel" in start
    assert "`comity claims` shows what is held" in refused
