"""A token that ends while 200 calls and streams of every kind wait on it: what comes afterwards, and how late.

One agent's token is shown by waiting REST calls, event streams, WebSockets with a subscription and a waiting call, MCP
sessions with an open stream and a waiting tool, streams of the old MCP transport and ``subscriptions/listen`` streams.
Somebody sends to the agent all the time. The token is revoked, and in a second round it expires. Counted is whatever a
listener hears later than that, signs of life and the news of the end left out.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable
from typing import Any

import httpx2
from websockets.asyncio.client import connect

from bench.figures import Figure, Options
from bench.ground import Ground
from bench.served import Served
from bench.server import compile_bytecode
from tests.wire_format import rows

_EACH = 29  # of seven kinds: 203
_PAUSE_S, _BEFORE_S, _AFTER_S = 0.02, 2.0, 5.0
_ACCEPT = {"accept": "application/json, text/event-stream"}
_SAYS = "said to will"


class Heard:
    """When what was sent to the agent was heard last, by kind of listener, and which of them still listen."""

    def __init__(self) -> None:
        self.last: dict[str, float] = {}
        self.open: dict[str, int] = {}

    def take(self, kind: str, data: str | bytes) -> None:
        """Something came."""
        if _SAYS in (data if isinstance(data, str) else data.decode("utf-8", "replace")):
            self.last[kind] = time.time()

    async def follow(self, kind: str, listen: Callable[[], Any]) -> None:
        """Listen until the end, whatever it is."""
        self.open[kind] = self.open.get(kind, 0) + 1
        with contextlib.suppress(Exception):  # cut off: that is an end, too
            await listen()
        self.open[kind] -= 1


def measure(options: Options) -> list[Figure]:
    """Bar: nothing is delivered later than 2 s."""
    compile_bytecode()
    each = options.size(_EACH, 3)
    figures = []
    for how in ("revoked", "expired"):
        with (
            Ground(options.folder) as ground,
            ground.agent("sender"),
            Served(ground.path, ground.folder) as served,
        ):
            late, left, heard = asyncio.run(_round(ground, served.port, each, how))
        beside = {kind: f"{seconds:+.2f} s" for kind, seconds in sorted(heard.items())}
        figures.append(
            Figure(f"{7 * each} lasting calls and streams, token {how}: last word", late, " s", "at most", 2, beside)
        )
        figures.append(Figure(f"of them still open {_AFTER_S:g} s later", left, "", "at most", 0))
    return figures


async def _round(ground: Ground, port: int, each: int, how: str) -> tuple[float, int, dict[str, float]]:
    with ground.agent("boss") as boss:
        made = boss.token.create(role="worker", agent_id="will")
        shown = {"authorization": f"Bearer {made.secret}"}
        heard = Heard()
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
        async with httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", headers=shown, timeout=120, limits=limits
        ) as http:
            await http.post("/api/v1/session.start", json={})
            following = [
                asyncio.create_task(heard.follow(kind, one)) for kind, one in _listeners(http, port, shown, heard, each)
            ]
            sending = asyncio.create_task(asyncio.to_thread(_send, ground, over := [False]))
            await asyncio.sleep(_BEFORE_S)
            waiting = {kind: number for kind, number in heard.open.items() if number < each}
            if waiting:
                raise SystemExit(f"these ended before the token did: {waiting}")
            if how == "revoked":
                boss.token.revoke(token_id=made.token.token_id)
                ended = time.time()
            else:
                ended = time.time()
                rows(
                    ground.path,
                    "UPDATE comity_tokens SET expires_ms = ? WHERE token_id = ?",
                    int(ended * 1000),
                    made.token.token_id,
                )
            await asyncio.sleep(_AFTER_S)
            left = sum(heard.open.values())
            over[0] = True
            await sending
            for task in following:
                task.cancel()
            await asyncio.gather(*following, return_exceptions=True)
        late = {kind: at - ended for kind, at in heard.last.items()}
        return max([0.0, *late.values()]), left, late


def _send(ground: Ground, over: list[bool]) -> None:
    with ground.agent("writer") as writer:
        while not over[0]:
            with contextlib.suppress(Exception):  # its queue is full
                writer.message.send(destination_agent_id="will", content=_SAYS, priority="interrupt", ttl_seconds=5)
            time.sleep(_PAUSE_S)


def _listeners(
    http: httpx2.AsyncClient, port: int, shown: dict[str, str], heard: Heard, each: int
) -> list[tuple[str, Callable[[], Any]]]:
    async def polls() -> None:
        while True:
            told = await http.post("/api/v1/message.poll", json={"waitMs": 50_000, "minPriority": 0})
            told.raise_for_status()
            heard.take("REST message.poll", told.content)

    async def reads() -> None:
        cursor = ""
        while True:
            told = await http.get("/api/v1/event.list", params={"after": cursor, "waitMs": 50_000})
            told.raise_for_status()
            cursor = told.json()["cursor"]
            heard.take("REST event.list", told.content)

    async def stream(kind: str, method: str, path: str, **options: Any) -> None:
        async with http.stream(method, path, **options) as answer:
            async for part in answer.aiter_bytes():
                heard.take(kind, part)

    async def socket() -> None:
        async with connect(f"ws://127.0.0.1:{port}/ws", additional_headers=shown, max_size=None) as connection:
            await connection.send(json.dumps({"id": 1, "type": "subscribe", "filter": {"types": ["message.*"]}}))
            poll = {"id": 2, "type": "call", "operation": "message.poll", "arguments": {"waitMs": 50_000}}
            await connection.send(json.dumps(poll))
            async for text in connection:
                heard.take("WebSocket", text)
                if json.loads(text).get("id") == 2:
                    await connection.send(json.dumps(poll))

    async def session() -> None:
        begun = await http.post("/mcp?tools=core", json=_request(1, "initialize", _HELLO), headers=_ACCEPT)
        own = {**_ACCEPT, "mcp-session-id": begun.headers["mcp-session-id"]}
        following = asyncio.create_task(stream("MCP stream", "GET", "/mcp?tools=core", headers=own))
        try:
            for number in range(2, 100_000):
                call = _request(number, "tools/call", {"name": "macp_poll", "arguments": {"waitMs": 50_000}})
                told = await http.post("/mcp?tools=core", json=call, headers=own)
                told.raise_for_status()
                heard.take("MCP macp_poll", told.content)
        finally:
            await asyncio.gather(following, return_exceptions=True)

    listen = _request(
        1, "subscriptions/listen", {"notifications": {"resourceSubscriptions": ["masc://messages"]}, "_meta": _META}
    )
    modern = {**_ACCEPT, "mcp-protocol-version": "2026-07-28", "mcp-method": "subscriptions/listen"}
    kinds: list[tuple[str, Callable[[], Any]]] = [
        ("REST message.poll", polls),
        ("REST event.list", reads),
        ("SSE", lambda: stream("SSE", "GET", "/api/v1/events")),
        ("WebSocket", socket),
        ("MCP session", session),
        ("MCP /sse", lambda: stream("MCP /sse", "GET", "/sse", headers=_ACCEPT)),
        ("MCP listen", lambda: stream("MCP listen", "POST", "/mcp", json=listen, headers=modern)),
    ]
    return kinds * each


_INFO = {"name": "bench", "version": "1"}
_HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": _INFO}
_META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": _INFO,
    "io.modelcontextprotocol/clientCapabilities": {},
}


def _request(number: int, method: str, params: dict[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
