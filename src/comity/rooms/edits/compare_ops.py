"""The question after every command what it did: it loads next to nothing while nobody looked before it."""

from __future__ import annotations

from importlib import import_module

from comity.kernel.op import long_op
from comity.kernel.scope import Scope
from comity.kernel.steps import Steps
from comity.rooms.claims import paths
from comity.rooms.edits.model import CommandLine, Compared, Folder
from comity.rooms.turns import speaker


@long_op("edit.compare", effect="write", example={"command": "make"})
def compare_edits(steps: Steps, *, command: CommandLine = "", cwd: Folder = "") -> Compared:
    """Compare files with how they looked before a shell command: what changed is whose.

    What changed although a peer holds it, and did not change itself, is an event, and both sides are told. What the
    command changed besides is its agent's work from now on.
    """
    if not steps.read(_looked):
        return Compared([])
    compared: Compared = import_module("comity.rooms.edits.command_guard").compare(
        steps, paths.base_of(steps.actor), command, cwd
    )
    return compared


def _looked(scope: Scope) -> bool:
    """Whether a look of the actor waits to be compared, or a sweep of it to be over."""
    agent_id = (speaker.find(scope) or scope).actor.agent_id
    return scope.tx.one("edits.open", agent_id=agent_id) != (0,)
