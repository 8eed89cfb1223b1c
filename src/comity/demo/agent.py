"""One agent of the demo: the official MCP client, a real ``comity mcp`` process, and what every agent does.

It works and listens at the same time, as a host does whose model thinks while messages arrive. It notes what its server
told it; the account at the end compares these notes with the file and trusts the file.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

import anyio
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client

import comity
from comity.demo.cast import CastMember, Priority
from comity.kernel.named_tuple import NamedTuple

CALL_TIMEOUT_S = 10.0
WAIT_MS = 2000  # how long one call waits for something to arrive
_AWAY = ("MACP_ERR_DESTINATION_UNKNOWN",)  # the recipient is gone, and that was noticed
_LOST = (MCPError, OSError, anyio.ClosedResourceError, anyio.BrokenResourceError, anyio.EndOfStream)


class Notes(NamedTuple):
    """What an agent's server answered: deliveries sent and acknowledged, tasks completed; and what it refused."""

    sent: set[str]
    acknowledged: set[str]
    completed: set[str]
    failures: list[str]


class ServerGone(Exception):
    """The server process does not answer any more."""


class Declined(Exception):
    """A tool said no for a reason that the agent knows how to deal with; ``answer`` is what it said."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__(answer.get("message", ""))
        self.answer = answer


class Agent:
    """One agent, through all its lives. ``work`` and ``hear`` are its role's."""

    def __init__(self, part: CastMember, root: Path, log: TextIO) -> None:
        self.part = part
        self.root = root
        self.notes = Notes(set(), set(), set(), [])
        self.ready = anyio.Event()  # connected and registered for the first time
        self.leave = anyio.Event()  # set from outside: end
        self.holding = anyio.Event()  # has been handed a message and does not acknowledge it
        self.hold = False  # set from outside: finish nothing any more, and wait for the end
        self.pid = 0  # of the server process; 0 while there is none
        self.lives = 0
        self._log = log
        self._killed = anyio.Event()
        self._client: Client | None = None

    async def work(self) -> None:
        """What the agent does of its own accord."""
        raise NotImplementedError

    async def hear(self, kind: str, sender: str) -> None:
        """Act on a message of this type."""

    async def live(self, started: anyio.Event, returned: Callable[[int], None]) -> bool:
        """From connecting to leaving; work begins when ``started`` is set. False when the server died before that.

        ``returned`` hears, in a later life, how many messages the first poll found.
        """
        self.lives += 1
        self.hold = False
        self._killed = anyio.Event()
        left = False
        try:
            async with self._connected():
                left = await self._busy(started, returned)
        except* _LOST:
            left = False
        finally:
            self.pid = 0
            self._client = None
        return left

    def kill(self) -> None:
        """Kill the server process as no signal handler can see it."""
        if self.pid:
            with suppress(ProcessLookupError):  # a stranger was faster
                os.kill(self.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
        self._killed.set()

    async def held(self) -> None:
        """Wait for the end that was told with ``hold``."""
        await self._killed.wait()
        raise ServerGone

    async def say(self, priority: Priority, kind: str, text: str, to: str = "") -> None:
        """Send a message to everybody on the channel, or to one agent if it is there."""
        arguments: dict[str, Any] = {"content": text, "priority": priority, "type": kind}
        try:
            if to:
                answer = await self.call("macp_send_direct", arguments | {"destinationAgentId": to}, _AWAY)
            else:
                answer = await self.call("macp_send_channel", arguments)
        except Declined:
            return
        self.notes.sent.update(answer["deliveryIds"])

    async def call(self, tool: str, arguments: dict[str, Any], known: tuple[str, ...] = ()) -> dict[str, Any]:
        """What a tool answers. Raises Declined when it refuses for one of the ``known`` reasons."""
        if self._client is None:
            raise ServerGone
        try:
            result = await self._client.call_tool(tool, arguments)
        except _LOST as error:
            raise ServerGone from error
        if not result.is_error and isinstance(result.structured_content, dict):
            return result.structured_content
        text = str(getattr(result.content[0], "text", ""))
        refused = json.loads(text) if text.startswith("{") else {}
        if refused.get("reasonCode") in known:
            raise Declined(refused)
        self.notes.failures.append(f"{tool}: {text[:300]}")
        raise ServerGone

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[None]:
        told = self.root.parent / f"{self.part.agent_id}.pid"
        server = [sys.executable, "-m", "comity", "mcp"]
        server += ["--agent-id", self.part.agent_id, "--role", self.part.role]
        # The shell writes down the process id, which the client keeps to itself, and becomes the server.
        command = StdioServerParameters(
            command="/bin/sh",
            args=["-c", 'echo $$ >"$0" && exec "$@"', str(told), *server],
            cwd=self.root,
            env={"PYTHONPATH": os.path.dirname(os.path.dirname(comity.__file__))},
        )
        transport = stdio_client(command, errlog=self._log)
        async with Client(transport, mode=self.part.era, read_timeout_seconds=CALL_TIMEOUT_S) as client:
            self.pid = int(told.read_text())
            self._client = client
            yield

    async def _busy(self, started: anyio.Event, returned: Callable[[int], None]) -> bool:
        alive = True
        async with anyio.create_task_group() as tasks:

            async def until_gone(part: Callable[[], Awaitable[None]]) -> None:
                nonlocal alive
                try:
                    await part()
                except ServerGone:
                    alive = False
                    tasks.cancel_scope.cancel()

            async def work() -> None:
                await started.wait()
                await self.work()

            tasks.start_soon(until_gone, work)
            tasks.start_soon(until_gone, lambda: self._listen(returned))
            await self.leave.wait()
            tasks.cancel_scope.cancel()
        return alive

    async def _listen(self, returned: Callable[[int], None]) -> None:
        first = await self.call("macp_poll", {"maxMessages": 100})
        self.ready.set()
        if self.lives > 1:
            returned(len(first["deliveries"]))
        await self._take(first["deliveries"])
        while True:
            polled = await self.call("macp_poll", {"maxMessages": 20, "waitMs": WAIT_MS})
            await self._take(polled["deliveries"])

    async def _take(self, deliveries: list[dict[str, Any]]) -> None:
        """Act on each delivery, then acknowledge it."""
        for delivery in deliveries:
            if self.hold:
                self.holding.set()
                await self.held()
            await self.hear(delivery["type"], delivery["from"]["agentId"])
            answer = await self.call("macp_ack", {"deliveryId": delivery["deliveryId"]})
            self.notes.acknowledged.add(answer["deliveryId"])
