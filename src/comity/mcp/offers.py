"""Offers of a session besides tools: resources, subscriptions to them, and prompts. Sans I/O, as the protocol is.

A dialect without them announces nothing and pays nothing. Subscriptions are told with
``notifications/resources/updated``: by address in the handshake era, by the listening request in the other.
"""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Callable, Iterable
from typing import Any

from comity.kernel.problem import Problem
from comity.mcp import wire
from comity.mcp.request import IdKey, Rejected, Request
from comity.mcp.surface import Content, Listed, Offer, UnknownPrompt

SUBSCRIPTION_KEY = "io.modelcontextprotocol/subscriptionId"
RESOURCE_NOT_FOUND = -32002  # MCP up to 2025-11-25; later it is a parameter that is wrong
MAX_WATCHED = 100
CACHE_MS = 300_000

Members = Callable[[Request], bytes]


class Offers:
    """The resources and prompts of one connection. The owner serializes calls."""

    __slots__ = ("_addresses", "_listening", "_offer", "_prompts", "_subscribed")

    def __init__(self, offer: Offer) -> None:
        self._offer = offer
        self._addresses = frozenset(str(one["uri"]) for one in offer.resources())
        self._prompts = bool(offer.prompts())
        self._subscribed: dict[str, None] = {}
        self._listening: dict[IdKey, tuple[int | str, tuple[str, ...]]] = {}

    def capabilities(self) -> dict[str, object]:
        """What ``initialize`` and ``server/discover`` announce."""
        found: dict[str, object] = {}
        if self._addresses:
            found["resources"] = {"subscribe": True, "listChanged": False}
        if self._prompts:
            found["prompts"] = {"listChanged": False}
        return found

    def methods(self, *, modern: bool) -> dict[str, Members]:
        """Per method that is answered at once, what makes the members of its result."""
        found: dict[str, Members] = {}
        if self._addresses:
            found["resources/list"] = self._list("resources", self._offer.resources)
            found["resources/templates/list"] = self._list("resourceTemplates", self._offer.resource_templates)
            if not modern:
                found |= {"resources/subscribe": self._subscribe, "resources/unsubscribe": self._unsubscribe}
        if self._prompts:
            found |= {"prompts/list": self._list("prompts", self._offer.prompts), "prompts/get": self._prompt}
        return found

    @property
    def reads(self) -> bool:
        """Whether there is anything to read."""
        return bool(self._addresses)

    def listen(self, key: IdKey, request_id: int | str, wanted: object) -> dict[str, object]:
        """Remember what a listening request asks for; what of it is honoured."""
        if not self._addresses or not isinstance(wanted, list):
            return {}
        known = tuple(dict.fromkeys(uri for uri in wanted[:MAX_WATCHED] if self._knows(uri)))
        if known:
            self._listening[key] = (request_id, known)
        return {"resourceSubscriptions": list(known)} if known else {}

    @property
    def watching(self) -> bool:
        """Whether anything is watched."""
        return bool(self._subscribed or self._listening)

    def forget(self, key: IdKey) -> None:
        """A listening request is over."""
        self._listening.pop(key, None)

    def updated(self, addresses: Iterable[str]) -> list[bytes]:
        """What to write when these resources may have changed."""
        changed = set(addresses)
        if not changed:
            return []
        lines = [_updated(uri, None) for uri in self._subscribed if _base(uri) in changed]
        for request_id, watched in self._listening.values():
            lines += [_updated(uri, request_id) for uri in watched if _base(uri) in changed]
        return lines

    def all_updated(self) -> list[bytes]:
        """The notifications to write when it is not known what changed."""
        lines = [_updated(uri, None) for uri in sorted(self._subscribed)]
        return lines + [_updated(uri, number) for number, watched in self._listening.values() for uri in watched]

    def _list(self, key: str, source: Callable[[], list[dict[str, Any]]]) -> Members:
        def members(request: Request) -> bytes:
            if request.params.get("cursor") not in (None, ""):
                raise Rejected(wire.INVALID_PARAMS, "Unknown cursor: the list has one page.")
            return wire.encode({key: source(), **_cached(request)})[1:-1]

        return members

    def _subscribe(self, request: Request) -> bytes:
        uri = address(request)
        if not self._knows(uri):
            raise unknown(uri, modern=request.modern)
        if len(self._subscribed) >= MAX_WATCHED:
            raise Rejected(wire.INTERNAL_ERROR, f"At most {MAX_WATCHED} resources can be watched.")
        self._subscribed[uri] = None
        return b""

    def _unsubscribe(self, request: Request) -> bytes:
        self._subscribed.pop(address(request), None)
        return b""

    def _prompt(self, request: Request) -> bytes:
        name, arguments = request.params.get("name"), request.params.get("arguments")
        arguments = {} if arguments is None else arguments
        if not isinstance(name, str) or not isinstance(arguments, dict):
            raise Rejected(wire.INVALID_PARAMS, "prompts/get needs params.name, and arguments as an object.")
        try:
            return wire.encode(self._offer.get_prompt(name, arguments))[1:-1]
        except UnknownPrompt:
            raise Rejected(wire.INVALID_PARAMS, f"Unknown prompt: {name[:200]}") from None
        except Problem as problem:
            raise Rejected(wire.INVALID_PARAMS, f"{problem.message} {problem.hint}") from None

    def _knows(self, uri: object) -> bool:
        return isinstance(uri, str) and len(uri) <= 1000 and _base(uri) in self._addresses


def address(request: Request) -> str:
    """The ``uri`` of a request about one resource. Raises Rejected."""
    uri = request.params.get("uri")
    if not isinstance(uri, str) or not wire.is_text(uri):
        raise Rejected(wire.INVALID_PARAMS, "params.uri must be a string.")
    return uri


def unknown(uri: str, *, modern: bool) -> Rejected:
    """There is no such resource."""
    code = wire.INVALID_PARAMS if modern else RESOURCE_NOT_FOUND
    return Rejected(code, f"Resource not found: {uri[:200]}", {"uri": uri[:1000]})


def contents(uri: str, mime: str, content: str | bytes, *, modern: bool) -> bytes:
    """The members of what ``resources/read`` answers. Bytes are told in base64."""
    said = {"text": content} if isinstance(content, str) else {"blob": b2a_base64(content, newline=False).decode()}
    body: dict[str, object] = {"contents": [{"uri": uri, "mimeType": mime, **said}]}
    return wire.encode(body | ({"ttlMs": 0, "cacheScope": "private"} if modern else {}))[1:-1]


def _base(uri: str) -> str:
    return uri.partition("?")[0]


def _cached(request: Request) -> dict[str, object]:
    return {"ttlMs": CACHE_MS, "cacheScope": "public"} if request.modern else {}


def _updated(uri: str, request_id: int | str | None) -> bytes:
    params: dict[str, object] = {"uri": uri}
    if request_id is not None:
        params["_meta"] = {SUBSCRIPTION_KEY: request_id}
    return wire.notification("notifications/resources/updated", params)


def besides(note: str, content: Content, structured: Any) -> tuple[Content, Any]:
    """Content and structured content with a note: clients show a model one or the other."""
    if not note:
        return content, structured
    own: Listed = [{"type": "text", "text": content}] if isinstance(content, str) else content
    if isinstance(structured, bytes):
        rest = structured.lstrip()[1:]
        structured = b'{"comity":' + wire.encode(note) + (b"" if rest.lstrip() == b"}" else b",") + rest
    elif isinstance(structured, dict):
        structured = {"comity": note, **structured}
    return [*own, {"type": "text", "text": note}], structured
