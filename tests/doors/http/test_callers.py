"""Whose calls they are: a token's agent is that token's alone, a reader is nobody else, another user is nobody."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.subscriptions import SubscriptionLost
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

import comity
from tests.doors.http.running import Server, repository, serving
from tests.doors.http.running import comity as command
from tests.doors.http.speaking import connected, text
from tests.wire_format import rows

NOBODY = 65534  # the user of that name


def token(server: Server, role: str, agent: str = "") -> dict[str, str]:
    """A new token as a header."""
    named = ("--agent", agent) if agent else ()
    made = command(server.folder, "token", "create", "--role", role, *named, "--json")
    return {"authorization": f"Bearer {json.loads(made.stdout)['secret']}"}


def revoke(server: Server, shown: dict[str, str]) -> None:
    """Make a token useless."""
    command(server.folder, "token", "revoke", shown["authorization"].split("_")[1])


def refused(told: httpx2.Response) -> tuple[int, str]:
    """How a request was refused."""
    return told.status_code, told.json().get("reason", "")


def asked(server: Server, headers: dict[str, str], *said: dict[str, Any]) -> list[dict[str, Any]]:
    """The answers over one WebSocket."""
    with connect(f"ws://127.0.0.1:{server.port}/ws", additional_headers=headers) as connection:
        answers = []
        for one in said:
            connection.send(json.dumps(one))
            answers.append(json.loads(connection.recv(30)))
        return answers


async def of_tool(server: Server, headers: dict[str, str], tool: str, arguments: dict[str, Any]) -> str:
    """What a tool answers, as text."""
    async with connected(server, "legacy", "/mcp?tools=all", headers=headers) as client:
        return text(await client.call_tool(tool, arguments))


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that wants tokens."""
    folder = repository(tmp_path_factory.mktemp("guarded"))
    config = folder / ".masc" / "auth"
    config.mkdir(parents=True)
    (config / "config.json").write_text('{"require_token": true}')
    with serving(folder) as running:
        yield running


@pytest.fixture
def bobs(server: Server) -> Iterator[dict[str, str]]:
    """The token of bob, who holds a claim and has mail from ann."""
    shown = token(server, "worker", "bob")
    assert server.post("/api/v1/claim.acquire", {"files": ["a.py"]}, headers=shown).status_code == 200
    ann = {"x-comity-agent": "ann"}
    server.post("/api/v1/message.send", {"destinationAgentId": "bob", "content": "for bob"}, headers=ann)
    yield shown
    revoke(server, shown)


async def test_an_agent_with_a_token_is_that_tokens_alone(server: Server, bobs: dict[str, str]) -> None:
    for headers in ({}, token(server, "worker"), token(server, "admin")):
        as_bob = {**headers, "x-comity-agent": "bob"}
        for told in (
            server.post("/api/v1/session.end", headers=as_bob),
            server.post("/api/v1/message.poll", headers=as_bob),
            server.get("/api/v1/claim.list", headers=as_bob),
            server.get("/api/v1/events", headers=as_bob),
        ):
            assert refused(told) == (403, "agent.bound"), told.request.url
        with pytest.raises(InvalidStatus) as closed:
            asked(server, as_bob)
        assert closed.value.response.status_code == 403
    (answer,) = asked(server, {}, {"type": "authenticate", "agent": "bob"})
    assert answer["problem"]["reason"] == "agent.bound"
    assert server.post("/api/v1/message.poll", headers=bobs).json()["deliveries"][0]["content"] == "for bob"
    revoke(server, bobs)
    free = server.post("/api/v1/session.start", headers={"x-comity-agent": "bob"})
    assert free.status_code == 200, "whose token ended is anybody's again"


async def test_who_came_first_gives_way_to_the_token(server: Server) -> None:
    name = {"x-comity-agent": "early"}
    assert server.post("/api/v1/session.start", headers=name).status_code == 200
    async with Client(f"{server.url}/mcp", mode="legacy") as client:
        joined = await client.call_tool("masc_join", {"agent_name": "early"})
        mine = joined.structured_content["agent_id"]
        shown = token(server, "worker", mine)
        heard = await client.call_tool("masc_broadcast", {"message": "Still me?"})
        assert heard.is_error
        token(server, "worker", "early")
        assert refused(server.post("/api/v1/session.renew", headers=name)) == (403, "agent.bound")
        assert server.post("/api/v1/session.start", headers=shown).status_code == 200
        again = await client.call_tool("masc_join", {"agent_name": mine})
        assert again.is_error or again.structured_content["agent_id"] != mine


