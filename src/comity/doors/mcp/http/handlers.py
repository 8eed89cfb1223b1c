"""A dialect as an MCP server of the official SDK: its handlers, for both eras of the protocol."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, NamedTuple, Protocol

import mcp_types as types
from mcp.server.lowlevel.server import NotificationOptions, Server
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from comity.doors.auth.principal import Principal
from comity.doors.mcp.dialect import Dialect, UnknownPrompt, UnknownResource
from comity.doors.mcp.http.seat import PATIENCE, HttpSeat
from comity.doors.mcp.surface import Cancellation, ToolCall, UnknownTool
from comity.kernel.problem import Conflict, Problem
from comity.kernel.trace import TRACEPARENT, traceparent
from comity.rooms.agents.model import UNREGISTERED

VISIT = "comity.visit"  # where a request's ASGI scope says whose it is
RESOURCE_NOT_FOUND = -32002
CACHE_MS = 60_000  # lists change with the server's version only


class Work(Protocol):
    """How tool calls are run: on worker threads, and waits without one."""

    async def work(self, function: Callable[[], Any]) -> Any: ...

    async def brief(self, name: str, function: Callable[[], Any], *, writes: bool) -> Any: ...

    def mark(self) -> asyncio.Event: ...

    async def told(self, mark: asyncio.Event, end: float, principal: Principal, agent_id: str | None) -> object: ...

    def tool_called(self, tool: str, outcome: str) -> None: ...

    @property
    def ending(self) -> bool: ...


class Subscriptions(Protocol):
    """Who wants to hear of which resources."""

    async def subscribe(self, session: Any, uri: str) -> None: ...

    def unsubscribe(self, session: Any, uri: str) -> None: ...

    async def listen(self, ctx: Any, params: Any) -> Any: ...


class Visit(NamedTuple):
    """Whose request it is; ``session`` None: it has none."""

    seat: HttpSeat
    session: Any = None


class Handlers:
    """The handlers of one dialect's server."""

    def __init__(self, dialect: Dialect, work: Work, subscriptions: Subscriptions) -> None:
        self._dialect = dialect
        self._work = work
        self._subscriptions = subscriptions
        listed = dialect.tools()
        self._tools: list[dict[str, Any]] = json.loads(listed) if isinstance(listed, bytes) else list(listed)
        self._schemas = {tool["name"]: tool.get("inputSchema") for tool in self._tools}
        self._readers = {tool["name"] for tool in self._tools if tool.get("annotations", {}).get("readOnlyHint")}

    def server(self) -> Server[Any]:
        """The SDK's server with these handlers."""
        dialect = self._dialect
        options: dict[str, Any] = {}
        if dialect.resources() or dialect.resource_templates():
            options |= {
                "on_list_resources": self._resources,
                "on_list_resource_templates": self._templates,
                "on_read_resource": self._read,
                "on_subscribe_resource": self._subscribe,
                "on_unsubscribe_resource": self._unsubscribe,
            }
        if dialect.prompts():
            options |= {"on_list_prompts": self._prompts, "on_get_prompt": self._prompt}
        server: Server[Any] = Server(
            dialect.name,
            version=dialect.version,
            instructions=dialect.instructions,
            get_tool_input_schema=self._schemas.get,
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
            on_subscriptions_listen=self._subscriptions.listen,
            **options,
        )
        server.add_request_handler("logging/setLevel", types.SetLevelRequestParams, _set_level)
        server.middleware.clear()  # traces begin at the listener
        return server

    async def _list_tools(self, ctx: Any, _params: Any) -> Any:
        return _shaped(ctx, {"tools": self._tools}, CACHE_MS)

    async def _call_tool(self, ctx: Any, params: types.CallToolRequestParams) -> Any:
        try:
            text, structured = await self._run(ctx, params.name, dict(params.arguments or {}))
        except UnknownTool:
            raise MCPError(types.INVALID_PARAMS, f"Unknown tool: {params.name[:200]}") from None
        except Problem as problem:
            self._work.tool_called(params.name if params.name in self._schemas else "other", problem.kind)
            text = self._dialect.render_problem(problem)
            return _shaped(ctx, {"content": [{"type": "text", "text": text}], "isError": True})
        self._work.tool_called(params.name if params.name in self._schemas else "other", "ok")
        content = [{"type": "text", "text": text}]
        return _shaped(ctx, {"content": content, "structuredContent": structured, "isError": False})

    async def _run(self, ctx: Any, name: str, arguments: dict[str, Any]) -> tuple[str, Any]:
        """Run a tool; one that waits in vain is asked again whenever something was committed."""
        visit = visit_of(ctx)
        progress = _Progress(ctx.session)
        call = _tool_call(ctx, progress.tell)
        seat = visit.seat.of_program(call.client.get("name"))
        if visit.session is not None:  # its handlers run beside the request, whose trace they do not have
            TRACEPARENT.set(traceparent(call.meta.get("traceparent")))
        loop = asyncio.get_running_loop()
        started = loop.time()
        found: list[Any] | None = None
        try:
            while True:
                mark = self._work.mark()
                run = partial(_once, self._dialect, seat, name, arguments, call)
                *found, wait_s = await self._begun(seat, name, run)
                end = started + wait_s
                if end <= loop.time() or self._work.ending:
                    await progress.sent()
                    return found[0], found[1]
                await self._work.told(mark, end, seat.principal, seat.agent_id)
        except asyncio.CancelledError:
            call.cancelled.set()
            if found is None or not self._work.ending:
                raise
            return found[0], found[1]  # the server ends: what waits is answered with what there is

    async def _begun(self, seat: HttpSeat, name: str, run: Callable[[], Any]) -> Any:
        """One run: without a thread where there is an agent already, and the tool is one that is listed."""
        if seat.bound is None or name not in self._schemas:
            return await self._work.work(run)
        return await self._work.brief(f"tool {name}", run, writes=name not in self._readers)

    async def _resources(self, ctx: Any, _params: Any) -> Any:
        return _shaped(ctx, {"resources": self._dialect.resources()}, CACHE_MS)

    async def _templates(self, ctx: Any, _params: Any) -> Any:
        return _shaped(ctx, {"resourceTemplates": self._dialect.resource_templates()}, CACHE_MS)

    async def _read(self, ctx: Any, params: types.ReadResourceRequestParams) -> Any:
        uri = str(params.uri)
        call = _tool_call(ctx, _silent)
        seat = visit_of(ctx).seat.of_program(call.client.get("name"))
        try:
            mime, text = await self._work.work(partial(self._dialect.read_resource, seat, uri, call))
        except UnknownResource:
            raise MCPError(RESOURCE_NOT_FOUND, "Resource not found", {"uri": uri}) from None
        except Problem as problem:
            raise _error(problem) from None
        return _shaped(ctx, {"contents": [{"uri": uri, "mimeType": mime, "text": text}]}, 0)

    async def _subscribe(self, ctx: Any, params: types.SubscribeRequestParams) -> Any:
        try:
            await self._subscriptions.subscribe(visit_of(ctx).session, str(params.uri))
        except Problem as problem:
            raise _error(problem) from None
        return {}

    async def _unsubscribe(self, ctx: Any, params: types.UnsubscribeRequestParams) -> Any:
        self._subscriptions.unsubscribe(visit_of(ctx).session, str(params.uri))
        return {}

    async def _prompts(self, ctx: Any, _params: Any) -> Any:
        return _shaped(ctx, {"prompts": self._dialect.prompts()}, CACHE_MS)

    async def _prompt(self, ctx: Any, params: types.GetPromptRequestParams) -> Any:
        try:
            return _shaped(ctx, self._dialect.get_prompt(params.name, dict(params.arguments or {})))
        except UnknownPrompt:
            raise MCPError(types.INVALID_PARAMS, f"Unknown prompt: {params.name[:200]}") from None
        except Problem as problem:
            raise _error(problem) from None


