"""Problems as HTTP answers: ``application/problem+json`` (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from comity.kernel.problem import Internal, Problem
from comity.kernel.text import lenient

MEDIA_TYPE = "application/problem+json"
# HTTP has a closer word for these than their kind's status.
STATUS = {
    "body.encoding": 415,
    "body.too_large": 413,
    "body.too_slow": 408,
    "body.type": 415,
    "host.unknown": 421,
    "idempotency.reused": 422,
    "method.unknown": 405,
    "server.ending": 503,
}


def status_of(problem: Problem) -> int:
    """The HTTP status of a problem."""
    return STATUS.get(problem.reason, problem.status)


def unexpected(reference: str) -> Internal:
    """What a client is told of a failure that should not happen: where the server's log tells of it."""
    return Internal(
        "internal.unexpected",
        f"The server failed (reference {reference}).",
        "Its log has more under that reference.",
        reference=reference,
    )


def members(problem: Problem, request_id: str) -> dict[str, Any]:
    """The JSON object that tells of a problem."""
    return {
        "type": f"urn:comity:problem:{problem.reason}",
        "title": problem.message,
        "status": status_of(problem),
        "reason": problem.reason,
        "kind": problem.kind,
        "hint": problem.hint,
        "data": problem.data,
        "requestId": request_id,
    }


def response(problem: Problem, request_id: str, headers: Mapping[str, str] | None = None) -> Response:
    """The answer to a request that met a problem."""
    sent = dict(headers or {})
    if problem.status == 401:
        sent["www-authenticate"] = "Bearer"
    if problem.reason == "body.encoding":
        sent["accept-encoding"] = "identity"
    if "retryAfterS" in problem.data:
        sent["retry-after"] = str(problem.data["retryAfterS"])
    return Response(lenient(members(problem, request_id)), status_of(problem), sent, MEDIA_TYPE)
