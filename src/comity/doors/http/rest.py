"""REST: every operation at ``/api/v1/`` and its name; reads are GET with a query, writes POST with a JSON body.

``GET /api/v1/task.list?status=pending`` and ``POST /api/v1/task.claim`` with ``{"taskId": "task-001"}``: names of
arguments and of answers are the operations' own in camelCase. A list in a query is the argument repeated.
"""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from starlette.responses import Response

from comity.doors.http.route import Exchange, Route
from comity.kernel.op import Op
from comity.kernel.problem import Invalid
from comity.kernel.record import camel, to_json
from comity.kernel.signature import parameters
from comity.rooms import REGISTRY

PREFIX = "/api/v1/"
AnyOp = Op[Any, Any]


def routes() -> tuple[Route, ...]:
    """A route for each operation."""
    return tuple(
        Route("GET" if op.effect == "read" else "POST", PREFIX + op.name, op.name, op.summary, partial(_answer, op))
        for op in REGISTRY
    )


async def _answer(op: AnyOp, exchange: Exchange) -> Response:
    arguments = _query(op, exchange) if op.effect == "read" else await _body(op, exchange)
    result = await exchange.house.call(exchange.principal, op.name, arguments)
    return json_response(to_json(result))


def json_response(value: Any, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"), status, None, "application/json")


def _query(op: AnyOp, exchange: Exchange) -> dict[str, object]:
    own = {camel(parameter.name): parameter for parameter in parameters(op)}
    found: dict[str, object] = {}
    for key, value in exchange.request.query_params.multi_items():
        if key not in own:
            raise Invalid("argument.unknown", f"{op.name} has no argument {key[:80]!r}.", "See the OpenAPI document.")
        found[own[key].name] = value
    return found


async def _body(op: AnyOp, exchange: Exchange) -> dict[str, object]:
    raw = await exchange.request.body()
    try:
        value = json.loads(raw or b"{}")
    except (ValueError, RecursionError):
        raise Invalid("body.not_json", "The body is not JSON.", "Send a JSON object.") from None
    if not isinstance(value, dict):
        raise Invalid("body.not_object", "The body is not a JSON object.", "Send the arguments by name.")
    own = {camel(parameter.name): parameter.name for parameter in parameters(op)}
    return {own.get(key, key): item for key, item in value.items()}
