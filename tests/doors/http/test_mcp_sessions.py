"""Sessions of MCP over HTTP, by hand: what each status is for, whose a session is, and how it ends."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from comity import settings
from comity.doors.mcp_http.endpoints import McpHttp
from comity.doors.mcp_http.routes import make
from comity.server.address import ServerAddress
from comity.server.auth.authority import Authority
from comity.server.auth.config import AuthConfig
from comity.server.auth.principal import Principal
from comity.server.state import ServerState
from comity.workspace import from_settings
from tests.doors.http.byhand import ACCEPT, Speak, events, token
from tests.doors.http.running import Server, comity, environment, repository, serving


def agents(server: Server) -> str:
    return comity(server.folder, "agents").stdout


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"accept": "application/json"}, 406),
        ({"accept": "text/html"}, 406),
        ({"content-type": "text/plain"}, 415),
        ({"mcp-session-id": ""}, 400),
        ({"mcp-session-id": "0" * 32}, 404),
        ({"mcp-session-id": "../../etc"}, 404),
        ({"mcp-protocol-version": "2025-06-18"}, 400),
        ({"mcp-protocol-version": "1999-01-01"}, 400),
        ({"accept": "*/*"}, 200),
    ],
)
def test_headers_have_their_answers(server: Server, headers: dict[str, str], status: int, speak: Speak) -> None:
    answer = speak(server).post("ping", None, 7, **headers)
    assert answer.status_code == status, answer.text
    if status != 200:
        assert answer.json()["error"]["message"]
        assert "jsonrpc" in answer.json()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", -32700),
        (b"\xff", -32700),
        (b"[" * 100_000, -32700),
        (b"[]", -32600),
        (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600),
        (b'{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600),
        (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600),
        (b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":7}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', -32600),
    ],
)
def test_bodies_that_are_no_message(server: Server, body: bytes, code: int, speak: Speak) -> None:
    speaker = speak(server)
    answer = speaker.http.post("/mcp", content=body, headers={**ACCEPT, **speaker.own})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


def test_answers_of_the_protocol_itself(server: Server, speak: Speak) -> None:
    speaker = speak(server)
    assert speaker.opened.json()["result"]["protocolVersion"] == "2025-11-25"
    assert speaker.post("nothing/here").json()["error"]["code"] == -32601
    assert speaker.post("tools/call", {"name": 7}).json()["error"]["code"] == -32602
    assert speaker.post("tools/call", {"name": "masc_nothing"}).json()["error"]["code"] == -32602
    reply = {"jsonrpc": "2.0", "id": 9, "result": {}}
    assert speaker.http.post("/mcp", json=reply, headers={**ACCEPT, **speaker.own}).status_code == 202
    assert speaker.http.put("/mcp", headers=speaker.own).status_code == 405
    again = speaker.post("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}})
    assert again.status_code == 400
    assert speaker.http.get("/mcp", headers={**speaker.own, "accept": "application/json"}).status_code == 406
    assert speaker.http.get("/mcp?tools=none", headers={"accept": "text/event-stream"}).status_code == 400
    failed = speak(server).http.post(
        "/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {}}, headers=ACCEPT
    )
    left = failed.headers["mcp-session-id"]
    assert speaker.post("ping", **{"mcp-session-id": left}).status_code == 404


@pytest.mark.parametrize("request_id", [{}, [[]], {"a": []}, None, True, 1.5, "", "unknown", 404, "\ud800"], ids=ascii)
def test_notifications_about_nothing_are_passed_over(server: Server, speak: Speak, request_id: Any) -> None:
    speaker = speak(server)
    for method in ("cancelled", "progress", "initialized", "roots/list_changed", "nothing"):
        for params in ({"requestId": request_id}, {"requestId": 1, "_meta": request_id}, {"progressToken": request_id}):
            body = {"jsonrpc": "2.0", "method": f"notifications/{method}", "params": params}
            headers = {**ACCEPT, **speaker.own}
            told = speaker.http.post("/mcp", content=json.dumps(body).encode(), headers=headers)
            assert told.status_code == 202, told.text
    assert speaker.post("ping").status_code == 200
    assert not [line for line in server.said if "Traceback" in line or "notifications/" in line]


def test_ids_are_random_and_end_with_delete(server: Server, speak: Speak) -> None:
    first, second = speak(server), speak(server)
    ids = {one.own["mcp-session-id"] for one in (first, second)}
    assert len(ids) == 2
    assert all(len(bytes.fromhex(one)) == 16 for one in ids)
    assert first.http.delete("/mcp", headers=first.own).status_code == 200
    assert first.post("ping").status_code == 404
    assert first.http.delete("/mcp", headers=first.own).status_code == 404
    assert first.http.delete("/mcp").status_code == 400
    assert second.post("ping").status_code == 200


def test_a_session_is_its_openers_alone(server: Server, speak: Speak) -> None:
    ann = speak(server, headers=token(server, "--agent", "owner-ann", "--role", "worker"))
    thief = token(server, "--agent", "thief-tom", "--role", "admin")
    other = token(server, "--agent", "owner-ann", "--role", "worker")
    for headers in (thief, other, {"authorization": ""}):
        assert ann.post("ping", **headers).status_code in (401, 404), headers
        stolen = {**ann.own, "accept": "text/event-stream", **headers}
        assert ann.http.get("/mcp", headers=stolen).status_code in (401, 404)
        assert ann.http.delete("/mcp", headers={**ann.own, **headers}).status_code in (401, 404)
    assert ann.post("ping").status_code == 200
    named = speak(server, headers={"x-comity-agent": "named-ned"})
    assert named.post("ping", **{"x-comity-agent": "named-nat"}).status_code == 404
    assert named.post("ping").status_code == 200


def test_a_session_is_of_one_address_and_one_tool_set(server: Server, speak: Speak) -> None:
    bearer = token(server, "--agent", "op-olga", "--role", "admin")
    masc = speak(server, headers=bearer)
    operator = speak(server, "/mcp/operator", headers=bearer)
    for speaker, elsewhere in (
        (masc, "/mcp/operator"),
        (masc, "/mcp?tools=core"),
        (operator, "/mcp"),
    ):
        speaker.path, home = elsewhere, speaker.path
        assert speaker.post("ping").status_code == 409
        speaker.path = home
        assert speaker.post("ping").status_code == 200
    unnamed = speak(server)
    unnamed.path = "/mcp/operator"
    assert unnamed.post("ping").status_code == 401


def test_the_last_session_takes_its_agent_along(server: Server, speak: Speak) -> None:
    made = speak(server, client="passing")
    assert "x-comity-agent" not in made.opened.headers
    assert not made.call("masc_join")["isError"]
    name = made.post("ping").headers["x-comity-agent"]
    assert name.startswith("passing")
    assert name in agents(server)
    assert made.http.delete("/mcp", headers=made.own).status_code == 200
    assert name not in agents(server)
    bearer = token(server, "--agent", "two-doors", "--role", "worker")
    one, other = speak(server, headers=bearer), speak(server, headers=bearer)
    one.call("masc_join")
    other.call("masc_heartbeat")
    assert one.http.delete("/mcp", headers=one.own).status_code == 200
    assert "two-doors" in agents(server)
    assert other.http.delete("/mcp", headers=other.own).status_code == 200
    assert "two-doors" not in agents(server)


def test_an_agent_that_was_ended_comes_back_at_its_next_call(server: Server, speak: Speak) -> None:
    speaker = speak(server, headers={"x-comity-agent": "comes-back"})
    speaker.call("masc_join")
    speaker.call("masc_leave")
    assert "comes-back" not in agents(server)
    assert not speaker.call("masc_broadcast", message="here again")["isError"]
    assert "comes-back" in agents(server)


def test_a_revoked_token_is_nobodys(server: Server, speak: Speak) -> None:
    bearer = token(server, "--agent", "gone-gus", "--role", "worker")
    speaker = speak(server, headers=bearer)
    assert speaker.post("ping").status_code == 200
    public = bearer["authorization"].split("_")[1]
    assert comity(server.folder, "token", "revoke", public).returncode == 0
    assert speaker.post("ping").status_code == 401


def test_the_end_of_the_server_answers_what_waits_and_ends_its_streams(tmp_path: Path, speak: Speak) -> None:
    with serving(repository(tmp_path / "ends")) as ending:
        speaker = speak(ending, "/mcp?tools=core")
        speaker.call("macp_register")
        with speaker.calling("macp_poll", 5, waitMs=60_000) as waiting, speaker.listening() as listening:
            answers, lines = events(waiting), listening.iter_lines()
            next(answers)
            next(lines)
            assert ending.stop() == 0
            (last,) = answers
            assert last.message["result"]["isError"] is False
            assert not any(line.startswith("data: {") for line in lines)
        assert not any("cut off" in line for line in ending.said)


@contextmanager
def housed(folder: Path, **bounds: Any) -> Iterator[tuple[ServerState, McpHttp]]:
    """The endpoints in this process, with bounds of one's own."""
    with from_settings(settings.resolve({}, environment(), str(folder))) as workspace:
        server = ServerState(
            workspace, Authority(workspace, AuthConfig.read(str(folder)), required=False), ServerAddress()
        )
        try:
            yield server, make(server, **bounds)
        finally:
            server.calls.close()


