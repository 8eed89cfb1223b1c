"""The table of access: every operation, every role, whoever says to ask; the same over REST, MCP and WebSockets."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import httpx2
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from comity.dialects.macp.tools import TOOLS
from comity.dialects.names import argument_names
from comity.kernel.record import camel
from comity.kernel.registry import AnyOp
from comity.rooms import REGISTRY
from comity.server.auth.access import ABOUT_ONESELF, CALLERS, OTHERS, Caller, refusal
from tests.doors.http.byhand import Speaker, token
from tests.doors.http.running import Server, repository, serving

ROLES = ("reader", "worker", "admin")
OPS = list(REGISTRY)
TOOL_OF = {tool.op: tool.name for tool in TOOLS}
# How a request may be refused because of who asks; whatever else an example meets is its own matter.
BECAUSE_OF_WHO = {"agent.mismatch", "agent.bound", "agent.unproven", "agent.unnamed", "role.insufficient"}
# They would end the session of the connection that asks about the others.
LAST = ("session.end", "agent.deactivate", "agent.delete", "agent.sleep")
ORDERED = [op for op in OPS if op.name not in LAST] + [op for op in OPS if op.name in LAST]
Headers = dict[str, str]
Ask = Callable[[AnyOp], str]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of its own: the operations of a whole table leave nothing as it was."""
    with serving(repository(tmp_path_factory.mktemp("access"))) as running:
        yield running


@pytest.fixture(scope="module")
def shown(served: Server) -> dict[tuple[str, str], Headers]:
    """What requests show, by role and caller."""
    token(served, "--role", "worker", "--agent", "elsewhere")
    found: dict[tuple[str, str], Headers] = {}
    for role in ROLES:
        own = token(served, "--role", role, "--agent", f"own-{role}")
        free = token(served, "--role", role)
        found[role, "own"] = own
        found[role, "other"] = {**own, "x-comity-agent": "another"}
        found[role, "unnamed"] = free
        found[role, "named"] = {**free, "x-comity-agent": f"free-{role}"}
        found[role, "elsewhere"] = {**free, "x-comity-agent": "elsewhere"}
    return found


def example(op: AnyOp) -> dict[str, Any]:
    """The operation's example; of what waits, without waiting."""
    return {camel(name): value for name, value in op.example.items() if name != "wait_ms"}


def because_of_who(told: dict[str, Any]) -> str:
    """The reason, if it is one of those."""
    reason = str(told.get("reason") or "")
    return reason if reason in BECAUSE_OF_WHO else ""


def over_rest(server: Server, headers: Headers) -> Iterator[Ask]:
    """Each operation as a request."""
    with httpx2.Client(base_url=server.url, headers=headers, timeout=30) as client:

        def ask(op: AnyOp) -> str:
            path = f"/api/v1/{op.name}"
            told = client.get(path, params=example(op)) if op.effect == "read" else client.post(path, json=example(op))
            assert told.status_code < 500, f"{op.name}: {told.text}"
            return because_of_who(told.json()) if told.is_error else ""

        yield ask


def over_websocket(server: Server, headers: Headers) -> Iterator[Ask]:
    """Each operation as a call on one connection; a connection that is refused answers for all."""
    try:
        connection = connect(f"ws://127.0.0.1:{server.port}/ws", additional_headers=headers)
    except InvalidStatus as refused:
        response = refused.response
        assert response.status_code == 403
        with httpx2.Client(base_url=server.url, headers=headers) as client:  # the page says why
            reason = because_of_who(client.get("/api/v1/event.list").json())
        yield lambda _: reason
        return
    with connection:

        def ask(op: AnyOp) -> str:
            call = {"id": op.name, "type": "call", "operation": op.name, "arguments": example(op)}
            connection.send(json.dumps(call))
            told = json.loads(connection.recv(30))
            assert told["id"] == op.name
            assert told.get("problem", {}).get("kind") != "internal", told
            return because_of_who(told.get("problem", {}))

        yield ask


def over_mcp(server: Server, headers: Headers) -> Iterator[Ask]:
    """Each operation that has a tool, in one session; a session that is refused answers for all."""
    speaker = Speaker(server, "/mcp?tools=all", headers)
    try:
        if speaker.opened.status_code != 200:
            reason = because_of_who(speaker.opened.json().get("error", {}).get("data") or speaker.opened.json())
            yield lambda _: reason
            return

        def ask(op: AnyOp) -> str:
            names = argument_names(op)
            given = {names[name]: value for name, value in op.example.items() if name != "wait_ms"}
            answer = speaker.post("tools/call", {"name": TOOL_OF[op.name], "arguments": given})
            told = answer.json()["result"]
            if not told["isError"]:
                return ""
            problem = json.loads(told["content"][0]["text"])
            return because_of_who({"reason": problem.get("reasonCode") or problem.get("code")})

        yield ask
    finally:
        speaker.close()


