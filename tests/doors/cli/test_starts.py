"""Every command from the start of an interpreter of its own, and that a prefork does the very same.

The other tests fork a process that has loaded everything. What that could hide is seen here: a command that does not
find its own modules, reads something when it is imported, or ends in another way.
"""

from __future__ import annotations

import json
import re
import signal
import stat
import subprocess
from pathlib import Path

import pytest

from comity.doors.cli.catalog import ENTRIES
from tests.doors.cli.program import TIMEOUT_S, Done, Program, Running

# What each of them is called with in a repository where bob is; each ends by itself.
CALLS: dict[str, tuple[str, ...]] = {
    "init": ("--dry-run", "--hosts", "codex,claude-code"),
    "doctor": ("--json",),
    "trust": ("--json",),
    "demo": ("--tasks", "1"),  # refused; tests/e2e/test_demo.py plays it
    "status": (),
    "agents": (),
    "claims": ("--json",),
    "rescue": ("--json",),
    "tail": ("--no-follow", "--last", "3"),
    "send": ("hello", "--as", "ann", "--to", "bob"),
    "poll": ("--as", "bob", "--json"),
    "read": ("nothing", "--as", "bob"),
    "receipts": ("--json",),
    "ack": ("nothing", "--as", "bob", "--json"),
    "claim": ("src/a.py", "--as", "ann", "--json"),
    "release": ("src/a.py", "--as", "ann"),
    "join": ("other", "--as", "ann"),
    "leave": ("--as", "ann", "--json"),
    "tasks": (),
    "task": ("dispatch", "Write the parser", "--as", "ann", "--json"),
    "plan": ("list",),
    "goals": ("--json",),
    "worktree": ("--json",),
    "radar": ("--json",),
    "integrate": ("--json",),
    "memory": ("set", "build", "make", "--as", "ann"),
    "profiles": ("--json",),
    "vault": ("--json",),
    "context": ("grammar",),
    "search": ("grammar", "--json"),
    "jobs": ("--json",),
    "pause": ("The main branch is broken.", "--json"),
    "resume": (),
    "prune": ("--older-than-days", "1", "--dry-run"),
    "serve": ("--print-port",),  # tests/doors/http/test_serve.py starts one
    "service": ("--json",),
    "token": ("create", "--role", "reader", "--json"),
    "mcp": ("--help",),  # tests/e2e/test_mcp_process.py starts them
    "call": ("agent.list", "--json"),
    "schema": (),
    "completion": ("bash",),
    "version": ("--json",),
    "hook": ("claude-code", "SessionStart"),
}


CHANGING = re.compile(r"comity_[0-9a-f_]+|\b[-0-9a-f]{8,}\b|\d+")


def alike(done: Done) -> Done:
    """What a call left, without ids, times and other numbers."""
    return Done(done.code, *(CHANGING.sub("#", text) for text in done[1:]))


def files(program: Program) -> set[str]:
    """What is in the repository, but what clocks and waiters leave there."""
    return {name for name in program.files() if ".bell/" not in name}


def twin(place: Path) -> Program:
    """A repository in which bob is, and a home of its own."""
    folder, home = place / "garden", place / "home"
    folder.mkdir(parents=True)
    home.mkdir()
    subprocess.run(["git", "init", "-q", str(folder)], check=True, env={"HOME": str(home), "PATH": "/usr/bin:/bin"})
    made = Program(folder, home)
    assert made("poll", "--as", "bob").code == 0
    return made


def test_none_is_missing() -> None:
    assert set(CALLS) == {*ENTRIES, "hook"}


@pytest.mark.parametrize("name", CALLS)
def test_it_starts_and_does_what_a_prefork_does(tmp_path: Path, name: str) -> None:
    given = {"session_id": "S1", "cwd": str(tmp_path / "place/garden"), "source": "startup"}
    stdin = json.dumps(given).encode() if name == "hook" else b""
    begun = twin(tmp_path / "place")
    first = begun.begun(name, *CALLS[name], stdin=stdin)
    made = files(begun)
    (tmp_path / "place").rename(tmp_path / "before")
    forked = twin(tmp_path / "place")
    second = forked(name, *CALLS[name], stdin=stdin)
    assert alike(second) == alike(first)
    assert first.out or first.err
    assert files(forked) == made


def test_a_prefork_gives_a_program_nothing_of_another(comity: Program) -> None:
    """No variable, folder, argument, stream or mask of the one before, and none of its own."""
    inner = comity.folder / "src"
    inner.mkdir()
    assert comity("poll", "--json", cwd=inner, MACP_AGENT_ID="bob", COMITY_DURABILITY="full").code == 0
    assert comity("poll", "--as", "ann").code == 0
    agents = [agent["agentId"] for agent in comity("agents", "--json").json["agents"]]
    assert agents == ["ann", "bob"]
    large = b"x" * 200_000
    assert comity("send", "-", "--as", "ann", stdin=large) == comity.begun("send", "-", "--as", "ann", stdin=large)
    assert stat.S_IMODE(comity.db.stat().st_mode) == 0o600
    assert comity("poll", "--max-messages", "x").code == 2
    shown = comity.begun("schema").out
    assert [comity("schema").out for _ in range(2)] == [shown, shown]


def test_a_prefork_tells_how_a_program_ended(comity: Program) -> None:
    """Also of one that a signal ended, and while others run."""
    comity("poll", "--as", "bob")
    with Running(comity, "tail", "--last", "1") as first, Running(comity, "tail", "--last", "1") as second:
        assert first.line() == second.line()
        first.process.kill()
        assert first.process.wait(TIMEOUT_S) == -signal.SIGKILL
        assert second.process.poll() is None
        second.process.send_signal(signal.SIGINT)
        assert second.process.wait(TIMEOUT_S) == 130
    assert comity("poll").code == 0
