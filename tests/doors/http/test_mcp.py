"""MCP over HTTP with the official SDK's client, in both eras, on a real server."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from mcp import MCPError
from mcp.shared.subscriptions import ResourceUpdated
from mcp_types import ResourceUpdatedNotification, TextResourceContents

from tests.doors.http.byhand import token
from tests.doors.http.running import Server, comity
from tests.doors.http.speaking import Era, connected, text

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["legacy", "auto"])
def era(request: pytest.FixtureRequest) -> Era:
    return "legacy" if request.param == "legacy" else "auto"


async def test_speaks_both_eras_with_the_masc_tools(server: Server, era: Era) -> None:
    async with connected(server, era) as client:
        assert client.protocol_version == {"legacy": "2025-11-25", "auto": "2026-07-28"}[era]
        names = {tool.name for tool in (await client.list_tools()).tools}
        assert {"masc_start", "masc_broadcast", "masc_tasks"} <= names
        assert not any(name.startswith("macp_") for name in names)
        status = await client.call_tool("masc_status", {})
        assert not status.is_error
        assert status.structured_content
        assert text(status)
        (prompt, *_) = (await client.list_prompts()).prompts
        assert prompt.name
        with pytest.raises(MCPError, match="Unknown tool: masc_nothing"):
            await client.call_tool("masc_nothing", {})
        with pytest.raises(MCPError, match="Resource not found"):
            await client.read_resource("masc://nothing")


@pytest.mark.parametrize(
    ("tools", "has", "lacks"),
    [
        ("core", {"macp_poll"}, {"macp_ext_next_task", "masc_status"}),
        ("workspace", {"macp_poll", "macp_ext_next_task"}, {"masc_status"}),
        ("macp", {"macp_ext_search_vault"}, {"masc_status"}),
        ("all", {"macp_ext_search_vault", "masc_status"}, set()),
    ],
)
async def test_tool_sets(server: Server, tools: str, has: set[str], lacks: set[str]) -> None:
    async with connected(server, "legacy", f"/mcp?tools={tools}") as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        assert has <= names
        assert not lacks & names


async def test_two_agents_hear_each_other(server: Server, era: Era) -> None:
    ann = {"x-comity-agent": f"ann-{era}"}
    ben = {"x-comity-agent": f"ben-{era}"}
    async with connected(server, era, headers=ann) as one, connected(server, era, headers=ben) as other:
        for client in (one, other):
            assert not (await client.call_tool("masc_join", {})).is_error
        await one.call_tool("masc_broadcast", {"message": f"@ben-{era} the lexer is yours"})
        heard = await other.call_tool("masc_messages", {})
        assert f"@ben-{era} the lexer is yours" in text(heard)
        mismatch = await one.call_tool("masc_broadcast", {"agent_name": f"ben-{era}", "message": "I am Ben"})
        assert mismatch.is_error
        assert "agent.mismatch" in text(mismatch)


async def test_a_session_without_a_name_is_nobody_until_it_acts(server: Server) -> None:
    async with connected(server, "legacy") as client:
        assert "nobody yet" in text(await client.call_tool("masc_status", {}))
        first = await client.call_tool("masc_broadcast", {"message": "here I am"})
        assert not first.is_error
        assert "nobody yet" not in text(await client.call_tool("masc_status", {}))


async def test_a_token_is_its_agent_and_its_role_bounds_it(server: Server, era: Era) -> None:
    reads = token(server, "--agent", f"eve-{era}", "--role", "reader")
    async with connected(server, era, headers=reads) as client:
        assert not (await client.call_tool("masc_tasks", {})).is_error
        refused = await client.call_tool("masc_add_task", {"title": "mine"})
        assert refused.is_error
        assert "role.insufficient" in text(refused)


async def test_waits_without_an_answer_until_somebody_writes(server: Server, era: Era) -> None:
    mine = {"x-comity-agent": f"waits-{era}"}
    async with connected(server, era, "/mcp?tools=core", headers=mine) as client:
        await client.call_tool("macp_register", {})
        found: list[Any] = []

        async def poll() -> None:
            found.append(await client.call_tool("macp_poll", {"waitMs": 20_000}))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(poll)
            sent = await anyio.to_thread.run_sync(comity, server.folder, "send", "--to", f"waits-{era}", "wake up")
            assert sent.returncode == 0, sent.stderr
        assert "wake up" in text(found[0])


async def test_reports_progress(server: Server, era: Era) -> None:
    docs = server.folder / f"docs-{era}"
    docs.mkdir()
    for number in range(3):
        (docs / f"{number}.md").write_text(f"# Page {number}\n\nWords.\n")
    seen: list[tuple[float, float | None, str | None]] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        seen.append((progress, total, message))

    async with connected(server, era, "/mcp?tools=macp", headers={"x-comity-agent": f"reads-{era}"}) as client:
        await client.call_tool("macp_register", {})
        arguments = {"path": str(docs)}
        indexed = await client.call_tool("macp_ext_register_vault", arguments, progress_callback=note)
        assert not indexed.is_error, text(indexed)
    done = [progress for progress, _, _ in seen]
    assert done
    assert done == sorted(set(done))


@pytest.mark.filterwarnings("ignore:resources/subscribe is removed")
async def test_a_command_elsewhere_tells_whoever_subscribed(server: Server) -> None:
    heard: list[str] = []
    told = anyio.Event()

    async def note(message: Any) -> None:
        if isinstance(message, ResourceUpdatedNotification):
            heard.append(str(message.params.uri))
            told.set()

    async with (
        connected(server, "legacy", headers={"x-comity-agent": "follows"}, message_handler=note) as old,
        connected(server, "auto") as new,
    ):
        await old.call_tool("masc_join", {})
        await old.subscribe_resource("masc://messages")
        await old.subscribe_resource("masc://schema")
        async with new.listen(resource_subscriptions=["masc://messages.json", "masc://schema"]) as listening:
            sent = await anyio.to_thread.run_sync(comity, server.folder, "send", "--to", "follows", "from the shell")
            assert sent.returncode == 0, sent.stderr
            assert await anext(aiter(listening)) == ResourceUpdated(uri="masc://messages.json")
            await told.wait()
        assert set(heard) == {"masc://messages"}
        (page,) = (await old.read_resource("masc://messages")).contents
        assert isinstance(page, TextResourceContents)


async def test_the_operator_has_no_tools_yet_and_says_so(server: Server, era: Era) -> None:
    async with connected(server, era, "/mcp/operator", headers=token(server, "--role", "worker")) as client:
        assert (await client.list_tools()).tools == []
        assert "no tools in this version" in (client.instructions or "")
        (about,) = (await client.list_resources()).resources
        (page,) = (await client.read_resource(about.uri)).contents
        assert isinstance(page, TextResourceContents)
        assert "nothing can be done here" in page.text
