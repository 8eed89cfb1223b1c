"""The OpenAPI 3.1 document at ``/api/v1/openapi.json``: every route of the table, made when it is first asked for.

What a route's ``documentation`` says stands above what is known of it anyway. A WebSocket is no HTTP operation; its
path carries an ``x-websocket`` instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from starlette.responses import Response

from comity import __version__
from comity.doors.http.problems import MEDIA_TYPE
from comity.doors.http.rest.answers import Tagged
from comity.doors.http.rest.encoding import encoded
from comity.doors.http.rest.operations import PREFIX
from comity.doors.http.rest.schemas import Schemas
from comity.doors.http.route import OPEN, Exchange, Route
from comity.kernel.record import camel
from comity.kernel.registry import AnyOp
from comity.kernel.schema import JsonSchema
from comity.kernel.signature import hints_of, parameters
from comity.rooms import REGISTRY

PATH = PREFIX + "openapi.json"
Object = dict[str, Any]

_PROBLEMS = {
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
_ANY = (400, 403, 408, 413, 421, 429, 431, 500, 503)  # from whatever stands in front of the routes
_KNOWN = (*_ANY, 401)  # where the caller is looked at
_ASKED = (*_KNOWN, 404, 409)  # where an operation runs
_WRITTEN = (*_ASKED, 415, 422)

_HEADERS: dict[str, tuple[str, JsonSchema]] = {
    "ETag": ("The tag of this answer, for If-None-Match.", {"type": "string"}),
    "Link": ('Where the list goes on: rel="next".', {"type": "string"}),
    "Retry-After": ("Seconds to wait.", {"type": "string"}),
    "Idempotency-Replayed": ("This was answered before under the same key.", {"type": "string", "enum": ["true"]}),
    "X-Request-Id": ("The request's id, as in the server's log.", {"type": "string"}),
}
_PARAMETERS: dict[str, tuple[str, str, JsonSchema]] = {
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


class Document:
    """The document of one server's table."""

    def __init__(self) -> None:
        self._routes: tuple[Route, ...] = ()
        self._made: Tagged | None = None
        self._making = asyncio.Lock()

    def route(self) -> Route:
        """Where it is read."""
        return Route("GET", PATH, OPEN, "This server's routes as OpenAPI", self._answer, documentation=_ITSELF)

    def describe(self, routes: tuple[Route, ...]) -> None:
        """Say which routes it tells of."""
        self._routes = routes

    async def _answer(self, exchange: Exchange) -> Response:
        if self._made is None:
            async with self._making:  # it takes a while: once, however many ask
                if self._made is None:
                    make = partial(document, self._routes, required=exchange.house.authority.required)
                    self._made = Tagged(encoded(await exchange.house.calls.work(make)))
        return self._made.answer(exchange.request.headers.get("if-none-match"))


def document(routes: Iterable[Route], *, required: bool) -> Object:
    """The document. ``required``: nobody is let in without a token."""
    schemas = Schemas()
    paths: dict[str, Object] = {}
    for route in routes:
        path = paths.setdefault(route.path, {})
        if route.socket or route.method == "WEBSOCKET":
            path["x-websocket"] = {"summary": route.summary, **(route.documentation or {})}
        else:
            path[route.method.lower()] = _operation(route, schemas, required=required)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Comity",
            "version": __version__,
            "summary": "A workspace that coding agents share: messages, tasks, claims, memory.",
            "description": "Every operation stands at `/api/v1/` and its name: reads are GET, writes are POST with a "
            "JSON body. Errors are `application/problem+json`: `reason` is stable, `hint` says what to do. GET also "
            "answers HEAD; a method that a path does not know is answered with 405.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in sorted({_tag(route) for route in routes})],
        "paths": paths,
        "components": _components(schemas),
    }


