"""Starting and stopping the server: from a bound socket to the last answer.

The socket listens before everything is loaded: meanwhile ``/health/live`` answers and all else is told to wait. A
signal ends it in this order: new requests are refused, listeners are told, running requests are finished,
connections are closed, the store is closed. All of it is bounded, whatever hangs; a second signal ends it at once.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from importlib import import_module
from types import FrameType
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from comity import __version__
from comity.kernel.call import Watch
from comity.kernel.problem import Unavailable
from comity.loops.served_job_runner import ServedJobRunner
from comity.server import problems
from comity.server.address import ServerAddress
from comity.server.answers import json_response
from comity.server.application import Application
from comity.server.auth.authority import Authority
from comity.server.folder.lock import RunningServer, ServerLock
from comity.server.folder.options import ServerSettings
from comity.server.listener import Listener
from comity.server.log import Log
from comity.server.request_record import always
from comity.server.state import ServerState
from comity.workspace import Workspace

# How long a thread computes before it lets another one: a transaction on a worker gives way at each statement, and
# holds up every other write until it has got its turn again.
_SWITCH_S = 0.0005
LIVE = "comity.doors.live.routes"
TELL_S, FINISH_S, END_S = 2.0, 5.0, 10.0  # to tell listeners; for running requests; for everything together
TRACING = "comity.server.tracing"
OTEL_HINT = "Install what it takes with: pip install 'comity[server,otel]'; or unset OTEL_EXPORTER_OTLP_ENDPOINT."
_STEP_S = 0.02
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class ServerRun:
    """One run of the server: it serves from ``run`` until a signal."""

    def __init__(
        self,
        workspace: Workspace,
        authority: Authority,
        address: ServerAddress,
        own: ServerSettings,
        folder: str,
        lock: ServerLock,
        job_s: float = 3600.0,
    ) -> None:
        self._workspace = workspace
        self._authority = authority
        self._address = address
        self._own = own
        self._folder = folder
        self._lock = lock
        self._job_s = job_s  # how long a job may run
        self._stop = asyncio.Event()
        self._stopping = False
        self._close: Callable[[], None] | None = None  # of the traces
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self, bound: socket.socket, ws_bound: socket.socket | None = None) -> int:
        """Serve on a socket that listens, and WebSockets on ``ws_bound``; the exit code."""
        before = {number: signal.signal(number, self._signalled) for number in _SIGNALS}
        try:
            asyncio.run(self._live(bound, ws_bound))
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        return 0

    async def _live(self, bound: socket.socket, ws_bound: socket.socket | None) -> None:
        self._loop = asyncio.get_running_loop()
        for number in _SIGNALS:  # one wakes a loop that is about to wait, ours works also while the loop is held up
            self._loop.add_signal_handler(number, lambda: None)
            signal.signal(number, self._signalled)
        starting_app = StartingApp()
        listeners = [Listener(starting_app, self._address, bound)]
        listeners[0].start()
        server = ServerState(self._workspace, self._authority, self._address)
        sys.setswitchinterval(_SWITCH_S)
        with Log(self._folder, self._own.log_format, self._own.log_level) as log:
            server.watchers.append(log)
            try:
                await self._open(server, starting_app, log)
                if ws_bound is not None:
                    listeners.append(Listener(import_module(LIVE).standalone(server), self._address, ws_bound))
                    listeners[1].start()
                server.listening += [listener.connections for listener in listeners]
                log.note("info", "server.started", f"Comity serves {self._address.url}", always=True)
                await self._stop.wait()
                log.note("info", "server.ending", "Comity ends: running requests are finished first")
            finally:
                await self._end(server, listeners, log)
            log.note("info", "server.ended", "Comity ended")
        if self._close is not None:
            await asyncio.to_thread(self._close)

    async def _open(self, server: ServerState, starting_app: StartingApp, log: Log) -> None:
        """Load what answers, off the event loop, and let requests in."""
        routes = await asyncio.to_thread(import_module, "comity.doors.http.routes")
        metrics = routes.metrics.Metrics(server)
        watch = metrics.watch
        if asked_for(os.environ):
            watch = await self._trace(server, log, watch)
        self._workspace.watched_by(watch)
        server.watchers.append(metrics)
        server.figures, server.tool_called = metrics.text, metrics.tool_called
        server.feed.start()
        runner = ServedJobRunner(self._workspace, self._job_s, server.feed.mark, server.calls.work)
        runner.start()
        server.at_end.append(runner.close)
        starting_app.app = Application(server, routes.table())
        server.ready = True
        started = datetime.now(UTC).isoformat(timespec="seconds")
        self._lock.tell(RunningServer(os.getpid(), self._address.url, started, __version__, self._address.ws_url))

    async def _trace(self, server: ServerState, log: Log, watch: Watch) -> Watch:
        """Send traces and logs, if the parts for it are there; what watches operations then."""
        try:
            tracing = (await asyncio.to_thread(import_module, TRACING)).Tracing(watch)
        except ImportError as error:
            if not (error.name or "").startswith("opentelemetry"):
                raise
            log.note("warning", "otel.not_installed", f"No traces are sent. {OTEL_HINT}", always=True)
            return watch
        server.watchers.insert(0, tracing)  # the log's line has the trace's id
        log.also = tracing.line
        self._close = tracing.close
        found: Watch = tracing.watch
        return found

    async def _end(self, server: ServerState, listeners: list[Listener], log: Log) -> None:
        server.ending = True
        server.calls.end_waits()
        for told in reversed(server.at_end):
            await _within(told(), TELL_S, log)
        if server.ready:
            server.feed.stop()
        await _within(_quiet(server), FINISH_S, log)
        for listener in listeners:
            await listener.stop()
        await _within(asyncio.to_thread(server.calls.close), FINISH_S, log)
        server.peers.close()

    def _signalled(self, number: int, _: FrameType | None) -> None:
        """Begin to end; at once when asked again. It runs even while the event loop is held up."""
        if self._stopping:
            os._exit(128 + number)
        self._stopping = True
        watchdog = threading.Timer(END_S, os._exit, [0])  # the store is whole at any instruction
        watchdog.daemon = True
        watchdog.start()
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)


def asked_for(env: Mapping[str, str]) -> bool:
    """Whether the environment wants traces (OpenTelemetry's own variables)."""
    if env.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    return any(name.startswith("OTEL_EXPORTER_OTLP") and name.endswith("ENDPOINT") and env[name] for name in env)


class StartingApp:
    """An ASGI application that answers 503 until ``app`` is there, and then passes all requests to it."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if self.app is not None:
            await self.app(scope, receive, send)
            return
        send = always(send)
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1013})
        elif scope["path"] == "/health/live":
            await json_response({"live": True})(scope, receive, send)
        elif scope["path"] == "/health/ready":
            await json_response({"ready": False}, 503)(scope, receive, send)
        else:
            starting = Unavailable("server.starting", "The server is starting.", "Ask again.", retryAfterS=1)
            await problems.response(starting, "")(scope, receive, send)


async def _quiet(server: ServerState) -> None:
    """Wait until no request runs."""
    while server.open:  # noqa: ASYNC110 - what counts down need not know of a waiter
        await asyncio.sleep(_STEP_S)


async def _within(work: Awaitable[Any], seconds: float, log: Log) -> None:
    """Wait for ``work`` for so many seconds; log it when it does not end or fails."""
    try:
        async with asyncio.timeout(seconds):
            await work
    except TimeoutError:
        log.note("warning", "server.cut_off", f"Something did not end within {seconds:g} s and was cut off")
    except Exception as error:  # noqa: BLE001 - the end has to come
        log.note("error", "server.end_failed", f"Something failed at the end: {error!r}"[:500])
