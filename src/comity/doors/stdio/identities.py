"""Identities of MCP calls: which agent each comes from, since one server may serve several sessions of its host.

A call's ``_meta`` tells the session for certain where the host puts it there. Else the server supposes: by the session
id in its environment, else by its host's process when that has exactly one session (``rooms.agents.identity``). What a
client says its name is decides nothing, and neither does a model.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from comity.hosts.session import told
from comity.kernel.agent_names import of_program
from comity.kernel.problem import Problem
from comity.kernel.scope import HostSession
from comity.rooms.turns.model import Identity
from comity.workspace import Workspace


class Identities:
    """The agents that one server acts as: the one it was started as, and those that its calls turn out to be.

    For each it registers a session of its own: the agent lives as long as the server. When another server of the
    same session registered later, calls that tell their session go through that one's.
    """

    def __init__(self, workspace: Workspace, supposition: HostSession | None) -> None:
        self._supposed = supposition
        self._main = workspace
        self._base = workspace.actor
        self._lock = threading.Lock()
        self._joining = threading.Lock()
        self._asking: dict[HostSession, Workspace] = {}
        self._own: dict[str, Workspace] = {}  # by agent id; the sessions that this server registered
        self._known: dict[Identity, Workspace] = {}
        self._program = ""
        self._spectator: Workspace | None = None

    @property
    def certain(self) -> bool:
        """Whether it is known before any call who the server is: the user or the host said so."""
        return self._supposed is None or bool(self._supposed.named or self._supposed.session_id)

    def introduce(self, program: str) -> None:
        """The client says which program it is."""
        if program != self._program:
            self._program = program
            self._main.introduce(program)

    def _enter(self, name: str) -> None:
        supposed = self._supposed
        asked = self._main if supposed is None else self._asked(supposed)
        joined = asked.call("session.join", {"name": name})
        actor = self._base._replace(agent_id=joined.agent_id, session_id=joined.session_id, name=joined.name)
        self._main.become(actor)
        self._own[actor.agent_id] = self._known[Identity(actor.agent_id, actor.session_id, actor.name)] = self._main
        self._asking.clear()
        self._base = actor

    def _unknown(self, meta: Mapping[str, Any]) -> bool:
        """Whether the agent of a call with this ``meta`` is still unknown."""
        return not self._own and (self._supposed is None or told(meta, self._supposed).hearsay)

    def start(self) -> None:
        """Register as the agent that the server is supposed to be."""
        if self._supposed is None:
            self._main.session.start()
            self._own[self._base.agent_id] = self._main
            return
        registration = self._asked(self._supposed).session.start()
        name = self._base.name
        if registration.agent_id != self._base.agent_id:
            name = self._identity(self._supposed).name
        actor = self._base._replace(agent_id=registration.agent_id, name=name)
        self._main.become(actor)
        self._own[actor.agent_id] = self._known[Identity(actor.agent_id, actor.session_id, name)] = self._main

    def of(self, meta: Mapping[str, Any], called: str = "", *, looks: bool = False) -> Workspace:
        """The workspace of a call's agent.

        Before it is known who that is, a call that only ``looks`` is a spectator's. Any other one comes in as an agent
        ``called`` that, or as near to it as is free; without a name, as one of its program's type.
        """
        if self._unknown(meta):
            if looks:
                return self._nobody()
            with self._joining:
                if not self._own:
                    self._enter(called or of_program(self._program))
        if self._supposed is None:
            return self._main
        host = told(meta, self._supposed)
        identity = self._identity(host)
        found = self._known.get(identity)
        if found is not None:
            return found
        if host.hearsay and identity.agent_id == self._main.actor.agent_id:
            return self._main
        with self._lock:
            own = self._own.get(identity.agent_id)
            if own is None:
                return self._join(identity.agent_id, identity.name or _name(host, identity.agent_id))
            if host.hearsay or not identity.session_id:  # it ended, or a newer process has it; its calls are told so
                return own
            actor = own.actor._replace(session_id=identity.session_id, name=identity.name)
            found = self._known[identity] = self._main.alongside(actor)
            return found

    def _nobody(self) -> Workspace:
        if self._spectator is None:
            nobody = self._base._replace(agent_id="", session_id="", name="", host=None, spectator=True)
            self._spectator = self._main.acting_as(nobody)
        return self._spectator

    def _join(self, agent_id: str, name: str) -> Workspace:
        """Register a session for an agent that this server has not acted as."""
        session_id = f"{self._base.session_id}.{len(self._own) + 1}"
        workspace = self._main.alongside(self._base._replace(agent_id=agent_id, session_id=session_id, name=name))
        workspace.session.start()
        self._own[agent_id] = self._known[Identity(agent_id, session_id, name)] = workspace
        return workspace

    def _identity(self, host: HostSession) -> Identity:
        found: Identity = self._asked(host).call("session.identify", {"register": False})
        return found

    def _asked(self, host: HostSession) -> Workspace:
        """A workspace for a session of the host, before it is known which agent that is."""
        found = self._asking.get(host)
        if found is None:
            actor = self._base._replace(host=host)
            if not (host.hearsay or host.named):
                actor = actor._replace(agent_id=host.session_id, name=_name(host, ""))
            found = self._asking[host] = self._main.acting_as(actor)
        return found

    def end(self, reason: str) -> None:
        """End the sessions that this server registered. What fails here is left to the others' liveness checks."""
        with self._lock:
            own = list(self._own.values())
        for workspace in own:
            try:
                workspace.session.end(reason=reason)
            except Problem:
                continue


def _name(host: HostSession, agent_id: str) -> str:
    """As hooks name it: the host and the end of the session's id."""
    if host.named:
        return agent_id
    name = f"{(host.host or 'agent').partition('-')[0]}-{(host.session_id or agent_id)[-4:]}"
    return f"{name}.{host.subagent_id[-4:]}" if host.subagent_id else name
