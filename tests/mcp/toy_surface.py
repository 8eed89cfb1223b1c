"""A small Surface, and a real server process on it: what the tests of the protocol and of stdio drive."""

from __future__ import annotations

import sys
import threading
from collections.abc import Collection
from typing import Any

from comity.doors.stdio.program import serve
from comity.kernel.problem import Conflict, Problem
from comity.mcp import wire
from comity.mcp.surface import Cancellation, Listed, ToolCall, UnknownPrompt, UnknownResource, UnknownTool

WAIT_LIMIT_S = 60.0
STEPS = threading.Condition()


def tool(name: str, title: str, **properties: object) -> dict[str, object]:
    return {
        "name": name,
        "title": title,
        "description": f"{title}.",
        "inputSchema": {"type": "object", "properties": properties},
        "outputSchema": {"type": "object"},
        "annotations": {"readOnlyHint": True, "openWorldHint": False},
    }


class Toy:
    """Echoes, fails, crashes, waits, reports progress: one tool per thing a call can do."""

    name = "toy"
    version = "1.0"
    instructions = "Call echo."

    def __init__(self, ready: threading.Event | None = None, *, offers: bool = False) -> None:
        self._ready = ready
        self.offers = offers
        self.log = 0

    def tools(self) -> bytes | list[Any]:
        return wire.pretty([tool(name, name.capitalize()) for name in TOOLS]).encode()

    def ready(self) -> None:
        if self._ready is not None:
            self._ready.wait(WAIT_LIMIT_S)

    def call(self, name: str, arguments: dict[str, Any], call: ToolCall) -> Any:
        function = TOOLS.get(name)
        if function is None:
            raise UnknownTool(name)
        result = function(arguments, call)
        if name == "steps":
            with STEPS:
                self.log += 1
                STEPS.notify_all()
        return result

    def render_result(self, result: Any) -> tuple[str, Any]:
        return wire.pretty(result), result

    def render_problem(self, problem: Problem) -> str:
        return wire.pretty({"reasonCode": problem.reason, "message": problem.message, "metadata": problem.data})

    def resources(self) -> Listed:
        return [{"uri": f"toy://{name}", "name": name} for name in ("one", "slow")] if self.offers else []

    def resource_templates(self) -> Listed:
        return [{"uriTemplate": "toy://one{?n}", "name": "one"}]

    def read_resource(self, uri: str, call: ToolCall) -> tuple[str, str]:
        if uri == "toy://slow":
            wait({}, call)
            raise Conflict("toy.stopped", "It was stopped.", "Read it again.")
        if not uri.startswith("toy://one"):
            raise UnknownResource(uri)
        return "text/plain", f"{uri} as {call.version}"

    def prompts(self) -> Listed:
        return [{"name": "hello"}] if self.offers else []

    def get_prompt(self, name: str, arguments: dict[str, str]) -> dict[str, Any]:
        if name != "hello":
            raise UnknownPrompt(name)
        text = f"Hello {arguments.get('who', 'world')}"
        return {"messages": [{"role": "user", "content": {"type": "text", "text": text}}]}

    def news(self, cursor: str, cancel: Cancellation) -> tuple[str, Collection[str]]:
        """The log of a toy: how often steps were gone."""
        with STEPS:
            if not cursor:
                return str(self.log), ()
            cancel.on_set(self._wake)
            STEPS.wait_for(lambda: self.log > int(cursor) or cancel.is_set(), WAIT_LIMIT_S)
            return str(self.log), ("toy://one",) if self.log > int(cursor) else ()

    def _wake(self) -> None:
        with STEPS:
            STEPS.notify_all()


def echo(arguments: dict[str, Any], call: ToolCall) -> object:
    return {
        "arguments": arguments,
        "meta": sorted(call.meta),
        "version": call.version,
        "client": dict(call.client),
    }


def fail(_arguments: dict[str, Any], _call: ToolCall) -> object:
    raise Conflict("toy.fails", "It always fails.", "Call echo.", why="just so")


def crash(_arguments: dict[str, Any], _call: ToolCall) -> object:
    raise RuntimeError("a fault of the tool")


def odd(_arguments: dict[str, Any], _call: ToolCall) -> object:
    """What JSON cannot say."""
    return {"set": {1, 2}}


def surrogate(_arguments: dict[str, Any], _call: ToolCall) -> object:
    return {"text": "a\ud800b", "emoji": "\U0001f600"}


def shout(_arguments: dict[str, Any], _call: ToolCall) -> object:
    """Print where the protocol is spoken, and read what was not meant for it."""
    print("noise on standard output", flush=True)
    return {"read": sys.stdin.read()}


def large(arguments: dict[str, Any], _call: ToolCall) -> object:
    return {"text": "x" * int(arguments["size"])}


def wait(_arguments: dict[str, Any], call: ToolCall) -> object:
    """Until it is asked to stop, as a poll with nothing to hand out."""
    stopped = threading.Event()
    forget = call.cancelled.on_set(stopped.set)
    call.progress(1, message="waiting")
    heard = stopped.wait(WAIT_LIMIT_S)
    forget()
    print("wait was stopped", file=sys.stderr, flush=True)
    return {"stopped": heard and call.cancelled.is_set()}


def block(_arguments: dict[str, Any], call: ToolCall) -> object:
    """Hear nothing, as a call that waits for a locked database."""
    call.progress(1, message="blocking")
    threading.Event().wait(WAIT_LIMIT_S)
    return {}


def steps(_arguments: dict[str, Any], call: ToolCall) -> object:
    for done in (1, 2, 2, 1, 3):
        call.progress(done, 3, f"step {done}")
    return {"done": True}


TOOLS = {
    function.__name__: function for function in (echo, fail, crash, odd, surrogate, shout, large, wait, block, steps)
}

if __name__ == "__main__":
    limit = int(sys.argv[1]) if len(sys.argv) > 1 else 32
    ended = serve(Toy(offers="offers" in sys.argv), max_calls=limit)
    print(f"ended: {ended.reason}", file=sys.stderr, flush=True)
    raise SystemExit(ended.exit_code)
