"""The OpenAPI 3.1 document at ``/api/v1/openapi.json``: every route of the table, made when it is first asked for.

What a route's ``documentation`` says stands above what is known of it anyway. A WebSocket is no HTTP operation; its
path carries an ``x-websocket`` instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import partial

from starlette.responses import Response

from comity import __version__
from comity.doors.rest.operations import PREFIX
from comity.doors.rest.schemas import Schemas
from comity.kernel.record import camel
from comity.kernel.registry import AnyOp
from comity.kernel.schema import JsonSchema
from comity.kernel.signature import answer_of, parameters
from comity.rooms import REGISTRY
from comity.server.documentation import (
    ANY,
    ASKED,
    HEADERS,
    KNOWN,
    PARAMETERS,
    PROBLEMS,
    WRITTEN,
    Object,
    parameter,
    ref,
    refusals,
)
from comity.server.encoding import encoded
from comity.server.etag import Tagged
from comity.server.problems import MEDIA_TYPE
from comity.server.route import OPEN, Exchange, Route

PATH = PREFIX + "openapi.json"


class OpenApiDocument:
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
                    make = partial(document, self._routes, required=exchange.server.authority.required)
                    self._made = Tagged(encoded(await exchange.server.calls.work(make)))
        return self._made.answer(exchange.request.headers.get("if-none-match"))


def document(routes: Iterable[Route], *, required: bool) -> Object:
    """The document. ``required``: every request needs a token."""
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


def _operation(route: Route, schemas: Schemas, *, required: bool) -> Object:
    op = _op_of(route)
    found: Object = {
        "operationId": _id_of(route, op),
        "summary": route.summary,
        "tags": [_tag(route)],
        "security": _security(route, required=required),
        "responses": {"200": {"description": "The answer."}, **refusals(ANY if route.grant == OPEN else KNOWN)},
    }
    if op is not None:
        found |= _of_operation(op, schemas)
    elif route.grant != OPEN:
        found["parameters"] = [parameter("agent")]
    found |= route.documentation or {}
    found["responses"] = {status: _complete(response) for status, response in sorted(found["responses"].items())}
    return found


def _of_operation(op: AnyOp, schemas: Schemas) -> Object:
    taken = parameters(op)
    answer = schemas.of(answer_of(op))
    said: Object = {"schema": answer, "example": schemas.example(answer)}
    headers = {"ETag": ref("headers", "ETag")} if op.effect == "read" else {}
    example = {camel(name): value for name, value in op.example.items()}
    done: Object = {"description": "The answer.", "content": {"application/json": said}, "headers": headers}
    if op.effect == "read":
        names = {parameter.name for parameter in taken}
        if "limit" in names and names & {"after", "since_seq"}:
            headers["Link"] = ref("headers", "Link")
        listed = [_query(camel(p.name), schemas.argument(p), p.required, example) for p in taken]
        unchanged: Object = {"description": "Nothing has changed.", "headers": {"ETag": ref("headers", "ETag")}}
        return {
            "description": op.doc,
            "parameters": [*listed, parameter("agent"), parameter("tag")],
            "responses": {"200": done, "304": unchanged, **refusals(ASKED)},
        }
    headers["Idempotency-Replayed"] = ref("headers", "Idempotency-Replayed")
    schema = schemas.arguments(taken)
    return {
        "description": op.doc,
        "parameters": [parameter("agent"), parameter("key")],
        "requestBody": {
            "required": "required" in schema,
            "content": {"application/json": {"schema": schema, "example": example}},
        },
        "responses": {"200": done, **refusals(WRITTEN)},
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
        "responses": {str(status): _problem(status, told) for status, told in PROBLEMS.items()},
        "headers": {name: {"description": told, "schema": schema} for name, (told, schema) in HEADERS.items()},
        "parameters": {
            key: {"name": name, "in": "header", "description": told, "schema": schema}
            for key, (name, told, schema) in PARAMETERS.items()
        },
        "securitySchemes": {
            "token": {"type": "http", "scheme": "bearer", "description": "A token that `comity token create` printed."}
        },
    }


def _problem(status: int, told: str) -> Object:
    if status == 431:
        return {"description": told}
    headers = {"X-Request-Id": ref("headers", "X-Request-Id")}
    if status in (429, 503):
        headers["Retry-After"] = ref("headers", "Retry-After")
    content = {MEDIA_TYPE: {"schema": ref("schemas", "Problem")}}
    return {"description": told, "headers": headers, "content": content}


def _complete(response: Object) -> Object:
    if "$ref" in response:
        return response
    return {**response, "headers": {**response.get("headers", {}), "X-Request-Id": ref("headers", "X-Request-Id")}}


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


_ITSELF: Object = {
    "parameters": [ref("parameters", "tag")],
    "responses": {
        "200": {
            "description": "The document.",
            "content": {"application/json": {"schema": {"type": "object"}}},
            "headers": {"ETag": ref("headers", "ETag")},
        },
        "304": {"description": "Nothing has changed."},
        **refusals(ANY),
    },
}
