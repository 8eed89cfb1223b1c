"""What an agent has to know of its own session, said once, with the answer to the first of its calls.

Without hooks nobody asks before its edits and nobody brings it messages, and a setting that is spoiled does not count.
Neither the agent nor its user would notice.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from comity.kernel.problem import Problem
from comity.kernel.quoting import word
from comity.rooms.agents.agent_hosts import is_agent_host
from comity.settings import Settings
from comity.workspace import Workspace

_UNTOLD = (
    "Comity: no hook of {program} is heard in this session, so nobody checks your edits against what others hold, "
    "and nothing tells you of messages. {why} Until then claim files before you edit them, with `claim.acquire`, and "
    "look for messages with `message.poll` every few tool calls."
)
_WHY = (
    "Tell your user: hooks run where `comity init` was run and the host was started, in a project that it trusts; "
    "`comity doctor` says what is missing here, and `comity init --user-hooks` installs them for every folder."
)
_NONE = "It has none that Comity could use."


class FirstAnswer:
    """What is still to be said to the agents of one server. ``complaint``: what is wrong with the settings."""

    def __init__(self, resolved: Settings, complaint: str = "") -> None:
        self._resolved, self._complaint = resolved, complaint
        self._told: set[str] = set()

    def words(self, workspace: Workspace, program: str) -> str:
        """What goes with an answer to the workspace's agent, in a client of that name; empty for all but the first."""
        agent_id = workspace.actor.agent_id
        if agent_id in self._told or workspace.actor.spectator:
            return ""
        self._told.add(agent_id)
        said = [f"Comity: {self._complaint}"] if self._complaint else []
        self._complaint = ""
        if self._resolved.enforcement != "off" and is_agent_host(program):
            said += self._unhooked(workspace, program)
        return "\n".join(said)

    def _unhooked(self, workspace: Workspace, program: str) -> list[str]:
        try:
            if workspace.call("agent.hooks").heard:
                return []
        except Problem:
            return []
        hookless: tuple[str, ...] = import_module("comity.hosts.hookless").NAMES
        why = _NONE if program.casefold().startswith(hookless) else _WHY
        known = import_module(f"comity.dialects.{self._resolved.surface}.tools").words(self._resolved.tools)
        say: Callable[[str], str] = known.say
        return [say(_UNTOLD.format(program=word(program), why=why))]
