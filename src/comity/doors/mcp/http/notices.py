"""Tells clients that a resource changed: from the log of everything that happened, whoever made it happen.

Both eras are told: sessions that subscribed with ``resources/subscribe``, and open ``subscriptions/listen`` streams.
Only hints are sent; whoever gets one reads the resource again.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ResourceUpdated, ToolsListChanged

from comity.doors.mcp.http.session import Session
from comity.kernel.problem import Limited, Problem

MOST_SUBSCRIPTIONS = 100  # of one session
MOST_LISTENERS = 1024
_PAGE = 500
_PAUSE_S = 0.02  # between two rounds, so that a burst is told once
_SCHEME = "masc://"
# What a kind of event may have changed besides the status and the events themselves, by how its name begins.
TOPICS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("task.", ("tasks",)),
    ("goal.", ("tasks",)),
    ("message.", ("messages",)),
    ("session.", ("agents", "who")),
    ("agent.", ("agents", "who", "tasks")),
    ("channel.", ("agents", "who")),
    ("claim.", ("agents",)),
)


class Log(Protocol):
    """The log, as far as it is needed here."""

    def mark(self) -> asyncio.Event: ...

    async def read(self, name: str, **arguments: object) -> Any: ...


class Notices:
    """Subscriptions of one endpoint's clients."""

    def __init__(self) -> None:
        self._bus = InMemorySubscriptionBus()
        self._handler = ListenHandler(self._bus, max_subscriptions=MOST_LISTENERS)
        self._listening: Counter[str] = Counter()
        self._sessions: dict[str, Session] = {}
        self.wanted: Callable[[], Awaitable[object]] = _at_once  # told when somebody wants to hear; ends once heard

    @property
    def any(self) -> bool:
        """Whether anybody wants to hear of a resource."""
        return bool(self._sessions or self._listening)

    async def subscribe(self, session: Session, uri: str) -> None:
        """Have a session told of a resource."""
        if len(session.subscribed) >= MOST_SUBSCRIPTIONS and uri not in session.subscribed:
            raise Limited(
                "subscription.too_many", f"A session has at most {MOST_SUBSCRIPTIONS} subscriptions.", "End some."
            )
        session.subscribed.add(uri)
        self._sessions[session.session_id] = session
        await self.wanted()

    def unsubscribe(self, session: Session, uri: str) -> None:
        """Do not any more."""
        session.subscribed.discard(uri)
        if not session.subscribed:
            self.forget(session)

    def forget(self, session: Session) -> None:
        """The session is over."""
        self._sessions.pop(session.session_id, None)

    async def listen(self, ctx: Any, params: Any) -> Any:
        """Serve one ``subscriptions/listen`` stream."""
        uris = [str(uri) for uri in params.notifications.resource_subscriptions or ()][:MOST_SUBSCRIPTIONS]
        self._listening.update(uris)
        await self.wanted()
        try:
            return await self._handler(ctx, params)
        finally:
            self._listening.subtract(uris)
            self._listening += Counter()

    async def changed(self, topics: set[str]) -> None:
        """Tell of every subscribed resource on these topics."""
        for session in list(self._sessions.values()):
            for uri in sorted(session.subscribed):
                if topic_of(uri) in topics:
                    session.tell("notifications/resources/updated", {"uri": uri})
        for uri in list(self._listening):
            if topic_of(uri) in topics:
                await self._bus.publish(ResourceUpdated(uri=uri))

    async def tools_changed(self, sessions: list[Session]) -> None:
        """Tell that the list of tools is another one."""
        for session in sessions:
            session.tell("notifications/tools/list_changed", None)
        await self._bus.publish(ToolsListChanged())

    def close(self) -> None:
        """End every listen stream."""
        self._handler.close()


class Follower:
    """Reads the log on behalf of all endpoints while anybody wants to hear."""

    def __init__(self, log: Log, notices: list[Notices]) -> None:
        self._log = log
        self._notices = notices
        self._wanted = asyncio.Event()
        self._following = asyncio.Event()
        for one in notices:
            one.wanted = self._follow

    async def _follow(self) -> None:
        """Follow from now on; ends once nothing that happens later is missed."""
        self._wanted.set()
        await self._following.wait()

    async def run(self) -> None:
        """Follow until cancelled."""
        cursor = ""
        while True:
            mark = self._log.mark()
            if not any(one.any for one in self._notices):
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
            topics = {topic for event in page.events for topic in topics_of(event.event_type)} if cursor else set()
            cursor = page.cursor
            self._following.set()
            if topics:
                for one in self._notices:
                    await one.changed(topics)
            await (asyncio.sleep(_PAUSE_S) if page.events else mark.wait())

    async def _page(self, cursor: str) -> Any:
        if cursor:
            return await self._log.read("event.list", after=cursor, limit=_PAGE)
        return await self._log.read("event.list", newest=1)


async def _at_once() -> None:
    return


def topics_of(event_type: str) -> set[str]:
    """What an event may have changed."""
    found = {"status", "events"}
    for start, topics in TOPICS:
        if event_type.startswith(start):
            found.update(topics)
    return found


def topic_of(uri: str) -> str:
    """``masc://messages.json?limit=5`` is about messages."""
    if not uri.startswith(_SCHEME):
        return ""
    return uri[len(_SCHEME) :].partition("?")[0].removesuffix(".json").strip("/")
