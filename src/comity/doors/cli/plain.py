"""Commands that need no project: version, completion, mcp, demo; and ``call``, which runs any operation by name."""

from __future__ import annotations

import json
import os
import sys
from typing import Any, Literal

from comity import __version__, database
from comity.doors.cli import catalog
from comity.doors.cli.command import Option, Values, command
from comity.doors.cli.invocation import Invocation
from comity.kernel.call import Key
from comity.kernel.problem import Conflict, Invalid
from comity.rooms import REGISTRY
from comity.rooms.agents.model import UNREGISTERED

_MAX_ARGUMENTS_BYTES = 8_000_000


def _version(_: Invocation, __: Values) -> dict[str, str]:
    return {"version": __version__, "python": sys.version.split()[0], "sqlite": database.library()}


version = command(
    _version,
    show=lambda screen, found: screen.say(
        f"comity {found['version']} (Python {found['python']}, SQLite {found['sqlite']})"
    ),
    needs="nothing",
    doc="Show the version of Comity, Python and SQLite.",
    example="comity version --json",
)


def _completion(invocation: Invocation, values: Values) -> dict[str, str] | None:
    shell: Any = values.get("shell") or os.path.basename(os.environ.get("SHELL", "bash"))
    if shell not in ("bash", "zsh", "fish"):
        raise Invalid("shell.unknown", f"There is no completion for {shell!r}.", "Name one: bash, zsh or fish.")
    script = catalog.build().generate_completion(shell=shell)
    if invocation.json:
        return {"shell": shell, "script": script}
    sys.stdout.write(script)
    return None


completion = command(
    _completion,
    options=(
        Option("shell", Literal["bash", "zsh", "fish"] | None, "The shell; the present one.", None, positional=True),
    ),
    needs="nothing",
    doc="Print a script that completes commands and options in a shell.",
    example='eval "$(comity completion bash)"',
)


def _mcp(_: Invocation, __: Values) -> None:
    raise Invalid("mcp.options", "`comity mcp` reads its own options.", "Put them after mcp: `comity mcp --help`.")


mcp = command(
    _mcp,
    needs="nothing",
    doc="""Serve one agent session over standard input and output (MCP).

    Agent hosts start this themselves; `comity mcp --help` shows its options. `comity server` is the same.
    """,
    example="comity mcp --agent-id planner",
)


def _serve(_: Invocation, __: Values) -> None:
    raise Invalid("serve.options", "`comity serve` reads its own options.", "`comity serve --help` lists them.")


serve = command(
    _serve,
    needs="nothing",
    doc="""Serve this project's workspace over the network: MCP, REST and live events.

    `comity serve --help` shows its options; Ctrl-C ends it.
    """,
    example="comity serve --port 9200",
)


def _demo(invocation: Invocation, values: Values) -> int:
    return invocation.demo(json_output=invocation.json, **values)


demo = command(
    _demo,
    needs="nothing",
    options=(
        Option("tasks", int, "How many tasks they share out.", 12),
        Option("seed", int, "Decides the order of the tasks.", 7),
        Option("keep", bool, "Leave the temporary repository for a look.", default=False),
    ),
    doc="""Watch four agents share out tasks through one file in a temporary repository.

    They claim files before they edit them; one is killed over its work, and another one goes on with it. The account at
    the end is computed from the file.
    """,
    example="comity demo",
)


def _call(invocation: Invocation, values: Values) -> Any:
    name = values["operation"]
    op = REGISTRY.get(name)
    arguments = _arguments(values.get("arguments", "{}"))
    if op.effect == "read":
        invocation.require_database()
    workspace = invocation.workspace
    key = Key(values["key"]) if values.get("key") is not None else None
    try:
        return workspace.call(name, arguments, key=key)
    except Conflict as conflict:
        if conflict.reason not in UNREGISTERED:
            raise
    invocation.take_part()
    return workspace.call(name, arguments, key=key)


def _arguments(text: str) -> dict[str, object]:
    if text == catalog.STDIN:
        text = sys.stdin.buffer.read(_MAX_ARGUMENTS_BYTES + 1).decode("utf-8", "surrogateescape")
    hint = 'Pass a JSON object with the names that `comity schema` shows, such as {"max_messages": 5}.'
    if len(text) > _MAX_ARGUMENTS_BYTES:
        raise Invalid("arguments.too_long", f"The arguments are longer than {_MAX_ARGUMENTS_BYTES:,} bytes.", hint)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Invalid("arguments.not_json", f"The arguments are not JSON: {str(error)[:200]}.", hint) from None
    if not isinstance(value, dict):
        raise Invalid("arguments.not_object", "The arguments are not a JSON object.", hint)
    return value


call = command(
    _call,
    options=(
        Option("operation", str, "The operation, such as message.poll.", positional=True),
        Option("arguments", str, "Its arguments as a JSON object; - reads standard input.", "{}"),
        Option("key", str | None, "Carry it out at most once within a day under this key of the agent's own.", None),
    ),
    doc="""Run any operation by name and print its answer as JSON.

    `comity schema` lists the operations with their arguments. The agent is registered when the operation needs that.
    A script that may be started again gives each write a --key: sent again, it is answered as the first time.
    """,
    example="""comity call message.poll --arguments '{"max_messages": 5}'""",
)
