"""The hook that waits beside an idle session, as a process of its own beside the process of its host."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from comity.doors.hook.waking import is_read
from comity.store.sqlite import SqliteStore
from tests.doors.cli.program import TIMEOUT_S
from tests.doors.hook.hooked import Hooked

HOOK = [sys.executable, "-m", "comity", "hook"]
# A host: starts the hook through a shell, tells which process that is, ends as the hook does.
HOST = """
import subprocess, sys
hook = subprocess.Popen(["/bin/sh", "-c", '"$@"; exit $?', "sh", *sys.argv[1:]], stdin=sys.stdin)
sys.exit(hook.wait())
"""
SECRET = "words of a peer"


class Beside:
    """A waiting hook of the session, under a host of its own."""

    def __init__(self, hooked: Hooked, host: str = "claude-code", *, hosted: bool = True, **environment: str) -> None:
        payload = {
            "session_id": "S1",
            "cwd": str(hooked.folder),
            "hook_event_name": "Stop",
            "background_tasks": [],
        }
        self.process = subprocess.Popen(
            [*([sys.executable, "-c", HOST] if hosted else []), *HOOK, host, "Idle"],
            cwd=hooked.folder,
            env=hooked.comity.environment(**environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(payload).encode())
        self.process.stdin.close()
        self.process.stdin = None

    def end(self) -> tuple[int, str]:
        """How it ended, once nobody holds its output any more: neither the host nor the hook."""
        out, err = self.process.communicate(timeout=TIMEOUT_S)
        assert out in (b"", b"{}")
        return self.process.returncode, err.decode()


@pytest.fixture
def idle(hooked: Hooked) -> Hooked:
    """A session whose turn has ended."""
    hooked("SessionStart", source="startup")
    hooked("Stop")
    return hooked


@contextlib.contextmanager
def waiting(hooked: Hooked) -> Iterator[Beside]:
    """A hook that has begun to wait."""
    store = SqliteStore(hooked.comity.db)
    waiter = store.waiter([])
    beside = Beside(hooked)
    try:
        until = time.monotonic() + TIMEOUT_S
        while not _watched(hooked):
            assert time.monotonic() < until
            waiter.wait(1)
        yield beside
    finally:
        waiter.close()
        store.close()
        beside.process.kill()
        beside.process.communicate()


def _watched(hooked: Hooked) -> str:
    ((watcher,),) = hooked.rows("SELECT watcher FROM comity_host_sessions")
    return str(watcher)


def tell(hooked: Hooked, content: str = SECRET, priority: str = "steering") -> None:
    assert hooked.comity("send", content, "--as", "ann", "--priority", priority).code == 0


def test_it_wakes_with_a_word_and_the_prompt_brings_the_rest_once(idle: Hooked) -> None:
    with waiting(idle) as beside:
        tell(idle)
        code, err = beside.end()
    assert code == 2
    assert err.endswith("1 message from another agent waits in Comity. macp_poll reads what is not shown here.")
    line = idle.journal()[-1]
    assert (line["event"], line["did"]) == ("Idle", "wake")
    assert idle("UserPromptSubmit", prompt=err).out.count(SECRET) == 1
    assert idle("UserPromptSubmit", prompt="go on").out == ""


def test_it_ends_when_the_session_goes_on_and_no_message_wakes_twice(
    idle: Hooked,
) -> None:
    tell(idle, priority="advisory")
    with waiting(idle) as beside:
        assert SECRET in idle("UserPromptSubmit", prompt="hello").out
        assert beside.end() == (0, "")
    assert [line["did"] for line in idle.journal() if line["event"] == "Idle"] == []


def test_it_ends_with_the_session_and_when_another_waits(idle: Hooked) -> None:
    with waiting(idle) as first:
        second = Beside(idle)
        assert first.end() == (0, "")
        idle("SessionEnd", reason="exit")
        assert second.end() == (0, "")
    assert idle.rows("SELECT ended FROM comity_host_sessions") != [(None,)]


def test_it_ends_with_its_host(idle: Hooked) -> None:
    with waiting(idle) as beside:
        os.kill(beside.process.pid, signal.SIGKILL)
        assert beside.end()[0] == -signal.SIGKILL  # its output was closed by everybody
        tell(idle)
    assert idle.rows("SELECT * FROM comity_wakes") == []


def test_it_holds_no_lock(idle: Hooked) -> None:
    with waiting(idle):
        for _ in range(3):
            assert idle.edit("a.py").code == 0
            tell(idle, priority="info")
    assert [line for line in idle.journal() if line["did"] == "error"] == []


@pytest.mark.parametrize(
    "surroundings",
    [
        {"COMITY_WAKE": "off"},
        {"CLAUDE_CODE_ENTRYPOINT": "sdk-cli"},
        {"COMITY_ENFORCEMENT": "off"},
    ],
    ids=["off", "without a terminal", "no hooks"],
)
def test_where_it_does_not_wait(idle: Hooked, surroundings: dict[str, Any]) -> None:
    assert Beside(idle, hosted=False, **surroundings).end() == (0, "")
    assert _watched(idle) == ""


def test_a_setting_says_what_wakes(idle: Hooked) -> None:
    (idle.folder / ".macp" / "comity.toml").write_text('wake = "interrupt"\n')
    with waiting(idle) as beside:
        tell(idle)
        tell(idle, "stop", "interrupt")
        code, err = beside.end()
    assert code == 2
    assert "1 message from another agent waits in Comity, of priority interrupt." in err


def test_copilot_is_told_at_a_notification(hooked: Hooked) -> None:
    def hook(event: str, **told: Any) -> str:
        payload = {"sessionId": "S1", "cwd": str(hooked.folder), **told}
        return hooked.raw(json.dumps(payload).encode(), "copilot-cli", event).out

    hook("sessionStart")
    hook("agentStop")
    assert hook("notification", notification_type="agent_idle") == ""
    tell(hooked)
    told = json.loads(hook("notification", notification_type="agent_idle"))["additionalContext"]
    assert told.startswith("1 message from another agent waits in Comity.")
    assert hook("notification", notification_type="agent_idle") == ""


# A stand-in for Codex: it knows the command, or does not, and keeps what it is told.
CODEX = """#!/bin/sh
[ "$2" = --help ] && exit {code}
printf '%s\\n' "$@" > "{told}"
"""


def codex(folder: Path, code: int) -> dict[str, str]:
    """Surroundings in which that Codex is on the path."""
    folder.mkdir()
    program = folder / "codex"
    program.write_text(CODEX.format(code=code, told=folder / "told"))
    program.chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


def test_codex_is_woken_by_its_own_command(hooked: Hooked, tmp_path: Path) -> None:
    for event in ("SessionStart", "Stop"):
        hooked(event, host="codex")
    old = Beside(hooked, "codex", hosted=False, **codex(tmp_path / "old", 2))
    assert old.end() == (0, "")
    assert _watched(hooked) == "", "it does not know the command"
    tell(hooked)
    assert Beside(hooked, "codex", hosted=False, **codex(tmp_path / "new", 0)).end() == (0, "")
    fact = "1 message from another agent waits in Comity. macp_poll reads what is not shown here."
    assert (tmp_path / "new" / "told").read_text().splitlines() == ["queue", "--thread", "S1", "--message", fact]


def test_a_host_that_reads_no_more_is_noticed_by_what_it_would_read() -> None:
    """A waiter that began when its host had just ended finds no process of it any more."""
    for reading, writing in (os.pipe(), [end.detach() for end in socket.socketpair()]):
        assert is_read(writing)
        os.close(reading)
        assert not is_read(writing)
        os.close(writing)