DOORS = {"REST": over_rest, "WebSocket": over_websocket, "MCP": over_mcp}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("door", DOORS)
def test_no_cell_of_the_table_differs(
    served: Server, shown: dict[tuple[str, str], Headers], role: str, caller: Caller, door: str
) -> None:
    ops = [op for op in ORDERED if door != "MCP" or op.name in TOOL_OF]
    (found,) = [{op.name: ask(op) for op in ops} for ask in DOORS[door](served, shown[role, caller])]
    expected = {op.name: refusal(op, role, caller, names=door == "MCP") for op in ops}
    assert found == expected


def test_where_no_token_is_wanted_the_same_holds_with_its_role(served: Server) -> None:
    callers: tuple[tuple[Caller, Headers], ...] = (("unnamed", {}), ("elsewhere", {"x-comity-agent": "elsewhere"}))
    for caller, headers in callers:
        (found,) = [{op.name: ask(op) for op in ORDERED} for ask in over_rest(served, headers)]
        assert found == {op.name: refusal(op, "worker", caller) for op in ORDERED}


def test_whoever_has_no_name_may_nothing_that_a_named_reader_may_not() -> None:
    for op in OPS:
        if not refusal(op, "reader", "unnamed"):
            assert not refusal(op, "reader", "own"), op.name


def test_every_line_about_others_means_an_operation() -> None:
    assert {*OTHERS, *ABOUT_ONESELF} <= set(REGISTRY.names())


def _post(server: Server, headers: Headers, op: str, **given: Any) -> Any:
    told = server.post(f"/api/v1/{op}", given, headers=headers)
    assert told.is_success, told.text
    return told.json()


@pytest.mark.parametrize("role", ["worker", "admin"])
def test_what_is_anothers_stays_theirs(served: Server, role: str) -> None:
    """The lines of OTHERS that are refusals, as somebody with a token of their own."""
    server, bob = served, token(served, "--role", "worker", "--agent", f"bob-{role}")
    ann = token(server, "--role", role, "--agent", f"ann-{role}")
    do = partial(_post, server, bob)
    task = do("task.dispatch", title=f"Bob's work {role}")["task"]["taskId"]
    do("task.claim", taskId=task)
    do("claim.acquire", files=[f"{role}.py"])
    do("memory.set", key=f"secret {role}", value="of bob", scope="agent")
    do("channel.join", channelId=f"closed-{role}")
    sent = do("message.send", destinationAgentId=f"bob-{role}", content="to myself")["deliveryIds"][0]
    of_task, of_claim = {"taskId": task}, {"files": [f"{role}.py"]}
    of_channel = {"channelId": f"closed-{role}"}
    asked: dict[str, dict[str, Any]] = {
        **dict.fromkeys(("task.claim", "task.start", "task.release"), of_task),
        "task.complete": {**of_task, "result": "done"},
        "task.block": {**of_task, "reason": "mine"},
        "task.cancel": of_task,
        "task.transition": {**of_task, "action": "done", "notes": "It is done, they say."},
        "claim.acquire": of_claim,
        "message.ack": {"deliveryId": sent},
        "message.broadcast": {**of_channel, "content": "let me in"},
        "message.announce": {**of_channel, "content": "let me in"},
    }
    for op, given in asked.items():
        told = server.post(f"/api/v1/{op}", given, headers=ann)
        assert told.json().get("reason", "?") in OTHERS[op], (op, told.text)
    told = server.get("/api/v1/message.read", params={"deliveryId": sent}, headers=ann)
    assert told.json()["reason"] in OTHERS["message.read"]
    _post(server, ann, "claim.release", **of_claim)
    held = server.get("/api/v1/claim.list", params={"agentId": f"bob-{role}"}, headers=ann).json()["claims"]
    assert [one["filePath"] for one in held] == of_claim["files"]
    assert "of bob" not in server.get("/api/v1/memory.get", params={"key": f"secret {role}"}, headers=ann).text
    history = server.get("/api/v1/message.history", params=of_channel, headers=ann)
    assert (history.json().get("reason") or "") == ("" if role == "admin" else "MACP_ERR_SENDER_NOT_MEMBER")
