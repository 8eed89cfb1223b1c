"""Documentation of routes in the OpenAPI document: what they take, what they answer, and how they refuse."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from comity.kernel.schema import JsonSchema

Object = dict[str, Any]

PROBLEMS = {
    400: "The request is malformed, or an argument is wrong.",
    401: "A token is missing, unknown, expired or revoked; or the server does not know which agent calls.",
    403: "The caller may not do this, or a page from elsewhere caused the request.",
    404: "There is no such thing.",
    405: "This path does not know the method; Allow lists those that it knows.",
    406: "The client accepts none of the types that can be answered.",
    408: "The body came too slowly.",
    409: "The present state says no, or the first request under this Idempotency-Key is still being carried out.",
    413: "The body is too large.",
    415: "The body's type is not JSON.",
    421: "The server does not answer to that Host.",
    422: "Another request was sent under this Idempotency-Key.",
    429: "Too many requests, or a bound was met; Retry-After says when to go on.",
    431: "The request's headers are too large. The listener says so by itself, without a body.",
    500: "The server failed; its log has more under the request's id.",
    503: "The server is ending, or the database is away.",
}
ANY = (400, 403, 408, 413, 421, 429, 431, 500, 503)  # from whatever stands in front of the routes
KNOWN = (*ANY, 401)  # where the caller is looked at
ASKED = (*KNOWN, 404, 409)  # where an operation runs
WRITTEN = (*ASKED, 415, 422)

HEADERS: dict[str, tuple[str, JsonSchema]] = {
    "ETag": ("The tag of this answer, for If-None-Match.", {"type": "string"}),
    "Link": ('Where the list goes on: rel="next".', {"type": "string"}),
    "Retry-After": ("Seconds to wait.", {"type": "string"}),
    "Idempotency-Replayed": ("This was answered before under the same key.", {"type": "string", "enum": ["true"]}),
    "X-Request-Id": ("The request's id, as in the server's log.", {"type": "string"}),
}
PARAMETERS: dict[str, tuple[str, str, JsonSchema]] = {
    "agent": (
        "X-Comity-Agent",
        "Which agent calls, on an open server or with a token of no agent.",
        {"type": "string", "maxLength": 200, "pattern": "^[A-Za-z0-9._-]+$"},
    ),
    "key": (
        "Idempotency-Key",
        "The same request under the same key is carried out once within 24 hours, and answered alike.",
        {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
    ),
    "tag": ("If-None-Match", "An ETag of before: 304 when nothing has changed.", {"type": "string"}),
}


def described(
    tag: str, fields: JsonSchema, *, parameters: Sequence[Object] = (), body: JsonSchema | None = None
) -> Object:
    """The documentation of a route that is no operation's own: what it answers and, with a body, takes."""
    done: Object = {"description": "The answer.", "content": {"application/json": {"schema": fields}}}
    found: Object = {"tags": [tag]}
    if body is None:
        done["headers"] = {"ETag": ref("headers", "ETag")}
        unchanged: Object = {"description": "Nothing has changed.", "headers": {"ETag": ref("headers", "ETag")}}
        found["parameters"] = [*parameters, parameter("agent"), parameter("tag")]
        return {**found, "responses": {"200": done, "304": unchanged, **refusals(ASKED)}}
    done["headers"] = {"Idempotency-Replayed": ref("headers", "Idempotency-Replayed")}
    found["parameters"] = [*parameters, parameter("agent"), parameter("key")]
    found["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return {**found, "responses": {"200": done, **refusals(WRITTEN)}}


def plain(tag: str, **answers: tuple[str, str, JsonSchema]) -> Object:
    """The documentation of a GET that anybody may ask: by status what it means, its media type and its schema."""
    responses: Object = {
        status.strip("_"): {"description": told, "content": {media_type: {"schema": schema}}}
        for status, (told, media_type, schema) in answers.items()
    }
    return {"tags": [tag], "responses": {**refusals(ANY), **responses}}


def refusals(statuses: Iterable[int]) -> Object:
    """The answers of these statuses: each a Problem."""
    return {str(status): ref("responses", str(status)) for status in statuses}


def parameter(key: str) -> Object:
    """One of the parameters that many routes take."""
    return ref("parameters", key)


def ref(kind: str, name: str) -> Object:
    """A reference to one of the document's components."""
    return {"$ref": f"#/components/{kind}/{name}"}
