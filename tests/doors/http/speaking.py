"""Speaking MCP over HTTP with the official SDK's client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import anyio
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import TextContent

from tests.doors.http.byhand import TIMEOUT_S
from tests.doors.http.running import Server

Era = Literal["legacy", "auto"]


@asynccontextmanager
async def connected(
    server: Server, era: Era, path: str = "/mcp", headers: dict[str, str] | None = None, **options: Any
) -> AsyncIterator[Client]:
    """The SDK's client on a server."""
    with anyio.fail_after(TIMEOUT_S):
        async with httpx2.AsyncClient(headers=headers, timeout=TIMEOUT_S) as http:
            transport = streamable_http_client(server.url + path, http_client=http)
            async with Client(transport, mode=era, read_timeout_seconds=TIMEOUT_S, **options) as client:
                yield client


def text(result: Any) -> str:
    """The text of a tool's result."""
    (item,) = result.content
    assert isinstance(item, TextContent)
    return item.text
