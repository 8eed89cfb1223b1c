"""Whose calls come over HTTP: a token's agent, one that a header names, or one that a session came in as.

Never an argument that a model typed. A session of nobody becomes an agent when it joins, or at its first call under a
made name of its client's program; a request without a session cannot, so it may only look.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Protocol, cast

from comity.dialects.seat import NO_META
from comity.hosts.session import told
from comity.kernel.agent_names import of_program
from comity.kernel.problem import Problem, Unauthenticated
from comity.kernel.scope import Actor, HostSession
from comity.kernel.steps import Report
from comity.kernel.validate import validate
from comity.rooms import REGISTRY
from comity.server.auth.principal import Principal
from comity.workspace import Cancel, Workspace

_LONGEST_PROGRAM, _MOST_PROGRAMS = 200, 16
_NOTHING: Mapping[str, object] = {}
_NOBODY = HostSession("", "", hearsay=True)


class Agents(Protocol):
    """The agents that the server acts for. Calls may write, so they are made on worker threads."""

    def known(self, principal: Principal) -> Workspace | None: ...

    def take(self, principal: Principal, program: str = "", name: str = "") -> Workspace: ...

    def join(self, principal: Principal, name: str, program: str = "") -> Workspace: ...

    def spectator(self, principal: Principal) -> Workspace: ...

    def leave(self, workspace: Workspace) -> None: ...

    def end(self, workspace: Workspace, reason: str) -> None: ...


class HttpSeat:
    """The seat of one session, or of one request without a session (``lasting`` False)."""

    def __init__(self, agents: Agents, principal: Principal, *, lasting: bool) -> None:
        self._agents = agents
        self._lasting = lasting
        self._lock = threading.Lock()
        self._workspace: Workspace | None = None
        self._joined = False
        self._others: dict[str, HttpSeat] = {}  # of other programs, by name
        self.principal = principal
        self.program = ""

    @property
    def bound(self) -> Actor | None:
        """The agent that the session is; None before it is one."""
        return None if self._workspace is None else self._workspace.actor

    @property
    def made(self) -> bool:
        """Whether the agent, or another program's, came to be through this session."""
        return self._joined or any(other.made for other in self._others.values())

    @property
    def agent_id(self) -> str | None:
        """The agent's id, as far as there is one."""
        return self._workspace.actor.agent_id if self._workspace is not None else self.principal.agent_id

    def of_program(self, name: object) -> HttpSeat:
        """The seat of the client of this name: programs that come through one process are not one agent."""
        program = str(name or "")[:_LONGEST_PROGRAM]
        with self._lock:
            if not program or not self.program or program == self.program:
                self.program = self.program or program
                return self
            found = self._others.get(program)
            if found is None:
                lasting = self._lasting and len(self._others) < _MOST_PROGRAMS
                found = HttpSeat(self._agents, self.principal, lasting=lasting)
                found.program = program
                if lasting:
                    self._others[program] = found
            return found

    def of(self, meta: Mapping[str, Any]) -> Workspace:
        """The agent's workspace; registered first when that has not happened."""
        return _patient(self._of(meta))

    def _of(self, meta: Mapping[str, Any]) -> Workspace:
        found = self._workspace
        if found is not None:
            return found
        principal = self.principal
        if principal.role == "reader" and not principal.bound:
            return self._agents.spectator(principal)
        if not principal.agent_id and not self._lasting:
            principal = principal._replace(agent_id=_host_session(meta))
            if not principal.agent_id:
                return self._agents.spectator(principal)
        if not principal.agent_id:
            return self._join(of_program(self.program), meta)
        with self._lock:
            if self._workspace is None:
                self._workspace = self._agents.take(principal, self.program)
            return self._workspace

    def look(self, meta: Mapping[str, Any]) -> Workspace:
        """The same for a call that only reads: whoever is no agent yet may look, and becomes none."""
        if self._workspace is None and not self.principal.agent_id and self._lasting:
            return _patient(self._agents.spectator(self.principal))
        return self.of(meta)

    def join(self, name: str, meta: Mapping[str, Any] = NO_META) -> Workspace:
        """Be an agent called ``name``, or as near to it as is free; the same one when the session is one already."""
        return _patient(self._join(name, meta))

    def _join(self, name: str, meta: Mapping[str, Any]) -> Workspace:
        if self._workspace is not None or self.principal.agent_id:
            return self._of(meta)
        if not self._lasting:
            if _host_session(meta):
                return self._of(meta)
            raise _unnamed()
        with self._lock:
            if self._workspace is None:
                self._workspace = self._agents.join(self.principal, name, self.program)
                self._joined = True
            return self._workspace

    def lost(self, workspace: Workspace) -> None:
        """The agent's session ended: the next call registers the same agent again."""
        with self._lock:
            if self._workspace is workspace:
                self.principal = self.principal._replace(agent_id=workspace.actor.agent_id)
                self._workspace = None
        self._agents.leave(workspace)

    def renew(self) -> None:
        """An open stream is a sign of life."""
        if self._workspace is not None:
            self._workspace.renew_if_due()

    def end(self, reason: str) -> None:
        """End the agent's session. What fails here is left to the others' liveness checks."""
        for other in self._others.values():
            other.end(reason)
        workspace = self._workspace or self._agents.known(self.principal)
        if workspace is not None:
            try:
                self._agents.end(workspace, reason)
            except Problem:
                return


class Patience(threading.local):
    """What one run of a tool on this thread met: the workspace it used, and for how long it would have waited."""

    wait_s = 0.0
    used: Workspace | None = None

    def begin(self) -> None:
        """A run begins."""
        self.wait_s = 0.0
        self.used = None


PATIENCE = Patience()


class _Patient:
    """A workspace whose operations do not wait: the event loop does, without a thread."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def __getattr__(self, name: str) -> Any:
        return getattr(self._workspace, name)

    def call(
        self,
        name: str,
        arguments: Mapping[str, object] = _NOTHING,
        cancel: Cancel | None = None,
        report: Report | None = None,
    ) -> Any:
        """Run one operation by name; what would wait comes back at once. A spectator only reads."""
        op = REGISTRY.get(name)
        if self._workspace.actor.spectator and op.effect != "read":
            self._workspace.require(op)
            raise _unnamed()
        if "wait_ms" not in arguments:
            return self._workspace.call(name, arguments, cancel, report)
        wait_s = validate(op, arguments).get("wait_ms", 0) / 1000
        result = self._workspace.call(name, {**arguments, "wait_ms": 0}, cancel, report)
        if op.waits is not None and op.waits.empty(result):
            PATIENCE.wait_s = max(PATIENCE.wait_s, wait_s)
        return result


def _patient(workspace: Workspace) -> Workspace:
    PATIENCE.used = workspace
    return cast("Workspace", _Patient(workspace))


def _unnamed() -> Unauthenticated:
    return Unauthenticated(
        "agent.unnamed",
        "Nobody knows whose request this is: it has no session, and the next one would be nobody's again.",
        "Send a token of an agent or the header X-Comity-Agent, or open a session with initialize.",
    )


def _host_session(meta: Mapping[str, Any]) -> str | None:
    """The agent host's session that a request tells of: the host puts it there, not the model."""
    return told(meta, _NOBODY).session_id or None
