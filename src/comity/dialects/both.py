"""MASC's and the protocol's tools in one list, for clients that want both."""

from __future__ import annotations

import json
from typing import Any

from comity.dialects.dialect import Ask
from comity.dialects.macp.dialect import MacpDialect
from comity.dialects.macp.tools import TOOLS
from comity.dialects.masc.dialect import MascDialect
from comity.mcp import wire
from comity.mcp.surface import Content

_THEIRS = frozenset(tool.name for tool in TOOLS)


class Together(MascDialect):
    """MASC's dialect and the protocol's tools together. Complaints, resources and prompts are MASC's."""

    def __init__(self) -> None:
        super().__init__()
        self._macp = MacpDialect()
        self.instructions = f"{self.instructions} The macp_ tools do the same in the words of that protocol."

    def tools(self) -> bytes:
        """Both lists."""
        return wire.encode([*json.loads(super().tools()), *json.loads(self._macp.tools())])

    def ask(self, name: str, arguments: dict[str, Any]) -> Ask:
        """What a call of either dialect's tool asks for."""
        return self._macp.ask(name, arguments) if name in _THEIRS else super().ask(name, arguments)

    def say(self, ask: Ask, result: Any) -> tuple[Content, Any]:
        """The result as the tool's own dialect says it."""
        return self._macp.say(ask, result) if ask.name in _THEIRS else super().say(ask, result)
