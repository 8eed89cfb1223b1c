"""Which agent a host's session is: the same one after compaction, resume and rename; never two sessions in one.

A hook tells of a session for certain, and so does a call that carries the session's id. A server that was only started
by a host supposes: by the id in its environment, which may be outdated, else by the host's process, when exactly one
session is in that. Whoever comes first, they meet: a server that supposed nothing leaves a note of its process, and the
first session that is heard of there takes the server's agent for its own; a server that finds out later moves over,
with all that its agent held. An id that the user chose (``named``) wins over every other.

A session that begins anew in the same process under a new id (cleared, compacted) goes on as the same agent. A subagent
is an agent of its own, and knows its parent. Hosts do not tell the end of a subagent that was interrupted: one that is
silent while its parent goes on keeps nobody of its family out, until it is heard of again.
"""

from __future__ import annotations

from importlib import import_module

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.scope import Actor, HostSession, Row, Scope
from comity.rooms.agents import merge

CLEARED = "clear"
WENT_ON = "went on"  # under another session id
END = "end"  # in place of why a session begins
SILENT_MS = 120_000  # after which a subagent counts as silent for its parent
_HEARD_MS = 30_000  # how old the note of when a subagent was heard may become
MARK = "@process:"  # in the key of a session, before the process that it is in: see ``agents.doubles``
_SUBAGENT = 12  # characters of a subagent's id that tell it from its siblings
_SERVER = "server:"  # before the session id of a server that knows no host session


class _Known(NamedTuple):
    """A row about a host's session."""

    agent_id: str
    heard_ms: int | None
    ended: str | None
    pid: int | None
    started: str

    @property
    def heard(self) -> bool:
        """Whether the session was heard of, and is no server's supposition."""
        return self.heard_ms is not None


class Recorded(NamedTuple):
    """The process that is recorded for a session, and how that is known."""

    pid: int | None
    started: str
    boot_id: str
    outlived: bool
    heard: bool
    ended: str | None


def own(scope: Scope, host: HostSession, source: str = "") -> HostSession:
    """The session as it is kept for the process that tells of it: apart where another process that lives has its id.

    ``source``: why its context has just begun, if it has; or ``end``.
    """
    if not host.session_id or host.pid is None or not host.started or host.named or MARK in host.session_id:
        return host
    there = recorded(scope, host)
    if there is None and not _under(scope, host):
        return host
    same = there is not None and (there.pid, there.started) == (host.pid, host.started)
    if same and there is not None and (there.heard or not host.hearsay):
        return host
    source = source or host.begins
    apart: HostSession = import_module("comity.rooms.agents.doubles").apart(scope, host, there, source)
    return apart


def recorded(scope: Scope, host: HostSession) -> Recorded | None:
    """The process that a session was last heard of in; None for a new one."""
    row = scope.tx.one("agents.recorded_process", host=host.host, host_session_id=host.session_id)
    return None if row is None else Recorded._make(row)


def is_new_double(scope: Scope, host: HostSession) -> bool:
    """Whether a session that is kept apart is seen for the first time."""
    return MARK in host.session_id and not host.subagent_id and recorded(scope, host) is None


def named(actor: Actor, agent_id: str) -> str:
    """The actor's name as this agent: that of a double ends as its id does, with a number."""
    doubled = actor.host is not None and MARK in actor.host.session_id
    rest = agent_id.removeprefix(actor.agent_id) if doubled and actor.name != agent_id else ""
    return f"{actor.name}{rest}" if actor.name and rest != agent_id else actor.name


def identify(scope: Scope, host: HostSession, source: str = "") -> str:
    """The agent id of a host's session, which is remembered. ``source``: why its context has just begun, if it has."""
    host = own(scope, host, source)
    source = source or ("" if host.begins == END else host.begins)
    return _suppose(scope, host) if host.hearsay else _hear(scope, host, source)


def known_as(scope: Scope, host: HostSession) -> tuple[str, str]:
    """The same with the agent's name: the one it has when it turns out to be another than the actor."""
    agent_id = identify(scope, host)
    row = scope.tx.one("agents.name_of", agent_id=agent_id) if agent_id != scope.actor.agent_id else None
    return agent_id, str(row[0]) if row is not None else named(scope.actor._replace(host=host), agent_id)


def find(scope: Scope, host: HostSession) -> str | None:
    """The same by reading alone; None when something is to be written first."""
    host = own(scope, host)
    known = _known(scope, host)
    if not host.hearsay:
        if known is None or known.heard_ms is None or known.ended is not None:
            return None
        if host.subagent_id and scope.now.ms - known.heard_ms > _HEARD_MS:
            return None
        if host.named and not host.subagent_id and known.agent_id != host.named:
            return None
        moved = host.pid is not None and (known.pid, known.started) != (host.pid, host.started)
        return None if moved else known.agent_id
    chosen = _supposed(scope, host, known)
    return chosen if chosen is not None and _settled(scope, host, known, chosen) else None


