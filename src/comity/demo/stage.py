"""The performance: four agents play at once, one is killed and comes back, and all queues are empty at the end."""

from __future__ import annotations

import time
from typing import TextIO

import anyio

from comity.demo import cast
from comity.demo.agent import Agent
from comity.demo.follower import Follower
from comity.demo.repository import Repository
from comity.demo.screen import Screen
from comity.kernel.problem import Problem, Unavailable
from comity.workspace import Workspace, from_settings

START_TIMEOUT_S = 20.0
SPEAK_TIMEOUT_S = 10.0  # beyond the time that the script takes
DRAIN_TIMEOUT_S = 8.0
HOLD_TIMEOUT_S = 2.0
MAX_LIVES = 5
_RESTART_S = 0.5  # after a death that was not planned
_LOOK_S = 0.05


class Stage:
    """One performance in one repository; ``log`` takes what the servers print on standard error."""

    def __init__(self, repository: Repository, screen: Screen, seconds: float, seed: int, log: TextIO) -> None:
        self._repository = repository
        self._screen = screen
        self._seconds = seconds
        root = repository.root
        self.agents = [Agent(part, root, cast.lines(part, seconds, seed), log) for part in cast.CAST]
        self._victim = next(agent for agent in self.agents if agent.part.agent_id == cast.VICTIM)
        self._processes = {agent.part.agent_id: 0 for agent in self.agents}
        self._started = anyio.Event()
        self._may_return = anyio.Event()
        self._killed = False
        self._missed = anyio.Event()  # the killed server's agent has noticed
        self._start_s = 0.0
        self._problem: Problem | None = None
        self.drained = False

    async def play(self) -> None:
        """From the first process to the end of the last. Raises Problem when it cannot be played."""
        with from_settings(self._repository.settings("spectator")) as workspace:
            async with anyio.create_task_group() as tasks:
                for agent in self.agents:
                    tasks.start_soon(self._perform, agent, tasks.cancel_scope)
                await self._gather()
                follower = Follower(workspace, self._screen, time.time() * 1000)
                self._start_s = time.monotonic()
                self._screen.cast(self._processes)
                async with anyio.create_task_group() as watching:
                    watching.start_soon(follower.follow)
                    self._started.set()
                    await self._kill_and_bring_back()
                    await self._finish(workspace)
                    watching.cancel_scope.cancel()
                await follower.look()
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
        """An agent's lives, one after another."""
        name = agent.part.agent_id
        while True:
            left = await agent.live(self._started, self._now, lambda waited: self._returned(agent, waited))
            if left or agent.leave.is_set():
                return
            killed = self._killed and agent is self._victim and not self._missed.is_set()
            if self._processes[name]:
                self._screen.died(self._now(), name, self._processes[name], killed=killed)
                self._processes[name] = 0
            if killed:
                self._missed.set()
                await self._may_return.wait()
            elif agent.lives >= MAX_LIVES:
                self._problem = self._failure(f"The server of {name} ended {agent.lives} times.")
                everything.cancel()
                return
            else:
                await anyio.sleep(_RESTART_S)

    def _returned(self, agent: Agent, waited: int) -> None:
        self._processes[agent.part.agent_id] = agent.pid
        self._screen.returned(self._now(), agent.part.agent_id, waited)

    async def _kill_and_bring_back(self) -> None:
        """Kill one server while its agent holds a message that it has not acknowledged."""
        await anyio.sleep(max(0.0, cast.KILL_AT * self._seconds - self._now()))
        self._victim.hold = True
        with anyio.move_on_after(HOLD_TIMEOUT_S):
            await self._victim.holding.wait()
        self._killed = self._victim.kill()
        with anyio.move_on_after(HOLD_TIMEOUT_S):
            await self._missed.wait()
        await anyio.sleep(max(_RESTART_S, cast.RETURN_AT * self._seconds - self._now()))
        self._may_return.set()

    async def _finish(self, workspace: Workspace) -> None:
        """Until every line is said and nothing is pending in the file."""
        with anyio.move_on_after(self._seconds + SPEAK_TIMEOUT_S - self._now()):
            for agent in self.agents:
                await agent.spoken.wait()
        with anyio.move_on_after(DRAIN_TIMEOUT_S):
            while not self.drained:
                status = await anyio.to_thread.run_sync(workspace.workspace.status)
                self.drained = status.pending.total == 0
                await anyio.sleep(_LOOK_S)

    def _now(self) -> float:
        return time.monotonic() - self._start_s

    def _failure(self, message: str) -> Problem:
        refused = [text for agent in self.agents for text in agent.notes.refused]
        printed = self._repository.logs.read_text(encoding="utf-8", errors="replace").splitlines()
        last = (refused or printed or ["nothing"])[-1]
        return Unavailable("demo.server_failed", message, f"It said last: {last[:300]}")
