"""One whole demo: repository, processes, account, and everything cleared away again, whatever happens."""

from __future__ import annotations

import signal
import sys
import threading

import anyio
from anyio.abc import TaskStatus

from comity.demo import ledger
from comity.demo.account import Account, StageLog, settle
from comity.demo.repository import Repository
from comity.demo.screen import Screen
from comity.demo.stage import Stage
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Problem

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


class Outcome(NamedTuple):
    """``signal`` is the number of the signal that ended it early, else 0; then there is no account."""

    folder: str
    database: str
    account: Account | None
    signal: int = 0


def perform(screen: Screen, tasks: int, seed: int, *, keep: bool) -> Outcome:
    """Play and account. Raises Problem, and BrokenPipeError when the reader is gone."""
    try:
        return anyio.run(_Performance(screen, tasks, seed, keep).run)
    except BaseExceptionGroup as group:
        told = _told(group)
        if told is None:
            raise
        raise told from group


class _Performance:
    def __init__(self, screen: Screen, tasks: int, seed: int, keep: bool) -> None:
        self._screen = screen
        self._tasks = tasks
        self._seed = seed
        self._keep = keep
        self._signal = 0

    async def run(self) -> Outcome:
        outcome: Outcome | None = None
        async with anyio.create_task_group() as tasks:
            if threading.current_thread() is threading.main_thread() and sys.platform != "win32":
                await tasks.start(self._watch_signals, tasks.cancel_scope)
            outcome = await self._play()
            tasks.cancel_scope.cancel()
        return outcome or Outcome("", "", None, self._signal)

    async def _watch_signals(
        self, everything: anyio.CancelScope, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED
    ) -> None:
        with anyio.open_signal_receiver(*(getattr(signal, name) for name in _SIGNALS)) as received:
            task_status.started()
            async for number in received:
                self._signal = int(number)
                everything.cancel()

    async def _play(self) -> Outcome:
        repository = Repository()
        try:
            with repository.logs.open("w", encoding="utf-8") as log:
                stage = Stage(repository, self._screen, self._tasks, self._seed, log)
                await stage.play()
            database = repository.settings("spectator").db
            return Outcome(str(repository.folder), database, _account(database, repository, stage))
        finally:
            if not self._keep:
                repository.remove()


def _account(database: str, repository: Repository, stage: Stage) -> Account:
    """What the file says, next to what servers told their agents."""
    agents = stage.agents
    completed = [(number, agent.part.agent_id) for agent in agents for number in agent.notes.completed]
    told = StageLog(
        set[str]().union(*(agent.notes.sent for agent in agents)),
        set[str]().union(*(agent.notes.acknowledged for agent in agents)),
        completed,
        [text for agent in agents for text in agent.notes.failures],
        [refusal for worker in stage.workers for refusal in worker.refusals],
        [(death.agent_id, death.at_ms) for death in stage.deaths],
        repository.edits(),
        len(stage.jobs),
        stage.origin_ms,
    )
    return settle(ledger.read(database), told)


def _told(group: BaseExceptionGroup[BaseException]) -> Problem | BrokenPipeError | None:
    """What the caller can be told, wherever in the group it is."""
    for error in group.exceptions:
        found = _told(error) if isinstance(error, BaseExceptionGroup) else error
        if isinstance(found, Problem | BrokenPipeError):
            return found
    return None
