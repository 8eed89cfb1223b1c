"""Everything that holds a server up at once, twice for a minute: does it go on answering, within its memory?

1,500 silent connections, 1,500 that say a byte now and then, 1,000 event streams, 20 HTTP/2 connections that each ask
200 times for the largest document and take nothing, and WebSockets whose messages do not end, each kind in a process of
its own that opens again whatever the server ends. Meanwhile one agent writes, reads and calls an MCP tool, and somebody
asks for ``/health`` on new connections.

    python -m bench flood          # three minutes
    python -m bench flood --quick  # twelve seconds; proves nothing
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPException
from typing import Any, NamedTuple

from bench.figures import Figure, Options, percentile, short
from bench.ground import Ground
from bench.served import Served
from bench.server import compile_bytecode

CROWD = (("silent", 1500), ("slow", 1500), ("streams", 1000), ("unread", 20), ("unfinished", 100))
HEALTH_BAR_MS, MEMORY_BAR_MB = 200, 250
EACH_S = 0.1  # between two questions of one client
REST_S = 10.0  # between the rounds
_JSON = {"Content-Type": "application/json", "X-Comity-Agent": "good"}
_MCP = {**_JSON, "Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}


class Round(NamedTuple):
    """What one round showed."""

    health_ms: list[float]
    calls_ms: list[float]
    failed: list[str]
    peak_kib: int
    ended: dict[str, int]


def measure(options: Options) -> list[Figure]:
    """Bars: /health p99 200 ms, +250 MB, +10 % in the second round, every call answered."""
    compile_bytecode()
    seconds = options.size(60, 6)
    with Ground(options.folder) as ground, Served(ground.path, ground.folder) as served:
        _Agent(served.port).run_once()  # what is loaded at first use is loaded
        time.sleep(3)
        before_kib = served.status("VmRSS")
        rounds = [_round(served, seconds, name) for name in ("first", "second")]
    return _figures(rounds, before_kib, seconds)


def _figures(rounds: list[Round], before_kib: int, seconds: int) -> list[Figure]:
    health = [ms for one in rounds for ms in one.health_ms]
    calls = [ms for one in rounds for ms in one.calls_ms]
    failed = [text for one in rounds for text in one.failed]
    peaks = [one.peak_kib for one in rounds]
    what = f"flood of 4,120 connections, {seconds} s twice"
    beside = {
        "worst": f"{short(max(health))} ms of {len(health):,}",
        "ended by the server": ", ".join(f"{kind} {number:,}" for kind, number in rounds[-1].ended.items()),
    }
    grown = {"before": f"{short(before_kib / 1024)} MiB", "at most": " and ".join(f"{p // 1024} MiB" for p in peaks)}
    called = {
        "calls": f"{len(calls):,}",
        "p99": f"{short(percentile(calls, 99))} ms",
        "which": "; ".join(failed[:3]) or "none",
    }
    return [
        Figure(f"{what}: /health p99", percentile(health, 99), " ms", "at most", HEALTH_BAR_MS, beside),
        Figure(
            f"{what}: server's memory beyond that before",
            (max(peaks) - before_kib) * 1024 / 1e6,
            " MB",
            "at most",
            MEMORY_BAR_MB,
            grown,
        ),
        Figure(f"{what}: memory of the second round", peaks[1] / peaks[0], " times", "at most", 1.1),
        Figure(f"{what}: an agent's calls without an answer", len(failed), "", "at most", 0, called),
    ]


def _round(served: Served, seconds: float, name: str) -> Round:
    over = threading.Event()
    health_ms: list[float] = []
    calls_ms: list[float] = []
    failed: list[str] = []
    peak_kib = 0
    agent = _Agent(served.port)
    threads = [
        threading.Thread(target=_repeat, args=(over, health_ms, failed, lambda: _healthy(served.port))),
        threading.Thread(target=_repeat, args=(over, calls_ms, failed, agent.run_once)),
    ]
    with _crowd(served.port) as ended:
        for thread in threads:
            thread.start()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(0.25)
            peak_kib = max(peak_kib, served.status("VmRSS"))
        over.set()
        for thread in threads:
            thread.join()
    agent.close()
    time.sleep(REST_S)
    found = Round(health_ms, calls_ms, failed, peak_kib, ended)
    print(
        f"{name} round: /health p50 {short(percentile(health_ms, 50))}, p99 {short(percentile(health_ms, 99))} ms; "
        f"{len(calls_ms)} calls, p99 {short(percentile(calls_ms, 99))} ms, {len(failed)} failed; "
        f"{peak_kib // 1024} MiB at most, {served.status('VmRSS') // 1024} afterwards; ended {ended}",
        file=sys.stderr,
    )
    return found


@contextlib.contextmanager
def _crowd(port: int) -> Iterator[dict[str, int]]:
    """All foes for a while; how often each kind was ended stands in what is yielded afterwards."""
    ended: dict[str, int] = {}
    processes = {
        kind: subprocess.Popen(
            [sys.executable, "-m", "bench.flooder", kind, str(port), str(count)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for kind, count in CROWD
    }
    try:
        for process in processes.values():
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n", "a foe did not start"
        yield ended
    finally:
        for kind, process in processes.items():
            ended[kind] = int(process.communicate(timeout=30)[0] or 0)


def _repeat(over: threading.Event, took_ms: list[float], failed: list[str], ask: Callable[[], None]) -> None:
    while not over.wait(EACH_S):
        began = time.perf_counter()
        try:
            ask()
        except (OSError, HTTPException, AssertionError) as error:
            failed.append(f"{type(error).__name__}: {error}"[:200])
        took_ms.append((time.perf_counter() - began) * 1000)


def _healthy(port: int) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/health")
        status = connection.getresponse().status
        assert status == 200, f"/health answered {status}"
    finally:
        connection.close()


class _Agent:
    """An agent that behaves: one connection for REST and one for MCP."""

    def __init__(self, port: int) -> None:
        self._rest = HTTPConnection("127.0.0.1", port, timeout=30)
        self._mcp = HTTPConnection("127.0.0.1", port, timeout=30)
        self._session: dict[str, str] = {}
        self._count = 0

    def run_once(self) -> None:
        """A write, a read, and a tool call."""
        self._count += 1
        self._ask("POST", "/api/v1/memory.set", {"key": "bench", "value": str(self._count), "scope": "workspace"})
        assert self._ask("GET", "/api/v1/memory.get?key=bench&scope=workspace")["entries"][0]["value"] == str(
            self._count
        )
        if not self._session:
            client = {"name": "bench", "version": "1"}
            self._tell("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client})
        result = self._tell("tools/call", {"name": "masc_status", "arguments": {}})
        assert "result" in result, result
        assert not result["result"].get("isError"), result

    def close(self) -> None:
        """Go away."""
        self._rest.close()
        self._mcp.close()

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        try:
            self._rest.request(method, path, None if body is None else json.dumps(body), _JSON)
            answer = self._rest.getresponse()
            text = answer.read()
        except (OSError, HTTPException):
            self._rest.close()
            raise
        assert answer.status == 200, text[:200]
        return json.loads(text)

    def _tell(self, method: str, params: object) -> Any:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        try:
            self._mcp.request("POST", "/mcp", body, {**_MCP, **self._session})
            answer = self._mcp.getresponse()
            text = answer.read()
        except (OSError, HTTPException):
            self._mcp.close()
            raise
        assert answer.status == 200, text[:200]
        self._session = {"mcp-session-id": answer.headers["mcp-session-id"]}
        return json.loads(text)
