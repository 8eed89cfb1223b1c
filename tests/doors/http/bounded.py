"""A listener with bounds of one's own, as a process: ``python -m tests.doors.http.bounded '{"silent_s": 0.3}'``.

It says its port, and ends with its input. The application behind it answers ``/large`` with much, everything else with
``ok``, and WebSockets with what they say.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.types import Receive, Scope, Send

from comity.doors.http.serve import listening
from comity.server.address import ServerAddress
from comity.server.answers import Answer
from comity.server.bounds import BOUNDS
from comity.server.listener import Listener

LARGE = b"x" * 300_000


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request or WebSocket."""
    if scope["type"] == "http":
        body = LARGE if scope["path"] == "/large" else b"ok"
        await Answer(body, 200, {})(scope, receive, send)
        return
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": str(len(message["text"]))})


@contextmanager
def bounded(**bounds: float) -> Iterator[int]:
    """Such a process for a while; its port."""
    command = [sys.executable, "-m", "tests.doors.http.bounded", json.dumps(bounds)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None, "it was piped"
        try:
            yield int(process.stdout.readline())
        finally:
            process.communicate()


async def _serve(bounds: dict[str, Any]) -> None:
    bound = listening("127.0.0.1", 0)
    port = bound.getsockname()[1]
    listener = Listener(application, ServerAddress(port=port), bound, BOUNDS._replace(**bounds))
    listener.start()
    print(port, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await listener.stop()


if __name__ == "__main__":
    asyncio.run(_serve(json.loads(sys.argv[1])))
