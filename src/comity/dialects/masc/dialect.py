"""The MASC front door: MASC's tools, resources and prompts over Comity's operations.

Who calls is the session's matter and never an argument's: ``agent_name`` is compared with whom the session is, and a
name that is somebody else's is refused. Only before a session is anybody does the name say as whom it comes in.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import Any

from comity.dialects.dialect import Ask, Dialect, worded
from comity.dialects.masc import help as tool_help
from comity.dialects.masc import resources
from comity.dialects.masc.problems import problem_text
from comity.dialects.masc.text import tell
from comity.dialects.masc.tools import CUT_DEFAULT, CUT_MOST, GONE, HELP, TOOLS, Tool
from comity.dialects.masc.words import OWN_STATES, said
from comity.dialects.names import Names
from comity.kernel.problem import Invalid, Problem
from comity.kernel.validate import unknown_argument
from comity.mcp.surface import Content, Listed, UnknownResource, UnknownTool
from comity.rooms import REGISTRY

LIST_FILE = os.path.join(os.path.dirname(__file__), "tools.json")
INSTRUCTIONS = (
    "Other coding agents may work in this repository. Begin with masc_start; take work with masc_claim_next, finish it "
    "with masc_transition (start, then done with notes), tell others with masc_broadcast and read masc_messages often. "
    "masc_workflow_guide says what to do next, masc_tool_help explains a tool."
)
_BY_NAME = {tool.name: (tool, Names(tool.name, tool.op, tool.arguments)) for tool in TOOLS}


class MascDialect(Dialect):
    """MASC's tools. With ``hidden``, the other names that it has for some of them are listed as well."""

    instructions = INSTRUCTIONS
    joins = True

    def __init__(self, *, hidden: bool = False) -> None:
        self._hidden = hidden

    def tools(self) -> bytes:
        """The prebuilt tool list."""
        with open(LIST_FILE, "rb") as file:
            listed = file.read()
        return listed if self._hidden else tool_help.without_aliases(listed)

    def ask(self, name: str, arguments: dict[str, Any]) -> Ask:
        """The operation that the table names. Help is known at once."""
        if name == HELP:
            return Ask(name, detail=tool_help.tool_help(arguments))
        if name not in _BY_NAME:
            raise UnknownTool(name)
        tool, names = _BY_NAME[name]
        given = dict(arguments)
        called = _agent_name(name, given.pop("agent_name", None))
        limit = _cut(tool, given)
        own = _own(tool, given)
        if called and tool.wish:
            own[tool.wish] = called
        op = REGISTRY.get(tool.op)
        looks = not called and (tool.looks or op.effect == "read")
        return Ask(name, op, own, names, looks, called, tool.enters, (tool, limit))

    def say(self, ask: Ask, result: Any) -> tuple[Content, Any]:
        """The short text and the structured answer, in MASC's words."""
        if ask.op is None:
            structured, text = ask.detail
            return text, structured
        tool, limit = ask.detail
        structured = said(result)
        if limit:
            structured = {**structured, tool.cut: structured[tool.cut][:limit], "count": len(structured[tool.cut])}
        return tell(tool.alias or tool.name, structured), structured

    def complain(self, ask: Ask | None, problem: Problem) -> str:
        """Code, message, hint, and what to do to recover."""
        return problem_text(worded(ask, problem))

    def resources(self) -> Listed:
        """Every ``masc://`` resource, as text and as JSON."""
        return resources.listed()

    def resource_templates(self) -> Listed:
        """Those with parameters."""
        return resources.templates()

    def resource(self, uri: str) -> Ask:
        """One resource as it is now."""
        found = resources.parse(uri)
        if found is None:
            raise UnknownResource(uri)
        return found

    def say_resource(self, ask: Ask, result: Any) -> tuple[str, str]:
        """As text or as JSON, whatever its address says."""
        return resources.say(ask, result)

    def changed(self, event_types: Collection[str]) -> Collection[str]:
        """By the groups that the events belong to."""
        return resources.changed(event_types)

    def prompts(self) -> Listed:
        """The prompts."""
        return tool_help.prompts()

    def get_prompt(self, name: str, arguments: dict[str, str]) -> dict[str, Any]:
        """One prompt, filled in."""
        return tool_help.prompt(name, arguments)


def _agent_name(tool: str, value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or not 0 < len(value.strip()) <= 200 or not value.isprintable():
        told = f"{tool}: agent_name must be the name of an agent."
        raise Invalid("argument.invalid", told, "Leave it out: the session says who you are.", argument="agent_name")
    return value.strip()


def _cut(tool: Tool, given: dict[str, Any]) -> int:
    """How many the answer's list may have; 0 for a tool whose operation decides."""
    if not tool.cut:
        return 0
    limit = given.pop("limit", CUT_DEFAULT)
    if type(limit) is not int or not 1 <= limit <= CUT_MOST:
        told = f"{tool.name}: limit must be from 1 to {CUT_MOST}."
        raise Invalid("argument.invalid", told, "Correct the argument and call again.", argument="limit")
    return limit


def _own(tool: Tool, given: dict[str, Any]) -> dict[str, Any]:
    """The arguments as the operation calls them. Raises Invalid for those that the tool does not have."""
    own: dict[str, Any] = {}
    for name, value in given.items():
        if name in tool.without:
            continue
        ours = tool.arguments.get(name)
        if ours is None:
            unknown = unknown_argument(tool.name, name, tool.takes)
            unknown.hint = GONE.get(name, unknown.hint)
            raise unknown
        if ours in own and value is not None and own[ours] != value:
            told = f"{tool.name}: {name} is another word for an argument that is given, too."
            raise Invalid("argument.twice", told, "Give one of them.", operation=tool.name, argument=name)
        own[ours] = OWN_STATES.get(value, value) if name in tool.states and isinstance(value, str) else value
    return resources.newest_unless_after({**tool.fixed, **own})
