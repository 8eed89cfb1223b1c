"""Whoever says nothing, takes nothing or does not finish is ended, and holds nobody up meanwhile.

Bounds that take long are made short; the kernel is asked by the listener as it is in earnest.
"""

import json
import resource
import select
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import h2.config
import h2.connection
import h2.events
import h2.settings
import httpx2
import pytest

from comity.kernel.problem import Limited
from comity.server.bounds import BOUNDS, Bodies, shares, within_descriptors
from tests.doors.http.bounded import LARGE, bounded
from tests.doors.http.running import Server

TIMEOUT_S = 20.0
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells of connections")
HANDSHAKE = (
    "GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def dial(port: int, said: bytes = b"") -> socket.socket:
    """A connection that said so much."""
    end = socket.create_connection(("127.0.0.1", port), TIMEOUT_S)
    end.sendall(said)
    return end


def last_words(end: socket.socket) -> bytes:
    """What comes until the other side ends it."""
    heard = b""
    try:
        while data := end.recv(65536):
            heard += data
    except ConnectionError:
        pass
    return heard


def asked(port: int, path: str = "/") -> httpx2.Response:
    """One request on a connection of its own."""
    return httpx2.get(f"http://127.0.0.1:{port}{path}", timeout=TIMEOUT_S)


@LINUX
@pytest.mark.parametrize("said", [b"", b"PRI * HTTP/2.0\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"])
def test_a_connection_that_asks_nothing_is_ended(said: bytes) -> None:
    with bounded(silent_s=0.2, look_s=0.05) as port, httpx2.Client(base_url=f"http://127.0.0.1:{port}") as client:
        assert client.get("/").status_code == 200
        with dial(port, said) as end:
            last_words(end)
        assert client.get("/").text == "ok"  # on the connection that had asked before


@LINUX
def test_with_little_room_the_silent_ones_of_the_greediest_go_first() -> None:
    with bounded(connections=64, look_s=0.05, silent_s=60.0) as port, ExitStack() as open_ones:
        speaking = open_ones.enter_context(httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=TIMEOUT_S))
        assert speaking.get("/").text == "ok"
        ends = [open_ones.enter_context(dial(port)) for _ in range(100)]
        assert asked(port).text == "ok"
        assert speaking.get("/").text == "ok"
        last_words(ends[-1])


def test_more_silent_connections_than_can_wait_leave_room(server: Server) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < 3000:
        pytest.skip("too few open files")
    with raised(2000), ExitStack() as open_ones:
        for _ in range(1200):
            open_ones.enter_context(dial(server.port))
        assert asked(server.port, "/health").status_code == 200


