"""Server-sent events: blocks byte by byte, and answers that last until somebody has enough."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.server import sse
from comity.server.bounds import PIECE_BYTES

Parsed = tuple[str, str, str]


def parsed(blocks: bytes) -> list[Parsed]:
    """The events of a stream as a browser tells them: id, name and data (HTML standard, section 9.2.6)."""
    found = []
    event_id, name, data = "", "", list[str]()
    for line in blocks.decode().replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                found.append((event_id, name or "message", "\n".join(data)))
            name, data = "", []
        elif field == "id":
            event_id = value
        elif field == "event":
            name = value
        elif field == "data":
            data.append(value)
    return found


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (sse.block(b"{}", event="task.claimed", event_id="42"), b"id: 42\nevent: task.claimed\ndata: {}\n\n"),
        (sse.block(b"{}", event="message"), b"event: message\ndata: {}\n\n"),
        (sse.block(b"", event_id="g-0", retry_ms=1000), b"id: g-0\nretry: 1000\ndata: \n\n"),
        (sse.block(retry_ms=2000), b"retry: 2000\n\n"),
        (sse.block(comment="still here"), b": still here\n\n"),
        (sse.block(comment="still here", event_id="7"), b": still here\nid: 7\n\n"),
        (sse.block(b"one\r\ntwo\rthree\n"), b"data: one\ndata: two\ndata: three\ndata: \n\n"),
        (sse.block(b"x", event="a\nb\rc\0d"), b"event: a b c d\ndata: x\n\n"),
        (sse.PING, b": ping\n\n"),
    ],
)
def test_a_block_is_written_field_by_field(written: bytes, expected: bytes) -> None:
    assert written == expected


_TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.lists(st.tuples(_TEXTS, _TEXTS)))
def test_a_client_reads_what_was_written(events: list[tuple[str, str]]) -> None:
    blocks = b"".join(
        sse.block(data.encode(), event=name, event_id=str(number)) for number, (name, data) in enumerate(events)
    )
    on_one_line = str.maketrans("\r\n\0", "   ")
    expected = [
        (str(number), name.translate(on_one_line) or "message", data.replace("\r\n", "\n").replace("\r", "\n"))
        for number, (name, data) in enumerate(events)
    ]
    assert parsed(blocks) == expected


class Client:
    """The other end: it reads until it leaves, or until it is broken off. Use it on one event loop."""

    def __init__(self, *, broken: bool = False) -> None:
        self.left = asyncio.Event()
        self.heard: list[bytes] = []
        self.ended = False
        self._broken = broken

    async def receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            assert message["status"] == 200
            return
        if self._broken:
            raise OSError("the connection is closed")
        self.heard.append(message["body"])
        self.ended = not message["more_body"]

    async def answered(self, write_all: Callable[[sse.EventStream], Awaitable[None]]) -> None:
        async def run(out: sse.EventStream) -> None:
            await write_all(out)

        await asyncio.wait_for(sse.answer(run, sse.leaving(self.receive), self.send, ()), 20)


async def test_an_answer_ends_when_all_is_written() -> None:
    client = Client()

    async def write_all(out: sse.EventStream) -> None:
        await out.write(b"data: 1\n\n")

    await client.answered(write_all)
    assert (client.heard, client.ended) == ([b"data: 1\n\n", b""], True)


async def test_whoever_writes_is_stopped_once_the_client_leaves() -> None:
    client = Client()
    stopped = asyncio.Event()

    async def write_all(out: sse.EventStream) -> None:
        await out.write(b"data: 1\n\n")
        client.left.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    await client.answered(write_all)
    assert stopped.is_set()
    assert not client.ended


async def test_a_broken_connection_is_the_end_and_no_failure() -> None:
    client = Client(broken=True)

    async def write_all(out: sse.EventStream) -> None:
        await out.write(b"data: 1\n\n")
        raise AssertionError("nothing more can be written")

    await client.answered(write_all)
    assert not client.heard


async def test_a_failure_of_whoever_writes_is_told() -> None:
    async def write_all(_: sse.EventStream) -> None:
        raise ValueError("ours")

    with pytest.raises(ValueError, match="ours"):
        await Client().answered(write_all)


async def test_a_large_block_goes_in_pieces() -> None:
    client = Client()
    large = sse.block(b"x" * (3 * PIECE_BYTES))

    async def write_all(out: sse.EventStream) -> None:
        await out.write(large)

    await client.answered(write_all)
    assert b"".join(client.heard) == large
    assert max(map(len, client.heard)) == PIECE_BYTES


async def test_silence_is_broken_by_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "BEAT_S", 0.001)
    client = Client()
    lines = asyncio.Queue[bytes]()

    async def coming() -> bytes:
        if client.heard.count(sse.PING) == 2:
            lines.put_nowait(b"data: at last\n\n")
        return await lines.get()

    async def write_all(out: sse.EventStream) -> None:
        await out.write(await out.wait(coming))

    await client.answered(write_all)
    assert client.heard == [sse.PING, sse.PING, b"data: at last\n\n", b""]
