"""One call of a command: which project and database are meant, and which agent acts.

A command that runs at an agent's prompt, below the agent's host or with its variable, is that agent, in its session.
Anybody else is ``cli-USER`` unless ``--as`` or MACP_AGENT_ID says otherwise, with ``cli-`` and the agent's id for a
session: so every command of one person or script is the same agent, and messages to it wait in its queue until it
polls. Commands that only look register nothing and make no database.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from comity import settings, spoiled_settings
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Conflict, Invalid, NotFound
from comity.process import ThisProcess, absent, ancestors
from comity.settings import Settings
from comity.workspace import Workspace, from_settings

Demo = Callable[..., int]
LEASE_S = 86_400  # an agent at the command line counts as present for a day after its last command
HOOKED_LEASE_S = 900  # one at its host's prompt as long as after a hook


class Globals(NamedTuple):
    """Options that commands share; None when not given."""

    json: bool = False
    db: str | None = None
    project_id: str | None = None
    durability: str | None = None
    agent: str | None = None
    take_over: bool = False


class Invocation:
    """What a command works with. Opens what it needs when it needs it; close it when done."""

    def __init__(self, demo: Demo, chosen: Globals) -> None:
        self.demo = demo
        self.json = chosen.json
        self._chosen = chosen
        self._settings: Settings | None = None
        self._workspace: Workspace | None = None

    @property
    def settings(self) -> Settings:
        """The project's settings with this agent's identity. Raises Invalid."""
        if self._settings is None:
            named = self._named() or f"cli-{_user()}"
            found = settings.resolve({**self.project_flags, "agent_id": named}, os.environ, os.getcwd())
            self._settings = found._replace(session_id=f"cli-{found.agent_id}")
        return self._settings

    def despite_spoiled(self) -> Invalid | None:
        """Take the settings though a file of theirs is spoiled, as hooks do; what is wrong with it. Raises Problem."""
        try:
            self.settings  # noqa: B018
        except Invalid as error:
            named = self._chosen.agent or os.environ.get("MACP_AGENT_ID", "").strip() or f"cli-{_user()}"
            flags = {**self.project_flags, "agent_id": named}
            found = spoiled_settings.around(flags, os.environ, os.getcwd(), error, variables=False)
            self._settings = found._replace(session_id=f"cli-{found.agent_id}")
            return error
        return None

    @property
    def project_flags(self) -> dict[str, str | None]:
        """The shared options as ``settings.resolve`` takes them."""
        chosen = self._chosen
        return {"db": chosen.db, "project_id": chosen.project_id, "durability": chosen.durability}

    def call(self, operation: str, /, **arguments: object) -> Any:
        """Run an operation as this agent, registered or not. Raises Problem."""
        return self.workspace.call(operation, arguments)

    @property
    def workspace(self) -> Workspace:
        """The workspace; its database is made if it does not exist."""
        if self._workspace is None:
            me = self.settings
            presence = absent("comity", "", me.worktree or me.root, LEASE_S)  # the session outlives this process
            self._workspace = self._at_prompt(from_settings(me, ThisProcess(presence)))
        return self._workspace

    def _at_prompt(self, workspace: Workspace) -> Workspace:
        """The same for the agent at whose prompt this runs, if it does and nobody was named."""
        if self._named():
            return workspace
        me = self.settings
        variable = {"host": me.host, "host_session_id": me.host_session_id}
        found = workspace.call("session.find", {"processes": ancestors(), **variable, "terminal": _at_terminal()})
        if not found.agent_id:
            return workspace
        name = found.name or f"{me.program}-{found.agent_id[-4:]}"
        session_id = found.session_id or f"{me.host or 'server'}:{found.agent_id}"
        self._settings = me._replace(agent_id=found.agent_id, agent_name=name, session_id=session_id, named=True)
        program = "" if found.session_id else me.host  # what is known of it stays
        presence = absent(program, me.host_session_id, me.worktree or me.root, HOOKED_LEASE_S)
        return workspace.acting_as(self._settings.actor, observer=ThisProcess(presence))

    def _named(self) -> str:
        return self._chosen.agent or os.environ.get("MACP_AGENT_ID", "").strip()

    def exists(self) -> bool:
        """Whether there is something at the database's path."""
        return os.path.lexists(self.settings.db)

    def require_database(self) -> None:
        """NotFound ``workspace.missing`` when there is no database yet."""
        if not self.exists():
            raise NotFound(
                "workspace.missing",
                f"There is no database yet: {self.settings.db}.",
                "Run `comity init`, then open an agent here; or say something with `comity send`.",
                path=self.settings.db,
            )

    def take_part(self) -> list[Any]:
        """Make this agent's session active unless it is; the overviews of all agents, without the dead.

        Raises Conflict ``agent.elsewhere`` when the agent is active in another session and was not taken over.
        """
        self.call("agent.reap", certain=True)
        agents: list[Any] = self.call("agent.list").agents
        me = self.settings
        mine = next((agent for agent in agents if agent.agent_id == me.agent_id), None)
        if mine is not None and mine.session_id == me.session_id:
            self.call("session.renew")
            return agents
        if mine is not None and not self._chosen.take_over:
            raise self._elsewhere(mine)
        self.call("session.start")
        listed: list[Any] = self.call("agent.list").agents
        return listed

    def here(self) -> bool:
        """Whether this agent is active, in whichever session."""
        return any(agent.agent_id == self.settings.agent_id for agent in self.call("agent.list").agents)

    def join(self, channel: str, agents: list[Any]) -> None:
        """Make this agent a member of a channel unless it is."""
        if not any(agent.agent_id == self.settings.agent_id and channel in agent.channels for agent in agents):
            self.call("channel.join", channel_id=channel)

    def _elsewhere(self, mine: Any) -> Conflict:
        return Conflict(
            "agent.elsewhere",
            f"Agent {mine.agent_id} is active in another session, {mine.session_id}.",
            "Choose another name with `--as NAME`, or end that session with `--take-over`.",
            agentId=mine.agent_id,
            sessionId=mine.session_id,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._workspace is not None:
            self._workspace.close()


def _at_terminal() -> bool:
    try:
        return os.isatty(0)
    except OSError:
        return False


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "user"
