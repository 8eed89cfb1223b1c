"""A Dialect: a table of tools over the operations, with resources and prompts, and without any session.

Doors bring the `Seat` along with each call, so one dialect serves any number of sessions at once. ``tools``,
``resources``, ``resource_templates``, ``prompts``, ``get_prompt``, ``changed`` and ``render_problem`` need no database;
``call`` and ``read_resource`` may block and run on a thread of their own.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Protocol

from comity.dialects.seat import Seat
from comity.mcp.surface import Content, Listed, Offer, ToolCall, UnknownPrompt, UnknownResource

__all__ = ["Dialect", "Listed", "UnknownPrompt", "UnknownResource"]


class Dialect(Offer, Protocol):
    """A set of tools, resources and prompts. ``joins``: a session says in a call under which name it comes in."""

    joins: bool

    def call(self, seat: Seat, name: str, arguments: dict[str, Any], call: ToolCall) -> Any:
        """The tool's result, for `render_result`. Raises UnknownTool or Problem."""

    def render_result(self, result: Any) -> tuple[Content, Any]:
        """The content and the structured content, an object."""

    def read_resource(self, seat: Seat, uri: str, call: ToolCall) -> tuple[str, str | bytes]:
        """MIME type, and text or bytes. Raises UnknownResource or Problem."""

    def changed(self, event_types: Collection[str]) -> Collection[str]:
        """The URIs of the resources that events of these types may have changed."""
