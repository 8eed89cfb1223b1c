"""``Idempotency-Key``: a write that is sent again is answered as before, and not carried out again.

Where an operation is one transaction its answer is kept in that very transaction, so that it was carried out and is
kept, or neither, whenever the server is killed and however many servers there are. A long operation (claims, indexing
a folder) is several transactions: its key is reserved first; if the server is killed meanwhile, the same request is
refused for two minutes and then runs again, which those operations bear.

Kept are answers that a repetition would not mend: successes and refusals by the present state. Failures of the server,
complaints about arguments and bounds that pass are not, so those may be sent again under the same key.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from starlette.responses import Response

from comity.kernel.problem import Conflict, Invalid, Problem
from comity.kernel.registry import AnyOp
from comity.kernel.validate import validate
from comity.rooms.agents.model import UNREGISTERED
from comity.rooms.replies import once
from comity.rooms.replies.once import Key, Replay, Reply
from comity.server import problems
from comity.server.answers import JSON
from comity.server.encoding import encoded, said
from comity.server.route import Exchange

HEADER = b"idempotency-key"
_LONGEST = 200
SECRET = ("token.create",)  # their answers hold what is stored nowhere
_KEPT = range(400, 500)
_PASSING = (401, 408, 413, 415, 429)


def key_of(text: str, op: AnyOp, caller: str, arguments: dict[str, object]) -> Key:
    """The key that a header's text is for one request. Raises Invalid ``idempotency.key``."""
    if not 0 < len(text) <= _LONGEST or not text.isascii() or not text.isprintable():
        raise Invalid(
            "idempotency.key",
            "The Idempotency-Key is no key.",
            f"Send 1 to {_LONGEST} printable ASCII characters, such as a UUID.",
        )
    try:
        asked = json.dumps([op.name, arguments], sort_keys=True)
    except RecursionError:
        raise Invalid("body.not_json", "The body is nested too deeply.", "Send a flat JSON object.") from None
    return Key(caller, text, sha256(asked.encode("utf-8", "replace")).hexdigest())


async def answer(
    op: AnyOp, arguments: dict[str, object], key: Key, exchange: Exchange, say: Callable[[Any], Any] = said
) -> Response:
    """The answer to a write under a key: a new one, or the kept one. ``say`` makes JSON of a result. Raises Problem."""
    validate(op, arguments)  # what is refused for its form is kept by nobody

    def told(result: Any) -> Reply | None:
        if isinstance(result, Problem):
            return _refusal(result, exchange.request_id)
        return Reply(200, "" if op.name in SECRET else encoded(say(result)).decode())

    try:
        result = await (_long if op.long else _short)(op, arguments, key, exchange, told)
    except Replay as replay:
        return _again(replay.reply)
    except Problem as problem:
        reply = _refusal(problem, exchange.request_id)
        if reply is not None:
            await _perform(exchange, once.keep(op, key, reply), arguments)
        raise
    return Response(encoded(say(result)), 200, None, JSON)


async def _short(op: AnyOp, arguments: dict[str, object], key: Key, exchange: Exchange, told: once.Told) -> Any:
    result = await _perform(exchange, once.once(op, key, told), arguments)
    if op.waits is not None and op.waits.empty(result):  # so nothing was done; that is the answer all the same
        reply = told(result)
        assert reply is not None, "a result is kept"
        await _perform(exchange, once.keep(op, key, reply), arguments)
    return result


async def _long(op: AnyOp, arguments: dict[str, object], key: Key, exchange: Exchange, told: once.Told) -> Any:
    await _perform(exchange, once.reserve(op, key), arguments)
    done: AnyOp = once.free(op, key)
    try:
        result = await _perform(exchange, op, arguments)
        reply = told(result)
        assert reply is not None, "a result is kept"
        done = once.keep(op, key, reply)
        return result
    finally:
        await asyncio.shield(asyncio.ensure_future(_perform(exchange, done, arguments)))


async def _perform(exchange: Exchange, op: AnyOp, arguments: dict[str, object]) -> Any:
    return await exchange.house.call(exchange.principal, op, arguments)


def _refusal(problem: Problem, request_id: str) -> Reply | None:
    status = problems.status_of(problem)
    passing = status not in _KEPT or status in _PASSING or problem.reason in UNREGISTERED
    if passing or problem.reason.startswith(("argument.", "idempotency.")):
        return None
    return Reply(status, encoded(problems.members(problem, request_id)).decode())


def _again(reply: Reply) -> Response:
    if not reply.body:
        raise Conflict(
            "idempotency.secret",
            "This request was carried out before; its answer held a secret, which is not kept.",
            "`comity token list` shows the token: revoke it, and send a new request under another key.",
        )
    media_type = JSON if reply.status < 400 else problems.MEDIA_TYPE
    return Response(reply.body.encode(), reply.status, {"idempotency-replayed": "true"}, media_type)
