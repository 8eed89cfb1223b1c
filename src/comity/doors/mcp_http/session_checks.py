"""Checks of who may stay: clients that wait or listen are authorized again and again, and end with their token.

A request is checked when it comes; what lasts longer than that is a session's streams and waiting calls, and requests
without a session that do not end by themselves, such as ``subscriptions/listen``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

from starlette.types import Message, Send

from comity.doors.mcp_http.refusals import RefusedRequest
from comity.doors.mcp_http.seat import HttpSeat
from comity.doors.mcp_http.session import McpSession
from comity.mcp import wire
from comity.server.auth.principal import Principal
from comity.server.state import ServerState

LOOK_S = 1.0
ENDED = "Its token is valid no longer, or its agent has a token of its own now."
_Who = tuple[Principal, str | None]


class Staying:
    """Everybody who is there for longer. Used on the event loop only."""

    def __init__(self, server: ServerState) -> None:
        self._server = server
        self._alone: dict[asyncio.Task[None], HttpSeat] = {}

    async def serve(self, seat: HttpSeat, send: Send, answer: Callable[[Send], Awaitable[None]]) -> None:
        """Answer a request that belongs to no session, for as long as its caller may stay. Raises RefusedRequest."""
        sent = _Sent(send)
        task = asyncio.ensure_future(_run(answer, sent))
        self._alone[task] = seat
        try:
            await asyncio.wait([task])
        finally:
            del self._alone[task]
            if not task.done():  # the client went away
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        if not task.cancelled():
            task.result()
        elif not sent.begun:
            raise RefusedRequest(401, wire.INVALID_REQUEST, ENDED)
        elif not sent.ended:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def look(self, sessions: Iterable[McpSession], end: Callable[[McpSession, str], Awaitable[None]]) -> None:
        """End those that would not be let in now. Raises Problem when the tokens cannot be read."""
        lasting = [session for session in sessions if session.listeners or session.running]
        everybody = {*map(_who, (session.seat for session in lasting)), *map(_who, self._alone.values())}
        if not everybody:
            return
        gone = await self._server.calls.work(partial(self._gone, everybody))
        for session in lasting:
            if _who(session.seat) in gone:
                await end(session, ENDED)
        for task, seat in list(self._alone.items()):
            if _who(seat) in gone:
                task.cancel()

    def _gone(self, everybody: set[_Who]) -> set[_Who]:
        return {who for who in everybody if not self._server.authority.still(*who)}


class _Sent:
    """Passes messages of an answer on, and knows how far it is."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = self.ended = False

    async def __call__(self, message: Message) -> None:
        self.begun = True
        self.ended = message["type"] == "http.response.body" and not message.get("more_body", False)
        await self._send(message)


async def _run(answer: Callable[[Send], Awaitable[None]], send: Send) -> None:
    await answer(send)


def _who(seat: HttpSeat) -> _Who:
    return seat.principal, seat.agent_id
