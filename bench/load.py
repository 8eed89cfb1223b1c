"""``python -m bench.load``: many clients, each on a connection of its own, one request after another.

Reads a plan (JSON) from standard input and writes what came of it. Written for one thing: costing little beside the
server. Requests are made of parts beforehand; of an answer only its length and status are looked at.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from itertools import count
from typing import Any, NamedTuple

# Of eight digits, so that a body's length stays the same; another run has others.
_NUMBERS = count(10_000_000 + time.time_ns() // 100_000 % 80_000_000)
PLACE = "NUMBER##"  # where a request's number goes


class Plan(NamedTuple):
    """``rounds`` are requests by client, each ``[head, body]``; ``greetings`` are sent once a connection, before."""

    port: int
    seconds: float
    rounds: list[list[tuple[str, str]]]
    greetings: list[list[tuple[str, str]]] = []


class Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, plan: Plan, number: int, end: float, over: asyncio.Future[None]) -> None:
        self._greeting = list(plan.greetings[number]) if plan.greetings else []
        self._round = [_parts(head, body) for head, body in plan.rounds[number % len(plan.rounds)]]
        self._next = number % len(self._round)  # clients do not march in step
        self._end = end
        self._over = over
        self._got = b""
        self._session = b""
        self.took: list[float] = []
        self.failed: list[str] = []

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._over.done():
            self.failed.append("the connection was closed")
            self._over.set_result(None)

    def data_received(self, data: bytes) -> None:
        self._got += data
        end = self._got.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._got[:end].lower()
        place = head.find(b"content-length:")
        if place >= 0:
            whole = len(self._got) >= end + 4 + int(head[place + 15 :].split(b"\r\n", 1)[0])
        else:
            whole = b"transfer-encoding" not in head or self._got.endswith(b"0\r\n\r\n")
        if whole:
            self._answered(head)

    def _answered(self, head: bytes) -> None:
        now = time.perf_counter()
        if head[9:10] != b"2" or b'"isError":true' in self._got:
            self.failed.append(self._got[:600].decode("utf-8", "replace"))
        self._got, place = b"", head.find(b"mcp-session-id:")
        if self._greeting:
            self._greeting.pop(0)
            if place >= 0:
                value = head[place + 15 :].split(b"\r\n", 1)[0].strip()
                self._session = b"Mcp-Session-Id: " + value + b"\r\n"
        else:
            self.took.append(now - self._began)
        if now >= self._end or len(self.failed) > 20:
            self._over.set_result(None)
            self._transport.close()
        else:
            self._send()

    def _send(self) -> None:
        if self._greeting:
            head, before, after = _parts(*self._greeting[0])
        else:
            head, before, after = self._round[self._next]
            self._next = (self._next + 1) % len(self._round)
        body = before + str(next(_NUMBERS)).encode() + after if after else before
        if self._session:
            head = head[:-2] + self._session + b"\r\n"
        self._began = time.perf_counter()
        self._transport.write(head + body)


def _parts(head: str, body: str) -> tuple[bytes, bytes, bytes]:
    before, _, after = body.partition(PLACE)
    size = f"Content-Length: {len(body.encode())}\r\n" if body else ""
    return f"{head}{size}\r\n".encode(), before.encode(), after.encode()


async def _run(plan: Plan) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    start = time.perf_counter()
    clients = []
    for number in range(len(plan.rounds)):
        over: asyncio.Future[None] = loop.create_future()
        client = Client(plan, number, start + plan.seconds, over)
        clients.append((client, over))
    for client, _ in clients:
        await loop.create_connection(lambda client=client: client, "127.0.0.1", plan.port)  # type: ignore[misc]
    await asyncio.gather(*(over for _, over in clients))
    took = time.perf_counter() - start
    times = [one for client, _ in clients for one in client.took]
    failed = [one for client, _ in clients for one in client.failed]
    return {
        "calls": len(times),
        "seconds": took,
        "failed": failed[:5],
        "busy": time.process_time() / took,
        "took": times,
    }


if __name__ == "__main__":
    given = json.load(sys.stdin)
    json.dump(asyncio.run(_run(Plan(**given))), sys.stdout)
