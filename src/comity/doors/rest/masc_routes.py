"""The REST routes that clients of MASC call: its paths, its parameters and its snake_case, over Comity's operations.

A table: each line names the operation behind it, what may be asked, and how the answer is said. Unlike there a limit is
kept within bounds everywhere, and an error is never answered with 200.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from starlette.responses import Response

from comity.doors.rest import idempotency, masc_answers
from comity.doors.rest.masc_answers import Asked, Object
from comity.kernel.problem import Invalid
from comity.kernel.text import whole
from comity.rooms import REGISTRY
from comity.server.answers import header
from comity.server.arguments import json_object, pairs_of
from comity.server.documentation import described
from comity.server.encoding import encoded
from comity.server.etag import tagged
from comity.server.route import Exchange, Route


class NumberParameter(NamedTuple):
    """A whole number of a query: kept within bounds, since MASC's clients send any."""

    default: int
    least: int
    most: int

    def read(self, name: str, text: str | None) -> int:
        """The number. Raises Invalid."""
        if text is None:
            return self.default
        digits = whole(text.removeprefix("-"))
        if digits is None:
            raise Invalid("argument.invalid", f"{name} is no whole number.", "Send digits.", argument=name)
        return max(self.least, min(-digits if text.startswith("-") else digits, self.most))

    @property
    def schema(self) -> Object:
        """As OpenAPI tells it."""
        told = f"Less than {self.least} counts as {self.least}, more than {self.most} as {self.most}."
        return {"type": "integer", "default": self.default, "description": told}


class WordParameter(NamedTuple):
    """Text of a query: any, or one of some."""

    options: tuple[str, ...] = ()
    required: bool = False

    def read(self, name: str, text: str | None) -> str:
        """The text; empty when there is none. Raises Invalid."""
        if not text or text.isspace():
            if self.required:
                raise Invalid("argument.missing", f"{name} is missing.", f"Send {name} in the query.", argument=name)
            return ""
        if "\0" in text or (self.options and text not in self.options):
            wanted = f"one of {', '.join(self.options)}" if self.options else "text"
            raise Invalid("argument.invalid", f"{name} must be {wanted}.", "Correct it.", argument=name)
        return text

    @property
    def schema(self) -> Object:
        """As OpenAPI tells it."""
        if self.options:
            return {"type": "string", "enum": list(self.options)}
        return {"type": "string", "minLength": 1} if self.required else {"type": "string"}


class FlagParameter(NamedTuple):
    """true or false, also 1 or 0."""

    def read(self, name: str, text: str | None) -> bool:
        """The value; false when there is none. Raises Invalid."""
        if text not in (None, "true", "false", "1", "0"):
            raise Invalid("argument.invalid", f"{name} must be true or false.", "Correct it.", argument=name)
        return text in ("true", "1")

    @property
    def schema(self) -> Object:
        """As OpenAPI tells it."""
        return {"type": "boolean", "default": False}


Query = dict[str, NumberParameter | WordParameter | FlagParameter]
Answer = Callable[[Exchange, Asked], Awaitable[Object]]


class MascRead(NamedTuple):
    """One GET. ``op`` is the operation that a caller must be allowed to run; ``fields`` is the answer's schema."""

    path: str
    op: str
    summary: str
    query: Query
    said: Answer
    fields: Object

    async def answer(self, exchange: Exchange) -> Response:
        """The answer, with its ETag. Raises Problem."""
        given: dict[str, str] = {}
        for key, text in pairs_of(exchange.scope.get("query_string", b"")):
            if key not in self.query:
                known = ", ".join(self.query) or "none"
                raise Invalid("argument.unknown", f"There is no argument {key[:80]!r} here.", f"There are: {known}.")
            given[key] = text
        asked = {name: kind.read(name, given.get(name)) for name, kind in self.query.items()}
        body = encoded(await self.said(exchange, asked))
        return tagged(body, header(exchange.scope, b"if-none-match"))

    def route(self) -> Route:
        """As a line of the table of routes."""
        listed = [
            {
                "name": name,
                "in": "query",
                "required": isinstance(kind, WordParameter) and kind.required,
                "schema": kind.schema,
            }
            for name, kind in self.query.items()
        ]
        told = described("masc", self.fields, parameters=listed)
        return Route("GET", self.path, self.op, self.summary, self.answer, documentation=told)


async def _broadcast(exchange: Exchange) -> Response:
    given = json_object(await exchange.request.body(), header(exchange.scope, b"content-type"))
    if given.keys() != {"message"}:
        raise Invalid("argument.invalid", "The body must hold message, and nothing else.", 'Send {"message": "…"}.')
    op, arguments = REGISTRY.get("message.announce"), {"content": given["message"]}
    try:
        return await idempotency.answer(op, arguments, exchange, lambda _: {"ok": True})
    except Invalid as problem:
        if not problem.reason.startswith("argument."):
            raise
        message = problem.message.replace("message.announce: content", "message")
        raise Invalid(problem.reason, message, problem.hint, argument="message") from None


