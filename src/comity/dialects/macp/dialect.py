"""The MACP dialect: the protocol's tool names over Comity's operations (protocol reference section 5).

The table is ``tools``. Arguments and results are the operations' own, in camelCase; ``tools.json`` holds the
prebuilt list, so that a server starts without building a schema (``tools/generate.py`` writes it).
"""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import Any

from comity import __version__
from comity.dialects import toolsets
from comity.dialects.dialect import Listed, UnknownPrompt, UnknownResource
from comity.dialects.macp.tools import TOOLS, words
from comity.dialects.seat import Seat
from comity.dialects.words import in_arguments
from comity.kernel.problem import Invalid, Problem
from comity.kernel.record import camel, to_json
from comity.kernel.signature import parameters
from comity.kernel.steps import Report
from comity.mcp import wire
from comity.mcp.surface import ToolCall, UnknownTool
from comity.rooms import REGISTRY

LIST_FILE = os.path.join(os.path.dirname(__file__), "tools.json")

INSTRUCTIONS = (
    "Other coding agents may work in this repository. You are registered already. Call macp_poll before you edit and "
    "every few tool calls, act on what it returns, then macp_ack. Tell others what you change with macp_send_channel. "
    "macp_get_instructions explains more."
)


def argument_names(op_name: str) -> dict[str, str]:
    """An operation's argument names in this dialect, by their own."""
    return {parameter.name: camel(parameter.name) for parameter in parameters(REGISTRY.get(op_name))}


class MacpDialect:
    """The protocol's tools, or those of the set called ``tools``."""

    name = "comity"
    version = __version__
    instructions = INSTRUCTIONS
    joins = False

    def __init__(self, tools: str = "all") -> None:
        self._tools = tools
        self._words = words(tools)
        self._ops = {tool.name: tool.op for tool in TOOLS if toolsets.shown(tool.name, tools)}
        self._own_names: dict[str, dict[str, str]] = {}

    def tools(self) -> bytes:
        """The prebuilt tool list, or the part of it that is shown."""
        with open(LIST_FILE, "rb") as file:
            return toolsets.select(file.read(), self._tools)

    def call(self, seat: Seat, name: str, arguments: dict[str, Any], call: ToolCall) -> Any:
        """The operation's record."""
        op_name = self._ops.get(name)
        if op_name is None:
            raise UnknownTool(name)
        own = self._own_names.get(name)
        if own is None:
            own = self._own_names[name] = {theirs: ours for ours, theirs in argument_names(op_name).items()}
        renamed = {own.get(key, key): value for key, value in arguments.items()}
        try:
            result = seat.of(call.meta).call(op_name, renamed, call.cancelled, _progress(call))
        except Invalid as problem:
            raise in_arguments(problem, name, op_name, {ours: theirs for theirs, ours in own.items()}) from None
        if op_name == "guide.show":
            return result._replace(instructions=self._words.say(result.instructions))
        return result

    def render_result(self, result: Any) -> tuple[str, Any]:
        """Indented JSON for the model, the same object for the program."""
        structured = to_json(result)
        return wire.pretty(structured), structured

    def render_problem(self, problem: Problem) -> str:
        """The protocol's error shape (section 5.3) and a hint."""
        shape = {
            "reasonCode": problem.reason,
            "message": problem.message,
            "metadata": problem.data,
            "hint": self._words.say(problem.hint),
        }
        return wire.pretty(shape, lenient=True)

    def resources(self) -> Listed:
        """None: the protocol has no resources."""
        return []

    def resource_templates(self) -> Listed:
        """None."""
        return []

    def read_resource(self, _seat: Seat, uri: str, _call: ToolCall) -> tuple[str, str]:
        """There are none."""
        raise UnknownResource(uri)

    def prompts(self) -> Listed:
        """None: the protocol has no prompts."""
        return []

    def get_prompt(self, name: str, _arguments: dict[str, str]) -> dict[str, Any]:
        """There are none."""
        raise UnknownPrompt(name)

    def changed(self, _event_types: Collection[str]) -> Collection[str]:
        """There are no resources that change."""
        return ()


def _progress(call: ToolCall) -> Report:
    """How far a long operation is, as the protocol says it: a total that is not known is left out."""
    return lambda done, total, what: call.progress(done, total or None, what)
