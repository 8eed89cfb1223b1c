"""The ASGI application in front of the route table: every request of every protocol goes through it.

In this order: a request id; Host and Origin; how many requests there were; a browser's preflight; whether there is such
a route; who asks and whether they may; the body's form, size and pace. What is refused here has run nothing. Every
failure becomes a Problem's answer, and an unexpected one a reference that the log explains.
"""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from comity.kernel.problem import Invalid, Limited, NotFound, Problem, Unauthenticated, Unavailable
from comity.kernel.text import whole
from comity.server import problems
from comity.server.address import ServerAddress
from comity.server.admission import Admission
from comity.server.agent_header import name_in
from comity.server.auth.principal import Principal
from comity.server.bounds import SMALL_BYTES, Bodies
from comity.server.connections import client_of
from comity.server.cors import Cors
from comity.server.headers import Heads
from comity.server.request_record import RequestRecord
from comity.server.route import OPEN, Exchange, Route, RouteTable
from comity.server.state import ServerState

BODY_S = 30.0  # for a request's whole body
_NOBODY = Principal(None, "reader", None)


class Application:
    """The server's outermost application."""

    def __init__(self, server: ServerState, table: RouteTable, address: ServerAddress | None = None) -> None:
        self._server = server
        self._table = table
        self._admission = Admission(address or server.address)
        self._cors = Cors(server.address.origins, table)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request or WebSocket."""
        headers = Heads(scope)
        record = RequestRecord(scope, headers, f"{random.getrandbits(64):016x}")
        record.heads += self._cors.heads(headers)
        sent = record.wrap(send)
        self._server.request_began(record)
        try:
            await self._answer(scope, headers, receive, sent, record)
        except Problem as problem:
            await _refuse(problem, scope, receive, sent, record)
        except ClientDisconnect:
            await _refuse(_broken(), scope, receive, sent, record)
        except asyncio.CancelledError:
            record.cancelled()
            raise
        except Exception as error:  # noqa: BLE001 - the edge: nothing may escape as a stack trace
            record.failed(error)
            await _refuse(record.internal(), scope, receive, sent, record)
        finally:
            if record.body is not None:
                record.body.over()
            self._server.request_ended(record)

    async def _answer(
        self, scope: Scope, headers: Headers, receive: Receive, send: Send, record: RequestRecord
    ) -> None:
        client = record.client
        self._admission.check_origin(headers.getlist("host"), headers.getlist("origin"), headers.get("sec-fetch-site"))
        self._admission.count(client)
        preflight = self._cors.preflight(scope, headers)
        if preflight is not None:
            await preflight(scope, receive, send)
            return
        route = self._route(scope)
        record.route = route.path
        if self._server.ending:
            raise Unavailable("server.ending", "The server is shutting down.", "Connect again.", retryAfterS=2)
        principal = self._admit(route, headers, scope)
        record.principal = principal
        if scope["type"] == "http":
            _require_plain(headers)
            receive = record.body = _Body(
                receive, headers, self._server.address.max_body_bytes, self._server.bodies, client_of(scope, principal)
            )
            exchange = Exchange(self._server, Request(scope, receive), principal, record.request_id)
        else:
            exchange = Exchange(
                self._server, Request({**scope, "type": "http", "method": "GET"}), principal, record.request_id
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

    def _admit(self, route: Route, headers: Headers, scope: Scope) -> Principal:
        """Who asks. Raises Unauthenticated, Forbidden, Limited."""
        if route.grant == OPEN:
            return _NOBODY
        principal = self._server.callers.identify(scope, headers.getlist("authorization"), lambda: name_in(headers))
        if route.token and principal.token_id is None:
            raise Unauthenticated(
                "token.missing", "This address asks for a token, also here.", "`comity token create` makes one."
            )
        self._server.authority.require(principal, route.grant)
        return principal


def _require_plain(headers: Headers) -> None:
    """Invalid ``body.encoding`` for a body that is compressed: its size would say nothing."""
    if any(coding.strip().lower() not in ("", "identity") for coding in headers.getlist("content-encoding")):
        raise Invalid(
            "body.encoding", "The body is compressed, and is taken only as it is.", "Leave Content-Encoding out."
        )


class _Body:
    """A request's body within bounds. Raises Limited ``body.too_large``, ``body.too_slow`` and ``body.no_room``."""

    def __init__(self, receive: Receive, headers: Headers, most_bytes: int, bodies: Bodies, client: str) -> None:
        self._receive = receive
        self._bodies = bodies
        self._client = client
        self._held = 0
        self._left = most_bytes
        self._most = most_bytes
        self._until = time.monotonic() + BODY_S
        self._whole = False
        length = whole(headers.get("content-length", "0"))
        if length is None or length > most_bytes:
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
        if self._most - self._left > SMALL_BYTES:
            more = self._most - self._left - self._held
            self._bodies.take(self._client, more)
            self._held += more
        return message

    def over(self) -> None:
        """The request is over."""
        if self._held:
            self._bodies.give(self._client, self._held)
            self._held = 0

    def _too_large(self) -> Limited:
        return Limited(
            "body.too_large",
            f"The body is larger than {self._most:,} bytes.",
            "Send less at once.",
            maxBytes=self._most,
        )


def _broken() -> Invalid:
    return Invalid("body.broken", "The body ended before it was whole, or is malformed.", "Send it again, all of it.")


async def _refuse(problem: Problem, scope: Scope, receive: Receive, send: Send, record: RequestRecord) -> None:
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
