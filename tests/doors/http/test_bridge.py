"""``comity mcp --url``: the official client on a pipe, a real bridge, and servers that come and go."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import ResourceUpdatedNotification

from tests.doors.http.byhand import TIMEOUT_S, token
from tests.doors.http.running import Server, comity, environment, free_port, repository, serving
from tests.doors.http.speaking import Era, text

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["legacy", "auto"])
def era(request: pytest.FixtureRequest) -> Era:
    return "legacy" if request.param == "legacy" else "auto"


@asynccontextmanager
async def bridged(
    url: str, era: Era, *options: str, env: dict[str, str] | None = None, **more: Any
) -> AsyncIterator[Client]:
    arguments = ["-m", "comity", "mcp", "--url", url, *options]
    command = StdioServerParameters(command=sys.executable, args=arguments, env=environment(**(env or {})))
    with anyio.fail_after(TIMEOUT_S * 2):
        async with Client(stdio_client(command), mode=era, read_timeout_seconds=TIMEOUT_S, **more) as client:
            yield client


async def test_gives_a_host_the_tools_of_a_server(server: Server, era: Era) -> None:
    async with bridged(server.url, era, "--surface", "masc", "--agent-id", f"far-{era}") as client:
        assert client.protocol_version == {"legacy": "2025-11-25", "auto": "2026-07-28"}[era]
        assert "masc_status" in {tool.name for tool in (await client.list_tools()).tools}
        await client.call_tool("masc_join", {})
        sent = await client.call_tool("masc_broadcast", {"message": "from afar: grüße ✓"})
        assert not sent.is_error, text(sent)
        assert "grüße ✓" in text(await client.call_tool("masc_messages", {}))
        with pytest.raises(MCPError, match="Unknown tool"):
            await client.call_tool("masc_nothing", {})
    async with bridged(server.url, era, "--tools", "core") as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        assert "macp_poll" in names
        assert "macp_ext_next_task" not in names


async def test_waits_for_what_others_send(server: Server, era: Era) -> None:
    async with bridged(server.url, era, "--agent-id", f"ears-{era}") as client:
        await client.call_tool("macp_register", {})
        found: list[Any] = []

        async def poll() -> None:
            found.append(await client.call_tool("macp_poll", {"waitMs": 20_000}))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(poll)
            sent = await anyio.to_thread.run_sync(comity, server.folder, "send", "--to", f"ears-{era}", "over here")
            assert sent.returncode == 0, sent.stderr
        assert "over here" in text(found[0])


@pytest.mark.filterwarnings("ignore:resources/subscribe is removed")
async def test_goes_on_as_the_same_agent_after_the_server_was_killed(tmp_path: Path) -> None:
    folder, port = repository(tmp_path / "killed"), free_port()
    told = anyio.Event()

    async def note(message: Any) -> None:
        if isinstance(message, ResourceUpdatedNotification):
            told.set()

    with serving(folder, port=port) as first:
        async with bridged(first.url, "legacy", "--surface", "masc", message_handler=note) as client:
            await client.call_tool("masc_join", {})
            before = _you(await client.call_tool("masc_status", {}))
            await client.subscribe_resource("masc://messages")
            first.stop(signal.SIGKILL)
            with serving(folder, port=port) as second:
                assert _you(await client.call_tool("masc_status", {})) == before
                await told.wait()
                told = anyio.Event()
                assert (await client.call_tool("masc_broadcast", {"message": "still here"})).is_error is False
                assert _you(await client.call_tool("masc_status", {})) == before
                told = anyio.Event()
                said = await anyio.to_thread.run_sync(comity, folder, "send", "to everybody")
                assert said.returncode == 0
                await told.wait()
                second.stop()


async def test_says_what_is_wrong(server: Server) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(Exception) as unreachable:  # noqa: PT011 - a group around the client's error
        async with bridged(nobody, "legacy"):
            pass
    assert "No server answers at" in _told(unreachable.value)
    for options, env, said in (
        (("--token-env", "NO_TOKEN"), {}, "NO_TOKEN holds no token"),
        (("--token-env", "A_TOKEN"), {"A_TOKEN": "two words"}, "What A_TOKEN holds is no token"),
        (("--nothing", "x"), {}, "has no option '--nothing'"),
    ):
        ended = comity(server.folder, "mcp", "--url", server.url, *options, **env)
        assert ended.returncode != 0
        assert said in ended.stderr
    wrong = {"A_TOKEN": f"comity_{'0' * 12}_{'0' * 64}"}
    with pytest.raises(Exception) as refused:  # noqa: PT011
        async with bridged(server.url, "legacy", "--token-env", "A_TOKEN", env=wrong):
            pass
    assert "token" in _told(refused.value)
    right = {"A_TOKEN": token(server, "--agent", "by-token", "--role", "worker")["authorization"].split()[1]}
    async with bridged(server.url, "auto", "--surface=masc", "--token-env=A_TOKEN", env=right) as client:
        assert not (await client.call_tool("masc_broadcast", {"message": "with a token"})).is_error


def test_strange_lines_of_a_host_end_nothing(server: Server) -> None:
    nothing: list[Any] = [{}, [], None, 1.5, "x", 7]
    strange: list[dict[str, Any]] = [
        *({"method": "notifications/cancelled", "params": {"requestId": one}} for one in nothing),
        {"method": "notifications/cancelled", "params": [1]},
        {"method": "notifications/cancelled"},
        {"method": "tools/list", "id": {}},
        {"method": "tools/list", "id": []},
        {"method": [], "id": 1},
        {"method": "resources/subscribe", "id": 2, "params": ["uri"]},
        {"result": {}, "id": []},
    ]
    opening = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "strange", "version": "1"}}
    first = [{"method": "initialize", "id": "first", "params": opening}]
    command = [sys.executable, "-m", "comity", "mcp", "--url", server.url]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), bufsize=0
    ) as bridge:
        assert bridge.stdin is not None
        assert bridge.stdout is not None
        assert bridge.stderr is not None
        told: list[dict[str, Any]] = []

        def say(messages: list[dict[str, Any]], answers: int) -> None:
            assert bridge.stdin is not None
            assert bridge.stdout is not None
            bridge.stdin.write(b"".join(json.dumps({"jsonrpc": "2.0", **one}).encode() + b"\n" for one in messages))
            told.extend(json.loads(bridge.stdout.readline()) for _ in range(answers))

        say(first, 1)
        say(strange, 4)
        say([{"method": "ping", "id": "last"}], 1)
        bridge.stdin.close()
        assert bridge.wait(TIMEOUT_S) == 0
        assert b"Traceback" not in bridge.stderr.read()
    assert [(one.get("id"), one.get("error", {}).get("code")) for one in told] == [
        ("first", None),
        *([(None, -32600)] * 4),
        ("last", None),
    ]


def _you(status: Any) -> str:
    """Who the agent is, as its status says."""
    (line,) = (line for line in text(status).splitlines() if line.startswith("You: "))
    assert "nobody" not in line
    return line.partition(",")[0]


def _told(error: BaseException) -> str:
    if isinstance(error, BaseExceptionGroup):
        return " ".join(_told(one) for one in error.exceptions)
    return str(error)
