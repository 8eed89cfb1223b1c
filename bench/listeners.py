"""Five hundred listeners at one server, while twenty agents write once a second each: does anybody miss anything?

Every agent's message goes to the channel, so that each is a row of the log for each of the other nineteen. The writers
are a process of their own; the listeners are bare sockets in this one.
"""

from __future__ import annotations

import select
import subprocess
import sys
import time
from typing import NamedTuple

import apsw

from bench.figures import Figure, Options, short
from bench.ground import Ground
from bench.served import Ear, Served, ready
from bench.server import compile_bytecode

LISTENERS = 500
AGENTS = 20
SETTLE_S = 3.0


class Minute(NamedTuple):
    """Second, resident memory in KiB, processor time so far."""

    at_s: float
    rss_kib: int
    processor_s: float


def measure(options: Options) -> list[Figure]:
    """Bars: nobody misses an event, and memory stays within 10 % of what it was after the first minute."""
    compile_bytecode()
    seconds = options.size(300, 60)
    with Ground(options.folder) as ground:
        writers = _writers(ground, seconds)
        with Served(ground.path, ground.folder) as served:
            ears = [Ear(served.port) for _ in range(LISTENERS)]
            for ear in ears:
                ear.wait_for(b"event: ready")
            before = _last(ground)
            assert writers.stdin is not None
            writers.stdin.write(b"\n")
            writers.stdin.close()
            minutes = _listen(served, writers, ears, seconds)
            assert writers.wait(60) == 0, "a writer failed"
            written, late_s = _catch_up(ground, ears, before)
            for ear in ears:
                ear.close()
    return _figures(ears, minutes, written, seconds, late_s)


def _figures(ears: list[Ear], minutes: list[Minute], written: int, seconds: int, late_s: float) -> list[Figure]:
    warm = next(minute for minute in minutes if minute.at_s >= min(60, seconds / 3))
    late = [minute for minute in minutes if minute.at_s >= warm.at_s]
    grown = max(minute.rss_kib for minute in late) / warm.rss_kib
    last = minutes[-1]
    share = (last.processor_s - warm.processor_s) / (last.at_s - warm.at_s)
    missed = sum(abs(written - ear.events) for ear in ears)
    what = f"{LISTENERS} listeners, {AGENTS} agents writing once a second, {seconds} s"
    beside = {
        "events for each": f"{written:,}, {short(written / seconds)} a second",
        "server": f"{short(share * 100)} % of a core, {short(last.rss_kib / 1024)} MiB",
        "heard to the end": f"{short(late_s)} s after the last was written",
    }
    return [
        Figure(f"{what}: events missed", missed, "", "at most", 0, beside),
        Figure(f"{what}: streams ended", sum(ear.over for ear in ears), "", "at most", 0),
        Figure(f"{what}: memory since it was warm", grown, " times", "at most", 1.1),
    ]


def _writers(ground: Ground, seconds: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "bench.writers", ground.path, str(AGENTS), str(seconds)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n", "the writers did not start"
    return process


def _listen(served: Served, writers: subprocess.Popen[bytes], ears: list[Ear], seconds: int) -> list[Minute]:
    """Hear everything for so long; memory and processor time once a second."""
    start = time.monotonic()
    minutes: list[Minute] = []
    while (now := time.monotonic() - start) < seconds:
        _hear(ears, 1.0 - now % 1.0)
        assert not writers.poll(), "a writer failed"
        minutes.append(Minute(now, served.status("VmRSS"), served.processor_s()))
        if len(minutes) % 10 == 0:
            last = minutes[-1]
            used = (last.processor_s - minutes[-10].processor_s) / (last.at_s - minutes[-10].at_s)
            print(
                f"{now:.0f} s: {ears[0].events:,} events each, {last.rss_kib // 1024} MiB, {used:.0%} of a core",
                file=sys.stderr,
            )
    return minutes


def _catch_up(ground: Ground, ears: list[Ear], before: int) -> tuple[int, float]:
    """Until everybody has heard everything, or nothing more comes; how much it was, and how long that took.

    A gap shows as too few events. The server itself writes, too: that the writers are gone.
    """
    start = time.monotonic()
    heard = -1
    while True:
        _hear(ears, SETTLE_S)
        written, last = _last(ground) - before, heard
        heard = sum(ear.events for ear in ears)
        if heard in {written * len(ears), last}:
            return written, time.monotonic() - start


def _hear(ears: list[Ear], seconds: float) -> None:
    poll = select.epoll()
    by_descriptor = {ear.socket.fileno(): ear for ear in ears if not ear.over}
    for descriptor in by_descriptor:
        poll.register(descriptor, select.EPOLLIN)
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        for ear in ready(poll, by_descriptor, left):
            ear.hear()
            if ear.over:
                poll.unregister(ear.socket.fileno())
    poll.close()


def _last(ground: Ground) -> int:
    connection = apsw.Connection(ground.path, flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return int(str(connection.execute("SELECT coalesce(max(id), 0) FROM audit_log").fetchall()[0][0]))
    finally:
        connection.close()
