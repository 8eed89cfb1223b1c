"""A real ``comity mcp`` process: on raw pipes, or behind the official SDK's client."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Literal

import anyio
import apsw
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from tests.mcp.driven import SOURCES, Driven, enveloped, request
from tests.wire_format import dump

Era = Literal["legacy", "auto"]
TIMEOUT_S = 30.0
_HOSTS = ("MACP_", "COMITY_", "CLAUDE", "GEMINI", "GIT_")


def surroundings(folder: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """An environment without anything that a host or a shell may have set, and with a home of its own."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(_HOSTS)}
    return {**plain, "PYTHONPATH": str(SOURCES), "HOME": str(folder / "home"), **(extra or {})}


def database(folder: Path) -> Path:
    return folder / "shared.macp.db"


def content(folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row but the signs of life, which servers give whatever else they do."""
    return {table: rows for table, rows in dump(database(folder)).items() if table != "comity_presence"}


def common(folder: Path, agent_id: str) -> list[str]:
    return ["--db", str(database(folder)), "--channel", "main", "--agent-id", agent_id]


class Served(Driven):
    """A server process on raw pipes, in ``folder``."""

    def __init__(self, folder: Path, *options: str, env: Mapping[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "comity", "mcp", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd=folder,
            env=surroundings(folder, env),
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.stdin, self.stdout, self.stderr = self.process.stdin, self.process.stdout, self.process.stderr
        self._rest = {}
        self._asked = 0

    def begin(self, tool: str, **arguments: Any) -> int:
        """Call a tool without waiting for it; the request's id."""
        self._asked += 1
        self.send(enveloped(self._asked, "tools/call", name=tool, arguments=arguments))
        return self._asked

    def result(self, request_id: int) -> dict[str, Any]:
        """The result of a call that was begun, when it is the next message."""
        answer = self.receive()
        assert answer["id"] == request_id, answer
        result: dict[str, Any] = answer["result"]
        return result

    def tool(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """What a tool answers when all is well."""
        result = self.result(self.begin(tool, **arguments))
        assert not result.get("isError"), result
        structured: dict[str, Any] = result["structuredContent"]
        return structured

    def problem(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """What a tool answers when it refuses."""
        return problem(self.result(self.begin(tool, **arguments)))

    def ping(self) -> None:
        assert self.ask(request("ping", "ping"))["result"] == {}


def problem(result: Mapping[str, Any]) -> dict[str, Any]:
    """The Problem in a tool's result (as JSON), which must be one."""
    assert result["isError"] is True
    assert "structuredContent" not in result
    (item,) = result["content"]
    told: dict[str, Any] = json.loads(item["text"])
    assert list(told) == ["reasonCode", "message", "metadata", "hint"]
    assert told["reasonCode"]
    assert told["message"]
    assert told["hint"]
    assert "Traceback" not in item["text"]
    return told


@asynccontextmanager
async def connected(folder: Path, agent_id: str, era: Era) -> AsyncIterator[Client]:
    """The SDK's client on a server process that has registered its agent."""
    command = StdioServerParameters(
        command=sys.executable,
        args=["-m", "comity", "mcp", *common(folder, agent_id)],
        cwd=folder,
        env={"PYTHONPATH": str(SOURCES), "HOME": str(folder / "home")},
    )
    with anyio.fail_after(TIMEOUT_S):
        async with Client(stdio_client(command), mode=era, read_timeout_seconds=TIMEOUT_S) as client:
            await client.call_tool("macp_poll", {})
            yield client


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the write lock of a database file."""
    connection = apsw.Connection(str(path))
    try:
        connection.execute("BEGIN IMMEDIATE").fetchall()
        yield
        connection.execute("ROLLBACK").fetchall()
    finally:
        connection.close()
