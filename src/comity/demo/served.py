"""``make run``: a server on a folder, two scripted agents at work through two doors, and how to connect your own.

One agent comes over HTTP to ``/mcp``, the other has a ``comity mcp`` process of its own; both work in one database and
see each other at once. At a terminal it goes on until Ctrl-C; elsewhere it ends when the job is done.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

import comity
from comity import settings
from comity.kernel.problem import Problem, Unavailable
from comity.server.folder.layout import masc_folder
from comity.server.folder.lock import RunningServer, running_server

START_S, STOP_S, CALL_S = 20.0, 15.0, 20.0
ROUND_S = 15.0  # at a terminal: between two rounds
_LOOK_S = 0.05
_FILE = "README.md"
ADA, BEN = "ada", "ben"

DOORS = """\
Look at it from another terminal, one line for each door:
  comity status                                    who is here; `comity tail` follows
  curl {url}/api/v1/task.list       REST; what there is: {url}/api/v1/openapi.json
  curl -N {url}/api/v1/events       live events (SSE)
  curl {url}/ws                     live events and calls over a WebSocket, {ws}
  curl {url}/metrics                figures for Prometheus
  curl {url}/api/v1/message.broadcast -H 'X-Comity-Agent: me' \\
       -H 'Content-Type: application/json' -d '{{"content": "Hello"}}'

Connect your own agents:
  comity init                                      each host gets a `comity mcp` process; no server is needed
  comity init --url {url}           hosts use this server instead
  claude mcp add --transport http comity {url}/mcp
"""


class AgentLines:
    """What the agents do, one line each."""

    def __init__(self) -> None:
        self.failures = 0

    def line(self, agent: str, door: str, words: str) -> None:
        """Print a line."""
        sys.stdout.write(f"  {agent:<4} {door:<11} {words}\n")
        sys.stdout.flush()


class Hand:
    """One agent's client. ``do`` calls a tool and tells of it."""

    def __init__(self, agent: str, door: str, client: Client, told: AgentLines) -> None:
        self._agent, self._door, self._client, self._told = agent, door, client, told

    async def do(self, tool: str, words: str, **arguments: Any) -> dict[str, Any]:
        """What a tool answers. Raises Unavailable when it refuses."""
        result = await self._client.call_tool(tool, arguments)
        answer = result.structured_content
        if result.is_error or not isinstance(answer, dict):
            text = str(getattr(result.content[0], "text", "")) if result.content else ""
            raise Unavailable(
                "demo.refused", f"{self._agent}: {tool} was refused: {text[:300]}", "Is the folder in use?"
            )
        if words:
            self._told.line(self._agent, self._door, f"{tool:<24} {words}")
        return answer


@asynccontextmanager
async def over_http(url: str, told: AgentLines) -> AsyncIterator[Hand]:
    """An agent that comes over the network."""
    async with httpx2.AsyncClient(headers={"X-Comity-Agent": ADA}, timeout=CALL_S) as http:
        transport = streamable_http_client(f"{url}/mcp", http_client=http)
        async with Client(transport, mode="auto", read_timeout_seconds=CALL_S) as client:
            yield Hand(ADA, "HTTP /mcp", client, told)


@asynccontextmanager
async def over_stdio(root: str, told: AgentLines, log: Any) -> AsyncIterator[Hand]:
    """An agent with a server process of its own, as hosts start it."""
    command = StdioServerParameters(
        command=sys.executable,
        args=["-m", "comity", "mcp", "--agent-id", BEN],
        cwd=root,
        env={"PYTHONPATH": os.path.dirname(os.path.dirname(comity.__file__)), "PATH": os.environ.get("PATH", "")},
    )
    async with Client(stdio_client(command, errlog=log), mode="auto", read_timeout_seconds=CALL_S) as client:
        yield Hand(BEN, "stdio", client, told)


async def job(ada: Hand, ben: Hand) -> None:
    """Two tasks, one for each: announced, claimed, done; what one says the other reads."""
    await ben.do("macp_register", "joins")
    await ada.do("masc_join", "joins", agent_name=ADA)
    wanted = []
    for title in ("Read the README as a newcomer would", "See whether its commands still work"):
        made = await ada.do("masc_add_task", title, title=title)
        wanted.append(_id_of(made))
    await ada.do("masc_broadcast", f"@{BEN} the first one is yours", message=f"@{BEN} the first one is yours, please")
    heard = await ben.do("macp_poll", "", waitMs=10_000)
    for delivery in heard["deliveries"]:
        await ben.do("macp_ack", f"heard: {delivery['content'][:60]}", deliveryId=delivery["deliveryId"])
    await ben.do("macp_ext_claim_task", "takes the first task", taskId=wanted[0])
    await ben.do("macp_ext_claim_files", f"holds {_FILE}", files=[_FILE], reason="reading it as a newcomer")
    await ada.do("masc_transition", "takes the second task", task_id=wanted[1], action="claim")
    await ada.do("masc_transition", "starts", task_id=wanted[1], action="start")
    await ben.do("macp_ext_complete_task", "is done", taskId=wanted[0], result="Two commands, and it says what it is.")
    await ben.do("macp_ext_release_files", f"frees {_FILE}", files=[_FILE])
    await ben.do("macp_send_channel", "tells everybody", content="The README is fine.")
    await ada.do(
        "masc_transition",
        "is done",
        task_id=wanted[1],
        action="done",
        notes="Each of them was run, and each did what it says.",
    )
    said = await ada.do("masc_messages", "", limit=5)
    ada_heard = sum("README is fine" in str(one) for one in said.get("messages", []))
    await ada.do("masc_status", "reads what ben said" if ada_heard else "hears nothing")


