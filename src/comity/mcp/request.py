"""Requests and calls as the protocol reads them out of a line, and the actions that follow."""

from __future__ import annotations

from typing import Any

from comity.kernel.call import Key
from comity.kernel.named_tuple import NamedTuple
from comity.mcp import wire
from comity.mcp.batch import Batch
from comity.mcp.surface import Cancellation

IdKey = tuple[type, object]  # 1 and "1" are different ids
IDEMPOTENCY_KEY = "idempotencyKey"  # of a call's _meta


class Request:
    """One request, its era and version settled."""

    __slots__ = ("batch", "client", "key", "meta", "modern", "params", "request_id", "version")

    def __init__(
        self, request_id: int | str, params: dict[str, Any], meta: dict[str, Any], batch: Batch | None
    ) -> None:
        self.request_id = request_id
        self.key: IdKey = (type(request_id), request_id)
        self.params = params
        self.meta = meta
        self.batch = batch
        self.modern = False
        self.version = ""
        self.client: dict[str, Any] = {}


class Call:
    """A tool call that was begun, or the reading of the resource at ``uri``.

    ``answerable`` ends when it is answered or cancelled by the client. ``also`` is a text to go with the answer.
    """

    __slots__ = (
        "also",
        "answerable",
        "arguments",
        "batch",
        "cancelled",
        "client",
        "key",
        "meta",
        "modern",
        "name",
        "reported",
        "request_id",
        "token",
        "uri",
        "version",
    )  # fmt: skip

    def __init__(self, request: Request, name: str, arguments: dict[str, Any], uri: str | None = None) -> None:
        self.request_id = request.request_id
        self.key = request.key
        self.meta = request.meta
        self.version = request.version
        self.client = request.client
        self.modern = request.modern
        self.batch = request.batch
        self.name = name
        self.arguments = arguments
        self.cancelled = Cancellation()
        self.uri = uri
        self.answerable = True
        self.also = ""
        self.reported: float | None = None
        token = request.meta.get("progressToken")
        self.token = token if wire.is_id(token) else None

    def once(self) -> Key | None:
        """The caller's key, under which a write is carried out at most once. Raises Invalid."""
        text = self.meta.get(IDEMPOTENCY_KEY)
        return None if text is None else Key(text)


class Send(NamedTuple):
    """Write this line."""

    line: bytes


class Greet(NamedTuple):
    """Write this line, the answer to a client that connects, once the agent can be reached."""

    line: bytes


class Begin(NamedTuple):
    """Run this tool call."""

    call: Call


class Stop(NamedTuple):
    """Ask this running tool call to stop."""

    call: Call


Action = Send | Greet | Begin | Stop


class Rejected(Exception):
    """The request gets this JSON-RPC error."""

    def __init__(self, code: int, message: str, data: object = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data
