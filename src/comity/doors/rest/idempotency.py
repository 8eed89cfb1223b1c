"""``Idempotency-Key``: a write that is sent again is answered as before, and not carried out again.

The pipeline does that for every door (``rooms.replies``). Here the header is read, and an answer that was kept is
marked with ``Idempotency-Replayed``; a refusal is told again with the id of the request that met it first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from comity.kernel.call import Key
from comity.kernel.problem import Problem
from comity.kernel.registry import AnyOp
from comity.server import problems
from comity.server.answers import JSON, Answer, header
from comity.server.encoding import encoded, said
from comity.server.route import Exchange

HEADER = b"idempotency-key"
REPLAYED = {"idempotency-replayed": "true"}
SECRET = {"cache-control": "no-store"}


async def answer(
    op: AnyOp, arguments: dict[str, object], exchange: Exchange, say: Callable[[Any], Any] = said
) -> Response:
    """The answer to a write, at most once under the request's key. ``say`` makes JSON of a result. Raises Problem."""
    text = header(exchange.scope, HEADER)
    key = None if text is None else Key(text, exchange.request_id)
    try:
        result = await exchange.server.call(exchange.principal, op, arguments, key=key)
    except Problem as problem:
        if key is None or not key.replayed:
            raise
        return problems.response(problem, key.mark, REPLAYED)
    headers = REPLAYED if key is not None and key.replayed else SECRET if op.secret else {}
    return Answer(encoded(say(result)), 200, headers, JSON)
