"""What every answer says of itself, and what is not taken: a body that is not as it seems, a host that is not ours."""

from __future__ import annotations

import gzip
import json
import socket

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.doors.http.byhand import ACCEPT, Speak
from tests.doors.http.running import Server

ANN = {"x-comity-agent": "ann"}
JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/health", {}, 200),
        ("HEAD", "/health", {}, 200),
        ("GET", "/api/v1/task.list", {}, 200),
        ("GET", "/metrics", {}, 200),
        ("GET", "/", {}, None),
        ("GET", "/nothing", {}, 404),
        ("DELETE", "/api/v1/task.list", {}, 405),
        ("GET", "/api/v1/token.list", {"authorization": "Bearer x"}, 401),
        ("GET", "/api/v1/task.list", {"host": "evil.example"}, 421),
        ("GET", "/api/v1/task.list", {"origin": "https://evil.example"}, 403),
        ("POST", "/mcp", {}, None),
        ("GET", "/mcp", {"accept": "text/event-stream"}, None),
    ],
)
def test_no_answer_is_taken_for_another_type_or_names_the_program(
    server: Server, method: str, path: str, headers: dict[str, str], status: int | None
) -> None:
    with server.client.stream(method, path, headers=headers) as told:
        assert status is None or told.status_code == status
        assert told.headers.get_list("x-content-type-options") == ["nosniff"]
        assert told.headers.get_list("server") == ["comity"]


def test_streams_and_sessions_say_the_same(server: Server, speak: Speak) -> None:
    speaker = speak(server)
    with server.client.stream("GET", "/api/v1/events") as stream, speaker.listening() as own:
        for told in (stream, own, speaker.opened, speaker.post("ping"), speaker.notify("notifications/nothing")):
            assert told.headers.get_list("x-content-type-options") == ["nosniff"]
            assert told.headers.get_list("server") == ["comity"]
    with connect(f"ws://127.0.0.1:{server.port}/ws", additional_headers=ANN) as opened:
        assert opened.response is not None
        assert "granian" not in str(opened.response.headers).lower()
    with pytest.raises(InvalidStatus) as refused:
        connect(f"ws://127.0.0.1:{server.port}/ws", additional_headers={"origin": "https://evil.example"})
    assert refused.value.response.status_code == 403
    assert refused.value.response.headers.get_all("server") == ["comity"]
    assert refused.value.response.headers.get_all("x-content-type-options") == ["nosniff"]


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "br", "deflate", "identity, gzip", "x-nothing"])
@pytest.mark.parametrize("path", ["/api/v1/task.dispatch", "/mcp"])
def test_a_body_that_is_compressed_is_not_taken(server: Server, path: str, coding: str) -> None:
    body = gzip.compress(json.dumps({"title": "Squeezed"}).encode())
    headers = {**ACCEPT, **ANN, "content-encoding": coding}
    told = server.client.post(path, content=body, headers=headers)
    assert (told.status_code, told.json()["reason"]) == (415, "body.encoding")
    assert told.headers["accept-encoding"] == "identity"
    assert server.get("/api/v1/task.list").json()["tasks"] == []


def test_a_body_that_says_it_is_plain_is_taken(server: Server) -> None:
    headers = {**JSON, **ANN, "content-encoding": "identity"}
    assert server.client.post("/api/v1/profile.list", content=b"{}", headers=headers).status_code == 405
    told = server.client.post("/api/v1/session.start", content=b"{}", headers=headers)
    assert told.status_code == 200, told.text


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_whole_address_without_a_host_of_ours_is_refused(server: Server, version: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(f"GET http://evil.example/health HTTP/{version}\r\nConnection: close\r\n\r\n".encode())
        read = b""
        while part := connection.recv(65536):
            read += part
    assert b"host.unknown" in read
