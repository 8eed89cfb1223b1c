"""REST: every operation at ``/api/v1/`` and its name; reads are GET with a query, writes POST with a JSON body.

``GET /api/v1/task.list?status=pending`` and ``POST /api/v1/task.claim`` with ``{"taskId": "task-001"}``: names of
arguments and of answers are the operations' own in camelCase. A list in a query is the argument repeated.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.responses import Response

from comity.doors.rest import idempotency
from comity.kernel.problem import Invalid
from comity.kernel.record import camel
from comity.kernel.registry import AnyOp
from comity.kernel.signature import parameters
from comity.rooms import REGISTRY
from comity.server.answers import header
from comity.server.arguments import Arguments
from comity.server.encoding import encoded, said
from comity.server.etag import tagged
from comity.server.route import Exchange, Route

PREFIX = "/api/v1/"
_CURSORS = ("after", "since_seq")  # arguments that take the cursor of an answer


def routes() -> tuple[Route, ...]:
    """A route for each operation."""
    return tuple(
        Route("GET", PREFIX + op.name, op.name, op.summary, ReadEndpoint(op).answer)
        if op.effect == "read"
        else Route("POST", PREFIX + op.name, op.name, op.summary, WriteEndpoint(op).answer)
        for op in REGISTRY
    )


class ReadEndpoint:
    """Answers GET for one operation, with an ETag, and where its answer has a cursor with a link to the next page."""

    def __init__(self, op: AnyOp) -> None:
        self._op = op
        self._arguments = Arguments(op)
        self._limit = next((p.default for p in parameters(op) if p.name == "limit"), 0)
        taken = {parameter.name for parameter in parameters(op)}
        self._cursor = next((camel(name) for name in _CURSORS if {name, "limit"} <= taken), "")

    async def answer(self, exchange: Exchange) -> Response:
        """The operation's answer. Raises Problem."""
        query = exchange.scope.get("query_string", b"")
        arguments = self._arguments.of_query(query)
        try:
            result = await exchange.server.call(exchange.principal, self._op.name, arguments)
        except Invalid as problem:
            raise self._arguments.complain(problem) from None
        headers = self._link(query, arguments, result) if self._cursor else None
        return tagged(encoded(said(result)), header(exchange.scope, b"if-none-match"), headers)

    def _link(self, query: bytes, arguments: dict[str, object], result: Any) -> dict[str, str]:
        """Where a page that is full goes on."""
        if len(result[0]) < int(str(arguments.get("limit", self._limit))):
            return {}
        kept = [pair for pair in parse_qsl(query.decode("latin-1"), True) if pair[0] not in (self._cursor, "newest")]
        following = urlencode([*kept, (self._cursor, result.cursor)])
        return {"link": f'<{PREFIX}{self._op.name}?{following}>; rel="next"'}


class WriteEndpoint:
    """Answers POST for one operation, at most once under an ``Idempotency-Key``."""

    def __init__(self, op: AnyOp) -> None:
        self._op = op
        self._arguments = Arguments(op)

    async def answer(self, exchange: Exchange) -> Response:
        """The operation's answer. Raises Problem."""
        arguments = self._arguments.of_body(await exchange.request.body(), header(exchange.scope, b"content-type"))
        try:
            return await idempotency.answer(self._op, arguments, exchange)
        except Invalid as problem:
            raise self._arguments.complain(problem) from None
