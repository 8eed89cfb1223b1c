"""``comity schema``: the file's tables, the SQL of direct users, the operations and an agent prompt, as JSON.

For programs that read the file themselves and for agents without a server. The tables are those of a new database in
memory; the procedures are ``direct.sql``, the prompt is ``prompt.md``.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from typing import Any

from comity import __version__, settings
from comity.database import ddl, tables
from comity.doors.cli.command import Option, Values, command
from comity.doors.cli.invocation import Invocation
from comity.kernel.record import to_json
from comity.kernel.schema import input_schema, output_schema
from comity.kernel.text import readable
from comity.rooms import REGISTRY

_FOLDER = os.path.dirname(__file__)
PLACEHOLDERS = {
    "DB_PATH": "the database file",
    "AGENT_ID": "the agent's lasting id",
    "AGENT_NAME": "what peers see",
    "CHANNEL_ID": "the channel to join",
    "ROLE": "what the agent does",
    "TAGS": "a JSON list of tags that rank messages for it",
}


def procedures() -> list[dict[str, Any]]:
    """What a direct user runs for each operation: steps with their SQL, parameters and when to run them."""
    found: dict[str, list[dict[str, Any]]] = {}
    for part in _read("direct.sql").split("-- name: ")[1:]:
        title, _, body = part.partition("\n")
        lines = body.splitlines()
        note = " ".join(line[3:] for line in lines if line.startswith("-- "))
        sql = "\n".join(line for line in lines if line.strip() and not line.startswith("-- "))
        parameters = list(dict.fromkeys(re.findall(r":([a-z_]+)", sql)))
        operation, _, step = title.strip().partition(".")
        entry: dict[str, Any] = {"name": f"{operation}.{step}", "sql": sql, "parameters": parameters}
        found.setdefault(operation, []).append({**entry, "note": note} if note else entry)
    return [{"name": name, "transaction": name != "open", "steps": steps} for name, steps in found.items()]


def operations() -> list[dict[str, Any]]:
    """Every operation with the JSON Schemas of its arguments and its answer."""
    return [
        {
            "name": op.name,
            "summary": op.summary,
            "effect": op.effect,
            "arguments": input_schema(op, {}),
            "answer": output_schema(op),
            "example": op.example,
        }
        for op in map(REGISTRY.get, REGISTRY.names())
    ]


def fill(values: Mapping[str, str]) -> str:
    """The prompt with its placeholders replaced in a single pass: a value that looks like one stays as it is."""
    return re.sub(r"\{([A-Z_]+)\}", lambda found: values.get(found.group(1), found.group()), _read("prompt.md"))


def _read(name: str) -> str:
    with open(os.path.join(_FOLDER, name), encoding="utf-8") as file:
        return file.read()


def _prompt(invocation: Invocation, values: Values) -> str:
    flags = {"agent_id": values.get("agent_id"), "agent_name": values.get("agent_name"), "role": values.get("role")}
    flags |= {"channel": values.get("channel"), "interest_tags": values.get("interest_tags")}
    found = settings.resolve({**invocation.project_flags, **flags}, os.environ, os.getcwd())
    return fill(
        {
            "DB_PATH": found.db,
            "AGENT_ID": found.agent_id,
            "AGENT_NAME": found.agent_name,
            "CHANNEL_ID": found.channel,
            "ROLE": found.role,
            "TAGS": readable(list(found.interest_tags)),
        }
    )


def _schema(invocation: Invocation, values: Values) -> dict[str, Any] | None:
    if values.pop("sql", False):
        return _answered(invocation, "sql", ddl())
    if values.pop("prompt", False):
        return _answered(invocation, "prompt", _prompt(invocation, values))
    return {
        "protocol": "MACP 1.0",
        "comity": __version__,
        "tables": to_json(tables()),
        "procedures": procedures(),
        "operations": operations(),
        "prompt": {"template": _read("prompt.md"), "placeholders": PLACEHOLDERS},
    }


def _answered(invocation: Invocation, name: str, text: str) -> dict[str, Any] | None:
    if invocation.json:
        return {name: text}
    sys.stdout.write(text)
    return None


schema = command(
    _schema,
    needs="project",
    options=(
        Option("prompt", bool, "Print the agent prompt, filled in.", default=False),
        Option("sql", bool, "Print the tables as SQL.", default=False),
        Option("agent_id", str | None, "For the prompt: the agent's id; a random one.", None),
        Option("agent_name", str | None, "For the prompt: its name.", None),
        Option("channel", str | None, "For the prompt: the channel to join.", None),
        Option("role", str | None, "For the prompt: its role.", None),
        Option("interest_tags", str | None, "For the prompt: its tags, with commas between.", None),
    ),
    doc="""Print the tables, SQL for direct use, all operations and an agent prompt, as JSON.

    For programs and agents that read and write the file themselves.
    """,
    example="comity schema --prompt --agent-id scout --interest-tags parser,tests",
)
