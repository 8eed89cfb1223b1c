"""Programs: what they say is bounded, and whatever ends one early ends all that it started."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from comity.mcp.surface import Cancellation
from comity.system import processes
from tests.sim.processes import spawn

FOREVER = 600.0
# Starts a child that opens the pipe named first, and waits for it; the child goes on for longer than any test.
_PARENT = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', sys.argv[2], sys.argv[1]]).wait()"
_TOLD = (
    "import os, signal, sys; pipe = open(sys.argv[1], 'w'); pipe.write(str(os.getpid())); pipe.flush(); signal.pause()"
)
_CHILD = "import signal, sys; pipe = open(sys.argv[1], 'w'); pipe.write('here'); pipe.flush(); signal.pause()"


def run(folder: Path, program: str, *arguments: str, **more: object) -> processes.Ended:
    options = {"environment": {}, "most_bytes": 100_000, "most_s": 30.0, **more}
    return processes.run((sys.executable, "-c", program, *arguments), folder=str(folder), **options)  # type: ignore[arg-type]


def test_what_a_program_says_and_how_it_ended(tmp_path: Path) -> None:
    assert run(tmp_path, "print('hello')") == processes.Ended("ended", 0, b"hello\n")
    assert run(tmp_path, "raise SystemExit(3)") == processes.Ended("ended", 3)
    assert run(tmp_path, "import os; os.kill(os.getpid(), 9)").code == -signal.SIGKILL
    both = "import sys; print('out', flush=True); print('err', file=sys.stderr)"
    assert run(tmp_path, both).output == b"out\n"
    assert run(tmp_path, both, errors=True).output == b"out\nerr\n"


def test_it_gets_its_folder_its_environment_and_nothing_to_read(tmp_path: Path) -> None:
    told = run(
        tmp_path, "import os, sys; print(os.getcwd(), os.environ['A'], sys.stdin.read())", environment={"A": "b"}
    )
    assert told.output.decode().split() == [str(tmp_path.resolve()), "b"]
    assert b"HOME" not in run(tmp_path, "import os; print(*os.environ)").output


def test_its_arguments_are_what_they_are(tmp_path: Path) -> None:
    odd = ("$HOME", "a b", ";", "`x`", "*", "")
    assert run(tmp_path, "import sys; print(sys.argv[1:])", *odd).output.decode().strip() == str(list(odd))


@pytest.mark.parametrize("arguments", [("/no/such/program",), ("\0",)])
def test_one_that_cannot_be_started_is_missing(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ended = processes.run(arguments, folder=str(tmp_path), environment={}, most_bytes=1, most_s=1)
    assert ended == processes.Ended("missing")


def test_one_that_says_too_much_is_killed(tmp_path: Path) -> None:
    ended = run(tmp_path, "while True: print('x' * 1000)", most_bytes=5000)
    assert (ended.how, ended.code) == ("long", -signal.SIGKILL)


def ends(pipe: Any) -> bool:
    """Whether a pipe ends soon: nobody has its other end open any more."""
    poll = select.poll()
    poll.register(pipe, select.POLLIN | select.POLLHUP)
    return bool(poll.poll(30_000)) and pipe.read() == b""


class Family:
    """A program and its child, both of which run; the pipe ends once both are gone."""

    def __init__(self, folder: Path) -> None:
        self.fifo = folder / "fifo"
        os.mkfifo(self.fifo)
        self.stop = Cancellation()
        self.ended: list[processes.Ended] = []
        self.thread = threading.Thread(target=self._run, args=(folder,))

    def _run(self, folder: Path) -> None:
        self.ended.append(run(folder, _PARENT, str(self.fifo), _CHILD, most_s=FOREVER, stop=self.stop))


def test_stopping_it_ends_its_children_as_well(tmp_path: Path) -> None:
    family = Family(tmp_path)
    family.thread.start()
    with family.fifo.open("rb", buffering=0) as pipe:
        assert pipe.read(4) == b"here"
        family.stop.set()
        assert pipe.read() == b""  # the child is gone: nobody has it open any more
    family.thread.join()
    assert [(one.how, one.code) for one in family.ended] == [("stopped", -signal.SIGKILL)]


def test_one_that_can_be_stopped_ends_with_its_children_when_whoever_runs_it_is_killed(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with (
        spawn("tests.system.running", tmp_path, _PARENT, fifo, _CHILD) as runner,
        fifo.open("rb", buffering=0) as pipe,
    ):
        assert pipe.read(4) == b"here"
        runner.kill()
        assert runner.wait() == -signal.SIGKILL
        assert ends(pipe), "the child goes on"


def test_what_a_program_leaves_running_of_its_own_accord_is_let_be(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    leaving = (
        "import os, subprocess, sys\n"
        "subprocess.Popen([sys.executable, '-c', sys.argv[2], sys.argv[1]], stdout=subprocess.DEVNULL)\n"
        "open(sys.argv[1] + '2', 'r').read()"
    )
    os.mkfifo(f"{fifo}2")
    ended: list[processes.Ended] = []
    thread = threading.Thread(
        target=lambda: ended.append(run(tmp_path, leaving, str(fifo), _TOLD, most_s=FOREVER, stop=Cancellation()))
    )
    thread.start()
    with fifo.open("rb", buffering=0) as pipe:
        pid = int(pipe.read(20))
        (tmp_path / "fifo2").write_text("")  # the program ends
        thread.join()
        assert ended[0].how == "ended"
        os.kill(pid, signal.SIGTERM)  # which would fail if it were gone
        assert pipe.read() == b""


@pytest.mark.parametrize("arguments", [("/no/such/program",), ("\0",)])
def test_one_that_cannot_be_started_leaves_nobody_behind(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    before = len(os.listdir("/dev/fd"))
    ended = processes.run(arguments, folder=str(tmp_path), environment={}, most_bytes=1, most_s=1, stop=Cancellation())
    assert ended == processes.Ended("missing")
    assert len(os.listdir("/dev/fd")) == before


def test_one_that_is_not_wanted_any_more_when_it_starts_is_stopped(tmp_path: Path) -> None:
    stop = Cancellation()
    stop.set()
    assert run(tmp_path, "import signal; signal.pause()", stop=stop, most_s=FOREVER).how == "stopped"


def test_stopping_late_does_no_harm(tmp_path: Path) -> None:
    stop = Cancellation()
    before = len(os.listdir("/dev/fd"))
    assert run(tmp_path, "", stop=stop).how == "ended"
    stop.set()
    assert len(os.listdir("/dev/fd")) == before


def test_its_time_is_bounded(tmp_path: Path) -> None:
    assert run(tmp_path, "import signal; signal.pause()", most_s=0.2).how == "late"
    closed = "import os, signal; os.close(1); signal.pause()"
    assert run(tmp_path, closed, most_s=0.5).how == "late"
