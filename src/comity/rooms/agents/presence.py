"""Presence: what a session reports of itself, and the lease that it renews (the rules are in ``agents.liveness``)."""

from __future__ import annotations

from comity.kernel.scope import Scope
from comity.kernel.text import read_list
from comity.rooms.agents.liveness import Evidence, HostProcess, Reported, Verdict, beside, comparable, judge
from comity.rooms.agents.model import DeadAgent


def record(scope: Scope) -> None:
    """Write the presence of the actor's session, registered in this transaction; or none, when it reports none."""
    session_id, own = scope.actor.session_id, scope.observer.presence
    if own is None:
        scope.tx.run("agents.drop_presence", session_id=session_id)
        return
    scope.tx.run(
        "agents.record_presence",
        session_id=session_id,
        agent_id=scope.actor.agent_id,
        registered_at=scope.now.iso,
        pid=own.pid,
        process_started=own.started,
        boot_id=own.boot_id,
        pid_namespace=own.namespace,
        host_name=own.machine,
        program=own.program,
        host_session_id=own.host_session_id,
        worktree=own.worktree,
        last_seen_ms=scope.now.ms,
        lease_until_ms=scope.now.ms + own.lease_ms,
    )


def renew(scope: Scope) -> bool:
    """Extend the lease of the actor's session. False when it is over, was replaced or reports no presence."""
    own = scope.observer.presence
    if own is None:
        return False
    return bool(
        scope.tx.run(
            "agents.renew_presence",
            session_id=scope.actor.session_id,
            agent_id=scope.actor.agent_id,
            program=own.program,
            last_seen_ms=scope.now.ms,
            lease_until_ms=scope.now.ms + own.lease_ms,
        )
    )


def verdicts(scope: Scope) -> list[tuple[Reported, Verdict]]:
    """Every active session that reports a presence, by agent, and whether it lives as far as the caller can know."""
    now_ms, observer = scope.now.ms, scope.observer
    steady_ms = observer.steady_ms(now_ms)
    found = []
    for row in scope.tx.all("agents.presences"):
        reported = Reported._make(row[:12])
        pid = reported.pid if comparable(reported, observer.presence) else None
        sighting = None if pid is None else observer.look(pid)
        hosts = _hosts(row[12], reported.boot_id) if row[12] and beside(reported, observer.presence) else ()
        seen = tuple((host, observer.look(host.pid)) for host in hosts)
        found.append((reported, judge(Evidence(reported, sighting, now_ms, steady_ms, seen))))
    return found


def _hosts(text: object, boot_id: str) -> tuple[HostProcess, ...]:
    """The processes of a session's host in this run of the machine, the one heard last first."""
    rows = sorted(read_list(text) or [], key=lambda row: -int(row[0]))
    return tuple(
        HostProcess(int(pid), str(started), boot, bool(outlived), bool(last))
        for _, pid, started, boot, outlived, last in rows
        if boot == boot_id
    )


def dead(scope: Scope) -> list[DeadAgent]:
    """Every session but the actor's own that is certainly dead: whoever asks, lives."""
    return [
        DeadAgent(reported.agent_id, reported.session_id, verdict.how)
        for reported, verdict in verdicts(scope)
        if verdict.state == "dead" and reported.session_id != scope.actor.session_id
    ]
