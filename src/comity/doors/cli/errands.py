"""Waiting at the command line for a turn, and running a program while something is held.

A program holds under a name of its own, which lives as long as this command: so two of one user keep each other out,
and what it holds is free as soon as the command is gone, however it ends.
"""

from __future__ import annotations

import os
import re
import sys
from typing import Any

from comity.doors.cli.command import Values
from comity.doors.cli.invocation import Invocation
from comity.doors.cli.screen import Screen
from comity.kernel.problem import Problem
from comity.process import ThisProcess, look, present
from comity.rooms.claims.model import Claimed, WaitingPlace
from comity.system import foreground
from comity.workspace import Workspace, from_settings

_LOOK_MS = 1000  # between two looks while waiting: each also finds what the dead held and what was committed
_TTL_S = 1800
_MOST_BETWEEN_S = 20.0  # renewals
_MOST_NAME = 80
_ODD = r"[^\w .+-]"  # what the name of a program may have, and that of an agent need not


def wait(workspace: Workspace, wanted: Values) -> Claimed:
    """Stand in line until it is one's turn. Whatever ends the wait gives the place up."""
    pid = os.getpid()
    mine = {**wanted, "waiter": f"{pid}:{look(pid).started}"}
    claimed: Claimed = workspace.call("claim.acquire", {**mine, "wait": True})
    told = None
    try:
        while claimed.waiting is not None:
            if (claimed.waiting.place, claimed.waiting.behind) != told:
                told = (claimed.waiting.place, claimed.waiting.behind)
                say_place(Screen(sys.stderr), claimed.waiting)
            workspace.call("claim.settle")
            claimed = workspace.call("claim.acquire", {**mine, "wait": True, "wait_ms": _LOOK_MS})
    except BaseException:
        workspace.call("claim.release", {"files": wanted["files"]})
        raise
    return claimed


def say_place(screen: Screen, place: WaitingPlace) -> None:
    """Where somebody stands, in a line."""
    behind = f", behind {', '.join(place.behind)}" if place.behind else ""
    screen.say(("In line", "yellow"), f" for {', '.join(place.files)}: place {place.place}{behind}")


def run(invocation: Invocation, wanted: Values, program: list[str], *, waits: bool) -> int:
    """Hold what is wanted while a program runs; its exit code. Raises Problem when it cannot be held."""
    invocation.take_part()
    me = invocation.settings
    own = f"{me.agent_id}.run-{os.getpid()}"
    name = f"{me.agent_name or me.agent_id}: {re.sub(_ODD, '', os.path.basename(program[0]))}"
    settings = me._replace(agent_id=own, session_id=own, agent_name=name[:_MOST_NAME])
    actor = settings.actor._replace(channel="", host=None)
    observer = ThisProcess(present("comity", "", me.worktree or me.root))
    with from_settings(settings, observer) as workspace:
        workspace.become(actor)
        workspace.call("session.start")
        try:
            workspace.call("session.errand", {"agent_id": invocation.workspace.actor.agent_id})
            if waits:
                wait(workspace, wanted)
            else:
                workspace.call("claim.acquire", wanted)
            ttl_s = wanted.get("ttl_seconds", _TTL_S)
            return foreground.run(program, lambda: _renew(workspace, ttl_s), min(_MOST_BETWEEN_S, ttl_s / 3))
        finally:
            workspace.call("session.end", {"reason": "the program has ended"})


def _renew(workspace: Workspace, ttl_s: int) -> None:
    """Hold for longer. Whatever keeps that from being done is said, and the program goes on."""
    arguments: dict[str, Any] = {"ttl_seconds": ttl_s}
    try:
        workspace.renew_if_due()
        workspace.call("claim.renew", arguments)
    except Problem as problem:
        print(f"comity: what is held could not be renewed: {problem.message}", file=sys.stderr)
