"""The fixture's server as a running process."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.doors.http.running import Server, environment, free_port, repository
from tests.prefork.started import ROOT, Started


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """A server on a new repository in ``folder``, for a while."""
    port = free_port()
    process = Started(
        [str(repository(folder)), str(port)],
        module="tests.conformance.server",
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    server = Server(folder, port, process)
    try:
        server.wait_for_line(f":{port}")
        yield server
    finally:
        server.stop(signal.SIGTERM)
