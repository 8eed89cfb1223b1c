"""The guard is the same behind HTTP/1.1, HTTP/2 and its abuses; a slow or rude client holds nobody else up."""

import os
import socket
import subprocess
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Self

import h2.config
import h2.connection
import h2.errors
import h2.events
import pytest

from tests.doors.http.running import PROGRAM, Server, environment, free_port, repository

Headers = list[tuple[str, str]]


class Http2:
    """One raw HTTP/2 connection, which sends whatever it is told to."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        rude = h2.config.H2Configuration(
            header_encoding="utf-8", validate_outbound_headers=False, normalize_outbound_headers=False
        )
        self.connection = h2.connection.H2Connection(rude)
        self.connection.initiate_connection()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def ask(self, headers: Headers) -> tuple[int, bytes]:
        """Status and body of one request; 0 when the stream or the connection was refused."""
        self.connection.send_headers(self.connection.get_next_available_stream_id(), headers, end_stream=True)
        self.socket.sendall(self.connection.data_to_send())
        status, body = 0, b""
        while part := self.socket.recv(65536):
            for event in self.connection.receive_data(part):
                if isinstance(event, h2.events.ResponseReceived):
                    status = int({str(name): value for name, value in event.headers}[":status"])
                elif isinstance(event, h2.events.DataReceived):
                    body += event.data
                elif isinstance(event, h2.events.StreamEnded):
                    return status, body
                elif isinstance(event, h2.events.StreamReset | h2.events.ConnectionTerminated):
                    return 0, b""
            self.socket.sendall(self.connection.data_to_send())
        return 0, b""


def get(authority: str | None, *more: tuple[str, str], path: str = "/api/v1/agent.list") -> Headers:
    named = [] if authority is None else [(":authority", authority)]
    return [(":method", "GET"), (":scheme", "http"), (":path", path), *named, *more]


def test_http2_goes_through_the_same_guard(server: Server) -> None:
    own = f"127.0.0.1:{server.port}"
    for headers, expected in (
        (get(own), 200),
        (get("evil.example"), 421),
        (get(None), 421),
        (get(own, ("host", "evil.example")), 421),
        (get(own, ("origin", "http://evil.example")), 403),
        (get(own, ("authorization", "Bearer nonsense")), 401),
        (get(own, path="/api/v1/../../etc/passwd"), 404),
        (get(own, path="http://evil.example/api/v1/agent.list"), 0),
    ):
        with Http2(server.port) as client:
            assert client.ask(headers)[0] == expected, headers


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ("GET /health HTTP/1.1\r\nHost: {own}\r\n", b"200"),
        ("GET /health HTTP/1.1\r\nHost: {own}\r\nHost: evil.example\r\n", b"421"),
        ("GET /health HTTP/1.1\r\nHost: evil.example\r\nHost: {own}\r\n", b"421"),
        ("GET /health HTTP/1.0\r\n", b"421"),
        ("GET /health HTTP/1.1\r\nHost: {own}\r\nOrigin: http://{own}\r\nOrigin: http://evil.example\r\n", b"403"),
    ],
)
def test_a_header_that_is_there_twice_counts_twice(server: Server, lines: str, status: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall((lines.format(own=f"127.0.0.1:{server.port}") + "\r\n").encode())
        assert connection.recv(65536).split(b" ", 2)[1] == status


def test_streams_that_are_opened_and_reset_do_not_tire_the_server(server: Server) -> None:
    with Http2(server.port) as rude, suppress(BrokenPipeError, ConnectionResetError):  # it is shown the door
        for _ in range(3000):
            stream = rude.connection.get_next_available_stream_id()
            rude.connection.send_headers(stream, get(f"127.0.0.1:{server.port}"), end_stream=True)
            rude.connection.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
            rude.socket.sendall(rude.connection.data_to_send())
    assert server.get("/api/v1/agent.list").status_code == 200


def test_two_hundred_slow_clients_hold_nobody_up(server: Server) -> None:
    with ExitStack() as slow:
        for number in range(200):
            connection = slow.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=20))
            head = f"POST /api/v1/task.dispatch HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
            if number % 2:  # a body that never comes
                head += "Content-Type: application/json\r\nContent-Length: 100\r\nX-Comity-Agent: slow\r\n\r\n{"
            connection.sendall(head.encode())
        for _ in range(20):
            assert server.get("/api/v1/agent.list").status_code == 200
    assert server.get("/api/v1/task.list").json()["tasks"] == []


def test_headers_without_end_are_refused(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        head = f"GET /health HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n" + "X-Long: " + "x" * 2_000_000
        try:
            connection.sendall(head.encode())
            told = connection.recv(65536)
        except (BrokenPipeError, ConnectionResetError):
            told = b""
        assert told == b"" or told.split(b" ", 2)[1] in (b"431", b"400")
    assert server.get("/health").status_code == 200


def test_a_listener_that_takes_sockets_otherwise_is_told(tmp_path: Path) -> None:
    """By a process of its own, in which granian lacks the name that takes our socket."""
    (tmp_path / "sitecustomize.py").write_text("import granian.net\ndel granian.net.SocketHolder\n")
    folder = repository(tmp_path / "shop")
    told = subprocess.run(
        [*PROGRAM, "serve", "--port", str(free_port())],
        cwd=folder,
        env=environment(PYTHONPATH=os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.returncode == 8, told.stderr
    assert "takes a socket in another way" in told.stderr
    assert "Traceback" not in told.stderr
