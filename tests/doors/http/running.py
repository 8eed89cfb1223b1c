"""A real server on a real repository: a process, asked over HTTP, stopped.

The processes are forked from one that has loaded everything (``tests.prefork``); a test of starts uses ``PROGRAM``.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from comity import settings
from tests.prefork.started import Started

START_S = 30.0
STOP_S = 20.0
PROGRAM = (sys.executable, "-m", "comity")


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(**more: str) -> dict[str, str]:
    """The tests' environment without what would name an agent, a project or a setting."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MACP_", "COMITY_", "MASC_", "CLAUDE", "OTEL_"))}
    return {**kept, "PYTHONUNBUFFERED": "1", **more}


def repository(folder: Path) -> Path:
    """An empty git repository."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    return folder


class Server:
    """One running ``comity serve``. ``said`` is what it wrote on standard error so far."""

    def __init__(self, folder: Path, port: int, process: Started) -> None:
        self.folder = folder
        self.port = port
        self.process = process
        self.url = f"http://127.0.0.1:{port}"
        self.said: list[str] = []
        self._heard = threading.Condition()
        self._ended = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.client = httpx2.Client(base_url=self.url, timeout=30)

    @property
    def database(self) -> str:
        """The database file's path."""
        return settings.resolve({}, environment(), str(self.folder)).db

    def get(self, path: str, **options: Any) -> httpx2.Response:
        """One GET."""
        return self.client.get(path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> httpx2.Response:
        """One POST of JSON."""
        return self.client.post(path, json={} if body is None else body, **options)

    def wait_for_line(self, text: str, timeout_s: float = START_S) -> str:
        """The first line on standard error that holds ``text``."""
        with self._heard:
            self._heard.wait_for(lambda: self._ended or any(text in line for line in self.said), timeout_s)
            found = next((line for line in self.said if text in line), None)
        assert found is not None, f"the server never said {text!r}:\n" + "".join(self.said)
        return found

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; the exit code."""
        self.client.close()
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(STOP_S)
        self._reader.join(STOP_S)
        return code

    def _read(self) -> None:
        assert self.process.stderr is not None, "it was piped"
        with self.process.stderr as stream:
            for line in stream:
                with self._heard:
                    self.said.append(line.decode())
                    self._heard.notify_all()
        with self._heard:
            self._ended = True
            self._heard.notify_all()


def start(folder: Path, *options: str, port: int | None = None, **more: str) -> Server:
    """Start a server on a folder and wait until it is ready. ``more`` goes into its environment."""
    chosen = free_port() if port is None else port
    process = Started(
        ["serve", "--target-dir", str(folder), "--port", str(chosen), *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env=environment(**more),
        cwd=folder,
    )
    server = Server(folder, chosen, process)
    server.wait_for_line(f":{chosen}")
    return server


@contextmanager
def serving(folder: Path, *options: str, port: int | None = None, **more: str) -> Iterator[Server]:
    """A server for a while."""
    server = start(folder, *options, port=port, **more)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.stop(signal.SIGKILL)


def comity(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """One ``comity`` command in a folder, to its end."""
    with Started(arguments, cwd=folder, env=environment(**more), stdin=subprocess.DEVNULL) as process:
        try:
            out, err = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    return subprocess.CompletedProcess(["comity", *arguments], process.wait(), out.decode(), err.decode())
