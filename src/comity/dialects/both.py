"""MASC's and the protocol's tools in one list: for whoever wants everything, and to try one beside the other."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from comity import __version__
from comity.dialects.dialect import Dialect, Listed
from comity.dialects.macp.dialect import MacpDialect
from comity.dialects.masc.dialect import MascDialect
from comity.dialects.seat import Seat
from comity.kernel.problem import Problem
from comity.mcp.surface import Content, ToolCall


class Together:
    """Both dialects over one seat. The first has the instructions, the resources and the prompts."""

    name = "comity"
    version = __version__
    joins = True

    def __init__(self) -> None:
        self._first = MascDialect()
        self._second = MacpDialect()
        self.instructions = f"{self._first.instructions} The macp_ tools do the same in the words of that protocol."
        self._theirs = frozenset(tool["name"] for tool in _list(self._second))

    def tools(self) -> list[Any]:
        """Both lists."""
        return [*_list(self._first), *_list(self._second)]

    def call(self, seat: Seat, name: str, arguments: dict[str, Any], call: ToolCall) -> tuple[Content, Any]:
        """The result as its own dialect says it."""
        dialect: Dialect = self._second if name in self._theirs else self._first
        return dialect.render_result(dialect.call(seat, name, arguments, call))

    def render_result(self, result: tuple[Content, Any]) -> tuple[Content, Any]:
        """It is said already."""
        return result

    def render_problem(self, problem: Problem) -> str:
        """As the first dialect says it."""
        return self._first.render_problem(problem)

    def resources(self) -> Listed:
        """The first dialect's."""
        return self._first.resources()

    def resource_templates(self) -> Listed:
        """The first dialect's."""
        return self._first.resource_templates()

    def read_resource(self, seat: Seat, uri: str, call: ToolCall) -> tuple[str, str]:
        """The first dialect's."""
        return self._first.read_resource(seat, uri, call)

    def prompts(self) -> Listed:
        """The first dialect's."""
        return self._first.prompts()

    def get_prompt(self, name: str, arguments: dict[str, str]) -> dict[str, Any]:
        """The first dialect's."""
        return self._first.get_prompt(name, arguments)

    def changed(self, event_types: Collection[str]) -> Collection[str]:
        """The first dialect's."""
        return self._first.changed(event_types)


def _list(dialect: Dialect) -> list[Any]:
    listed = dialect.tools()
    return list(json.loads(listed)) if isinstance(listed, bytes) else listed
