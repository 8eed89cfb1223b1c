"""A process that asks through one door until it is answered: ``python -m bench.asker WAY DATABASE PORT``.

The WAY is ``workspace``, ``rest``, ``socket``, ``mcp`` (over HTTP) or ``stdio``; all of them are the agent ``ann``. A
line on its input is a JSON list: a key, an operation and its arguments in camelCase. The answer is a line of JSON, the
operation's record, or ``{"problem": reason}``. What passes (a lock, a server that is away, an ended session) is no
answer: it asks again under the same key.
"""

from __future__ import annotations

import http.client
import json
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

import comity
from bench.ground import CHANNEL
from bench.server import Server
from comity import Problem, Workspace
from comity.dialects.macp.tools import TOOLS
from comity.kernel.record import to_json
from comity.rooms.agents.model import UNREGISTERED

ME = "ann"
PASSING = ("store.locked", "idempotency.in_progress", *UNREGISTERED)
PATIENCE_S, PAUSE_S = 60.0, 0.01
_TOOL = {tool.op: tool.name for tool in TOOLS}
Ask = Callable[[str, str, dict[str, Any]], Any]


class Passing(Exception):
    """No answer yet: ask again."""


def told(reason: str) -> Any:
    """A refusal as an answer. Raises Passing for one that passes."""
    if reason in PASSING:
        raise Passing(reason)
    return {"problem": reason}


def by_workspace(database: str, _: int) -> Ask:
    """On the file itself."""
    workspace: Workspace = comity.open(database, agent_id=ME, session_id=f"session-{ME}", channel=CHANNEL)
    workspace.session.start()

    def ask(key: str, op: str, given: dict[str, Any]) -> Any:
        own = {_snake(name): value for name, value in given.items()}
        try:
            return to_json(workspace.call(op, own, key=key))
        except Problem as problem:
            if problem.reason in UNREGISTERED:
                workspace.session.start()
            return told(problem.reason)

    return ask


def by_rest(_: str, port: int) -> Ask:
    """A request each."""

    def ask(key: str, op: str, given: dict[str, Any]) -> Any:
        headers = {"x-comity-agent": ME, "idempotency-key": key}
        status, body = _post(port, f"/api/v1/{op}", given, headers)
        return told(body["reason"]) if status >= 400 else body

    return ask


def by_socket(_: str, port: int) -> Ask:
    """A call each, on a connection of its own."""

    def ask(key: str, op: str, given: dict[str, Any]) -> Any:
        with connect(f"ws://127.0.0.1:{port}/ws", additional_headers={"x-comity-agent": ME}) as socket:
            socket.send(json.dumps({"id": 1, "type": "call", "operation": op, "arguments": given, "key": key}))
            body = json.loads(socket.recv(PATIENCE_S))
        return told(body["problem"]["reason"]) if body["type"] == "problem" else body["result"]

    return ask


def by_mcp(_: str, port: int) -> Ask:
    """A request without a session each, as the newest version of MCP has it."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
    }

    def ask(key: str, op: str, given: dict[str, Any]) -> Any:
        params = {"name": _TOOL[op], "arguments": given, "_meta": {**meta, "idempotencyKey": key}}
        headers = {
            "x-comity-agent": ME,
            "accept": "application/json, text/event-stream",
            "mcp-protocol-version": "2026-07-28",
            "mcp-method": "tools/call",
            "mcp-name": _TOOL[op],
        }
        asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        body = _post(port, "/mcp?tools=all", asked, headers)[1]
        if "error" in body:
            return told((body["error"].get("data") or {}).get("reason") or body["error"]["message"])
        return _of_tool(body["result"])

    return ask


def by_stdio(database: str, _: int) -> Ask:
    """A ``comity mcp`` of its own."""
    server = Server(database, ME)
    server.greet()

    def ask(key: str, op: str, given: dict[str, Any]) -> Any:
        asked = {"name": _TOOL[op], "arguments": given, "_meta": {"idempotencyKey": key}}
        return _of_tool(server.receive(server.send("tools/call", **asked)))

    return ask


def _of_tool(result: Any) -> Any:
    if result.get("isError"):
        problem = json.loads(result["content"][0]["text"])
        return told(problem.get("reasonCode") or problem["code"])  # each dialect has its own word
    return result["structuredContent"]


def _post(port: int, path: str, body: Any, headers: dict[str, str]) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        connection.request("POST", path, json.dumps(body), {"content-type": "application/json", **headers})
        answer = connection.getresponse()
        if answer.status == http.client.SERVICE_UNAVAILABLE:
            raise Passing("the server starts, ends, or waits for a lock")
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


WAYS: dict[str, Callable[[str, int], Ask]] = {
    "workspace": by_workspace,
    "rest": by_rest,
    "socket": by_socket,
    "mcp": by_mcp,
    "stdio": by_stdio,
}


def main() -> None:
    """As the module says."""
    way, database, port = sys.argv[1:]
    ask = WAYS[way](database, int(port))
    for line in sys.stdin:
        end = time.monotonic() + PATIENCE_S
        answer: Any = {"problem": "no answer in time"}
        while time.monotonic() < end:
            with suppress(Passing, OSError, http.client.HTTPException, WebSocketException, ValueError):
                answer = ask(*json.loads(line))
                break
            time.sleep(PAUSE_S)
        print(json.dumps(answer, sort_keys=True), flush=True)


if __name__ == "__main__":
    main()
