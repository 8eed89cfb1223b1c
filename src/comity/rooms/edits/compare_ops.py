"""The question after every command what it did: it loads next to nothing while nobody looked before it."""

from __future__ import annotations

from importlib import import_module

from comity.kernel.op import long_op
from comity.kernel.scope import Scope
from comity.kernel.steps import Steps
from comity.rooms.claims import paths
from comity.rooms.edits.model import CommandLine, Compared, Folder, ToolName
from comity.rooms.turns import speaker


@long_op("edit.compare", effect="write", example={"command": "make"})
def compare_edits(steps: Steps, *, command: CommandLine = "", cwd: Folder = "", tool: ToolName = "") -> Compared:
    """Compare files with how they looked before a command or tool ran: what changed is whose.

    What changed although a peer holds it, and did not change itself, is an event, and both sides are told. What the
    command changed besides is its agent's work from now on.
    """
    if not steps.read(_looked):
        return Compared([])
    base = paths.base_of(steps.actor)
    if import_module("comity.rooms.edits.quiet_commands").was_quiet(steps, base, command):
        return Compared([])
    compared: Compared = import_module("comity.rooms.edits.command_guard").compare(steps, base, command, cwd, tool)
    return compared


def _looked(scope: Scope) -> bool:
    """Whether a look of the actor waits to be compared, or a sweep of it to be over."""
    agent_id = (speaker.find(scope) or scope).actor.agent_id
    return scope.tx.one("edits.open", agent_id=agent_id) != (0,)
