"""What every request goes through, whatever its protocol: one ASGI application in front of the route table.

In this order: a request id; Host and Origin; how many requests there were; whether there is such a route; who asks and
whether they may; the size and the pace of the body. What is refused here has run nothing. Every failure becomes a
Problem's answer, and an unexpected one a reference that the log explains.
"""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from comity.doors.auth.principal import Principal
from comity.doors.http import problems
from comity.doors.http.admission import Admission
from comity.doors.http.heads import Heads
from comity.doors.http.house import House
from comity.doors.http.naming import named
from comity.doors.http.place import Place
from comity.doors.http.record import Record
from comity.doors.http.route import OPEN, Exchange, Route, Table
from comity.kernel.problem import Invalid, Limited, NotFound, Problem, Unauthenticated, Unavailable

BODY_S = 30.0  # for a request's whole body
_NOBODY = Principal(None, "reader", None)


class Guard:
    """The server's outermost application."""

    def __init__(self, house: House, table: Table, place: Place | None = None) -> None:
        self._house = house
        self._table = table
        self._admission = Admission(place or house.place)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request or WebSocket."""
        headers = Heads(scope)
        record = Record(scope, headers, f"{random.getrandbits(64):016x}")
        sent = record.wrap(send)
        self._house.begun(record)
        try:
            await self._answer(scope, headers, receive, sent, record)
        except Problem as problem:
            await _refuse(problem, scope, receive, sent, record)
        except asyncio.CancelledError:
            record.cancelled()
            raise
        except Exception as error:  # noqa: BLE001 - the edge: nothing may escape as a stack trace
            record.failed(error)
            await _refuse(record.internal(), scope, receive, sent, record)
        finally:
            self._house.told(record)

    async def _answer(self, scope: Scope, headers: Headers, receive: Receive, send: Send, record: Record) -> None:
        client = record.client
        self._admission.check_origin(headers.getlist("host"), headers.getlist("origin"), headers.get("sec-fetch-site"))
        self._admission.count(client)
        route = self._route(scope)
        record.route = route.path
        if self._house.ending:
            raise Unavailable("server.ending", "The server is shutting down.", "Connect again.", retryAfterS=2)
        principal = await self._admit(route, headers, client)
        record.principal = principal
        if scope["type"] == "http":
            receive = _Body(receive, headers, self._house.place.max_body_bytes)
            exchange = Exchange(self._house, Request(scope, receive), principal, record.request_id)
        else:
            exchange = Exchange(
                self._house, Request({**scope, "type": "http", "method": "GET"}), principal, record.request_id
            )
        if route.app is not None:
            await route.app(exchange, receive, send)
            return
        assert route.answer is not None, "a route has an answer or an application"
        answer = await route.answer(exchange)
        await _respond(answer, scope, receive, send)

    def _route(self, scope: Scope) -> Route:
        method = "WEBSOCKET" if scope["type"] == "websocket" else scope["method"]
        path = scope["path"]
        route = self._table.find(method, path)
        if route is not None:
            return route
        methods = self._table.methods(path)
        if not methods:
            raise NotFound("route.unknown", "There is no such address here.", "/api/v1/openapi.json lists them.")
        raise Invalid(
            "method.unknown", f"{method[:20]} is not done here.", f"Use {' or '.join(methods)}.", allow=methods
        )

    async def _admit(self, route: Route, headers: Headers, client: str) -> Principal:
        """Who asks. Raises Unauthenticated, Forbidden, Limited."""
        if route.grant == OPEN:
            return _NOBODY
        shown = headers.getlist("authorization")
        try:
            principal = self._house.authority.of(shown or None)
        except Unauthenticated as problem:
            if shown:
                self._admission.failed(client)
            raise problem from None
        if route.token and principal.token_id is None:
            raise Unauthenticated(
                "token.missing", "This address asks for a token, also here.", "`comity token create` makes one."
            )
        principal = named(principal, headers)
        self._house.authority.require(principal, route.grant)
        return principal


class _Body:
    """A request's body within bounds. Raises Limited ``body.too_large`` and ``body.too_slow``."""

    def __init__(self, receive: Receive, headers: Headers, most_bytes: int) -> None:
        self._receive = receive
        self._left = most_bytes
        self._most = most_bytes
        self._until = time.monotonic() + BODY_S
        self._whole = False
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length[:19]) > most_bytes:
            raise self._too_large()

    async def __call__(self) -> Message:
        if self._whole:
            return await self._receive()
        try:
            async with asyncio.timeout(max(0.0, self._until - time.monotonic())):
                message = await self._receive()
        except TimeoutError:
            raise Limited("body.too_slow", f"The body took longer than {BODY_S:g} s.", "Send it faster.") from None
        if message["type"] != "http.request":
            return message
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise self._too_large()
        self._whole = not message.get("more_body", False)
        return message

    def _too_large(self) -> Limited:
        return Limited(
            "body.too_large",
            f"The body is larger than {self._most:,} bytes.",
            "Send less at once.",
            maxBytes=self._most,
        )


async def _refuse(problem: Problem, scope: Scope, receive: Receive, send: Send, record: Record) -> None:
    record.problem = problem
    if record.status:  # an answer has begun: it can only be cut off
        return
    allow = problem.data.get("allow")
    headers = {"allow": ", ".join(allow)} if isinstance(allow, list) else {}
    if problem.reason.startswith("body.") or problem.reason == "server.ending":
        headers["connection"] = "close"
    await _respond(problems.response(problem, record.request_id, headers), scope, receive, send)


async def _respond(answer: Response, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        await answer(scope, receive, send)
        return
    closing: dict[str, Any] = {"type": "websocket.close", "code": 1008}
    await send(closing)
