"""``comity serve`` as a process on a benchmark's ground, and bare clients of its event stream."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from bench.accounts import Accounted

START_S = 30.0
_EVENT = b"\nid: "
_KEPT = len(_EVENT) - 1
_BUFFER = bytearray(1024 * 1024)
_SPACE = memoryview(_BUFFER)


class Served(Accounted):
    """One server on a database file, open to this machine."""

    def __init__(self, database: str, folder: str) -> None:
        self.port = free_port()
        command = [sys.executable, "-m", "comity", "serve", "--target-dir", folder, "--db", database]
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("MACP_", "COMITY_", "MASC_", "OTEL_"))}
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the server)
        self.process = subprocess.Popen(
            [*command, "--port", str(self.port)], stdin=subprocess.DEVNULL, stderr=self._said, env=kept
        )
        self._wait_until_ready()

    def close(self) -> None:
        """Stop it."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._said.close()

    def _wait_until_ready(self) -> None:
        end = time.monotonic() + START_S
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if b" 200 " in get(self.port, "/health/ready").partition(b"\r\n")[0]:
                    return
            except OSError:
                pass
            time.sleep(0.02)
        self._said.seek(0)
        raise SystemExit(f"the server did not start:\n{self._said.read().decode(errors='replace')}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Ear:
    """One event stream over HTTP/1.1 that knows as little as possible: how many events came after ``wait_for``."""

    def __init__(self, port: int, path: str = "/api/v1/events") -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        self.events = 0
        self.over = False
        self._tail = bytes(_KEPT)

    def wait_for(self, text: bytes) -> bytes:
        """What came up to and with the first chunk that holds ``text``."""
        found = b""
        while text not in found:
            chunk = self.socket.recv(65536)
            assert chunk, f"the stream ended: {found[-200:]!r}"
            found += chunk
        return found

    def hear(self) -> None:
        """Count what has come."""
        size = self.socket.recv_into(_SPACE[_KEPT:])
        self.over = not size
        _BUFFER[:_KEPT] = self._tail
        self.events += _BUFFER.count(_EVENT, 0, _KEPT + size)
        self._tail = bytes(_BUFFER[size : size + _KEPT])

    def close(self) -> None:
        """Go away."""
        self.socket.close()


def ready(poll: select.epoll, ears: dict[int, Ear], timeout_s: float) -> Iterator[Ear]:
    """Those for whom something has come."""
    for descriptor, _ in poll.poll(timeout_s):
        yield ears[descriptor]


def get(port: int, path: str) -> bytes:
    """One GET's whole answer."""
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
        found = b""
        while chunk := connection.recv(65536):
            found += chunk
    return found


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