async def test_a_left_agent_with_a_token_is_not_taken_over_by_its_name(server: Server) -> None:
    shown = token(server, "worker", "codex-calm-otter")
    server.post("/api/v1/session.start", headers=shown)
    server.post("/api/v1/session.end", headers=shown)
    async with Client(f"{server.url}/mcp", mode="legacy") as client:
        joined = await client.call_tool("masc_join", {"agent_name": "codex-calm-otter"})
        assert joined.is_error
        assert "agent.mismatch" in text(joined), "it came in, under a name of its own"
        here = {one["agentId"] for one in server.get("/api/v1/agent.list").json()["agents"]}
        assert "codex-calm-otter" not in here


async def test_a_reader_without_an_agent_looks_and_is_nobody(server: Server) -> None:
    server.post("/api/v1/session.start", headers={"x-comity-agent": "eve"})
    shown = token(server, "reader")
    for name in ("eve", "new"):
        as_somebody = {**shown, "x-comity-agent": name}
        assert refused(server.post("/api/v1/session.end", headers=as_somebody)) == (403, "agent.unproven")
        assert refused(server.get("/api/v1/agent.context", headers=as_somebody)) == (403, "agent.unproven")
    assert server.get("/api/v1/agent.list", headers=shown).status_code == 200
    assert refused(server.post("/api/v1/session.end", headers=shown)) == (401, "agent.unnamed")
    assert "eve" in await of_tool(server, shown, "masc_who", {})
    assert "agent.unproven" in await of_tool(server, shown, "masc_join", {"agent_name": "eve"})
    assert {one["agentId"] for one in server.get("/api/v1/agent.list").json()["agents"]} >= {"eve"}


def test_a_reader_ends_only_what_the_server_began_for_it(server: Server) -> None:
    at_home = token(server, "reader", "rob")
    assert server.post("/api/v1/session.start", headers=at_home).status_code == 200
    assert server.post("/api/v1/session.end", headers=at_home).status_code == 200
    shown = token(server, "reader", "rita")
    with comity.open(server.folder, agent_id="rita") as own:
        own.session.start()
        own.claim.acquire(files=["r.py"])
        assert refused(server.post("/api/v1/session.end", headers=shown)) == (403, "session.not_yours")
        assert own.claim.list(agent_id="rita").claims
        own.session.end()


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root can be another user")
def test_another_user_of_the_machine_is_nobody(server: Server) -> None:
    def as_nobody(*options: str) -> tuple[str, str]:
        found = subprocess.run(
            ["curl", "-s", "-w", "\n%{http_code}", *options], user=NOBODY, capture_output=True, text=True, check=True
        )
        body, _, status = found.stdout.rpartition("\n")
        return status, json.loads(body).get("reason", "")

    json_body = ("-H", "content-type: application/json", "-d", "{}")
    named = ("-H", "x-comity-agent: eve")
    for options in (
        (f"{server.url}/api/v1/agent.list",),
        (*named, *json_body, f"{server.url}/api/v1/session.end"),
        (f"{server.url}/api/v1/events",),
        (*json_body, "-H", "accept: application/json, text/event-stream", f"{server.url}/mcp"),
    ):
        status, reason = as_nobody(*options)
        assert (status, reason or "peer.other_user") == ("401", "peer.other_user"), options
    shown = token(server, "reader")["authorization"]
    assert as_nobody("-H", f"authorization: {shown}", f"{server.url}/api/v1/agent.list") == ("200", "")
    assert as_nobody(f"{server.url}/health")[0] == "200"


