"""Reasons to end reach the waiting thread, from threads and signals, also where pipes cannot be waited for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from comity.doors.stdio import events
from tests.mcp.driven import TIMEOUT_S, environment

WAITS = """
import sys
from comity.doors.stdio.events import Events
told = Events()
told.take_signals(["SIGTERM", "SIGHUP"])
print("waiting", flush=True)
print(told.get(20), flush=True)
"""


@pytest.mark.parametrize("polled", [False, True])
def test_reasons_come_in_order_and_a_wait_ends(monkeypatch: pytest.MonkeyPatch, polled: bool) -> None:
    monkeypatch.setattr(events, "_POLLED", polled)
    monkeypatch.setattr(events, "WINDOWS_TICK_S", 0.01)
    told = events.Events()
    assert told.get(0) is None
    assert told.get(0.05) is None
    thread = threading.Thread(target=lambda: [*map(told.put, ("first", "second"))])
    thread.start()
    assert [told.get(TIMEOUT_S), told.get(TIMEOUT_S)] == ["first", "second"]
    thread.join()


def test_more_reasons_than_the_pipe_holds_do_not_block() -> None:
    told = events.Events()
    for number in range(100_000):
        told.put(str(number))
    assert told.get(0) == "0"


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_is_a_reason(name: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WAITS], stdout=subprocess.PIPE, env=environment(), text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        os.kill(process.pid, getattr(signal, name))
        assert process.stdout.readline() == f"{name}\n"


def test_nohup_is_respected() -> None:
    code = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n" + WAITS
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment(), text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        os.kill(process.pid, signal.SIGHUP)
        os.kill(process.pid, signal.SIGTERM)
        assert process.stdout.readline() == "SIGTERM\n"
