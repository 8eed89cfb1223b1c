"""The performance: three workers share out the tasks, one is killed over its work and comes back, all gets done."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TextIO

import anyio

from comity.demo import cast
from comity.demo.agent import Agent, ServerGone
from comity.demo.board import held
from comity.demo.follower import BoardFollower
from comity.demo.repository import Repository
from comity.demo.roles import Planner, Worker
from comity.demo.screen import Screen
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Problem, Unavailable
from comity.workspace import Workspace, from_settings

START_TIMEOUT_S = 20.0
SCENE_TIMEOUT_S = 10.0  # what is awaited comes much sooner, or a check at the end tells that it did not
TASK_TIMEOUT_S = 5.0  # for each, besides the scenes
DRAIN_TIMEOUT_S = 8.0
MAX_LIVES = 5
_BEFORE = 2  # tasks that are done before somebody is killed
_RESTART_S = 0.5
_LOOK_S = 0.05


class Death(NamedTuple):
    """A server process that ended before its time; ``killed`` when that was the plan."""

    agent_id: str
    at_ms: float
    killed: bool


class Stage:
    """One performance in one repository; ``log`` takes what the servers print on standard error."""

    def __init__(self, repository: Repository, screen: Screen, tasks: int, seed: int, log: TextIO) -> None:
        self._repository = repository
        self._screen = screen
        self.jobs = cast.jobs(tasks, seed)
        self.deaths: list[Death] = []
        parts = {part.agent_id: part for part in cast.CAST}
        self._planner = Planner(parts[cast.PLANNER], repository.root, log, self.jobs)
        self.workers = [Worker(parts[name], repository.root, log, screen, seed) for name in cast.WORKERS]
        self.agents: list[Agent] = [self._planner, *self.workers]
        self._victim = next(worker for worker in self.workers if worker.part.agent_id == cast.VICTIM)
        self._processes = {agent.part.agent_id: 0 for agent in self.agents}
        self._started = anyio.Event()
        self._may_return = anyio.Event()
        self.origin_ms = 0.0  # when work began, since 1970
        self._killed_ms = 0.0
        self._problem: Problem | None = None

    async def play(self) -> None:
        """From the first process to the end of the last. Raises Problem when it cannot be played."""
        with from_settings(self._repository.settings("spectator")) as workspace:
            self._log = BoardFollower(workspace, self._screen)
            async with anyio.create_task_group() as tasks:
                for agent in self.agents:
                    tasks.start_soon(self._perform, agent, tasks.cancel_scope)
                await self._gather()
                self.origin_ms = time.time() * 1000
                self._screen.cast(self._processes, self._log.board, round(self.origin_ms))
                async with anyio.create_task_group() as watching:
                    watching.start_soon(self._log.follow)
                    self._started.set()
                    await self._kill_one()
                    await self._bring_back()
                    await self._finish(workspace)
                    watching.cancel_scope.cancel()
                await self._log.look()
                for agent in self.agents:
                    agent.leave.set()
        if self._problem is not None:
            raise self._problem

    async def _gather(self) -> None:
        """Until every agent is connected."""
        with anyio.move_on_after(START_TIMEOUT_S):
            for agent in self.agents:
                await agent.ready.wait()
                self._processes[agent.part.agent_id] = agent.pid
            return
        raise self._failure("A server process did not start in time.")

    async def _perform(self, agent: Agent, everything: anyio.CancelScope) -> None:
        """An agent's lives, one after another; it comes back once its death was noticed."""
        name = agent.part.agent_id
        while True:
            left = await agent.live(self._started, lambda waited: self._returned(agent, waited))
            if left or agent.leave.is_set():
                return
            if agent.lives >= MAX_LIVES:
                self._problem = self._failure(f"The server of {name} ended {agent.lives} times.")
                everything.cancel()
                return
            if not self._processes[name]:
                await anyio.sleep(_RESTART_S)  # it never began, so no agent will miss it
                continue
            killed = bool(self._killed_ms) and agent is self._victim and not any(one.killed for one in self.deaths)
            self.deaths.append(Death(name, self._killed_ms if killed else time.time() * 1000, killed))
            self._screen.died(name, self._processes[name], killed=killed)
            self._processes[name] = 0
            if killed:
                await self._may_return.wait()
            else:
                await self._until(lambda: self._missed(name))

    def _returned(self, agent: Agent, waited: int) -> None:
        self._processes[agent.part.agent_id] = agent.pid
        self._screen.returned(agent.part.agent_id, waited)

    async def _kill_one(self) -> None:
        """Kill one server while its agent holds a task, files that a peer wants, and a message."""
        victim, board, name = self._victim, self._log.board, cast.VICTIM
        await self._until(lambda: len(board.done()) >= _BEFORE)
        victim.hold = True
        with anyio.move_on_after(SCENE_TIMEOUT_S):
            await victim.editing.wait()
        file = victim.files[0] if victim.files else cast.FILES[0]
        job = cast.urgent(file)
        self.jobs.append(job)  # the planner dispatches what it has not, should it die meanwhile
        await self._safely(lambda: self._planner.say("steering", "plan", f"finish {file} soon, please", name))
        await self._safely(lambda: self._planner.dispatch(job))
        await self._safely(lambda: self._planner.say("interrupt", "stop", f"the shop is down: {file} comes first"))
        await self._until(lambda: any(wait.until_ms is None and name in wait.holders for wait in board.waits))
        with anyio.move_on_after(SCENE_TIMEOUT_S):
            await victim.holding.wait()
        self._killed_ms = time.time() * 1000
        victim.kill()

    async def _bring_back(self) -> None:
        """When others have freed what the dead agent held, and one of them went on with its task."""
        await self._until(lambda: any(one.killed for one in self.deaths))
        await self._until(lambda: self._missed(cast.VICTIM) and self._taken_over())
        await anyio.sleep(_RESTART_S)
        self._may_return.set()

    def _missed(self, name: str) -> bool:
        """Whether each death of an agent was noticed by another one."""
        deaths = sum(death.agent_id == name for death in self.deaths)
        return 0 < deaths <= sum(one.agent_id == name for one in self._log.board.reaped)

    def _taken_over(self) -> bool:
        board = self._log.board
        returned = [board.tasks[board.number(task_id)] for one in board.reaped for task_id in one.task_ids]
        return all(task.completed or held(task.holds) is not None for task in returned)

    async def _finish(self, workspace: Workspace) -> None:
        """Until all tasks are done, everybody lives, and nothing is pending in the file."""
        board, wanted = self._log.board, len(self.jobs)
        await self._until(lambda: len(board.done()) >= wanted, TASK_TIMEOUT_S * wanted)
        await self._until(lambda: all(self._processes.values()))
        await self._safely(lambda: self._planner.say("steering", "done", f"all {len(board.done())} tasks are done"))
        with anyio.move_on_after(DRAIN_TIMEOUT_S):
            pending = 1
            while pending:
                pending = (await anyio.to_thread.run_sync(workspace.workspace.status)).pending.total
                await anyio.sleep(_LOOK_S)

    async def _until(self, reached: Callable[[], bool], timeout_s: float = SCENE_TIMEOUT_S) -> None:
        """Wait until the board, or a process, says so; not for ever."""
        with anyio.move_on_after(timeout_s):
            while not reached():
                with anyio.move_on_after(_LOOK_S):
                    await self._log.changed()

    async def _safely(self, act: Callable[[], Awaitable[object]]) -> None:
        """What the planner does on the stage's behalf; nothing when a stranger has just killed it."""
        try:
            await act()
        except ServerGone:
            return

    def _failure(self, message: str) -> Problem:
        refused = [text for agent in self.agents for text in agent.notes.failures]
        printed = self._repository.logs.read_text(encoding="utf-8", errors="replace").splitlines()
        last = (refused or printed or ["nothing"])[-1]
        return Unavailable("demo.server_failed", message, f"It said last: {last[:300]}")
