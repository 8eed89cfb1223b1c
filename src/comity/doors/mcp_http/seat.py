"""The seat of an MCP session or request: a token's agent, one that a header names, or one that a session came in as.

Never an argument that a model typed. A session without an agent becomes one when it joins, or at its first call under a
made name of its client's program; a request without a session cannot, so it may only look.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from comity.dialects.dialect import Ask
from comity.hosts.session import told
from comity.kernel.agent_names import of_program
from comity.kernel.problem import Problem, Unauthenticated
from comity.kernel.registry import AnyOp
from comity.kernel.scope import HostSession
from comity.server.auth.principal import Principal
from comity.server.seats import Seats
from comity.workspace import Workspace

_LONGEST_PROGRAM, _MOST_PROGRAMS = 200, 16
_NOBODY = HostSession("", "", hearsay=True)


class HttpSeat:
    """The seat of one session, or of one request without a session (``lasting`` False).

    Used on the event loop, but for ``take`` and ``end``, which may write and run on worker threads.
    """

    def __init__(self, seats: Seats, principal: Principal, *, lasting: bool, program: str = "") -> None:
        self.seats = seats
        self.principal = principal
        self.program = program
        self._lasting = lasting
        self._lock = threading.Lock()
        self._workspace: Workspace | None = None
        self._joined = False
        self._others: dict[str, HttpSeat] = {}  # of other programs, by name

    @property
    def bound(self) -> bool:
        """Whether the session is an agent."""
        return self._workspace is not None

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
        if not program or not self.program or program == self.program:
            self.program = self.program or program
            return self
        found = self._others.get(program)
        if found is None:
            lasting = self._lasting and len(self._others) < _MOST_PROGRAMS
            found = HttpSeat(self.seats, self.principal, lasting=lasting, program=program)
            if lasting:
                self._others[program] = found
        return found

    def known(self, ask: Ask, meta: Mapping[str, Any]) -> Workspace | None:
        """The workspace of a call's agent, if that is registered already. Raises Unauthenticated."""
        if self._workspace is not None:
            return self._workspace
        principal = self._caller(meta)
        unproven = principal.role == "reader" and not principal.bound
        if principal.agent_id and not unproven:
            self._workspace = self.seats.known(principal)
            return self._workspace
        if self._lasting and not principal.agent_id and (ask.called or not (ask.looks or unproven)):
            return None
        if ask.called and not principal.agent_id:
            raise _unnamed()
        return self.seats.spectator(principal)

    def take(self, ask: Ask, meta: Mapping[str, Any], lost: Workspace | None) -> Workspace:
        """The workspace of a call's agent, registered if need be; again that agent, when its session was ``lost``."""
        if lost is not None:
            self._leave(lost)
        found = self.known(ask, meta)
        if found is not None:
            return found
        principal = self._caller(meta)
        with self._lock:
            if self._workspace is None:
                if principal.agent_id:
                    self._workspace = self.seats.take(principal, self.program)
                else:
                    name = ask.called or of_program(self.program)
                    self._workspace = self.seats.join(principal, name, self.program)
                    self._joined = True
            return self._workspace

    def _caller(self, meta: Mapping[str, Any]) -> Principal:
        """Who calls: without a session it may be one that the agent host tells of, which no model typed."""
        if self._lasting or self.principal.agent_id:
            return self.principal
        return self.principal._replace(agent_id=told(meta, _NOBODY).session_id or None)

    def _leave(self, workspace: Workspace) -> None:
        with self._lock:
            if self._workspace is workspace:
                self.principal = self.principal._replace(agent_id=workspace.actor.agent_id)
                self._workspace = None
        self.seats.leave(workspace)

    def renew(self) -> None:
        """An open stream is a sign of life."""
        if self._workspace is not None:
            self._workspace.renew_if_due()

    def end(self, reason: str) -> None:
        """End the agent's session. What fails here is left to the others' liveness checks."""
        for other in list(self._others.values()):
            other.end(reason)
        workspace = self._workspace or self.seats.known(self.principal)
        if workspace is not None:
            try:
                self.seats.end(workspace, reason)
            except Problem:
                return


class CallSeat:
    """The seat of one call: a ``server.seats.Seat``."""

    __slots__ = ("_ask", "_meta", "_seat")

    def __init__(self, seat: HttpSeat, ask: Ask, meta: Mapping[str, Any]) -> None:
        self._seat = seat
        self._ask = ask
        self._meta = meta

    @property
    def principal(self) -> Principal:
        """The seat's principal as it is now."""
        return self._seat.principal

    @property
    def agent_id(self) -> str | None:
        """The seat's agent as it is now."""
        return self._seat.agent_id

    def known(self, op: AnyOp) -> Workspace | None:
        """Raises Problem for a call that says that it is another's, or that no caller may make."""
        found = self._seat.known(self._ask, self._meta)
        return None if found is None else self._let_in(found, op)

    def take(self, op: AnyOp, lost: Workspace | None) -> Workspace:
        """Registered. Raises Problem as ``known``."""
        return self._let_in(self._seat.take(self._ask, self._meta, lost), op)

    def _let_in(self, workspace: Workspace, op: AnyOp) -> Workspace:
        self._seat.seats.said_names.require_own(self._ask, workspace.actor)
        if workspace.actor.spectator and op.effect != "read":
            workspace.require(op)
            raise _unnamed()
        return workspace


def _unnamed() -> Unauthenticated:
    return Unauthenticated(
        "agent.unnamed",
        "Nobody knows whose request this is: it has no session, and the next one would be nobody's again.",
        "Send a token of an agent or the header X-Comity-Agent, or open a session with initialize.",
    )
