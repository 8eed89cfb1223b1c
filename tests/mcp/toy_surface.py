"""A small dialect that runs its own tools, and a real server process on it, for tests of the protocol and of stdio."""

from __future__ import annotations

import sys
import threading
from collections.abc import Collection
from typing import Any

from comity.dialects.dialect import Ask, Dialect
from comity.doors.stdio.program import serve
from comity.kernel.op import Op
from comity.kernel.problem import Conflict, Problem
from comity.kernel.registry import AnyOp
from comity.kernel.steps import Report
from comity.mcp import wire
from comity.mcp.request import Call
from comity.mcp.surface import Cancellation, Listed, UnknownPrompt, UnknownResource, UnknownTool

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


class Toy(Dialect):
    """Echoes, fails, crashes, waits, reports progress: one tool per thing a call can do."""

    name = "toy"
    version = "1.0"
    instructions = "Call echo."

    def __init__(self, ready: threading.Event | None = None, *, offers: bool = False) -> None:
        self._ready = ready
        self.offers = offers
        self.log = 0
        self._in_vain = False

    def tools(self) -> bytes | list[Any]:
        return wire.pretty([tool(name, name.capitalize()) for name in TOOLS]).encode()

    def ready(self) -> None:
        if self._ready is not None:
            self._ready.wait(WAIT_LIMIT_S)

    def ask(self, name: str, arguments: dict[str, Any]) -> Ask:
        if name not in TOOLS:
            raise UnknownTool(name)
        return Ask(name, TOOLS[name], arguments)

    def run(self, op: AnyOp, ask: Ask, call: Call, report: Report) -> Any:
        result = op.run(dict(ask.arguments), call, report)
        if ask.name == "steps":
            with STEPS:
                self.log += 1
                STEPS.notify_all()
        return result

    def say(self, _ask: Ask, result: Any) -> tuple[str, Any]:
        return wire.pretty(result), result

    def complain(self, _ask: Ask | None, problem: Problem) -> str:
        return wire.pretty({"reasonCode": problem.reason, "message": problem.message, "metadata": problem.data})

    def resources(self) -> Listed:
        return [{"uri": f"toy://{name}", "name": name} for name in ("one", "slow")] if self.offers else []

    def resource_templates(self) -> Listed:
        return [{"uriTemplate": "toy://one{?n}", "name": "one"}]

    def resource(self, uri: str) -> Ask:
        if not uri.startswith("toy://one") and uri != "toy://slow":
            raise UnknownResource(uri)
        return Ask(uri, TOOLS["slow" if uri == "toy://slow" else "version"])

    def say_resource(self, ask: Ask, result: Any) -> tuple[str, str | bytes]:
        return ("image/png", result) if isinstance(result, bytes) else ("text/plain", f"{ask.name} as {result}")

    def prompts(self) -> Listed:
        return [{"name": "hello"}] if self.offers else []

    def get_prompt(self, name: str, arguments: dict[str, str]) -> dict[str, Any]:
        if name != "hello":
            raise UnknownPrompt(name)
        text = f"Hello {arguments.get('who', 'world')}"
        return {"messages": [{"role": "user", "content": {"type": "text", "text": text}}]}

    def news(self, cursor: str, cancel: Cancellation) -> tuple[str, Collection[str]]:
        """The log of a toy: how often steps were gone. Once a wait for them ends in vain."""
        with STEPS:
            if not cursor or not self._in_vain:
                self._in_vain = bool(cursor)
                return str(self.log), ()
            cancel.on_set(self._wake)
            STEPS.wait_for(lambda: self.log > int(cursor) or cancel.is_set(), WAIT_LIMIT_S)
            return str(self.log), ("steps",) if self.log > int(cursor) else ()

    def changed(self, _event_types: Collection[str]) -> Collection[str]:
        return ("toy://one",)

    def _wake(self) -> None:
        with STEPS:
            STEPS.notify_all()


def echo(arguments: dict[str, Any], call: Call, _report: Report) -> object:
    return {
        "arguments": arguments,
        "meta": sorted(call.meta),
        "version": call.version,
        "client": dict(call.client),
    }


def fail(_arguments: dict[str, Any], _call: Call, _report: Report) -> object:
    raise Conflict("toy.fails", "It always fails.", "Call echo.", why="just so")


def crash(_arguments: dict[str, Any], _call: Call, _report: Report) -> object:
    raise RuntimeError("a fault of the tool")


def odd(_arguments: dict[str, Any], _call: Call, _report: Report) -> object:
    """What JSON cannot say."""
    return {"set": {1, 2}}


def surrogate(_arguments: dict[str, Any], _call: Call, _report: Report) -> object:
    return {"text": "a\ud800b", "emoji": "\U0001f600"}


def shout(_arguments: dict[str, Any], _call: Call, _report: Report) -> object:
    """Print where the protocol is spoken, and read what was not meant for it."""
    print("noise on standard output", flush=True)
    return {"read": sys.stdin.read()}


def large(arguments: dict[str, Any], _call: Call, _report: Report) -> object:
    return {"text": "x" * int(arguments["size"])}


def wait(_arguments: dict[str, Any], call: Call, report: Report) -> object:
    """Until it is asked to stop, as a poll with nothing to hand out."""
    stopped = threading.Event()
    forget = call.cancelled.on_set(stopped.set)
    report(1, 0, "waiting")
    heard = stopped.wait(WAIT_LIMIT_S)
    forget()
    print("wait was stopped", file=sys.stderr, flush=True)
    return {"stopped": heard and call.cancelled.is_set()}


def block(_arguments: dict[str, Any], _call: Call, report: Report) -> object:
    """Hear nothing, as a call that waits for a locked database."""
    report(1, 0, "blocking")
    threading.Event().wait(WAIT_LIMIT_S)
    return {}


def steps(_arguments: dict[str, Any], _call: Call, report: Report) -> object:
    for done in (1, 2, 2, 1, 3):
        report(done, 3, f"step {done}")
    return {"done": True}


def slow(_arguments: dict[str, Any], call: Call, report: Report) -> object:
    """A resource that is read until it is asked to stop."""
    wait({}, call, report)
    raise Conflict("toy.stopped", "It was stopped.", "Read it again.")


def version(_arguments: dict[str, Any], call: Call, _report: Report) -> object:
    return call.version


TOOLS: dict[str, AnyOp] = {
    function.__name__: Op(function.__name__, function, "read", {})
    for function in (echo, fail, crash, odd, surrogate, shout, large, wait, block, steps, slow, version)
}

if __name__ == "__main__":
    limit = int(sys.argv[1]) if len(sys.argv) > 1 else 32
    toy = Toy(offers="offers" in sys.argv)
    ended = serve(toy, toy, max_calls=limit)
    print(f"ended: {ended.reason}", file=sys.stderr, flush=True)
    raise SystemExit(ended.exit_code)