@contextmanager
def raised(number: int) -> Iterator[None]:
    """So many open files for a while."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, number), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Windowless:
    """One HTTP/2 connection that lets no byte of a body come."""

    def __init__(self, port: int) -> None:
        self._authority = f"127.0.0.1:{port}"
        self._http = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        nothing = {h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 0}
        self._http.local_settings = h2.settings.Settings(client=True, initial_values=nothing)
        self._http.initiate_connection()
        self.socket = dial(port, self._http.data_to_send())
        self.status: list[str] = []

    def ask(self, count: int, path: str) -> None:
        """So many requests at once."""
        for _ in range(count):
            number = self._http.get_next_available_stream_id()
            head = [(":method", "GET"), (":path", path), (":authority", self._authority), (":scheme", "http")]
            self._http.send_headers(number, head, end_stream=True)
        self.socket.sendall(self._http.data_to_send())

    def hear(self) -> bool:
        """Take what has come; False at the end."""
        try:
            data = self.socket.recv(65536)
        except ConnectionError:
            return False
        for event in self._http.receive_data(data) if data else ():
            if isinstance(event, h2.events.ResponseReceived):
                self.status.append(dict(event.headers)[b":status"].decode())
        return bool(data)


@LINUX
def test_answers_that_nobody_takes_are_bounded_and_end_their_connection() -> None:
    few = {"unread_each_bytes": 2_000_000, "unread_bytes": 4_000_000, "unread_s": 0.5, "look_s": 0.05}
    with bounded(**few) as port:
        foe = Windowless(port)
        foe.ask(100, "/large")
        while foe.hear():
            pass
        foe.socket.close()
        assert foe.status.count("429") > 80
        assert foe.status.count("200") <= 12
        assert asked(port, "/large").content == LARGE


def test_an_answer_in_pieces_is_whole_however_many_ask_at_once(server: Server) -> None:
    whole = server.get("/api/v1/openapi.json")
    assert server.get("/api/v1/openapi.json", headers={"if-none-match": whole.headers["etag"]}).status_code == 304
    assert server.client.head("/api/v1/openapi.json").headers["content-length"] == str(len(whole.content))
    foe = Windowless(server.port)
    foe.ask(600, "/api/v1/openapi.json")
    while len(foe.status) < 500:
        assert foe.hear()
    assert server.get("/api/v1/openapi.json").content == whole.content
    assert asked(server.port, "/api/v1/openapi.json").content == whole.content
    foe.socket.close()


def unfinished(port: int, *frames: tuple[int, int, int]) -> socket.socket:
    """A WebSocket that sent frames: first byte, declared size, sent size."""
    end = dial(port, HANDSHAKE.format(port=port).encode())
    assert b" 101 " in end.recv(4096)
    for first, declared, sent in frames:
        try:
            end.sendall(struct.pack("!BBQ4s", first, 0xFF, declared, bytes(4)) + b"x" * sent)
        except ConnectionError:
            break
    return end


@LINUX
@pytest.mark.parametrize(
    "frames", [[(0x81, 16_000_000, 3_000_000)], [(0x01, 200_000, 200_000), *[(0x00, 200_000, 200_000)] * 20]]
)
def test_a_message_without_end_is_ended_long_before_it_is_large(
    server: Server, frames: list[tuple[int, int, int]]
) -> None:
    with unfinished(server.port, *frames) as end:
        last_words(end)
    figures = server.get("/metrics").text
    assert 'comity_connections_cut_total{why="unfinished"}' in figures


@LINUX
def test_many_messages_without_end_are_too_much_together() -> None:
    with bounded(messages_bytes=1_000_000) as port, ExitStack() as open_ones:
        ends = [open_ones.enter_context(unfinished(port, (0x81, 900_000, 300_000))) for _ in range(5)]
        ended, _, _ = select.select(ends, [], [], TIMEOUT_S)
        assert ended


def test_messages_that_end_are_answered_however_many_there_are(server: Server) -> None:
    said = json.dumps({"id": 1, "type": "ping", "more": "x" * 100_000}).encode()
    frame = struct.pack("!BBQ4s", 0x81, 0xFF, len(said), bytes(4)) + said
    with unfinished(server.port) as end:
        heard = b""
        for number in range(60):
            end.sendall(frame)
            while heard.count(b'"pong"') <= number:
                data = end.recv(65536)
                assert data
                heard += data


@pytest.mark.parametrize("path", ["/api/v1/session.start", "/broadcast", "/mcp"])
@pytest.mark.parametrize("body", [b"-1\r\n", b"zz\r\n{}\r\n", b"5\r\n{", b"5\r\n{}"])
def test_a_body_that_breaks_off_is_no_failure_of_the_server(server: Server, path: str, body: bytes) -> None:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nX-Comity-Agent: a\r\n"
        "Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: 2025-11-25\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    with dial(server.port, head.encode() + body) as end:
        end.shutdown(socket.SHUT_WR)
        heard = last_words(end)
    assert not heard or heard.startswith(b"HTTP/1.1 400 "), heard
    assert server.get("/health").status_code == 200
    assert not any("Traceback" in line for line in server.said)


def test_bodies_find_room_or_are_told_to_wait() -> None:
    bodies = Bodies(1000, 100)
    bodies.take("one", 500)
    with pytest.raises(Limited) as told:
        bodies.take("one", 1)
    assert told.value.reason == "body.no_room"
    bodies.take("two", 400)
    with pytest.raises(Limited):
        bodies.take("three", 101)
    bodies.give("one", 500)
    bodies.take("three", 500)
    assert bodies.total == 900


@pytest.mark.parametrize(
    ("counts", "most", "each"),
    [
        ({"a": 5, "b": 5}, 10, 10),
        ({"a": 50, "b": 5}, 20, 15),
        ({"a": 50, "b": 50, "c": 2}, 22, 10),
        ({}, 7, 7),
    ],
)
def test_shares_leave_the_small_alone(counts: dict[str, int], most: int, each: int) -> None:
    assert shares(counts, most) == each


def test_there_are_never_more_connections_than_descriptors() -> None:
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        found: Any = within_descriptors(BOUNDS)
        assert found.connections < resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, soft)
