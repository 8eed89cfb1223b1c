"""The WebSocket: subscriptions to events and calls of operations in one JSON envelope (docs/events.md).

Who connects is known by the Authorization header, or by a first message of type ``authenticate``, since pages in a
browser cannot set headers. Calls run several at once and are answered in whatever order they end. Everything is
bounded: messages, calls at once, subscriptions, and how long somebody may stay unknown or silent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Protocol

from starlette.types import Receive, Send

from comity.doors.live import envelope
from comity.doors.live.envelope import Said, Unreadable
from comity.doors.live.subscription import wanted
from comity.kernel.call import Key
from comity.kernel.problem import Conflict, Internal, Invalid, Limited, NotFound, Problem, Unauthenticated
from comity.kernel.text import cursor_at
from comity.server.auth.principal import Principal
from comity.server.feed.listener import Batch, Beat, End, Gap, LogListener
from comity.server.feed.streams import Stream, Streams
from comity.workspace import Workspace

AUTHENTICATE_S = 5.0
IDLE_S = 600.0  # without a subscription, a call or a message
MOST_CALLS = 16
MOST_SUBSCRIPTIONS = 32
MOST_UNREADABLE = 20  # in a row
NORMAL, GOING_AWAY, BAD_DATA, TOO_BUSY = 1000, 1001, 1007, 1013
UNKNOWN, SILENT = 4401, 4408


class SocketBackend(Protocol):
    """What the server does for a WebSocket: all of it raises Problem."""

    async def admit(self, token: str | None, agent: str | None) -> Principal:
        """Who shows this token, or comes without one."""

    async def seat(self, principal: Principal) -> Workspace | None:
        """The workspace of the principal's agent, if there is one."""

    async def call(self, principal: Principal, operation: str, arguments: dict[str, Any], key: Key | None) -> Any:
        """An operation's answer as JSON; at most once under a ``key``."""

    def allow(self, principal: Principal, operation: str) -> None:
        """Forbidden ``role.insufficient``."""

    def failed(self, problem: Exception) -> Internal:
        """What a client is told of an unexpected failure."""