def outlives(scope: Scope, host: HostSession) -> bool:
    """Whether it is news, to be written down, that the host's process goes on after a hook."""
    if host.hearsay or host.pid is None or not (host.lasting or host.began_ms):
        return False
    name, session_id, subagent_id = _key(host)
    row = scope.tx.one(
        "agents.outlives",
        host=name,
        host_session_id=session_id,
        subagent_id=subagent_id,
        host_pid=host.pid,
        host_started=host.started,
        lasting=host.lasting,
        began_ms=host.began_ms,
    )
    return row is not None


def in_process(scope: Scope, host: HostSession) -> list[str]:
    """The agents of the sessions that are heard of in the host's process."""
    return [str(row[0]) for row in _there(scope, "agents.sessions_in_process", host)]


def ancestors(scope: Scope, agent_id: str) -> list[str]:
    """Parent, grandparent and so on of a subagent; empty for any other agent."""
    return [str(row[0]) for row in scope.tx.all("agents.ancestors", agent_id=agent_id)]


def descendants(scope: Scope, agent_id: str) -> list[str]:
    """Subagents, theirs and so on."""
    return [str(row[0]) for row in scope.tx.all("agents.descendants", agent_id=agent_id)]


def _under(scope: Scope, host: HostSession) -> list[Row]:
    """What is known under a session's id, of whichever process."""
    session_id = host.session_id.partition(MARK)[0]
    return scope.tx.all("agents.under_session_id", host=host.host, session_id=session_id, mark=session_id + MARK)


def may_be_doubled(scope: Scope) -> bool:
    """Whether other processes may go by the actor's session id."""
    host = scope.actor.host
    if host is None or not host.session_id or host.subagent_id:
        return False
    return len(_under(scope, host)) > 1


def kin(scope: Scope, agent_id: str) -> set[str]:
    """Whose claims and work keep an agent from nothing: its own, those above it, and silent ones of its family."""
    rows = scope.tx.all("agents.silent_relatives", agent_id=agent_id, since_ms=scope.now.ms - SILENT_MS)
    return {agent_id, *ancestors(scope, agent_id), *(str(row[0]) for row in rows)}


def goes_on(scope: Scope, host: HostSession) -> None:
    """A session goes on by its user's word: its subagents are silent until they are heard of again."""
    scope.tx.run("agents.fall_silent", host=host.host, host_session_id=host.session_id)


def has_speaking(scope: Scope, host: HostSession) -> bool:
    """Whether a subagent of a session has been heard of since that went on."""
    row = scope.tx.one("agents.speaking_subagent", host=host.host, host_session_id=host.session_id)
    return row is not None


def noted(scope: Scope, host: HostSession) -> set[str]:
    """The agents that were noted for this session, or this subagent and its parent, however long ago."""
    host = own(scope, host)
    rows = scope.tx.all(
        "agents.noted_as", host=host.host, host_session_id=host.session_id, subagent_id=host.subagent_id
    )
    return {str(row[0]) for row in rows}


def subagents_of(scope: Scope, host: HostSession) -> set[str]:
    """The agents that are subagents in a host's session."""
    host = own(scope, host)
    rows = scope.tx.all("agents.subagents_of", host=host.host, host_session_id=host.session_id)
    return {str(row[0]) for row in rows}


def end(scope: Scope, host: HostSession, reason: str) -> list[str]:
    """The host says that a session is over, or a subagent; the agents that were in it, a session's subagents too.

    Another process than the recorded one ends nothing, while that one lives.
    """
    host = own(scope, host, END)
    rows = scope.tx.all(
        "agents.end_host_session",
        host=host.host,
        host_session_id=host.session_id,
        subagent_id=host.subagent_id,
        reason=reason or "ended",
    )
    return list(dict.fromkeys(str(row[0]) for row in rows))


def _hear(scope: Scope, host: HostSession, source: str) -> str:
    """A session that is certainly there."""
    parent = _hear(scope, host._replace(subagent_id=""), "") if host.subagent_id else None
    known = _known(scope, host)
    if known is not None and ((known.heard and known.ended != WENT_ON) or not _taken(scope, known.agent_id, host)):
        agent_id = known.agent_id
        ghost = _waiting(scope, host, source) if source and parent is None else None
        if ghost is not None and ghost != agent_id and not set(in_process(scope, host)) - {agent_id}:
            merge.move(scope, ghost, agent_id)
    elif parent is not None:
        agent_id = _free(scope, f"{parent}.{host.subagent_id[-_SUBAGENT:]}", host)
    else:
        before = host.named or _goes_on(scope, host, source) or _adopted(scope, host, source)
        agent_id = before or _free(scope, scope.actor.agent_id, host)
    if host.named and parent is None and agent_id != host.named:
        merge.move(scope, agent_id, host.named)
        agent_id = host.named
    _remember(scope, host, agent_id, parent)
    return agent_id


def _suppose(scope: Scope, host: HostSession) -> str:
    """The session of a server whose calls do not tell."""
    known = _known(scope, host)
    chosen = _supposed(scope, host, known)
    if chosen is not None and _settled(scope, host, known, chosen):
        return chosen
    if chosen is None:
        chosen = _free(scope, scope.actor.agent_id, host)
    elif host.named:
        there = in_process(scope, host)
        for other in dict.fromkeys([*([known.agent_id] if known is not None else []), *there]):
            if other != chosen and ((known is not None and other == known.agent_id) or _is_alone(scope, there)):
                merge.move(scope, other, chosen)
    elif known is not None and not _taken(scope, known.agent_id, host):
        merge.move(scope, known.agent_id, chosen)
    _remember(scope, host, chosen, None)
    return chosen


