"""The HTTP server itself behind one function, so that another one can take its place: granian, embedded.

HTTP/1.1 and HTTP/2 come on one port: with TLS by ALPN, in clear text by prior knowledge. It handles no signals, and its
``stop`` waits for open streams: those are the application's to end. What it leaves open, a sweeper ends: granian waits
for the first byte for ever, and counts no client's connections.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

import granian
from granian import net
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings, HTTP2Settings
from granian.log import LogLevels
from granian.server.embed import Server
from starlette.types import ASGIApp

from comity.kernel.problem import Unavailable
from comity.server.address import ServerAddress
from comity.server.bounds import BOUNDS, STREAMS, Bounds, within_descriptors
from comity.server.connection_sweeper import Sweeper
from comity.server.connections import Connections
from comity.server.transport import Entrance

HEADERS_MS = 10_000  # for a request's header to arrive
CLOSE_S = 1.0  # for idle connections: running requests were finished before
BACKLOG = 1024
BUFFER_BYTES = 16 * 1024  # of one connection or stream; more would only hold what a slow client does not read
_HOLDER: Any = vars(net).get("SocketHolder")  # it takes the descriptor, whether it is a Unix socket's, the backlog


class _Server(Server):
    """Granian's own sockets let a second server share the port without a word, so it gets one that is bound alone."""

    def __init__(self, app: ASGIApp, bound: socket.socket, **options: Any) -> None:
        super().__init__(app, **options)
        self._bound = bound

    def _init_shared_socket(self) -> None:
        self._ssp: Any = None
        self._shd: Any = _HOLDER(self._bound.detach(), False, BACKLOG)


class Listener:
    """Serves on a socket that is bound and listens already, from ``start`` until ``stop``."""

    def __init__(self, app: ASGIApp, address: ServerAddress, bound: socket.socket, bounds: Bounds = BOUNDS) -> None:
        _require_known()
        bounds = within_descriptors(bounds)
        self.connections = Connections()
        self._sweeper = Sweeper(bound, self.connections, bounds, clear=not address.certificate)
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else the last piece of an answer waits for 40 ms
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # of what the client's side does not take; connections inherit it
            bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(bounds.unread_s * 1000))
        self._server = _Server(
            Entrance(app, self.connections, self._sweeper, bounds),
            bound,
            address=address.host,
            port=address.port,
            interface=Interfaces.ASGINL,
            http=HTTPModes.auto,
            http1_settings=HTTP1Settings(header_read_timeout=HEADERS_MS, max_buffer_size=BUFFER_BYTES),
            http2_settings=HTTP2Settings(
                max_concurrent_streams=STREAMS,
                keep_alive_interval=30_000,
                max_headers_size=64 * 1024,
                max_send_buffer_size=BUFFER_BYTES,
            ),
            backlog=BACKLOG,
            backpressure=bounds.connections,  # else the backlog: so many silent ones shut out all others
            ssl_cert=Path(address.certificate) if address.certificate else None,
            ssl_key=Path(address.key) if address.key else None,
            log_enabled=False,
            log_level=LogLevels.critical,
        )
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to accept, as a task of the running loop; until then connections wait."""
        self._sweeper.start()
        self._task = asyncio.create_task(self._server.serve())

    async def stop(self) -> None:
        """Accept nothing more; what still runs after a few seconds is cut off."""
        assert self._task is not None, "it was started"
        self._server.stop()  # type: ignore[no-untyped-call]
        with suppress(TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(self._task, CLOSE_S)
        await asyncio.to_thread(self._sweeper.stop)


def _require_known() -> None:
    """Unavailable ``server.listener`` for a granian that takes a socket in another way than ours."""
    if _HOLDER is None or not hasattr(Server, "_init_shared_socket"):
        raise Unavailable(
            "server.listener",
            f"granian {granian.__version__} takes a socket in another way than Comity hands it over.",
            "Install the version that belongs to Comity: pip install --force-reinstall 'comity[server]'",
        )
