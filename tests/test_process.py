"""Real processes of this machine, seen by another: running, stopped, zombies, gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from comity import process
from comity.kernel.observer import Sighting

linux = pytest.mark.skipif(sys.platform != "linux", reason="what /proc tells")


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A process that waits for its input to end."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as one:
        yield one
        one.kill()


def test_this_process_runs() -> None:
    own = process.present("program", "host session", "folder", lease_s=5)
    assert own.pid == os.getpid()
    assert (own.program, own.host_session_id, own.worktree, own.lease_ms) == ("program", "host session", "folder", 5000)
    assert process.ThisProcess(own).look(os.getpid()) == process.look(os.getpid())
    assert process.look(os.getpid()).state == "running"


@linux
def test_the_facts_tell_this_process_from_every_other(child: subprocess.Popen[bytes]) -> None:
    own = process.present()
    assert own.started == process.look(os.getpid()).started != process.look(child.pid).started
    assert own.boot_id == process.boot_id() != ""
    assert own.namespace.startswith("pid:[")
    assert own.machine == os.uname().nodename
    assert own.program  # whoever started it


def test_a_session_that_outlives_its_process_names_none() -> None:
    gone = process.absent("hooks", lease_s=60)
    assert (gone.pid, gone.started, gone.program, gone.lease_ms) == (None, "", "hooks", 60_000)
    assert (gone.boot_id, gone.namespace) == (process.boot_id(), process.namespace())


def test_a_killed_child_is_a_zombie_and_then_gone(child: subprocess.Popen[bytes]) -> None:
    before = process.look(child.pid)
    assert before.state == "running"
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    if sys.platform == "linux":
        assert process.look(child.pid) == Sighting("zombie", before.started)
    child.wait()
    assert process.look(child.pid) == Sighting("absent")


def test_an_observer_that_saw_it_run_sees_it_end(child: subprocess.Popen[bytes]) -> None:
    """It holds a descriptor of it, and does not ask /proc again."""
    observer = process.ThisProcess(process.present())
    before = observer.look(child.pid)
    assert before == observer.look(child.pid) == process.look(child.pid)
    os.kill(child.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)
    assert observer.look(child.pid) == before
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert observer.look(child.pid) == process.look(child.pid)
    child.wait()
    assert observer.look(child.pid) == Sighting("absent")
    assert observer.look(child.pid) == Sighting("absent")


@linux
def test_an_observer_holds_few_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_MOST_HELD", 3)
    held = process._Held()
    children = [subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) for _ in range(5)]
    try:
        for one in (*children, *children):
            assert held.look(one.pid).state == "running"
        assert 1 <= len(held._held) <= 3
    finally:
        for one in children:
            one.communicate(b"\n")
        for pid in list(held._held):
            held._drop(pid)


def test_a_stopped_child_runs(child: subprocess.Popen[bytes]) -> None:
    before = process.look(child.pid)
    os.kill(child.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)
    assert process.look(child.pid) == before
    assert before.state == "running"


@linux
def test_a_process_whose_first_thread_ended_is_no_zombie() -> None:
    program = (
        "import ctypes, sys, threading\n"
        "def wait():\n"
        "    print('ready', flush=True)\n"
        "    sys.stdin.read()\n"
        "threading.Thread(target=wait).start()\n"
        "ctypes.CDLL(None).pthread_exit(None)\n"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as one:
        assert one.stdout is not None
        assert one.stdout.readline() == b"ready\n"
        end = monotonic() + 10
        while ") Z" not in Path(f"/proc/{one.pid}/stat").read_text():
            assert monotonic() < end
        assert process.look(one.pid).state == "running"
        one.kill()


def test_nothing_is_at_a_pid_that_cannot_be() -> None:
    assert process.look(2**22 + 1).state == "absent"
    assert process.look(0).state in ("unknown", "running")
    assert process.look(-1).state == "unknown"


@linux
def test_a_thread_is_not_the_process_that_had_its_number() -> None:
    """``/proc`` answers for threads, too: their start is another one."""
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        number = thread.native_id
        assert number is not None
        assert process.look(number).started != "tick-of-whoever-had-it"
    finally:
        stop.set()
        thread.join()


def test_what_a_program_prints() -> None:
    assert process._output("/bin/echo", "boot session") == "boot session"
    assert process._output("/no/such/program") == ""


def test_names_are_cut_and_cleaned() -> None:
    assert process.present("x" * 500).program == "x" * 200
    assert process.present("a\nb\0c\x1b[1m").program == "abc[1m"


def test_the_watch_begins_with_the_first_look() -> None:
    observer = process.ThisProcess(process.present())
    assert observer.steady_ms(1_000_000) == 0
    assert observer.steady_ms(9_000_000) == 0  # the clock jumped
    observer.introduce("claude-code")
    assert observer.presence.program == "claude-code"
    observer.introduce("")
    assert observer.presence.program == "claude-code"
