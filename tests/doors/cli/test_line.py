"""Waiting for a turn at a prompt, and programs that run while something is held."""

from __future__ import annotations

import os
import select
import signal
from pathlib import Path

import pytest

from tests.doors.cli.program import TIMEOUT_S, Program, Running

HOLD = ("claim", "res:staging", "--run", "--", "sh", "-c")


def held(comity: Program) -> list[str]:
    return [claim["agentId"] for claim in comity("claims", "--json").json["claims"]]


def ended(pid: int) -> None:
    """Wait for the end of a process that is not our child."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([descriptor], [], [], TIMEOUT_S)[0], "it goes on"
    finally:
        os.close(descriptor)


def test_it_is_held_while_the_program_runs_and_its_code_is_passed_on(comity: Program) -> None:
    done = comity(*HOLD, "echo out; echo err >&2; exit 7")
    assert (done.code, done.out, done.err) == (7, "out\n", "err\n")
    assert held(comity) == []
    told = comity("claim", "res:staging", "src/a.py", "--json", "--run", "--", "cat", stdin=b"input")
    assert (told.code, told.out) == (0, "input")


def test_two_of_one_user_keep_each_other_out(comity: Program) -> None:
    with Running(comity, *HOLD, "echo held; exec sleep 600") as first:
        assert first.line() == "held"
        (holder,) = held(comity)
        assert holder.startswith("cli-tester.run-")
        refused = comity(*HOLD, "echo never", "--json")
        assert (refused.code, refused.out) == (6, "")
        assert "holds" in refused.err
        with Running(comity, "claim", "res:staging", "--wait", "--run", "--", "sh", "-c", "echo mine") as second:
            status = comity("status").out
            while "in line: " not in status:
                status = comity("status").out
            os.kill(first.process.pid, signal.SIGTERM)
            assert first.process.wait(TIMEOUT_S) == 128 + signal.SIGTERM
            assert second.line() == "mine"
            assert second.process.wait(TIMEOUT_S) == 0
    assert held(comity) == []


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_what_ends_the_command_ends_the_whole_program(comity: Program, how: int) -> None:
    with Running(comity, *HOLD, "sleep 600 & echo $!; echo $$; wait") as running:
        child, leader = int(running.line()), int(running.line())
        os.kill(running.process.pid, how)
        running.process.wait(TIMEOUT_S)
        ended(child)
        ended(leader)
    done = comity("claim", "res:staging", "--as", "ann")
    assert done.code == 0, "free in the transaction of whoever asks"


def test_what_the_agent_holds_itself_keeps_its_program_from_nothing(comity: Program) -> None:
    comity("claim", "res:staging")
    assert comity(*HOLD, "true").code == 0
    assert held(comity) == ["cli-tester"]
    assert comity(*HOLD, "true", "--as", "ann").code == 0, "words behind -- are the program's"
    assert comity("claim", "res:staging", "--as", "ann", "--run", "--", "true").code == 6


def test_a_line_at_a_prompt(comity: Program) -> None:
    comity("claim", "a.py", "--as", "ann")
    placed = comity("claim", "a.py", "--as", "bob", "--in-line")
    assert (placed.code, placed.out.splitlines()[0]) == (0, "In line for a.py: place 1, behind ann")
    assert "In line" in comity("claims").out
    assert comity("claims", "--json").json["waiting"][0]["agentId"] == "bob"
    comity("release", "a.py", "--as", "ann")
    assert held(comity) == ["bob"]
    assert "It is your turn" in comity("poll", "--as", "bob").out
    comity("claim", "a.py", "--as", "ann", "--in-line")
    assert comity("release", "a.py", "--as", "ann").out == "No longer in line for a.py\n"


def test_waiting_at_a_prompt_until_it_is_ones_turn(comity: Program) -> None:
    comity("claim", "a.py", "--as", "ann")
    with Running(comity, "claim", "a.py", "--as", "bob", "--wait") as waiting:
        while not comity("claims", "--json").json.get("waiting"):
            continue
        comity("release", "a.py", "--as", "ann")
        assert waiting.line().startswith("Claimed until ")
        assert waiting.line() == "  a.py"
    assert held(comity) == ["bob"]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_whoever_stops_waiting_has_no_place(comity: Program, how: int) -> None:
    comity("claim", "a.py", "--as", "ann")
    with Running(comity, "claim", "a.py", "--as", "bob", "--wait") as waiting:
        while not comity("claims", "--json").json.get("waiting"):
            continue
        os.kill(waiting.process.pid, how)
        waiting.process.wait(TIMEOUT_S)
    comity("release", "a.py", "--as", "ann")
    assert held(comity) == []
    assert "waiting" not in comity("claims", "--json").json


def test_bad_words(comity: Program) -> None:
    missing = comity("claim", "res:x", "--run", "--", "no-such-program", "x")
    assert missing.code == 2
    assert "could not be started" in missing.err
    assert comity("claim", "res:x", "--run", "--").code == 2
    assert comity("claim", "res:x", "--run", "--partial", "--", "true").code == 2
    assert comity("claim", "res:no/name").code == 2
    assert comity("claim", "a.py", "--wait", "--partial").code == 2
    assert held(comity) == []


def test_resources_are_one_for_all_folders(comity: Program, tmp_path: Path) -> None:
    (comity.folder / "src").mkdir()
    assert comity("claim", "res:browser", cwd=comity.folder / "src").code == 0
    assert comity("claims", "res:browser").out.splitlines()[1].split()[:2] == ["res:browser", "cli-tester"]
    assert comity("release", "res:*", cwd=comity.folder / "src").out == "Released res:browser\n"
