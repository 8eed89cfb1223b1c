"""What is done for each kind of job: a line here for each ``Kind`` that a room asks for."""

from __future__ import annotations

from typing import Any

from comity.loops.job_desk import Effect, Run


def _index(run: Run) -> Any:
    return run.workspace.call("vault.register", run.arguments, run.stop, run.report)


def _integrate(run: Run) -> Any:
    return run.workspace.call("integration.run", run.arguments, run.stop, run.report)


EFFECTS: dict[str, Effect] = {"vault.index": Effect(_index), "integration.run": Effect(_integrate)}
