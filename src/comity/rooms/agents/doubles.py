"""Doubles: one session id in several processes that live, as when a session is resumed in a second terminal.

Each process is an agent of its own: whoever came first keeps the id, and what another one tells is kept under a key
that names its process. So nobody is let in by what the other holds, and the end of one is not the other's.

A process counts as another one when the recorded one runs (same boot, same start), none of the two stands above the
other, and both are known to be hosts and no wrappers of one hook: the recorded one outlived a hook, or only servers
told of it, and the new one has run for a while. A session that just begins, or ends, is taken at its word. Of a session
whose hooks are not heard, a second server beside one that lives is a double as well.
"""

from __future__ import annotations

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.quoting import called
from comity.kernel.scope import HostSession, Scope
from comity.rooms.agents import identity
from comity.rooms.agents.identity import END, MARK, Recorded
from comity.rooms.agents.liveness import gone

_BEGINS = ("startup", "resume")


class Double(NamedTuple):
    """Another agent of the same session id, whose process lives."""

    agent_id: str
    name: str
    pid: int

    @property
    def called(self) -> str:
        """How others call it."""
        return called(self.name, self.agent_id)


def apart(scope: Scope, host: HostSession, recorded: Recorded | None, source: str) -> HostSession:
    """The session as it is kept for whoever is not the recorded process. ``source``: why its context has begun, or
    ``end``.
    """
    process = f"{host.pid}-{host.started}"
    for key in (process, host.server) if host.hearsay else (process,):
        mine = host._replace(session_id=f"{host.session_id}{MARK}{key}")
        if identity.recorded(scope, mine) is not None:
            return mine
    if recorded is None or recorded.ended is not None:
        return host
    if (recorded.pid, recorded.started) == (host.pid, host.started):
        another, key = _other_server_lives(scope, host), host.server
    else:
        begins = source in _BEGINS and not host.subagent_id
        lasting = recorded.outlived and (host.lasting or source == END)
        certain = lasting or not recorded.heard or begins
        another, key = certain and _is_another(scope, recorded, host.pid or 0), process
    return host._replace(session_id=f"{host.session_id}{MARK}{key}") if another else host


def _other_server_lives(scope: Scope, host: HostSession) -> bool:
    """Whether the program has started another server for the session, of which no hook tells, and it runs."""
    me = scope.observer.presence
    rows = scope.tx.all("agents.server_of", host=host.host, host_session_id=host.session_id)
    return me is not None and any(pid != me.pid and runs(scope, pid, *seen) for pid, *seen in rows)


def others(scope: Scope, host: HostSession | None) -> list[Double]:
    """Whoever goes by the actor's session id beside it, and lives; a subagent's parent is told, not the subagent."""
    if host is None or host.pid is None or not host.session_id or host.subagent_id:
        return []
    session_id = host.session_id.partition(MARK)[0]
    rows = scope.tx.all("agents.under_session_id", host=host.host, session_id=session_id, mark=session_id + MARK)
    return [
        Double(str(agent_id), str(name or agent_id), pid)
        for agent_id, name, pid, started, boot_id in rows
        if agent_id != scope.actor.agent_id and runs(scope, pid, started, boot_id)
    ]


def by_agent(scope: Scope) -> dict[str, list[Double]]:
    """Every agent that has a double, with its doubles."""
    found: dict[str, list[Double]] = {}
    for host, session_id in scope.tx.all("agents.doubled", mark=MARK):
        name = str(session_id).partition(MARK)[0]
        rows = scope.tx.all("agents.under_session_id", host=host, session_id=name, mark=name + MARK)
        living = [Double(str(row[0]), str(row[1] or row[0]), row[2]) for row in rows if runs(scope, *row[2:])]
        for one in living:
            found[one.agent_id] = [other for other in living if other.agent_id != one.agent_id]
    return {agent_id: doubles for agent_id, doubles in found.items() if doubles}


def _is_another(scope: Scope, recorded: Recorded, pid: int) -> bool:
    """Whether the recorded process lives and has nothing to do with this one."""
    if recorded.pid is None or not runs(scope, recorded.pid, recorded.started, recorded.boot_id):
        return False
    observer = scope.observer
    return recorded.pid not in observer.above(pid) and pid not in observer.above(recorded.pid)


def runs(scope: Scope, pid: int | None, started: str, boot_id: str) -> bool:
    """Whether that process certainly runs."""
    own_boot = scope.observer.presence.boot_id if scope.observer.presence is not None else ""
    if pid is None or not started or boot_id != own_boot:
        return False
    return gone(started, scope.observer.look(pid)) is False
