"""One key through every door: whichever comes first carries the call out, and every other one tells that answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any, NamedTuple

import pytest
from websockets.sync.client import connect

import comity as library
from comity import Problem
from comity.dialects.macp.tools import TOOLS
from comity.kernel.record import camel, to_json
from tests.doors.http.byhand import Speaker
from tests.doors.http.running import Server, comity, repository, serving
from tests.e2e.served import Served
from tests.mcp.driven import ENVELOPE, request

ME = {"x-comity-agent": "ann"}
TOOL = {tool.op: tool.name for tool in TOOLS}
SESSION = "cli-ann"  # which the command line begins, and everybody else goes on in


class Told(NamedTuple):
    """An answer, or the reason of a refusal."""

    answer: Any
    reason: str = ""


Ask = Callable[[str, str, dict[str, Any]], Told]


def by_command(server: Server, _: ExitStack) -> Ask:
    def ask(key: str, op: str, given: dict[str, Any]) -> Told:
        done = comity(
            server.folder, "call", op, "--arguments", json.dumps(given), "--as", "ann", "--key", key, "--json"
        )
        told = json.loads(done.stdout)
        return Told(None, told["error"]["reason"]) if "error" in told else Told(told)

    return ask


def by_workspace(server: Server, stack: ExitStack) -> Ask:
    workspace = stack.enter_context(library.open(server.database, agent_id="ann", session_id=SESSION))

    def ask(key: str, op: str, given: dict[str, Any]) -> Told:
        try:
            return Told(to_json(workspace.call(op, given, key=key)))
        except Problem as problem:
            return Told(None, problem.reason)

    return ask


def by_rest(server: Server, _: ExitStack) -> Ask:
    def ask(key: str, op: str, given: dict[str, Any]) -> Told:
        sent = {camel(name): value for name, value in given.items()}
        told = server.post(f"/api/v1/{op}", sent, headers={**ME, "idempotency-key": key})
        return Told(None, told.json()["reason"]) if told.is_error else Told(told.json())

    return ask


def by_socket(server: Server, stack: ExitStack) -> Ask:
    socket = stack.enter_context(connect(f"ws://127.0.0.1:{server.port}/ws", additional_headers=ME))

    def ask(key: str, op: str, given: dict[str, Any]) -> Told:
        sent = {camel(name): value for name, value in given.items()}
        socket.send(json.dumps({"id": 1, "type": "call", "operation": op, "arguments": sent, "key": key}))
        told = json.loads(socket.recv(30))
        return Told(None, told["problem"]["reason"]) if "problem" in told else Told(told["result"])

    return ask


def of_tool(result: Any) -> Told:
    if not result.get("isError"):
        return Told(result["structuredContent"])
    problem = json.loads(result["content"][0]["text"])
    return Told(None, problem.get("reasonCode") or problem["code"])


def tool_call(key: str, op: str, given: dict[str, Any]) -> dict[str, Any]:
    arguments = {camel(name): value for name, value in given.items()}
    return {"name": TOOL[op], "arguments": arguments, "_meta": {"idempotencyKey": key}}


def by_mcp(server: Server, stack: ExitStack) -> Ask:
    speaker = stack.enter_context(closing(Speaker(server, "/mcp?tools=all", ME)))
    return lambda *asked: of_tool(speaker.post("tools/call", tool_call(*asked)).json()["result"])


def by_stdio(server: Server, stack: ExitStack) -> Ask:
    options = ("--db", server.database, "--agent-id", "ann", "--session-id", SESSION)
    served = stack.enter_context(Served(server.folder, *options))

    def ask(key: str, op: str, given: dict[str, Any]) -> Told:
        called = tool_call(key, op, given)
        called["_meta"] |= ENVELOPE
        return of_tool(served.ask(request("asked", "tools/call", **called))["result"])

    return ask


DOORS = {
    "command": by_command,
    "workspace": by_workspace,
    "REST": by_rest,
    "WebSocket": by_socket,
    "MCP": by_mcp,
    "stdio": by_stdio,
}


@pytest.fixture(scope="module")
def asks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Ask]]:
    """A way to ask through each door, all as one agent in one session."""
    with serving(repository(tmp_path_factory.mktemp("once"))) as server, ExitStack() as stack:
        comity(server.folder, "call", "session.start", "--as", "ann")
        yield {name: door(server, stack) for name, door in DOORS.items()}


@pytest.mark.parametrize("first", DOORS)
def test_whichever_door_comes_first_the_others_tell_its_answer(asks: dict[str, Ask], first: str) -> None:
    key, given = f"by {first}", {"title": f"Write the {first}"}
    answer = asks[first](key, "task.dispatch", given)
    assert answer.answer["task"]["title"] == given["title"]
    assert {name: ask(key, "task.dispatch", given) for name, ask in asks.items()} == dict.fromkeys(DOORS, answer)
    listed = asks["workspace"]("unused", "task.list", {}).answer["tasks"]
    assert [task["title"] for task in listed].count(given["title"]) == 1


@pytest.mark.parametrize("first", DOORS)
def test_a_refusal_is_kept_for_every_door(asks: dict[str, Ask], first: str) -> None:
    unknown = {"task_id": f"no-{first}"}
    told = asks[first](f"refused by {first}", "task.claim", unknown)
    assert told == Told(None, "task.unknown")
    for ask in asks.values():
        assert ask(f"refused by {first}", "task.claim", unknown) == told


def test_what_is_wrong_with_a_key_is_told_at_every_door(asks: dict[str, Ask]) -> None:
    asks["workspace"]("taken", "task.dispatch", {"title": "one"})
    for name, ask in asks.items():
        assert ask("taken", "task.dispatch", {"title": "two"}).reason == "idempotency.reused", name
        if name != "command":  # no argument of a command can hold it
            assert ask("k" * 201, "task.dispatch", {"title": "two"}).reason == "idempotency.key", name
