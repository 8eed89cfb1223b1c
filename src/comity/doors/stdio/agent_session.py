"""The agent session that one stdio server is: opened and registered once, then every call runs as its own agent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from typing import Any

from comity.dialects.dialect import Ask
from comity.dialects.said_names import SaidNames
from comity.doors.stdio.identities import Identities
from comity.kernel.problem import Unavailable
from comity.kernel.registry import AnyOp
from comity.kernel.scope import HostSession
from comity.kernel.steps import Report
from comity.mcp.request import Call
from comity.mcp.surface import Cancellation
from comity.workspace import Workspace

_PAGE, _WAIT_MS = 500, 30_000  # of the log


class AgentSession:
    """What runs the calls of one agent session. ``ready`` opens the workspace and registers.

    ``session`` is the host's session as far as it is known at the start; each call is its own agent's.
    With ``joins`` a call says later as whom it comes in, unless that is certain. ``also`` says what goes with an answer
    to a workspace's agent besides, by what its client says of itself.

    When the start fails, each call tries again and answers the Problem if it fails again, so that an agent is told
    what is wrong, and works as soon as it is mended.
    """

    def __init__(
        self,
        open_workspace: Callable[[], Workspace],
        session: HostSession | None = None,
        *,
        joins: bool = False,
        also: Callable[[Workspace, Mapping[str, Any]], str] | None = None,
    ) -> None:
        self._open = open_workspace
        self._session = session
        self._joins, self._also = joins, also
        self._names = SaidNames()
        self._lock = threading.Lock()
        self._opened: tuple[Workspace, Identities] | None = None
        self._over = False

    def ready(self) -> None:
        """Open the workspace and register, unless that is done. Raises the Problem that made it fail."""
        if self._opened is None:
            with self._lock:
                self._start()

    def _start(self) -> None:
        if self._opened is not None or self._over:
            return
        workspace = self._open()
        identities = Identities(workspace, self._session)
        try:
            if identities.certain or not self._joins:
                identities.start()
        except BaseException:
            workspace.close()
            raise
        self._opened = workspace, identities

    def run(self, op: AnyOp, ask: Ask, call: Call, report: Report) -> Any:
        """The record of the operation that a call asks for. Raises Problem."""
        identities = self._present()[1]
        program = call.client.get("name")
        if isinstance(program, str):
            identities.introduce(program)
        workspace = identities.of(call.meta, ask.called, looks=ask.looks)
        self._names.require_own(ask, workspace.actor)
        record = workspace.perform(op, ask.arguments, call.cancelled, report, call.once())
        call.also = self._also(workspace, call.client) if self._also is not None else ""
        return record

    def _present(self) -> tuple[Workspace, Identities]:
        if self._opened is None:
            raise Unavailable("session.over", "This server is shutting down.", "Start a new session.")
        return self._opened

    def news(self, cursor: str, cancel: Cancellation) -> tuple[str, Collection[str]]:
        """The next cursor of the log, and the types of what happened since this one; it waits for something.

        An empty cursor begins now. Raises Problem.
        """
        self.ready()
        workspace = self._present()[0]
        if not cursor:
            return workspace.call("event.list", {"newest": 1, "limit": 1}).cursor, ()
        page = workspace.call("event.list", {"after": cursor, "limit": _PAGE, "wait_ms": _WAIT_MS}, cancel)
        return page.cursor, {event.event_type for event in page.events}

    def end(self, reason: str) -> None:
        """Close the session and the workspace. What fails here is left to the others' liveness checks."""
        with self._lock:  # a registration on its way is waited for, so that none is left behind
            self._over = True
            opened = self._opened
        if opened is None:
            return
        try:
            opened[1].end(reason)
        finally:
            opened[0].close()
