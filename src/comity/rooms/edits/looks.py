"""Looks that agents take before their commands: how files were, and what a command may have left running."""

from __future__ import annotations

import json
import re

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.scope import Scope
from comity.rooms.turns import speaker

KEPT_MS = 3_600_000  # how long the changes of a command are remembered, and what it left running is believed to run
_LEAVES = re.compile(r"(?<![&>|<])&(?![&>])|\b(?:nohup|setsid|disown|tmux|screen|daemonize)\b")

Prints = dict[str, str]  # fingerprints by path


class Before(NamedTuple):
    """The look that was taken before a command, between two moments; ``mark_ns``: when files may have changed since."""

    looked_ms: int
    from_ms: int
    prints: Prints
    mark_ns: int


def before(scope: Scope) -> Before | None:
    """The open look of the actor, if any."""
    return opened(speaker.seen(scope))


def opened(scope: Scope) -> Before | None:
    """The same where the actor is known."""
    row = scope.tx.one("edits.look", agent_id=scope.actor.agent_id)
    if row is None:
        return None
    found = json.loads(row[2])
    return Before(int(row[0]), int(row[1]), {str(path): str(seen) for path, seen in found.items()}, int(row[3]))


def close(scope: Scope, command: str) -> None:
    """The command has ended."""
    lingers_ms = scope.now.ms + KEPT_MS if leaves_running(command) else 0
    scope.tx.run("edits.close_look", agent_id=scope.actor.agent_id, now_ms=scope.now.ms, lingers_ms=lingers_ms)


def leaves_running(command: str) -> bool:
    """Whether a command line may leave something running."""
    return _LEAVES.search(command) is not None
