"""Runs the calls of one dialect for MCP over HTTP, and answers them in its words."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from comity.dialects.dialect import Ask, Dialect
from comity.doors.mcp_http.resource_notices import Notices
from comity.doors.mcp_http.seat import CallSeat, HttpSeat
from comity.kernel.problem import Internal, Problem
from comity.kernel.steps import Report
from comity.kernel.trace import TRACEPARENT, traceparent
from comity.mcp.protocol import McpConnection
from comity.mcp.request import Call
from comity.mcp.surface import UnknownResource, UnknownTool
from comity.server.calls import NOT_NOW
from comity.server.state import ServerState

Tell = Callable[[bytes], None]


class Calling:
    """One address with one dialect: its calls, and who follows its resources. ``kind`` names it."""

    def __init__(self, kind: str, dialect: Dialect, notices: Notices, server: ServerState) -> None:
        self.kind = kind
        self.dialect = dialect
        self.notices = notices
        self._server = server
        listed = dialect.tools()
        tools = json.loads(listed) if isinstance(listed, bytes) else listed
        self.schemas = {str(tool["name"]): tool.get("inputSchema") for tool in tools}

    def answer(self, core: McpConnection, call: Call, seat: HttpSeat, tell: Tell) -> bytes | Coroutine[Any, Any, bytes]:
        """The JSON-RPC answer to a call, or what makes it if somebody has to wait for it.

        ``tell`` sends what is to be said before the answer. To cancel the wait is to cancel the call.
        """
        if "traceparent" in call.meta:
            TRACEPARENT.set(traceparent(call.meta["traceparent"]))
        ask: Ask | None = None
        try:
            ask, result = core.ask(call), None
            if ask.op is not None:
                whose = CallSeat(seat.of_program(call.client.get("name")), ask, call.meta)
                result = self._server.at_once(whose, ask.op, ask.arguments, call.once())
                if result is NOT_NOW:
                    return self._waited(core, call, whose, ask, tell)
            return self._said(core, call, ask, result)
        except Exception as error:  # noqa: BLE001 - the edge
            return self._failed(core, call, ask, error)

    async def _waited(self, core: McpConnection, call: Call, whose: CallSeat, ask: Ask, tell: Tell) -> bytes:
        assert ask.op is not None, "there is something to wait for"
        report = None if call.token is None else _report(core, call, tell)
        try:
            result = await self._server.run(whose, ask.op, ask.arguments, call.cancelled, report, call.once())
            return self._said(core, call, ask, result)
        except asyncio.CancelledError:
            call.cancelled.set()
            raise
        except Exception as error:  # noqa: BLE001 - the edge
            return self._failed(core, call, ask, error)

    def _said(self, core: McpConnection, call: Call, ask: Ask, result: Any) -> bytes:
        answer = core.said(call, ask, result)
        self._count(call, "ok")
        return answer

    def _failed(self, core: McpConnection, call: Call, ask: Ask | None, error: Exception) -> bytes:
        """The client gets no stack trace."""
        if isinstance(error, UnknownTool | UnknownResource):
            return core.refused(call, ask, error)
        if isinstance(error, Problem):
            problem = error
        else:
            sys.excepthook(type(error), error, error.__traceback__)
            told = "The call failed because of a fault in Comity."
            problem = Internal("call.failed", told, "The server's log says more.")
        self._count(call, problem.kind)
        return core.refused(call, ask, problem)

    def _count(self, call: Call, outcome: str) -> None:
        if call.uri is None:
            self._server.tool_called(call.name if call.name in self.schemas else "other", outcome)


def _report(core: McpConnection, call: Call, tell: Tell) -> Report:
    """Tells the client, from a worker thread, how far a call is: in order, and all of it before the answer."""
    loop = asyncio.get_running_loop()

    def send(done: int, total: int, what: str) -> None:
        line = core.progress(call, done, total or None, what)
        if line is not None:
            tell(line)

    def report(done: int, total: int, what: str) -> None:
        loop.call_soon_threadsafe(send, done, total, what)

    return report
