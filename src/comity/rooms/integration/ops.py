"""Operations that bring finished branches home. They run only when they are asked for."""

from __future__ import annotations

from comity.kernel.op import long_op, op
from comity.kernel.problem import Conflict
from comity.kernel.scope import Scope
from comity.kernel.steps import Steps
from comity.rooms.integration import attempt, mending, rows
from comity.rooms.integration.model import (
    RUN,
    Base,
    How,
    Integration,
    Integrations,
    MendedIntegrations,
    Recent,
    Sources,
    Unchecked,
)
from comity.rooms.jobs import requests
from comity.rooms.jobs.model import OneJob
from comity.rooms.worktrees.rows import runs


@long_op("integration.run", effect="write", needs="session", pausable=True, example={"sources": ["task-001"]})
def run_integration(
    steps: Steps, *, sources: Sources, base: Base | None = None, how: How = "merge", unchecked: Unchecked = False
) -> Integration:
    """Bring finished branches home, checked together first.

    They are merged in a scratch worktree, the check command runs there, and the base moves if it passes. A batch that
    fails is halved until the branch that breaks it is found; the others land. A branch that is checked out with changes
    is never moved. The check command is the person's setting (`check_command`).
    """
    steps.read(lambda _: None)  # whoever has no session is refused before git is asked
    command = _command(steps.actor.check_command, unchecked=unchecked)
    return attempt.run(steps, list(sources), base, how, command)


@op("integration.begin", effect="write", needs="session", pausable=True, example={"sources": ["task-001"]})
def begin_integration(
    scope: Scope, *, sources: Sources, base: Base | None = None, how: How = "merge", unchecked: Unchecked = False
) -> OneJob:
    """Bring finished branches home in the background.

    The answer comes at once; `job.get` tells what comes of it.
    """
    _command(scope.actor.check_command, unchecked=unchecked)
    told: dict[str, object] = {"sources": list(sources), "how": how, "unchecked": unchecked}
    return requests.ask(scope, RUN, told if base is None else {**told, "base": base})


@op("integration.list", effect="read", example={"limit": 5})
def list_integrations(scope: Scope, *, limit: Recent = 20) -> Integrations:
    """List attempts to bring branches home, the newest first, and what became of each branch."""
    found = rows.recent(scope, limit)
    dead = {one.integration_id for one in rows.running(scope) if not runs(scope, one.process)}
    return Integrations([one._replace(notes=[_DEAD]) if one.integration_id in dead else one for one in found])


@long_op("integration.mend", effect="write", needs="session", example={})
def mend_integrations(steps: Steps) -> MendedIntegrations:
    """End what killed processes left of attempts to bring branches home. The next attempt does it, too."""
    return MendedIntegrations(mending.mend(steps))


_DEAD = "Its process is gone. `integration.mend` ends it, and so does the next attempt."


def _command(named: str, *, unchecked: bool) -> str | None:
    """The check command; Conflict ``integration.no_check`` where none is named and nobody said to go without."""
    if named:
        return named
    if unchecked:
        return None
    raise Conflict(
        "integration.no_check",
        "No check command is named, so nothing would say whether the base stays whole.",
        "Name one: check_command in .macp/comity.toml (then comity trust), or COMITY_CHECK_COMMAND; or say unchecked.",
    )
