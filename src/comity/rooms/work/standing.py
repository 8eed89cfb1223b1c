"""Which agents live, as far as can be known now: what they changed is theirs only that long.

An agent lives while it has an active session whose process runs, and its host has not said that it ended. A session
that only hooks know has no process of its own: its host's counts. Where neither can be seen, its lease decides. The
work of a subagent that has ended is its parent's.
"""

from __future__ import annotations

from collections.abc import Iterable

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.observer import Presence
from comity.kernel.scope import Scope
from comity.kernel.text import compact
from comity.rooms.agents import identity, presence
from comity.rooms.agents.liveness import Reported, Verdict, gone


class Standing(NamedTuple):
    """``owner``: whose an agent's work is now (None: a dead one's); ``rested_ms``: when each began to rest."""

    owner: dict[str, str | None]
    rested_ms: dict[str, int]

    def living(self, agent_id: str) -> bool:
        """Whether its work is somebody's who lives."""
        return self.owner.get(agent_id) is not None


def of(scope: Scope, agents: Iterable[str]) -> Standing:
    """How these agents stand."""
    wanted = list(dict.fromkeys(agents))
    if not wanted:
        return Standing({}, {})
    lines = {agent_id: [agent_id, *identity.ancestors(scope, agent_id)] for agent_id in wanted}
    every = list(dict.fromkeys(one for line in lines.values() for one in line))
    living, rested = _living(scope, every)
    owner = {agent_id: next((one for one in line if one in living), None) for agent_id, line in lines.items()}
    return Standing(owner, rested)


def _living(scope: Scope, agents: list[str]) -> tuple[set[str], dict[str, int]]:
    told = compact(agents)
    active = {str(row[0]): str(row[1]) for row in scope.tx.all("work.active", agents=told)}
    hosts: dict[str, list[tuple[str, int | None, str]]] = {}
    rested: dict[str, int] = {}
    for agent_id, boot_id, pid, started, rested_ms in scope.tx.all("work.hosts", agents=told):
        hosts.setdefault(str(agent_id), []).append((str(boot_id), pid, str(started)))
        if isinstance(rested_ms, int):
            rested[str(agent_id)] = rested_ms
    verdicts = {one.session_id: (one, verdict) for one, verdict in presence.verdicts(scope)} if active else {}
    over = {str(row[0]) for row in scope.tx.all("work.ended", agents=told)} - {scope.actor.agent_id} if active else ()
    living = set()
    for agent_id, session_id in active.items():
        known = verdicts.get(session_id)
        if agent_id in over:
            continue
        if known is None or agent_id == scope.actor.agent_id or _lives(scope, *known, hosts.get(agent_id, [])):
            living.add(agent_id)
    return living, rested


def _lives(scope: Scope, reported: Reported, verdict: Verdict, hosts: list[tuple[str, int | None, str]]) -> bool:
    if verdict.state in ("alive", "dead"):
        return verdict.state == "alive"
    seen = [
        _runs(scope, pid, started)
        for boot_id, pid, started in hosts
        if _sees_hosts(scope) and _here(scope.observer.presence, reported, boot_id, pid)
    ]
    return True in seen or verdict.state == "leased"


def _sees_hosts(scope: Scope) -> bool:
    """Whether hosts' processes can be seen: the caller's own runs for certain."""
    host = scope.actor.host
    return host is None or host.pid is None or _runs(scope, host.pid, host.started) is not False


def _here(own: Presence | None, reported: Reported, boot_id: str, pid: int | None) -> bool:
    """Whether a host's process is among those that can be seen from here."""
    if own is None or pid is None or "" in (own.boot_id, own.namespace):
        return False
    return (own.boot_id, own.namespace) == (boot_id, reported.namespace)


def _runs(scope: Scope, pid: int | None, started: str) -> bool | None:
    """Whether that process runs; None when nobody can tell."""
    over = gone(started, scope.observer.look(pid or 0))
    return None if over is None else not over
