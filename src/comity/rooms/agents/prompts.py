"""Whose prompt a program runs at: the agent whose host it runs below, or whose session the host's variable names.

The nearest process above the program in which a host's session was heard of, or that started a server which lives,
decides. Where several sessions are in that process the variable says which. A variable alone may be inherited: it
counts as long as its session's process runs, and never at a terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.scope import Scope
from comity.rooms.agents import doubles
from comity.rooms.agents.agent_hosts import IN_TERMINALS
from comity.rooms.agents.identity import MARK


class Prompt(NamedTuple):
    """What a program tells of where it runs: the processes above it, nearest first, each as ``pid:start``; the session
    in its host's variable; and whether a terminal is its input.
    """

    processes: Sequence[str]
    host: str
    host_session_id: str
    terminal: bool


class _There(NamedTuple):
    agent_id: str
    host: str
    host_session_id: str


def agent_at(scope: Scope, prompt: Prompt) -> str | None:
    """The agent; None for a person, and where it is not certain which one."""
    for process in prompt.processes:
        there = _in_process(scope, process)
        if prompt.terminal:
            there = [one for one in there if one.host in IN_TERMINALS]
        agents = {one.agent_id for one in there}
        if len(agents) > 1:
            agents = {one.agent_id for one in there if one.host_session_id.partition(MARK)[0] == prompt.host_session_id}
        if there:
            return agents.pop() if len(agents) == 1 else None
    return _by_variable(scope, prompt)


def _in_process(scope: Scope, process: str) -> Iterable[_There]:
    """Sessions in a process: those that were heard of, else those of servers that wait there."""
    pid, _, started = process.partition(":")
    own = scope.observer.presence
    if not (pid.isascii() and pid.isdecimal()) or own is None:
        return []
    rows = scope.tx.all("agents.known_in_process", host_pid=int(pid), host_started=started, boot_id=own.boot_id)
    heard = [_There(*row[:3]) for row in rows if row[3]]
    return heard or [_There(*row[:3]) for row in rows]


def _by_variable(scope: Scope, prompt: Prompt) -> str | None:
    if not prompt.host_session_id:
        return None
    row = scope.tx.one("agents.session_named", host=prompt.host, host_session_id=prompt.host_session_id)
    if row is None:
        return None if prompt.terminal else prompt.host_session_id
    agent_id, ended, pid, started, boot_id, namespace = row
    own = scope.observer.presence
    seen = own is not None and namespace == own.namespace  # a sandbox sees no process of its host
    gone = seen and pid is not None and not doubles.runs(scope, pid, started, boot_id)
    return None if ended is not None or gone or prompt.terminal else str(agent_id)
