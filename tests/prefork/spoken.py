"""The official SDK's client on a server that was forked: its messages as lines, as its own transport has them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import anyio.to_thread
from anyio.abc import ObjectReceiveStream, ObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter

from tests.prefork.started import Started

_END_S = 30.0


@asynccontextmanager
async def spoken(
    process: Started,
) -> AsyncIterator[tuple[ObjectReceiveStream[SessionMessage | Exception], ObjectSendStream[SessionMessage]]]:
    """What to give to ``Client``, for as long as the process runs; in the end its input is closed."""
    assert process.stdin is not None
    assert process.stdout is not None
    stdin, stdout = process.stdin, process.stdout
    told, heard = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    said, asked = anyio.create_memory_object_stream[SessionMessage](0)

    async def read() -> None:
        async with told:
            while line := await anyio.to_thread.run_sync(stdout.readline):
                try:
                    await told.send(SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False)))
                except anyio.BrokenResourceError:  # nobody listens any more; it is read to its end all the same
                    continue

    async def write() -> None:
        async with asked:
            async for one in asked:
                stdin.write(one.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read)
        tasks.start_soon(write)
        try:
            yield heard, said
        finally:
            with anyio.CancelScope(shield=True):
                for stream in (heard, said):
                    await stream.aclose()
                stdin.close()
                await anyio.to_thread.run_sync(process.wait, _END_S)
            tasks.cancel_scope.cancel()
