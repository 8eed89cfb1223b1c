"""Follows the log of the shared file, as ``comity tail`` does, and tells a screen what happens."""

from __future__ import annotations

from datetime import datetime

from anyio import to_thread

from comity.demo.cast import PRIORITIES
from comity.demo.screen import Said, Screen
from comity.rooms.lifecycle.model import LoggedEvent
from comity.workspace import Workspace

_WAIT_MS = 250  # one look waits so long; the end of the demo waits for it
_KINDS = ["message.send", "message.ack"]


class Follower:
    """A cursor over the log. ``origin_ms`` is the time, in milliseconds since 1970, that the screen counts from."""

    def __init__(self, workspace: Workspace, screen: Screen, origin_ms: float) -> None:
        self._workspace = workspace
        self._screen = screen
        self._origin_ms = origin_ms
        self._cursor = ""

    async def follow(self) -> None:
        """Until cancelled."""
        while True:
            await self.look(_WAIT_MS)

    async def look(self, wait_ms: int = 0) -> bool:
        """Tell what is new; whether there was anything."""
        events = await to_thread.run_sync(self._page, wait_ms)
        messages: dict[str, list[LoggedEvent]] = {}
        for event in events:
            if event.event_type == "message.ack":
                self._screen.acknowledged()
            else:
                messages.setdefault(event.message_id or "", []).append(event)
        for deliveries in messages.values():
            self._screen.said(self._said(deliveries[0]), len(deliveries))
        return bool(events)

    def _page(self, wait_ms: int) -> list[LoggedEvent]:
        page = self._workspace.event.list(after=self._cursor, limit=1000, event_types=_KINDS, wait_ms=wait_ms)
        self._cursor = page.cursor
        return page.events

    def _said(self, event: LoggedEvent) -> Said:
        at_ms = datetime.fromisoformat(event.timestamp).timestamp() * 1000
        return Said(
            (at_ms - self._origin_ms) / 1000,
            PRIORITIES[3 - (event.priority or 0)],
            event.from_agent_id or "?",
            event.agent_id if event.channel_id is None else None,
            event.excerpt or "",
        )
