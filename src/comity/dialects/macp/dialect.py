"""The MACP dialect: the protocol's tool names over Comity's operations (protocol reference section 5).

The table is ``tools``. Arguments and results are the operations' own, in camelCase; ``tools.json`` holds the
prebuilt list, so that a server starts without building a schema (``tools/generate.py`` writes it).
"""

from __future__ import annotations

import os
from typing import Any

from comity.dialects import toolsets
from comity.dialects.dialect import Ask, Dialect, worded
from comity.dialects.macp.tools import TOOLS, words
from comity.dialects.names import Names, camel_names
from comity.kernel.problem import Problem
from comity.kernel.record import to_json
from comity.mcp import wire
from comity.mcp.surface import UnknownTool
from comity.rooms import REGISTRY

LIST_FILE = os.path.join(os.path.dirname(__file__), "tools.json")

INSTRUCTIONS = (
    "Other coding agents may work in this repository. You are registered already. Call macp_poll before you edit and "
    "every few tool calls, act on what it returns, then macp_ack. Tell others what you change with macp_send_channel. "
    "macp_get_instructions explains more."
)


class MacpDialect(Dialect):
    """The protocol's tools, or those of the set called ``tools``."""

    instructions = INSTRUCTIONS

    def __init__(self, tools: str = "all") -> None:
        self._tools = tools
        self._words = words(tools)
        self._shown = {tool.name: tool for tool in TOOLS if toolsets.shown(tool.name, tools)}
        self._names: dict[str, Names] = {}

    def tools(self) -> bytes:
        """The prebuilt tool list, or the part of it that is shown."""
        with open(LIST_FILE, "rb") as file:
            return toolsets.select(file.read(), self._tools)

    def ask(self, name: str, arguments: dict[str, Any]) -> Ask:
        """The operation that the table names; its own names of arguments are taken, too."""
        tool = self._shown.get(name)
        if tool is None:
            raise UnknownTool(name)
        op = REGISTRY.get(tool.op)
        names = self._names.get(name)
        if names is None:
            names = self._names[name] = Names(name, tool.op, camel_names(op))
        return Ask(name, op, names.own(arguments), names, detail=tool)

    def say(self, ask: Ask, result: Any) -> tuple[str, Any]:
        """Indented JSON for the model, the same object for the program."""
        for field in ask.detail.advice:
            result = result._replace(**{field: self._words.say(getattr(result, field))})
        structured = to_json(result)
        return wire.pretty(structured), structured

    def complain(self, ask: Ask | None, problem: Problem) -> str:
        """The protocol's error shape (section 5.3) and a hint."""
        problem = worded(ask, problem)
        shape = {
            "reasonCode": problem.reason,
            "message": problem.message,
            "metadata": problem.data,
            "hint": self._words.say(problem.hint),
        }
        return wire.pretty(shape, lenient=True)
