"""``comity mcp``: one agent session's MCP server over standard input and output.

Started by the agent's host; registers the agent, joins its channel, serves until the host closes the pipe or sends a
signal, and deregisters. Options and environment variables are those of the protocol (reference section 6.2).
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable

from comity import settings
from comity.declared import SETTINGS, Setting
from comity.dialects.dialect import Dialect
from comity.dialects.macp.dialect import MacpDialect
from comity.doors.stdio.agent_session import AgentSession
from comity.doors.stdio.program import serve
from comity.hosts.session import supposed
from comity.kernel.problem import Problem
from comity.workspace import Workspace, from_settings

_ABOUT = """\
Serve one agent session over standard input and output (MCP). Agent hosts start this themselves:
`comity init` writes it into their configuration. The environment variable in brackets does the same as
the option; MACP_PROJECT_ROOT names the folder in which to look for the project."""
_EXAMPLE = "comity mcp --agent-id planner --channel backend"


def main(arguments: list[str], open_workspace: Callable[[settings.Settings], Workspace] = from_settings) -> int:
    """Run ``comity mcp`` with these arguments; the exit code. ``open_workspace`` may bring loops along."""
    if arguments and arguments[0] == "server":
        arguments = arguments[1:]
    try:
        resolved = settings.resolve(parse(arguments), os.environ, os.getcwd())
        dialect = _dialect(resolved)
        session = AgentSession(lambda: open_workspace(resolved), supposed(resolved), joins=dialect.joins)
    except Problem as problem:
        print(f"error: {problem.message}\nhint: {problem.hint}", file=sys.stderr)
        return problem.exit_code
    for one in resolved.aside:
        print(f"comity mcp: set aside: {one.text} ({one.file}); comity trust agrees", file=sys.stderr)
    begun = threading.Event()
    threading.Thread(target=_begin, args=(session, begun), daemon=True).start()
    ended = serve(dialect, session, begun=begun)
    session.end(ended.reason)
    return ended.exit_code


def parse(arguments: list[str]) -> dict[str, str]:
    """The options as settings. Raises Invalid."""
    if not arguments:
        return {}
    from comity.command_line import Command, parse  # most hosts give none

    schema = Setting("schema_path", (), None, "Ignored: the schema is part of the package.")
    given = parse(Command("comity mcp", _ABOUT, (*SETTINGS, schema), _EXAMPLE), arguments)
    if given.pop(schema.name, None) is not None:
        print(f"comity mcp: {schema.flag} is ignored: the schema is part of the package", file=sys.stderr)
    return given


def _dialect(resolved: settings.Settings) -> Dialect:
    if resolved.surface == "macp":
        return MacpDialect(resolved.tools)
    from comity.dialects.masc.dialect import MascDialect

    return MascDialect()


def _begin(session: AgentSession, begun: threading.Event) -> None:
    """Register before the client is answered; a failure is told by the first call."""
    try:
        session.ready()
    except Problem as problem:
        print(f"comity mcp: {problem.message} {problem.hint}", file=sys.stderr)
    finally:
        begun.set()