class Socket:
    """One connection, from ``run`` until it is closed."""

    def __init__(self, streams: Streams, backend: SocketBackend, client: str, receive: Receive, send: Send) -> None:
        self._streams = streams
        self._backend = backend
        self._client = client
        self._receive = receive
        self._raw_send = send
        self._sending = asyncio.Lock()
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._pumps: dict[int | str, asyncio.Task[None]] = {}
        self._calls = 0
        self._unreadable = 0
        self._coming: asyncio.Task[Any] | None = None

    async def run(self, principal: Principal | None) -> None:
        """Serve until either side has enough. Without a principal the client has to say who it is."""
        await self._receive()  # websocket.connect
        await self._raw_send({"type": "websocket.accept"})
        code = NORMAL
        try:
            principal = principal or await self._introduction()
            if principal is None:
                code = UNKNOWN
                return
            served: int | Principal = principal
            while isinstance(served, Principal):
                served = await self._serve_as(served)
            code = served
        except Problem as problem:
            await self._send(envelope.refusal(problem))
            code = TOO_BUSY if isinstance(problem, Limited) else UNKNOWN
        except _Gone:
            code = 0
        finally:
            await self._finish(code)

    async def _introduction(self) -> Principal | None:
        """The principal of the first message; None when it does not come or does not convince."""
        await self._send(envelope.write("hello", authenticated=False, withinS=AUTHENTICATE_S))
        try:
            async with asyncio.timeout(AUTHENTICATE_S):
                said = envelope.read(await self._next(None) or {})
            if said.type != "authenticate":
                raise Unauthenticated("token.missing", "Say who you are first.", 'Send {"type":"authenticate",...}.')
            return await self._authenticate(said)
        except TimeoutError:
            return None
        except Unreadable as unreadable:
            await self._send(envelope.refusal(unreadable.problem))
        except Problem as problem:
            await self._send(envelope.refusal(problem))
        return None

    async def _authenticate(self, said: Said) -> Principal:
        token, agent = said.body.get("token"), said.body.get("agent")
        for one in (token, agent):
            if one is not None and not isinstance(one, str):
                raise Invalid("argument.invalid", "token and agent are texts.", "Send the token that was printed.")
        principal = await self._backend.admit(token, agent)
        await self._send(envelope.write("authenticated", said.id, agentId=principal.agent_id, role=principal.role))
        return principal

    async def _serve_as(self, principal: Principal) -> int | Principal:
        """Serve somebody: until the end, or until they say who they are after all."""
        stream = self._streams.enter(principal, self._client, await self._backend.seat(principal), socket=True)
        try:
            return await self._serve(stream)
        finally:
            self._streams.leave(stream)

    async def _serve(self, stream: Stream) -> int | Principal:
        while not stream.ended:
            try:
                message = await self._next(stream)
            except TimeoutError:
                if self._calls or stream.listeners:
                    continue
                return SILENT
            if message is None:
                break
            try:
                said = envelope.read(message)
            except Unreadable as unreadable:
                await self._send(envelope.refusal(unreadable.problem))
                self._unreadable += 1
                if self._unreadable >= MOST_UNREADABLE:
                    return BAD_DATA
                continue
            self._unreadable = 0
            try:
                if said.type == "authenticate":
                    return await self._introduced(stream, said)
                await self._answer(stream, said)
            except Problem as problem:
                await self._send(envelope.refusal(problem, said.id))
        with suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                kind = "shutdown" if stream.ended == "shutdown" else "end"
                await self._send(envelope.write(kind, reason=stream.ended))
        return GOING_AWAY if stream.ended == "shutdown" else UNKNOWN

    async def _answer(self, stream: Stream, said: Said) -> None:
        if said.type == "ping":
            await self._send(envelope.write("pong", said.id))
        elif said.type == "subscribe":
            await self._subscribe(stream, said)
        elif said.type == "unsubscribe":
            await self._unsubscribe(stream, said)
        else:
            self._begin_call(stream.principal, said)

    async def _introduced(self, stream: Stream, said: Said) -> Principal:
        """The name that a nameless client of an open server gives itself: once, and before it does anything."""
        nameless = stream.principal.agent_id is None and stream.principal.token_id is None
        if not nameless or self._calls or stream.listeners:
            raise Conflict("socket.authenticated", "It is known already who you are.", "Connect again to change that.")
        return await self._authenticate(said)

    async def _subscribe(self, stream: Stream, said: Said) -> None:
        if said.id is None:
            raise Invalid("message.id", "A subscription needs an id.", "Its events carry the id.")
        if said.id in stream.listeners:
            raise Conflict("subscription.exists", "There is a subscription with that id.", "Take another id.")
        if len(stream.listeners) >= MOST_SUBSCRIPTIONS:
            raise Limited("subscription.too_many", f"At most {MOST_SUBSCRIPTIONS} at once.", "End one first.")
        self._backend.allow(stream.principal, "event.list")
        chosen = said.body.pop("filter", None) or {}
        if not isinstance(chosen, dict):
            raise Invalid("argument.invalid", "filter is an object.", 'Such as {"types": ["task.*"]}.')
        asked = wanted({**chosen, **said.body})
        framing = envelope.Envelopes(said.id)
        await self._send(envelope.write("subscribed", said.id))
        listener = self._streams.listen(stream, said.id, framing, asked.filter, asked.after, asked.newest)
        self._pumps[said.id] = self._begin(self._pump(said.id, listener))

    async def _unsubscribe(self, stream: Stream, said: Said) -> None:
        key = said.body.get("subscription", said.id)
        listener = stream.listeners.pop(key, None) if isinstance(key, int | str) else None
        if listener is None or not isinstance(key, int | str):
            raise NotFound("subscription.unknown", "There is no such subscription.", "Its id is that of `subscribe`.")
        listener.close()
        self._pumps.pop(key).cancel()
        await self._send(envelope.write("unsubscribed", said.id, subscription=key))

    async def _pump(self, key: int | str, listener: LogListener) -> None:
        ready = False
        while True:
            item = await listener.next()
            if isinstance(item, Batch):
                for text in item.payload:
                    await self._send(text)
            elif isinstance(item, Beat):
                await self._send(envelope.write("beat" if ready else "ready", key, cursor=cursor_at(item.position)))
                ready = True
            elif isinstance(item, Gap):
                await self._send(
                    envelope.write("gap", key, after=cursor_at(item.start), cursor=cursor_at(item.end), reason=item.why)
                )
            elif isinstance(item, End):
                return

    def _begin_call(self, principal: Principal, said: Said) -> None:
        operation, arguments = said.body.get("operation"), said.body.get("arguments") or {}
        if said.id is None:
            raise Invalid("message.id", "A call needs an id.", "Its answer carries the id.")
        if not isinstance(operation, str) or not isinstance(arguments, dict):
            raise Invalid(
                "argument.invalid",
                "A call has an operation and its arguments.",
                'Such as {"id": 1, "type": "call", "operation": "task.list", "arguments": {}}.',
            )
        key = Key(said.body["key"]) if said.body.get("key") is not None else None
        if self._calls >= MOST_CALLS:
            raise Limited("call.too_many", f"{MOST_CALLS} calls are running.", "Wait for an answer.", retryAfterS=1)
        self._calls += 1
        self._begin(self._call(principal, said.id, operation, arguments, key))

    async def _call(
        self, principal: Principal, number: int | str, operation: str, arguments: dict[str, Any], key: Key | None
    ) -> None:
        try:
            result = await self._backend.call(principal, operation, arguments, key)
            replayed = {"replayed": True} if key is not None and key.replayed else {}
            answer = envelope.write("result", number, result=result, **replayed)
        except Problem as problem:
            answer = envelope.refusal(problem, number, replayed=key is not None and key.replayed)
        except Exception as error:  # noqa: BLE001 - the edge: nothing may escape as a stack trace
            answer = envelope.refusal(self._backend.failed(error), number)
        finally:
            self._calls -= 1
        await self._send(answer)

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks[task] = None
        task.add_done_callback(self._over)
        return task

    def _over(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        if not task.cancelled():
            task.exception()  # the connection is gone: its reader ends the rest

    async def _next(self, stream: Stream | None) -> dict[str, Any] | None:
        """The next message; None when the server ends the stream. Raises TimeoutError, _Gone."""
        if self._coming is None:
            self._coming = asyncio.create_task(self._hear())
        awaited: set[asyncio.Future[Any]] = {self._coming}
        if stream is not None:
            awaited.add(stream.over)
        done, _ = await asyncio.wait(awaited, timeout=IDLE_S, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            raise TimeoutError
        if self._coming not in done:
            return None
        message: dict[str, Any] = self._coming.result()
        self._coming = None
        if message["type"] == "websocket.disconnect":
            raise _Gone
        return message

    async def _hear(self) -> Any:
        return await self._receive()  # a coroutine of our own: what granian returns is no whole future of asyncio

    async def _send(self, text: str) -> None:
        async with self._sending:
            await self._raw_send({"type": "websocket.send", "text": text})

    async def _finish(self, code: int) -> None:
        tasks = [*self._tasks, *([self._coming] if self._coming is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if code:  # granian sends it only once no receive waits any more
            with suppress(Exception):
                await self._raw_send({"type": "websocket.close", "code": code})


class _Gone(Exception):
    """The client went away."""
