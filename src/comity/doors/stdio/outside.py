"""A server that was started where no project is: it makes none, explains itself, and says what to do.

Hosts start servers in the home folder, in the root of the file system, or wherever the host was opened. A workspace
made there would leave the agent alone in it, unseen by those at work in the project. So every operation that needs one
is answered with what to do; once there is a project, the next call finds it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NoReturn, cast

from comity.dialects.dialect import Ask
from comity.doors.stdio.agent_session import AgentSession
from comity.kernel.problem import NotFound, Problem
from comity.kernel.registry import AnyOp
from comity.kernel.scope import Actor, Store
from comity.kernel.steps import Report
from comity.mcp.request import Call
from comity.mcp.surface import Cancellation
from comity.settings import Settings
from comity.workspace import Workspace


def no_project(folder: str) -> NotFound:
    """There is no project in this folder."""
    return NotFound(
        "project.none",
        f"There is no project here: the server was started in {folder}, which is neither a workspace nor a repository.",
        "Start the agent host in the project's folder; or run `comity init` there, and name that folder to the server: "
        "MACP_PROJECT_ROOT=FOLDER in its environment.",
        path=folder,
    )


class Outside:
    """Runs calls where there is no project, until ``settle`` gives the settings of one; then its ``session`` does."""

    def __init__(
        self, settle: Callable[[], Settings | None], session: Callable[[Settings], AgentSession], actor: Actor
    ) -> None:
        self._settle, self._session = settle, session
        self._lock = threading.Lock()
        self._found: AgentSession | None = None
        self._actor = actor._replace(spectator=True)

    def ready(self) -> None:
        """Look whether there is a project now. Raises the Problem of its start."""
        with self._lock:
            if self._found is None and (resolved := self._settle()) is not None:
                self._found = self._session(resolved)
        if self._found is not None:
            self._found.ready()

    def run(self, op: AnyOp, ask: Ask, call: Call, report: Report) -> Any:
        """The record of an operation: of one that reads nothing of a workspace, while there is none. Raises Problem."""
        if self._found is not None:
            return self._found.run(op, ask, call, report)
        workspace = Workspace(cast("Store", _NoStore(no_project(os.getcwd()))), self._actor)
        return workspace.perform(op, ask.arguments, call.cancelled, report)

    def news(self, cursor: str, cancel: Cancellation) -> tuple[str, Collection[str]]:
        """As ``AgentSession.news``. Raises Problem."""
        if self._found is None:
            raise no_project(os.getcwd())
        return self._found.news(cursor, cancel)

    def end(self, reason: str) -> None:
        """Close the session, if there is one."""
        if self._found is not None:
            self._found.end(reason)


class _NoStore:
    """A store without a database: whatever is asked of it is refused."""

    busy_s = 0.0
    commits_wait = False

    def __init__(self, problem: Problem) -> None:
        self._problem = problem

    def reading(self) -> AbstractContextManager[Any]:
        """A transaction in which nothing can be asked."""
        return nullcontext(_NoTx(self._problem))

    def __getattr__(self, name: str) -> NoReturn:
        raise self._problem


class _NoTx:
    """A transaction of no database: whoever asks for a statement is refused."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem

    def __getattr__(self, name: str) -> NoReturn:
        raise self._problem
