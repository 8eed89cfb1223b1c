"""The HTTP server itself behind one function, so that another one can take its place: granian, embedded.

HTTP/1.1 and HTTP/2 come on one port: with TLS by ALPN, in clear text by prior knowledge. It handles no signals, and its
``stop`` waits for open streams: those are the application's to end.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings, HTTP2Settings
from granian.log import LogLevels
from granian.server.embed import Server
from starlette.types import ASGIApp

from comity.doors.http.place import Place

STREAMS = 1000  # at once on one HTTP/2 connection
HEADERS_MS = 10_000  # for a request's header to arrive
CLOSE_S = 5.0
_LOOK_S = 0.01


class Listener:
    """Listens from ``start`` until ``stop``."""

    def __init__(self, app: ASGIApp, place: Place, port: int | None = None) -> None:
        self._host, self._port = place.host, place.port if port is None else port
        self._server = Server(
            app,
            address=self._host,
            port=self._port,
            interface=Interfaces.ASGINL,
            http=HTTPModes.auto,
            http1_settings=HTTP1Settings(header_read_timeout=HEADERS_MS),
            http2_settings=HTTP2Settings(
                max_concurrent_streams=STREAMS, keep_alive_interval=30_000, max_headers_size=64 * 1024
            ),
            backlog=1024,
            ssl_cert=Path(place.certificate) if place.certificate else None,
            ssl_key=Path(place.key) if place.key else None,
            log_enabled=False,
            log_level=LogLevels.critical,
        )
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to listen, as a task of the running loop; over once connections are accepted."""
        self._task = asyncio.create_task(self._server.serve())
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._host, self._host)  # noqa: S104 (compared)
        while not self._task.done():
            with suppress(OSError):
                _, writer = await asyncio.open_connection(host, self._port)
                writer.close()
                return
            await asyncio.sleep(_LOOK_S)
        await self._task

    async def stop(self) -> None:
        """Accept nothing more; what still runs after a few seconds is cut off."""
        assert self._task is not None, "it was started"
        self._server.stop()
        with suppress(TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(self._task, CLOSE_S)
