"""Calls over the network: how many a second with twenty clients, next to a bare JSON echo, and how long one takes.

Echo, REST and MCP take turns in one run, so that the machine's moods fall on all of them; the middle ratio counts.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bench.figures import Figure, Options, median, percentile
from bench.load import PLACE

CLIENTS = 20
START_S = 30.0
PROTOCOL = "2025-11-25"
_BODY = {"destinationAgentId": "agent-00", "content": f"I take src/parser.py now; call {PLACE}."}
Request = tuple[str, str]


def measure(options: Options) -> list[Figure]:
    """The bars: REST and /mcp against the echo, and one client's read and write through /mcp."""
    rounds, seconds = options.size(7, 3), options.size(4, 1)
    with _folder(options.folder) as folder, _echo() as echo, _server(folder) as server:
        greetings = [_greeting(server, number) for number in range(CLIENTS)]
        doors: dict[str, Callable[[], dict[str, Any]]] = {
            "echo": lambda: _load(echo, seconds, [[_echoed(echo)]] * CLIENTS),
            "rest": lambda: _load(server, seconds, [_rest(server, number) for number in range(CLIENTS)]),
            "mcp": lambda: _load(server, seconds, [_mcp(server, number) for number in range(CLIENTS)], greetings),
        }
        _load(server, 0.5, [[_post(server, "/api/v1/session.start", {}, _own(number))] for number in range(CLIENTS)])
        for ask in doors.values():
            ask()  # everything is loaded
        done: dict[str, list[dict[str, Any]]] = {name: [] for name in doors}
        for _ in range(rounds):
            for name, ask in doors.items():
                done[name].append(ask())
        alone = {
            name: _load(server, 2 * seconds, [[_tool(server, 0, name, **arguments)]], greetings[:1])["took"]
            for name, arguments in (("masc_status", {}), ("masc_broadcast", {"message": f"Call {PLACE}."}))
        }
    return [
        _ratio("rest", "REST", done, 0.3),
        _ratio("mcp", "/mcp", done, 0.08),
        *_alone("masc_status", alone["masc_status"], 5, 25),
        *_alone(f"masc_broadcast to {CLIENTS - 1} others", alone["masc_broadcast"], 10, 40),
    ]


def _alone(title: str, took: list[float], p50: float, p99: float) -> list[Figure]:
    calls = {"calls": f"{len(took):,}"}
    return [
        Figure(
            f"{title} through /mcp, one client, p{rank}", 1000 * percentile(took, rank), " ms", "at most", bar, calls
        )
        for rank, bar in ((50, p50), (99, p99))
    ]


def _ratio(name: str, title: str, done: dict[str, list[dict[str, Any]]], bar: float) -> Figure:
    rates = {key: [one["calls"] / one["seconds"] for one in runs] for key, runs in done.items()}
    ratios = [own / echo for own, echo in zip(rates[name], rates["echo"], strict=True)]
    took = [one for run in done[name] for one in run["took"]]
    beside = {
        "calls a second": f"{median(rates[name]):,.0f}; the echo {median(rates['echo']):,.0f}",
        "ratios": " ".join(f"{ratio:.2f}" for ratio in ratios),
        "a call": f"p50 {1000 * percentile(took, 50):.1f} ms, p99 {1000 * percentile(took, 99):.1f} ms",
        "the load generator": f"{100 * median(one['busy'] for one in done['echo']):.0f} % of a core beside the echo",
    }
    return Figure(
        f"calls a second over {title}, 20 clients, of a bare echo's", median(ratios), "", "at least", bar, beside
    )


def _echoed(port: int) -> Request:
    return _post(port, "/echo", _BODY)


def _rest(port: int, number: int) -> list[Request]:
    """Forty calls, 28 of them reads, a broadcast among them. What messages bring is read, so that queues stay short."""
    own = _own(number)
    to = {**_BODY, "destinationAgentId": f"agent-{(number + 1) % CLIENTS:02}"}
    read = [
        _get(port, f"/api/v1/{path}", own)
        for path in (
            "workspace.status",
            "agent.list",
            "task.list?limit=20",
            "message.history?limit=20&newest=true",
            "workspace.overview",
            "event.list?newest=20&limit=20",
            "task.get?taskId=task-001",
        )
    ]
    send = _post(port, "/api/v1/message.send", to, own)
    poll = _post(port, "/api/v1/message.catch_up", {"limit": 50, "newest": True}, own)
    say = _post(port, "/api/v1/message.announce", {"content": f"The lexer is done; call {PLACE}."}, own)
    add = _post(port, "/api/v1/task.dispatch", {"title": f"Write test {PLACE}"}, own)
    quarters = ((send, add, poll), (send, say, add), (send, poll, send), (send, add, poll))
    return [
        one for first, second, third in quarters for one in (*read[:3], first, *read[3:5], second, *read[5:], third)
    ]