async def again(ben: Hand) -> None:
    """A small round, so that there is something to see."""
    await ben.do("macp_ext_claim_files", f"holds {_FILE}", files=[_FILE], reason="looking once more")
    await anyio.sleep(1)
    await ben.do("macp_ext_release_files", f"frees {_FILE}", files=[_FILE])


def _id_of(made: dict[str, Any]) -> str:
    task = made.get("task", made)
    return str(task.get("task_id") or task.get("taskId") or task["id"])


class Served:
    """A server on a folder: the one that runs, or one of its own until the end."""

    def __init__(self, root: str, options: list[str]) -> None:
        self._root = root
        self._options = options
        self._folder = masc_folder(root)
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> RunningServer:
        """Where it is. Raises Unavailable when it does not start."""
        found = running_server(self._folder)
        if found is not None:
            return found
        command = [sys.executable, "-m", "comity", "serve", "--target-dir", self._root, "--log-level", "warning"]
        self._process = subprocess.Popen(  # noqa: ASYNC220 (it is started in a millisecond)
            [*command, *self._options], stdin=subprocess.DEVNULL, start_new_session=True
        )
        with anyio.move_on_after(START_S):
            while self._process.poll() is None:
                found = running_server(self._folder)
                if found is not None:
                    return found
                await anyio.sleep(_LOOK_S)
        raise Unavailable("demo.server_failed", "The server did not start.", "What it said stands above.")

    def stop(self) -> None:
        """End it, if it is ours."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()


async def play(root: str, options: list[str], *, stay: bool) -> None:
    """The whole of it."""
    served = Served(root, options)
    try:
        running = await served.start()
        url = running.url
        sys.stdout.write(f"Comity serves {root}\n       at {url}\n\n")
        told = AgentLines()
        with open(os.devnull, "w", encoding="utf-8") as log:  # noqa: ASYNC230 (it is no disk)
            async with over_http(url, told) as ada, over_stdio(root, told, log) as ben:
                await job(ada, ben)
                ws = running.ws_url or url.replace("http", "ws", 1) + "/ws"
                sys.stdout.write("\n" + DOORS.format(url=url, ws=ws))
                if stay:
                    sys.stdout.write("\nBoth agents go on. Ctrl-C ends them and the server.\n\n")
                    sys.stdout.flush()
                    while True:
                        await anyio.sleep(ROUND_S)
                        await again(ben)
                await ada.do("masc_leave", "")
    finally:
        served.stop()


def main() -> int:
    """Run it on a folder; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m comity.demo.served", description=__doc__.partition("\n")[0])
    parser.add_argument("folder", nargs="?", default=".", help="a folder of the project")
    parser.add_argument("--port", help="the server's port (that of the folder)")
    parser.add_argument("--stay", action="store_true", help="go on until Ctrl-C even without a terminal")
    chosen = parser.parse_args()
    try:
        root = settings.resolve({}, {}, str(Path(chosen.folder).resolve())).root
        options = ["--port", chosen.port] if chosen.port else []
        anyio.run(lambda: play(root, options, stay=chosen.stay or sys.stdin.isatty()))
    except KeyboardInterrupt:
        sys.stdout.write("\nEnded.\n")
    except Problem as problem:
        sys.stderr.write(f"error: {problem.message}\nhint: {problem.hint}\n")
        return problem.exit_code
    except BaseExceptionGroup as group:
        problems, rest = group.split(Problem)
        if rest is not None or problems is None:
            raise
        first = _first(problems)
        sys.stderr.write(f"error: {first.message}\nhint: {first.hint}\n")
        return first.exit_code
    return 0


def _first(group: BaseExceptionGroup[Any]) -> Problem:
    found = group.exceptions[0]
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    assert isinstance(found, Problem), "it was split off as one"
    return found


if __name__ == "__main__":
    sys.exit(main())
