"""Clients without a session (MCP 2026-07-28) and without a name: each process of this machine is its own agent."""

import subprocess
import sys

import pytest
from mcp import Client
from mcp_types import Implementation

from comity.server.peer import Peers
from comity.server.socket_holders import lives
from tests.doors.http.running import Server

OTHER = """
import anyio, sys
from mcp import Client
async def main():
    async with Client(sys.argv[1], mode="2026-07-28") as client:
        told = await client.call_tool("masc_start", {"task_title": "Other work"})
        print(told.structured_content["agent_id"], flush=True)
        sys.stdin.readline()
anyio.run(main)
"""


def another(program: str, *arguments: str) -> "subprocess.Popen[str]":
    """A process that runs a program of its own."""
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


async def _agent(server: Server, name: str) -> str:
    """Whom a client of this name comes to be, through this process."""
    told = Implementation(name=name, version="1")
    async with Client(f"{server.url}/mcp", mode="2026-07-28", client_info=told) as client:
        begun = await client.call_tool("masc_start", {"task_title": f"Work of {name}"})
        return str(begun.structured_content["agent_id"]) if begun.structured_content else "nobody"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the process behind a connection cannot be seen")
async def test_programs_behind_one_process_are_agents_of_their_own(server: Server) -> None:
    claude, codex, again = [await _agent(server, name) for name in ("claude-code", "codex", "claude-code")]
    assert claude.startswith("claude-code-")
    assert codex.startswith("codex-")
    assert again == claude


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the process behind a connection cannot be seen")
async def test_each_process_is_an_agent_of_its_own(server: Server) -> None:
    url = f"{server.url}/mcp"
    with another(OTHER, url) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        theirs = other.stdout.readline().strip()
        async with Client(url, mode="2026-07-28") as client:
            begun = await client.call_tool("masc_start", {"task_title": "My work"})
            assert not begun.is_error
            mine = begun.structured_content["agent_id"]
            assert theirs
            assert mine != theirs
            taken = await client.call_tool(
                "masc_transition", {"task_id": "task-001", "action": "done", "notes": "It is not mine."}
            )
            assert taken.is_error
            named = await client.call_tool("masc_heartbeat", {"agent_name": theirs})
            assert named.is_error
        async with Client(url, mode="2026-07-28") as again:  # another connection, the same process
            status = await again.call_tool("masc_heartbeat", {"agent_name": mine})
            assert not status.is_error
        other.stdin.write("\n")


def test_the_process_behind_a_connection_is_found_and_its_end_is_seen(server: Server) -> None:
    program = (
        f"import socket; c = socket.create_connection(('127.0.0.1', {server.port}));"
        " print(c.getsockname()[1], flush=True); input()"
    )
    with another(program) as other:
        assert other.stdout is not None
        port = int(other.stdout.readline())
        peers, ends = Peers(), (("127.0.0.1", port), ("127.0.0.1", server.port))
        found = peers.behind(*ends)
        if sys.platform == "linux":
            assert found is not None
            assert found[0] == other.pid
            assert peers.behind(*ends) == found
            assert peers.behind(ends[0], ("127.0.0.1", server.port + 1)) is None
            other.kill()
            other.wait()
            assert not lives(found)
            peers.close()
        else:
            assert found is None
            other.kill()
