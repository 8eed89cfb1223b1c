"""Rest: a session whose turn has ended is idle until its next prompt or tool. What wakes it is ``wakeups``."""

from __future__ import annotations

from comity.kernel.scope import Scope
from comity.rooms.agents import identity


def key(scope: Scope) -> dict[str, str]:
    """The session that can rest; no session for a subagent, whose parent may rest meanwhile, and without a host."""
    host = scope.actor.host
    if host is None or host.subagent_id:
        return {"host": "", "host_session_id": ""}
    host = identity.own(scope, host)
    return {"host": host.host, "host_session_id": host.session_id}


def begin(scope: Scope) -> None:
    """The turn has ended."""
    scope.tx.run("turns.rest_begins", now_ms=scope.now.ms, **key(scope))


def end(scope: Scope) -> None:
    """The session goes on."""
    scope.tx.run("turns.rest_ends", **key(scope))