def described(
    tag: str, fields: JsonSchema, *, parameters: Sequence[Object] = (), body: JsonSchema | None = None
) -> Object:
    """The documentation of a route that is no operation's own: what it answers and, with a body, takes."""
    done: Object = {"description": "The answer.", "content": {"application/json": {"schema": fields}}}
    found: Object = {"tags": [tag]}
    if body is None:
        done["headers"] = {"ETag": _ref("headers", "ETag")}
        unchanged: Object = {"description": "Nothing has changed.", "headers": {"ETag": _ref("headers", "ETag")}}
        found["parameters"] = [*parameters, _parameter("agent"), _parameter("tag")]
        return {**found, "responses": {"200": done, "304": unchanged, **_refusals(_ASKED)}}
    done["headers"] = {"Idempotency-Replayed": _ref("headers", "Idempotency-Replayed")}
    found["parameters"] = [*parameters, _parameter("agent"), _parameter("key")]
    found["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return {**found, "responses": {"200": done, **_refusals(_WRITTEN)}}


def plain(tag: str, **answers: tuple[str, str, JsonSchema]) -> Object:
    """The documentation of a GET that anybody may ask: by status what it means, its media type and its schema."""
    responses: Object = {
        status.strip("_"): {"description": told, "content": {media_type: {"schema": schema}}}
        for status, (told, media_type, schema) in answers.items()
    }
    return {"tags": [tag], "responses": {**_refusals(_ANY), **responses}}


def _operation(route: Route, schemas: Schemas, *, required: bool) -> Object:
    op = _op_of(route)
    found: Object = {
        "operationId": _id_of(route, op),
        "summary": route.summary,
        "tags": [_tag(route)],
        "security": _security(route, required=required),
        "responses": {"200": {"description": "The answer."}, **_refusals(_ANY if route.grant == OPEN else _KNOWN)},
    }
    if op is not None:
        found |= _of_operation(op, schemas)
    elif route.grant != OPEN:
        found["parameters"] = [_parameter("agent")]
    found |= route.documentation or {}
    found["responses"] = {status: _complete(response) for status, response in sorted(found["responses"].items())}
    return found


def _of_operation(op: AnyOp, schemas: Schemas) -> Object:
    taken = parameters(op)
    answer = schemas.of(hints_of(op.run)["return"])
    said: Object = {"schema": answer, "example": schemas.example(answer)}
    headers = {"ETag": _ref("headers", "ETag")} if op.effect == "read" else {}
    example = {camel(name): value for name, value in op.example.items()}
    done: Object = {"description": "The answer.", "content": {"application/json": said}, "headers": headers}
    if op.effect == "read":
        names = {parameter.name for parameter in taken}
        if "limit" in names and names & {"after", "since_seq"}:
            headers["Link"] = _ref("headers", "Link")
        listed = [_query(camel(p.name), schemas.argument(p), p.required, example) for p in taken]
        unchanged: Object = {"description": "Nothing has changed.", "headers": {"ETag": _ref("headers", "ETag")}}
        return {
            "description": op.doc,
            "parameters": [*listed, _parameter("agent"), _parameter("tag")],
            "responses": {"200": done, "304": unchanged, **_refusals(_ASKED)},
        }
    headers["Idempotency-Replayed"] = _ref("headers", "Idempotency-Replayed")
    schema = schemas.arguments(taken)
    return {
        "description": op.doc,
        "parameters": [_parameter("agent"), _parameter("key")],
        "requestBody": {
            "required": "required" in schema,
            "content": {"application/json": {"schema": schema, "example": example}},
        },
        "responses": {"200": done, **_refusals(_WRITTEN)},
    }


def _query(name: str, schema: JsonSchema, required: bool, example: Object) -> Object:
    found: Object = {"name": name, "in": "query", "required": required, "schema": schema}
    if schema.get("type") == "array":
        found |= {"style": "form", "explode": True}
    if name in example:
        found["example"] = example[name]
    return found


def _components(schemas: Schemas) -> Object:
    problem = {
        "type": "object",
        "description": "What went wrong (RFC 9457). `reason` is stable, `hint` says what to do.",
        "properties": {
            **{name: {"type": "string"} for name in ("type", "title", "reason", "kind", "hint", "requestId")},
            "status": {"type": "integer"},
            "data": {"type": "object"},
        },
        "required": ["type", "title", "status", "reason", "kind", "hint", "data"],
    }
    return {
        "schemas": {**dict(sorted(schemas.named.items())), "Problem": problem},
        "responses": {str(status): _problem(status, told) for status, told in _PROBLEMS.items()},
        "headers": {name: {"description": told, "schema": schema} for name, (told, schema) in _HEADERS.items()},
        "parameters": {
            key: {"name": name, "in": "header", "description": told, "schema": schema}
            for key, (name, told, schema) in _PARAMETERS.items()
        },
        "securitySchemes": {
            "token": {"type": "http", "scheme": "bearer", "description": "A token that `comity token create` printed."}
        },
    }


def _problem(status: int, told: str) -> Object:
    if status == 431:
        return {"description": told}
    headers = {"X-Request-Id": _ref("headers", "X-Request-Id")}
    if status in (429, 503):
        headers["Retry-After"] = _ref("headers", "Retry-After")
    content = {MEDIA_TYPE: {"schema": _ref("schemas", "Problem")}}
    return {"description": told, "headers": headers, "content": content}


def _complete(response: Object) -> Object:
    if "$ref" in response:
        return response
    return {**response, "headers": {**response.get("headers", {}), "X-Request-Id": _ref("headers", "X-Request-Id")}}


def _refusals(statuses: Iterable[int]) -> Object:
    return {str(status): _ref("responses", str(status)) for status in statuses}


def _security(route: Route, *, required: bool) -> list[Object]:
    if route.grant == OPEN:
        return []
    return [{"token": []}] if required or route.token else [{}, {"token": []}]


def _op_of(route: Route) -> AnyOp | None:
    return REGISTRY.get(route.grant) if route.path == PREFIX + route.grant else None


def _id_of(route: Route, op: AnyOp | None) -> str:
    return op.name if op is not None else f"{route.method.lower()} {route.path}"


def _tag(route: Route) -> str:
    if _op_of(route) is not None:
        return route.grant.partition(".")[0]
    return str((route.documentation or {}).get("tags", ["server"])[0])


def _parameter(key: str) -> Object:
    return _ref("parameters", key)


def _ref(kind: str, name: str) -> Object:
    return {"$ref": f"#/components/{kind}/{name}"}


_ITSELF: Object = {
    "parameters": [_ref("parameters", "tag")],
    "responses": {
        "200": {
            "description": "The document.",
            "content": {"application/json": {"schema": {"type": "object"}}},
            "headers": {"ETag": _ref("headers", "ETag")},
        },
        "304": {"description": "Nothing has changed."},
        **_refusals(_ANY),
    },
}
