"""Follows the log of the shared file, as ``comity tail`` does: keeps a board, and tells a screen what happens."""

from __future__ import annotations

from datetime import datetime

import anyio
from anyio import to_thread

from comity.demo.board import Board, Fact
from comity.demo.cast import PRIORITIES
from comity.demo.screen import Said, Screen
from comity.rooms.lifecycle.model import LoggedEvent
from comity.workspace import Workspace

_WAIT_MS = 250  # one look waits so long; the end of the demo waits for it


class BoardFollower:
    """A cursor over the log, and the board after all that it has seen."""

    def __init__(self, workspace: Workspace, screen: Screen) -> None:
        self.board = Board()
        self._workspace = workspace
        self._screen = screen
        self._cursor = ""
        self._changed = anyio.Event()

    async def follow(self) -> None:
        """Until cancelled."""
        while True:
            await self.look(_WAIT_MS)

    async def changed(self) -> None:
        """Wait until something more is on the board."""
        await self._changed.wait()

    async def look(self, wait_ms: int = 0) -> None:
        """Tell what is new."""
        events = await to_thread.run_sync(self._page, wait_ms)
        messages: dict[str, list[LoggedEvent]] = {}
        for event in events:
            if event.event_type == "message.ack":
                self._screen.acknowledged()
            elif event.event_type == "message.send":
                messages.setdefault(event.message_id or "", []).append(event)
            else:
                fact = Fact(_milliseconds(event), event.event_type, event.agent_id or "", event.metadata)
                self.board.apply(fact)
                self._screen.happened(fact)
        for deliveries in messages.values():
            self._screen.said(_said(deliveries[0]), len(deliveries))
        if events:
            self._changed.set()
            self._changed = anyio.Event()

    def _page(self, wait_ms: int) -> list[LoggedEvent]:
        page = self._workspace.event.list(after=self._cursor, limit=1000, wait_ms=wait_ms)
        self._cursor = page.cursor
        return page.events


def _said(event: LoggedEvent) -> Said:
    return Said(
        _milliseconds(event),
        PRIORITIES[3 - (event.priority or 0)],
        event.from_agent_id or "?",
        event.agent_id if event.channel_id is None else None,
        event.excerpt or "",
    )


def _milliseconds(event: LoggedEvent) -> int:
    return round(datetime.fromisoformat(event.timestamp).timestamp() * 1000)
