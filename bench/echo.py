"""``python -m bench.echo PORT``: a bare JSON echo behind the server's own framework and listener, to compare with."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from comity.server.address import ServerAddress
from comity.server.listener import BACKLOG, Listener


async def _echo(request: Request) -> Response:
    return JSONResponse(await request.json())


async def _serve(port: int) -> None:
    bound = socket.create_server(("127.0.0.1", port), backlog=BACKLOG)
    listener = Listener(Starlette(routes=[Route("/echo", _echo, methods=["POST"])]), ServerAddress(port=port), bound)
    listener.start()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await listener.stop()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
