"""A server from the start of its process to the first time that it says it is ready, and its memory while idle."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.figures import Figure, Options, median, short
from bench.server import compile_bytecode

_SETTLE_S = 5.0  # what loads after the start is loaded, and counts
_AGAIN_S = 0.005
START_BAR_S, MEMORY_BAR_MB = 1.5, 120


def measure(options: Options) -> list[Figure]:
    """Bars: ready within 1.5 s, the median; at most 120 MB resident when everything is loaded."""
    compile_bytecode()
    ready_s, live_s, memory_mb = [], [], []
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        subprocess.run(["git", "init", "-q", folder], check=True)
        _run(folder, settle=False)  # makes the database and the folders
        for turn in range(options.size(9, 3)):
            live, ready, memory = _run(folder, settle=turn == 0)
            live_s.append(live)
            ready_s.append(ready)
            if memory:
                memory_mb.append(memory)
    beside = {
        "fastest and slowest": f"{short(min(ready_s))} and {short(max(ready_s))} s",
        "to the first answer of /health/live": f"{short(median(live_s))} s",
    }
    return [
        Figure("server, start to ready", median(ready_s), " s", "at most", START_BAR_S, beside),
        Figure("server, resident memory idle, all loaded", median(memory_mb), " MB", "at most", MEMORY_BAR_MB, {}),
    ]


def _run(folder: str, *, settle: bool) -> tuple[float, float, float]:
    """Seconds to live and to ready, and megabytes after a while (0: not measured)."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "comity", "serve", "--target-dir", folder, "--port", str(port)],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "MACP_", "COMITY_"))},
    )
    try:
        live = _until(port, "/health/live", process, began)
        ready = _until(port, "/health/ready", process, began)
        memory = 0.0
        if settle:
            time.sleep(_SETTLE_S)
            memory = _resident_mb(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    return live, ready, memory


def _until(port: int, path: str, process: subprocess.Popen[bytes], began: float) -> float:
    while process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return time.perf_counter() - began
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(_AGAIN_S)
    raise SystemExit("the server did not start")


def _resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise SystemExit("nobody tells how much memory the server takes")
