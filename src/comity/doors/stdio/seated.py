"""A dialect on a seat of its own: the Surface of one stdio server, which is one session of its host."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from typing import Any

from comity.dialects.dialect import Dialect, Listed
from comity.doors.stdio.identities import Identities
from comity.kernel.problem import Problem, Unavailable
from comity.kernel.scope import HostSession
from comity.mcp.surface import Cancellation, Content, ToolCall
from comity.workspace import Workspace

_PAGE, _WAIT_MS = 500, 30_000  # of the log


class Seated:
    """The tools of one agent session. ``ready`` opens the workspace and registers; calls wait for it.

    ``session`` is the host's session as far as it is known at the start; each call is of whoever it turns out to be.

    When the start fails, each call tries again and answers the Problem if it fails again, so that an agent is told
    what is wrong, and works as soon as it is mended.
    """

    def __init__(
        self, dialect: Dialect, open_workspace: Callable[[], Workspace], session: HostSession | None = None
    ) -> None:
        self.name, self.version, self.instructions = dialect.name, dialect.version, dialect.instructions
        self._dialect = dialect
        self._open = open_workspace
        self._session = session
        self._lock = threading.Lock()
        self._workspace: Workspace | None = None
        self._seat: Identities | None = None
        self._over = False

    def tools(self) -> bytes | list[Any]:
        """The dialect's tool list."""
        return self._dialect.tools()

    def ready(self) -> None:
        """Open the workspace and register, unless that is done."""
        if self._workspace is None:
            with self._lock:
                self._start()

    def _start(self) -> None:
        if self._workspace is None and not self._over:
            workspace = self._open()
            self._seat = _started(workspace, self._session, joins=self._dialect.joins)
            self._workspace = workspace

    def call(self, name: str, arguments: dict[str, Any], call: ToolCall) -> Any:
        """The tool's result."""
        return self._dialect.call(self._seated(call), name, arguments, call)

    def _seated(self, call: ToolCall) -> Identities:
        """The seat, which has heard what program the client is."""
        if self._workspace is None or self._seat is None:
            raise _over()
        program = call.client.get("name")
        if isinstance(program, str):
            self._seat.introduce(program)
        return self._seat

    def render_result(self, result: Any) -> tuple[Content, Any]:
        """As the dialect says it."""
        return self._dialect.render_result(result)

    def render_problem(self, problem: Problem) -> str:
        """As the dialect says it."""
        return self._dialect.render_problem(problem)

    def resources(self) -> Listed:
        """The dialect's resources."""
        return self._dialect.resources()

    def resource_templates(self) -> Listed:
        """The dialect's templates."""
        return self._dialect.resource_templates()

    def read_resource(self, uri: str, call: ToolCall) -> tuple[str, str | bytes]:
        """One resource as it is now."""
        return self._dialect.read_resource(self._seated(call), uri, call)

    def prompts(self) -> Listed:
        """The dialect's prompts."""
        return self._dialect.prompts()

    def get_prompt(self, name: str, arguments: dict[str, str]) -> dict[str, Any]:
        """One prompt, filled in."""
        return self._dialect.get_prompt(name, arguments)

    def news(self, cursor: str, cancel: Cancellation) -> tuple[str, Collection[str]]:
        """From the log, whoever changed something."""
        self.ready()
        workspace = self._workspace
        if workspace is None:
            raise _over()
        if not cursor:
            return workspace.call("event.list", {"newest": 1, "limit": 1}).cursor, ()
        page = workspace.call("event.list", {"after": cursor, "limit": _PAGE, "wait_ms": _WAIT_MS}, cancel)
        return page.cursor, self._dialect.changed({event.event_type for event in page.events})

    def end(self, reason: str) -> None:
        """Close the session and the workspace. What fails here is left to the others' liveness checks."""
        with self._lock:  # a registration on its way is waited for, so that none is left behind
            self._over = True
            workspace, seat = self._workspace, self._seat
        if workspace is None or seat is None:
            return
        try:
            seat.end(reason)
        finally:
            workspace.close()


def _over() -> Unavailable:
    return Unavailable("session.over", "This server is shutting down.", "Start a new session.")


def _started(workspace: Workspace, session: HostSession | None, *, joins: bool) -> Identities:
    """The seat, registered as far as it is known who that is; who it ``joins`` as, a call says later."""
    seat = Identities(workspace, session)
    try:
        if seat.certain or not joins:
            seat.start()
    except BaseException:
        workspace.close()
        raise
    return seat
