"""Hooks as hosts start them: the Python launcher, or the compiled one; and servers that are no servers."""

from __future__ import annotations

import _socket
import json
import os
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from comity.hosts import compiled_launcher
from comity.hosts.hook_install import launched
from comity.launcher import asking
from tests.doors.cli.program import TIMEOUT_S, Done
from tests.doors.hook.hooked import Hooked


def compiled(folder: Path) -> str:
    """The compiled launcher, with its user's data in this folder; empty where nothing compiles."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(folder))
        patch.delenv(compiled_launcher.SWITCH, raising=False)
        return compiled_launcher.build(launched())


class Launcher:
    """One of the launchers, in a repository with hooks."""

    def __init__(self, hooked: Hooked, program: tuple[str, ...]) -> None:
        self.hooked, self.program = hooked, program

    def begin(self, event: str, host: str = "claude-code", **environment: str) -> subprocess.Popen[bytes]:
        """Start it; its host has said nothing yet."""
        return subprocess.Popen(
            [*self.program, "hook", host, event],
            cwd=self.hooked.folder,
            env=self.hooked.comity.environment(**environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def __call__(self, event: str, session: str = "S1", env: dict[str, str] | None = None, **told: Any) -> Done:
        """One event of a session of Claude Code."""
        process = self.begin(event, **(env or {}))
        out, err = process.communicate(payload(self.hooked, event, session, **told), TIMEOUT_S)
        return Done(process.returncode, out.decode(), err.decode())

    def edit(self, path: str, session: str = "S1", **told: Any) -> Done:
        """The session wants to edit a file."""
        return self("PreToolUse", session, tool_name="Write", tool_input={"file_path": path}, **told)

    def loaded(self, event: str, **told: Any) -> set[str]:
        """The modules that the process loads for an event."""
        python, *words = launched()
        command = [python, "-X", "importtime", *words, "hook", "claude-code", event]
        environment = self.hooked.comity.environment()
        done = subprocess.run(
            command, cwd=self.hooked.folder, env=environment, input=payload(self.hooked, event, **told),
            capture_output=True, timeout=TIMEOUT_S, check=True,
        )  # fmt: skip
        return {line.rpartition("|")[2].strip() for line in done.stderr.decode().splitlines()}


def payload(hooked: Hooked, event: str, session: str = "S1", **told: Any) -> bytes:
    """What Claude Code sends."""
    return json.dumps({"session_id": session, "cwd": str(hooked.folder), "hook_event_name": event, **told}).encode()


class Impostor:
    """A socket where a server of this project would have its own: ``answer`` gets each connection."""

    def __init__(self, hooked: Hooked, answer: Callable[[_socket.socket], None], mark: str = "") -> None:
        folder = asking.runtime_folder()
        os.makedirs(folder, mode=0o700, exist_ok=True)
        key = asking.key_of(str(hooked.folder))
        self.path = os.path.join(folder, f"{mark or asking.installation()}.0.{key}.{os.getpid()}")
        self._listener = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        self._listener.bind(self.path)
        self._listener.listen(8)
        self._answer = answer
        self.asked = 0
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                descriptor, _ = self._listener._accept()  # type: ignore[attr-defined]
            except OSError:
                return
            connection = _socket.socket(fileno=descriptor)
            self.asked += 1
            try:
                self._answer(connection)
            except OSError:
                continue
            finally:
                connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.unlink(self.path)
        self._listener.shutdown(_socket.SHUT_RDWR)
        self._thread.join(TIMEOUT_S)
        self._listener.close()


def connected(hooked: Hooked) -> _socket.socket:
    """A connection to the server of this project, which has greeted."""
    key = asking.key_of(str(hooked.folder))
    (name,) = (name for name in os.listdir(asking.runtime_folder()) if f".{key}." in name)
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    connection.settimeout(TIMEOUT_S)
    connection.connect(os.path.join(asking.runtime_folder(), name))
    wanted = asking.greeting()
    assert asking.exactly(connection, len(wanted)) == wanted
    return connection


def ask(hooked: Hooked, connection: _socket.socket, event: str, data: bytes) -> tuple[bytes, bytes]:
    """Ask as a launcher does, by hand; the server's first frame."""
    given = [f"{name}={value}" for name, value in hooked.comity.environment().items()]
    told = "\0".join([str(hooked.folder), "2", "claude-code", event, *given]).encode()
    connection.sendall(asking.frame(b"S", told) + asking.frame(b"E", data))
    return asking.receive(connection)
