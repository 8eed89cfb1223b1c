"""Writes what is generated from the operations: the MCP tool list and the reference pages.

``python tools/generate.py`` writes them; with ``--check`` it writes nothing and fails when one is not current.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, get_args, get_type_hints

from comity.declared import SETTINGS, Setting
from comity.dialects.macp import dialect as macp
from comity.dialects.macp import tools as macp_tools
from comity.dialects.masc import dialect as masc
from comity.dialects.masc import tools as masc_tools
from comity.dialects.masc.words import OWN_STATES, form_of
from comity.hosts.adapters import adapter_of
from comity.hosts.hook_install import WIRINGS
from comity.kernel.argument import Items, Note, Number, Text
from comity.kernel.record import form
from comity.kernel.registry import AnyOp
from comity.kernel.schema import input_schema, output_schema, schema_of
from comity.kernel.signature import hints_of, parameters
from comity.rooms import REGISTRY
from comity.rooms.tasks.machine import MACHINE, RULES
from comity.server.auth import access
from comity.server.folder.options import OPTIONS, Option

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
_REPEATED_IS_TWICE = (
    *("message.broadcast", "message.send", "message.announce", "goal.create"),
    *("task.dispatch", "task.next", "task.take_next", "task.add", "task.add_many"),
)
_MARKS = {
    "role.insufficient": "R",
    "agent.unnamed": "U",
    "agent.mismatch": "M",
    "agent.bound": "B",
    "agent.unproven": "P",
}
_WHO = {
    "free_or_mine": "its holder, or anybody while it is free",
    "mine": "its holder",
    "mine_or_dispatched": "its holder or its dispatcher",
    "free_mine_or_dispatched": "its holder or its dispatcher, or anybody while it is free",
}


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
        "inputSchema": input_schema(op, macp.argument_names(op.name)),
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
    for name in tool.without:
        properties[name] = {}
    if tool.cut:
        most, default = masc_tools.CUT_MOST, masc_tools.CUT_DEFAULT
        properties["limit"] = {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    if "enum" in properties.get("status", {}):
        own = {ours: theirs for theirs, ours in OWN_STATES.items()}
        properties["status"] = {"enum": [own.get(state, state) for state in properties["status"]["enum"]]}
    if op.name == "message.catch_up":
        properties["limit"]["default"] = masc.DEFAULT_MESSAGES
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


def page(op: AnyOp) -> str:
    """The reference page of one operation."""
    tool = next((tool.name for tool in macp_tools.TOOLS if tool.op == op.name), None)
    noun, verb = op.name.split(".")
    example = ", ".join(f"{name}={value!r}" for name, value in op.example.items())
    return "\n".join(
        [
            f"# {op.name}",
            "",
            op.doc.replace("\n    ", "\n"),
            "",
            f"- Effect: {op.effect}",
            f"- MCP tool: `{tool}`" if tool else "- MCP tool: none",
            f"- Python: `workspace.{noun}.{verb}({example})`",
            "",
            "## Arguments",
            "",
            *_arguments(op),
            "",
            "## Result",
            "",
            *_result(hints_of(op.run)["return"]),
            "",
        ]
    )


def _arguments(op: AnyOp) -> list[str]:
    if not parameters(op):
        return ["None."]
    lines = ["| argument | in MCP | type | default | meaning |", "|---|---|---|---|---|"]
    names = macp.argument_names(op.name)
    for name, annotation, required, default in parameters(op):
        shown = "required" if required else "none" if default is None else f"`{json.dumps(default)}`"
        lines.append(f"| `{name}` | `{names[name]}` | {_kind(annotation)} | {shown} | {_meaning(annotation)} |")
    return lines


def _kind(annotation: Any) -> str:
    schema = schema_of(annotation)
    schema = next((one for one in schema.get("anyOf", []) if one.get("type") != "null"), schema)
    if "enum" in schema:
        return "one of " + ", ".join(f"`{json.dumps(value)}`" for value in schema["enum"])
    kind = schema.get("type", "any")
    bounds = [
        f"{low} to {high} {unit}".strip()
        for low, high, unit in (
            (schema.get("minimum"), schema.get("maximum"), ""),
            (schema.get("minLength", 0), schema.get("maxLength"), "characters"),
            (schema.get("minItems", 0), schema.get("maxItems"), "items"),
        )
        if high is not None
    ]
    return ", ".join([str(kind), *bounds])


def _meaning(annotation: Any) -> str:
    for mark in get_args(annotation)[1:]:
        if isinstance(mark, Note | Text | Number | Items) and mark.doc:
            return mark.doc
    for part in get_args(annotation):
        meaning = _meaning(part) if get_args(part) else ""
        if meaning:
            return meaning
    return ""


def _result(kind: Any) -> list[str]:
    lines = [kind.__doc__ or "", "", "| field | JSON | type |", "|---|---|---|"]
    hints = get_type_hints(kind, include_extras=True)
    for key, field, optional, _ in form(kind):
        kind_text = str(hints[field]).replace("|", "or").replace("<class '", "").replace("'>", "")
        lines.append(
            f"| `{field}` | `{key}`{' (left out when it has nothing to say)' if optional else ''} | {kind_text} |"
        )
    return lines


def settings_page() -> str:
    """The reference page of the settings."""
    lines = [
        "# Settings",
        "",
        "Precedence: option, environment, `.macp/config.json` and `.macp/comity.toml`, default.",
        "",
        "What is marked with \\* loosens: it counts only from you, by option, by environment, or from a file that you",
        "agreed to with [`comity trust`](../init.md#what-came-with-the-repository). A database that lies",
        "inside the workspace needs no agreement.",
        "",
    ]
    lines += ["| option | environment | in `comity.toml` | default | meaning |", "|---|---|---|---|---|"]
    for one in SETTINGS:
        default = "derived" if one.default is None else f"`{one.default or 'none'}`"
        lines.append(f"| `{one.flag}` | `{one.env}` | {_in_file(one)} | {default} | {one.doc} |")
    return "\n".join([*lines, ""])


def _in_file(one: Setting | Option) -> str:
    """What a setting is called in its file."""
    mark = r" \*" if one.loosens else ""
    return f"`{one.name}`{mark}"


def server_settings_page() -> str:
    """The reference page of the server's settings."""
    lines = [
        "# Settings of the server",
        "",
        "Precedence: option, environment (the first that is set), `.masc/config/server.toml`, default.",
        "[The server](../server.md) explains them.",
        "",
        "What is marked with \\* loosens: it counts only from you, by option, by environment, or from a file that you",
        "agreed to with [`comity trust`](../init.md#what-came-with-the-repository).",
        "",
        "| option | environment | in `server.toml` | default | meaning |",
        "|---|---|---|---|---|",
    ]
    for one in OPTIONS:
        env = ", ".join(f"`{name}`" for name in one.env)
        default = "derived" if one.name == "port" else f"`{one.default if one.default not in ((), '') else 'none'}`"
        shown = f"{one.flag} {one.value}".replace("|", " or ")
        lines.append(f"| `{shown}` | {env} | {_in_file(one)} | {default} | {one.doc} |")
    return "\n".join([*lines, ""])


