"""Runs the calls of one dialect for MCP over HTTP: on worker threads, and what waits is awaited without one."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from comity.dialects.dialect import Dialect, UnknownResource
from comity.doors.mcp_http.seat import PATIENCE, HttpSeat
from comity.kernel.problem import Conflict, Internal, Problem
from comity.kernel.trace import TRACEPARENT, traceparent
from comity.mcp import wire
from comity.mcp.protocol import Session
from comity.mcp.request import Call
from comity.mcp.surface import Content, ToolCall, UnknownTool
from comity.rooms.agents.model import UNREGISTERED
from comity.server.auth.principal import Principal

Tell = Callable[[bytes], None]


class Work(Protocol):
    """How calls are run: on worker threads, and waits without one."""

    async def work(self, function: Callable[[], Any]) -> Any: ...

    async def brief(self, name: str, function: Callable[[], Any], *, writes: bool) -> Any: ...

    def mark(self) -> asyncio.Event: ...

    async def told(self, mark: asyncio.Event, end: float, principal: Principal, agent_id: str | None) -> object: ...

    def tool_called(self, tool: str, outcome: str) -> None: ...

    @property
    def ending(self) -> bool: ...


class Calling:
    """The calls of one dialect."""

    def __init__(self, dialect: Dialect, work: Work) -> None:
        self.dialect = dialect
        self._work = work
        listed = dialect.tools()
        tools: list[dict[str, Any]] = json.loads(listed) if isinstance(listed, bytes) else list(listed)
        self.schemas = {str(tool["name"]): tool.get("inputSchema") for tool in tools}
        self._readers = {tool["name"] for tool in tools if tool.get("annotations", {}).get("readOnlyHint")}

    async def answer(self, core: Session, call: Call, seat: HttpSeat, tell: Tell) -> bytes:
        """The JSON-RPC answer to a call; ``tell`` sends what is to be said before it."""
        seat = seat.of_program(call.client.get("name"))
        progress = _Progress(core, call, tell)
        tool_call = ToolCall(call.meta, call.client, call.version, call.cancelled, progress.tell)
        TRACEPARENT.set(traceparent(call.meta.get("traceparent")) if "traceparent" in call.meta else TRACEPARENT.get())
        try:
            if call.uri is not None:
                read = partial(self.dialect.read_resource, seat, call.uri, tool_call)
                return core.contents(call, *await self._work.work(read))
            content, structured = await self._run(call, seat, tool_call)
            self._called(call, "ok")
            return core.result(call, content, structured)
        except UnknownResource:
            return core.missing(call)
        except UnknownTool:
            return wire.error(call.request_id, wire.INVALID_PARAMS, f"Unknown tool: {call.name[:200]}")
        except Problem as problem:
            return self._failed(core, call, problem)
        except Exception:  # noqa: BLE001 - the edge: the client gets no stack trace
            sys.excepthook(*sys.exc_info())
            told = "The call failed because of a fault in Comity."
            return self._failed(core, call, Internal("call.failed", told, "The server's log says more."))

    def _failed(self, core: Session, call: Call, problem: Problem) -> bytes:
        if call.uri is not None:
            return core.refused(call, problem)
        self._called(call, problem.kind)
        return core.result(call, self.dialect.render_problem(problem), failed=True)

    def _called(self, call: Call, outcome: str) -> None:
        self._work.tool_called(call.name if call.name in self.schemas else "other", outcome)

    async def _run(self, call: Call, seat: HttpSeat, tool_call: ToolCall) -> tuple[Content, Any]:
        """Run a tool; one that waits in vain is asked again whenever something was committed."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        found: list[Any] | None = None
        try:
            while True:
                mark = self._work.mark()
                run = partial(_once, self.dialect, seat, call.name, call.arguments, tool_call)
                *found, wait_s = await self._begun(seat, call.name, run)
                end = started + wait_s
                if end <= loop.time() or self._work.ending:
                    return found[0], found[1]
                await self._work.told(mark, end, seat.principal, seat.agent_id)
        except asyncio.CancelledError:
            call.cancelled.set()
            if found is None or not self._work.ending:
                raise
            return found[0], found[1]  # the server ends: what waits is answered with what there is

    async def _begun(self, seat: HttpSeat, name: str, run: Callable[[], Any]) -> Any:
        """One run: without a thread where there is an agent already, and the tool is one that is listed."""
        if seat.bound is None or name not in self.schemas:
            return await self._work.work(run)
        return await self._work.brief(f"tool {name}", run, writes=name not in self._readers)


class _Progress:
    """Reports from a worker thread, in order; all of them are on their way before the answer is."""

    def __init__(self, core: Session, call: Call, tell: Tell) -> None:
        self._core = core
        self._call = call
        self._tell = tell
        self._loop = asyncio.get_running_loop()

    def tell(self, progress: float, total: float | None, message: str | None) -> None:
        """From a worker thread."""
        self._loop.call_soon_threadsafe(self._send, progress, total, message)

    def _send(self, progress: float, total: float | None, message: str | None) -> None:
        line = self._core.progress(self._call, progress, total, message)
        if line is not None:
            self._tell(line)


def _once(
    dialect: Dialect, seat: HttpSeat, name: str, arguments: dict[str, Any], call: ToolCall
) -> tuple[Content, Any, float]:
    """One run on a worker thread: content, structured content, and how long it would wait for something else."""
    PATIENCE.begin()
    try:
        result = dialect.call(seat, name, arguments, call)
    except Conflict as conflict:
        if conflict.reason not in UNREGISTERED or PATIENCE.used is None:
            raise
        seat.lost(PATIENCE.used)
        PATIENCE.begin()
        result = dialect.call(seat, name, arguments, call)
    content, structured = dialect.render_result(result)
    return content, structured, PATIENCE.wait_s