async def asked(mcp: McpHttp, method: str, who: str | None = None, **headers: str) -> tuple[int, dict[str, str]]:
    """One request to the endpoints themselves, by the token of that id; status and headers."""
    params = '{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"a","version":"1"}}'
    body = f'{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}'.encode()
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    raw = [(key.encode(), value.encode()) for key, value in {**ACCEPT, **headers}.items()]
    scope = {"type": "http", "method": "POST", "path": "/mcp", "headers": raw, "query_string": b""}
    await mcp.handle("/mcp", "masc", Principal(None, "worker", who), scope, receive, send)
    answered = {key.decode(): value.decode() for key, value in sent[0]["headers"]}
    return sent[0]["status"], answered


async def opened(mcp: McpHttp, who: str | None = None, *, used: bool = True) -> dict[str, str]:
    """A session's header; ``used``: something was asked in it."""
    status, headers = await asked(mcp, "initialize", who)
    assert status == 200
    own = {"mcp-session-id": headers["mcp-session-id"]}
    if used:
        assert (await asked(mcp, "ping", who, **own))[0] == 200
    return own


def test_idle_sessions_end_and_too_many_are_refused(tmp_path: Path) -> None:
    async def scene() -> None:
        with housed(tmp_path, idle_s=60.0, most_sessions=2) as (server, mcp):
            server.feed.start()
            own = await opened(mcp)
            await opened(mcp)
            status, headers = await asked(mcp, "initialize")
            assert (status, headers["retry-after"]) == (503, "60")
            await mcp.tidy(time.monotonic() + 59)
            assert mcp.sessions == 2
            await mcp.tidy(time.monotonic() + 61)
            assert mcp.sessions == 0
            assert (await asked(mcp, "ping", **own))[0] == 404
            assert (await asked(mcp, "initialize"))[0] == 200
            await mcp.close()
            assert mcp.sessions == 0
            server.feed.stop()

    asyncio.run(scene())


