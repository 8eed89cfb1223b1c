"""The MASC front door: MASC's tools, resources and prompts over Comity's operations.

Who calls is the seat's matter and never an argument's: ``agent_name`` is compared with whom the session is, and a name
that is somebody else's is refused. Only before a session is anybody does the name say as whom it comes in.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from typing import Any

from comity import __version__
from comity.dialects.dialect import Listed, UnknownResource
from comity.dialects.masc import help as tool_help
from comity.dialects.masc import resources
from comity.dialects.masc.problems import problem_text
from comity.dialects.masc.text import tell
from comity.dialects.masc.tools import CUT_DEFAULT, CUT_MOST, GONE, HELP, NOT_YET, TOOLS, Tool
from comity.dialects.masc.words import OWN_STATES, said
from comity.dialects.seat import Seat
from comity.dialects.words import in_arguments
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Conflict, Forbidden, Invalid, Problem
from comity.kernel.scope import Actor
from comity.mcp.surface import ToolCall, UnknownTool
from comity.rooms import REGISTRY
from comity.rooms.agents.names import is_made, kind_of
from comity.workspace import Workspace

LIST_FILE = os.path.join(os.path.dirname(__file__), "tools.json")
INSTRUCTIONS = (
    "Other coding agents may work in this repository. Begin with masc_start; take work with masc_claim_next, finish it "
    "with masc_transition (start, then done with notes), tell others with masc_broadcast and read masc_messages often. "
    "masc_workflow_guide says what to do next, masc_tool_help explains a tool."
)
_BY_NAME = {tool.name: tool for tool in TOOLS}
DEFAULT_MESSAGES = 10  # as many as MASC answers
_DEFAULT_AGENT = "agent"


class Answer(NamedTuple):
    """What a tool answers: its name, the answer in MASC's words, and its text."""

    tool: str
    structured: Any
    text: str


class MascDialect:
    """MASC's tools. With ``hidden``, the other names that it has for some of them are listed as well."""

    name = "comity"
    version = __version__
    instructions = INSTRUCTIONS
    joins = True

    def __init__(self, *, hidden: bool = False) -> None:
        self._hidden = hidden
        self._came_as: dict[str, str] = {}  # by agent id, the type that it says it is

    def tools(self) -> bytes:
        """The prebuilt tool list."""
        with open(LIST_FILE, "rb") as file:
            listed = file.read()
        return listed if self._hidden else tool_help.without_aliases(listed)

    def call(self, seat: Seat, name: str, arguments: dict[str, Any], call: ToolCall) -> Answer:
        """The operation's record in MASC's words."""
        if name == HELP:
            return Answer(name, *tool_help.tool_help(arguments))
        if name in NOT_YET:
            told, hint = NOT_YET[name]
            raise Conflict("tool.not_yet", told, hint, tool=name)
        tool = _BY_NAME.get(name)
        if tool is None:
            raise UnknownTool(name)
        given = dict(arguments)
        called = _agent_name(name, given.pop("agent_name", None))
        limit = _cut(tool, given)
        own = _own(tool, given)
        workspace = self._workspace(seat, tool, called, call)
        if tool.op == "session.join":
            own["name"] = called or workspace.actor.name or _DEFAULT_AGENT
        record = _run(workspace, tool, own, call)
        structured = said(record)
        if limit:
            structured = {**structured, tool.cut: structured[tool.cut][:limit], "count": len(structured[tool.cut])}
        return Answer(name, structured, tell(tool.alias or name, structured))

    def _workspace(self, seat: Seat, tool: Tool, called: str, call: ToolCall) -> Workspace:
        """The caller's, who is at least not somebody other than it says. Raises Forbidden ``agent.mismatch``."""
        if not called and (tool.looks or REGISTRY.get(tool.op).effect == "read"):
            return seat.look(call.meta)
        workspace = seat.join(called, call.meta) if called and seat.bound is None else seat.of(call.meta)
        actor = workspace.actor
        if called and tool.op in ("session.join", "session.begin") and not is_made(called):
            self._came_as[actor.agent_id] = called
        if called and called not in _names(actor) and called != self._came_as.get(actor.agent_id):
            raise Forbidden(
                "agent.mismatch",
                f"You are {actor.name or actor.agent_id}, not {called}: a session acts for itself alone.",
                f"Leave agent_name out, or send {actor.name or actor.agent_id!r}.",
                agent_id=actor.agent_id,
                name=actor.name,
            )
        return workspace

    def render_result(self, result: Answer) -> tuple[str, Any]:
        """The short text and the structured answer."""
        return result.text, result.structured

    def render_problem(self, problem: Problem) -> str:
        """Code, message, hint, and what to do to recover."""
        return problem_text(problem)

    def resources(self) -> Listed:
        """Every ``masc://`` resource, as text and as JSON."""
        return resources.listed()

    def resource_templates(self) -> Listed:
        """Those with parameters."""
        return resources.templates()

    def read_resource(self, seat: Seat, uri: str, call: ToolCall) -> tuple[str, str]:
        """One resource as it is now."""
        wanted = resources.parse(uri)
        if wanted is None:
            raise UnknownResource(uri)
        workspace = seat.look(call.meta) if wanted.op else None
        return resources.read(wanted, workspace)

    def prompts(self) -> Listed:
        """The prompts."""
        return tool_help.prompts()

    def get_prompt(self, name: str, arguments: dict[str, str]) -> dict[str, Any]:
        """One prompt, filled in."""
        return tool_help.prompt(name, arguments)

    def changed(self, event_types: Collection[str]) -> Collection[str]:
        """By the groups that the events belong to."""
        return resources.changed(event_types)


def _names(actor: Actor) -> tuple[str, ...]:
    return actor.agent_id, actor.name, kind_of(actor.name), kind_of(actor.agent_id)


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


def _own(tool: Tool, given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as the operation calls them. Raises Invalid for those that the tool does not have."""
    own: dict[str, Any] = dict(tool.fixed)
    for name, value in given.items():
        if name in tool.without:
            continue
        ours = tool.arguments.get(name)
        if ours is None:
            names = ", ".join(tool.takes) or "none"
            raise Invalid(
                "argument.unknown",
                f"{tool.name} has no argument {name[:80]!r}.",
                GONE.get(name, f"Its arguments are: {names}."),
                operation=tool.name,
            )
        if ours in own and value is not None and own[ours] != value:
            told = f"{tool.name}: {name} is another word for an argument that is given, too."
            raise Invalid("argument.twice", told, "Give one of them.", operation=tool.name, argument=name)
        own[ours] = value
    if tool.op == "task.survey" and isinstance(own.get("status"), str):
        own["status"] = OWN_STATES.get(own["status"], own["status"])
    if tool.op == "message.catch_up":
        own.setdefault("limit", DEFAULT_MESSAGES)
        own["newest"] = not own.get("since_seq")
    return own


def _run(workspace: Workspace, tool: Tool, own: dict[str, Any], call: ToolCall) -> Any:
    try:
        return workspace.call(
            tool.op, own, call.cancelled, lambda done, total, what: call.progress(done, total or None, what)
        )
    except Invalid as problem:
        theirs = {ours: name for name, ours in reversed(list(tool.arguments.items()))}
        raise in_arguments(problem, tool.name, tool.op, theirs) from None
