"""The agents that the server acts for: one workspace for each, with a session that lives by its calls.

An agent that is active already, through a server of its own or at the command line, goes on in that session; any other
is registered with a lease, which every call renews, since a process behind a network cannot be looked at.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from typing import Any, Protocol

from comity.dialects.said_names import SaidNames
from comity.kernel.call import Permit
from comity.kernel.op import Op
from comity.kernel.problem import Forbidden, Unauthenticated
from comity.kernel.scope import Actor
from comity.process import ThisProcess, absent
from comity.server.auth.authority import Authority
from comity.server.auth.principal import Principal
from comity.workspace import Workspace

LEASE_S = 300  # without a call or an open stream, after which the others may free what the agent holds
MOST = 2000  # agents; the one that called longest ago is forgotten
_Key = tuple[str, str, bool]  # agent, role, whether it was looked at before that the principal may be the agent
AnyOp = Op[Any, Any]


class Seat(Protocol):
    """Whose an operation is: it finds the workspace of the agent, and registers the agent where that is due."""

    @property
    def principal(self) -> Principal:
        """Who is behind it."""

    @property
    def agent_id(self) -> str | None:
        """The agent, as far as it is known."""

    def known(self, op: AnyOp, /) -> Workspace | None:
        """The workspace to run an operation in, if it is there. Asked on the event loop: it does not write."""

    def take(self, op: AnyOp, lost: Workspace | None, /) -> Workspace:
        """The workspace, registered if need be: on a worker thread. ``lost`` is one whose session ended."""


class OwnSeat:
    """The seat of a principal who is the agent that its token or its request names, or of no agent, who may look."""

    __slots__ = ("_seats", "principal")

    def __init__(self, seats: Seats, principal: Principal) -> None:
        self._seats = seats
        self.principal = principal

    @property
    def agent_id(self) -> str | None:
        """The agent that the principal names."""
        return self.principal.agent_id

    def known(self, op: AnyOp) -> Workspace | None:
        """The workspace that was taken before, or the spectators' for a read; None when there is none."""
        if not self.principal.agent_id and op.effect == "read":
            return self._seats.spectator(self.principal)
        return self._seats.known(self.principal)

    def take(self, _op: AnyOp, lost: Workspace | None) -> Workspace:
        """Registered. Raises Unauthenticated when there is no agent."""
        if lost is not None:
            self._seats.leave(lost)
        return self._seats.take(self.principal)


class Seats:
    """Workspaces by agent and role. Thread-safe; ``take`` may write, so it is called on a worker thread."""

    def __init__(self, workspace: Workspace, authority: Authority) -> None:
        self._workspace = workspace
        self._authority = authority
        self._server = secrets.token_hex(4)
        self._lock = threading.Lock()
        self._taken: OrderedDict[_Key, Workspace] = OrderedDict()
        self._spectators: dict[str, Workspace] = {}
        self.said_names = SaidNames()

    @property
    def count(self) -> int:
        """How many agents the server acts for."""
        return len(self._taken)

    def known(self, principal: Principal) -> Workspace | None:
        """The agent's workspace if it has been taken. Does not write."""
        if principal.agent_id is None:
            return None
        return self._taken.get(_key(principal, principal.agent_id))  # unlocked: the event loop must not wait

    def take(self, principal: Principal, program: str = "", name: str = "") -> Workspace:
        """The workspace of a principal's agent, registered. Raises Unauthenticated when there is no agent."""
        if not principal.agent_id:
            raise Unauthenticated(
                "agent.unnamed",
                "The server does not know which agent calls.",
                "Send a token (Authorization: Bearer ...); on an open server name yourself with X-Comity-Agent.",
            )
        self._authority.require_own(principal, principal.agent_id)
        key = _key(principal, principal.agent_id)
        with self._lock:
            found = self._taken.get(key)
            if found is None:
                found = self._taken[key] = self._join(principal, principal.agent_id, program, name)
                if len(self._taken) > MOST:
                    self._taken.popitem(last=False)  # its session lives on until its lease is over
        return found

    def leave(self, workspace: Workspace) -> None:
        """Forget a workspace whose session ended."""
        with self._lock:
            for key in [key for key, one in self._taken.items() if one is workspace]:
                del self._taken[key]

    def join(self, principal: Principal, name: str, program: str = "") -> Workspace:
        """A workspace for somebody without a name, who comes in as an agent of this type or under this whole name."""
        if principal.role == "reader":
            self._authority.require_own(principal, name)
        base = self._workspace.actor
        session_id = f"http-{self._server}-{secrets.token_hex(8)}"
        actor = base._replace(
            agent_id="", name="", session_id=session_id, host=None, oversees=principal.role == "admin"
        )
        observer = ThisProcess(absent(program or "http", "", base.worktree or base.root, LEASE_S))
        workspace = self._workspace.acting_as(actor, observer=observer, permit=self._permit(principal))
        joined = workspace.call("session.join", {"name": name})
        workspace.become(actor._replace(agent_id=joined.agent_id, session_id=joined.session_id, name=joined.name))
        with self._lock:
            self._taken[_key(principal, joined.agent_id)] = workspace
        return workspace

    def end(self, workspace: Workspace, reason: str) -> None:
        """End an agent's session, unless another program of the agent's began it; forget the workspace."""
        self.leave(workspace)
        if _is_ours(workspace.actor):
            workspace.call("session.end", {"reason": reason})

    def _join(self, principal: Principal, agent_id: str, program: str, name: str) -> Workspace:
        base = self._workspace.actor
        actor = base._replace(
            agent_id=agent_id,
            name=name or agent_id,
            session_id=f"http-{self._server}-{agent_id}"[:200],
            host=None,
            oversees=principal.role == "admin",
        )
        permit = self._permit(principal)
        active = self._active(agent_id)
        if active is not None:
            program = active.presence.program if active.presence else program
            actor = actor._replace(session_id=active.session_id, name=active.name)
        observer = ThisProcess(absent(program or "http", "", base.worktree or base.root, LEASE_S))
        if active is not None:
            return self._workspace.acting_as(actor, observer=observer, permit=permit)
        workspace = self._workspace.acting_as(actor, observer=observer, permit=permit)
        workspace.session.start()
        return workspace

    def _permit(self, principal: Principal) -> Permit:
        """What a principal may do; a reader ends no session that another program of its agent's began."""
        permit = self._authority.permit(principal)

        def check(op: AnyOp, actor: Actor) -> None:
            permit(op, actor)
            if principal.role == "reader" and op.name == "session.end" and not _is_ours(actor):
                raise Forbidden(
                    "session.not_yours",
                    f"{actor.agent_id} is in a session of its own program, which a reader does not end.",
                    "End it there; or show a token of the role worker.",
                )

        return check

    def _active(self, agent_id: str) -> Any:
        """The agent's overview if it lives in another session."""
        agents = self._workspace.call("agent.list").agents
        return next((agent for agent in agents if agent.agent_id == agent_id), None)

    def spectator(self, principal: Principal) -> Workspace:
        """A workspace for callers without an agent: it may look, and registers nothing."""
        found = self._spectators.get(principal.role)
        if found is None:
            actor = self._workspace.actor._replace(
                agent_id="", session_id="", name="", host=None, oversees=principal.role == "admin", spectator=True
            )
            found = self._workspace.acting_as(actor, permit=self._authority.permit(principal))
            self._spectators[principal.role] = found
        return found


def _is_ours(actor: Actor) -> bool:
    """Whether the server began the agent's session."""
    return actor.session_id.startswith("http-")


def _key(principal: Principal, agent_id: str) -> _Key:
    return agent_id, principal.role, principal.bound or principal.asked