HOST_COLUMNS = (
    "host",
    "mid-turn messages",
    "messages at a prompt",
    "refuse an edit",
    "warn before it",
    "ask the user",
    "go on at stop",
    "wake",
    "tried",
)


def hosts_page() -> str:
    """What each agent host lets hooks do, as the adapters say."""
    lines = [
        "# Agent hosts",
        "",
        "What each host lets Comity's hooks do, made from the adapters' own data. [Hooks](../hooks.md) explains it.",
        "",
        f"| {' | '.join(HOST_COLUMNS)} |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    found = [(wiring, adapter) for wiring in WIRINGS if (adapter := adapter_of(wiring.host)) is not None]
    for wiring, adapter in found:
        can = adapter.abilities
        able = (can.mid_turn, can.at_prompt, can.refuse, can.warn, can.ask, can.stop)
        cells = ("yes" if cell else "no" for cell in able)
        wake = f"`{can.wake}`" if can.wake else "no"
        tried = can.proven or "its documentation only"
        lines.append(f"| {wiring.title} | {' | '.join(cells)} | {wake} | {tried} |")
    lines += ["", "| host | name | file | hooked events | looked up |", "|---|---|---|---|---|"]
    for wiring, adapter in found:
        events = ", ".join(f"`{event}`" for event in wiring.events)
        source = f"[{adapter.abilities.checked}]({adapter.abilities.source})"
        lines.append(f"| {wiring.title} | `{wiring.host}` | `{wiring.file}` | {events} | {source} |")
    return "\n".join([*lines, ""])


def task_states_page() -> str:
    """The states of a task, drawn from the table that decides them."""
    lines = [
        "# States of a task",
        "",
        "Drawn from `rooms/tasks/machine.py`.",
        "",
        "```mermaid",
        MACHINE.diagram(),
        "```",
        "",
    ]
    lines += ["| operation | possible while | leads to | who | also checked |", "|---|---|---|---|---|"]
    for heard, rule in RULES.items():
        found = {state: to for (state, said), to in MACHINE.table.items() if said == heard}
        who = next(_WHO[check] for check in rule.checks if check in _WHO)
        also = {"profile": "profile", "ready": "dependencies"}
        more = ", ".join(also[check] for check in rule.checks if check in also) or "none"
        leads = ", ".join(dict.fromkeys(found.values()))
        lines.append(f"| `task.{heard}` | {', '.join(found)} | {leads} | {who} | {more} |")
    return "\n".join([*lines, ""])


def access_page() -> str:
    """What each role may do, and as whom, made from the table that a test holds against every door."""
    lines = [
        "# Access",
        "",
        "What the server answers, by the role of a token and by whose agent a request comes from. A test asks every",
        "cell of it over REST, MCP and WebSockets. [Authentication](../authentication.md) explains it.",
        "",
        "Each cell has five marks, for a request that comes from",
        "",
    ]
    lines += [f"{number}. {words}," for number, words in enumerate(access.CALLERS.values(), 1)]
    lines += ["", "| mark | meaning |", "| --- | --- |", "| ✓ | it is run |"]
    lines += [f"| {mark} | `{reason}` |" for reason, mark in _MARKS.items()]
    lines += ["", "MCP gives whoever has no name a new one (the third mark is then as the first), except readers.", ""]
    roles = ("reader", "worker", "admin")
    lines += [f"| operation | {' | '.join(roles)} | about what is another agent's |", "| --- | --- | --- | --- | --- |"]
    for op in REGISTRY:
        cells = [" ".join(_MARKS.get(access.refusal(op, role, one), "✓") for one in access.CALLERS) for role in roles]
        lines.append(f"| [{op.name}]({op.name}.md) | {' | '.join(cells)} | {access.OTHERS.get(op.name, '')} |")
    return "\n".join([*lines, ""])


def index() -> str:
    """The list of all reference pages."""
    lines = ["# Reference", "", "Made from the operations' own definitions.", "", "- [Settings](settings.md)"]
    lines.append("- [Settings of the server](server-settings.md)")
    lines.append("- [States of a task](task-states.md)")
    lines.append("- [Agent hosts](hosts.md)")
    lines.append("- [Access](access.md)")
    lines += [f"- [{op.name}]({op.name}.md): {op.summary}" for op in REGISTRY]
    return "\n".join([*lines, ""])


def everything() -> dict[Path, str]:
    """Every generated file with its text."""
    files = {
        Path(macp.LIST_FILE): tool_list(),
        Path(masc.LIST_FILE): masc_tool_list(),
        REFERENCE / "index.md": index(),
        REFERENCE / "settings.md": settings_page(),
        REFERENCE / "server-settings.md": server_settings_page(),
        REFERENCE / "task-states.md": task_states_page(),
        REFERENCE / "hosts.md": hosts_page(),
        REFERENCE / "access.md": access_page(),
    }
    return files | {REFERENCE / f"{op.name}.md": page(op) for op in REGISTRY}


def main() -> int:
    """Write, or check."""
    check = "--check" in sys.argv[1:]
    files = everything()
    stale = [path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    extra = [path for path in REFERENCE.glob("*.md") if path not in files]
    if check:
        for path in stale + extra:
            print(f"not current: {path.relative_to(ROOT)} (run `python tools/generate.py`)")
        return 1 if stale or extra else 0
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for path in stale:
        path.write_text(files[path], encoding="utf-8")
    for path in extra:
        path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
