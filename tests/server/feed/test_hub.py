"""Listeners of the log: nothing is missed between what they read themselves and what is read for all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import comity
from comity.rooms.lifecycle.history import EventFilter
from comity.server.feed.hub import Hub
from comity.server.feed.kinds import Audience, EventText, StreamKind
from comity.server.feed.listener import Batch, Beat, LogListener
from comity.server.feed.log_reader import Bounds, Reader
from comity.testing import World
from tests.wire_format import rows


class Types:
    """Events as the list of their types."""

    def frame(self, told: Sequence[EventText]) -> tuple[Any, int]:
        return [one.event_type for one in told], len(told)


class Interrupted(Reader):
    """A reader of the log during whose first look at its end something happens."""

    def __init__(self, workspace: comity.Workspace, happens: Callable[[], None]) -> None:
        super().__init__(workspace)
        self._happens: Callable[[], None] | None = happens

    def bounds(self) -> Bounds:
        happens, self._happens = self._happens, None
        if happens is not None:
            happens()
        return super().bounds()


async def test_what_another_program_wrote_amiss_stops_nobody() -> None:
    with World() as world:
        ann, _ = world.agent("ann"), world.agent("bob")
        hub, loop = Hub(ann), asyncio.get_running_loop()
        hub.start()
        every, some = (
            hub.attach(StreamKind(Types(), wanted, Audience()))
            for wanted in (EventFilter(), EventFilter(("message.*",)))
        )
        for listener in (every, some):
            assert isinstance(await listener.next(), Beat)
        rows(
            world.path,
            "INSERT INTO audit_log (event_type, agent_id, reason_code, timestamp) VALUES (?, ?, ?, ?)",
            *(b"\xff", b"who", b"why", b"when"),
        )
        ann.message.broadcast(content="news")
        assert await asyncio.to_thread(hub.look, loop)
        for listener, expected in ((every, [str(b"\xff"), "message.send"]), (some, ["message.send"])):
            found = await asyncio.wait_for(listener.next(), 10)
            assert isinstance(found, Batch), found
            assert found.payload == expected
        hub.close()


async def test_a_listener_that_comes_while_nobody_listened_misses_nothing() -> None:
    with World() as world:
        ann, bob = world.agent("ann"), world.agent("bob")
        hub, loop = Hub(ann), asyncio.get_running_loop()
        hub.start()
        came: list[LogListener] = []

        async def come() -> None:
            came.append(hub.attach(StreamKind(Types(), EventFilter(("message.*",)), Audience())))
            assert isinstance(await came[0].next(), Beat)

        def somebody_comes_and_an_event_happens() -> None:
            asyncio.run_coroutine_threadsafe(come(), loop).result(10)
            bob.message.broadcast(content="news")

        hub._reader = Interrupted(ann, somebody_comes_and_an_event_happens)
        assert await asyncio.to_thread(hub.look, loop)
        found = await asyncio.wait_for(came[0].next(), 10)
        assert isinstance(found, Batch), found
        assert found.payload == ["message.send"]
        hub.close()
