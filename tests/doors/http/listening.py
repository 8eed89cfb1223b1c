"""Listening to a server's event stream: blocks as they come, many streams on one HTTP/2 connection."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import apsw
import h2.config
import h2.connection
import h2.events
import httpx2

from comity.store.bell import Bell
from tests.doors.http.running import Server

EVENTS = "/api/v1/events"
TIMEOUT_S = 30.0


class Block(NamedTuple):
    """One block of a stream."""

    id: str
    event: str
    data: Any


class Stream:
    """An open stream; iterate over its blocks, ``ready`` and signs of life left out unless asked for."""

    def __init__(self, response: httpx2.Response) -> None:
        self.response = response
        self.last = ""
        self._lines = response.iter_lines()

    def next(self) -> Block:
        """The next block. Raises StopIteration at the end of the stream."""
        found: dict[str, str] = {}
        for line in self._lines:
            if not line and "data" in found:
                self.last = found.get("id", self.last)
                return Block(found.get("id", ""), found.get("event", "message"), json.loads(found["data"]))
            if not line:
                found = {}
                continue
            name, _, value = line.partition(": ")
            found[name] = value
        raise StopIteration

    def ready(self) -> str:
        """The cursor from which on it is live."""
        block = self.next()
        assert block.event == "ready", block
        return block.id

    def take(self, count: int) -> list[Block]:
        """The next few events."""
        taken: list[Block] = []
        while len(taken) < count:
            block = self.next()
            if block.event != "ready":
                taken.append(block)
        return taken

    def until(self, cursor: int) -> list[Block]:
        """Everything up to an event of the log."""
        taken = self.take(1)
        while int(taken[-1].id) < cursor:
            taken += self.take(1)
        return taken


@contextmanager
def listening(server: Server, query: str = "", last: str = "", **headers: str) -> Iterator[Stream]:
    """A stream for a while."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if last:
        sent["last-event-id"] = last
    with (
        httpx2.Client(base_url=server.url, timeout=TIMEOUT_S) as client,
        client.stream("GET", f"{EVENTS}?{query}", headers=sent) as response,
    ):
        assert response.status_code == 200, response.read()
        yield Stream(response)


def log(server: Server, **arguments: Any) -> list[dict[str, Any]]:
    """The whole log, in pages."""
    events: list[dict[str, Any]] = []
    after = str(arguments.pop("after", 0))
    while True:
        page = server.get("/api/v1/event.list", params={"after": after, "limit": 1000, **arguments}).json()
        events += page["events"]
        if len(page["events"]) < 1000:
            return events
        after = page["cursor"]


def write_events(database: str, count: int, event_type: str = "tests.flood", size: int = 400) -> int:
    """Somebody writes many rows at once; the last one's id."""
    connection = apsw.Connection(database)
    connection.set_busy_timeout(10_000)
    row = (event_type, "2020-01-01T00:00:00.000Z", "MACP_OK", json.dumps({"much": "z" * size}))
    with connection:
        connection.executemany(
            "INSERT INTO audit_log (event_type, timestamp, reason_code, metadata_json) VALUES (?, ?, ?, ?)",
            [row] * count,
        )
    last = connection.last_insert_rowid()
    connection.close()
    bell = Bell(f"{database}.bell")
    bell.ring(["somebody"])
    bell.close()
    return last


class Streams:
    """Many streams on one HTTP/2 connection."""

    def __init__(self, server: Server) -> None:
        self._authority = f"127.0.0.1:{server.port}"
        self.socket = socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S)
        self._http = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        self._http.initiate_connection()
        self._http.increment_flow_control_window(1 << 30)
        self.status: dict[int, str] = {}
        self.bodies: dict[int, bytes] = {}
        self.over: set[int] = set()
        self._flush()

    def open(self, count: int, query: str = "") -> list[int]:
        """Ask for more streams; their numbers."""
        opened = []
        for _ in range(count):
            number = self._http.get_next_available_stream_id()
            path = f"{EVENTS}?{query}"
            headers = [(":method", "GET"), (":path", path), (":authority", self._authority), (":scheme", "http")]
            self._http.send_headers(number, headers, end_stream=True)
            self.bodies[number] = b""
            opened.append(number)
            self._flush()
        return opened

    def most(self) -> int:
        """How many streams the server lets one connection have."""
        return int(self._http.remote_settings.max_concurrent_streams)

    def hear_until(self, text: bytes, numbers: list[int]) -> None:
        """Until all of these streams have said it, or are over."""
        waiting = set(numbers)
        while waiting := {one for one in waiting if text not in self.bodies[one] and one not in self.over}:
            self.hear()

    def hear(self) -> None:
        """Take what has come."""
        data = self.socket.recv(1 << 20)
        assert data, "the server closed the connection"
        for event in self._http.receive_data(data):
            if isinstance(event, h2.events.ResponseReceived):
                self.status[event.stream_id] = dict(event.headers)[b":status"].decode()
            elif isinstance(event, h2.events.DataReceived):
                self.bodies[event.stream_id] += event.data
                self._http.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded | h2.events.StreamReset):
                self.over.add(event.stream_id)
        self._flush()

    def close(self) -> None:
        """Go away."""
        self.socket.close()

    def _flush(self) -> None:
        self.socket.sendall(self._http.data_to_send())
