"""Jobs of kinds that only tests know, and an operation that asks for one."""

from __future__ import annotations

from comity import Workspace
from comity.kernel.op import op
from comity.kernel.scope import Scope
from comity.rooms.jobs import requests
from comity.rooms.jobs.model import Kind, OneJob

REPEATABLE = Kind("test.again", repeatable=True, most_s=60)
ONCE = Kind("test.once", repeatable=False, most_s=60)
MANY = Kind("test.many", repeatable=True, most_s=60, per_agent=400, in_all=400)
KINDS = {kind.name: kind for kind in (REPEATABLE, ONCE, MANY)}


@op("test.ask", effect="write", example={})
def _ask(scope: Scope, *, kind: str, text: str = "") -> OneJob:
    """Ask for a job."""
    return requests.ask(scope, KINDS[kind], {"text": text})


def ask(workspace: Workspace, kind: Kind = REPEATABLE, text: str = "") -> str:
    """The id of a job that waits from now on."""
    answered: OneJob = workspace.perform(_ask, {"kind": kind.name, "text": text})
    return answered.job.job_id
