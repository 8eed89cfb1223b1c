"""The official SDK's Client against a real server process, over a real pipe, in both eras."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import anyio
import pytest
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import TextContent

from tests.mcp.driven import TIMEOUT_S, TOY, environment

Era = Literal["legacy", "auto"]
VERSIONS: dict[str, str] = {"legacy": "2025-11-25", "auto": "2026-07-28"}

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["legacy", "auto"])
def era(request: pytest.FixtureRequest) -> Era:
    return "legacy" if request.param == "legacy" else "auto"


@asynccontextmanager
async def connected(era: Era) -> AsyncIterator[Client]:
    command = StdioServerParameters(command=sys.executable, args=[str(TOY)], env=environment())
    with anyio.fail_after(TIMEOUT_S):
        async with Client(stdio_client(command), mode=era, read_timeout_seconds=TIMEOUT_S) as client:
            yield client


async def test_negotiates_the_newest_version_of_the_era(era: Era) -> None:
    async with connected(era) as client:
        assert client.protocol_version == VERSIONS[era]
        assert client.instructions == "Call echo."
        assert client.server_info is not None
        assert (client.server_info.name, client.server_info.version) == ("toy", "1.0")
        assert client.server_capabilities.tools is not None
        assert client.server_capabilities.prompts is None


async def test_lists_tools_with_schemas_and_annotations(era: Era) -> None:
    async with connected(era) as client:
        listed = await client.list_tools()
        assert listed.next_cursor is None
        echo = listed.tools[0]
        assert (echo.name, echo.title) == ("echo", "Echo")
        assert echo.output_schema == {"type": "object"}
        assert echo.annotations is not None
        assert echo.annotations.read_only_hint is True
        if era == "auto":
            assert (listed.ttl_ms, listed.cache_scope) == (300_000, "public")


async def test_calls_a_tool_and_gets_text_and_structure(era: Era) -> None:
    async with connected(era) as client:
        result = await client.call_tool("echo", {"a": ["ü", None, 1.5]})
        assert not result.is_error
        assert isinstance(result.structured_content, dict)
        assert result.structured_content["arguments"] == {"a": ["ü", None, 1.5]}
        assert result.structured_content["version"] == VERSIONS[era]
        assert result.structured_content["client"]["name"]
        assert isinstance(result.content[0], TextContent)
        assert '"ü"' in result.content[0].text


async def test_a_problem_is_a_result_and_an_unknown_tool_an_error(era: Era) -> None:
    async with connected(era) as client:
        failed = await client.call_tool("fail", {})
        assert failed.is_error
        assert failed.structured_content is None
        assert isinstance(failed.content[0], TextContent)
        assert failed.content[0].text.startswith('{\n  "reasonCode": "toy.fails",')
        crashed = await client.call_tool("crash", {})
        assert crashed.is_error
        with pytest.raises(MCPError, match="Unknown tool: nothing") as unknown:
            await client.call_tool("nothing", {})
        assert unknown.value.code == -32602
        with pytest.raises(MCPError) as unsupported:
            await client.list_prompts()
        assert unsupported.value.code == -32601


async def test_lone_surrogates_are_replaced_so_that_the_client_can_read_them(era: Era) -> None:
    async with connected(era) as client:
        result = await client.call_tool("surrogate", {})
        assert result.structured_content == {"text": "a\ufffdb", "emoji": "\U0001f600"}


async def test_reports_progress(era: Era) -> None:
    seen: list[tuple[float, float | None, str | None]] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        seen.append((progress, total, message))

    async with connected(era) as client:
        await client.call_tool("steps", {}, progress_callback=note)
        await client.list_tools(cache_mode="bypass")
    assert seen == [(1, 3, "step 1"), (2, 3, "step 2"), (3, 3, "step 3")]


async def test_cancels_a_waiting_call_and_goes_on(era: Era) -> None:
    waiting = anyio.Event()

    async def note(progress: float, total: float | None, message: str | None) -> None:
        waiting.set()

    async def call(client: Client) -> None:
        await client.call_tool("wait", {}, progress_callback=note)
        raise AssertionError("a cancelled call was answered")

    async with connected(era) as client, anyio.create_task_group() as tasks:
        tasks.start_soon(call, client)
        await waiting.wait()
        tasks.cancel_scope.cancel()
        with anyio.CancelScope(shield=True):
            assert not (await client.call_tool("echo", {})).is_error


async def test_answers_others_while_a_call_blocks(era: Era) -> None:
    blocking = anyio.Event()

    async def note(progress: float, total: float | None, message: str | None) -> None:
        blocking.set()

    async def call(client: Client) -> None:
        await client.call_tool("block", {}, progress_callback=note)

    async with connected(era) as client, anyio.create_task_group() as tasks:
        tasks.start_soon(call, client)
        await blocking.wait()
        with anyio.fail_after(5):
            assert (await client.list_tools(cache_mode="bypass")).tools
            assert not (await client.call_tool("echo", {})).is_error
            if era == "legacy":
                await client.session.send_ping()
        tasks.cancel_scope.cancel()


async def test_serves_a_subscription_until_the_client_leaves_it() -> None:
    async with connected("auto") as client:
        async with client.listen(tools_list_changed=True) as subscription:
            assert subscription.honored.tools_list_changed is None  # the list never changes, so it is not promised
        assert not (await client.call_tool("echo", {})).is_error
