"""A hook that waits beside an idle session: until a message is to wake it, the session goes on, or its host has ended.

It sleeps until another process has written, holds no lock meanwhile, and asks ``turn.wake``, which decides.
"""

from __future__ import annotations

import os
import select
import time
from importlib import import_module

from comity.doors.hook.turn import Turn
from comity.hosts.contract import NOTHING, HookReply
from comity.kernel.hints import Protocol
from comity.process import host_process, look

LOOK_S = 1.0  # how often it is seen whether the host still runs
ASK_S = 30.0  # how often it is asked although nobody has written: times run out
MAX_S = 86_400.0
_STDOUT = 1


class Waker(Protocol):
    """A program that wakes a session."""

    def works(self) -> bool:
        """Whether it is there and knows how."""

    def wake(self, session_id: str, text: str) -> None:
        """Prompt the session with it. Raises OSError."""


class Host:
    """The program that started this hook."""

    def __init__(self) -> None:
        self._parent = os.getppid()
        self.pid, self._started = host_process()

    def runs(self) -> bool:
        """Whether it still does, as far as can be seen. A host that was gone before it was looked for reads no more."""
        if os.getppid() != self._parent or not is_read(_STDOUT):
            return False
        if self.pid is None:
            return True
        seen = look(self.pid)
        return seen.state == "unknown" or (seen.state == "running" and seen.started == (self._started or seen.started))


def is_read(descriptor: int) -> bool:
    """Whether somebody may still read what is written there: a pipe or socket whose other end is closed says so."""
    if os.name == "nt":
        return True
    poll = select.poll()
    poll.register(descriptor, 0)
    return not poll.poll(0)


def wait(turn: Turn) -> HookReply:
    """What to wake the session with; nothing when it is not to be woken any more."""
    if turn.wakes == "off":
        return NOTHING
    if turn.heard.glance:
        return HookReply(wake=turn.run("turn.wake", least=turn.wakes).text)
    host, until, rested = Host(), time.monotonic() + MAX_S, False
    waker: Waker | None = None
    if name := turn.adapter.waker:
        waker = import_module(f"comity.hosts.{name}").Program(host.pid)
        if not waker.works():
            return NOTHING
    watcher = os.urandom(8).hex()
    agent_id = turn.run("turn.watch", watcher=watcher, rests=turn.heard.rests).agent_id
    if not agent_id:
        return NOTHING
    waiter = turn.store.waiter([agent_id])
    try:
        ask_at = 0.0
        while (now := time.monotonic()) < until and host.runs():
            if now >= ask_at:
                wake = turn.run("turn.wake", watcher=watcher, least=turn.wakes)
                if wake.text and waker is not None:
                    waker.wake(turn.heard.session_id, turn.say(wake.text))
                if wake.text or wake.over or (rested and not wake.resting):
                    return HookReply(wake=wake.text)
                rested, ask_at = wake.resting, now + ASK_S
            if waiter.wait(LOOK_S):
                ask_at = 0.0
    finally:
        waiter.close()
    return NOTHING
