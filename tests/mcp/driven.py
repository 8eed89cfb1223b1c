"""A server process on raw pipes: lines in as bytes, messages out parsed, and a timeout on everything."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Self

import comity.mcp.wire

TIMEOUT_S = 20.0
TOY = Path(__file__).with_name("toy_surface.py")
SOURCES = Path(comity.mcp.wire.__file__).parents[2]

ENVELOPE: dict[str, Any] = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


def environment() -> dict[str, str]:
    """The environment in which a child finds this very package."""
    return {**os.environ, "PYTHONPATH": str(SOURCES)}


def request(request_id: object, method: str, **params: object) -> dict[str, Any]:
    """A request of the handshake era."""
    return {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}


def enveloped(request_id: object, method: str, **params: object) -> dict[str, Any]:
    """A request of the per-request era."""
    return request(request_id, method, _meta=ENVELOPE, **params)


def initialize(request_id: object, version: str = "2025-11-25") -> dict[str, Any]:
    client = {"name": "test", "version": "1"}
    return request(request_id, "initialize", protocolVersion=version, capabilities={}, clientInfo=client)


def cancel(request_id: object) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": request_id}}


class Driven:
    """A toy server process."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(TOY), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=environment(),
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.stdin, self.stdout, self.stderr = self.process.stdin, self.process.stdout, self.process.stderr
        self._rest: dict[int, bytes] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _tb: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.stdin, self.stdout, self.stderr):
            pipe.close()

    def send(self, *messages: object) -> None:
        """Messages, one per line; bytes go in as they are."""
        data = b"".join(m if isinstance(m, bytes) else json.dumps(m).encode() + b"\n" for m in messages)
        view = memoryview(data)
        while view:
            _, writable, _ = select.select([], [self.stdin], [], TIMEOUT_S)
            assert writable, "the server does not read"
            view = view[os.write(self.stdin.fileno(), view[:4096]) :]

    def line(self, descriptor: int | None = None) -> bytes:
        """The next line of standard output (or of another descriptor); empty at the end."""
        source = self.stdout.fileno() if descriptor is None else descriptor
        buffer = self._rest.get(source, b"")
        deadline = monotonic() + TIMEOUT_S
        while b"\n" not in buffer:
            readable, _, _ = select.select([source], [], [], max(0, deadline - monotonic()))
            assert readable, f"nothing came; so far {buffer[:200]!r}"
            chunk = os.read(source, 1 << 20)
            if not chunk:
                return buffer
            buffer += chunk
        line, _, self._rest[source] = buffer.partition(b"\n")
        return line

    def receive(self) -> Any:
        """The next message."""
        return json.loads(self.line())

    def ask(self, message: dict[str, Any]) -> Any:
        """The answer to one request, when it is the next message."""
        self.send(message)
        answer = self.receive()
        assert answer.get("id") == message["id"], answer
        return answer

    def said(self, text: str) -> None:
        """Until standard error has said this."""
        while text.encode() not in (line := self.line(self.stderr.fileno())):
            assert line, f"standard error ended without {text!r}"

    def end(self) -> int:
        """Close the input and wait for the process."""
        self.stdin.close()
        return self.process.wait(TIMEOUT_S)
