"""Rows of attempts: one runs at a time, under the process that is at it; whoever comes next ends a dead one's."""

from __future__ import annotations

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Conflict
from comity.kernel.quoting import called
from comity.kernel.record import to_json
from comity.kernel.scope import Scope
from comity.kernel.text import compact, read_list, read_object
from comity.rooms.integration.model import KEPT, BranchOutcome, Integration
from comity.rooms.worktrees.rows import own_process, runs_elsewhere


class Attempt(NamedTuple):
    """One row."""

    integration_id: str
    base: str
    branches: str
    scratch: str
    agent_id: str
    state: str
    process: str
    outcome: str | None
    started_ms: int
    ended_ms: int | None


def running(scope: Scope) -> list[Attempt]:
    """Those that have not ended, the oldest first."""
    return [Attempt._make(row) for row in scope.tx.all("integration.running")]


def interrupted(scope: Scope) -> list[Attempt]:
    """Those whose process is gone."""
    return [one for one in running(scope) if not runs_elsewhere(scope, one.process)]


def require_free(scope: Scope) -> None:
    """Conflict ``integration.busy`` while one runs in another process."""
    for one in running(scope):
        if runs_elsewhere(scope, one.process):
            raise busy(one.agent_id, one.base)


def busy(agent_id: str, base: str) -> Conflict:
    """The refusal while somebody integrates."""
    return Conflict(
        "integration.busy",
        f"{called(agent_id)} is integrating into {base} just now.",
        "One at a time: wait until `integration.list` shows its end, then ask again.",
    )


def begin(scope: Scope, integration_id: str, base: str, branches: list[str], scratch: str) -> None:
    """Begin one. Raises what ``require_free`` raises."""
    require_free(scope)
    told = {"integration_id": integration_id, "base": base, "scratch": scratch, "agent_id": scope.actor.agent_id}
    scope.tx.run(
        "integration.begin", branches=compact(branches), process=own_process(scope), now_ms=scope.now.ms, **told
    )


def landing(scope: Scope, found: Integration) -> None:
    """Write down what an attempt has come to, before the base moves."""
    scope.tx.run("integration.landing", integration_id=found.integration_id, outcome=compact(to_json(found)))


def end(scope: Scope, found: Integration) -> bool:
    """Write down how one ended; whether it was still running."""
    outcome = compact(to_json(found))
    ended = scope.tx.run(
        "integration.end",
        integration_id=found.integration_id,
        state=found.state,
        outcome=outcome,
        now_ms=scope.now.ms,
    )
    scope.tx.run("integration.forget", kept=KEPT)
    return bool(ended)


def recent(scope: Scope, limit: int) -> list[Integration]:
    """The newest attempts."""
    return [integration(Attempt._make(row)) for row in scope.tx.all("integration.recent", limit=limit)]


def integration(one: Attempt) -> Integration:
    """An attempt as far as it is written down."""
    told = read_object(one.outcome) or {}
    outcomes = [_outcome(item) for item in told.get("outcomes") or () if isinstance(item, dict)]
    if not outcomes:
        outcomes = [BranchOutcome(str(name), str(name), "waits") for name in read_list(one.branches) or ()]
    return Integration(
        one.integration_id,
        one.base,
        one.state,
        outcomes,
        str(told.get("before", "")),
        str(told.get("after", "")),
        int(told.get("checks") or 0),
        str(told.get("checkOutput", "")),
        [str(note) for note in told.get("notes") or ()],
    )


def _outcome(item: dict[str, object]) -> BranchOutcome:
    files = item.get("files")
    fate = str(item.get("fate"))
    known = fate if fate in ("landed", "broke", "conflict", "nothing", "waits") else "waits"
    return BranchOutcome(
        str(item.get("source", "")),
        str(item.get("branch", "")),
        known,  # type: ignore[arg-type]
        str(item.get("told", "")),
        [str(name) for name in files] if isinstance(files, list) else [],
        str(item["agentId"]) if item.get("agentId") else None,
    )
