"""Which agent a host's session is: the same one after compaction, resume and rename; never two sessions in one.

The first time a session is heard of it becomes an agent; what its host calls it later is found again here. A session
that begins anew in the same host process (resumed, cleared, compacted under a new id) goes on as the same agent, unless
that process runs several. A subagent is an agent of its own, and knows its parent.
"""

from __future__ import annotations

from comity.kernel.scope import HostSession, Scope

_SUBAGENT = 12  # characters of a subagent's id that tell it from its siblings


def identify(scope: Scope, host: HostSession, anew: bool = False) -> str:
    """The agent id of a host's session, which is remembered. ``anew``: its context has just begun again."""
    known = find(scope, host)
    agent_id = known
    parent = None
    if known is None:
        parent = identify(scope, host._replace(subagent_id="")) if host.subagent_id else None
        agent_id = _goes_on(scope, host) if anew and parent is None else None
        agent_id = agent_id or _new(scope, host, parent)
    assert agent_id is not None
    scope.tx.run(
        "agents.remember_host_session",
        host=host.host,
        host_session_id=host.session_id,
        subagent_id=host.subagent_id,
        agent_id=agent_id,
        parent_agent_id=parent,
        boot_id=_boot_id(scope),
        host_pid=host.pid,
        host_started=host.started,
        now_ms=scope.now.ms,
    )
    return agent_id


def find(scope: Scope, host: HostSession) -> str | None:
    """The agent of a host's session that was heard of before."""
    row = scope.tx.one(
        "agents.host_session", host=host.host, host_session_id=host.session_id, subagent_id=host.subagent_id
    )
    return None if row is None else str(row[0])


def in_process(scope: Scope, pid: int, started: str) -> str | None:
    """The agent whose host is this process; None when there is none, or more than one."""
    rows = scope.tx.all("agents.sessions_in_process", boot_id=_boot_id(scope), host_pid=pid, host_started=started)
    return str(rows[0][0]) if len(rows) == 1 else None


def ancestors(scope: Scope, agent_id: str) -> list[str]:
    """Parent, grandparent and so on of a subagent; empty for any other agent."""
    return [str(row[0]) for row in scope.tx.all("agents.ancestors", agent_id=agent_id)]


def _goes_on(scope: Scope, host: HostSession) -> str | None:
    return in_process(scope, host.pid, host.started) if host.pid is not None and host.started else None


def _new(scope: Scope, host: HostSession, parent: str | None) -> str:
    if parent is not None:
        return f"{parent}.{host.subagent_id[-_SUBAGENT:]}"
    return scope.actor.agent_id


def _boot_id(scope: Scope) -> str:
    own = scope.observer.presence
    return own.boot_id if own is not None else ""
