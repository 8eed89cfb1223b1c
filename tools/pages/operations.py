"""The reference page of each operation, and the list of all of them."""

from __future__ import annotations

import json

from comity.dialects.macp import tools as macp_tools
from comity.dialects.masc import tools as masc_tools
from comity.dialects.names import argument_names
from comity.kernel.registry import AnyOp
from comity.kernel.shape import Fields
from comity.kernel.signature import answer_of, parameters
from comity.rooms import REGISTRY
from tools.pages import records

OTHER_PAGES = {
    "settings": "Settings",
    "server-settings": "Settings of the server",
    "task-states": "States of a task",
    "hosts": "Agent hosts",
    "access": "Access",
    "records": "Records",
    "problems": "Problems",
    "events": "Events",
}


def page(op: AnyOp) -> str:
    """The reference page of one operation."""
    noun, verb = op.name.split(".")
    example = ", ".join(f"{name}={value!r}" for name, value in op.example.items())
    method = "GET" if op.effect == "read" else "POST"
    return "\n".join(
        [
            f"# {op.name}",
            "",
            records.prose(op.doc),
            "",
            f"- Effect: {op.effect}",
            f"- MCP tool: {_tools(op)}",
            f"- REST: `{method} /api/v1/{op.name}`",
            f"- Python: `workspace.{noun}.{verb}({example})`",
            "",
            "## Arguments",
            "",
            *_arguments(op),
            "",
            "## Result",
            "",
            *_result(op),
            "",
        ]
    )


def _tools(op: AnyOp) -> str:
    """The names under which the operation is offered over MCP."""
    own = [f"`{tool.name}`" for tool in macp_tools.TOOLS if tool.op == op.name]
    masc = [f"`{tool.name}`" for tool in masc_tools.TOOLS if tool.op == op.name and not tool.alias]
    at_masc = [f"{', '.join(masc)} ([the MASC front door](../masc.md))"] if masc else []
    return ", ".join([*own, *at_masc]) or "none"


def _arguments(op: AnyOp) -> list[str]:
    if not parameters(op):
        return ["None."]
    lines = ["| argument | in JSON | what it is | default | meaning |", "| --- | --- | --- | --- | --- |"]
    names = argument_names(op)
    for parameter in parameters(op):
        name, default = parameter.name, parameter.default
        shown = "required" if parameter.required else "none" if default is None else f"`{json.dumps(default)}`"
        cells = (f"`{name}`", f"`{names[name]}`", records.words(parameter.given), shown, parameter.given.doc)
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _result(op: AnyOp) -> list[str]:
    answer = answer_of(op)
    if not isinstance(answer, Fields):
        return [f"{records.words(answer).capitalize()}."]
    return [*_explained(answer), *records.fields(answer.kind)]


def _explained(answer: Fields) -> list[str]:
    doc = records.prose(answer.kind.__doc__ or "")
    return [doc, ""] if doc else []


def index() -> str:
    """The list of all reference pages."""
    lines = ["# Reference", "", "Made from the source: the operations' own definitions, settings, tables.", ""]
    lines += [f"- [{title}]({name}.md)" for name, title in OTHER_PAGES.items()]
    nouns: dict[str, list[AnyOp]] = {}
    for op in sorted(REGISTRY, key=lambda op: op.name):
        nouns.setdefault(op.name.partition(".")[0], []).append(op)
    for noun, ops in nouns.items():
        lines += ["", f"## {noun}", "", *(f"- [{op.name}]({op.name}.md): {op.summary}" for op in ops)]
    return "\n".join([*lines, ""])
