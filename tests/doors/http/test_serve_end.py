"""The end of a server: signals while requests run, streams are open, and somebody does not end."""

import signal
import socket
import threading
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.doors.http.running import repository, serving

ANN = {"X-Comity-Agent": "ann"}


class Asking(threading.Thread):
    """One request on a thread of its own; ``answer`` is what came of it."""

    def __init__(self, url: str, path: str, body: dict[str, Any]) -> None:
        super().__init__(daemon=True)
        self._url, self._path, self._body = url, path, body
        self.answer: httpx2.Response | Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            with httpx2.Client(base_url=self._url, timeout=30) as client:
                self.answer = client.post(self._path, json=self._body, headers=ANN)
        except httpx2.HTTPError as error:
            self.answer = error


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_waiting_request_is_answered_at_the_end(tmp_path: Path, number: int) -> None:
    with serving(repository(tmp_path / "shop")) as server:
        server.post("/api/v1/session.start", headers=ANN)
        asking = Asking(server.url, "/api/v1/message.poll", {"waitMs": 60_000})
        while "comity_requests_running 2.0" not in server.get("/metrics").text:
            continue  # the poll, and the question itself
        assert server.stop(number) == 0
        asking.join(20)
        assert isinstance(asking.answer, httpx2.Response), asking.answer
        assert asking.answer.status_code in {200, 503}
    assert "Comity ended" in server.said[-1]


def test_idle_connections_do_not_hold_the_end_up(tmp_path: Path) -> None:
    with serving(repository(tmp_path / "shop")) as server:
        idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(3)]
        idle[0].sendall(b"GET /health HTTP/1.1\r\nHost: ")
        kept = httpx2.Client(base_url=server.url)
        assert kept.get("/health").status_code == 200
        assert server.stop() == 0
        kept.close()
        for connection in idle:
            connection.close()
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", server.port))


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    with serving(repository(tmp_path / "shop")) as server:
        hold = socket.create_connection(("127.0.0.1", server.port))
        request = f"POST /api/v1/message.send HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Length: 9\r\n\r\n{{"
        hold.sendall(request.encode())
        assert server.get("/health").status_code == 200
        server.process.send_signal(signal.SIGTERM)
        server.wait_for_line("Comity ends")
        assert server.get("/health/ready").status_code == 503
        refused = server.get("/api/v1/task.list")
        assert (refused.status_code, refused.json()["reason"]) == (503, "server.ending")
        assert refused.headers["connection"] == "close"
        assert server.stop(signal.SIGINT) == 128 + signal.SIGINT
        hold.close()


def test_a_request_that_never_ends_is_cut_off(tmp_path: Path) -> None:
    with serving(repository(tmp_path / "shop")) as server:
        hold = socket.create_connection(("127.0.0.1", server.port))
        request = f"POST /api/v1/message.send HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Length: 9\r\n\r\n{{"
        hold.sendall(request.encode())
        assert server.get("/health").status_code == 200
        assert server.stop() == 0
        assert any("was cut off" in line for line in server.said)
        hold.close()
