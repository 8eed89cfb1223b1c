"""The operator's endpoint: what may be done from afar, for holders of a token only. It has no tools in this version."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from comity import __version__
from comity.dialects.dialect import Listed, UnknownPrompt, UnknownResource
from comity.dialects.seat import Seat
from comity.kernel.problem import Problem
from comity.mcp.surface import ToolCall, UnknownTool

ABOUT = "comity://operator"
INSTRUCTIONS = (
    "This is the operator's endpoint of a Comity server. It has no tools in this version: nothing can be done here, "
    f"and {ABOUT} says the same. Agents work at /mcp."
)


class OperatorDialect:
    """One resource that says what there is: nothing yet."""

    name = "comity-operator"
    version = __version__
    instructions = INSTRUCTIONS
    joins = False

    def tools(self) -> list[Any]:
        """None yet."""
        return []

    def call(self, _seat: Seat, name: str, _arguments: dict[str, Any], _call: ToolCall) -> Any:
        """There are none."""
        raise UnknownTool(name)

    def render_result(self, result: Any) -> tuple[str, Any]:
        """No tool answers."""
        raise TypeError(result)

    def render_problem(self, problem: Problem) -> str:
        """What is wrong and what to do."""
        return f"{problem.message} {problem.hint}"

    def resources(self) -> Listed:
        """What the endpoint is."""
        return [{"uri": ABOUT, "name": "operator", "title": "What can be done here", "mimeType": "text/plain"}]

    def resource_templates(self) -> Listed:
        """None."""
        return []

    def read_resource(self, _seat: Seat, uri: str, _call: ToolCall) -> tuple[str, str]:
        """What the endpoint is."""
        if uri != ABOUT:
            raise UnknownResource(uri)
        return "text/plain", INSTRUCTIONS

    def prompts(self) -> Listed:
        """None."""
        return []

    def get_prompt(self, name: str, _arguments: dict[str, str]) -> dict[str, Any]:
        """There are none."""
        raise UnknownPrompt(name)

    def changed(self, _event_types: Collection[str]) -> Collection[str]:
        """There are no resources that change."""
        return ()