_TEXT: Object = {"type": "string"}
_WHOLE: Object = {"type": "integer"}
_MAYBE: Object = {"type": ["string", "null"]}
_PAGED = {"limit": _WHOLE, "offset": _WHOLE, "total": _WHOLE}


def _object(**fields: Object) -> Object:
    return {"type": "object", "properties": fields, "required": list(fields)}


def _many(fields: Object) -> Object:
    return {"type": "array", "items": fields}


_WHO: Object = {"anyOf": [_object(kind=_TEXT, id=_TEXT), {"type": "null"}]}
_LIMIT, _OFFSET = NumberParameter(50, 1, 200), NumberParameter(0, 0, 5000)

READS = (
    MascRead(
        "/api/v1/status",
        "workspace.status",
        "The project, for clients of MASC",
        {},
        masc_answers.status,
        _object(cluster=_TEXT, project=_TEXT, tempo_interval_s={"type": "number"}, paused={"type": "boolean"}),
    ),
    MascRead(
        "/api/v1/tasks",
        "task.survey",
        "Tasks, for clients of MASC; total counts to 1,000 in each state",
        {
            "status": WordParameter(masc_answers.STATES),
            "include_done": FlagParameter(),
            "include_cancelled": FlagParameter(),
            "limit": _LIMIT,
            "offset": _OFFSET,
        },
        masc_answers.tasks,
        _object(
            tasks=_many(
                _object(
                    id=_TEXT,
                    title=_TEXT,
                    description=_TEXT,
                    status=_TEXT,
                    priority=_WHOLE,
                    assignee=_MAYBE,
                    created_at=_TEXT,
                )
            ),
            **_PAGED,
        ),
    ),
    MascRead(
        "/api/v1/agents",
        "agent.list",
        "Agents, for clients of MASC",
        {"status": WordParameter(), "limit": _LIMIT, "offset": _OFFSET},
        masc_answers.agents,
        _object(
            agents=_many(
                _object(
                    name=_TEXT,
                    status=_TEXT,
                    current_task=_MAYBE,
                    emoji=_TEXT,
                    koreanName=_TEXT,
                    model=_TEXT,
                    traits=_many(_TEXT),
                    interests=_many(_TEXT),
                )
            ),
            **_PAGED,
        ),
    ),
    MascRead(
        "/api/v1/messages",
        "message.history",
        "What was said in the default channel, for clients of MASC",
        {"since_seq": NumberParameter(0, 0, 2**53), "limit": NumberParameter(20, 1, 200), "agent": WordParameter()},
        masc_answers.messages,
        _object(
            messages=_many(_object(**{"from": _TEXT}, content=_TEXT, timestamp=_TEXT, seq=_WHOLE)),
            limit=_WHOLE,
            since_seq=_WHOLE,
            total=_WHOLE,
        ),
    ),
    MascRead(
        "/api/v1/activity/events",
        "event.list",
        "The log, for clients of MASC",
        {
            "kinds": WordParameter(),
            "kind": WordParameter(),
            "after_seq": NumberParameter(0, 0, 2**53),
            "limit": NumberParameter(200, 1, 1000),
        },
        masc_answers.events,
        _object(
            events=_many(
                _object(
                    seq=_WHOLE,
                    ts_ms=_WHOLE,
                    ts_iso=_TEXT,
                    room_id=_TEXT,
                    kind=_TEXT,
                    actor=_WHO,
                    subject=_WHO,
                    payload={"type": "object"},
                    tags=_many(_TEXT),
                )
            ),
            count=_WHOLE,
            after_seq=_WHOLE,
            next_after_seq=_WHOLE,
            limit=_WHOLE,
            room_id=_TEXT,
            kinds=_many(_TEXT),
            latest_seq=_WHOLE,
        ),
    ),
    MascRead(
        "/api/v1/agent-timeline",
        "event.list",
        "What happened to an agent, for clients of MASC",
        {
            "agent_name": WordParameter(required=True),
            "since_hours": NumberParameter(4, 1, 24 * 366),
            "limit": NumberParameter(20, 1, 200),
        },
        masc_answers.timeline,
        _object(
            agent=_TEXT,
            period=_object(**{"from": _TEXT}, to=_TEXT, hours=_WHOLE),
            events=_many(_object(ts=_TEXT, type=_TEXT, detail={"type": "object"})),
            summary=_object(events=_WHOLE),
        ),
    ),
)

_SAID = _object(message={"type": "string", "minLength": 1, "maxLength": 1_000_000})
_SAY = described("masc", _object(ok={"type": "boolean"}), body={**_SAID, "additionalProperties": False})


def routes() -> tuple[Route, ...]:
    """The lines of the table."""
    said = "Say something to the default channel, for clients of MASC"
    paths = ("/api/v1/broadcast", "/broadcast")
    return (
        *(read.route() for read in READS),
        *(Route("POST", path, "message.announce", said, _broadcast, documentation=_SAY) for path in paths),
    )