def test_each_client_has_a_share_and_sessions_without_use_go_first(tmp_path: Path) -> None:
    async def scene() -> None:
        with housed(tmp_path, most_sessions=4, most_each=3) as (server, mcp):
            server.feed.start()
            own = await opened(mcp, "greedy")
            unused = [await opened(mcp, "greedy", used=False) for _ in range(2)]
            await opened(mcp, "greedy")  # at its share: the oldest without use goes
            assert (await asked(mcp, "ping", "greedy", **unused[0]))[0] == 404
            other = await opened(mcp, "other")
            await opened(mcp, "third")  # all are taken: the greediest one's goes
            assert (await asked(mcp, "ping", "greedy", **unused[1]))[0] == 404
            assert (await asked(mcp, "ping", "greedy", **own))[0] == 200
            assert (await asked(mcp, "ping", "other", **other))[0] == 200
            assert (await asked(mcp, "initialize", "fourth"))[0] == 503
            await mcp.close()
            server.feed.stop()

    asyncio.run(scene())


def test_a_client_that_uses_its_share_gets_no_more(tmp_path: Path) -> None:
    async def scene() -> None:
        with housed(tmp_path, most_each=2) as (server, mcp):
            server.feed.start()
            for _ in range(2):
                await opened(mcp, "greedy")
            assert (await asked(mcp, "initialize", "greedy"))[0] == 429
            assert (await asked(mcp, "initialize", "other"))[0] == 200
            await mcp.close()
            server.feed.stop()

    asyncio.run(scene())
