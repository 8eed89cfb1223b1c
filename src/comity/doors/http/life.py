"""One server's life: from a bound socket to the last answer.

The socket listens before everything is loaded: meanwhile ``/health/live`` answers and all else is told to wait. A
signal ends it in this order: new requests are refused, whoever listens is told, running requests are finished,
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
from comity.server import problems
from comity.server.address import Place
from comity.server.answers import json_response
from comity.server.auth.authority import Authority
from comity.server.folder.lock import Running, ServerLock
from comity.server.folder.options import ServerSettings
from comity.server.guard import Guard
from comity.server.listener import Listener
from comity.server.log import Log
from comity.server.request_record import always
from comity.server.state import House
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


class Life:
    """Serves from ``run`` until a signal."""

    def __init__(
        self,
        workspace: Workspace,
        authority: Authority,
        place: Place,
        own: ServerSettings,
        folder: str,
        lock: ServerLock,
    ) -> None:
        self._workspace = workspace
        self._authority = authority
        self._place = place
        self._own = own
        self._folder = folder
        self._lock = lock
        self._stop = asyncio.Event()
        self._stopping = False
        self._close: Callable[[], None] | None = None  # of the traces
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self, bound: socket.socket, beside: socket.socket | None = None) -> int:
        """Serve on a socket that listens, and WebSockets ``beside`` on another; the exit code."""
        before = {number: signal.signal(number, self._signalled) for number in _SIGNALS}
        try:
            asyncio.run(self._live(bound, beside))
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        return 0

    async def _live(self, bound: socket.socket, beside: socket.socket | None) -> None:
        self._loop = asyncio.get_running_loop()
        for number in _SIGNALS:  # one wakes a loop that is about to wait, ours works also while the loop is held up
            self._loop.add_signal_handler(number, lambda: None)
            signal.signal(number, self._signalled)
        porch = Porch()
        listeners = [Listener(porch, self._place, bound)]
        listeners[0].start()
        house = House(self._workspace, self._authority, self._place)
        sys.setswitchinterval(_SWITCH_S)
        with Log(self._folder, self._own.log_format, self._own.log_level) as log:
            house.witnesses.append(log)
            try:
                await self._open(house, porch, log)
                if beside is not None:
                    listeners.append(Listener(import_module(LIVE).standalone(house), self._place, beside))
                    listeners[1].start()
                house.listening += [listener.connections for listener in listeners]
                log.note("info", "server.started", f"Comity serves {self._place.url}", always=True)
                await self._stop.wait()
                log.note("info", "server.ending", "Comity ends: running requests are finished first")
            finally:
                await self._end(house, listeners, log)
            log.note("info", "server.ended", "Comity ended")
        if self._close is not None:
            await asyncio.to_thread(self._close)

    async def _open(self, house: House, porch: Porch, log: Log) -> None:
        """Load what answers, off the event loop, and let requests in."""
        routes = await asyncio.to_thread(import_module, "comity.doors.http.routes")
        metrics = routes.metrics.Metrics(house)
        watch = metrics.watch
        if asked_for(os.environ):
            watch = await self._trace(house, log, watch)
        self._workspace.watched_by(watch)
        house.witnesses.append(metrics)
        house.figures, house.tool_called = metrics.text, metrics.tool_called
        house.feed.start()
        porch.app = Guard(house, routes.table())
        house.ready = True
        started = datetime.now(UTC).isoformat(timespec="seconds")
        self._lock.tell(Running(os.getpid(), self._place.url, started, __version__, self._place.ws_url))

    async def _trace(self, house: House, log: Log, watch: Watch) -> Watch:
        """Send traces and logs, if the parts for it are there; what watches operations then."""
        try:
            tracing = (await asyncio.to_thread(import_module, TRACING)).Tracing(watch)
        except ImportError as error:
            if not (error.name or "").startswith("opentelemetry"):
                raise
            log.note("warning", "otel.not_installed", f"No traces are sent. {OTEL_HINT}", always=True)
            return watch
        house.witnesses.insert(0, tracing)  # the log's line has the trace's id
        log.also = tracing.line
        self._close = tracing.close
        found: Watch = tracing.watch
        return found

    async def _end(self, house: House, listeners: list[Listener], log: Log) -> None:
        house.ending = True
        for told in reversed(house.at_end):
            await _within(told(), TELL_S, log)
        house.calls.end_waits()
        if house.ready:
            house.feed.stop()
        await _within(_quiet(house), FINISH_S, log)
        for listener in listeners:
            await listener.stop()
        await _within(asyncio.to_thread(house.calls.close), FINISH_S, log)
        house.peers.close()

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


class Porch:
    """What answers until ``app`` is there, and passes everything to it from then on."""

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


async def _quiet(house: House) -> None:
    """Until no request runs."""
    while house.open:  # noqa: ASYNC110 - whoever counts down need not know that somebody waits
        await asyncio.sleep(_STEP_S)


async def _within(work: Awaitable[Any], seconds: float, log: Log) -> None:
    """What ends within so many seconds; what does not is left alone, and what fails is told."""
    try:
        async with asyncio.timeout(seconds):
            await work
    except TimeoutError:
        log.note("warning", "server.cut_off", f"Something did not end within {seconds:g} s and was cut off")
    except Exception as error:  # noqa: BLE001 - the end has to come
        log.note("error", "server.end_failed", f"Something failed at the end: {error!r}"[:500])