def _supposed(scope: Scope, host: HostSession, known: _Known | None) -> str | None:
    """Who a server is, as far as can be known now; None for somebody new."""
    there = in_process(scope, host)
    if host.named:
        return host.named
    if known is not None and known.heard and known.ended is None:
        return known.agent_id
    if (known is not None or not host.session_id) and _is_alone(scope, there, known):
        return there[0]
    if known is None:
        return None
    unserved = [other for other in there if other != known.agent_id and not _served(scope, other)]
    return None if unserved and _taken(scope, known.agent_id, host) else known.agent_id


def _settled(scope: Scope, host: HostSession, known: _Known | None, chosen: str) -> bool:
    """Whether nothing is to be written to make this so."""
    if known is None or known.agent_id != chosen:
        return False
    there = in_process(scope, host) if host.named else []
    return chosen in there or not _is_alone(scope, there)


def _is_alone(scope: Scope, there: list[str], known: _Known | None = None) -> bool:
    """Whether one session is in the process, and no other server speaks for it."""
    return len(there) == 1 and ((known is not None and known.agent_id == there[0]) or not _served(scope, there[0]))


def _key(host: HostSession) -> tuple[str, str, str]:
    return host.host, host.session_id or f"{_SERVER}{host.server}", host.subagent_id


def _known(scope: Scope, host: HostSession) -> _Known | None:
    name, session_id, subagent_id = _key(host)
    row = scope.tx.one("agents.host_session", host=name, host_session_id=session_id, subagent_id=subagent_id)
    return None if row is None else _Known(str(row[0]), *row[1:])


def _remember(scope: Scope, host: HostSession, agent_id: str, parent: str | None) -> None:
    name, session_id, subagent_id = _key(host)
    scope.tx.run(
        "agents.remember_host_session",
        host=name,
        host_session_id=session_id,
        subagent_id=subagent_id,
        agent_id=agent_id,
        parent_agent_id=parent,
        boot_id=_boot_id(scope),
        host_pid=host.pid,
        host_started=host.started,
        heard_ms=None if host.hearsay else scope.now.ms,
        lasting=host.lasting,
        began_ms=host.began_ms,
    )


def _goes_on(scope: Scope, host: HostSession, source: str) -> str | None:
    """The agent whose context was cleared or compacted under this new session id, if there is no doubt."""
    if source not in (CLEARED, "compact"):
        return None
    cleared = [str(row[0]) for row in _there(scope, "agents.cleared_in_process", host)]
    found = cleared or in_process(scope, host)
    if len(found) != 1:
        return None
    if cleared:
        scope.tx.run("agents.went_on", agent_id=cleared[0])
    return found[0]


def _adopted(scope: Scope, host: HostSession, source: str) -> str | None:
    """The agent of a server that waits, which has from now on the session's name."""
    agent_id = _waiting(scope, host, source)
    if agent_id is not None and scope.actor.name:
        scope.tx.run("agents.rename", agent_id=agent_id, name=scope.actor.name)
    return agent_id


def _waiting(scope: Scope, host: HostSession, source: str) -> str | None:
    """The agent of a server in the host's process that waits for its session to be heard of; None if there are more.

    A resumed session may have another id than its server was told.
    """
    found = {
        str(row[0])
        for row in _there(scope, "agents.waiting_in_process", host)
        if (row[1] == "" or source == "resume") and not _taken(scope, str(row[0]), host)
    }
    return found.pop() if len(found) == 1 else None


def _there(scope: Scope, statement: str, host: HostSession) -> list[Row]:
    if host.pid is None or not host.started:
        return []
    return scope.tx.all(statement, boot_id=_boot_id(scope), host_pid=host.pid, host_started=host.started)


def _taken(scope: Scope, agent_id: str, host: HostSession) -> bool:
    """Whether another session is certainly this agent."""
    name, session_id, subagent_id = _key(host)
    return bool(
        scope.tx.one(
            "agents.other_session_of",
            agent_id=agent_id,
            host=name,
            host_session_id=session_id,
            subagent_id=subagent_id,
            double=MARK in session_id,  # servers of the first one may be all that is known of it
        )
    )


def _served(scope: Scope, agent_id: str) -> bool:
    """Whether a server of the agent's own is there already."""
    return scope.tx.one("agents.served", agent_id=agent_id) is not None


def _free(scope: Scope, wanted: str, host: HostSession) -> str:
    """``wanted``, or with a number after it when another session is that agent."""
    agent_id, number = wanted, 1
    while _taken(scope, agent_id, host):
        number += 1
        agent_id = f"{wanted}-{number}"
    return agent_id


def _boot_id(scope: Scope) -> str:
    own = scope.observer.presence
    return own.boot_id if own is not None else ""
