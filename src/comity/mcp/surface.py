"""What a tool set is to the MCP server: a Surface; and what one running call knows: a ToolCall.

A Surface is a dialect over the operations (MACP's tools, MASC's tools). The server translates between it
and the protocol and decides nothing. `tools`, `render_problem` and the attributes are used before `ready`
and must need no database; `call` and `render_result` run on a thread of their own, several at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

from comity.kernel.problem import Problem


class UnknownTool(LookupError):
    """Raised by `Surface.call` for a name that it does not have. Answered as MCP's protocol error -32602."""


class UnknownResource(LookupError):
    """Raised by `Surface.read_resource` for a URI that it does not have."""


class UnknownPrompt(LookupError):
    """Raised by `Surface.get_prompt` for a name that it does not have."""


class Cancellation:
    """Whether a call should stop, and a way to be told at once. Set once, never cleared; thread-safe."""

    __slots__ = ("_callbacks", "_lock", "_set")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._callbacks: dict[object, Callable[[], None]] = {}
        self._set = False

    def is_set(self) -> bool:
        """Whether the call should stop."""
        return self._set

    def on_set(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Have ``callback`` called once when the call should stop: now, if that has happened already.

        It runs on another thread and must neither block nor raise. Answers a function that forgets it
        again.
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
        with self._lock:
            self._set = True
            callbacks = list(self._callbacks.values())
            self._callbacks.clear()
        for callback in callbacks:
            callback()

    def _forget(self, token: object) -> None:
        with self._lock:
            self._callbacks.pop(token, None)


class ToolCall:
    """One running tool call, as the Surface sees it.

    ``meta`` is the request's ``_meta`` ({} when absent): hosts put their thread or session id there.
    ``client`` is what the client says it is ({} when it does not), for display only. ``version`` is the
    protocol version.
    """

    __slots__ = ("_progress", "cancelled", "client", "meta", "version")

    def __init__(
        self,
        meta: Mapping[str, Any],
        client: Mapping[str, Any],
        version: str,
        cancelled: Cancellation,
        progress: Callable[[float, float | None, str | None], None],
    ) -> None:
        self.meta = meta
        self.client = client
        self.version = version
        self.cancelled = cancelled
        self._progress = progress

    def progress(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        """Tell the client how far the call is, if it asked. Only a ``progress`` that has grown is sent."""
        self._progress(progress, total, message)


Listed = list[dict[str, Any]]
Content = str | Listed  # the text of one text item; or content items of any kind, as MCP has them


class Offer(Protocol):
    """What an MCP server says it has, and its words for failures. It needs no session."""

    name: str
    version: str
    instructions: str

    def tools(self) -> bytes | list[Any]:
        """The array that ``tools/list`` answers, as JSON bytes (spliced in unparsed) or as a list."""

    def render_problem(self, problem: Problem) -> str:
        """The text item of a failed call."""

    def resources(self) -> Listed:
        """What ``resources/list`` answers; empty when there are none."""

    def resource_templates(self) -> Listed:
        """What ``resources/templates/list`` answers."""

    def prompts(self) -> Listed:
        """What ``prompts/list`` answers; empty when there are none."""

    def get_prompt(self, name: str, arguments: dict[str, str]) -> dict[str, Any]:
        """What ``prompts/get`` answers. Raises UnknownPrompt or Problem."""


class Surface(Offer, Protocol):
    """What one MCP server offers, for one session that it knows."""

    def ready(self) -> None:
        """Block until calls may run; called before each. Raises the Problem that made the start fail."""

    def call(self, name: str, arguments: dict[str, Any], call: ToolCall) -> Any:
        """The tool's result, for `render_result`. Raises UnknownTool or Problem."""

    def render_result(self, result: Any) -> tuple[Content, Any]:
        """The content and the structured content: an object, or the JSON bytes of one (spliced in)."""

    def read_resource(self, uri: str, call: ToolCall) -> tuple[str, str | bytes]:
        """MIME type, and text or bytes. Raises UnknownResource or Problem; runs on a thread of its own."""

    def news(self, cursor: str, cancel: Cancellation) -> tuple[str, Collection[str]]:
        """The next cursor of the log, and the URIs of what may have changed since this one; it waits for something.

        An empty cursor begins now. Raises Problem.
        """
