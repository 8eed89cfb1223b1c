"""What a set of tools, resources and prompts is to the protocol: an Offer; and how a running call is told to stop.

An Offer is a dialect over the operations (MACP's tools, MASC's tools). The protocol decides nothing about it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Protocol

from comity.kernel.problem import Problem


class UnknownTool(LookupError):
    """Raised by `Offer.ask` for a name that it does not have. Answered as MCP's protocol error -32602."""


class UnknownResource(LookupError):
    """Raised by `Offer.resource` for a URI that it does not have."""


class UnknownPrompt(LookupError):
    """Raised by `Offer.get_prompt` for a name that it does not have."""


class Cancellation:
    """Whether a call should stop, and a way to be told at once. Set once, never cleared; thread-safe."""

    __slots__ = ("_callbacks", "_calling", "_lock", "_set")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calling = threading.RLock()  # while callbacks run: nobody who forgets one closes what it is about to use
        self._callbacks: dict[object, Callable[[], None]] = {}
        self._set = False

    def is_set(self) -> bool:
        """Whether the call should stop."""
        return self._set

    def on_set(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Have ``callback`` called once when the call should stop: now, if that has happened already.

        It runs on another thread and must neither block nor raise. Answers a function that forgets it
        again: after that it neither runs nor is running.
        """
        token = object()
        with self._lock:
            if not self._set:
                self._callbacks[token] = callback
                return lambda: self._forget(token)
        callback()
        return lambda: None

    def set(self) -> None:
        """Ask the call to stop."""
        with self._calling:
            with self._lock:
                self._set = True
                callbacks = list(self._callbacks.values())
                self._callbacks.clear()
            for callback in callbacks:
                callback()

    def _forget(self, token: object) -> None:
        with self._calling, self._lock:
            self._callbacks.pop(token, None)


Listed = list[dict[str, Any]]
Content = str | Listed  # the text of one text item; or content items of any kind, as MCP has them


class Offer(Protocol):
    """What an MCP server says it has, what is asked of it, and its words for what comes of that. It needs no session.

    What ``ask`` and ``resource`` answer, an ``Ask`` of the dialects, is of no meaning here.
    """

    name: str
    version: str
    instructions: str

    def tools(self) -> bytes | list[Any]:
        """The array that ``tools/list`` answers, as JSON bytes (spliced in unparsed) or as a list."""

    def ask(self, name: str, arguments: dict[str, Any], /) -> Any:
        """What a call of a tool asks for. Raises UnknownTool or Problem."""

    def say(self, ask: Any, result: Any, /) -> tuple[Content, Any]:
        """The content and the structured content: an object, or the JSON bytes of one (spliced in)."""

    def complain(self, ask: Any, problem: Problem, /) -> str:
        """The text item of a failed call; without ``ask`` it was not understood, or not even looked at."""

    def resources(self) -> Listed:
        """What ``resources/list`` answers; empty when there are none."""

    def resource_templates(self) -> Listed:
        """What ``resources/templates/list`` answers."""

    def resource(self, uri: str, /) -> Any:
        """What the reading of a resource asks for. Raises UnknownResource or Problem."""

    def say_resource(self, ask: Any, result: Any, /) -> tuple[str, str | bytes]:
        """MIME type, and text or bytes."""

    def prompts(self) -> Listed:
        """What ``prompts/list`` answers; empty when there are none."""

    def get_prompt(self, name: str, arguments: dict[str, str], /) -> dict[str, Any]:
        """What ``prompts/get`` answers. Raises UnknownPrompt or Problem."""