def _own(number: int) -> str:
    return f"X-Comity-Agent: agent-{number:02}\r\n"


def _greeting(port: int, number: int) -> list[Request]:
    client = {"name": "bench", "version": "1"}
    hello = {"protocolVersion": PROTOCOL, "capabilities": {}, "clientInfo": client}
    return [
        _rpc(port, number, {"id": 1, "method": "initialize", "params": hello}),
        _rpc(port, number, {"method": "notifications/initialized"}),
    ]


def _mcp(port: int, number: int) -> list[Request]:
    """Ten tool calls, seven of them reads."""
    read = [_tool(port, number, name) for name in ("masc_status", "masc_agents", "masc_tasks", "masc_messages")]
    say = _tool(port, number, "masc_broadcast", message=f"The lexer is done; call {PLACE}.")
    add = _tool(port, number, "masc_add_task", title=f"Write test {PLACE}")
    return [*read, add, *read[:2], say, read[0], _tool(port, number, "masc_heartbeat")]


def _tool(port: int, number: int, name: str, **arguments: object) -> Request:
    call = {"name": name, "arguments": arguments}
    return _rpc(port, number, {"id": 2, "method": "tools/call", "params": call})


def _rpc(port: int, number: int, message: dict[str, object]) -> Request:
    accept = "Accept: application/json, text/event-stream\r\n"
    own = f"X-Comity-Agent: agent-{number:02}\r\nMCP-Protocol-Version: {PROTOCOL}\r\n"
    return _post(port, "/mcp", {"jsonrpc": "2.0", **message}, accept + own)


def _get(port: int, path: str, more: str = "") -> Request:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{more}", ""


def _post(port: int, path: str, body: object, more: str = "") -> Request:
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n{more}"
    return head, json.dumps(body)


def _load(port: int, seconds: float, rounds: list[list[Request]], greetings: list[list[Request]] | None = None) -> Any:
    plan = {"port": port, "seconds": seconds, "rounds": rounds, "greetings": greetings or []}
    ran = subprocess.run(
        [sys.executable, "-m", "bench.load"], input=json.dumps(plan), capture_output=True, text=True, check=True
    )
    told = json.loads(ran.stdout)
    if told["failed"]:
        raise SystemExit(f"{len(told['failed'])} calls failed, such as:\n{told['failed'][0]}")
    return told


@contextmanager
def _folder(folder: str | None) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="comity-bench-", dir=folder) as made:
        subprocess.run(["git", "init", "-q", made], check=True)
        yield made


@contextmanager
def _echo() -> Iterator[int]:
    port = _free()
    with _running([sys.executable, "-m", "bench.echo", str(port)], port):
        yield port


@contextmanager
def _server(folder: str) -> Iterator[int]:
    port = _free()
    command = [sys.executable, "-m", "comity", "serve", "--target-dir", folder, "--port", str(port)]
    with _running(command, port):
        told = f"http://127.0.0.1:{port}/api/v1/task.dispatch"
        headers = {"Content-Type": "application/json", "X-Comity-Agent": "agent-00"}
        with urllib.request.urlopen(urllib.request.Request(told, b'{"title": "Write the lexer"}', headers)):
            yield port


@contextmanager
def _running(command: list[str], port: int) -> Iterator[None]:
    unlimited = {**os.environ, "COMITY_MAX_PER_MINUTE": "0", "COMITY_MAX_HOPS": "0"}  # agents do not talk this fast
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=unlimited) as process:
        try:
            _wait(port, process)
            yield
        finally:
            process.send_signal(signal.SIGTERM)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=2):
                return
        except urllib.error.HTTPError as error:
            if error.code == 404:  # the echo knows one path only
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise SystemExit(f"{process.args!r} did not start")


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
