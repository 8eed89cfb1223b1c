"""A stdio server as an agent's host runs it: ``python -m comity mcp``, spoken to in JSON lines."""

from __future__ import annotations

import compileall
import json
import os
import subprocess
import sys
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import apsw

import comity
from bench.accounts import Accounted


class Server(Accounted):
    """One process. Calls go one by one: ``ask`` sends and reads the answer."""

    def __init__(self, path: str, agent_id: str, durability: str = "normal") -> None:
        command = [sys.executable, "-m", "comity", "mcp", "--db", path, "--agent-id", agent_id]
        command += ["--session-id", f"session-{agent_id}", "--channel", "main", "--durability", durability]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_environment())
        self._ids = count(1)

    def send(self, method: str, **params: object) -> int:
        """One request; its id."""
        number = next(self._ids)
        self._write({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        return number

    def receive(self, number: int) -> Any:
        """The result of that request; what else comes in between is passed over."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            message = json.loads(line)
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]
        raise AssertionError(f"the server ended with {self.process.wait()}")

    def greet(self) -> None:
        """Ask for ``initialize`` and do not wait for the answer."""
        client = {"name": "bench", "version": "1"}
        self.send("initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo=client)
        self._write({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def start_call(self, tool: str, **arguments: object) -> int:
        """Send a tool call; its id."""
        return self.send("tools/call", name=tool, arguments=arguments)

    def call(self, tool: str, **arguments: object) -> Any:
        """A tool's answer, which must not be an error."""
        result = self.receive(self.start_call(tool, **arguments))
        assert not result.get("isError"), result
        return result

    def close(self) -> None:
        """End of input, as hosts end a session."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def _write(self, message: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def compile_bytecode() -> None:
    """As an installed package has it: otherwise every start compiles every source file."""
    for package in (comity, apsw):
        assert package.__file__ is not None
        compileall.compile_dir(str(Path(package.__file__).parent), quiet=2)


def _environment() -> dict[str, str]:
    foreign = ("MACP_", "COMITY_", "CLAUDE", "GEMINI")
    return {
        name: value
        for name, value in os.environ.items()
        if name != "PYTHONDONTWRITEBYTECODE" and not name.startswith(foreign)
    }
