"""Tells clients that a resource changed: from the log of everything that happened, whoever made it happen.

Both eras are told: sessions that subscribed with ``resources/subscribe``, and open ``subscriptions/listen`` streams.
Only hints are sent; whoever gets one reads the resource again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Protocol

from comity.dialects.dialect import Dialect
from comity.doors.mcp_http.refusals import Refused
from comity.kernel.problem import Problem
from comity.mcp import wire
from comity.mcp.protocol import Session as Core
from comity.mcp.request import Send

MOST_WATCHERS = 1024
_PAGE = 500
_PAUSE_S = 0.02  # between two rounds, so that a burst is told once


class Log(Protocol):
    """The log, as far as it is needed here."""

    def mark(self) -> asyncio.Event: ...

    async def read(self, name: str, **arguments: object) -> Any: ...


class Watcher:
    """One client that wants to hear, until ``forget``."""

    def __init__(self, notices: Notices, core: Core, tell: Callable[[bytes | None], None]) -> None:
        self._notices = notices
        self.core = core
        self.tell = tell

    def forget(self) -> None:
        """It wants to hear no more."""
        self._notices.watchers.pop(self.core, None)


class Notices:
    """Subscriptions of one endpoint's clients."""

    def __init__(self) -> None:
        self.watchers: dict[Core, Watcher] = {}
        self.wanted: Callable[[], Awaitable[object]] = _at_once  # told when somebody wants to hear; ends once heard

    def watch(self, core: Core, tell: Callable[[bytes | None], None]) -> Watcher:
        """Have what changes of what a client subscribed to told to it. Raises Refused."""
        found = self.watchers.get(core)
        if found is None:
            if len(self.watchers) >= MOST_WATCHERS:
                told = f"{MOST_WATCHERS} clients follow resources already. Try again in a minute."
                raise Refused(503, wire.INTERNAL_ERROR, told, retry_after="60")
            found = self.watchers[core] = Watcher(self, core, tell)
        return found

    def forget(self, core: Core) -> None:
        """A client is gone."""
        self.watchers.pop(core, None)

    def changed(self, addresses: Collection[str]) -> None:
        """Tell of these resources."""
        for watcher in list(self.watchers.values()):
            for line in watcher.core.updated(addresses):
                watcher.tell(line)

    def close(self) -> None:
        """End every listen stream."""
        for watcher in list(self.watchers.values()):
            for action in watcher.core.close():
                if isinstance(action, Send):
                    watcher.tell(action.line)
            watcher.tell(None)


class Follower:
    """Reads the log on behalf of all endpoints while anybody wants to hear."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._told: list[tuple[Dialect, Notices]] = []
        self._wanted = asyncio.Event()
        self._following = asyncio.Event()

    def serve(self, dialect: Dialect, notices: Notices) -> None:
        """Tell the clients of an endpoint, too."""
        self._told.append((dialect, notices))
        notices.wanted = self._follow

    async def _follow(self) -> None:
        """Follow from now on; ends once nothing that happens later is missed."""
        self._wanted.set()
        await self._following.wait()

    async def run(self) -> None:
        """Follow until cancelled."""
        cursor = ""
        while True:
            mark = self._log.mark()
            if not any(notices.watchers for _, notices in self._told):
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
                for dialect, notices in self._told:
                    notices.changed(dialect.changed(kinds))
            await (asyncio.sleep(_PAUSE_S) if page.events else mark.wait())

    async def _page(self, cursor: str) -> Any:
        if cursor:
            return await self._log.read("event.list", after=cursor, limit=_PAGE)
        return await self._log.read("event.list", newest=1)


async def _at_once() -> None:
    return
