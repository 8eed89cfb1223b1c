"""A Dialect: a table of tools over the operations, with resources and prompts, and without any session.

Doors bring the `Seat` along with each call, so one dialect serves any number of sessions at once. ``tools``,
``resources``, ``resource_templates``, ``prompts``, ``get_prompt``, ``touched`` and ``render_problem`` need no database;
``call`` and ``read_resource`` may block and run on a thread of their own.
"""

from __future__ import annotations

from typing import Any, Protocol

from comity.doors.mcp.seat import Seat
from comity.doors.mcp.surface import Listed, ToolCall, UnknownPrompt, UnknownResource
from comity.kernel.problem import Problem

__all__ = ["Dialect", "Listed", "UnknownPrompt", "UnknownResource"]


class Dialect(Protocol):
    """A set of tools, resources and prompts. ``joins``: a session says in a call under which name it comes in."""

    name: str
    version: str
    instructions: str
    joins: bool

    def tools(self) -> bytes | list[Any]:
        """The array that ``tools/list`` answers, as JSON bytes or as a list."""

    def call(self, seat: Seat, name: str, arguments: dict[str, Any], call: ToolCall) -> Any:
        """The tool's result, for `render_result`. Raises UnknownTool or Problem."""

    def render_result(self, result: Any) -> tuple[str, Any]:
        """The text item and the structured content, an object."""

    def render_problem(self, problem: Problem) -> str:
        """The text item of a failed call."""

    def resources(self) -> Listed:
        """What ``resources/list`` answers; empty when the dialect has none."""

    def resource_templates(self) -> Listed:
        """What ``resources/templates/list`` answers."""

    def read_resource(self, seat: Seat, uri: str, call: ToolCall) -> tuple[str, str]:
        """MIME type and text. Raises UnknownResource or Problem."""

    def prompts(self) -> Listed:
        """What ``prompts/list`` answers; empty when the dialect has none."""

    def get_prompt(self, name: str, arguments: dict[str, str]) -> dict[str, Any]:
        """What ``prompts/get`` answers: description and messages. Raises UnknownPrompt or Invalid."""

    def touched(self, name: str) -> tuple[str, ...]:
        """The URIs of the resources that a successful call of the tool called ``name`` may have changed."""
