"""The lists that ``tools/list`` answers in each dialect, made from the operations behind the tools."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from comity.dialects.macp import dialect as macp
from comity.dialects.macp import tools as macp_tools
from comity.dialects.masc import dialect as masc
from comity.dialects.masc import tools as masc_tools
from comity.dialects.masc.words import OWN_STATES, form_of
from comity.dialects.names import argument_names
from comity.kernel.registry import AnyOp
from comity.kernel.schema import input_schema, output_schema
from comity.rooms import REGISTRY

_REPEATED_IS_TWICE = (
    *("message.broadcast", "message.send", "message.announce", "goal.create"),
    *("task.dispatch", "task.next", "task.take_next", "task.add", "task.add_many"),
)


def files() -> dict[Path, str]:
    """Each list's file with its text."""
    return {Path(macp.LIST_FILE): tool_list(), Path(masc.LIST_FILE): masc_tool_list()}


def tool_list() -> str:
    """The array that ``tools/list`` answers, one tool a line."""
    lines = [json.dumps(_tool(tool), ensure_ascii=False, separators=(",", ":")) for tool in macp_tools.TOOLS]
    return "[" + ",\n".join(lines) + "]\n"


def _tool(tool: macp_tools.Tool) -> dict[str, Any]:
    op = REGISTRY.get(tool.op)
    return {
        "name": tool.name,
        "title": tool.title,
        "description": op.summary,
        "inputSchema": input_schema(op, argument_names(op)),
        "outputSchema": output_schema(op),
        "annotations": _annotations(op),
    }


def masc_tool_list() -> str:
    """The array that ``tools/list`` answers at the MASC front door, one tool a line, other names included."""
    tools = [_masc_tool(tool) for tool in masc_tools.TOOLS]
    lines = [json.dumps(tool, ensure_ascii=False, separators=(",", ":")) for tool in (*tools, _MASC_HELP)]
    return "[" + ",\n".join(lines) + "]\n"


def _masc_tool(tool: masc_tools.Tool) -> dict[str, Any]:
    op = REGISTRY.get(tool.op)
    taken = input_schema(op, {}, form_of)
    properties: dict[str, Any] = {"agent_name": {"type": "string"}} if tool.named else {}
    for name, ours in tool.arguments.items():
        properties[name] = dict(taken["properties"][ours])
        if ours in tool.fixed:
            properties[name]["default"] = tool.fixed[ours]
    for name in tool.without:
        properties[name] = {}
    if tool.cut:
        most, default = masc_tools.CUT_MOST, masc_tools.CUT_DEFAULT
        properties["limit"] = {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    if "enum" in properties.get("status", {}):
        own = {ours: theirs for theirs, ours in OWN_STATES.items()}
        properties["status"] = {"enum": [own.get(state, state) for state in properties["status"]["enum"]]}
    required = [name for name, ours in tool.arguments.items() if ours in taken.get("required", ())]
    return {
        "name": tool.name,
        "title": tool.title,
        "description": tool.described or op.summary,
        "inputSchema": {"type": "object", "properties": properties, **({"required": required} if required else {})},
        "outputSchema": output_schema(op, form_of),
        "annotations": _annotations(op),
    }


_MASC_HELP = {
    "name": masc_tools.HELP,
    "title": "Explain a tool",
    "description": "Explain one tool and its arguments.",
    "inputSchema": {"type": "object", "properties": {"tool_name": {"type": "string"}}, "required": ["tool_name"]},
    "outputSchema": {"type": "object"},
    "annotations": {"readOnlyHint": True, "destructiveHint": False, "idempotentHint": True, "openWorldHint": False},
}


def _annotations(op: AnyOp) -> dict[str, bool]:
    return {
        "readOnlyHint": op.effect == "read",
        "destructiveHint": False,
        "idempotentHint": op.name not in _REPEATED_IS_TWICE,
        "openWorldHint": False,
    }
