"""Server-sent events: how a block is written, and an answer that consists of blocks (HTML standard, section 9.2).

Such an answer lasts until its source has no more blocks, or the client has gone. A client that takes nothing holds
back its writer, and what is on its way to it is bounded: large blocks go in pieces.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import suppress
from typing import Any, TypeVar

from starlette.types import Receive, Send

from comity.server.bounds import PIECE_BYTES

BEAT_S = 15.0  # of silence; then something shows that the server lives, and finds out whether the client does
_T = TypeVar("_T")
_BREAKS = str.maketrans("\r\n\0", "   ")  # what would end a field


def block(
    data: bytes | None = None, *, event: str = "", event_id: str = "", retry_ms: int = 0, comment: str = ""
) -> bytes:
    """One block: its fields that are given, in this order: comment, id, retry, event, data, a line for each line of it.

    ``data`` is UTF-8; None leaves the field out, so that the block is no event to the client.
    """
    head = f": {_unbroken(comment)}\n" if comment else ""
    if event_id:
        head += f"id: {_unbroken(event_id)}\n"
    if retry_ms:
        head += f"retry: {retry_ms}\n"
    if event:
        head += f"event: {_unbroken(event)}\n"
    if data is None:
        return f"{head}\n".encode("utf-8", "replace")
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if b"\n" in data:
        data = data.replace(b"\n", b"\ndata: ")
    return b"%bdata: %b\n\n" % (head.encode("utf-8", "replace"), data)


def _unbroken(field: str) -> str:
    return field if field.isprintable() else field.translate(_BREAKS)


PING = block(comment="ping")


class ClientLeft(Exception):
    """Nothing more can be sent: the connection is closed."""


class EventStream:
    """An answer on its way to a client: what writes its blocks gets it."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def write(self, blocks: bytes) -> None:
        """Send one or several blocks; ends once there is room for more. Raises ClientLeft."""
        for at in range(0, len(blocks), PIECE_BYTES):
            piece = blocks[at : at + PIECE_BYTES]
            try:
                await self._send({"type": "http.response.body", "body": piece, "more_body": True})
            except (OSError, RuntimeError) as error:
                raise ClientLeft from error

    async def wait(self, coming: Callable[[], Awaitable[_T]]) -> _T:
        """What comes; after ``BEAT_S`` of waiting for it, and again, a comment is sent. ``coming`` may be cancelled."""
        while True:
            try:
                async with asyncio.timeout(BEAT_S):
                    return await coming()
            except TimeoutError:
                await self.write(PING)


Writer = Callable[[EventStream], Coroutine[Any, Any, None]]


def leaving(receive: Receive) -> asyncio.Task[None]:
    """A task that is done once the client has gone; its request has been read to the end."""
    return asyncio.create_task(_leave(receive))


async def _leave(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def answer(
    write_all: Writer,
    gone: asyncio.Task[None],
    send: Send,
    headers: Iterable[tuple[bytes, bytes]],
) -> None:
    """Send the head and what ``write_all`` writes; that is cancelled once the client has gone. Raises what it raises.

    ``gone`` is from ``leaving``; it is cancelled at the end.
    """
    writing = asyncio.create_task(_written(write_all, send, list(headers)))
    try:
        await asyncio.wait((writing, gone), return_when=asyncio.FIRST_COMPLETED)
        if writing.done() and not gone.done():
            writing.result()
    finally:
        for task in (writing, gone):
            task.cancel()
        await asyncio.gather(writing, gone, return_exceptions=True)


async def _written(write_all: Writer, send: Send, headers: list[tuple[bytes, bytes]]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    with suppress(ClientLeft):
        await write_all(EventStream(send))
    with suppress(OSError, RuntimeError):
        await send({"type": "http.response.body", "body": b"", "more_body": False})
