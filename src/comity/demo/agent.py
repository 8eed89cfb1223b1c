"""One agent of the demo: the official MCP client, a real ``comity mcp`` process, and the script between them.

An agent speaks its lines and listens at the same time, as a host does whose user types while messages arrive. It notes
what it was told by its server; the account at the end compares these notes with the file and trusts the file.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import anyio
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client

import comity
from comity.demo import cast

CALL_TIMEOUT_S = 10.0
WAIT_MS = 2000  # how long one macp_poll waits for something to arrive
_NOT_HERE = "MACP_ERR_DESTINATION_UNKNOWN"  # the others have noticed that the killed agent is gone
_AGAIN_S = 0.2  # until it is back
_LOST = (MCPError, OSError, anyio.ClosedResourceError, anyio.BrokenResourceError, anyio.EndOfStream)


class Notes(NamedTuple):
    """What an agent's server answered: deliveries sent and acknowledged; also whether each long message came whole."""

    sent: set[str]
    acknowledged: set[str]
    long_messages: list[bool]
    refused: list[str]


class ServerGone(Exception):
    """The server process does not answer any more."""


class Agent:
    """One agent, through all its lives."""

    def __init__(self, part: cast.Part, root: Path, script: list[cast.Line], log: TextIO) -> None:
        self.part = part
        self.notes = Notes(set(), set(), [], [])
        self.ready = anyio.Event()  # connected and registered for the first time
        self.spoken = anyio.Event()  # every line is said
        self.leave = anyio.Event()  # set from outside: end
        self.holding = anyio.Event()  # has been handed something and does not acknowledge it
        self.hold = False  # set from outside: stop acknowledging
        self.pid = 0  # of the server process; 0 while there is none
        self.lives = 0
        self._script = script
        self._next = 0
        self._root = root
        self._log = log
        self._client: Client | None = None

    async def live(self, started: anyio.Event, now: Callable[[], float], returned: Callable[[int], None]) -> bool:
        """From connecting to leaving. False when the server died before that.

        ``now`` tells the seconds since ``started`` was set; ``returned`` hears, in a later life, how many messages
        the first poll found.
        """
        self.lives += 1
        self.hold = False
        left = False
        try:
            async with self._connected():
                left = await self._work(started, now, returned)
        except* _LOST:
            left = False
        finally:
            self.pid = 0
            self._client = None
        return left

    def kill(self) -> bool:
        """Kill the server process as no signal handler can see it. False when there is none."""
        if not self.pid:
            return False
        os.kill(self.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
        return True

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[None]:
        told = self._root.parent / f"{self.part.agent_id}.pid"
        server = [sys.executable, "-m", "comity", "mcp"]
        server += ["--agent-id", self.part.agent_id, "--role", self.part.role]
        # The shell writes down the process id, which the client keeps to itself, and becomes the server.
        command = StdioServerParameters(
            command="/bin/sh",
            args=["-c", 'echo $$ >"$0" && exec "$@"', str(told), *server],
            cwd=self._root,
            env={"PYTHONPATH": os.path.dirname(os.path.dirname(comity.__file__))},
        )
        transport = stdio_client(command, errlog=self._log)
        async with Client(transport, mode=self.part.era, read_timeout_seconds=CALL_TIMEOUT_S) as client:
            self.pid = int(told.read_text())
            self._client = client
            yield

    async def _work(self, started: anyio.Event, now: Callable[[], float], returned: Callable[[int], None]) -> bool:
        alive = True
        async with anyio.create_task_group() as tasks:

            async def until_gone(work: Callable[[], Any]) -> None:
                nonlocal alive
                try:
                    await work()
                except ServerGone:
                    alive = False
                    tasks.cancel_scope.cancel()

            async def speak() -> None:
                await started.wait()
                await self._speak(now)

            tasks.start_soon(until_gone, speak)
            tasks.start_soon(until_gone, lambda: self._listen(returned))
            await self.leave.wait()
            tasks.cancel_scope.cancel()
        return alive

    async def _speak(self, now: Callable[[], float]) -> None:
        """The lines whose time has not passed; what came due while the server was dead stays unsaid."""
        while self._next < len(self._script):
            line = self._script[self._next]
            late_s = now() - line.at_s
            if late_s < 0:
                await anyio.sleep(-late_s)
            self._next += 1
            if late_s < 1 or self.lives == 1:
                await self._send(line)
        self.spoken.set()

    async def _send(self, line: cast.Line) -> None:
        arguments: dict[str, Any] = {"content": line.text, "priority": line.priority, "type": line.type}
        if line.to is None:
            answer = await self._call("macp_send_channel", arguments)
        else:
            arguments["destinationAgentId"] = line.to
            answer = await self._call("macp_send_direct", arguments, _NOT_HERE)
            while not answer:
                await anyio.sleep(_AGAIN_S)
                answer = await self._call("macp_send_direct", arguments, _NOT_HERE)
        self.notes.sent.update(answer["deliveryIds"])

    async def _listen(self, returned: Callable[[int], None]) -> None:
        first = await self._call("macp_poll", {"maxMessages": 100})
        self.ready.set()
        if self.lives > 1:
            returned(len(first["deliveries"]))
        await self._take(first["deliveries"])
        while True:
            polled = await self._call("macp_poll", {"maxMessages": 20, "waitMs": WAIT_MS})
            await self._take(polled["deliveries"])

    async def _take(self, deliveries: list[dict[str, Any]]) -> None:
        """Act on each delivery, then acknowledge it."""
        for delivery in deliveries:
            if self.hold:
                self.holding.set()
                await anyio.sleep_forever()
            if delivery.get("truncated"):
                self.notes.long_messages.append(await self._read_whole(delivery) == cast.review())
            reply = cast.reply(self.part.agent_id, delivery["type"], delivery["content"])
            if reply is not None:
                priority, kind, text = reply
                await self._send(cast.Line(0, priority, delivery["from"]["agentId"], kind, text))
            answer = await self._call("macp_ack", {"deliveryId": delivery["deliveryId"]})
            self.notes.acknowledged.add(answer["deliveryId"])

    async def _read_whole(self, delivery: dict[str, Any]) -> str:
        pieces: list[str] = []
        offset: int | None = 0
        while offset is not None:
            piece = await self._call("macp_read_message", {"deliveryId": delivery["deliveryId"], "offset": offset})
            pieces.append(piece["content"])
            offset = piece["nextOffset"]
        return "".join(pieces)

    async def _call(self, tool: str, arguments: dict[str, Any], accepted: str = "") -> dict[str, Any]:
        """What a tool answers; empty when it refuses for the reason that is accepted."""
        assert self._client is not None
        try:
            result = await self._client.call_tool(tool, arguments)
        except _LOST as error:
            raise ServerGone from error
        if accepted and result.is_error and accepted in getattr(result.content[0], "text", ""):
            return {}
        if result.is_error or not isinstance(result.structured_content, dict):
            self.notes.refused.append(f"{tool}: {getattr(result.content[0], 'text', '')[:300]}")
            raise ServerGone
        return result.structured_content
