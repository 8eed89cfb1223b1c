"""The MCP server's side of one connection, sans I/O: lines in, actions out. It knows no thread and no file.

Authoritative: the MCP specification, revisions 2024-11-05, 2025-03-26, 2025-06-18, 2025-11-25 (a handshake,
``initialize``, fixes the version) and 2026-07-28 (every request carries its version in ``_meta``). Both are
served on one connection, in any order, since each request says by its ``_meta`` which era it belongs to
(2026-07-28, "Versioning and Compatibility").

`McpConnection.receive` takes one line and answers a list of actions: a `Send` is to be written, a `Begin` is a tool
call to be run elsewhere, a `Stop` asks a running one to stop. `McpConnection.ask` says what is to be run for a call;
its `said` or `refused` then makes the call's answer, and its `settle` says what of it is to be written. Only `ask`,
`said` and `refused` may be called from several threads at once; the owner serializes everything else.

What can go wrong: a request id is answered at most once, never after its cancellation, and a notification
never. Those three rules are kept here and only here, by `_open` (ids that may still be answered) and by the
call's state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import isfinite
from typing import Any

from comity.kernel.problem import Invalid, Limited, Problem
from comity.mcp import era, offers, wire
from comity.mcp.batch import Batch
from comity.mcp.era import (
    BATCH_VERSION,
    CAPABILITIES_KEY,
    HANDSHAKE_VERSIONS,
    REQUEST_VERSIONS,
    SERVER_KEY,
    VERSION_KEY,
)
from comity.mcp.offers import SUBSCRIPTION_KEY, Offers
from comity.mcp.request import Action, Begin, Call, Greet, IdKey, Rejected, Request, Send, Stop
from comity.mcp.surface import Content, Offer

CAPABILITIES: dict[str, object] = {"tools": {"listChanged": False}, "logging": {}}
CACHE_MS = 300_000  # how long a client may keep the tool list and the discovery answer
MAX_CALLS = 64
MAX_SUBSCRIPTIONS = 32
MAX_BATCH_ITEMS = 1000


class McpConnection:
    """One connection. See the module's text for who may call what."""

    __slots__ = (
        "_alone",
        "_client",
        "_legacy",
        "_max_calls",
        "_modern",
        "_offer",
        "_offers",
        "_open",
        "_stamp",
        "_tools",
        "_version",
        "running",
    )

    def __init__(self, offer: Offer, max_calls: int = MAX_CALLS, *, alone: bool = False) -> None:
        self._offer = offer
        self._alone = alone  # the transport knows that there is no handshake
        self._max_calls = max_calls
        self._version: str | None = None  # settled by initialize; None before
        self._client: dict[str, Any] = {}
        self._open: dict[IdKey, Call | int | str] = {}  # calls, and ids of listen requests
        self.running = 0  # calls begun and not settled, cancelled ones included
        self._tools: bytes | None = None
        stamp = {"resultType": "complete", "_meta": {SERVER_KEY: self._server_info()}}
        self._stamp = b"," + wire.encode(stamp)[1:-1]
        both = {"tools/list": self._tools_list, "tools/call": self._tools_call}
        self._legacy: dict[str, Handler] = {
            "initialize": self._initialize, "ping": self._ping, "logging/setLevel": self._set_level, **both,
        }  # fmt: skip
        self._modern: dict[str, Handler] = {
            "server/discover": self._discover, "subscriptions/listen": self._listen, **both,
        }  # fmt: skip
        self._offers = Offers(offer)
        for handlers, modern in ((self._legacy, False), (self._modern, True)):
            handlers.update({name: self._at_once(one) for name, one in self._offers.methods(modern=modern).items()})
            if self._offers.reads:
                handlers["resources/read"] = self._read

    # -- in

    def receive(self, line: bytes) -> list[Action]:
        """The actions that one line asks for."""
        try:
            message = wire.decode(line)
        except wire.MalformedMessage as bad:
            return [Send(wire.error(None, wire.PARSE_ERROR, str(bad)))]
        return self.take(message)

    def take(self, message: object) -> list[Action]:
        """The actions that one decoded message, or a batch, asks for."""
        actions: list[Action] = []
        if type(message) is list:
            self._batch(message, actions)
        elif (answer := self._message(message, actions, None)) is not None:
            actions.append(Send(answer))
        return actions

    @property
    def version(self) -> str:
        """The version that the handshake settled; empty before it."""
        return self._version or ""

    @property
    def listening(self) -> bool:
        """Whether a ``subscriptions/listen`` is open."""
        return any(not isinstance(entry, Call) for entry in self._open.values())

    @property
    def watching(self) -> bool:
        """Whether the client wants to hear of changes of any resource."""
        return self._offers.watching

    def oversized(self) -> list[Action]:
        """What a line asks for that was too long to be read."""
        return [Send(wire.error(None, wire.PARSE_ERROR, f"The line is longer than {wire.MAX_LINE_BYTES} bytes."))]

    def close(self) -> list[Action]:
        """The connection ends: subscriptions end gracefully, running calls are asked to stop."""
        actions: list[Action] = []
        for key, entry in list(self._open.items()):
            if isinstance(entry, Call):
                actions.append(Stop(entry))
            else:
                del self._open[key]
                actions.append(Send(self._listen_result(entry)))
        return actions

    # -- out

    def result(self, call: Call, content: Content, structured: Any = None, *, failed: bool = False) -> bytes:
        """The answer to a tool call. Raises TypeError, ValueError or RecursionError where JSON ends."""
        if isinstance(content, str):
            members = b'"content":[{"type":"text","text":' + wire.encode(content) + b"}]"
        else:
            members = b'"content":' + wire.encode(content)
        if isinstance(structured, bytes):
            members += b',"structuredContent":' + structured
        elif structured is not None and (call.modern or isinstance(structured, dict)):
            members += b',"structuredContent":' + wire.encode(structured)
        members += b',"isError":true' if failed else b',"isError":false'
        return self._result(call.request_id, call.modern, members)

    def ask(self, call: Call) -> Any:
        """What the offer makes of a call. Raises UnknownTool, UnknownResource or Problem."""
        return self._offer.ask(call.name, call.arguments) if call.uri is None else self._offer.resource(call.uri)

    def said(self, call: Call, ask: Any, result: Any) -> bytes:
        """The answer to a call of which that came. Raises as ``result``."""
        if call.uri is None:
            return self.result(call, *offers.besides(call.also, *self._offer.say(ask, result)))
        members = offers.contents(call.uri, *self._offer.say_resource(ask, result), modern=call.modern)
        return self._result(call.request_id, call.modern, members)

    def refused(self, call: Call, ask: Any, why: Problem | LookupError) -> bytes:
        """The answer when a call fails, or when there is no such tool or resource."""
        if call.uri is None:
            if isinstance(why, Problem):
                return self.result(call, self._offer.complain(ask, why), failed=True)
            return wire.error(call.request_id, wire.INVALID_PARAMS, f"Unknown tool: {call.name[:200]}")
        if not isinstance(why, Problem):
            no = offers.unknown(call.uri, modern=call.modern)
            return wire.error(call.request_id, no.code, no.message, no.data)
        code = wire.INVALID_PARAMS if isinstance(why, Invalid) else wire.INTERNAL_ERROR
        return wire.error(call.request_id, code, f"{why.message} {why.hint}", {"code": why.reason})

    def updated(self, addresses: Iterable[str]) -> list[bytes]:
        """The notifications to write when these resources may have changed."""
        return self._offers.updated(addresses)

    def updated_all(self) -> list[bytes]:
        """The notifications to write when it is not known which resources have changed."""
        return self._offers.all_updated()

    def settle(self, call: Call, answer: bytes) -> bytes | None:
        """The call has ended: what to write now. None after a cancellation, or while a batch is not full."""
        self.running -= 1
        if not call.answerable:
            return None
        call.answerable = False
        self._open.pop(call.key, None)
        return answer if call.batch is None else call.batch.answered(answer)

    def progress(self, call: Call, progress: float, total: float | None, message: str | None) -> bytes | None:
        """The progress notification to write; None when it was not asked for, is late, or tells nothing new."""
        if call.token is None or not call.answerable or not isfinite(progress):
            return None
        if call.reported is not None and progress <= call.reported:
            return None
        call.reported = progress
        params: dict[str, object] = {"progressToken": call.token, "progress": progress}
        if total is not None and isfinite(total):
            params["total"] = total
        if message is not None:
            params["message"] = message
        return wire.notification("notifications/progress", params)

    # -- messages

    def _batch(self, messages: list[Any], actions: list[Action]) -> None:
        if self._version != BATCH_VERSION:
            told = f"JSON-RPC batches exist only in MCP {BATCH_VERSION}. Send one message per line."
            actions.append(Send(wire.error(None, wire.INVALID_REQUEST, told)))
        elif not 0 < len(messages) <= MAX_BATCH_ITEMS:
            told = f"A batch holds 1 to {MAX_BATCH_ITEMS} messages."
            actions.append(Send(wire.error(None, wire.INVALID_REQUEST, told)))
        else:
            batch = Batch()
            for message in messages:
                answer = self._message(message, actions, batch)
                if answer is not None:
                    batch.add(answer)
            if (line := batch.seal()) is not None:
                actions.append(Send(line))

    def _message(self, message: Any, actions: list[Action], batch: Batch | None) -> bytes | None:
        if type(message) is not dict:
            return wire.error(None, wire.INVALID_REQUEST, "A message is a JSON object.")
        method = message.get("method")
        if method is None and ("result" in message or "error" in message):
            return None  # a response; nothing was asked
        request_id = message.get("id")
        if "id" in message:
            if not wire.is_id(request_id):
                told = "A request id is a string or an integer; without one, leave it out."
                return wire.error(None, wire.INVALID_REQUEST, told)
            if (type(request_id), request_id) in self._open:
                told = "This request id is in use by a request that has not been answered yet."
                return wire.error(None, wire.INVALID_REQUEST, told, {"requestId": request_id})
        if message.get("jsonrpc") != "2.0" or type(method) is not str:
            told = 'A message has "jsonrpc": "2.0" and a "method".'
            return wire.error(request_id, wire.INVALID_REQUEST, told)
        params = message.get("params")
        if "id" not in message:
            self._notification(method, params, actions)
            return None
        try:
            return self._request(method, request_id, params, actions, batch)
        except Rejected as no:
            return wire.error(request_id, no.code, no.message, no.data)

    def _notification(self, method: str, params: Any, actions: list[Action]) -> None:
        if method != "notifications/cancelled" or type(params) is not dict:
            return
        request_id = params.get("requestId")
        if not wire.is_id(request_id):
            return
        entry = self._open.pop((type(request_id), request_id), None)
        self._offers.forget((type(request_id), request_id))
        if isinstance(entry, Call):
            entry.answerable = False
            actions.append(Stop(entry))
            if entry.batch is not None and (line := entry.batch.forgotten()) is not None:
                actions.append(Send(line))

    def _request(
        self, method: str, request_id: Any, params: Any, actions: list[Action], batch: Batch | None
    ) -> bytes | None:
        params = {} if params is None else params
        if type(params) is not dict:
            raise Rejected(wire.INVALID_PARAMS, "params must be an object.")
        meta = params.get("_meta")
        meta = {} if meta is None else meta
        if type(meta) is not dict:
            raise Rejected(wire.INVALID_PARAMS, "params._meta must be an object.")
        request = Request(request_id, params, meta, batch)
        if not era.settle(request, method, alone=self._alone):
            request.version = self._version or HANDSHAKE_VERSIONS[0]
            request.client = self._client
        handler = (self._modern if request.modern else self._legacy).get(method)
        if handler is None:
            raise Rejected(wire.METHOD_NOT_FOUND, f"Method not found: {method[:200]}")
        if not request.modern and self._version is None and method not in _BEFORE_INITIALIZE:
            told = f"Send initialize first, or put {VERSION_KEY} and {CAPABILITIES_KEY} into params._meta."
            raise Rejected(wire.INVALID_PARAMS, told, {"supported": [*REQUEST_VERSIONS, *HANDSHAKE_VERSIONS]})
        return handler(request, actions)

    # -- methods

    def _initialize(self, request: Request, actions: list[Action]) -> None:
        asked = request.params.get("protocolVersion")
        if type(asked) is not str:
            raise Rejected(wire.INVALID_PARAMS, "initialize needs params.protocolVersion, a string.")
        if request.batch is not None:
            raise Rejected(wire.INVALID_REQUEST, "initialize must not be part of a batch.")
        self._version = asked if asked in HANDSHAKE_VERSIONS else HANDSHAKE_VERSIONS[0]
        client = request.params.get("clientInfo")
        self._client = client if type(client) is dict else {}
        body = {
            "protocolVersion": self._version,
            "capabilities": {**CAPABILITIES, **self._offers.capabilities()},
            "serverInfo": self._server_info(),
            **self._instructions(),
        }
        actions.append(Greet(self._result(request.request_id, False, wire.encode(body)[1:-1])))

    def _ping(self, request: Request, _actions: list[Action]) -> bytes:
        return self._result(request.request_id, False, b"")

    def _set_level(self, request: Request, _actions: list[Action]) -> bytes:
        """Only one thing is ever logged to a client, that it missed something: at every level."""
        return self._result(request.request_id, False, b"")

    def _discover(self, request: Request, actions: list[Action]) -> None:
        body = {
            "supportedVersions": REQUEST_VERSIONS,
            "capabilities": {**CAPABILITIES, **self._offers.capabilities()},
            **self._instructions(),
            "ttlMs": CACHE_MS,
            "cacheScope": "private",  # the instructions may name the agent
        }
        actions.append(Greet(self._result(request.request_id, True, wire.encode(body)[1:-1])))

    def _listen(self, request: Request, actions: list[Action]) -> None:
        """Open a subscription. Resources are the only things whose changes are told."""
        wanted = request.params.get("notifications")
        if type(wanted) is not dict:
            raise Rejected(wire.INVALID_PARAMS, "subscriptions/listen needs params.notifications, an object.")
        if sum(not isinstance(entry, Call) for entry in self._open.values()) >= MAX_SUBSCRIPTIONS:
            raise Rejected(wire.INTERNAL_ERROR, f"At most {MAX_SUBSCRIPTIONS} subscriptions can be open.")
        self._open[request.key] = request.request_id
        honoured = self._offers.listen(request.key, request.request_id, wanted.get("resourceSubscriptions"))
        params: dict[str, object] = {"_meta": {SUBSCRIPTION_KEY: request.request_id}, "notifications": honoured}
        actions.append(Send(wire.notification("notifications/subscriptions/acknowledged", params)))

    def _tools_list(self, request: Request, _actions: list[Action]) -> bytes:
        cursor = request.params.get("cursor")
        if cursor is not None and cursor != "":
            raise Rejected(wire.INVALID_PARAMS, "Unknown cursor: the tool list has one page.")
        if self._tools is None:
            tools = self._offer.tools()
            raw = tools if isinstance(tools, bytes) else wire.encode(tools)
            self._tools = raw.replace(b"\r", b"").replace(b"\n", b"")  # JSON strings hold no raw newline
        members = b'"tools":' + self._tools
        if request.modern:
            members += b',"ttlMs":%d,"cacheScope":"public"' % CACHE_MS
        return self._result(request.request_id, request.modern, members)

    def _tools_call(self, request: Request, actions: list[Action]) -> bytes | None:
        name = request.params.get("name")
        if type(name) is not str:
            raise Rejected(wire.INVALID_PARAMS, "tools/call needs params.name, a string.")
        arguments = request.params.get("arguments")
        arguments = {} if arguments is None else arguments
        if type(arguments) is not dict:
            raise Rejected(wire.INVALID_PARAMS, "params.arguments must be an object.")
        return self._begin(Call(request, name, arguments), actions)

    def _read(self, request: Request, actions: list[Action]) -> bytes | None:
        return self._begin(Call(request, "", {}, offers.address(request)), actions)

    def _at_once(self, members: Callable[[Request], bytes]) -> Handler:
        return lambda request, _: self._result(request.request_id, request.modern, members(request))

    def _begin(self, call: Call, actions: list[Action]) -> bytes | None:
        if self.running >= self._max_calls:
            problem = Limited(
                "call.too_many",
                f"{self._max_calls} tool calls are running on this connection.",
                "Wait for one of them to be answered, or cancel one.",
                limit=self._max_calls,
            )
            return self.refused(call, None, problem)
        self.running += 1
        self._open[call.key] = call
        if call.batch is not None:
            call.batch.expect()
        actions.append(Begin(call))
        return None

    # -- shapes

    def _result(self, request_id: int | str, modern: bool, members: bytes) -> bytes:
        stamp = self._stamp if modern else b""
        if not members:
            stamp = stamp[1:]
        return b'{"jsonrpc":"2.0","id":' + wire.encode(request_id) + b',"result":{' + members + stamp + b"}}"

    def _listen_result(self, request_id: int | str) -> bytes:
        meta = {SERVER_KEY: self._server_info(), SUBSCRIPTION_KEY: request_id}
        body = {"resultType": "complete", "_meta": meta}
        return wire.encode({"jsonrpc": "2.0", "id": request_id, "result": body})

    def _server_info(self) -> dict[str, object]:
        return {"name": self._offer.name, "version": self._offer.version}

    def _instructions(self) -> dict[str, object]:
        return {"instructions": self._offer.instructions} if self._offer.instructions else {}


Handler = Callable[[Request, list[Action]], bytes | None]
_BEFORE_INITIALIZE = frozenset({"initialize", "ping"})
