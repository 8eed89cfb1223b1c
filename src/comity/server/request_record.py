"""The record of one request, for the log, the metrics and the traces."""

from __future__ import annotations

import time
import traceback
from typing import Protocol

from starlette.datastructures import Headers
from starlette.types import Message, Scope, Send

from comity.kernel.problem import Internal, Limited, Problem
from comity.kernel.trace import traceparent
from comity.server.auth.principal import Principal
from comity.server.problems import unexpected

# An answer is what its type says, whatever it looks like; no client is told which program listens, in which version.
_ALWAYS = ((b"x-content-type-options", b"nosniff"), (b"server", b"comity"))


class HeldBody(Protocol):
    """What is given back in the end."""

    def over(self) -> None: ...


class RequestRecord:
    """One request. ``status`` is 0 until an answer has begun. Nothing secret stands in it: no query, no header."""

    def __init__(self, scope: Scope, headers: Headers, request_id: str) -> None:
        self.request_id = request_id
        self.method = "WEBSOCKET" if scope["type"] == "websocket" else scope["method"]
        self.http = scope.get("http_version", "")
        self._refusable = "websocket.http.response" in (scope.get("extensions") or ())
        client = scope.get("client")
        self.client = client[0] if client else ""
        self.traceparent = traceparent(headers.get("traceparent"))
        self.trace_id = self.traceparent[3:35]
        self.stream = False  # events, or a WebSocket: it may last for days
        self.began_s = 0.0  # how long it took until the answer began
        self.route = ""
        self.principal: Principal | None = None
        self.status = 0
        self.problem: Problem | None = None
        self.trace = ""
        self.body: HeldBody | None = None  # what its body holds, until it is over
        self.heads = [(b"x-request-id", request_id.encode()), *_ALWAYS]  # of the answer, whatever it is
        self.started = time.perf_counter()

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return time.perf_counter() - self.started

    def wrap(self, send: Send) -> Send:
        """``send`` that notes the status and adds to the answer what all of them have."""
        refusable = self._refusable

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
                self.began_s = self.seconds
                self.stream = self.method == "GET" and _is_stream(message)
                message["headers"] = [*message.get("headers", ()), *self.heads]
            elif message["type"] == "websocket.accept":
                self.status, self.began_s, self.stream = 101, self.seconds, True
            elif message["type"] == "websocket.close" and not self.status:
                self.status = 403
                if refusable:  # by our answer in place of the listener's own
                    start = {"type": "websocket.http.response.start", "status": 403, "headers": self.heads}
                    await send(start)
                    message = {"type": "websocket.http.response.body", "body": b""}
            try:
                await send(message)
            except Limited:  # there is no room for this answer: nothing of it was sent
                self.status = 0
                raise

        return sending

    def cancelled(self) -> None:
        """The client went away before the end."""
        if not self.status:
            self.status = 499

    def failed(self, error: Exception) -> None:
        """Something happened that should not."""
        self.trace = "".join(traceback.format_exception(error))

    def internal(self) -> Internal:
        """What the client is told of it: a reference."""
        return unexpected(self.request_id)


def always(send: Send) -> Send:
    """``send`` for an answer that has no record, with what every answer has."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *_ALWAYS]
        await send(message)

    return sending


def _is_stream(message: Message) -> bool:
    for name, value in message.get("headers", ()):
        if name == b"content-type":
            return b"event-stream" in value
    return False