def test_wrong_tokens_are_counted_at_every_door(guarded: Server) -> None:
    wrong = "comity_0123456789ab_" + "0" * 64
    right = token(guarded, "reader")
    reasons = []
    for _ in range(25):
        with connect(f"ws://127.0.0.1:{guarded.port}/ws") as connection:
            connection.recv(30)
            connection.send(json.dumps({"type": "authenticate", "token": wrong}))
            reasons.append(json.loads(connection.recv(30))["problem"]["reason"])
    assert reasons[0] == "token.unknown"
    assert reasons[-1] == "token.too_many_failures"
    told = guarded.get("/api/v1/task.list", headers={"authorization": f"Bearer {wrong}"})
    assert refused(told) == (429, "token.too_many_failures"), "the doors count together"
    assert guarded.get("/api/v1/task.list", headers=right).status_code == 200


def test_a_browser_names_itself_once(server: Server) -> None:
    hello, call, again = asked(
        server,
        {},
        {"type": "authenticate", "agent": "агент"},
        {"id": 1, "type": "call", "operation": "session.start"},
        {"id": 2, "type": "authenticate", "agent": "another"},
    )
    assert (hello["type"], hello["agentId"]) == ("authenticated", "агент")
    assert call["result"]["agentId"] == "агент"
    assert again["problem"]["reason"] == "socket.authenticated"


@pytest.mark.parametrize("how", ["revoked", "expired"])
def test_whoever_waits_hears_nothing_once_the_token_ended(server: Server, how: str) -> None:
    shown = token(server, "worker", "will")
    server.post("/api/v1/session.start", headers=shown)
    answers: list[Any] = []

    def wait_over_http() -> None:
        with httpx2.Client(base_url=server.url, timeout=60) as client:
            answers.append(refused(client.post("/api/v1/message.poll", json={"waitMs": 50_000}, headers=shown)))

    def wait_over_a_socket() -> None:
        asking = {"id": 1, "type": "call", "operation": "message.poll", "arguments": {"waitMs": 50_000}}
        with connect(f"ws://127.0.0.1:{server.port}/ws", additional_headers=shown) as connection:
            connection.send(json.dumps(asking))
            heard = []
            try:
                while True:
                    heard.append(json.loads(connection.recv(60)))
            except ConnectionClosed:
                answers.append(heard)

    waiting = [threading.Thread(target=one) for one in (wait_over_http, wait_over_a_socket)]
    for one in waiting:
        one.start()
    running = "comity_requests_running 2.0"  # the one that waits, and the one that asks
    open_sockets = 'comity_streams_open{route="/ws"} 1.0'
    while not {running, open_sockets} <= set(server.client.get("/metrics").text.splitlines()):
        assert all(one.is_alive() for one in waiting), answers
    token_id = shown["authorization"].split("_")[1]
    if how == "revoked":
        revoke(server, shown)
    else:
        rows(server.database, "UPDATE comity_tokens SET expires_ms = ? WHERE token_id = ?", now_ms(), token_id)
    for one in waiting:
        one.join(20)
        assert not one.is_alive(), "it goes on waiting"
    assert (401, f"token.{how}") in answers
    (heard,) = [one for one in answers if isinstance(one, list)]
    assert {one["type"] for one in heard} <= {"problem", "end"}


def now_ms() -> int:
    """The time as the database has it."""
    return int(time.time() * 1000)


async def test_streams_of_mcp_end_with_the_token(server: Server) -> None:
    shown = token(server, "worker", "sue")
    accept = {"accept": "application/json, text/event-stream"}
    begin = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "sue", "version": "1"},
        },
    }
    async with (
        httpx2.AsyncClient(base_url=server.url, headers=shown, timeout=60) as http,
        connected(server, "auto", headers=shown) as modern,
        modern.listen(resource_subscriptions=["masc://tasks"]) as alone,
    ):
        begun = await http.post("/mcp", json=begin, headers=accept)
        session = {**accept, "mcp-session-id": begun.headers["mcp-session-id"]}
        async with (
            http.stream("GET", "/mcp", headers=session) as own,
            http.stream("GET", "/sse", headers=accept) as old,
        ):
            assert [one.status_code for one in (own, old)] == [200, 200]
            revoke(server, shown)
            for one in (own, old):
                async for _ in one.aiter_bytes():
                    pass
        with pytest.raises(SubscriptionLost):
            async for _ in alone:
                pass
        again = await http.post("/mcp", json=begin, headers=accept)
        assert again.status_code == 401
