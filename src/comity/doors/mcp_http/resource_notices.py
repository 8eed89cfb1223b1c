"""Notices to clients that a resource changed, made from the log, and so of every agent's and process's changes.

Both eras are told: sessions that subscribed with ``resources/subscribe``, and open ``subscriptions/listen`` streams.
Only hints are sent; a client that gets one reads the resource again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from comity.dialects.dialect import Dialect
from comity.doors.mcp_http.refusals import RefusedRequest
from comity.kernel.problem import Problem
from comity.mcp import wire
from comity.mcp.protocol import McpConnection
from comity.mcp.request import Send
from comity.server.state import ServerState

MOST_WATCHERS = 1024
_PAGE = 500
_PAUSE_S = 0.02  # between two rounds, so that a burst is told once


class Notices:
    """Subscriptions of one endpoint's clients. ``follow`` is called when somebody wants to hear; it ends once heard."""

    def __init__(self, dialect: Dialect, follow: Callable[[], Awaitable[object]]) -> None:
        self._dialect = dialect
        self._follow = follow
        self.watchers: dict[McpConnection, Callable[[bytes | None], None]] = {}

    async def watch(self, core: McpConnection, tell: Callable[[bytes | None], None]) -> None:
        """Have what changes of what a client subscribed to told to it; None: nothing more comes. Raises RefusedRequest.

        Nothing that happens once this is over is missed.
        """
        if core not in self.watchers:
            if len(self.watchers) >= MOST_WATCHERS:
                told = f"{MOST_WATCHERS} clients follow resources already. Try again in a minute."
                raise RefusedRequest(503, wire.INTERNAL_ERROR, told, retry_after="60")
            self.watchers[core] = tell
        await self._follow()

    def forget(self, core: McpConnection) -> None:
        """A client is gone."""
        self.watchers.pop(core, None)

    def happened(self, event_types: Collection[str]) -> None:
        """Tell of the resources that events of these types may have changed."""
        addresses = self._dialect.changed(event_types)
        for core, tell in list(self.watchers.items()):
            for line in core.updated(addresses):
                tell(line)

    def close(self) -> None:
        """End every listen stream."""
        for core, tell in list(self.watchers.items()):
            for action in core.close():
                if isinstance(action, Send):
                    tell(action.line)
            tell(None)


class ResourceFollower:
    """Reads the log on behalf of all endpoints while anybody wants to hear."""

    def __init__(self, server: ServerState) -> None:
        self._server = server
        self._told: list[Notices] = []
        self._wanted = asyncio.Event()
        self._following = asyncio.Event()

    def notices_of(self, dialect: Dialect) -> Notices:
        """The subscriptions of another endpoint's clients."""
        made = Notices(dialect, self._follow)
        self._told.append(made)
        return made

    async def _follow(self) -> None:
        """Follow from now on; ends once nothing that happens later is missed."""
        self._wanted.set()
        await self._following.wait()

    async def run(self) -> None:
        """Follow until cancelled."""
        cursor = ""
        while True:
            mark = self._server.feed.mark()
            if not any(notices.watchers for notices in self._told):
                self._wanted.clear()
                self._following.clear()
                cursor = ""
                await self._wanted.wait()
                continue
            try:
                page = await self._page(cursor)
            except Problem:  # the store is busy: the next commit brings another look
                await mark.wait()
                continue
            kinds = {event.event_type for event in page.events} if cursor else set()
            cursor = page.cursor
            self._following.set()
            if kinds:
                for notices in self._told:
                    notices.happened(kinds)
            await (asyncio.sleep(_PAUSE_S) if page.events else mark.wait())

    async def _page(self, cursor: str) -> Any:
        if cursor:
            return await self._server.read("event.list", after=cursor, limit=_PAGE)
        return await self._server.read("event.list", newest=1)