OPTIONS = NotificationOptions(tools_changed=True)


def _shaped(ctx: Any, result: dict[str, Any], cached_ms: int | None = None) -> dict[str, Any]:
    """A result with what the version of 2026-07-28 asks of it: that it is whole, and for how long it holds."""
    if ctx.protocol_version not in MODERN_PROTOCOL_VERSIONS:
        return result
    shaped = {"resultType": "complete", **result}
    return shaped if cached_ms is None else {**shaped, "ttlMs": cached_ms, "cacheScope": "private"}


def visit_of(ctx: Any) -> Visit:
    """Whose request a handler answers."""
    request = ctx.request
    if isinstance(request, Visit):
        return request
    visit: Visit = request.scope[VISIT]
    return visit


class _Progress:
    """Reports from a worker thread, in order; all of them are on their way before the answer is."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._loop = asyncio.get_running_loop()
        self._last: float | None = None
        self._sending: list[asyncio.Task[None]] = []

    def tell(self, progress: float, total: float | None, message: str | None) -> None:
        """From a worker thread. Only a progress that has grown is sent."""
        if self._last is None or progress > self._last:
            self._last = progress
            self._loop.call_soon_threadsafe(self._send, progress, total, message)

    def _send(self, progress: float, total: float | None, message: str | None) -> None:
        sending: Awaitable[None] = self._session.report_progress(progress, total, message)
        self._sending.append(asyncio.ensure_future(sending))

    async def sent(self) -> None:
        """Wait until every report is out."""
        if self._sending:
            await asyncio.gather(*self._sending, return_exceptions=True)


def _once(
    dialect: Dialect, seat: HttpSeat, name: str, arguments: dict[str, Any], call: ToolCall
) -> tuple[str, Any, float]:
    """One run on a worker thread: text, structured content, and how long it would wait for something else."""
    PATIENCE.begin()
    try:
        result = dialect.call(seat, name, arguments, call)
    except Conflict as conflict:
        if conflict.reason not in UNREGISTERED or PATIENCE.used is None:
            raise
        seat.lost(PATIENCE.used)
        PATIENCE.begin()
        result = dialect.call(seat, name, arguments, call)
    text, structured = dialect.render_result(result)
    return text, structured, PATIENCE.wait_s


def _tool_call(ctx: Any, progress: Callable[[float, float | None, str | None], None]) -> ToolCall:
    meta = (ctx.params or {}).get("_meta")
    known = ctx.session.client_params
    client = {"name": known.client_info.name, "version": known.client_info.version} if known is not None else {}
    return ToolCall(meta if isinstance(meta, Mapping) else {}, client, ctx.protocol_version, Cancellation(), progress)


def _silent(_progress: float, _total: float | None, _message: str | None) -> None:
    return


async def _set_level(_ctx: Any, _params: types.SetLevelRequestParams) -> Any:
    """Only one thing is ever logged to a client, that it missed something: at every level."""
    return {}


def _error(problem: Problem) -> MCPError:
    data = {"reason": problem.reason, "hint": problem.hint, **problem.data}
    return MCPError(types.INVALID_PARAMS, problem.message, json.loads(json.dumps(data, default=str)))
